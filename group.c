// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device group: the devices of an IOMMU group that are bound to a context.
 *
 * A context has a table of its groups. A group stays in it for as long as it has a
 * reference. Some references are those of owners: while there is one, the context owns
 * the DMA of the group.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "group.h"
#include "iommufd_private.h"

static struct device_group *group_alloc(struct iommufd_ctx *ctx,
					struct iommu_group *iommu_group)
{
	struct device_group *group;

	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group)
		return NULL;
	refcount_set(&group->refs, 1);
	group->ctx = ctx;
	group->group = iommu_group;
	mutex_init(&group->lock);
	INIT_LIST_HEAD(&group->handles);
	xa_init_flags(&group->attachments, XA_FLAGS_ACCOUNT);
	group->msi_window = PHYS_ADDR_MAX;
	return group;
}

/* Find the group or insert the new one */
static struct device_group *group_find_or_add(struct device_group *new)
{
	struct xarray *groups = &new->ctx->groups;
	struct device_group *group;

	xa_lock(groups);
	group = __xa_cmpxchg(groups, iommu_group_id(new->group), NULL, new,
			     GFP_KERNEL_ACCOUNT);
	if (xa_is_err(group))
		group = ERR_PTR(xa_err(group)); /* GCOVR_EXCL_LINE: would need two failures */
	else if (group)
		refcount_inc(&group->refs);
	else
		group = new;
	if (!IS_ERR(group))
		group->owners++;
	xa_unlock(groups);
	return group;
}

static void group_free(struct device_group *group)
{
	WARN_ON(!list_empty(&group->handles));
	iommu_group_put(group->group);
	xa_destroy(&group->attachments);
	mutex_destroy(&group->lock);
	kfree(group);
}

/**
 * device_group_get - the group of a device in a context
 * @ctx: The context, which owns the DMA of the group
 * @iommu_group: The group; a reference is taken
 *
 * Return: the group with a reference of an owner, for device_group_put(), or
 * ERR_PTR(-ENOMEM).
 */
struct device_group *device_group_get(struct iommufd_ctx *ctx,
				      struct iommu_group *iommu_group)
{
	struct device_group *new, *group;

	new = group_alloc(ctx, iommu_group_ref_get(iommu_group));
	if (!new) {
		iommu_group_put(iommu_group);
		return ERR_PTR(-ENOMEM);
	}
	group = group_find_or_add(new);
	if (group != new)
		group_free(new);
	return group;
}

static void group_put(struct device_group *group, unsigned int owners)
{
	struct xarray *groups = &group->ctx->groups;
	bool last;

	/* An IOMMU group's id is not used again while we refer to it */
	xa_lock(groups);
	group->owners -= owners;
	last = refcount_dec_and_test(&group->refs);
	if (last)
		__xa_erase(groups, iommu_group_id(group->group));
	xa_unlock(groups);
	if (last)
		group_free(group);
}

/**
 * device_group_put - the opposite of device_group_get()
 * @group: The group, before its DMA is given up
 */
void device_group_put(struct device_group *group)
{
	group_put(group, 1);
}

/**
 * device_group_hold - keep a group in the table
 * @group: The group; somebody keeps it, or the caller holds the xa_lock
 *
 * Not for an owner: iommufd_ctx_has_group() does not count the reference.
 */
void device_group_hold(struct device_group *group)
{
	refcount_inc(&group->refs);
}

/**
 * device_group_release - the opposite of device_group_hold()
 * @group: The group
 */
void device_group_release(struct device_group *group)
{
	group_put(group, 0);
}

/**
 * iommufd_ctx_has_group - does a context own the DMA of an IOMMU group?
 * @ctx: The context or NULL
 * @group: The IOMMU group or NULL
 *
 * VFIO asks before it resets devices together.
 *
 * Return: yes, a device of it is bound, or it is in the container; or no.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ctx, struct iommu_group *group)
{
	const struct device_group *found;
	bool owned;

	if (!ctx || !group)
		return false;
	xa_lock(&ctx->groups);
	found = xa_load(&ctx->groups, iommu_group_id(group));
	owned = found && found->owners;
	xa_unlock(&ctx->groups);
	return owned;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, IOMMUFD);

/* The next group from an id on, with a reference, or NULL */
static struct device_group *group_next(struct iommufd_ctx *ctx,
				       unsigned long *id)
{
	struct device_group *group;

	xa_lock(&ctx->groups);
	group = xa_find(&ctx->groups, id, ULONG_MAX, XA_PRESENT);
	if (group)
		device_group_hold(group);
	xa_unlock(&ctx->groups);
	return group;
}

static int device_bypasses_caches(struct device *dev, void *unused)
{
	return !device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

/**
 * device_groups_enforce_coherency - can no device bypass the caches?
 * @ctx: The context
 *
 * A device whose IOMMU can make all of its DMA coherent gets a page table that
 * does so.
 *
 * Return: false if one can, of any group that has a device bound.
 */
bool device_groups_enforce_coherency(struct iommufd_ctx *ctx)
{
	struct device_group *group;
	unsigned long id = 0;
	bool enforced = true;

	while (enforced && (group = group_next(ctx, &id))) {
		enforced = !iommu_group_for_each_dev(group->group, NULL,
						     device_bypasses_caches);
		device_group_release(group);
		id++;
	}
	return enforced;
}
