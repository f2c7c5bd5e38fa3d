/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mock devices as objects of user space.
 */
#ifndef __IOMMUFD_SELFTEST_DEVICE_H
#define __IOMMUFD_SELFTEST_DEVICE_H

#include "iommufd_private.h"

struct iommufd_device;
struct mock_device;

/**
 * struct test_device - a mock device and its bond to the context
 * @object: Destroyed by user space, or with the context
 * @mock: The device
 * @idev: What iommufd calls it; refers to nothing of the context, which would
 *        otherwise refer to itself
 */
struct test_device {
	struct iommufd_object object;
	struct mock_device *mock;
	struct iommufd_device *idev;
};

struct test_device *test_device_get(struct iommufd_ctx *ctx, u32 id);

#endif
