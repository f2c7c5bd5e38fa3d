// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of VFIO's container, with every place failing.
 */
#include "fail_nth_sweep.h"
#include "vfio_container.h"

/* The IOAS stands for a container */
static int prepare_container(struct context *context)
{
	return prepare_table(context) ? : iommu_vfio_ioas_set(context->fd, context->ioas);
}

static int prepare_container_with_mapping(struct context *context)
{
	return prepare_mapping(context) ? : prepare_container(context);
}

/* One whose mappings can be cut */
static int prepare_old_container(struct context *context)
{
	return iommu_vfio_ioas_set(context->fd, context->ioas) ? :
	       vfio_container_set_iommu(context->fd, VFIO_TYPE1_IOMMU) ? :
	       prepare_container_with_mapping(context);
}

static int set_iommu(struct context *context)
{
	return vfio_container_set_iommu(context->fd, VFIO_TYPE1v2_IOMMU);
}

static int read_info(struct context *context)
{
	union vfio_container_info info;

	return vfio_container_info(context->fd, &info);
}

static int map(struct context *context)
{
	return vfio_container_map(context->fd, context->memory, LENGTH, VFIO_MAP_RW, IOVA);
}

static int unmap_range(struct context *context, __u64 iova, __u64 length)
{
	__u64 unmapped;

	return vfio_container_unmap(context->fd, iova, length, &unmapped);
}

static int unmap(struct context *context)
{
	return unmap_range(context, IOVA, LENGTH);
}

static int unmap_middle(struct context *context)
{
	return unmap_range(context, IOVA + 10 * PAGE, 20 * PAGE);
}

/* What the devices of a container without a device of its own have written */
static int track(struct context *context)
{
	return vfio_container_track(context->fd, VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
}

static int prepare_tracking(struct context *context)
{
	return prepare_container_with_mapping(context) ? : track(context);
}

static struct vfio_bitmap bitmap_of_mapping(void)
{
	static __u64 bits[(LENGTH / PAGE + 63) / 64];

	return (struct vfio_bitmap){ .pgsize = PAGE, .size = sizeof(bits), .data = bits };
}

static int track_and_read(struct context *context)
{
	struct vfio_bitmap bitmap = bitmap_of_mapping();

	return track(context) ? : vfio_container_dirty(context->fd, IOVA, LENGTH, &bitmap);
}

static int unmap_dirty(struct context *context)
{
	struct vfio_bitmap bitmap = bitmap_of_mapping();
	__u64 unmapped;

	return vfio_container_unmap_dirty(context->fd, IOVA, LENGTH, &bitmap, &unmapped);
}

const struct scenario scenarios[] = {
	{ "VFIO_SET_IOMMU", prepare_container, set_iommu, false },
	{ "VFIO_IOMMU_GET_INFO", prepare_container, read_info, false },
	{ "VFIO_IOMMU_MAP_DMA", prepare_container, map, true },
	{ "VFIO_IOMMU_UNMAP_DMA", prepare_container_with_mapping, unmap, false },
	{ "VFIO_IOMMU_UNMAP_DMA of the middle", prepare_old_container, unmap_middle, true },
	{ "VFIO_IOMMU_UNMAP_DMA with a bitmap", prepare_tracking, unmap_dirty, true },
	{ "VFIO_IOMMU_DIRTY_PAGES", prepare_container_with_mapping, track_and_read, true },
};

const size_t scenario_count = ARRAY_SIZE(scenarios);

TEST_HARNESS_MAIN
