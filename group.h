/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device group: the devices of an IOMMU group that are bound to a context.
 */
#ifndef __IOMMUFD_GROUP_H
#define __IOMMUFD_GROUP_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct device;
struct iommu_group;
struct iommufd_ctx;

/**
 * struct device_group - an IOMMU group, which is attached as a whole
 * @refs: Who keeps it; under the xa_lock of iommufd_ctx.groups
 * @owners: Those of them for whom the context owns the DMA of the group: the
 *          devices bound, and the container; likewise
 * @ctx: The context
 * @group: The IOMMU group, with a reference
 * @lock: Protects all that follows
 * @handles: struct attach_handle.link: those of @attachments, and what is being attached
 *           or detached
 * @attachments: struct attachment, by PASID; IOMMU_NO_PASID is that of the group itself
 * @msi_window: Where MSI doorbells are to appear, or PHYS_ADDR_MAX
 */
struct device_group {
	refcount_t refs;
	unsigned int owners;
	struct iommufd_ctx *ctx;
	struct iommu_group *group;

	struct mutex lock; /* the attachments */
	struct list_head handles;
	struct xarray attachments;
	phys_addr_t msi_window;
};

struct device_group *device_group_get(struct iommufd_ctx *ctx,
				      struct iommu_group *iommu_group);
void device_group_put(struct device_group *group);
void device_group_hold(struct device_group *group);
void device_group_release(struct device_group *group);
bool device_groups_enforce_coherency(struct iommufd_ctx *ctx);

#endif
