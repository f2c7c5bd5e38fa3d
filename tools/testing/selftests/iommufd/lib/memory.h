/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of every kind a program may hand to a device, patterns to fill it
 * with, and what the kernel says is pinned and locked.
 *
 * Must never know who maps the memory, or that devices exist.
 */
#ifndef __SELFTEST_IOMMUFD_MEMORY_H
#define __SELFTEST_IOMMUFD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_HUGE_PAGE_SIZE (2UL << 20)

/**
 * enum memory_kind - where the pages come from
 * @MEMORY_ANONYMOUS: private anonymous memory in small pages
 * @MEMORY_THP: private anonymous memory in transparent huge pages
 * @MEMORY_HUGETLB: private anonymous memory in reserved huge pages
 * @MEMORY_MEMFD: a memfd in small pages, mapped shared
 * @MEMORY_HUGETLB_MEMFD: a memfd in reserved huge pages, mapped shared
 * @MEMORY_KINDS: number of kinds
 */
enum memory_kind {
	MEMORY_ANONYMOUS,
	MEMORY_THP,
	MEMORY_HUGETLB,
	MEMORY_MEMFD,
	MEMORY_HUGETLB_MEMFD,
	MEMORY_KINDS,
};

/**
 * struct memory - one piece of memory
 * @kind: where its pages come from
 * @start: first byte
 * @size: in bytes
 * @fd: the memfd, -1 if it has none
 */
struct memory {
	enum memory_kind kind;
	uint8_t *start;
	size_t size;
	int fd;
};

const char *memory_kind_name(enum memory_kind kind);
int memory_allocate(struct memory *memory, enum memory_kind kind, size_t size);
void memory_free(struct memory *memory);

void pattern_fill(void *start, size_t size, uint32_t seed);
size_t pattern_match(const void *start, size_t size, uint32_t seed);

long memory_status(const char *field);
long memory_info(const char *field);

#endif
