/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A context with an IOAS that mock devices come to and go from.
 *
 * Owns the bookkeeping of the tests of what is mapped and pinned: it must never
 * decide what they do.
 */
#ifndef SELFTESTS_IOMMUFD_MOCK_SPACE_H
#define SELFTESTS_IOMMUFD_MOCK_SPACE_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "mock.h"

#define PAGE 4096UL
#define HUGE_PAGE MEMORY_HUGE_PAGE_SIZE

/* Tests with less memory for buffers than this fill several of them. */
static const __u32 mock_memory_limits[] = { MOCK_MEMORY_LIMIT_DEFAULT, 4096, 16, 12 };

/**
 * struct mock_space - the context
 * @fd: Its file descriptor
 * @ioas: The IOAS
 * @mock: The device, if there is one
 */
struct mock_space {
	int fd;
	__u32 ioas;
	struct mock mock;
};

static inline int mock_space_open(struct mock_space *space, __u32 memory_limit)
{
	int rc;

	*space = (struct mock_space){ .fd = iommu_open() };
	if (space->fd < 0)
		return space->fd;
	rc = mock_set_memory_limit(space->fd, memory_limit);
	return rc ? rc : iommu_ioas_alloc(space->fd, &space->ioas);
}

static inline void mock_space_close(struct mock_space *space)
{
	if (space->fd < 0)
		return;
	mock_set_memory_limit(space->fd, MOCK_MEMORY_LIMIT_DEFAULT);
	close(space->fd);
	space->fd = -1;
}

static inline int mock_space_attach(struct mock_space *space)
{
	return mock_attach(space->fd, space->ioas, &space->mock);
}

static inline int mock_space_detach(struct mock_space *space)
{
	int rc = iommu_destroy(space->fd, space->mock.id);

	space->mock = (struct mock){};
	return rc;
}

static inline int mock_space_map(struct mock_space *space, const void *address,
				 __u64 length, __u64 iova)
{
	return iommu_ioas_map_fixed(space->fd, space->ioas, address, length, IOMMU_MAP_RW,
				    iova);
}

static inline int mock_space_unmap(struct mock_space *space, __u64 iova, __u64 length)
{
	return iommu_ioas_unmap(space->fd, space->ioas, iova, length, NULL);
}

static inline int mock_space_check(struct mock_space *space, __u64 iova, __u64 length,
				   const void *address)
{
	return mock_check_map(space->fd, space->mock.hwpt, iova, length, address);
}

/* Is nothing mapped at any IOVA of this range? */
static inline bool mock_space_is_hole(struct mock_space *space, __u64 iova, __u64 length,
				      const void *address)
{
	const uint8_t *byte = address;
	__u64 done;

	for (done = 0; done < length; done += MOCK_PAGE_SIZE)
		if (mock_space_check(space, iova + done, MOCK_PAGE_SIZE, byte + done) != -EINVAL)
			return false;
	return true;
}

/* Pages of this process that are pinned. */
static inline long pages_pinned(void)
{
	return memory_status("VmPin") * 1024 / (long)PAGE;
}

/* Pages that a range of bytes touches. */
static inline long pages_touched(const void *address, size_t length)
{
	uintptr_t start = (uintptr_t)address;

	return (start + length - 1) / PAGE - start / PAGE + 1;
}

/* Gives anonymous memory pages that are next to each other in no other place. */
static inline void memory_scatter(struct memory *memory, unsigned int seed)
{
	size_t pages = memory->size / PAGE, i;
	size_t *order = calloc(pages, sizeof(*order));

	madvise(memory->start, memory->size, MADV_DONTNEED);
	srandom(seed);
	for (i = 0; i < pages; i++) {
		size_t j = random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (i = 0; i < pages; i++)
		memory->start[order[i] * PAGE] = order[i];
	free(order);
}

#endif
