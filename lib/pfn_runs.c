// SPDX-License-Identifier: GPL-2.0-only
/*
 * PFNs of a range of memory, by page index, run-length coded.
 *
 * Chunks never move and never merge once they are in the store: a chunk is
 * filled by its builder, split by cuts, and freed as a whole.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "lib/pfn_runs.h"

/* Chunks grow with the number of runs seen, between these sizes in bytes. */
#define PFN_CHUNK_MIN_SIZE	128U
#define PFN_CHUNK_MAX_SIZE	4096U
#define PFN_CHUNK_MAX_RUNS	((PFN_CHUNK_MAX_SIZE - sizeof(struct pfn_chunk)) / sizeof(u64))

static inline struct pfn_chunk *to_pfn_chunk(struct rb_node *node)
{
	return rb_entry_safe(node, struct pfn_chunk, node);
}

static struct pfn_chunk *pfn_chunk_alloc(unsigned int capacity)
{
	struct pfn_chunk *chunk;

	chunk = kmalloc(sizeof(*chunk) + capacity * sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	chunk->runs = (u64 *)(chunk + 1);
	chunk->capacity = capacity;
	return chunk;
}

static void pfn_chunk_free(struct pfn_runs *store, struct pfn_chunk *chunk)
{
	if (chunk == &store->inline_chunk)
		store->inline_claimed = false;
	else
		kfree(chunk);
}

/* The lowest chunk that ends at or above @index: if it does not hold @index, no chunk does. */
static struct pfn_chunk *pfn_chunk_find(const struct pfn_runs *store, unsigned long index)
{
	struct rb_node *node = store->root.rb_node;
	struct pfn_chunk *found = NULL;

	while (node) {
		struct pfn_chunk *chunk = to_pfn_chunk(node);

		if (chunk->last < index) {
			node = node->rb_right;
		} else {
			found = chunk;
			node = node->rb_left;
		}
	}
	return found;
}

/* Position of the run that holds @index, an index of the chunk. */
static unsigned int pfn_chunk_search(const struct pfn_chunk *chunk, unsigned long index)
{
	unsigned long offset = min(index - chunk->first, PFN_RUN_MAX_OFFSET);
	u64 key = pfn_run_pack(offset, PFN_RUN_PFN_MASK);
	unsigned int low = 0, high = chunk->nr_runs;

	/* The run sought is at or above low, and below high. */
	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (chunk->runs[middle] <= key)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void pfn_chunk_link(struct pfn_runs *store, struct pfn_chunk *chunk)
{
	struct rb_node **link = &store->root.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (chunk->first < to_pfn_chunk(parent)->first)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&chunk->node, parent, link);
	rb_insert_color(&chunk->node, &store->root);
}

/**
 * pfn_runs_init() - make an empty store
 * @store: store to initialise; must not move in memory from now on
 */
void pfn_runs_init(struct pfn_runs *store)
{
	store->root = RB_ROOT;
	store->inline_claimed = false;
	store->inline_chunk.runs = store->inline_runs;
	store->inline_chunk.capacity = PFN_RUNS_INLINE;
}

/**
 * pfn_runs_destroy() - free all that a store holds
 * @store: store without builders; empty afterwards, and can be used again
 *
 * Context: The caller excludes all other users of @store. Does not sleep.
 */
void pfn_runs_destroy(struct pfn_runs *store)
{
	struct pfn_chunk *chunk, *next;

	rbtree_postorder_for_each_entry_safe(chunk, next, &store->root, node)
		pfn_chunk_free(store, chunk);
	store->root = RB_ROOT;
}

/**
 * pfn_runs_lookup() - find the run that holds a page
 * @store: store to search
 * @index: page index
 * @run: set to the run, which may begin below @index; on success only
 *
 * Context: The caller excludes writers of @store. Does not sleep.
 * Return: true if @index is in the store.
 */
bool pfn_runs_lookup(const struct pfn_runs *store, unsigned long index, struct pfn_run *run)
{
	struct pfn_chunk *chunk = pfn_chunk_find(store, index);
	struct pfn_runs_iter iter;

	if (!chunk || chunk->first > index)
		return false;
	iter.last = chunk->last;
	pfn_runs_iter_enter(&iter, chunk, pfn_chunk_search(chunk, index));
	*run = iter.run;
	return true;
}

/**
 * pfn_runs_next_hole() - find the lowest hole of a range
 * @store: store to search
 * @first: first page index of the range
 * @last: last page index of the range, at least @first
 * @hole_first: set to the first index of the hole, on success only
 * @hole_last: set to the last index of the hole, on success only
 *
 * Context: The caller excludes writers of @store. Does not sleep.
 * Return: true if an index of the range is not in the store; the hole is maximal in the range.
 */
bool pfn_runs_next_hole(const struct pfn_runs *store, unsigned long first, unsigned long last,
			unsigned long *hole_first, unsigned long *hole_last)
{
	struct pfn_chunk *chunk = pfn_chunk_find(store, first);

	while (chunk && chunk->first <= first) {
		if (chunk->last >= last)
			return false;
		first = chunk->last + 1;
		chunk = to_pfn_chunk(rb_next(&chunk->node));
	}
	*hole_first = first;
	*hole_last = chunk && chunk->first <= last ? chunk->first - 1 : last;
	return true;
}

/**
 * pfn_runs_seek() - find where a walk begins; use pfn_runs_for_each()
 * @store: store to walk
 * @index: page index
 * @pos: set to the position in the chunk of the first run that ends at @index or above
 *
 * Context: The caller excludes writers of @store during the walk. Does not sleep.
 * Return: the chunk of that run, or NULL if there is none.
 */
struct pfn_chunk *pfn_runs_seek(const struct pfn_runs *store, unsigned long index,
				unsigned int *pos)
{
	struct pfn_chunk *chunk = pfn_chunk_find(store, index);

	*pos = chunk && chunk->first < index ? pfn_chunk_search(chunk, index) : 0;
	return chunk;
}

/**
 * pfn_chunk_next() - continue a walk after a chunk; use pfn_runs_for_each()
 * @chunk: chunk of a store
 *
 * Context: As pfn_runs_seek().
 * Return: the chunk above it, or NULL.
 */
struct pfn_chunk *pfn_chunk_next(const struct pfn_chunk *chunk)
{
	return to_pfn_chunk(rb_next(&chunk->node));
}

/* Makes @to hold what @from holds between two indexes; they may be the same chunk. */
static void pfn_chunk_copy(struct pfn_chunk *to, const struct pfn_chunk *from,
			   unsigned long first, unsigned long last)
{
	unsigned int pos = pfn_chunk_search(from, first);
	unsigned int end = pfn_chunk_search(from, last);
	unsigned long skip = first - pfn_chunk_run_index(from, pos);
	unsigned long shift = first - from->first;
	unsigned int i;

	/* Entries move down, so the same array may be read ahead of the writes. */
	to->runs[0] = (from->runs[pos] & PFN_RUN_PFN_MASK) + skip;
	for (i = 1; i <= end - pos; i++)
		to->runs[i] = from->runs[pos + i] - pfn_run_pack(shift, 0);
	to->nr_runs = i;
	to->tag = from->tag;
	to->first = first;
	to->last = last;
}

/**
 * pfn_runs_cut() - prepare a boundary at which pages can be erased
 * @store: store to change
 * @index: page index that becomes the first of its run, if it is in the store
 *
 * Changes how the pages are stored, but not which are or what their PFNs are.
 * Repeated cuts cost memory for the runs they make, not for those they move.
 *
 * Context: The caller excludes all other users of @store. May sleep.
 * Return: 0, or -ENOMEM; then nothing has changed.
 */
int pfn_runs_cut(struct pfn_runs *store, unsigned long index)
{
	struct pfn_chunk *chunk = pfn_chunk_find(store, index);
	unsigned int nr_lower, nr_upper;
	struct pfn_chunk *new;

	if (!chunk || chunk->first >= index)
		return 0;

	/* The smaller side moves out into a chunk of its size. */
	nr_lower = pfn_chunk_search(chunk, index - 1) + 1;
	nr_upper = chunk->nr_runs - pfn_chunk_search(chunk, index);
	new = pfn_chunk_alloc(min(nr_lower, nr_upper));
	if (!new)
		return -ENOMEM;
	if (nr_lower < nr_upper) {
		pfn_chunk_copy(new, chunk, chunk->first, index - 1);
		pfn_chunk_copy(chunk, chunk, index, chunk->last);
	} else {
		pfn_chunk_copy(new, chunk, index, chunk->last);
		pfn_chunk_copy(chunk, chunk, chunk->first, index - 1);
	}
	pfn_chunk_link(store, new);
	return 0;
}

/**
 * pfn_runs_erase() - forget the pages of a range
 * @store: store to change
 * @first: first page index of the range; cut before, unless a hole or the end of one is there
 * @last: last page index of the range; the index after it cut before, as @first
 *
 * Context: The caller excludes all other users of @store. Does not allocate, sleep or fail.
 */
void pfn_runs_erase(struct pfn_runs *store, unsigned long first, unsigned long last)
{
	struct pfn_chunk *chunk = pfn_chunk_find(store, first);
	struct pfn_chunk *next;

	while (chunk && chunk->first <= last) {
		next = chunk->last < last ? to_pfn_chunk(rb_next(&chunk->node)) : NULL;
		if (!WARN_ON_ONCE(chunk->first < first || chunk->last > last)) {
			rb_erase(&chunk->node, &store->root);
			pfn_chunk_free(store, chunk);
		}
		chunk = next;
	}
}

static struct pfn_chunk *pfn_builder_new_chunk(struct pfn_builder *builder)
{
	struct pfn_chunk *chunk = builder->spare;
	unsigned long capacity;

	/* Growing begins with the inline chunk. */
	if (chunk) {
		builder->spare = NULL;
		builder->chunk_size = 2 * PFN_CHUNK_MIN_SIZE;
		return chunk;
	}
	/* A chunk that ends early says nothing about how many runs will follow. */
	if (builder->tail && builder->tail->nr_runs < builder->tail->capacity)
		builder->chunk_size = PFN_CHUNK_MIN_SIZE;
	capacity = min((builder->chunk_size - sizeof(*chunk)) / sizeof(u64), builder->max_runs);
	chunk = pfn_chunk_alloc(min(capacity, builder->last - builder->index + 1));
	if (chunk)
		builder->chunk_size = min(builder->chunk_size * 2, PFN_CHUNK_MAX_SIZE);
	return chunk;
}

/**
 * pfn_builder_init() - begin to collect runs for a hole
 * @builder: builder to initialise; must end in pfn_builder_commit() or pfn_builder_discard()
 * @store: store the runs are for
 * @first: first page index of the hole
 * @last: last page index of the hole; bounds the memory that is allocated
 *
 * Context: The caller excludes all other users of @store. Does not sleep.
 */
void pfn_builder_init(struct pfn_builder *builder, struct pfn_runs *store, unsigned long first,
		      unsigned long last)
{
	builder->store = store;
	builder->head = NULL;
	builder->tail = NULL;
	builder->spare = store->inline_claimed ? NULL : &store->inline_chunk;
	builder->index = first;
	builder->last = last;
	builder->chunk_size = PFN_CHUNK_MIN_SIZE;
	builder->max_runs = PFN_CHUNK_MAX_RUNS;
	store->inline_claimed = true;
}

/**
 * pfn_builder_add_chunk() - append pages as the first of a new chunk; use pfn_builder_add()
 * @builder: builder to append to
 * @pfn: PFN of the first page
 * @count: number of pages
 * @tag: to be remembered with the pages
 *
 * Context: As pfn_builder_add().
 * Return: 0, or -ENOMEM; then nothing has changed.
 */
int pfn_builder_add_chunk(struct pfn_builder *builder, unsigned long pfn, unsigned long count,
			  u8 tag)
{
	struct pfn_chunk *chunk = pfn_builder_new_chunk(builder);

	if (!chunk)
		return -ENOMEM;
	chunk->next = NULL;
	chunk->first = builder->index;
	chunk->last = builder->index + count - 1;
	chunk->runs[0] = pfn_run_pack(0, pfn);
	chunk->nr_runs = 1;
	chunk->tag = tag;
	if (builder->tail)
		builder->tail->next = chunk;
	else
		builder->head = chunk;
	builder->tail = chunk;
	return 0;
}

/* Hands out the chunks one by one; gives the inline chunk back if it was not needed. */
static struct pfn_chunk *pfn_builder_pop(struct pfn_builder *builder)
{
	struct pfn_chunk *chunk = builder->head;

	if (chunk)
		builder->head = chunk->next;
	else if (builder->spare)
		builder->store->inline_claimed = false;
	return chunk;
}

/**
 * pfn_builder_commit() - put the collected pages into the store
 * @builder: builder to end
 *
 * Context: The caller excludes all other users of the store, and no page of the hole has come
 *	    into it since pfn_builder_init(). Does not allocate, sleep or fail.
 */
void pfn_builder_commit(struct pfn_builder *builder)
{
	struct pfn_chunk *chunk;

	while ((chunk = pfn_builder_pop(builder)))
		pfn_chunk_link(builder->store, chunk);
}

/**
 * pfn_builder_discard() - forget the collected pages
 * @builder: builder to end
 *
 * Context: The caller excludes all other users of the store. Does not sleep.
 */
void pfn_builder_discard(struct pfn_builder *builder)
{
	struct pfn_chunk *chunk;

	while ((chunk = pfn_builder_pop(builder)))
		pfn_chunk_free(builder->store, chunk);
}
