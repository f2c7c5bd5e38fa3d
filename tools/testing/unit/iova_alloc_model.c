// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random choices of IOVAs, compared with the rules of the user API taken
 * literally: with numbers that cannot overflow, and by looking at every range
 * for every question.
 *
 * Addresses lie near 0, near 2^64 and somewhere between, close enough together
 * that ranges touch, overlap and leave holes that almost fit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/interval_tree.h>
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "lib/iova_alloc.h"
#include "lib/iova_tree.h"
#include "unit.h"

#define MODEL_MAX_AREAS		64
#define MODEL_MAX_INTERVALS	8

/* Pages around each of the places where addresses lie. */
#define MODEL_PAGES		64

/* The ranges that a device reserves, or those that user space allows. */
struct intervals {
	struct rb_root_cached root;
	unsigned int count;
	struct interval_tree_node nodes[MODEL_MAX_INTERVALS];
};

struct model {
	struct choices *choices;
	unsigned long page_size;
	unsigned long huge_size;
	unsigned long middle;
	struct iova_tree areas;
	unsigned int nr_areas;
	struct iova_node nodes[MODEL_MAX_AREAS];
	struct intervals reserved;
	struct intervals allowed;
};

/* The rules, in the words of the specification where it has some. */

struct wanted {
	const struct model *model;
	u128 length;
	u128 align;
	u128 off;
};

static bool fit(const struct wanted *wanted, u128 start, u128 last, u128 *c)
{
	*c = (start + wanted->align - 1) / wanted->align * wanted->align | wanted->off;
	return *c < last && last - *c >= wanted->length - 1;
}

/* Whether one of the ranges given holds @iova, or else begins next after it, below *@next. */
static bool look_at(u128 iova, u128 start, u128 last, u128 *used_last, u128 *next)
{
	if (start <= iova && iova <= last) {
		*used_last = last;
		return true;
	}
	if (start > iova && start < *next)
		*next = start;
	return false;
}

static bool used(const struct model *model, u128 iova, u128 *used_last, u128 *next)
{
	for (unsigned int i = 0; i < model->nr_areas; i++)
		if (look_at(iova, model->nodes[i].start, model->nodes[i].last, used_last, next))
			return true;
	for (unsigned int i = 0; i < model->reserved.count; i++)
		if (look_at(iova, model->reserved.nodes[i].start, model->reserved.nodes[i].last,
			    used_last, next))
			return true;
	return false;
}

static bool choose_in_window(const struct wanted *wanted, u128 start, u128 last, u128 *c)
{
	u128 c0, iova, used_last, next;

	if (!fit(wanted, start, last, &c0))
		return false;
	for (iova = c0; iova <= last; iova = next) {
		next = last + 1;
		if (used(wanted->model, iova, &used_last, &next))
			next = used_last + 1;
		else if (fit(wanted, iova, next - 1, c))
			return true;
	}
	return false;
}

/* The last address of the allowed ranges that begin at @start and touch. */
static u128 allowed_end(const struct intervals *allowed, u128 start)
{
	u128 end = start;

	for (unsigned int i = 0; i < allowed->count; i++)
		if (allowed->nodes[i].start == end)
			return allowed_end(allowed, (u128)allowed->nodes[i].last + 1);
	return end;
}

/* The allowed range that begins next above @iova, 2^64 if there is none. */
static u128 allowed_next(const struct intervals *allowed, u128 iova)
{
	u128 next = (u128)ULONG_MAX + 1;

	for (unsigned int i = 0; i < allowed->count; i++)
		if (allowed->nodes[i].start >= iova && allowed->nodes[i].start < next)
			next = allowed->nodes[i].start;
	return next;
}

static bool choose_anywhere(const struct wanted *wanted, u128 *c)
{
	const struct model *model = wanted->model;
	u128 first = model->page_size, last = ULONG_MAX - model->page_size;
	u128 start, end;

	if (!model->allowed.count)
		return choose_in_window(wanted, first, last, c);
	for (start = allowed_next(&model->allowed, 0); start <= ULONG_MAX;
	     start = allowed_next(&model->allowed, end)) {
		end = allowed_end(&model->allowed, start);
		if (end > first && start <= last &&
		    choose_in_window(wanted, max(start, first), min(end - 1, last), c))
			return true;
	}
	return false;
}

static int choose_iova(const struct model *model, const struct iova_request *request,
		       unsigned long *iova)
{
	struct wanted wanted = {
		.model = model,
		.length = request->length,
		.align = 1,
		.off = request->address % request->page_size,
	};
	u128 c;

	if (request->length >= ULONG_MAX / 2)
		return -EOVERFLOW;
	while (wanted.align < request->length)
		wanted.align *= 2;
	while (wanted.align > request->huge_size)
		wanted.align /= 2;
	while (wanted.align > 1 && request->address % wanted.align)
		wanted.align /= 2;
	if (wanted.align < request->alignment)
		return -EINVAL;
	if (!choose_anywhere(&wanted, &c))
		return -ENOSPC;
	*iova = c;
	return 0;
}

/* The random states and requests. */

static unsigned long choose_address(struct model *model)
{
	unsigned long bytes = MODEL_PAGES * model->page_size;
	unsigned long offset = choose(model->choices, MODEL_PAGES) * model->page_size;

	if (choose_one_in(model->choices, 3))
		offset = choose(model->choices, bytes);
	switch (choose(model->choices, 4)) {
	case 0:
		return -bytes + offset;
	case 1:
		return model->middle + offset;
	default:
		return offset;
	}
}

/* Mostly short, but any two addresses will do at times. */
static void choose_interval(struct model *model, unsigned long *start, unsigned long *last)
{
	unsigned long other = choose_address(model);

	*start = choose_address(model);
	if (choose_one_in(model->choices, 4)) {
		*last = max(*start, other);
		*start = min(*start, other);
	} else {
		*last = *start + choose(model->choices, 4 * model->page_size);
		*last = max(*start, *last);
	}
	if (choose_one_in(model->choices, 16))
		*last = ULONG_MAX;
}

static bool intersects(const struct intervals *intervals, unsigned long start, unsigned long last)
{
	for (unsigned int i = 0; i < intervals->count; i++)
		if (intervals->nodes[i].start <= last && intervals->nodes[i].last >= start)
			return true;
	return false;
}

static void choose_intervals(struct model *model, struct intervals *intervals, bool disjoint)
{
	unsigned int count = choose(model->choices, MODEL_MAX_INTERVALS + 1);

	intervals->root = RB_ROOT_CACHED;
	intervals->count = 0;
	while (count--) {
		struct interval_tree_node *node = &intervals->nodes[intervals->count];

		choose_interval(model, &node->start, &node->last);
		if (disjoint && intervals->count && choose_one_in(model->choices, 2)) {
			unsigned long bytes = node->last - node->start;

			node->start = node[-1].last + 1;
			node->last = max(node->start, node->start + bytes);
		}
		if (disjoint && intersects(intervals, node->start, node->last))
			continue;
		interval_tree_insert(node, &intervals->root);
		intervals->count++;
	}
}

static void add_area(struct model *model, unsigned long start, unsigned long last)
{
	struct iova_node *node = &model->nodes[model->nr_areas];

	if (model->nr_areas == MODEL_MAX_AREAS)
		return;
	node->start = start;
	node->last = last;
	if (!iova_tree_insert(&model->areas, node))
		model->nr_areas++;
}

static void remove_area(struct model *model)
{
	struct iova_node *node, *moved;

	if (!model->nr_areas)
		return;
	node = &model->nodes[choose(model->choices, model->nr_areas)];
	moved = &model->nodes[--model->nr_areas];
	iova_tree_remove(&model->areas, node);
	if (node == moved)
		return;
	iova_tree_remove(&model->areas, moved);
	node->start = moved->start;
	node->last = moved->last;
	CHECK(!iova_tree_insert(&model->areas, node));
}

static unsigned long choose_length(struct model *model)
{
	unsigned long pages = 1 + choose(model->choices, 1UL << choose(model->choices, 5));

	switch (choose(model->choices, 16)) {
	case 0:
		return max(choose_bits(model->choices), 1UL);
	case 1:
		return ULONG_MAX / 2 - 2 + choose(model->choices, 4);
	case 2 ... 7:
		return 1 + choose(model->choices, pages * model->page_size);
	default:
		return pages * model->page_size;
	}
}

static void check_request(struct model *model)
{
	struct iova_request request = {
		.areas = &model->areas,
		.reserved = &model->reserved.root,
		.allowed = &model->allowed.root,
		.length = choose_length(model),
		.address = choose_bits(model->choices) << choose(model->choices, 24),
		.alignment = 1,
		.page_size = model->page_size,
		.huge_size = model->huge_size,
	};
	unsigned long iova = 1, expected = 1;

	if (choose_one_in(model->choices, 4))
		request.address = 0;
	if (choose_one_in(model->choices, 2))
		request.alignment <<= choose(model->choices, 14);
	CHECK(iova_alloc(&request, &iova) == choose_iova(model, &request, &expected));
	CHECK(iova == expected);
	if (iova != 1 && choose_one_in(model->choices, 2))
		add_area(model, iova, iova + request.length - 1);
}

static void step(struct model *model)
{
	unsigned long start, last;

	switch (choose(model->choices, 32)) {
	case 0:
		choose_intervals(model, &model->reserved, false);
		break;
	case 1:
		choose_intervals(model, &model->allowed, true);
		break;
	case 2 ... 5:
		choose_interval(model, &start, &last);
		add_area(model, start, last);
		break;
	case 6 ... 11:
		remove_area(model);
		break;
	default:
		check_request(model);
		break;
	}
}

static void model_init(struct model *model)
{
	model->page_size = choose_one_in(model->choices, 2) ? 4096 : 16;
	model->huge_size = model->page_size << (choose_one_in(model->choices, 3) ? 0 :
						choose_one_in(model->choices, 2) ? 9 : 2);
	model->middle = choose(model->choices, 1UL << 48) * model->page_size;
	iova_tree_init(&model->areas);
	model->reserved.root = RB_ROOT_CACHED;
	model->allowed.root = RB_ROOT_CACHED;
}

/**
 * iova_alloc_model() - compare chosen IOVAs with the rules until the choices end
 * @choices: decide what happens
 */
void iova_alloc_model(struct choices *choices)
{
	struct model model = { .choices = choices };

	model_init(&model);
	while (choices->left)
		step(&model);
}
