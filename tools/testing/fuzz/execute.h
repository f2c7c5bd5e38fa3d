/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a program, in a process of its own.
 *
 * Owns that process, its helper thread and the results. Must never know where programs
 * come from.
 */
#ifndef FUZZ_EXECUTE_H
#define FUZZ_EXECUTE_H

#include "arena.h"
#include "program.h"

/* The result of a call that was not made. */
#define NOT_MADE (-2)

/**
 * struct execution - what the process shares with the one that started it
 * @results: Of each call: 0, an errno, or NOT_MADE
 * @slots: Results of calls, by sort
 * @pinned: KiB that the process had pinned when all files were closed
 * @locked: Likewise locked
 * @charged: Whether its user was still charged for memory
 */
struct execution {
	int results[MAX_CALLS];
	uint64_t slots[BASES][SLOTS];
	long pinned;
	long locked;
	bool charged;
};

/**
 * enum outcome - how it ended
 * @OUTCOME_DONE: As it should
 * @OUTCOME_SLOW: It took too long and could be killed
 * @OUTCOME_STUCK: It cannot be killed
 * @OUTCOME_DIED: By a signal
 * @OUTCOME_UNEXPECTED: A call had another result than the program says
 * @OUTCOME_LEFT: The process still had memory pinned or locked
 */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_SLOW,
	OUTCOME_STUCK,
	OUTCOME_DIED,
	OUTCOME_UNEXPECTED,
	OUTCOME_LEFT,
};

extern const char *const outcome_names[];

struct execution *execute_prepare(void);
enum outcome execute(struct execution *execution, const struct program *program,
		     unsigned int seconds);

#endif
