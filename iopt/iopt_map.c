// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and copying in an IOVA space.
 *
 * A new area's way from nothing to live. A call makes a list of areas, one for what the
 * process has at an address, or one for each source area of a copy. They get adjacent
 * IOVAs and become live together or not at all:
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

static int check_fixed(struct io_pagetable *iopt,
		       const struct iopt_request *request)
{
	unsigned long last;

	if (request->iova & (iopt->alignment - 1))
		return -EINVAL;
	if (check_add_overflow(request->iova, request->length - 1, &last))
		return -EOVERFLOW;
	return iopt_is_reserved(iopt, request->iova, last) ? -EINVAL : 0;
}

static int choose_iova(struct io_pagetable *iopt, struct iopt_request *request)
{
	struct iova_request wanted = {
		.areas = &iopt->areas,
		.reserved = &iopt->reserved,
		.allowed = &iopt->allowed,
		.length = request->length,
		.address = request->address,
		.alignment = iopt->alignment,
		.page_size = PAGE_SIZE,
		.huge_size = huge_size(),
	};

	return iova_alloc(&wanted, &request->iova);
}

static int find_iova(struct io_pagetable *iopt, struct iopt_request *request)
{
	if (request->length & (iopt->alignment - 1))
		return -EINVAL;
	return request->fixed ? check_fixed(iopt, request) :
				choose_iova(iopt, request);
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
		io_area_set_state(area, IO_AREA_SETUP);
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

/* Take adjacent IOVAs for all areas of the request */
static int take_iovas(struct io_pagetable *iopt, struct iopt_request *request)
{
	int rc;

	mutex_lock(&iopt->iova_lock);
	rc = find_iova(iopt, request);
	if (!rc)
		rc = insert_areas(iopt, &request->areas, request->iova);
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
			io_area_set_state(area, IO_AREA_LIVE);
		}
		INIT_LIST_HEAD(areas);
		iopt_wake_claimed(iopt);
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

/* Is memory pinned when it is mapped? The answer may be another one at any time. */
static bool pins_maps(const struct io_pagetable *iopt)
{
	return READ_ONCE(iopt->pinners);
}

/*
 * Pinning is done without a lock. So whether the areas are to be pinned is a guess at
 * first, and since then the last pinner can have left or the first one arrived.
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
		pinned = pins_maps(iopt);
	} while (rc == 1);
	return rc;
}

static void return_iovas(struct io_pagetable *iopt, struct list_head *areas)
{
	mutex_lock(&iopt->iova_lock);
	remove_new_areas(iopt, areas, NULL);
	iopt_wake_claimed(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_free_areas - free areas that did not become live, or are no longer
 * @areas: List of io_area.link, empty on return; the caller holds no lock of an IOVA
 *         space
 *
 * Sleeps.
 */
void iopt_free_areas(struct list_head *areas)
{
	struct io_area *area, *next;

	list_for_each_entry_safe(area, next, areas, link) {
		io_area_free(area);
		cond_resched();
	}
	INIT_LIST_HEAD(areas);
}

/*
 * Give the areas of the request an IOVA and make them live. If that fails nothing has
 * changed, and the areas are freed.
 */
static int map_areas(struct io_pagetable *iopt, struct iopt_request *request)
{
	struct list_head *areas = &request->areas;
	struct io_area *area;
	int rc;

	list_for_each_entry(area, areas, link) {
		give_way(area, areas);
		io_area_join(area, iopt);
	}
	rc = take_iovas(iopt, request);
	if (rc)
		goto out_free;
	rc = make_live(iopt, areas, request->pinned);
	if (rc)
		goto out_iovas;
	return 0;

out_iovas:
	return_iovas(iopt, areas);
	release_areas(areas);
out_free:
	iopt_free_areas(areas);
	return rc;
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
	struct iopt_request *request;
	struct list_head blanks;
	unsigned long nblanks;
	/* There is memory of devices among it */
	bool devices;
};

static void init_copies(struct copy_request *copy)
{
	struct io_area *area, *blank;

	for (area = iopt_area_first(copy->iopt, copy->start, copy->last); area;
	     area = iopt_area_next(area, copy->last)) {
		blank = list_first_entry(&copy->blanks, struct io_area, link);
		io_area_init_copy(blank, area,
				  max(copy->start, area->node.start),
				  min(copy->last, area->node.last),
				  copy->request->prot);
		copy->devices |= !!blank->pages->device;
		list_move_tail(&blank->link, &copy->request->areas);
	}
}

/* How many blanks are missing, 0: the copies are made */
static long try_to_copy(struct copy_request *copy)
{
	unsigned long count;

	count = iopt_count_covered(copy->iopt, copy->start, copy->last);
	if (!count)
		return -ENOENT;
	if (count > copy->nblanks)
		return count - copy->nblanks;
	copy->request->address =
		source_address(iopt_area_first(copy->iopt, copy->start,
					       copy->start), copy->start);
	init_copies(copy);
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
static int make_copies(struct copy_request *copy)
{
	long missing;
	int rc;

	for (;;) {
		mutex_lock(&copy->iopt->iova_lock);
		missing = try_to_copy(copy);
		mutex_unlock(&copy->iopt->iova_lock);
		if (missing <= 0)
			return missing;
		rc = alloc_blanks(&copy->blanks, missing);
		if (rc)
			return rc;
		copy->nblanks += missing;
	}
}

/**
 * iopt_collect_copies - make areas for the memory that appears at an IOVA range
 * @source: The IOVA space
 * @start: First IOVA; plus the length of the request it does not wrap
 * @request: One area is made for each that the range touches, for iopt_map_copies()
 *
 * Sleeps.
 *
 * Return: 0, or, without areas: -ENOMEM, -EINTR: killed, or -ENOENT: not every byte
 * is mapped.
 */
int iopt_collect_copies(struct io_pagetable *source, unsigned long start,
			struct iopt_request *request)
{
	struct copy_request copy = {
		.iopt = source,
		.start = start,
		.last = start + request->length - 1,
		.request = request,
		.blanks = LIST_HEAD_INIT(copy.blanks),
	};
	int rc;

	rc = make_copies(&copy);
	free_blanks(&copy.blanks);
	if (!rc && copy.devices)
		rc = finish_copies(&request->areas);
	if (rc)
		iopt_free_areas(&request->areas);
	return rc;
}

/**
 * iopt_map_copies - map what iopt_collect_copies() has found
 * @iopt: The IOVA space, of the source or another one
 * @request: The request, whose areas are mapped at adjacent IOVAs
 *
 * Faults memory in, which can sleep indefinitely but ends by SIGKILL.
 *
 * Return: 0; or, with nothing changed and the areas freed: -EINVAL length, IOVA or
 * memory not aligned, or reserved; -EOVERFLOW the IOVA plus length wraps, or too long;
 * -EEXIST something is there; -ENOSPC no room; -EPERM writing to memory that
 * was mapped read only; as io_pages_hold(); an error of the IOMMU driver.
 */
int iopt_map_copies(struct io_pagetable *iopt, struct iopt_request *request)
{
	request->pinned = pins_maps(iopt);
	return map_areas(iopt, request);
}

static int map_area(struct io_pagetable *iopt, struct iopt_request *request,
		    struct io_area *area)
{
	if (!area)
		return -ENOMEM;
	list_add(&area->link, &request->areas);
	return map_areas(iopt, request);
}

static int map_memory(struct io_pagetable *iopt, struct iopt_request *request)
{
	return map_area(iopt, request,
			io_area_alloc_user(request->mode, request->address,
					   request->length, request->prot));
}

/* -ENOENT: it is not memory of a device */
static int map_device_memory(struct io_pagetable *iopt,
			     struct iopt_request *request)
{
	struct iommufd_device_memory *memory;
	unsigned long first;
	int rc;

	rc = device_memory_find(request->address, request->length,
				request->prot, &memory, &first);
	if (rc)
		return rc;
	request->pinned = false;
	rc = map_area(iopt, request,
		      io_area_alloc_device(memory, first, request->address,
					   request->length, request->prot));
	device_memory_put(memory);
	return rc;
}

/**
 * iopt_map_user - map what the calling process has at an address
 * @iopt: The IOVA space
 * @request: What and how
 *
 * Where memory is pinned when it is mapped, that tells it apart: a BAR can't be, nor is
 * it charged for, and it is looked for only then. Elsewhere it has to be looked for
 * first, or the next attach would fail.
 *
 * Return: as iopt_map_copies(); -ENOMEM.
 */
int iopt_map_user(struct io_pagetable *iopt, struct iopt_request *request)
{
	int rc, device_rc;

	/* Whether it is so later on does not matter: what is said here is done */
	request->pinned = pins_maps(iopt);
	if (!request->pinned) {
		rc = map_device_memory(iopt, request);
		return rc == -ENOENT ? map_memory(iopt, request) : rc;
	}
	rc = map_memory(iopt, request);
	if (rc != -EFAULT && rc != -ENOMEM)
		return rc;
	device_rc = map_device_memory(iopt, request);
	return device_rc == -ENOENT ? rc : device_rc;
}
