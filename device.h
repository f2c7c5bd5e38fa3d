/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: a physical device whose DMA user space directs.
 */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include "iommufd_private.h"

struct device;
struct device_group;
struct iommu_group;

/**
 * struct iommufd_device - a device bound to a context
 * @object: Lives until its driver unbinds it
 * @dev: The device
 * @group: Its group, with a reference
 * @attachments: How many it is a user of; under the lock of @group
 * @fault_users: Attachments with a fault queue; under the lock of @group
 */
struct iommufd_device {
	struct iommufd_object object;
	struct device *dev;
	struct device_group *group;
	unsigned int attachments;
	unsigned int fault_users;
};

struct iommufd_device *iommufd_device_get(struct iommufd_ctx *ctx, u32 id);
bool iommufd_interrupts_are_safe(struct iommu_group *iommu_group);

#endif
