/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching devices.
 */
#ifndef __IOMMUFD_ATTACH_H
#define __IOMMUFD_ATTACH_H

struct device_group;
struct iommufd_ctx;
struct iommufd_ioas;
struct iommufd_preparation;

int iommufd_group_attach(struct device_group *group, struct iommufd_ioas *ioas);
void iommufd_group_detach(struct device_group *group);

/* attach_prepare.c */
void iommufd_attach_prepare_new(struct iommufd_ioas *ioas);
void iommufd_attach_unprepare(struct iommufd_preparation *preparation);
struct iommufd_preparation *iommufd_attach_prepared(struct iommufd_ctx *ctx);
struct iommufd_ioas *
iommufd_attach_prepared_ioas(const struct iommufd_preparation *preparation);

#endif
