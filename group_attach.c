// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attachment of a device group.
 *
 * Owns the page table that a group's DMA without a PASID goes through, which its
 * devices share, and the reserved ranges that come and go with each of them. A VFIO
 * container attaches the group as a whole, before any device is bound. It must
 * never know how a page table was chosen.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "device.h"
#include "fault.h"
#include "group.h"
#include "group_pasid.h"
#include "hwpt_paging.h"
#include "iommu_internal.h"
#include "selftest/hooks.h"

/* Where the doorbells of interrupts go, unless the IOMMU lets them pass */
static void find_msi_window(struct device_group *group,
			    struct list_head *regions)
{
	phys_addr_t window = PHYS_ADDR_MAX;
	struct iommu_resv_region *region;

	list_for_each_entry(region, regions, list) {
		if (region->type == IOMMU_RESV_MSI)
			return;
		if (region->type == IOMMU_RESV_SW_MSI)
			window = region->start;
	}
	if (window != PHYS_ADDR_MAX)
		group->msi_window = window;
}

static int reserve_regions(struct io_pagetable *iopt,
			   struct list_head *regions, const void *owner)
{
	struct iommu_resv_region *region;
	int rc;

	list_for_each_entry(region, regions, list) {
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		rc = iopt_reserve(iopt, region->start,
				  region->start + region->length - 1, owner);
		if (rc) {
			iopt_unreserve(iopt, owner);
			return rc;
		}
	}
	return 0;
}

/* What the device can't reach as DMA, or needs for other things */
static int reserve_for(struct io_pagetable *iopt, struct iommufd_device *idev)
{
	LIST_HEAD(regions);
	int rc;

	if (selftest_should_fail())
		return -EINVAL;
	iommu_get_resv_regions(idev->dev, &regions);
	rc = reserve_regions(iopt, &regions, idev);
	if (!rc)
		find_msi_window(idev->group, &regions);
	iommu_put_resv_regions(idev->dev, &regions);
	return rc;
}

/* The same for all devices of the group, bound or not */
static int reserve_for_group(struct io_pagetable *iopt,
			     struct device_group *group)
{
	struct iommu_resv_region *region, *next;
	LIST_HEAD(regions);
	int rc;

	rc = iommu_get_group_resv_regions(group->group, &regions);
	if (!rc)
		rc = reserve_regions(iopt, &regions, group);
	if (!rc)
		find_msi_window(group, &regions);
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return rc;
}

/* Whose the ranges are that an attachment has reserved */
static const void *reserved_owner(struct device_group *group,
				  struct iommufd_device *idev)
{
	return idev ?: (void *)group;
}

/* The IOVA space in which devices attached to a page table need their ranges */
static struct io_pagetable *hwpt_iopt(struct iommufd_hwpt *hwpt)
{
	return &iommufd_hwpt_to_paging(hwpt)->ioas->iopt;
}

static int map_msi(struct device_group *group, struct iommufd_hwpt *hwpt)
{
	if (group->msi_window == PHYS_ADDR_MAX)
		return 0;
	return iommufd_hwpt_paging_map_msi(iommufd_hwpt_to_paging(hwpt),
					   group->msi_window);
}

static int attach_hardware(struct device_group *group,
			   const struct iommufd_device *idev,
			   struct iommufd_hwpt *hwpt)
{
	struct attach_handle *handle;
	int rc;

	handle = attach_handle_alloc(group, hwpt, idev ? idev->object.id : 0);
	if (!handle)
		return -ENOMEM;
	rc = map_msi(group, hwpt);
	if (!rc)
		rc = iommu_attach_group_handle(hwpt->domain, group->group,
					       &handle->handle);
	if (rc)
		attach_handle_free(handle);
	else
		group->handle = handle;
	return rc;
}

static void detach_hardware(struct device_group *group)
{
	iommu_detach_group_handle(group->hwpt->domain, group->group);
	attach_handle_free(group->handle);
	group->handle = NULL;
	group->hwpt = NULL;
}

/**
 * device_group_attach - attach one device, and with the first one the group
 * @group: Its lock is held
 * @idev: One of its devices, attached to nothing; or NULL: the container attaches
 *        the group as a whole
 * @hwpt: Where to; the caller holds attach_lock of its IOAS and on success leaves
 *        one reference to the attachment
 *
 * Return: 0; with nothing changed: -EINVAL the group is attached to another page
 * table, or this one does not fit the device; -EADDRINUSE the device needs
 * ranges that are mapped or promised to be mappable; an error of the driver.
 */
int device_group_attach(struct device_group *group,
			struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = hwpt_iopt(hwpt);
	int rc;

	lockdep_assert_held(&group->lock);

	if (group->hwpt && group->hwpt != hwpt)
		return -EINVAL;
	if (!device_group_fits_pasids(group, hwpt))
		return -EINVAL;
	rc = idev ? reserve_for(iopt, idev) : reserve_for_group(iopt, group);
	if (rc)
		return rc;
	if (idev)
		rc = iommufd_fault_enable(idev, hwpt);
	if (rc)
		goto out_unreserve;
	if (!group->hwpt)
		rc = attach_hardware(group, idev, hwpt);
	if (rc)
		goto out_disable;
	group->hwpt = hwpt;
	if (idev)
		list_add_tail(&idev->link, &group->attached);
	else
		group->whole = true;
	return 0;

out_disable:
	if (idev)
		iommufd_fault_disable(idev, hwpt);
out_unreserve:
	iopt_unreserve(iopt, reserved_owner(group, idev));
	return rc;
}

/* The group stays attached: page requests come from the others from now on */
static void leave_others(struct device_group *group,
			 struct iommufd_device *idev)
{
	struct iommufd_device *first;

	first = list_first_entry_or_null(&group->attached,
					 struct iommufd_device, link);
	WRITE_ONCE(group->handle->dev_id, first ? first->object.id : 0);
	iommufd_fault_drop(group->hwpt->fault, group->handle, idev->dev);
}

/**
 * device_group_detach - detach one device, and with the last one the group
 * @group: Its lock is held
 * @idev: Attached; the caller takes over the reference of the attachment. Or
 *        NULL, for the attachment of the group as a whole
 *
 * With the last of them DMA of the group is blocked. Cannot fail.
 */
void device_group_detach(struct device_group *group,
			 struct iommufd_device *idev)
{
	struct iommufd_hwpt *hwpt = group->hwpt;

	lockdep_assert_held(&group->lock);

	if (idev)
		list_del_init(&idev->link);
	else
		group->whole = false;
	if (list_empty(&group->attached) && !group->whole)
		detach_hardware(group);
	else if (idev)
		leave_others(group, idev);
	if (idev)
		iommufd_fault_disable(idev, hwpt);
	iopt_unreserve(hwpt_iopt(hwpt), reserved_owner(group, idev));
}

static void unreserve_all(struct device_group *group, struct io_pagetable *iopt)
{
	struct iommufd_device *idev;

	list_for_each_entry(idev, &group->attached, link)
		iopt_unreserve(iopt, idev);
}

static int reserve_all(struct device_group *group, struct io_pagetable *iopt)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &group->attached, link) {
		rc = reserve_for(iopt, idev);
		if (rc) {
			unreserve_all(group, iopt);
			return rc;
		}
	}
	return 0;
}

/* The core checks this when a group is attached, but not here */
static bool same_driver(struct device_group *group, struct iommu_domain *domain)
{
	struct iommufd_device *idev = list_first_entry(&group->attached,
						       struct iommufd_device,
						       link);

	return domain->owner == idev->dev->iommu->iommu_dev->ops;
}

static void disable_group_faults(struct device_group *group,
				 const struct iommufd_hwpt *hwpt,
				 const struct iommufd_device *end)
{
	struct iommufd_device *idev;

	list_for_each_entry(idev, &group->attached, link) {
		if (idev == end)
			return;
		iommufd_fault_disable(idev, hwpt);
	}
}

static int enable_group_faults(struct device_group *group,
			       const struct iommufd_hwpt *hwpt)
{
	struct iommufd_device *idev;
	int rc;

	list_for_each_entry(idev, &group->attached, link) {
		rc = iommufd_fault_enable(idev, hwpt);
		if (rc) {
			disable_group_faults(group, hwpt, idev);
			return rc;
		}
	}
	return 0;
}

static int replace_group_domain(struct device_group *group,
				struct iommufd_hwpt *hwpt)
{
	struct attach_handle *handle, *old = group->handle;
	int rc;

	handle = attach_handle_alloc(group, hwpt, old->dev_id);
	if (!handle)
		return -ENOMEM;
	rc = iommu_replace_group_handle(group->group, hwpt->domain,
					&handle->handle);
	if (rc) {
		attach_handle_free(handle);
		return rc;
	}
	group->handle = handle;
	attach_handle_free(old);
	return 0;
}

static int replace_hardware(struct device_group *group,
			    struct iommufd_hwpt *hwpt)
{
	int rc;

	if (!same_driver(group, hwpt->domain))
		return -EINVAL;
	rc = map_msi(group, hwpt);
	if (rc)
		return rc;
	rc = enable_group_faults(group, hwpt);
	if (rc)
		return rc;
	rc = replace_group_domain(group, hwpt);
	disable_group_faults(group, rc ? hwpt : group->hwpt, NULL);
	return rc;
}

static void swap_references(struct device_group *group,
			    struct iommufd_hwpt *hwpt)
{
	struct iommufd_device *idev;

	/* The caller's reference stands for one of the devices */
	list_for_each_entry(idev, &group->attached, link)
		if (!list_is_first(&idev->link, &group->attached))
			refcount_inc(&hwpt->object.users);
}

/**
 * device_group_replace - move all attached devices to another page table
 * @group: Attached; its lock is held
 * @hwpt: Where to; the caller holds attach_lock of its IOAS and on success leaves
 *        one reference to the attachment, and takes over one reference a device
 *        to the old page table
 *
 * Return: 0; with nothing changed, as device_group_attach(), and -EBUSY: the
 * container has attached the group.
 */
int device_group_replace(struct device_group *group, struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *old_iopt = hwpt_iopt(group->hwpt);
	struct io_pagetable *iopt = hwpt_iopt(hwpt);
	int rc = 0;

	lockdep_assert_held(&group->lock);

	if (group->whole)
		return -EBUSY;
	if (!device_group_fits_pasids(group, hwpt))
		return -EINVAL;
	if (iopt != old_iopt)
		rc = reserve_all(group, iopt);
	if (rc)
		return rc;
	rc = replace_hardware(group, hwpt);
	if (!rc) {
		group->hwpt = hwpt;
		swap_references(group, hwpt);
		iopt = old_iopt;
	}
	/* Of the page table that is not used */
	if (hwpt_iopt(hwpt) != old_iopt)
		unreserve_all(group, iopt);
	return rc;
}
