// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the tree of IOVA ranges: its ends, and a random run against a model. */
#include <errno.h>

#include <linux/kernel.h>

#include "lib/iova_tree.h"
#include "unit.h"

static void a_range_may_be_everything(void)
{
	struct iova_node all = { .start = 0, .last = ULONG_MAX };
	struct iova_node top = { .start = ULONG_MAX, .last = ULONG_MAX };
	struct iova_tree tree;

	iova_tree_init(&tree);
	CHECK(!iova_tree_insert(&tree, &all));
	CHECK(iova_tree_insert(&tree, &top) == -EEXIST);
	CHECK(iova_tree_first(&tree, 5, 5) == &all);
	CHECK(!iova_tree_next(&all, ULONG_MAX));
	CHECK(!iova_tree_first_hole(&tree, 0, 1));
	iova_tree_remove(&tree, &all);
	CHECK(!iova_tree_insert(&tree, &top));
	CHECK(top.hole == ULONG_MAX);
	CHECK(iova_tree_first_hole(&tree, 0, ULONG_MAX) == &top);
	CHECK(!iova_tree_first_hole(&tree, ULONG_MAX, 1));
}

static void touching_ranges_do_not_intersect(void)
{
	struct iova_node low = { .start = 0, .last = 9 };
	struct iova_node high = { .start = 11, .last = 20 };
	struct iova_node wide = { .start = 9, .last = 11 };
	struct iova_node middle = { .start = 10, .last = 10 };
	struct iova_tree tree;

	iova_tree_init(&tree);
	CHECK(!iova_tree_insert(&tree, &low));
	CHECK(!iova_tree_insert(&tree, &high));
	CHECK(iova_tree_insert(&tree, &wide) == -EEXIST);
	CHECK(high.hole == 1);
	CHECK(iova_tree_first_hole(&tree, 0, 1) == &high);
	CHECK(!iova_tree_insert(&tree, &middle));
	CHECK(!iova_tree_first_hole(&tree, 0, 1));
	CHECK(!iova_tree_next(&low, 9));
	CHECK(iova_tree_next(&low, 10) == &middle);
}

static void random_operations_match_a_list(void)
{
	unit_random_runs(iova_tree_model);
}

const struct unit_test iova_tree_tests[] = {
	{ "iova_tree: a range may be everything", a_range_may_be_everything },
	{ "iova_tree: touching ranges do not intersect", touching_ranges_do_not_intersect },
	{ "iova_tree: random operations match a list", random_operations_match_a_list },
	{ }
};
