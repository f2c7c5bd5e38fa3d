// SPDX-License-Identifier: GPL-2.0-only
/*
 * One more page table for memory that is pinned: a second domain in an IOAS, a
 * copy of a mapping, a device that moves to another IOAS.
 */
#include "bench.h"
#include "bench_memory.h"
#include "iommu.h"
#include "subject.h"

#define SIZE (256 * MIB)
#define PAGES (SIZE / PAGE_BYTES)
#define IOVA GIB
#define OTHER_IOVA (16 * GIB)
#define ROUNDS 3

static double passed(double *since)
{
	double now = figure_clock();
	double time = now - *since;

	*since = now;
	return time;
}

static void measure_floor(struct figure *there, struct figure *back)
{
	double since = figure_clock();

	must(floor_fill(0, OTHER_IOVA));
	figure_take(there, SUBJECT_FLOOR, passed(&since));
	must(floor_clear(0, OTHER_IOVA));
	figure_take(back, SUBJECT_FLOOR, passed(&since));
}

static void second_domain(struct figure *there, struct figure *back)
{
	double since = figure_clock();
	__u32 second = 0;

	must(iommu_hwpt_alloc(iommufd, device.id, ioas, 0, &second));
	figure_take(there, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_destroy(iommufd, second));
	figure_take(back, SUBJECT_IOMMUFD, passed(&since));
}

static void copy(struct figure *there, struct figure *back)
{
	double since = figure_clock();

	must(iommu_ioas_copy_fixed(iommufd, ioas, IOVA, SIZE, ioas, IOMMU_MAP_RW, OTHER_IOVA));
	figure_take(there, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_ioas_unmap(iommufd, ioas, OTHER_IOVA, SIZE, NULL));
	figure_take(back, SUBJECT_IOMMUFD, passed(&since));
}

/* The page table of the other IOAS comes and goes with the attachment */
static void replace(struct figure *there, struct figure *back)
{
	__u32 other = 0, old = hwpt, pt_id;
	double since;

	must(iommu_ioas_alloc(iommufd, &other));
	must(iommu_ioas_copy_fixed(iommufd, ioas, IOVA, SIZE, other, IOMMU_MAP_RW, IOVA));
	pt_id = other;
	since = figure_clock();
	must(vfio_device_attach(&device, &pt_id));
	figure_take(there, SUBJECT_IOMMUFD, passed(&since));
	must(vfio_device_attach(&device, &old));
	figure_take(back, SUBJECT_IOMMUFD, passed(&since));
	must(iommu_destroy(iommufd, other));
}

static void measure(const char *there_name, const char *back_name, const char *kind,
		    void (*ours)(struct figure *there, struct figure *back))
{
	struct figure there, back;
	int round;

	figure_init(&there);
	figure_init(&back);
	for (round = 0; round < ROUNDS; round++) {
		ours(&there, &back);
		measure_floor(&there, &back);
	}
	figure_print(&there, PAGES, "page", "%s %s 256M", there_name, kind);
	figure_print(&back, PAGES, "page", "%s %s 256M", back_name, kind);
}

static void measure_kind(enum memory_kind kind)
{
	const struct subject *floor = &subjects[SUBJECT_FLOOR];
	const struct subject *ours = &subjects[SUBJECT_IOMMUFD];
	const char *name = memory_kind_name(kind);
	struct memory memory;

	must(bench_allocate(&memory, kind, SIZE));
	must(ours->map(memory.start, SIZE, IOVA, 0));
	must(floor->map(memory.start, SIZE, IOVA, 0));
	measure("second domain", "its end,", name, second_domain);
	measure("replace", "and back,", name, replace);
	measure("copy", "unmap copy", name, copy);
	must(floor->unmap(IOVA, SIZE, 0));
	must(ours->unmap(IOVA, SIZE, 0));
	memory_free(&memory);
}

/**
 * bench_table() - more page tables for memory that is pinned already
 */
void bench_table(void)
{
	measure_kind(MEMORY_ANONYMOUS);
	measure_kind(MEMORY_HUGETLB);
}
