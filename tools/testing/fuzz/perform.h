/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making one call.
 *
 * Owns the memory for its argument. Must never know which calls come before or after.
 */
#ifndef FUZZ_PERFORM_H
#define FUZZ_PERFORM_H

#include "execute.h"

/**
 * struct performer - what a thread needs to make calls
 * @execution: Where results go
 * @arenas: The memory of the process
 * @argument: Room for the argument, writable
 * @argument_read_only: The same
 * @payload: Room for the payload
 * @fail_nth: File that has something fail, -1 if the kernel cannot
 */
struct performer {
	struct execution *execution;
	struct arenas *arenas;
	char *argument;
	char *argument_read_only;
	char *payload;
	int fail_nth;
};

int performer_create(struct performer *performer, struct execution *execution,
		     struct arenas *arenas);
void performer_start(struct performer *performer);
int perform(struct performer *performer, const struct call *call);

#endif
