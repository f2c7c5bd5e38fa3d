// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOAS_ALLOW_IOVAS.
 *
 * Owns the rules of the list itself. How the list steers the choice of an IOVA is
 * in iova_alloc.c; what it does to devices is tested with them.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

FIXTURE(allow)
{
	int fd;
	__u32 ioas;
};

FIXTURE_SETUP(allow)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
}

FIXTURE_TEARDOWN(allow)
{
	close(self->fd);
}

static int allow(struct _test_data_allow *self, const struct iommu_iova_range *ranges,
		 __u32 count)
{
	return iommu_ioas_allow_iovas(self->fd, self->ioas, ranges, count);
}

/* Where a page is put, which shows what list is in force; 0 for nowhere. */
static __u64 chosen_iova(struct _test_data_allow *self)
{
	__u64 iova;

	if (iommu_ioas_map(self->fd, self->ioas, (void *)0x10000, 0x1000, IOMMU_MAP_RW,
			   &iova))
		return 0;
	return iommu_ioas_unmap(self->fd, self->ioas, iova, 0x1000, NULL) ? 0 : iova;
}

TEST_F(allow, reserved_member_is_EOPNOTSUPP_before_the_id)
{
	struct iommu_ioas_allow_iovas cmd = { .size = sizeof(cmd), .__reserved = 1 };

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd));
}

TEST_F(allow, unknown_id_is_ENOENT_before_the_pointer)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_allow_iovas(self->fd, 0, NULL, 1));
	EXPECT_EQ(-ENOENT, iommu_ioas_allow_iovas(self->fd, self->ioas + 1, NULL, 1));
}

TEST_F(allow, list_steers_where_mappings_go)
{
	struct iommu_iova_range range = { 0x300000, 0x3fffff };

	EXPECT_EQ(0x1000, chosen_iova(self));
	ASSERT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(0x300000, chosen_iova(self));
}

TEST_F(allow, success_replaces_the_whole_list)
{
	struct iommu_iova_range first[] = { { 0x300000, 0x3fffff }, { 0x10000, 0x1ffff } };
	struct iommu_iova_range second = { 0x500000, 0x5fffff };

	ASSERT_EQ(0, allow(self, first, 2));
	EXPECT_EQ(0x10000, chosen_iova(self));
	ASSERT_EQ(0, allow(self, &second, 1));
	EXPECT_EQ(0x500000, chosen_iova(self));
}

TEST_F(allow, no_entries_empties_the_list_and_the_pointer_is_not_read)
{
	struct iommu_iova_range range = { 0x300000, 0x3fffff };

	ASSERT_EQ(0, allow(self, &range, 1));
	ASSERT_EQ(0, allow(self, GUARD_PAGE_BAD_POINTER, 0));
	EXPECT_EQ(0x1000, chosen_iova(self));
}

TEST_F(allow, bad_pointer_is_EFAULT_and_the_old_list_stays)
{
	struct iommu_iova_range range = { 0x300000, 0x3fffff };

	ASSERT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(-EFAULT, allow(self, GUARD_PAGE_BAD_POINTER, 1));
	EXPECT_EQ(-EFAULT, allow(self, NULL, UINT32_MAX));
	EXPECT_EQ(0x300000, chosen_iova(self));
}

TEST_F(allow, entries_that_fault_half_way_is_EFAULT_and_the_old_list_stays)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_iova_range old = { 0x300000, 0x3fffff };
	struct iommu_iova_range *ranges = (void *)(edge - 2 * sizeof(*ranges));

	ASSERT_NE(NULL, edge);
	ranges[0] = (struct iommu_iova_range){ 0x500000, 0x5fffff };
	ranges[1] = (struct iommu_iova_range){ 0x700000, 0x7fffff };
	ASSERT_EQ(0, allow(self, &old, 1));
	EXPECT_EQ(-EFAULT, allow(self, ranges, 3));
	/* Half an entry. */
	EXPECT_EQ(-EFAULT, allow(self, (void *)((char *)ranges + 8), 2));
	EXPECT_EQ(0x300000, chosen_iova(self));
	EXPECT_EQ(0, allow(self, ranges, 2));
	EXPECT_EQ(0x500000, chosen_iova(self));
	guard_page_free(edge);
}

TEST_F(allow, bad_entry_is_seen_before_a_fault_behind_it)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_iova_range *ranges = (void *)(edge - sizeof(*ranges));

	ASSERT_NE(NULL, edge);
	ranges[0] = (struct iommu_iova_range){ 0x2000, 0x1000 };
	EXPECT_EQ(-EINVAL, allow(self, ranges, 2));
	guard_page_free(edge);
}

TEST_F(allow, start_not_below_last_is_EINVAL)
{
	struct iommu_iova_range range = { 0x2000, 0x1fff };

	EXPECT_EQ(-EINVAL, allow(self, &range, 1));
	range.last = range.start;
	EXPECT_EQ(-EINVAL, allow(self, &range, 1));
	range = (struct iommu_iova_range){ UINT64_MAX, 0 };
	EXPECT_EQ(-EINVAL, allow(self, &range, 1));
	range = (struct iommu_iova_range){ UINT64_MAX, UINT64_MAX };
	EXPECT_EQ(-EINVAL, allow(self, &range, 1));
	range = (struct iommu_iova_range){ 0, 0 };
	EXPECT_EQ(-EINVAL, allow(self, &range, 1));
}

TEST_F(allow, two_bytes_are_a_range)
{
	struct iommu_iova_range range = { 0x2fff, 0x3000 };

	EXPECT_EQ(0, allow(self, &range, 1));
}

TEST_F(allow, the_whole_space_is_a_range)
{
	struct iommu_iova_range range = { 0, UINT64_MAX };

	EXPECT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(0x1000, chosen_iova(self));
}

TEST_F(allow, overlapping_entries_are_EINVAL_and_the_old_list_stays)
{
	static const struct iommu_iova_range pairs[][2] = {
		{ { 0x2000, 0x2fff }, { 0x2000, 0x2fff } },
		{ { 0x2000, 0x2fff }, { 0x2fff, 0x3fff } },
		{ { 0x2fff, 0x3fff }, { 0x2000, 0x2fff } },
		{ { 0x2000, 0x5fff }, { 0x3000, 0x3fff } },
		{ { 0x3000, 0x3fff }, { 0x2000, 0x5fff } },
		{ { 0, UINT64_MAX }, { UINT64_MAX - 1, UINT64_MAX } },
	};
	struct iommu_iova_range old = { 0x300000, 0x3fffff };
	size_t i;

	ASSERT_EQ(0, allow(self, &old, 1));
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		EXPECT_EQ(-EINVAL, allow(self, pairs[i], 2));
	EXPECT_EQ(0x300000, chosen_iova(self));
}

TEST_F(allow, adjacent_entries_in_any_order_are_fine)
{
	static const struct iommu_iova_range ranges[] = {
		{ 0x40000, 0x4ffff }, { 0x20000, 0x2ffff }, { 0x30000, 0x3ffff },
	};
	__u64 iova;

	ASSERT_EQ(0, allow(self, ranges, 3));
	/* They count as one: a mapping may cross them. */
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, (void *)0x10000, 0x30000,
				    IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x20000, iova);
}

TEST_F(allow, entries_need_no_alignment)
{
	struct iommu_iova_range range = { 0x300001, 0x3ffffe };

	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(0x301000, chosen_iova(self));
}

TEST_F(allow, existing_mappings_stay)
{
	struct iommu_iova_range range = { 0x300000, 0x3fffff };

	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x300000));
	ASSERT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(0x301000, chosen_iova(self));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0x1000, 0x1000, NULL));
}

TEST_F(allow, fixed_mappings_may_lie_outside)
{
	struct iommu_iova_range range = { 0x300000, 0x3fffff };

	ASSERT_EQ(0, allow(self, &range, 1));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, 0x2000,
					  IOMMU_MAP_RW, 0x2ff000));
}

TEST_F(allow, full_list_is_ENOSPC_though_there_is_space_elsewhere)
{
	struct iommu_iova_range range = { 0x300000, 0x300fff };

	ASSERT_EQ(0, allow(self, &range, 1));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x300000));
	EXPECT_EQ(0, chosen_iova(self));
}

TEST_F(allow, many_entries)
{
	enum { COUNT = 5000 };
	struct iommu_iova_range *ranges = calloc(COUNT, sizeof(*ranges));
	__u32 i;

	ASSERT_NE(NULL, ranges);
	for (i = 0; i < COUNT; i++) {
		ranges[i].start = (__u64)(COUNT - i) << 20;
		ranges[i].last = ranges[i].start + 0xffff;
	}
	EXPECT_EQ(0, allow(self, ranges, COUNT));
	EXPECT_EQ(1 << 20, chosen_iova(self));
	/* The last one overlaps the first. */
	ranges[COUNT - 1] = ranges[0];
	EXPECT_EQ(-EINVAL, allow(self, ranges, COUNT));
	EXPECT_EQ(1 << 20, chosen_iova(self));
	free(ranges);
}

TEST_HARNESS_MAIN
