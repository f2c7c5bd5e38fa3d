// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_DESTROY and the id space of a context.
 *
 * Owns the rules of ids, which hold for every type of object. What keeps an object
 * of another type than IOAS busy is in the file of that type.
 */
#include <limits.h>
#include <pthread.h>

#include <kselftest_harness.h>

#include "iommu.h"

FIXTURE(destroy)
{
	int fd;
};

FIXTURE_SETUP(destroy)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(destroy)
{
	close(self->fd);
}

TEST_F(destroy, first_id_is_1)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(1, id);
}

TEST_F(destroy, id_0_is_ENOENT)
{
	__u32 id;

	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, 0));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, 0));
}

TEST_F(destroy, unused_id_is_ENOENT)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, id + 1));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, INT_MAX));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, (__u32)INT_MAX + 1));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, UINT_MAX));
}

TEST_F(destroy, twice_is_ENOENT)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, id));
}

TEST_F(destroy, ids_ascend_and_the_lowest_free_one_is_used_again)
{
	__u32 id, i;

	for (i = 1; i <= 100; i++) {
		ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
		ASSERT_EQ(i, id);
	}
	ASSERT_EQ(0, iommu_destroy(self->fd, 70));
	ASSERT_EQ(0, iommu_destroy(self->fd, 30));
	ASSERT_EQ(0, iommu_destroy(self->fd, 50));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(30, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(50, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(70, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(101, id);
}

TEST_F(destroy, mappings_do_not_keep_an_ioas)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x9000));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap_all(self->fd, id, NULL));
}

TEST_F(destroy, reused_id_is_a_new_ioas)
{
	__u64 value, unmapped;
	__u32 id, again;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, id, 0));
	ASSERT_EQ(0, iommu_destroy(self->fd, id));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &again));
	ASSERT_EQ(id, again);
	EXPECT_EQ(0, iommu_ioas_unmap_all(self->fd, id, &unmapped));
	EXPECT_EQ(0, unmapped);
	EXPECT_EQ(0, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, id, &value));
	EXPECT_EQ(1, value);
}

/* A thread that makes and destroys objects, and the ids it has seen twice. */
struct worker {
	pthread_t thread;
	int fd;
	int failures;
};

#define WORKER_OBJECTS 64

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	__u32 ids[WORKER_OBJECTS];
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < WORKER_OBJECTS; i++)
			worker->failures += !!iommu_ioas_alloc(worker->fd, &ids[i]);
		/* An id that another thread was given too is gone for one of them. */
		for (i = 0; i < WORKER_OBJECTS; i++)
			worker->failures += !!iommu_destroy(worker->fd, ids[i]);
	}
	return NULL;
}

TEST_F(destroy, no_two_threads_get_the_same_id)
{
	struct worker workers[4];
	__u32 id;
	int i;

	for (i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .fd = self->fd };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, worker_run,
					    &workers[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		EXPECT_EQ(0, workers[i].failures);
	}
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(1, id);
}

TEST_HARNESS_MAIN
