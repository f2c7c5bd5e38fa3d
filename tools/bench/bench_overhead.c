// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory the kernel needs for memory that is mapped.
 */
#include "bench.h"
#include "bench_memory.h"
#include "subject.h"

#define IOVA GIB
#define ROUNDS 3

static void measure_subject(enum subject_kind i, const struct memory *memory,
			    struct figure *slab, struct figure *tables)
{
	long slab_before = memory_info("Slab");
	long tables_before = memory_info("SecPageTables");

	must(subjects[i].map(memory->start, GIB, IOVA, 0));
	figure_take(slab, i, memory_info("Slab") - slab_before);
	/* type1 unmaps in pieces that are too small to let go of a table */
	if (i != SUBJECT_TYPE1)
		figure_take(tables, i, memory_info("SecPageTables") - tables_before);
	must(subjects[i].unmap(IOVA, GIB, 0));
}

static void measure(enum memory_kind kind)
{
	const char *name = memory_kind_name(kind);
	struct figure slab, tables;
	struct memory memory;
	int round, i;

	figure_init(&slab);
	figure_init(&tables);
	must(bench_allocate(&memory, kind, GIB));
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SUBJECTS; i++)
			measure_subject(i, &memory, &slab, &tables);
	}
	memory_free(&memory);
	figure_print(&slab, 1, "KiB of slab", "1 GiB of %s", name);
	figure_print(&tables, 1, "KiB of IO page tables", "1 GiB of %s,", name);
}

/**
 * bench_overhead() - kernel memory for 1 GiB of every kind
 */
void bench_overhead(void)
{
	enum memory_kind kind;

	for (kind = 0; kind < MEMORY_KINDS; kind++)
		measure(kind);
}
