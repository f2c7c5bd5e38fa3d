/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PFNs of a range of memory, by page index, run-length coded.
 *
 * Owns the memory that the PFNs are kept in. It must never know what a PFN
 * refers to, who pins it, or what a tag means: whoever adds a PFN has pinned
 * it, and whoever erases it has unpinned it before.
 *
 * A run is a number of pages whose indexes and PFNs both count up by one. Runs
 * lie packed, 8 bytes each, in chunks: arrays that cover a span of indexes
 * without holes. The chunks of a store are disjoint and sit in a tree. A few
 * runs fit into the store itself, so the common case allocates nothing.
 *
 * New runs are collected by a builder, which needs no lock and can run out of
 * memory, and then committed to the store, which needs the lock and cannot
 * fail. Ranges are erased along cuts, which are made early and may fail, so
 * that erasing cannot.
 *
 * Plain data structure: no locks; it is tested in user space.
 */
#ifndef IOMMUFD_PFN_RUNS_H
#define IOMMUFD_PFN_RUNS_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/*
 * A packed run: its PFN below, above it the distance of its first index from that of its chunk.
 * The last run of a chunk may be of any length, as nothing is packed that comes after it.
 */
#define PFN_RUN_PFN_BITS	40
#define PFN_RUN_PFN_MASK	((1ULL << PFN_RUN_PFN_BITS) - 1)
#define PFN_RUN_MAX_OFFSET	((1UL << (64 - PFN_RUN_PFN_BITS)) - 1)

/* Runs kept in the store itself. */
#define PFN_RUNS_INLINE		4

/**
 * struct pfn_chunk - consecutive runs, private to the store
 * @node: link in the tree of a store
 * @next: link in the list of a builder
 * @first: first page index covered
 * @last: last page index covered
 * @runs: packed runs, ascending; each ends where the next one begins, the last one at @last
 * @nr_runs: number of runs, at least 1
 * @capacity: room in @runs
 * @tag: tag of all the runs
 */
struct pfn_chunk {
	union {
		struct rb_node node;
		struct pfn_chunk *next;
	};
	unsigned long first;
	unsigned long last;
	u64 *runs;
	u16 nr_runs;
	u16 capacity;
	u8 tag;
};

/**
 * struct pfn_runs - a store: sparse map from page index to PFN
 * @root: the chunks, by ascending index
 * @inline_chunk: a chunk that needs no allocation
 * @inline_runs: the runs of @inline_chunk
 * @inline_claimed: @inline_chunk belongs to a builder, or is linked in @root
 */
struct pfn_runs {
	struct rb_root root;
	struct pfn_chunk inline_chunk;
	u64 inline_runs[PFN_RUNS_INLINE];
	bool inline_claimed;
};

/**
 * struct pfn_run - pages with consecutive indexes and consecutive PFNs
 * @index: first page index
 * @pfn: PFN of the page at @index
 * @count: number of pages, not 0
 * @tag: what the adder of the pages wanted to remember
 */
struct pfn_run {
	unsigned long index;
	unsigned long pfn;
	unsigned long count;
	u8 tag;
};

/**
 * struct pfn_runs_iter - position of a walk over runs
 * @run: the current run, clipped to the range walked
 * @chunk: private: the chunk that holds it
 * @next: private: position in @chunk of the run after it
 * @last: private: last index of the range walked
 */
struct pfn_runs_iter {
	struct pfn_run run;
	struct pfn_chunk *chunk;
	unsigned int next;
	unsigned long last;
};

/**
 * struct pfn_builder - runs on their way into one hole of a store, in ascending order
 * @store: store they are for
 * @head: first chunk, NULL if nothing was added
 * @tail: chunk that is being filled, NULL if nothing was added
 * @spare: the inline chunk of the store if it is claimed, but not in use yet
 * @index: page index that is added next
 * @last: last page index of the hole
 * @next_pfn: PFN that would continue the last run
 * @chunk_size: bytes of the next chunk to allocate
 * @max_runs: most runs that a chunk is allocated for; the owner may lower it, to at least 1
 */
struct pfn_builder {
	struct pfn_runs *store;
	struct pfn_chunk *head;
	struct pfn_chunk *tail;
	struct pfn_chunk *spare;
	unsigned long index;
	unsigned long last;
	unsigned long next_pfn;
	unsigned int chunk_size;
	unsigned long max_runs;
};

void pfn_runs_init(struct pfn_runs *store);
void pfn_runs_destroy(struct pfn_runs *store);

bool pfn_runs_lookup(const struct pfn_runs *store, unsigned long index, struct pfn_run *run);
bool pfn_runs_next_hole(const struct pfn_runs *store, unsigned long first, unsigned long last,
			unsigned long *hole_first, unsigned long *hole_last);

int __must_check pfn_runs_cut(struct pfn_runs *store, unsigned long index);
void pfn_runs_erase(struct pfn_runs *store, unsigned long first, unsigned long last);

void pfn_builder_init(struct pfn_builder *builder, struct pfn_runs *store, unsigned long first,
		      unsigned long last);
int __must_check pfn_builder_add_chunk(struct pfn_builder *builder, unsigned long pfn,
				       unsigned long count, u8 tag);
void pfn_builder_commit(struct pfn_builder *builder);
void pfn_builder_discard(struct pfn_builder *builder);

/**
 * pfn_runs_empty() - tell whether a store holds no page
 * @store: store to look at
 *
 * Return: true if no page is in @store; pages of builders do not count.
 */
static inline bool pfn_runs_empty(const struct pfn_runs *store)
{
	return RB_EMPTY_ROOT(&store->root);
}

/* The rest adds and walks over runs, inline because callers do little else for a run. */

static inline u64 pfn_run_pack(unsigned long offset, unsigned long pfn)
{
	return ((u64)offset << PFN_RUN_PFN_BITS) | pfn;
}

/* Adds pages to the chunk that is being filled; false if they need a chunk of their own. */
static inline bool pfn_builder_append(struct pfn_builder *builder, unsigned long pfn,
				      unsigned long count, u8 tag)
{
	struct pfn_chunk *chunk = builder->tail;

	if (!chunk || chunk->tag != tag)
		return false;
	if (pfn != builder->next_pfn) {
		unsigned long offset = builder->index - chunk->first;

		if (chunk->nr_runs == chunk->capacity || offset > PFN_RUN_MAX_OFFSET)
			return false;
		chunk->runs[chunk->nr_runs++] = pfn_run_pack(offset, pfn);
	}
	chunk->last += count;
	return true;
}

/**
 * pfn_builder_add() - append pages
 * @builder: builder to append to
 * @pfn: PFN of the first page; all PFNs must be below 2^40
 * @count: number of pages with ascending PFNs, not 0, at most what is left of the hole
 * @tag: to be remembered with the pages
 *
 * The pages join the run before them if their PFNs continue it and the tag is the same.
 *
 * Context: Uses no more of the store than the builder has claimed: needs none of its locks.
 *	    May sleep.
 * Return: 0, or -ENOMEM; then nothing has changed.
 */
static inline int __must_check pfn_builder_add(struct pfn_builder *builder, unsigned long pfn,
					       unsigned long count, u8 tag)
{
	if (!pfn_builder_append(builder, pfn, count, tag)) {
		int rc = pfn_builder_add_chunk(builder, pfn, count, tag);

		if (rc)
			return rc;
	}
	builder->index += count;
	builder->next_pfn = pfn + count;
	return 0;
}

static inline unsigned long pfn_chunk_run_index(const struct pfn_chunk *chunk, unsigned int pos)
{
	return chunk->first + (chunk->runs[pos] >> PFN_RUN_PFN_BITS);
}

/* Makes the run at iter->next the current one; false at the end of the chunk or the range. */
static inline bool pfn_runs_iter_step(struct pfn_runs_iter *iter)
{
	const struct pfn_chunk *chunk = iter->chunk;
	unsigned int pos = iter->next;
	unsigned long index, last;

	if (pos >= chunk->nr_runs)
		return false;
	index = pfn_chunk_run_index(chunk, pos);
	if (index > iter->last)
		return false;

	iter->next = pos + 1;
	last = pos + 1 < chunk->nr_runs ? pfn_chunk_run_index(chunk, pos + 1) - 1 : chunk->last;
	iter->run.index = index;
	iter->run.pfn = chunk->runs[pos] & PFN_RUN_PFN_MASK;
	iter->run.count = min(last, iter->last) - index + 1;
	return true;
}

static inline bool pfn_runs_iter_enter(struct pfn_runs_iter *iter, struct pfn_chunk *chunk,
				       unsigned int pos)
{
	if (!chunk)
		return false;
	iter->chunk = chunk;
	iter->next = pos;
	iter->run.tag = chunk->tag;
	return pfn_runs_iter_step(iter);
}

/*
 * These two take no pointer to the iterator: as long as no function that is not inline does, the
 * compiler keeps it in registers, which halves the cost of a run.
 */
struct pfn_chunk *pfn_runs_seek(const struct pfn_runs *store, unsigned long index,
				unsigned int *pos);
struct pfn_chunk *pfn_chunk_next(const struct pfn_chunk *chunk);

static inline struct pfn_runs_iter *pfn_runs_iter_first(const struct pfn_runs *store,
							struct pfn_runs_iter *iter,
							unsigned long first, unsigned long last)
{
	struct pfn_chunk *chunk;
	unsigned int pos;

	chunk = pfn_runs_seek(store, first, &pos);
	iter->last = last;
	if (!pfn_runs_iter_enter(iter, chunk, pos))
		return NULL;
	if (iter->run.index < first) {
		iter->run.pfn += first - iter->run.index;
		iter->run.count -= first - iter->run.index;
		iter->run.index = first;
	}
	return iter;
}

static inline struct pfn_runs_iter *pfn_runs_iter_next(struct pfn_runs_iter *iter)
{
	if (pfn_runs_iter_step(iter))
		return iter;
	if (iter->chunk->last >= iter->last)
		return NULL;
	return pfn_runs_iter_enter(iter, pfn_chunk_next(iter->chunk), 0) ? iter : NULL;
}

static inline struct pfn_runs_iter *pfn_builder_iter_first(const struct pfn_builder *builder,
							   struct pfn_runs_iter *iter)
{
	iter->last = builder->last;
	return pfn_runs_iter_enter(iter, builder->head, 0) ? iter : NULL;
}

static inline struct pfn_runs_iter *pfn_builder_iter_next(struct pfn_runs_iter *iter)
{
	if (pfn_runs_iter_step(iter) || pfn_runs_iter_enter(iter, iter->chunk->next, 0))
		return iter;
	return NULL;
}

/**
 * pfn_runs_for_each() - walk the runs of a range of a store, ascending
 * @store: store to walk; must not change meanwhile
 * @iter: struct pfn_runs_iter *, whose run member is the current run
 * @first: first page index; the first run is clipped to it
 * @last: last page index; the last run is clipped to it
 *
 * Skips holes. Two runs may be contiguous in index and PFN all the same. Takes
 * O(log n) to begin and constant time a run.
 */
#define pfn_runs_for_each(store, iter, first, last)					\
	for (struct pfn_runs_iter *__iter = pfn_runs_iter_first(store, iter, first, last); \
	     __iter; __iter = pfn_runs_iter_next(__iter))

/**
 * pfn_builder_for_each() - walk the runs that a builder has collected, ascending
 * @builder: builder, neither committed nor discarded
 * @iter: struct pfn_runs_iter *, whose run member is the current run
 */
#define pfn_builder_for_each(builder, iter)						\
	for (struct pfn_runs_iter *__iter = pfn_builder_iter_first(builder, iter);	\
	     __iter; __iter = pfn_builder_iter_next(__iter))

#endif
