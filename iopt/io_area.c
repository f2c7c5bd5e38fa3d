// SPDX-License-Identifier: GPL-2.0-only
/*
 * The area: one mapping, a piece of the IOVA space and the memory that appears there.
 *
 * What an area consists of, whether its memory is pinned, and how its pages are written to
 * a domain's page table, by several workers if it is large.
 */
#include <linux/iommu.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "iopt/io_area.h"
#include "iopt/io_domain.h"
#include "memory/device_memory.h"
#include "memory/workers.h"

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
	mapping->area.held = false;
	mapping->area.pins = 0;
	mapping->area.busy = 0;
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

/* GCOVR_EXCL_START: the debug kernel has it built in */
/**
 * io_areas_exit - the opposite of io_areas_init()
 */
void io_areas_exit(void)
{
	kmem_cache_destroy(mappings);
}

/* GCOVR_EXCL_STOP */

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
	if (io_pages_init(&mapping->pages, mode, address - offset,
			  ((offset + length - 1) >> PAGE_SHIFT) + 1,
			  prot & IOMMU_WRITE)) {
		kmem_cache_free(mappings, mapping);
		return NULL;
	}
	area = &mapping->area;
	area->offset = offset;
	/* Only the length counts until an IOVA is chosen */
	area->node.start = 0;
	area->node.last = length - 1;
	area->prot = prot;
	/* io_area_free() leaves all others as they were constructed */
	area->state = IO_AREA_NEW;
	area->presence = IO_AREA_ABSENT;
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
 * io_area_alloc_blank - memory for io_area_init_copy(), or else for kfree()
 *
 * Return: the memory or NULL.
 */
struct io_area *io_area_alloc_blank(void)
{
	return kzalloc(sizeof(struct io_area), GFP_KERNEL_ACCOUNT);
}

/**
 * io_area_init_copy - an area for memory that is mapped already
 * @area: Of io_area_alloc_blank()
 * @source: Another area, which stays meanwhile
 * @first: First IOVA in @source
 * @last: Last IOVA in @source
 * @prot: IOMMU_READ and so on
 *
 * The area has no IOVA yet. To be followed by io_area_finish_copy(). Allocates
 * nothing.
 */
void io_area_init_copy(struct io_area *area, const struct io_area *source,
		       unsigned long first, unsigned long last, int prot)
{
	io_pages_get(source->pages);
	area->pages = source->pages;
	area->offset = source->offset + (first - source->node.start);
	/* Only the length counts until an IOVA is chosen */
	area->node.last = last - first;
	area->prot = prot;
}

/**
 * io_area_finish_copy - the end of io_area_init_copy()
 * @area: The area
 *
 * Return: 0 or -ENOMEM; the area is to be freed by io_area_free() in any case.
 */
int io_area_finish_copy(struct io_area *area)
{
	return area->pages->device ? add_device_mapping(area) : 0;
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
 */
void io_area_free(struct io_area *area)
{
	struct io_pages *pages = area->pages;

	WARN_ON(area->held || area->pins || area->busy);
	if (area->device)
		remove_device_mapping(area);
	/* The area of a mapping goes with its memory */
	if (pages->allocation != container_of(area, struct io_mapping, area))
		kfree(area);
	io_pages_put(pages);
}

/* What an area can have been before, and whether accesses can have to do with it */
static const struct {
	unsigned int after;
	bool accesses;
} area_rules[] = {
	[IO_AREA_SETUP] = { .after = BIT(IO_AREA_NEW) },
	[IO_AREA_LIVE] = {
		.after = BIT(IO_AREA_SETUP) | BIT(IO_AREA_CHANGING),
		.accesses = true,
	},
	[IO_AREA_CHANGING] = { .after = BIT(IO_AREA_LIVE), .accesses = true },
	[IO_AREA_DYING] = { .after = BIT(IO_AREA_LIVE) },
};

/**
 * io_area_set_state - let an area enter a state
 * @area: The area; io_pagetable.iova_lock is held
 * @state: The state
 */
void io_area_set_state(struct io_area *area, enum io_area_state state)
{
	WARN_ON_ONCE(!(area_rules[state].after & BIT(area->state)));
	WARN_ON_ONCE(!area_rules[state].accesses && (area->pins || area->busy));
	area->state = state;
}

/**
 * io_area_hold - pin the memory of an area
 * @area: Has an IOVA; the caller is the only one to change it
 *
 * Can sleep indefinitely, see io_pages_hold().
 *
 * Return: 0, or as io_pages_hold().
 */
int io_area_hold(struct io_area *area)
{
	int rc;

	rc = io_pages_hold(area->pages, &area->hold,
			   io_area_page(area, area->node.start),
			   io_area_page(area, area->node.last));
	WRITE_ONCE(area->held, !rc);
	return rc;
}

/**
 * io_area_release - unpin the memory of an area
 * @area: Held, and mapped in no domain that a device can use
 */
void io_area_release(struct io_area *area)
{
	io_pages_release(area->pages, &area->hold);
	WRITE_ONCE(area->held, false);
}

/* Helpers get parts of so many pages, which no huge entry reaches over */
#define AREA_PARTS WORK_PARTS_MAX
#define PART_ALIGN (PMD_SIZE >> PAGE_SHIFT)
/* Below that, in bytes, nobody counts the runs */
#define TOGETHER_MIN SZ_64M
/* It takes a helper about a millisecond to map so many */
#define HELPER_MIN_RUNS 8192

/**
 * struct area_work - an area that is mapped in parts
 * @area: The area
 * @writer: As it is at the beginning of each part
 * @part_size: Pages, a multiple of PART_ALIGN
 * @mapped: Bytes, by part; each written by the worker that has the part
 */
struct area_work {
	struct io_area *area;
	struct io_domain_writer writer;
	unsigned long part_size;
	unsigned long mapped[AREA_PARTS];
};

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

/*
 * Map pages; @end becomes the IOVA up to which that was done. pages->lock is held.
 * In line, as most areas are a page or a run, and cost little more than the call.
 */
static __always_inline int map_pages(const struct io_area *area,
				     struct io_domain_writer *writer,
				     unsigned long first, unsigned long last,
				     unsigned long *end)
{
	struct pfn_runs_iter iter __uninitialized;

	pfn_runs_for_each(&area->pages->runs, &iter, first, last) {
		struct io_extent extent __uninitialized;
		int rc;

		run_to_extent(area, &iter.run, &extent);
		rc = io_domain_map(writer, &extent);
		*end = extent.iova + extent.length;
		if (rc)
			return rc;
	}
	return 0;
}

/* Exactly what is mapped: anything else can take a neighbour along */
static void area_unmap_range(struct io_area *area, struct iommu_domain *domain,
			     unsigned long iova, unsigned long length)
{
	if (!io_domain_unmap(domain, iova, length))
		io_pages_lose(area->pages);
}

static int map_alone(struct io_area *area, struct iommu_domain *domain,
		     bool large)
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
		area_unmap_range(area, domain, area->node.start,
				 end - area->node.start);
	return rc;
}

/* Which page comes first in a part, or after the part before */
static unsigned long part_first(const struct area_work *work, unsigned int part)
{
	const struct io_area *area = work->area;
	unsigned long base = (area->node.start >> PAGE_SHIFT) -
			     (area->offset >> PAGE_SHIFT);
	unsigned long first = area->hold.node.start;

	if (!part)
		return first;
	return min(round_down(base + first + part * work->part_size,
			      PART_ALIGN) - base,
		   area->hold.node.last + 1);
}

/* Where the bytes of a page that are in the area begin */
static unsigned long page_iova(const struct io_area *area, unsigned long page)
{
	unsigned long first = page << PAGE_SHIFT;

	return area->node.start + max(first, area->offset) - area->offset;
}

static void unmap_part(struct area_work *work, unsigned int part)
{
	area_unmap_range(work->area, work->writer.domain,
			 page_iova(work->area, part_first(work, part)),
			 work->mapped[part]);
	work->mapped[part] = 0;
}

static void unmap_parts(struct area_work *work)
{
	unsigned int part;

	for (part = 0; part != AREA_PARTS; part++)
		unmap_part(work, part);
}

static int map_part(void *data, unsigned int part, bool helps)
{
	struct area_work *work = data;
	unsigned long first = part_first(work, part);
	unsigned long end = page_iova(work->area, first);
	unsigned long next = part_first(work, part + 1);
	struct io_domain_writer writer = work->writer;
	int rc = 0;

	if (helps)
		writer.gfp = GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN;
	if (first != next)
		rc = map_pages(work->area, &writer, first, next - 1, &end);
	work->mapped[part] = end - page_iova(work->area, first);
	if (!helps || rc != -ENOMEM)
		return rc;
	/* The caller may wait for memory */
	unmap_part(work, part);
	return -EAGAIN;
}

/*
 * How many helpers are worth it. The work is in the runs, however long they are, and
 * most areas have few.
 */
static noinline_for_stack unsigned int count_helpers(struct io_area *area)
{
	struct io_pages *pages = area->pages;
	struct pfn_runs_iter iter;
	unsigned int runs = 0;
	unsigned int available;

	available = workers_available();
	if (!available)
		return 0;
	mutex_lock(&pages->lock);
	pfn_runs_for_each(&pages->runs, &iter, area->hold.node.start,
			  area->hold.node.last)
		if (++runs == available * HELPER_MIN_RUNS)
			break;
	mutex_unlock(&pages->lock);
	return runs / HELPER_MIN_RUNS;
}

/* Frees @work, which is zeroed */
static noinline_for_stack
int map_together(struct io_area *area, struct iommu_domain *domain, bool large,
		 struct area_work *work, unsigned int helpers)
{
	unsigned long npages = area->hold.node.last - area->hold.node.start + 1;
	int rc;

	work->area = area;
	work->part_size = roundup(DIV_ROUND_UP(npages, AREA_PARTS - 1),
				  PART_ALIGN);
	io_domain_writer_init(&work->writer, domain, area->prot, large);

	mutex_lock(&area->pages->lock);
	rc = work_together(helpers, map_part, work, AREA_PARTS);
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
 * io_area_map - map an area in a domain
 * @area: Held
 * @domain: The domain, whose other areas may be worked on at the same time
 * @large: Entries larger than PAGE_SIZE may be used
 *
 * One call of the driver for each run of pages; those of a large area are shared
 * out among kernel workers. Sleeps; the locks of the caller cover what the workers
 * do.
 *
 * Return: 0; or, with nothing of it mapped, an error of the driver, or -EINTR: the
 * process was killed.
 */
int io_area_map(struct io_area *area, struct iommu_domain *domain, bool large)
{
	struct area_work *work = NULL;
	unsigned int helpers = 0;

	if (io_area_length(area) >= TOGETHER_MIN)
		helpers = count_helpers(area);
	if (helpers)
		work = kzalloc(sizeof(*work), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	return work ? map_together(area, domain, large, work, helpers) :
		      map_alone(area, domain, large);
}

/**
 * io_area_unmap - unmap an area from a domain
 * @area: Mapped there by io_area_map()
 * @domain: The domain
 *
 * On return no device reaches the memory through it, or else it stays pinned for
 * ever.
 */
void io_area_unmap(struct io_area *area, struct iommu_domain *domain)
{
	area_unmap_range(area, domain, area->node.start, io_area_length(area));
}
