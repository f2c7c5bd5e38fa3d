// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning a large range by several threads.
 *
 * Owns the parts of the range, and how their results become one. It must never
 * know how a page is pinned, or what is done with it.
 */
#include <linux/cache.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "crew.h"
#include "pfn_runs.h"
#include "pin.h"

#define MAX_PARTS 64
/* Work that is worth a thread, which takes a small part of this to make and end */
#define HELPER_MIN_NS NSEC_PER_MSEC

/**
 * struct pin_part - a part of a range
 * @builder: For its pages
 */
struct pin_part {
	struct pfn_builder builder;
} ____cacheline_aligned_in_smp;

/**
 * struct pin_parts - a range in parts
 * @memory: Where it is
 * @nparts: How many parts
 * @parts: In ascending order
 */
struct pin_parts {
	const struct user_memory *memory;
	unsigned int nparts;
	struct pin_part parts[] __counted_by(nparts);
};

static int pin_part(void *work, unsigned int part)
{
	struct pin_parts *range = work;
	struct pfn_builder *builder = &range->parts[part].builder;
	unsigned long first = builder->index;

	return pin_user_memory(range->memory, builder, first,
			       builder->last - first + 1);
}

/* Where the part ends that begins at a page */
static unsigned long part_end(const struct user_memory *memory,
			      unsigned long begin, unsigned long size)
{
	return crew_part_end(memory->address >> PAGE_SHIFT, begin, size);
}

static struct pin_parts *alloc_parts(const struct user_memory *memory,
				     const struct pfn_builder *builder,
				     unsigned long part_size)
{
	unsigned long begin = builder->index;
	struct pin_parts *range;

	range = kzalloc(struct_size(range, parts, MAX_PARTS),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!range)
		return NULL;
	range->memory = memory;
	while (begin <= builder->last) {
		unsigned long last = min(part_end(memory, begin, part_size) - 1,
					 builder->last);

		pfn_builder_fork(builder, &range->parts[range->nparts++].builder,
				 begin, last);
		begin = last + 1;
	}
	return range;
}

/* A huge page in two parts was pinned for both, but is in one run now */
static void join(struct pfn_builder *builder, struct pfn_builder *upper)
{
	struct pfn_runs_iter iter;

	if (pfn_builder_iter_first(upper, &iter) &&
	    pfn_builder_join(builder, upper) && iter.run.tag == PIN_BY_FOLIO)
		pin_merge(iter.run.pfn);
}

static int pin_together(struct pin_parts *range, struct pfn_builder *builder,
			unsigned int helpers)
{
	struct crew *crew = crew_hire(helpers);
	unsigned int i;
	int rc;

	rc = crew_work(crew, pin_part, range, range->nparts);
	for (i = 0; i != range->nparts; i++)
		join(builder, &range->parts[i].builder);
	crew_dismiss(crew);
	kfree(range);
	return rc;
}

static int pin_alone(const struct user_memory *memory,
		     struct pfn_builder *builder)
{
	struct pfn_builder rest;
	int rc;

	pfn_builder_fork(builder, &rest, builder->index, builder->last);
	rc = pin_user_memory(memory, &rest, rest.index,
			     rest.last - rest.index + 1);
	join(builder, &rest);
	return rc;
}

/*
 * How many helpers are worth it if all pages take as long as the first ones did.
 * That differs by a factor of thousands between huge pages that are there and
 * small ones that are not.
 */
static unsigned int count_helpers(unsigned int possible, u64 ns,
				  unsigned long done, unsigned long left)
{
	u64 worth = div_u64(ns * (left / done), HELPER_MIN_NS);

	return min_t(u64, worth, possible);
}

/**
 * pin_parallel - pin a large range by as many threads as it is worth
 * @memory: The memory of a process, alive or not
 * @builder: For this range and no more
 * @first: Index of the first page, from the start of @memory
 * @npages: How many pages, at least PIN_PARALLEL_PAGES
 *
 * Does what pin_user_memory() does, and sleeps as it does. When it returns, the
 * other threads no longer use anything of the caller's.
 *
 * Return: as pin_user_memory(). After a failure there may be gaps between the pages
 * that @builder keeps.
 */
int pin_parallel(const struct user_memory *memory, struct pfn_builder *builder,
		 unsigned long first, unsigned long npages)
{
	unsigned long part_size = roundup(DIV_ROUND_UP(npages, MAX_PARTS),
					  CREW_PART_ALIGN);
	unsigned int helpers = crew_max_helpers();
	struct pin_parts *range = NULL;
	unsigned long done;
	u64 start;
	int rc;

	/* A thread of another process would be of no use there */
	if (!helpers || memory->mm != current->mm)
		return pin_user_memory(memory, builder, first, npages);
	start = ktime_get_ns();
	done = min(part_end(memory, first, part_size) - first, npages);
	rc = pin_user_memory(memory, builder, first, done);
	if (rc || done == npages)
		return rc;
	helpers = count_helpers(helpers, ktime_get_ns() - start, done,
				npages - done);
	if (helpers)
		range = alloc_parts(memory, builder, part_size);
	if (!range)
		return pin_alone(memory, builder);
	return pin_together(range, builder, helpers);
}
