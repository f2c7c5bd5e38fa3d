/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the plain data structures run in.
 *
 * Owns the checks, the simulated kernel allocator and the choices that random tests and
 * fuzzers make.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/compiler.h>
#include <linux/types.h>

/**
 * struct unit_test - a test case; each runs in a process of its own
 * @name: what it shows
 * @run: does it; returns if all is well
 */
struct unit_test {
	const char *name;
	void (*run)(void);
};

/* The tests of a file, ended by an entry without a name. */
extern const struct unit_test pfn_runs_tests[];
extern const struct unit_test iova_tree_tests[];
extern const struct unit_test iova_alloc_tests[];
extern const struct unit_test iova_bitmap_tests[];
extern const struct unit_test io_dirty_tests[];

/**
 * CHECK() - end the test as failed unless a condition holds
 * @condition: what has to be true
 */
#define CHECK(condition) ({						\
	if (!(condition))						\
		unit_fail(#condition, __FILE__, __LINE__);		\
})

void __noreturn unit_fail(const char *what, const char *file, int line);
void unit_reset(u64 seed);
void unit_warn(const char *file, int line);
void *unit_alloc(size_t size);
void *unit_zalloc(size_t size);
void unit_free(void *object);

/**
 * struct unit_state - what the simulated kernel counts and can be told
 * @allocations: calls of kmalloc(), failed ones too
 * @bytes: memory allocated now, as asked for
 * @fail_after: kmalloc() calls until the one that fails; negative: none fails
 * @failed: kmalloc() calls that were made to fail
 * @warnings_expected: warnings that have to come, and do not end the test
 * @seed: seed of the random run, 0 if it is not random
 */
struct unit_state {
	unsigned long allocations;
	unsigned long bytes;
	long fail_after;
	unsigned long failed;
	unsigned int warnings_expected;
	u64 seed;
};

extern struct unit_state unit;

/**
 * struct choices - a source of decisions: random, or the input of a fuzzer
 * @random: state of the generator, when @data is NULL
 * @left: decisions, or bytes of @data, that are left
 * @data: input of a fuzzer
 */
struct choices {
	u64 random;
	size_t left;
	const u8 *data;
};

u64 choose(struct choices *choices, u64 below);
u64 choose_bits(struct choices *choices);
bool choose_one_in(struct choices *choices, unsigned int n);
void unit_random_runs(void (*model)(struct choices *choices));

/* Model tests: compare a structure with a naive one until the choices end. */
void pfn_runs_model(struct choices *choices);
void iova_tree_model(struct choices *choices);
void iova_alloc_model(struct choices *choices);
void iova_bitmap_model(struct choices *choices);
void io_dirty_model(struct choices *choices);

#endif
