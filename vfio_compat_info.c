// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the container says of itself: VFIO_CHECK_EXTENSION and
 * VFIO_IOMMU_GET_INFO.
 *
 * Owns the answers and the layout of the chain of capabilities.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <uapi/linux/vfio.h>

#include "group.h"
#include "ioas.h"
#include "vfio_compat.h"

/* Mappings that may be made: no limit but memory */
#define DMA_AVAIL U32_MAX

/* Bytes of a dirty bitmap of all IOVAs: none is too large */
#define DIRTY_BITMAP_MAX (1ULL << (64 - PAGE_SHIFT - 3))

/**
 * vfio_compat_check_extension - VFIO_CHECK_EXTENSION
 * @ctx: The context
 * @extension: What is asked for
 *
 * Programs look for nothing but zero or not, so this never fails.
 *
 * Return: 1 or 0.
 */
int vfio_compat_check_extension(struct iommufd_ctx *ctx,
				unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ctx->compat.no_iommu);
	case VFIO_DMA_CC_IOMMU:
		return device_groups_enforce_coherency(ctx);
	case VFIO_NOIOMMU_IOMMU:
		return IS_ENABLED(CONFIG_VFIO_NOIOMMU);
	default:
		return 0;
	}
}

/* The structure and behind it the capabilities, as user space gets them */
struct info {
	struct vfio_iommu_type1_info *start;
	/* Bytes used */
	u32 size;
	/* Where the offset of the next capability is to be written */
	u32 *next;
};

/* There is room: info_alloc() made it */
static void *add_capability(struct info *info, u16 id, size_t size)
{
	struct vfio_info_cap_header *header =
		(void *)info->start + info->size;

	header->id = id;
	header->version = 1;
	*info->next = info->size;
	info->next = &header->next;
	info->size += ALIGN(size, sizeof(u64));
	return header;
}

/* A bit of the dirty bitmap is always for the smallest page */
static void add_migration(struct info *info)
{
	struct vfio_iommu_type1_info_cap_migration *capability;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
				    sizeof(*capability));
	capability->pgsize_bitmap = PAGE_SIZE;
	capability->max_dirty_bitmap_size = DIRTY_BITMAP_MAX;
}

static void add_avail(struct info *info)
{
	struct vfio_iommu_type1_info_dma_avail *capability;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
				    sizeof(*capability));
	capability->avail = DMA_AVAIL;
}

static void add_ranges(struct info *info, const struct iommu_iova_range *ranges,
		       unsigned int count)
{
	struct vfio_iommu_type1_info_cap_iova_range *capability;
	unsigned int i;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
				    struct_size(capability, iova_ranges,
						count));
	capability->nr_iovas = count;
	for (i = 0; i < count; i++) {
		capability->iova_ranges[i].start = ranges[i].start;
		capability->iova_ranges[i].end = ranges[i].last;
	}
}

static int info_alloc(struct info *info, unsigned int nranges)
{
	size_t size = sizeof(*info->start) +
		      sizeof(struct vfio_iommu_type1_info_cap_migration) +
		      ALIGN(sizeof(struct vfio_iommu_type1_info_dma_avail),
			    sizeof(u64)) +
		      struct_size_t(struct vfio_iommu_type1_info_cap_iova_range,
				    iova_ranges, nranges);

	info->start = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!info->start)
		return -ENOMEM;
	info->size = sizeof(*info->start);
	info->next = &info->start->cap_offset;
	return 0;
}

/* Sizes below a page are of no use to programs, but a page is made of them */
static u64 page_sizes(struct io_pagetable *iopt)
{
	u64 sizes = iopt_page_sizes(iopt);

	return sizes & ~PAGE_MASK ? (sizes & PAGE_MASK) | PAGE_SIZE : sizes;
}

static int make_info(struct iommufd_ioas *ioas, struct info *info)
{
	struct iommu_iova_range *ranges;
	unsigned long alignment;
	unsigned int count;
	int rc;

	ranges = iommufd_ioas_ranges(ioas, &count, &alignment);
	if (!ranges)
		return -ENOMEM;
	rc = info_alloc(info, count);
	if (!rc) {
		info->start->flags = VFIO_IOMMU_INFO_PGSIZES |
				     VFIO_IOMMU_INFO_CAPS;
		info->start->iova_pgsizes = page_sizes(&ioas->iopt);
		add_migration(info);
		add_avail(info);
		add_ranges(info, ranges, count);
	}
	kvfree(ranges);
	return rc;
}

/* If the capabilities don't fit, say how much would do */
static int copy_info(struct info *info, void __user *user, u32 user_size)
{
	u32 size = info->size;

	info->start->argsz = user_size;
	if (user_size < info->size) {
		info->start->argsz = info->size;
		info->start->cap_offset = 0;
		size = min_t(u32, user_size, sizeof(*info->start));
	}
	return copy_to_user(user, info->start, size) ? -EFAULT : 0;
}

/**
 * vfio_compat_get_info - VFIO_IOMMU_GET_INFO
 * @ctx: The context
 * @user: struct vfio_iommu_type1_info and room for capabilities
 *
 * Return: 0, -ENODEV no IOAS stands for the container, -EINVAL, -EFAULT, -ENOMEM.
 */
int vfio_compat_get_info(struct iommufd_ctx *ctx, void __user *user)
{
	struct iommufd_ioas *ioas;
	struct info info;
	u32 user_size;
	int rc;

	if (get_user(user_size, (u32 __user *)user))
		return -EFAULT;
	if (user_size < offsetofend(struct vfio_iommu_type1_info, iova_pgsizes))
		return -EINVAL;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = make_info(ioas, &info);
	iommufd_object_put(&ioas->object);
	if (rc)
		return rc;
	rc = copy_info(&info, user, user_size);
	kvfree(info.start);
	return rc;
}
