// SPDX-License-Identifier: GPL-2.0-only
/* Memory of every kind. */
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 0x1000UL

/* Programs say little of where in a piece they are: most of that is there already. */
#define POPULATED (24 * PAGE)

static char *map(size_t size, int protection, int flags, int fd)
{
	char *start = mmap(NULL, size, protection, flags, fd, 0);

	return start == MAP_FAILED ? NULL : start;
}

/* In small pages, wherever the kernel prefers huge ones. */
static char *map_anonymous(int protection, int flags)
{
	char *start = map(ARENA_SIZE, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1);

	if (start)
		madvise(start, ARENA_SIZE, MADV_NOHUGEPAGE);
	return start;
}

/* Aligned, so that huge pages fit. */
static char *map_thp(void)
{
	char *start = map(2 * ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *aligned = (char *)(((uintptr_t)start + ARENA_SIZE - 1) & ~(ARENA_SIZE - 1));

	if (!start)
		return NULL;
	madvise(aligned, ARENA_SIZE, MADV_HUGEPAGE);
	return aligned;
}

/* Small pages if there are no huge ones. */
static char *map_hugetlb(void)
{
	char *start = map_anonymous(PROT_READ | PROT_WRITE, MAP_HUGETLB);

	return start ?: map_anonymous(PROT_READ | PROT_WRITE, 0);
}

static char *map_file(int *fd, unsigned int flags)
{
	*fd = memfd_create("fuzz", MFD_CLOEXEC | flags);
	if (*fd < 0 || ftruncate(*fd, ARENA_SIZE))
		return NULL;
	return map(ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd);
}

/* Every third page is missing, and some cannot be written. */
static char *map_with_holes(void)
{
	char *start = map_anonymous(PROT_READ | PROT_WRITE, 0);
	size_t at;

	for (at = PAGE; start && at < 12 * PAGE; at += 3 * PAGE) {
		munmap(start + at, PAGE);
		mprotect(start + at + PAGE, PAGE, at & PAGE ? PROT_READ : PROT_NONE);
	}
	return start;
}

/**
 * arenas_prepare - make what all processes will have in common
 * @arenas: Set to it
 *
 * Whoever writes to this memory first, in a process that is forked, gets a copy.
 *
 * Return: 0 or -errno.
 */
int arenas_prepare(struct arenas *arenas)
{
	char *start = map_anonymous(PROT_READ | PROT_WRITE, 0);

	if (!start)
		return -errno;
	memset(start, 1, POPULATED);
	arenas->start[BASE_COPIED - FIRST_ARENA] = start;
	return 0;
}

/**
 * arenas_create - make what a process has for itself
 * @arenas: From arenas_prepare(); the rest is set
 *
 * Return: 0 or -errno.
 */
int arenas_create(struct arenas *arenas)
{
	char **start = arenas->start - FIRST_ARENA;
	unsigned int base;

	start[BASE_ANONYMOUS] = map_anonymous(PROT_READ | PROT_WRITE, 0);
	start[BASE_THP] = map_thp();
	start[BASE_HUGETLB] = map_hugetlb();
	start[BASE_MEMFD] = map_file(&arenas->backing[0], 0);
	start[BASE_HUGE_MEMFD] = map_file(&arenas->backing[1], MFD_HUGETLB);
	if (!start[BASE_HUGE_MEMFD])
		start[BASE_HUGE_MEMFD] = map_file(&arenas->backing[1], 0);
	start[BASE_READ_ONLY] = map_anonymous(PROT_READ, 0);
	start[BASE_HOLES] = map_with_holes();
	arenas->backing[2] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	start[BASE_DISK] = map(ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			       arenas->backing[2]);
	arenas->backing[3] = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	for (base = FIRST_ARENA; base <= LAST_ARENA; base++)
		if (!start[base])
			return -ENOMEM;
	memset(start[BASE_ANONYMOUS], 2, POPULATED);
	return 0;
}

/**
 * arenas_clamp - find what a program may do to its own address space
 * @arenas: The pieces
 * @base: Which one
 * @offset: Where in it; made to be inside
 * @length: How much
 *
 * Return: how much of @length there is in the piece, in whole pages.
 */
uint64_t arenas_clamp(const struct arenas *arenas, unsigned int base, uint64_t *offset,
		      uint64_t length)
{
	if (!arena_of(arenas, base))
		return 0;
	*offset = *offset % ARENA_SIZE & ~(PAGE - 1);
	if (length > ARENA_SIZE - *offset)
		length = ARENA_SIZE - *offset;
	return (length + PAGE - 1) & ~(PAGE - 1);
}
