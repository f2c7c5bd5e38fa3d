// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_HWPT_ALLOC on an IOAS: page tables that user space asks for.
 *
 * Owns what the command checks, what attaching to its result does, and when the
 * result can be destroyed. Nested page tables are in mock_nested.c.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"
#include "spoil.h"

#define NO_ID 0x7fffffff
#define IOVA MOCK_APERTURE_START
#define SIZE (16 * PAGE)

FIXTURE(mock_hwpt)
{
	int fd;
	/* Has no page table until a test makes one */
	__u32 ioas;
	/* Where the device is meanwhile */
	__u32 other;
	struct mock device;
	struct memory memory;
	__u32 hwpt;
};

FIXTURE_SETUP(mock_hwpt)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &self->device));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
}

FIXTURE_TEARDOWN(mock_hwpt)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int map(struct _test_data_mock_hwpt *self)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
				    IOMMU_MAP_RW, IOVA);
}

static int check(struct _test_data_mock_hwpt *self, __u32 hwpt)
{
	return mock_check_map(self->fd, hwpt, IOVA, SIZE, self->memory.start);
}

static int alloc(struct _test_data_mock_hwpt *self, __u32 flags, __u32 *hwpt)
{
	return iommu_hwpt_alloc(self->fd, self->device.idev, self->ioas, flags, hwpt);
}

static int alloc_data(struct _test_data_mock_hwpt *self, __u32 type, const void *data,
		      __u32 length)
{
	return iommu_hwpt_alloc_data(self->fd, self->device.idev, self->ioas, 0, type, data,
				     length, &self->hwpt);
}

/* A page table with other page sizes than the default one. */
static int alloc_huge(struct _test_data_mock_hwpt *self, __u32 *hwpt)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };

	return iommu_hwpt_alloc_data(self->fd, self->device.idev, self->ioas, 0,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), hwpt);
}

/* The command with one thing wrong; everything else would succeed. */
static int call(struct _test_data_mock_hwpt *self, struct iommu_hwpt_alloc cmd)
{
	cmd.size = sizeof(cmd);
	if (!cmd.dev_id)
		cmd.dev_id = self->device.idev;
	if (!cmd.pt_id)
		cmd.pt_id = self->ioas;
	return iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd);
}

/* Is the next object's id the one that a failed call would have taken? */
static bool nothing_was_made(struct _test_data_mock_hwpt *self)
{
	__u32 id = 0;

	iommu_ioas_alloc(self->fd, &id);
	return id == self->device.hwpt + 1;
}

TEST_F(mock_hwpt, gets_the_next_id_and_can_be_destroyed)
{
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	EXPECT_EQ(self->device.hwpt + 1, self->hwpt);
	EXPECT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->hwpt));
}

TEST_F(mock_hwpt, smallest_structure_has_no_data_and_no_fault_queue)
{
	struct iommu_hwpt_alloc cmd = {
		.size = offsetof(struct iommu_hwpt_alloc, data_type),
		.dev_id = self->device.idev,
		.pt_id = self->ioas,
		.data_type = ~0U,
		.data_len = ~0U,
		.fault_id = ~0U,
	};

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd));
	EXPECT_EQ(0, iommu_destroy(self->fd, cmd.out_hwpt_id));
}

TEST_F(mock_hwpt, last_reserved_field_is_not_looked_at)
{
	EXPECT_EQ(0, call(self, (struct iommu_hwpt_alloc){ .__reserved2 = ~0U }));
}

#define FIELD(_member, _value) SPOIL(struct iommu_hwpt_alloc, _member, _value)

TEST_F(mock_hwpt, spoiled_command_fails_and_nothing_is_made)
{
	const struct iommu_hwpt_alloc right = {
		.size = sizeof(right), .dev_id = self->device.idev, .pt_id = self->ioas,
	};
	const struct spoiled rows[] = {
		{ "reserved field", -EOPNOTSUPP, { FIELD(__reserved, 1) } },
		{ "data without type", -EINVAL, { FIELD(data_len, 8) } },
		{ "type without data", -EINVAL, { FIELD(data_type, IOMMU_HWPT_DATA_SELFTEST) } },
		{ "unused device", -ENOENT, { FIELD(dev_id, NO_ID) } },
		{ "IOAS as device", -ENOENT, { FIELD(dev_id, self->ioas) } },
		{ "mock device as device", -ENOENT, { FIELD(dev_id, self->device.id) } },
		{ "page table as device", -ENOENT, { FIELD(dev_id, self->device.hwpt) } },
		/* An id that does not exist is EINVAL here, and only here. */
		{ "unused parent", -EINVAL, { FIELD(pt_id, NO_ID) } },
		{ "mock device as parent", -EINVAL, { FIELD(pt_id, self->device.id) } },
		{ "device as parent", -EINVAL, { FIELD(pt_id, self->device.idev) } },
		{ "faults of a nesting parent", -EOPNOTSUPP,
		  { FIELD(flags, IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_NEST_PARENT) } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct iommu_hwpt_alloc cmd = right;

		spoil(&cmd, &rows[i]);
		EXPECT_EQ(rows[i].error, iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd)) {
			TH_LOG("%s", rows[i].name);
		}
	}
	EXPECT_TRUE(nothing_was_made(self));
	EXPECT_EQ(0, call(self, right));
}

TEST_F(mock_hwpt, checks_come_in_order)
{
	struct iommu_hwpt_alloc all = {
		.__reserved = 1, .data_len = 8, .dev_id = NO_ID, .pt_id = NO_ID, .flags = ~0U,
	};

	EXPECT_EQ(-EOPNOTSUPP, call(self, all));
	all.__reserved = 0;
	EXPECT_EQ(-EINVAL, call(self, all));
	all.data_len = 0;
	EXPECT_EQ(-ENOENT, call(self, all));
	all.dev_id = 0;
	EXPECT_EQ(-EINVAL, call(self, all));
	all.pt_id = 0;
	EXPECT_EQ(-EOPNOTSUPP, call(self, all));
	all.flags = 0;
	EXPECT_EQ(0, call(self, all));
}

TEST_F(mock_hwpt, unknown_flags_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 4; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, alloc(self, 1U << bit, &self->hwpt)) {
			TH_LOG("bit %u", bit);
		}
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_hwpt, nesting_parent_without_faults_works)
{
	EXPECT_EQ(0, alloc(self, IOMMU_HWPT_ALLOC_NEST_PARENT, &self->hwpt));
}

TEST_F(mock_hwpt, fault_id_must_be_of_a_fault_queue_or_is_not_looked_at)
{
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(-ENOENT, call(self, (struct iommu_hwpt_alloc){
		.flags = IOMMU_HWPT_FAULT_ID_VALID, .fault_id = self->ioas }));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(nothing_was_made(self));
	EXPECT_EQ(0, call(self, (struct iommu_hwpt_alloc){ .fault_id = NO_ID }));
}

TEST_F(mock_hwpt, data_of_another_driver_is_EOPNOTSUPP)
{
	const struct iommu_hwpt_selftest data = {};

	EXPECT_EQ(-EOPNOTSUPP, alloc_data(self, IOMMU_HWPT_DATA_VTD_S1, &data, sizeof(data)));
	EXPECT_EQ(-EOPNOTSUPP, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST + 1, &data,
					  sizeof(data)));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_hwpt, data_that_is_shorter_or_longer_than_the_driver_knows_is_EINVAL)
{
	const struct iommu_hwpt_selftest data[2] = {};
	__u32 length;

	for (length = 1; length < sizeof(data); length++) {
		int expected = length >= 4 && length <= 8 ? 0 : -EINVAL;

		EXPECT_EQ(expected, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, data, length)) {
			TH_LOG("%u bytes", length);
		}
	}
}

TEST_F(mock_hwpt, data_that_cannot_be_read_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, NULL, 8));
	EXPECT_EQ(-EFAULT, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, GUARD_PAGE_BAD_POINTER, 8));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_hwpt, errors_of_the_driver_are_passed_on)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = 2 };

	EXPECT_EQ(-EOPNOTSUPP, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data)));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_hwpt, result_that_can_not_be_told_undoes_everything)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = self->device.idev, .pt_id = self->ioas,
	};
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *user;

	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, user);
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, user));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(nothing_was_made(self));
	guard_page_free(edge);
}

TEST_F(mock_hwpt, pins_and_holds_all_mappings_although_nothing_is_attached)
{
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	EXPECT_EQ(SIZE / PAGE, pages_pinned());
	EXPECT_EQ(0, check(self, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_hwpt, gets_the_mappings_that_come_later_too)
{
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, check(self, self->hwpt));
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, IOVA, SIZE, NULL));
	EXPECT_EQ(-EINVAL, check(self, self->hwpt));
}

TEST_F(mock_hwpt, several_on_one_ioas_pin_each_page_once)
{
	__u32 second, third;

	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, alloc(self, 0, &second));
	ASSERT_EQ(0, alloc_huge(self, &third));
	EXPECT_EQ(0, check(self, self->hwpt));
	EXPECT_EQ(0, check(self, second));
	EXPECT_EQ(0, mock_check_map(self->fd, third, IOVA, SIZE, self->memory.start));
	EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 1));
	EXPECT_EQ(SIZE / PAGE, pages_pinned());
	/* The first can go first */
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, check(self, second));
	ASSERT_EQ(0, iommu_destroy(self->fd, third));
	EXPECT_EQ(SIZE / PAGE, pages_pinned());
	ASSERT_EQ(0, iommu_destroy(self->fd, second));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_hwpt, keeps_its_ioas_busy)
{
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->ioas));
}

TEST_F(mock_hwpt, does_not_keep_the_device_it_was_made_for)
{
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, check(self, self->hwpt));
}

TEST_F(mock_hwpt, mapping_outside_the_aperture_is_EADDRINUSE)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
					  IOMMU_MAP_RW, 0));
	EXPECT_EQ(-EADDRINUSE, alloc(self, 0, &self->hwpt));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(nothing_was_made(self));
	/* This kind begins at 0 */
	ASSERT_EQ(0, alloc_huge(self, &self->hwpt));
	EXPECT_EQ(0, mock_check_map(self->fd, self->hwpt, 0, SIZE, self->memory.start));
}

TEST_F(mock_hwpt, promised_range_outside_the_aperture_is_EADDRINUSE)
{
	const struct iommu_iova_range range = { .start = 0, .last = PAGE - 1 };

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, &range, 1));
	EXPECT_EQ(-EADDRINUSE, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, NULL, 0));
	EXPECT_EQ(0, alloc(self, 0, &self->hwpt));
}

TEST_F(mock_hwpt, mapping_that_is_no_multiple_of_its_pages_is_EADDRINUSE)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start,
					  MOCK_PAGE_SIZE, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EADDRINUSE, alloc_huge(self, &self->hwpt));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, alloc(self, 0, &self->hwpt));
}

TEST_F(mock_hwpt, ranges_and_alignment_are_its_own_from_the_beginning_to_the_end)
{
	struct iommu_iova_range range = {};
	__u64 alignment;
	__u32 count = 1;

	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &range, &count, &alignment));
	EXPECT_EQ(1, count);
	EXPECT_EQ(MOCK_APERTURE_START, range.start);
	EXPECT_EQ(MOCK_APERTURE_LAST, range.last);
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &range, &count, &alignment));
	EXPECT_EQ(0, range.start);
	EXPECT_EQ(UINT64_MAX, range.last);
	EXPECT_EQ(1, alignment);
}

TEST_F(mock_hwpt, memory_that_cannot_be_pinned_is_EFAULT_and_makes_nothing)
{
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, munmap(self->memory.start + SIZE / 2, PAGE));
	EXPECT_EQ(-EFAULT, alloc(self, 0, &self->hwpt));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_hwpt, devices_attach_to_it_by_its_id)
{
	struct mock first, second;

	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &first));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &second));
	EXPECT_EQ(self->hwpt, first.hwpt);
	EXPECT_EQ(self->hwpt, second.hwpt);
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, first.id));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, second.id));
	/* It does not go by itself */
	EXPECT_EQ(0, check(self, self->hwpt));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->hwpt));
}

TEST_F(mock_hwpt, attach_to_the_ioas_never_chooses_it)
{
	struct mock device;

	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &device));
	EXPECT_NE(self->hwpt, device.hwpt);
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, device.id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, device.hwpt));
}

TEST_F(mock_hwpt, replace_moves_between_all_page_tables_of_all_ioas)
{
	__u32 tables[4], pt_id;
	size_t i, j;

	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, alloc(self, 0, &tables[0]));
	ASSERT_EQ(0, alloc_huge(self, &tables[1]));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->other, 0, &tables[2]));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->other,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &tables[3]));
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			pt_id = tables[i];
			ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
			EXPECT_EQ(tables[i], pt_id);
			pt_id = tables[j];
			ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
			EXPECT_EQ(tables[j], pt_id);
			EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, tables[j]));
		}
	}
	/* The automatic one went with the first replace, these stay */
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->device.hwpt));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, iommu_destroy(self->fd, tables[i]));
}

TEST_F(mock_hwpt, replace_by_the_ioas_makes_an_automatic_one)
{
	__u32 pt_id;

	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	pt_id = self->hwpt;
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	pt_id = self->ioas;
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	EXPECT_NE(self->hwpt, pt_id);
	EXPECT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, pt_id));
}

TEST_F(mock_hwpt, close_takes_everything_along)
{
	struct mock device;

	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, alloc(self, 0, &self->hwpt));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &device));
	ASSERT_EQ(0, alloc(self, IOMMU_HWPT_ALLOC_NEST_PARENT, &self->hwpt));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, pages_pinned());
}

TEST_HARNESS_MAIN
