/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs out of nothing, and out of others.
 *
 * Everything is a function of the random numbers, so a seed names a program.
 */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "program.h"

struct random {
	uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t limit);

/* Is it one of @of, on average? */
static inline bool one_in(struct random *random, uint32_t of)
{
	return !random_below(random, of);
}

void generate_program(struct random *random, struct program *program);
void generate_mutation(struct random *random, struct program *program,
		       const struct program *other);

#endif
