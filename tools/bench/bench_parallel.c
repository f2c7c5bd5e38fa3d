// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a second processor is good for: two threads that map different areas, and
 * one large map. Measured in wall time, which depends on what else the host does:
 * each ratio is of two measurements in a row, and the one in the middle of many
 * ratios is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "bench_memory.h"
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

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

/* How many times as much two threads do in the same time */
static double two_threads(enum subject_kind kind, const struct memory *memory)
{
	double ratios[ROUNDS];
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
		double one = run_jobs(jobs, 1);

		ratios[i] = 2 * one / run_jobs(jobs, 2);
	}
	return median(ratios);
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

static double map_once(const struct memory *memory, bool untouched)
{
	const struct subject *ours = &subjects[SUBJECT_IOMMUFD];
	double start, time;

	if (untouched)
		madvise(memory->start, memory->size, MADV_DONTNEED);
	start = figure_clock();
	must(ours->map(memory->start, memory->size, IOVA, 0));
	time = figure_clock() - start;
	must(ours->unmap(IOVA, memory->size, 0));
	return time;
}

/* A change of processors has the emulator translate all code anew: the first one is slow */
static double map_again(const struct memory *memory, bool untouched)
{
	map_once(memory, untouched);
	return map_once(memory, untouched);
}

/* How many times as fast a map is with two processors */
static double two_processors(const struct memory *memory, bool untouched)
{
	double ratios[ROUNDS];
	int round;

	for (round = 0; round < ROUNDS; round++) {
		double two = map_again(memory, untouched);

		must(set_second_cpu(false));
		ratios[round] = map_again(memory, untouched) / two;
		must(set_second_cpu(true));
	}
	return median(ratios);
}

static void large_map(enum memory_kind kind, bool untouched)
{
	struct figure figure;
	struct memory memory;

	figure_init(&figure);
	must(bench_allocate(&memory, kind, GIB));
	figure_take(&figure, SUBJECT_IOMMUFD, two_processors(&memory, untouched));
	memory_free(&memory);
	figure_print(&figure, 1, "times as fast", "map %s%s 1G by 2 processors",
		     untouched ? "untouched " : "", memory_kind_name(kind));
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
	large_map(MEMORY_ANONYMOUS, false);
	large_map(MEMORY_ANONYMOUS, true);
	large_map(MEMORY_HUGETLB, false);
}
