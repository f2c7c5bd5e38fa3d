// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the areas of an IOVA space have their memory pinned.
 *
 * Counts those that need it, the pinners: each domain, and each call that is about to add
 * one. While there is a pinner, areas that become live are pinned. When the first pinner
 * arrives, all other areas are pinned here; when the last one leaves, all are unpinned.
 *
 * Pinning can take indefinitely. So it is done before an attach takes any lock that
 * somebody else may need, and live areas are pinned nowhere else. The attach itself then
 * finds everything pinned.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "io_pagetable.h"

/* The next area whose memory is not as it is wanted, or is on its way to be */
static struct io_area *next_different(struct io_pagetable *iopt,
				      unsigned long start, bool wanted)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, start, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX))
		if (area->state == IO_AREA_CHANGING ||
		    (area->state == IO_AREA_LIVE && area->held != wanted))
			return area;
	return NULL;
}

/* Nobody else touches an area in this state; iova_lock is not held meanwhile */
static int change_area(struct io_pagetable *iopt, struct io_area *area,
		       bool wanted)
{
	int rc = 0;

	io_area_set_state(area, IO_AREA_CHANGING);
	mutex_unlock(&iopt->iova_lock);
	if (wanted)
		rc = io_area_hold(area);
	else
		io_area_release(area);
	mutex_lock(&iopt->iova_lock);
	io_area_set_state(area, IO_AREA_LIVE);
	iopt_wake(iopt);
	return rc;
}

static int wait_for_others(struct io_pagetable *iopt)
{
	unsigned int events = iopt->events;
	int rc;

	mutex_unlock(&iopt->iova_lock);
	rc = iopt_wait(iopt, events);
	mutex_lock(&iopt->iova_lock);
	return rc;
}

/* Areas that are added meanwhile are pinned by the calls that add them */
static int pin_areas(struct io_pagetable *iopt)
{
	unsigned long start = 0;
	struct io_area *area;
	int rc = 0;

	while (!rc && !iopt->pinned &&
	       (area = next_different(iopt, start, true))) {
		/* It may be gone afterwards, but all below it is pinned */
		start = area->node.start;
		rc = area->state == IO_AREA_LIVE ?
		     change_area(iopt, area, true) : wait_for_others(iopt);
		if (!rc && fatal_signal_pending(current))
			rc = -EINTR;
	}
	return rc;
}

/*
 * Waits for nobody: what another call is changing in spite of there being no pinner
 * is released by that one, which comes along here, too.
 */
static void unpin_areas(struct io_pagetable *iopt)
{
	unsigned long start = 0;
	struct io_area *area;

	while (!iopt->pinners &&
	       (area = next_different(iopt, start, false))) {
		bool live = area->state == IO_AREA_LIVE;

		if (!live && area->node.last == ULONG_MAX)
			break;
		start = live ? area->node.start : area->node.last + 1;
		if (live)
			change_area(iopt, area, false);
		cond_resched();
	}
}

/**
 * iopt_add_pinner - have all areas pinned, and those that come
 * @iopt: The IOVA space
 *
 * Faults memory in, which can sleep indefinitely but ends by SIGKILL. The caller holds
 * no lock.
 *
 * Return: 0, until iopt_remove_pinner(); or as io_pages_hold(), with nothing changed.
 */
int iopt_add_pinner(struct io_pagetable *iopt)
{
	int rc;

	mutex_lock(&iopt->iova_lock);
	WRITE_ONCE(iopt->pinners, iopt->pinners + 1);
	rc = pin_areas(iopt);
	if (rc) {
		WRITE_ONCE(iopt->pinners, iopt->pinners - 1);
		unpin_areas(iopt);
	} else {
		iopt->pinned++;
	}
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/**
 * iopt_remove_pinner - the opposite of iopt_add_pinner()
 * @iopt: The IOVA space; a domain that was the pinner has been freed
 *
 * With the last one the areas are unpinned. Allocates nothing and cannot fail.
 * Sleeps, but waits for nothing of user space.
 */
void iopt_remove_pinner(struct io_pagetable *iopt)
{
	mutex_lock(&iopt->iova_lock);
	iopt->pinned--;
	WRITE_ONCE(iopt->pinners, iopt->pinners - 1);
	unpin_areas(iopt);
	mutex_unlock(&iopt->iova_lock);
}
