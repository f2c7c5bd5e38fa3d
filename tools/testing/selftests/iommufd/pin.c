// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages are pinned, and from when to when.
 *
 * Owns the rules of successful pins, as VmPin shows them. Memory that cannot be
 * pinned is in pin_error.c, limits are in pin_limit.c, other processes in
 * pin_process.c.
 */
#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"

#define IOVA 0x40000000UL
#define PAGES 64
#define SIZE (PAGES * PAGE_BYTES)

FIXTURE(pin)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct memory memory;
	__u32 other;
	int fd;
};

FIXTURE_SETUP(pin)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, pages_pinned());
}

FIXTURE_TEARDOWN(pin)
{
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int attach(struct _test_data_pin *self)
{
	return attachment_attach(&self->attachment, self->attachment.ioas);
}

static int detach(struct _test_data_pin *self)
{
	return attachment_detach(&self->attachment);
}

static int map(struct _test_data_pin *self, __u64 pages, __u64 iova)
{
	return attachment_map(&self->attachment, self->memory.start, pages * PAGE_BYTES,
			      IOMMU_MAP_RW, iova);
}

static int unmap(struct _test_data_pin *self, __u64 pages, __u64 iova)
{
	return attachment_unmap(&self->attachment, iova, pages * PAGE_BYTES);
}

/* Copies from the IOAS of the device into the other one. */
static int copy(struct _test_data_pin *self, __u64 iova, __u64 pages, __u64 target)
{
	return iommu_ioas_copy_fixed(self->fd, self->attachment.ioas, iova,
				     pages * PAGE_BYTES, self->other, IOMMU_MAP_RW, target);
}

TEST_F(pin, nothing_without_a_page_table)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, unmap(self, PAGES, IOVA));
}

TEST_F(pin, attach_pins_and_detach_unpins_everything)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, map(self, 3, IOVA + SIZE));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PAGES + 3, pages_pinned());
	ASSERT_EQ(0, detach(self));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PAGES + 3, pages_pinned());
}

TEST_F(pin, map_pins_and_unmap_unpins_at_once_while_attached)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(PAGES + 1, pages_pinned());
	ASSERT_EQ(0, unmap(self, PAGES, IOVA));
	EXPECT_EQ(1, pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->attachment.ioas, NULL));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, is_not_locked_when_charged_to_the_user)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	EXPECT_EQ(0, pages_locked());
}

TEST_F(pin, two_maps_of_the_same_memory_are_pinned_twice)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, map(self, PAGES, IOVA + SIZE));
	EXPECT_EQ(2 * PAGES, pages_pinned());
	ASSERT_EQ(0, unmap(self, PAGES, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin, copies_in_one_ioas_are_pinned_once)
{
	__u64 i;

	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	for (i = 1; i <= 10; i++)
		ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->attachment.ioas, IOVA,
						   SIZE, self->attachment.ioas,
						   IOMMU_MAP_RW, IOVA + i * SIZE));
	EXPECT_EQ(PAGES, pages_pinned());
	/* Unmapping the original keeps the copies. */
	ASSERT_EQ(0, unmap(self, 10 * PAGES, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, unmap(self, PAGES, IOVA + 10 * SIZE));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, copy_in_an_ioas_without_a_page_table_pins_nothing)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, copy(self, IOVA, PAGES, IOVA));
	ASSERT_EQ(0, unmap(self, PAGES, IOVA));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, only_the_part_that_a_copy_covers)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, copy(self, IOVA + 8 * PAGE_BYTES, 5, IOVA));
	ASSERT_EQ(0, copy(self, IOVA + 10 * PAGE_BYTES, 10, IOVA + SIZE));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	/* Pages 8 to 12 and 10 to 19: each once. */
	EXPECT_EQ(12, pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA, 5 * PAGE_BYTES, NULL));
	EXPECT_EQ(10, pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA + SIZE, 10 * PAGE_BYTES,
				      NULL));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, parts_that_copies_share_are_kept_in_every_order)
{
	__u64 starts[] = { 0, 8, 16, 4 }, i;
	static const long left[] = { 26, 22, 14, 0 };

	/* Pages 0-9, 8-17, 16-25 and 4-17: they make a chain of 26. */
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, copy(self, IOVA + starts[i] * PAGE_BYTES, i == 3 ? 14 : 10,
				  IOVA + i * SIZE));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	EXPECT_EQ(left[0], pages_pinned());
	/* Without 0-9: 4-25. */
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA, SIZE, NULL));
	EXPECT_EQ(left[1], pages_pinned());
	/* Without 8-17 nothing changes, without 16-25: 4-17. */
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA + SIZE, SIZE, NULL));
	EXPECT_EQ(left[1], pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA + 2 * SIZE, SIZE, NULL));
	EXPECT_EQ(left[2], pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA + 3 * SIZE, SIZE, NULL));
	EXPECT_EQ(left[3], pages_pinned());
}

TEST_F(pin, failed_unmap_keeps_the_pins)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, 2, IOVA));
	ASSERT_EQ(0, map(self, 2, IOVA + 2 * PAGE_BYTES));
	EXPECT_EQ(-ENOENT, unmap(self, 3, IOVA));
	EXPECT_EQ(4, pages_pinned());
}

TEST_F(pin, replaced_memory_is_what_is_there_at_pin_time)
{
	struct edu_staging staging;
	void *start = self->memory.start;

	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, edu_staging_create(&staging, &self->attachment.edu, self->fd,
					self->attachment.ioas));
	ASSERT_EQ(start, mmap(start, SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, attach(self));
	EXPECT_TRUE(device_writes(&staging, IOVA, start, 1));
	EXPECT_TRUE(device_reads(&staging, IOVA + PAGE_BYTES,
				 (char *)start + PAGE_BYTES, 2));
	edu_staging_destroy(&staging);
}

TEST_F(pin, memory_that_appears_before_pin_time_is_fine)
{
	void *start = self->memory.start;

	ASSERT_EQ(0, munmap(start, SIZE));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(start, mmap(start, SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin, read_only_memory_can_be_mapped_readable)
{
	ASSERT_EQ(0, mprotect(self->memory.start, SIZE, PROT_READ));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE,
				    IOMMU_IOAS_MAP_READABLE, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, mprotect(self->memory.start, SIZE, PROT_READ | PROT_WRITE));
}

TEST_F(pin, attached_table_is_still_there_for_the_pins_of_a_second_ioas)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, copy(self, IOVA, PAGES, IOVA));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PAGES, pages_pinned());
	/* Moving the device away unpins what only the first table needed: nothing. */
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, iommu_destroy(self->fd, self->attachment.ioas));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, detach(self));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, close_of_everything_unpins)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PAGES, pages_pinned());
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
}

/* Every kind of memory is counted in pages of the processor. */
FIXTURE(pin_kind)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct memory memory;
};

FIXTURE_VARIANT(pin_kind)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(pin_kind, anonymous)
{
	.kind = MEMORY_ANONYMOUS,
};

FIXTURE_VARIANT_ADD(pin_kind, thp)
{
	.kind = MEMORY_THP,
};

FIXTURE_VARIANT_ADD(pin_kind, hugetlb)
{
	.kind = MEMORY_HUGETLB,
};

FIXTURE_VARIANT_ADD(pin_kind, memfd)
{
	.kind = MEMORY_MEMFD,
};

FIXTURE_VARIANT_ADD(pin_kind, hugetlb_memfd)
{
	.kind = MEMORY_HUGETLB_MEMFD,
};

#define KIND_SIZE (4 * MEMORY_HUGE_PAGE_SIZE)
#define KIND_PAGES ((long)(KIND_SIZE / PAGE_BYTES))

FIXTURE_SETUP(pin_kind)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, KIND_SIZE));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->attachment.ioas));
}

FIXTURE_TEARDOWN(pin_kind)
{
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F(pin_kind, whole_memory)
{
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, KIND_SIZE,
				    IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(KIND_PAGES, pages_pinned());
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, KIND_SIZE));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin_kind, part_that_begins_and_ends_inside_huge_pages)
{
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start + PAGE_BYTES,
				    KIND_SIZE - 3 * PAGE_BYTES, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(KIND_PAGES - 3, pages_pinned());
}

TEST_F(pin_kind, one_page)
{
	ASSERT_EQ(0, attachment_map(&self->attachment,
				    self->memory.start + KIND_SIZE - PAGE_BYTES, PAGE_BYTES,
				    IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(1, pages_pinned());
}

TEST_F(pin_kind, copies_of_parts)
{
	struct attachment *attachment = &self->attachment;
	__u64 middle = IOVA + MEMORY_HUGE_PAGE_SIZE + 5 * PAGE_BYTES;

	ASSERT_EQ(0, attachment_map(attachment, self->memory.start, KIND_SIZE, IOMMU_MAP_RW,
				    IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, middle,
					   MEMORY_HUGE_PAGE_SIZE, attachment->ioas,
					   IOMMU_MAP_RW, IOVA + KIND_SIZE));
	EXPECT_EQ(KIND_PAGES, pages_pinned());
	ASSERT_EQ(0, attachment_unmap(attachment, IOVA, KIND_SIZE));
	EXPECT_EQ(512, pages_pinned());
}

TEST_F(pin_kind, freed_memory_stays_with_the_device_until_unmap)
{
	long free_pages = memory_info("HugePages_Free");

	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, KIND_SIZE,
				    IOMMU_MAP_RW, IOVA));
	memory_free(&self->memory);
	EXPECT_EQ(KIND_PAGES, pages_pinned());
	if (variant->kind == MEMORY_HUGETLB || variant->kind == MEMORY_HUGETLB_MEMFD)
		EXPECT_EQ(free_pages, memory_info("HugePages_Free"));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, KIND_SIZE));
	EXPECT_EQ(0, pages_pinned());
	if (variant->kind == MEMORY_HUGETLB || variant->kind == MEMORY_HUGETLB_MEMFD)
		EXPECT_EQ(free_pages + 4, memory_info("HugePages_Free"));
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, KIND_SIZE));
}
