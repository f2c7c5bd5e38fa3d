/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock IOMMU and the devices behind it.
 */
#ifndef __IOMMUFD_MOCK_IOMMU_H
#define __IOMMUFD_MOCK_IOMMU_H

#include <linux/rwsem.h>
#include <linux/types.h>

struct device;
struct platform_device;

/**
 * struct mock_device - a device behind the mock IOMMU, in a group of its own
 * @pdev: The device as the rest of the kernel sees it
 * @number: Of its name
 * @flags: MOCK_FLAGS_DEVICE_*
 * @pasid_taken: IOMMU_TEST_PASID_RESERVED is attached, see mock_domain_set_pasid()
 * @attach_lock: Shared: a page request is being reported. Exclusive: what the
 *               device is attached to changes
 */
struct mock_device {
	struct platform_device *pdev;
	int number;
	u32 flags;
	bool pasid_taken;
	struct rw_semaphore attach_lock;
};

int mock_iommu_init(void);
void mock_iommu_exit(void);

struct mock_device *mock_device_create(u32 flags);
void mock_device_destroy(struct mock_device *mock);
bool mock_device_is(const struct device *dev);

#endif
