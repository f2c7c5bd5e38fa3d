/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated user memory: pages at consecutive addresses, some of them missing.
 *
 * Owns the bytes and counts the pins.
 */
#ifndef USER_MEMORY_H
#define USER_MEMORY_H

#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct page - a page of simulated user memory
 * @data: its bytes, NULL: there is no memory at this address
 * @pins: how often it is pinned now
 * @dirty: the last unpin said that it was written
 */
struct page {
	u8 *data;
	unsigned int pins;
	bool dirty;
};

/**
 * struct user_memory - all memory there is
 * @start: address of the first page
 * @nr_pages: number of pages
 * @pages: the pages
 * @pinned: pins there are now
 * @max_pinned: most pins there ever were
 * @pin_calls: calls that pinned or tried to
 * @mapped: pages that are mapped into the kernel now
 */
struct user_memory {
	unsigned long start;
	unsigned long nr_pages;
	struct page *pages;
	unsigned long pinned;
	unsigned long max_pinned;
	unsigned long pin_calls;
	unsigned int mapped;
};

extern struct user_memory user_memory;

void user_memory_create(unsigned long start, unsigned long nr_pages);
void user_memory_remove(unsigned long address);
u8 *user_memory_byte(unsigned long address);
void user_memory_destroy(void);

#endif
