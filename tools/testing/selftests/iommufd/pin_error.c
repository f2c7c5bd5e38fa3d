// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that cannot be pinned.
 *
 * Owns the rule that a map or an attach that fails for its memory has changed
 * nothing, wherever in the memory it fails. Limits are in pin_limit.c.
 */
#include <stdalign.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"

#define IOVA 0x40000000UL

/* More than one batch of pages, whatever a batch is. */
#define PAGES 3000
#define SIZE (PAGES * PAGE_BYTES)

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
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
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

static int attach(struct _test_data_pin_error *self)
{
	return attachment_attach(&self->attachment, self->attachment.ioas);
}

static int map(struct _test_data_pin_error *self, __u32 flags)
{
	return attachment_map(&self->attachment, self->start, SIZE, flags, IOVA);
}

static int unmap(struct _test_data_pin_error *self)
{
	return attachment_unmap(&self->attachment, IOVA, SIZE);
}

/* The IOVA is free and nothing is pinned but what was before. */
static bool nothing_happened(struct _test_data_pin_error *self, long pinned)
{
	return pages_pinned() == pinned && unmap(self) == -ENOENT;
}

/* Puts good memory where a test has made it bad, and maps it. */
static int map_again(struct _test_data_pin_error *self)
{
	if (mmap(self->start, SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != self->start)
		return -errno;
	return map(self, IOMMU_MAP_RW);
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
	.page = PAGES / 2,
};

FIXTURE_VARIANT_ADD(pin_error, last)
{
	.page = PAGES - 1,
};

static __u8 *bad_page(struct _test_data_pin_error *self,
		      const struct _fixture_variant_pin_error *variant)
{
	return self->start + variant->page * PAGE_BYTES;
}

TEST_F(pin_error, map_of_a_hole_is_EFAULT)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, map_again(self));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin_error, attach_with_a_hole_is_EFAULT)
{
	__u8 *hole = bad_page(self, variant);

	ASSERT_EQ(0, attachment_map(&self->attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA - PAGE_BYTES));
	ASSERT_EQ(0, map(self, IOMMU_MAP_RW));
	ASSERT_EQ(0, munmap(hole, PAGE_BYTES));
	EXPECT_EQ(-EFAULT, attach(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, self->attachment.ioas));
	/* Filling the hole is enough. */
	ASSERT_EQ(hole, mmap(hole, PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, attach(self));
	EXPECT_LT(PAGES, pages_pinned());
}

TEST_F(pin_error, map_of_memory_without_permission_is_EFAULT)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, mprotect(bad_page(self, variant), PAGE_BYTES, PROT_NONE));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
}

TEST_F(pin_error, writeable_map_of_read_only_memory_is_EFAULT)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, mprotect(bad_page(self, variant), PAGE_BYTES, PROT_READ));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_IOAS_MAP_WRITEABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, map(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_EQ(PAGES, pages_pinned());
}

TEST_F(pin_error, memory_behind_the_end_of_a_file_is_EFAULT)
{
	int file = memfd_create("short", 0);

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, variant->page * PAGE_BYTES));
	ASSERT_EQ(self->start, mmap(self->start, SIZE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_FIXED, file, 0));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_TRUE(nothing_happened(self, 0));
	ASSERT_EQ(0, ftruncate(file, SIZE));
	EXPECT_EQ(0, map(self, IOMMU_MAP_RW));
	close(file);
}

TEST_F(pin_error, device_memory_is_EFAULT)
{
	void *registers = (void *)self->attachment.edu.registers;
	__u8 *page = bad_page(self, variant);

	/* The device's registers in the place of a page. */
	ASSERT_EQ(page, mremap(registers, PAGE_BYTES, PAGE_BYTES,
			       MREMAP_MAYMOVE | MREMAP_FIXED, page));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_IOAS_MAP_READABLE));
	EXPECT_TRUE(nothing_happened(self, 0));
}

TEST_F(pin_error, error_leaves_the_page_table_as_it_was)
{
	struct attachment *attachment = &self->attachment;
	unsigned long good = variant->page ? 0 : PAGE_BYTES;
	struct edu_staging staging;

	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, edu_staging_create(&staging, &attachment->edu, attachment->iommufd,
					attachment->ioas));
	ASSERT_EQ(0, attachment_map(attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA - PAGE_BYTES));
	ASSERT_EQ(0, attachment_map(attachment, good_page, PAGE_BYTES, IOMMU_MAP_RW,
				    IOVA + SIZE));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, map(self, IOMMU_MAP_RW));
	EXPECT_TRUE(device_reads(&staging, IOVA - PAGE_BYTES, good_page, 1));
	EXPECT_TRUE(device_reads(&staging, IOVA + SIZE, good_page, 2));
	/* The good pages of the memory are not there either. */
	EXPECT_FALSE(device_writes(&staging, IOVA + good, self->start + good, 3));
	EXPECT_EQ(0, self->start[good]);
	EXPECT_EQ(0, map_again(self));
	EXPECT_TRUE(device_writes(&staging, IOVA + good, self->start + good, 4));
	edu_staging_destroy(&staging);
}

TEST_F(pin_error, failed_copy_changes_nothing)
{
	__u32 source;

	ASSERT_EQ(0, iommu_ioas_alloc(self->attachment.iommufd, &source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->attachment.iommufd, source, self->start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(-EFAULT, iommu_ioas_copy_fixed(self->attachment.iommufd, source, IOVA, SIZE,
						 self->attachment.ioas, IOMMU_MAP_RW, IOVA));
	EXPECT_TRUE(nothing_happened(self, 0));
	EXPECT_EQ(0, iommu_ioas_unmap(self->attachment.iommufd, source, IOVA, SIZE, NULL));
}

TEST_F(pin_error, failed_replace_keeps_the_old_pins)
{
	__u32 bad;

	ASSERT_EQ(0, attachment_map(&self->attachment, good_page, PAGE_BYTES,
				    IOMMU_IOAS_MAP_READABLE, IOVA));
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, iommu_ioas_alloc(self->attachment.iommufd, &bad));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->attachment.iommufd, bad, self->start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, munmap(bad_page(self, variant), PAGE_BYTES));
	EXPECT_EQ(-EFAULT, attachment_attach(&self->attachment, bad));
	EXPECT_EQ(1, pages_pinned());
	EXPECT_TRUE(is_reserved_for_device(self->attachment.iommufd, self->attachment.ioas));
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, bad));
}
