// SPDX-License-Identifier: GPL-2.0-only
/*
 * One mapping: a piece of the IOVA space and the memory that appears there.
 *
 * Owns the translation between IOVAs, bytes of the memory and page indexes. It
 * must never know what else is in the IOVA space.
 */
#include <linux/iommu.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "crew.h"
#include "device_memory.h"
#include "io_area.h"
#include "io_domain.h"

#define AREA_PARTS 64
/* It takes a helper about a millisecond to map so many */
#define HELPER_MIN_RUNS 8192
#define PART_ALIGN (PMD_SIZE >> PAGE_SHIFT)

/**
 * struct area_work - an area that several threads map
 * @area: The area
 * @writer: As it is at the beginning of each part
 * @part_size: Pages, a multiple of PART_ALIGN
 * @mapped: Bytes, by part; each written by the thread that has the part
 */
struct area_work {
	const struct io_area *area;
	struct io_domain_writer writer;
	unsigned long part_size;
	unsigned long mapped[AREA_PARTS];
};

/* A mapping and its memory, which copies can outlive */
struct io_mapping {
	struct io_area area;
	struct io_pages pages;
};

/*
 * Programs map page by page, and to clear a mapping would cost more than all that
 * is ever written to it. So free ones stay constructed.
 */
static struct kmem_cache *mappings;

static void construct_mapping(void *memory)
{
	struct io_mapping *mapping = memory;

	/* Whoever uses any other field sets it before */
	mapping->area.pages = &mapping->pages;
	mapping->area.state = IO_AREA_SETUP;
	mapping->area.hold.users = 0;
	mapping->area.held = false;
	mapping->area.pins = 0;
	mapping->area.pinning = 0;
	io_pages_construct(&mapping->pages, mapping);
}

/**
 * io_areas_init - have somewhere to allocate areas from
 *
 * Return: 0 or -ENOMEM.
 */
int __init io_areas_init(void)
{
	mappings = kmem_cache_create("iommufd_mapping", sizeof(struct io_mapping),
				     0, SLAB_ACCOUNT, construct_mapping);
	return mappings ? 0 : -ENOMEM;
}

/**
 * io_areas_exit - the opposite of io_areas_init()
 */
void io_areas_exit(void)
{
	kmem_cache_destroy(mappings);
}

/**
 * io_area_alloc_user - an area for memory of the calling process
 * @mode: To what its pins are charged
 * @address: Where the memory starts, in bytes
 * @length: Bytes; @address + @length does not wrap
 * @prot: IOMMU_READ and so on
 *
 * The area has no IOVA yet, and the memory is not looked at.
 *
 * Return: the area or NULL.
 */
struct io_area *io_area_alloc_user(enum account_mode mode,
				   unsigned long address, unsigned long length,
				   int prot)
{
	unsigned long offset = offset_in_page(address);
	struct io_mapping *mapping;
	struct io_area *area;

	mapping = kmem_cache_alloc(mappings, GFP_KERNEL);
	if (!mapping)
		return NULL;
	io_pages_init(&mapping->pages, mode, address - offset,
		      ((offset + length - 1) >> PAGE_SHIFT) + 1,
		      prot & IOMMU_WRITE);
	area = &mapping->area;
	area->offset = offset;
	/* Only the length counts until an IOVA is chosen */
	area->node.start = 0;
	area->node.last = length - 1;
	area->prot = prot;
	/* io_area_free() leaves all others as they were constructed */
	area->absent = false;
	area->closed = false;
	area->device = NULL;
	return area;
}

/* A device answers to whole accesses, which nobody may cache */
static int add_device_mapping(struct io_area *area)
{
	struct device_mapping *mapping;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	INIT_LIST_HEAD(&mapping->link);
	mapping->area = area;
	area->device = mapping;
	area->prot = (area->prot & ~IOMMU_CACHE) | IOMMU_MMIO;
	return 0;
}

/**
 * io_area_alloc_device - an area for memory of a device
 * @memory: The memory
 * @first: The page of it that is at @address
 * @address: Where the calling process has it, in bytes
 * @length: Bytes; it is all in @memory
 * @prot: IOMMU_READ and so on
 *
 * The area has no IOVA yet.
 *
 * Return: the area or NULL.
 */
struct io_area *io_area_alloc_device(struct iommufd_device_memory *memory,
				     unsigned long first,
				     unsigned long address,
				     unsigned long length, int prot)
{
	struct io_area *area;

	area = io_area_alloc_user(ACCOUNT_NONE, address, length, prot);
	if (!area)
		return NULL;
	io_pages_set_device(area->pages, memory, first);
	if (add_device_mapping(area)) {
		io_area_free(area);
		return NULL;
	}
	return area;
}

/**
 * io_area_alloc_copy - an area for memory that is mapped already
 * @source: Another area, which stays meanwhile
 * @first: First IOVA in @source
 * @last: Last IOVA in @source
 * @prot: IOMMU_READ and so on
 *
 * The area has no IOVA yet.
 *
 * Return: the area or NULL.
 */
struct io_area *io_area_alloc_copy(const struct io_area *source,
				   unsigned long first, unsigned long last,
				   int prot)
{
	struct io_area *area;

	area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	io_pages_get(source->pages);
	area->pages = source->pages;
	area->offset = source->offset + (first - source->node.start);
	/* Only the length counts until an IOVA is chosen */
	area->node.last = last - first;
	area->prot = prot;
	if (area->pages->device && add_device_mapping(area)) {
		io_area_free(area);
		return NULL;
	}
	return area;
}

/**
 * io_area_join_device - as io_area_join(), which is to be used
 * @area: Memory of a device
 * @iopt: The IOVA space
 */
void io_area_join_device(struct io_area *area, struct io_pagetable *iopt)
{
	struct iommufd_device_memory *memory = area->pages->device;

	area->device->iopt = iopt;
	mutex_lock(&memory->lock);
	list_add(&area->device->link, &memory->mappings);
	mutex_unlock(&memory->lock);
}

static void remove_device_mapping(struct io_area *area)
{
	struct iommufd_device_memory *memory = area->pages->device;

	mutex_lock(&memory->lock);
	list_del(&area->device->link);
	mutex_unlock(&memory->lock);
	kfree(area->device);
}

/**
 * io_area_free - free an area
 * @area: Neither in a tree nor mapped nor held
 *
 * Credits what was unpinned, see io_pages_credit().
 */
void io_area_free(struct io_area *area)
{
	struct io_pages *pages = area->pages;

	WARN_ON(area->held || area->pins || area->pinning);
	if (area->device)
		remove_device_mapping(area);
	io_pages_credit(pages);
	/* The area of a mapping goes with its memory */
	if (pages->allocation != container_of(area, struct io_mapping, area))
		kfree(area);
	io_pages_put(pages);
}

/**
 * io_area_hold - pin the memory of an area
 * @area: Has an IOVA; the caller is the only one to change it
 *
 * Can sleep for ever, see io_pages_hold().
 *
 * Return: 0, or as io_pages_hold().
 */
int io_area_hold(struct io_area *area)
{
	int rc;

	rc = io_pages_hold(area->pages, &area->hold,
			   io_area_page(area, area->node.start),
			   io_area_page(area, area->node.last));
	area->held = !rc;
	return rc;
}

/**
 * io_area_release - unpin the memory of an area
 * @area: Held, and mapped in no domain that a device can use
 *
 * io_pages_credit() is to be called when no lock is held; io_area_free() does.
 */
void io_area_release(struct io_area *area)
{
	io_pages_release(area->pages, &area->hold);
	area->held = false;
}

/* The bytes of a run that are in the area */
static void run_to_extent(const struct io_area *area, const struct pfn_run *run,
			  struct io_extent *extent)
{
	unsigned long first = run->index << PAGE_SHIFT;
	unsigned long end = first + (run->count << PAGE_SHIFT);
	unsigned long area_end = area->offset + io_area_length(area);

	extent->phys = PFN_PHYS(run->pfn);
	if (first < area->offset) {
		extent->phys += area->offset - first;
		first = area->offset;
	}
	extent->iova = area->node.start + (first - area->offset);
	extent->length = min(end, area_end) - first;
}

/* Map pages; @end becomes the IOVA up to which that was done. pages->lock is held */
static int map_pages(const struct io_area *area,
		     struct io_domain_writer *writer, unsigned long first,
		     unsigned long last, unsigned long *end)
{
	struct pfn_runs_iter iter __uninitialized;

	pfn_runs_for_each(&area->pages->runs, &iter, first, last) {
		struct io_extent extent __uninitialized;
		int rc;

		run_to_extent(area, &iter.run, &extent);
		rc = io_domain_map(writer, &extent);
		if (rc)
			return rc;
		*end = extent.iova + extent.length;
	}
	return 0;
}

/**
 * io_area_map - map an area in a domain
 * @area: Held
 * @domain: The domain, whose other areas may be worked on at the same time
 * @large: Entries larger than PAGE_SIZE may be used
 *
 * One call of the driver for each run of pages.
 *
 * Return: 0, or the error of the driver; then nothing of it is mapped.
 */
int io_area_map(struct io_area *area, struct iommu_domain *domain, bool large)
{
	struct io_pages *pages = area->pages;
	unsigned long end = area->node.start;
	struct io_domain_writer writer __uninitialized;
	int rc;

	io_domain_writer_init(&writer, domain, area->prot, large);
	mutex_lock(&pages->lock);
	rc = map_pages(area, &writer, area->hold.node.start,
		       area->hold.node.last, &end);
	mutex_unlock(&pages->lock);

	if (!rc)
		rc = io_domain_sync(&writer, area->node.start,
				    io_area_length(area));
	if (rc)
		io_domain_unmap(domain, area->node.start,
				end - area->node.start);
	return rc;
}

/*
 * Which page comes first in a part, or after the part before. No part ends where
 * an entry for a huge page can be.
 */
static unsigned long part_first(const struct area_work *work, unsigned int part)
{
	const struct io_area *area = work->area;
	/* Page 0 would be there; it may be before all IOVAs */
	unsigned long base = (area->node.start >> PAGE_SHIFT) -
			     (area->offset >> PAGE_SHIFT);
	unsigned long first = area->hold.node.start;

	if (!part)
		return first;
	first = round_down(base + first, PART_ALIGN) - base;
	return min(first + part * work->part_size, area->hold.node.last + 1);
}

/* Where the bytes of a page that are in the area begin */
static unsigned long page_iova(const struct io_area *area, unsigned long page)
{
	unsigned long first = page << PAGE_SHIFT;

	return area->node.start + max(first, area->offset) - area->offset;
}

static int map_part(void *data, unsigned int part)
{
	struct area_work *work = data;
	unsigned long first = part_first(work, part);
	unsigned long end = page_iova(work->area, first);
	unsigned long next = part_first(work, part + 1);
	struct io_domain_writer writer = work->writer;
	int rc = 0;

	if (first != next)
		rc = map_pages(work->area, &writer, first, next - 1, &end);
	work->mapped[part] = end - page_iova(work->area, first);
	return rc;
}

/* Exactly what was mapped: anything else can take a neighbour along */
static void unmap_parts(const struct area_work *work)
{
	unsigned int part;

	for (part = 0; part != AREA_PARTS; part++) {
		unsigned long page = part_first(work, part);

		io_domain_unmap(work->writer.domain,
				page_iova(work->area, page),
				work->mapped[part]);
	}
}

/**
 * io_area_map_together - map an area in a domain by several threads
 * @area: As for io_area_map()
 * @domain: Likewise
 * @large: Likewise
 * @crew: Hired by the caller, who works alone if it is of no use for this area
 *
 * The locks that the caller holds cover what the helpers do. Nothing stops or
 * freezes these in a part, since mapping waits for no user memory.
 *
 * Return: as io_area_map().
 */
int io_area_map_together(struct io_area *area, struct iommu_domain *domain,
			 bool large, struct crew *crew)
{
	unsigned long npages = area->hold.node.last - area->hold.node.start + 1;
	struct area_work *work = NULL;
	int rc;

	if (io_area_length(area) >= IO_AREA_TOGETHER_MIN)
		work = kzalloc(sizeof(*work), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!work)
		return io_area_map(area, domain, large);
	work->area = area;
	work->part_size = roundup(DIV_ROUND_UP(npages, AREA_PARTS - 1),
				  PART_ALIGN);
	io_domain_writer_init(&work->writer, domain, area->prot, large);

	mutex_lock(&area->pages->lock);
	rc = crew_work(crew, map_part, work, AREA_PARTS);
	mutex_unlock(&area->pages->lock);

	if (!rc)
		rc = io_domain_sync(&work->writer, area->node.start,
				    io_area_length(area));
	if (rc)
		unmap_parts(work);
	kfree(work);
	return rc;
}

/**
 * io_area_helpers - how many helpers it is worth to map an area with
 * @area: Held, not below IO_AREA_TOGETHER_MIN
 *
 * The work is in the runs, however long they are.
 *
 * Return: a number, at most crew_max_helpers().
 */
unsigned int io_area_helpers(struct io_area *area)
{
	struct io_pages *pages = area->pages;
	struct pfn_runs_iter iter;
	unsigned int runs = 0;
	unsigned int most;

	most = crew_max_helpers();
	if (!most)
		return 0;
	mutex_lock(&pages->lock);
	pfn_runs_for_each(&pages->runs, &iter, area->hold.node.start,
			  area->hold.node.last)
		if (++runs == most * HELPER_MIN_RUNS)
			break;
	mutex_unlock(&pages->lock);
	return runs / HELPER_MIN_RUNS;
}

/**
 * io_area_unmap - unmap an area from a domain
 * @area: Mapped there by io_area_map()
 * @domain: The domain
 *
 * On return no device reaches the memory through it.
 */
void io_area_unmap(struct io_area *area, struct iommu_domain *domain)
{
	io_domain_unmap(domain, area->node.start, io_area_length(area));
}
