// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning the memory of a process, by address, and unpinning it.
 *
 * Makes the calls of pin_user_pages(), and makes them few: a whole huge page by one pin,
 * other pages in batches that are scanned for runs. Knows how many pins a run of PFNs has.
 */
#include <linux/hugetlb.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "lib/pfn_runs.h"
#include "memory/pin.h"
#include "selftest/hooks.h"

/* Small requests need no memory for their batch */
#define PIN_FEW 16
/* pin_user_pages_fast() walks a batch with interrupts off */
#define PIN_BATCH (PAGE_SIZE / sizeof(struct page *))

/*
 * How often to try again what may be in another request's way, and up to which pause,
 * in powers of two of milliseconds: two seconds in all, as a rule
 */
#define PIN_TRIES 20U
#define PIN_PAUSE_MAX 8U

/* A request in progress */
struct pin_request {
	const struct user_memory *memory;
	struct pfn_builder *builder;
	struct page **batch;
	unsigned int gup_flags;
	unsigned long capacity;
	unsigned long address;
	unsigned long npages;
	bool huge; /* a huge page can be expected next */
};

static long pin_own(unsigned long address, unsigned long npages,
		    unsigned int gup_flags, struct page **pages)
{
	return pin_user_pages_fast(address, npages, gup_flags, pages);
}

static noinline_for_stack long
pin_foreign(struct mm_struct *mm, unsigned long address, unsigned long npages,
	    unsigned int gup_flags, struct page **pages)
{
	long pinned = -EINTR;
	int locked = 1;

	if (!mmget_not_zero(mm))
		return -EFAULT;
	if (mmap_read_lock_killable(mm))
		goto out_mm;
	pinned = pin_user_pages_remote(mm, address, npages, gup_flags, pages,
				       &locked);
	if (locked)
		mmap_read_unlock(mm);
out_mm:
	/* The last reference frees it, which others may wait for */
	mmput_async(mm);
	return pinned;
}

static long try_to_pin(const struct user_memory *memory, unsigned long address,
		       unsigned long npages, unsigned int gup_flags,
		       struct page **pages)
{
	long pinned;

	if (selftest_should_fail())
		return -EFAULT;
	if (memory->mm == current->mm && !selftest_is_foreign())
		pinned = pin_own(address, npages, gup_flags, pages);
	else
		pinned = pin_foreign(memory->mm, address, npages, gup_flags,
				     pages);
	return pinned ? pinned : -EFAULT;
}

/*
 * A page in ZONE_MOVABLE has to move before it is pinned for long. It can't while
 * anybody else has a reference, and others who try to pin it do for a moment, so both
 * may fail. Pauses of random length, in the end as long as the move of some huge pages
 * may take, part them.
 */
static bool pause_killable(unsigned int tries)
{
	unsigned int ms = 1 + get_random_u32_below(1U << min(tries, PIN_PAUSE_MAX));

	schedule_timeout_killable(msecs_to_jiffies(ms));
	return !fatal_signal_pending(current);
}

/* How many pages were pinned, at least 1, or why none could be */
static long pin_pages(const struct user_memory *memory, unsigned long address,
		      unsigned long npages, unsigned int gup_flags,
		      struct page **pages)
{
	unsigned int tries = 0;
	long pinned;

	do {
		pinned = try_to_pin(memory, address, npages, gup_flags, pages);
	} while (pinned == -ENOMEM && tries != PIN_TRIES &&
		 pause_killable(tries++));
	return pinned;
}

/*
 * How many pages from this one on are mapped and pinned by virtue of being in
 * the same huge page. A folio of hugetlbfs is only ever mapped as a whole and
 * at its own alignment, so one page of it tells where all the others are. Of
 * other large folios nothing is known but what the page table says of each page.
 */
static unsigned long hugetlb_pages(struct page *page, unsigned long address)
{
	struct folio *folio = page_folio(page);
	unsigned long index = folio_page_idx(folio, page);

	if (!folio_test_hugetlb(folio) ||
	    index != offset_in_folio(folio, address) >> PAGE_SHIFT)
		return 1;
	return folio_nr_pages(folio) - index;
}

/* Does a page continue the run that the first one begins? */
static bool continues_run(struct page **pages, unsigned long i)
{
	return pages[i] == nth_page(pages[0], i);
}

static unsigned long run_length(struct page **pages, unsigned long npages)
{
	unsigned long i = 1;

	/* Four by four: in huge pages this scan is most of our work */
	while (i + 4 <= npages && continues_run(pages, i) &&
	       continues_run(pages, i + 1) && continues_run(pages, i + 2) &&
	       continues_run(pages, i + 3))
		i += 4;
	while (i < npages && continues_run(pages, i))
		i++;
	return i;
}

/* Store the first @npages pages of the batch; all of them are unpinned if not */
static long store_batch(struct pin_request *request, unsigned long npages)
{
	struct page **pages = request->batch;
	struct page **end = pages + npages;
	unsigned long count;

	for (; pages != end; pages += count) {
		int rc;

		count = run_length(pages, end - pages);
		rc = pfn_builder_add(request->builder, page_to_pfn(pages[0]),
				     count, PIN_BY_PAGE);
		if (rc) {
			unpin_user_pages(pages, end - pages);
			return rc;
		}
	}
	/* Memory is of one kind for long: huge pages follow huge pages */
	request->huge = folio_test_hugetlb(page_folio(end[-1]));
	return npages;
}

static long store_folio(struct pin_request *request, unsigned long npages)
{
	struct page *page = request->batch[0];
	int rc;

	npages = min(npages, request->npages);
	rc = pfn_builder_add(request->builder, page_to_pfn(page), npages,
			     PIN_BY_FOLIO);
	if (rc) {
		unpin_user_page(page);
		return rc;
	}
	return npages;
}

/*
 * Pin and store the next pages. Where a huge page is expected, the first page is
 * pinned alone, to see if it is one.
 */
static long pin_some(struct pin_request *request)
{
	const struct user_memory *memory = request->memory;
	unsigned long wanted = min(request->npages, request->capacity);
	unsigned long huge;
	long pinned = 0;
	long more = 0;

	if (request->huge && request->npages >= PMD_SIZE >> PAGE_SHIFT) {
		pinned = pin_pages(memory, request->address, 1,
				   request->gup_flags, request->batch);
		if (pinned < 0)
			return pinned;
		huge = hugetlb_pages(request->batch[0], request->address);
		if (huge > 1)
			return store_folio(request, huge);
	}

	/* Pinning no page at all would pin beyond the end */
	if (pinned != wanted)
		more = pin_pages(memory, request->address + pinned * PAGE_SIZE,
				 wanted - pinned, request->gup_flags,
				 &request->batch[pinned]);
	if (more > 0)
		pinned += more;
	else if (!pinned)
		return more;
	return store_batch(request, pinned);
}

static int pin_all(struct pin_request *request)
{
	for (;;) {
		long done = pin_some(request);

		if (done < 0)
			return done;
		request->address += done * PAGE_SIZE;
		request->npages -= done;
		if (!request->npages)
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

static unsigned long batch_capacity(void)
{
	unsigned long size = selftest_buffer_size(PIN_BATCH *
						  sizeof(struct page *));

	return size / sizeof(struct page *);
}

static struct page **alloc_batch(unsigned long capacity)
{
	if (selftest_should_fail())
		return NULL;
	return kmalloc_array(capacity, sizeof(struct page *), GFP_KERNEL);
}

/**
 * pin_user_memory - pin a range and append its PFNs to a builder
 * @memory: The memory of a process, alive or not
 * @builder: Positioned at page @first
 * @first: Index of the first page, from the start of @memory
 * @npages: How many pages, not 0
 *
 * Faults the memory in, which can sleep indefinitely but ends by SIGKILL. The
 * caller holds no lock that such a sleep may not block. On failure the builder
 * keeps what was pinned up to then; the caller unpins it.
 *
 * Return: 0; -EFAULT not mapped, no permission, device memory, or the process
 * has exited; -ENOMEM; -EINTR killed; others from pin_user_pages().
 */
int pin_user_memory(const struct user_memory *memory,
		    struct pfn_builder *builder, unsigned long first,
		    unsigned long npages)
{
	struct page *few[PIN_FEW] __uninitialized;
	struct pin_request request = {
		.memory = memory,
		.builder = builder,
		.batch = few,
		.gup_flags = FOLL_LONGTERM |
			     (memory->writable ? FOLL_WRITE : 0),
		.capacity = PIN_FEW,
		.address = memory->address + first * PAGE_SIZE,
		.npages = npages,
		.huge = true,
	};
	int rc;

	if (npages <= PIN_FEW)
		return pin_all(&request);

	request.capacity = min(npages, batch_capacity());
	request.batch = alloc_batch(request.capacity);
	if (!request.batch)
		return -ENOMEM;
	rc = pin_all(&request);
	kfree(request.batch);
	return rc;
}

/**
 * pin_user_page - pin one page for a moment
 * @memory: The memory of a process
 * @index: The page, from the start of @memory
 * @write: It will be written to
 * @page: Set to the page, to be given back by unpin_user_page()
 *
 * Not a long term pin: the page stays where it is. Sleeps as pin_user_memory()
 * does.
 *
 * Return: 0, or as pin_user_memory().
 */
int pin_user_page(const struct user_memory *memory, unsigned long index,
		  bool write, struct page **page)
{
	long pinned = pin_pages(memory, memory->address + index * PAGE_SIZE, 1,
				write ? FOLL_WRITE : 0, page);

	return pinned < 0 ? pinned : 0;
}

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
