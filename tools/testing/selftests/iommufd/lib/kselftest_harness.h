/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own harness, whose time limits are there for what hangs, not for what a
 * slow kernel or a busy machine takes longer for.
 *
 * It is found before the other one: a test includes it by that one's name, and no
 * test has to know.
 */
#ifndef SELFTESTS_IOMMUFD_KSELFTEST_HARNESS_H
#define SELFTESTS_IOMMUFD_KSELFTEST_HARNESS_H

#include_next <kselftest_harness.h>

#include "kernel_under_test.h"

/* Runs after the harness's constructors, which collect the tests. */
static void __attribute__((constructor)) harness_fit_timeouts(void)
{
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; fixture; fixture = fixture->next)
		for (test = fixture->tests; test; test = test->next)
			test->timeout *= kernel_slowness();
}

#endif
