// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs: each can go through a page table of its own, beside what the device does
 * without one.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"

#define PASID 100
#define OTHER_PASID 101
#define NO_ID 0x7fffffff

FIXTURE(mock_pasid)
{
	int fd;
	__u32 ioas;
	/* Page tables for PASIDs, and one that is not */
	__u32 first;
	__u32 second;
	__u32 plain;
	/* Attached to @first without a PASID */
	struct mock device;
};

static int alloc(struct _test_data_mock_pasid *self, __u32 idev, __u32 flags, __u32 *hwpt)
{
	return iommu_hwpt_alloc(self->fd, idev, self->ioas, flags, hwpt);
}

FIXTURE_SETUP(mock_pasid)
{
	struct mock maker;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &maker));
	ASSERT_EQ(0, alloc(self, maker.idev, IOMMU_HWPT_ALLOC_PASID, &self->first));
	ASSERT_EQ(0, alloc(self, maker.idev, IOMMU_HWPT_ALLOC_PASID, &self->second));
	ASSERT_EQ(0, alloc(self, maker.idev, 0, &self->plain));
	ASSERT_EQ(0, iommu_destroy(self->fd, maker.id));
	ASSERT_EQ(0, mock_attach_flags(self->fd, self->first, MOCK_FLAGS_DEVICE_PASID,
				       &self->device));
}

FIXTURE_TEARDOWN(mock_pasid)
{
	close(self->fd);
}

static int attach(struct _test_data_mock_pasid *self, __u32 pasid, __u32 pt_id)
{
	return mock_pasid_attach(self->fd, self->device.id, pasid, &pt_id);
}

static int replace(struct _test_data_mock_pasid *self, __u32 pasid, __u32 pt_id)
{
	return mock_pasid_replace(self->fd, self->device.id, pasid, &pt_id);
}

static int detach(struct _test_data_mock_pasid *self, __u32 pasid)
{
	return mock_pasid_detach(self->fd, self->device.id, pasid);
}

static int check(struct _test_data_mock_pasid *self, __u32 pasid, __u32 hwpt)
{
	return mock_pasid_check(self->fd, self->device.id, pasid, hwpt);
}

TEST_F(mock_pasid, attach_that_can_not_be_told_is_undone)
{
	struct iommu_test_cmd cmd = MOCK_CMD(PASID_ATTACH, self->device.id,
		.pasid_attach = { .pasid = PASID, .pt_id = self->second });
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(-EFAULT, mock_ioctl(self->fd,
				      guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ)));
	EXPECT_EQ(0, check(self, PASID, 0));
	EXPECT_EQ(0, attach(self, PASID, self->first));
	guard_page_free(edge);
}

TEST_F(mock_pasid, has_a_page_table_of_its_own)
{
	ASSERT_EQ(0, check(self, PASID, 0));
	ASSERT_EQ(0, attach(self, PASID, self->second));
	ASSERT_EQ(0, attach(self, OTHER_PASID, self->first));
	ASSERT_EQ(0, check(self, PASID, self->second));
	ASSERT_EQ(0, check(self, OTHER_PASID, self->first));
	ASSERT_EQ(0, check(self, 0, self->first));
	ASSERT_EQ(0, detach(self, PASID));
	ASSERT_EQ(0, check(self, PASID, 0));
	ASSERT_EQ(0, check(self, OTHER_PASID, self->first));
}

TEST_F(mock_pasid, goes_to_a_page_table_that_exists)
{
	ASSERT_EQ(-ENOENT, attach(self, PASID, NO_ID));
	ASSERT_EQ(-EINVAL, attach(self, PASID, self->device.idev));
	ASSERT_EQ(-EINVAL, attach(self, PASID, self->ioas));
	ASSERT_EQ(0, check(self, PASID, 0));
}

TEST_F(mock_pasid, is_attached_once)
{
	ASSERT_EQ(0, attach(self, PASID, self->first));
	ASSERT_EQ(-EBUSY, attach(self, PASID, self->first));
	ASSERT_EQ(-EBUSY, attach(self, PASID, self->second));
	ASSERT_EQ(0, check(self, PASID, self->first));
}

TEST_F(mock_pasid, needs_a_page_table_made_for_it)
{
	ASSERT_EQ(-EINVAL, attach(self, PASID, self->plain));
	ASSERT_EQ(0, attach(self, PASID, self->first));
	ASSERT_EQ(-EINVAL, replace(self, PASID, self->plain));
	ASSERT_EQ(0, check(self, PASID, self->first));
}

TEST_F(mock_pasid, rules_out_other_page_tables_without_a_pasid)
{
	__u32 pt_id = self->plain;

	ASSERT_EQ(0, attach(self, PASID, self->first));
	ASSERT_EQ(-EINVAL, mock_replace(self->fd, self->device.id, &pt_id));
	pt_id = self->ioas;
	ASSERT_EQ(-EINVAL, mock_replace(self->fd, self->device.id, &pt_id));
	pt_id = self->second;
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_EQ(0, check(self, PASID, self->first));

	ASSERT_EQ(0, detach(self, PASID));
	pt_id = self->plain;
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_EQ(-EINVAL, attach(self, PASID, self->first));
}

TEST_F(mock_pasid, can_be_used_without_an_attachment_beside_it)
{
	ASSERT_EQ(0, attach(self, PASID, self->first));
	ASSERT_EQ(0, detach(self, 0));
	ASSERT_EQ(0, check(self, PASID, self->first));
	ASSERT_EQ(0, attach(self, OTHER_PASID, self->second));
	ASSERT_EQ(-EINVAL, attach(self, 0, self->plain));
	ASSERT_EQ(0, attach(self, 0, self->second));
	ASSERT_EQ(0, check(self, 0, self->second));
}

TEST_F(mock_pasid, is_below_what_the_device_supports)
{
	struct mock without;
	__u32 pt_id = self->first;

	ASSERT_EQ(-EINVAL, attach(self, 1U << MOCK_PASID_WIDTH, self->first));
	ASSERT_EQ(0, attach(self, (1U << MOCK_PASID_WIDTH) - 1, self->first));
	/* The page table may be used by devices that have none, though */
	ASSERT_EQ(0, mock_attach(self->fd, self->first, &without));
	ASSERT_EQ(-EINVAL, mock_pasid_attach(self->fd, without.id, 1, &pt_id));
}

TEST_F(mock_pasid, moves_to_another_page_table)
{
	ASSERT_EQ(-EINVAL, replace(self, PASID, self->second));
	ASSERT_EQ(0, attach(self, PASID, self->first));
	ASSERT_EQ(0, replace(self, PASID, self->first));
	ASSERT_EQ(0, replace(self, PASID, self->second));
	ASSERT_EQ(0, check(self, PASID, self->second));
	ASSERT_EQ(-ENOENT, replace(self, PASID, NO_ID));
	ASSERT_EQ(-EINVAL, replace(self, PASID, self->ioas));
	ASSERT_EQ(0, check(self, PASID, self->second));
}

TEST_F(mock_pasid, stays_where_it_is_if_moving_fails)
{
	ASSERT_EQ(0, attach(self, IOMMU_TEST_PASID_RESERVED, self->first));
	ASSERT_EQ(-ENOMEM, replace(self, IOMMU_TEST_PASID_RESERVED, self->second));
	ASSERT_EQ(0, check(self, IOMMU_TEST_PASID_RESERVED, self->first));
	ASSERT_EQ(0, detach(self, IOMMU_TEST_PASID_RESERVED));
	ASSERT_EQ(0, attach(self, IOMMU_TEST_PASID_RESERVED, self->second));
}

TEST_F(mock_pasid, keeps_its_page_table)
{
	ASSERT_EQ(0, attach(self, PASID, self->second));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->fd, self->second));
	ASSERT_EQ(0, replace(self, PASID, self->first));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second));
	ASSERT_EQ(0, detach(self, PASID));
	ASSERT_EQ(0, detach(self, 0));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first));
}

TEST_F(mock_pasid, needs_no_detach_if_it_is_not_attached)
{
	ASSERT_EQ(0, detach(self, PASID));
	ASSERT_EQ(-ENOENT, mock_pasid_detach(self->fd, NO_ID, PASID));
}

TEST_F(mock_pasid, goes_with_its_device)
{
	ASSERT_EQ(0, attach(self, PASID, self->second));
	ASSERT_EQ(0, attach(self, OTHER_PASID, self->second));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second));
}

TEST_F(mock_pasid, reserves_nothing)
{
	struct iommu_iova_range before, after;
	__u32 count = 1;

	ASSERT_EQ(0, detach(self, 0));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &before, &count, NULL));
	ASSERT_EQ(0, attach(self, PASID, self->first));
	count = 1;
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &after, &count, NULL));
	ASSERT_EQ(before.start, after.start);
	ASSERT_EQ(before.last, after.last);
}

TEST_F(mock_pasid, page_requests_go_to_the_queue_of_its_page_table)
{
	struct iommu_hwpt_pgfault record;
	__u32 queue, hwpt;
	int file;

	ASSERT_EQ(0, iommu_fault_queue_alloc(self->fd, &queue, &file));
	ASSERT_EQ(0, iommu_hwpt_alloc_fault(self->fd, self->device.idev, self->ioas,
					    IOMMU_HWPT_ALLOC_PASID, queue, &hwpt));
	ASSERT_EQ(0, attach(self, PASID, hwpt));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, self->device.idev, OTHER_PASID, 1, 0, 0));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, self->device.idev, PASID, 2, 0, 0));
	ASSERT_EQ((ssize_t)sizeof(record), read(file, &record, sizeof(record)));
	ASSERT_EQ(2, record.grpid);
	ASSERT_EQ(PASID, record.pasid);
	ASSERT_EQ(IOMMU_PGFAULT_FLAGS_PASID_VALID | IOMMU_PGFAULT_FLAGS_LAST_PAGE, record.flags);

	/* What it asked for goes when it is moved or detached */
	ASSERT_EQ(0, mock_ask_for_page(self->fd, self->device.idev, PASID, 3, 0, 0));
	ASSERT_EQ(0, replace(self, PASID, self->first));
	ASSERT_EQ(0, read(file, &record, sizeof(record)));
	ASSERT_EQ(0, replace(self, PASID, hwpt));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, self->device.idev, PASID, 4, 0, 0));
	ASSERT_EQ(0, detach(self, PASID));
	ASSERT_EQ(0, read(file, &record, sizeof(record)));
	close(file);
}

TEST_F(mock_pasid, may_go_through_a_nested_page_table)
{
	const struct iommu_hwpt_selftest data = { .iotlb = 1 };
	__u32 parent, nested;

	ASSERT_EQ(0, alloc(self, self->device.idev,
			   IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	ASSERT_EQ(0, iommu_hwpt_alloc_data(self->fd, self->device.idev, parent,
					   IOMMU_HWPT_ALLOC_PASID, IOMMU_HWPT_DATA_SELFTEST, &data,
					   sizeof(data), &nested));
	ASSERT_EQ(0, attach(self, PASID, nested));
	ASSERT_EQ(0, check(self, PASID, nested));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->fd, nested));
	ASSERT_EQ(0, replace(self, PASID, parent));
	ASSERT_EQ(0, iommu_destroy(self->fd, nested));
}

TEST_HARNESS_MAIN
