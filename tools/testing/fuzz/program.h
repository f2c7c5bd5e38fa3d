/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program: calls in a row, and how they are written down.
 *
 * One line is one call:
 *
 *	hwpt.1 = TEST_MOCK_DOMAIN file.0 id=ioas.0 -> ENOENT
 *
 * reads: the call TEST_MOCK_DOMAIN of the grammar on the first file, with the result
 * of the sort "ioas" in slot 0 as id; results go to slots 1 of their sorts; it has to
 * fail with ENOENT. Fields that are not named are 0, or the structure's size. A value
 * is a number, or a result or piece of memory with a number added: iova.2+0x1000,
 * thp+0x800. Further words:
 *
 *	&		in the helper thread, while the program goes on
 *	size=N		what the caller says the structure's size is
 *	payload=A,B,C	words of the data that some field's value "payload" points at
 *	place=WHERE	where the structure lies, see enum place
 *	fail=N		have the Nth allocation, or other place that can fail, do so
 *
 * Lines that start with # are comments. Must never know how calls are made.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdio.h>

#include "grammar.h"

#define MAX_CALLS 48
#define MAX_PAYLOAD 12

/* A result that nobody has asked for. */
#define ANY_RESULT (-1)

/**
 * struct value - what a field has
 * @base: What it is counted from, enum base
 * @slot: For results: which of the sort
 * @number: Added to that
 */
struct value {
	uint8_t base;
	uint8_t slot;
	uint64_t number;
};

/**
 * enum place - where the kernel finds the argument
 * @PLACE_EDGE: In front of a page that does not exist
 * @PLACE_ROOM: With zeros behind it
 * @PLACE_CUT: Its last bytes do not exist
 * @PLACE_READ_ONLY: Where nothing can be written
 * @PLACE_NOWHERE: Not there at all
 */
enum place {
	PLACE_EDGE,
	PLACE_ROOM,
	PLACE_CUT,
	PLACE_READ_ONLY,
	PLACE_NOWHERE,
	PLACES,
};

/**
 * struct call - one line
 * @operation: What is called
 * @helper: In the helper thread
 * @on: What on
 * @out: Slot for the results
 * @place: Where the argument is
 * @fail: Which place that can fail has to, from 1; 0: none
 * @expect: What it has to return, 0 or an errno, or ANY_RESULT
 * @fields: Values of the fields
 * @payload: Words of the payload
 * @payload_words: How many
 */
struct call {
	const struct operation *operation;
	bool helper;
	struct value on;
	uint8_t out;
	uint8_t place;
	uint16_t fail;
	int expect;
	struct value fields[MAX_FIELDS];
	struct value payload[MAX_PAYLOAD];
	uint8_t payload_words;
};

struct program {
	unsigned int count;
	struct call calls[MAX_CALLS];
};

void program_write(FILE *file, const struct program *program);
void program_write_call(FILE *file, const struct call *call);
int program_read(FILE *file, struct program *program);
int program_load(const char *path, struct program *program);
void program_remove(struct program *program, unsigned int call);

struct call call_of(const struct operation *operation);

#endif
