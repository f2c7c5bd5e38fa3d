/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program has reached that none has before.
 *
 * Owns the kernel's trace of places (KCOV), where it has one, and the set of features
 * seen: pairs of places that follow each other, and calls with their results. Must
 * never know what a program is.
 */
#ifndef FUZZ_COVERAGE_H
#define FUZZ_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#define COVERAGE_THREADS 2
#define FEATURES 0x100000U

/* A set of features. */
struct features {
	uint8_t bits[FEATURES / 8];
	unsigned int count;
};

bool coverage_open(void);
void coverage_start(unsigned int thread);
void coverage_reset(void);
void coverage_collect(struct features *features);
unsigned int coverage_places(void);

uint32_t feature_hash(uint64_t a, uint64_t b);
bool features_add(struct features *features, uint32_t feature);
unsigned int features_merge(struct features *into, const struct features *from);
unsigned int features_missing(const struct features *all, const struct features *some);

#endif
