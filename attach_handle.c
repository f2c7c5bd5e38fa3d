// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handle: an attachment in the eyes of the IOMMU core.
 *
 * Owns how the page requests of devices find the page table that a group, or a
 * PASID of it, is attached to. It must never know how a group is attached.
 */
#include <linux/slab.h>

#include "attach_handle.h"

/**
 * attach_handle_alloc - how page requests are to find a page table
 * @hwpt: The page table, with a fault queue or without
 * @dev_id: The device that they are said to come from, or 0
 *
 * Sleeps.
 *
 * Return: for the attachment, to be freed by attach_handle_free(); or NULL, no
 * memory.
 */
struct attach_handle *attach_handle_alloc(struct iommufd_hwpt *hwpt, u32 dev_id)
{
	struct attach_handle *handle;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return NULL;
	handle->hwpt = hwpt;
	handle->dev_id = dev_id;
	return handle;
}

/**
 * attach_handle_free - free what is not known to the IOMMU core any more
 * @handle: Of an attachment that has ended, or could not be made
 */
void attach_handle_free(struct attach_handle *handle)
{
	kfree(handle);
}
