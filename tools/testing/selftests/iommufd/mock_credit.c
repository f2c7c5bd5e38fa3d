// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving back what was charged waits for nobody: not for the process that is charged,
 * which can have its address space locked for ever.
 */
#include <pthread.h>

#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "mock_space.h"
#include "privilege.h"
#include "watchdog.h"

#define IOVA MOCK_APERTURE_START
#define PAGES 16L
#define SIZE (PAGES * PAGE)
#define SECOND (IOVA + SIZE)

/* What all processes see: who pays, and how to tell it what to do. */
struct shared {
	struct watched others;
	__u8 held;
	__u8 go_on;
};

FIXTURE(mock_credit)
{
	struct kernel_counters before;
	struct mock_space space;
	struct memory memory;
	struct shared *shared;
	pid_t child;
};

FIXTURE_SETUP(mock_credit)
{
	self->before = kernel_counters_read();
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * SIZE));
	ASSERT_EQ(0, privilege_limit_memlock(SIZE));
	self->space.fd = iommu_open();
	ASSERT_LE(0, self->space.fd);
	/* Charged is the process: only that is under its lock. */
	ASSERT_EQ(0, iommu_option_set(self->space.fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->space.ioas));
	ASSERT_EQ(0, mock_space_attach(&self->space));
}

FIXTURE_TEARDOWN(mock_credit)
{
	if (self->child > 0) {
		kill(self->child, SIGKILL);
		watchdog_reap(self->child, watchdog_limit());
	}
	mock_space_close(&self->space);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static void *run_hold(void *data)
{
	struct _test_data_mock_credit *self = data;

	mock_hold_mmap_lock(self->space.fd, 0, &self->shared->held);
	return NULL;
}

static bool is_set(const __u8 *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void wait_for(const __u8 *flag)
{
	while (!is_set(flag))
		usleep(1000);
}

/* Maps all that it may, or ends. */
static void map_or_exit(struct _test_data_mock_credit *self)
{
	if (privilege_drop(privilege_fresh_user()) ||
	    mock_space_map(&self->space, self->memory.start, SIZE, IOVA))
		_exit(1);
}

/* Pays, and has its address space locked until it is killed; never returns. */
static void pay_and_lock(struct _test_data_mock_credit *self)
{
	pthread_t thread;

	map_or_exit(self);
	/* It is to be there when the kernel writes to it. */
	self->shared->held = 0;
	if (pthread_create(&thread, NULL, run_hold, self))
		_exit(1);
	pthread_join(thread, NULL);
	_exit(2);
}

static int unmap(struct mock_space *space)
{
	return mock_space_unmap(space, IOVA, SIZE);
}

static int destroy_all(struct mock_space *space)
{
	return mock_space_detach(space) ? : unmap(space) ? : iommu_destroy(space->fd, space->ioas);
}

/* Does a teardown end although the process that has paid is locked? */
static bool does_not_wait(struct _test_data_mock_credit *self,
			  int (*teardown)(struct mock_space *space))
{
	pid_t others;

	self->child = fork();
	if (!self->child)
		pay_and_lock(self);
	while (self->child > 0 && !is_set(&self->shared->held) &&
	       !waitpid(self->child, NULL, WNOHANG))
		usleep(1000);
	if (!is_set(&self->shared->held))
		return false;
	others = fork();
	if (!others) {
		watched_begin(&self->shared->others, "the teardown");
		_exit(-teardown(&self->space));
	}
	return others > 0 && !watchdog_run(others, &self->shared->others, 1) &&
	       !waitpid(self->child, NULL, WNOHANG);
}

TEST_F_TIMEOUT(mock_credit, by_an_unmap_does_not_wait_for_who_has_its_memory_locked, 120)
{
	EXPECT_TRUE(does_not_wait(self, unmap));
}

TEST_F_TIMEOUT(mock_credit, by_a_detach_does_not_wait_for_who_has_its_memory_locked, 120)
{
	EXPECT_TRUE(does_not_wait(self, mock_space_detach));
}

TEST_F_TIMEOUT(mock_credit, when_all_is_destroyed_does_not_wait_for_who_has_its_memory_locked,
	       120)
{
	EXPECT_TRUE(does_not_wait(self, destroy_all));
}

static void *run_hold_a_while(void *data)
{
	struct _test_data_mock_credit *self = data;

	mock_hold_mmap_lock(self->space.fd, 1000, &self->shared->held);
	return NULL;
}

static long locked_pages(void)
{
	return memory_status("VmLck") * 1024 / (long)PAGE;
}

/* Does what is charged become as much before long? */
static bool becomes_locked(long pages)
{
	time_t end = watchdog_now() + watchdog_limit();

	while (locked_pages() != pages) {
		if (watchdog_now() > end)
			return false;
		usleep(10000);
	}
	return true;
}

/* Maps as much again: there is no room for it unless what was given back counts. */
static bool maps_again(struct _test_data_mock_credit *self)
{
	return !mock_space_map(&self->space, self->memory.start + SIZE, SIZE, SECOND) &&
	       locked_pages() == PAGES;
}

/* The parent unmaps while this process is locked; never returns. */
static void pay_and_lock_a_while(struct _test_data_mock_credit *self, bool again)
{
	pthread_t thread;

	map_or_exit(self);
	self->shared->held = 0;
	if (locked_pages() != PAGES || pthread_create(&thread, NULL, run_hold_a_while, self))
		_exit(1);
	wait_for(&self->shared->go_on);
	/* It waits for the lock, and then is the first to have it. */
	if (again && !maps_again(self))
		_exit(1);
	_exit(!becomes_locked(again ? PAGES : 0));
}

static int unmap_while_locked(struct _test_data_mock_credit *self, bool again)
{
	struct shared *shared = self->shared;
	int status, rc;

	self->child = fork();
	if (!self->child)
		pay_and_lock_a_while(self, again);
	while (self->child > 0 && !is_set(&shared->held) && !waitpid(self->child, NULL, WNOHANG))
		usleep(100);
	rc = is_set(&shared->held) ? unmap(&self->space) : -ECHILD;
	__atomic_store_n(&shared->go_on, 1, __ATOMIC_RELEASE);
	status = watchdog_reap(self->child, watchdog_limit() * 2);
	self->child = 0;
	return rc ? : status;
}

TEST_F_TIMEOUT(mock_credit, comes_when_the_memory_is_unlocked, 120)
{
	EXPECT_EQ(0, unmap_while_locked(self, false));
}

TEST_F_TIMEOUT(mock_credit, comes_with_the_next_charge_at_the_latest, 120)
{
	EXPECT_EQ(0, unmap_while_locked(self, true));
}

TEST_HARNESS_MAIN
