/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where pinned pages come from, and how they go back.
 */
#ifndef __IOMMUFD_PIN_H
#define __IOMMUFD_PIN_H

#include <linux/mm.h>

struct pfn_builder;

/*
 * What one pin of a run covers; the tag of the run in the PFN store. A folio
 * pinned as a whole costs one pin where its pages would cost hundreds.
 *
 * PIN_BY_FOLIO: each folio that a run touches is pinned once for that run,
 * however many of its pages are in it.
 */
enum pin_unit {
	PIN_BY_PAGE = 0,
	PIN_BY_FOLIO = 1,
};

/**
 * struct user_memory - memory of a process
 * @mm: Its address space; kept by the account of the same pages
 * @address: Where the memory starts, PAGE_SIZE aligned
 * @writable: Devices may write to it
 */
struct user_memory {
	struct mm_struct *mm;
	unsigned long address;
	bool writable;
};

/* Memory of a process */
int pin_user_memory(const struct user_memory *memory,
		    struct pfn_builder *builder, unsigned long first,
		    unsigned long npages);
int pin_user_page(const struct user_memory *memory, unsigned long index,
		  bool write, struct page **page);

/* Giving pins back */
void pin_release_folios(struct page *page, unsigned long npages,
			enum pin_unit unit, bool dirty);
void pin_split(unsigned long pfn);

/**
 * pin_release - unpin the pages of a run
 * @pfn: The first page of the run, which is whole or cut where pin_split() was
 *       told
 * @npages: How many pages
 * @unit: How they were pinned
 * @dirty: A device may have written to them
 *
 * Sleeps: marking a page dirty locks its folio.
 */
static inline void pin_release(unsigned long pfn, unsigned long npages,
			       enum pin_unit unit, bool dirty)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);

	/* Scattered memory is made of these; one page is one pin in any unit */
	if (npages == 1 && (!dirty || folio_test_dirty(folio)))
		unpin_user_folio(folio, 1);
	else
		pin_release_folios(page, npages, unit, dirty);
}

#endif
