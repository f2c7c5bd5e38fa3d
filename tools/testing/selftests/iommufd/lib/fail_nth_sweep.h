/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command with every place failing that can.
 *
 * A command runs again and again in a new context, first with its first allocation
 * or other place failing, then its second, until none is left. Each time it must
 * either succeed or have changed nothing: what is compared is all that a program
 * can see. The kernel looks after the rest: use of freed memory, leaks, locks.
 *
 * Owns how that is done. The program has the commands: a new one is a function that
 * runs it and a line in the program's table.
 */
#ifndef SELFTESTS_IOMMUFD_FAIL_NTH_SWEEP_H
#define SELFTESTS_IOMMUFD_FAIL_NTH_SWEEP_H

#include <kselftest_harness.h>

#include "fail_nth.h"
#include "mock_context.h"

/* No command may need more */
#define NTH_LIMIT 1000

/**
 * struct scenario - a command in one of the states in which it does something else
 * @name: Of the command
 * @prepare: What there is to be before
 * @run: The command
 * @pins: It depends on the kind of memory
 */
struct scenario {
	const char *name;
	int (*prepare)(struct context *context);
	int (*run)(struct context *context);
	bool pins;
};

/* The program's. */
extern const struct scenario scenarios[];
extern const size_t scenario_count;

FIXTURE(mock_fail_nth)
{
	struct memory memory;
	int fail_nth;
};

FIXTURE_VARIANT(mock_fail_nth)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_fail_nth, anonymous) { MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_fail_nth, thp) { MEMORY_THP };
FIXTURE_VARIANT_ADD(mock_fail_nth, hugetlb) { MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(mock_fail_nth, memfd) { MEMORY_MEMFD };

FIXTURE_SETUP(mock_fail_nth)
{
	self->fail_nth = fail_nth_open();
	if (self->fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, self->fail_nth);
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, 2 * HUGE_PAGE));
	if (variant->kind == MEMORY_ANONYMOUS)
		memory_scatter(&self->memory, 17);
}

FIXTURE_TEARDOWN(mock_fail_nth)
{
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	close(self->fail_nth);
}

/* What one attempt came to. */
struct attempt {
	int rc;
	bool something_failed;
	struct context_view before;
	struct context_view after;
};

static int try_once(struct _test_data_mock_fail_nth *self, const struct scenario *scenario,
		    unsigned int nth, struct attempt *attempt)
{
	struct context context;
	int rc = context_open(&context, &self->memory);

	if (!rc)
		rc = scenario->prepare(&context);
	if (!rc) {
		context_look(&context, &attempt->before);
		fail_nth_start(self->fail_nth, nth);
		attempt->rc = scenario->run(&context);
		attempt->something_failed = fail_nth_stop(self->fail_nth);
		context_look(&context, &attempt->after);
	}
	context_close(&context);
	return rc;
}

/*
 * A command that has done its work and can not tell so fails with EFAULT, too; it
 * may have left all of it.
 */
static bool all_or_nothing(const struct attempt *attempt, const struct attempt *success)
{
	if (!attempt->rc)
		return context_view_same_but_ids(&attempt->after, &success->after);
	if (context_view_same(&attempt->after, &attempt->before))
		return true;
	return attempt->rc == -EFAULT && context_view_same(&attempt->after, &success->after);
}

/* Returns how many places there are, or -1 */
static int sweep(struct _test_data_mock_fail_nth *self, const struct scenario *scenario)
{
	struct attempt success, attempt;
	unsigned int nth;

	if (try_once(self, scenario, 0, &success) || success.rc) {
		printf("# %s does not even work without failures\n", scenario->name);
		return -1;
	}
	for (nth = 1; nth < NTH_LIMIT; nth++) {
		if (try_once(self, scenario, nth, &attempt)) {
			printf("# %s, %u: preparation failed\n", scenario->name, nth);
			return -1;
		}
		if (pages_pinned() || !all_or_nothing(&attempt, &success)) {
			printf("# %s, %u: returned %d and left something\n", scenario->name, nth,
			       attempt.rc);
			context_view_print("before", &attempt.before);
			context_view_print("after", &attempt.after);
			return -1;
		}
		if (!attempt.something_failed)
			return attempt.rc ? -1 : (int)nth - 1;
	}
	return -1;
}

TEST_F_TIMEOUT(mock_fail_nth, every_command_does_all_or_nothing, 2400)
{
	size_t i;

	for (i = 0; i < scenario_count; i++) {
		int places;

		if (variant->kind != MEMORY_ANONYMOUS && !scenarios[i].pins)
			continue;
		places = sweep(self, &scenarios[i]);
		EXPECT_LE(0, places);
		printf("# %s: %d places\n", scenarios[i].name, places);
	}
}

#endif
