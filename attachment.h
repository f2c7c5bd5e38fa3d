/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attachment: the DMA of a group, without a PASID or with one, and the page table
 * that it goes through.
 */
#ifndef __IOMMUFD_ATTACHMENT_H
#define __IOMMUFD_ATTACHMENT_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct device;
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

/**
 * struct attachment - what a group, or a PASID of it, is attached to
 * @group: The group, whose lock protects all of it
 * @pasid: The PASID, or IOMMU_NO_PASID
 * @handle: The page table, and how page requests find it
 * @users: The devices that it was made for (group_attach.c); each has a reference to
 *         the page table
 * @lost: The core has it attached to nothing, see detach_and_attach()
 */
struct attachment {
	struct device_group *group;
	ioasid_t pasid;
	struct attach_handle *handle;
	struct list_head users;
	bool lost;
};

struct attachment *attachment_create(struct device_group *group,
				     struct device *dev, ioasid_t pasid,
				     struct iommufd_hwpt *hwpt, u32 dev_id);
void attachment_destroy(struct attachment *attachment, struct device *dev);
int attachment_replace(struct attachment *attachment, struct device *dev,
		       struct iommufd_hwpt *hwpt);

#endif
