// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests of the plain data structures, or those named, and prints a
 * line for each: "ok NAME" or "not ok NAME".
 *
 * UNIT_SEED sets the seed of the random tests, UNIT_STEPS their length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "unit.h"

/* A test that takes more processor time than this has lost its way. */
#define UNIT_TEST_SECONDS	300

#define UNIT_DEFAULT_STEPS	10000000UL

/* Length of one random run: short enough to try many shapes, long enough to fill one. */
#define UNIT_RUN_STEPS		20000UL

static u64 unit_seed;
static unsigned long unit_steps = UNIT_DEFAULT_STEPS;

/**
 * unit_random_runs() - run a model test on random choices, many times
 * @model: model test
 *
 * Each run has a seed of its own, counted up from the seed printed.
 */
void unit_random_runs(void (*model)(struct choices *choices))
{
	unsigned long steps;
	u64 seed;

	for (steps = 0, seed = unit_seed; steps < unit_steps; steps += UNIT_RUN_STEPS, seed++) {
		struct choices choices = {
			.random = seed * 0xd1342543de82ef95,
			.left = UNIT_RUN_STEPS,
		};

		unit_reset(seed);
		model(&choices);
		CHECK(!unit.bytes);
	}
}

static bool unit_run(const struct unit_test *test)
{
	const struct itimerval limit = { .it_value.tv_sec = UNIT_TEST_SECONDS };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setitimer(ITIMER_PROF, &limit, NULL);
		test->run();
		CHECK(!unit.bytes);
		CHECK(!unit.warnings_expected);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("cannot run a test");
		return false;
	}
	printf("%s %s\n", status ? "not ok" : "ok", test->name);
	return !status;
}

static bool unit_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

static unsigned long unit_number(const char *variable, unsigned long otherwise)
{
	const char *value = getenv(variable);

	return value && *value ? strtoul(value, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	const struct unit_test *files[] = {
		pfn_runs_tests, iova_tree_tests, iova_alloc_tests, iova_bitmap_tests,
		io_dirty_tests,
	};
	bool good = true;

	unit_seed = unit_number("UNIT_SEED", time(NULL)) ?: 1;
	unit_steps = unit_number("UNIT_STEPS", UNIT_DEFAULT_STEPS);
	printf("# UNIT_SEED=%lu UNIT_STEPS=%lu\n", (unsigned long)unit_seed, unit_steps);

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		for (const struct unit_test *test = files[i]; test->name; test++)
			if (unit_wanted(test->name, argc, argv))
				good &= unit_run(test);
	return !good;
}
