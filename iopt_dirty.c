// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking of an IOVA space.
 *
 * Owns the walk over the areas, whose pages a domain knows to be dirty or not.
 * It must never know how a domain is asked.
 *
 * What a step reads is kept from being unmapped by iova_lock, from being revoked by
 * domains_lock, shared. Others need these locks as well, so a step is short. User
 * memory, the bitmap that is, is faulted in before the steps whose bits it has.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "io_dirty.h"
#include "io_pagetable.h"

/* Ends a walk that is not a failure */
#define FOUND_GAP 1

/* Up to where the next step goes; steps end at multiples of this */
#define STEP SZ_4M

static unsigned long step_last(const struct io_area *area, unsigned long iova,
			       unsigned long last)
{
	return min3(iova | (STEP - 1), area->node.last, last);
}

/* Between steps nobody has to wait */
static int between_steps(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static void lock_areas(struct io_pagetable *iopt)
{
	down_read(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
}

static void unlock_areas(struct io_pagetable *iopt)
{
	mutex_unlock(&iopt->iova_lock);
	up_read(&iopt->domains_lock);
}

/* The area at an IOVA, or NULL if it is being made or removed, too */
static struct io_area *area_at(struct io_pagetable *iopt, unsigned long iova)
{
	struct io_area *area = iopt_area_first(iopt, iova, iova);

	return area && area->state == IO_AREA_LIVE ? area : NULL;
}

struct dirty_walk {
	struct io_pagetable *iopt;
	struct io_dirty_reader reader;
};

/* Reads up to @last at most, and says how far it came */
static int read_step(struct dirty_walk *walk, unsigned long iova,
		     unsigned long *last)
{
	struct io_pagetable *iopt = walk->iopt;
	struct io_area *area;
	int rc = 0;

	lock_areas(iopt);
	area = area_at(iopt, iova);
	if (area) {
		*last = step_last(area, iova, *last);
		if (!area->absent)
			rc = io_dirty_read(&walk->reader, iova,
					   *last - iova + 1);
	} else {
		rc = FOUND_GAP;
	}
	unlock_areas(iopt);
	return rc;
}

/* What iova_bitmap_for_each() calls */
static int read_piece(struct iova_bitmap *bitmap, unsigned long iova,
		      size_t length, void *opaque)
{
	unsigned long end = iova + length;
	int rc = 0;

	while (iova != end && !rc) {
		unsigned long last = end - 1;

		rc = read_step(opaque, iova, &last) ?: between_steps();
		iova = last + 1;
	}
	return rc;
}

/**
 * iopt_read_dirty - record which pages of a domain are dirty
 * @iopt: The IOVA space
 * @domain: One of its domains, which tracks dirty pages
 * @bitmap: Says which range, and takes the result
 * @clear: What was recorded is clean afterwards, but for entries that are only
 *         in part in the range
 *
 * Ends at the first IOVA where nothing is mapped. Faults the bitmap in, which
 * can sleep for ever but ends by SIGKILL; the caller holds no lock from
 * hwpt_lock down.
 *
 * Return: 0; -EFAULT: a part of the bitmap is not there, and from there on
 * nothing was read or made clean; -EINTR killed; an error of the driver.
 */
int iopt_read_dirty(struct io_pagetable *iopt, struct iommu_domain *domain,
		    struct iova_bitmap *bitmap, bool clear)
{
	struct dirty_walk walk = {
		.iopt = iopt,
		.reader = {
			.domain = domain,
			.bitmap = bitmap,
			.clear = clear,
		},
	};
	int rc;

	rc = iova_bitmap_for_each(bitmap, &walk, read_piece);
	io_dirty_end(&walk.reader);
	return rc == FOUND_GAP ? 0 : rc;
}

/* Forgets one step at or above @start, and says where the next one begins */
static int forget_step(struct io_pagetable *iopt, struct iommu_domain *domain,
		       unsigned long *start, bool *ended)
{
	struct io_area *area;
	int rc = 0;

	lock_areas(iopt);
	area = iopt_area_first(iopt, *start, ULONG_MAX);
	if (area) {
		unsigned long iova = max(*start, area->node.start);
		unsigned long last = step_last(area, iova, ULONG_MAX);

		if (area->state == IO_AREA_LIVE && !area->absent)
			rc = io_dirty_forget(domain, iova, last - iova + 1);
		*start = last + 1;
	}
	*ended = !area || !*start;
	unlock_areas(iopt);
	return rc;
}

/**
 * iopt_forget_dirty - make all pages of a domain clean
 * @iopt: The IOVA space
 * @domain: One of its domains, which tracks dirty pages
 *
 * Return: 0, -EINTR killed, or an error of the driver; some are clean then, some
 * not.
 */
int iopt_forget_dirty(struct io_pagetable *iopt, struct iommu_domain *domain)
{
	unsigned long iova = 0;
	bool ended = false;
	int rc = 0;

	while (!ended && !rc)
		rc = forget_step(iopt, domain, &iova, &ended) ?:
		     between_steps();
	iommu_flush_iotlb_all(domain);
	return rc;
}
