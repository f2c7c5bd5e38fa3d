/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs that were worth keeping.
 *
 * Owns the programs in memory and their files. Must never know why they were kept.
 */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include "program.h"

struct corpus {
	unsigned int count;
	struct program **programs;
};

int corpus_load(struct corpus *corpus, const char *directory);
int corpus_add(struct corpus *corpus, const struct program *program);
int corpus_save(const struct program *program, const char *directory, const char *name,
		const char *comment);

#endif
