// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every command, with every place failing that can.
 *
 * A command runs again and again in a new context, first with its first allocation
 * or other place failing, then its second, until none is left. Each time it must
 * either succeed or have changed nothing: what is compared is all that a program
 * can see. The kernel looks after the rest: use of freed memory, leaks, locks.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "fail_nth.h"
#include "mock_space.h"

#define IOVA MOCK_APERTURE_START
#define FREE_IOVA (IOVA + 0x10000000)
#define LENGTH (600 * PAGE)
/* No command may need more */
#define NTH_LIMIT 1000

/* A context and what is in it; ids are 0 and access -1 until they are made. */
struct context {
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock mock;
	int access;
	__u32 pin;
	uint8_t *memory;
	/* What the command made, to be told apart from what was there */
	struct mock new_mock;
	/* Page tables: a parent, and one that is nested in it */
	__u32 parent;
	__u32 nested;
	/* A page table that tracks dirty pages */
	__u32 tracking;
	/* A fault queue, and a page table that has it */
	__u32 queue;
	__u32 asking;
};

/* A command, and what there is to be before; @pins: it depends on the kind of memory */
struct scenario {
	const char *name;
	int (*prepare)(struct context *context);
	int (*run)(struct context *context);
	bool pins;
};

/* All that a program can see of a context. */
struct view {
	long pinned;
	long locked;
	__u32 next_id;
	__u32 ranges[2];
	__u64 alignment[2];
	struct iommu_iova_range first[2];
	int readable[2][2];
	int in_table[2];
	int dirty;
};

static __u32 next_id(int fd)
{
	__u32 id = 0;

	if (iommu_ioas_alloc(fd, &id) || iommu_destroy(fd, id))
		return 0;
	return id;
}

/* Is there something at both IOVAs? */
static void look_at_ioas(struct context *context, __u32 ioas, int *readable)
{
	uint8_t byte;
	int access;

	if (mock_access_create(context->fd, ioas, 0, &access))
		return;
	readable[0] = mock_access_read(context->fd, access, IOVA, &byte, 1);
	readable[1] = mock_access_read(context->fd, access, FREE_IOVA, &byte, 1);
	close(access);
}

/* Are the ends of the memory at an IOVA? */
static int look_at_table(struct context *context, __u64 iova)
{
	const __u64 end = LENGTH - PAGE;

	return mock_check_map(context->fd, context->mock.hwpt, iova, PAGE, context->memory) ? :
	       mock_check_map(context->fd, context->mock.hwpt, iova + end, PAGE,
			      context->memory + end);
}

static int read_dirty(struct context *context, __u32 flags, __u8 *bitmap)
{
	return iommu_hwpt_get_dirty_bitmap(context->fd, context->tracking, flags, IOVA, LENGTH,
					   PAGE, bitmap);
}

/* Is the first page dirty? */
static int look_at_dirty(struct context *context)
{
	__u8 bitmap[LENGTH / PAGE / 8] = {};

	return read_dirty(context, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, bitmap) ? : bitmap[0];
}

static void look(struct context *context, struct view *view)
{
	const __u32 ioas[2] = { context->ioas, context->other };
	int i;

	memset(view, 0, sizeof(*view));
	view->pinned = pages_pinned();
	view->locked = memory_status("VmLck");
	view->next_id = next_id(context->fd);
	for (i = 0; i < 2; i++) {
		view->ranges[i] = 1;
		iommu_ioas_iova_ranges(context->fd, ioas[i], &view->first[i], &view->ranges[i],
				       &view->alignment[i]);
		look_at_ioas(context, ioas[i], view->readable[i]);
	}
	view->in_table[0] = look_at_table(context, IOVA);
	view->in_table[1] = look_at_table(context, FREE_IOVA);
	view->dirty = look_at_dirty(context);
}

static int prepare_nothing(struct context *context)
{
	(void)context;
	return 0;
}

static int prepare_mapping(struct context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, context->memory, LENGTH,
				    IOMMU_MAP_RW, IOVA);
}

static int prepare_table(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->mock);
}

static int prepare_mapping_and_table(struct context *context)
{
	return prepare_mapping(context) ? : prepare_table(context);
}

/* The other IOAS has a copy of it, to be pinned together */
static int prepare_copy_and_table(struct context *context)
{
	return prepare_mapping_and_table(context) ? :
	       iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, LENGTH, context->other,
				     IOMMU_MAP_RW, IOVA);
}

/* The other IOAS has a mapping of its own */
static int prepare_two_mappings_and_table(struct context *context)
{
	return prepare_mapping_and_table(context) ? :
	       iommu_ioas_map_fixed(context->fd, context->other, context->memory, LENGTH,
				    IOMMU_MAP_RW, IOVA);
}

static int prepare_access(struct context *context)
{
	return prepare_mapping(context) ? :
	       mock_access_create(context->fd, context->ioas,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
}

static int prepare_access_and_table(struct context *context)
{
	return prepare_access(context) ? : prepare_table(context);
}

static int pin(struct context *context)
{
	return mock_access_pin(context->fd, context->access, IOVA + PAGE, LENGTH - 2 * PAGE,
			       MOCK_FLAGS_ACCESS_WRITE, context->memory + PAGE, &context->pin);
}

static int prepare_pin(struct context *context)
{
	return prepare_access(context) ? : pin(context);
}

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

static int prepare_dirty_page(struct context *context)
{
	static const __u8 bits = 1;

	return prepare_mapping_and_table(context) ? :
	       iommu_hwpt_alloc(context->fd, context->mock.idev, context->ioas,
				IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &context->tracking) ? :
	       enable_tracking(context) ? :
	       mock_dirty(context->fd, context->tracking, IOVA, PAGE, PAGE, &bits, NULL);
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

	return read_dirty(context, 0, bitmap);
}

static const struct scenario scenarios[] = {
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
	{ "HWPT_SET_DIRTY_TRACKING", prepare_dirty_page, enable_tracking, false },
	{ "HWPT_SET_DIRTY_TRACKING off", prepare_dirty_page, disable_tracking, false },
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
};

FIXTURE(mock_fail_nth)
{
	struct memory memory;
	int fail_nth;
};

FIXTURE_VARIANT(mock_fail_nth)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_fail_nth, anonymous) { MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_fail_nth, thp) { MEMORY_THP };
FIXTURE_VARIANT_ADD(mock_fail_nth, hugetlb) { MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(mock_fail_nth, memfd) { MEMORY_MEMFD };

FIXTURE_SETUP(mock_fail_nth)
{
	self->fail_nth = fail_nth_open();
	if (self->fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, self->fail_nth);
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, 2 * HUGE_PAGE));
	if (variant->kind == MEMORY_ANONYMOUS)
		memory_scatter(&self->memory, 17);
}

FIXTURE_TEARDOWN(mock_fail_nth)
{
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	close(self->fail_nth);
}

static int open_context(struct _test_data_mock_fail_nth *self, struct context *context)
{
	*context = (struct context){
		.fd = iommu_open(),
		.access = -1,
		/* Inside a huge page */
		.memory = self->memory.start + 3 * PAGE,
	};
	if (context->fd < 0)
		return context->fd;
	/* Process mode shows in VmLck */
	return iommu_option_set(context->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1) ? :
	       iommu_ioas_alloc(context->fd, &context->ioas) ? :
	       iommu_ioas_alloc(context->fd, &context->other);
}

static void close_context(struct context *context)
{
	if (context->access >= 0)
		close(context->access);
	close(context->fd);
}

/* What one attempt came to. */
struct attempt {
	int rc;
	bool something_failed;
	struct view before;
	struct view after;
};

static int try_once(struct _test_data_mock_fail_nth *self, const struct scenario *scenario,
		    unsigned int nth, struct attempt *attempt)
{
	struct context context;
	int rc = open_context(self, &context);

	if (!rc)
		rc = scenario->prepare(&context);
	if (!rc) {
		look(&context, &attempt->before);
		fail_nth_start(self->fail_nth, nth);
		attempt->rc = scenario->run(&context);
		attempt->something_failed = fail_nth_stop(self->fail_nth);
		look(&context, &attempt->after);
	}
	close_context(&context);
	return rc;
}

static bool same_view(const struct view *a, const struct view *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/*
 * A page table that seems not to fit has another made, so there may be more objects
 * than without failures.
 */
static bool same_but_for_ids(const struct view *a, const struct view *b)
{
	struct view c = *a;

	c.next_id = b->next_id;
	return same_view(&c, b);
}

/*
 * A command that has done its work and can not tell so fails with EFAULT, too; it
 * may have left all of it.
 */
static bool all_or_nothing(const struct attempt *attempt, const struct attempt *success)
{
	if (!attempt->rc)
		return same_but_for_ids(&attempt->after, &success->after);
	if (same_view(&attempt->after, &attempt->before))
		return true;
	return attempt->rc == -EFAULT && same_view(&attempt->after, &success->after);
}

static void print_view(const char *when, const struct view *view)
{
	int i;

	printf("# %s: pinned %ld, locked %ld, next id %u\n", when, view->pinned, view->locked,
	       view->next_id);
	for (i = 0; i < 2; i++)
		printf("#   IOAS %d: %u ranges, alignment %llu, readable %d %d\n", i,
		       view->ranges[i], view->alignment[i], view->readable[i][0],
		       view->readable[i][1]);
	printf("#   in page table %d %d, dirty %d\n", view->in_table[0], view->in_table[1],
	       view->dirty);
}

/* Returns how many places there are, or -1 */
static int sweep(struct _test_data_mock_fail_nth *self, const struct scenario *scenario)
{
	struct attempt success, attempt;
	unsigned int nth;

	if (try_once(self, scenario, 0, &success) || success.rc) {
		printf("# %s does not even work without failures\n", scenario->name);
		return -1;
	}
	for (nth = 1; nth < NTH_LIMIT; nth++) {
		if (try_once(self, scenario, nth, &attempt)) {
			printf("# %s, %u: preparation failed\n", scenario->name, nth);
			return -1;
		}
		if (pages_pinned() || !all_or_nothing(&attempt, &success)) {
			printf("# %s, %u: returned %d and left something\n", scenario->name, nth,
			       attempt.rc);
			print_view("before", &attempt.before);
			print_view("after", &attempt.after);
			return -1;
		}
		if (!attempt.something_failed)
			return attempt.rc ? -1 : (int)nth - 1;
	}
	return -1;
}

TEST_F_TIMEOUT(mock_fail_nth, every_command_does_all_or_nothing, 1200)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		int places;

		if (variant->kind != MEMORY_ANONYMOUS && !scenarios[i].pins)
			continue;
		places = sweep(self, &scenarios[i]);
		EXPECT_LE(0, places);
		printf("# %s: %d places\n", scenarios[i].name, places);
	}
}

TEST_HARNESS_MAIN
