// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process does with its address space does not move the target of DMA,
 * and however it puts pages into it, DMA reaches the right ones.
 */
#include <sched.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "edu_staging.h"

#define PAGES 16
#define SIZE (PAGES * PAGE_BYTES)
#define IOVA 0x1200000000ULL
#define LARGE_SIZE (256UL << 20)

FIXTURE(device_process)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
	struct edu_staging staging;
	struct memory memory;
};

FIXTURE_SETUP(device_process)
{
	__u32 pt_id;

	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	pt_id = self->ioas;
	ASSERT_EQ(0, vfio_device_attach(&self->edu.device, &pt_id));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->edu, self->iommufd, self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
}

FIXTURE_TEARDOWN(device_process)
{
	edu_close(&self->edu);
	close(self->iommufd);
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
}

#define map(start, length, flags)							\
	iommu_ioas_map_fixed(self->iommufd, self->ioas, start, length, flags, IOVA)

TEST_F(device_process, munmap_keeps_the_target)
{
	uint8_t *start = self->memory.start;

	ASSERT_EQ(0, map(start, SIZE, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, start, 1));
	ASSERT_EQ(0, munmap(start, SIZE));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 1));
	ASSERT_EQ(start, mmap(start, SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, start, 2));
	ASSERT_EQ(0, start[0]);
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 2));
}

TEST_F(device_process, dontneed_keeps_the_target)
{
	uint8_t *start = self->memory.start;

	ASSERT_EQ(0, map(start, SIZE, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, start, 1));
	ASSERT_EQ(0, madvise(start, SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, start[0]);
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 1));
}

TEST_F(device_process, mremap_takes_the_target_along)
{
	uint8_t *start = self->memory.start, *moved;

	ASSERT_EQ(0, map(start, SIZE, IOMMU_MAP_RW));
	moved = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, moved);
	ASSERT_EQ(moved, mremap(start, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + 5000, moved + 5000, 1));
	munmap(moved, SIZE);
}

TEST_F(device_process, copy_of_a_pinned_page_ignores_the_address_space)
{
	uint8_t *start = self->memory.start;
	__u64 iova = IOVA + 0x10000000;

	ASSERT_EQ(0, map(start, SIZE, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, start, 1));
	ASSERT_EQ(0, munmap(start, SIZE));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas, IOVA, SIZE, self->ioas,
					   IOMMU_MAP_RW, iova));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, NULL));
	ASSERT_TRUE(device_reads(&self->staging, iova, NULL, 1));
}

/* Writes a byte to each page, as copy-on-write would have it, and waits. */
static pid_t fork_writer(uint8_t *start, int written, int finish)
{
	pid_t child = fork();
	char byte;
	int i;

	if (child)
		return child;
	for (i = 0; i < PAGES; i++)
		start[i * PAGE_BYTES] = 0xcc;
	if (write(written, "", 1) != 1 || read(finish, &byte, 1) < 0)
		_exit(1);
	_exit(start[0] == 0xcc ? 0 : 1);
}

static void check_fork(struct __test_metadata *_metadata, struct edu_staging *staging,
		       uint8_t *start)
{
	int written[2], finish[2], status;
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(written));
	ASSERT_EQ(0, pipe(finish));
	pattern_fill(start, EDU_DMA_MAX, 1);
	child = fork_writer(start, written[1], finish[0]);
	ASSERT_LT(0, child);
	ASSERT_EQ(1, read(written[0], &byte, 1));
	EXPECT_EQ(EDU_DMA_MAX, pattern_match(start, EDU_DMA_MAX, 1));
	EXPECT_TRUE(device_reads(staging, IOVA, NULL, 1));
	EXPECT_TRUE(device_reads(staging, IOVA, start, 2));
	ASSERT_EQ(1, write(finish[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(device_process, fork_and_writes_keep_the_target)
{
	ASSERT_EQ(0, map(self->memory.start, SIZE, IOMMU_MAP_RW));
	check_fork(_metadata, &self->staging, self->memory.start);
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 3));
}

TEST_F(device_process, fork_and_writes_keep_the_target_of_a_readable_mapping)
{
	ASSERT_EQ(0, map(self->memory.start, SIZE, IOMMU_IOAS_MAP_READABLE));
	check_fork(_metadata, &self->staging, self->memory.start);
}

/* Memory that was never touched: the zero page must not be what is pinned. */
TEST_F(device_process, readable_mapping_sees_later_writes_to_untouched_memory)
{
	uint8_t *start;

	start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, start);
	ASSERT_EQ(0, map(start, SIZE, IOMMU_IOAS_MAP_READABLE));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, start, 1));
	ASSERT_TRUE(device_reads(&self->staging, IOVA + 5 * PAGE_BYTES,
				 start + 5 * PAGE_BYTES, 2));
	munmap(start, SIZE);
}

TEST_F(device_process, readable_mapping_of_a_private_file_sees_later_writes)
{
	int file = memfd_create("private", MFD_CLOEXEC);
	uint8_t *start;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, SIZE));
	start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	ASSERT_NE(MAP_FAILED, start);
	ASSERT_EQ(0, start[0]);
	ASSERT_EQ(0, map(start, SIZE, IOMMU_IOAS_MAP_READABLE));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, start, 1));
	munmap(start, SIZE);
	close(file);
}

TEST_F(device_process, exit_of_the_process_keeps_the_target)
{
	int status;
	pid_t child;

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		pattern_fill(self->memory.start, EDU_DMA_MAX, 1);
		_exit(map(self->memory.start, SIZE, IOMMU_MAP_RW) ? 1 : 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 1));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 2));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 2));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, NULL));
	ASSERT_FALSE(device_reads(&self->staging, IOVA, NULL, 2));
}

TEST_F(device_process, close_of_the_context_keeps_dma_running)
{
	ASSERT_EQ(0, map(self->memory.start, SIZE, IOMMU_MAP_RW));
	close(self->iommufd);
	self->iommufd = -1;
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_TRUE(device_reads(&self->staging, IOVA + PAGE_BYTES,
				 self->memory.start + PAGE_BYTES, 2));
}

/* Moves the pages of an area into a new one in reverse order. */
static uint8_t *reverse_pages(uint8_t *start, size_t size)
{
	uint8_t *reversed;
	size_t offset;

	reversed = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (reversed == MAP_FAILED)
		return NULL;
	for (offset = 0; offset < size; offset += PAGE_BYTES) {
		uint8_t *to = reversed + size - PAGE_BYTES - offset;

		if (mremap(start + offset, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
			   to) != to)
			return NULL;
	}
	return reversed;
}

TEST_F(device_process, pages_of_one_folio_in_reverse_order_are_reached)
{
	const size_t size = MEMORY_HUGE_PAGE_SIZE;
	struct memory huge;
	uint8_t *start;

	ASSERT_EQ(0, memory_allocate(&huge, MEMORY_THP, size));
	start = reverse_pages(huge.start, size);
	ASSERT_NE(NULL, start);
	ASSERT_EQ(0, map(start, size, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, start, 1));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + 4079, start + 4079, 2));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + size / 2 - 1000,
				  start + size / 2 - 1000, 3));
	ASSERT_TRUE(device_reads(&self->staging, IOVA + size - EDU_DMA_MAX,
				 start + size - EDU_DMA_MAX, 4));
	munmap(start, size);
}

/* First and last page of the folio are in place; two in the middle are swapped. */
TEST_F(device_process, swapped_pages_inside_one_folio_are_reached)
{
	const size_t size = MEMORY_HUGE_PAGE_SIZE, a = 100 * PAGE_BYTES, b = 300 * PAGE_BYTES;
	struct memory huge;
	uint8_t *spare;

	ASSERT_EQ(0, memory_allocate(&huge, MEMORY_THP, size));
	spare = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, spare);
	ASSERT_EQ(spare, mremap(huge.start + a, PAGE_BYTES, PAGE_BYTES,
				MREMAP_MAYMOVE | MREMAP_FIXED, spare));
	ASSERT_EQ(huge.start + a, mremap(huge.start + b, PAGE_BYTES, PAGE_BYTES,
					 MREMAP_MAYMOVE | MREMAP_FIXED, huge.start + a));
	ASSERT_EQ(huge.start + b, mremap(spare, PAGE_BYTES, PAGE_BYTES,
					 MREMAP_MAYMOVE | MREMAP_FIXED, huge.start + b));
	ASSERT_EQ(0, map(huge.start, size, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + a, huge.start + a, 1));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + b, huge.start + b, 2));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + a - 2000, huge.start + a - 2000, 3));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + b + 2000, huge.start + b + 2000, 4));
	memory_free(&huge);
}

/* A PFN that comes again is a run of its own, and is unpinned as often as pinned. */
TEST_F(device_process, one_page_mapped_at_many_addresses_is_reached_at_all)
{
	int file = memfd_create("same", MFD_CLOEXEC), i;
	uint8_t *start;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, PAGE_BYTES));
	start = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, start);
	for (i = 0; i < PAGES; i++)
		ASSERT_NE(MAP_FAILED, mmap(start + i * PAGE_BYTES, PAGE_BYTES,
					   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
					   file, 0));
	ASSERT_EQ(0, map(start, SIZE, IOMMU_MAP_RW));
	ASSERT_EQ((long)(SIZE + STAGING_SIZE) / 1024, memory_status("VmPin"));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, start, 1));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + SIZE - PAGE_BYTES, start, 2));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, NULL));
	ASSERT_EQ(STAGING_SIZE / 1024, memory_status("VmPin"));
	ASSERT_EQ(EDU_DMA_MAX, pattern_match(start + 3 * PAGE_BYTES, EDU_DMA_MAX, 2));
	munmap(start, SIZE);
	close(file);
}

/* Kinds of memory side by side in one mapping. */
TEST_F(device_process, mapping_over_several_kinds_of_memory_is_reached)
{
	const size_t size = 3 * MEMORY_HUGE_PAGE_SIZE;
	uint8_t *start, *aligned;

	if (memory_info("HugePages_Free") < 1)
		SKIP(return, "needs a free huge page");
	start = mmap(NULL, size + MEMORY_HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, start);
	aligned = start + (-(uintptr_t)start % MEMORY_HUGE_PAGE_SIZE);
	ASSERT_EQ(0, madvise(aligned, MEMORY_HUGE_PAGE_SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, madvise(aligned + 2 * MEMORY_HUGE_PAGE_SIZE, MEMORY_HUGE_PAGE_SIZE,
			     MADV_HUGEPAGE));
	ASSERT_NE(MAP_FAILED, mmap(aligned + MEMORY_HUGE_PAGE_SIZE, MEMORY_HUGE_PAGE_SIZE,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB, -1, 0));
	ASSERT_EQ(0, map(aligned + PAGE_BYTES, size - 2 * PAGE_BYTES, IOMMU_MAP_RW));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + MEMORY_HUGE_PAGE_SIZE - 6000,
				  aligned + MEMORY_HUGE_PAGE_SIZE - 6000 + PAGE_BYTES, 1));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + 2 * MEMORY_HUGE_PAGE_SIZE - 6000,
				  aligned + 2 * MEMORY_HUGE_PAGE_SIZE - 6000 + PAGE_BYTES, 2));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + size - 2 * PAGE_BYTES - EDU_DMA_MAX,
				  aligned + size - PAGE_BYTES - EDU_DMA_MAX, 3));
	munmap(start, aligned - start + size);
}

TEST_F_TIMEOUT(device_process, large_area_is_reached_at_its_ends_and_in_between, 120)
{
	const size_t offsets[] = {
		0, MEMORY_HUGE_PAGE_SIZE - 2000, LARGE_SIZE / 2 - 1, LARGE_SIZE - EDU_DMA_MAX,
	};
	struct memory large;
	size_t i;

	if (memory_info("HugePages_Free") < (long)(LARGE_SIZE / MEMORY_HUGE_PAGE_SIZE))
		SKIP(return, "needs %lu free huge pages", LARGE_SIZE / MEMORY_HUGE_PAGE_SIZE);
	ASSERT_EQ(0, memory_allocate(&large, MEMORY_HUGETLB, LARGE_SIZE));
	ASSERT_EQ(0, map(large.start, LARGE_SIZE, IOMMU_MAP_RW));
	ASSERT_EQ((long)(LARGE_SIZE + STAGING_SIZE) / 1024, memory_status("VmPin"));
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		ASSERT_TRUE(device_writes(&self->staging, IOVA + offsets[i],
					  large.start + offsets[i], i));
		ASSERT_TRUE(device_reads(&self->staging, IOVA + offsets[i],
					 large.start + offsets[i], i + 10));
	}
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, LARGE_SIZE, NULL));
	ASSERT_FALSE(device_writes(&self->staging, IOVA + LARGE_SIZE / 2,
				   large.start + LARGE_SIZE / 2, 30));
	ASSERT_EQ(STAGING_SIZE / 1024, memory_status("VmPin"));
	memory_free(&large);
}
