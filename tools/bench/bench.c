// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/iommu costs, beside VFIO's type1 and the least possible.
 *
 * Runs in a machine of scripts/vm --icount; scripts/bench makes a table of what
 * it prints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "subject.h"

/**
 * must_succeed() - end the program if a step of a measurement has failed
 * @rc: 0 or -errno
 * @what: the step, for the message
 */
void must_succeed(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static const char * const subject_names[SUBJECTS] = {
	[SUBJECT_IOMMUFD] = "ours",
	[SUBJECT_TYPE1] = "type1",
	[SUBJECT_FLOOR] = "floor",
};

static int find_subject(const char *name, enum subject_kind *subject)
{
	int i;

	for (i = 0; i < SUBJECTS; i++) {
		if (!strcmp(subject_names[i], name)) {
			*subject = i;
			return 0;
		}
	}
	return -ENOENT;
}

static void loop(char **argv)
{
	enum subject_kind subject;

	must(find_subject(argv[4], &subject));
	bench_map_loop(argv[2], argv[3], subject);
}

static void measure(bool quick)
{
	bench_system();
	bench_map(quick);
	bench_table();
	bench_areas(quick);
	bench_copies(quick);
	bench_exit();
	if (!quick)
		bench_overhead();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	must(subjects_open());
	if (argc == 5 && !strcmp(mode, "--loop")) {
		loop(argv);
	} else if (argc == 2 && !strcmp(mode, "--parallel")) {
		bench_parallel();
	} else if (argc == 1 || (argc == 2 && !strcmp(mode, "--quick"))) {
		measure(argc == 2);
	} else {
		fputs("usage: bench [--quick | --parallel | --loop MEMORY SIZE SUBJECT]\n", stderr);
		return 2;
	}
	return 0;
}
