/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handle: an attachment in the eyes of the IOMMU core.
 */
#ifndef __IOMMUFD_ATTACH_HANDLE_H
#define __IOMMUFD_ATTACH_HANDLE_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct device_group;
struct iommufd_hwpt;

/**
 * struct attach_handle - an attachment as page requests find it
 * @handle: What the IOMMU core knows
 * @link: In device_group.handles, under the lock of the group
 * @lock: Protects @hwpt against page requests that are just being reported
 * @hwpt: The page table, with a fault queue or without; changes under the lock of
 *        the group, too
 * @dev_id: The device that page requests are said to come from: the first one
 *          that was attached
 */
struct attach_handle {
	struct iommu_attach_handle handle;
	struct list_head link;
	spinlock_t lock; /* hwpt */
	struct iommufd_hwpt *hwpt;
	u32 dev_id;
};

struct attach_handle *attach_handle_alloc(struct device_group *group,
					  struct iommufd_hwpt *hwpt,
					  u32 dev_id);
void attach_handle_move(struct attach_handle *handle,
			struct iommufd_hwpt *hwpt);
void attach_handle_free(struct attach_handle *handle);

#endif
