/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzer knows of the calls it makes.
 *
 * Owns the words of that knowledge; grammar.c has the table.
 */
#ifndef FUZZ_GRAMMAR_H
#define FUZZ_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most fields that a structure has, and the most results. */
#define MAX_FIELDS 12
#define MAX_OUTPUTS 3

/**
 * enum base - what a value is counted from
 * @BASE_NUMBER: Nothing: the value is a number
 * @BASE_PAYLOAD: The address of the data that goes with the call
 *
 * The others are results of earlier calls, of which a program can keep SLOTS of each
 * sort, and pieces of memory, by their address.
 */
enum base {
	BASE_NUMBER,
	BASE_PAYLOAD,

	BASE_CONTEXT,
	BASE_ACCESS,
	BASE_FAULT_FD,
	BASE_VEVENT_FD,
	BASE_DMABUF,
	BASE_BACKING,

	BASE_IOAS,
	BASE_HWPT,
	BASE_DEVICE,
	BASE_MOCK,
	BASE_FAULT,
	BASE_VIOMMU,
	BASE_VDEVICE,
	BASE_VEVENTQ,
	BASE_HW_QUEUE,

	BASE_PIN,
	BASE_IOVA,
	BASE_OFFSET,
	BASE_REGION,

	BASE_ANONYMOUS,
	BASE_COPIED,
	BASE_THP,
	BASE_HUGETLB,
	BASE_MEMFD,
	BASE_HUGE_MEMFD,
	BASE_READ_ONLY,
	BASE_HOLES,
	BASE_DISK,
	BASES,
};

#define FIRST_RESULT BASE_CONTEXT
#define LAST_RESULT BASE_REGION
#define FIRST_ARENA BASE_ANONYMOUS
#define LAST_ARENA BASE_DISK
#define SLOTS 4

#define SET(_base) (1U << BASE_##_base)
#define SET_FDS (SET(CONTEXT) | SET(ACCESS) | SET(FAULT_FD) | SET(VEVENT_FD) | SET(DMABUF))
#define SET_IDS (SET(IOAS) | SET(HWPT) | SET(DEVICE) | SET(MOCK) | SET(FAULT) | SET(VIOMMU) | \
		 SET(VDEVICE) | SET(VEVENTQ) | SET(HW_QUEUE))

/**
 * enum kind - how a field is given a value
 * @KIND_CONSTANT: &field.number, hardly ever anything else
 * @KIND_SMALL: Up to &field.number
 * @KIND_MASK: Some of the bits of &field.number
 * @KIND_CHOICE: One of &field.choices
 * @KIND_SIZE: The size of the structure
 * @KIND_RESERVED: 0
 * @KIND_RESULT: A result of one of the sorts in &field.set
 * @KIND_ADDRESS: An address in memory
 * @KIND_OPTIONAL: The same or 0
 * @KIND_POINTER: The payload, or an address in memory
 * @KIND_IOVA: An IOVA
 * @KIND_LAST: The last byte of a range that begins with the word before
 * @KIND_LENGTH: A number of bytes
 * @KIND_PAGE_SIZE: A power of two
 */
enum kind {
	KIND_CONSTANT,
	KIND_SMALL,
	KIND_MASK,
	KIND_CHOICE,
	KIND_SIZE,
	KIND_RESERVED,
	KIND_RESULT,
	KIND_ADDRESS,
	KIND_OPTIONAL,
	KIND_POINTER,
	KIND_IOVA,
	KIND_LAST,
	KIND_LENGTH,
	KIND_PAGE_SIZE,
};

/**
 * struct field - one member of a structure
 * @name: Its name
 * @offset: Where it is, in bytes
 * @width: How long it is, in bytes
 * @kind: How it is given a value
 * @set: For KIND_RESULT: SET() of the sorts
 * @number: See enum kind
 * @choices: For KIND_CHOICE: what to choose from, ended by 0
 */
struct field {
	const char *name;
	uint8_t offset;
	uint8_t width;
	enum kind kind;
	uint32_t set;
	uint64_t number;
	const uint32_t *choices;
};

/**
 * struct output - a result of a call that succeeded
 * @offset: Where in the structure it is, in bytes
 * @width: How long it is, in bytes
 * @base: Its sort; BASE_NUMBER after the last one
 */
struct output {
	uint8_t offset;
	uint8_t width;
	enum base base;
};

/**
 * enum special - calls that are not an ioctl with a structure
 * @SPECIAL_NONE: It is one
 * @SPECIAL_BY_VALUE: An ioctl whose argument is the first field itself
 * @SPECIAL_RESULT: An ioctl with a structure whose result is what it returns
 */
enum special {
	SPECIAL_NONE,
	SPECIAL_BY_VALUE,
	SPECIAL_RESULT,
	SPECIAL_OPEN,
	SPECIAL_CLOSE,
	SPECIAL_READ,
	SPECIAL_WRITE,
	SPECIAL_POLL,
	SPECIAL_MMAP,
	SPECIAL_MUNMAP,
	SPECIAL_REMAP,
	SPECIAL_DISCARD,
	SPECIAL_TOUCH,
	SPECIAL_LIMIT,
	SPECIAL_FORK,
};

/**
 * struct operation - one sort of call
 * @name: What it is called in programs
 * @special: How it is made
 * @weight: How often it is chosen
 * @request: Number of the ioctl
 * @size: Bytes of its structure
 * @on: SET() of what it is made on; 0: on nothing
 * @fields: The structure
 * @outputs: The results
 * @payload_width: Bytes of each word of the payload, 0 if there is none
 * @payload_kind: How the words are given values
 * @payload: Like @fields, for the words, over and over
 */
struct operation {
	const char *name;
	enum special special;
	unsigned int weight;
	unsigned long request;
	uint16_t size;
	uint32_t on;
	struct field fields[MAX_FIELDS];
	struct output outputs[MAX_OUTPUTS];
	uint8_t payload_width;
	struct field payload[3];
};

extern const struct operation operations[];
extern const unsigned int operation_count;
extern const char *const base_names[BASES];

const struct operation *grammar_find(const char *name);
unsigned int grammar_fields(const struct operation *operation);

static inline bool base_is_result(unsigned int base)
{
	return base >= FIRST_RESULT && base <= LAST_RESULT;
}

static inline bool base_is_arena(unsigned int base)
{
	return base >= FIRST_ARENA && base <= LAST_ARENA;
}

#endif
