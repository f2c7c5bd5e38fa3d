// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests of devices that leave: whatever a device asks for until its page
 * requests are off is answered then, wherever it has gone. A request that is kept would
 * be one of a device, or of an attachment, that is not there any more.
 */
#include <poll.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "mock_space.h"

#define PASID 100
#define RECORD sizeof(struct iommu_hwpt_pgfault)

/* A queue, and a page table whose page requests go there. */
struct table {
	__u32 queue;
	int file;
	__u32 hwpt;
};

FIXTURE(fault_leave)
{
	int fd;
	__u32 ioas;
	struct table table;
	struct table other;
	/* A second page table of @table's queue, and one without any */
	__u32 same;
	__u32 none;
	/* Two of a group, attached to @none */
	struct mock first;
	struct mock second;
};

static int hwpt_new(struct _test_data_fault_leave *self, __u32 idev, __u32 queue, __u32 *hwpt)
{
	return iommu_hwpt_alloc_fault(self->fd, idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, queue,
				      hwpt);
}

static int table_new(struct _test_data_fault_leave *self, __u32 idev, struct table *table)
{
	return iommu_fault_queue_alloc(self->fd, &table->queue, &table->file) ?:
	       hwpt_new(self, idev, table->queue, &table->hwpt);
}

FIXTURE_SETUP(fault_leave)
{
	struct mock maker;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &maker));
	ASSERT_EQ(0, table_new(self, maker.idev, &self->table));
	ASSERT_EQ(0, table_new(self, maker.idev, &self->other));
	ASSERT_EQ(0, hwpt_new(self, maker.idev, self->table.queue, &self->same));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, maker.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID,
				      &self->none));
	ASSERT_EQ(0, iommu_destroy(self->fd, maker.id));
	ASSERT_EQ(0, mock_attach_flags(self->fd, self->none, MOCK_FLAGS_DEVICE_PASID,
				       &self->first));
	ASSERT_EQ(0, mock_join(self->fd, self->none, self->first.id, MOCK_FLAGS_DEVICE_PASID,
			       &self->second));
}

FIXTURE_TEARDOWN(fault_leave)
{
	close(self->fd);
	close(self->table.file);
	close(self->other.file);
}

static int attach(struct _test_data_fault_leave *self, const struct mock *mock, __u32 pasid,
		  __u32 pt_id)
{
	return mock_pasid_attach(self->fd, mock->id, pasid, &pt_id);
}

static int detach(struct _test_data_fault_leave *self, const struct mock *mock, __u32 pasid)
{
	return mock_pasid_detach(self->fd, mock->id, pasid);
}

static int move(struct _test_data_fault_leave *self, const struct mock *mock, __u32 pasid,
		__u32 pt_id)
{
	return mock_pasid_replace(self->fd, mock->id, pasid, &pt_id);
}

/* The group by its number. */
static int ask(struct _test_data_fault_leave *self, const struct mock *mock, __u32 pasid,
	       __u32 grpid)
{
	return mock_ask_for_page(self->fd, mock->idev, pasid, grpid, 0, 0);
}

static bool readable(const struct table *table)
{
	struct pollfd poller = { .fd = table->file, .events = POLLIN };

	return poll(&poller, 1, 0) == 1;
}

/* The number of the next group, or -1 there is none. */
static int take(const struct table *table, __u32 *cookie)
{
	struct iommu_hwpt_pgfault record;

	if (read(table->file, &record, RECORD) != RECORD)
		return -1;
	*cookie = record.cookie;
	return record.grpid;
}

static int answer(const struct table *table, __u32 cookie)
{
	struct iommu_hwpt_page_response response = { .cookie = cookie };
	ssize_t rc = write(table->file, &response, sizeof(response));

	return rc < 0 ? -errno : 0;
}

TEST_F(fault_leave, siblings_share_an_attachment)
{
	__u32 pt_id = self->table.hwpt;

	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	ASSERT_EQ(0, ask(self, &self->second, 0, 1));
	ASSERT_TRUE(readable(&self->table));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->first.id));
	ASSERT_TRUE(readable(&self->table));
	ASSERT_EQ(-ENOENT, mock_join(self->fd, self->none, self->first.id, 0, &self->first));
}

TEST_F(fault_leave, asking_while_page_requests_go_off_is_answered)
{
	__u32 pt_id = self->table.hwpt;

	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->second.id, MOCK_ASK_WHEN_DISABLED, false, 0,
				    1));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	ASSERT_FALSE(readable(&self->table));
}

TEST_F(fault_leave, asking_with_a_pasid_while_page_requests_go_off_is_answered)
{
	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, attach(self, &self->second, PASID, self->table.hwpt));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->second.id, MOCK_ASK_WHEN_DISABLED, false, PASID,
				    1));
	ASSERT_EQ(0, detach(self, &self->second, PASID));
	ASSERT_FALSE(readable(&self->table));
}

TEST_F(fault_leave, what_was_asked_with_a_pasid_of_a_sibling_is_answered)
{
	__u32 pt_id = self->other.hwpt, cookie;

	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	ASSERT_EQ(0, ask(self, &self->second, PASID, 1));
	ASSERT_EQ(0, ask(self, &self->first, PASID, 2));
	ASSERT_EQ(0, ask(self, &self->second, PASID, 3));
	ASSERT_EQ(1, take(&self->table, &cookie));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	ASSERT_EQ(-EINVAL, answer(&self->table, cookie));
	/* And what the sibling has asked for is not */
	ASSERT_EQ(2, take(&self->table, &cookie));
	ASSERT_EQ(0, answer(&self->table, cookie));
	ASSERT_FALSE(readable(&self->table));
}

TEST_F(fault_leave, what_was_asked_without_a_pasid_is_answered_if_that_is_still_attached)
{
	__u32 pt_id = self->table.hwpt;

	ASSERT_EQ(0, mock_replace(self->fd, self->first.id, &pt_id));
	ASSERT_EQ(0, attach(self, &self->second, PASID, self->other.hwpt));
	ASSERT_EQ(0, detach(self, &self->second, 0));
	ASSERT_EQ(0, ask(self, &self->second, 0, 1));
	ASSERT_TRUE(readable(&self->table));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	ASSERT_FALSE(readable(&self->table));
}

TEST_F(fault_leave, asking_while_an_attach_fails_is_answered)
{
	ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
	ASSERT_EQ(0, detach(self, &self->first, 0));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_ATTACHED, true, 0, 1));
	ASSERT_EQ(-ENOMEM, attach(self, &self->first, 0, self->table.hwpt));
	ASSERT_FALSE(readable(&self->table));
	ASSERT_EQ(0, attach(self, &self->first, 0, self->table.hwpt));
}

TEST_F(fault_leave, asking_while_an_attach_of_a_pasid_fails_is_answered)
{
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_ATTACHED, true, PASID,
				    1));
	ASSERT_EQ(-ENOMEM, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_FALSE(readable(&self->table));
	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
}

TEST_F(fault_leave, asking_while_a_pasid_is_attached_again_in_vain_is_answered)
{
	ASSERT_EQ(0, attach(self, &self->first, PASID, self->none));
	/* A driver can't help if only one of them takes page requests */
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_ATTACHED, true, PASID,
				    1));
	ASSERT_EQ(-ENOMEM, move(self, &self->first, PASID, self->table.hwpt));
	ASSERT_FALSE(readable(&self->table));
	ASSERT_EQ(0, mock_pasid_check(self->fd, self->first.id, PASID, self->none));
	ASSERT_EQ(0, move(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, mock_pasid_check(self->fd, self->first.id, PASID, self->table.hwpt));
}

TEST_F(fault_leave, asking_while_a_pasid_moves_is_for_its_new_page_table)
{
	__u32 cookie;

	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, ask(self, &self->first, PASID, 1));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_MOVED, false, PASID,
				    2));
	ASSERT_EQ(0, move(self, &self->first, PASID, self->other.hwpt));
	ASSERT_FALSE(readable(&self->table));
	ASSERT_EQ(2, take(&self->other, &cookie));
	ASSERT_EQ(0, answer(&self->other, cookie));
}

TEST_F(fault_leave, asking_while_a_pasid_can_not_move_is_answered)
{
	__u32 cookie;

	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, ask(self, &self->first, PASID, 1));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_MOVED, true, PASID, 2));
	ASSERT_EQ(-ENOMEM, move(self, &self->first, PASID, self->other.hwpt));
	ASSERT_FALSE(readable(&self->other));
	/* What was there before still waits for user space */
	ASSERT_EQ(1, take(&self->table, &cookie));
	ASSERT_EQ(0, answer(&self->table, cookie));
	ASSERT_EQ(0, ask(self, &self->first, PASID, 3));
	ASSERT_EQ(3, take(&self->table, &cookie));
}

TEST_F(fault_leave, nothing_is_lost_when_a_pasid_can_not_move_within_a_queue)
{
	__u32 cookie;

	ASSERT_EQ(0, attach(self, &self->first, PASID, self->table.hwpt));
	ASSERT_EQ(0, ask(self, &self->first, PASID, 1));
	ASSERT_EQ(0, mock_ask_later(self->fd, self->first.id, MOCK_ASK_WHEN_MOVED, true, PASID, 2));
	ASSERT_EQ(-ENOMEM, move(self, &self->first, PASID, self->same));
	ASSERT_EQ(1, take(&self->table, &cookie));
	ASSERT_EQ(2, take(&self->table, &cookie));
	ASSERT_EQ(0, answer(&self->table, cookie));
	ASSERT_EQ(0, detach(self, &self->first, PASID));
	ASSERT_EQ(-EINVAL, answer(&self->table, 1));
}

TEST_HARNESS_MAIN
