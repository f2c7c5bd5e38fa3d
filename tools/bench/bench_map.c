// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping memory of every kind, by few large and many small calls.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "bench_memory.h"
#include "subject.h"

#define IOVA GIB
#define ROUNDS 3

/**
 * struct way - how memory is mapped
 * @name: of the size of a call
 * @size: bytes in all
 * @piece: bytes a call
 */
struct way {
	const char *name;
	size_t size;
	size_t piece;
};

static const struct way ways[] = {
	{ "4K", 4 * MIB, 4 * KIB },
	{ "64K", 64 * MIB, 64 * KIB },
	{ "2M", 256 * MIB, 2 * MIB },
	{ "256M", 256 * MIB, 256 * MIB },
	{ "1G", GIB, GIB },
	{},
};

static void map_all(const struct subject *subject, const struct memory *memory,
		    const struct way *way)
{
	size_t offset;

	for (offset = 0; offset < way->size; offset += way->piece)
		must(subject->map(memory->start + offset, way->piece, IOVA + offset,
				  offset / way->piece));
}

static void unmap_all(const struct subject *subject, const struct way *way)
{
	size_t offset;

	for (offset = 0; offset < way->size; offset += way->piece)
		must(subject->unmap(IOVA + offset, way->piece, offset / way->piece));
}

static void measure(const char *kind, const struct memory *memory, const struct way *way)
{
	double pages = way->size / PAGE_BYTES;
	struct figure map, unmap;
	int round, i;

	figure_init(&map);
	figure_init(&unmap);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SUBJECTS; i++) {
			double start = figure_clock(), middle;

			map_all(&subjects[i], memory, way);
			middle = figure_clock();
			unmap_all(&subjects[i], way);
			figure_take(&map, i, middle - start);
			figure_take(&unmap, i, figure_clock() - middle);
		}
	}
	figure_print(&map, pages, "page", "map %s %s", kind, way->name);
	figure_print(&unmap, pages, "page", "unmap %s %s", kind, way->name);
}

static void report_runs(const char *kind, const struct memory *memory)
{
	const struct subject *floor = &subjects[SUBJECT_FLOOR];

	must(floor->map(memory->start, memory->size, IOVA, 0));
	must(floor->unmap(IOVA, memory->size, 0));
	printf("# %s: %zu MiB in %u runs\n", kind, memory->size / MIB,
	       floor_runs());
}

/**
 * bench_map() - map and unmap memory of every kind
 * @quick: leave out the largest
 */
void bench_map(bool quick)
{
	enum memory_kind kind;
	const struct way *way;

	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		const char *name = memory_kind_name(kind);
		struct memory memory;

		must(bench_allocate(&memory, kind, quick ? 256 * MIB : GIB));
		report_runs(name, &memory);
		for (way = ways; way->size && way->size <= memory.size; way++)
			measure(name, &memory, way);
		memory_free(&memory);
	}
}

static const struct way *find_way(const char *name)
{
	const struct way *way = ways;

	while (way->size && strcmp(way->name, name))
		way++;
	return way;
}

static enum memory_kind find_kind(const char *name)
{
	enum memory_kind kind = 0;

	while (kind < MEMORY_KINDS && strcmp(memory_kind_name(kind), name))
		kind++;
	return kind;
}

/**
 * bench_map_loop() - map and unmap piece by piece, endlessly
 * @kind_name: which memory, as in the table
 * @way_name: how large a piece, as in the table
 * @subject: who does it
 *
 * For a profiler, who is told by a line on stdout when it begins.
 */
void bench_map_loop(const char *kind_name, const char *way_name, enum subject_kind subject)
{
	const struct way *way = find_way(way_name);
	enum memory_kind kind = find_kind(kind_name);
	struct memory memory;
	size_t offset = 0;

	must(way->size && kind < MEMORY_KINDS ? 0 : -ENOENT);
	must(bench_allocate(&memory, kind, way->size));
	printf("# %zu pages a call\n", way->piece / PAGE_BYTES);
	fflush(stdout);
	for (;;) {
		must(subjects[subject].map(memory.start + offset, way->piece, IOVA + offset, 0));
		must(subjects[subject].unmap(IOVA + offset, way->piece, 0));
		offset = (offset + way->piece) % way->size;
	}
}
