// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the cost of an area grows with the areas that have the same page.
 */
#include "bench.h"
#include "bench_memory.h"
#include "iommu.h"
#include "subject.h"

#define IOVA GIB
#define ROUNDS 3

struct costs {
	struct figure copy, attach, detach, unmap;
};

static struct memory memory;

static double passed(double *since)
{
	double now = figure_clock();
	double time = now - *since;

	*since = now;
	return time;
}

/* Each area of the range that is copied becomes an area: twice as many each time */
static void fill(__u32 where, size_t copies)
{
	size_t done = 1, next;

	must(iommu_ioas_map_fixed(iommufd, where, memory.start, PAGE_BYTES, IOMMU_MAP_RW,
				  IOVA));
	for (; done < copies; done += next) {
		next = copies - done < done ? copies - done : done;
		must(iommu_ioas_copy_fixed(iommufd, where, IOVA, next * PAGE_BYTES, where,
					   IOMMU_MAP_RW, IOVA + done * PAGE_BYTES));
	}
}

/* The first domain pins, and its end unpins, as does an unmap while there is one */
static void measure_once(struct costs *costs, size_t copies)
{
	__u32 new_ioas = 0, first = 0;
	double since;

	must(iommu_ioas_alloc(iommufd, &new_ioas));
	since = figure_clock();
	fill(new_ioas, copies);
	figure_take(&costs->copy, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_hwpt_alloc(iommufd, device.id, new_ioas, 0, &first));
	figure_take(&costs->attach, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_destroy(iommufd, first));
	figure_take(&costs->detach, SUBJECT_IOMMUFD, passed(&since));

	must(iommu_hwpt_alloc(iommufd, device.id, new_ioas, 0, &first));
	since = figure_clock();
	must(iommu_ioas_unmap_all(iommufd, new_ioas, NULL));
	figure_take(&costs->unmap, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_destroy(iommufd, first));
	must(iommu_destroy(iommufd, new_ioas));
}

static void measure(size_t copies)
{
	struct costs costs;
	int round;

	figure_init(&costs.copy);
	figure_init(&costs.attach);
	figure_init(&costs.detach);
	figure_init(&costs.unmap);
	for (round = 0; round < ROUNDS; round++)
		measure_once(&costs, copies);
	figure_print(&costs.copy, copies, "area", "make %zu copies", copies);
	figure_print(&costs.attach, copies, "area", "first domain of %zu copies", copies);
	figure_print(&costs.detach, copies, "area", "its end, %zu copies", copies);
	figure_print(&costs.unmap, copies, "area", "unmap all of %zu copies", copies);
}

/**
 * bench_copies() - attach, detach and unmap areas that all have one page
 * @quick: no more than it takes to see a square
 */
void bench_copies(bool quick)
{
	must(bench_allocate(&memory, MEMORY_ANONYMOUS, PAGE_BYTES));
	measure(1000);
	measure(10000);
	if (!quick)
		measure(100000);
	memory_free(&memory);
}
