// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a container with dirty tracking says to be dirty: what devices wrote to, as
 * long as that is known for sure, and everything they may write to otherwise.
 *
 * The rules of the requests, which do not depend on it, are in
 * device_container_dirty.c.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "dirty_table.h"
#include "fail_nth.h"
#include "guard_page.h"
#include "vfio_container.h"

#define START VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP

#define SIZE (64 * PAGE)
#define BITS (SIZE / PAGE)
/* A second mapping behind a hole as large as both, which can only be read */
#define HOLE_IOVA (DIRTY_IOVA + SIZE)
#define READ_ONLY_IOVA (HOLE_IOVA + SIZE)
#define EVERYTHING (3 * SIZE)
/* And many more, for START to take its time */
#define MANY_IOVA (DIRTY_IOVA + 0x1000000)
#define MANY 500

FIXTURE(mock_container_dirty)
{
	struct dirty_table table;
	__u64 bits[EVERYTHING / PAGE / 64];
};

FIXTURE_SETUP(mock_container_dirty)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_open(table, MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, iommu_vfio_ioas_set(table->fd, table->ioas));
	ASSERT_EQ(0, vfio_container_map(table->fd, table->memory.start, SIZE,
					VFIO_DMA_MAP_FLAG_READ, READ_ONLY_IOVA));
	ASSERT_EQ(0, vfio_container_track(table->fd, START));
}

FIXTURE_TEARDOWN(mock_container_dirty)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static struct vfio_bitmap bitmap_for(struct _test_data_mock_container_dirty *self)
{
	memset(self->bits, 0, sizeof(self->bits));
	return (struct vfio_bitmap){
		.pgsize = PAGE, .size = sizeof(self->bits), .data = self->bits,
	};
}

static int read_range(struct _test_data_mock_container_dirty *self, __u64 iova, __u64 length)
{
	struct vfio_bitmap bitmap = bitmap_for(self);

	return vfio_container_dirty(self->table.fd, iova, length, &bitmap);
}

/* Are exactly these pages dirty, counted from the first mapping? Not so a second time. */
static bool dirty_are(struct _test_data_mock_container_dirty *self, size_t first, size_t last)
{
	return !read_range(self, DIRTY_IOVA, EVERYTHING) &&
	       only_set(self->bits, EVERYTHING / PAGE, first, last);
}

static bool nothing_is_dirty(struct _test_data_mock_container_dirty *self)
{
	return !read_range(self, DIRTY_IOVA, EVERYTHING) &&
	       !count_set(self->bits, EVERYTHING / PAGE);
}

/* Whatever is asked, and how often: all that can be written. */
static bool all_is_dirty(struct _test_data_mock_container_dirty *self)
{
	return dirty_are(self, 0, BITS - 1) && dirty_are(self, 0, BITS - 1);
}

static int write_pages(struct _test_data_mock_container_dirty *self, size_t first, size_t count)
{
	return dirty_table_write(&self->table, DIRTY_IOVA + first * PAGE, count * PAGE);
}

static int restart(struct _test_data_mock_container_dirty *self)
{
	return vfio_container_track(self->table.fd, STOP) ? :
	       vfio_container_track(self->table.fd, START);
}

TEST_F(mock_container_dirty, what_devices_wrote_is_dirty_once)
{
	EXPECT_TRUE(nothing_is_dirty(self));
	ASSERT_EQ(0, write_pages(self, 5, 3));
	EXPECT_TRUE(dirty_are(self, 5, 7));
	EXPECT_TRUE(nothing_is_dirty(self));
	ASSERT_EQ(0, write_pages(self, 6, 1));
	EXPECT_TRUE(dirty_are(self, 6, 6));
}

TEST_F(mock_container_dirty, bit_0_is_the_first_page_asked_for)
{
	ASSERT_EQ(0, write_pages(self, 9, 1));
	ASSERT_EQ(0, read_range(self, DIRTY_IOVA - 3 * PAGE, SIZE + 3 * PAGE));
	EXPECT_TRUE(only_set(self->bits, BITS + 3, 12, 12));
}

TEST_F(mock_container_dirty, bits_where_nothing_is_mapped_stay)
{
	struct vfio_bitmap bitmap = bitmap_for(self);

	self->bits[1] = 0x123456789abcdef0;
	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, vfio_container_dirty(self->table.fd, DIRTY_IOVA, EVERYTHING, &bitmap));
	EXPECT_EQ(2, self->bits[0]);
	EXPECT_EQ(0x123456789abcdef0, self->bits[1]);
	EXPECT_EQ(0, self->bits[2]);
}

TEST_F(mock_container_dirty, all_page_tables_count)
{
	struct dirty_table second = self->table;

	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	ASSERT_EQ(0, restart(self));
	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, dirty_table_write(&second, DIRTY_IOVA + 2 * PAGE, PAGE));
	EXPECT_TRUE(dirty_are(self, 1, 2));
	EXPECT_TRUE(nothing_is_dirty(self));
}

TEST_F(mock_container_dirty, start_forgets_what_was_dirty)
{
	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(nothing_is_dirty(self));
}

TEST_F(mock_container_dirty, start_again_changes_nothing)
{
	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, vfio_container_track(self->table.fd, START));
	EXPECT_TRUE(dirty_are(self, 1, 1));
}

TEST_F(mock_container_dirty, stop_ends_it_in_the_page_tables)
{
	ASSERT_EQ(0, vfio_container_track(self->table.fd, STOP));
	EXPECT_EQ(-EINVAL, write_pages(self, 1, 1));
	EXPECT_EQ(-EINVAL, read_range(self, DIRTY_IOVA, SIZE));
	ASSERT_EQ(0, vfio_container_track(self->table.fd, STOP));
}

TEST_F(mock_container_dirty, unmap_tells_what_was_dirty_and_leaves_the_rest)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped;

	ASSERT_EQ(0, vfio_container_map(self->table.fd, self->table.memory.start, SIZE, VFIO_MAP_RW,
					HOLE_IOVA));
	ASSERT_EQ(0, write_pages(self, 4, 2));
	ASSERT_EQ(0, write_pages(self, BITS + 6, 1));
	ASSERT_EQ(0, vfio_container_unmap_dirty(self->table.fd, DIRTY_IOVA, SIZE, &bitmap,
						&unmapped));
	EXPECT_EQ(SIZE, unmapped);
	EXPECT_TRUE(only_set(self->bits, EVERYTHING / PAGE, 4, 5));
	EXPECT_TRUE(dirty_are(self, BITS + 6, BITS + 6));
}

TEST_F(mock_container_dirty, unmap_that_is_refused_leaves_pages_dirty)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped;

	ASSERT_EQ(0, write_pages(self, 4, 2));
	EXPECT_EQ(-EINVAL, vfio_container_unmap_dirty(self->table.fd, DIRTY_IOVA, SIZE / 2, &bitmap,
						      &unmapped));
	EXPECT_EQ(0, count_set(self->bits, BITS));
	EXPECT_TRUE(dirty_are(self, 4, 5));
}

TEST_F(mock_container_dirty, all_is_dirty_if_a_page_table_can_not_track)
{
	struct dirty_table *table = &self->table;
	__u32 plain;

	ASSERT_EQ(0, iommu_hwpt_alloc(table->fd, table->device.idev, table->ioas, 0, &plain));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, iommu_destroy(table->fd, plain));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(nothing_is_dirty(self));
}

/* Nobody has seen what devices did with it, and nobody will. */
TEST_F(mock_container_dirty, all_is_dirty_once_a_page_table_came_or_went)
{
	struct dirty_table *table = &self->table;
	struct dirty_table second = *table;

	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(nothing_is_dirty(self));
	ASSERT_EQ(0, iommu_destroy(table->fd, second.hwpt));
	EXPECT_TRUE(all_is_dirty(self));
}

TEST_F(mock_container_dirty, all_is_dirty_while_a_driver_works_with_the_cpu)
{
	struct dirty_table *table = &self->table;
	int access;

	ASSERT_EQ(0, mock_access_create(table->fd, table->ioas, 0, &access));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, close(access));
	EXPECT_TRUE(all_is_dirty(self));
	ASSERT_EQ(0, restart(self));
	EXPECT_TRUE(nothing_is_dirty(self));
}

/* Is it in force in both page tables, or in none? */
static bool page_tables_track(struct _test_data_mock_container_dirty *self,
			      struct dirty_table *second, bool expected)
{
	const int rc = expected ? 0 : -EINVAL;

	return write_pages(self, 1, 1) == rc && dirty_table_write(second, DIRTY_IOVA, PAGE) == rc;
}

/* With nothing that fails @nth is 0 */
static int start_failing(struct _test_data_mock_container_dirty *self, int fail_nth,
			 unsigned int nth, bool *failed)
{
	int rc;

	fail_nth_start(fail_nth, nth);
	rc = vfio_container_track(self->table.fd, START);
	*failed = fail_nth_stop(fail_nth);
	return rc;
}

/* The first page table, or the second one when the first one tracks already */
TEST_F(mock_container_dirty, all_is_dirty_if_the_driver_of_a_page_table_fails)
{
	struct dirty_table second = self->table;
	unsigned int nth, fallbacks = 0;
	int fail_nth = fail_nth_open();
	bool failed = true;

	if (fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, fail_nth);
	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	for (nth = 1; failed; nth++) {
		int rc;

		ASSERT_EQ(0, vfio_container_track(self->table.fd, STOP));
		rc = start_failing(self, fail_nth, nth, &failed);
		if (rc) {
			EXPECT_EQ(-EINVAL, read_range(self, DIRTY_IOVA, SIZE));
		} else if (failed) {
			EXPECT_TRUE(all_is_dirty(self));
			fallbacks++;
		}
		EXPECT_TRUE(page_tables_track(self, &second, !failed));
	}
	EXPECT_EQ(2, fallbacks);
	EXPECT_TRUE(dirty_are(self, 0, 1));
	close(fail_nth);
}

/* Starts in a process that is killed some time later. Returns whether it could be. */
static bool start_and_be_killed(struct _test_data_mock_container_dirty *self, useconds_t later)
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		vfio_container_track(self->table.fd, START);
		pause();
	}
	usleep(later);
	return !kill(child, SIGKILL) && waitpid(child, &status, 0) == child;
}

/* What was dirty last time is forgotten in the end, so it tells how far START came. */
TEST_F(mock_container_dirty, killed_start_has_done_all_or_is_not_in_force)
{
	const __u64 last = MANY_IOVA + (MANY - 1) * SIZE;
	struct dirty_table second = self->table;
	unsigned int i;

	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, vfio_container_map(self->table.fd, self->table.memory.start, SIZE,
						VFIO_MAP_RW, MANY_IOVA + i * SIZE));
	for (i = 0; i < 30; i++) {
		int rc;

		ASSERT_EQ(0, restart(self));
		ASSERT_EQ(0, dirty_table_write(&self->table, last, PAGE));
		ASSERT_EQ(0, vfio_container_track(self->table.fd, STOP));
		ASSERT_TRUE(start_and_be_killed(self, 2000 * i));
		rc = read_range(self, last, SIZE);
		EXPECT_TRUE(rc == 0 || rc == -EINVAL);
		EXPECT_EQ(0, count_set(self->bits, BITS));
		EXPECT_TRUE(page_tables_track(self, &second, !rc));
	}
}

/* A part of the bitmap was filled, but the program will not look at it. */
TEST_F(mock_container_dirty, all_is_dirty_if_the_bitmap_could_not_be_told)
{
	const size_t size = sizeof(self->bits);
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct vfio_bitmap bitmap = {
		.pgsize = PAGE, .size = size, .data = (void *)(edge - 8),
	};

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, vfio_container_dirty(self->table.fd, DIRTY_IOVA, SIZE, &bitmap));
	EXPECT_TRUE(nothing_is_dirty(self));

	/* The bits of the hole are not there: all the same an error */
	EXPECT_EQ(-EFAULT, vfio_container_dirty(self->table.fd, DIRTY_IOVA, EVERYTHING, &bitmap));
	EXPECT_TRUE(all_is_dirty(self));
	guard_page_free(edge);
}

TEST_F(mock_container_dirty, another_ioas_has_its_own)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, write_pages(self, 1, 1));
	ASSERT_EQ(0, iommu_vfio_ioas_set(table->fd, table->other));
	EXPECT_EQ(-EINVAL, read_range(self, DIRTY_IOVA, SIZE));
	ASSERT_EQ(0, iommu_vfio_ioas_set(table->fd, table->ioas));
	EXPECT_TRUE(dirty_are(self, 1, 1));
}

/* What two threads unmap at the same time, one of them does. */
struct unmapper {
	struct _test_data_mock_container_dirty *test;
	pthread_barrier_t *begin;
	int rc;
	__u64 unmapped;
	__u64 bits;
};

static void *unmap_once(void *opaque)
{
	struct unmapper *unmapper = opaque;
	struct vfio_bitmap bitmap = {
		.pgsize = PAGE, .size = sizeof(unmapper->bits), .data = &unmapper->bits,
	};

	pthread_barrier_wait(unmapper->begin);
	unmapper->rc = vfio_container_unmap_dirty(unmapper->test->table.fd, DIRTY_IOVA, SIZE,
						  &bitmap, &unmapper->unmapped);
	return NULL;
}

TEST_F(mock_container_dirty, of_two_racing_unmaps_one_has_the_pages)
{
	pthread_barrier_t begin;
	int round;

	ASSERT_EQ(0, pthread_barrier_init(&begin, NULL, 2));
	for (round = 0; round < 200; round++) {
		struct unmapper unmapper[2] = {
			{ .test = self, .begin = &begin }, { .test = self, .begin = &begin },
		};
		pthread_t thread;

		ASSERT_EQ(0, write_pages(self, 3, 1));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_once, &unmapper[0]));
		unmap_once(&unmapper[1]);
		pthread_join(thread, NULL);
		ASSERT_EQ(0, unmapper[0].rc);
		ASSERT_EQ(0, unmapper[1].rc);
		ASSERT_EQ(SIZE, unmapper[0].unmapped + unmapper[1].unmapped);
		/* The one that removed them knows, the other may have seen it, too */
		ASSERT_EQ(8, unmapper[unmapper[1].unmapped == SIZE].bits);
		ASSERT_EQ(0, dirty_table_map(&self->table));
	}
	pthread_barrier_destroy(&begin);
}

TEST_HARNESS_MAIN
