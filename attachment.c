// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attachment of a group, or of a PASID of it, to a page table.
 *
 * This is the only file that has the IOMMU core attach, detach and replace domains.
 * The core attaches a group as a whole: without a PASID by its group, with one by any
 * of its devices.
 *
 * A handle is an attachment in the eyes of the core: it leads page requests to the
 * page table.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "attachment.h"
#include "driver_ops.h"
#include "fault.h"
#include "group.h"
#include "hw_pagetable.h"
#include "iommu_internal.h"

static struct attach_handle *handle_alloc(struct device_group *group,
					  struct iommufd_hwpt *hwpt, u32 dev_id)
{
	struct attach_handle *handle;

	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return NULL;
	spin_lock_init(&handle->lock);
	handle->hwpt = hwpt;
	handle->dev_id = dev_id;
	list_add(&handle->link, &group->handles);
	return handle;
}

/*
 * The core does not know the handle any more, or never did. All page requests that
 * have come by it are answered: also an attach that fails may have let some through.
 */
static void handle_free(struct attach_handle *handle)
{
	iommufd_fault_drop(handle->hwpt->fault, handle, NULL);
	list_del(&handle->link);
	kfree(handle);
}

/*
 * Have page requests find another page table. On return none that is still being
 * reported goes to the queue of the page table before; those that are there, read or
 * not, stay.
 *
 * The core looks at the domain twice, to find out if it takes page requests and to
 * hand one over. So both page tables have a fault queue, or neither has.
 */
static void handle_move(struct attach_handle *handle, struct iommufd_hwpt *hwpt)
{
	WARN_ON(!hwpt->fault != !handle->hwpt->fault);

	spin_lock(&handle->lock);
	handle->hwpt = hwpt;
	spin_unlock(&handle->lock);
	WRITE_ONCE(handle->handle.domain, hwpt->domain);
}

static int core_attach(const struct attachment *attachment, struct device *dev,
		       struct attach_handle *handle)
{
	struct iommu_domain *domain = handle->hwpt->domain;

	if (attachment->pasid == IOMMU_NO_PASID)
		return iommu_attach_group_handle(domain, attachment->group->group,
						 &handle->handle);
	return iommu_attach_device_pasid(domain, dev, attachment->pasid,
					 &handle->handle);
}

static void core_detach(const struct attachment *attachment, struct device *dev)
{
	struct iommu_domain *domain = attachment->handle->hwpt->domain;

	if (attachment->lost)
		return;
	if (attachment->pasid == IOMMU_NO_PASID)
		iommu_detach_group_handle(domain, attachment->group->group);
	else
		iommu_detach_device_pasid(domain, dev, attachment->pasid);
}

/**
 * attachment_create - have DMA of a group go through a page table
 * @group: The group, whose lock is held
 * @dev: A device of it; without a PASID not used
 * @pasid: The PASID, attached to nothing, or IOMMU_NO_PASID
 * @hwpt: The page table, which outlives the attachment
 * @dev_id: The id of the device that page requests are said to come from, or 0
 *
 * Sleeps.
 *
 * Return: the attachment, found in device_group.attachments, without users; or
 * ERR_PTR(), with nothing changed: -ENOMEM, an error of the driver.
 */
struct attachment *attachment_create(struct device_group *group,
				     struct device *dev, ioasid_t pasid,
				     struct iommufd_hwpt *hwpt, u32 dev_id)
{
	struct attachment *attachment;
	int rc = -ENOMEM;

	lockdep_assert_held(&group->lock);

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return ERR_PTR(-ENOMEM);
	attachment->group = group;
	attachment->pasid = pasid;
	INIT_LIST_HEAD(&attachment->users);
	attachment->handle = handle_alloc(group, hwpt, dev_id);
	if (!attachment->handle)
		goto out_attachment;
	rc = xa_insert(&group->attachments, pasid, attachment,
		       GFP_KERNEL_ACCOUNT);
	if (rc)
		goto out_handle; /* GCOVR_EXCL_LINE: would need two failures */
	rc = core_attach(attachment, dev, attachment->handle);
	if (rc)
		goto out_erase;
	return attachment;

out_erase:
	xa_erase(&group->attachments, pasid);
out_handle:
	handle_free(attachment->handle);
out_attachment:
	kfree(attachment);
	return ERR_PTR(rc);
}

/**
 * attachment_destroy - block DMA of a group
 * @attachment: Without users; the lock of its group is held
 * @dev: A device of the group; without a PASID not used
 *
 * Cannot fail. Sleeps.
 */
void attachment_destroy(struct attachment *attachment, struct device *dev)
{
	core_detach(attachment, dev);
	handle_free(attachment->handle);
	xa_erase(&attachment->group->attachments, attachment->pasid);
	kfree(attachment);
}

/* GCOVR_EXCL_START: the mock's driver replaces */
/*
 * Without the driver's help a PASID is blocked for a moment, and if the way
 * back fails, too, it stays so: DMA then faults, but to the user it is attached,
 * and another replace may put it right.
 */
static int detach_and_attach(struct attachment *attachment, struct device *dev,
			     struct attach_handle *new)
{
	int rc;

	core_detach(attachment, dev);
	rc = core_attach(attachment, dev, new);
	attachment->lost = rc && core_attach(attachment, dev, attachment->handle);
	if (attachment->lost)
		dev_warn(dev, "iommufd: PASID %u could not be attached again\n",
			 attachment->pasid);
	return rc;
}

/* GCOVR_EXCL_STOP */

static int replace_handle(struct attachment *attachment, struct device *dev,
			  struct iommufd_hwpt *hwpt)
{
	struct attach_handle *new, *old = attachment->handle;
	struct device_group *group = attachment->group;
	int rc;

	new = handle_alloc(group, hwpt, old->dev_id);
	if (!new)
		return -ENOMEM;
	if (attachment->pasid == IOMMU_NO_PASID)
		rc = iommu_replace_group_handle(group->group, hwpt->domain,
						&new->handle);
	else
		/* GCOVR_EXCL_START: the mock's driver replaces */
		rc = detach_and_attach(attachment, dev, new);
		/* GCOVR_EXCL_STOP */
	if (!rc)
		attachment->handle = new;
	handle_free(rc ? new : old);
	return rc;
}

/*
 * A driver that can replace keeps the handle that the core knows. It moves first:
 * so when the driver is done, what is still being reported goes to the new queue,
 * and what the other one has is what came from the page table before.
 */
static int keep_handle(const struct iommufd_driver_ops *ops, struct device *dev,
		       const struct attachment *attachment,
		       struct iommufd_hwpt *hwpt)
{
	struct attach_handle *handle = attachment->handle;
	struct iommufd_hwpt *old = handle->hwpt;
	int rc;

	handle_move(handle, hwpt);
	rc = ops->replace_pasid(dev, attachment->pasid, hwpt->domain,
				old->domain);
	if (rc)
		handle_move(handle, old);
	/* In a queue that both have is also what was there before a failure */
	if (!rc)
		iommufd_fault_drop(old->fault, handle, NULL);
	else if (hwpt->fault != old->fault)
		iommufd_fault_drop(hwpt->fault, handle, NULL);
	return rc;
}

/* See handle_move() */
static bool can_keep_handle(const struct iommufd_driver_ops *ops,
			    const struct attachment *attachment,
			    const struct iommufd_hwpt *hwpt)
{
	return ops && ops->replace_pasid && !attachment->lost &&
	       attachment->pasid != IOMMU_NO_PASID &&
	       !hwpt->fault == !attachment->handle->hwpt->fault;
}

/**
 * attachment_replace - move DMA of a group to another page table
 * @attachment: The lock of its group is held
 * @dev: A device of the group
 * @hwpt: Where to
 *
 * DMA goes on if the driver can do that. Sleeps.
 *
 * Return: 0; with nothing changed: -ENOMEM, an error of the driver.
 */
int attachment_replace(struct attachment *attachment, struct device *dev,
		       struct iommufd_hwpt *hwpt)
{
	const struct iommufd_driver_ops *ops = iommufd_driver_ops_get(dev);
	int rc;

	if (can_keep_handle(ops, attachment, hwpt))
		rc = keep_handle(ops, dev, attachment, hwpt);
	else
		rc = replace_handle(attachment, dev, hwpt);
	if (ops)
		iommufd_driver_ops_put(ops);
	return rc;
}
