// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live migration: devices write while dirty pages are collected, round after round.
 *
 * Owns the rule that no write is missed: one that was made after a round began is
 * reported by that round or a later one, whatever else happens meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <kselftest_harness.h>

#include "dirty_table.h"
#include "watchdog.h"

/* Memory of a guest; the last page is left out so that the end is inside an entry. */
#define SIZE (32UL << 20)
#define PAGES (SIZE / PAGE)
#define WRITERS 3
#define SECONDS 5
#define ROUNDS 3

/* Another mapping of the same IOAS, which comes and goes */
#define BUSY_IOVA (DIRTY_IOVA + SIZE)

FIXTURE(mock_dirty_migrate)
{
	struct dirty_table table;
	/* What writers and reader go by */
	atomic_uint round;
	atomic_bool stop;
	atomic_int errors;
	atomic_uint written[PAGES];
	unsigned int seen[PAGES];
	__u8 bitmap[PAGES / 8 + 1];
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
	ASSERT_EQ(0, dirty_table_open(&self->table, variant->kind, variant->memory, SIZE));
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
		size_t page = rand_r(&seed) % (rand_r(&seed) % 8 ? PAGES / 64 : PAGES);
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

	for (first = 0; first < PAGES; first += count) {
		count = PAGES - first < piece ? PAGES - first : piece;
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

	for (page = 0; page < PAGES; page++)
		missed += self->seen[page] < atomic_load(&self->written[page]);
	return missed;
}

TEST_F_TIMEOUT(mock_dirty_migrate, no_write_is_missed, 180)
{
	const time_t end = watchdog_now() + SECONDS;
	size_t piece = variant->piece ? : PAGES;
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
	collect(self, PAGES);
	EXPECT_EQ(0, atomic_load(&self->errors));
	EXPECT_EQ(0, count_missed(self));
	collect(self, PAGES);
	EXPECT_EQ(0, count_set(self->bitmap, PAGES));
	TH_LOG("%u rounds", atomic_load(&self->round));
}

TEST_HARNESS_MAIN
