// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the cost of a call grows with what is mapped already.
 */
#include "bench.h"
#include "bench_memory.h"
#include "iommu.h"
#include "subject.h"
#include "vfio_container.h"

#define MEMORY_SIZE (4 * MIB)
#define IOVA GIB
/* A page, and a page wide hole behind it */
#define STRIDE (2 * PAGE_BYTES)
#define CALLS 500
#define ROUNDS 3

static struct memory memory;

static const uint8_t *page(size_t i)
{
	return memory.start + i * PAGE_BYTES % MEMORY_SIZE;
}

/* Holes all over the areas */
static __u64 hole(size_t i, size_t areas)
{
	return IOVA + i * 7919 % areas * STRIDE + PAGE_BYTES;
}

static void fill(const struct subject *subject, size_t areas)
{
	size_t i;

	for (i = 0; i < areas; i++)
		must(subject->map(page(i), PAGE_BYTES, IOVA + i * STRIDE, 0));
}

/* With fewer holes than calls, each hole is used again */
static void map_and_unmap(enum subject_kind kind, size_t areas, struct figure *map,
			  struct figure *unmap)
{
	const struct subject *subject = &subjects[kind];
	size_t group = areas < CALLS ? areas : CALLS;
	double mapping = 0, unmapping = 0;
	size_t done, i;

	for (done = 0; done < CALLS; done += group) {
		double start = figure_clock(), middle;

		for (i = 0; i < group; i++)
			must(subject->map(page(i), PAGE_BYTES, hole(i, areas), 0));
		middle = figure_clock();
		for (i = 0; i < group; i++)
			must(subject->unmap(hole(i, areas), PAGE_BYTES, 0));
		mapping += middle - start;
		unmapping += figure_clock() - middle;
	}
	figure_take(map, kind, mapping);
	figure_take(unmap, kind, unmapping);
}

/* Where the kernel likes, which is below the first area at first */
static void map_anywhere(struct figure *map)
{
	static __u64 iova[CALLS];
	double start = figure_clock();
	size_t i;

	for (i = 0; i < CALLS; i++)
		must(iommu_ioas_map(iommufd, ioas, page(i), PAGE_BYTES, IOMMU_MAP_RW, &iova[i]));
	figure_take(map, SUBJECT_IOMMUFD, figure_clock() - start);
	for (i = 0; i < CALLS; i++)
		must(iommu_ioas_unmap(iommufd, ioas, iova[i], PAGE_BYTES, NULL));
}

static void unmap_all(struct figure *figure)
{
	double start = figure_clock(), middle;

	must(iommu_ioas_unmap_all(iommufd, ioas, NULL));
	middle = figure_clock();
	must(vfio_container_unmap_all(container, NULL));
	figure_take(figure, SUBJECT_IOMMUFD, middle - start);
	figure_take(figure, SUBJECT_TYPE1, figure_clock() - middle);
}

static void measure(size_t areas)
{
	struct figure map, unmap, anywhere, all;
	int round;

	figure_init(&map);
	figure_init(&unmap);
	figure_init(&anywhere);
	figure_init(&all);
	for (round = 0; round < ROUNDS; round++) {
		fill(&subjects[SUBJECT_IOMMUFD], areas);
		fill(&subjects[SUBJECT_TYPE1], areas);
		map_and_unmap(SUBJECT_IOMMUFD, areas, &map, &unmap);
		map_and_unmap(SUBJECT_TYPE1, areas, &map, &unmap);
		map_anywhere(&anywhere);
		unmap_all(&all);
	}
	figure_print(&map, CALLS, "call", "map beside %zu", areas);
	figure_print(&unmap, CALLS, "call", "unmap beside %zu", areas);
	figure_print(&anywhere, CALLS, "call", "map anywhere beside %zu", areas);
	figure_print(&all, areas, "area", "unmap all of %zu", areas);
}

/**
 * bench_areas() - map and unmap one page beside others
 * @quick: only beside few
 */
void bench_areas(bool quick)
{
	must(bench_allocate(&memory, MEMORY_ANONYMOUS, MEMORY_SIZE));
	measure(1);
	measure(1000);
	if (!quick)
		measure(100000);
	memory_free(&memory);
}
