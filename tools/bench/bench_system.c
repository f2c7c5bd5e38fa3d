// SPDX-License-Identifier: GPL-2.0-only
/*
 * What system calls cost that do nothing: the part of every other figure that
 * the kernel's configuration, its command line and the CPU model decide.
 */
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "iommu.h"
#include "subject.h"

#define CALLS 1000

static void measure(const char *name, long (*call)(void))
{
	struct figure figure;
	int i, round;

	figure_init(&figure);
	for (round = 0; round < 3; round++) {
		double start = figure_clock();

		for (i = 0; i < CALLS; i++)
			call();
		figure_take(&figure, SUBJECT_IOMMUFD, figure_clock() - start);
	}
	figure_print(&figure, CALLS, "call", "%s", name);
}

static long get_parent(void)
{
	return syscall(SYS_getppid);
}

static long call_nothing(void)
{
	return ioctl(iommufd, 0);
}

static long get_option(void)
{
	__u64 value;

	return iommu_option_get(iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, &value);
}

/**
 * bench_system() - system calls that do nothing
 */
void bench_system(void)
{
	measure("getppid", get_parent);
	measure("ioctl that does not exist", call_nothing);
	measure("ioctl that reads an option", get_option);
}
