// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs of mock devices: what VFIO does with those of real devices, and a look at what they
 * are attached to.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/platform_device.h>

#include "hw_pagetable.h"
#include "iommu_internal.h"
#include "selftest/mock_iommu.h"
#include "selftest/selftest_device.h"
#include "selftest/selftest_ops.h"

static void pasid_detach(struct test_device *test, u32 pasid)
{
	down_write(&test->mock->attach_lock);
	iommufd_device_pasid_detach(test->idev, pasid);
	up_write(&test->mock->attach_lock);
}

static int pasid_attach(struct iommufd_command *command, struct test_device *test)
{
	struct iommu_test_cmd *args = command->args;
	int rc;

	down_write(&test->mock->attach_lock);
	rc = iommufd_device_pasid_attach(test->idev, args->pasid_attach.pasid,
					 &args->pasid_attach.pt_id);
	up_write(&test->mock->attach_lock);
	if (rc)
		return rc;
	rc = iommufd_respond(command);
	if (rc)
		pasid_detach(test, args->pasid_attach.pasid);
	return rc;
}

static int pasid_replace(struct iommufd_command *command, struct test_device *test)
{
	struct iommu_test_cmd *args = command->args;
	int rc;

	down_write(&test->mock->attach_lock);
	rc = iommufd_device_pasid_replace(test->idev,
					  args->pasid_replace.pasid,
					  &args->pasid_replace.pt_id);
	up_write(&test->mock->attach_lock);
	return rc ?: iommufd_respond(command);
}

static int detach_one(struct iommufd_command *command, struct test_device *test)
{
	struct iommu_test_cmd *args = command->args;

	pasid_detach(test, args->pasid_detach.pasid);
	return 0;
}

static int check_pasid_domain(struct iommufd_ctx *ctx, u32 hwpt_id,
			      const struct iommu_domain *domain)
{
	struct iommufd_object *object;
	int rc = -EINVAL;

	object = iommufd_object_get(ctx, hwpt_id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(object))
		return PTR_ERR(object);
	if (object->ops->type == IOMMUFD_OBJECT_HWPT_PAGING ||
	    object->ops->type == IOMMUFD_OBJECT_HWPT_NESTED)
		rc = container_of(object, struct iommufd_hwpt,
				  object)->domain == domain ? 0 : -EINVAL;
	iommufd_object_put(object);
	return rc;
}

static int check_hwpt(struct iommufd_command *command, struct test_device *test)
{
	struct iommu_test_cmd *args = command->args;
	struct iommu_attach_handle *handle;
	int rc;

	down_read(&test->mock->attach_lock);
	handle = iommu_attach_handle_get(test->mock->pdev->dev.iommu_group,
					 args->pasid_check.pasid, 0);
	if (!args->pasid_check.hwpt_id)
		rc = IS_ERR(handle) ? 0 : -EINVAL;
	else
		rc = check_pasid_domain(command->ctx, args->pasid_check.hwpt_id,
					IS_ERR(handle) ? NULL : handle->domain);
	up_read(&test->mock->attach_lock);
	return rc;
}

static int run(struct iommufd_command *command,
	       int (*operation)(struct iommufd_command *command,
				struct test_device *test))
{
	struct iommu_test_cmd *args = command->args;
	struct test_device *test;
	int rc;

	test = test_device_get(command->ctx, args->id);
	if (IS_ERR(test))
		return PTR_ERR(test);
	rc = operation(command, test);
	iommufd_object_put(&test->object);
	return rc;
}

/**
 * selftest_pasid_attach - IOMMU_TEST_OP_PASID_ATTACH
 * @command: The call
 *
 * Return: 0, -ENOENT no such mock device, as iommufd_device_pasid_attach(),
 * -EFAULT.
 */
int selftest_pasid_attach(struct iommufd_command *command)
{
	return run(command, pasid_attach);
}

/**
 * selftest_pasid_replace - IOMMU_TEST_OP_PASID_REPLACE
 * @command: The call
 *
 * Return: 0, -ENOENT no such mock device, as iommufd_device_pasid_replace(),
 * -EFAULT, and then it is replaced.
 */
int selftest_pasid_replace(struct iommufd_command *command)
{
	return run(command, pasid_replace);
}

/**
 * selftest_pasid_detach - IOMMU_TEST_OP_PASID_DETACH
 * @command: The call
 *
 * Return: 0, also if it was not attached; -ENOENT no such mock device.
 */
int selftest_pasid_detach(struct iommufd_command *command)
{
	return run(command, detach_one);
}

/**
 * selftest_pasid_check_hwpt - IOMMU_TEST_OP_PASID_CHECK_HWPT
 * @command: The call
 *
 * Return: 0 the PASID is attached to this page table, or to nothing if none is
 * named; -EINVAL it is not; -ENOENT no such mock device or page table.
 */
int selftest_pasid_check_hwpt(struct iommufd_command *command)
{
	return run(command, check_hwpt);
}
