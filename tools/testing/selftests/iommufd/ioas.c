// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_ALLOC and IOMMU_IOAS_IOVA_RANGES.
 *
 * Owns the rules of an IOAS without a device. Reserved ranges come from devices and
 * are tested with them.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

#define RW (PROT_READ | PROT_WRITE)

FIXTURE(ioas)
{
	int fd;
	__u32 id;
};

FIXTURE_SETUP(ioas)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->id));
}

FIXTURE_TEARDOWN(ioas)
{
	close(self->fd);
}

TEST_F(ioas, alloc_with_flags_is_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		struct iommu_ioas_alloc cmd = { .size = sizeof(cmd), .flags = 1U << bit };

		EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, &cmd));
	}
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->id + 1));
}

TEST_F(ioas, alloc_does_not_look_at_its_output)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd), .out_ioas_id = UINT32_MAX };

	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, &cmd));
	EXPECT_EQ(self->id + 1, cmd.out_ioas_id);
}

TEST_F(ioas, fresh_one_has_all_64_bits_and_alignment_1)
{
	struct iommu_iova_range range = { 1, 2 };
	__u64 alignment = 0;
	__u32 count = 1;

	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->id, &range, &count, &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, range.start);
	EXPECT_EQ(UINT64_MAX, range.last);
	EXPECT_EQ(1, alignment);
}

TEST_F(ioas, fresh_one_has_no_mapping)
{
	__u64 unmapped = 1;

	EXPECT_EQ(0, iommu_ioas_unmap_all(self->fd, self->id, &unmapped));
	EXPECT_EQ(0, unmapped);
}

TEST_F(ioas, ranges_reserved_member_is_EOPNOTSUPP_before_the_id)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd), .ioas_id = 0, .__reserved = 1,
	};

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
}

TEST_F(ioas, ranges_of_an_unknown_id_is_ENOENT_before_the_pointer)
{
	__u32 count = 1;

	EXPECT_EQ(-ENOENT, iommu_ioas_iova_ranges(self->fd, 0, NULL, &count, NULL));
	EXPECT_EQ(-ENOENT, iommu_ioas_iova_ranges(self->fd, self->id + 1, NULL, &count,
						  NULL));
}

TEST_F(ioas, ranges_with_room_for_none_is_EMSGSIZE_and_tells_the_number)
{
	__u64 alignment = 0;
	__u32 count = 0;

	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->id,
						    GUARD_PAGE_BAD_POINTER, &count,
						    &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(1, alignment);
}

TEST_F(ioas, ranges_to_a_bad_pointer_is_EFAULT_and_leaves_the_structure)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = self->id,
		.num_iovas = 5,
		.allowed_iovas = (uintptr_t)GUARD_PAGE_BAD_POINTER,
		.out_iova_alignment = 77,
	};

	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	EXPECT_EQ(5, cmd.num_iovas);
	EXPECT_EQ(77, cmd.out_iova_alignment);
}

TEST_F(ioas, ranges_to_half_an_entry_is_EFAULT)
{
	char *edge = guard_page_edge(RW, PROT_NONE);
	__u32 count = 1;

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(-EFAULT, iommu_ioas_iova_ranges(self->fd, self->id, (void *)(edge - 8),
						  &count, NULL));
	guard_page_free(edge);
}

TEST_F(ioas, ranges_with_more_room_touches_only_what_it_fills)
{
	char *edge = guard_page_edge(RW, PROT_NONE);
	struct iommu_iova_range *ranges = (void *)(edge - sizeof(*ranges));
	__u32 count = UINT32_MAX;

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->id, ranges, &count, NULL));
	EXPECT_EQ(1, count);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
	guard_page_free(edge);
}

TEST_F(ioas, ranges_do_not_depend_on_mappings_and_the_allowed_list)
{
	struct iommu_iova_range allowed = { 0x100000, 0x1fffff };
	struct iommu_iova_range ranges[4];
	__u32 count = 4;

	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->id, &allowed, 1));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->id, ranges, &count, NULL));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
}

TEST_F(ioas, ranges_alignment_follows_the_huge_page_option)
{
	__u64 alignment = 0;
	__u32 count = 0;

	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->id, 0));
	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->id, NULL, &count,
						    &alignment));
	EXPECT_EQ(guard_page_size(), alignment);
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->id, 1));
	count = 0;
	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->id, NULL, &count,
						    &alignment));
	EXPECT_EQ(1, alignment);
}

TEST_F(ioas, each_has_its_own_mappings)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, other, (void *)0x20000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->id, 0x1000, 0x1000, NULL));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, other, 0x1000, 0x1000, NULL));
}

TEST_HARNESS_MAIN
