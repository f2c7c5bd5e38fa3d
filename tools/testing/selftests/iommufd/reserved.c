// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an attached device reserves, as the commands of an IOAS see it.
 *
 * Owns IOVA_RANGES with more than one range, and the checks of ALLOW_IOVAS, MAP and
 * COPY against reserved ranges. When ranges come and go is in device_attach.c.
 */
#include "edu_fixture.h"
#include "attachment.h"
#include "guard_page.h"

#define RANGES_MAX 8
#define MSI_START 0xfee00000ULL
#define MSI_LAST 0xfeefffffULL

FIXTURE(reserved)
{
	struct attachment attachment;
	struct iommu_iova_range ranges[RANGES_MAX];
	__u32 count;
	__u32 ioas;
	int fd;
	struct memory memory;
};

FIXTURE_SETUP(reserved)
{
	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 1 << 20));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->ioas));
	self->count = RANGES_MAX;
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, self->ranges, &self->count,
					    NULL));
	/* Below and above the window of the MSIs. */
	ASSERT_LE(2, self->count);
}

FIXTURE_TEARDOWN(reserved)
{
	attachment_close(&self->attachment);
	memory_free(&self->memory);
}

static int map(struct _test_data_reserved *self, __u64 iova, __u64 length)
{
	return attachment_map(&self->attachment, self->memory.start, length, IOMMU_MAP_RW,
			      iova);
}

static int allow(struct _test_data_reserved *self, __u64 start, __u64 last)
{
	struct iommu_iova_range range = { start, last };

	return iommu_ioas_allow_iovas(self->fd, self->ioas, &range, 1);
}

TEST_F(reserved, ranges_ascend_and_never_touch)
{
	__u32 i;

	for (i = 0; i < self->count; i++)
		EXPECT_LT(self->ranges[i].start, self->ranges[i].last);
	for (i = 1; i < self->count; i++)
		EXPECT_LT(self->ranges[i - 1].last + 1, self->ranges[i].start);
}

TEST_F(reserved, ranges_with_too_little_room_is_EMSGSIZE_with_what_fits)
{
	struct iommu_iova_range some[RANGES_MAX];
	__u64 alignment = 0;
	__u32 room, count;

	for (room = 0; room < self->count; room++) {
		memset(some, 0xee, sizeof(some));
		count = room;
		EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->ioas, some, &count,
							    &alignment));
		EXPECT_EQ(self->count, count);
		EXPECT_EQ(PAGE_BYTES, alignment);
		EXPECT_EQ(0, memcmp(some, self->ranges, room * sizeof(some[0])));
		EXPECT_EQ(0xeeeeeeeeeeeeeeeeULL, some[room].start);
	}
}

TEST_F(reserved, ranges_that_fault_half_way_is_EFAULT_and_leaves_the_structure)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd), .ioas_id = self->ioas, .num_iovas = RANGES_MAX,
	};

	ASSERT_NE(NULL, edge);
	cmd.allowed_iovas = (uintptr_t)(edge - sizeof(self->ranges[0]));
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	EXPECT_EQ(RANGES_MAX, cmd.num_iovas);
	EXPECT_EQ(0, cmd.out_iova_alignment);
	guard_page_free(edge);
}

TEST_F(reserved, allowed_range_over_it_is_EADDRINUSE_and_the_old_list_stays)
{
	__u64 iova;

	ASSERT_EQ(0, allow(self, 0x100000, 0x1fffff));
	EXPECT_EQ(-EADDRINUSE, allow(self, MSI_START, MSI_LAST));
	EXPECT_EQ(-EADDRINUSE, allow(self, MSI_START - 1, MSI_START));
	EXPECT_EQ(-EADDRINUSE, allow(self, MSI_LAST, MSI_LAST + 1));
	EXPECT_EQ(-EADDRINUSE, allow(self, 0, UINT64_MAX));
	EXPECT_EQ(-EADDRINUSE, allow(self, UINT64_MAX - 1, UINT64_MAX));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, self->memory.start, PAGE_BYTES,
				    IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x100000, iova);
}

TEST_F(reserved, allowed_ranges_next_to_it_are_fine)
{
	struct iommu_iova_range around[] = {
		{ MSI_START - 0x10000, MSI_START - 1 }, { MSI_LAST + 1, MSI_LAST + 0x10000 },
	};

	EXPECT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, around, 2));
}

TEST_F(reserved, allowed_ranges_that_overlap_are_EINVAL_before_EADDRINUSE)
{
	struct iommu_iova_range both[] = {
		{ MSI_START, MSI_LAST }, { MSI_START, MSI_LAST },
	};

	EXPECT_EQ(-EINVAL, iommu_ioas_allow_iovas(self->fd, self->ioas, both, 2));
}

TEST_F(reserved, all_that_is_reported_can_be_allowed_and_mapped)
{
	__u64 last;
	__u32 i;

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, self->ranges, self->count));
	for (i = 0; i < self->count; i++) {
		last = self->ranges[i].last;
		EXPECT_EQ(0, map(self, self->ranges[i].start, PAGE_BYTES));
		EXPECT_EQ(0, map(self, last - PAGE_BYTES + 1, PAGE_BYTES));
		if (last < UINT64_MAX - PAGE_BYTES)
			EXPECT_EQ(-EINVAL, map(self, last + 1, PAGE_BYTES));
	}
}

TEST_F(reserved, map_over_it_is_EINVAL_before_EEXIST)
{
	ASSERT_EQ(0, map(self, MSI_START - PAGE_BYTES, PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map(self, MSI_START - PAGE_BYTES, 2 * PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map(self, MSI_START, PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map(self, MSI_LAST - PAGE_BYTES + 1, 2 * PAGE_BYTES));
	EXPECT_EQ(-EEXIST, map(self, MSI_START - PAGE_BYTES, PAGE_BYTES));
}

TEST_F(reserved, map_that_wraps_is_EOVERFLOW_before_EINVAL)
{
	EXPECT_EQ(-EOVERFLOW, map(self, -PAGE_BYTES, 2 * PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map(self, -PAGE_BYTES, PAGE_BYTES));
}

TEST_F(reserved, copy_over_it_is_EINVAL)
{
	__u32 source;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, source, self->memory.start,
					  2 * PAGE_BYTES, IOMMU_MAP_RW, MSI_START));
	EXPECT_EQ(-EINVAL, iommu_ioas_copy_fixed(self->fd, source, MSI_START, 2 * PAGE_BYTES,
						 self->ioas, IOMMU_MAP_RW,
						 MSI_START - PAGE_BYTES));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, source, MSI_START, 2 * PAGE_BYTES,
					   self->ioas, IOMMU_MAP_RW,
					   MSI_START - 2 * PAGE_BYTES));
}

TEST_F(reserved, unmap_may_cross_it)
{
	__u64 unmapped;

	ASSERT_EQ(0, map(self, MSI_START - PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(0, map(self, MSI_LAST + 1, PAGE_BYTES));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, MSI_START - PAGE_BYTES,
				      MSI_LAST - MSI_START + 1 + 2 * PAGE_BYTES, &unmapped));
	EXPECT_EQ(2 * PAGE_BYTES, unmapped);
}

TEST_F(reserved, chosen_iova_goes_around_it)
{
	__u64 length = 8 * PAGE_BYTES, iova;
	struct iommu_iova_range around[] = {
		{ MSI_START - length, MSI_START - 1 }, { MSI_LAST + 1, MSI_LAST + 0x10000 },
	};
	__u8 *start = self->memory.start + -(uintptr_t)self->memory.start % length;

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, around, 2));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, start, length, IOMMU_MAP_RW, &iova));
	EXPECT_EQ(MSI_START - length, iova);
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, start, length, IOMMU_MAP_RW, &iova));
	EXPECT_EQ(MSI_LAST + 1, iova);
}
