// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a second processor is good for: two threads that map different areas, and
 * one large area. Measured in wall time, which depends on what else the host does.
 * That only ever adds, so each ratio is of the least times of some rounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "bench_memory.h"
#include "iommu.h"
#include "subject.h"

#define CPU1 "/sys/devices/system/cpu/cpu1/online"
#define PART (64 * MIB)
#define PIECE (2 * MIB)
#define IOVA GIB
#define ROUNDS 9
#define REPEAT 4

struct job {
	const struct subject *subject;
	const uint8_t *start;
	__u64 iova;
	unsigned int slot;
	pthread_t thread;
};

static void *run(void *argument)
{
	const struct job *job = argument;
	size_t offset;
	int i;

	for (i = 0; i < REPEAT; i++) {
		for (offset = 0; offset < PART; offset += PIECE)
			must(job->subject->map(job->start + offset, PIECE, job->iova + offset,
					       job->slot + offset / PIECE));
		for (offset = 0; offset < PART; offset += PIECE)
			must(job->subject->unmap(job->iova + offset, PIECE,
						 job->slot + offset / PIECE));
	}
	return NULL;
}

static double run_jobs(struct job *jobs, int count)
{
	double start = figure_clock();
	int i;

	for (i = 0; i < count; i++)
		must(-pthread_create(&jobs[i].thread, NULL, run, &jobs[i]));
	for (i = 0; i < count; i++)
		must(-pthread_join(jobs[i].thread, NULL));
	return figure_clock() - start;
}

static void note(double *least, double time)
{
	if (time < *least)
		*least = time;
}

/* How many times as much two threads do in the same time */
static double two_threads(enum subject_kind kind, const struct memory *memory)
{
	double one = HUGE_VAL, two = HUGE_VAL;
	struct job jobs[2];
	int i;

	for (i = 0; i < 2; i++) {
		jobs[i] = (struct job){
			.subject = &subjects[kind],
			.start = memory->start + i * PART,
			.iova = IOVA + i * GIB,
			.slot = i * (PART / PIECE),
		};
	}
	for (i = 0; i < ROUNDS; i++) {
		note(&one, run_jobs(jobs, 1));
		note(&two, run_jobs(jobs, 2));
	}
	return 2 * one / two;
}

static int set_second_cpu(bool online)
{
	int fd = open(CPU1, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, online ? "1" : "0", 1) != 1)
		rc = -errno;
	close(fd);
	return rc;
}

static double map(const struct memory *memory)
{
	double start = figure_clock();

	must(subjects[SUBJECT_IOMMUFD].map(memory->start, memory->size, IOVA, 0));
	return figure_clock() - start;
}

static void unmap(const struct memory *memory)
{
	must(subjects[SUBJECT_IOMMUFD].unmap(IOVA, memory->size, 0));
}

static double map_present(const struct memory *memory)
{
	double time = map(memory);

	unmap(memory);
	return time;
}

static void *populate(void *argument)
{
	const struct memory *half = argument;

	must(madvise(half->start, half->size, MADV_POPULATE_WRITE) ? -errno : 0);
	return NULL;
}

/* As a program is told to: its threads get the memory, then it is mapped */
static double populate_and_map(const struct memory *memory)
{
	size_t half = memory->size / 2;
	struct memory halves[2] = {
		{ .start = memory->start, .size = half },
		{ .start = memory->start + half, .size = half },
	};
	pthread_t thread;
	double start;

	must(madvise(memory->start, memory->size, MADV_DONTNEED) ? -errno : 0);
	start = figure_clock();
	must(-pthread_create(&thread, NULL, populate, &halves[1]));
	populate(&halves[0]);
	must(-pthread_join(thread, NULL));
	map(memory);
	start = figure_clock() - start;
	unmap(memory);
	return start;
}

/* A page table for what is pinned */
static double second_domain(const struct memory *memory)
{
	__u32 second = 0;
	double start;

	map(memory);
	start = figure_clock();
	must(iommu_hwpt_alloc(iommufd, device.id, ioas, 0, &second));
	start = figure_clock() - start;
	must(iommu_destroy(iommufd, second));
	unmap(memory);
	return start;
}

/* A change of processors has the emulator translate all code anew: the first one is slow */
static double again(double (*once)(const struct memory *memory), const struct memory *memory)
{
	once(memory);
	return once(memory);
}

/* How many times as fast something is with two processors */
static double two_processors(double (*once)(const struct memory *memory),
			     const struct memory *memory)
{
	double one = HUGE_VAL, two = HUGE_VAL;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		note(&two, again(once, memory));
		must(set_second_cpu(false));
		note(&one, again(once, memory));
		must(set_second_cpu(true));
	}
	return one / two;
}

static void measure(const char *name, double (*once)(const struct memory *memory),
		    const struct memory *memory)
{
	struct figure figure;

	figure_init(&figure);
	figure_take(&figure, SUBJECT_IOMMUFD, two_processors(once, memory));
	figure_print(&figure, 1, "times as fast", "%s %s 1G by 2 processors", name,
		     memory_kind_name(memory->kind));
}

static void large_areas(void)
{
	struct memory memory;

	must(bench_allocate(&memory, MEMORY_ANONYMOUS, GIB));
	measure("map", map_present, &memory);
	measure("second domain", second_domain, &memory);
	/* Its pages are no longer those that bench_allocate() has scattered */
	measure("populate and map", populate_and_map, &memory);
	memory_free(&memory);
	must(bench_allocate(&memory, MEMORY_HUGETLB, GIB));
	measure("map", map_present, &memory);
	memory_free(&memory);
}

/**
 * bench_parallel() - two threads, and one with two processors
 */
void bench_parallel(void)
{
	struct figure figure;
	struct memory memory;

	figure_init(&figure);
	must(bench_allocate(&memory, MEMORY_ANONYMOUS, 2 * PART));
	figure_take(&figure, SUBJECT_IOMMUFD, two_threads(SUBJECT_IOMMUFD, &memory));
	figure_take(&figure, SUBJECT_TYPE1, two_threads(SUBJECT_TYPE1, &memory));
	memory_free(&memory);
	figure_print(&figure, 1, "times as much", "map and unmap anonymous by 2 threads");
	large_areas();
}
