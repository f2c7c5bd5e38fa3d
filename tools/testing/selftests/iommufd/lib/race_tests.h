/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold whatever threads and processes do.
 *
 * The program has the plan, see race.h.
 */
#ifndef SELFTESTS_IOMMUFD_RACE_TESTS_H
#define SELFTESTS_IOMMUFD_RACE_TESTS_H

#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "race.h"

/* The program's. */
extern const struct race_plan plan;

FIXTURE(mock_race)
{
	struct kernel_counters before;
};

FIXTURE_SETUP(mock_race)
{
	self->before = kernel_counters_read();
	ASSERT_EQ(0, race_open());
}

FIXTURE_TEARDOWN(mock_race)
{
	race_close();
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F_TIMEOUT(mock_race, threads_and_processes_do_everything_at_once, 3600)
{
	pid_t child = race_start(&plan, race_seconds(), 1);

	ASSERT_LT(0, child);
	ASSERT_EQ(0, race_wait(child));
	ASSERT_TRUE(race_went_well(&plan));
	if (race_lacks(&plan))
		SKIP(return, "'%s' has not worked once, is the machine busy?",
		     race_lacks(&plan));
}

TEST_F_TIMEOUT(mock_race, killed_in_the_middle_leaves_nothing, 300)
{
	int i;

	for (i = 0; i < RACE_KILLS; i++) {
		ASSERT_TRUE(race_kill(&plan, i));
		ASSERT_TRUE(kernel_counters_settle(&self->before));
	}
}

#endif
