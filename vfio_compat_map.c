// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container's mappings: VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA.
 *
 * Owns the checks that type1 makes and the errors that it gives, which differ
 * from those of the IOAS. It must never know how anything is mapped.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <uapi/linux/vfio.h>

#include "ioas.h"
#include "vfio_compat.h"

#define MAP_FLAGS (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define UNMAP_FLAGS                                                           \
	(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL)

static int map_prot(u32 flags)
{
	int prot = IOMMU_CACHE;

	if (flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;
	return prot;
}

static int check_map(const struct vfio_iommu_type1_dma_map *map)
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
static int map_user(struct iommufd_ioas *ioas,
		    const struct vfio_iommu_type1_dma_map *map)
{
	struct iopt_user user = {
		.mode = ACCOUNT_PROCESS,
		.address = map->vaddr,
		.length = map->size,
		.prot = map_prot(map->flags),
		.fixed = true,
	};
	unsigned long iova = map->iova;

	return iopt_map_user(&ioas->iopt, &user, &iova);
}

/**
 * vfio_compat_map - VFIO_IOMMU_MAP_DMA
 * @ctx: The context
 * @user: struct vfio_iommu_type1_dma_map
 *
 * Return: 0, -ENODEV no IOAS stands for the container, -EINVAL, -EOVERFLOW,
 * -EFAULT, as iopt_map().
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
	rc = check_map(&map);
	if (rc)
		return rc;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = map_user(ioas, &map);
	iommufd_object_put(&ioas->object);
	return rc;
}

/*
 * If it is wanted, first say which pages are dirty. Nothing is made clean, for
 * unmapping them could fail; what a device writes between the two is lost.
 */
static int unmap_range(struct iommufd_ioas *ioas,
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
		rc = vfio_compat_check_bitmap(bitmap, unmap->size) ?:
		     vfio_compat_read_dirty(ioas, unmap->iova, unmap->size,
					    bitmap, false);
		if (rc)
			return rc;
	}
	return iopt_unmap_type1(&ioas->iopt, unmap->iova, last, version1,
				unmapped);
}

static int unmap_all(struct iommufd_ioas *ioas,
		     const struct vfio_iommu_type1_dma_unmap *unmap,
		     unsigned long *unmapped)
{
	if (unmap->iova || unmap->size)
		return -EINVAL;
	return iopt_unmap_type1(&ioas->iopt, 0, ULONG_MAX, false, unmapped);
}

static int unmap_ioas(struct iommufd_ioas *ioas,
		      const struct vfio_iommu_type1_dma_unmap *unmap,
		      const struct vfio_bitmap *bitmap, unsigned long *unmapped)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL)
		return unmap_all(ioas, unmap, unmapped);
	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP))
		bitmap = NULL;
	return unmap_range(ioas, unmap, bitmap, unmapped);
}

static int copy_unmap(struct vfio_iommu_type1_dma_unmap *unmap,
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
 * -EINVAL, -EOVERFLOW, as iopt_unmap_type1() and vfio_compat_read_dirty(); -EFAULT
 * also if the result can't be told, the mappings are gone then.
 */
int vfio_compat_unmap(struct iommufd_ctx *ctx, void __user *user)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	int rc;

	rc = copy_unmap(&unmap, &bitmap, user);
	if (rc)
		return rc;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = unmap_ioas(ioas, &unmap, &bitmap, &unmapped);
	iommufd_object_put(&ioas->object);
	if (rc)
		return rc;
	unmap.size = unmapped;
	return copy_to_user(user, &unmap, sizeof(unmap)) ? -EFAULT : 0;
}
