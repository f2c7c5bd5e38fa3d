// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domains of an IOVA space: each holds a copy of all areas.
 *
 * Owns the moments at which all areas are pinned, written into a new domain, and
 * unpinned again. It must never know what a domain is attached to.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "io_pagetable.h"

/* What the hardware can't address can't be mapped */
static int reserve_outside(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	const struct iommu_domain_geometry *geometry = &entry->domain->geometry;
	int rc = 0;

	if (geometry->aperture_start)
		rc = iopt_reserve(iopt, 0, geometry->aperture_start - 1, entry);
	if (!rc && geometry->aperture_end != ULONG_MAX)
		rc = iopt_reserve(iopt, geometry->aperture_end + 1, ULONG_MAX,
				  entry);
	if (rc)
		iopt_unreserve(iopt, entry);
	return rc;
}

/* From here on new areas pin their memory and fit the domain's smallest page */
static int join(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	lockdep_assert_held_write(&iopt->domains_lock);

	if (1UL << __ffs(entry->domain->pgsize_bitmap) > PAGE_SIZE)
		return -EINVAL;
	rc = reserve_outside(iopt, entry);
	if (rc)
		return rc;

	entry->mapped = false;
	mutex_lock(&iopt->iova_lock);
	list_add_tail(&entry->link, &iopt->domains);
	rc = iopt_realign(iopt);
	if (rc)
		list_del(&entry->link);
	else
		iopt_lose_track(iopt);
	mutex_unlock(&iopt->iova_lock);
	if (rc)
		iopt_unreserve(iopt, entry);
	return rc;
}

/* The next area that is not held and nobody else's, or one to wait for */
static struct io_area *next_unheld(struct io_pagetable *iopt,
				   unsigned long start)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, start, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX))
		if (area->state == IO_AREA_PINNING ||
		    (area->state == IO_AREA_LIVE && !area->held))
			return area;
	return NULL;
}

/* Pin one area, with no lock; returns with domains_lock as on entry */
static int pin_area(struct io_pagetable *iopt, struct io_area *area)
{
	unsigned int settled = iopt->settled;
	bool mine = area->state == IO_AREA_LIVE;
	int rc;

	if (mine)
		area->state = IO_AREA_PINNING;
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->domains_lock);

	rc = mine ? io_area_hold(area) : iopt_wait(iopt, settled);

	down_write(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	if (mine) {
		area->state = IO_AREA_LIVE;
		iopt_settle(iopt);
	}
	return rc;
}

/*
 * Have all live areas held. The lock is dropped for each, but since the domain
 * has joined, areas that come meanwhile are held by those who make them.
 */
static int pin_areas(struct io_pagetable *iopt)
{
	unsigned long start = 0;
	struct io_area *area;
	int rc = 0;

	mutex_lock(&iopt->iova_lock);
	while (!rc && (area = next_unheld(iopt, start))) {
		/* It may be gone afterwards, but nothing below it is unheld */
		start = area->node.start;
		rc = pin_area(iopt, area);
	}
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/* Nobody can remove these areas meanwhile */
static bool area_pinned(const struct io_area *area)
{
	return area->state == IO_AREA_LIVE && area->held;
}

/* The areas to be found in the domains */
static bool area_in_domains(const struct io_area *area)
{
	return area_pinned(area) && !area->absent;
}

static void clear_domain(struct io_pagetable *iopt, struct iopt_domain *entry,
			 struct io_area *end)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area != end;
	     area = iopt_area_next(area, ULONG_MAX))
		if (area_in_domains(area)) {
			io_area_unmap(area, entry->domain);
			cond_resched();
		}
}

static int fill_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	struct io_area *area;
	int rc = 0;

	lockdep_assert_held_write(&iopt->domains_lock);

	mutex_lock(&iopt->iova_lock);
	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX)) {
		if (!area_in_domains(area))
			continue;
		rc = io_area_map(area, entry->domain, iopt->large);
		if (rc) {
			clear_domain(iopt, entry, area);
			break;
		}
	}
	mutex_unlock(&iopt->iova_lock);
	entry->mapped = !rc;
	return rc;
}

/**
 * iopt_add_domain - map all areas in a new domain, now and in future
 * @iopt: The IOVA space
 * @entry: With the domain set
 *
 * Pins what no other domain has had pinned; this can sleep for ever but ends by
 * SIGKILL. The caller holds no lock from hwpt_lock down.
 *
 * Return: 0; or, with nothing changed: -EINVAL smallest page size above
 * PAGE_SIZE, -EADDRINUSE areas or allowed ranges are where the domain has no
 * addresses, or not aligned to its pages; as io_pages_hold(); an error of the
 * driver.
 */
int iopt_add_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	down_write(&iopt->domains_lock);
	rc = join(iopt, entry);
	if (rc) {
		up_write(&iopt->domains_lock);
		return rc;
	}
	rc = pin_areas(iopt);
	if (!rc)
		rc = fill_domain(iopt, entry);
	up_write(&iopt->domains_lock);
	if (rc) {
		iopt_remove_domain(iopt, entry);
		iopt_drop_pins(iopt);
	}
	return rc;
}

/**
 * iopt_remove_domain - a domain is no longer kept up to date
 * @iopt: The IOVA space
 * @entry: Added before; attached to nothing
 *
 * What is mapped in it stays, since freeing the domain is the cheapest way to
 * unmap. iopt_drop_pins() is to be called after that. Cannot fail.
 */
void iopt_remove_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	down_write(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	list_del(&entry->link);
	iopt_lose_track(iopt);
	iopt_realign(iopt);
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->domains_lock);
	iopt_unreserve(iopt, entry);
}

static void release_areas(struct io_pagetable *iopt)
{
	struct io_area *area;

	mutex_lock(&iopt->iova_lock);
	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX)) {
		if (area_pinned(area))
			io_area_release(area);
		cond_resched();
	}
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_drop_pins - unpin all areas if there is no domain left
 * @iopt: The IOVA space; a domain was removed from it and freed. The caller holds
 *        no lock from hwpt_lock down
 *
 * Allocates nothing and cannot fail.
 */
void iopt_drop_pins(struct io_pagetable *iopt)
{
	down_write(&iopt->domains_lock);
	if (list_empty(&iopt->domains))
		release_areas(iopt);
	up_write(&iopt->domains_lock);
}

/**
 * iopt_page_sizes - what IO page table entries can map
 * @iopt: The IOVA space
 *
 * Return: a set of powers of 2, those that all domains have in common; without a
 * domain all from PAGE_SIZE up.
 */
unsigned long iopt_page_sizes(struct io_pagetable *iopt)
{
	struct iopt_domain *entry;
	unsigned long sizes = PAGE_MASK;

	mutex_lock(&iopt->iova_lock);
	if (!list_empty(&iopt->domains))
		sizes = ULONG_MAX;
	list_for_each_entry(entry, &iopt->domains, link)
		sizes &= entry->domain->pgsize_bitmap;
	mutex_unlock(&iopt->iova_lock);
	return sizes;
}
