/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs with edu devices share: the devices are with vfio-pci
 * while the program runs; tests skip what the machine does not have.
 */
#ifndef __SELFTEST_IOMMUFD_EDU_FIXTURE_H
#define __SELFTEST_IOMMUFD_EDU_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "edu.h"
#include "edu_topology.h"
#include "iommu.h"
#include "memory.h"

#define PAGE_BYTES 4096UL

/* No device may be given these IOVAs: its writes there are interrupts. */
#define MSI_WINDOW_START 0xfee00000ULL
#define MSI_WINDOW_LAST 0xfeefffffULL

static struct edu_topology topology;
static pid_t topology_owner;

/* Tests run in children, and a child's exit must leave the devices alone. */
static void give_devices_back(void)
{
	if (getpid() == topology_owner)
		edu_topology_unbind(&topology);
}

int main(int argc, char **argv)
{
	int rc;

	rc = edu_topology_bind(&topology);
	if (rc) {
		printf("Bail out! the edu devices cannot be bound to vfio-pci: %s\n",
		       strerror(-rc));
		return KSFT_FAIL;
	}
	topology_owner = getpid();
	atexit(give_devices_back);
	return test_harness_run(argc, argv);
}

/* At the beginning of a fixture's setup */
#define REQUIRE_OWN_GROUPS(count)						\
	do {									\
		if (topology.own_count < (count))				\
			SKIP(return, "needs %u edu devices in groups of their own",	\
			     (unsigned int)(count));				\
	} while (0)

#define REQUIRE_SHARED_GROUP()							\
	do {									\
		if (topology.shared_count < 2)					\
			SKIP(return, "needs two edu devices in one group");	\
	} while (0)

#define REQUIRE_BUS_RESET()							\
	do {									\
		if (topology.behind_port_count < 2)				\
			SKIP(return, "needs two edu devices behind a port");	\
	} while (0)

/* Number of usable IOVA ranges; 0 if the IOAS cannot be asked. */
static inline __u32 count_ranges(int iommufd, __u32 ioas)
{
	__u32 count = 0;

	iommu_ioas_iova_ranges(iommufd, ioas, NULL, &count, NULL);
	return count;
}

/* Nothing is reserved in the IOAS, and any alignment will do: no HWPT, no device. */
static inline bool is_unreserved(int iommufd, __u32 ioas)
{
	struct iommu_iova_range range;
	__u64 alignment;
	__u32 count = 1;

	return !iommu_ioas_iova_ranges(iommufd, ioas, &range, &count, &alignment) &&
	       count == 1 && range.start == 0 && range.last == UINT64_MAX && alignment == 1;
}

/* The MSI window and what is above the aperture are reserved in the IOAS. */
static inline bool is_reserved_for_device(int iommufd, __u32 ioas)
{
	struct iommu_iova_range ranges[16];
	__u32 count = 16, i;
	__u64 alignment;

	if (iommu_ioas_iova_ranges(iommufd, ioas, ranges, &count, &alignment) ||
	    alignment != PAGE_BYTES || !count)
		return false;
	for (i = 0; i < count; i++) {
		if (ranges[i].start <= MSI_WINDOW_LAST && ranges[i].last >= MSI_WINDOW_START)
			return false;
	}
	return true;
}

/* Highest usable IOVA. */
static inline __u64 last_iova(int iommufd, __u32 ioas)
{
	struct iommu_iova_range ranges[16];
	__u32 count = 16;

	if (iommu_ioas_iova_ranges(iommufd, ioas, ranges, &count, NULL) || !count)
		return 0;
	return ranges[count - 1].last;
}

#endif
