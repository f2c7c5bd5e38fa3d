// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking of an IOVA space.
 *
 * Walks the areas and collects which of their pages a domain has as dirty; also knows
 * whether all domains together can tell.
 *
 * While a step reads an area, iova_lock keeps it from being unmapped and revoked, and
 * domains_lock, shared, from being written. Others need these locks too, so a step is
 * short. The user's bitmap is faulted in before the steps that set its bits.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "io_pagetable.h"
#include "iopt/io_dirty.h"

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
		if (iopt_area_in_domains(area))
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
 * can sleep indefinitely but ends by SIGKILL; the caller holds no lock from
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

		if (area->state == IO_AREA_LIVE && iopt_area_in_domains(area))
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

/**
 * iopt_lose_track - what devices write to can't be known for a while
 * @iopt: The IOVA space; the caller holds iova_lock, and changes what devices or
 *        accesses there are
 *
 * The domains still know, but a domain that comes does not know of the past, one
 * that went has taken its knowledge along, and accesses never tell.
 */
void iopt_lose_track(struct io_pagetable *iopt)
{
	lockdep_assert_held(&iopt->iova_lock);

	if (iopt->tracking == IOPT_TRACK_DOMAINS)
		WRITE_ONCE(iopt->tracking, IOPT_TRACK_ALL);
}

/**
 * iopt_is_tracking - is iopt_start_tracking() in force?
 * @iopt: The IOVA space
 *
 * Return: yes or no.
 */
bool iopt_is_tracking(struct io_pagetable *iopt)
{
	return READ_ONCE(iopt->tracking) != IOPT_TRACK_NOTHING;
}

/* Drivers find it no error if there is nothing to change */
static int set_domains(struct io_pagetable *iopt, bool enable)
{
	struct iopt_domain *entry;
	int rc;

	list_for_each_entry(entry, &iopt->domains, link) {
		const struct iommu_dirty_ops *ops = entry->domain->dirty_ops;

		if (!ops)
			continue;
		rc = ops->set_dirty_tracking(entry->domain, enable);
		if (rc && enable)
			return rc;
	}
	return 0;
}

static bool domains_can_track(struct io_pagetable *iopt)
{
	struct iopt_domain *entry;

	list_for_each_entry(entry, &iopt->domains, link)
		if (entry->filled != ULONG_MAX || !entry->domain->dirty_ops)
			return false;
	return list_empty(&iopt->accesses);
}

static void start_tracking(struct io_pagetable *iopt)
{
	enum iopt_tracking tracking = IOPT_TRACK_ALL;

	if (domains_can_track(iopt)) {
		if (set_domains(iopt, true))
			set_domains(iopt, false);
		else
			tracking = IOPT_TRACK_DOMAINS;
	}
	WRITE_ONCE(iopt->tracking, tracking);
}

static int track_area(struct io_pagetable *iopt, const struct io_area *area,
		      unsigned long iova, unsigned long length,
		      struct iova_bitmap *bitmap)
{
	struct iopt_domain *entry;
	int rc = 0;

	if (!(area->prot & IOMMU_WRITE) || !io_area_is_live(area))
		return 0;
	/* Memory of a device leaves the domains at times, and takes its bits along */
	if (iopt->tracking != IOPT_TRACK_DOMAINS || area->device) {
		if (bitmap)
			iova_bitmap_set(bitmap, iova, length);
		return 0;
	}
	list_for_each_entry(entry, &iopt->domains, link) {
		if (bitmap)
			rc = io_dirty_read(&entry->reader, iova, length);
		else
			rc = io_dirty_forget(entry->domain, iova, length);
		if (rc)
			break;
	}
	return rc;
}

/* Reads or, without a bitmap, forgets up to @last at most; says how far it came */
static int track_step(struct io_pagetable *iopt, struct iova_bitmap *bitmap,
		      unsigned long iova, unsigned long *last)
{
	struct io_area *area;
	int rc = 0;

	lock_areas(iopt);
	area = iopt_area_first(iopt, iova, *last);
	if (!iopt_is_tracking(iopt)) {
		rc = -EINVAL;
	} else if (area && area->node.start > iova) {
		*last = area->node.start - 1;
	} else if (area) {
		*last = step_last(area, iova, *last);
		rc = track_area(iopt, area, iova, *last - iova + 1, bitmap);
	}
	unlock_areas(iopt);
	return rc;
}

static int track_range(struct io_pagetable *iopt, struct iova_bitmap *bitmap,
		       unsigned long iova, unsigned long end_last)
{
	unsigned long last;
	int rc;

	for (;; iova = last + 1) {
		last = end_last;
		rc = track_step(iopt, bitmap, iova, &last) ?: between_steps();
		if (rc || last == end_last)
			return rc;
	}
}

static void begin_readers(struct io_pagetable *iopt, struct iova_bitmap *bitmap,
			  bool clear)
{
	struct iopt_domain *entry;

	lock_areas(iopt);
	list_for_each_entry(entry, &iopt->domains, link)
		entry->reader = (struct io_dirty_reader){
			.domain = entry->domain,
			.bitmap = bitmap,
			.clear = clear,
		};
	unlock_areas(iopt);
}

/* Those of domains that were added meanwhile were not used */
static void end_readers(struct io_pagetable *iopt, bool failed)
{
	struct iopt_domain *entry;

	lock_areas(iopt);
	list_for_each_entry(entry, &iopt->domains, link) {
		io_dirty_end(&entry->reader);
		entry->reader = (struct io_dirty_reader){};
	}
	if (failed)
		iopt_lose_track(iopt);
	unlock_areas(iopt);
}

static void flush_domains(struct io_pagetable *iopt)
{
	struct iopt_domain *entry;

	lock_areas(iopt);
	list_for_each_entry(entry, &iopt->domains, link)
		iommu_flush_iotlb_all(entry->domain);
	unlock_areas(iopt);
}

/**
 * iopt_start_tracking - from now on know what devices write to
 * @iopt: The IOVA space; calls of this and of iopt_read_tracked() exclude each
 *        other
 *
 * If a domain can't track, or there are accesses, everything will be taken for
 * dirty. Does nothing if it is in force already.
 *
 * Return: 0; -EINTR killed, -EINVAL iopt_stop_tracking() was called meanwhile, or an
 * error of a driver: it is not in force then.
 */
int iopt_start_tracking(struct io_pagetable *iopt)
{
	int rc;

	if (iopt_is_tracking(iopt))
		return 0;
	down_read(&iopt->access_lock);
	lock_areas(iopt);
	start_tracking(iopt);
	unlock_areas(iopt);
	up_read(&iopt->access_lock);

	rc = track_range(iopt, NULL, 0, ULONG_MAX);
	flush_domains(iopt);
	if (rc)
		iopt_stop_tracking(iopt);
	return rc;
}

/**
 * iopt_stop_tracking - the opposite of iopt_start_tracking()
 * @iopt: The IOVA space
 *
 * Does nothing if it is not in force. Whoever is reading finds out at its next
 * step; this does not wait for it. Cannot fail.
 */
void iopt_stop_tracking(struct io_pagetable *iopt)
{
	lock_areas(iopt);
	if (iopt_is_tracking(iopt))
		set_domains(iopt, false);
	WRITE_ONCE(iopt->tracking, IOPT_TRACK_NOTHING);
	unlock_areas(iopt);
}

/* What iova_bitmap_for_each() calls */
static int track_piece(struct iova_bitmap *bitmap, unsigned long iova,
		       size_t length, void *iopt)
{
	return track_range(iopt, bitmap, iova, iova + length - 1);
}

/**
 * iopt_read_tracked - record what devices have written to
 * @iopt: The IOVA space, after iopt_start_tracking(); calls of both exclude each
 *        other
 * @bitmap: Says which range, and takes the result; nothing is recorded where
 *          nothing is mapped
 * @clear: What was recorded is clean afterwards
 *
 * Faults the bitmap in, which can sleep indefinitely but ends by SIGKILL; the caller
 * holds no lock from hwpt_lock down.
 *
 * Return: 0; -EFAULT, -ENOMEM: a part of the bitmap is not there; -EINVAL:
 * iopt_stop_tracking() was called meanwhile; -EINTR killed; an error of a driver.
 * If it fails with @clear, what was made clean by it is found nowhere any more, so
 * from then on everything is taken for dirty.
 */
int iopt_read_tracked(struct io_pagetable *iopt, struct iova_bitmap *bitmap,
		      bool clear)
{
	int rc;

	begin_readers(iopt, bitmap, clear);
	rc = iova_bitmap_for_each(bitmap, iopt, track_piece);
	end_readers(iopt, rc && clear);
	return rc;
}
