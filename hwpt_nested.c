// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested HWPT: a guest's page table on top of one of ours.
 *
 * The guest's table is in the guest's memory and translates to guest physical addresses,
 * which the parent then translates. Checks which HWPT can be a parent, and passes the
 * guest's cache invalidations to the driver, whose data it does not interpret.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "hwpt_nested.h"
#include "hwpt_paging.h"

#define NESTED_FLAGS (IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

/* Entries of one invalidation, and of one call of a driver */
#define INVALIDATE_MAX BIT(19)
#define INVALIDATE_STEP 256U

static void nested_destroy(struct iommufd_object *object)
{
	struct iommufd_hwpt_nested *nested =
		container_of(object, struct iommufd_hwpt_nested, common.object);

	iommufd_hwpt_domain_free(&nested->common);
	iommufd_object_put(&nested->parent->common.object);
}

static const struct iommufd_object_ops nested_ops = {
	.type = IOMMUFD_OBJECT_HWPT_NESTED,
	.destroy = nested_destroy,
};

static int check_request(struct iommufd_hwpt_paging *parent,
			 const struct hwpt_request *request)
{
	const struct iommu_ops *ops = request->dev->iommu->iommu_dev->ops;

	if ((request->flags & ~NESTED_FLAGS) || !request->data ||
	    !ops->domain_alloc_user)
		return -EOPNOTSUPP;
	/* An automatic one has no flags */
	if (!(parent->common.flags & IOMMU_HWPT_ALLOC_NEST_PARENT) ||
	    parent->common.domain->owner != ops)
		return -EINVAL;
	return 0;
}

/**
 * iommufd_hwpt_nested_new - make a HWPT that is nested in another one
 * @parent: That one; a reference is taken
 * @request: What is wanted
 *
 * On return it is to be published or discarded. Sleeps.
 *
 * Return: the HWPT or an ERR_PTR: -EOPNOTSUPP unknown flags, no data, or the
 * IOMMU can't do that; -EINVAL @parent can't be one, or not for this device; as
 * iommufd_object_alloc() and iommufd_hwpt_domain_alloc().
 */
struct iommufd_hwpt *
iommufd_hwpt_nested_new(struct iommufd_hwpt_paging *parent,
			const struct hwpt_request *request)
{
	struct iommufd_hwpt_nested *nested;
	int rc;

	rc = check_request(parent, request);
	if (rc)
		return ERR_PTR(rc);
	nested = iommufd_object_new(parent->common.object.ctx, nested,
				    common.object, &nested_ops);
	if (IS_ERR(nested))
		return ERR_CAST(nested);
	nested->parent = parent;
	refcount_inc(&parent->common.object.users);

	rc = iommufd_hwpt_domain_alloc(&nested->common, request,
				       parent->common.domain);
	if (!rc && WARN_ON_ONCE(nested->common.domain->type !=
				IOMMU_DOMAIN_NESTED))
		rc = -EINVAL;
	if (rc) {
		iommufd_hwpt_discard(&nested->common);
		return ERR_PTR(rc);
	}
	return &nested->common;
}

/*
 * A driver takes its time for each entry, so it gets a few at once. It changes
 * the number of entries to how many it has done.
 */
static int invalidate_nested(struct iommufd_hwpt *hwpt,
			     const struct iommu_user_data_array *array,
			     u32 *done)
{
	const struct iommu_domain_ops *ops = hwpt->domain->ops;
	struct iommu_user_data_array some;
	int rc;

	if (!ops->cache_invalidate_user)
		return -EOPNOTSUPP;
	do {
		some = *array;
		some.uptr += *done * array->entry_len;
		some.entry_num = min(array->entry_num - *done, INVALIDATE_STEP);
		rc = ops->cache_invalidate_user(hwpt->domain, &some);
		*done += some.entry_num;
		cond_resched();
		if (!rc && fatal_signal_pending(current))
			rc = -EINTR;
	} while (!rc && some.entry_num && *done < array->entry_num);
	return rc;
}

static int invalidate_object(struct iommufd_object *object,
			     const struct iommu_user_data_array *array,
			     u32 *done)
{
	struct iommufd_hwpt *hwpt;

	if (object->ops->type != IOMMUFD_OBJECT_HWPT_NESTED)
		return -EINVAL;
	hwpt = container_of(object, struct iommufd_hwpt, object);
	return invalidate_nested(hwpt, array, done);
}

static int invalidate(struct iommufd_ctx *ctx,
		      const struct iommu_hwpt_invalidate *args, u32 *done)
{
	struct iommu_user_data_array array = {
		.type = args->data_type,
		.uptr = u64_to_user_ptr(args->data_uptr),
		.entry_len = args->entry_len,
		.entry_num = args->entry_num,
	};
	struct iommufd_object *object;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	if (args->entry_num &&
	    (!args->data_uptr || !args->entry_len ||
	     args->entry_len > PAGE_SIZE || args->entry_num > INVALIDATE_MAX))
		return -EINVAL;
	object = iommufd_object_get(ctx, args->hwpt_id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(object))
		return PTR_ERR(object);
	rc = invalidate_object(object, &array, done);
	iommufd_object_put(object);
	return rc;
}

/**
 * iommufd_hwpt_invalidate - IOMMU_HWPT_INVALIDATE
 * @command: The call
 *
 * How many entries were done is told on failure, too.
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL, -ENOENT, -EFAULT, -EINTR killed, an error of the
 * driver.
 */
int iommufd_hwpt_invalidate(struct iommufd_command *command)
{
	struct iommu_hwpt_invalidate *args = command->args;
	u32 done = 0;
	int rc;

	rc = invalidate(command->ctx, args, &done);
	args->entry_num = done;
	return iommufd_respond(command) ?: rc;
}
