// SPDX-License-Identifier: GPL-2.0-only
/*
 * The accesses of an IOVA space: the list of those that an unmap asks to unpin.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "io_pagetable.h"

/* The lowest area of a range that an access has pinned */
static bool find_pinned(struct io_pagetable *iopt, unsigned long *start,
			unsigned long *last)
{
	struct io_area *area;

	mutex_lock(&iopt->iova_lock);
	area = iopt_area_first(iopt, *start, *last);
	while (area && !area->pins)
		area = iopt_area_next(area, *last);
	if (area) {
		*start = area->node.start;
		*last = area->node.last;
	}
	mutex_unlock(&iopt->iova_lock);
	return area;
}

static void notify(struct io_pagetable *iopt, struct iopt_access *only,
		   unsigned long start, unsigned long last)
{
	struct iopt_access *access;

	list_for_each_entry(access, &iopt->accesses, link)
		if (!only || access == only)
			access->unmap(access, start, last - start + 1);
}

static void notify_range(struct io_pagetable *iopt, struct iopt_access *only,
			 unsigned long start, unsigned long last)
{
	unsigned long area_last = last;

	down_read(&iopt->access_lock);
	while (find_pinned(iopt, &start, &area_last)) {
		notify(iopt, only, start, area_last);
		if (area_last >= last)
			break;
		start = area_last + 1;
		area_last = last;
	}
	up_read(&iopt->access_lock);
}

/**
 * iopt_ask_accesses - have accesses unpin what they pinned
 * @iopt: The IOVA space, with none of its locks held
 * @only: The one access to ask, or NULL for all
 * @start: First IOVA
 * @last: Last IOVA
 *
 * They are called once for each area that has pins, and for no other: some
 * drivers walk the range they are given page by page. A driver may be about to
 * unpin in another thread and therefore do nothing when it is called, so this
 * also waits a moment for pins to go.
 */
void iopt_ask_accesses(struct io_pagetable *iopt, struct iopt_access *only,
		       unsigned long start, unsigned long last)
{
	unsigned int events = READ_ONCE(iopt->events);
	unsigned long first = start;
	unsigned long end = last;

	notify_range(iopt, only, start, last);
	if (find_pinned(iopt, &first, &end))
		wait_var_event_timeout(&iopt->events,
				       READ_ONCE(iopt->events) != events,
				       msecs_to_jiffies(10));
}

/**
 * iopt_add_access - have an access asked from now on
 * @iopt: The IOVA space
 * @access: Its unmap function set
 */
void iopt_add_access(struct io_pagetable *iopt, struct iopt_access *access)
{
	down_write(&iopt->access_lock);
	list_add_tail(&access->link, &iopt->accesses);
	mutex_lock(&iopt->iova_lock);
	iopt_lose_track(iopt);
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->access_lock);
}

/**
 * iopt_remove_access - have an access not asked any more
 * @iopt: The IOVA space
 * @access: Added before
 *
 * On return its function does not run.
 */
void iopt_remove_access(struct io_pagetable *iopt, struct iopt_access *access)
{
	down_write(&iopt->access_lock);
	list_del(&access->link);
	up_write(&iopt->access_lock);
}
