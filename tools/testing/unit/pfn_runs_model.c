// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a store of PFNs, compared with an array.
 *
 * The array has a cell for each block of pages. The size of the blocks is
 * chosen for each run: large blocks reach the limits of the packing with few
 * of them. Holes are filled and ranges erased by whole blocks; cuts, walks and
 * searches go to any page.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/bits.h>

#include "lib/pfn_runs.h"
#include "unit.h"

#define MODEL_MAX_BLOCKS	3000
#define MODEL_BUILDERS		2

/* One past the largest page index and the largest PFN there can be. */
#define MODEL_INDEXES		BIT(52)
#define MODEL_PFNS		BIT(PFN_RUN_PFN_BITS)

struct cell {
	bool present;
	u8 tag;
	unsigned long pfn;
};

/* A builder in use, for the blocks from first to last, filled up to next. */
struct filler {
	bool open;
	struct pfn_builder builder;
	unsigned long first;
	unsigned long next;
	unsigned long last;
	struct cell cells[MODEL_MAX_BLOCKS];
};

struct model {
	struct choices *choices;
	struct pfn_runs store;
	unsigned long base;
	unsigned long block_size;
	unsigned long nr_blocks;
	struct cell cells[MODEL_MAX_BLOCKS];
	struct filler fillers[MODEL_BUILDERS];
};

static unsigned long block_first(const struct model *model, unsigned long block)
{
	return model->base + block * model->block_size;
}

static unsigned long block_last(const struct model *model, unsigned long block)
{
	return block_first(model, block + 1) - 1;
}

static unsigned long block_of(const struct model *model, unsigned long index)
{
	return (index - model->base) / model->block_size;
}

static unsigned long choose_between(struct model *model, unsigned long first, unsigned long last)
{
	return first + choose(model->choices, last - first + 1);
}

/* Borders of blocks are where things happen. */
static unsigned long choose_index(struct model *model)
{
	unsigned long block = choose(model->choices, model->nr_blocks);

	if (choose_one_in(model->choices, 4))
		return choose_between(model, block_first(model, block), block_last(model, block));
	return block_first(model, block);
}

static void choose_range(struct model *model, unsigned long *first, unsigned long *last)
{
	unsigned long end = block_last(model, model->nr_blocks - 1);

	*first = choose_index(model);
	*last = choose_one_in(model->choices, 4) ? choose_between(model, *first, end) :
		min(*first + choose(model->choices, 4 * model->block_size), end);
}

/* One allocation in a few fails, at a place chosen here. */
static void choose_failure(struct model *model)
{
	unit.fail_after = choose_one_in(model->choices, 4) ? 0 : -1;
	unit.failed = 0;
}

static bool failure_came(int ret)
{
	unit.fail_after = -1;
	CHECK(ret == (unit.failed ? -ENOMEM : 0));
	return ret;
}

static void check_run(const struct model *model, const struct cell *cells,
		      const struct pfn_run *run)
{
	unsigned long last = run->index + run->count - 1;

	for (unsigned long block = block_of(model, run->index); block <= block_of(model, last);
	     block++) {
		const struct cell *cell = &cells[block];

		/* All numbers may wrap here, as the run may begin inside the first block. */
		CHECK(cell->present);
		CHECK(cell->tag == run->tag);
		CHECK(cell->pfn - block_first(model, block) == run->pfn - run->index);
	}
}

/* No cell is present between two indexes, if there is anything between them. */
static void check_hole(const struct model *model, const struct cell *cells, unsigned long first,
		       unsigned long last)
{
	if (first > last || last == ULONG_MAX)
		return;
	for (unsigned long block = block_of(model, first); block <= block_of(model, last); block++)
		CHECK(!cells[block].present);
}

/* Checks a run that a walk has come to after @index; returns the index after it. */
static unsigned long check_step(const struct model *model, const struct cell *cells,
				unsigned long index, const struct pfn_run *run)
{
	CHECK(run->count);
	CHECK(run->index >= index);
	check_hole(model, cells, index, run->index - 1);
	check_run(model, cells, run);
	return run->index + run->count;
}

static void check_walk(const struct model *model, unsigned long first, unsigned long last)
{
	unsigned long index = first;
	struct pfn_runs_iter iter;

	pfn_runs_for_each(&model->store, &iter, first, last) {
		index = check_step(model, model->cells, index, &iter.run);
		CHECK(index <= last + 1);
	}
	check_hole(model, model->cells, index, last);
}

static void check_builder(const struct model *model, const struct filler *filler)
{
	unsigned long index = block_first(model, filler->first);
	struct pfn_runs_iter iter;

	pfn_builder_for_each(&filler->builder, &iter)
		index = check_step(model, filler->cells, index, &iter.run);
	CHECK(index == block_first(model, filler->next));
}

static void check_lookup(const struct model *model, unsigned long index)
{
	struct pfn_run run;

	if (!pfn_runs_lookup(&model->store, index, &run)) {
		check_hole(model, model->cells, index, index);
		return;
	}
	CHECK(run.index <= index && index - run.index < run.count);
	check_run(model, model->cells, &run);
}

static void check_next_hole(const struct model *model, unsigned long first, unsigned long last)
{
	unsigned long block = block_of(model, first), end = block_of(model, last);
	unsigned long hole_first, hole_last;

	while (block <= end && model->cells[block].present)
		block++;
	if (block > end) {
		CHECK(!pfn_runs_next_hole(&model->store, first, last, &hole_first, &hole_last));
		return;
	}
	CHECK(pfn_runs_next_hole(&model->store, first, last, &hole_first, &hole_last));
	CHECK(hole_first == max(first, block_first(model, block)));
	while (block <= end && !model->cells[block].present)
		block++;
	CHECK(hole_last == min(last, block_last(model, block - 1)));
}

/* The memory of a chunk, whose inside is checked. */
static unsigned long check_chunk(const struct model *model, const struct pfn_chunk *chunk)
{
	CHECK(chunk->first <= chunk->last);
	CHECK(chunk->nr_runs && chunk->nr_runs <= chunk->capacity);
	CHECK(pfn_chunk_run_index(chunk, 0) == chunk->first);
	for (unsigned int i = 1; i < chunk->nr_runs; i++)
		CHECK(pfn_chunk_run_index(chunk, i) > pfn_chunk_run_index(chunk, i - 1));
	CHECK(pfn_chunk_run_index(chunk, chunk->nr_runs - 1) <= chunk->last);
	if (chunk == &model->store.inline_chunk) {
		CHECK(model->store.inline_claimed);
		return 0;
	}
	return sizeof(*chunk) + chunk->capacity * sizeof(u64);
}

static unsigned long check_store(const struct model *model, bool *inline_used)
{
	struct pfn_chunk *chunk, *before = NULL;
	unsigned long bytes = 0;
	struct rb_node *node;

	for (node = rb_first(&model->store.root); node; node = rb_next(node)) {
		chunk = rb_entry(node, struct pfn_chunk, node);
		CHECK(!before || before->last < chunk->first);
		bytes += check_chunk(model, chunk);
		*inline_used |= chunk == &model->store.inline_chunk;
		before = chunk;
	}
	CHECK(pfn_runs_empty(&model->store) == !before);
	return bytes;
}

/* Everything, with every byte that is allocated. */
static void check_all(const struct model *model)
{
	bool inline_used = false;
	unsigned long bytes = check_store(model, &inline_used);

	check_walk(model, model->base, block_last(model, model->nr_blocks - 1));
	for (int i = 0; i < MODEL_BUILDERS; i++) {
		const struct filler *filler = &model->fillers[i];
		const struct pfn_chunk *chunk;

		if (!filler->open)
			continue;
		check_builder(model, filler);
		inline_used |= !!filler->builder.spare;
		for (chunk = filler->builder.head; chunk; chunk = chunk->next) {
			bytes += check_chunk(model, chunk);
			inline_used |= chunk == &model->store.inline_chunk;
		}
	}
	CHECK(unit.bytes == bytes);
	CHECK(model->store.inline_claimed == inline_used);
}

/* The lowest and largest part of a hole that no builder is busy with; false if there is none. */
static bool part_not_busy(const struct model *model, unsigned long *first, unsigned long *last)
{
	for (int i = 0; i < MODEL_BUILDERS; i++) {
		const struct filler *filler = &model->fillers[i];

		if (!filler->open || filler->last < *first || filler->first > *last)
			continue;
		if (filler->first <= *first)
			*first = filler->last + 1;
		else
			*last = filler->first - 1;
		return *first <= *last && part_not_busy(model, first, last);
	}
	return true;
}

static void open_filler(struct model *model, struct filler *filler)
{
	unsigned long first = block_first(model, choose(model->choices, model->nr_blocks));
	unsigned long last = block_last(model, model->nr_blocks - 1);

	if (!pfn_runs_next_hole(&model->store, first, last, &first, &last))
		return;
	first = block_of(model, first);
	last = block_of(model, last);
	if (choose_one_in(model->choices, 4))
		last = choose_between(model, first, last);
	if (!part_not_busy(model, &first, &last))
		return;

	filler->open = true;
	filler->first = first;
	filler->next = first;
	filler->last = last;
	for (unsigned long block = 0; block < model->nr_blocks; block++)
		filler->cells[block].present = false;
	pfn_builder_init(&filler->builder, &model->store, block_first(model, first),
			 block_last(model, last));
	if (choose_one_in(model->choices, 4))
		filler->builder.max_runs = 1 + choose(model->choices, 16);
}

/* A PFN for @count blocks: often the one that continues the pages before. */
static unsigned long choose_pfn(struct model *model, const struct filler *filler,
				unsigned long count)
{
	unsigned long limit = MODEL_PFNS - count * model->block_size;
	unsigned long next;

	if (filler->next > filler->first && choose_one_in(model->choices, 3)) {
		next = filler->cells[filler->next - 1].pfn + model->block_size;
		if (next <= limit)
			return next;
	}
	if (choose_one_in(model->choices, 16))
		return limit;
	return choose(model->choices, limit);
}

static bool add_blocks(struct model *model, struct filler *filler)
{
	unsigned long left = filler->last - filler->next + 1;
	unsigned long count, pfn;
	u8 tag;

	if (!left)
		return false;
	count = 1 + choose(model->choices, choose_one_in(model->choices, 8) ? left : 1);
	pfn = choose_pfn(model, filler, count);
	tag = choose_one_in(model->choices, 20);

	choose_failure(model);
	if (failure_came(pfn_builder_add(&filler->builder, pfn, count * model->block_size, tag)))
		return false;
	for (; count; count--, pfn += model->block_size)
		filler->cells[filler->next++] = (struct cell){ true, tag, pfn };
	return true;
}

static void fill(struct model *model, struct filler *filler)
{
	unsigned long adds = 1 + choose_bits(model->choices) % 1024;

	while (adds-- && add_blocks(model, filler))
		;
}

/* Ends that must not need memory do with none to be had. */
static void close_filler(struct model *model, struct filler *filler)
{
	unsigned long allocations = unit.allocations;

	filler->open = false;
	if (choose_one_in(model->choices, 4)) {
		pfn_builder_discard(&filler->builder);
	} else {
		pfn_builder_commit(&filler->builder);
		for (unsigned long block = filler->first; block < filler->next; block++)
			model->cells[block] = filler->cells[block];
	}
	CHECK(unit.allocations == allocations);
}

static void use_filler(struct model *model)
{
	struct filler *filler = &model->fillers[choose(model->choices, MODEL_BUILDERS)];

	if (!filler->open)
		open_filler(model, filler);
	else if (choose_one_in(model->choices, 2))
		fill(model, filler);
	else
		close_filler(model, filler);
}

static void check_cut(const struct model *model, unsigned long index)
{
	struct rb_node *node;

	for (node = rb_first(&model->store.root); node; node = rb_next(node)) {
		const struct pfn_chunk *chunk = rb_entry(node, struct pfn_chunk, node);

		CHECK(chunk->first >= index || chunk->last < index);
	}
}

static bool cut(struct model *model, unsigned long index)
{
	choose_failure(model);
	if (failure_came(pfn_runs_cut(&model->store, index)))
		return false;
	check_cut(model, index);
	return true;
}

static void erase(struct model *model)
{
	unsigned long first = choose(model->choices, model->nr_blocks);
	unsigned long last = choose_one_in(model->choices, 3) ?
		choose_between(model, first, model->nr_blocks - 1) : first;
	unsigned long allocations;

	if (!cut(model, block_first(model, first)) || !cut(model, block_first(model, last + 1)))
		return;
	allocations = unit.allocations;
	pfn_runs_erase(&model->store, block_first(model, first), block_last(model, last));
	CHECK(unit.allocations == allocations);
	for (unsigned long block = first; block <= last; block++)
		model->cells[block].present = false;
}

static void step(struct model *model)
{
	unsigned long first, last;

	switch (choose(model->choices, 8)) {
	case 0:
		cut(model, choose_index(model));
		break;
	case 1:
		erase(model);
		break;
	case 2:
		check_lookup(model, choose_index(model));
		break;
	case 3:
		choose_range(model, &first, &last);
		check_next_hole(model, first, last);
		check_walk(model, first, last);
		break;
	default:
		use_filler(model);
		break;
	}
	if (choose_one_in(model->choices, 16))
		check_all(model);
}

static void model_init(struct model *model)
{
	static const unsigned long sizes[] = { 1, 1, 1, 3, 512, BIT(20), BIT(23), BIT(25) };
	static const unsigned long blocks[] = { 5, 30, 300, MODEL_MAX_BLOCKS };
	unsigned long room;

	model->block_size = sizes[choose(model->choices, 8)];
	model->nr_blocks = blocks[choose(model->choices, 4)];
	room = MODEL_INDEXES - model->nr_blocks * model->block_size;
	if (choose_one_in(model->choices, 2))
		model->base = choose(model->choices, room);
	else if (choose_one_in(model->choices, 2))
		model->base = room;
	pfn_runs_init(&model->store);
}

/**
 * pfn_runs_model() - compare a store with an array until the choices end
 * @choices: decide what happens
 */
void pfn_runs_model(struct choices *choices)
{
	struct model *model = calloc(1, sizeof(*model));

	CHECK(model);
	model->choices = choices;
	model_init(model);
	while (choices->left)
		step(model);
	for (int i = 0; i < MODEL_BUILDERS; i++)
		if (model->fillers[i].open)
			close_filler(model, &model->fillers[i]);
	check_all(model);
	pfn_runs_destroy(&model->store);
	CHECK(pfn_runs_empty(&model->store) && !model->store.inline_claimed);
	free(model);
}
