// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs that a process ends whose memory is pinned.
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "bench_memory.h"
#include "iommu.h"
#include "subject.h"

#define SIZE (256 * MIB)
#define IOVA GIB
#define ROUNDS 2

/* Maps, says so, waits for the word, and ends */
static void child(enum memory_kind kind, bool unmap, int ready, int go)
{
	struct vfio_device bound;
	struct memory memory;
	__u32 ioas_id, hwpt_id;
	int context;
	char word;

	context = iommu_open();
	must(context < 0 ? context : 0);
	must(attach_new(context, &bound, spare_device.name, &ioas_id, &hwpt_id));
	must(bench_allocate(&memory, kind, SIZE));
	must(iommu_ioas_map_fixed(context, ioas_id, memory.start, SIZE, IOMMU_MAP_RW, IOVA));
	must(write(ready, "", 1) == 1 && read(go, &word, 1) == 1 ? 0 : -EPIPE);
	if (unmap)
		must(iommu_ioas_unmap(context, ioas_id, IOVA, SIZE, NULL));
	_exit(0);
}

/* From the word to the end */
static double end_child(enum memory_kind kind, bool unmap)
{
	int ready[2] = { -1, -1 }, go[2] = { -1, -1 }, status = -1;
	double start;
	char word;
	pid_t pid;

	must(pipe(ready) || pipe(go) ? -errno : 0);
	pid = fork();
	must(pid < 0 ? -errno : 0);
	if (!pid)
		child(kind, unmap, ready[1], go[0]);
	close(ready[1]);
	close(go[0]);
	must(read(ready[0], &word, 1) == 1 ? 0 : -EPIPE);
	start = figure_clock();
	must(write(go[1], "", 1) == 1 && waitpid(pid, &status, 0) == pid ? 0 : -EPIPE);
	start = figure_clock() - start;
	close(ready[0]);
	close(go[1]);
	must(status ? -ECHILD : 0);
	return start;
}

static void measure(enum memory_kind kind)
{
	struct figure pinned, unmapped;
	int round;

	figure_init(&pinned);
	figure_init(&unmapped);
	for (round = 0; round < ROUNDS; round++) {
		figure_take(&pinned, SUBJECT_IOMMUFD, end_child(kind, false));
		figure_take(&unmapped, SUBJECT_IOMMUFD, end_child(kind, true));
	}
	figure_print(&pinned, SIZE / PAGE_BYTES, "page", "exit with %s 256M",
		     memory_kind_name(kind));
	figure_print(&unmapped, SIZE / PAGE_BYTES, "page", "unmap and exit with %s 256M",
		     memory_kind_name(kind));
}

/**
 * bench_exit() - a process ends with its memory pinned, or after unmapping it
 */
void bench_exit(void)
{
	measure(MEMORY_ANONYMOUS);
	measure(MEMORY_HUGETLB);
}
