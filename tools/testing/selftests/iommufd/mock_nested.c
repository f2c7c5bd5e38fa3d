// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables: IOMMU_HWPT_ALLOC on a parent, attaching and replacing.
 *
 * Owns the rules of who can be a parent, of the driver's data, of the life of parent
 * and child, and of invalidation.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"
#include "spoil.h"

#define NO_ID 0x7fffffff
#define IOVA MOCK_APERTURE_START
#define SIZE (16 * PAGE)
#define IOTLB IOMMU_TEST_IOTLB_DEFAULT

FIXTURE(mock_nested)
{
	int fd;
	__u32 ioas;
	/* Where the device is until a test moves it */
	__u32 other;
	struct mock device;
	struct memory memory;
	__u32 parent;
	__u32 child;
};

FIXTURE_SETUP(mock_nested)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &self->device));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->ioas,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &self->parent));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
}

FIXTURE_TEARDOWN(mock_nested)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int alloc_on(struct _test_data_mock_nested *self, __u32 parent, __u32 flags,
		    __u32 *child)
{
	const struct iommu_hwpt_selftest data = { .iotlb = IOTLB };

	return iommu_hwpt_alloc_data(self->fd, self->device.idev, parent, flags,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), child);
}

static int alloc(struct _test_data_mock_nested *self, __u32 *child)
{
	return alloc_on(self, self->parent, 0, child);
}

static int alloc_data(struct _test_data_mock_nested *self, __u32 type, const void *data,
		      __u32 length)
{
	return iommu_hwpt_alloc_data(self->fd, self->device.idev, self->parent, 0, type, data,
				     length, &self->child);
}

static int replace(struct _test_data_mock_nested *self, __u32 pt_id)
{
	__u32 id = pt_id;
	int rc = mock_replace(self->fd, self->device.id, &id);

	/* It says where the device is now */
	return rc ? : id == pt_id ? 0 : -EDOM;
}

/* Is the next object's id the one that a failed call would have taken? */
static bool nothing_was_made(struct _test_data_mock_nested *self)
{
	__u32 id = 0;

	iommu_ioas_alloc(self->fd, &id);
	return id == self->parent + 1;
}

TEST_F(mock_nested, begins_with_what_the_data_says)
{
	__u32 i;

	ASSERT_EQ(0, alloc(self, &self->child));
	EXPECT_EQ(self->parent + 1, self->child);
	for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		EXPECT_EQ(0, mock_check_iotlb(self->fd, self->child, i, IOTLB));
	EXPECT_EQ(-EINVAL, mock_check_iotlb(self->fd, self->child, 0, IOTLB + 1));
	EXPECT_EQ(-EINVAL, mock_check_iotlb(self->fd, self->child, i, IOTLB));
}

TEST_F(mock_nested, has_an_iotlb_and_no_mappings_and_its_parent_the_opposite)
{
	ASSERT_EQ(0, alloc(self, &self->child));
	EXPECT_EQ(-ENOENT, mock_check_iotlb(self->fd, self->parent, 0, IOTLB));
	EXPECT_EQ(-ENOENT, mock_check_iotlb(self->fd, NO_ID, 0, IOTLB));
	EXPECT_EQ(-ENOENT, mock_check_map(self->fd, self->child, IOVA, PAGE,
					  self->memory.start));
}

TEST_F(mock_nested, shorter_data_is_zero_extended)
{
	const __u32 iotlb = 7;

	ASSERT_EQ(0, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, &iotlb, sizeof(iotlb)));
	EXPECT_EQ(0, mock_check_iotlb(self->fd, self->child, 0, iotlb));
}

TEST_F(mock_nested, data_that_is_shorter_or_longer_than_the_driver_knows_is_EINVAL)
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

TEST_F(mock_nested, without_data_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc(self->fd, self->device.idev, self->parent, 0,
						&self->child));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_nested, data_of_another_driver_is_EOPNOTSUPP)
{
	const struct iommu_hwpt_vtd_s1 data = {};

	EXPECT_EQ(-EOPNOTSUPP, alloc_data(self, IOMMU_HWPT_DATA_VTD_S1, &data, sizeof(data)));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_nested, data_that_cannot_be_read_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, GUARD_PAGE_BAD_POINTER, 8));
	EXPECT_EQ(-EFAULT, alloc_data(self, IOMMU_HWPT_DATA_SELFTEST, NULL, 8));
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_nested, flags_of_a_paging_table_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		__u32 flag = 1U << bit;

		if (flag == IOMMU_HWPT_FAULT_ID_VALID || flag == IOMMU_HWPT_ALLOC_PASID)
			continue;
		EXPECT_EQ(-EOPNOTSUPP, alloc_on(self, self->parent, flag, &self->child)) {
			TH_LOG("bit %u", bit);
		}
	}
	EXPECT_TRUE(nothing_was_made(self));
}

TEST_F(mock_nested, fault_id_must_be_of_a_fault_queue)
{
	const struct iommu_hwpt_selftest data = {};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = self->device.idev,
		.pt_id = self->parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
		.fault_id = self->ioas,
	};

	EXPECT_EQ(-ENOENT, iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd));
	EXPECT_TRUE(nothing_was_made(self));
	/* The parent was given back, too */
	EXPECT_EQ(0, iommu_destroy(self->fd, self->parent));
}

TEST_F(mock_nested, page_table_without_NEST_PARENT_is_no_parent)
{
	__u32 plain;

	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->ioas, 0, &plain));
	EXPECT_EQ(-EINVAL, alloc_on(self, plain, 0, &self->child));
}

TEST_F(mock_nested, automatic_page_table_is_no_parent)
{
	EXPECT_EQ(-EINVAL, alloc_on(self, self->device.hwpt, 0, &self->child));
}

TEST_F(mock_nested, nested_page_table_is_no_parent)
{
	__u32 grandchild;

	ASSERT_EQ(0, alloc(self, &self->child));
	EXPECT_EQ(-EINVAL, alloc_on(self, self->child, 0, &grandchild));
}

TEST_F(mock_nested, flags_are_looked_at_before_the_parent)
{
	EXPECT_EQ(-EOPNOTSUPP, alloc_on(self, self->device.hwpt, 1U << 31, &self->child));
	EXPECT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc(self->fd, self->device.idev,
						self->device.hwpt, 0, &self->child));
}

TEST_F(mock_nested, result_that_can_not_be_told_undoes_everything)
{
	const struct iommu_hwpt_selftest data = {};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = self->device.idev,
		.pt_id = self->parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *user;

	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, user);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_HWPT_ALLOC, user));
	EXPECT_TRUE(nothing_was_made(self));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->parent));
	guard_page_free(edge);
}

TEST_F(mock_nested, parent_is_busy_while_it_has_a_child)
{
	__u32 second;

	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, alloc(self, &second));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->parent));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->child));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->parent));
	ASSERT_EQ(0, iommu_destroy(self->fd, second));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->parent));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->ioas));
}

TEST_F(mock_nested, child_is_busy_while_attached_and_stays_afterwards)
{
	struct mock second;

	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, mock_attach(self->fd, self->child, &second));
	EXPECT_EQ(self->child, second.hwpt);
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->child));
	ASSERT_EQ(0, iommu_destroy(self->fd, second.id));
	EXPECT_EQ(0, mock_check_iotlb(self->fd, self->child, 0, IOTLB));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->child));
}

TEST_F(mock_nested, parent_gets_mappings_while_the_child_is_attached)
{
	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, replace(self, self->child));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, mock_check_map(self->fd, self->parent, IOVA, SIZE, self->memory.start));
	EXPECT_EQ(SIZE / PAGE, pages_pinned());
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, IOVA, SIZE, NULL));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_nested, replace_works_in_all_directions)
{
	__u32 tables[6];
	size_t i, j;

	tables[0] = self->parent;
	ASSERT_EQ(0, alloc(self, &tables[1]));
	ASSERT_EQ(0, alloc(self, &tables[2]));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->other,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &tables[3]));
	ASSERT_EQ(0, alloc_on(self, tables[3], 0, &tables[4]));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->ioas, 0, &tables[5]));
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (j = 0; j < ARRAY_SIZE(tables); j++) {
			ASSERT_EQ(0, replace(self, tables[i]));
			ASSERT_EQ(0, replace(self, tables[j]));
			EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, tables[j]));
		}
	}
	/* Nothing but the last is in use */
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, iommu_destroy(self->fd, tables[2 - i]));
	EXPECT_EQ(0, iommu_destroy(self->fd, tables[4]));
	EXPECT_EQ(0, iommu_destroy(self->fd, tables[3]));
}

TEST_F(mock_nested, replace_by_an_ioas_leaves_the_child)
{
	__u32 pt_id = self->ioas;

	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, replace(self, self->child));
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	EXPECT_NE(self->child, pt_id);
	EXPECT_NE(self->parent, pt_id);
	EXPECT_EQ(0, iommu_destroy(self->fd, self->child));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->parent));
}

TEST_F(mock_nested, second_device_can_be_attached_to_the_parent_or_to_a_sibling)
{
	__u32 sibling;
	struct mock second, third;

	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, alloc(self, &sibling));
	ASSERT_EQ(0, replace(self, self->child));
	ASSERT_EQ(0, mock_attach(self->fd, self->parent, &second));
	ASSERT_EQ(0, mock_attach(self->fd, sibling, &third));
	EXPECT_EQ(self->parent, second.hwpt);
	EXPECT_EQ(sibling, third.hwpt);
}

TEST_F(mock_nested, close_takes_child_and_parent_along)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, alloc(self, &self->child));
	ASSERT_EQ(0, replace(self, self->child));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, pages_pinned());
}

/*
 * IOMMU_HWPT_INVALIDATE: arrays of invalidations, done up to the first bad one.
 */

#define DATA IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
#define DATA_INVALID IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID
#define ENTRIES_MAX 0x80000U
#define ALL IOMMU_TEST_INVALIDATE_FLAG_ALL

FIXTURE(mock_invalidate)
{
	int fd;
	__u32 ioas;
	struct mock device;
	__u32 parent;
	__u32 child;
};

FIXTURE_SETUP(mock_invalidate)
{
	const struct iommu_hwpt_selftest data = { .iotlb = IOTLB };

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->device));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->device.idev, self->ioas,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &self->parent));
	ASSERT_EQ(0, iommu_hwpt_alloc_data(self->fd, self->device.idev, self->parent, 0,
					   IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data),
					   &self->child));
}

FIXTURE_TEARDOWN(mock_invalidate)
{
	close(self->fd);
}

static int invalidate(struct _test_data_mock_invalidate *self,
		      const struct iommu_hwpt_invalidate_selftest *entries, __u32 *count)
{
	return iommu_hwpt_invalidate(self->fd, self->child, DATA, entries, sizeof(*entries),
				     count);
}

/* Which words of the IOTLB are still there, one bit each. */
static unsigned int iotlb_left(struct _test_data_mock_invalidate *self)
{
	unsigned int left = 0;
	__u32 i;

	for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		if (!mock_check_iotlb(self->fd, self->child, i, IOTLB))
			left |= 1U << i;
	return left;
}

/* The command with @count entries of zeros, and at most one thing wrong. */
static int call(struct _test_data_mock_invalidate *self, struct iommu_hwpt_invalidate cmd,
		__u32 *count)
{
	int rc;

	cmd.size = sizeof(cmd);
	cmd.entry_num = *count;
	rc = iommu_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, &cmd);
	*count = cmd.entry_num;
	return rc;
}

/* The command with one entry, and what the row says. */
static int call_spoiled(struct _test_data_mock_invalidate *self,
			struct iommu_hwpt_invalidate *cmd, const struct spoiled *row)
{
	cmd->size = sizeof(*cmd);
	cmd->entry_num = 1;
	spoil(cmd, row);
	return iommu_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, cmd);
}

TEST_F(mock_invalidate, one_entry_empties_one_word)
{
	const struct iommu_hwpt_invalidate_selftest entry = { .iotlb_id = 2 };
	__u32 count = 1;

	ASSERT_EQ(0, invalidate(self, &entry, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0xb, iotlb_left(self));
	EXPECT_EQ(0, mock_check_iotlb(self->fd, self->child, 2, 0));
}

TEST_F(mock_invalidate, flag_ALL_empties_all_words)
{
	const struct iommu_hwpt_invalidate_selftest entry = { .flags = ALL };
	__u32 count = 1;

	ASSERT_EQ(0, invalidate(self, &entry, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, iotlb_left(self));
}

TEST_F(mock_invalidate, entries_are_done_up_to_the_first_bad_one)
{
	const struct iommu_hwpt_invalidate_selftest bad[] = {
		{ .iotlb_id = 4 }, { .flags = 2 }, { .flags = ALL, .iotlb_id = 4 },
	};
	const int errors[] = { -EINVAL, -EOPNOTSUPP, -EINVAL };
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (at = 0; at < 3; at++) {
			struct iommu_hwpt_invalidate_selftest entries[4] = {
				{ .iotlb_id = 0 }, { .iotlb_id = 1 },
				{ .iotlb_id = 2 }, { .iotlb_id = 3 },
			};
			__u32 count = ARRAY_SIZE(entries);

			entries[at] = bad[i];
			EXPECT_EQ(errors[i], invalidate(self, entries, &count));
			EXPECT_EQ(at, count);
			/* Nothing after the bad one was tried */
			EXPECT_NE(0, iotlb_left(self) & 1U << 3);
		}
	}
	EXPECT_EQ(0xc, iotlb_left(self));
}

TEST_F(mock_invalidate, entry_that_cannot_be_read_is_EFAULT_after_those_before_it)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_hwpt_invalidate_selftest *entries = (void *)edge;
	__u32 count = 4;

	ASSERT_NE(NULL, edge);
	entries -= 2;
	entries[0] = (struct iommu_hwpt_invalidate_selftest){ .iotlb_id = 0 };
	entries[1] = (struct iommu_hwpt_invalidate_selftest){ .iotlb_id = 3 };
	EXPECT_EQ(-EFAULT, invalidate(self, entries, &count));
	EXPECT_EQ(2, count);
	EXPECT_EQ(0x6, iotlb_left(self));
	guard_page_free(edge);
}

TEST_F(mock_invalidate, the_largest_array_is_done_in_full)
{
	struct iommu_hwpt_invalidate_selftest *entries = calloc(ENTRIES_MAX, sizeof(*entries));
	__u32 count = ENTRIES_MAX, bad = ENTRIES_MAX - 7;

	ASSERT_NE(NULL, entries);
	ASSERT_EQ(0, invalidate(self, entries, &count));
	EXPECT_EQ(ENTRIES_MAX, count);
	/* The driver gets them in several parts, but the count is that of all */
	entries[bad].iotlb_id = 4;
	EXPECT_EQ(-EINVAL, invalidate(self, entries, &count));
	EXPECT_EQ(bad, count);
	free(entries);
}

TEST_F(mock_invalidate, entries_may_lie_further_apart_only_if_the_driver_says_so)
{
	struct iommu_hwpt_invalidate_selftest entries[4] = {};
	__u32 length;

	for (length = 1; length < sizeof(entries); length++) {
		int expected = length == sizeof(entries[0]) ? 0 : -EINVAL;
		__u32 count = 1;

		EXPECT_EQ(expected, iommu_hwpt_invalidate(self->fd, self->child, DATA, entries,
							  length, &count));
		EXPECT_EQ(!expected, count);
	}
}

#define FIELD(_member, _value) SPOIL(struct iommu_hwpt_invalidate, _member, _value)

TEST_F(mock_invalidate, spoiled_command_fails_and_nothing_is_done)
{
	const struct iommu_hwpt_invalidate_selftest entry = {};
	const struct iommu_hwpt_invalidate right = {
		.hwpt_id = self->child, .data_type = DATA, .data_uptr = (uintptr_t)&entry,
		.entry_len = sizeof(entry),
	};
	const struct spoiled rows[] = {
		{ "reserved field, before all else", -EOPNOTSUPP,
		  { FIELD(__reserved, 1), FIELD(hwpt_id, NO_ID), FIELD(data_uptr, 0) } },
		{ "no pointer", -EINVAL, { FIELD(data_uptr, 0) } },
		{ "no pointer, before the page table is looked for", -EINVAL,
		  { FIELD(data_uptr, 0), FIELD(hwpt_id, NO_ID) } },
		{ "no length", -EINVAL, { FIELD(entry_len, 0) } },
		{ "no length, before the page table is looked for", -EINVAL,
		  { FIELD(entry_len, 0), FIELD(hwpt_id, NO_ID) } },
		{ "length above a page", -EINVAL, { FIELD(entry_len, PAGE + 1) } },
		{ "length above a page, before the page table is looked for", -EINVAL,
		  { FIELD(entry_len, PAGE + 1), FIELD(hwpt_id, NO_ID) } },
		{ "unused id", -ENOENT, { FIELD(hwpt_id, NO_ID) } },
		{ "IOAS", -EINVAL, { FIELD(hwpt_id, self->ioas) } },
		{ "mock device", -EINVAL, { FIELD(hwpt_id, self->device.id) } },
		{ "device", -EINVAL, { FIELD(hwpt_id, self->device.idev) } },
		{ "page table of an attach", -EINVAL, { FIELD(hwpt_id, self->device.hwpt) } },
		{ "parent", -EINVAL, { FIELD(hwpt_id, self->parent) } },
		{ "another type of data", -EINVAL, { FIELD(data_type, DATA_INVALID) } },
		{ "more entries than 512 Ki", -EINVAL, { FIELD(entry_num, ENTRIES_MAX + 1) } },
		{ "array that cannot be read", -EFAULT,
		  { FIELD(data_uptr, (uintptr_t)GUARD_PAGE_BAD_POINTER) } },
	};
	__u32 count = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct iommu_hwpt_invalidate cmd = right;

		EXPECT_EQ(rows[i].error, call_spoiled(self, &cmd, &rows[i])) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(0, cmd.entry_num) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(0xf, iotlb_left(self)) {
			TH_LOG("%s", rows[i].name);
		}
	}
	EXPECT_EQ(0, call(self, right, &count));
	EXPECT_EQ(0xe, iotlb_left(self));
}

TEST_F(mock_invalidate, no_entries_ask_whether_the_type_of_data_is_known)
{
	const struct iommu_hwpt_invalidate known = {
		.hwpt_id = self->child, .data_type = DATA, .entry_len = ~0U,
	};
	struct iommu_hwpt_invalidate unknown = known;
	__u32 count = 0;

	EXPECT_EQ(0, call(self, known, &count));
	EXPECT_EQ(0, count);
	unknown.data_type = DATA_INVALID;
	EXPECT_EQ(-EINVAL, call(self, unknown, &count));
	EXPECT_EQ(0, count);
}

/* What was done cannot be told, but stays done. */
TEST_F(mock_invalidate, structure_that_cannot_be_written_is_EFAULT_whatever_happened)
{
	const struct iommu_hwpt_invalidate_selftest entry = { .iotlb_id = 1 };
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = self->child,
		.data_uptr = (uintptr_t)&entry,
		.data_type = DATA,
		.entry_len = sizeof(entry),
		.entry_num = 1,
	};
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *user;

	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, user));
	EXPECT_EQ(0xd, iotlb_left(self));
	guard_page_free(edge);

	cmd.__reserved = 1;
	edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, user));
	guard_page_free(edge);
}

TEST_F(mock_invalidate, works_while_a_device_is_attached_too)
{
	const struct iommu_hwpt_invalidate_selftest entry = { .flags = ALL };
	__u32 pt_id = self->child, count = 1;

	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_EQ(0, invalidate(self, &entry, &count));
	EXPECT_EQ(0, iotlb_left(self));
}

TEST_HARNESS_MAIN
