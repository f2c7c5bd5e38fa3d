// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mock devices: attaching them, and the ranges that their page tables reserve.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "memory.h"
#include "mock.h"
#include "mock_space.h"

/*
 * Mock devices, and the page tables that come and go with them.
 *
 * Owns the rules of attaching to an IOAS and to a HWPT, for two devices in groups
 * of their own. What the page tables hold is in mock_map.c.
 */

#define NO_ID 0x7fffffff
#define IOVA MOCK_APERTURE_START
#define SIZE (16 * 4096UL)

FIXTURE(mock_device)
{
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock first;
	struct mock second;
	struct memory memory;
};

FIXTURE_SETUP(mock_device)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
}

FIXTURE_TEARDOWN(mock_device)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, memory_status("VmPin"));
	memory_free(&self->memory);
}

static int map(struct _test_data_mock_device *self, __u32 ioas, __u64 iova)
{
	return iommu_ioas_map_fixed(self->fd, ioas, self->memory.start, SIZE, IOMMU_MAP_RW,
				    iova);
}

static int check(struct _test_data_mock_device *self, __u32 hwpt, __u64 iova)
{
	return mock_check_map(self->fd, hwpt, iova, SIZE, self->memory.start);
}

/* Is there a mock device of this number? */
static bool device_exists(unsigned int number)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/platform/devices/iommufd_mock%u", number);
	return !access(path, F_OK);
}

TEST_F(mock_device, ids_are_device_idev_and_page_table_in_this_order)
{
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(self->other + 1, self->first.id);
	EXPECT_EQ(self->other + 2, self->first.idev);
	EXPECT_EQ(self->other + 3, self->first.hwpt);
}

TEST_F(mock_device, appears_and_disappears)
{
	EXPECT_FALSE(device_exists(0));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_TRUE(device_exists(0));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->second));
	EXPECT_TRUE(device_exists(1));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_FALSE(device_exists(0));
	EXPECT_TRUE(device_exists(1));
	close(self->fd);
	self->fd = -1;
	EXPECT_FALSE(device_exists(1));
}

TEST_F(mock_device, attach_errors_undo_everything)
{
	static const struct {
		__u32 id;
		int rc;
	} bad[] = {
		{ 0, -ENOENT },
		{ NO_ID, -ENOENT },
	};
	__u32 id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(bad[i].rc, mock_attach(self->fd, bad[i].id, &self->first));
	EXPECT_FALSE(device_exists(0));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(self->other + 1, id);
}

TEST_F(mock_device, attach_to_an_object_of_a_wrong_type_is_EINVAL)
{
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(-EINVAL, mock_attach(self->fd, self->first.id, &self->second));
	EXPECT_EQ(-EINVAL, mock_attach(self->fd, self->first.idev, &self->second));
	EXPECT_FALSE(device_exists(1));
}

TEST_F(mock_device, unknown_flags_are_EINVAL)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		int expected = bit == 0 || bit == 2 ? 0 : -EINVAL;

		ASSERT_EQ(expected, mock_attach_flags(self->fd, self->ioas, 1U << bit,
						      &self->first)) {
			TH_LOG("bit %u", bit);
		}
		if (!expected)
			ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	}
}

TEST_F(mock_device, results_that_can_not_be_told_undo_everything)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MOCK_DOMAIN, self->ioas);
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *user;

	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, user);
	EXPECT_EQ(-EFAULT, mock_ioctl(self->fd, user));
	EXPECT_FALSE(device_exists(0));
	guard_page_free(edge);

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(self->other + 1, self->first.id);
}

TEST_F(mock_device, idev_is_busy_and_the_device_takes_it_along)
{
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->first.idev));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->first.idev));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->first.id));
}

TEST_F(mock_device, a_page_table_and_its_ioas_are_busy_while_attached)
{
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->first.hwpt));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->first.hwpt));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->ioas));
}

TEST_F(mock_device, devices_of_one_ioas_share_the_automatic_page_table)
{
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->second));
	EXPECT_EQ(self->first.hwpt, self->second.hwpt);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->second.hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->second.hwpt));
}

TEST_F(mock_device, an_automatic_page_table_can_be_attached_to_by_its_id)
{
	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_attach(self->fd, self->first.hwpt, &self->second));
	EXPECT_EQ(self->first.hwpt, self->second.hwpt);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_EQ(0, check(self, self->second.hwpt, IOVA));
}

TEST_F(mock_device, each_ioas_has_a_page_table_of_its_own)
{
	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &self->second));
	EXPECT_NE(self->first.hwpt, self->second.hwpt);
	EXPECT_EQ(0, check(self, self->first.hwpt, IOVA));
	EXPECT_EQ(-EINVAL, check(self, self->second.hwpt, IOVA));
}

TEST_F(mock_device, replace_moves_to_the_page_table_of_another_ioas)
{
	__u32 pt_id = self->other;

	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, map(self, self->other, IOVA + SIZE));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	EXPECT_NE(self->first.hwpt, pt_id);
	EXPECT_EQ(0, check(self, pt_id, IOVA + SIZE));
	EXPECT_EQ(-EINVAL, check(self, pt_id, IOVA));
	EXPECT_EQ(-ENOENT, check(self, self->first.hwpt, IOVA));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->other));
}

TEST_F(mock_device, replace_by_the_same_changes_nothing)
{
	__u32 by_ioas = self->ioas, by_hwpt;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	by_hwpt = self->first.hwpt;
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &by_ioas));
	EXPECT_EQ(self->first.hwpt, by_ioas);
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &by_hwpt));
	EXPECT_EQ(self->first.hwpt, by_hwpt);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, by_hwpt));
}

TEST_F(mock_device, replace_joins_a_device_of_another_group)
{
	__u32 pt_id;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &self->second));
	pt_id = self->second.hwpt;
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	EXPECT_EQ(self->second.hwpt, pt_id);
	pt_id = self->other;
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	EXPECT_EQ(self->second.hwpt, pt_id);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, pt_id));
}

TEST_F(mock_device, failed_replace_keeps_the_attachment)
{
	__u32 ids[] = { 0, NO_ID };
	__u32 pt_id;
	size_t i;

	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		pt_id = ids[i];
		EXPECT_EQ(-ENOENT, mock_replace(self->fd, self->first.id, &pt_id));
	}
	pt_id = self->first.idev;
	EXPECT_EQ(-EINVAL, mock_replace(self->fd, self->first.id, &pt_id));
	/* Below the aperture */
	ASSERT_EQ(0, map(self, self->other, 0));
	pt_id = self->other;
	EXPECT_EQ(-EADDRINUSE, mock_replace(self->fd, self->first.id, &pt_id));
	EXPECT_EQ(0, check(self, self->first.hwpt, IOVA));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->other));
}

TEST_F(mock_device, replace_of_what_is_no_mock_device_is_ENOENT)
{
	__u32 pt_id = self->other;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(-ENOENT, mock_replace(self->fd, NO_ID, &pt_id));
	EXPECT_EQ(-ENOENT, mock_replace(self->fd, self->ioas, &pt_id));
	EXPECT_EQ(-ENOENT, mock_replace(self->fd, self->first.idev, &pt_id));
}

TEST_F(mock_device, attach_fails_if_something_is_outside_of_the_aperture)
{
	static const __u64 iovas[] = { 0, MOCK_APERTURE_START - 1, MOCK_APERTURE_LAST };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(iovas); i++) {
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, 2,
						  IOMMU_MAP_RW, iovas[i]));
		EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &self->first));
		EXPECT_FALSE(device_exists(0));
		ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
	}
	EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
}

TEST_F(mock_device, attach_fails_if_a_mapping_is_not_aligned_to_its_pages)
{
	struct iommu_ioas_map good = {
		.size = sizeof(good),
		.flags = IOMMU_MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = self->ioas,
		.user_va = (uintptr_t)self->memory.start,
		.length = MOCK_PAGE_SIZE,
		.iova = IOVA,
	};
	struct iommu_ioas_map bad[3] = { good, good, good };
	size_t i;

	bad[0].user_va += MOCK_PAGE_SIZE / 2;
	bad[1].length /= 2;
	bad[2].iova += MOCK_PAGE_SIZE / 2;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &bad[i]));
		EXPECT_EQ(-EADDRINUSE, mock_attach(self->fd, self->ioas, &self->first));
		ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
	}
	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &good));
	EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
}

TEST_F(mock_device, attach_fails_if_memory_can_not_be_pinned)
{
	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x1000, 4096,
					  IOMMU_MAP_RW, IOVA + SIZE));
	EXPECT_EQ(-EFAULT, mock_attach(self->fd, self->ioas, &self->first));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 0));
	EXPECT_FALSE(device_exists(0));
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, IOVA + SIZE, 4096, NULL));
	EXPECT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
}

TEST_F(mock_device, sees_the_aperture_as_the_only_range)
{
	struct iommu_iova_range ranges[4];
	__u32 count = ARRAY_SIZE(ranges);
	__u64 alignment;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, ranges, &count,
					    &alignment));
	ASSERT_EQ(1, count);
	EXPECT_EQ(MOCK_APERTURE_START, ranges[0].start);
	EXPECT_EQ(MOCK_APERTURE_LAST, ranges[0].last);
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment);

	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	count = ARRAY_SIZE(ranges);
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, ranges, &count,
					    &alignment));
	ASSERT_EQ(1, count);
	EXPECT_EQ(0, ranges[0].start);
	EXPECT_EQ(UINT64_MAX, ranges[0].last);
	EXPECT_EQ(1, alignment);
}

TEST_F(mock_device, group_is_the_contexts_only_while_a_device_of_it_is_bound)
{
	bool before, after;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_join(self->fd, self->ioas, self->first.id, 0, &self->second));
	ASSERT_EQ(0, mock_unbind_held(self->fd, self->first.id, &before, &after));
	EXPECT_TRUE(before);
	EXPECT_TRUE(after);
	/* Others may keep it in the table for a moment */
	ASSERT_EQ(0, mock_unbind_held(self->fd, self->second.id, &before, &after));
	EXPECT_TRUE(before);
	EXPECT_FALSE(after);
	ASSERT_EQ(-ENOENT, mock_unbind_held(self->fd, self->second.id, &before, &after));
}

TEST_F(mock_device, close_takes_everything_along)
{
	ASSERT_EQ(0, map(self, self->ioas, IOVA));
	ASSERT_EQ(0, map(self, self->other, IOVA));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->first));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->second));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &self->second));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 2));
	close(self->fd);
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 0));
	EXPECT_FALSE(device_exists(0));
	EXPECT_FALSE(device_exists(1));
	EXPECT_FALSE(device_exists(2));
}

/*
 * Ranges that are reserved, by nobody or by a page table, against mappings and
 * allowed ranges, in every order.
 */

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
static int map_at(struct _test_data_mock_reserved *self, __u64 iova, __u64 length)
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
	ASSERT_EQ(0, map_at(self, START, LENGTH));
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
	EXPECT_EQ(-EINVAL, map_at(self, START, LENGTH));
	EXPECT_EQ(-EINVAL, map_at(self, START - 1, 2));
	EXPECT_EQ(-EINVAL, map_at(self, END - 1, 1));
	EXPECT_EQ(-EINVAL, map_at(self, 0, END));
	EXPECT_EQ(0, map_at(self, START - 10, 10));
	EXPECT_EQ(0, map_at(self, END, 10));
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
