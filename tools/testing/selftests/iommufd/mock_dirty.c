// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_HWPT_SET_DIRTY_TRACKING and IOMMU_HWPT_GET_DIRTY_BITMAP: what they accept, and
 * which page tables can track.
 *
 * Owns every check and its place in the order, and the memory of the bitmap. What is
 * dirty after a write is in mock_dirty_entries.c.
 */
#include <pthread.h>

#include <kselftest_harness.h>

#include "dirty_table.h"
#include "guard_page.h"
#include "slow_memory.h"

#define NO_ID 0x7fffffff
#define SIZE (16 * PAGE)
#define BITS (SIZE / PAGE)

FIXTURE(mock_dirty)
{
	struct dirty_table table;
	/* On the same IOAS, without dirty tracking */
	__u32 plain;
	__u8 bitmap[SIZE / MOCK_PAGE_SIZE];
};

FIXTURE_SETUP(mock_dirty)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_open(table, MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, iommu_hwpt_alloc(table->fd, table->device.idev, table->ioas, 0,
				      &self->plain));
}

FIXTURE_TEARDOWN(mock_dirty)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static int set(struct _test_data_mock_dirty *self, __u32 id, __u32 flags)
{
	return iommu_hwpt_set_dirty_tracking(self->table.fd, id, flags);
}

/* A call that succeeds but for what the test says. */
static int get(struct _test_data_mock_dirty *self, struct iommu_hwpt_get_dirty_bitmap cmd)
{
	cmd.size = sizeof(cmd);
	cmd.data = (uintptr_t)self->bitmap;
	return iommu_ioctl(self->table.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* How many pages are dirty; stays as it is. */
static size_t count_dirty(struct _test_data_mock_dirty *self)
{
	memset(self->bitmap, 0, sizeof(self->bitmap));
	if (dirty_table_peek(&self->table, DIRTY_IOVA, SIZE, PAGE, self->bitmap))
		return SIZE_MAX;
	return count_set(self->bitmap, BITS);
}

static int write_all(struct _test_data_mock_dirty *self)
{
	return dirty_table_write(&self->table, DIRTY_IOVA, SIZE);
}

TEST_F(mock_dirty, set_unknown_flags_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, set(self, self->table.hwpt, 1U << bit));
	/* Before the id is looked at */
	EXPECT_EQ(-EOPNOTSUPP, set(self, NO_ID, 2));
}

TEST_F(mock_dirty, set_of_what_is_no_page_table_is_ENOENT)
{
	struct dirty_table *table = &self->table;
	const __u32 ids[] = { 0, NO_ID, table->ioas, table->device.id, table->device.idev };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(-ENOENT, set(self, ids[i], IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
}

TEST_F(mock_dirty, set_of_a_page_table_that_does_not_track_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->plain, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->plain, 0));
	/* One that was made by an attach */
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->table.device.hwpt,
				   IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
}

TEST_F(mock_dirty, set_does_not_look_at_what_is_reserved)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .hwpt_id = self->table.hwpt, .__reserved = 1,
	};

	EXPECT_EQ(0, iommu_ioctl(self->table.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd));
}

TEST_F(mock_dirty, enable_and_disable_can_be_repeated)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, set(self, self->table.hwpt, 0));
	EXPECT_EQ(-EINVAL, write_all(self));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, enable_forgets_what_was_dirty)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, count_dirty(self));
	/* And not how to see it again */
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));

	ASSERT_EQ(0, set(self, self->table.hwpt, 0));
	ASSERT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, count_dirty(self));
}

TEST_F(mock_dirty, enable_forgets_in_all_mappings)
{
	struct dirty_table *table = &self->table;
	const __u64 far = DIRTY_IOVA + 0x40000000;
	__u8 bitmap[2] = {};

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, SIZE,
					  IOMMU_MAP_RW, far));
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, dirty_table_write(table, far, SIZE));
	ASSERT_EQ(0, dirty_table_enable(table));
	EXPECT_EQ(0, count_dirty(self));
	EXPECT_EQ(0, dirty_table_read(table, far, SIZE, PAGE, bitmap));
	EXPECT_EQ(0, count_set(bitmap, BITS));
}

TEST_F(mock_dirty, enable_works_without_any_mapping)
{
	ASSERT_EQ(0, dirty_table_unmap(&self->table));
	EXPECT_EQ(0, dirty_table_enable(&self->table));
}

TEST_F(mock_dirty, disable_forgets_nothing)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, set(self, self->table.hwpt, 0));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, get_is_0_if_tracking_was_never_enabled)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_alloc(table, MOCK_IOMMUPT_DEFAULT, &table->hwpt));
	EXPECT_EQ(0, count_dirty(self));
}

TEST_F(mock_dirty, get_unknown_flags_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, get(self, (struct iommu_hwpt_get_dirty_bitmap){
			.hwpt_id = self->table.hwpt, .flags = 1U << bit,
			.iova = DIRTY_IOVA, .length = SIZE, .page_size = PAGE }));
}

/* Each call has one error less than the one before. */
TEST_F(mock_dirty, get_errors_come_in_this_order)
{
	const __u32 hwpt = self->table.hwpt, plain = self->plain;
	const struct {
		int expected;
		struct iommu_hwpt_get_dirty_bitmap cmd;
	} calls[] = {
		{ -EOPNOTSUPP, { .hwpt_id = NO_ID, .flags = 2, .iova = -1ULL } },
		{ -EOPNOTSUPP, { .hwpt_id = NO_ID, .__reserved = 1, .iova = -1ULL } },
		{ -ENOENT, { .hwpt_id = NO_ID, .iova = -1ULL } },
		{ -ENOENT, { .hwpt_id = self->table.ioas, .iova = -1ULL } },
		{ -EINVAL, { .hwpt_id = plain, .iova = -1ULL, .length = 0 } },
		{ -EOVERFLOW, { .hwpt_id = plain, .iova = -1ULL, .length = 2 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA + 1024, .length = 2048,
			     .page_size = 1024 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 1024,
			     .page_size = 1024 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 2048 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA + 2048, .length = 4096,
			     .page_size = 4096 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 2048,
			     .page_size = 4096 } },
		{ -EOPNOTSUPP, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 4096,
				 .page_size = 4096 } },
		{ 0, { .hwpt_id = hwpt, .iova = DIRTY_IOVA, .length = 4096,
		       .page_size = 4096 } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(calls[i].expected, get(self, calls[i].cmd)) {
			TH_LOG("call %zu", i);
		}
}

TEST_F(mock_dirty, get_may_end_with_the_last_iova)
{
	EXPECT_EQ(0, get(self, (struct iommu_hwpt_get_dirty_bitmap){
		.hwpt_id = self->table.hwpt, .iova = -SIZE, .length = SIZE,
		.page_size = PAGE }));
}

TEST_F(mock_dirty, get_does_not_depend_on_an_attachment)
{
	struct mock device;

	ASSERT_EQ(0, mock_attach(self->table.fd, self->table.hwpt, &device));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
	ASSERT_EQ(0, iommu_destroy(self->table.fd, device.id));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, page_tables_of_one_ioas_are_dirty_each_for_itself)
{
	struct dirty_table second = self->table;
	__u8 bitmap[2] = {};

	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	ASSERT_EQ(0, dirty_table_enable(&second));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(0, dirty_table_read(&second, DIRTY_IOVA, SIZE, PAGE, bitmap));
	EXPECT_EQ(0, count_set(bitmap, BITS));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, what_is_mapped_again_is_clean)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, dirty_table_unmap(&self->table));
	ASSERT_EQ(0, dirty_table_map(&self->table));
	EXPECT_EQ(0, count_dirty(self));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, device_that_can_not_track_has_no_such_page_table)
{
	struct dirty_table *table = &self->table;
	struct mock device;
	__u32 hwpt, pt_id = table->hwpt;

	ASSERT_EQ(0, mock_attach_flags(table->fd, table->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY,
				       &device));
	EXPECT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc(table->fd, device.idev, table->ioas,
						IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	EXPECT_EQ(0, iommu_hwpt_alloc(table->fd, device.idev, table->ioas, 0, &hwpt));
	/* Nor may it join one */
	EXPECT_EQ(-EINVAL, mock_replace(table->fd, device.id, &pt_id));
	ASSERT_EQ(0, iommu_destroy(table->fd, device.id));
	EXPECT_EQ(-EINVAL, mock_attach_flags(table->fd, table->hwpt, MOCK_FLAGS_DEVICE_NO_DIRTY,
					     &device));
	EXPECT_EQ(0, mock_attach_flags(table->fd, table->hwpt, 0, &device));
}

TEST_F(mock_dirty, hw_info_tells_which_device_can_track)
{
	struct dirty_table *table = &self->table;
	struct iommu_hw_info info;
	struct mock device;

	ASSERT_EQ(0, iommu_get_hw_info(table->fd, table->device.idev, NULL, 0, &info));
	EXPECT_TRUE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
	ASSERT_EQ(0, mock_attach_flags(table->fd, table->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY,
				       &device));
	ASSERT_EQ(0, iommu_get_hw_info(table->fd, device.idev, NULL, 0, &info));
	EXPECT_FALSE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
}

TEST_F(mock_dirty, test_operation_checks_its_arguments)
{
	const int fd = self->table.fd;
	const __u32 hwpt = self->table.hwpt;
	__u64 written = 0;
	__u8 bits = 5;

	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, 0, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, 0, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, PAGE, NULL, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA + 1, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE + 1, PAGE, &bits, NULL));
	EXPECT_EQ(-EOVERFLOW, mock_dirty(fd, NO_ID, 0, (1UL << 27) + 1, 1, &bits, NULL));
	EXPECT_EQ(-ENOENT, mock_dirty(fd, NO_ID, DIRTY_IOVA, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, self->plain, DIRTY_IOVA, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EFAULT, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, PAGE, (void *)1, NULL));
	EXPECT_EQ(0, mock_dirty(fd, hwpt, 0, 3 * PAGE, PAGE, &bits, &written));
	EXPECT_EQ(2, written);
	EXPECT_EQ(0, count_dirty(self));
}

/*
 * The bitmap of IOMMU_HWPT_GET_DIRTY_BITMAP: which bit stands for which IOVAs, and the
 * memory that it is in.
 */

/* More than the kernel pins of a bitmap at a time, if a bit is a byte: 512 KiB */
#define BIG_SIZE (4UL << 20)
#define BIG_PAGES (BIG_SIZE / PAGE)
#define RW (PROT_READ | PROT_WRITE)

FIXTURE(mock_dirty_bitmap)
{
	struct dirty_table table;
	__u8 bitmap[2 * BIG_SIZE / MOCK_PAGE_SIZE];
};

FIXTURE_SETUP(mock_dirty_bitmap)
{
	ASSERT_EQ(0, dirty_table_open(&self->table, MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS,
				      BIG_SIZE));
}

FIXTURE_TEARDOWN(mock_dirty_bitmap)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static int write_page(struct _test_data_mock_dirty_bitmap *self, size_t page)
{
	return dirty_table_write(&self->table, DIRTY_IOVA + page * PAGE, PAGE);
}

/* Is this page dirty, and no other? */
static bool only_dirty(struct _test_data_mock_dirty_bitmap *self, size_t page)
{
	memset(self->bitmap, 0, sizeof(self->bitmap));
	if (dirty_table_peek(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE, self->bitmap))
		return false;
	return only_set(self->bitmap, BIG_PAGES, page, page);
}

static bool nothing_dirty(struct _test_data_mock_dirty_bitmap *self)
{
	return only_dirty(self, BIG_PAGES);
}

TEST_F(mock_dirty_bitmap, bit_0_is_the_first_page_asked_for)
{
	struct dirty_table *table = &self->table;
	size_t first;

	ASSERT_EQ(0, write_page(self, 40));
	for (first = 0; first <= 40; first += 5) {
		__u64 iova = DIRTY_IOVA + first * PAGE;

		memset(self->bitmap, 0, sizeof(self->bitmap));
		ASSERT_EQ(0, dirty_table_peek(table, iova, BIG_SIZE - first * PAGE, PAGE,
					      self->bitmap));
		EXPECT_TRUE(only_set(self->bitmap, BIG_PAGES, 40 - first, 40 - first));
	}
	memset(self->bitmap, 0, sizeof(self->bitmap));
	ASSERT_EQ(0, dirty_table_read(table, DIRTY_IOVA + 41 * PAGE, 64 * PAGE, PAGE,
				      self->bitmap));
	EXPECT_EQ(0, count_set(self->bitmap, BIG_PAGES));
	EXPECT_TRUE(only_dirty(self, 40));
}

TEST_F(mock_dirty_bitmap, bits_may_stand_for_any_number_of_bytes)
{
	static const __u64 sizes[] = { 1, 64, 1024, 2048, 4096, 8192, 12288, 65536, 1UL << 20 };
	const __u64 written = 77 * PAGE;
	const __u64 length = 3UL << 20;
	__u8 *bitmap = malloc(length / 8);
	size_t i;

	ASSERT_NE(NULL, bitmap);
	ASSERT_EQ(0, write_page(self, 77));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		__u64 first = written / sizes[i];
		__u64 iova = DIRTY_IOVA;

		/* This one has no power of two */
		if (sizes[i] % 3 == 0) {
			iova -= iova % sizes[i];
			iova += sizes[i];
			first = (DIRTY_IOVA + written - iova) / sizes[i];
		}
		memset(bitmap, 0, length / 8);
		ASSERT_EQ(0, dirty_table_peek(&self->table, iova, length, sizes[i], bitmap));
		EXPECT_TRUE(only_set(bitmap, length / sizes[i], first,
				     (DIRTY_IOVA + written + PAGE - 1 - iova) / sizes[i])) {
			TH_LOG("a bit is %llu bytes", sizes[i]);
		}
	}
	free(bitmap);
	EXPECT_TRUE(only_dirty(self, 77));
}

TEST_F(mock_dirty_bitmap, bits_are_set_and_never_cleared)
{
	memset(self->bitmap, 0x81, sizeof(self->bitmap));
	ASSERT_EQ(0, write_page(self, 9));
	ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, 3 * 8 * PAGE, PAGE,
				      self->bitmap));
	EXPECT_EQ(0x81, self->bitmap[0]);
	EXPECT_EQ(0x83, self->bitmap[1]);
	EXPECT_EQ(0x81, self->bitmap[2]);
	EXPECT_EQ(0x81, self->bitmap[3]);
}

/* The last byte is the last one there is. */
TEST_F(mock_dirty_bitmap, bitmap_may_be_at_any_address_and_ends_with_the_last_bit)
{
	char *edge = guard_page_edge(RW, PROT_NONE);
	size_t pages;

	ASSERT_NE(NULL, edge);
	for (pages = 1; pages <= 80; pages++) {
		__u8 *bitmap = (__u8 *)edge - (pages + 7) / 8;

		memset(edge - PAGE, 0, PAGE);
		ASSERT_EQ(0, write_page(self, 0));
		ASSERT_EQ(0, write_page(self, pages - 1));
		/* Is not asked for */
		ASSERT_EQ(0, write_page(self, pages));
		ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, pages * PAGE, PAGE,
					      bitmap));
		EXPECT_EQ(pages > 1 ? 2 : 1, count_set(edge - PAGE, PAGE * 8));
		EXPECT_TRUE(bit_is_set(bitmap, 0));
		EXPECT_TRUE(bit_is_set(bitmap, pages - 1));
		EXPECT_TRUE(only_dirty(self, pages));
		ASSERT_EQ(0, dirty_table_enable(&self->table));
	}
	guard_page_free(edge);
}

TEST_F(mock_dirty_bitmap, without_clearing_pages_stay_dirty)
{
	ASSERT_EQ(0, write_page(self, 3));
	EXPECT_TRUE(only_dirty(self, 3));
	EXPECT_TRUE(only_dirty(self, 3));
	ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE, self->bitmap));
	EXPECT_TRUE(nothing_dirty(self));
}

/* The mock IOMMU has an IOTLB that hides writes to what it still has as dirty. */
TEST_F(mock_dirty_bitmap, pages_made_clean_become_dirty_again)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_page(self, 3));
		EXPECT_TRUE(only_dirty(self, 3));
		ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE,
					      self->bitmap));
		EXPECT_TRUE(nothing_dirty(self));
	}
}

TEST_F(mock_dirty_bitmap, bad_pointer_is_0_and_leaves_pages_dirty)
{
	static void *const bad[] = { NULL, GUARD_PAGE_BAD_POINTER, (void *)-1L,
				     (void *)(1L << 62) };
	size_t i;

	ASSERT_EQ(0, write_page(self, 3));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE, bad[i]));
		EXPECT_TRUE(only_dirty(self, 3));
	}
}

TEST_F(mock_dirty_bitmap, bitmap_that_can_only_be_read_is_0_and_leaves_pages_dirty)
{
	char *edge = guard_page_edge(PROT_READ, PROT_NONE);

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, write_page(self, 3));
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE, edge - PAGE));
	EXPECT_TRUE(only_dirty(self, 3));
	guard_page_free(edge);
}

/* Page 8 has the first bit that is beyond the edge. */
TEST_F(mock_dirty_bitmap, bitmap_that_ends_early_is_filled_up_to_there)
{
	char *edge = guard_page_edge(RW, PROT_NONE);

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, write_page(self, 7));
	ASSERT_EQ(0, write_page(self, 8));
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, BIG_SIZE, PAGE, edge - 1));
	EXPECT_EQ((char)0x80, edge[-1]);
	EXPECT_TRUE(only_dirty(self, 8));
	guard_page_free(edge);
}

TEST_F(mock_dirty_bitmap, gap_ends_the_walk)
{
	struct dirty_table *table = &self->table;
	const __u64 behind = DIRTY_IOVA + BIG_SIZE + PAGE;
	__u8 bit = 0;

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, PAGE,
					  IOMMU_MAP_RW, behind));
	ASSERT_EQ(0, dirty_table_write(table, behind, PAGE));
	ASSERT_EQ(0, write_page(self, BIG_PAGES - 1));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA, BIG_SIZE + 2 * PAGE, PAGE, self->bitmap));
	EXPECT_TRUE(only_set(self->bitmap, BIG_PAGES + 2, BIG_PAGES - 1, BIG_PAGES - 1));
	EXPECT_TRUE(nothing_dirty(self));
	EXPECT_EQ(0, dirty_table_read(table, behind, PAGE, PAGE, &bit));
	EXPECT_EQ(1, bit);

	/* One at the beginning, too */
	ASSERT_EQ(0, write_page(self, 0));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA - PAGE, BIG_SIZE, PAGE, self->bitmap));
	EXPECT_TRUE(only_dirty(self, 0));
}

TEST_F(mock_dirty_bitmap, adjacent_mappings_are_one_range)
{
	struct dirty_table *table = &self->table;
	__u8 bitmap[1] = {};

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, 6 * PAGE,
					  IOMMU_MAP_RW, DIRTY_IOVA + BIG_SIZE));
	ASSERT_EQ(0, dirty_table_write(table, DIRTY_IOVA + BIG_SIZE - PAGE, 2 * PAGE));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA + BIG_SIZE - 2 * PAGE, 8 * PAGE, PAGE,
				      bitmap));
	EXPECT_EQ(6, bitmap[0]);
}

/* A terabyte has 32 MiB of bits; those behind the gap are not even touched. */
TEST_F(mock_dirty_bitmap, range_may_be_a_terabyte)
{
	const size_t bytes = (1UL << 40) / PAGE / 8;
	long before, after;
	__u8 *bitmap;

	bitmap = mmap(NULL, bytes, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, bitmap);
	madvise(bitmap, bytes, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, write_page(self, BIG_PAGES - 1));
	before = memory_status("RssAnon");
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, 1UL << 40, PAGE, bitmap));
	after = memory_status("RssAnon");
	EXPECT_TRUE(only_set(bitmap, 2 * BIG_PAGES, BIG_PAGES - 1, BIG_PAGES - 1));
	EXPECT_GE(1024, after - before);
	EXPECT_EQ(BIG_PAGES, pages_pinned());
	munmap(bitmap, bytes);
}

struct reader {
	struct dirty_table *table;
	void *bitmap;
	int rc;
};

static void *read_slowly(void *argument)
{
	struct reader *reader = argument;

	reader->rc = dirty_table_read(reader->table, DIRTY_IOVA, BIG_SIZE, PAGE, reader->bitmap);
	return NULL;
}

TEST_F_TIMEOUT(mock_dirty_bitmap, bitmap_that_does_not_appear_stops_nobody_else, 60)
{
	static const __u8 zeros[PAGE];
	struct dirty_table *table = &self->table;
	struct slow_memory slow = {};
	struct reader reader = { .table = table };
	pthread_t thread;

	ASSERT_EQ(0, slow_memory_create(&slow, PAGE));
	reader.bitmap = slow.start;
	ASSERT_EQ(0, write_page(self, 5));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_slowly, &reader));
	ASSERT_EQ(0, slow_memory_wait(&slow));

	/* It is waiting now, and has not read anything */
	EXPECT_TRUE(only_dirty(self, 5));
	EXPECT_EQ(0, dirty_table_unmap(table));
	EXPECT_EQ(0, dirty_table_map(table));
	EXPECT_EQ(0, dirty_table_enable(table));
	EXPECT_EQ(0, write_page(self, 6));
	EXPECT_EQ(-EBUSY, iommu_destroy(table->fd, table->hwpt));

	ASSERT_EQ(0, slow_memory_release(&slow, zeros));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, reader.rc);
	EXPECT_TRUE(only_set(slow.start, BIG_PAGES, 6, 6));
	EXPECT_TRUE(nothing_dirty(self));
	slow_memory_free(&slow);
}

TEST_HARNESS_MAIN
