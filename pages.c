// SPDX-License-Identifier: GPL-2.0-only
/*
 * A range of memory and its pins.
 *
 * Keeps which pages are pinned and their PFNs: a store of runs, filled when the first
 * user of a page arrives and emptied after the last one.
 *
 * A user is a hold: an interval of page indexes. Pinning can fail, and can sleep
 * indefinitely, so it is done without the lock while the hold is pending. A hold that
 * overlaps a pending one waits for it. Releasing a hold does not wait: it leaves the
 * pages that a pending hold covers. So the store always contains the pages of all holds
 * that are not pending, and part of the pages of those that are.
 *
 * Releasing a hold cannot fail: adding it cuts the store at both its ends, so whatever
 * has to be erased later begins and ends at a cut.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "memory/device_memory.h"
#include "pages.h"
#include "selftest/hooks.h"

/* Runs to deal with before others get a chance to run */
#define RESCHED_RUNS 1024

/**
 * io_pages_construct - what is the same whenever the memory of @pages is free
 * @pages: New memory
 * @allocation: What to kfree() in the end
 *
 * io_pages_init() then sets up no more than is not left like this by
 * io_pages_put().
 */
void io_pages_construct(struct io_pages *pages, void *allocation)
{
	mutex_init(&pages->lock);
	pages->holds = RB_ROOT_CACHED;
	pages->shared = RB_ROOT;
	INIT_LIST_HEAD(&pages->pending);
	pfn_runs_init(&pages->runs);
	pages->events = 0;
	pages->waiters = 0;
	pages->allocation = allocation;
}

/**
 * io_pages_init - describe memory of the calling process
 * @pages: Constructed; the caller has the only reference
 * @mode: To what its pins are charged
 * @address: Where it starts, PAGE_SIZE aligned
 * @npages: How many pages
 * @writable: Devices may write to it
 *
 * The memory is not looked at.
 *
 * Return: 0 or -ENOMEM.
 */
int io_pages_init(struct io_pages *pages, enum account_mode mode,
		  unsigned long address, unsigned long npages, bool writable)
{
	int rc = account_init(&pages->account, mode);

	if (rc)
		return rc;
	refcount_set(&pages->refs, 1);
	pages->memory.mm = pages->account.mm;
	pages->memory.address = address;
	pages->memory.writable = writable;
	pages->device = NULL;
	pages->lost = false;
	pages->npages = npages;
	return 0;
}

/**
 * io_pages_set_device - they are memory of a device
 * @pages: Just set up
 * @device: The memory; a reference is taken
 * @first: The page of @device that comes first
 */
void io_pages_set_device(struct io_pages *pages,
			 struct iommufd_device_memory *device,
			 unsigned long first)
{
	device_memory_get(device);
	pages->device = device;
	pages->device_page = first;
}

/**
 * io_pages_put - give a reference back
 * @pages: The range of memory; nothing of it is held any more if it is the last
 */
void io_pages_put(struct io_pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;
	WARN_ON(!RB_EMPTY_ROOT(&pages->holds.rb_root));
	WARN_ON(!RB_EMPTY_ROOT(&pages->shared));
	WARN_ON(!pfn_runs_empty(&pages->runs));
	pfn_runs_destroy(&pages->runs);
	account_destroy(&pages->account);
	if (pages->device)
		device_memory_put(pages->device);
	kfree(pages->allocation);
}

static void unpin_builder(struct io_pages *pages, struct pfn_builder *builder)
{
	struct pfn_runs_iter iter;
	unsigned int runs = 0;

	pfn_builder_for_each(builder, &iter) {
		pin_release(iter.run.pfn, iter.run.count, iter.run.tag,
			    pages->memory.writable);
		if (!(++runs % RESCHED_RUNS))
			cond_resched();
	}
}

/* Pin one hole of the store, without the lock */
static int pin_hole(struct io_pages *pages, struct pfn_builder *builder,
		    unsigned long first, unsigned long last)
{
	int rc;

	rc = pin_user_memory(&pages->memory, builder, first, last - first + 1);
	if (!rc && selftest_should_fail())
		rc = -EINVAL;
	if (rc)
		unpin_builder(pages, builder);
	return rc;
}

/*
 * Charge for a hole, then pin it: pinning can take indefinitely long, and nobody is to
 * have more than the limit while it does. Called without the lock.
 */
static int get_hole(struct io_pages *pages, struct pfn_builder *builder,
		    unsigned long first, unsigned long last)
{
	unsigned long npages = last - first + 1;
	int rc;

	if (pages->device)
		return pfn_builder_add(builder, pages->device->pfn +
				       pages->device_page + first, npages, 0);
	rc = account_charge(&pages->account, npages);
	if (rc)
		return rc;
	rc = pin_hole(pages, builder, first, last);
	if (rc)
		account_credit(&pages->account, npages);
	return rc;
}

/* Drops the lock for the time of the pinning: this is where threads hang */
static int fill_hole(struct io_pages *pages, unsigned long first,
		     unsigned long last)
{
	struct pfn_builder builder __uninitialized;
	int rc;

	pfn_builder_init(&builder, &pages->runs, first, last);
	builder.max_runs = selftest_buffer_size(builder.max_runs * sizeof(u64)) /
			   sizeof(u64);
	mutex_unlock(&pages->lock);
	rc = get_hole(pages, &builder, first, last);
	mutex_lock(&pages->lock);
	if (rc)
		pfn_builder_discard(&builder);
	else
		pfn_builder_commit(&builder);
	return rc;
}

/*
 * Fill all holes of the store inside a pending hold. Nobody else fills a hole
 * there, since they would have to wait, and nobody makes a new one.
 */
static int fill_holes(struct io_pages *pages, const struct io_hold *hold)
{
	unsigned long next = hold->node.start;
	unsigned long first, last;
	int rc = 0;

	lockdep_assert_held(&pages->lock);

	while (!rc && next <= hold->node.last &&
	       pfn_runs_next_hole(&pages->runs, next, hold->node.last, &first,
				  &last)) {
		rc = fill_hole(pages, first, last);
		next = last + 1;
	}
	return rc;
}

/* Unpin what is in the store of a range without any hold */
static void unpin_range(struct io_pages *pages, unsigned long first,
			unsigned long last)
{
	struct pfn_runs_iter iter __uninitialized;
	unsigned long npages = 0;
	unsigned int runs = 0;

	/* Of a device there is nothing to unpin; what was left mapped stays pinned */
	if (pages->device || READ_ONCE(pages->lost)) {
		pfn_runs_erase(&pages->runs, first, last);
		return;
	}
	pfn_runs_for_each(&pages->runs, &iter, first, last) {
		pin_release(iter.run.pfn, iter.run.count, iter.run.tag,
			    pages->memory.writable);
		npages += iter.run.count;
		if (!(++runs % RESCHED_RUNS))
			cond_resched();
	}
	pfn_runs_erase(&pages->runs, first, last);
	account_credit(&pages->account, npages);
}

/*
 * How far the holds reach that begin at or below a page, @page - 1 if no farther
 * than that; and where the next one begins.
 */
static unsigned long holds_reach(const struct rb_root_cached *holds,
				 unsigned long page, unsigned long *next)
{
	const struct rb_node *rb = holds->rb_root.rb_node;
	unsigned long end = page;

	*next = ULONG_MAX;
	while (rb) {
		const struct interval_tree_node *node =
			rb_entry(rb, struct interval_tree_node, rb);

		if (node->start > page) {
			*next = node->start;
			rb = rb->rb_left;
			continue;
		}
		/* So do all to the left of it */
		end = max(end, node->last + 1);
		if (rb->rb_left)
			end = max(end, rb_entry(rb->rb_left,
						struct interval_tree_node,
						rb)->__subtree_last + 1);
		rb = rb->rb_right;
	}
	return end - 1;
}

/*
 * Take a hold away, and the pins that were only for it. Among n holds of the same
 * pages this takes O(log n), or many attaches and unmaps would be quadratic.
 */
static void drop_hold(struct io_pages *pages, struct io_hold *hold)
{
	unsigned long page = hold->node.start;
	unsigned long last = hold->node.last;
	unsigned long next;

	lockdep_assert_held(&pages->lock);

	interval_tree_remove(&hold->node, &pages->holds);
	while (page <= last) {
		unsigned long reach = holds_reach(&pages->holds, page, &next);

		if (reach + 1 == page) {
			reach = min(last, next - 1);
			unpin_range(pages, page, reach);
			cond_resched();
		}
		page = reach + 1;
	}
}

/*
 * No chunk of the store may reach over the border before @index. If a folio
 * does, the runs on both sides need a pin of it each.
 */
static int cut_runs(struct io_pages *pages, unsigned long index)
{
	struct pfn_run run;
	int rc;

	if (!pfn_runs_lookup(&pages->runs, index, &run))
		return 0;
	rc = pfn_runs_cut(&pages->runs, index);
	if (!rc && run.index < index && run.tag == PIN_BY_FOLIO)
		pin_split(run.pfn + (index - run.index));
	return rc;
}

/* There is one for each thread that pins a part of this memory just now */
static bool range_pending(struct io_pages *pages, unsigned long first,
			  unsigned long last)
{
	struct io_hold *hold;

	list_for_each_entry(hold, &pages->pending, link)
		if (hold->node.start <= last && hold->node.last >= first)
			return true;
	return false;
}

/* Called with the lock, which it drops and takes again */
static noinline_for_stack int wait_for_hold(struct io_pages *pages)
{
	unsigned int events = pages->events;
	int rc;

	pages->waiters++;
	mutex_unlock(&pages->lock);
	rc = wait_var_event_killable(&pages->events,
				     READ_ONCE(pages->events) != events);
	mutex_lock(&pages->lock);
	pages->waiters--;
	return rc ? -EINTR : 0;
}

/* Wait for a moment when no pending hold overlaps the range */
static int wait_for_range(struct io_pages *pages, unsigned long first,
			  unsigned long last)
{
	int rc = 0;

	lockdep_assert_held(&pages->lock);

	while (!rc && range_pending(pages, first, last))
		rc = wait_for_hold(pages);
	return rc;
}

/* No chunk of the store may reach over an end of the range */
static int cut_ends(struct io_pages *pages, unsigned long first,
		    unsigned long last)
{
	/* The first hold, as a rule the only one, finds nothing to cut */
	if (pfn_runs_empty(&pages->runs))
		return 0;
	return cut_runs(pages, first) ?: cut_runs(pages, last + 1);
}

static int add_pending(struct io_pages *pages, struct io_hold *hold)
{
	int rc;

	rc = cut_ends(pages, hold->node.start, hold->node.last);
	if (rc)
		return rc;
	list_add(&hold->link, &pages->pending);
	interval_tree_insert(&hold->node, &pages->holds);
	return 0;
}

/* With the lock, which it drops; returns with the hold done or gone */
static int finish_hold(struct io_pages *pages, struct io_hold *hold)
{
	int rc;

	rc = fill_holes(pages, hold);
	list_del(&hold->link);
	if (rc)
		drop_hold(pages, hold);
	WRITE_ONCE(pages->events, pages->events + 1);
	if (pages->waiters) {
		/* Pairs with prepare_to_wait(): it sees the count or we see it */
		smp_mb();
		wake_up_var(&pages->events);
	}
	mutex_unlock(&pages->lock);
	return rc;
}

/**
 * io_pages_hold - have a range of pages pinned
 * @pages: The range of memory
 * @hold: Of the caller, unused before
 * @first: First page index
 * @last: Last page index
 *
 * Pins what is not pinned yet. Can sleep indefinitely, but ends by SIGKILL; the
 * caller holds no lock that such a sleep may not block.
 *
 * Return: 0, all pages of the range are in @pages->runs until
 * io_pages_release(); or, with nothing changed, -EFAULT, -ENOMEM no memory or
 * over the limit, -EINTR killed, or what pin_user_memory() says.
 */
int io_pages_hold(struct io_pages *pages, struct io_hold *hold,
		  unsigned long first, unsigned long last)
{
	int rc;

	hold->node.start = first;
	hold->node.last = last;
	mutex_lock(&pages->lock);
	rc = wait_for_range(pages, first, last);
	if (!rc)
		rc = add_pending(pages, hold);
	if (rc) {
		mutex_unlock(&pages->lock);
		return rc;
	}
	return finish_hold(pages, hold);
}

/**
 * io_pages_release - remove a hold
 * @pages: The range of memory
 * @hold: From io_pages_hold()
 *
 * Unpins what no other hold covers. Allocates nothing and cannot fail. Sleeps, but
 * waits for nothing of user space.
 */
void io_pages_release(struct io_pages *pages, struct io_hold *hold)
{
	mutex_lock(&pages->lock);
	drop_hold(pages, hold);
	mutex_unlock(&pages->lock);
}

/**
 * io_pages_lose - never unpin pages that a device may still reach
 * @pages: The range of memory, of which an IOMMU driver has left something mapped
 *
 * What is pinned stays pinned and charged: it is lost, but nobody else's
 * memory is written to. Can be called with any lock held.
 */
void io_pages_lose(struct io_pages *pages)
{
	WRITE_ONCE(pages->lost, true);
	pr_err_ratelimited("iommufd: an IOMMU driver did not unmap, %lu pages stay pinned\n",
			   pages->npages);
}

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
 * Sleeps, maybe indefinitely, but ends by SIGKILL. The caller holds no lock that
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
