// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking of a paging HWPT: which pages devices write to.
 *
 * Owns the two commands and what they check. It must never know how pages are
 * found to be dirty.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/overflow.h>

#include "hwpt_dirty.h"
#include "hwpt_paging.h"

static struct iommufd_hwpt_paging *get_paging(struct iommufd_command *command,
					      u32 id)
{
	struct iommufd_object *object;

	object = iommufd_object_get(command->ctx, id, IOMMUFD_HWPT_PAGING);
	if (IS_ERR(object))
		return ERR_CAST(object);
	return container_of(object, struct iommufd_hwpt_paging, common.object);
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

static int check_range(struct iommufd_hwpt_paging *paging,
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

	rc = check_range(paging, args);
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
 * Faults the bitmap in, which can take for ever but ends by SIGKILL.
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
