// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASIDs of a device group that are attached to page tables.
 *
 * Owns the attachment of each PASID, which the devices of the group share as they
 * share that without a PASID (group_attach.c), and the rules of what may be attached
 * beside what. It must never know how a page table was chosen.
 *
 * A PASID needs no reserved ranges: interrupts are sent without one.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/slab.h>

#include "device.h"
#include "driver_ops.h"
#include "fault.h"
#include "group.h"
#include "group_pasid.h"
#include "hw_pagetable.h"
#include "iommu_internal.h"

/**
 * struct pasid_user - a device that a PASID is attached for
 * @link: In pasid_attachment.users
 * @idev: The device, one reference of the page table is its
 */
struct pasid_user {
	struct list_head link;
	struct iommufd_device *idev;
};

/**
 * struct pasid_attachment - a PASID of the group
 * @handle: The page table, and how page requests find it
 * @users: struct pasid_user.link, not empty
 * @lost: The core has it attached to nothing, see detach_and_attach()
 */
struct pasid_attachment {
	struct attach_handle *handle;
	struct list_head users;
	bool lost;
};

static struct pasid_user *user_of(const struct pasid_attachment *attachment,
				  const struct iommufd_device *idev)
{
	struct pasid_user *user;

	list_for_each_entry(user, &attachment->users, link)
		if (user->idev == idev)
			return user;
	return NULL;
}

static struct pasid_user *first_user(struct pasid_attachment *attachment)
{
	return list_first_entry(&attachment->users, struct pasid_user, link);
}

/**
 * device_group_pasid_hwpt - what a PASID of a device is attached to
 * @group: Its group, whose lock is held
 * @idev: The device
 * @pasid: The PASID
 *
 * Return: the page table, or NULL.
 */
struct iommufd_hwpt *device_group_pasid_hwpt(struct device_group *group,
					     const struct iommufd_device *idev,
					     ioasid_t pasid)
{
	struct pasid_attachment *attachment = xa_load(&group->pasids, pasid);

	lockdep_assert_held(&group->lock);

	if (!attachment || !user_of(attachment, idev))
		return NULL;
	return attachment->handle->hwpt;
}

/**
 * device_group_pasid_users - how many devices have a PASID attached
 * @group: The group, whose lock is held
 * @pasid: The PASID
 *
 * Return: the number.
 */
unsigned int device_group_pasid_users(struct device_group *group,
				      ioasid_t pasid)
{
	struct pasid_attachment *attachment = xa_load(&group->pasids, pasid);

	return attachment ? list_count_nodes(&attachment->users) : 0;
}

/**
 * device_group_fits_pasids - may this be attached without a PASID?
 * @group: The group, whose lock is held
 * @hwpt: The page table
 *
 * Where PASIDs are attached, all page tables must be of the kind that can be.
 *
 * Return: yes or no.
 */
bool device_group_fits_pasids(struct device_group *group,
			      const struct iommufd_hwpt *hwpt)
{
	return xa_empty(&group->pasids) ||
	       (hwpt->flags & IOMMU_HWPT_ALLOC_PASID);
}

static int check_pasid(struct device_group *group,
		       const struct iommufd_device *idev, ioasid_t pasid,
		       const struct iommufd_hwpt *hwpt)
{
	const struct pasid_attachment *attachment =
		xa_load(&group->pasids, pasid);

	if (!(hwpt->flags & IOMMU_HWPT_ALLOC_PASID))
		return -EINVAL;
	if (group->hwpt && !(group->hwpt->flags & IOMMU_HWPT_ALLOC_PASID))
		return -EINVAL;
	if (attachment && attachment->handle->hwpt != hwpt)
		return -EINVAL;
	/* The core asks only devices that have PASIDs at all */
	if (pasid >= idev->dev->iommu->max_pasids)
		return -EINVAL;
	return 0;
}

static void attachment_free(struct pasid_attachment *attachment)
{
	attach_handle_free(attachment->handle);
	kfree(attachment);
}

static struct pasid_attachment *
attachment_alloc(const struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct pasid_attachment *attachment;

	attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	if (!attachment)
		return NULL;
	INIT_LIST_HEAD(&attachment->users);
	attachment->handle = attach_handle_alloc(idev->group, hwpt,
						 idev->object.id);
	if (!attachment->handle) {
		kfree(attachment);
		return NULL;
	}
	return attachment;
}

/* The first device of the group: the core attaches all that have PASIDs */
static int attach_first(struct device_group *group, struct iommufd_device *idev,
			ioasid_t pasid, struct iommufd_hwpt *hwpt)
{
	struct pasid_attachment *attachment = attachment_alloc(idev, hwpt);
	int rc;

	if (!attachment)
		return -ENOMEM;
	rc = xa_insert(&group->pasids, pasid, attachment, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto out_free;
	rc = iommu_attach_device_pasid(hwpt->domain, idev->dev, pasid,
				       &attachment->handle->handle);
	if (rc)
		goto out_erase;
	return 0;

out_erase:
	xa_erase(&group->pasids, pasid);
out_free:
	attachment_free(attachment);
	return rc;
}

static int attach_user(struct device_group *group, struct iommufd_device *idev,
		       ioasid_t pasid, struct iommufd_hwpt *hwpt,
		       struct pasid_user *user)
{
	struct pasid_attachment *attachment;
	int rc;

	rc = iommufd_fault_enable(idev, hwpt);
	if (rc)
		return rc;
	if (!xa_load(&group->pasids, pasid))
		rc = attach_first(group, idev, pasid, hwpt);
	if (rc) {
		iommufd_fault_disable(idev, hwpt);
		return rc;
	}
	attachment = xa_load(&group->pasids, pasid);
	user->idev = idev;
	list_add_tail(&user->link, &attachment->users);
	return 0;
}

/**
 * device_group_attach_pasid - attach a PASID of a device
 * @group: Its group, whose lock is held
 * @idev: The device, for which @pasid is attached to nothing
 * @pasid: The PASID, not 0
 * @hwpt: Where to; on success the caller leaves one reference to the attachment
 *
 * Return: 0; with nothing changed: -EINVAL the page table is not for PASIDs, or
 * the one attached without a PASID is not, or another device of the group has the
 * PASID attached elsewhere, or the device has no such PASID; -ENOMEM; as
 * iommufd_fault_enable(); an error of the driver.
 */
int device_group_attach_pasid(struct device_group *group,
			      struct iommufd_device *idev, ioasid_t pasid,
			      struct iommufd_hwpt *hwpt)
{
	struct pasid_user *user;
	int rc;

	lockdep_assert_held(&group->lock);

	rc = check_pasid(group, idev, pasid, hwpt);
	if (rc)
		return rc;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return -ENOMEM;
	rc = attach_user(group, idev, pasid, hwpt, user);
	if (rc)
		kfree(user);
	return rc;
}

static void detach_last(struct device_group *group, struct device *dev,
			ioasid_t pasid, struct pasid_attachment *attachment)
{
	if (!attachment->lost)
		iommu_detach_device_pasid(attachment->handle->hwpt->domain,
					  dev, pasid);
	xa_erase(&group->pasids, pasid);
	attachment_free(attachment);
}

/**
 * device_group_detach_pasid - detach a PASID of a device
 * @group: Its group, whose lock is held
 * @idev: The device
 * @pasid: Attached for it; the caller takes over the reference of the attachment
 *
 * With the last device DMA with the PASID is blocked. Cannot fail.
 */
void device_group_detach_pasid(struct device_group *group,
			       struct iommufd_device *idev, ioasid_t pasid)
{
	struct pasid_attachment *attachment = xa_load(&group->pasids, pasid);
	struct iommufd_hwpt *hwpt = attachment->handle->hwpt;
	struct pasid_user *user = user_of(attachment, idev);
	bool last = list_is_singular(&attachment->users);

	lockdep_assert_held(&group->lock);

	list_del(&user->link);
	if (last) {
		detach_last(group, idev->dev, pasid, attachment);
	} else {
		WRITE_ONCE(attachment->handle->dev_id,
			   first_user(attachment)->idev->object.id);
		iommufd_fault_drop(hwpt->fault, attachment->handle, idev->dev);
	}
	iommufd_fault_disable(idev, hwpt);
	kfree(user);
}

static void disable_pasid_faults(struct pasid_attachment *attachment,
				 const struct iommufd_hwpt *hwpt,
				 const struct pasid_user *end)
{
	struct pasid_user *user;

	list_for_each_entry(user, &attachment->users, link) {
		if (user == end)
			return;
		iommufd_fault_disable(user->idev, hwpt);
	}
}

static int enable_pasid_faults(struct pasid_attachment *attachment,
			       const struct iommufd_hwpt *hwpt)
{
	struct pasid_user *user;
	int rc;

	list_for_each_entry(user, &attachment->users, link) {
		rc = iommufd_fault_enable(user->idev, hwpt);
		if (rc) {
			disable_pasid_faults(attachment, hwpt, user);
			return rc;
		}
	}
	return 0;
}

/*
 * Without the driver's help the PASID is blocked for a moment, and if the way
 * back fails, too, it stays so: DMA then faults, but to the user it is attached,
 * and another replace may put it right.
 */
static int detach_and_attach(struct device *dev, ioasid_t pasid,
			     struct pasid_attachment *attachment,
			     struct attach_handle *new)
{
	struct attach_handle *old = attachment->handle;
	struct iommu_domain *old_domain = old->hwpt->domain;
	int rc;

	if (!attachment->lost)
		iommu_detach_device_pasid(old_domain, dev, pasid);
	rc = iommu_attach_device_pasid(new->hwpt->domain, dev, pasid,
				       &new->handle);
	attachment->lost = rc && iommu_attach_device_pasid(old_domain, dev,
							   pasid, &old->handle);
	if (attachment->lost)
		dev_warn(dev, "iommufd: PASID %u could not be attached again\n",
			 pasid);
	return rc;
}

static int replace_handle(struct iommufd_device *idev, ioasid_t pasid,
			  struct pasid_attachment *attachment,
			  struct iommufd_hwpt *hwpt)
{
	struct attach_handle *new, *old = attachment->handle;
	int rc;

	new = attach_handle_alloc(idev->group, hwpt, idev->object.id);
	if (!new)
		return -ENOMEM;
	rc = detach_and_attach(idev->dev, pasid, attachment, new);
	if (!rc)
		attachment->handle = new;
	attach_handle_free(rc ? new : old);
	return rc;
}

/*
 * A driver that can replace keeps the handle that the core knows. It moves first:
 * so when the driver is done, what is still being reported goes to the new queue,
 * and what the other one has is what came from the page table before.
 */
static int keep_handle(const struct iommufd_driver_ops *ops, struct device *dev,
		       ioasid_t pasid, struct attach_handle *handle,
		       struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *old = handle->hwpt;
	int rc;

	attach_handle_move(handle, hwpt);
	rc = ops->replace_pasid(dev, pasid, hwpt->domain, old->domain);
	if (rc)
		attach_handle_move(handle, old);
	/* In a queue that both have is also what was there before a failure */
	if (!rc)
		iommufd_fault_drop(old->fault, handle, NULL);
	else if (hwpt->fault != old->fault)
		iommufd_fault_drop(hwpt->fault, handle, NULL);
	return rc;
}

/* See attach_handle_move() */
static bool can_keep_handle(const struct iommufd_driver_ops *ops,
			    const struct pasid_attachment *attachment,
			    const struct iommufd_hwpt *hwpt)
{
	return ops && ops->replace_pasid && !attachment->lost &&
	       !hwpt->fault == !attachment->handle->hwpt->fault;
}

static int replace_pasid_domain(struct iommufd_device *idev, ioasid_t pasid,
				struct pasid_attachment *attachment,
				struct iommufd_hwpt *hwpt)
{
	const struct iommufd_driver_ops *ops;
	int rc;

	ops = iommufd_driver_ops_get(idev->dev);
	if (can_keep_handle(ops, attachment, hwpt))
		rc = keep_handle(ops, idev->dev, pasid, attachment->handle,
				 hwpt);
	else
		rc = replace_handle(idev, pasid, attachment, hwpt);
	if (ops)
		iommufd_driver_ops_put(ops);
	return rc;
}

static int replace_hwpt(struct pasid_attachment *attachment, ioasid_t pasid,
			struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *old = attachment->handle->hwpt;
	int rc;

	rc = enable_pasid_faults(attachment, hwpt);
	if (rc)
		return rc;
	rc = replace_pasid_domain(first_user(attachment)->idev, pasid, attachment,
				  hwpt);
	disable_pasid_faults(attachment, rc ? hwpt : old, NULL);
	return rc;
}

/**
 * device_group_replace_pasid - move a PASID to another page table
 * @group: The group, whose lock is held
 * @pasid: The PASID, attached for some of its devices, which all move
 * @hwpt: Where to; on success the caller leaves one reference to the attachment,
 *        and takes over one reference a device to the old page table
 *
 * Return: 0; with nothing changed, as device_group_attach_pasid().
 */
int device_group_replace_pasid(struct device_group *group, ioasid_t pasid,
			       struct iommufd_hwpt *hwpt)
{
	struct pasid_attachment *attachment = xa_load(&group->pasids, pasid);
	struct iommufd_device *idev = first_user(attachment)->idev;
	unsigned int more;
	int rc;

	lockdep_assert_held(&group->lock);

	if (!(hwpt->flags & IOMMU_HWPT_ALLOC_PASID) ||
	    hwpt->domain->owner != idev->dev->iommu->iommu_dev->ops)
		return -EINVAL;
	rc = replace_hwpt(attachment, pasid, hwpt);
	if (rc)
		return rc;
	/* The caller's reference stands for one of the devices */
	for (more = device_group_pasid_users(group, pasid) - 1; more; more--)
		refcount_inc(&hwpt->object.users);
	return 0;
}
