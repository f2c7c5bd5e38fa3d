// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is being waited for.
 *
 * Owns the rules of what other threads see and can do while one is stuck in a map or
 * in an attach, because the memory it has to pin does not appear.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"
#include "slow_memory.h"

#define IOVA 0x40000000UL
#define PAGES 4
#define SIZE (PAGES * PAGE_BYTES)
#define SEED 17

/* Where the other mappings are. */
#define NEAR (IOVA + SIZE)
#define FAR (IOVA + 0x1000000)

FIXTURE(pin_slow)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	struct slow_memory slow;
	struct memory memory;
	pthread_t thread;
	bool stuck;
	int fd;
	__u32 ioas;
	__u32 other;
};

/* What it is that is stuck. */
FIXTURE_VARIANT(pin_slow)
{
	bool in_attach;
};

FIXTURE_VARIANT_ADD(pin_slow, map)
{
	.in_attach = false,
};

FIXTURE_VARIANT_ADD(pin_slow, attach)
{
	.in_attach = true,
};

static int map_slow(struct _test_data_pin_slow *self)
{
	return attachment_map(&self->attachment, self->slow.start, SIZE, IOMMU_MAP_RW, IOVA);
}

static void *run_map(void *self)
{
	return (void *)(long)map_slow(self);
}

static void *run_attach(void *argument)
{
	struct _test_data_pin_slow *self = argument;

	return (void *)(long)attachment_attach(&self->attachment, self->ioas);
}

/* Starts the thread that gets stuck, and waits until it is. Returns 0 or -errno. */
static int get_stuck(struct _test_data_pin_slow *self, bool in_attach)
{
	int rc = in_attach ? map_slow(self) : attachment_attach(&self->attachment, self->ioas);

	if (!rc)
		rc = -pthread_create(&self->thread, NULL, in_attach ? run_attach : run_map,
				     self);
	if (!rc)
		rc = slow_memory_wait(&self->slow);
	self->stuck = !rc;
	return rc;
}

/* Lets the thread go on. Returns what it was stuck in returned. */
static long get_unstuck(struct _test_data_pin_slow *self)
{
	void *result;

	self->stuck = false;
	pattern_fill(self->memory.start, SIZE, SEED);
	if (slow_memory_release(&self->slow, self->memory.start) ||
	    pthread_join(self->thread, &result))
		return 1;
	return (long)result;
}

FIXTURE_SETUP(pin_slow)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu, self->fd,
					self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE, IOMMU_MAP_RW,
				    NEAR));
	ASSERT_EQ(0, slow_memory_create(&self->slow, SIZE));
	ASSERT_EQ(0, get_stuck(self, variant->in_attach));
}

FIXTURE_TEARDOWN(pin_slow)
{
	if (self->stuck)
		EXPECT_EQ(0, get_unstuck(self));
	attachment_close(&self->attachment);
	slow_memory_free(&self->slow);
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F(pin_slow, ends_well_when_the_memory_appears)
{
	EXPECT_EQ(0, get_unstuck(self));
	EXPECT_TRUE(device_reads(&self->staging, IOVA, NULL, SEED));
}

TEST_F(pin_slow, its_iova_is_taken)
{
	__u64 iova;

	EXPECT_EQ(-EEXIST, attachment_map(&self->attachment, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EEXIST, attachment_map(&self->attachment, self->memory.start, PAGE_BYTES,
					  IOMMU_MAP_RW, IOVA + SIZE - PAGE_BYTES));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, self->memory.start, PAGE_BYTES,
				    IOMMU_MAP_RW, &iova));
	EXPECT_TRUE(iova < IOVA || iova >= IOVA + SIZE);
}

static void *run_unmap(void *argument)
{
	struct _test_data_pin_slow *self = argument;

	return (void *)(long)attachment_unmap(&self->attachment, IOVA, SIZE);
}

/* A map is being set up; what an attach works on is mapped, and can be waited for. */
TEST_F(pin_slow, unmap_is_EBUSY_during_a_map_and_waits_for_an_attach)
{
	pthread_t thread;
	void *result;

	/* What sticks out is ENOENT in any case. */
	EXPECT_EQ(-ENOENT, attachment_unmap(&self->attachment, IOVA, 2 * SIZE - PAGE_BYTES));
	if (!variant->in_attach) {
		EXPECT_EQ(-EBUSY, attachment_unmap(&self->attachment, IOVA, SIZE));
		EXPECT_EQ(-EBUSY, attachment_unmap(&self->attachment, IOVA, 2 * SIZE));
		EXPECT_EQ(-EBUSY, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
		EXPECT_EQ(0, get_unstuck(self));
		EXPECT_EQ(0, attachment_unmap(&self->attachment, IOVA, 2 * SIZE));
		return;
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_unmap, self));
	usleep(100000);
	EXPECT_EQ(0, get_unstuck(self));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(0, (long)result);
	EXPECT_EQ(-ENOENT, attachment_unmap(&self->attachment, IOVA, SIZE));
}

TEST_F(pin_slow, copy_is_ENOENT_during_a_map_and_works_during_an_attach)
{
	int expected = variant->in_attach ? 0 : -ENOENT;

	EXPECT_EQ(expected, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, SIZE,
						  self->other, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(expected, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, 2 * SIZE,
						  self->other, IOMMU_MAP_RW, FAR));
}

TEST_F(pin_slow, others_map_and_unmap_in_the_same_ioas)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE,
					    IOMMU_MAP_RW, FAR));
		ASSERT_EQ(0, attachment_unmap(&self->attachment, FAR, SIZE));
	}
	EXPECT_EQ(0, attachment_unmap(&self->attachment, NEAR, SIZE));
}

TEST_F(pin_slow, others_copy_in_the_same_ioas)
{
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, NEAR, SIZE, self->ioas,
					   IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, NEAR, SIZE, self->other,
					   IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, FAR, SIZE, NULL));
}

TEST_F(pin_slow, others_ask_and_set)
{
	__u64 value;
	__u32 id, count = 0;

	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->ioas, NULL, &count, NULL));
	EXPECT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, NULL, 0));
	EXPECT_EQ(0, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	EXPECT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
}

TEST_F(pin_slow, destroy_of_the_ioas_is_EBUSY)
{
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->other));
}

TEST_F(pin_slow, other_contexts_are_not_held_up)
{
	struct attachment second;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, attachment_open(&second, topology.own[1].name, 0));
	EXPECT_EQ(0, attachment_map(&second, self->memory.start, SIZE, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, attachment_attach(&second, second.ioas));
	EXPECT_EQ(0, attachment_map(&second, self->memory.start, SIZE, IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, attachment_unmap(&second, IOVA, SIZE));
	attachment_close(&second);
}

TEST_F(pin_slow, other_ioas_takes_a_device)
{
	struct edu second;
	__u32 pt_id = self->other;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, edu_open(&second, topology.own[1].name, self->fd));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, self->other, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, vfio_device_attach(&second.device, &pt_id));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA, SIZE, NULL));
	edu_close(&second);
}

TEST_F(pin_slow, memory_that_goes_instead_of_appearing_is_EFAULT)
{
	void *result;

	self->stuck = false;
	ASSERT_EQ(0, munmap(self->slow.start, SIZE));
	/* Who waits looks again when nobody is left who could help. */
	close(self->slow.faults);
	self->slow.faults = -1;
	ASSERT_EQ(0, pthread_join(self->thread, &result));
	EXPECT_EQ(-EFAULT, (long)result);
	EXPECT_EQ(variant->in_attach ? 0 : -ENOENT,
		  attachment_unmap(&self->attachment, IOVA, SIZE));
}

/* A process that gets stuck and never comes back. */
static void get_stuck_for_ever(bool in_attach, int ready)
{
	struct _test_data_pin_slow self = {};

	if (attachment_open(&self.attachment, topology.own[0].name, 0))
		_exit(1);
	self.ioas = self.attachment.ioas;
	if (slow_memory_create(&self.slow, SIZE) || get_stuck(&self, in_attach) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	pause();
}

FIXTURE(pin_slow_kill)
{
	struct kernel_counters before;
};

FIXTURE_VARIANT(pin_slow_kill)
{
	bool in_attach;
};

FIXTURE_VARIANT_ADD(pin_slow_kill, map)
{
	.in_attach = false,
};

FIXTURE_VARIANT_ADD(pin_slow_kill, attach)
{
	.in_attach = true,
};

FIXTURE_SETUP(pin_slow_kill)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
}

FIXTURE_TEARDOWN(pin_slow_kill)
{
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F(pin_slow_kill, ends_the_wait_and_frees_the_device)
{
	struct attachment attachment;
	int status, ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		get_stuck_for_ever(variant->in_attach, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, attachment_open(&attachment, topology.own[0].name, 0));
	EXPECT_EQ(0, attachment_attach(&attachment, attachment.ioas));
	attachment_close(&attachment);
}
