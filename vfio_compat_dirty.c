// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container's dirty tracking: VFIO_IOMMU_DIRTY_PAGES, and the bitmap of
 * VFIO_IOMMU_UNMAP_DMA.
 *
 * Owns the checks that type1 makes and the errors that it gives. It must never
 * know how pages are found to be dirty, or whether all that can be are taken for
 * dirty, as type1 does.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"
#include "vfio_compat.h"

#define DIRTY_FLAGS                                                           \
	(VFIO_IOMMU_DIRTY_PAGES_FLAG_START |                                  \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP |                                   \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

/**
 * vfio_compat_check_bitmap - can this bitmap be of a range?
 * @bitmap: What user space says of it
 * @size: Bytes of the range, a multiple of PAGE_SIZE
 *
 * Bits are for the smallest page that VFIO_IOMMU_GET_INFO knows, which is
 * PAGE_SIZE, and come in words of 64.
 *
 * Return: 0 or -EINVAL.
 */
int vfio_compat_check_bitmap(const struct vfio_bitmap *bitmap, u64 size)
{
	u64 bits = ALIGN(size >> PAGE_SHIFT, BITS_PER_TYPE(u64));

	if (bitmap->pgsize != PAGE_SIZE || bitmap->size < bits / BITS_PER_BYTE)
		return -EINVAL;
	return access_ok(bitmap->data, bitmap->size) ? 0 : -EINVAL;
}

static int read_tracked(struct iommufd_ioas *ioas, u64 iova, u64 size,
			const struct vfio_bitmap *user, bool clear)
{
	struct iova_bitmap *bitmap;
	int rc;

	if (!iopt_is_tracking(&ioas->iopt) ||
	    iopt_is_cut(&ioas->iopt, iova, iova + size - 1))
		return -EINVAL;
	bitmap = iova_bitmap_alloc(iova, size, PAGE_SIZE, user->data);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	rc = iopt_read_tracked(&ioas->iopt, bitmap, clear);
	iova_bitmap_free(bitmap);
	return rc;
}

/**
 * vfio_compat_read_dirty - set the bits of pages that devices have written to
 * @ioas: Stands for the container
 * @iova: First IOVA
 * @size: Bytes, not 0; the range does not wrap
 * @bitmap: Checked by vfio_compat_check_bitmap()
 * @clear: They are clean afterwards
 *
 * Faults the bitmap in, which can sleep for ever but ends by SIGKILL.
 *
 * Return: 0; -EINVAL not tracking, or not to the end, since the last group left the
 * container; -EINVAL also if the range cuts a mapping; -EINTR killed; -ENOMEM; as
 * iopt_read_tracked().
 */
int vfio_compat_read_dirty(struct iommufd_ioas *ioas, u64 iova, u64 size,
			   const struct vfio_bitmap *bitmap, bool clear)
{
	struct vfio_compat *compat = &ioas->object.ctx->compat;
	int rc;

	if (mutex_lock_killable(&compat->tracking_lock))
		return -EINTR;
	rc = read_tracked(ioas, iova, size, bitmap, clear);
	mutex_unlock(&compat->tracking_lock);
	return rc;
}

static int set_tracking(struct iommufd_ioas *ioas, bool enable)
{
	struct vfio_compat *compat = &ioas->object.ctx->compat;
	int rc = 0;

	if (mutex_lock_killable(&compat->tracking_lock))
		return -EINTR;
	if (enable)
		rc = iopt_start_tracking(&ioas->iopt);
	else
		iopt_stop_tracking(&ioas->iopt);
	mutex_unlock(&compat->tracking_lock);
	return rc;
}

static int get_bitmap(struct iommufd_ioas *ioas, void __user *user, u32 argsz)
{
	const size_t offset = offsetof(struct vfio_iommu_type1_dirty_bitmap,
				       data);
	struct vfio_iommu_type1_dirty_bitmap_get range;
	u64 last;
	int rc;

	if (argsz < offset + sizeof(range))
		return -EINVAL;
	if (copy_from_user(&range, user + offset, sizeof(range)))
		return -EFAULT;
	if (!range.size || !PAGE_ALIGNED(range.iova | range.size) ||
	    check_add_overflow(range.iova, range.size - 1, &last))
		return -EINVAL;
	rc = vfio_compat_check_bitmap(&range.bitmap, range.size);
	if (rc)
		return rc;
	return vfio_compat_read_dirty(ioas, range.iova, range.size,
				      &range.bitmap, true);
}

/**
 * vfio_compat_dirty_pages - VFIO_IOMMU_DIRTY_PAGES
 * @ctx: The context
 * @user: struct vfio_iommu_type1_dirty_bitmap
 *
 * Return: 0, -ENODEV no IOAS stands for the container, -EACCES in version 1 of
 * type1, -EINVAL, -EFAULT, as vfio_compat_read_dirty().
 */
int vfio_compat_dirty_pages(struct iommufd_ctx *ctx, void __user *user)
{
	struct vfio_iommu_type1_dirty_bitmap dirty;
	struct iommufd_ioas *ioas;
	int rc;

	if (READ_ONCE(ctx->compat.version1))
		return -EACCES;
	if (copy_from_user(&dirty, user, sizeof(dirty)))
		return -EFAULT;
	if (dirty.argsz < sizeof(dirty) || (dirty.flags & ~DIRTY_FLAGS) ||
	    hweight32(dirty.flags) != 1)
		return -EINVAL;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (dirty.flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)
		rc = get_bitmap(ioas, user, dirty.argsz);
	else
		rc = set_tracking(ioas, dirty.flags &
				  VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
	iommufd_object_put(&ioas->object);
	return rc;
}
