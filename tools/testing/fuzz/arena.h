/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that programs map: a piece of each kind.
 *
 * Owns the pieces of one process. Must never know what is done with them.
 */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include "grammar.h"

#define ARENA_SIZE 0x400000UL

/**
 * struct arenas - all pieces
 * @start: By base minus FIRST_ARENA
 * @backing: Files that memory can be mapped from: memfd, one of huge pages, a file on
 *           disk, and one that cannot be used
 */
struct arenas {
	char *start[LAST_ARENA - FIRST_ARENA + 1];
	int backing[SLOTS];
};

int arenas_prepare(struct arenas *arenas);
int arenas_create(struct arenas *arenas);
uint64_t arenas_clamp(const struct arenas *arenas, unsigned int base, uint64_t *offset,
		      uint64_t length);

static inline char *arena_of(const struct arenas *arenas, unsigned int base)
{
	return arenas->start[base - FIRST_ARENA];
}

#endif
