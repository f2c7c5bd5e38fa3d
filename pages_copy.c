// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying between a range of memory and the kernel, page by page.
 *
 * A page that is pinned is the one that devices use, whatever the process has
 * mapped there since, so it comes from the store. Any other is looked up in the
 * process and pinned for the moment.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "pages_copy.h"
#include "selftest/hooks.h"

static void copy_page_part(struct page *page, unsigned long offset, void *data,
			   unsigned long length, bool write)
{
	if (write)
		memcpy_to_page(page, offset, data, length);
	else
		memcpy_from_page(data, page, offset, length);
}

/* Pages in the store are marked dirty when they are unpinned */
static bool copy_stored(struct io_pages *pages, unsigned long offset,
			void *data, unsigned long length, bool write)
{
	unsigned long index = offset >> PAGE_SHIFT;
	struct pfn_run run;
	bool found;

	mutex_lock(&pages->lock);
	found = pfn_runs_lookup(&pages->runs, index, &run);
	if (found)
		copy_page_part(pfn_to_page(run.pfn + (index - run.index)),
			       offset_in_page(offset), data, length, write);
	mutex_unlock(&pages->lock);
	return found;
}

static int copy_unpinned(struct io_pages *pages, unsigned long offset,
			 void *data, unsigned long length, bool write)
{
	struct page *page;
	int rc;

	if (selftest_should_fail())
		return -EINVAL;
	rc = pin_user_page(&pages->memory, offset >> PAGE_SHIFT, write, &page);
	if (rc)
		return rc;
	copy_page_part(page, offset_in_page(offset), data, length, write);
	unpin_user_pages_dirty_lock(&page, 1, write);
	return 0;
}

/**
 * io_pages_copy - read or write a part of the memory
 * @pages: The range of memory
 * @offset: First byte of it
 * @data: Kernel memory
 * @length: Bytes
 * @write: From @data to the memory
 *
 * Sleeps, maybe for ever, but ends by SIGKILL. The caller holds no lock that
 * such a sleep may not block.
 *
 * Return: 0, or as pin_user_page(); then a part may have been copied.
 */
int io_pages_copy(struct io_pages *pages, unsigned long offset, void *data,
		  unsigned long length, bool write)
{
	int rc = 0;

	while (length && !rc) {
		unsigned long part = min(length,
					 PAGE_SIZE - offset_in_page(offset));

		if (!copy_stored(pages, offset, data, part, write))
			rc = copy_unpinned(pages, offset, data, part, write);
		offset += part;
		data += part;
		length -= part;
		cond_resched();
		if (length && !rc && fatal_signal_pending(current))
			rc = -EINTR;
	}
	return rc;
}
