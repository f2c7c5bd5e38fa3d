// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every command, with every place failing that can.
 */
#include "fail_nth_sweep.h"
#include "vfio_container.h"

/*
 * Commands of IOAS, page tables, devices and accesses, with every place failing.
 */

static int alloc_parent(struct context *context)
{
	return iommu_hwpt_alloc(context->fd, context->mock.idev, context->ioas,
				IOMMU_HWPT_ALLOC_NEST_PARENT, &context->parent);
}

static int alloc_nested(struct context *context)
{
	const struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };

	return iommu_hwpt_alloc_data(context->fd, context->mock.idev, context->parent, 0,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data),
				     &context->nested);
}

/* On the IOAS where the device is not, so that the mappings there get pinned */
static int alloc_table_of_other(struct context *context)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_DEFAULT };
	__u32 hwpt;

	return iommu_hwpt_alloc_data(context->fd, context->mock.idev, context->other, 0,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), &hwpt);
}

static int prepare_parent(struct context *context)
{
	return prepare_mapping_and_table(context) ? : alloc_parent(context);
}

static int prepare_nested(struct context *context)
{
	return prepare_parent(context) ? : alloc_nested(context);
}

static int replace_by(struct context *context, __u32 pt_id)
{
	return mock_replace(context->fd, context->mock.id, &pt_id);
}

static int replace_by_parent(struct context *context)
{
	return replace_by(context, context->parent);
}

static int replace_by_nested(struct context *context)
{
	return replace_by(context, context->nested);
}

static int prepare_attached_to_nested(struct context *context)
{
	return prepare_nested(context) ? : replace_by_nested(context);
}

/* Its file would keep the context */
static int alloc_queue(struct context *context)
{
	int file, rc;

	rc = iommu_fault_queue_alloc(context->fd, &context->queue, &file);
	if (!rc)
		close(file);
	return rc;
}

static int alloc_asking(struct context *context)
{
	return iommu_hwpt_alloc_fault(context->fd, context->mock.idev, context->ioas, 0,
				      context->queue, &context->asking);
}

static int prepare_queue(struct context *context)
{
	return prepare_mapping_and_table(context) ? : alloc_queue(context);
}

static int prepare_asking(struct context *context)
{
	return prepare_queue(context) ? : alloc_asking(context);
}

static int attach_to_asking(struct context *context)
{
	return mock_attach(context->fd, context->asking, &context->new_mock);
}

static int replace_by_asking(struct context *context)
{
	return replace_by(context, context->asking);
}

static int attach_to_nested(struct context *context)
{
	return mock_attach(context->fd, context->nested, &context->new_mock);
}

static int destroy_nested(struct context *context)
{
	return iommu_destroy(context->fd, context->nested);
}

static int destroy_parent(struct context *context)
{
	return iommu_destroy(context->fd, context->parent);
}

static int invalidate(struct context *context)
{
	const struct iommu_hwpt_invalidate_selftest entries[2] = {};
	__u32 count = 2;

	return iommu_hwpt_invalidate(context->fd, context->nested,
				     IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, entries,
				     sizeof(entries[0]), &count);
}

static int get_hw_info(struct context *context)
{
	struct iommu_test_hw_info data;
	struct iommu_hw_info info;

	return iommu_get_hw_info(context->fd, context->mock.idev, &data, sizeof(data), &info);
}

static int enable_tracking(struct context *context)
{
	return iommu_hwpt_set_dirty_tracking(context->fd, context->tracking,
					     IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
}

static int prepare_untracked(struct context *context)
{
	return prepare_mapping_and_table(context) ? :
	       iommu_hwpt_alloc(context->fd, context->mock.idev, context->ioas,
				IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &context->tracking);
}

static int prepare_tracking(struct context *context)
{
	return prepare_untracked(context) ? : enable_tracking(context);
}

/* A device writes to the first page */
static int make_dirty(struct context *context)
{
	static const __u8 bits = 1;

	return mock_dirty(context->fd, context->tracking, IOVA, PAGE, PAGE, &bits, NULL);
}

static int prepare_dirty_page(struct context *context)
{
	return prepare_tracking(context) ? : make_dirty(context);
}

static int open_device(struct context *context)
{
	int fd = iommu_open();

	(void)context;
	if (fd < 0)
		return fd;
	return close(fd) ? -errno : 0;
}

static int alloc_ioas(struct context *context)
{
	__u32 id;

	return iommu_ioas_alloc(context->fd, &id);
}

static int destroy_ioas(struct context *context)
{
	return iommu_destroy(context->fd, context->other);
}

static int read_ranges(struct context *context)
{
	struct iommu_iova_range ranges[4];
	__u32 count = 4;

	return iommu_ioas_iova_ranges(context->fd, context->ioas, ranges, &count, NULL);
}

static int allow(struct context *context)
{
	static const struct iommu_iova_range ranges[] = {
		{ IOVA, IOVA + LENGTH }, { FREE_IOVA, FREE_IOVA + LENGTH },
	};

	return iommu_ioas_allow_iovas(context->fd, context->other, ranges, 2);
}

static int map(struct context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, context->memory, LENGTH,
				    IOMMU_MAP_RW, FREE_IOVA);
}

static int map_anywhere(struct context *context)
{
	__u64 iova;

	return iommu_ioas_map(context->fd, context->ioas, context->memory, PAGE, IOMMU_MAP_RW,
			      &iova);
}

static int copy(struct context *context)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, LENGTH, context->ioas,
				     IOMMU_MAP_RW, FREE_IOVA);
}

static int copy_to_other(struct context *context)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, LENGTH, context->other,
				     IOMMU_MAP_RW, FREE_IOVA);
}

static int unmap(struct context *context)
{
	return iommu_ioas_unmap(context->fd, context->ioas, IOVA, LENGTH, NULL);
}

static int unmap_all(struct context *context)
{
	return iommu_ioas_unmap_all(context->fd, context->ioas, NULL);
}

static int set_huge_pages(struct context *context)
{
	return iommu_option_set(context->fd, IOMMU_OPTION_HUGE_PAGES, context->other, 0);
}

static int set_vfio_ioas(struct context *context)
{
	return iommu_vfio_ioas_set(context->fd, context->ioas);
}

static int reserve(struct context *context)
{
	return mock_add_reserved(context->fd, context->other, 0, PAGE);
}

static int attach(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->new_mock);
}

static int attach_to_other(struct context *context)
{
	return mock_attach(context->fd, context->other, &context->new_mock);
}

static int replace(struct context *context)
{
	__u32 pt_id = context->other;

	return mock_replace(context->fd, context->mock.id, &pt_id);
}

static int detach(struct context *context)
{
	return iommu_destroy(context->fd, context->mock.id);
}

static int create_access(struct context *context)
{
	return mock_access_create(context->fd, context->other,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
}

static int replace_access(struct context *context)
{
	return mock_access_replace(context->fd, context->access, context->other);
}

static int unpin(struct context *context)
{
	return mock_access_unpin(context->fd, context->access, context->pin);
}

/* Contents are not compared: a failed write may have begun. */
static int read_or_write(struct context *context, __u32 flags)
{
	uint8_t bytes[3 * PAGE] = {};

	return mock_access_rw(context->fd, context->access, IOVA + 100, bytes, sizeof(bytes),
			      flags);
}

static int read_memory(struct context *context)
{
	return read_or_write(context, 0);
}

static int write_memory(struct context *context)
{
	return read_or_write(context, MOCK_ACCESS_RW_WRITE);
}

static int write_foreign_memory(struct context *context)
{
	return read_or_write(context, MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH);
}

static int disable_tracking(struct context *context)
{
	return iommu_hwpt_set_dirty_tracking(context->fd, context->tracking, 0);
}

static int collect_dirty(struct context *context)
{
	__u8 bitmap[LENGTH / PAGE / 8] = {};

	return context_read_dirty(context, 0, bitmap);
}

/*
 * Requests of VFIO's container, with every place failing.
 */

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

static int map_dma(struct context *context)
{
	return vfio_container_map(context->fd, context->memory, LENGTH, VFIO_MAP_RW, IOVA);
}

static int unmap_range(struct context *context, __u64 iova, __u64 length)
{
	__u64 unmapped;

	return vfio_container_unmap(context->fd, iova, length, &unmapped);
}

static int unmap_dma(struct context *context)
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

static int prepare_dirty_container(struct context *context)
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

/*
 * Attaching and moving PASIDs, with every place failing.
 *
 * What a PASID is attached to shows in no view of a context, so it is looked at here.
 */

#define PASID 100

static int alloc_for_pasids(struct context *context, __u32 *hwpt)
{
	return iommu_hwpt_alloc_fault(context->fd, context->mock.idev, context->ioas,
				      IOMMU_HWPT_ALLOC_PASID, context->queue, hwpt);
}

/* A device with PASIDs, and two page tables for them with a fault queue */
static int prepare_pasid_tables(struct context *context)
{
	int file;

	if (mock_attach_flags(context->fd, context->ioas, MOCK_FLAGS_DEVICE_PASID,
			      &context->mock) ||
	    iommu_fault_queue_alloc(context->fd, &context->queue, &file))
		return -1;
	close(file);
	return alloc_for_pasids(context, &context->parent) ? :
	       alloc_for_pasids(context, &context->asking) ? :
	       mock_replace(context->fd, context->mock.id, &(__u32){ context->parent });
}

/* A command that failed has left the PASID where it was. */
static int check(struct context *context, int rc, __u32 before)
{
	if (rc && mock_pasid_check(context->fd, context->mock.id, PASID, before))
		return -EUCLEAN;
	return rc;
}

static int attach_pasid(struct context *context)
{
	__u32 pt_id = context->asking;

	return check(context, mock_pasid_attach(context->fd, context->mock.id, PASID, &pt_id), 0);
}

static int prepare_attached(struct context *context)
{
	return prepare_pasid_tables(context) ? : attach_pasid(context);
}

static int replace_pasid(struct context *context)
{
	__u32 pt_id = context->parent;

	return check(context, mock_pasid_replace(context->fd, context->mock.id, PASID, &pt_id),
		     context->asking);
}

static int detach_pasid(struct context *context)
{
	return mock_pasid_detach(context->fd, context->mock.id, PASID);
}

/*
 * Commands that work on several areas, or on a part of what is pinned, with every
 * place failing: what was done of the first pieces has to be undone.
 */

/* Small pages and behind them huge ones */
#define MIXED_LENGTH (3 * HUGE_PAGE)

static int map_at(struct context *context, const void *address, __u64 length, __u64 iova)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, address, length, IOMMU_MAP_RW,
				    iova);
}

static int copy_piece(struct context *context, __u64 iova, __u64 length)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, iova, length, context->ioas,
				     IOMMU_MAP_RW, FREE_IOVA);
}

static int prepare_adjacent(struct context *context)
{
	return prepare_mapping(context) ? :
	       map_at(context, context->memory, LENGTH, IOVA + LENGTH) ? : prepare_table(context);
}

static int copy_adjacent(struct context *context)
{
	return copy_piece(context, IOVA, 2 * LENGTH);
}

static int prepare_far_apart(struct context *context)
{
	return prepare_mapping(context) ? : map_at(context, context->memory, LENGTH, FREE_IOVA);
}

static int attach_device(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->new_mock);
}

static int copy_middle(struct context *context)
{
	return copy_piece(context, IOVA + LENGTH / 3, LENGTH / 3);
}

/* Stays for all attempts, at a multiple of the size of a huge page */
static uint8_t *mixed_memory(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	static uint8_t *mixed;
	uint8_t *space;

	if (mixed)
		return mixed;
	space = mmap(NULL, MIXED_LENGTH + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (space == MAP_FAILED)
		return NULL;
	space += HUGE_PAGE - (uintptr_t)space % HUGE_PAGE;
	if (mmap(space, HUGE_PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ||
	    mmap(space + HUGE_PAGE, MIXED_LENGTH - HUGE_PAGE, PROT_READ | PROT_WRITE,
		 flags | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		return NULL;
	madvise(space, HUGE_PAGE, MADV_NOHUGEPAGE);
	memset(space, 1, MIXED_LENGTH);
	mixed = space;
	return mixed;
}

static int prepare_mixed(struct context *context)
{
	return mixed_memory() ? prepare_table(context) : -ENOMEM;
}

static int map_mixed(struct context *context)
{
	return map_at(context, mixed_memory(), MIXED_LENGTH, FREE_IOVA);
}

const struct scenario scenarios[] = {
	{ "open", prepare_nothing, open_device, false },
	{ "IOAS_ALLOC", prepare_nothing, alloc_ioas, false },
	{ "DESTROY of an IOAS", prepare_copy_and_table, destroy_ioas, false },
	{ "IOAS_IOVA_RANGES", prepare_table, read_ranges, false },
	{ "IOAS_ALLOW_IOVAS", prepare_nothing, allow, false },
	{ "IOAS_MAP without page table", prepare_nothing, map, false },
	{ "IOAS_MAP with page table", prepare_table, map, true },
	{ "IOAS_MAP of pinned memory", prepare_pin, map, true },
	{ "IOAS_MAP at any IOVA", prepare_table, map_anywhere, false },
	{ "IOAS_COPY without page table", prepare_mapping, copy, false },
	{ "IOAS_COPY with page table", prepare_mapping_and_table, copy, false },
	{ "IOAS_COPY to another IOAS", prepare_mapping_and_table, copy_to_other, false },
	{ "IOAS_UNMAP without page table", prepare_mapping, unmap, false },
	{ "IOAS_UNMAP with page table", prepare_mapping_and_table, unmap, false },
	{ "IOAS_UNMAP of pinned memory", prepare_pin, unmap, false },
	{ "IOAS_UNMAP of everything", prepare_copy_and_table, unmap_all, false },
	{ "OPTION", prepare_nothing, set_huge_pages, false },
	{ "VFIO_IOAS", prepare_nothing, set_vfio_ioas, false },
	{ "HWPT_SET_DIRTY_TRACKING", prepare_untracked, enable_tracking, false },
	{ "HWPT_SET_DIRTY_TRACKING again", prepare_dirty_page, enable_tracking, false },
	{ "HWPT_SET_DIRTY_TRACKING off", prepare_dirty_page, disable_tracking, false },
	{ "writing by a device", prepare_tracking, make_dirty, false },
	{ "HWPT_GET_DIRTY_BITMAP", prepare_dirty_page, collect_dirty, false },
	{ "reserving a range", prepare_nothing, reserve, false },
	{ "attach without mapping", prepare_nothing, attach, false },
	{ "attach with mapping", prepare_mapping, attach, true },
	{ "attach with pinned mapping", prepare_pin, attach, false },
	{ "attach of a second device", prepare_mapping_and_table, attach, false },
	{ "attach to a copy", prepare_copy_and_table, attach_to_other, false },
	{ "replace by a copy", prepare_copy_and_table, replace, false },
	{ "replace by another mapping", prepare_two_mappings_and_table, replace, true },
	{ "detach", prepare_mapping_and_table, detach, false },
	{ "HWPT_ALLOC beside another one", prepare_mapping_and_table, alloc_parent, false },
	{ "HWPT_ALLOC on a mapping", prepare_two_mappings_and_table, alloc_table_of_other, true },
	{ "HWPT_ALLOC of a nested one", prepare_parent, alloc_nested, false },
	{ "HWPT_INVALIDATE", prepare_nested, invalidate, false },
	{ "GET_HW_INFO", prepare_table, get_hw_info, false },
	{ "DESTROY of a page table", prepare_parent, destroy_parent, false },
	{ "DESTROY of a nested page table", prepare_nested, destroy_nested, false },
	{ "attach to a nested page table", prepare_nested, attach_to_nested, false },
	{ "replace by a page table", prepare_parent, replace_by_parent, false },
	{ "replace by a nested page table", prepare_nested, replace_by_nested, false },
	{ "replace of a nested page table", prepare_attached_to_nested, replace_by_parent, false },
	{ "FAULT_QUEUE_ALLOC", prepare_nothing, alloc_queue, false },
	{ "HWPT_ALLOC with a fault queue", prepare_queue, alloc_asking, false },
	{ "attach with a fault queue", prepare_asking, attach_to_asking, false },
	{ "replace by one with a fault queue", prepare_asking, replace_by_asking, false },
	{ "making an access", prepare_nothing, create_access, false },
	{ "replacing the IOAS of an access", prepare_pin, replace_access, false },
	{ "pinning by an access", prepare_access, pin, true },
	{ "pinning by an access with page table", prepare_access_and_table, pin, false },
	{ "unpinning by an access", prepare_pin, unpin, false },
	{ "reading by an access", prepare_access, read_memory, false },
	{ "writing by an access", prepare_access, write_memory, false },
	{ "writing by an access with page table", prepare_access_and_table, write_memory, false },
	{ "writing by an access of another process", prepare_access, write_foreign_memory, false },

	{ "VFIO_SET_IOMMU", prepare_container, set_iommu, false },
	{ "VFIO_IOMMU_GET_INFO", prepare_container, read_info, false },
	{ "VFIO_IOMMU_MAP_DMA", prepare_container, map_dma, true },
	{ "VFIO_IOMMU_UNMAP_DMA", prepare_container_with_mapping, unmap_dma, false },
	{ "VFIO_IOMMU_UNMAP_DMA of the middle", prepare_old_container, unmap_middle, true },
	{ "VFIO_IOMMU_UNMAP_DMA with a bitmap", prepare_dirty_container, unmap_dirty, true },
	{ "VFIO_IOMMU_DIRTY_PAGES", prepare_container_with_mapping, track_and_read, true },

	{ "attaching a PASID", prepare_pasid_tables, attach_pasid, false },
	{ "moving a PASID", prepare_attached, replace_pasid, false },
	{ "detaching a PASID", prepare_attached, detach_pasid, false },

	{ "IOAS_COPY of two mappings", prepare_adjacent, copy_adjacent, true },
	{ "attach with two mappings", prepare_far_apart, attach_device, true },
	{ "IOAS_COPY of a part of a mapping", prepare_mapping_and_table, copy_middle, true },
	{ "IOAS_MAP of small and huge pages", prepare_mixed, map_mixed, false },
};

const size_t scenario_count = ARRAY_SIZE(scenarios);

TEST_HARNESS_MAIN
