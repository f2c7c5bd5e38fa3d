// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_MAP and IOMMU_IOAS_UNMAP without a device.
 *
 * Owns the checks of the commands in their order, where a fixed mapping may lie, and
 * which mappings a range takes away. Which IOVA is chosen is in iova_alloc.c, what is
 * pinned in pin.c, what happens to DMA in the tests with a device.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"
#include "spoil.h"

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

/* Unmaps everything, which tells how much there was. */
static __u64 bytes_mapped(int fd, __u32 ioas)
{
	__u64 unmapped = 0;

	iommu_ioas_unmap_all(fd, ioas, &unmapped);
	return unmapped;
}

TEST_F(map, good_command_works)
{
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(PAGE, bytes_mapped(self->fd, self->ioas));
}

TEST_F(map, unknown_flag_is_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 3; bit < 32; bit++) {
		self->cmd.flags = MAP_RW_FIXED | 1U << bit;
		EXPECT_EQ(-EOPNOTSUPP, map(self));
	}
	EXPECT_EQ(0, bytes_mapped(self->fd, self->ioas));
}

#define FIELD(_member, _value) SPOIL(struct iommu_ioas_map, _member, _value)

TEST_F(map, spoiled_command_fails_and_maps_nothing)
{
	const struct spoiled rows[] = {
		{ "reserved member", -EOPNOTSUPP, { FIELD(__reserved, 1) } },
		{ "last bit of the reserved member", -EOPNOTSUPP, { FIELD(__reserved, 1U << 31) } },
		{ "unknown flag, before overflow", -EOPNOTSUPP,
		  { FIELD(flags, MAP_RW_FIXED | 8), FIELD(iova, UINT64_MAX) } },
		{ "iova U64_MAX", -EOVERFLOW, { FIELD(iova, UINT64_MAX) } },
		{ "iova U64_MAX that is not used", -EOVERFLOW,
		  { FIELD(iova, UINT64_MAX), FIELD(flags, IOMMU_MAP_RW) } },
		{ "length U64_MAX", -EOVERFLOW, { FIELD(length, UINT64_MAX) } },
		{ "overflow, before no permission", -EOVERFLOW,
		  { FIELD(length, UINT64_MAX), FIELD(flags, 0) } },
		{ "no permission", -EINVAL, { FIELD(flags, IOMMU_IOAS_MAP_FIXED_IOVA) } },
		{ "no permission, iova not fixed", -EINVAL, { FIELD(flags, 0) } },
		{ "no permission, before the id", -EINVAL,
		  { FIELD(flags, 0), FIELD(ioas_id, 0) } },
		{ "id 0, before the length", -ENOENT, { FIELD(ioas_id, 0), FIELD(length, 0) } },
		{ "unused id, before the length", -ENOENT,
		  { FIELD(ioas_id, self->ioas + 1), FIELD(length, 0) } },
		{ "last id, before the length", -ENOENT,
		  { FIELD(ioas_id, UINT32_MAX), FIELD(length, 0) } },
		{ "length 0", -EINVAL, { FIELD(length, 0) } },
		{ "length 0, iova not fixed", -EINVAL,
		  { FIELD(length, 0), FIELD(flags, IOMMU_MAP_RW) } },
		{ "length 0 at the last address", -EINVAL,
		  { FIELD(length, 0), FIELD(flags, IOMMU_MAP_RW),
		    FIELD(user_va, UINT64_MAX) } },
		{ "address that wraps", -EOVERFLOW, { FIELD(user_va, UINT64_MAX - PAGE + 2) } },
		{ "address that ends at 2^64", -EOVERFLOW,
		  { FIELD(user_va, UINT64_MAX - PAGE + 1) } },
		{ "last address", -EOVERFLOW, { FIELD(user_va, UINT64_MAX), FIELD(length, 1) } },
		{ "length that makes the address wrap", -EOVERFLOW,
		  { FIELD(user_va, PAGE), FIELD(length, UINT64_MAX - 1) } },
		{ "length U64_MAX - 1", -EINVAL,
		  { FIELD(user_va, 0), FIELD(iova, 0), FIELD(length, UINT64_MAX - 1) } },
		{ "shortest length that is too long", -EINVAL,
		  { FIELD(user_va, 0), FIELD(iova, 0), FIELD(length, UINT64_MAX - PAGE + 1) } },
		{ "iova that wraps", -EOVERFLOW, { FIELD(iova, UINT64_MAX - PAGE + 2) } },
		{ "last iova but one", -EOVERFLOW, { FIELD(iova, UINT64_MAX - 1) } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct iommu_ioas_map cmd = self->cmd;

		spoil(&cmd, &rows[i]);
		EXPECT_EQ(rows[i].error, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &cmd)) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(0, bytes_mapped(self->fd, self->ioas)) {
			TH_LOG("%s", rows[i].name);
		}
	}
}

TEST_F(map, iova_that_is_not_used_may_be_U64_MAX_minus_1)
{
	self->cmd.flags = IOMMU_MAP_RW;
	self->cmd.iova = UINT64_MAX - 1;
	EXPECT_EQ(0, map(self));
}

TEST_F(map, each_permission_alone_is_valid)
{
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE;
	EXPECT_EQ(0, map(self));
	self->cmd.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE;
	self->cmd.iova += PAGE;
	EXPECT_EQ(0, map(self));
	EXPECT_EQ(2 * PAGE, bytes_mapped(self->fd, self->ioas));
}

TEST_F(map, address_is_not_looked_at_without_a_page_table)
{
	self->cmd.user_va = UINT64_MAX - PAGE;
	EXPECT_EQ(0, map(self));
	self->cmd.user_va = 0;
	self->cmd.iova += PAGE;
	EXPECT_EQ(0, map(self));
}

TEST_F(map, longest_length_works)
{
	self->cmd.user_va = 0;
	self->cmd.iova = 0;
	self->cmd.length = UINT64_MAX - PAGE;
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(UINT64_MAX - PAGE, bytes_mapped(self->fd, self->ioas));
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
	EXPECT_EQ(3, bytes_mapped(self->fd, self->ioas));
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
	EXPECT_EQ(0x2000, bytes_mapped(self->fd, self->ioas));
}

TEST_F(map, neighbours_are_never_merged)
{
	ASSERT_EQ(0, map_at(self, 0x4000, 0x1000));
	EXPECT_EQ(0, map_at(self, 0x5000, 0x1000));
	EXPECT_EQ(0, map_at(self, 0x3000, 0x1000));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0x4000, 0x1000, NULL));
	EXPECT_EQ(0x2000, bytes_mapped(self->fd, self->ioas));
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
	EXPECT_EQ(PAGE, bytes_mapped(self->fd, self->ioas));
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

TEST_F(unmap, unknown_id_is_ENOENT_before_everything)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap(self->fd, 0, UINT64_MAX, 0, NULL));
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap(self->fd, self->ioas + 1, 0, UINT64_MAX, NULL));
	EXPECT_EQ(3 * LENGTH, bytes_mapped(self->fd, self->ioas));
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

static const struct {
	const char *name;
	int error;
	__u64 iova;
	__u64 length;
} refused_ranges[] = {
	{ "iova U64_MAX", -EOVERFLOW, UINT64_MAX, 1 },
	{ "both U64_MAX", -EOVERFLOW, UINT64_MAX, UINT64_MAX },
	{ "length U64_MAX at 1", -EOVERFLOW, 1, UINT64_MAX },
	{ "length U64_MAX at a mapping", -EOVERFLOW, FIRST, UINT64_MAX },
	{ "iova U64_MAX, before length 0", -EOVERFLOW, UINT64_MAX, 0 },
	{ "length 0", -EINVAL, 0, 0 },
	{ "length 0 at a mapping", -EINVAL, FIRST, 0 },
	{ "longest that wraps", -EOVERFLOW, 3, UINT64_MAX - 1 },
	{ "page that wraps by a byte", -EOVERFLOW, UINT64_MAX - 0xffe, 0x1000 },
	{ "last iova but one, by a byte", -EOVERFLOW, UINT64_MAX - 1, 3 },
	{ "nothing there, below", -ENOENT, 0, FIRST },
	{ "nothing there, between", -ENOENT, SECOND + LENGTH, THIRD - SECOND - LENGTH },
	{ "nothing there, above", -ENOENT, THIRD + LENGTH, 0x100000 },
	{ "cuts off the last byte", -ENOENT, THIRD, LENGTH - 1 },
	{ "cuts off the first byte", -ENOENT, THIRD + 1, LENGTH },
	{ "cuts out the middle", -ENOENT, THIRD + 1, LENGTH - 2 },
	{ "its first byte", -ENOENT, THIRD, 1 },
	{ "its last byte", -ENOENT, THIRD + LENGTH - 1, 1 },
	{ "first mapping sticks out", -ENOENT, FIRST + 0x1000, THIRD + LENGTH - FIRST - 0x1000 },
	{ "last mapping sticks out", -ENOENT, FIRST, THIRD + LENGTH - FIRST - 1 },
	{ "last mapping has only a byte in it", -ENOENT, 0, THIRD + 1 },
};

TEST_F(unmap, range_that_is_refused_unmaps_nothing_of_it)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused_ranges); i++) {
		EXPECT_EQ(refused_ranges[i].error,
			  unmap(self, refused_ranges[i].iova, refused_ranges[i].length)) {
			TH_LOG("%s", refused_ranges[i].name);
		}
		EXPECT_EQ(77, self->unmapped) {
			TH_LOG("%s", refused_ranges[i].name);
		}
	}
	EXPECT_EQ(3 * LENGTH, bytes_mapped(self->fd, self->ioas));
}

TEST_F(unmap, range_may_end_at_the_last_byte)
{
	EXPECT_EQ(-ENOENT, unmap(self, UINT64_MAX - 0xfff, 0x1000));
	EXPECT_EQ(0, unmap(self, 2, UINT64_MAX - 1));
	EXPECT_EQ(3 * LENGTH, self->unmapped);
}

TEST_F(unmap, exact_range_unmaps_one)
{
	EXPECT_EQ(0, unmap(self, SECOND, LENGTH));
	EXPECT_EQ(LENGTH, self->unmapped);
	EXPECT_EQ(-ENOENT, unmap(self, SECOND, LENGTH));
	EXPECT_EQ(2 * LENGTH, bytes_mapped(self->fd, self->ioas));
}

TEST_F(unmap, range_may_have_holes_and_be_larger_than_the_mappings)
{
	EXPECT_EQ(0, unmap(self, 1, THIRD + LENGTH + 12345));
	EXPECT_EQ(3 * LENGTH, self->unmapped);
	EXPECT_EQ(0, bytes_mapped(self->fd, self->ioas));
}

TEST_F(unmap, several_that_touch_go_at_once)
{
	EXPECT_EQ(0, unmap(self, FIRST, 2 * LENGTH));
	EXPECT_EQ(2 * LENGTH, self->unmapped);
	EXPECT_EQ(LENGTH, bytes_mapped(self->fd, self->ioas));
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
	EXPECT_EQ(2 * LENGTH, bytes_mapped(self->fd, self->ioas));
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
