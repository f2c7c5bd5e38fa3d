// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of page requests: a device asks for several pages at a time, user space gets
 * them together and gives one answer.
 */
#include "fault_fixture.h"

static int ask(struct _test_data_mock_fault *self, __u32 grpid, __u32 perm, __u64 address)
{
	return mock_ask_for_page(self->fd, self->device.idev, 0, grpid, perm, address);
}

/* Has the device ask for a page and not wait for it. */
static int ask_for_more(struct _test_data_mock_fault *self, __u32 grpid, __u64 address)
{
	return ask(self, grpid, IOMMU_PGFAULT_PERM_READ | IOMMU_TEST_IOPF_MORE_TO_COME, address);
}

static int ask_for_last(struct _test_data_mock_fault *self, __u32 grpid, __u64 address)
{
	return ask(self, grpid, IOMMU_PGFAULT_PERM_READ, address);
}

/* Answers as a success or with an error number. */
static int answer(struct _test_data_mock_fault *self, __u32 cookie)
{
	struct iommu_hwpt_page_response response = {
		.cookie = cookie, .code = IOMMUFD_PAGE_RESP_SUCCESS,
	};

	return write(self->file, &response, sizeof(response)) < 0 ? -errno : 0;
}

/* How many records there are for a reader that has room for @room of them. */
static int take(struct _test_data_mock_fault *self, struct iommu_hwpt_pgfault *records,
		size_t room)
{
	ssize_t rc = read(self->file, records, room * RECORD);

	return rc < 0 ? -errno : rc / (ssize_t)RECORD;
}

TEST_F(mock_fault, is_nothing_to_read_until_it_is_whole)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, take(self, records, 4));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(3, take(self, records, 4));
}

TEST_F(mock_fault, has_its_requests_in_order_and_one_cookie)
{
	struct iommu_hwpt_pgfault records[3];
	int i;

	ASSERT_EQ(0, ask_for_more(self, 7, 5 * PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 3 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 4 * PAGE));
	ASSERT_EQ(3, take(self, records, 3));
	ASSERT_EQ(5 * PAGE, records[0].addr);
	ASSERT_EQ(3 * PAGE, records[1].addr);
	ASSERT_EQ(4 * PAGE, records[2].addr);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, records[i].cookie);
		ASSERT_EQ(7, records[i].grpid);
		ASSERT_EQ(self->device.idev, records[i].dev_id);
		ASSERT_EQ(IOMMU_PGFAULT_PERM_READ, records[i].perm);
		ASSERT_EQ(i == 2 ? IOMMU_PGFAULT_FLAGS_LAST_PAGE : 0, records[i].flags);
	}
}

TEST_F(mock_fault, is_answered_once)
{
	struct iommu_hwpt_pgfault records[2];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 2 * PAGE));
	ASSERT_EQ(2, take(self, records, 2));
	ASSERT_EQ(0, answer(self, records[0].cookie));
	ASSERT_EQ(-EINVAL, answer(self, records[1].cookie));
}

TEST_F(mock_fault, is_not_cut_for_a_reader_with_little_room)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(-EINVAL, take(self, records, 2));
	ASSERT_EQ(3, take(self, records, 3));
}

TEST_F(mock_fault, waits_for_the_next_read_if_it_does_not_fit_behind_another)
{
	struct iommu_hwpt_pgfault records[3];

	ASSERT_EQ(0, ask_for_last(self, 6, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 3 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 4 * PAGE));
	ASSERT_EQ(1, take(self, records, 3));
	ASSERT_EQ(6, records[0].grpid);
	ASSERT_EQ(3, take(self, records, 3));
	ASSERT_EQ(7, records[0].grpid);
}

TEST_F(mock_fault, does_not_mix_with_another)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 8, 2 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(2, take(self, records, 4));
	ASSERT_EQ(PAGE, records[0].addr);
	ASSERT_EQ(3 * PAGE, records[1].addr);
	ASSERT_EQ(0, ask_for_last(self, 8, 4 * PAGE));
	ASSERT_EQ(2, take(self, records, 4));
	ASSERT_EQ(2 * PAGE, records[0].addr);
	ASSERT_EQ(4 * PAGE, records[1].addr);
}

TEST_F(mock_fault, that_is_not_whole_goes_with_its_device)
{
	struct iommu_hwpt_pgfault records[2];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &self->device));
	ASSERT_EQ(0, ask_for_last(self, 7, 2 * PAGE));
	ASSERT_EQ(1, take(self, records, 2));
	ASSERT_EQ(2 * PAGE, records[0].addr);
}

TEST_HARNESS_MAIN
