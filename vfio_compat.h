/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VFIO container in terms of an IOAS.
 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

struct iommufd_command;

int iommufd_vfio_ioas(struct iommufd_command *command);

#endif
