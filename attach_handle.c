// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handle: an attachment in the eyes of the IOMMU core.
 *
 * Owns how the page requests of devices find the page table that a group, or a
 * PASID of it, is attached to. It must never know how a group is attached.
 */
#include <linux/slab.h>

#include "attach_handle.h"
#include "fault.h"
#include "group.h"
#include "hw_pagetable.h"

/**
 * attach_handle_alloc - how page requests are to find a page table
 * @group: The group that is going to be attached, by itself or a PASID of it; its
 *         lock is held
 * @hwpt: The page table, with a fault queue or without
 * @dev_id: The device that they are said to come from, or 0
 *
 * Sleeps.
 *
 * Return: for the attachment, to be freed by attach_handle_free(); or NULL, no
 * memory.
 */
struct attach_handle *attach_handle_alloc(struct device_group *group,
					  struct iommufd_hwpt *hwpt, u32 dev_id)
{
	struct attach_handle *handle;

	lockdep_assert_held(&group->lock);

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return NULL;
	spin_lock_init(&handle->lock);
	handle->hwpt = hwpt;
	handle->dev_id = dev_id;
	list_add(&handle->link, &group->handles);
	return handle;
}

/**
 * attach_handle_free - free what is not known to the IOMMU core any more
 * @handle: Of an attachment that has ended, or could not be made; the lock of its
 *          group is held
 *
 * Answers all page requests that have come by it: also an attach that fails may
 * have let some through. Cannot fail. Sleeps.
 */
void attach_handle_free(struct attach_handle *handle)
{
	iommufd_fault_drop(handle->hwpt->fault, handle, NULL);
	list_del(&handle->link);
	kfree(handle);
}

/**
 * attach_handle_move - have page requests find another page table
 * @handle: Known to the IOMMU core; the lock of its group is held
 * @hwpt: The page table; it has a fault queue if the one before has
 *
 * On return no request that is still being reported goes to the queue of the page
 * table before; those that are there, read or not, stay.
 *
 * The core looks at the domain twice, to find out if it takes page requests and to
 * hand one over. So whether it does must not change meanwhile.
 */
void attach_handle_move(struct attach_handle *handle, struct iommufd_hwpt *hwpt)
{
	WARN_ON(!hwpt->fault != !handle->hwpt->fault);

	spin_lock(&handle->lock);
	handle->hwpt = hwpt;
	spin_unlock(&handle->lock);
	WRITE_ONCE(handle->handle.domain, hwpt->domain);
}
