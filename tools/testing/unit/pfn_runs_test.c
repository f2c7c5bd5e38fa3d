// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the store of PFNs: its costs, its limits, and a random run against a model. */
#include <errno.h>

#include <linux/bits.h>

#include "lib/pfn_runs.h"
#include "unit.h"

#define GIGABYTE_PAGES	BIT(18)

/* Pages from @first to @last whose PFNs are never contiguous. */
static void add_scattered(struct pfn_runs *store, unsigned long first, unsigned long last)
{
	struct pfn_builder builder;

	pfn_builder_init(&builder, store, first, last);
	for (unsigned long index = first; index <= last; index++)
		CHECK(!pfn_builder_add(&builder, 2 * index, 1, 0));
	pfn_builder_commit(&builder);
}

static void add_one(struct pfn_runs *store, unsigned long index, unsigned long pfn,
		    unsigned long count)
{
	struct pfn_builder builder;

	pfn_builder_init(&builder, store, index, index + count - 1);
	CHECK(!pfn_builder_add(&builder, pfn, count, 0));
	pfn_builder_commit(&builder);
}

static unsigned long count_runs(struct pfn_runs *store)
{
	struct pfn_runs_iter iter;
	unsigned long runs = 0;

	pfn_runs_for_each(store, &iter, 0, ULONG_MAX)
		runs++;
	return runs;
}

static bool is_run(const struct pfn_run *run, unsigned long index, unsigned long pfn,
		   unsigned long count, u8 tag)
{
	return run->index == index && run->pfn == pfn && run->count == count && run->tag == tag;
}

static void few_runs_need_no_allocation(void)
{
	struct pfn_builder builder;
	struct pfn_runs store;

	pfn_runs_init(&store);
	for (int round = 0; round < 3; round++) {
		pfn_builder_init(&builder, &store, 0, GIGABYTE_PAGES - 1);
		for (int i = 0; i < PFN_RUNS_INLINE; i++)
			CHECK(!pfn_builder_add(&builder, 1000 * i, 100, 0));
		pfn_builder_commit(&builder);
		CHECK(count_runs(&store) == PFN_RUNS_INLINE);
		pfn_runs_erase(&store, 0, GIGABYTE_PAGES - 1);
		CHECK(pfn_runs_empty(&store));
	}
	CHECK(!unit.allocations);
}

static void discard_gives_the_inline_chunk_back(void)
{
	struct pfn_builder builder;
	struct pfn_runs store;

	pfn_runs_init(&store);
	pfn_builder_init(&builder, &store, 0, 9);
	CHECK(!pfn_builder_add(&builder, 7, 1, 0));
	pfn_builder_discard(&builder);
	pfn_builder_init(&builder, &store, 0, 9);
	pfn_builder_commit(&builder);
	add_one(&store, 0, 7, 1);
	CHECK(!unit.allocations);
	pfn_runs_destroy(&store);
}

static void contiguous_pages_are_one_run(void)
{
	struct pfn_builder builder;
	struct pfn_runs store;
	struct pfn_run run;

	pfn_runs_init(&store);
	pfn_builder_init(&builder, &store, 5, 4 * GIGABYTE_PAGES);
	for (unsigned long i = 0; i < GIGABYTE_PAGES; i++)
		CHECK(!pfn_builder_add(&builder, 1000 + i, 1, 1));
	CHECK(!pfn_builder_add(&builder, 1000 + GIGABYTE_PAGES, 1, 2));
	pfn_builder_commit(&builder);

	CHECK(count_runs(&store) == 2);
	CHECK(pfn_runs_lookup(&store, GIGABYTE_PAGES, &run));
	CHECK(is_run(&run, 5, 1000, GIGABYTE_PAGES, 1));
	CHECK(pfn_runs_lookup(&store, GIGABYTE_PAGES + 5, &run));
	CHECK(is_run(&run, GIGABYTE_PAGES + 5, 1000 + GIGABYTE_PAGES, 1, 2));
	pfn_runs_destroy(&store);
}

static void a_run_may_be_of_any_length(void)
{
	const unsigned long count = BIT(39);
	struct pfn_builder builder;
	struct pfn_runs store;
	struct pfn_run run;

	pfn_runs_init(&store);
	pfn_builder_init(&builder, &store, 0, 2 * count - 1);
	CHECK(!pfn_builder_add(&builder, count, count, 0));
	CHECK(!pfn_builder_add(&builder, 0, count, 0));
	pfn_builder_commit(&builder);

	CHECK(pfn_runs_lookup(&store, count - 1, &run) && is_run(&run, 0, count, count, 0));
	CHECK(pfn_runs_lookup(&store, count, &run) && is_run(&run, count, 0, count, 0));
	CHECK(!pfn_runs_cut(&store, count - 1));
	CHECK(pfn_runs_lookup(&store, count - 1, &run));
	CHECK(is_run(&run, count - 1, 2 * count - 1, 1, 0));
	pfn_runs_erase(&store, 0, count - 2);
	CHECK(count_runs(&store) == 2);
	pfn_runs_destroy(&store);
}

static void scattered_pages_cost_8_bytes_and_a_little(void)
{
	struct pfn_runs store;

	pfn_runs_init(&store);
	for (unsigned long pages = 1; pages <= GIGABYTE_PAGES; pages = pages * 5 / 4 + 1) {
		add_scattered(&store, 0, pages - 1);
		CHECK(count_runs(&store) == pages);
		CHECK(unit.bytes <= pages * 82 / 10 + 400);
		pfn_runs_erase(&store, 0, pages - 1);
		CHECK(!unit.bytes);
	}
}

static void one_page_costs_no_large_chunk(void)
{
	struct pfn_builder builder;
	struct pfn_runs store;

	/* Tags that alternate leave every chunk with a single run. */
	pfn_runs_init(&store);
	pfn_builder_init(&builder, &store, 0, 999);
	for (unsigned long i = 0; i < 1000; i++)
		CHECK(!pfn_builder_add(&builder, 2 * i, 1, i & 1));
	pfn_builder_commit(&builder);
	CHECK(unit.bytes <= 1000 * 128);
	pfn_runs_destroy(&store);
}

static void cuts_cost_only_what_they_make(void)
{
	const unsigned long pages = 20000;
	struct pfn_runs store;

	pfn_runs_init(&store);
	add_scattered(&store, 0, pages - 1);
	for (unsigned long index = 0; index <= pages; index++)
		CHECK(!pfn_runs_cut(&store, index));
	CHECK(count_runs(&store) == pages);
	CHECK(unit.bytes <= pages * (sizeof(struct pfn_chunk) + 2 * 8 + 1));
	for (unsigned long index = 0; index < pages; index += 2)
		pfn_runs_erase(&store, index, index);
	CHECK(count_runs(&store) == pages / 2);
	pfn_runs_destroy(&store);
}

static void a_cut_that_fails_changes_nothing(void)
{
	struct pfn_runs store;
	struct pfn_run run;

	pfn_runs_init(&store);
	add_one(&store, 100, 1, 50);
	unit.fail_after = 0;
	CHECK(!pfn_runs_cut(&store, 100));
	CHECK(!pfn_runs_cut(&store, 150));
	CHECK(!pfn_runs_cut(&store, 0));
	CHECK(!unit.failed);
	CHECK(pfn_runs_cut(&store, 101) == -ENOMEM);
	CHECK(pfn_runs_lookup(&store, 149, &run) && is_run(&run, 100, 1, 50, 0));
	CHECK(!pfn_runs_cut(&store, 101));
	CHECK(pfn_runs_lookup(&store, 149, &run) && is_run(&run, 101, 2, 49, 0));
	pfn_runs_destroy(&store);
}

static void an_add_that_fails_changes_nothing(void)
{
	struct pfn_builder builder;
	struct pfn_runs_iter iter;
	struct pfn_runs store;
	unsigned long runs = 0;

	pfn_runs_init(&store);
	pfn_builder_init(&builder, &store, 0, 99);
	for (unsigned long i = 0; i < PFN_RUNS_INLINE; i++)
		CHECK(!pfn_builder_add(&builder, 2 * i, 1, 0));
	unit.fail_after = 0;
	CHECK(pfn_builder_add(&builder, 100, 1, 0) == -ENOMEM);
	pfn_builder_for_each(&builder, &iter) {
		CHECK(is_run(&iter.run, runs, 2 * runs, 1, 0));
		runs++;
	}
	CHECK(runs == PFN_RUNS_INLINE);
	CHECK(!pfn_builder_add(&builder, 200, 1, 0));
	pfn_builder_commit(&builder);
	CHECK(count_runs(&store) == PFN_RUNS_INLINE + 1);
	pfn_runs_destroy(&store);
}

static void an_erase_without_cuts_warns_and_keeps(void)
{
	struct pfn_runs store;

	pfn_runs_init(&store);
	add_one(&store, 100, 1, 50);
	unit.warnings_expected = 2;
	pfn_runs_erase(&store, 100, 148);
	pfn_runs_erase(&store, 101, 149);
	CHECK(count_runs(&store) == 1);
	pfn_runs_erase(&store, 0, ULONG_MAX);
	CHECK(pfn_runs_empty(&store));
}

static void the_last_index_and_pfn_can_be_stored(void)
{
	const unsigned long index = BIT(52) - 1, pfn = BIT(40) - 1;
	unsigned long hole_first, hole_last;
	struct pfn_runs store;
	struct pfn_run run;

	pfn_runs_init(&store);
	add_one(&store, index, pfn, 1);
	CHECK(pfn_runs_lookup(&store, index, &run) && is_run(&run, index, pfn, 1, 0));
	CHECK(!pfn_runs_next_hole(&store, index, index, &hole_first, &hole_last));
	CHECK(pfn_runs_next_hole(&store, 0, index, &hole_first, &hole_last));
	CHECK(hole_first == 0 && hole_last == index - 1);
	pfn_runs_destroy(&store);
}

static void random_operations_match_an_array(void)
{
	unit_random_runs(pfn_runs_model);
}

const struct unit_test pfn_runs_tests[] = {
	{ "pfn_runs: few runs need no allocation", few_runs_need_no_allocation },
	{ "pfn_runs: discard gives the inline chunk back", discard_gives_the_inline_chunk_back },
	{ "pfn_runs: contiguous pages are one run", contiguous_pages_are_one_run },
	{ "pfn_runs: a run may be of any length", a_run_may_be_of_any_length },
	{ "pfn_runs: scattered pages cost 8 bytes and a little",
	  scattered_pages_cost_8_bytes_and_a_little },
	{ "pfn_runs: one page costs no large chunk", one_page_costs_no_large_chunk },
	{ "pfn_runs: cuts cost only what they make", cuts_cost_only_what_they_make },
	{ "pfn_runs: a cut that fails changes nothing", a_cut_that_fails_changes_nothing },
	{ "pfn_runs: an add that fails changes nothing", an_add_that_fails_changes_nothing },
	{ "pfn_runs: an erase without cuts warns and keeps",
	  an_erase_without_cuts_warns_and_keeps },
	{ "pfn_runs: the last index and PFN can be stored", the_last_index_and_pfn_can_be_stored },
	{ "pfn_runs: random operations match an array", random_operations_match_an_array },
	{ }
};
