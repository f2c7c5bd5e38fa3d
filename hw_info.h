/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardware information: what the IOMMU of a device can do.
 */
#ifndef __IOMMUFD_HW_INFO_H
#define __IOMMUFD_HW_INFO_H

struct iommufd_command;

int iommufd_get_hw_info(struct iommufd_command *command);

#endif
