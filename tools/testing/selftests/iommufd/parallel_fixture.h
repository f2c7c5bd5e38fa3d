/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs with mappings for several threads share: memory so large,
 * and a device that reaches it.
 */
#ifndef SELFTESTS_IOMMUFD_PARALLEL_FIXTURE_H
#define SELFTESTS_IOMMUFD_PARALLEL_FIXTURE_H

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"
#include "slow_memory.h"

#define SIZE (288UL << 20)
#define PAGES (SIZE / PAGE_BYTES)
#define IOVA 0x1200000000ULL
#define STEP (SIZE / 16)

FIXTURE(pin_parallel)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	uint8_t *memory;
	long pinned;
};

/* Puts memory of another kind at an address. */
static inline bool put(void *address, size_t size, int flags, int advice)
{
	return mmap(address, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) == address &&
	       !madvise(address, size, advice);
}

FIXTURE_SETUP(pin_parallel)
{
	uint8_t *space;

	REQUIRE_OWN_GROUPS(1);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs 2 processors");
	if (memory_info("MemAvailable") < (long)(SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 416 MiB of free memory");
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 1));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu,
					self->attachment.iommufd, self->attachment.ioas));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->attachment.ioas));
	space = mmap(NULL, SIZE + MEMORY_HUGE_PAGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, space);
	/* The last page of a huge one, so that no part is as long as another by chance */
	self->memory = space + (-(uintptr_t)space % MEMORY_HUGE_PAGE_SIZE) + 511 * PAGE_BYTES;
	ASSERT_TRUE(put(self->memory, SIZE, 0, MADV_NOHUGEPAGE));
	self->pinned = pages_pinned();
}

FIXTURE_TEARDOWN(pin_parallel)
{
	attachment_close(&self->attachment);
	edu_staging_destroy(&self->staging);
	munmap(self->memory, SIZE);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static inline int map(struct _test_data_pin_parallel *self)
{
	return attachment_map(&self->attachment, self->memory, SIZE, IOMMU_MAP_RW, IOVA);
}

static inline int unmap(struct _test_data_pin_parallel *self)
{
	return attachment_unmap(&self->attachment, IOVA, SIZE);
}

/* Are so many pages pinned, besides those of the staging page? */
static inline bool has_pinned(struct _test_data_pin_parallel *self, long pages)
{
	return pages_pinned() == self->pinned + pages;
}

static inline bool nothing_changed(struct _test_data_pin_parallel *self)
{
	return has_pinned(self, 0) && !pages_locked() && unmap(self) == -ENOENT;
}

static inline bool device_reaches(struct _test_data_pin_parallel *self, size_t offset)
{
	return device_writes(&self->staging, IOVA + offset, self->memory + offset,
			     offset >> 12) &&
	       device_reads(&self->staging, IOVA + offset, self->memory + offset,
			    (offset >> 12) + 1);
}

/* Also on both sides of places where the work can have been divided. */
static inline bool device_reaches_all_parts(struct _test_data_pin_parallel *self)
{
	size_t offset = PAGE_BYTES;
	bool reaches = device_reaches(self, 0) && device_reaches(self, SIZE - PAGE_BYTES);

	for (; reaches && offset < SIZE; offset += STEP)
		reaches = device_reaches(self, offset - PAGE_BYTES) &&
			  device_reaches(self, offset);
	return reaches;
}

/* Has the page at an offset appear only when it is released. Returns 0 or -errno. */
static inline int make_slow(struct _test_data_pin_parallel *self, size_t offset,
			    struct slow_memory *slow)
{
	slow->start = self->memory + offset;
	slow->size = PAGE_BYTES;
	slow->faults = -1;
	if (madvise(slow->start, slow->size, MADV_DONTNEED))
		return -errno;
	slow->faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return slow->faults < 0 ? -errno : slow_memory_register(slow);
}

/* Has the memory fall into as many runs as it has pages: others get every other page. */
static inline bool scatter(struct _test_data_pin_parallel *self)
{
	uint8_t *other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	size_t offset;

	if (other == MAP_FAILED || madvise(other, SIZE, MADV_NOHUGEPAGE))
		return false;
	for (offset = 0; offset < SIZE; offset += PAGE_BYTES) {
		self->memory[offset] = 1;
		other[offset] = 1;
	}
	return !munmap(other, SIZE);
}

/* In seconds. */
static inline double time_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

#endif
