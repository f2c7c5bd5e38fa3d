// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages are reported dirty after a device wrote to them.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <kselftest_harness.h>

#include "dirty_table.h"
#include "watchdog.h"

/*
 * Dirty tracking by entries of the page table that are larger than a page.
 *
 * Owns the rule that a dirty entry is reported as a whole, and that it is made clean
 * only by a call that could report all of it.
 */

/* Entries of both kinds of page table: as large as the memory, or 1 MiB */
#define SIZE (2 * HUGE_PAGE)
#define PAGES (SIZE / PAGE)

FIXTURE(mock_dirty_entries)
{
	struct dirty_table table;
	/* Pages of an entry */
	size_t entry;
	__u8 bitmap[PAGES / 8];
};

FIXTURE_VARIANT(mock_dirty_entries)
{
	__u32 kind;
	enum memory_kind memory;
	size_t entry;
};

FIXTURE_VARIANT_ADD(mock_dirty_entries, small_pages)
{
	MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS, PAGE
};

FIXTURE_VARIANT_ADD(mock_dirty_entries, huge_pages)
{
	MOCK_IOMMUPT_DEFAULT, MEMORY_HUGETLB, HUGE_PAGE
};

FIXTURE_VARIANT_ADD(mock_dirty_entries, huge_pages_in_entries_of_1_mib)
{
	MOCK_IOMMUPT_HUGE, MEMORY_HUGETLB, MOCK_HUGE_PAGE_SIZE
};

FIXTURE_SETUP(mock_dirty_entries)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_open(table, variant->kind, variant->memory, SIZE));
	self->entry = variant->entry / PAGE;
	/* Two huge pages can be next to each other in memory, too */
	if (variant->entry == HUGE_PAGE) {
		ASSERT_EQ(0, dirty_table_unmap(table));
		ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start,
						  HUGE_PAGE, IOMMU_MAP_RW, DIRTY_IOVA));
		ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas,
						  table->memory.start + HUGE_PAGE, HUGE_PAGE,
						  IOMMU_MAP_RW, DIRTY_IOVA + HUGE_PAGE));
	}
}

FIXTURE_TEARDOWN(mock_dirty_entries)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static __u64 iova_of(size_t page)
{
	return DIRTY_IOVA + page * PAGE;
}

static int write_page(struct _test_data_mock_dirty_entries *self, size_t page)
{
	return dirty_table_write(&self->table, iova_of(page), PAGE);
}

/* Reads pages; afterwards bit 0 is @first. */
static int read_pages(struct _test_data_mock_dirty_entries *self, size_t first, size_t last)
{
	memset(self->bitmap, 0, sizeof(self->bitmap));
	return dirty_table_read(&self->table, iova_of(first), (last - first + 1) * PAGE, PAGE,
				self->bitmap);
}

/* Are just the pages of the entry with this page dirty? They stay so. */
static bool only_dirty(struct _test_data_mock_dirty_entries *self, size_t page)
{
	size_t first = page - page % self->entry;

	memset(self->bitmap, 0, sizeof(self->bitmap));
	if (dirty_table_peek(&self->table, DIRTY_IOVA, SIZE, PAGE, self->bitmap))
		return false;
	return only_set(self->bitmap, PAGES, first, first + self->entry - 1);
}

static bool nothing_dirty(struct _test_data_mock_dirty_entries *self)
{
	return !read_pages(self, 0, PAGES - 1) && !count_set(self->bitmap, PAGES);
}

TEST_F(mock_dirty_entries, a_write_makes_the_whole_entry_dirty)
{
	static const size_t pages[] = { 0, 1, 255, 256, 300, 511, 512, 700, PAGES - 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		ASSERT_EQ(0, write_page(self, pages[i]));
		EXPECT_TRUE(only_dirty(self, pages[i]));
		ASSERT_EQ(0, read_pages(self, 0, PAGES - 1));
		EXPECT_EQ(self->entry, count_set(self->bitmap, PAGES));
		EXPECT_TRUE(nothing_dirty(self));
	}
}

TEST_F(mock_dirty_entries, an_entry_that_begins_before_the_range_is_reported_and_stays_dirty)
{
	ASSERT_EQ(0, write_page(self, 511));
	ASSERT_EQ(0, read_pages(self, 511, PAGES - 1));
	EXPECT_TRUE(only_set(self->bitmap, PAGES, 0, 0));
	EXPECT_TRUE(self->entry == 1 ? nothing_dirty(self) : only_dirty(self, 511));
}

TEST_F(mock_dirty_entries, an_entry_that_ends_behind_the_range_is_reported_and_stays_dirty)
{
	ASSERT_EQ(0, write_page(self, 512));
	ASSERT_EQ(0, read_pages(self, 0, 512));
	EXPECT_TRUE(only_set(self->bitmap, PAGES, 512, 512));
	EXPECT_TRUE(self->entry == 1 ? nothing_dirty(self) : only_dirty(self, 512));
}

TEST_F(mock_dirty_entries, an_entry_around_the_range_is_reported_and_stays_dirty)
{
	ASSERT_EQ(0, write_page(self, 700));
	ASSERT_EQ(0, read_pages(self, 690, 709));
	if (self->entry == 1) {
		EXPECT_TRUE(only_set(self->bitmap, PAGES, 10, 10));
		EXPECT_TRUE(nothing_dirty(self));
	} else {
		EXPECT_TRUE(only_set(self->bitmap, PAGES, 0, 19));
		EXPECT_TRUE(only_dirty(self, 700));
	}
}

/* A walk that looked only at some pages of an entry might jump over what follows. */
TEST_F(mock_dirty_entries, what_follows_an_entry_that_is_only_in_part_in_the_range_is_found)
{
	size_t first;

	for (first = 1; first < 600; first = first * 3 / 2 + 1) {
		ASSERT_EQ(0, write_page(self, 600));
		ASSERT_EQ(0, write_page(self, PAGES - 1));
		ASSERT_EQ(0, read_pages(self, first, PAGES - 1));
		EXPECT_TRUE(bit_is_set(self->bitmap, 600 - first));
		EXPECT_TRUE(bit_is_set(self->bitmap, PAGES - 1 - first));
		ASSERT_EQ(0, read_pages(self, 512, PAGES - 1));
		EXPECT_TRUE(nothing_dirty(self));
	}
}

TEST_F(mock_dirty_entries, bits_smaller_than_the_entries_are_all_set)
{
	static __u8 bitmap[SIZE / 64 / 8];
	size_t first = 300 - 300 % self->entry;

	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_EQ(0, write_page(self, 300));
	ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, 64, bitmap));
	EXPECT_TRUE(only_set(bitmap, sizeof(bitmap) * 8, first * 64,
			     (first + self->entry) * 64 - 1));
	EXPECT_TRUE(nothing_dirty(self));
}

TEST_F(mock_dirty_entries, bits_larger_than_the_entries_are_set_once)
{
	ASSERT_EQ(0, write_page(self, 300));
	memset(self->bitmap, 0, sizeof(self->bitmap));
	ASSERT_EQ(0, dirty_table_read(&self->table, DIRTY_IOVA, SIZE, SIZE, self->bitmap));
	EXPECT_TRUE(only_set(self->bitmap, PAGES, 0, 0));
	EXPECT_TRUE(nothing_dirty(self));
}

TEST_F(mock_dirty_entries, without_huge_pages_every_page_is_an_entry)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, iommu_destroy(table->fd, table->hwpt));
	ASSERT_EQ(0, iommu_ioas_unmap_all(table->fd, table->ioas, NULL));
	ASSERT_EQ(0, iommu_option_set(table->fd, IOMMU_OPTION_HUGE_PAGES, table->ioas, 0));
	ASSERT_EQ(0, dirty_table_map(table));
	ASSERT_EQ(0, dirty_table_alloc(table, variant->kind, &table->hwpt));
	ASSERT_EQ(0, dirty_table_enable(table));
	ASSERT_EQ(0, write_page(self, 300));
	self->entry = 1;
	EXPECT_TRUE(only_dirty(self, 300));
}

/* What a test that forgets nothing knows: entries that were written and not yet read. */
struct expected {
	bool dirty[PAGES];
};

static void expect_written(struct expected *expected, size_t page, size_t entry)
{
	memset(&expected->dirty[page - page % entry], true, entry);
}

/* Takes out what a call that returned these pages has made clean. */
static void expect_read(struct expected *expected, size_t first, size_t last, size_t entry)
{
	size_t page;

	for (page = first + (entry - first % entry) % entry; page + entry - 1 <= last;
	     page += entry)
		memset(&expected->dirty[page], false, entry);
}

static bool bits_match(const void *bitmap, const struct expected *expected, size_t first,
		       size_t last)
{
	size_t page;

	for (page = first; page <= last; page++)
		if (bit_is_set(bitmap, page - first) != expected->dirty[page])
			return false;
	return true;
}

TEST_F_TIMEOUT(mock_dirty_entries, random_reads_of_random_writes_find_just_these, 120)
{
	struct expected expected = {};
	int round, i;

	srandom(variant->entry);
	for (round = 0; round < 400; round++) {
		size_t first = random() % PAGES;
		size_t last = first + random() % (PAGES - first);

		for (i = random() % 8; i; i--) {
			size_t page = random() % PAGES;

			ASSERT_EQ(0, write_page(self, page));
			expect_written(&expected, page, self->entry);
		}
		ASSERT_EQ(0, read_pages(self, first, last));
		ASSERT_TRUE(bits_match(self->bitmap, &expected, first, last));
		expect_read(&expected, first, last, self->entry);
	}
}

/*
 * A live migration: devices write while dirty pages are collected, round after round.
 *
 * Owns the rule that no write is missed: one that was made after a round began is
 * reported by that round or a later one, whatever else happens meanwhile.
 */

/* Memory of a guest; the last page is left out so that the end is inside an entry. */
#define GUEST_SIZE (32UL << 20)
#define GUEST_PAGES (GUEST_SIZE / PAGE)
#define WRITERS 3
#define SECONDS 5
#define ROUNDS 3

/* Another mapping of the same IOAS, which comes and goes */
#define BUSY_IOVA (DIRTY_IOVA + GUEST_SIZE)

FIXTURE(mock_dirty_migrate)
{
	struct dirty_table table;
	/* What writers and reader go by */
	atomic_uint round;
	atomic_bool stop;
	atomic_int errors;
	atomic_uint written[GUEST_PAGES];
	unsigned int seen[GUEST_PAGES];
	__u8 bitmap[GUEST_PAGES / 8 + 1];
};

FIXTURE_VARIANT(mock_dirty_migrate)
{
	__u32 kind;
	enum memory_kind memory;
	/* Pages of a call, 0: all */
	size_t piece;
};

FIXTURE_VARIANT_ADD(mock_dirty_migrate, small_pages)
{
	MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS, 0
};

FIXTURE_VARIANT_ADD(mock_dirty_migrate, huge_pages)
{
	MOCK_IOMMUPT_DEFAULT, MEMORY_HUGETLB, 0
};

FIXTURE_VARIANT_ADD(mock_dirty_migrate, entries_of_1_mib_and_4_kib)
{
	MOCK_IOMMUPT_HUGE, MEMORY_HUGETLB, 0
};

FIXTURE_VARIANT_ADD(mock_dirty_migrate, huge_pages_in_pieces)
{
	MOCK_IOMMUPT_DEFAULT, MEMORY_HUGETLB, 777
};

FIXTURE_SETUP(mock_dirty_migrate)
{
	ASSERT_EQ(0, dirty_table_open(&self->table, variant->kind, variant->memory, GUEST_SIZE));
	atomic_store(&self->round, 1);
}

FIXTURE_TEARDOWN(mock_dirty_migrate)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static void check(struct _test_data_mock_dirty_migrate *self, int rc)
{
	if (rc)
		atomic_store(&self->errors, rc);
}

/* Never goes down: another writer may have been later. */
static void note_written(atomic_uint *written, unsigned int round)
{
	unsigned int old = atomic_load(written);

	while (old < round && !atomic_compare_exchange_weak(written, &old, round))
		;
}

static void *write_pages(void *argument)
{
	struct _test_data_mock_dirty_migrate *self = argument;
	unsigned int seed = (uintptr_t)&seed;

	while (!atomic_load(&self->stop)) {
		/* Mostly in one corner, as guests do */
		size_t page = rand_r(&seed) % (rand_r(&seed) % 8 ? GUEST_PAGES / 64 : GUEST_PAGES);
		unsigned int round = atomic_load(&self->round);

		check(self, dirty_table_write(&self->table, DIRTY_IOVA + page * PAGE, PAGE));
		note_written(&self->written[page], round);
	}
	return NULL;
}

static void *map_and_unmap(void *argument)
{
	struct _test_data_mock_dirty_migrate *self = argument;
	struct dirty_table *table = &self->table;

	while (!atomic_load(&self->stop)) {
		check(self, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start,
						 64 * PAGE, IOMMU_MAP_RW, BUSY_IOVA));
		check(self, iommu_ioas_unmap(table->fd, table->ioas, BUSY_IOVA, 64 * PAGE,
					     NULL));
	}
	return NULL;
}

static void *attach_and_detach(void *argument)
{
	struct _test_data_mock_dirty_migrate *self = argument;
	struct dirty_table *table = &self->table;
	struct mock device = {};
	__u32 hwpt = 0;

	while (!atomic_load(&self->stop)) {
		check(self, mock_attach(table->fd, table->hwpt, &device));
		check(self, dirty_table_alloc(table, MOCK_IOMMUPT_DEFAULT, &hwpt));
		check(self, iommu_destroy(table->fd, hwpt));
		check(self, iommu_destroy(table->fd, device.id));
	}
	return NULL;
}

/* Reads all pages, and says of each in which round it was dirty. */
static void collect(struct _test_data_mock_dirty_migrate *self, size_t piece)
{
	unsigned int round = atomic_fetch_add(&self->round, 1) + 1;
	size_t first, count, page;

	for (first = 0; first < GUEST_PAGES; first += count) {
		count = GUEST_PAGES - first < piece ? GUEST_PAGES - first : piece;
		memset(self->bitmap, 0, sizeof(self->bitmap));
		check(self, dirty_table_read(&self->table, DIRTY_IOVA + first * PAGE,
					     count * PAGE, PAGE, self->bitmap));
		for (page = 0; page < count; page++)
			if (bit_is_set(self->bitmap, page))
				self->seen[first + page] = round;
	}
}

static size_t count_missed(struct _test_data_mock_dirty_migrate *self)
{
	size_t page, missed = 0;

	for (page = 0; page < GUEST_PAGES; page++)
		missed += self->seen[page] < atomic_load(&self->written[page]);
	return missed;
}

TEST_F_TIMEOUT(mock_dirty_migrate, no_write_is_missed, 180)
{
	const time_t end = watchdog_now() + SECONDS;
	size_t piece = variant->piece ? : GUEST_PAGES;
	pthread_t threads[WRITERS + 2];
	int i;

	for (i = 0; i < WRITERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, write_pages, self));
	ASSERT_EQ(0, pthread_create(&threads[i++], NULL, map_and_unmap, self));
	ASSERT_EQ(0, pthread_create(&threads[i++], NULL, attach_and_detach, self));
	while (watchdog_goes_on(end, atomic_load(&self->round) > ROUNDS))
		collect(self, piece);
	atomic_store(&self->stop, true);
	while (i--)
		pthread_join(threads[i], NULL);

	/* The guest has stopped: the last round */
	collect(self, GUEST_PAGES);
	EXPECT_EQ(0, atomic_load(&self->errors));
	EXPECT_EQ(0, count_missed(self));
	collect(self, GUEST_PAGES);
	EXPECT_EQ(0, count_set(self->bitmap, GUEST_PAGES));
	TH_LOG("%u rounds", atomic_load(&self->round));
}

TEST_HARNESS_MAIN
