// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOVA ranges that the devices of a group need for themselves.
 *
 * While a device is attached, reserves in the IOVA space what the device cannot reach by
 * DMA or uses for something else, and finds where interrupt doorbells have to appear. DMA
 * with a PASID needs no such ranges: interrupts are sent without one.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "device.h"
#include "group.h"
#include "group_attach.h"
#include "io_pagetable.h"
#include "selftest/hooks.h"

/* GCOVR_EXCL_START: QEMU tells every IOMMU of x86 where interrupts go */
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

/* GCOVR_EXCL_STOP */

static int reserve_regions(struct io_pagetable *iopt,
			   struct list_head *regions, const void *owner)
{
	struct iommu_resv_region *region;
	int rc;

	list_for_each_entry(region, regions, list) {
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
			continue; /* GCOVR_EXCL_LINE: no firmware memory in QEMU */
		rc = iopt_reserve(iopt, region->start,
				  region->start + region->length - 1, owner);
		if (rc) {
			iopt_unreserve(iopt, owner);
			return rc;
		}
	}
	return 0;
}

static int reserve_for_device(struct io_pagetable *iopt,
			      struct iommufd_device *idev)
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

/**
 * device_group_reserve - reserve the ranges of a device, or of a whole group
 * @group: Its lock is held
 * @idev: The device, or NULL: all devices of the group, bound or not
 * @iopt: The IOVA space
 *
 * Sleeps.
 *
 * Return: 0; with nothing changed: -EADDRINUSE one of the ranges is mapped or promised
 * to be mappable; -ENOMEM.
 */
int device_group_reserve(struct device_group *group, struct iommufd_device *idev,
			 struct io_pagetable *iopt)
{
	return idev ? reserve_for_device(iopt, idev) :
		      reserve_for_group(iopt, group);
}

/**
 * device_group_unreserve - the opposite of device_group_reserve()
 * @group: As there
 * @idev: As there
 * @iopt: As there
 *
 * Cannot fail.
 */
void device_group_unreserve(struct device_group *group,
			    struct iommufd_device *idev,
			    struct io_pagetable *iopt)
{
	iopt_unreserve(iopt, idev ?: (void *)group);
}
