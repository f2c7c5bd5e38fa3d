// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disjoint ranges of IOVA, ordered, in a tree that knows its holes.
 *
 * The hole of a node lies just below it, so a change of one node changes only
 * its own hole and that of its successor. The space above the highest node
 * belongs to no node: its size would not fit when the tree is empty.
 *
 * Ranges are mostly added and removed in order. So the tree keeps its first and last node,
 * and adding beyond the last or removing the first needs no search.
 */
#include <linux/errno.h>
#include <linux/rbtree_augmented.h>

#include "lib/iova_tree.h"

static inline struct iova_node *to_iova_node(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct iova_node, rb);
}

static inline unsigned long iova_node_hole(const struct iova_node *node)
{
	return node->hole;
}

RB_DECLARE_CALLBACKS_MAX(static, iova_holes, struct iova_node, rb, unsigned long, max_hole,
			 iova_node_hole)

/* No hole has a size of 0, so 0 stands for "no subtree". */
static inline unsigned long iova_subtree_hole(struct rb_node *rb)
{
	return rb ? to_iova_node(rb)->max_hole : 0;
}

/*
 * A new leaf lies under its successor, which is its nearest ancestor on the
 * right. Below the successor the widest holes can only grow, from it upwards
 * only shrink, and each walk stops where nothing changes: hence two walks.
 */
static void iova_node_link(struct iova_node *node, struct rb_node *parent, struct rb_node **link,
			   struct iova_node *before, struct iova_node *after)
{
	node->hole = before ? node->start - before->last - 1 : node->start;
	node->max_hole = node->hole;
	rb_link_node(&node->rb, parent, link);
	iova_holes_propagate(parent, after ? &after->rb : NULL);
	if (after) {
		after->hole = after->start - node->last - 1;
		iova_holes_propagate(&after->rb, NULL);
	}
}

/**
 * iova_tree_insert() - add a range, unless it intersects another one
 * @tree: tree to change
 * @node: range to add, with start and last set; in no tree
 *
 * Context: The caller excludes all other users of @tree. Does not sleep.
 * Return: 0, or -EEXIST if a range of @tree intersects @node; then nothing has changed.
 */
int iova_tree_insert(struct iova_tree *tree, struct iova_node *node)
{
	struct iova_node *before = NULL, *after = NULL;
	struct rb_node **link = &tree->root.rb_node;
	struct rb_node *parent = NULL;

	if (tree->highest && tree->highest->last < node->start) {
		before = tree->highest;
		parent = &before->rb;
		link = &parent->rb_right;
	}
	while (*link) {
		struct iova_node *other = to_iova_node(*link);

		parent = *link;
		if (node->last < other->start) {
			after = other;
			link = &parent->rb_left;
		} else if (node->start > other->last) {
			before = other;
			link = &parent->rb_right;
		} else {
			return -EEXIST;
		}
	}
	iova_node_link(node, parent, link, before, after);
	rb_insert_augmented(&node->rb, &tree->root, &iova_holes);
	if (!before)
		tree->lowest = node;
	if (!after)
		tree->highest = node;
	return 0;
}

/**
 * iova_tree_remove() - take a range out
 * @tree: tree to change
 * @node: range of @tree to take out
 *
 * Context: The caller excludes all other users of @tree. Does not sleep.
 */
void iova_tree_remove(struct iova_tree *tree, struct iova_node *node)
{
	struct iova_node *after = NULL;

	if (node == tree->highest)
		tree->highest = to_iova_node(rb_prev(&node->rb));
	else
		after = to_iova_node(rb_next(&node->rb));
	if (node == tree->lowest)
		tree->lowest = after;

	/* Settled before the erase, whose rotations rely on the maxima. */
	if (after) {
		after->hole += node->last - node->start + 1 + node->hole;
		iova_holes_propagate(&after->rb, NULL);
	}
	rb_erase_augmented(&node->rb, &tree->root, &iova_holes);
}

/* The lowest range that ends at or above an IOVA. */
static struct iova_node *iova_tree_search(const struct iova_tree *tree, unsigned long start)
{
	struct rb_node *rb = tree->root.rb_node;
	struct iova_node *found = tree->lowest;

	if (!found || found->last >= start)
		return found;
	found = NULL;
	while (rb) {
		struct iova_node *node = to_iova_node(rb);

		if (node->last < start) {
			rb = rb->rb_right;
		} else {
			found = node;
			if (node->start <= start)
				break;
			rb = rb->rb_left;
		}
	}
	return found;
}

/**
 * iova_tree_first() - find the lowest range that intersects an interval
 * @tree: tree to search
 * @start: first IOVA of the interval
 * @last: last IOVA of the interval
 *
 * Context: The caller excludes writers of @tree. Does not sleep.
 * Return: the node, or NULL if no range intersects the interval.
 */
struct iova_node *iova_tree_first(const struct iova_tree *tree, unsigned long start,
				  unsigned long last)
{
	struct iova_node *first = iova_tree_search(tree, start);

	return first && first->start <= last ? first : NULL;
}

/* The lowest node under @rb, whose widest hole has at least @size bytes, with such a hole. */
static struct iova_node *iova_subtree_first_hole(struct rb_node *rb, unsigned long size)
{
	for (;;) {
		while (iova_subtree_hole(rb->rb_left) >= size)
			rb = rb->rb_left;
		if (to_iova_node(rb)->hole >= size)
			return to_iova_node(rb);
		rb = rb->rb_right;
	}
}

/**
 * iova_tree_first_hole() - find the lowest range that has a wide hole below it
 * @tree: tree to search
 * @from: only ranges that start above this IOVA count
 * @size: least number of free bytes below the range, not 0
 *
 * The hole found ends above or at @from, but may begin below it. To walk the
 * wide holes pass the start of the node found as the next @from. The space
 * above the highest range is no hole here. Costs O(log n).
 *
 * Context: The caller excludes writers of @tree. Does not sleep.
 * Return: the node above the hole, or NULL if there is none.
 */
struct iova_node *iova_tree_first_hole(const struct iova_tree *tree, unsigned long from,
				       unsigned long size)
{
	struct rb_node *rb = tree->root.rb_node;
	struct rb_node *found = NULL;

	while (iova_subtree_hole(rb) >= size) {
		struct iova_node *node = to_iova_node(rb);

		if (node->start <= from) {
			rb = rb->rb_right;
			continue;
		}
		/* The node and all of its right side qualify by address. */
		if (node->hole >= size || iova_subtree_hole(rb->rb_right) >= size)
			found = rb;
		rb = rb->rb_left;
	}
	if (!found)
		return NULL;
	if (to_iova_node(found)->hole >= size)
		return to_iova_node(found);
	return iova_subtree_first_hole(found->rb_right, size);
}
