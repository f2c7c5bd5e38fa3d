/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a device, a BAR, that other devices may reach by DMA.
 */
#ifndef __IOMMUFD_DEVICE_MEMORY_H
#define __IOMMUFD_DEVICE_MEMORY_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

struct io_area;
struct io_pagetable;

/**
 * struct iommufd_device_memory - contiguous memory of a device
 * @refs: The driver of the device, and each range of pages made from it
 * @pfn: Where it is
 * @npages: How many CPU pages
 * @lock: Protects what follows. Outside io_pagetable.domains_lock, inside
 *        whatever the driver of the device holds when it revokes
 * @mappings: struct device_mapping.link
 * @revoked: The device does not answer there at the moment. Read without @lock
 *           under io_pagetable.domains_lock
 */
struct iommufd_device_memory {
	refcount_t refs;
	unsigned long pfn;
	unsigned long npages;
	struct mutex lock; /* mappings and revoked */
	struct list_head mappings;
	bool revoked;
};

/**
 * struct device_mapping - what revoking has to find
 * @link: In iommufd_device_memory.mappings, or empty
 * @area: The mapping of the memory
 * @iopt: The IOVA space that @area is in, or is going to be in
 */
struct device_mapping {
	struct list_head link;
	struct io_area *area;
	struct io_pagetable *iopt;
};

int device_memory_find(unsigned long address, unsigned long length, int prot,
		       struct iommufd_device_memory **memory,
		       unsigned long *first);
void device_memory_put(struct iommufd_device_memory *memory);

/**
 * device_memory_get - take a reference
 * @memory: The memory
 */
static inline void device_memory_get(struct iommufd_device_memory *memory)
{
	refcount_inc(&memory->refs);
}

/**
 * device_memory_revoked - does the device not answer there?
 * @memory: The memory, or NULL for memory that is nobody's to revoke
 *
 * The answer holds for an IOVA space as long as the caller has its domains_lock.
 *
 * Return: true if it must be in no domain.
 */
static inline bool
device_memory_revoked(const struct iommufd_device_memory *memory)
{
	return memory && READ_ONCE(memory->revoked);
}

#endif
