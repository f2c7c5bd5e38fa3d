/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device group: the devices of an IOMMU group that are bound to a context.
 */
#ifndef __IOMMUFD_GROUP_H
#define __IOMMUFD_GROUP_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct device;
struct iommu_group;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_hwpt;

/**
 * struct device_group - an IOMMU group, which is attached as a whole
 * @refs: Who keeps it; under the xa_lock of iommufd_ctx.groups
 * @owners: Those of them for whom the context owns the DMA of the group: the
 *          devices bound, and the container; likewise
 * @ctx: The context
 * @group: The IOMMU group, with a reference
 * @lock: Protects all that follows
 * @hwpt: What the group is attached to; each device in @attached has a reference,
 *        and so has the container if @whole
 * @handle: By which page requests find it; there while it is attached
 * @handles: struct attach_handle.link: @handle and those of PASIDs, and what is
 *           being attached or detached
 * @attached: struct iommufd_device.link
 * @pasids: PASIDs that are attached (group_pasid.c)
 * @whole: The container has attached the group, whatever devices do
 * @msi_window: Where MSI doorbells are to appear, or PHYS_ADDR_MAX
 */
struct device_group {
	refcount_t refs;
	unsigned int owners;
	struct iommufd_ctx *ctx;
	struct iommu_group *group;

	struct mutex lock; /* the attachment */
	struct iommufd_hwpt *hwpt;
	struct attach_handle *handle;
	struct list_head handles;
	struct list_head attached;
	struct xarray pasids;
	bool whole;
	phys_addr_t msi_window;
};

struct device_group *device_group_get(struct iommufd_ctx *ctx,
				      struct iommu_group *iommu_group);
void device_group_put(struct device_group *group);
void device_group_hold(struct device_group *group);
void device_group_release(struct device_group *group);
bool device_groups_enforce_coherency(struct iommufd_ctx *ctx);

/* group_attach.c */
int device_group_attach(struct device_group *group,
			struct iommufd_device *idev, struct iommufd_hwpt *hwpt);
void device_group_detach(struct device_group *group,
			 struct iommufd_device *idev);
int device_group_replace(struct device_group *group, struct iommufd_hwpt *hwpt);

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
