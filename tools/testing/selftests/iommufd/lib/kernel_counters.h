/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says it has in use.
 *
 * Owns the numbers that have to be after a test what they were before it. It must
 * never know what the test did.
 */
#ifndef SELFTESTS_IOMMUFD_KERNEL_COUNTERS_H
#define SELFTESTS_IOMMUFD_KERNEL_COUNTERS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel_under_test.h"
#include "memory.h"

/**
 * struct kernel_counters - what is in use
 * @pins: Pages pinned by anybody, in all of the kernel
 * @huge_pages: Free pages of hugetlb
 * @huge_reserved: Those of them that are promised to somebody
 * @page_tables: KiB of page tables of IOMMUs
 * @slab: KiB of kernel objects that cannot be reclaimed
 */
struct kernel_counters {
	long pins;
	long huge_pages;
	long huge_reserved;
	long page_tables;
	long slab;
};

static inline long kernel_counter_vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	long value = -1, each;
	char line[64];

	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", line, &each) == 2)
		if (!strcmp(line, name))
			value = each;
	fclose(file);
	return value;
}

/* Has every processor add its numbers to the totals. */
static inline void kernel_counters_refresh(void)
{
	int file = open("/proc/sys/vm/stat_refresh", O_WRONLY);

	if (file < 0)
		return;
	if (write(file, "1", 1) != 1)
		perror("stat_refresh");
	close(file);
}

static inline struct kernel_counters kernel_counters_read(void)
{
	kernel_counters_refresh();
	return (struct kernel_counters){
		.pins = kernel_counter_vmstat("nr_foll_pin_acquired") -
			kernel_counter_vmstat("nr_foll_pin_released"),
		.huge_pages = memory_info("HugePages_Free"),
		.huge_reserved = memory_info("HugePages_Rsvd"),
		.page_tables = memory_info("SecPageTables"),
		.slab = memory_info("SUnreclaim"),
	};
}

/* Everything but the slab, which other parts of the kernel use all the time. */
static inline bool kernel_counters_equal(const struct kernel_counters *a,
					 const struct kernel_counters *b)
{
	return a->pins == b->pins && a->huge_pages == b->huge_pages &&
	       a->huge_reserved == b->huge_reserved && a->page_tables == b->page_tables;
}

/*
 * By how many KiB the slab may differ although nothing was forgotten. KASAN keeps
 * freed objects in quarantine, up to a 32nd of the memory; there it is for kmemleak
 * to see what was forgotten.
 */
static inline long kernel_counters_slab_limit(void)
{
	return 512 + (kernel_is_debug() ? memory_info("MemTotal") / 32 : 0);
}

/**
 * kernel_counters_settle - wait until the counters are what they were
 * @before: What they were
 *
 * Some of what a process had goes a moment after it. Differences are printed.
 *
 * Return: whether they are the same within three seconds, or what that is to this kernel.
 */
static inline bool kernel_counters_settle(const struct kernel_counters *before)
{
	struct kernel_counters now;
	unsigned int i;

	for (i = 0; i < 60 * kernel_slowness(); i++) {
		now = kernel_counters_read();
		if (kernel_counters_equal(&now, before))
			return true;
		usleep(50000);
	}
	printf("# pins %ld -> %ld, free huge pages %ld -> %ld, reserved %ld -> %ld\n",
	       before->pins, now.pins, before->huge_pages, now.huge_pages,
	       before->huge_reserved, now.huge_reserved);
	printf("# page tables %ld -> %ld KiB\n", before->page_tables, now.page_tables);
	return false;
}

/**
 * kernel_counters_slab_settles - wait until the slab has not grown
 * @before: What it was
 *
 * Objects are freed some time after they were given up, later on a busy machine.
 *
 * Return: whether it is no larger than kernel_counters_slab_limit() allows, within the
 * same time.
 */
static inline bool kernel_counters_slab_settles(const struct kernel_counters *before)
{
	long limit = before->slab + kernel_counters_slab_limit(), now = 0;
	unsigned int i;

	for (i = 0; i < 60 * kernel_slowness(); i++) {
		now = kernel_counters_read().slab;
		if (now < limit)
			return true;
		usleep(50000);
	}
	printf("# slab %ld -> %ld KiB\n", before->slab, now);
	return false;
}

#endif
