// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_HWPT_SET_DIRTY_TRACKING and IOMMU_HWPT_GET_DIRTY_BITMAP: what they accept, and
 * which page tables can track.
 *
 * Owns every check and its place in the order. Which bits come out is in the other
 * mock_dirty_*.c.
 */
#include <kselftest_harness.h>

#include "dirty_table.h"

#define NO_ID 0x7fffffff
#define SIZE (16 * PAGE)
#define BITS (SIZE / PAGE)

FIXTURE(mock_dirty)
{
	struct dirty_table table;
	/* On the same IOAS, without dirty tracking */
	__u32 plain;
	__u8 bitmap[SIZE / MOCK_PAGE_SIZE];
};

FIXTURE_SETUP(mock_dirty)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_open(table, MOCK_IOMMUPT_DEFAULT, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, iommu_hwpt_alloc(table->fd, table->device.idev, table->ioas, 0,
				      &self->plain));
}

FIXTURE_TEARDOWN(mock_dirty)
{
	dirty_table_close(&self->table);
	EXPECT_EQ(0, pages_pinned());
}

static int set(struct _test_data_mock_dirty *self, __u32 id, __u32 flags)
{
	return iommu_hwpt_set_dirty_tracking(self->table.fd, id, flags);
}

/* A call that succeeds but for what the test says. */
static int get(struct _test_data_mock_dirty *self, struct iommu_hwpt_get_dirty_bitmap cmd)
{
	cmd.size = sizeof(cmd);
	cmd.data = (uintptr_t)self->bitmap;
	return iommu_ioctl(self->table.fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* How many pages are dirty; stays as it is. */
static size_t count_dirty(struct _test_data_mock_dirty *self)
{
	memset(self->bitmap, 0, sizeof(self->bitmap));
	if (dirty_table_peek(&self->table, DIRTY_IOVA, SIZE, PAGE, self->bitmap))
		return SIZE_MAX;
	return count_set(self->bitmap, BITS);
}

static int write_all(struct _test_data_mock_dirty *self)
{
	return dirty_table_write(&self->table, DIRTY_IOVA, SIZE);
}

TEST_F(mock_dirty, set_unknown_flags_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, set(self, self->table.hwpt, 1U << bit));
	/* Before the id is looked at */
	EXPECT_EQ(-EOPNOTSUPP, set(self, NO_ID, 2));
}

TEST_F(mock_dirty, set_of_what_is_no_page_table_is_ENOENT)
{
	struct dirty_table *table = &self->table;
	const __u32 ids[] = { 0, NO_ID, table->ioas, table->device.id, table->device.idev };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(-ENOENT, set(self, ids[i], IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
}

TEST_F(mock_dirty, set_of_a_page_table_that_does_not_track_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->plain, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->plain, 0));
	/* One that was made by an attach */
	EXPECT_EQ(-EOPNOTSUPP, set(self, self->table.device.hwpt,
				   IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
}

TEST_F(mock_dirty, set_does_not_look_at_what_is_reserved)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .hwpt_id = self->table.hwpt, .__reserved = 1,
	};

	EXPECT_EQ(0, iommu_ioctl(self->table.fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd));
}

TEST_F(mock_dirty, enable_and_disable_can_be_repeated)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, set(self, self->table.hwpt, 0));
	EXPECT_EQ(-EINVAL, write_all(self));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, enable_forgets_what_was_dirty)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, count_dirty(self));
	/* And not how to see it again */
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));

	ASSERT_EQ(0, set(self, self->table.hwpt, 0));
	ASSERT_EQ(0, set(self, self->table.hwpt, IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	EXPECT_EQ(0, count_dirty(self));
}

TEST_F(mock_dirty, enable_forgets_in_all_mappings)
{
	struct dirty_table *table = &self->table;
	const __u64 far = DIRTY_IOVA + 0x40000000;
	__u8 bitmap[2] = {};

	ASSERT_EQ(0, iommu_ioas_map_fixed(table->fd, table->ioas, table->memory.start, SIZE,
					  IOMMU_MAP_RW, far));
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, dirty_table_write(table, far, SIZE));
	ASSERT_EQ(0, dirty_table_enable(table));
	EXPECT_EQ(0, count_dirty(self));
	EXPECT_EQ(0, dirty_table_read(table, far, SIZE, PAGE, bitmap));
	EXPECT_EQ(0, count_set(bitmap, BITS));
}

TEST_F(mock_dirty, enable_works_without_any_mapping)
{
	ASSERT_EQ(0, dirty_table_unmap(&self->table));
	EXPECT_EQ(0, dirty_table_enable(&self->table));
}

TEST_F(mock_dirty, disable_forgets_nothing)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, set(self, self->table.hwpt, 0));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, get_is_0_if_tracking_was_never_enabled)
{
	struct dirty_table *table = &self->table;

	ASSERT_EQ(0, dirty_table_alloc(table, MOCK_IOMMUPT_DEFAULT, &table->hwpt));
	EXPECT_EQ(0, count_dirty(self));
}

TEST_F(mock_dirty, get_unknown_flags_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, get(self, (struct iommu_hwpt_get_dirty_bitmap){
			.hwpt_id = self->table.hwpt, .flags = 1U << bit,
			.iova = DIRTY_IOVA, .length = SIZE, .page_size = PAGE }));
}

/* Each call has one error less than the one before. */
TEST_F(mock_dirty, get_errors_come_in_this_order)
{
	const __u32 hwpt = self->table.hwpt, plain = self->plain;
	const struct {
		int expected;
		struct iommu_hwpt_get_dirty_bitmap cmd;
	} calls[] = {
		{ -EOPNOTSUPP, { .hwpt_id = NO_ID, .flags = 2, .iova = -1ULL } },
		{ -EOPNOTSUPP, { .hwpt_id = NO_ID, .__reserved = 1, .iova = -1ULL } },
		{ -ENOENT, { .hwpt_id = NO_ID, .iova = -1ULL } },
		{ -ENOENT, { .hwpt_id = self->table.ioas, .iova = -1ULL } },
		{ -EINVAL, { .hwpt_id = plain, .iova = -1ULL, .length = 0 } },
		{ -EOVERFLOW, { .hwpt_id = plain, .iova = -1ULL, .length = 2 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA + 1024, .length = 2048,
			     .page_size = 1024 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 1024,
			     .page_size = 1024 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 2048 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA + 2048, .length = 4096,
			     .page_size = 4096 } },
		{ -EINVAL, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 2048,
			     .page_size = 4096 } },
		{ -EOPNOTSUPP, { .hwpt_id = plain, .iova = DIRTY_IOVA, .length = 4096,
				 .page_size = 4096 } },
		{ 0, { .hwpt_id = hwpt, .iova = DIRTY_IOVA, .length = 4096,
		       .page_size = 4096 } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(calls[i].expected, get(self, calls[i].cmd)) {
			TH_LOG("call %zu", i);
		}
}

TEST_F(mock_dirty, get_may_end_with_the_last_iova)
{
	EXPECT_EQ(0, get(self, (struct iommu_hwpt_get_dirty_bitmap){
		.hwpt_id = self->table.hwpt, .iova = -SIZE, .length = SIZE,
		.page_size = PAGE }));
}

TEST_F(mock_dirty, get_does_not_depend_on_an_attachment)
{
	struct mock device;

	ASSERT_EQ(0, mock_attach(self->table.fd, self->table.hwpt, &device));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
	ASSERT_EQ(0, iommu_destroy(self->table.fd, device.id));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, page_tables_of_one_ioas_are_dirty_each_for_itself)
{
	struct dirty_table second = self->table;
	__u8 bitmap[2] = {};

	ASSERT_EQ(0, dirty_table_alloc(&second, MOCK_IOMMUPT_DEFAULT, &second.hwpt));
	ASSERT_EQ(0, dirty_table_enable(&second));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(0, dirty_table_read(&second, DIRTY_IOVA, SIZE, PAGE, bitmap));
	EXPECT_EQ(0, count_set(bitmap, BITS));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, what_is_mapped_again_is_clean)
{
	ASSERT_EQ(0, write_all(self));
	ASSERT_EQ(0, dirty_table_unmap(&self->table));
	ASSERT_EQ(0, dirty_table_map(&self->table));
	EXPECT_EQ(0, count_dirty(self));
	ASSERT_EQ(0, write_all(self));
	EXPECT_EQ(BITS, count_dirty(self));
}

TEST_F(mock_dirty, device_that_can_not_track_has_no_such_page_table)
{
	struct dirty_table *table = &self->table;
	struct mock device;
	__u32 hwpt, pt_id = table->hwpt;

	ASSERT_EQ(0, mock_attach_flags(table->fd, table->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY,
				       &device));
	EXPECT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc(table->fd, device.idev, table->ioas,
						IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	EXPECT_EQ(0, iommu_hwpt_alloc(table->fd, device.idev, table->ioas, 0, &hwpt));
	/* Nor may it join one */
	EXPECT_EQ(-EINVAL, mock_replace(table->fd, device.id, &pt_id));
	ASSERT_EQ(0, iommu_destroy(table->fd, device.id));
	EXPECT_EQ(-EINVAL, mock_attach_flags(table->fd, table->hwpt, MOCK_FLAGS_DEVICE_NO_DIRTY,
					     &device));
	EXPECT_EQ(0, mock_attach_flags(table->fd, table->hwpt, 0, &device));
}

TEST_F(mock_dirty, hw_info_tells_which_device_can_track)
{
	struct dirty_table *table = &self->table;
	struct iommu_hw_info info;
	struct mock device;

	ASSERT_EQ(0, iommu_get_hw_info(table->fd, table->device.idev, NULL, 0, &info));
	EXPECT_TRUE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
	ASSERT_EQ(0, mock_attach_flags(table->fd, table->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY,
				       &device));
	ASSERT_EQ(0, iommu_get_hw_info(table->fd, device.idev, NULL, 0, &info));
	EXPECT_FALSE(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING);
}

TEST_F(mock_dirty, test_operation_checks_its_arguments)
{
	const int fd = self->table.fd;
	const __u32 hwpt = self->table.hwpt;
	__u64 written = 0;
	__u8 bits = 5;

	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, 0, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, 0, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, PAGE, NULL, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA + 1, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE + 1, PAGE, &bits, NULL));
	EXPECT_EQ(-EOVERFLOW, mock_dirty(fd, NO_ID, 0, (1UL << 27) + 1, 1, &bits, NULL));
	EXPECT_EQ(-ENOENT, mock_dirty(fd, NO_ID, DIRTY_IOVA, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EINVAL, mock_dirty(fd, self->plain, DIRTY_IOVA, PAGE, PAGE, &bits, NULL));
	EXPECT_EQ(-EFAULT, mock_dirty(fd, hwpt, DIRTY_IOVA, PAGE, PAGE, (void *)1, NULL));
	EXPECT_EQ(0, mock_dirty(fd, hwpt, 0, 3 * PAGE, PAGE, &bits, &written));
	EXPECT_EQ(2, written);
	EXPECT_EQ(0, count_dirty(self));
}

TEST_HARNESS_MAIN
