// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mock devices as objects of user space.
 *
 * What VFIO does for real devices: a mock device is bound to the context and attached when it
 * is made, and unbound when it is destroyed.
 */
#include <linux/iommufd.h>
#include <linux/platform_device.h>

#include "device.h"
#include "group.h"
#include "selftest/hooks.h"
#include "selftest/mock_fault.h"
#include "selftest/mock_iommu.h"
#include "selftest/selftest_device.h"
#include "selftest/selftest_ops.h"

/* Page requests are reported as if the device's interrupt was flushed in here */
static int attach(struct test_device *test, u32 *pt_id)
{
	int rc;

	down_write(&test->mock->attach_lock);
	rc = iommufd_device_attach(test->idev, pt_id);
	up_write(&test->mock->attach_lock);
	return rc;
}

static int replace(struct test_device *test, u32 *pt_id)
{
	int rc;

	down_write(&test->mock->attach_lock);
	rc = iommufd_device_replace(test->idev, pt_id);
	up_write(&test->mock->attach_lock);
	return rc;
}

static void detach(struct test_device *test)
{
	down_write(&test->mock->attach_lock);
	iommufd_device_pasid_detach_all(test->idev);
	iommufd_device_detach(test->idev);
	up_write(&test->mock->attach_lock);
}

static void unbind(struct test_device *test)
{
	iommufd_device_unbind(test->idev);
	mock_device_destroy(test->mock);
}

static void destroy(struct iommufd_object *object)
{
	struct test_device *test =
		container_of(object, struct test_device, object);

	detach(test);
	unbind(test);
}

static const struct iommufd_object_ops test_device_ops = {
	.type = IOMMUFD_OBJECT_SELFTEST,
	.destroy = destroy,
};

static int make_and_bind(struct test_device *test, u32 flags,
			 const struct mock_device *sibling, u32 *idev_id)
{
	test->mock = mock_device_create(flags, sibling);
	if (IS_ERR(test->mock))
		return PTR_ERR(test->mock);
	test->idev = iommufd_device_bind(test->object.ctx,
					 &test->mock->pdev->dev, idev_id);
	if (IS_ERR(test->idev)) {
		mock_device_destroy(test->mock);
		return PTR_ERR(test->idev);
	}
	return 0;
}

/* The results of all these operations are at the same places */
static int tell(struct iommufd_command *command, u32 stdev_id, u32 hwpt_id,
		u32 idev_id)
{
	struct iommu_test_cmd *args = command->args;

	args->mock_domain.out_stdev_id = stdev_id;
	args->mock_domain.out_hwpt_id = hwpt_id;
	args->mock_domain.out_idev_id = idev_id;
	return iommufd_respond(command);
}

static int make_device(struct iommufd_command *command, u32 flags,
		       const struct mock_device *sibling)
{
	struct iommu_test_cmd *args = command->args;
	struct test_device *test;
	u32 pt_id = args->id;
	u32 idev_id = 0;
	int rc;

	test = iommufd_object_new(command->ctx, test, object,
				  &test_device_ops);
	if (IS_ERR(test))
		return PTR_ERR(test);
	rc = make_and_bind(test, flags, sibling, &idev_id);
	if (rc)
		goto out_object;
	rc = attach(test, &pt_id);
	if (rc)
		goto out_unbind;
	rc = tell(command, test->object.id, pt_id, idev_id);
	if (rc)
		goto out_detach;
	iommufd_object_publish(&test->object);
	return 0;

out_detach:
	detach(test);
out_unbind:
	unbind(test);
out_object:
	iommufd_object_discard(&test->object);
	return rc;
}

/**
 * selftest_mock_domain - IOMMU_TEST_OP_MOCK_DOMAIN
 * @command: The call
 *
 * Return: 0, as iommufd_device_attach(), -ENOMEM, -EFAULT.
 */
int selftest_mock_domain(struct iommufd_command *command)
{
	return make_device(command, 0, NULL);
}

/**
 * selftest_mock_domain_flags - IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS
 * @command: The call
 *
 * Return: as selftest_mock_domain(), and -EINVAL unknown flags.
 */
int selftest_mock_domain_flags(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;

	return make_device(command, args->mock_domain_flags.dev_flags, NULL);
}

/**
 * test_device_get - find a mock device
 * @ctx: The context
 * @id: Its id
 *
 * Return: the device with a reference to its object, or ERR_PTR(-ENOENT).
 */
struct test_device *test_device_get(struct iommufd_ctx *ctx, u32 id)
{
	return iommufd_object_get_as(ctx, id, IOMMUFD_OBJECT_SELFTEST,
				     struct test_device, object);
}

/**
 * selftest_mock_domain_join - IOMMU_TEST_OP_MOCK_DOMAIN_JOIN
 * @command: The call
 *
 * Return: as selftest_mock_domain_flags(), and -ENOENT no such sibling.
 */
int selftest_mock_domain_join(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct test_device *sibling;
	int rc;

	sibling = test_device_get(command->ctx,
				  args->mock_domain_join.sibling_id);
	if (IS_ERR(sibling))
		return PTR_ERR(sibling);
	rc = make_device(command, args->mock_domain_join.dev_flags,
			 sibling->mock);
	iommufd_object_put(&sibling->object);
	return rc;
}

/**
 * selftest_mock_domain_replace - IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE
 * @command: The call
 *
 * Return: 0, -ENOENT no such mock device, as iommufd_device_replace(), -EFAULT.
 */
int selftest_mock_domain_replace(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct test_device *test;
	int rc;

	test = test_device_get(command->ctx, args->id);
	if (IS_ERR(test))
		return PTR_ERR(test);
	rc = replace(test, &args->mock_domain_replace.pt_id);
	iommufd_object_put(&test->object);
	return rc ?: iommufd_respond(command);
}

/**
 * selftest_trigger_iopf - IOMMU_TEST_OP_TRIGGER_IOPF
 * @command: The call
 *
 * Return: 0, also if nobody is there to answer; -ENOENT no such device, -EINVAL
 * it is not a mock device.
 */
int selftest_trigger_iopf(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommu_fault_page_request request = {
		.pasid = args->trigger_iopf.pasid,
		.grpid = args->trigger_iopf.grpid,
		.perm = args->trigger_iopf.perm & ~IOMMU_TEST_IOPF_MORE_TO_COME,
		.addr = args->trigger_iopf.addr,
	};
	struct iommufd_device *idev;
	int rc = -EINVAL;

	if (!(args->trigger_iopf.perm & IOMMU_TEST_IOPF_MORE_TO_COME))
		request.flags |= IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	if (request.pasid)
		request.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	idev = iommufd_device_get(command->ctx, args->trigger_iopf.dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (selftest_is_mock_device(idev->dev)) {
		mock_fault_report(idev->dev, &request);
		rc = 0;
	}
	iommufd_object_put(&idev->object);
	return rc;
}

/**
 * selftest_ask_later - IOMMU_TEST_OP_ASK_LATER
 * @command: The call
 *
 * Return: 0, -ENOENT no such mock device.
 */
int selftest_ask_later(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct mock_plan plan = {
		.when = args->ask_later.when,
		.fails = args->ask_later.fails,
		.request = {
			.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
			.pasid = args->ask_later.pasid,
			.grpid = args->ask_later.grpid,
		},
	};
	struct test_device *test;

	if (plan.request.pasid)
		plan.request.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	test = test_device_get(command->ctx, args->id);
	if (IS_ERR(test))
		return PTR_ERR(test);
	down_write(&test->mock->attach_lock);
	test->mock->plan = plan;
	up_write(&test->mock->attach_lock);
	iommufd_object_put(&test->object);
	return 0;
}

static int destroy_device(struct iommufd_ctx *ctx, u32 id)
{
	struct iommu_destroy args = { .id = id };
	struct iommufd_command command = { .ctx = ctx, .args = &args };

	return iommufd_destroy(&command);
}

/**
 * selftest_unbind_held - IOMMU_TEST_OP_UNBIND_HELD
 * @command: The call
 *
 * Keeps the group, as a look at all groups of the context does.
 *
 * Return: 0, -ENOENT no such mock device, -EBUSY somebody uses it, -EFAULT.
 */
int selftest_unbind_held(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommufd_ctx *ctx = command->ctx;
	struct device_group *group;
	struct test_device *test;
	int rc;

	test = test_device_get(ctx, args->id);
	if (IS_ERR(test))
		return PTR_ERR(test);
	group = test->idev->group;
	device_group_hold(group);
	iommufd_object_put(&test->object);
	args->unbind_held.out_before = iommufd_ctx_has_group(ctx, group->group);
	rc = destroy_device(ctx, args->id);
	args->unbind_held.out_after = iommufd_ctx_has_group(ctx, group->group);
	device_group_release(group);
	return rc ?: iommufd_respond(command);
}
