// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock page table: where the IOVAs of a mock domain lead.
 *
 * A radix tree of three levels whose leaves can have any power of two as their size: a leaf
 * that is larger than an entry fills all entries that it spans with the same value, as the
 * contiguous entries of real hardware do. It is as unforgiving as hardware may be: nothing is
 * ever overwritten, split or merged, so a wrong call shows.
 *
 * A write makes an entry dirty, and only that one of the entries that a leaf fills. An IOTLB
 * remembers that the leaf is dirty: until it is flushed, writes to a leaf that was made clean
 * go unnoticed.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "selftest/mock_table.h"

#define TOP_LEVEL 2

/*
 * An entry that is not 0 and has bit 0 clear points to a node. A leaf has the
 * physical address that it begins at, which leaves the low bits free.
 */
#define ENTRY_LEAF BIT_ULL(0)
#define ENTRY_SHIFT_MASK GENMASK_ULL(6, 1)
#define ENTRY_PHYS_MASK GENMASK_ULL(50, 11)
#define ENTRY_DIRTY BIT_ULL(51)
/* In the first entry of a leaf: what the IOTLB has */
#define ENTRY_CACHED_DIRTY BIT_ULL(52)

#define PHYS_LIMIT BIT_ULL(51)

static bool is_leaf(u64 entry)
{
	return entry & ENTRY_LEAF;
}

static bool is_node(u64 entry)
{
	return entry && !is_leaf(entry);
}

static struct mock_node *entry_node(u64 entry)
{
	return (struct mock_node *)(uintptr_t)entry;
}

static u64 make_leaf(phys_addr_t phys, unsigned int shift)
{
	return phys | ((u64)shift << 1) | ENTRY_LEAF;
}

/* The size of a leaf, as a power of two */
static unsigned int leaf_shift(u64 entry)
{
	return (entry & ENTRY_SHIFT_MASK) >> 1;
}

/* How much an entry of a level spans, as a power of two */
static unsigned int level_shift(const struct mock_table *table,
				unsigned int level)
{
	return __ffs(table->sizes) + level * MOCK_NODE_BITS;
}

/* The level at which a leaf spans at least one entry, but not a node */
static unsigned int leaf_level(const struct mock_table *table,
			       unsigned int shift)
{
	return (shift - __ffs(table->sizes)) / MOCK_NODE_BITS;
}

static unsigned int leaf_entries(const struct mock_table *table,
				 unsigned int shift)
{
	return 1U << (shift - level_shift(table, leaf_level(table, shift)));
}

static u64 *node_entry(const struct mock_table *table, struct mock_node *node,
		       unsigned int level, unsigned long iova)
{
	return &node->entries[(iova >> level_shift(table, level)) %
			      ARRAY_SIZE(node->entries)];
}

/* GCOVR_EXCL_START: spans 512 MiB, more than any test maps in one piece */
static bool node_empty(const struct mock_node *node)
{
	unsigned int i;

	for (i = 0; i != ARRAY_SIZE(node->entries); i++)
		if (is_leaf(node->entries[i]) ||
		    (is_node(node->entries[i]) &&
		     !node_empty(entry_node(node->entries[i]))))
			return false;
	return true;
}

/* GCOVR_EXCL_STOP */

/* Free all that is below a node */
static void free_below(struct mock_node *node)
{
	unsigned int i;

	for (i = 0; i != ARRAY_SIZE(node->entries); i++) {
		if (!is_node(node->entries[i]))
			continue;
		free_below(entry_node(node->entries[i]));
		kfree(entry_node(node->entries[i]));
	}
}

/* Nodes stay when their last leaf goes, so one can be in the way of a large leaf */
static bool vacate(u64 *entry)
{
	if (is_leaf(*entry))
		return false;
	if (is_node(*entry)) {
		if (!node_empty(entry_node(*entry)))
			return false;
		free_below(entry_node(*entry));
		kfree(entry_node(*entry));
		*entry = 0;
	}
	return true;
}

/**
 * mock_table_init - an empty table
 * @table: To be set up
 * @sizes: The sizes that a leaf may have, in bytes, not below 2 KiB
 */
void mock_table_init(struct mock_table *table, unsigned long sizes)
{
	mutex_init(&table->lock);
	table->sizes = sizes;
}

/**
 * mock_table_destroy - the opposite of mock_table_init()
 * @table: The table, empty or not
 */
void mock_table_destroy(struct mock_table *table)
{
	free_below(&table->root);
	mutex_destroy(&table->lock);
}

static int add_node(u64 *entry, gfp_t gfp)
{
	struct mock_node *node = kzalloc(sizeof(*node), gfp);

	if (!node)
		return -ENOMEM;
	*entry = (uintptr_t)node;
	return 0;
}

/* The entry for an IOVA at a level, with all nodes above it */
static u64 *make_entry(struct mock_table *table, unsigned long iova,
		       unsigned int level, gfp_t gfp)
{
	struct mock_node *node = &table->root;
	unsigned int i;
	int rc;

	for (i = TOP_LEVEL; i != level; i--) {
		u64 *entry = node_entry(table, node, i, iova);

		if (is_leaf(*entry))
			return ERR_PTR(-EADDRINUSE);
		if (!*entry) {
			rc = add_node(entry, gfp);
			if (rc)
				return ERR_PTR(rc);
		}
		node = entry_node(*entry);
	}
	return node_entry(table, node, level, iova);
}

static int map_leaf(struct mock_table *table, unsigned long iova,
		    phys_addr_t phys, unsigned int shift, gfp_t gfp)
{
	unsigned int i, count = leaf_entries(table, shift);
	u64 *entries;

	entries = make_entry(table, iova, leaf_level(table, shift), gfp);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i != count; i++)
		if (!vacate(&entries[i]))
			return -EADDRINUSE;
	for (i = 0; i != count; i++)
		entries[i] = make_leaf(phys, shift);
	return 0;
}

/* The largest leaf that can begin here, as a power of two */
static unsigned int choose_shift(const struct mock_table *table, u64 address,
				 size_t length)
{
	unsigned long sizes = table->sizes & GENMASK(__fls(length), 0);

	if (address)
		sizes &= GENMASK(__ffs(address), 0);
	return __fls(sizes);
}

static bool in_reach(const struct mock_table *table, unsigned long iova,
		     phys_addr_t phys, size_t length)
{
	return iova + length - 1 >= iova &&
	       !((iova + length - 1) >> level_shift(table, TOP_LEVEL + 1)) &&
	       phys < PHYS_LIMIT && length <= PHYS_LIMIT - phys;
}

/**
 * mock_table_map - map a range by the largest leaves that fit
 * @table: The table
 * @iova: First IOVA
 * @phys: Its physical address
 * @length: Bytes, not 0; like @iova and @phys a multiple of the smallest size
 * @gfp: How to allocate nodes
 * @mapped: Set to how many bytes were mapped, also on failure
 *
 * Return: 0, -ERANGE out of the table's reach, -EADDRINUSE something is mapped
 * there, -ENOMEM.
 */
int mock_table_map(struct mock_table *table, unsigned long iova,
		   phys_addr_t phys, size_t length, gfp_t gfp, size_t *mapped)
{
	unsigned int shift;
	int rc = 0;

	*mapped = 0;
	if (!in_reach(table, iova, phys, length))
		return -ERANGE;
	mutex_lock(&table->lock);
	while (*mapped < length) {
		shift = choose_shift(table, (iova + *mapped) | (phys + *mapped),
				     length - *mapped);
		rc = map_leaf(table, iova + *mapped, phys + *mapped, shift,
			      gfp);
		if (rc)
			break;
		*mapped += 1UL << shift;
	}
	mutex_unlock(&table->lock);
	return rc;
}

/* The first of the entries of the leaf that maps an IOVA, or NULL */
static u64 *find_leaf(struct mock_table *table, unsigned long iova)
{
	struct mock_node *node = &table->root;
	unsigned int level;
	u64 *entry;

	lockdep_assert_held(&table->lock);

	if (iova >> level_shift(table, TOP_LEVEL + 1))
		return NULL;
	for (level = TOP_LEVEL;; level--) {
		entry = node_entry(table, node, level, iova);
		if (!is_node(*entry))
			break;
		node = entry_node(*entry);
	}
	if (!is_leaf(*entry))
		return NULL;
	return node_entry(table, node, level,
			  iova & ~(BIT_ULL(leaf_shift(*entry)) - 1));
}

/**
 * mock_table_unmap - remove the leaves of a range
 * @table: The table
 * @iova: First IOVA
 * @length: Bytes
 *
 * Stops at the first IOVA at which no leaf begins. A leaf that reaches out of
 * the range at its end goes as a whole. Allocates nothing.
 *
 * Return: how many bytes are not mapped any more.
 */
size_t mock_table_unmap(struct mock_table *table, unsigned long iova,
			size_t length)
{
	size_t unmapped = 0;

	mutex_lock(&table->lock);
	while (unmapped < length) {
		u64 *leaf = find_leaf(table, iova + unmapped);
		unsigned int shift;

		if (!leaf)
			break;
		shift = leaf_shift(*leaf);
		if ((iova + unmapped) & (BIT_ULL(shift) - 1))
			break;
		memset(leaf, 0, leaf_entries(table, shift) * sizeof(*leaf));
		unmapped += BIT_ULL(shift);
	}
	mutex_unlock(&table->lock);
	return unmapped;
}

/**
 * mock_table_write - a device writes through the table
 * @table: The table
 * @iova: Any IOVA
 */
void mock_table_write(struct mock_table *table, unsigned long iova)
{
	unsigned int shift;
	u64 *leaf;

	mutex_lock(&table->lock);
	leaf = find_leaf(table, iova);
	if (leaf && !(*leaf & ENTRY_CACHED_DIRTY)) {
		*leaf |= ENTRY_CACHED_DIRTY;
		shift = leaf_shift(*leaf);
		iova &= BIT_ULL(shift) - 1;
		leaf[iova >> level_shift(table, leaf_level(table, shift))] |=
			ENTRY_DIRTY;
	}
	mutex_unlock(&table->lock);
}

/**
 * mock_table_test_dirty - was an IOVA written to?
 * @table: The table
 * @iova: Any IOVA
 * @clear: Make the leaf clean
 * @size: Set to the size of the leaf, in bytes, or 0: nothing is mapped
 *
 * Return: true if any IOVA of the same leaf was.
 */
bool mock_table_test_dirty(struct mock_table *table, unsigned long iova,
			   bool clear, unsigned long *size)
{
	unsigned int i, count;
	bool dirty = false;
	u64 *leaf;

	*size = 0;
	mutex_lock(&table->lock);
	leaf = find_leaf(table, iova);
	if (leaf) {
		*size = BIT_ULL(leaf_shift(*leaf));
		count = leaf_entries(table, leaf_shift(*leaf));
		for (i = 0; i != count; i++) {
			dirty |= !!(leaf[i] & ENTRY_DIRTY);
			if (clear)
				leaf[i] &= ~ENTRY_DIRTY;
		}
	}
	mutex_unlock(&table->lock);
	return dirty;
}

static void flush_below(struct mock_node *node)
{
	unsigned int i;

	for (i = 0; i != ARRAY_SIZE(node->entries); i++) {
		if (is_node(node->entries[i]))
			flush_below(entry_node(node->entries[i]));
		else
			node->entries[i] &= ~ENTRY_CACHED_DIRTY;
	}
}

/**
 * mock_table_flush - have the IOTLB forget everything
 * @table: The table
 */
void mock_table_flush(struct mock_table *table)
{
	mutex_lock(&table->lock);
	flush_below(&table->root);
	mutex_unlock(&table->lock);
}

/**
 * mock_table_lookup - where an IOVA leads to
 * @table: The table
 * @iova: Any IOVA
 *
 * Return: the physical address, to the byte, or 0: not mapped.
 */
phys_addr_t mock_table_lookup(struct mock_table *table, unsigned long iova)
{
	phys_addr_t phys = 0;
	u64 *leaf;

	mutex_lock(&table->lock);
	leaf = find_leaf(table, iova);
	if (leaf)
		phys = (*leaf & ENTRY_PHYS_MASK) +
		       (iova & (BIT_ULL(leaf_shift(*leaf)) - 1));
	mutex_unlock(&table->lock);
	return phys;
}
