// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bitmap of IOMMU_HWPT_GET_DIRTY_BITMAP: which bit stands for which IOVAs, and the
 * memory that it is in.
 */
#include <pthread.h>

#include <kselftest_harness.h>

#include "dirty_table.h"
#include "guard_page.h"
#include "slow_memory.h"

/* More than the kernel pins of a bitmap at a time, if a bit is a byte: 512 KiB */
#define SIZE (4UL << 20)
#define PAGES (SIZE / PAGE)
#define RW (PROT_READ | PROT_WRITE)

FIXTURE(mock_dirty_bitmap)
{
	struct dirty_table table;
	__u8 bitmap[2 * SIZE / MOCK_PAGE_SIZE];
};

FIXTURE_SETUP(mock_dirty_bitmap)
{
	ASSERT_EQ(0, dirty_table_open(&self->table, MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS,
				      SIZE));
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
	if (dirty_table_peek(&self->table, DIRTY_IOVA, SIZE, PAGE, self->bitmap))
		return false;
	return only_set(self->bitmap, PAGES, page, page);
}

static bool nothing_dirty(struct _test_data_mock_dirty_bitmap *self)
{
	return only_dirty(self, PAGES);
}

TEST_F(mock_dirty_bitmap, bit_0_is_the_first_page_asked_for)
{
	struct dirty_table *table = &self->table;
	size_t first;

	ASSERT_EQ(0, write_page(self, 40));
	for (first = 0; first <= 40; first += 5) {
		__u64 iova = DIRTY_IOVA + first * PAGE;

		memset(self->bitmap, 0, sizeof(self->bitmap));
		ASSERT_EQ(0, dirty_table_peek(table, iova, SIZE - first * PAGE, PAGE,
					      self->bitmap));
		EXPECT_TRUE(only_set(self->bitmap, PAGES, 40 - first, 40 - first));
	}
	memset(self->bitmap, 0, sizeof(self->bitmap));
	ASSERT_EQ(0, dirty_table_read(table, DIRTY_IOVA + 41 * PAGE, 64 * PAGE, PAGE,
				      self->bitmap));
	EXPECT_EQ(0, count_set(self->bitmap, PAGES));
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
	ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, PAGE, self->bitmap));
	EXPECT_TRUE(nothing_dirty(self));
}

/* The mock IOMMU has an IOTLB that hides writes to what it still has as dirty. */
TEST_F(mock_dirty_bitmap, pages_made_clean_become_dirty_again)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_page(self, 3));
		EXPECT_TRUE(only_dirty(self, 3));
		ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, PAGE,
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
		EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, PAGE, bad[i]));
		EXPECT_TRUE(only_dirty(self, 3));
	}
}

TEST_F(mock_dirty_bitmap, bitmap_that_can_only_be_read_is_0_and_leaves_pages_dirty)
{
	char *edge = guard_page_edge(PROT_READ, PROT_NONE);

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, write_page(self, 3));
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, PAGE, edge - PAGE));
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
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, PAGE, edge - 1));
	EXPECT_EQ((char)0x80, edge[-1]);
	EXPECT_TRUE(only_dirty(self, 8));
	guard_page_free(edge);
}

TEST_F(mock_dirty_bitmap, gap_ends_the_walk)
{
	struct dirty_table *table = &self->table;
	const __u64 behind = DIRTY_IOVA + SIZE + PAGE;
	__u8 bit = 0;

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, PAGE,
					  IOMMU_MAP_RW, behind));
	ASSERT_EQ(0, dirty_table_write(table, behind, PAGE));
	ASSERT_EQ(0, write_page(self, PAGES - 1));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA, SIZE + 2 * PAGE, PAGE, self->bitmap));
	EXPECT_TRUE(only_set(self->bitmap, PAGES + 2, PAGES - 1, PAGES - 1));
	EXPECT_TRUE(nothing_dirty(self));
	EXPECT_EQ(0, dirty_table_read(table, behind, PAGE, PAGE, &bit));
	EXPECT_EQ(1, bit);

	/* One at the beginning, too */
	ASSERT_EQ(0, write_page(self, 0));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA - PAGE, SIZE, PAGE, self->bitmap));
	EXPECT_TRUE(only_dirty(self, 0));
}

TEST_F(mock_dirty_bitmap, adjacent_mappings_are_one_range)
{
	struct dirty_table *table = &self->table;
	__u8 bitmap[1] = {};

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, 6 * PAGE,
					  IOMMU_MAP_RW, DIRTY_IOVA + SIZE));
	ASSERT_EQ(0, dirty_table_write(table, DIRTY_IOVA + SIZE - PAGE, 2 * PAGE));
	EXPECT_EQ(0, dirty_table_read(table, DIRTY_IOVA + SIZE - 2 * PAGE, 8 * PAGE, PAGE,
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
	ASSERT_EQ(0, write_page(self, PAGES - 1));
	before = memory_status("RssAnon");
	EXPECT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, 1UL << 40, PAGE, bitmap));
	after = memory_status("RssAnon");
	EXPECT_TRUE(only_set(bitmap, 2 * PAGES, PAGES - 1, PAGES - 1));
	EXPECT_GE(1024, after - before);
	EXPECT_EQ(PAGES, pages_pinned());
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

	reader->rc = dirty_table_read(reader->table, DIRTY_IOVA, SIZE, PAGE, reader->bitmap);
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
	EXPECT_TRUE(only_set(slow.start, PAGES, 6, 6));
	EXPECT_TRUE(nothing_dirty(self));
	slow_memory_free(&slow);
}

TEST_HARNESS_MAIN
