// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container's mappings and which of their pages are dirty: VFIO_IOMMU_MAP_DMA,
 * VFIO_IOMMU_UNMAP_DMA and VFIO_IOMMU_DIRTY_PAGES.
 *
 * Makes type1's checks and returns type1's errors, which differ from those of the IOAS.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"
#include "vfio_compat.h"

#define MAP_FLAGS (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define UNMAP_FLAGS                                                           \
	(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL)
#define DIRTY_FLAGS                                                           \
	(VFIO_IOMMU_DIRTY_PAGES_FLAG_START |                                  \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP |                                   \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

/*
 * Can this bitmap be of a range of @size bytes? Bits are for the smallest page that
 * VFIO_IOMMU_GET_INFO knows, which is PAGE_SIZE, and come in words of 64.
 */
static int container_check_bitmap(const struct vfio_bitmap *bitmap, u64 size)
{
	u64 bits = ALIGN(size >> PAGE_SHIFT, BITS_PER_TYPE(u64));

	if (bitmap->pgsize != PAGE_SIZE || bitmap->size < bits / BITS_PER_BYTE)
		return -EINVAL;
	return access_ok(bitmap->data, bitmap->size) ? 0 : -EINVAL;
}

static int container_read_tracked(struct iommufd_ioas *ioas, u64 iova, u64 size,
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

/*
 * Sets the bits of pages that devices have written to; with @clear they are clean
 * afterwards. @bitmap has passed container_check_bitmap(), the range is neither empty nor
 * does it wrap. Faults the bitmap in, which can sleep indefinitely but ends by SIGKILL.
 *
 * -EINVAL if there is no tracking, if it was not on to the end, since the last group
 * left the container, or if the range cuts a mapping.
 */
static int container_read_dirty(struct iommufd_ioas *ioas, u64 iova, u64 size,
				const struct vfio_bitmap *bitmap, bool clear)
{
	struct vfio_compat *compat = &ioas->object.ctx->compat;
	int rc;

	if (mutex_lock_killable(&compat->tracking_lock))
		return -EINTR;
	rc = container_read_tracked(ioas, iova, size, bitmap, clear);
	mutex_unlock(&compat->tracking_lock);
	return rc;
}

static int container_set_tracking(struct iommufd_ioas *ioas, bool enable)
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

static int container_get_bitmap(struct iommufd_ioas *ioas, void __user *user, u32 argsz)
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
	rc = container_check_bitmap(&range.bitmap, range.size);
	if (rc)
		return rc;
	return container_read_dirty(ioas, range.iova, range.size,
				    &range.bitmap, true);
}

/**
 * vfio_compat_dirty_pages - VFIO_IOMMU_DIRTY_PAGES
 * @ctx: The context
 * @user: struct vfio_iommu_type1_dirty_bitmap
 *
 * Return: 0, -ENODEV no IOAS stands for the container, -EACCES in version 1 of
 * type1, -EINVAL, -EFAULT, -EINTR killed, -ENOMEM.
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
		rc = container_get_bitmap(ioas, user, dirty.argsz);
	else
		rc = container_set_tracking(ioas, dirty.flags &
					    VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
	iommufd_object_put(&ioas->object);
	return rc;
}

static int container_prot(u32 flags)
{
	int prot = IOMMU_CACHE;

	if (flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	return prot;
}

static int container_check_map(const struct vfio_iommu_type1_dma_map *map)
{
	u64 end;

	if (!map->flags || (map->flags & ~MAP_FLAGS))
		return -EINVAL;
	if (!map->size || !PAGE_ALIGNED(map->size | map->iova | map->vaddr))
		return -EINVAL;
	if (check_add_overflow(map->iova, map->size - 1, &end) ||
	    check_add_overflow(map->vaddr, map->size, &end))
		return -EOVERFLOW;
	return 0;
}

/* Programs that know the container expect it to charge the process, always */
static int container_map_user(struct iommufd_ioas *ioas,
			      const struct vfio_iommu_type1_dma_map *map)
{
	struct iopt_request request = {
		.iova = map->iova,
		.fixed = true,
		.length = map->size,
		.prot = container_prot(map->flags),
		.mode = ACCOUNT_PROCESS,
		.address = map->vaddr,
		.areas = LIST_HEAD_INIT(request.areas),
	};

	return iopt_map_user(&ioas->iopt, &request);
}

/**
 * vfio_compat_map - VFIO_IOMMU_MAP_DMA
 * @ctx: The context
 * @user: struct vfio_iommu_type1_dma_map
 *
 * Return: 0, -ENODEV no IOAS stands for the container, -EINVAL, -EOVERFLOW,
 * -EFAULT, as iopt_map_user().
 */
int vfio_compat_map(struct iommufd_ctx *ctx, void __user *user)
{
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_ioas *ioas;
	int rc;

	if (copy_from_user(&map, user, offsetofend(typeof(map), size)))
		return -EFAULT;
	if (map.argsz < offsetofend(typeof(map), size))
		return -EINVAL;
	rc = container_check_map(&map);
	if (rc)
		return rc;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = container_map_user(ioas, &map);
	iommufd_object_put(&ioas->object);
	return rc;
}

/*
 * If it is wanted, first say which pages are dirty. Nothing is made clean, for
 * unmapping them could fail; what a device writes between the two is lost.
 */
static int container_unmap_range(struct iommufd_ioas *ioas,
				 const struct vfio_iommu_type1_dma_unmap *unmap,
				 const struct vfio_bitmap *bitmap,
				 unsigned long *unmapped)
{
	bool version1 = READ_ONCE(ioas->object.ctx->compat.version1);
	unsigned long last;
	int rc;

	if (!unmap->size || !PAGE_ALIGNED(unmap->size | unmap->iova))
		return -EINVAL;
	if (check_add_overflow(unmap->iova, unmap->size - 1, &last))
		return -EOVERFLOW;
	if (bitmap) {
		rc = container_check_bitmap(bitmap, unmap->size) ?:
		     container_read_dirty(ioas, unmap->iova, unmap->size,
					  bitmap, false);
		if (rc)
			return rc;
	}
	return iopt_unmap_type1(&ioas->iopt, unmap->iova, last, version1,
				unmapped);
}

static int container_unmap_all(struct iommufd_ioas *ioas,
			       const struct vfio_iommu_type1_dma_unmap *unmap,
			       unsigned long *unmapped)
{
	if (unmap->iova || unmap->size)
		return -EINVAL;
	return iopt_unmap_type1(&ioas->iopt, 0, ULONG_MAX, false, unmapped);
}

static int container_unmap_ioas(struct iommufd_ioas *ioas,
				const struct vfio_iommu_type1_dma_unmap *unmap,
				const struct vfio_bitmap *bitmap, unsigned long *unmapped)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL)
		return container_unmap_all(ioas, unmap, unmapped);
	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP))
		bitmap = NULL;
	return container_unmap_range(ioas, unmap, bitmap, unmapped);
}

static int container_copy_unmap(struct vfio_iommu_type1_dma_unmap *unmap,
				struct vfio_bitmap *bitmap, void __user *user)
{
	if (copy_from_user(unmap, user, sizeof(*unmap)))
		return -EFAULT;
	if (unmap->argsz < sizeof(*unmap) || (unmap->flags & ~UNMAP_FLAGS) ||
	    (unmap->flags & UNMAP_FLAGS) == UNMAP_FLAGS)
		return -EINVAL;
	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP))
		return 0;
	if (unmap->argsz < sizeof(*unmap) + sizeof(*bitmap))
		return -EINVAL;
	return copy_from_user(bitmap, user + sizeof(*unmap), sizeof(*bitmap)) ?
	       -EFAULT : 0;
}

/**
 * vfio_compat_unmap - VFIO_IOMMU_UNMAP_DMA
 * @ctx: The context
 * @user: struct vfio_iommu_type1_dma_unmap, with struct vfio_bitmap if it is
 *        wanted; the member size is set to the number of bytes removed, on success
 *        only
 *
 * Return: 0, also if there was nothing; -ENODEV no IOAS stands for the container,
 * -EINVAL, -EOVERFLOW, -EINTR killed, -ENOMEM, as iopt_unmap_type1(); -EFAULT
 * also if the result can't be told, the mappings are gone then.
 */
int vfio_compat_unmap(struct iommufd_ctx *ctx, void __user *user)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	int rc;

	rc = container_copy_unmap(&unmap, &bitmap, user);
	if (rc)
		return rc;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = container_unmap_ioas(ioas, &unmap, &bitmap, &unmapped);
	iommufd_object_put(&ioas->object);
	if (rc)
		return rc;
	unmap.size = unmapped;
	return copy_to_user(user, &unmap, sizeof(unmap)) ? -EFAULT : 0;
}
