// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page tables: IOMMU_HWPT_ALLOC on a parent, attaching and replacing.
 *
 * Owns the rules of who can be a parent, of the driver's data, and of the life of
 * parent and child. Invalidation is in mock_invalidate.c.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"

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

TEST_HARNESS_MAIN
