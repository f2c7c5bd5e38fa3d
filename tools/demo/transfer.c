// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies that the device does inside mapped memory, and their proof.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer.h"

/* Fetch and store again, in the memory and in what is expected of it. */
static int copy(struct edu *edu, uint8_t *expected, uint64_t iova, size_t from, size_t to)
{
	int rc;

	rc = edu_fetch(edu, iova + from, EDU_DMA_MAX);
	if (!rc)
		rc = edu_store(edu, iova + to, EDU_DMA_MAX);
	memcpy(expected + to, expected + from, EDU_DMA_MAX);
	return rc;
}

static size_t match(const uint8_t *seen, const uint8_t *expected, size_t size)
{
	size_t offset = 0;

	while (offset < size && seen[offset] == expected[offset])
		offset++;
	return offset;
}

/**
 * transfer_check() - have the device copy data in memory and compare all of it
 * @edu: the device, attached
 * @memory: the memory, at least four pages; it is filled with new data first
 * @iova: where it is mapped for reading and writing
 * @seed: of the data
 * @matching: out: bytes that are right before the first that is not
 *
 * From the memory's first half to its second: from its first byte, across a page
 * boundary at odd offsets, and from the middle of the memory to its last byte.
 *
 * Return: 0, -EBADMSG if the memory is not as it should be, or -errno.
 */
int transfer_check(struct edu *edu, struct memory *memory, uint64_t iova, uint32_t seed,
		   size_t *matching)
{
	size_t size = memory->size, half = size / 2;
	uint8_t *expected;
	int rc;

	*matching = 0;
	expected = malloc(size);
	if (!expected)
		return -ENOMEM;
	pattern_fill(memory->start, size, seed);
	pattern_fill(expected, size, seed);

	rc = copy(edu, expected, iova, 0, half);
	if (!rc)
		rc = copy(edu, expected, iova, 4079, half + 4099);
	if (!rc)
		rc = copy(edu, expected, iova, half - 2048, size - EDU_DMA_MAX);
	if (!rc) {
		*matching = match(memory->start, expected, size);
		rc = *matching == size ? 0 : -EBADMSG;
	}
	free(expected);
	return rc;
}

/**
 * transfer_blocked() - have the device write where nothing is mapped any more
 * @edu: the device
 * @memory: the memory that once was there; it is filled with new data first
 * @iova: where it was
 *
 * Return: 0 if the memory is untouched, -EBADMSG if it is not, or -errno.
 */
int transfer_blocked(struct edu *edu, struct memory *memory, uint64_t iova)
{
	const uint32_t seed = 0xb10c;
	int rc;

	pattern_fill(memory->start, memory->size, seed);
	rc = edu_store(edu, iova, EDU_DMA_MAX);
	if (rc)
		return rc;
	return pattern_match(memory->start, memory->size, seed) == memory->size ? 0 : -EBADMSG;
}
