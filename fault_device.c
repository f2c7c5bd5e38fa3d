// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that can ask for pages.
 *
 * Owns when a device's page requests are turned on: while it is attached, by
 * itself or by a PASID, to a page table that has a fault queue. IOMMU drivers
 * refuse to turn them on twice, so it is counted.
 *
 * A device that nobody attaches any more may be removed. What it has asked for
 * until its page requests were off is answered then, whatever handle of its group
 * it came by: the devices of a group share them, those that others have attached,
 * too.
 */
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>

#include "attach_handle.h"
#include "device.h"
#include "fault.h"
#include "group.h"
#include "hw_pagetable.h"

/*
 * The virtual functions of a device share its page request interface: turning it
 * off for one would take it away from all.
 */
static bool shares_requests(struct device *dev)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return false;
	pdev = to_pci_dev(dev);
	return pdev->is_virtfn && pci_pri_supported(pdev);
}

/**
 * iommufd_fault_enable - a device is going to be attached to a page table
 * @idev: The device; the lock of its group is held
 * @hwpt: The page table, with a fault queue or without
 *
 * Return: 0, -EINVAL it is a virtual function with page requests, -ENODEV it can't
 * ask for pages, or another error of the driver.
 */
int iommufd_fault_enable(struct iommufd_device *idev,
			 const struct iommufd_hwpt *hwpt)
{
	int rc = 0;

	lockdep_assert_held(&idev->group->lock);

	if (!hwpt->fault)
		return 0;
	if (shares_requests(idev->dev))
		return -EINVAL;
	if (!idev->fault_users)
		rc = iommu_dev_enable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
	if (!rc)
		idev->fault_users++;
	return rc;
}

static void drop_all(const struct iommufd_device *idev)
{
	struct attach_handle *handle;

	list_for_each_entry(handle, &idev->group->handles, link)
		iommufd_fault_drop(handle->hwpt->fault, handle, idev->dev);
}

/**
 * iommufd_fault_disable - a device is no longer attached to a page table
 * @idev: The device; the lock of its group is held
 * @hwpt: The page table, for which iommufd_fault_enable() was called
 *
 * When it is attached to none that has a fault queue, nothing that it has asked
 * for is left without an answer, and the driver reports nothing more of it. Cannot
 * fail. Sleeps.
 */
void iommufd_fault_disable(struct iommufd_device *idev,
			   const struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&idev->group->lock);

	if (!hwpt->fault || --idev->fault_users)
		return;
	iommu_dev_disable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
	drop_all(idev);
}
