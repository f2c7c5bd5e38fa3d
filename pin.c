// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving pins back, whatever the pages came from.
 *
 * Owns the knowledge of how many pins a run of PFNs holds. It must never know
 * who pinned them or why they are let go.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "pin.h"

static void mark_dirty(struct folio *folio)
{
	if (folio_test_dirty(folio))
		return;
	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
}

/**
 * pin_release_folios - unpin the pages of a run; use pin_release()
 * @page: The first page of the run
 * @npages: How many pages
 * @unit: How they were pinned
 * @dirty: A device may have written to them
 *
 * Sleeps.
 */
void pin_release_folios(struct page *page, unsigned long npages,
			enum pin_unit unit, bool dirty)
{
	for (;;) {
		struct folio *folio = page_folio(page);
		unsigned long covered = 1;

		if (folio_test_large(folio))
			covered = min_t(unsigned long, npages,
					folio_nr_pages(folio) -
						folio_page_idx(folio, page));
		if (dirty)
			mark_dirty(folio);
		unpin_user_folio(folio, unit == PIN_BY_FOLIO ? 1 : covered);
		npages -= covered;
		if (!npages)
			break;
		page = nth_page(page, covered);
		cond_resched();
	}
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
	node_stat_mod_folio(folio, NR_FOLL_PIN_ACQUIRED, 1);
}
