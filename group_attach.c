// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching the devices of a group.
 *
 * The devices of a group share its attachments: one without a PASID and one for each
 * PASID. The first device that is attached makes the attachment, the last one ends it,
 * and a replace moves all of them. A VFIO container attaches the group as a whole,
 * before any device is bound: it is a user of the attachment as a device is, one
 * without a struct iommufd_device.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "attachment.h"
#include "device.h"
#include "fault.h"
#include "group.h"
#include "group_attach.h"
#include "hwpt_paging.h"

/**
 * struct attachment_user - a device that an attachment was made for
 * @link: In attachment.users
 * @idev: The device, or NULL: the container
 */
struct attachment_user {
	struct list_head link;
	struct iommufd_device *idev;
};

static struct attachment *find_attachment(struct device_group *group,
					  ioasid_t pasid)
{
	lockdep_assert_held(&group->lock);

	return xa_load(&group->attachments, pasid);
}

static struct attachment_user *
user_of(const struct attachment *attachment, const struct iommufd_device *idev)
{
	struct attachment_user *user;

	list_for_each_entry(user, &attachment->users, link)
		if (user->idev == idev)
			return user;
	return NULL;
}

static struct iommufd_device *first_device(const struct attachment *attachment)
{
	return list_first_entry(&attachment->users, struct attachment_user,
				link)->idev;
}

/**
 * device_group_hwpt - the page table that a group is attached to
 * @group: Its lock is held
 * @pasid: The PASID, or IOMMU_NO_PASID
 *
 * Return: the page table, or NULL if no device of the group is attached.
 */
struct iommufd_hwpt *device_group_hwpt(struct device_group *group,
				       ioasid_t pasid)
{
	const struct attachment *attachment = find_attachment(group, pasid);

	return attachment ? attachment->handle->hwpt : NULL;
}

/**
 * device_group_is_attached - is a device of a group attached?
 * @group: Its lock is held
 * @idev: The device, or NULL for the group as a whole
 * @pasid: The PASID, or IOMMU_NO_PASID
 *
 * Return: yes, to device_group_hwpt(), or no.
 */
bool device_group_is_attached(struct device_group *group,
			      const struct iommufd_device *idev,
			      ioasid_t pasid)
{
	const struct attachment *attachment = find_attachment(group, pasid);

	return attachment && user_of(attachment, idev);
}

/**
 * device_group_users - how many references an attachment has to its page table
 * @group: The group, whose lock is held
 * @pasid: The PASID, or IOMMU_NO_PASID
 *
 * Return: one for each device that is attached, and one for the container.
 */
unsigned int device_group_users(struct device_group *group, ioasid_t pasid)
{
	struct attachment *attachment = find_attachment(group, pasid);

	return attachment ? list_count_nodes(&attachment->users) : 0;
}

/* Where PASIDs are used, every page table must be of the kind that can be. */
static bool fits_others(struct device_group *group, ioasid_t pasid,
			const struct iommufd_hwpt *hwpt)
{
	const struct iommufd_hwpt *own = device_group_hwpt(group, IOMMU_NO_PASID);
	bool for_pasids = hwpt->flags & IOMMU_HWPT_ALLOC_PASID;
	unsigned long first = IOMMU_NO_PASID + 1;

	if (pasid == IOMMU_NO_PASID)
		return for_pasids || !xa_find(&group->attachments, &first,
					      ULONG_MAX, XA_PRESENT);
	return for_pasids && (!own || own->flags & IOMMU_HWPT_ALLOC_PASID);
}

static int check_attach(struct device_group *group,
			const struct iommufd_device *idev, ioasid_t pasid,
			const struct iommufd_hwpt *hwpt)
{
	const struct iommufd_hwpt *attached = device_group_hwpt(group, pasid);

	if (attached && attached != hwpt)
		return -EINVAL;
	if (!fits_others(group, pasid, hwpt))
		return -EINVAL;
	/* The core asks only devices that have PASIDs at all */
	if (pasid != IOMMU_NO_PASID && pasid >= idev->dev->iommu->max_pasids)
		return -EINVAL;
	return 0;
}

/* Only DMA without a PASID needs ranges, and it goes to an IOVA space or below one. */
static struct io_pagetable *reserving_iopt(ioasid_t pasid,
					   struct iommufd_hwpt *hwpt)
{
	if (pasid != IOMMU_NO_PASID)
		return NULL;
	return &iommufd_hwpt_to_paging(hwpt)->ioas->iopt;
}

static int map_msi(const struct device_group *group, ioasid_t pasid,
		   struct iommufd_hwpt *hwpt)
{
	if (pasid != IOMMU_NO_PASID || group->msi_window == PHYS_ADDR_MAX)
		return 0;
	/* GCOVR_EXCL_START: QEMU tells every IOMMU of x86 where interrupts go */
	return iommufd_hwpt_paging_map_msi(iommufd_hwpt_to_paging(hwpt),
					   group->msi_window);
	/* GCOVR_EXCL_STOP */
}

static struct attachment *attach_first(struct device_group *group,
				       struct iommufd_device *idev,
				       ioasid_t pasid, struct iommufd_hwpt *hwpt)
{
	int rc = map_msi(group, pasid, hwpt);

	if (rc)
		return ERR_PTR(rc);
	return attachment_create(group, idev ? idev->dev : NULL, pasid, hwpt,
				 idev ? idev->object.id : 0);
}

/* What a device needs before it is attached to a page table */
static int enable_device(struct device_group *group, struct iommufd_device *idev,
			 const struct iommufd_hwpt *hwpt,
			 struct io_pagetable *iopt)
{
	int rc = 0;

	if (iopt)
		rc = device_group_reserve(group, idev, iopt);
	if (rc)
		return rc;
	if (idev)
		rc = iommufd_fault_enable(idev, hwpt);
	if (rc && iopt)
		device_group_unreserve(group, idev, iopt);
	return rc;
}

static void disable_device(struct device_group *group,
			   struct iommufd_device *idev,
			   const struct iommufd_hwpt *hwpt,
			   struct io_pagetable *iopt)
{
	if (idev)
		iommufd_fault_disable(idev, hwpt);
	if (iopt)
		device_group_unreserve(group, idev, iopt);
}

/**
 * device_group_attach - attach one device, and with the first one the group
 * @group: Its lock is held
 * @idev: One of its devices, attached to nothing with this PASID; or NULL: the
 *        container attaches the group as a whole, without a PASID
 * @pasid: The PASID, or IOMMU_NO_PASID
 * @hwpt: Where to; without a PASID the caller holds attach_lock of its IOAS. On success
 *        the caller leaves one reference to the attachment
 *
 * Sleeps.
 *
 * Return: 0; with nothing changed: -EINVAL the group has the PASID attached to another
 * page table, or this one does not fit the device, or one of them is not for PASIDs
 * where PASIDs are used, or the device has no such PASID; -EADDRINUSE the device needs
 * ranges that are mapped or promised to be mappable; -ENOMEM; as
 * iommufd_fault_enable(); an error of the driver.
 */
int device_group_attach(struct device_group *group, struct iommufd_device *idev,
			ioasid_t pasid, struct iommufd_hwpt *hwpt)
{
	struct attachment *attachment;
	struct attachment_user *user;
	int rc;

	rc = check_attach(group, idev, pasid, hwpt);
	if (rc)
		return rc;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return -ENOMEM;
	rc = enable_device(group, idev, hwpt, reserving_iopt(pasid, hwpt));
	if (rc)
		goto out_user;
	attachment = find_attachment(group, pasid);
	if (!attachment)
		attachment = attach_first(group, idev, pasid, hwpt);
	if (IS_ERR(attachment)) {
		rc = PTR_ERR(attachment);
		goto out_disable;
	}
	user->idev = idev;
	list_add_tail(&user->link, &attachment->users);
	if (idev)
		idev->attachments++;
	return 0;

out_disable:
	disable_device(group, idev, hwpt, reserving_iopt(pasid, hwpt));
out_user:
	kfree(user);
	return rc;
}

/* The group stays attached: page requests come from the others from now on */
static void leave_others(struct attachment *attachment,
			 const struct iommufd_device *idev)
{
	const struct iommufd_device *first = first_device(attachment);
	struct attach_handle *handle = attachment->handle;

	WRITE_ONCE(handle->dev_id, first ? first->object.id : 0);
	if (idev)
		iommufd_fault_drop(handle->hwpt->fault, handle, idev->dev);
}

/**
 * device_group_detach - detach one device, and with the last one the group
 * @group: Its lock is held
 * @idev: Attached; the caller takes over the reference of the attachment. Or
 *        NULL, for the attachment of the group as a whole
 * @pasid: The PASID, or IOMMU_NO_PASID
 *
 * With the last of them DMA of the group, with this PASID, is blocked. Cannot fail.
 */
void device_group_detach(struct device_group *group,
			 struct iommufd_device *idev, ioasid_t pasid)
{
	struct attachment *attachment = find_attachment(group, pasid);
	struct attachment_user *user = user_of(attachment, idev);
	struct iommufd_hwpt *hwpt = attachment->handle->hwpt;

	list_del(&user->link);
	kfree(user);
	if (list_empty(&attachment->users))
		attachment_destroy(attachment, idev ? idev->dev : NULL);
	else
		leave_others(attachment, idev);
	disable_device(group, idev, hwpt, reserving_iopt(pasid, hwpt));
	if (idev)
		idev->attachments--;
}

static void disable_users(const struct attachment *attachment,
			  const struct iommufd_hwpt *hwpt,
			  struct io_pagetable *iopt,
			  const struct attachment_user *end)
{
	struct attachment_user *user;

	list_for_each_entry(user, &attachment->users, link) {
		if (user == end)
			return;
		disable_device(attachment->group, user->idev, hwpt, iopt);
	}
}

static int enable_users(const struct attachment *attachment,
			const struct iommufd_hwpt *hwpt,
			struct io_pagetable *iopt)
{
	struct attachment_user *user;
	int rc;

	list_for_each_entry(user, &attachment->users, link) {
		rc = enable_device(attachment->group, user->idev, hwpt, iopt);
		if (rc) {
			disable_users(attachment, hwpt, iopt, user);
			return rc;
		}
	}
	return 0;
}

/* Also what the core checks when a group is attached, but not here: the driver */
static int check_replace(const struct attachment *attachment,
			 const struct iommufd_hwpt *hwpt)
{
	const struct iommufd_device *idev = first_device(attachment);

	if (user_of(attachment, NULL))
		return -EBUSY;
	if (!fits_others(attachment->group, attachment->pasid, hwpt))
		return -EINVAL;
	if (hwpt->domain->owner != idev->dev->iommu->iommu_dev->ops)
		return -EINVAL;
	return 0;
}

static int replace_hardware(struct attachment *attachment,
			    struct iommufd_hwpt *hwpt)
{
	int rc;

	rc = map_msi(attachment->group, attachment->pasid, hwpt);
	if (rc)
		return rc;
	return attachment_replace(attachment, first_device(attachment)->dev,
				  hwpt);
}

/**
 * device_group_replace - move all attached devices to another page table
 * @group: Its lock is held
 * @pasid: The PASID, or IOMMU_NO_PASID; attached for some of its devices, which move
 * @hwpt: Where to; without a PASID the caller holds attach_lock of its IOAS. On success
 *        the caller leaves one reference to the attachment, and takes over one
 *        reference a device to the old page table
 *
 * Sleeps.
 *
 * Return: 0; with nothing changed, as device_group_attach(), and -EBUSY: the
 * container has attached the group.
 */
int device_group_replace(struct device_group *group, ioasid_t pasid,
			 struct iommufd_hwpt *hwpt)
{
	struct attachment *attachment = find_attachment(group, pasid);
	struct iommufd_hwpt *old = attachment->handle->hwpt;
	struct io_pagetable *old_iopt = reserving_iopt(pasid, old);
	struct io_pagetable *iopt = reserving_iopt(pasid, hwpt);
	int rc;

	/* In the same space their ranges stay reserved */
	if (iopt == old_iopt) {
		iopt = NULL;
		old_iopt = NULL;
	}
	rc = check_replace(attachment, hwpt);
	if (rc)
		return rc;
	rc = enable_users(attachment, hwpt, iopt);
	if (rc)
		return rc;
	rc = replace_hardware(attachment, hwpt);
	if (rc) {
		disable_users(attachment, hwpt, iopt, NULL);
		return rc;
	}
	disable_users(attachment, old, old_iopt, NULL);
	/* The caller's reference stands for one of the devices */
	refcount_add(device_group_users(group, pasid) - 1, &hwpt->object.users);
	return 0;
}
