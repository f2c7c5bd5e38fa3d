// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the choice of IOVAs: the promises to programs, and random runs against the rules. */
#include <errno.h>
#include <stdlib.h>

#include <linux/interval_tree.h>
#include <linux/kernel.h>

#include "lib/iova_alloc.h"
#include "lib/iova_tree.h"
#include "unit.h"

#define KIB	1024UL
#define MIB	(1024 * KIB)

/* An IOAS as user space gets it, and a request of 4 KiB for it. */
struct space {
	struct iova_tree areas;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	struct iova_request request;
};

static void space_init(struct space *space)
{
	iova_tree_init(&space->areas);
	space->reserved = RB_ROOT_CACHED;
	space->allowed = RB_ROOT_CACHED;
	space->request = (struct iova_request){
		.areas = &space->areas,
		.reserved = &space->reserved,
		.allowed = &space->allowed,
		.length = 4 * KIB,
		.address = 0x7f0000000000,
		.alignment = 1,
		.page_size = 4 * KIB,
		.huge_size = 2 * MIB,
	};
}

static unsigned long space_alloc(struct space *space, unsigned long length)
{
	unsigned long iova = 0;

	space->request.length = length;
	CHECK(!iova_alloc(&space->request, &iova));
	return iova;
}

static int space_error(struct space *space, unsigned long length)
{
	unsigned long iova = 12345;
	int ret;

	space->request.length = length;
	ret = iova_alloc(&space->request, &iova);
	CHECK(ret && iova == 12345);
	return ret;
}

static void space_take(struct space *space, struct iova_node *node, unsigned long length)
{
	node->start = space_alloc(space, length);
	node->last = node->start + length - 1;
	CHECK(!iova_tree_insert(&space->areas, node));
}

static void small_mappings_go_low(void)
{
	struct iova_node nodes[3];
	struct space space;

	space_init(&space);
	space_take(&space, &nodes[0], 4 * KIB);
	CHECK(nodes[0].start == 0x1000);
	space_take(&space, &nodes[1], 12 * KIB);
	CHECK(nodes[1].start == 0x4000);
	space_take(&space, &nodes[2], 4 * KIB);
	CHECK(nodes[2].start == 0x2000);
	CHECK(space_alloc(&space, 2 * MIB) == 0x200000);
	CHECK(space_alloc(&space, 1024 * MIB) == 0x200000);
}

static void the_offset_in_the_page_is_kept(void)
{
	struct space space;

	space_init(&space);
	space.request.address += 0x800;
	CHECK(space_alloc(&space, 0x1800) % 0x1000 == 0x800);
	space.request.alignment = 0x800;
	CHECK(space_alloc(&space, 0x1800) == 0x1800);
	space.request.alignment = 0x1000;
	CHECK(space_error(&space, 0x1800) == -EINVAL);
}

static void the_first_page_is_never_chosen(void)
{
	struct interval_tree_node rest = { .start = 0x1000, .last = ULONG_MAX };
	struct space space;

	space_init(&space);
	interval_tree_insert(&rest, &space.reserved);
	CHECK(space_error(&space, 4 * KIB) == -ENOSPC);
}

static void nothing_is_no_length(void)
{
	struct space space;

	space_init(&space);
	CHECK(space_error(&space, 0) == -EINVAL);
}

static void half_of_the_space_is_too_long(void)
{
	struct space space;

	space_init(&space);
	CHECK(space_error(&space, ULONG_MAX / 2) == -EOVERFLOW);
	space.request.alignment = 8 * MIB;
	CHECK(space_error(&space, ULONG_MAX / 2) == -EOVERFLOW);
	CHECK(space_error(&space, ULONG_MAX / 2 - 1) == -EINVAL);
	space.request.alignment = 1;
	CHECK(space_alloc(&space, ULONG_MAX / 2 - 1) == 0x200000);
}

static void adjacent_allowed_ranges_are_one_window(void)
{
	struct interval_tree_node high = { .start = 0x12000, .last = 0x12fff };
	struct interval_tree_node low = { .start = 0x10000, .last = 0x11fff };
	struct interval_tree_node apart = { .start = 0x14000, .last = 0x14fff };
	struct space space;

	space_init(&space);
	interval_tree_insert(&high, &space.allowed);
	interval_tree_insert(&apart, &space.allowed);
	CHECK(space_error(&space, 0x3000) == -ENOSPC);
	interval_tree_insert(&low, &space.allowed);
	CHECK(space_alloc(&space, 0x3000) == 0x10000);
	CHECK(space_error(&space, 0x4000) == -ENOSPC);
}

static void rounding_up_does_not_wrap(void)
{
	struct interval_tree_node rest = { .start = 0, .last = -0x2000UL - 1 };
	struct space space;

	space_init(&space);
	interval_tree_insert(&rest, &space.reserved);
	CHECK(space_error(&space, 2 * MIB) == -ENOSPC);
	CHECK(space_error(&space, 0x1001) == -ENOSPC);
	CHECK(space_alloc(&space, 0x1000) == -0x2000UL);
}

/* Would take minutes if the areas were walked for each choice. */
static void many_areas_are_not_walked(void)
{
	const unsigned int count = 100000;
	struct iova_node *nodes = calloc(count, sizeof(*nodes));
	struct space space;

	CHECK(nodes);
	space_init(&space);
	for (unsigned int i = 0; i < count; i++) {
		space_take(&space, &nodes[i], 4 * KIB);
		CHECK(nodes[i].start == (i + 1) * 4 * KIB);
	}
	for (unsigned int i = 1; i < count; i += 2)
		iova_tree_remove(&space.areas, &nodes[i]);
	for (unsigned int i = 1; i < count; i += 2) {
		CHECK(space_alloc(&space, 8 * KIB) == count * 4 * KIB);
		space_take(&space, &nodes[i], 4 * KIB);
		CHECK(nodes[i].start == (i + 1) * 4 * KIB);
	}
	free(nodes);
}

static void random_choices_match_the_rules(void)
{
	unit_random_runs(iova_alloc_model);
}

const struct unit_test iova_alloc_tests[] = {
	{ "iova_alloc: small mappings go low", small_mappings_go_low },
	{ "iova_alloc: the offset in the page is kept", the_offset_in_the_page_is_kept },
	{ "iova_alloc: the first page is never chosen", the_first_page_is_never_chosen },
	{ "iova_alloc: nothing is no length", nothing_is_no_length },
	{ "iova_alloc: half of the space is too long", half_of_the_space_is_too_long },
	{ "iova_alloc: adjacent allowed ranges are one window",
	  adjacent_allowed_ranges_are_one_window },
	{ "iova_alloc: rounding up does not wrap", rounding_up_does_not_wrap },
	{ "iova_alloc: many areas are not walked", many_areas_are_not_walked },
	{ "iova_alloc: random choices match the rules", random_choices_match_the_rules },
	{ }
};
