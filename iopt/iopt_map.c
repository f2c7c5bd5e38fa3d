// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and copying in an IOVA space.
 *
 * Owns the way of a new area from nothing to live. A call makes a list of areas,
 * one for what the process has at an address, one a source area for a copy, which
 * get adjacent IOVAs and become live together or not at all:
 *
 *   1. take the IOVAs, areas in state SETUP (iova_lock)
 *   2. pin the memory, if there is a pinner (no lock)
 *   3. write them into all domains, make them live (domains_lock, shared)
 *
 * A pinner or a domain that comes between 1 and 3 skips the areas; step 3 finds it.
 *
 * What a process has at an address is memory, which is pinned, or a BAR that a driver
 * let it mmap, which cannot be.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "io_pagetable.h"
#include "lib/iova_alloc.h"
#include "memory/device_memory.h"

/* IOVAs are aligned to what a huge page table entry can map, no further */
static unsigned long huge_size(void)
{
	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ? PMD_SIZE : PAGE_SIZE;
}

static int check_fixed(struct io_pagetable *iopt, unsigned long start,
		       unsigned long length)
{
	unsigned long last;

	if (start & (iopt->alignment - 1))
		return -EINVAL;
	if (check_add_overflow(start, length - 1, &last))
		return -EOVERFLOW;
	return iopt_is_reserved(iopt, start, last) ? -EINVAL : 0;
}

static int choose_iova(struct io_pagetable *iopt, unsigned long address,
		       unsigned long length, unsigned long *iova)
{
	struct iova_request request = {
		.areas = &iopt->areas,
		.reserved = &iopt->reserved,
		.allowed = &iopt->allowed,
		.length = length,
		.address = address,
		.alignment = iopt->alignment,
		.page_size = PAGE_SIZE,
		.huge_size = huge_size(),
	};

	return iova_alloc(&request, iova);
}

static int find_iova(struct io_pagetable *iopt, unsigned long address,
		     unsigned long length, unsigned long *iova, bool fixed)
{
	if (length & (iopt->alignment - 1))
		return -EINVAL;
	if (fixed)
		return check_fixed(iopt, *iova, length);
	return choose_iova(iopt, address, length, iova);
}

static int check_copy_piece(const struct io_pagetable *iopt,
			    const struct io_area *area, bool only)
{
	unsigned long alignment = iopt->alignment;

	if ((area->prot & IOMMU_WRITE) && !area->pages->memory.writable)
		return -EPERM;
	if (area->offset & (alignment - 1))
		return -EINVAL;
	/* Inner borders would stand in the way of every later attach */
	if (!only && (io_area_length(area) & (alignment - 1)))
		return -EINVAL;
	return 0;
}

/* Before an area that is not the first: others get a chance to run */
static void give_way(const struct io_area *area, const struct list_head *areas)
{
	if (!list_is_first(&area->link, areas))
		cond_resched();
}

/* Nobody sees them as long as iova_lock is held */
static void remove_new_areas(struct io_pagetable *iopt, struct list_head *areas,
			     const struct io_area *end)
{
	struct io_area *area;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		if (area == end)
			return;
		iova_tree_remove(&iopt->areas, &area->node);
	}
}

/*
 * The tree itself finds out whether something is in the way, which counts more than
 * what is wrong with an area.
 */
static int insert_areas(struct io_pagetable *iopt, struct list_head *areas,
			unsigned long iova)
{
	bool only = list_is_singular(areas);
	struct io_area *area;
	int rc = 0;

	list_for_each_entry(area, areas, link) {
		unsigned long length = io_area_length(area);

		give_way(area, areas);
		area->node.start = iova;
		area->node.last = iova + length - 1;
		area->state = IO_AREA_SETUP;
		if (iova_tree_insert(&iopt->areas, &area->node)) {
			remove_new_areas(iopt, areas, area);
			return -EEXIST;
		}
		rc = rc ?: check_copy_piece(iopt, area, only);
		iova += length;
	}
	if (rc)
		remove_new_areas(iopt, areas, NULL);
	return rc;
}

/* Take adjacent IOVAs for all areas of the list */
static int take_iovas(struct io_pagetable *iopt, struct list_head *areas,
		      unsigned long length, unsigned long address,
		      unsigned long *iova, bool fixed)
{
	int rc;

	mutex_lock(&iopt->iova_lock);
	rc = find_iova(iopt, address, length, iova, fixed);
	if (!rc)
		rc = insert_areas(iopt, areas, *iova);
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

static int hold_areas(struct list_head *areas)
{
	struct io_area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		rc = fatal_signal_pending(current) ? -EINTR :
						     io_area_hold(area);
		if (rc)
			return rc;
	}
	return 0;
}

static void release_areas(struct list_head *areas)
{
	struct io_area *area;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		if (area->held)
			io_area_release(area);
	}
}

/* Erase the areas before @end from all domains; those after it are in none */
static void erase_areas(struct io_pagetable *iopt, struct list_head *areas,
			const struct io_area *end)
{
	struct io_area *area;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		if (area == end)
			return;
		iopt_erase_area(iopt, area);
	}
}

static int write_areas(struct io_pagetable *iopt, struct list_head *areas)
{
	struct io_area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		area->joined = iopt->joined;
		rc = fatal_signal_pending(current) ?
			     -EINTR : iopt_write_area(iopt, area);
		if (rc) {
			erase_areas(iopt, areas, area);
			return rc;
		}
	}
	return 0;
}

/* False if they are pinned and must not be, or the other way round */
static bool publish_areas(struct io_pagetable *iopt, struct list_head *areas,
			  bool held)
{
	struct io_area *area;
	bool fits;

	mutex_lock(&iopt->iova_lock);
	fits = held == !!iopt->pinners;
	if (fits) {
		list_for_each_entry(area, areas, link) {
			give_way(area, areas);
			area->state = IO_AREA_LIVE;
		}
		INIT_LIST_HEAD(areas);
		iopt_settle_claimed(iopt);
	}
	mutex_unlock(&iopt->iova_lock);
	return fits;
}

/* 1: whether areas are to be pinned is not what it was a moment ago */
static int try_to_go_live(struct io_pagetable *iopt, struct list_head *areas,
			  bool held)
{
	int rc = 1;

	down_read(&iopt->domains_lock);
	if (held || list_empty(&iopt->domains))
		rc = write_areas(iopt, areas);
	if (!rc && !publish_areas(iopt, areas, held)) {
		erase_areas(iopt, areas, NULL);
		rc = 1;
	}
	up_read(&iopt->domains_lock);
	return rc;
}

/*
 * Pinning is done without a lock. So whether the areas are to be pinned is a guess at
 * first, and meanwhile the last pinner can have gone or the first one come.
 */
static int make_live(struct io_pagetable *iopt, struct list_head *areas,
		     bool pinned)
{
	bool held = false;
	int rc;

	do {
		rc = pinned && !held ? hold_areas(areas) : 0;
		if (rc)
			return rc;
		if (held && !pinned)
			release_areas(areas);
		held = pinned;
		rc = try_to_go_live(iopt, areas, held);
		pinned = iopt_pins_maps(iopt);
	} while (rc == 1);
	return rc;
}

/**
 * iopt_pins_maps - is memory pinned at once when it is mapped?
 * @iopt: The IOVA space
 *
 * Return: yes or no, as of now.
 */
bool iopt_pins_maps(struct io_pagetable *iopt)
{
	return READ_ONCE(iopt->pinners);
}

static void return_iovas(struct io_pagetable *iopt, struct list_head *areas)
{
	mutex_lock(&iopt->iova_lock);
	remove_new_areas(iopt, areas, NULL);
	iopt_settle_claimed(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_map - give new areas an IOVA and make them live
 * @iopt: The IOVA space
 * @areas: List of io_area.link, not empty; their IOVAs will be adjacent in this
 *         order. Emptied on success
 * @address: Of the first byte of memory, for the alignment of a chosen IOVA
 * @iova: The first IOVA, wanted or chosen
 * @fixed: @iova is wanted; otherwise it is set on success
 * @pinned: Of iopt_pins_maps(): if true the memory is pinned in any case, though
 *          maybe not for long
 *
 * Faults memory in, which can sleep for ever but ends by SIGKILL.
 *
 * Return: 0, or, with nothing changed: -EINVAL length, IOVA or memory not
 * aligned, or reserved; -EOVERFLOW @iova plus length wraps, or too long;
 * -EEXIST something is there; -ENOSPC no room; -EPERM writing to memory that
 * was mapped read only; as io_pages_hold(); an error of the IOMMU driver.
 */
int iopt_map(struct io_pagetable *iopt, struct list_head *areas,
	     unsigned long address, unsigned long *iova, bool fixed,
	     bool pinned)
{
	unsigned long start = *iova;
	unsigned long length = 0;
	struct io_area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		io_area_join(area, iopt);
		length += io_area_length(area);
	}
	rc = take_iovas(iopt, areas, length, address, &start, fixed);
	if (rc)
		return rc;
	rc = make_live(iopt, areas, pinned);
	if (rc) {
		return_iovas(iopt, areas);
		release_areas(areas);
		return rc;
	}
	*iova = start;
	return 0;
}

static unsigned long source_address(const struct io_area *area,
				    unsigned long iova)
{
	return area->pages->memory.address + area->offset +
	       (iova - area->node.start);
}

static int alloc_blanks(struct list_head *blanks, unsigned long count)
{
	struct io_area *blank;

	while (count--) {
		if (fatal_signal_pending(current))
			return -EINTR;
		blank = io_area_alloc_blank();
		if (!blank)
			return -ENOMEM;
		list_add(&blank->link, blanks);
		cond_resched();
	}
	return 0;
}

static void free_blanks(struct list_head *blanks)
{
	struct io_area *blank, *next;

	list_for_each_entry_safe(blank, next, blanks, link) {
		kfree(blank);
		cond_resched();
	}
}

/* A range to be copied, and how many blanks there are for it */
struct copy_request {
	struct io_pagetable *iopt;
	unsigned long start;
	unsigned long last;
	int prot;
	struct list_head blanks;
	unsigned long nblanks;
	/* There is memory of devices among it */
	bool devices;
};

static void init_copies(struct copy_request *request, struct list_head *areas)
{
	struct io_area *area, *copy;

	for (area = iopt_area_first(request->iopt, request->start,
				    request->last);
	     area; area = iopt_area_next(area, request->last)) {
		copy = list_first_entry(&request->blanks, struct io_area, link);
		io_area_init_copy(copy, area,
				  max(request->start, area->node.start),
				  min(request->last, area->node.last),
				  request->prot);
		request->devices |= !!copy->pages->device;
		list_move_tail(&copy->link, areas);
	}
}

/* How many blanks are missing, 0: the copies are made */
static long try_to_copy(struct copy_request *request, struct list_head *areas,
			unsigned long *address)
{
	struct io_pagetable *iopt = request->iopt;
	unsigned long count;

	count = iopt_count_covered(iopt, request->start, request->last);
	if (!count)
		return -ENOENT;
	if (count > request->nblanks)
		return count - request->nblanks;
	*address = source_address(iopt_area_first(iopt, request->start,
						  request->start),
				  request->start);
	init_copies(request, areas);
	return 0;
}

static int finish_copies(struct list_head *areas)
{
	struct io_area *area;
	int rc = 0;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		rc = io_area_finish_copy(area);
		if (rc)
			break;
	}
	return rc;
}

/* Memory is allocated without the lock: a cgroup can say how long that takes */
static int make_copies(struct copy_request *request, struct list_head *areas,
		       unsigned long *address)
{
	long missing;
	int rc;

	for (;;) {
		mutex_lock(&request->iopt->iova_lock);
		missing = try_to_copy(request, areas, address);
		mutex_unlock(&request->iopt->iova_lock);
		if (missing <= 0)
			return missing;
		rc = alloc_blanks(&request->blanks, missing);
		if (rc)
			return rc;
		request->nblanks += missing;
	}
}

/**
 * iopt_collect_copies - make areas for the memory that appears at an IOVA range
 * @iopt: The IOVA space
 * @start: First IOVA
 * @last: Last IOVA
 * @prot: IOMMU_READ and so on, for the new areas
 * @areas: One area is appended for each that the range touches, for iopt_map();
 *         the caller frees them on failure, too
 * @address: Set to the address of the first byte of memory
 *
 * Return: 0, -ENOMEM, -EINTR: killed, or -ENOENT: not every byte is mapped.
 */
int iopt_collect_copies(struct io_pagetable *iopt, unsigned long start,
			unsigned long last, int prot, struct list_head *areas,
			unsigned long *address)
{
	struct copy_request request = {
		.iopt = iopt,
		.start = start,
		.last = last,
		.prot = prot,
		.blanks = LIST_HEAD_INIT(request.blanks),
	};
	int rc;

	rc = make_copies(&request, areas, address);
	free_blanks(&request.blanks);
	if (!rc && request.devices)
		rc = finish_copies(areas);
	return rc;
}

/**
 * iopt_free_areas - free areas that did not become live, or are no longer
 * @areas: List of io_area.link; the caller holds no lock of an IOVA space
 */
void iopt_free_areas(struct list_head *areas)
{
	struct io_area *area, *next;

	list_for_each_entry_safe(area, next, areas, link) {
		io_area_free(area);
		cond_resched();
	}
}

static int map_area(struct io_pagetable *iopt, struct io_area *area,
		    const struct iopt_user *user, unsigned long *iova,
		    bool pinned)
{
	LIST_HEAD(areas);
	int rc;

	if (!area)
		return -ENOMEM;
	list_add(&area->link, &areas);
	rc = iopt_map(iopt, &areas, user->address, iova, user->fixed, pinned);
	if (rc)
		iopt_free_areas(&areas);
	return rc;
}

static int map_memory(struct io_pagetable *iopt, const struct iopt_user *user,
		      unsigned long *iova, bool pinned)
{
	return map_area(iopt, io_area_alloc_user(user->mode, user->address,
						 user->length, user->prot),
			user, iova, pinned);
}

/* -ENOENT: it is not memory of a device */
static int map_device_memory(struct io_pagetable *iopt,
			     const struct iopt_user *user, unsigned long *iova)
{
	struct iommufd_device_memory *memory;
	unsigned long first;
	int rc;

	rc = device_memory_find(user->address, user->length, user->prot,
				&memory, &first);
	if (rc)
		return rc;
	rc = map_area(iopt, io_area_alloc_device(memory, first, user->address,
						 user->length, user->prot),
		      user, iova, false);
	device_memory_put(memory);
	return rc;
}

/**
 * iopt_map_user - map what the calling process has at an address
 * @iopt: The IOVA space
 * @user: What and how
 * @iova: The IOVA, wanted or chosen, see iopt_map()
 *
 * Where memory is pinned at once, that tells it apart: a BAR can't be, nor is it
 * charged for, and it is looked for only then. Elsewhere it has to be looked for
 * first, or the next attach would fail.
 *
 * Return: 0, -ENOMEM, as iopt_map().
 */
int iopt_map_user(struct io_pagetable *iopt, const struct iopt_user *user,
		  unsigned long *iova)
{
	/* Whether it is so later on does not matter: what is said here is done */
	bool pinned = iopt_pins_maps(iopt);
	int rc, device_rc;

	if (!pinned) {
		rc = map_device_memory(iopt, user, iova);
		return rc == -ENOENT ? map_memory(iopt, user, iova, false) : rc;
	}
	rc = map_memory(iopt, user, iova, true);
	if (rc != -EFAULT && rc != -ENOMEM)
		return rc;
	device_rc = map_device_memory(iopt, user, iova);
	return device_rc == -ENOENT ? rc : device_rc;
}
