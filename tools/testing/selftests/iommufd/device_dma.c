// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA of a device to memory of every kind: it reaches what is mapped, all of
 * it, and nothing else.
 */
#include <sys/eventfd.h>

#include "edu_fixture.h"
#include "edu_staging.h"
#include "vfio_device_fault.h"
#include "watchdog.h"

#define SIZE (2 * MEMORY_HUGE_PAGE_SIZE)
#define IOVA 0x1200000000ULL
#define OTHER_IOVA 0x0340000000ULL

FIXTURE(device_dma)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
	struct edu_staging staging;
	struct memory memory;
};

FIXTURE_VARIANT(device_dma)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(device_dma, anonymous) { .kind = MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(device_dma, thp) { .kind = MEMORY_THP };
FIXTURE_VARIANT_ADD(device_dma, hugetlb) { .kind = MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(device_dma, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(device_dma, hugetlb_memfd) { .kind = MEMORY_HUGETLB_MEMFD };

static int attach(struct edu *edu, __u32 pt_id)
{
	return vfio_device_attach(&edu->device, &pt_id);
}

FIXTURE_SETUP(device_dma)
{
	bool huge = variant->kind == MEMORY_HUGETLB || variant->kind == MEMORY_HUGETLB_MEMFD;

	REQUIRE_OWN_GROUPS(1);
	if (huge && memory_info("HugePages_Free") < 4)
		SKIP(return, "needs 4 free huge pages");
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, SIZE));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->edu, self->iommufd, self->ioas));
}

FIXTURE_TEARDOWN(device_dma)
{
	edu_close(&self->edu);
	close(self->iommufd);
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
}

static int map(int iommufd, __u32 ioas, struct memory *memory, size_t offset, size_t length,
	       __u64 iova)
{
	return iommu_ioas_map_fixed(iommufd, ioas, memory->start + offset, length, IOMMU_MAP_RW,
				    iova);
}

/* Writes at an offset, and looks at all bytes of the memory. */
static bool writes_exactly(struct edu_staging *staging, struct memory *memory, size_t offset,
			   __u64 iova)
{
	uint8_t *after = memory->start + offset + EDU_DMA_MAX;

	memset(memory->start, 0x5a, memory->size);
	if (!device_writes(staging, iova + offset, memory->start + offset, offset))
		return false;
	while (offset--) {
		if (memory->start[offset] != 0x5a)
			return false;
	}
	while (after < memory->start + memory->size) {
		if (*after++ != 0x5a)
			return false;
	}
	return true;
}

TEST_F(device_dma, reaches_every_part_of_the_memory)
{
	const size_t offsets[] = {
		0, 1, PAGE_BYTES - 1, 7 * PAGE_BYTES + 13, MEMORY_HUGE_PAGE_SIZE - 2000,
		SIZE - EDU_DMA_MAX,
	};
	size_t i;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, offsets[i], IOVA));
		ASSERT_TRUE(device_reads(&self->staging, IOVA + offsets[i],
					 self->memory.start + offsets[i], i));
	}
}

TEST_F(device_dma, reaches_memory_that_was_mapped_before_the_attach)
{
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, 4079, IOVA));
	ASSERT_TRUE(device_reads(&self->staging, IOVA + SIZE - EDU_DMA_MAX,
				 self->memory.start + SIZE - EDU_DMA_MAX, 1));
}

TEST_F(device_dma, reaches_memory_at_an_iova_of_other_alignment)
{
	size_t offset = MEMORY_HUGE_PAGE_SIZE - 5 * PAGE_BYTES;
	__u64 iova = IOVA + 3 * PAGE_BYTES;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, PAGE_BYTES,
			 SIZE - PAGE_BYTES, iova + PAGE_BYTES));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, PAGE_BYTES, iova));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, offset + 4079, iova));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, SIZE - EDU_DMA_MAX, iova));
}

TEST_F(device_dma, reaches_nothing_after_unmap)
{
	__u64 unmapped;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, &unmapped));
	ASSERT_EQ(SIZE, unmapped);

	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 2));
	ASSERT_EQ(EDU_DMA_MAX, pattern_match(self->memory.start, EDU_DMA_MAX, 1));
	ASSERT_FALSE(device_reads(&self->staging, IOVA, self->memory.start, 3));
	ASSERT_EQ(STAGING_SIZE / 1024, memory_status("VmPin"));
}

TEST_F(device_dma, reaches_the_new_memory_after_a_remap)
{
	struct memory other;

	ASSERT_EQ(0, memory_allocate(&other, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, NULL));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &other, 0, SIZE, IOVA));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, other.start, 2));
	ASSERT_EQ(EDU_DMA_MAX, pattern_match(self->memory.start, EDU_DMA_MAX, 1));
	ASSERT_TRUE(device_reads(&self->staging, IOVA + PAGE_BYTES, other.start + PAGE_BYTES, 3));
	memory_free(&other);
}

TEST_F(device_dma, reaches_a_copy_in_another_ioas)
{
	long pinned;
	__u32 other;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas, STAGING_IOVA, STAGING_SIZE,
					   other, IOMMU_MAP_RW, STAGING_IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas, IOVA, SIZE, other,
					   IOMMU_MAP_RW, OTHER_IOVA));
	pinned = memory_status("VmPin");
	ASSERT_EQ(0, attach(&self->edu, other));
	ASSERT_EQ(pinned, memory_status("VmPin"));

	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, 4079, OTHER_IOVA));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 2));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas, NULL));
	ASSERT_TRUE(device_reads(&self->staging, OTHER_IOVA + SIZE / 2,
				 self->memory.start + SIZE / 2, 3));
}

TEST_F(device_dma, reaches_only_the_part_that_was_copied)
{
	const size_t offset = MEMORY_HUGE_PAGE_SIZE - 3 * PAGE_BYTES, length = 6 * PAGE_BYTES;
	uint8_t *part = self->memory.start + offset;
	__u32 other;

	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, edu_staging_map(&self->staging, self->iommufd, other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas, IOVA + offset, length,
					   other, IOMMU_MAP_RW, OTHER_IOVA));
	ASSERT_EQ(0, attach(&self->edu, other));
	ASSERT_EQ((long)(length + STAGING_SIZE) / 1024, memory_status("VmPin"));
	ASSERT_TRUE(device_writes(&self->staging, OTHER_IOVA, part, 1));
	ASSERT_TRUE(device_writes(&self->staging, OTHER_IOVA + length - EDU_DMA_MAX,
				  part + length - EDU_DMA_MAX, 2));
	ASSERT_FALSE(device_writes(&self->staging, OTHER_IOVA - PAGE_BYTES, part - PAGE_BYTES, 3));
	ASSERT_FALSE(device_writes(&self->staging, OTHER_IOVA + length, part + length, 4));
}

TEST_F(device_dma, unmap_leaves_the_neighbours_reachable)
{
	const size_t third = 64 * PAGE_BYTES;
	uint8_t *start = self->memory.start;
	int i;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, i * third, third,
				 IOVA + i * third));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA + third, third, NULL));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + third - EDU_DMA_MAX,
				  start + third - EDU_DMA_MAX, 1));
	ASSERT_TRUE(device_writes(&self->staging, IOVA + 2 * third, start + 2 * third, 2));
	ASSERT_FALSE(device_writes(&self->staging, IOVA + third, start + third, 3));
	ASSERT_FALSE(device_writes(&self->staging, IOVA + 2 * third - EDU_DMA_MAX,
				   start + 2 * third - EDU_DMA_MAX, 4));
}

TEST_F(device_dma, writes_nothing_through_a_readable_mapping)
{
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas, self->memory.start, SIZE,
					  IOMMU_IOAS_MAP_READABLE, IOVA));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 2));
	ASSERT_EQ(EDU_DMA_MAX, pattern_match(self->memory.start, EDU_DMA_MAX, 1));
	ASSERT_TRUE(device_reads(&self->staging, IOVA, NULL, 1));
}

TEST_F(device_dma, writes_through_a_writeable_mapping)
{
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas, self->memory.start, SIZE,
					  IOMMU_IOAS_MAP_WRITEABLE, IOVA));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, 4079, IOVA));
}

TEST_F(device_dma, works_without_huge_pages_in_the_table)
{
	ASSERT_EQ(0, iommu_option_set(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, SIZE, IOVA));
	ASSERT_TRUE(writes_exactly(&self->staging, &self->memory, MEMORY_HUGE_PAGE_SIZE - 2000,
				   IOVA));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, SIZE, NULL));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 2));
}

/* One device, one piece of small pages: rules that the kind of memory cannot change. */
FIXTURE(device_block)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
	struct edu_staging staging;
	struct memory memory;
};

FIXTURE_SETUP(device_block)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 4 * PAGE_BYTES));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->edu, self->iommufd, self->ioas));
	ASSERT_EQ(0, map(self->iommufd, self->ioas, &self->memory, 0, 4 * PAGE_BYTES, IOVA));
}

FIXTURE_TEARDOWN(device_block)
{
	edu_close(&self->edu);
	close(self->iommufd);
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
}

TEST_F(device_block, device_reaches_nothing_before_attach)
{
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
}

TEST_F(device_block, device_reaches_nothing_after_detach)
{
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	memset(self->memory.start, 0, self->memory.size);
	ASSERT_EQ(0, edu_store(&self->edu, IOVA, EDU_DMA_MAX));
	ASSERT_EQ(0, self->memory.start[0]);
	ASSERT_EQ(0, memcmp(self->memory.start, self->memory.start + 1, self->memory.size - 1));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 2));
}

TEST_F(device_block, address_of_the_memory_is_no_iova)
{
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_FALSE(device_writes(&self->staging, (uintptr_t)self->memory.start,
				   self->memory.start, 1));
}

/* Transfers nothing until the log tells of it. Returns 0 or -errno. */
static int dma_is_reported(struct edu *edu, edu_dma_function dma, int log, uint64_t iova)
{
	time_t end = watchdog_now() + watchdog_limit();
	int rc;

	do
		rc = dma(edu, iova, EDU_DMA_MAX) ? :
		     dma_fault_wait(log, iova, EDU_DMA_MAX, NULL, 0);
	while (rc == -ETIMEDOUT && watchdog_now() < end);
	return rc;
}

TEST_F(device_block, fault_is_reported)
{
	int log;

	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	log = dma_fault_open();
	ASSERT_LE(0, log);
	ASSERT_EQ(0, dma_is_reported(&self->edu, edu_store, log, IOVA + 0x123000));
	ASSERT_EQ(0, dma_is_reported(&self->edu, edu_fetch, log, IOVA + 0x456000));
	close(log);
}

/* The first device that can be reset; others answer EINVAL. */
TEST_F(device_block, reset_keeps_the_attachment)
{
	unsigned int i = 0;
	int rc;

	do {
		edu_close(&self->edu);
		ASSERT_EQ(0, edu_open(&self->edu, topology.own[i].name, self->iommufd));
		ASSERT_EQ(0, attach(&self->edu, self->ioas));
		rc = vfio_device_reset(&self->edu.device);
	} while (rc == -EINVAL && ++i < topology.own_count);
	if (rc == -EINVAL)
		SKIP(return, "needs an edu device that can be reset");
	ASSERT_EQ(0, rc);
	ASSERT_EQ(0, vfio_device_set_bus_master(&self->edu.device, true));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
}

TEST_F(device_block, interrupt_arrives_while_attached)
{
	int event = eventfd(0, EFD_CLOEXEC);
	uint64_t count = 0;

	ASSERT_LE(0, event);
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, vfio_device_set_msi(&self->edu.device, event));
	edu_raise_interrupt(&self->edu);
	ASSERT_EQ((ssize_t)sizeof(count), read(event, &count, sizeof(count)));
	edu_clear_interrupt(&self->edu);
	ASSERT_EQ(1, count);
	ASSERT_EQ(0, vfio_device_set_msi(&self->edu.device, -1));
	close(event);
}

TEST_F(device_block, devices_in_one_ioas_reach_the_same_memory)
{
	struct edu_staging staging = self->staging;
	struct edu second;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, edu_open(&second, topology.own[1].name, self->iommufd));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, attach(&second, self->ioas));
	staging.edu = &second;
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_TRUE(device_writes(&staging, IOVA + PAGE_BYTES, self->memory.start + PAGE_BYTES, 2));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_FALSE(device_writes(&self->staging, IOVA, self->memory.start, 3));
	ASSERT_TRUE(device_writes(&staging, IOVA, self->memory.start, 4));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas, IOVA, 4 * PAGE_BYTES, NULL));
	ASSERT_FALSE(device_writes(&staging, IOVA, self->memory.start, 5));
	edu_close(&second);
}

TEST_F(device_block, devices_in_two_ioas_reach_what_is_theirs)
{
	struct edu_staging staging = self->staging;
	struct edu second;
	__u32 other;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, edu_open(&second, topology.own[1].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &other));
	ASSERT_EQ(0, edu_staging_map(&self->staging, self->iommufd, other));
	ASSERT_EQ(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, attach(&second, other));
	staging.edu = &second;
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
	ASSERT_FALSE(device_writes(&staging, IOVA, self->memory.start, 2));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas, IOVA, PAGE_BYTES, other,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_TRUE(device_writes(&staging, IOVA, self->memory.start, 2));
	ASSERT_FALSE(device_writes(&staging, IOVA + PAGE_BYTES,
				   self->memory.start + PAGE_BYTES, 3));
	edu_close(&second);
}
