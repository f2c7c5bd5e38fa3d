/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A range of memory that can be mapped: its pins and their PFNs.
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "lib/pfn_runs.h"
#include "memory/account.h"
#include "memory/pin.h"

/**
 * struct io_pages - a range of memory
 * @refs: Areas and others that use it
 * @lock: Protects all that follows, up to @waiters; never held while memory is
 *        faulted in
 * @holds: Who needs which pages pinned, by page index
 * @pending: Those of @holds whose pages are still being pinned, io_hold.link
 * @shared: Those of @holds that are counted by range (pages_share.c)
 * @runs: The PFNs of the pages that are pinned, and of no others
 * @events: Counts holds that stop being pending
 * @waiters: Who waits for that
 * @account: Who pays for the pins
 * @memory: Where the pages come from
 * @device: If not NULL they are memory of a device instead: not pinned, not
 *          charged for, and without struct page
 * @device_page: Page of @device that comes first
 * @lost: See io_pages_lose()
 * @npages: How many pages there are
 * @allocation: What kfree() is to be called with when @refs is 0
 *
 * A page is pinned once, from the moment that the first hold covering it wants
 * it until the last one lets it go. It is charged for exactly that long.
 */
struct io_pages {
	refcount_t refs;
	struct mutex lock; /* holds and runs */
	struct rb_root_cached holds;
	struct list_head pending;
	struct rb_root shared;
	struct pfn_runs runs;
	unsigned int events;
	unsigned int waiters;
	struct account account;
	struct user_memory memory;
	struct iommufd_device_memory *device;
	unsigned long device_page;
	bool lost;
	unsigned long npages;
	void *allocation;
};

/**
 * struct io_hold - the wish that a range of pages be pinned
 * @node: First and last page index
 * @link: In io_pages.pending while the pages are being pinned
 */
struct io_hold {
	struct interval_tree_node node;
	struct list_head link;
};

void io_pages_construct(struct io_pages *pages, void *allocation);
int io_pages_init(struct io_pages *pages, enum account_mode mode,
		  unsigned long address, unsigned long npages, bool writable);
void io_pages_set_device(struct io_pages *pages,
			 struct iommufd_device_memory *device,
			 unsigned long first);
void io_pages_put(struct io_pages *pages);

int io_pages_hold(struct io_pages *pages, struct io_hold *hold,
		  unsigned long first, unsigned long last);
void io_pages_release(struct io_pages *pages, struct io_hold *hold);
void io_pages_lose(struct io_pages *pages);

/* pages_share.c: for users that keep no hold of their own */
int io_pages_share(struct io_pages *pages, unsigned long first,
		   unsigned long last);
void io_pages_unshare(struct io_pages *pages, unsigned long first,
		      unsigned long last);
void io_pages_list(struct io_pages *pages, unsigned long first,
		   unsigned long last, struct page **list);

/**
 * io_pages_get - take a reference
 * @pages: The range of memory
 */
static inline void io_pages_get(struct io_pages *pages)
{
	refcount_inc(&pages->refs);
}

int io_pages_copy(struct io_pages *pages, unsigned long offset, void *data,
		  unsigned long length, bool write);

#endif
