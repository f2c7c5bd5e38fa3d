// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a tree of IOVA ranges, compared with an unordered list.
 *
 * The list is searched from end to end for every question. Addresses are
 * multiples of a grain chosen for each run, counted from either end of the
 * 64 bits, so that many ranges touch and some reach the ends.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/minmax.h>

#include "lib/iova_tree.h"
#include "unit.h"

#define MODEL_GRAINS		512UL
#define MODEL_MAX_RANGES	256

struct model {
	struct choices *choices;
	struct iova_tree tree;
	unsigned long base;
	unsigned long grain;
	unsigned int max_grains;
	unsigned int nr_ranges;
	struct iova_node *ranges[MODEL_MAX_RANGES];
};

static void choose_interval(struct model *model, unsigned long *start, unsigned long *last)
{
	unsigned long first_grain = choose(model->choices, MODEL_GRAINS);
	unsigned long grains = 1 + choose(model->choices, model->max_grains);

	grains = min(grains, MODEL_GRAINS - first_grain);
	*start = model->base + first_grain * model->grain;
	*last = *start + (grains * model->grain - 1);
}

/* The lowest range that ends at or above @start, whatever is between. */
static struct iova_node *model_find(const struct model *model, unsigned long start)
{
	struct iova_node *found = NULL;

	for (unsigned int i = 0; i < model->nr_ranges; i++) {
		struct iova_node *node = model->ranges[i];

		if (node->last >= start && (!found || node->start < found->start))
			found = node;
	}
	return found;
}

static struct iova_node *model_first(const struct model *model, unsigned long start,
				     unsigned long last)
{
	struct iova_node *found = model_find(model, start);

	return found && found->start <= last ? found : NULL;
}

static struct iova_node *model_next(const struct model *model, const struct iova_node *node)
{
	return node->last == ULONG_MAX ? NULL : model_find(model, node->last + 1);
}

/* Free bytes below a range, by looking at all the others. */
static unsigned long model_hole(const struct model *model, const struct iova_node *node)
{
	unsigned long hole = node->start;

	for (unsigned int i = 0; i < model->nr_ranges; i++)
		if (model->ranges[i]->start < node->start)
			hole = min(hole, node->start - model->ranges[i]->last - 1);
	return hole;
}

static struct iova_node *model_first_hole(const struct model *model, unsigned long from,
					  unsigned long size)
{
	struct iova_node *found = NULL;

	for (unsigned int i = 0; i < model->nr_ranges; i++) {
		struct iova_node *node = model->ranges[i];

		if (node->start > from && model_hole(model, node) >= size &&
		    (!found || node->start < found->start))
			found = node;
	}
	return found;
}

static unsigned long check_subtree(struct rb_node *rb)
{
	struct iova_node *node;
	unsigned long widest;

	if (!rb)
		return 0;
	node = rb_entry(rb, struct iova_node, rb);
	widest = max(check_subtree(rb->rb_left), check_subtree(rb->rb_right));
	widest = max(widest, node->hole);
	CHECK(node->max_hole == widest);
	return widest;
}

static void check_all(const struct model *model)
{
	struct iova_node *node = iova_tree_first(&model->tree, 0, ULONG_MAX);
	struct iova_node *before = NULL;
	unsigned int count = 0;

	for (; node; node = iova_tree_next(node, ULONG_MAX)) {
		CHECK(!before || before->last < node->start);
		CHECK(node->hole == (before ? node->start - before->last - 1 : node->start));
		before = node;
		count++;
	}
	CHECK(count == model->nr_ranges);
	CHECK(iova_tree_highest(&model->tree) == before);
	CHECK(iova_tree_empty(&model->tree) == !before);
	check_subtree(model->tree.root.rb_node);
}

static void insert(struct model *model)
{
	struct iova_node *node;
	bool taken;

	if (model->nr_ranges == MODEL_MAX_RANGES)
		return;
	node = malloc(sizeof(*node));
	CHECK(node);
	choose_interval(model, &node->start, &node->last);
	taken = model_first(model, node->start, node->last);
	CHECK(iova_tree_insert(&model->tree, node) == (taken ? -EEXIST : 0));
	if (taken)
		free(node);
	else
		model->ranges[model->nr_ranges++] = node;
}

static void remove_one(struct model *model)
{
	struct iova_node *node;
	unsigned int position;

	if (!model->nr_ranges)
		return;
	position = choose(model->choices, model->nr_ranges);
	node = model->ranges[position];
	model->ranges[position] = model->ranges[--model->nr_ranges];
	iova_tree_remove(&model->tree, node);
	free(node);
}

static void search(struct model *model)
{
	struct iova_node *node, *next;
	unsigned long start, last;

	choose_interval(model, &start, &last);
	node = iova_tree_first(&model->tree, start, last);
	CHECK(node == model_first(model, start, last));
	if (!node)
		return;
	next = model_next(model, node);
	if (next && next->start > last)
		next = NULL;
	CHECK(iova_tree_next(node, last) == next);
}

static void search_hole(struct model *model)
{
	unsigned long start, last, from, size;

	choose_interval(model, &from, &last);
	choose_interval(model, &start, &last);
	size = max(last - start + choose(model->choices, 2), 1UL);
	CHECK(iova_tree_first_hole(&model->tree, from, size) ==
	      model_first_hole(model, from, size));
}

static void step(struct model *model)
{
	switch (choose(model->choices, 8)) {
	case 0 ... 2:
		insert(model);
		break;
	case 3 ... 4:
		remove_one(model);
		break;
	case 5:
		search(model);
		break;
	default:
		search_hole(model);
		break;
	}
	if (choose_one_in(model->choices, 8))
		check_all(model);
}

static void model_init(struct model *model)
{
	static const unsigned int max_grains[] = { 1, 2, 8, 64, MODEL_GRAINS };

	iova_tree_init(&model->tree);
	model->max_grains = max_grains[choose(model->choices, 5)];
	model->grain = 1UL << choose(model->choices, 56);
	model->base = choose_one_in(model->choices, 2) ? 0 : -model->grain * MODEL_GRAINS;
}

/**
 * iova_tree_model() - compare a tree with a list until the choices end
 * @choices: decide what happens
 */
void iova_tree_model(struct choices *choices)
{
	struct model model = { .choices = choices };

	model_init(&model);
	while (choices->left)
		step(&model);
	check_all(&model);
	while (model.nr_ranges)
		remove_one(&model);
	CHECK(iova_tree_empty(&model.tree));
}
