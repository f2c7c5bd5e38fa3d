/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that ends where the kernel must not look.
 *
 * Owns pages with a guard: accesses of the kernel beyond an edge fail with EFAULT.
 */
#ifndef SELFTESTS_IOMMUFD_GUARD_PAGE_H
#define SELFTESTS_IOMMUFD_GUARD_PAGE_H

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* An address that no process has. */
#define GUARD_PAGE_BAD_POINTER ((void *)-4096L)

static inline size_t guard_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/**
 * guard_page_edge - the border between two pages
 * @below: Protection of the page below the edge, as for mprotect()
 * @above: Protection of the page above it
 *
 * Both pages are filled with zeros.
 *
 * Return: the first address of the upper page, or NULL. guard_page_free() it.
 */
static inline char *guard_page_edge(int below, int above)
{
	size_t page = guard_page_size();
	char *start = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	if (mprotect(start, page, below) || mprotect(start + page, page, above)) {
		munmap(start, 2 * page);
		return NULL;
	}
	return start + page;
}

static inline void guard_page_free(char *edge)
{
	munmap(edge - guard_page_size(), 2 * guard_page_size());
}

/**
 * guard_page_seal - put bytes in front of an edge and take a permission away
 * @edge: From guard_page_edge() with a writable lower page
 * @bytes: What to put there
 * @size: Number of bytes, at most a page
 * @below: New protection of the lower page
 *
 * Return: where the bytes are, or NULL.
 */
static inline void *guard_page_seal(char *edge, const void *bytes, size_t size, int below)
{
	char *where = edge - size;

	memcpy(where, bytes, size);
	if (mprotect(edge - guard_page_size(), guard_page_size(), below))
		return NULL;
	return where;
}

#endif
