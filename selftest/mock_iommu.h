/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock IOMMU and the devices behind it.
 */
#ifndef __IOMMUFD_MOCK_IOMMU_H
#define __IOMMUFD_MOCK_IOMMU_H

#include <linux/iommu.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct device;
struct platform_device;

/**
 * struct mock_plan - what a device is going to do
 * @when: MOCK_ASK_WHEN_*, or 0: nothing
 * @fails: What is going on then fails
 * @request: What the device asks for
 */
struct mock_plan {
	u32 when;
	bool fails;
	struct iommu_fault_page_request request;
};

/**
 * struct mock_device - a device behind the mock IOMMU
 * @pdev: The device as the rest of the kernel sees it
 * @sibling: When it is made: in whose group it is going to be, or NULL: in one of
 *           its own
 * @number: Of its name
 * @flags: MOCK_FLAGS_DEVICE_*
 * @pasid_taken: IOMMU_TEST_PASID_RESERVED is attached, see mock_domain_set_pasid()
 * @attach_lock: Shared: a page request is being reported. Exclusive: what the
 *               device is attached to changes
 * @plan: Under @attach_lock, exclusive
 */
struct mock_device {
	struct platform_device *pdev;
	const struct mock_device *sibling;
	int number;
	u32 flags;
	bool pasid_taken;
	struct rw_semaphore attach_lock;
	struct mock_plan plan;
};

extern struct iommu_device mock_iommu;

int mock_iommu_init(void);
void mock_iommu_exit(void);

struct mock_device *mock_device_create(u32 flags,
				       const struct mock_device *sibling);
void mock_device_destroy(struct mock_device *mock);

#endif
