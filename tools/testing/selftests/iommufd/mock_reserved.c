// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges that are reserved, by nobody or by a page table, against mappings and
 * allowed ranges, in every order.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "mock_space.h"

#define START 0x100000ULL
#define LENGTH 0x10000ULL
#define END (START + LENGTH)
#define RANGES_MAX 64
#define APERTURE_END (MOCK_APERTURE_LAST + 1ULL)

FIXTURE(mock_reserved)
{
	struct mock_space space;
	struct iommu_iova_range ranges[RANGES_MAX];
	__u32 count;
	int fd;
};

FIXTURE_SETUP(mock_reserved)
{
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	self->fd = self->space.fd;
}

FIXTURE_TEARDOWN(mock_reserved)
{
	mock_space_close(&self->space);
}

static int reserve(struct _test_data_mock_reserved *self, __u64 start, __u64 length)
{
	return mock_add_reserved(self->fd, self->space.ioas, start, length);
}

/* Mappings without a page table: the memory is not looked at. */
static int map(struct _test_data_mock_reserved *self, __u64 iova, __u64 length)
{
	return mock_space_map(&self->space, (void *)START, length, iova);
}

static int allow(struct _test_data_mock_reserved *self, __u64 start, __u64 last)
{
	struct iommu_iova_range range = { start, last };

	return iommu_ioas_allow_iovas(self->fd, self->space.ioas, &range, 1);
}

static int read_ranges(struct _test_data_mock_reserved *self)
{
	self->count = RANGES_MAX;
	return iommu_ioas_iova_ranges(self->fd, self->space.ioas, self->ranges, &self->count,
				      NULL);
}

static bool range_is(struct _test_data_mock_reserved *self, __u32 i, __u64 start, __u64 last)
{
	return self->ranges[i].start == start && self->ranges[i].last == last;
}

TEST_F(mock_reserved, by_nobody_errors)
{
	EXPECT_EQ(-ENOENT, mock_add_reserved(self->fd, 0, START, LENGTH));
	EXPECT_EQ(-ENOENT, mock_add_reserved(self->fd, self->space.ioas + 1, START, LENGTH));
	EXPECT_EQ(-EINVAL, reserve(self, START, 0));
	EXPECT_EQ(-EOVERFLOW, reserve(self, UINT64_MAX, 2));
	EXPECT_EQ(-EOVERFLOW, reserve(self, START, UINT64_MAX - START + 2));
	ASSERT_EQ(0, read_ranges(self));
	EXPECT_EQ(1, self->count);
	EXPECT_TRUE(range_is(self, 0, 0, UINT64_MAX));
}

TEST_F(mock_reserved, cuts_the_usable_ranges_to_the_byte)
{
	ASSERT_EQ(0, reserve(self, START, LENGTH));
	ASSERT_EQ(0, read_ranges(self));
	ASSERT_EQ(2, self->count);
	EXPECT_TRUE(range_is(self, 0, 0, START - 1));
	EXPECT_TRUE(range_is(self, 1, END, UINT64_MAX));
}

TEST_F(mock_reserved, everything_leaves_no_range)
{
	ASSERT_EQ(0, reserve(self, 0, UINT64_MAX));
	ASSERT_EQ(0, read_ranges(self));
	ASSERT_EQ(1, self->count);
	EXPECT_TRUE(range_is(self, 0, UINT64_MAX, UINT64_MAX));
	ASSERT_EQ(0, reserve(self, UINT64_MAX, 1));
	ASSERT_EQ(0, read_ranges(self));
	EXPECT_EQ(0, self->count);
}

TEST_F(mock_reserved, ranges_that_overlap_or_touch_are_one)
{
	ASSERT_EQ(0, reserve(self, START, LENGTH));
	ASSERT_EQ(0, reserve(self, START, LENGTH));
	ASSERT_EQ(0, reserve(self, START + LENGTH / 2, LENGTH));
	ASSERT_EQ(0, reserve(self, START - 1, 1));
	ASSERT_EQ(0, reserve(self, START + 10, 10));
	ASSERT_EQ(0, reserve(self, START + LENGTH + LENGTH / 2, 1));
	ASSERT_EQ(0, read_ranges(self));
	ASSERT_EQ(2, self->count);
	EXPECT_TRUE(range_is(self, 0, 0, START - 2));
	EXPECT_TRUE(range_is(self, 1, START + LENGTH + LENGTH / 2 + 1, UINT64_MAX));
}

TEST_F(mock_reserved, more_ranges_than_asked_for_is_EMSGSIZE)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, reserve(self, START + i * 2 * LENGTH, LENGTH));
	self->count = 10;
	memset(self->ranges, 0xff, sizeof(self->ranges));
	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->space.ioas, self->ranges,
						    &self->count, NULL));
	EXPECT_EQ(51, self->count);
	for (i = 1; i < 10; i++)
		EXPECT_TRUE(range_is(self, i, START + (2 * i - 1) * LENGTH,
				     START + 2 * i * LENGTH - 1));
	EXPECT_TRUE(range_is(self, 10, UINT64_MAX, UINT64_MAX));
}

TEST_F(mock_reserved, what_intersects_a_mapping_is_EADDRINUSE)
{
	ASSERT_EQ(0, map(self, START, LENGTH));
	EXPECT_EQ(-EADDRINUSE, reserve(self, START, LENGTH));
	EXPECT_EQ(-EADDRINUSE, reserve(self, START - 1, 2));
	EXPECT_EQ(-EADDRINUSE, reserve(self, END - 1, 1));
	EXPECT_EQ(-EADDRINUSE, reserve(self, 0, UINT64_MAX));
	EXPECT_EQ(0, reserve(self, START - 1, 1));
	EXPECT_EQ(0, reserve(self, END, 1));
	ASSERT_EQ(0, mock_space_unmap(&self->space, START, LENGTH));
	EXPECT_EQ(0, reserve(self, START, LENGTH));
}

TEST_F(mock_reserved, what_intersects_an_allowed_range_is_EADDRINUSE)
{
	ASSERT_EQ(0, allow(self, START, END - 1));
	EXPECT_EQ(-EADDRINUSE, reserve(self, START, LENGTH));
	EXPECT_EQ(-EADDRINUSE, reserve(self, START - 1, 2));
	EXPECT_EQ(-EADDRINUSE, reserve(self, END - 1, 1));
	EXPECT_EQ(0, reserve(self, START - 1, 1));
	EXPECT_EQ(0, reserve(self, END, 1));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->space.ioas, NULL, 0));
	EXPECT_EQ(0, reserve(self, START, LENGTH));
}

TEST_F(mock_reserved, can_not_be_mapped_nor_allowed)
{
	ASSERT_EQ(0, reserve(self, START, LENGTH));
	EXPECT_EQ(-EINVAL, map(self, START, LENGTH));
	EXPECT_EQ(-EINVAL, map(self, START - 1, 2));
	EXPECT_EQ(-EINVAL, map(self, END - 1, 1));
	EXPECT_EQ(-EINVAL, map(self, 0, END));
	EXPECT_EQ(0, map(self, START - 10, 10));
	EXPECT_EQ(0, map(self, END, 10));
	EXPECT_EQ(-EADDRINUSE, allow(self, START, END - 1));
	EXPECT_EQ(-EADDRINUSE, allow(self, END - 1, END));
	EXPECT_EQ(-EADDRINUSE, allow(self, 0, UINT64_MAX));
	EXPECT_EQ(0, allow(self, END, END + 1));
}

TEST_F(mock_reserved, is_never_chosen)
{
	__u64 iova;

	/* Nothing but one page is left */
	ASSERT_EQ(0, reserve(self, 0, START));
	ASSERT_EQ(0, reserve(self, START + PAGE, UINT64_MAX - START - PAGE));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->space.ioas, (void *)START, PAGE, IOMMU_MAP_RW,
				    &iova));
	EXPECT_EQ(START, iova);
	EXPECT_EQ(-ENOSPC, iommu_ioas_map(self->fd, self->space.ioas, (void *)START, PAGE,
					  IOMMU_MAP_RW, &iova));
}

TEST_F(mock_reserved, page_table_fails_if_it_would_reserve_what_is_allowed)
{
	ASSERT_EQ(0, allow(self, MOCK_APERTURE_START - 1, MOCK_APERTURE_START));
	EXPECT_EQ(-EADDRINUSE, mock_space_attach(&self->space));
	ASSERT_EQ(0, allow(self, MOCK_APERTURE_LAST, APERTURE_END));
	EXPECT_EQ(-EADDRINUSE, mock_space_attach(&self->space));
	ASSERT_EQ(0, allow(self, MOCK_APERTURE_START, MOCK_APERTURE_LAST));
	EXPECT_EQ(0, mock_space_attach(&self->space));
}

TEST_F(mock_reserved, failed_attach_reserves_nothing)
{
	ASSERT_EQ(0, allow(self, MOCK_APERTURE_LAST, APERTURE_END));
	EXPECT_EQ(-EADDRINUSE, mock_space_attach(&self->space));
	ASSERT_EQ(0, read_ranges(self));
	EXPECT_EQ(1, self->count);
	EXPECT_TRUE(range_is(self, 0, 0, UINT64_MAX));
}

TEST_F(mock_reserved, by_a_page_table_goes_with_it_and_by_nobody_stays)
{
	const __u64 inside = MOCK_APERTURE_START + LENGTH;

	ASSERT_EQ(0, reserve(self, 0, START));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	ASSERT_EQ(0, reserve(self, inside, PAGE));
	ASSERT_EQ(0, read_ranges(self));
	ASSERT_EQ(2, self->count);
	EXPECT_TRUE(range_is(self, 0, MOCK_APERTURE_START, inside - 1));
	EXPECT_TRUE(range_is(self, 1, inside + PAGE, MOCK_APERTURE_LAST));

	ASSERT_EQ(0, mock_space_detach(&self->space));
	ASSERT_EQ(0, read_ranges(self));
	ASSERT_EQ(2, self->count);
	EXPECT_TRUE(range_is(self, 0, START, inside - 1));
	EXPECT_TRUE(range_is(self, 1, inside + PAGE, UINT64_MAX));
}

TEST_F(mock_reserved, mappings_and_choices_stay_in_the_aperture)
{
	struct mock_space *space = &self->space;
	struct memory memory;
	__u64 iova;

	ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, LENGTH));
	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(-EINVAL, mock_space_map(space, memory.start, PAGE, MOCK_APERTURE_START - PAGE));
	EXPECT_EQ(-EINVAL, mock_space_map(space, memory.start, PAGE, APERTURE_END));
	EXPECT_EQ(-EINVAL, mock_space_map(space, memory.start, 2 * PAGE,
					  APERTURE_END - PAGE));
	EXPECT_EQ(0, mock_space_map(space, memory.start, PAGE, APERTURE_END - PAGE));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, space->ioas, memory.start, PAGE, IOMMU_MAP_RW,
				    &iova));
	EXPECT_EQ(MOCK_APERTURE_START, iova);
	EXPECT_EQ(0, mock_space_check(space, iova, PAGE, memory.start));
	memory_free(&memory);
}

TEST_HARNESS_MAIN
