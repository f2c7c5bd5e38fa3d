// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmapping from an IOVA space.
 *
 * An area's way from live to nothing. A call looks at its whole range first, so that a
 * refusal has changed nothing:
 *
 *   1. check the range; have accesses unpin what they have pinned there, and check again
 *   2. set all areas to DYING (iova_lock)
 *   3. for each: unmap it from all domains, unpin it, remove it from the tree
 *   4. free them, and credit what was charged (no lock)
 *
 * domains_lock is held, shared, from the check to the end: a domain that is being added
 * sees areas either live or not at all.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "io_pagetable.h"

/* How long to ask accesses to unpin before that is their driver's bug */
#define UNMAP_JIFFIES HZ

/* What is to be removed */
struct unmap_range {
	unsigned long start;
	unsigned long last;
	/* With areas that begin in it and end beyond, @last grows from here */
	unsigned long asked_last;
	bool grows;
	/* Also wait for areas that another call sets up or removes */
	bool waits;
	/* The lowest area of it, while iova_lock is held */
	struct io_area *first;
};

/* What stands in the way of it */
struct unmap_check {
	/* Something to wait for: pinning, a call of an access */
	bool busy;
	/* An area that belongs to another call */
	bool claimed;
	/* Pins of accesses */
	bool pinned;
	unsigned int events;
};

static void check_area(const struct io_area *area, struct unmap_check *check)
{
	if (!io_area_is_live(area))
		check->claimed = true;
	if (area->state == IO_AREA_CHANGING || area->busy)
		check->busy = true;
	if (area->pins)
		check->pinned = true;
}

/* What begins in the range, unless its first IOVA is in the middle of an area */
static bool grow_range(struct io_pagetable *iopt, struct unmap_range *range)
{
	struct io_area *area;

	area = iopt_area_first(iopt, range->start, range->start);
	if (area && area->node.start < range->start)
		return false;
	area = iopt_area_first(iopt, range->asked_last, range->asked_last);
	range->last = area ? area->node.last : range->asked_last;
	return true;
}

static int check_range(struct io_pagetable *iopt, struct unmap_range *range,
		       struct unmap_check *check)
{
	struct io_area *area;

	*check = (struct unmap_check){ .events = iopt->events };
	if (range->grows && !grow_range(iopt, range))
		return -ENOENT;
	range->first = iopt_area_first(iopt, range->start, range->last);
	if (!range->first)
		return -ENOENT;
	for (area = range->first; area; area = iopt_area_next(area, range->last)) {
		if (area->node.start < range->start ||
		    area->node.last > range->last)
			return -EINVAL;
		check_area(area, check);
	}
	return 0;
}

/*
 * From now on accesses can't pin these areas, or can again. If two calls unmap
 * the same area and one gives up, the other may need some rounds more.
 */
static void close_range(struct io_pagetable *iopt,
			const struct unmap_range *range, bool closed)
{
	struct io_area *area;

	lockdep_assert_held(&iopt->iova_lock);

	for (area = iopt_area_first(iopt, range->start, range->last); area;
	     area = iopt_area_next(area, range->last))
		area->closed = closed;
}

static void take_range(const struct unmap_range *range, struct list_head *dying)
{
	struct io_area *area;

	for (area = range->first; area; area = iopt_area_next(area, range->last)) {
		io_area_set_state(area, IO_AREA_DYING);
		list_add_tail(&area->link, dying);
	}
}

static void remove_area(struct io_pagetable *iopt, struct io_area *area)
{
	iopt_erase_area(iopt, area);
	if (area->held)
		io_area_release(area);
	mutex_lock(&iopt->iova_lock);
	iova_tree_remove(&iopt->areas, &area->node);
	iopt_wake_claimed(iopt);
	mutex_unlock(&iopt->iova_lock);
}

static unsigned long remove_areas(struct io_pagetable *iopt,
				  struct list_head *dying)
{
	unsigned long unmapped = 0;
	struct io_area *area;

	list_for_each_entry(area, dying, link) {
		unmapped += io_area_length(area);
		remove_area(iopt, area);
		cond_resched();
	}
	return unmapped;
}

/* Whether the areas of the range can be taken, or what there is to be done first */
static int prepare_range(struct io_pagetable *iopt, struct unmap_range *range,
			 struct unmap_check *check)
{
	int rc;

	rc = check_range(iopt, range, check);
	if (rc)
		return rc;
	if (check->claimed) {
		if (!range->waits)
			return -EBUSY;
		iopt->claim_waiters++;
		return -EAGAIN;
	}
	if (check->busy || check->pinned) {
		close_range(iopt, range, true);
		return -EAGAIN;
	}
	return 0;
}

/* One attempt: done, refused, or @check says what must go away first */
static int try_unmap(struct io_pagetable *iopt, struct unmap_range *range,
		     struct unmap_check *check, unsigned long *unmapped)
{
	LIST_HEAD(dying);
	int rc;

	down_read(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	rc = prepare_range(iopt, range, check);
	if (!rc)
		take_range(range, &dying);
	mutex_unlock(&iopt->iova_lock);
	if (!rc)
		*unmapped = remove_areas(iopt, &dying);
	up_read(&iopt->domains_lock);
	iopt_free_areas(&dying);
	return rc;
}

static int wait_claimed(struct io_pagetable *iopt, unsigned int events)
{
	int rc = iopt_wait(iopt, events);

	mutex_lock(&iopt->iova_lock);
	iopt->claim_waiters--;
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/* Have whatever @check found go away */
static int make_way(struct io_pagetable *iopt, const struct unmap_range *range,
		    const struct unmap_check *check, unsigned long *end)
{
	if (check->claimed)
		return wait_claimed(iopt, check->events);
	if (check->busy)
		return iopt_wait(iopt, check->events);
	if (!*end)
		*end = jiffies + UNMAP_JIFFIES;
	if (time_after(jiffies, *end))
		return -EDEADLK;
	iopt_ask_accesses(iopt, NULL, range->start, range->last);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static void reopen_range(struct io_pagetable *iopt,
			 const struct unmap_range *range)
{
	mutex_lock(&iopt->iova_lock);
	close_range(iopt, range, false);
	mutex_unlock(&iopt->iova_lock);
}

static int unmap_range(struct io_pagetable *iopt, struct unmap_range *range,
		       unsigned long *unmapped)
{
	struct unmap_check check;
	unsigned long end = 0;
	bool closed = false;
	int rc;

	for (;;) {
		rc = try_unmap(iopt, range, &check, unmapped);
		if (rc != -EAGAIN)
			break;
		closed = true;
		rc = make_way(iopt, range, &check, &end);
		if (rc)
			break;
	}
	if (closed && rc && rc != -EDEADLK)
		reopen_range(iopt, range);
	return rc;
}

/**
 * iopt_unmap - remove all areas of a range
 * @iopt: The IOVA space
 * @start: First IOVA
 * @last: Last IOVA
 * @unmapped: Set to the number of bytes removed
 *
 * On return no device and no access reaches the memory through these IOVAs.
 * Waits for accesses to unpin it, and for pinning in progress to end;
 * SIGKILL ends that wait. The caller holds no lock.
 *
 * Return: 0; with nothing changed -ENOENT: there is nothing, or an area reaches
 * out of the range, -EBUSY: an area is being set up or removed by another call,
 * -EINTR: killed; -EDEADLK: an access does not unpin, the areas stay but can't
 * be pinned any more.
 */
int iopt_unmap(struct io_pagetable *iopt, unsigned long start,
	       unsigned long last, unsigned long *unmapped)
{
	struct unmap_range range = { .start = start, .last = last };
	int rc = unmap_range(iopt, &range, unmapped);

	return rc == -EINVAL ? -ENOENT : rc;
}

/**
 * iopt_unmap_type1 - remove areas by the rules of a VFIO container
 * @iopt: The IOVA space
 * @start: First IOVA
 * @last: Last IOVA
 * @version1: An area that begins in the range is removed as a whole; if @start is
 *            in the middle of one, nothing is. Otherwise the range must not cut
 *            an area
 * @unmapped: Set to the number of bytes removed, which can be 0
 *
 * Like iopt_unmap(), but it is no error if there is nothing, and what another
 * call sets up or removes is waited for.
 *
 * Return: 0; with nothing changed -EINVAL: the range cuts an area, -EINTR:
 * killed; -EDEADLK: as iopt_unmap().
 */
int iopt_unmap_type1(struct io_pagetable *iopt, unsigned long start,
		     unsigned long last, bool version1, unsigned long *unmapped)
{
	struct unmap_range range = {
		.start = start,
		.last = last,
		.asked_last = last,
		.grows = version1,
		.waits = true,
	};
	int rc;

	*unmapped = 0;
	rc = unmap_range(iopt, &range, unmapped);
	return rc == -ENOENT ? 0 : rc;
}

/**
 * iopt_unmap_all - remove all areas
 * @iopt: The IOVA space
 * @unmapped: Set to the number of bytes removed, modulo 2^64
 *
 * Return: as iopt_unmap(), but 0 if there is nothing.
 */
int iopt_unmap_all(struct io_pagetable *iopt, unsigned long *unmapped)
{
	int rc = iopt_unmap(iopt, 0, ULONG_MAX, unmapped);

	if (rc == -ENOENT) {
		*unmapped = 0;
		return 0;
	}
	return rc;
}

static void take_idle(struct io_pagetable *iopt, struct list_head *dying)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX)) {
		if (area->state != IO_AREA_LIVE || area->busy || area->pins)
			continue;
		io_area_set_state(area, IO_AREA_DYING);
		list_add_tail(&area->link, dying);
	}
}

/**
 * iopt_unmap_idle - remove all areas that nobody is busy with
 * @iopt: The IOVA space
 *
 * For those who can't wait for user memory, and pinning waits for it: what is being
 * mapped, pinned or unmapped at this moment stays, and so does what accesses have
 * pinned. The caller holds no lock of the IOVA space.
 */
void iopt_unmap_idle(struct io_pagetable *iopt)
{
	LIST_HEAD(dying);

	down_read(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	take_idle(iopt, &dying);
	mutex_unlock(&iopt->iova_lock);
	remove_areas(iopt, &dying);
	up_read(&iopt->domains_lock);
	iopt_free_areas(&dying);
}
