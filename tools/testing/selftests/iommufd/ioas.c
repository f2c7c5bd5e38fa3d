// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which IOVAs of an IOAS can be used: IOMMU_IOAS_ALLOC, IOMMU_IOAS_IOVA_RANGES and
 * IOMMU_IOAS_ALLOW_IOVAS, without a device and with one that reserves some.
 *
 * How the list of allowed ranges steers the choice of an IOVA is in iova_alloc.c, when
 * reserved ranges come and go in device_attach.c.
 */
#include <stdint.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "guard_page.h"

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
	char *edge = guard_page_edge(RW, PROT_NONE);
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
	char *edge = guard_page_edge(RW, PROT_NONE);
	struct iommu_iova_range *ranges = (void *)(edge - sizeof(*ranges));

	ASSERT_NE(NULL, edge);
	ranges[0] = (struct iommu_iova_range){ 0x2000, 0x1000 };
	EXPECT_EQ(-EINVAL, allow(self, ranges, 2));
	guard_page_free(edge);
}

static const struct {
	const char *name;
	struct iommu_iova_range ranges[2];
	__u32 count;
} wrong_lists[] = {
	{ "ends before it starts", { { 0x2000, 0x1fff } }, 1 },
	{ "ends at 0", { { UINT64_MAX, 0 } }, 1 },
	{ "one byte", { { 0x2000, 0x2000 } }, 1 },
	{ "one byte at 0", { { 0, 0 } }, 1 },
	{ "one byte at the end", { { UINT64_MAX, UINT64_MAX } }, 1 },
	{ "twice the same", { { 0x2000, 0x2fff }, { 0x2000, 0x2fff } }, 2 },
	{ "one byte in two, ascending", { { 0x2000, 0x2fff }, { 0x2fff, 0x3fff } }, 2 },
	{ "one byte in two, descending", { { 0x2fff, 0x3fff }, { 0x2000, 0x2fff } }, 2 },
	{ "second in the first", { { 0x2000, 0x5fff }, { 0x3000, 0x3fff } }, 2 },
	{ "first in the second", { { 0x3000, 0x3fff }, { 0x2000, 0x5fff } }, 2 },
	{ "end of all", { { 0, UINT64_MAX }, { UINT64_MAX - 1, UINT64_MAX } }, 2 },
};

TEST_F(allow, empty_and_overlapping_entries_are_EINVAL_and_the_old_list_stays)
{
	struct iommu_iova_range old = { 0x300000, 0x3fffff };
	size_t i;

	ASSERT_EQ(0, allow(self, &old, 1));
	for (i = 0; i < ARRAY_SIZE(wrong_lists); i++) {
		EXPECT_EQ(-EINVAL, allow(self, wrong_lists[i].ranges, wrong_lists[i].count)) {
			TH_LOG("%s", wrong_lists[i].name);
		}
	}
	EXPECT_EQ(0x300000, chosen_iova(self));
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

/* An IOAS with a device, which reserves what the IOMMU has other use for. */
#define RANGES_MAX 8

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

static int map_reserved(struct _test_data_reserved *self, __u64 iova, __u64 length)
{
	return attachment_map(&self->attachment, self->memory.start, length, IOMMU_MAP_RW,
			      iova);
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
	char *edge = guard_page_edge(RW, PROT_NONE);
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

static const struct {
	const char *name;
	struct iommu_iova_range range;
} reserved_ranges[] = {
	{ "all of it", { MSI_WINDOW_START, MSI_WINDOW_LAST } },
	{ "its first byte", { MSI_WINDOW_START - 1, MSI_WINDOW_START } },
	{ "its last byte", { MSI_WINDOW_LAST, MSI_WINDOW_LAST + 1 } },
	{ "the whole space", { 0, UINT64_MAX } },
	{ "beyond the device's addresses", { UINT64_MAX - 1, UINT64_MAX } },
};

TEST_F(reserved, allowed_range_over_it_is_EADDRINUSE_and_the_old_list_stays)
{
	struct iommu_iova_range old = { 0x100000, 0x1fffff };
	__u64 iova;
	size_t i;

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, &old, 1));
	for (i = 0; i < ARRAY_SIZE(reserved_ranges); i++) {
		EXPECT_EQ(-EADDRINUSE, iommu_ioas_allow_iovas(self->fd, self->ioas,
							      &reserved_ranges[i].range, 1)) {
			TH_LOG("%s", reserved_ranges[i].name);
		}
	}
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, self->memory.start, PAGE_BYTES,
				    IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x100000, iova);
}

TEST_F(reserved, allowed_ranges_next_to_it_are_fine)
{
	struct iommu_iova_range around[] = {
		{ MSI_WINDOW_START - 0x10000, MSI_WINDOW_START - 1 },
		{ MSI_WINDOW_LAST + 1, MSI_WINDOW_LAST + 0x10000 },
	};

	EXPECT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, around, 2));
}

TEST_F(reserved, allowed_ranges_that_overlap_are_EINVAL_before_EADDRINUSE)
{
	struct iommu_iova_range both[] = {
		{ MSI_WINDOW_START, MSI_WINDOW_LAST }, { MSI_WINDOW_START, MSI_WINDOW_LAST },
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
		EXPECT_EQ(0, map_reserved(self, self->ranges[i].start, PAGE_BYTES));
		EXPECT_EQ(0, map_reserved(self, last - PAGE_BYTES + 1, PAGE_BYTES));
		if (last < UINT64_MAX - PAGE_BYTES)
			EXPECT_EQ(-EINVAL, map_reserved(self, last + 1, PAGE_BYTES));
	}
}

TEST_F(reserved, map_over_it_is_EINVAL_before_EEXIST)
{
	ASSERT_EQ(0, map_reserved(self, MSI_WINDOW_START - PAGE_BYTES, PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map_reserved(self, MSI_WINDOW_START - PAGE_BYTES, 2 * PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map_reserved(self, MSI_WINDOW_START, PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map_reserved(self, MSI_WINDOW_LAST - PAGE_BYTES + 1, 2 * PAGE_BYTES));
	EXPECT_EQ(-EEXIST, map_reserved(self, MSI_WINDOW_START - PAGE_BYTES, PAGE_BYTES));
}

TEST_F(reserved, map_that_wraps_is_EOVERFLOW_before_EINVAL)
{
	EXPECT_EQ(-EOVERFLOW, map_reserved(self, -PAGE_BYTES, 2 * PAGE_BYTES));
	EXPECT_EQ(-EINVAL, map_reserved(self, -PAGE_BYTES, PAGE_BYTES));
}

TEST_F(reserved, copy_over_it_is_EINVAL)
{
	__u32 source;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, source, self->memory.start,
					  2 * PAGE_BYTES, IOMMU_MAP_RW, MSI_WINDOW_START));
	EXPECT_EQ(-EINVAL, iommu_ioas_copy_fixed(self->fd, source, MSI_WINDOW_START, 2 * PAGE_BYTES,
						 self->ioas, IOMMU_MAP_RW,
						 MSI_WINDOW_START - PAGE_BYTES));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, source, MSI_WINDOW_START, 2 * PAGE_BYTES,
					   self->ioas, IOMMU_MAP_RW,
					   MSI_WINDOW_START - 2 * PAGE_BYTES));
}

TEST_F(reserved, unmap_may_cross_it)
{
	__u64 unmapped;

	ASSERT_EQ(0, map_reserved(self, MSI_WINDOW_START - PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(0, map_reserved(self, MSI_WINDOW_LAST + 1, PAGE_BYTES));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, MSI_WINDOW_START - PAGE_BYTES,
				      MSI_WINDOW_LAST - MSI_WINDOW_START + 1 + 2 * PAGE_BYTES,
				      &unmapped));
	EXPECT_EQ(2 * PAGE_BYTES, unmapped);
}

TEST_F(reserved, chosen_iova_goes_around_it)
{
	__u64 length = 8 * PAGE_BYTES, iova;
	struct iommu_iova_range around[] = {
		{ MSI_WINDOW_START - length, MSI_WINDOW_START - 1 },
		{ MSI_WINDOW_LAST + 1, MSI_WINDOW_LAST + 0x10000 },
	};
	__u8 *start = self->memory.start + -(uintptr_t)self->memory.start % length;

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, around, 2));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, start, length, IOMMU_MAP_RW, &iova));
	EXPECT_EQ(MSI_WINDOW_START - length, iova);
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, start, length, IOMMU_MAP_RW, &iova));
	EXPECT_EQ(MSI_WINDOW_LAST + 1, iova);
}
