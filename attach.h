/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching devices.
 */
#ifndef __IOMMUFD_ATTACH_H
#define __IOMMUFD_ATTACH_H

struct device_group;
struct iommufd_ioas;

int iommufd_ioas_prepare(struct iommufd_ioas *ioas);
int iommufd_group_attach(struct device_group *group, struct iommufd_ioas *ioas);
void iommufd_group_detach(struct device_group *group);

#endif
