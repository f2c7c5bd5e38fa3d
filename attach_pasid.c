// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching PASIDs of devices.
 *
 * Owns the way from the id of a page table to an attachment. A PASID never goes to
 * an IOAS: the page tables that are made for that can't be attached to a PASID.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "device.h"
#include "group.h"
#include "group_pasid.h"
#include "hw_pagetable.h"

/* With a reference, which becomes the attachment's */
static struct iommufd_hwpt *get_hwpt(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *object;

	object = iommufd_object_get(ctx, id, IOMMUFD_ANY_OBJECT);
	if (IS_ERR(object))
		return ERR_CAST(object);
	if (object->ops->type != IOMMUFD_OBJECT_HWPT_PAGING &&
	    object->ops->type != IOMMUFD_OBJECT_HWPT_NESTED) {
		iommufd_object_put(object);
		return ERR_PTR(-EINVAL);
	}
	return container_of(object, struct iommufd_hwpt, object);
}

static int attach_locked(struct iommufd_device *idev, ioasid_t pasid,
			 struct iommufd_hwpt *hwpt)
{
	if (device_group_pasid_hwpt(idev->group, idev, pasid))
		return -EBUSY;
	return device_group_attach_pasid(idev->group, idev, pasid, hwpt);
}

/**
 * iommufd_device_pasid_attach - have a device's DMA with a PASID go through a page
 *                               table
 * @idev: The device
 * @pasid: The PASID; 0 is iommufd_device_attach()
 * @pt_id: A HWPT made for PASIDs
 *
 * Sleeps. Like iommufd_device_attach() it belongs to the driver of the device.
 *
 * Return: 0; with nothing changed: -ENOENT no such id; -EINVAL not a HWPT; -EBUSY
 * attached already; -EINTR killed; as device_group_attach_pasid().
 */
int iommufd_device_pasid_attach(struct iommufd_device *idev, ioasid_t pasid,
				u32 *pt_id)
{
	struct iommufd_hwpt *hwpt;
	int rc;

	if (pasid == IOMMU_NO_PASID)
		return iommufd_device_attach(idev, pt_id);
	hwpt = get_hwpt(idev->object.ctx, *pt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = mutex_lock_killable(&idev->group->lock);
	if (!rc) {
		rc = attach_locked(idev, pasid, hwpt);
		mutex_unlock(&idev->group->lock);
	}
	if (rc)
		iommufd_object_put(&hwpt->object);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_attach, IOMMUFD);

/* Returns the number of references to give back to what was attached before */
static int replace_locked(struct iommufd_device *idev, ioasid_t pasid,
			  struct iommufd_hwpt *hwpt, struct iommufd_hwpt **old)
{
	unsigned int users = device_group_pasid_users(idev->group, pasid);
	int rc;

	*old = device_group_pasid_hwpt(idev->group, idev, pasid);
	if (!*old)
		return -EINVAL;
	/* The reference of this call */
	if (*old == hwpt)
		return 1;
	rc = device_group_replace_pasid(idev->group, pasid, hwpt);
	return rc ?: users;
}

/**
 * iommufd_device_pasid_replace - move a PASID to another page table
 * @idev: The device
 * @pasid: The PASID; 0 is iommufd_device_replace()
 * @pt_id: A HWPT made for PASIDs
 *
 * It moves for all devices of the group. DMA goes on if the driver has offered to
 * do that, see struct iommufd_driver_ops; otherwise it faults for a moment.
 *
 * Return: 0; with nothing changed: -EINVAL not attached; as
 * iommufd_device_pasid_attach().
 */
int iommufd_device_pasid_replace(struct iommufd_device *idev, ioasid_t pasid,
				 u32 *pt_id)
{
	struct iommufd_hwpt *hwpt, *old = NULL;
	int rc;

	if (pasid == IOMMU_NO_PASID)
		return iommufd_device_replace(idev, pt_id);
	hwpt = get_hwpt(idev->object.ctx, *pt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = mutex_lock_killable(&idev->group->lock);
	if (!rc) {
		rc = replace_locked(idev, pasid, hwpt, &old);
		mutex_unlock(&idev->group->lock);
	}
	if (rc < 0) {
		iommufd_object_put(&hwpt->object);
		return rc;
	}
	while (rc--)
		iommufd_object_put(&old->object);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_replace, IOMMUFD);

/**
 * iommufd_device_pasid_detach - block a device's DMA with a PASID
 * @idev: The device
 * @pasid: The PASID, attached or not; 0 is iommufd_device_detach()
 *
 * Cannot fail.
 */
void iommufd_device_pasid_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	struct iommufd_hwpt *hwpt;

	if (pasid == IOMMU_NO_PASID) {
		iommufd_device_detach(idev);
		return;
	}
	mutex_lock(&idev->group->lock);
	hwpt = device_group_pasid_hwpt(idev->group, idev, pasid);
	if (hwpt)
		device_group_detach_pasid(idev->group, idev, pasid);
	mutex_unlock(&idev->group->lock);
	if (hwpt)
		iommufd_object_put(&hwpt->object);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach, IOMMUFD);

/**
 * iommufd_device_pasid_detach_all - block a device's DMA with any PASID
 * @idev: The device
 *
 * DMA without a PASID goes on. Cannot fail.
 */
void iommufd_device_pasid_detach_all(struct iommufd_device *idev)
{
	unsigned long pasid;
	void *entry;

	/* Others attach and detach PASIDs of their own devices meanwhile */
	xa_for_each(&idev->group->pasids, pasid, entry)
		iommufd_device_pasid_detach(idev, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach_all, IOMMUFD);
