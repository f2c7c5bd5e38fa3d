// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/iommu costs, beside VFIO's type1 and the least possible.
 *
 * Runs in a machine of scripts/vm --icount; scripts/bench makes a table of what
 * it prints.
 */
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

int main(int argc, char **argv)
{
	bool quick = argc == 2 && !strcmp(argv[1], "--quick");

	if (argc > 1 + quick) {
		fprintf(stderr, "usage: bench [--quick]\n");
		return 2;
	}
	must(subjects_open());
	bench_system();
	bench_map(quick);
	return 0;
}
