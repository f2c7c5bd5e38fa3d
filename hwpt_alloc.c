// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_HWPT_ALLOC: allocates a HWPT of any kind.
 *
 * Decides the kind, and copies the driver's data from user space.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "hwpt_nested.h"
#include "hwpt_paging.h"

/* How often data may go away again that was faulted in a moment ago */
#define FAULT_IN_TRIES 16

/* A page table from what pt_id is the id of; attached to nothing */
static struct iommufd_hwpt *new_on_object(struct iommufd_object *object,
					  struct iommufd_preparation *prepared,
					  const struct hwpt_request *request)
{
	struct iommufd_hwpt_paging *parent;
	struct iommufd_ioas *ioas;

	switch (object->ops->type) {
	case IOMMUFD_OBJECT_IOAS:
		ioas = container_of(object, struct iommufd_ioas, object);
		/* Its id was another object's when the call began */
		if (ioas != iommufd_attach_prepared_ioas(prepared))
			return ERR_PTR(-EINVAL);
		return iommufd_hwpt_paging_new(ioas, request);
	case IOMMUFD_OBJECT_HWPT_PAGING:
		parent = container_of(object, struct iommufd_hwpt_paging,
				      common.object);
		return iommufd_hwpt_nested_new(parent, request);
	default:
		return ERR_PTR(-EINVAL);
	}
}

static struct iommufd_hwpt *new_on(struct iommufd_ctx *ctx, u32 id,
				   struct iommufd_preparation *prepared,
				   const struct hwpt_request *request)
{
	struct iommufd_object *object;
	struct iommufd_hwpt *hwpt;

	object = iommufd_object_get(ctx, id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(object))
		return ERR_PTR(-EINVAL);
	hwpt = new_on_object(object, prepared, request);
	/* The new page table has a reference of its own */
	iommufd_object_put(object);
	return hwpt;
}

static int set_fault(struct iommufd_hwpt *hwpt, u32 fault_id)
{
	struct iommufd_fault *fault;

	fault = iommufd_fault_get(hwpt->object.ctx, fault_id);
	if (IS_ERR(fault))
		return PTR_ERR(fault);
	iommufd_fault_set(hwpt, fault);
	return 0;
}

/* Make the page table known; undoes it on failure */
static int finish_alloc(struct iommufd_command *command,
			struct iommufd_hwpt *hwpt)
{
	struct iommu_hwpt_alloc *args = command->args;
	int rc = 0;

	if (args->flags & IOMMU_HWPT_FAULT_ID_VALID)
		rc = set_fault(hwpt, args->fault_id);
	args->out_hwpt_id = hwpt->object.id;
	rc = rc ?: iommufd_respond(command);
	if (rc)
		iommufd_hwpt_discard(hwpt);
	else
		iommufd_object_publish(&hwpt->object);
	return rc;
}

/* What is needed of the device is in the page table afterwards */
static struct iommufd_hwpt *new_for_device(struct iommufd_command *command,
					   struct iommufd_preparation *prepared)
{
	struct iommu_hwpt_alloc *args = command->args;
	struct iommu_user_data data = {
		.type = args->data_type,
		.uptr = u64_to_user_ptr(args->data_uptr),
		.len = args->data_len,
	};
	struct hwpt_request request = {
		.flags = args->flags,
		.data = args->data_len ? &data : NULL,
	};
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;

	idev = iommufd_device_get(command->ctx, args->dev_id);
	if (IS_ERR(idev))
		return ERR_CAST(idev);
	request.dev = idev->dev;
	hwpt = new_on(command->ctx, args->pt_id, prepared, &request);
	iommufd_object_put(&idev->object);
	return hwpt;
}

/*
 * Drivers read the data from user memory. While they do the device can't be removed,
 * so they get what is there at once, and the rest is faulted in without the device.
 */
static struct iommufd_hwpt *new_without_faults(struct iommufd_command *command,
					       struct iommufd_preparation *prepared)
{
	struct iommu_hwpt_alloc *args = command->args;
	struct iommufd_hwpt *hwpt;
	unsigned int tries = 0;

	for (;;) {
		pagefault_disable();
		hwpt = new_for_device(command, prepared);
		pagefault_enable();
		if (hwpt != ERR_PTR(-EFAULT) || !args->data_len ||
		    tries++ == FAULT_IN_TRIES)
			return hwpt;
		if (fault_in_readable(u64_to_user_ptr(args->data_uptr),
				      args->data_len))
			return hwpt;
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		cond_resched();
	}
}

/**
 * iommufd_hwpt_alloc - IOMMU_HWPT_ALLOC
 * @command: The call
 *
 * Sleeps, maybe indefinitely if memory must be pinned, but ends by SIGKILL. Nothing waits
 * for it meanwhile, not even a removal of the device.
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL, -ENOENT, -EINTR, -EFAULT, as
 * iommufd_hwpt_domain_alloc(), iopt_add_pinner() and iopt_add_domain().
 */
int iommufd_hwpt_alloc(struct iommufd_command *command)
{
	struct iommu_hwpt_alloc *args = command->args;
	struct iommufd_preparation *prepared;
	struct iommufd_device *idev;
	struct iommufd_hwpt *hwpt;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	if (!args->data_type != !args->data_len)
		return -EINVAL;
	/* A mistake is to cost less than pinning everything */
	idev = iommufd_device_get(command->ctx, args->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	iommufd_object_put(&idev->object);
	prepared = iommufd_attach_prepare(command->ctx, args->pt_id);
	if (IS_ERR(prepared))
		return PTR_ERR(prepared);
	hwpt = new_without_faults(command, prepared);
	rc = PTR_ERR_OR_ZERO(hwpt);
	if (!rc)
		rc = finish_alloc(command, hwpt);
	iommufd_attach_finish(prepared);
	return rc;
}
