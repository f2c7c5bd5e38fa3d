/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that takes as long to appear as a test wants.
 *
 * Owns a range whose pages are missing, or can't be written, until they are released:
 * whoever touches one, also the kernel, waits meanwhile.
 */
#ifndef SELFTESTS_IOMMUFD_SLOW_MEMORY_H
#define SELFTESTS_IOMMUFD_SLOW_MEMORY_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

/**
 * struct slow_memory - the range
 * @start: First byte
 * @size: In bytes, whole pages
 * @faults: Where faults are reported
 */
struct slow_memory {
	__u8 *start;
	size_t size;
	int faults;
};

static inline int slow_memory_register_mode(struct slow_memory *slow, __u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)slow->start, .len = slow->size },
		.mode = mode,
	};

	if (ioctl(slow->faults, UFFDIO_API, &api) ||
	    ioctl(slow->faults, UFFDIO_REGISTER, &range))
		return -errno;
	return 0;
}

static inline int slow_memory_register(struct slow_memory *slow)
{
	return slow_memory_register_mode(slow, UFFDIO_REGISTER_MODE_MISSING);
}

static inline int slow_memory_allocate(struct slow_memory *slow, size_t size, __u64 mode)
{
	slow->size = size;
	slow->start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (slow->start == MAP_FAILED)
		return -errno;
	/* A huge page would appear as a whole. */
	madvise(slow->start, size, MADV_NOHUGEPAGE);
	slow->faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->faults < 0)
		return -errno;
	return slow_memory_register_mode(slow, mode);
}

/* Returns 0 or -errno. */
static inline int slow_memory_create(struct slow_memory *slow, size_t size)
{
	return slow_memory_allocate(slow, size, UFFDIO_REGISTER_MODE_MISSING);
}

/* One page, which can be read, but whoever writes waits. Returns 0 or -errno. */
static inline int slow_memory_create_filled(struct slow_memory *slow, const void *contents,
					    size_t size)
{
	struct uffdio_writeprotect protect = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int rc;

	rc = slow_memory_allocate(slow, sysconf(_SC_PAGESIZE), UFFDIO_REGISTER_MODE_WP);
	if (rc)
		return rc;
	memcpy(slow->start, contents, size);
	protect.range.start = (uintptr_t)slow->start;
	protect.range.len = slow->size;
	return ioctl(slow->faults, UFFDIO_WRITEPROTECT, &protect) ? -errno : 0;
}

/* Waits until somebody waits for a page. Returns 0, or -ETIME after two minutes. */
static inline int slow_memory_wait(struct slow_memory *slow)
{
	struct pollfd poller = { .fd = slow->faults, .events = POLLIN };
	struct uffd_msg message;
	int ready;

	/* Threads that change their user interrupt all others */
	do
		ready = poll(&poller, 1, 120000);
	while (ready < 0 && errno == EINTR);
	if (ready != 1)
		return -ETIME;
	return read(slow->faults, &message, sizeof(message)) == sizeof(message) ? 0 : -errno;
}

/* Has all pages appear, with these contents. Returns 0 or -errno. */
static inline int slow_memory_release(struct slow_memory *slow, const void *contents)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)slow->start,
		.src = (uintptr_t)contents,
		.len = slow->size,
	};

	return ioctl(slow->faults, UFFDIO_COPY, &copy) ? -errno : 0;
}

static inline void slow_memory_free(struct slow_memory *slow)
{
	close(slow->faults);
	munmap(slow->start, slow->size);
}

#endif
