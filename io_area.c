// SPDX-License-Identifier: GPL-2.0-only
/*
 * One mapping: a piece of the IOVA space and the memory that appears there.
 *
 * Owns what a mapping is made of, and whether its memory is pinned. It must never
 * know what else is in the IOVA space, nor which domains there are.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "device_memory.h"
#include "io_area.h"

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

	WARN_ON(area->held || area->pins || area->pinning);
	if (area->device)
		remove_device_mapping(area);
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
