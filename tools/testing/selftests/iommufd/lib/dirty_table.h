/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page table that tracks dirty pages, and a device that writes through it.
 *
 * Owns the set-up of the tests of dirty tracking.
 */
#ifndef SELFTESTS_IOMMUFD_DIRTY_TABLE_H
#define SELFTESTS_IOMMUFD_DIRTY_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mock_space.h"

/* Where the memory appears; a multiple of all page sizes used here. */
#define DIRTY_IOVA 0x10000000UL

/**
 * struct dirty_table - the page table
 * @fd: The context
 * @ioas: What it is a page table of
 * @other: An IOAS without memory, where @device is
 * @device: A device that could use the page table
 * @hwpt: The page table, with tracking enabled
 * @memory: What is mapped
 */
struct dirty_table {
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock device;
	__u32 hwpt;
	struct memory memory;
};

/* @kind: MOCK_IOMMUPT_*. Another page table of the same IOAS, not yet enabled. */
static inline int dirty_table_alloc(struct dirty_table *table, __u32 kind, __u32 *hwpt)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = kind };

	return iommu_hwpt_alloc_data(table->fd, table->device.idev, table->ioas,
				     IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), hwpt);
}

static inline int dirty_table_enable(struct dirty_table *table)
{
	return iommu_hwpt_set_dirty_tracking(table->fd, table->hwpt,
					     IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
}

static inline int dirty_table_map(struct dirty_table *table)
{
	return iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start,
				    table->memory.size, IOMMU_MAP_RW, DIRTY_IOVA);
}

static inline int dirty_table_unmap(struct dirty_table *table)
{
	return iommu_ioas_unmap(table->fd, table->ioas, DIRTY_IOVA, table->memory.size, NULL);
}

/* Pages that are next to each other by chance would get an entry for both. */
static inline int dirty_table_use_small_entries(struct dirty_table *table)
{
	return iommu_option_set(table->fd, IOMMU_OPTION_HUGE_PAGES, table->ioas, 0);
}

/* Returns 0 or -errno; small pages are scattered, as far as the kernel has it. */
static inline int dirty_table_open(struct dirty_table *table, __u32 kind,
				   enum memory_kind memory, size_t size)
{
	int rc;

	*table = (struct dirty_table){ .fd = iommu_open() };
	if (table->fd < 0)
		return table->fd;
	rc = memory_allocate(&table->memory, memory, size);
	if (!rc && memory == MEMORY_ANONYMOUS)
		memory_scatter(&table->memory, 1);
	return rc ? :
	       iommu_ioas_alloc(table->fd, &table->ioas) ? :
	       (memory == MEMORY_ANONYMOUS ? dirty_table_use_small_entries(table) : 0) ? :
	       iommu_ioas_alloc(table->fd, &table->other) ? :
	       mock_attach(table->fd, table->other, &table->device) ? :
	       dirty_table_map(table) ? :
	       dirty_table_alloc(table, kind, &table->hwpt) ? :
	       dirty_table_enable(table);
}

static inline void dirty_table_close(struct dirty_table *table)
{
	if (table->fd >= 0)
		close(table->fd);
	memory_free(&table->memory);
}

/* The device writes to every IOMMU page of a range, which is at most 1 MiB. */
static inline int dirty_table_write(struct dirty_table *table, __u64 iova, __u64 length)
{
	__u8 ones[64];

	memset(ones, 0xff, sizeof(ones));
	return mock_dirty(table->fd, table->hwpt, iova, length, MOCK_PAGE_SIZE, ones, NULL);
}

static inline int dirty_table_read(struct dirty_table *table, __u64 iova, __u64 length,
				   __u64 page_size, void *bitmap)
{
	return iommu_hwpt_get_dirty_bitmap(table->fd, table->hwpt, 0, iova, length, page_size,
					   bitmap);
}

static inline int dirty_table_peek(struct dirty_table *table, __u64 iova, __u64 length,
				   __u64 page_size, void *bitmap)
{
	return iommu_hwpt_get_dirty_bitmap(table->fd, table->hwpt,
					   IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, iova, length,
					   page_size, bitmap);
}

static inline bool bit_is_set(const void *bitmap, size_t bit)
{
	return ((const __u8 *)bitmap)[bit / 8] >> bit % 8 & 1;
}

static inline size_t count_set(const void *bitmap, size_t bits)
{
	size_t bit, count = 0;

	for (bit = 0; bit < bits; bit++)
		count += bit_is_set(bitmap, bit);
	return count;
}

/* Are exactly the bits from @first to @last set? */
static inline bool only_set(const void *bitmap, size_t bits, size_t first, size_t last)
{
	size_t bit;

	for (bit = 0; bit < bits; bit++)
		if (bit_is_set(bitmap, bit) != (bit >= first && bit <= last))
			return false;
	return true;
}

#endif
