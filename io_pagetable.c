// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOVA space of an IOAS: what may be where.
 *
 * Keeps the reserved ranges, the allowed ranges and the alignment, and finds areas. Knows
 * nothing of devices, accesses or the user API.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <uapi/linux/iommufd.h>

#include "io_pagetable.h"

#include <linux/iommu.h>

/* A range that nothing may be mapped in; those of different owners can overlap */
struct iopt_reserved {
	struct interval_tree_node node;
	const void *owner;
};

/**
 * iopt_init - an empty IOVA space, all of it usable
 * @iopt: To be set up
 */
void iopt_init(struct io_pagetable *iopt)
{
	init_rwsem(&iopt->domains_lock);
	INIT_LIST_HEAD(&iopt->domains);
	mutex_init(&iopt->iova_lock);
	iova_tree_init(&iopt->areas);
	iopt->reserved = RB_ROOT_CACHED;
	iopt->allowed = RB_ROOT_CACHED;
	iopt->alignment = 1;
	iopt->large = true;
	init_rwsem(&iopt->access_lock);
	INIT_LIST_HEAD(&iopt->accesses);
}

/**
 * iopt_destroy - the opposite of iopt_init()
 * @iopt: Without areas, domains and accesses
 */
void iopt_destroy(struct io_pagetable *iopt)
{
	WARN_ON(!iova_tree_empty(&iopt->areas));
	WARN_ON(!list_empty(&iopt->domains));
	WARN_ON(!list_empty(&iopt->accesses));
	/* The test ioctl reserves ranges without an owner */
	iopt_unreserve(iopt, NULL);
	WARN_ON(!RB_EMPTY_ROOT(&iopt->reserved.rb_root));
	iopt_allowed_free(&iopt->allowed);
	mutex_destroy(&iopt->iova_lock);
}

/**
 * iopt_area_first - the lowest area that intersects a range
 * @iopt: The IOVA space, with iova_lock held
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: the area, in any state, or NULL.
 */
struct io_area *iopt_area_first(struct io_pagetable *iopt, unsigned long start,
				unsigned long last)
{
	struct iova_node *node;

	lockdep_assert_held(&iopt->iova_lock);

	node = iova_tree_first(&iopt->areas, start, last);
	return node ? container_of(node, struct io_area, node) : NULL;
}

/**
 * iopt_count_covered - how many live areas cover a range
 * @iopt: The IOVA space, with iova_lock held
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: their number; 0 if there is a gap, or an area that is being set up or
 * removed.
 */
unsigned long iopt_count_covered(struct io_pagetable *iopt, unsigned long start,
				 unsigned long last)
{
	unsigned long count = 0;
	struct io_area *area;

	for (area = iopt_area_first(iopt, start, last); area;
	     area = iopt_area_next(area, last)) {
		if (area->node.start > start || !io_area_is_live(area))
			return 0;
		count++;
		if (area->node.last >= last)
			return count;
		start = area->node.last + 1;
	}
	return 0;
}

/**
 * iopt_is_cut - does an area reach across an end of a range?
 * @iopt: The IOVA space, without iova_lock
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: yes or no, as of now.
 */
bool iopt_is_cut(struct io_pagetable *iopt, unsigned long start,
		 unsigned long last)
{
	struct io_area *first, *end;
	bool cut;

	mutex_lock(&iopt->iova_lock);
	first = iopt_area_first(iopt, start, start);
	end = iopt_area_first(iopt, last, last);
	cut = (first && first->node.start != start) ||
	      (end && end->node.last != last);
	mutex_unlock(&iopt->iova_lock);
	return cut;
}

/**
 * iopt_wake - wake everybody in iopt_wait()
 * @iopt: The IOVA space, with iova_lock held
 */
void iopt_wake(struct io_pagetable *iopt)
{
	lockdep_assert_held(&iopt->iova_lock);

	WRITE_ONCE(iopt->events, iopt->events + 1);
	/* Pairs with prepare_to_wait(): either it sees the count or we see it */
	smp_mb();
	wake_up_var(&iopt->events);
}

/**
 * iopt_wake_claimed - areas in state SETUP or DYING have left it, or are gone
 * @iopt: The IOVA space, with iova_lock held
 */
void iopt_wake_claimed(struct io_pagetable *iopt)
{
	if (iopt->claim_waiters)
		iopt_wake(iopt);
}

/**
 * iopt_wait - wait for the next iopt_wake()
 * @iopt: The IOVA space, with none of its locks held
 * @events: Its member of this name, read with iova_lock held
 *
 * Return: 0, or -EINTR: the process was killed.
 */
int iopt_wait(struct io_pagetable *iopt, unsigned int events)
{
	if (wait_var_event_killable(&iopt->events,
				    READ_ONCE(iopt->events) != events))
		return -EINTR;
	return 0;
}

/**
 * iopt_is_reserved - does a range intersect a reserved one?
 * @iopt: The IOVA space, with iova_lock held
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: yes or no.
 */
bool iopt_is_reserved(struct io_pagetable *iopt, unsigned long start,
		      unsigned long last)
{
	lockdep_assert_held(&iopt->iova_lock);

	return interval_tree_iter_first(&iopt->reserved, start, last);
}

static int reserve_locked(struct io_pagetable *iopt,
			  struct iopt_reserved *reserved)
{
	unsigned long start = reserved->node.start;
	unsigned long last = reserved->node.last;

	if (iopt_area_first(iopt, start, last) ||
	    interval_tree_iter_first(&iopt->allowed, start, last))
		return -EADDRINUSE;
	interval_tree_insert(&reserved->node, &iopt->reserved);
	return 0;
}

/**
 * iopt_reserve - have nothing mapped in a range
 * @iopt: The IOVA space
 * @start: First IOVA
 * @last: Last IOVA
 * @owner: For iopt_unreserve()
 *
 * Return: 0, -ENOMEM, or -EADDRINUSE: something is mapped there or promised to
 * be mappable.
 */
int iopt_reserve(struct io_pagetable *iopt, unsigned long start,
		 unsigned long last, const void *owner)
{
	struct iopt_reserved *reserved;
	int rc;

	reserved = kzalloc(sizeof(*reserved), GFP_KERNEL_ACCOUNT);
	if (!reserved)
		return -ENOMEM;
	reserved->node.start = start;
	reserved->node.last = last;
	reserved->owner = owner;

	mutex_lock(&iopt->iova_lock);
	rc = reserve_locked(iopt, reserved);
	mutex_unlock(&iopt->iova_lock);
	if (rc)
		kfree(reserved);
	return rc;
}

/**
 * iopt_unreserve - give up all ranges of an owner
 * @iopt: The IOVA space
 * @owner: As given to iopt_reserve()
 */
void iopt_unreserve(struct io_pagetable *iopt, const void *owner)
{
	struct interval_tree_node *node, *next;

	mutex_lock(&iopt->iova_lock);
	for (node = interval_tree_iter_first(&iopt->reserved, 0, ULONG_MAX);
	     node; node = next) {
		struct iopt_reserved *reserved =
			container_of(node, struct iopt_reserved, node);

		next = interval_tree_iter_next(node, 0, ULONG_MAX);
		cond_resched();
		if (reserved->owner != owner)
			continue;
		interval_tree_remove(node, &iopt->reserved);
		kfree(reserved);
	}
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_allowed_add - add a range to a list of allowed ones
 * @allowed: The list; not yet given to iopt_allow()
 * @start: First IOVA
 * @last: Last IOVA
 *
 * Return: 0, -ENOMEM, or -EINVAL: it overlaps one that is on the list.
 */
int iopt_allowed_add(struct rb_root_cached *allowed, unsigned long start,
		     unsigned long last)
{
	struct interval_tree_node *node;

	if (interval_tree_iter_first(allowed, start, last))
		return -EINVAL;
	node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	if (!node)
		return -ENOMEM;
	node->start = start;
	node->last = last;
	interval_tree_insert(node, allowed);
	return 0;
}

/**
 * iopt_allowed_free - empty a list of allowed ranges
 * @allowed: The list
 */
void iopt_allowed_free(struct rb_root_cached *allowed)
{
	struct interval_tree_node *node;

	while ((node = interval_tree_iter_first(allowed, 0, ULONG_MAX))) {
		interval_tree_remove(node, allowed);
		kfree(node);
		cond_resched();
	}
}

/**
 * iopt_allow - promise that ranges stay mappable
 * @iopt: The IOVA space
 * @allowed: The new list, of iopt_allowed_add(); on success it is exchanged for
 *           the old one, which the caller frees
 *
 * Return: 0, or -EADDRINUSE: one of them is reserved already.
 */
int iopt_allow(struct io_pagetable *iopt, struct rb_root_cached *allowed)
{
	struct interval_tree_node *node;
	int rc = 0;

	mutex_lock(&iopt->iova_lock);
	for (node = interval_tree_iter_first(allowed, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		if (iopt_is_reserved(iopt, node->start, node->last)) {
			rc = -EADDRINUSE;
			break;
		}
		cond_resched();
	}
	if (!rc)
		swap(iopt->allowed, *allowed);
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/**
 * iopt_ranges - list what is not reserved
 * @iopt: The IOVA space
 * @ranges: Filled in ascending order
 * @capacity: How many fit
 * @alignment: Set to the alignment that mappings need, in bytes
 *
 * Return: how many ranges there are, which can be more than fit.
 */
unsigned int iopt_ranges(struct io_pagetable *iopt,
			 struct iommu_iova_range *ranges, unsigned int capacity,
			 unsigned long *alignment)
{
	struct interval_tree_node *used;
	unsigned long next = 0;
	unsigned int count = 0;
	bool more = true;

	mutex_lock(&iopt->iova_lock);
	*alignment = iopt->alignment;
	while (more) {
		cond_resched();
		used = interval_tree_iter_first(&iopt->reserved, next,
						ULONG_MAX);
		if (!used || used->start > next) {
			if (count < capacity) {
				ranges[count].start = next;
				ranges[count].last = used ? used->start - 1 :
							    ULONG_MAX;
			}
			count++;
		}
		more = used && used->last != ULONG_MAX;
		if (more)
			next = used->last + 1;
	}
	mutex_unlock(&iopt->iova_lock);
	return count;
}

static unsigned long wanted_alignment(struct io_pagetable *iopt)
{
	unsigned long alignment = 1;
	struct iopt_domain *entry;

	if (!iopt->large || iopt->page_users)
		alignment = PAGE_SIZE;
	list_for_each_entry(entry, &iopt->domains, link)
		alignment = max(alignment,
				1UL << __ffs(entry->domain->pgsize_bitmap));
	return alignment;
}

static bool areas_aligned(struct io_pagetable *iopt, unsigned long alignment)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX))
		if ((area->node.start | io_area_length(area) | area->offset) &
		    (alignment - 1))
			return false;
	return true;
}

/**
 * iopt_realign - compute the alignment anew
 * @iopt: The IOVA space, with iova_lock held
 *
 * After something that has a say in it came or went; it can only fail if
 * something came.
 *
 * Return: 0, or -EADDRINUSE: an area does not fit. The old alignment stays.
 */
int iopt_realign(struct io_pagetable *iopt)
{
	unsigned long alignment = wanted_alignment(iopt);

	lockdep_assert_held(&iopt->iova_lock);

	if (alignment > iopt->alignment && !areas_aligned(iopt, alignment))
		return -EADDRINUSE;
	iopt->alignment = alignment;
	return 0;
}

/**
 * iopt_is_aligned - can a range begin and end with areas?
 * @iopt: The IOVA space
 * @iova: First IOVA
 * @length: Bytes
 *
 * Return: no if areas can neither begin nor end at one of its ends.
 */
bool iopt_is_aligned(struct io_pagetable *iopt, unsigned long iova,
		     unsigned long length)
{
	bool aligned;

	mutex_lock(&iopt->iova_lock);
	aligned = IS_ALIGNED(iova | length, iopt->alignment);
	mutex_unlock(&iopt->iova_lock);
	return aligned;
}

static int disable_large(struct io_pagetable *iopt)
{
	int rc;

	if (!iopt->large)
		return 0;
	if (!list_empty(&iopt->domains) && !iova_tree_empty(&iopt->areas))
		return -EINVAL;
	iopt->large = false;
	rc = iopt_realign(iopt);
	if (rc)
		iopt->large = true;
	return rc;
}

/**
 * iopt_set_large - may entries larger than PAGE_SIZE be used?
 * @iopt: The IOVA space
 * @large: Yes or no
 *
 * Return: 0; for no also -EINVAL: entries exist already, or -EADDRINUSE: an area
 * is not aligned to PAGE_SIZE.
 */
int iopt_set_large(struct io_pagetable *iopt, bool large)
{
	int rc = 0;

	down_write(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	if (large) {
		iopt->large = true;
		iopt_realign(iopt);
	} else {
		rc = disable_large(iopt);
	}
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->domains_lock);
	return rc;
}

/**
 * iopt_add_page_user - somebody will pin whole pages by IOVA
 * @iopt: The IOVA space
 *
 * Return: 0, or -EADDRINUSE: an area is not aligned to PAGE_SIZE.
 */
int iopt_add_page_user(struct io_pagetable *iopt)
{
	int rc;

	mutex_lock(&iopt->iova_lock);
	iopt->page_users++;
	rc = iopt_realign(iopt);
	if (rc)
		iopt->page_users--;
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/**
 * iopt_remove_page_user - the opposite of iopt_add_page_user()
 * @iopt: The IOVA space
 */
void iopt_remove_page_user(struct io_pagetable *iopt)
{
	mutex_lock(&iopt->iova_lock);
	iopt->page_users--;
	iopt_realign(iopt);
	mutex_unlock(&iopt->iova_lock);
}
