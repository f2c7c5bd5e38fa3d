// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of the fuzzer, run again.
 *
 * Owns nothing but their order. Each file in tools/testing/fuzz/programs is a test
 * case: its first line states the rule, its calls have the results that it says, the
 * kernel has nothing to report and keeps nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kselftest.h>

#include "execute.h"
#include "watch.h"

#define SECONDS 120

static int is_program(const struct dirent *entry)
{
	return !!strstr(entry->d_name, ".txt");
}

/* The first line, without what makes it a comment. */
static void read_rule(const char *path, char *rule, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[256];

	rule[0] = 0;
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		snprintf(rule, size, "%s", line + strspn(line, "# "));
	}
	fclose(file);
}

static void print_results(const struct execution *execution, const struct program *program)
{
	unsigned int i;

	for (i = 0; i < program->count; i++) {
		printf("# %3d ", execution->results[i]);
		program_write_call(stdout, &program->calls[i]);
	}
}

static bool holds(struct execution *execution, const char *path)
{
	struct program program;
	enum outcome outcome;
	bool reported;

	if (program_load(path, &program))
		return false;
	outcome = execute(execution, &program, SECONDS);
	reported = watch_log();
	if (watch_counters() && outcome == OUTCOME_DONE && !reported)
		return true;
	printf("# %s\n", outcome_names[outcome]);
	print_results(execution, &program);
	return false;
}

int main(void)
{
	struct execution *execution;
	struct dirent **entries;
	char path[512], rule[256];
	int count, i;

	ksft_print_header();
	count = scandir(PROGRAMS, &entries, is_program, alphasort);
	if (count <= 0)
		ksft_exit_fail_msg("no programs in " PROGRAMS "\n");
	execution = execute_prepare();
	if (!execution || watch_open())
		ksft_exit_fail_msg("cannot run programs\n");
	ksft_set_plan(count);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), PROGRAMS "/%s", entries[i]->d_name);
		read_rule(path, rule, sizeof(rule));
		ksft_test_result(holds(execution, path), "%s: %s\n", entries[i]->d_name, rule);
	}
	ksft_finished();
}
