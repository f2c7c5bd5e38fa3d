// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of mock devices.
 *
 * The queue that tells the IOMMU core which mock devices may request pages, and the function
 * that makes them do so.
 */
#include <linux/iommu.h>
#include <linux/platform_device.h>

#include "iommufd_test.h"
#include "selftest/mock_fault.h"
#include "selftest/mock_iommu.h"

static struct iopf_queue *queue;

/**
 * mock_fault_init - make the queue
 *
 * Return: 0 or -ENOMEM.
 */
int mock_fault_init(void)
{
	queue = iopf_queue_alloc("mock-iopfq");
	return queue ? 0 : -ENOMEM;
}

/* GCOVR_EXCL_START: the debug kernel has it built in */
/**
 * mock_fault_exit - the opposite
 */
void mock_fault_exit(void)
{
	iopf_queue_free(queue);
}

/* GCOVR_EXCL_STOP */

/**
 * mock_fault_enable - iommu_ops.dev_enable_feat()
 * @dev: A mock device
 * @feature: What to enable
 *
 * Return: 0, -ENODEV not page requests, -EBUSY, -ENOMEM.
 */
int mock_fault_enable(struct device *dev, enum iommu_dev_features feature)
{
	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	return iopf_queue_add_device(queue, dev);
}

/**
 * mock_fault_disable - iommu_ops.dev_disable_feat()
 * @dev: A mock device
 * @feature: What to disable
 *
 * Return: 0 or -ENODEV.
 */
int mock_fault_disable(struct device *dev, enum iommu_dev_features feature)
{
	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	mock_fault_occasion(dev, MOCK_ASK_WHEN_DISABLED);
	iopf_queue_remove_device(queue, dev);
	return 0;
}

/**
 * mock_fault_respond - iommu_ops.page_response()
 * @dev: A mock device, which does not wait for it
 * @fault: What it asked for
 * @response: The answer
 */
void mock_fault_respond(struct device *dev, struct iopf_fault *fault,
			struct iommu_page_response *response)
{
}

static void report(struct device *dev,
		   const struct iommu_fault_page_request *request)
{
	struct iopf_fault fault = {
		.fault = {
			.type = IOMMU_FAULT_PAGE_REQ,
			.prm = *request,
		},
	};

	iommu_report_device_fault(dev, &fault);
}

/**
 * mock_fault_occasion - have a device do what it is planned to
 * @dev: A mock device, whose attach_lock the beginner of this holds
 * @when: What is going on: MOCK_ASK_WHEN_*
 *
 * The request is reported as if it had come just before the driver is done.
 *
 * Return: 0, or -ENOMEM it is planned to fail.
 */
int mock_fault_occasion(struct device *dev, u32 when)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	if (mock->plan.when != when)
		return 0;
	mock->plan.when = 0;
	report(dev, &mock->plan.request);
	return mock->plan.fails ? -ENOMEM : 0;
}

/**
 * mock_fault_report - have a device ask for a page
 * @dev: A mock device
 * @request: What it asks for
 *
 * Attaching and detaching wait meanwhile, as they do for the interrupt of a real
 * IOMMU.
 */
void mock_fault_report(struct device *dev,
		       const struct iommu_fault_page_request *request)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	down_read(&mock->attach_lock);
	report(dev, request);
	up_read(&mock->attach_lock);
}
