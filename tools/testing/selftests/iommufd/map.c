// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_MAP without a device.
 *
 * Owns the checks of the command in their order, and where a fixed mapping may lie.
 * Which IOVA is chosen is in iova_alloc.c, what is pinned in pin.c.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

#define PAGE 0x1000UL
#define MAP_RW_FIXED (IOMMU_MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA)

FIXTURE(map)
{
	int fd;
	__u32 ioas;
	/* A good command at IOVA 0x100000, for a test to spoil. */
	struct iommu_ioas_map cmd;
};

FIXTURE_SETUP(map)
{
	ASSERT_EQ(PAGE, guard_page_size());
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	self->cmd = (struct iommu_ioas_map){
		.size = sizeof(self->cmd),
		.flags = MAP_RW_FIXED,
		.ioas_id = self->ioas,
		.user_va = 0x10000,
		.length = PAGE,
		.iova = 0x100000,
	};
}

FIXTURE_TEARDOWN(map)
{
	close(self->fd);
}

static int map(struct _test_data_map *self)
{
	struct iommu_ioas_map cmd = self->cmd;

	return iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &cmd);
}

static int map_at(struct _test_data_map *self, __u64 iova, __u64 length)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, length,
				    IOMMU_MAP_RW, iova);
}

static __u64 bytes_mapped(struct _test_data_map *self)
{
	__u64 unmapped = 0;

	iommu_ioas_unmap_all(self->fd, self->ioas, &unmapped);
	return unmapped;
}

TEST_F(map, good_command_works)
{
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(PAGE, bytes_mapped(self));
}

TEST_F(map, unknown_flag_is_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 3; bit < 32; bit++) {
		self->cmd.flags = MAP_RW_FIXED | 1U << bit;
		EXPECT_EQ(-EOPNOTSUPP, map(self));
	}
	EXPECT_EQ(0, bytes_mapped(self));
}

TEST_F(map, reserved_member_is_EOPNOTSUPP)
{
	self->cmd.__reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, map(self));
	self->cmd.__reserved = 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, map(self));
}

TEST_F(map, unknown_flag_comes_before_overflow)
{
	self->cmd.flags |= 8;
	self->cmd.iova = UINT64_MAX;
	EXPECT_EQ(-EOPNOTSUPP, map(self));
}

TEST_F(map, iova_U64_MAX_is_EOVERFLOW_also_if_it_is_not_used)
{
	self->cmd.iova = UINT64_MAX;
	EXPECT_EQ(-EOVERFLOW, map(self));
	self->cmd.flags = IOMMU_MAP_RW;
	EXPECT_EQ(-EOVERFLOW, map(self));
	self->cmd.iova = UINT64_MAX - 1;
	EXPECT_EQ(0, map(self));
}

TEST_F(map, length_U64_MAX_is_EOVERFLOW)
{
	self->cmd.length = UINT64_MAX;
	EXPECT_EQ(-EOVERFLOW, map(self));
}

TEST_F(map, overflow_comes_before_missing_permissions)
{
	self->cmd.flags = 0;
	self->cmd.length = UINT64_MAX;
	EXPECT_EQ(-EOVERFLOW, map(self));
}

TEST_F(map, neither_readable_nor_writeable_is_EINVAL)
{
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA;
	EXPECT_EQ(-EINVAL, map(self));
	self->cmd.flags = 0;
	EXPECT_EQ(-EINVAL, map(self));
}

TEST_F(map, missing_permissions_come_before_the_id)
{
	self->cmd.flags = 0;
	self->cmd.ioas_id = 0;
	EXPECT_EQ(-EINVAL, map(self));
}

TEST_F(map, each_permission_alone_is_valid)
{
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE;
	EXPECT_EQ(0, map(self));
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE;
	self->cmd.iova += PAGE;
	EXPECT_EQ(0, map(self));
	EXPECT_EQ(2 * PAGE, bytes_mapped(self));
}

TEST_F(map, unknown_id_is_ENOENT_before_the_length)
{
	self->cmd.length = 0;
	self->cmd.ioas_id = 0;
	EXPECT_EQ(-ENOENT, map(self));
	self->cmd.ioas_id = self->ioas + 1;
	EXPECT_EQ(-ENOENT, map(self));
	self->cmd.ioas_id = UINT32_MAX;
	EXPECT_EQ(-ENOENT, map(self));
}

TEST_F(map, length_zero_is_EINVAL)
{
	self->cmd.length = 0;
	EXPECT_EQ(-EINVAL, map(self));
	self->cmd.flags = IOMMU_MAP_RW;
	EXPECT_EQ(-EINVAL, map(self));
	self->cmd.user_va = UINT64_MAX;
	EXPECT_EQ(-EINVAL, map(self));
}

TEST_F(map, address_plus_length_that_wraps_is_EOVERFLOW)
{
	self->cmd.user_va = UINT64_MAX - PAGE + 2;
	EXPECT_EQ(-EOVERFLOW, map(self));
	/* Ending at 2^64 is wrapping. */
	self->cmd.user_va = UINT64_MAX - PAGE + 1;
	EXPECT_EQ(-EOVERFLOW, map(self));
	self->cmd.user_va = UINT64_MAX;
	self->cmd.length = 1;
	EXPECT_EQ(-EOVERFLOW, map(self));
	self->cmd.user_va = PAGE;
	self->cmd.length = UINT64_MAX - 1;
	EXPECT_EQ(-EOVERFLOW, map(self));
}

TEST_F(map, address_is_not_looked_at_without_a_page_table)
{
	self->cmd.user_va = UINT64_MAX - PAGE;
	EXPECT_EQ(0, map(self));
	self->cmd.user_va = 0;
	self->cmd.iova += PAGE;
	EXPECT_EQ(0, map(self));
}

TEST_F(map, length_above_U64_MAX_minus_a_page_is_EINVAL)
{
	self->cmd.user_va = 0;
	self->cmd.iova = 0;
	self->cmd.length = UINT64_MAX - 1;
	EXPECT_EQ(-EINVAL, map(self));
	self->cmd.length = UINT64_MAX - PAGE + 1;
	EXPECT_EQ(-EINVAL, map(self));
}

TEST_F(map, longest_length_works)
{
	self->cmd.user_va = 0;
	self->cmd.iova = 0;
	self->cmd.length = UINT64_MAX - PAGE;
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(UINT64_MAX - PAGE, bytes_mapped(self));
}

TEST_F(map, end_of_iova_that_wraps_is_EOVERFLOW)
{
	self->cmd.iova = UINT64_MAX - PAGE + 2;
	EXPECT_EQ(-EOVERFLOW, map(self));
	self->cmd.iova = UINT64_MAX - 1;
	EXPECT_EQ(-EOVERFLOW, map(self));
}

TEST_F(map, last_byte_of_the_space_can_be_mapped)
{
	self->cmd.iova = UINT64_MAX - PAGE + 1;
	EXPECT_EQ(0, map(self));
	EXPECT_EQ(-EEXIST, map_at(self, UINT64_MAX - 1, 2));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, UINT64_MAX - PAGE + 1, PAGE,
				      NULL));
}

TEST_F(map, first_byte_of_the_space_can_be_mapped)
{
	EXPECT_EQ(0, map_at(self, 0, PAGE));
	EXPECT_EQ(-EEXIST, map_at(self, 0, 1));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0, PAGE, NULL));
}

TEST_F(map, single_bytes_can_be_mapped_side_by_side)
{
	EXPECT_EQ(0, map_at(self, 0x1000, 1));
	EXPECT_EQ(0, map_at(self, 0x1001, 1));
	EXPECT_EQ(0, map_at(self, 0x0fff, 1));
	EXPECT_EQ(-EEXIST, map_at(self, 0x1001, 1));
	EXPECT_EQ(3, bytes_mapped(self));
}

TEST_F(map, overlap_is_EEXIST_and_changes_nothing)
{
	ASSERT_EQ(0, map_at(self, 0x4000, 0x2000));
	EXPECT_EQ(-EEXIST, map_at(self, 0x4000, 0x2000));
	EXPECT_EQ(-EEXIST, map_at(self, 0x4000, 0x1000));
	EXPECT_EQ(-EEXIST, map_at(self, 0x5000, 0x1000));
	EXPECT_EQ(-EEXIST, map_at(self, 0x4800, 0x100));
	EXPECT_EQ(-EEXIST, map_at(self, 0x3000, 0x1001));
	EXPECT_EQ(-EEXIST, map_at(self, 0x5fff, 0x1000));
	EXPECT_EQ(-EEXIST, map_at(self, 0x3000, 0x4000));
	EXPECT_EQ(-EEXIST, map_at(self, 0, UINT64_MAX - PAGE - 0x10000));
	EXPECT_EQ(0x2000, bytes_mapped(self));
}

TEST_F(map, neighbours_are_never_merged)
{
	ASSERT_EQ(0, map_at(self, 0x4000, 0x1000));
	EXPECT_EQ(0, map_at(self, 0x5000, 0x1000));
	EXPECT_EQ(0, map_at(self, 0x3000, 0x1000));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0x4000, 0x1000, NULL));
	EXPECT_EQ(0x2000, bytes_mapped(self));
}

TEST_F(map, same_memory_can_be_mapped_again)
{
	ASSERT_EQ(0, map_at(self, 0x4000, 0x1000));
	EXPECT_EQ(0, map_at(self, 0x8000, 0x1000));
}

TEST_F(map, input_iova_is_ignored_without_the_fixed_flag)
{
	__u64 iova;

	ASSERT_EQ(0, map_at(self, 0x4000, 0x1000));
	self->cmd.flags = IOMMU_MAP_RW;
	self->cmd.iova = 0x4000;
	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &self->cmd));
	iova = self->cmd.iova;
	EXPECT_EQ(0x1000, iova);
}

TEST_F(map, output_that_cannot_be_written_is_EFAULT_and_the_mapping_stays)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &self->cmd, sizeof(self->cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, where));
	EXPECT_EQ(-EEXIST, map(self));
	EXPECT_EQ(PAGE, bytes_mapped(self));
	guard_page_free(edge);
}

/* With huge pages off every length, IOVA and offset has to be a multiple of a page. */
FIXTURE(map_aligned)
{
	int fd;
	__u32 ioas;
};

FIXTURE_SETUP(map_aligned)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
}

FIXTURE_TEARDOWN(map_aligned)
{
	close(self->fd);
}

static int map_aligned(struct _test_data_map_aligned *self, __u64 address, __u64 length,
		       __u64 iova)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, (void *)address, length,
				    IOMMU_MAP_RW, iova);
}

TEST_F(map_aligned, length_not_aligned_is_EINVAL)
{
	__u64 iova;

	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10000, 0xfff, 0x1000));
	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10000, 0x1001, 0x1000));
	EXPECT_EQ(-EINVAL, iommu_ioas_map(self->fd, self->ioas, (void *)0x10000, 0x800,
					  IOMMU_MAP_RW, &iova));
}

TEST_F(map_aligned, length_comes_before_the_choice_of_an_iova)
{
	__u64 iova;

	EXPECT_EQ(-EINVAL, iommu_ioas_map(self->fd, self->ioas, (void *)0x10000,
					  UINT64_MAX / 2 + 1 + 0x800, IOMMU_MAP_RW,
					  &iova));
}

TEST_F(map_aligned, iova_not_aligned_is_EINVAL_before_overflow_and_EEXIST)
{
	ASSERT_EQ(0, map_aligned(self, 0x10000, 0x1000, 0x1000));
	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10000, 0x1000, 0x3800));
	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10000, 0x1000, 0x1001));
	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10000, 0x1000, UINT64_MAX - 1));
}

TEST_F(map_aligned, overflow_of_the_iova_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, map_aligned(self, 0x10000, 0x2000, -PAGE));
	EXPECT_EQ(0, map_aligned(self, 0x10000, 0x1000, -PAGE));
}

TEST_F(map_aligned, address_not_aligned_is_EINVAL_after_EEXIST)
{
	__u64 iova;

	ASSERT_EQ(0, map_aligned(self, 0x10000, 0x1000, 0x1000));
	EXPECT_EQ(-EINVAL, map_aligned(self, 0x10800, 0x1000, 0x3000));
	EXPECT_EQ(-EEXIST, map_aligned(self, 0x10800, 0x1000, 0x1000));
	EXPECT_EQ(-EINVAL, iommu_ioas_map(self->fd, self->ioas, (void *)0x10800, 0x1000,
					  IOMMU_MAP_RW, &iova));
}

TEST_HARNESS_MAIN
