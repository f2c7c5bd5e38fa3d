/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dirty tracking of a paging HWPT: which pages devices write to.
 */
#ifndef __IOMMUFD_HWPT_DIRTY_H
#define __IOMMUFD_HWPT_DIRTY_H

struct iommufd_command;

int iommufd_hwpt_set_dirty_tracking(struct iommufd_command *command);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_command *command);

#endif
