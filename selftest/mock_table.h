/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock page table: where IOVAs lead to in a mock domain.
 */
#ifndef __IOMMUFD_MOCK_TABLE_H
#define __IOMMUFD_MOCK_TABLE_H

#include <linux/mutex.h>
#include <linux/types.h>

#define MOCK_NODE_BITS 9

/**
 * struct mock_node - one table of the radix tree
 * @entries: Each of them nothing, a node of the next level, or a leaf
 */
struct mock_node {
	u64 entries[1 << MOCK_NODE_BITS];
};

/**
 * struct mock_table - a page table
 * @sizes: The sizes that a leaf may have, one bit each, in bytes
 * @lock: Protects the tree
 * @root: Its top
 */
struct mock_table {
	unsigned long sizes;
	struct mutex lock; /* the tree */
	struct mock_node root;
};

void mock_table_init(struct mock_table *table, unsigned long sizes);
void mock_table_destroy(struct mock_table *table);
int mock_table_map(struct mock_table *table, unsigned long iova,
		   phys_addr_t phys, size_t length, gfp_t gfp, size_t *mapped);
size_t mock_table_unmap(struct mock_table *table, unsigned long iova,
			size_t length);
void mock_table_write(struct mock_table *table, unsigned long iova);
bool mock_table_test_dirty(struct mock_table *table, unsigned long iova,
			   bool clear, unsigned long *size);
void mock_table_flush(struct mock_table *table);
phys_addr_t mock_table_lookup(struct mock_table *table, unsigned long iova);

#endif
