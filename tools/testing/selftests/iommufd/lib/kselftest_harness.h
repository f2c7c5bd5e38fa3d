/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own harness, whose time limits are there for what hangs, not for what a
 * slow kernel or a busy machine takes longer for.
 *
 * It is found before the other one: a test includes it by that one's name, and no
 * test has to know. A program for the mock IOMMU is skipped where there is none.
 */
#ifndef SELFTESTS_IOMMUFD_KSELFTEST_HARNESS_H
#define SELFTESTS_IOMMUFD_KSELFTEST_HARNESS_H

#include <fcntl.h>
#include <string.h>

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

static void __attribute__((constructor)) harness_skip_without_mock(void)
{
	if (strncmp(program_invocation_short_name, "mock_", 5) || build_is_promised())
		return;
	/* Loads the module, if it is one. */
	close(open("/dev/iommu", O_RDWR | O_CLOEXEC));
	if (iommufd_is_test_build())
		return;
	ksft_print_header();
	ksft_exit_skip("needs the mock IOMMU (CONFIG_IOMMUFD_TEST)\n");
}

#endif
