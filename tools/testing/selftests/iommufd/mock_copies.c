// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many areas of the same page: what is done with each takes as long as with one, and an
 * attach can be killed among them.
 */
#include <time.h>

#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "mock_space.h"
#include "watchdog.h"

#define IOVA MOCK_APERTURE_START
#define FEW 2048UL
#define MANY 32768UL
#define TRIES 5

FIXTURE(mock_copies)
{
	struct kernel_counters before;
	struct mock_space space;
	struct memory memory;
};

FIXTURE_SETUP(mock_copies)
{
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, PAGE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, PAGE, IOVA));
}

FIXTURE_TEARDOWN(mock_copies)
{
	mock_space_close(&self->space);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* From so many areas of the page to so many. A copy of a range has as many as it. */
static int copy_until(struct mock_space *space, unsigned long from, unsigned long to)
{
	int rc = 0;

	for (; from < to && !rc; from *= 2)
		rc = iommu_ioas_copy_fixed(space->fd, space->ioas, IOVA, from * PAGE, space->ioas,
					   IOMMU_MAP_RW, IOVA + from * PAGE);
	return rc;
}

/* Of the processor, in seconds; the time of others does not count. */
static double thread_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The shortest of some tries, or a negative number on failure. */
static double attach_and_detach_time(struct mock_space *space)
{
	double best = 1e9, began;
	int i;

	for (i = 0; i < TRIES; i++) {
		began = thread_time();
		if (mock_space_attach(space) || mock_space_detach(space))
			return -1;
		best = best < thread_time() - began ? best : thread_time() - began;
	}
	return best;
}

/* What is quadratic takes MANY / FEW times as long for each. */
TEST_F_TIMEOUT(mock_copies, take_as_long_each_to_attach_and_detach_however_many_there_are, 240)
{
	double few, many;

	ASSERT_EQ(0, copy_until(&self->space, 1, FEW));
	few = attach_and_detach_time(&self->space) / FEW;
	ASSERT_LT(0, few);
	ASSERT_EQ(0, copy_until(&self->space, FEW, MANY));
	many = attach_and_detach_time(&self->space) / MANY;
	ASSERT_LT(0, many);
	EXPECT_GT(4 * few, many) {
		TH_LOG("%.2f us each of many, %.2f us each of few", many * 1e6, few * 1e6);
	}
}

/* Returns the status of a process that was killed while it attached. */
static int kill_attacher(struct mock_space *space)
{
	pid_t child = fork();

	if (!child)
		_exit(mock_space_attach(space) ? 1 : 0);
	/* The first area has pinned the page: the others are to come. */
	while (child > 0 && !pages_pinned() && !kill(child, 0))
		if (waitid(P_PID, child, &(siginfo_t){}, WEXITED | WNOHANG | WNOWAIT))
			break;
	kill(child, SIGKILL);
	return watchdog_reap(child, watchdog_limit());
}

TEST_F_TIMEOUT(mock_copies, SIGKILL_ends_an_attach_among_them_with_nothing_pinned, 120)
{
	ASSERT_EQ(0, copy_until(&self->space, 1, MANY));
	EXPECT_EQ(SIGKILL, kill_attacher(&self->space));
	EXPECT_EQ(0, pages_pinned());
	/* And it has left nothing in the way */
	EXPECT_EQ(0, mock_space_attach(&self->space));
	EXPECT_EQ(1, pages_pinned());
	EXPECT_EQ(0, mock_space_check(&self->space, IOVA + (MANY - 1) * PAGE, PAGE,
				      self->memory.start));
}

TEST_HARNESS_MAIN
