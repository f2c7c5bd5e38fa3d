// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of every kind a program may hand to a device.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

static const char * const kind_names[MEMORY_KINDS] = {
	[MEMORY_ANONYMOUS] = "anonymous",
	[MEMORY_THP] = "THP",
	[MEMORY_HUGETLB] = "hugetlb",
	[MEMORY_MEMFD] = "memfd",
	[MEMORY_HUGETLB_MEMFD] = "hugetlb memfd",
};

/**
 * memory_kind_name() - name of a kind of memory for people
 * @kind: the kind
 *
 * Return: a string that is never freed.
 */
const char *memory_kind_name(enum memory_kind kind)
{
	return kind_names[kind];
}

/* Number after "field:" at the start of a line of a /proc file, in its unit. */
static long read_field(const char *path, const char *field)
{
	size_t length = strlen(field);
	char line[256];
	long value = -ENOENT;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (value == -ENOENT && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, field, length) && line[length] == ':')
			value = strtol(line + length + 1, NULL, 10);
	}
	fclose(file);
	return value;
}

/**
 * memory_status() - a number of /proc/self/status
 * @field: "VmPin", "VmLck", ...
 *
 * Return: the number, in KiB for the Vm fields, or -ENOENT without such a field.
 */
long memory_status(const char *field)
{
	return read_field("/proc/self/status", field);
}

/**
 * memory_info() - a number of /proc/meminfo
 * @field: "HugePages_Free", ...
 *
 * Return: the number, or -ENOENT without such a field.
 */
long memory_info(const char *field)
{
	return read_field("/proc/meminfo", field);
}

static int map_anonymous(struct memory *memory, int flags)
{
	void *start;

	start = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (start == MAP_FAILED)
		return -errno;
	memory->start = start;
	return 0;
}

static int map_small_pages(struct memory *memory)
{
	int rc;

	rc = map_anonymous(memory, 0);
	if (!rc)
		madvise(memory->start, memory->size, MADV_NOHUGEPAGE);
	return rc;
}

/* Huge pages start at multiples of their size: map more and give the ends back. */
static int map_aligned(struct memory *memory)
{
	size_t size = memory->size;
	uint8_t *start;
	size_t head;
	int rc;

	memory->size = size + MEMORY_HUGE_PAGE_SIZE;
	rc = map_anonymous(memory, 0);
	start = memory->start;
	memory->size = size;
	if (rc)
		return rc;

	head = -(uintptr_t)start % MEMORY_HUGE_PAGE_SIZE;
	if (head)
		munmap(start, head);
	munmap(start + head + size, MEMORY_HUGE_PAGE_SIZE - head);
	memory->start = start + head;
	return 0;
}

/* KiB of transparent huge pages in the VMA that starts at the memory. */
static long count_huge(const struct memory *memory)
{
	char line[512];
	bool inside = false;
	long huge = 0;
	FILE *file;

	file = fopen("/proc/self/smaps", "re");
	if (!file)
		return -errno;
	while (!huge && fgets(line, sizeof(line), file)) {
		char *end;
		unsigned long start = strtoul(line, &end, 16);

		if (*end == '-')
			inside = start == (uintptr_t)memory->start;
		else if (inside && !strncmp(line, "AnonHugePages:", 14))
			huge = strtol(line + 14, NULL, 10);
	}
	fclose(file);
	return huge;
}

/*
 * MADV_DONTDUMP keeps the VMA apart from its neighbours, so that its numbers
 * in smaps are this memory's alone.
 */
static int map_transparent(struct memory *memory)
{
	int rc;

	rc = map_aligned(memory);
	if (rc)
		return rc;
	madvise(memory->start, memory->size, MADV_DONTDUMP);
	if (madvise(memory->start, memory->size, MADV_HUGEPAGE))
		return -EOPNOTSUPP;
	memset(memory->start, 0, memory->size);
	return count_huge(memory) * 1024 == (long)memory->size ? 0 : -ENOMEM;
}

static int map_memfd(struct memory *memory, unsigned int flags)
{
	void *start;

	memory->fd = memfd_create("iommufd", MFD_CLOEXEC | flags);
	if (memory->fd < 0)
		return -errno;
	if (ftruncate(memory->fd, memory->size))
		return -errno;
	start = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (start == MAP_FAILED)
		return -errno;
	memory->start = start;
	return 0;
}

static int map_kind(struct memory *memory)
{
	switch (memory->kind) {
	case MEMORY_ANONYMOUS:
		return map_small_pages(memory);
	case MEMORY_THP:
		return map_transparent(memory);
	case MEMORY_HUGETLB:
		return map_anonymous(memory, MAP_HUGETLB);
	case MEMORY_MEMFD:
		return map_memfd(memory, 0);
	case MEMORY_HUGETLB_MEMFD:
		return map_memfd(memory, MFD_HUGETLB);
	default:
		return -EINVAL;
	}
}

/**
 * memory_allocate() - get memory of a kind, zeroed and present
 * @memory: out: the memory
 * @kind: where its pages shall come from
 * @size: in bytes; a multiple of the kind's page size
 *
 * Return: 0, -ENOMEM without enough pages of that kind (reserved huge pages,
 * or transparent ones where the kernel gave small ones instead), -EOPNOTSUPP
 * if the kernel has none of the kind.
 */
int memory_allocate(struct memory *memory, enum memory_kind kind, size_t size)
{
	int rc;

	*memory = (struct memory){ .kind = kind, .size = size, .fd = -1 };
	rc = map_kind(memory);
	if (rc) {
		memory_free(memory);
		return rc;
	}
	memset(memory->start, 0, size);
	return 0;
}

/**
 * memory_free() - give memory back
 * @memory: the memory; may be partly allocated or free already
 */
void memory_free(struct memory *memory)
{
	if (memory->start)
		munmap(memory->start, memory->size);
	if (memory->fd >= 0)
		close(memory->fd);
	memory->start = NULL;
	memory->fd = -1;
}

/* Differs from byte to byte, page to page and seed to seed. */
static uint8_t pattern_byte(size_t offset, uint32_t seed)
{
	return ((offset ^ (offset >> 12) * 193) + seed * 101) * 167 >> 3;
}

/**
 * pattern_fill() - fill memory with the pattern of a seed
 * @start: first byte
 * @size: in bytes
 * @seed: chooses the pattern
 */
void pattern_fill(void *start, size_t size, uint32_t seed)
{
	uint8_t *byte = start;
	size_t offset;

	for (offset = 0; offset < size; offset++)
		byte[offset] = pattern_byte(offset, seed);
}

/**
 * pattern_match() - compare memory with the pattern of a seed
 * @start: first byte
 * @size: in bytes
 * @seed: chooses the pattern
 *
 * Return: how many bytes match before the first that does not; @size if all do.
 */
size_t pattern_match(const void *start, size_t size, uint32_t seed)
{
	const uint8_t *byte = start;
	size_t offset;

	for (offset = 0; offset < size; offset++) {
		if (byte[offset] != pattern_byte(offset, seed))
			break;
	}
	return offset;
}
