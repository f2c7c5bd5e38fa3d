// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that work on several areas, or on a part of what is pinned, with every
 * place failing: what was done of the first pieces has to be undone.
 */
#include "fail_nth_sweep.h"

/* Small pages and behind them huge ones */
#define MIXED_LENGTH (3 * HUGE_PAGE)

static int map(struct context *context, const void *address, __u64 length, __u64 iova)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, address, length, IOMMU_MAP_RW,
				    iova);
}

static int copy(struct context *context, __u64 iova, __u64 length)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, iova, length, context->ioas,
				     IOMMU_MAP_RW, FREE_IOVA);
}

static int prepare_adjacent(struct context *context)
{
	return prepare_mapping(context) ? :
	       map(context, context->memory, LENGTH, IOVA + LENGTH) ? : prepare_table(context);
}

static int copy_adjacent(struct context *context)
{
	return copy(context, IOVA, 2 * LENGTH);
}

static int prepare_far_apart(struct context *context)
{
	return prepare_mapping(context) ? : map(context, context->memory, LENGTH, FREE_IOVA);
}

static int attach(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->new_mock);
}

static int copy_middle(struct context *context)
{
	return copy(context, IOVA + LENGTH / 3, LENGTH / 3);
}

/* Stays for all attempts, at a multiple of the size of a huge page */
static uint8_t *mixed_memory(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	static uint8_t *mixed;
	uint8_t *space;

	if (mixed)
		return mixed;
	space = mmap(NULL, MIXED_LENGTH + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (space == MAP_FAILED)
		return NULL;
	space += HUGE_PAGE - (uintptr_t)space % HUGE_PAGE;
	if (mmap(space, HUGE_PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ||
	    mmap(space + HUGE_PAGE, MIXED_LENGTH - HUGE_PAGE, PROT_READ | PROT_WRITE,
		 flags | MAP_HUGETLB, -1, 0) == MAP_FAILED)
		return NULL;
	madvise(space, HUGE_PAGE, MADV_NOHUGEPAGE);
	memset(space, 1, MIXED_LENGTH);
	mixed = space;
	return mixed;
}

static int prepare_mixed(struct context *context)
{
	return mixed_memory() ? prepare_table(context) : -ENOMEM;
}

static int map_mixed(struct context *context)
{
	return map(context, mixed_memory(), MIXED_LENGTH, FREE_IOVA);
}

const struct scenario scenarios[] = {
	{ "IOAS_COPY of two mappings", prepare_adjacent, copy_adjacent, true },
	{ "attach with two mappings", prepare_far_apart, attach, true },
	{ "IOAS_COPY of a part of a mapping", prepare_mapping_and_table, copy_middle, true },
	{ "IOAS_MAP of small and huge pages", prepare_mixed, map_mixed, false },
};

const size_t scenario_count = ARRAY_SIZE(scenarios);

TEST_HARNESS_MAIN
