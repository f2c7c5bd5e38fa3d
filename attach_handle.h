/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handle: an attachment in the eyes of the IOMMU core.
 */
#ifndef __IOMMUFD_ATTACH_HANDLE_H
#define __IOMMUFD_ATTACH_HANDLE_H

#include <linux/iommu.h>

struct iommufd_hwpt;

/**
 * struct attach_handle - an attachment as page requests find it
 * @handle: What the IOMMU core knows
 * @hwpt: The page table, with a fault queue or without
 * @dev_id: The device that page requests are said to come from: the first one
 *          that was attached
 */
struct attach_handle {
	struct iommu_attach_handle handle;
	struct iommufd_hwpt *hwpt;
	u32 dev_id;
};

struct attach_handle *attach_handle_alloc(struct iommufd_hwpt *hwpt,
					  u32 dev_id);
void attach_handle_free(struct attach_handle *handle);

#endif
