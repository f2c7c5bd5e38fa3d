// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_COPY without a device.
 *
 * Owns the checks of the command in their order, and what mappings a copy makes.
 * That copies share pins is in pin.c.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock.h"
#include "spoil.h"

/* The source: two mappings that touch, a hole, and one that cannot be written. */
#define FIRST 0x10000UL
#define SECOND 0x14000UL
#define READ_ONLY 0x20000UL
#define LENGTH 0x4000UL
#define ADDRESS 0x400000UL

FIXTURE(copy)
{
	int fd;
	__u32 source;
	__u32 target;
	__u64 iova;
	/* A good command, for a test to spoil. */
	struct iommu_ioas_copy cmd;
};

FIXTURE_SETUP(copy)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->source));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->target));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, LENGTH,
					  IOMMU_MAP_RW, FIRST));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source,
					  (void *)(ADDRESS + 0x100000), LENGTH,
					  IOMMU_MAP_RW, SECOND));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, LENGTH,
					  IOMMU_IOAS_MAP_READABLE, READ_ONLY));
	self->cmd = (struct iommu_ioas_copy){
		.size = sizeof(self->cmd),
		.flags = IOMMU_MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.dst_ioas_id = self->target,
		.src_ioas_id = self->source,
		.length = LENGTH,
		.dst_iova = 0x100000,
		.src_iova = FIRST,
	};
}

FIXTURE_TEARDOWN(copy)
{
	close(self->fd);
}

static int copy(struct _test_data_copy *self)
{
	struct iommu_ioas_copy cmd = self->cmd;
	int rc = iommu_ioctl(self->fd, IOMMU_IOAS_COPY, &cmd);

	self->iova = cmd.dst_iova;
	return rc;
}

static int copy_range(struct _test_data_copy *self, __u64 iova, __u64 length)
{
	return iommu_ioas_copy_fixed(self->fd, self->source, iova, length, self->target,
				     IOMMU_MAP_RW, 0x100000);
}

static __u64 bytes_copied(struct _test_data_copy *self)
{
	__u64 unmapped = 0;

	iommu_ioas_unmap_all(self->fd, self->target, &unmapped);
	return unmapped;
}

static int unmap_target(struct _test_data_copy *self, __u64 iova, __u64 length)
{
	return iommu_ioas_unmap(self->fd, self->target, iova, length, NULL);
}

TEST_F(copy, good_command_works)
{
	ASSERT_EQ(0, copy(self));
	EXPECT_EQ(0x100000, self->iova);
	EXPECT_EQ(LENGTH, bytes_copied(self));
}

TEST_F(copy, unknown_flag_is_EOPNOTSUPP_before_overflow)
{
	unsigned int bit;

	self->cmd.src_iova = UINT64_MAX;
	for (bit = 3; bit < 32; bit++) {
		/* A flag of the test interface. */
		if (iommufd_is_test_build() && 1U << bit == MOCK_FLAGS_ACCESS_SYZ)
			continue;
		self->cmd.flags = IOMMU_MAP_RW | 1U << bit;
		EXPECT_EQ(-EOPNOTSUPP, copy(self));
	}
}

#define FIELD(_member, _value) SPOIL(struct iommu_ioas_copy, _member, _value)

TEST_F(copy, spoiled_command_fails_and_makes_nothing)
{
	const struct spoiled rows[] = {
		{ "length U64_MAX, before no permission", -EOVERFLOW,
		  { FIELD(length, UINT64_MAX), FIELD(flags, 0) } },
		{ "src_iova U64_MAX, before no permission", -EOVERFLOW,
		  { FIELD(src_iova, UINT64_MAX), FIELD(flags, 0) } },
		{ "dst_iova U64_MAX, before no permission", -EOVERFLOW,
		  { FIELD(dst_iova, UINT64_MAX), FIELD(flags, 0) } },
		{ "dst_iova U64_MAX that is not used", -EOVERFLOW,
		  { FIELD(dst_iova, UINT64_MAX), FIELD(flags, IOMMU_MAP_RW) } },
		{ "no permission, before the source", -EINVAL,
		  { FIELD(flags, IOMMU_IOAS_MAP_FIXED_IOVA), FIELD(src_ioas_id, 0) } },
		{ "unused source, before the length", -ENOENT,
		  { FIELD(src_ioas_id, self->target + 1), FIELD(length, 0) } },
		{ "source 0, before the length", -ENOENT,
		  { FIELD(src_ioas_id, 0), FIELD(length, 0) } },
		{ "length 0, before the target", -EINVAL,
		  { FIELD(length, 0), FIELD(dst_ioas_id, 0) } },
		{ "source that wraps, before the target", -EOVERFLOW,
		  { FIELD(src_iova, UINT64_MAX - 0x1000 + 2), FIELD(length, 0x1000),
		    FIELD(dst_ioas_id, 0) } },
		{ "length that wraps, before the target", -EOVERFLOW,
		  { FIELD(length, UINT64_MAX - FIRST + 2), FIELD(dst_ioas_id, 0) } },
		{ "target 0", -ENOENT, { FIELD(dst_ioas_id, 0) } },
		{ "unused target", -ENOENT, { FIELD(dst_ioas_id, self->target + 1) } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct iommu_ioas_copy cmd = self->cmd;

		spoil(&cmd, &rows[i]);
		EXPECT_EQ(rows[i].error, iommu_ioctl(self->fd, IOMMU_IOAS_COPY, &cmd)) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(0, bytes_copied(self)) {
			TH_LOG("%s", rows[i].name);
		}
	}
}

TEST_F(copy, dst_iova_that_is_not_used_may_be_U64_MAX_minus_1)
{
	self->cmd.flags = IOMMU_MAP_RW;
	self->cmd.dst_iova = UINT64_MAX - 1;
	EXPECT_EQ(0, copy(self));
}

TEST_F(copy, source_that_is_not_all_mapped_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, copy_range(self, 0x1000, 0x1000));
	EXPECT_EQ(-ENOENT, copy_range(self, FIRST - 1, 2));
	EXPECT_EQ(-ENOENT, copy_range(self, FIRST - 1, LENGTH + 1));
	EXPECT_EQ(-ENOENT, copy_range(self, SECOND, LENGTH + 1));
	EXPECT_EQ(-ENOENT, copy_range(self, SECOND + LENGTH - 1, 2));
	EXPECT_EQ(-ENOENT, copy_range(self, FIRST, READ_ONLY + LENGTH - FIRST));
	EXPECT_EQ(-ENOENT, copy_range(self, 0, UINT64_MAX - 1));
	EXPECT_EQ(0, bytes_copied(self));
}

TEST_F(copy, part_of_a_mapping_is_accepted_by_the_byte)
{
	EXPECT_EQ(0, copy_range(self, FIRST + 0x123, 0x345));
	EXPECT_EQ(-ENOENT, unmap_target(self, 0x100000, 0x344));
	EXPECT_EQ(0, unmap_target(self, 0x100000, 0x345));
}

TEST_F(copy, range_over_several_mappings_makes_one_of_each)
{
	ASSERT_EQ(0, copy_range(self, FIRST + 0x1000, 2 * LENGTH - 0x2000));
	/* In order and adjacent: the border is where it was in the source. */
	EXPECT_EQ(-ENOENT, unmap_target(self, 0x100000, LENGTH));
	EXPECT_EQ(0, unmap_target(self, 0x100000, LENGTH - 0x1000));
	EXPECT_EQ(0, unmap_target(self, 0x100000 + LENGTH - 0x1000, LENGTH - 0x1000));
}

TEST_F(copy, border_that_is_not_aligned_in_the_target_is_EINVAL_and_makes_nothing)
{
	__u64 border = 0x50000800;

	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, 0x800,
					  IOMMU_MAP_RW, border - 0x800));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source,
					  (void *)(ADDRESS + 0x1000), 0x800, IOMMU_MAP_RW,
					  border));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->target, 0));
	EXPECT_EQ(-EINVAL, copy_range(self, border - 0x800, 0x1000));
	EXPECT_EQ(0, bytes_copied(self));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->target, 1));
	EXPECT_EQ(0, copy_range(self, border - 0x800, 0x1000));
}

TEST_F(copy, target_rules_are_those_of_map)
{
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->target, 0));
	EXPECT_EQ(-EINVAL, copy_range(self, FIRST, 0x800));
	EXPECT_EQ(-EINVAL, copy_range(self, FIRST + 0x800, 0x1000));
	self->cmd.dst_iova = 0x100800;
	EXPECT_EQ(-EINVAL, copy(self));
	self->cmd.dst_iova = UINT64_MAX - 0xfff;
	EXPECT_EQ(-EOVERFLOW, copy(self));
	EXPECT_EQ(0, bytes_copied(self));
}

TEST_F(copy, over_a_mapping_is_EEXIST)
{
	ASSERT_EQ(0, copy(self));
	EXPECT_EQ(-EEXIST, copy(self));
	self->cmd.dst_iova += LENGTH - 1;
	EXPECT_EQ(-EEXIST, copy(self));
	EXPECT_EQ(LENGTH, bytes_copied(self));
}

TEST_F(copy, over_a_later_mapping_makes_no_part)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->target, (void *)ADDRESS, 0x1000,
					  IOMMU_MAP_RW, 0x100000 + LENGTH + 0x1000));
	EXPECT_EQ(-EEXIST, copy_range(self, FIRST, 2 * LENGTH));
	EXPECT_EQ(0x1000, bytes_copied(self));
}

TEST_F(copy, writeable_of_read_only_memory_is_EPERM)
{
	self->cmd.src_iova = READ_ONLY;
	EXPECT_EQ(-EPERM, copy(self));
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE;
	EXPECT_EQ(-EPERM, copy(self));
	EXPECT_EQ(0, bytes_copied(self));
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE;
	EXPECT_EQ(0, copy(self));
}

TEST_F(copy, EPERM_of_a_later_piece_makes_no_part)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, 0x1000,
					  IOMMU_IOAS_MAP_READABLE, SECOND + LENGTH));
	EXPECT_EQ(-EPERM, copy_range(self, FIRST, 2 * LENGTH + 0x1000));
	EXPECT_EQ(0, bytes_copied(self));
}

TEST_F(copy, EPERM_comes_after_EEXIST)
{
	self->cmd.src_iova = READ_ONLY;
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->target, (void *)ADDRESS, 0x1000,
					  IOMMU_MAP_RW, self->cmd.dst_iova));
	EXPECT_EQ(-EEXIST, copy(self));
}

TEST_F(copy, readable_is_not_limited_by_the_source)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, 0x1000,
					  IOMMU_IOAS_MAP_WRITEABLE, 0x80000));
	EXPECT_EQ(0, copy_range(self, 0x80000, 0x1000));
}

TEST_F(copy, permission_is_that_of_the_memory_not_of_the_copy)
{
	__u64 iova = 0x900000;

	/* A read-only copy of writable memory can be copied writable. */
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->source, FIRST, LENGTH,
					   self->target, IOMMU_IOAS_MAP_READABLE, iova));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->target, iova, LENGTH,
					   self->target, IOMMU_MAP_RW, iova + LENGTH));
}

TEST_F(copy, source_and_target_may_be_the_same)
{
	self->cmd.dst_ioas_id = self->source;
	EXPECT_EQ(0, copy(self));
	self->cmd.dst_iova = FIRST + 0x1000;
	EXPECT_EQ(-EEXIST, copy(self));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->source, 0x100000, LENGTH, NULL));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->source, FIRST, LENGTH, NULL));
}

TEST_F(copy, of_a_copy_of_a_copy)
{
	__u64 iova = 0x100000, i;

	ASSERT_EQ(0, copy(self));
	for (i = 0; i < 10; i++, iova += LENGTH)
		ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->target, iova, LENGTH,
						   self->target, IOMMU_MAP_RW,
						   iova + LENGTH));
	EXPECT_EQ(11 * LENGTH, bytes_copied(self));
}

TEST_F(copy, lives_on_when_the_source_is_gone)
{
	ASSERT_EQ(0, copy(self));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->source));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->target, 0x100000, LENGTH,
					   self->target, IOMMU_MAP_RW, 0x200000));
	EXPECT_EQ(2 * LENGTH, bytes_copied(self));
}

TEST_F(copy, last_byte_of_the_space_can_be_copied)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS, 0x1000,
					  IOMMU_MAP_RW, -0x1000UL));
	self->cmd.src_iova = -0x1000UL;
	self->cmd.dst_iova = -0x1000UL;
	self->cmd.length = 0x1000;
	EXPECT_EQ(0, copy(self));
	EXPECT_EQ(0, unmap_target(self, -0x1000UL, 0x1000));
}

TEST_F(copy, many_pieces)
{
	__u64 i;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, (void *)ADDRESS,
						  0x1000, IOMMU_MAP_RW,
						  0x1000000 + i * 0x1000));
	EXPECT_EQ(0, copy_range(self, 0x1000000, 1000 * 0x1000));
	EXPECT_EQ(0, unmap_target(self, 0x100000 + 999 * 0x1000, 0x1000));
	EXPECT_EQ(999 * 0x1000, bytes_copied(self));
}

TEST_F(copy, output_that_cannot_be_written_is_EFAULT_and_the_copy_stays)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &self->cmd, sizeof(self->cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_COPY, where));
	EXPECT_EQ(LENGTH, bytes_copied(self));
	guard_page_free(edge);
}

TEST_HARNESS_MAIN
