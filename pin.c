// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving pins back, whatever the pages came from.
 *
 * Owns the knowledge of how many pins a run of PFNs holds. It must never know
 * who pinned them or why they are let go.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "pfn_runs.h"
#include "pin.h"

/* Pages to unpin before others get a chance to run */
#define RELEASE_PAGES 65536UL

static void unpin_by_folio(struct page *page, unsigned long npages, bool dirty)
{
	while (npages) {
		struct folio *folio = page_folio(page);
		unsigned long covered = folio_nr_pages(folio) -
					folio_page_idx(folio, page);

		covered = min(covered, npages);
		/* One pin, on whichever page of the folio comes first */
		unpin_user_page_range_dirty_lock(page, 1, dirty);
		page = nth_page(page, covered);
		npages -= covered;
	}
}

static void unpin_by_page(struct page *page, unsigned long npages, bool dirty)
{
	while (npages > RELEASE_PAGES) {
		unpin_user_page_range_dirty_lock(page, RELEASE_PAGES, dirty);
		page = nth_page(page, RELEASE_PAGES);
		npages -= RELEASE_PAGES;
		cond_resched();
	}
	unpin_user_page_range_dirty_lock(page, npages, dirty);
}

/**
 * pin_release - unpin the pages of a run
 * @run: The run, whole or cut where pin_split() was told
 * @dirty: A device may have written to them
 *
 * Sleeps: marking a page dirty locks its folio.
 */
void pin_release(const struct pfn_run *run, bool dirty)
{
	struct page *page = pfn_to_page(run->pfn);

	if (run->tag == PIN_BY_FOLIO)
		unpin_by_folio(page, run->count, dirty);
	else
		unpin_by_page(page, run->count, dirty);
}

/**
 * pin_split - a PIN_BY_FOLIO run becomes two, the second from this page on
 * @pfn: The page at which the second part starts
 *
 * If the cut goes through a folio both parts hold a pin of it from now on. The
 * folio is pinned, so one more pin is only a matter of counting.
 */
void pin_split(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);

	if (!folio_page_idx(folio, page))
		return;
	folio_ref_add(folio, 1);
	atomic_add(1, &folio->_pincount);
}
