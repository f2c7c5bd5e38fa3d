/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disjoint ranges of IOVA, ordered, in a tree that knows its holes.
 *
 * Owns the order of the nodes and, for each subtree, the size of its widest
 * hole, so that a search for free space skips whole subtrees. It must never
 * know what a range stands for: who embeds a node owns its memory, its life
 * and the lock. All addresses are inclusive: a range may end at ULONG_MAX.
 *
 * Plain data structure: no locks, no allocation; it is tested in user space.
 */
#ifndef IOMMUFD_IOVA_TREE_H
#define IOMMUFD_IOVA_TREE_H

#include <linux/compiler.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct iova_node - one range in a tree, embedded in what owns the range
 * @rb: link in the tree
 * @start: first IOVA; set by the owner before insertion, constant afterwards
 * @last: last IOVA, at least @start; as @start
 * @hole: free bytes between the range below, or address 0, and @start
 * @max_hole: largest @hole in the subtree under this node
 */
struct iova_node {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	unsigned long hole;
	unsigned long max_hole;
};

/**
 * struct iova_tree - disjoint ranges of IOVA
 * @root: the nodes, by ascending address, augmented with their holes
 * @lowest: the first node, or NULL
 * @highest: the last node, or NULL
 */
struct iova_tree {
	struct rb_root root;
	struct iova_node *lowest;
	struct iova_node *highest;
};

/**
 * iova_tree_init() - make an empty tree
 * @tree: tree to initialise
 */
static inline void iova_tree_init(struct iova_tree *tree)
{
	tree->root = RB_ROOT;
	tree->lowest = NULL;
	tree->highest = NULL;
}

/**
 * iova_tree_empty() - tell whether a tree holds no range
 * @tree: tree to look at
 *
 * Return: true if there is no node in @tree.
 */
static inline bool iova_tree_empty(const struct iova_tree *tree)
{
	return RB_EMPTY_ROOT(&tree->root);
}

/**
 * iova_tree_highest() - find the highest range
 * @tree: tree to look at
 *
 * Context: The caller excludes writers of @tree. Does not sleep.
 * Return: the node, or NULL if @tree is empty.
 */
static inline struct iova_node *iova_tree_highest(const struct iova_tree *tree)
{
	return tree->highest;
}

int __must_check iova_tree_insert(struct iova_tree *tree, struct iova_node *node);
void iova_tree_remove(struct iova_tree *tree, struct iova_node *node);

struct iova_node *iova_tree_first(const struct iova_tree *tree, unsigned long start,
				  unsigned long last);
struct iova_node *iova_tree_first_hole(const struct iova_tree *tree, unsigned long from,
				       unsigned long size);

/**
 * iova_tree_next() - step to the next range of an interval
 * @node: range to step from
 * @last: last IOVA of the interval
 *
 * Context: The caller excludes writers of the tree. Does not sleep.
 * Return: the range above @node, or NULL if there is none that starts at or below @last.
 */
static inline struct iova_node *iova_tree_next(const struct iova_node *node, unsigned long last)
{
	struct iova_node *next;

	/* The usual end of a walk, and cheaper than looking at the next node */
	if (node->last >= last)
		return NULL;
	next = rb_entry_safe(rb_next(&node->rb), struct iova_node, rb);
	return next && next->start <= last ? next : NULL;
}

#endif
