/* SPDX-License-Identifier: GPL-2.0-only */
/* Pinning works on simulated user memory. */
#ifndef UNIT_LINUX_MM_H
#define UNIT_LINUX_MM_H

#include <linux/bits.h>
#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	BIT(PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define FOLL_WRITE	1

#define offset_in_page(address)	((unsigned long)(address) & ~PAGE_MASK)

struct page;

int pin_user_pages_fast(unsigned long start, int nr_pages, unsigned int flags,
			struct page **pages);
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr_pages, bool dirty);

#endif
