// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory whose pages are not beside each other.
 *
 * Owns the trick: the kernel hands out free pages in the order of their
 * addresses, so of two pieces of memory that are touched in turn each gets every
 * other page.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench_memory.h"

#define STEP (64 * MIB)

/* Of kind anonymous or memfd, but not yet present */
static int allocate_absent(struct memory *memory)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	if (memory->kind == MEMORY_MEMFD) {
		memory->fd = memfd_create("bench", MFD_CLOEXEC);
		if (memory->fd < 0 || ftruncate(memory->fd, memory->size))
			return -errno;
		flags = MAP_SHARED;
	}
	memory->start = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, flags, memory->fd, 0);
	if (memory->start == MAP_FAILED) {
		memory->start = NULL;
		return -errno;
	}
	madvise(memory->start, memory->size, MADV_NOHUGEPAGE);
	return 0;
}

/* The gaps of one step are the pages of the next, so they cost little memory */
static int touch_in_turn(uint8_t *start, size_t size)
{
	uint8_t *gaps;
	size_t offset;

	gaps = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (gaps == MAP_FAILED)
		return -errno;
	madvise(gaps, size, MADV_NOHUGEPAGE);
	for (offset = 0; offset < size; offset += PAGE_BYTES) {
		start[offset] = 1;
		gaps[offset] = 1;
	}
	munmap(gaps, size);
	return 0;
}

static int allocate_scattered(struct memory *memory, enum memory_kind kind, size_t size)
{
	size_t offset;
	int rc;

	*memory = (struct memory){ .kind = kind, .size = size, .fd = -1 };
	rc = allocate_absent(memory);
	for (offset = 0; offset < size && !rc; offset += STEP) {
		size_t step = size - offset < STEP ? size - offset : STEP;

		rc = touch_in_turn(memory->start + offset, step);
	}
	if (rc)
		memory_free(memory);
	return rc;
}

/**
 * bench_allocate() - get memory of a kind, present, in the usual disorder
 * @memory: out: the memory, to be given back by memory_free()
 * @kind: where its pages come from; of small ones nearly every one is alone
 * @size: in bytes
 *
 * Return: 0 or -errno.
 */
int bench_allocate(struct memory *memory, enum memory_kind kind, size_t size)
{
	if (kind == MEMORY_ANONYMOUS || kind == MEMORY_MEMFD)
		return allocate_scattered(memory, kind, size);
	return memory_allocate(memory, kind, size);
}
