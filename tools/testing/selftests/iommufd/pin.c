// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages are pinned, and from when to when; and memory that cannot be pinned.
 *
 * Owns the rules of pins, as VmPin shows them, and the rule that a map or an attach
 * that fails for its memory has changed nothing, wherever in the memory it fails.
 * Who pays for them, and memory of other processes, is in pin_process.c.
 */
#include <stdalign.h>

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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PAGES + 3, pages_pinned());
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PAGES + 3, pages_pinned());
}

TEST_F(pin, map_pins_and_unmap_unpins_at_once_while_attached)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	EXPECT_EQ(0, pages_locked());
}

TEST_F(pin, two_maps_of_the_same_memory_are_pinned_twice)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, map(self, PAGES, IOVA + SIZE));
	EXPECT_EQ(2 * PAGES, pages_pinned());
	ASSERT_EQ(0, unmap(self, PAGES, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin, copies_in_one_ioas_are_pinned_once)
{
	__u64 i;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin, read_only_memory_can_be_mapped_readable)
{
	ASSERT_EQ(0, mprotect(self->memory.start, SIZE, PROT_READ));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE,
				    IOMMU_IOAS_MAP_READABLE, IOVA));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, mprotect(self->memory.start, SIZE, PROT_READ | PROT_WRITE));
}

TEST_F(pin, attached_table_is_still_there_for_the_pins_of_a_second_ioas)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, copy(self, IOVA, PAGES, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PAGES, pages_pinned());
	/* Moving the device away unpins what only the first table needed: nothing. */
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, iommu_destroy(self->fd, self->attachment.ioas));
	EXPECT_EQ(PAGES, pages_pinned());
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin, close_of_everything_unpins)
{
	ASSERT_EQ(0, map(self, PAGES, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
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

/* More than one batch of pages, whatever a batch is. */
#define MANY_PAGES 3000
#define MANY_SIZE (MANY_PAGES * PAGE_BYTES)

static alignas(PAGE_BYTES) __u8 good_page[PAGE_BYTES];

FIXTURE(pin_error)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct memory memory;
	__u8 *start;
};

FIXTURE_SETUP(pin_error)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, MANY_SIZE));
	self->start = self->memory.start;
	ASSERT_EQ(0, pages_pinned());
}

FIXTURE_TEARDOWN(pin_error)
{
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int map_all(struct _test_data_pin_error *self, __u32 flags)
{
	return attachment_map(&self->attachment, self->start, MANY_SIZE, flags, IOVA);
}

static int unmap_all(struct _test_data_pin_error *self)
{
	return attachment_unmap(&self->attachment, IOVA, MANY_SIZE);
}

/* The IOVA is free and nothing is pinned but what was before. */
static bool nothing_happened(struct _test_data_pin_error *self, long pinned)
{
	return pages_pinned() == pinned && unmap_all(self) == -ENOENT;
}

/* Puts good memory where a test has made it bad, and maps it. */
static int map_good(struct _test_data_pin_error *self)
{
	if (mmap(self->start, MANY_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != self->start)
		return -errno;
	return map_all(self, IOMMU_MAP_RW);
}

/* Where the memory goes bad: at the first page, in the middle, at the last one. */
FIXTURE_VARIANT(pin_error)
{
	unsigned long page;
};

FIXTURE_VARIANT_ADD(pin_error, first)
{
	.page = 0,
};

FIXTURE_VARIANT_ADD(pin_error, second)
{
	.page = 1,
};

FIXTURE_VARIANT_ADD(pin_error, middle)
{
	.page = MANY_PAGES / 2,
};

FIXTURE_VARIANT_ADD(pin_error, last)
{
	.page = MANY_PAGES - 1,
};

static __u8 *bad_page(struct _test_data_pin_error *self,
		      const struct _fixture_variant_pin_error *variant)
{
	return self->start + variant->page * PAGE_BYTES;
}

TEST_F(pin_error, map_of_a_hole_is_EFAULT)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, map_good(self));
	EXPECT_EQ(MANY_PAGES, pages_pinned());
}

TEST_F(pin_error, attach_with_a_hole_is_EFAULT)
{
	__u8 *hole = bad_page(self, variant);

	ASSERT_EQ(0, attachment_map(&self->attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA - PAGE_BYTES));
	ASSERT_EQ(0, map_all(self, IOMMU_MAP_RW));
	ASSERT_EQ(0, munmap(hole, PAGE_BYTES));
	EXPECT_EQ(-EFAULT, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, self->attachment.ioas));
	/* Filling the hole is enough. */
	ASSERT_EQ(hole, mmap(hole, PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_LT(MANY_PAGES, pages_pinned());
}

TEST_F(pin_error, map_of_memory_without_permission_is_EFAULT)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, mprotect(bad_page(self, variant), PAGE_BYTES, PROT_NONE));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
}

TEST_F(pin_error, writeable_map_of_read_only_memory_is_EFAULT)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, mprotect(bad_page(self, variant), PAGE_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_IOAS_MAP_WRITEABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, map_all(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_EQ(MANY_PAGES, pages_pinned());
}

TEST_F(pin_error, memory_behind_the_end_of_a_file_is_EFAULT)
{
	int file = memfd_create("short", 0);

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, variant->page * PAGE_BYTES));
	ASSERT_EQ(self->start, mmap(self->start, MANY_SIZE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_FIXED, file, 0));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
	ASSERT_EQ(0, ftruncate(file, MANY_SIZE));
	EXPECT_EQ(0, map_all(self, IOMMU_MAP_RW));
	close(file);
}

TEST_F(pin_error, device_memory_is_EFAULT)
{
	void *registers = (void *)self->attachment.edu.registers;
	__u8 *page = bad_page(self, variant);

	/* The device's registers in the place of a page. */
	ASSERT_EQ(page, mremap(registers, PAGE_BYTES, PAGE_BYTES,
			       MREMAP_MAYMOVE | MREMAP_FIXED, page));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
}

TEST_F(pin_error, error_leaves_the_page_table_as_it_was)
{
	struct attachment *attachment = &self->attachment;
	unsigned long good = variant->page ? 0 : PAGE_BYTES;
	struct edu_staging staging;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, edu_staging_create(&staging, &attachment->edu, attachment->iommufd,
					attachment->ioas));
	ASSERT_EQ(0, attachment_map(attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA - PAGE_BYTES));
	ASSERT_EQ(0, attachment_map(attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA + MANY_SIZE));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, map_all(self, IOMMU_MAP_RW));
	EXPECT_TRUE(device_reads(&staging, IOVA - PAGE_BYTES, good_page, 1));
	EXPECT_TRUE(device_reads(&staging, IOVA + MANY_SIZE, good_page, 2));
	/* The good pages of the memory are not there either. */
	EXPECT_FALSE(device_writes(&staging, IOVA + good, self->start + good, 3));
	EXPECT_EQ(0, self->start[good]);
	EXPECT_EQ(0, map_good(self));
	EXPECT_TRUE(device_writes(&staging, IOVA + good, self->start + good, 4));
	edu_staging_destroy(&staging);
}

TEST_F(pin_error, failed_copy_changes_nothing)
{
	__u32 source;

	ASSERT_EQ(0, iommu_ioas_alloc(self->attachment.iommufd, &source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->attachment.iommufd, source, self->start, MANY_SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(-EFAULT, iommu_ioas_copy_fixed(self->attachment.iommufd, source, IOVA, MANY_SIZE,
						 self->attachment.ioas, IOMMU_MAP_RW, IOVA));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, iommu_ioas_unmap(self->attachment.iommufd, source, IOVA, MANY_SIZE, NULL));
}

TEST_F(pin_error, failed_replace_keeps_the_old_pins)
{
	__u32 bad;

	ASSERT_EQ(0, attachment_map(&self->attachment, good_page, PAGE_BYTES,
				    IOMMU_IOAS_MAP_READABLE, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, iommu_ioas_alloc(self->attachment.iommufd, &bad));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->attachment.iommufd, bad, self->start, MANY_SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, attachment_attach(&self->attachment, bad));
	EXPECT_EQ(1, pages_pinned());
	EXPECT_TRUE(is_reserved_for_device(self->attachment.iommufd, self->attachment.ioas));
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, bad));
}
