// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_UNMAP without a device.
 *
 * Owns the checks of the command in their order, and which mappings a range takes
 * away. What happens to pins is in pin.c, to DMA in the tests with a device.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

/* Three mappings: two that touch, and one behind a hole. */
#define FIRST 0x10000UL
#define SECOND 0x12000UL
#define THIRD 0x20000UL
#define LENGTH 0x2000UL

FIXTURE(unmap)
{
	int fd;
	__u32 ioas;
	__u64 unmapped;
};

FIXTURE_SETUP(unmap)
{
	static const __u64 starts[] = { FIRST, SECOND, THIRD };
	size_t i;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x100000,
						  LENGTH, IOMMU_MAP_RW, starts[i]));
	self->unmapped = 77;
}

FIXTURE_TEARDOWN(unmap)
{
	close(self->fd);
}

static int unmap(struct _test_data_unmap *self, __u64 iova, __u64 length)
{
	return iommu_ioas_unmap(self->fd, self->ioas, iova, length, &self->unmapped);
}

static __u64 bytes_left(struct _test_data_unmap *self)
{
	__u64 left = 0;

	iommu_ioas_unmap_all(self->fd, self->ioas, &left);
	return left;
}

TEST_F(unmap, unknown_id_is_ENOENT_before_everything)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap(self->fd, 0, UINT64_MAX, 0, NULL));
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap(self->fd, self->ioas + 1, 0, UINT64_MAX, NULL));
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, zero_and_U64_MAX_unmaps_everything)
{
	EXPECT_EQ(0, unmap(self, 0, UINT64_MAX));
	EXPECT_EQ(3 * LENGTH, self->unmapped);
	EXPECT_EQ(0, unmap(self, 0, UINT64_MAX));
	EXPECT_EQ(0, self->unmapped);
}

TEST_F(unmap, everything_includes_the_last_byte)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x100000, 0x1000,
					  IOMMU_MAP_RW, -0x1000UL));
	EXPECT_EQ(0, unmap(self, 0, UINT64_MAX));
	EXPECT_EQ(3 * LENGTH + 0x1000, self->unmapped);
}

TEST_F(unmap, iova_U64_MAX_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, unmap(self, UINT64_MAX, 1));
	EXPECT_EQ(-EOVERFLOW, unmap(self, UINT64_MAX, UINT64_MAX));
}

TEST_F(unmap, length_U64_MAX_elsewhere_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, unmap(self, 1, UINT64_MAX));
	EXPECT_EQ(-EOVERFLOW, unmap(self, FIRST, UINT64_MAX));
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, length_zero_is_EINVAL_after_iova_U64_MAX)
{
	EXPECT_EQ(-EINVAL, unmap(self, 0, 0));
	EXPECT_EQ(-EINVAL, unmap(self, FIRST, 0));
	EXPECT_EQ(-EOVERFLOW, unmap(self, UINT64_MAX, 0));
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, range_that_wraps_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, unmap(self, 3, UINT64_MAX - 1));
	EXPECT_EQ(-EOVERFLOW, unmap(self, UINT64_MAX - 0xffe, 0x1000));
	EXPECT_EQ(-EOVERFLOW, unmap(self, UINT64_MAX - 1, 3));
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, range_may_end_at_the_last_byte)
{
	EXPECT_EQ(-ENOENT, unmap(self, UINT64_MAX - 0xfff, 0x1000));
	EXPECT_EQ(0, unmap(self, 2, UINT64_MAX - 1));
	EXPECT_EQ(3 * LENGTH, self->unmapped);
}

TEST_F(unmap, nothing_in_the_range_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, unmap(self, 0, FIRST));
	EXPECT_EQ(-ENOENT, unmap(self, SECOND + LENGTH, THIRD - SECOND - LENGTH));
	EXPECT_EQ(-ENOENT, unmap(self, THIRD + LENGTH, 0x100000));
	EXPECT_EQ(77, self->unmapped);
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, exact_range_unmaps_one)
{
	EXPECT_EQ(0, unmap(self, SECOND, LENGTH));
	EXPECT_EQ(LENGTH, self->unmapped);
	EXPECT_EQ(-ENOENT, unmap(self, SECOND, LENGTH));
	EXPECT_EQ(2 * LENGTH, bytes_left(self));
}

TEST_F(unmap, range_may_have_holes_and_be_larger_than_the_mappings)
{
	EXPECT_EQ(0, unmap(self, 1, THIRD + LENGTH + 12345));
	EXPECT_EQ(3 * LENGTH, self->unmapped);
	EXPECT_EQ(0, bytes_left(self));
}

TEST_F(unmap, several_that_touch_go_at_once)
{
	EXPECT_EQ(0, unmap(self, FIRST, 2 * LENGTH));
	EXPECT_EQ(2 * LENGTH, self->unmapped);
	EXPECT_EQ(LENGTH, bytes_left(self));
}

TEST_F(unmap, mapping_is_never_cut)
{
	EXPECT_EQ(-ENOENT, unmap(self, THIRD, LENGTH - 1));
	EXPECT_EQ(-ENOENT, unmap(self, THIRD + 1, LENGTH));
	EXPECT_EQ(-ENOENT, unmap(self, THIRD + 1, LENGTH - 2));
	EXPECT_EQ(-ENOENT, unmap(self, THIRD, 1));
	EXPECT_EQ(-ENOENT, unmap(self, THIRD + LENGTH - 1, 1));
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, mapping_that_sticks_out_below_is_ENOENT_and_removes_nothing)
{
	EXPECT_EQ(-ENOENT, unmap(self, FIRST + 0x1000, THIRD + LENGTH - FIRST - 0x1000));
	EXPECT_EQ(77, self->unmapped);
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, mapping_that_sticks_out_above_is_ENOENT_and_removes_nothing)
{
	EXPECT_EQ(-ENOENT, unmap(self, FIRST, THIRD + LENGTH - FIRST - 1));
	EXPECT_EQ(-ENOENT, unmap(self, 0, THIRD + 1));
	EXPECT_EQ(77, self->unmapped);
	EXPECT_EQ(3 * LENGTH, bytes_left(self));
}

TEST_F(unmap, range_needs_no_alignment)
{
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x100000, 0x1000,
					  IOMMU_MAP_RW, 0x10000));
	EXPECT_EQ(0, unmap(self, 0xffff, 0x1003));
	EXPECT_EQ(0x1000, self->unmapped);
}

TEST_F(unmap, iova_can_be_used_again)
{
	ASSERT_EQ(0, unmap(self, FIRST, LENGTH));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x100000, LENGTH,
					  IOMMU_MAP_RW, FIRST));
}

TEST_F(unmap, memory_that_is_gone_can_be_unmapped)
{
	void *memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, memory, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	munmap(memory, 0x1000);
	EXPECT_EQ(0, unmap(self, 0x1000, 0x1000));
}

TEST_F(unmap, output_that_cannot_be_written_is_EFAULT_and_the_mapping_is_gone)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = self->ioas, .iova = FIRST, .length = LENGTH,
	};
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_UNMAP, where));
	EXPECT_EQ(2 * LENGTH, bytes_left(self));
	guard_page_free(edge);
}

TEST_F(unmap, thousands_at_once)
{
	__u64 i;

	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
	for (i = 1; i <= 5000; i++)
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x100000,
						  0x1000, IOMMU_MAP_RW, i << 14));
	EXPECT_EQ(-ENOENT, unmap(self, 0, (5000ULL << 14) + 0x800));
	EXPECT_EQ(0, unmap(self, 0, (5000ULL << 14) + 0x1000));
	EXPECT_EQ(5000 * 0x1000, self->unmapped);
}

TEST_HARNESS_MAIN
