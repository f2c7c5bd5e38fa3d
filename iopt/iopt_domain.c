// SPDX-License-Identifier: GPL-2.0-only
/*
 * The domains of an IOVA space: each has a copy of all areas.
 *
 * A new domain is filled from the lowest area to the highest, and iopt_domain.filled says
 * how far: areas below that are in the domain already, and are mapped and unmapped as in
 * any other. So are areas that become live after the domain was added, so the rest that is
 * to be filled only shrinks, whatever user space maps meanwhile. The locks are released
 * now and then between areas.
 */
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

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

static int list_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	mutex_lock(&iopt->iova_lock);
	list_add_tail(&entry->link, &iopt->domains);
	rc = iopt_realign(iopt);
	if (rc) {
		list_del(&entry->link);
	} else {
		entry->joined = ++iopt->joined;
		WRITE_ONCE(iopt->pinners, iopt->pinners + 1);
		iopt->pinned++;
		iopt_lose_track(iopt);
	}
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/* From here on new areas fit the domain's smallest page, and are pinned */
static int add_empty(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	if (1UL << __ffs(entry->domain->pgsize_bitmap) > PAGE_SIZE)
		return -EINVAL;
	rc = reserve_outside(iopt, entry);
	if (rc)
		return rc;
	entry->filled = 0;
	down_write(&iopt->domains_lock);
	rc = list_domain(iopt, entry);
	up_write(&iopt->domains_lock);
	if (rc)
		iopt_unreserve(iopt, entry);
	return rc;
}

/* The lowest area that begins at or above an IOVA */
static struct io_area *first_from(struct io_pagetable *iopt, unsigned long iova)
{
	struct io_area *area = iopt_area_first(iopt, iova, ULONG_MAX);

	if (area && area->node.start < iova)
		area = iopt_area_next(area, ULONG_MAX);
	return area;
}

/*
 * Memory can take long to write: iova_lock, for which many wait, is not held
 * meanwhile. Domains_lock keeps the area from going away.
 */
static int fill_area(struct io_pagetable *iopt, struct iopt_domain *entry,
		     struct io_area *area)
{
	int rc;

	/* Who made it after the domain had joined has written it */
	if (iopt_domain_has(entry, area) || !iopt_area_in_domains(area))
		return 0;
	if (area->device)
		return io_area_map(area, entry->domain, iopt->large);
	mutex_unlock(&iopt->iova_lock);
	rc = io_area_map(area, entry->domain, iopt->large);
	mutex_lock(&iopt->iova_lock);
	return rc;
}

/* Others wait for the locks, and have done so for a while: each gets a turn */
static bool time_is_up(struct io_pagetable *iopt, unsigned long begin)
{
	return need_resched() || (time_after(jiffies, begin) &&
				  rwsem_is_contended(&iopt->domains_lock));
}

/* Until it is time to let others have the locks */
static int fill_some(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	unsigned long begin = jiffies;
	struct io_area *area;
	int rc = 0;

	lockdep_assert_held_write(&iopt->domains_lock);

	mutex_lock(&iopt->iova_lock);
	area = first_from(iopt, entry->filled);
	while (area && !rc) {
		rc = fill_area(iopt, entry, area);
		if (rc || time_is_up(iopt, begin))
			break;
		entry->filled = area->node.start + 1;
		area = iopt_area_next(area, ULONG_MAX);
	}
	if (!rc)
		entry->filled = area ? area->node.start + 1 : ULONG_MAX;
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

static int fill(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	do {
		down_write(&iopt->domains_lock);
		rc = fill_some(iopt, entry);
		up_write(&iopt->domains_lock);
		cond_resched();
		if (!rc && fatal_signal_pending(current))
			rc = -EINTR;
	} while (!rc && entry->filled != ULONG_MAX);
	return rc;
}

static void unlist_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	lockdep_assert_held_write(&iopt->domains_lock);

	list_del(&entry->link);
	iopt_lose_track(iopt);
	iopt_realign(iopt);
}

static void clear_devices(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX))
		if (area->device && iopt_domain_has(entry, area) &&
		    iopt_area_in_domains(area))
			io_area_unmap(area, entry->domain);
}

static void clear_memory(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	struct io_area *area;

	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_next(area, ULONG_MAX)) {
		if (area->device || !iopt_domain_has(entry, area) ||
		    !iopt_area_in_domains(area))
			continue;
		mutex_unlock(&iopt->iova_lock);
		io_area_unmap(area, entry->domain);
		mutex_lock(&iopt->iova_lock);
	}
}

/*
 * Remove a domain that could not be filled. It may be attached. Device memory can be
 * revoked whenever iova_lock is not held: it has to have left the domain by the time
 * that nobody finds this in the list any more.
 */
static void give_up(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	down_write(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	clear_devices(iopt, entry);
	unlist_domain(iopt, entry);
	clear_memory(iopt, entry);
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->domains_lock);
	iopt_unreserve(iopt, entry);
	iopt_remove_pinner(iopt);
}

/**
 * iopt_add_domain - map all areas in a new domain, now and in future
 * @iopt: The IOVA space, of which the caller is a pinner
 * @entry: With the domain set
 *
 * The domain is a pinner, too. Sleeps, but waits for nothing of user space; ends by
 * SIGKILL.
 *
 * Return: 0; or, with nothing changed: -EINVAL smallest page size above
 * PAGE_SIZE, -EADDRINUSE areas or allowed ranges are where the domain has no
 * addresses, or not aligned to its pages; -EINTR killed; an error of the driver.
 */
int iopt_add_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	int rc;

	rc = add_empty(iopt, entry);
	if (rc)
		return rc;
	rc = fill(iopt, entry);
	if (rc)
		give_up(iopt, entry);
	return rc;
}

/**
 * iopt_remove_domain - a domain is no longer kept up to date
 * @iopt: The IOVA space
 * @entry: Added before; attached to nothing
 *
 * What is mapped in it stays, since freeing the domain is the cheapest way to
 * unmap. iopt_remove_pinner() is to be called after that. Cannot fail.
 */
void iopt_remove_domain(struct io_pagetable *iopt, struct iopt_domain *entry)
{
	down_write(&iopt->domains_lock);
	mutex_lock(&iopt->iova_lock);
	unlist_domain(iopt, entry);
	mutex_unlock(&iopt->iova_lock);
	up_write(&iopt->domains_lock);
	iopt_unreserve(iopt, entry);
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
