// SPDX-License-Identifier: GPL-2.0-only
/*
 * The groups that VFIO put into the container.
 *
 * Takes the DMA of a group when it is put in, and attaches it when the type of the IOMMU
 * is set. Errors are thus reported there and then, and the addresses that devices cannot
 * use are known before the first device is opened. When the last group is removed, all
 * mappings are unmapped. Which devices of a group are open does not matter here.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "attach.h"
#include "device.h"
#include "group.h"
#include "ioas.h"
#include "vfio_compat.h"

/**
 * struct compat_group - a group in the container
 * @link: In vfio_compat.groups
 * @iommu_group: The IOMMU group; VFIO has a reference
 * @group: Of devices behind an IOMMU: the group, with a reference; or NULL, the
 *         devices are emulated
 * @attached: @group is attached as a whole
 */
struct compat_group {
	struct list_head link;
	struct iommu_group *iommu_group;
	struct device_group *group;
	bool attached;
};

static int compat_group_attach(struct compat_group *member,
			       struct iommufd_ioas *ioas)
{
	int rc;

	if (!member->group || member->attached)
		return 0;
	if (!iommufd_interrupts_are_safe(member->iommu_group))
		return -EPERM;
	rc = iommufd_group_attach(member->group, ioas);
	member->attached = !rc;
	return rc;
}

static void compat_group_detach(struct compat_group *member)
{
	if (member->attached)
		iommufd_group_detach(member->group);
	member->attached = false;
}

static int compat_take_dma(struct iommufd_ctx *ctx, struct compat_group *member)
{
	int rc;

	rc = iommu_group_claim_dma_owner(member->iommu_group, ctx);
	if (rc)
		return rc;
	member->group = device_group_get(ctx, member->iommu_group);
	if (IS_ERR(member->group)) {
		iommu_group_release_dma_owner(member->iommu_group);
		return PTR_ERR(member->group);
	}
	return 0;
}

static void compat_group_free(struct compat_group *member)
{
	compat_group_detach(member);
	if (member->group) {
		/* The context has the group only while it owns it */
		device_group_put(member->group);
		iommu_group_release_dma_owner(member->iommu_group);
	}
	kfree(member);
}

static struct compat_group *compat_group_new(struct iommufd_ctx *ctx,
					     struct iommu_group *iommu_group,
					     bool emulated)
{
	struct compat_group *member;
	int rc = 0;

	member = kzalloc(sizeof(*member), GFP_KERNEL_ACCOUNT);
	if (!member)
		return ERR_PTR(-ENOMEM);
	member->iommu_group = iommu_group;
	if (!emulated)
		rc = compat_take_dma(ctx, member);
	if (rc) {
		kfree(member);
		return ERR_PTR(rc);
	}
	return member;
}

static int compat_join(struct iommufd_ctx *ctx, struct compat_group *member)
{
	struct iommufd_ioas *ioas;
	int rc;

	rc = iommufd_vfio_compat_ioas_create(ctx);
	if (rc || !ctx->compat.attaches)
		return rc;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = compat_group_attach(member, ioas);
	iommufd_object_put(&ioas->object);
	/* Another thread has exchanged the IOAS since the attach was prepared */
	return rc == -ENOENT ? -ENODEV : rc;
}

static struct iommufd_preparation *compat_prepare(struct iommufd_ioas *ioas)
{
	return iommufd_attach_prepare(ioas->object.ctx, ioas->object.id);
}

/**
 * iommufd_vfio_compat_attach_prepare - have the container's memory pinned before
 *                                      a group or a device of it is attached
 * @ctx: The context
 *
 * As iommufd_attach_prepare(), for the IOAS that stands for the container.
 *
 * Return: as iommufd_attach_prepare(). It is no error if none stands for it.
 */
struct iommufd_preparation *
iommufd_vfio_compat_attach_prepare(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas = vfio_compat_ioas_get(ctx);
	struct iommufd_preparation *prepared;

	/* Also without one: the thread's attaches are to fault nothing in */
	if (IS_ERR(ioas))
		return iommufd_attach_prepare(ctx, 0);
	prepared = compat_prepare(ioas);
	iommufd_object_put(&ioas->object);
	return prepared;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_attach_prepare, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_add_group - a group is put into the container
 * @ctx: The context
 * @iommu_group: The IOMMU group, which stays until it is removed again
 * @emulated: There is no IOMMU behind it
 *
 * Makes the IOAS that stands for the container if there is none, takes the DMA of
 * the group, and attaches it if the type of the IOMMU is set already. For that the
 * caller has what iommufd_vfio_compat_attach_prepare() returned: no user memory is
 * faulted in here, so it may hold locks that others wait for. Sleeps.
 *
 * Return: 0; -EPERM the DMA of the group is somebody else's, or interrupts can't
 * be isolated; -EBUSY a kernel driver uses it; -EINVAL a no-iommu group has
 * joined; -EINTR killed; -ENOMEM; as iommufd_device_attach().
 */
int iommufd_vfio_compat_add_group(struct iommufd_ctx *ctx,
				  struct iommu_group *iommu_group,
				  bool emulated)
{
	struct vfio_compat *compat = &ctx->compat;
	struct compat_group *member;
	int rc;

	member = compat_group_new(ctx, iommu_group, emulated);
	if (IS_ERR(member))
		return PTR_ERR(member);
	if (mutex_lock_killable(&compat->lock)) {
		compat_group_free(member);
		return -EINTR;
	}
	rc = compat_join(ctx, member);
	if (!rc)
		list_add_tail(&member->link, &compat->groups);
	mutex_unlock(&compat->lock);
	if (rc)
		compat_group_free(member);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_add_group, IOMMUFD_VFIO);

static bool is_used(struct io_pagetable *iopt)
{
	return !list_empty(&iopt->domains) || !list_empty(&iopt->accesses);
}

/*
 * As VFIO's own container does. It leaves an IOAS that user space has chosen, or
 * uses for something else, and what another thread maps or pins at this moment: that
 * may take indefinitely, and removing a device waits for this.
 */
static void empty_container(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas;

	lockdep_assert_held(&ctx->compat.lock);

	ctx->compat.attaches = false;
	if (!ctx->compat.made_ioas)
		return;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return;
	iopt_stop_tracking(&ioas->iopt);
	if (!is_used(&ioas->iopt))
		iopt_unmap_idle(&ioas->iopt);
	iommufd_object_put(&ioas->object);
}

static struct compat_group *find_group(struct vfio_compat *compat,
				       struct iommu_group *iommu_group)
{
	struct compat_group *member;

	list_for_each_entry(member, &compat->groups, link)
		if (member->iommu_group == iommu_group)
			return member;
	return NULL;
}

/**
 * iommufd_vfio_compat_remove_group - a group is taken out of the container
 * @ctx: The context
 * @iommu_group: The IOMMU group, which was added; no device of it is open
 *
 * The mappings go with the last group, unless user space has chosen the IOAS that
 * they are in, or something else is attached to it. Cannot fail.
 */
void iommufd_vfio_compat_remove_group(struct iommufd_ctx *ctx,
				      struct iommu_group *iommu_group)
{
	struct vfio_compat *compat = &ctx->compat;
	struct compat_group *member;

	mutex_lock(&compat->lock);
	member = find_group(compat, iommu_group);
	if (!WARN_ON(!member)) {
		list_del(&member->link);
		compat_group_free(member);
	}
	if (list_empty(&compat->groups))
		empty_container(ctx);
	mutex_unlock(&compat->lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_remove_group, IOMMUFD_VFIO);

static void detach_groups(struct vfio_compat *compat)
{
	struct compat_group *member;

	list_for_each_entry(member, &compat->groups, link)
		compat_group_detach(member);
}

static int attach_groups(struct vfio_compat *compat, struct iommufd_ioas *ioas)
{
	struct compat_group *member;
	int rc;

	list_for_each_entry(member, &compat->groups, link) {
		rc = compat_group_attach(member, ioas);
		if (rc) {
			detach_groups(compat);
			return rc;
		}
	}
	compat->attaches = true;
	return 0;
}

/* Whether something has to be pinned before the groups are attached */
static bool attaches_any(struct vfio_compat *compat)
{
	struct compat_group *member;

	list_for_each_entry(member, &compat->groups, link)
		if (member->group && !member->attached)
			return true;
	return false;
}

/* 1: a group has to be attached, and nothing is prepared for that */
static int compat_attach_prepared(struct vfio_compat *compat,
				  struct iommufd_ioas *ioas, bool prepared)
{
	int rc;

	if (mutex_lock_killable(&compat->lock))
		return -EINTR;
	rc = !prepared && attaches_any(compat) ? 1 : attach_groups(compat, ioas);
	mutex_unlock(&compat->lock);
	return rc;
}

/**
 * vfio_compat_attach_groups - attach all groups, and those that will join
 * @ctx: The context
 * @ioas: What they are attached to, those that are not attached already
 *
 * Pins all memory that is mapped, if there is a group to be attached, before it takes
 * a lock; this can sleep indefinitely but ends by SIGKILL.
 *
 * Return: 0; or, with nothing changed, -EPERM interrupts can't be isolated, -EINTR
 * killed, as iommufd_group_attach().
 */
int vfio_compat_attach_groups(struct iommufd_ctx *ctx,
			      struct iommufd_ioas *ioas)
{
	struct vfio_compat *compat = &ctx->compat;
	struct iommufd_preparation *prepared;
	int rc;

	rc = compat_attach_prepared(compat, ioas, false);
	if (rc != 1)
		return rc;
	prepared = compat_prepare(ioas);
	if (IS_ERR(prepared))
		return PTR_ERR(prepared);
	rc = compat_attach_prepared(compat, ioas, true);
	iommufd_attach_finish(prepared);
	return rc;
}
