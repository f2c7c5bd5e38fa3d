// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of the plain data structures run in.
 *
 * A check that fails aborts: the fuzzers want that, and the runner sees it as
 * the death of the process of the test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

struct unit_state unit = { .fail_after = -1 };

/**
 * unit_fail() - end the test as failed
 * @what: the condition that does not hold
 * @file: source file of the check
 * @line: line of the check
 */
void unit_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	if (unit.seed)
		fprintf(stderr, "UNIT_SEED=%llu makes this the first random run\n",
			(unsigned long long)unit.seed);
	abort();
}

/**
 * unit_reset() - forget what was counted and told, for a new run
 * @seed: seed of the run, for the report of a failure; 0: it is not random
 */
void unit_reset(u64 seed)
{
	unit = (struct unit_state){ .fail_after = -1, .seed = seed };
}

/**
 * unit_warn() - the kernel would print a warning now
 * @file: source file of the warning
 * @line: line of the warning
 */
void unit_warn(const char *file, int line)
{
	if (!unit.warnings_expected--)
		unit_fail("no kernel warning", file, line);
}

/* Each object is led by its size, at the alignment that malloc() keeps. */
#define UNIT_OBJECT_HEADER	16

/**
 * unit_alloc() - kmalloc() for tests
 * @size: bytes
 *
 * The memory holds no zeros, so that users that forget to initialise it show.
 *
 * Return: the object, or NULL if it is time to fail.
 */
void *unit_alloc(size_t size)
{
	char *object;

	unit.allocations++;
	if (unit.fail_after >= 0 && !unit.fail_after--) {
		unit.failed++;
		return NULL;
	}
	object = malloc(UNIT_OBJECT_HEADER + size);
	if (!object)
		unit_fail("enough memory", __FILE__, __LINE__);
	memset(object, 0xa5, UNIT_OBJECT_HEADER + size);
	memcpy(object, &size, sizeof(size));
	unit.bytes += size;
	return object + UNIT_OBJECT_HEADER;
}

/**
 * unit_zalloc() - kzalloc() for tests
 * @size: bytes
 *
 * Return: the object, zeroed, or NULL if it is time to fail.
 */
void *unit_zalloc(size_t size)
{
	void *object = unit_alloc(size);

	return object ? memset(object, 0, size) : NULL;
}

/**
 * unit_free() - kfree() for tests
 * @object: object to free, or NULL
 */
void unit_free(void *object)
{
	size_t size;

	if (!object)
		return;
	object = (char *)object - UNIT_OBJECT_HEADER;
	memcpy(&size, object, sizeof(size));
	unit.bytes -= size;
	free(object);
}

static u64 choose_random(struct choices *choices)
{
	u64 bits = choices->random += 0x9e3779b97f4a7c15;

	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
	return bits ^ (bits >> 31);
}

/* As many bytes of input as the choice needs: small inputs then go a long way. */
static u64 choose_input(struct choices *choices, u64 below)
{
	u64 bits = 0;

	while (below && choices->left) {
		bits = bits << 8 | *choices->data++;
		choices->left--;
		below >>= 8;
	}
	return bits;
}

/**
 * choose() - make a decision
 * @choices: where it comes from
 * @below: number of alternatives, not 0
 *
 * Return: a number below @below; 0 when the input of a fuzzer has come to its end.
 */
u64 choose(struct choices *choices, u64 below)
{
	if (choices->data)
		return choose_input(choices, below - 1) % below;
	if (choices->left)
		choices->left--;
	return choose_random(choices) % below;
}

/**
 * choose_bits() - choose a number without bounds, of any magnitude
 * @choices: where it comes from
 *
 * Return: a number; small ones are as likely as large ones.
 */
u64 choose_bits(struct choices *choices)
{
	unsigned int shift = choose(choices, 64);

	return (choose(choices, UINT64_MAX) << 1 | 1) >> shift;
}

/**
 * choose_one_in() - decide whether something rare happens
 * @choices: where the decision comes from
 * @n: it happens one time in @n
 *
 * Return: true if it happens.
 */
bool choose_one_in(struct choices *choices, unsigned int n)
{
	return choose(choices, n) == n - 1;
}
