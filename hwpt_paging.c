// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paging HWPT: a page table with all mappings of an IOAS.
 *
 * Adds it to the IOVA space and removes it. Implements the commands for dirty tracking.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "hwpt_paging.h"

#define PAGING_FLAGS                                                          \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |     \
	 IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

/* Returns whether it was part of the IOVA space */
static bool leave_ioas(struct iommufd_hwpt_paging *paging)
{
	struct iommufd_ioas *ioas = paging->ioas;

	if (list_empty(&paging->link))
		return false;
	mutex_lock(&ioas->hwpt_lock);
	list_del(&paging->link);
	mutex_unlock(&ioas->hwpt_lock);
	iopt_remove_domain(&ioas->iopt, &paging->entry);
	return true;
}

/* The domain goes before its pins: freeing it is what unmaps */
static void paging_destroy(struct iommufd_object *object)
{
	struct iommufd_hwpt_paging *paging =
		container_of(object, struct iommufd_hwpt_paging, common.object);
	struct iommufd_ioas *ioas = paging->ioas;
	bool was_filled;

	was_filled = leave_ioas(paging);
	iommufd_hwpt_domain_free(&paging->common);
	if (was_filled)
		iopt_remove_pinner(&ioas->iopt);
	iommufd_object_put(&ioas->object);
}

static const struct iommufd_object_ops paging_ops = {
	.type = IOMMUFD_OBJECT_HWPT_PAGING,
	.destroy = paging_destroy,
};

/*
 * Before anything is mapped, or VT-d refuses. Only if the device's IOMMU can do
 * it: a VT-d domain that is attached to nothing says yes without knowing.
 */
static void enforce_coherency(struct iommu_domain *domain, struct device *dev)
{
	if (device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY) &&
	    domain->ops->enforce_cache_coherency)
		domain->ops->enforce_cache_coherency(domain);
}

/* An empty page table, not yet part of the IOVA space */
static struct iommufd_hwpt_paging *
paging_new(struct iommufd_ioas *ioas, const struct hwpt_request *request)
{
	struct iommufd_hwpt_paging *paging;
	int rc;

	paging = iommufd_object_new(ioas->object.ctx, paging, common.object,
				    &paging_ops);
	if (IS_ERR(paging))
		return paging;
	INIT_LIST_HEAD(&paging->link);
	paging->ioas = ioas;
	refcount_inc(&ioas->object.users);

	rc = iommufd_hwpt_domain_alloc(&paging->common, request, NULL);
	if (rc) {
		iommufd_hwpt_discard(&paging->common);
		return ERR_PTR(rc);
	}
	paging->entry.domain = paging->common.domain;
	enforce_coherency(paging->common.domain, request->dev);
	return paging;
}

static bool can_be_asked_for(const struct hwpt_request *request)
{
	const u32 no_faults = IOMMU_HWPT_FAULT_ID_VALID |
			      IOMMU_HWPT_ALLOC_NEST_PARENT;

	if (request->flags & ~PAGING_FLAGS)
		return false;
	if ((request->flags & no_faults) == no_faults)
		return false;
	if ((request->flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	    !device_iommu_capable(request->dev, IOMMU_CAP_DIRTY_TRACKING))
		return false;
	return !iommufd_hwpt_paging_needs_attach(request->dev);
}

/**
 * iommufd_hwpt_paging_new - make a HWPT because user space asks for it
 * @ioas: The IOAS, prepared by iommufd_attach_prepare(); a reference is taken
 * @request: What is wanted
 *
 * On return it holds all mappings, to be published or discarded. Sleeps, but waits
 * for nothing of user space.
 *
 * Return: the HWPT or an ERR_PTR: -EOPNOTSUPP unknown flags, or the IOMMU can't
 * do that; -EINTR killed; as iommufd_object_alloc(), iommufd_hwpt_domain_alloc()
 * and iopt_add_domain().
 */
struct iommufd_hwpt *
iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
			const struct hwpt_request *request)
{
	struct iommufd_hwpt_paging *paging;
	int rc;

	if (!can_be_asked_for(request))
		return ERR_PTR(-EOPNOTSUPP);
	paging = paging_new(ioas, request);
	if (IS_ERR(paging))
		return ERR_CAST(paging);

	rc = iommufd_hwpt_paging_fill(paging);
	if (rc) {
		iommufd_hwpt_discard(&paging->common);
		return ERR_PTR(rc);
	}
	return &paging->common;
}

/**
 * iommufd_hwpt_paging_new_automatic - make a HWPT because an attach needs one
 * @ioas: The IOAS; a reference is taken
 * @dev: A device behind the IOMMU that it is for
 * @flags: Mask of enum iommufd_hwpt_alloc_flags that the IOMMU is capable of
 *
 * It is empty: attach the device or not, then fill it, then publish or discard
 * it.
 *
 * Return: the HWPT, with one reference for an attachment, or an ERR_PTR of
 * iommufd_object_alloc() or iommufd_hwpt_domain_alloc().
 */
struct iommufd_hwpt_paging *
iommufd_hwpt_paging_new_automatic(struct iommufd_ioas *ioas, struct device *dev,
				  u32 flags)
{
	const struct hwpt_request request = { .dev = dev, .flags = flags };
	struct iommufd_hwpt_paging *paging;

	paging = paging_new(ioas, &request);
	if (IS_ERR(paging))
		return paging;
	paging->common.automatic = true;
	refcount_inc(&paging->common.object.users);
	return paging;
}

/**
 * iommufd_hwpt_paging_fill - map everything in the IOAS, now and in future
 * @paging: New; the caller has prepared its IOAS by iommufd_attach_prepare()
 *
 * Sleeps, but waits for nothing of user space; ends by SIGKILL.
 *
 * Return: 0, or as iopt_add_domain().
 */
int iommufd_hwpt_paging_fill(struct iommufd_hwpt_paging *paging)
{
	struct iommufd_ioas *ioas = paging->ioas;
	int rc;

	rc = iopt_add_domain(&ioas->iopt, &paging->entry);
	if (rc)
		return rc;
	mutex_lock(&ioas->hwpt_lock);
	list_add_tail(&paging->link, &ioas->hwpts);
	mutex_unlock(&ioas->hwpt_lock);
	return 0;
}

/* GCOVR_EXCL_START: QEMU tells every IOMMU of x86 where interrupts go */
/**
 * iommufd_hwpt_paging_map_msi - have interrupts of attached devices work
 * @paging: The HWPT; the caller holds attach_lock of its IOAS
 * @base: IOVA of a window that the IOVA space has reserved
 *
 * For IOMMUs that translate the writes to MSI doorbells, too.
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_hwpt_paging_map_msi(struct iommufd_hwpt_paging *paging,
				phys_addr_t base)
{
	int rc;

	lockdep_assert_held(&paging->ioas->attach_lock);

	if (paging->msi_mapped)
		return 0;
	rc = iommu_get_msi_cookie(paging->common.domain, base);
	paging->msi_mapped = !rc;
	return rc;
}

/* GCOVR_EXCL_STOP */

/**
 * iommufd_hwpt_paging_needs_attach - can a domain only be filled once it is
 *                                    attached?
 * @dev: A device behind the IOMMU
 *
 * Drivers with nothing but the oldest way of allocating a domain learn at the
 * first attach what the domain is for, and until then crash on mapping.
 *
 * Return: yes or no.
 */
bool iommufd_hwpt_paging_needs_attach(struct device *dev)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;

	return !ops->domain_alloc_user && !ops->domain_alloc_paging;
}

static struct iommufd_hwpt_paging *get_paging(struct iommufd_command *command,
					      u32 id)
{
	return iommufd_object_get_as(command->ctx, id, IOMMUFD_OBJECT_HWPT_PAGING,
				     struct iommufd_hwpt_paging, common.object);
}

static int set_tracking(struct iommufd_hwpt_paging *paging, bool enable)
{
	struct iommu_domain *domain = paging->common.domain;
	int rc;

	if (!domain->dirty_ops)
		return -EOPNOTSUPP;
	if (enable) {
		rc = iopt_forget_dirty(&paging->ioas->iopt, domain);
		if (rc)
			return rc;
	}
	return domain->dirty_ops->set_dirty_tracking(domain, enable);
}

/**
 * iommufd_hwpt_set_dirty_tracking - IOMMU_HWPT_SET_DIRTY_TRACKING
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENOENT, -EINTR, or an error of the IOMMU driver.
 */
int iommufd_hwpt_set_dirty_tracking(struct iommufd_command *command)
{
	struct iommu_hwpt_set_dirty_tracking *args = command->args;
	struct iommufd_hwpt_paging *paging;
	int rc;

	if (args->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	paging = get_paging(command, args->hwpt_id);
	if (IS_ERR(paging))
		return PTR_ERR(paging);
	rc = set_tracking(paging,
			  args->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
	iommufd_object_put(&paging->common.object);
	return rc;
}

static int check_bitmap_range(struct iommufd_hwpt_paging *paging,
			      const struct iommu_hwpt_get_dirty_bitmap *args)
{
	u64 last;

	if (!args->length)
		return -EINVAL;
	if (check_add_overflow(args->iova, args->length - 1, &last))
		return -EOVERFLOW;
	if (!iopt_is_aligned(&paging->ioas->iopt, args->iova, args->length))
		return -EINVAL;
	if (!args->page_size || args->iova % args->page_size ||
	    args->length % args->page_size)
		return -EINVAL;
	return 0;
}

static int get_bitmap(struct iommufd_hwpt_paging *paging,
		      const struct iommu_hwpt_get_dirty_bitmap *args)
{
	struct iommu_domain *domain = paging->common.domain;
	struct iova_bitmap *bitmap;
	int rc;

	rc = check_bitmap_range(paging, args);
	if (rc)
		return rc;
	if (!domain->dirty_ops)
		return -EOPNOTSUPP;
	bitmap = iova_bitmap_alloc(args->iova, args->length, args->page_size,
				   u64_to_user_ptr(args->data));
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	rc = iopt_read_dirty(&paging->ioas->iopt, domain, bitmap,
			     !(args->flags &
			       IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR));
	iova_bitmap_free(bitmap);
	/* Programs are used to it; what has no bit stays dirty */
	return rc == -EFAULT ? 0 : rc;
}

/**
 * iommufd_hwpt_get_dirty_bitmap - IOMMU_HWPT_GET_DIRTY_BITMAP
 * @command: The call
 *
 * Faults the bitmap in, which can take indefinitely long but ends by SIGKILL.
 *
 * Return: 0, -EOPNOTSUPP, -ENOENT, -EINVAL, -EOVERFLOW, -ENOMEM, -EINTR, or an
 * error of the IOMMU driver.
 */
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_command *command)
{
	struct iommu_hwpt_get_dirty_bitmap *args = command->args;
	struct iommufd_hwpt_paging *paging;
	int rc;

	if ((args->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) ||
	    args->__reserved)
		return -EOPNOTSUPP;
	paging = get_paging(command, args->hwpt_id);
	if (IS_ERR(paging))
		return PTR_ERR(paging);
	rc = get_bitmap(paging, args);
	iommufd_object_put(&paging->common.object);
	return rc;
}
