// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HWPT: a page table of an IOMMU as an object of user space.
 *
 * Owns what all kinds have in common: how the IOMMU driver is asked for a domain,
 * what an attachment does to the object, and the command that makes one. It must
 * never know which devices are attached.
 */
#include <linux/iommu.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "hw_pagetable.h"
#include "hwpt_nested.h"
#include "hwpt_paging.h"

/* How often data may go away again that was faulted in a moment ago */
#define FAULT_IN_TRIES 16

/* The others say what iommufd is to do with the domain */
#define DRIVER_FLAGS                                                          \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING)

/*
 * Drivers that have it want to be asked through domain_alloc_user(): of VT-d,
 * others get a domain that is complete only after the first attach.
 */
static struct iommu_domain *domain_alloc(const struct hwpt_request *request,
					 struct iommu_domain *parent)
{
	const struct iommu_ops *ops = request->dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user) {
		if (request->flags || request->data || parent)
			return ERR_PTR(-EOPNOTSUPP);
		return iommu_paging_domain_alloc(request->dev);
	}
	domain = ops->domain_alloc_user(request->dev,
					request->flags & DRIVER_FLAGS, parent,
					request->data);
	/* Not all drivers say so themselves, and attaching checks it */
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/**
 * iommufd_hwpt_domain_alloc - have the IOMMU driver make the domain of a HWPT
 * @hwpt: New
 * @request: What is wanted, which @hwpt keeps the flags of
 * @parent: What a nested domain lies upon, or NULL
 *
 * Return: 0, -EOPNOTSUPP the driver can't do that, or another error of it. The
 * domain is freed by iommufd_hwpt_domain_free().
 */
int iommufd_hwpt_domain_alloc(struct iommufd_hwpt *hwpt,
			      const struct hwpt_request *request,
			      struct iommu_domain *parent)
{
	struct iommu_domain *domain = domain_alloc(request, parent);

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	/* Drivers can't be asked for it, but it shows */
	if ((request->flags & IOMMU_HWPT_ALLOC_PASID) &&
	    !domain->ops->set_dev_pasid) {
		iommu_domain_free(domain);
		return -EOPNOTSUPP;
	}
	hwpt->domain = domain;
	hwpt->flags = request->flags;
	return 0;
}

/**
 * iommufd_hwpt_domain_free - the opposite of iommufd_hwpt_domain_alloc()
 * @hwpt: Attached to nothing; it may have no domain
 */
void iommufd_hwpt_domain_free(struct iommufd_hwpt *hwpt)
{
	if (hwpt->domain)
		iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		iommufd_object_put(&hwpt->fault->object);
}

/**
 * iommufd_hwpt_to_paging - where the mappings of a page table are
 * @hwpt: The HWPT
 *
 * Return: the HWPT itself, or the one that it is nested in; without a reference,
 * which @hwpt has.
 */
struct iommufd_hwpt_paging *iommufd_hwpt_to_paging(struct iommufd_hwpt *hwpt)
{
	if (hwpt->object.ops->type == IOMMUFD_OBJECT_HWPT_NESTED)
		return container_of(hwpt, struct iommufd_hwpt_nested,
				    common)->parent;
	return container_of(hwpt, struct iommufd_hwpt_paging, common);
}

/**
 * iommufd_hwpt_discard - free a HWPT that was not published
 * @hwpt: Attached to nothing; complete or not
 */
void iommufd_hwpt_discard(struct iommufd_hwpt *hwpt)
{
	hwpt->object.ops->destroy(&hwpt->object);
	iommufd_object_discard(&hwpt->object);
}

/**
 * iommufd_hwpt_get_attached - take a reference for an attachment
 * @hwpt: In the list of its IOAS, whose hwpt_lock the caller holds
 *
 * Return: false if it is being destroyed.
 */
bool iommufd_hwpt_get_attached(struct iommufd_hwpt *hwpt)
{
	return refcount_inc_not_zero(&hwpt->object.users);
}

/**
 * iommufd_hwpt_put_attached - an attachment to a HWPT has gone
 * @hwpt: Published; the reference of the attachment is given back
 *
 * The last one takes an automatic HWPT along, unless somebody uses it right now:
 * then it stays, for user space to destroy. The caller does not hold hwpt_lock.
 */
void iommufd_hwpt_put_attached(struct iommufd_hwpt *hwpt)
{
	if (hwpt->automatic)
		iommufd_object_put_last(&hwpt->object);
	else
		iommufd_object_put(&hwpt->object);
}

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

	object = iommufd_object_get(ctx, id, IOMMUFD_ANY_OBJECT);
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
 * Sleeps, maybe for ever if memory must be pinned, but ends by SIGKILL. Nobody waits
 * for it meanwhile, not even who removes the device.
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
