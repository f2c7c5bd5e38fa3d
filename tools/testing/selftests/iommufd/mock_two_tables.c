// SPDX-License-Identifier: GPL-2.0-only
/*
 * One IOAS with page tables of two IOMMUs: the mock's and VT-d's.
 *
 * Each mapping is in both or in none; its pages are pinned once.
 */
#include "edu_fixture.h"
#include "attachment.h"
#include "mock.h"

#define IOVA MOCK_APERTURE_START
#define SIZE (2 * MEMORY_HUGE_PAGE_SIZE)

FIXTURE(mock_two_tables)
{
	struct attachment attachment;
	struct memory memory;
	struct mock mock;
	__u32 ioas;
	int fd;
};

FIXTURE_VARIANT(mock_two_tables)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_two_tables, anonymous) { .kind = MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_two_tables, thp) { .kind = MEMORY_THP };
FIXTURE_VARIANT_ADD(mock_two_tables, hugetlb) { .kind = MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(mock_two_tables, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(mock_two_tables, hugetlb_memfd) { .kind = MEMORY_HUGETLB_MEMFD };

FIXTURE_SETUP(mock_two_tables)
{
	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, SIZE));
}

FIXTURE_TEARDOWN(mock_two_tables)
{
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int map(struct _test_data_mock_two_tables *self)
{
	return attachment_map(&self->attachment, self->memory.start, SIZE, IOMMU_MAP_RW, IOVA);
}

static int attach_mock(struct _test_data_mock_two_tables *self)
{
	return mock_attach(self->fd, self->ioas, &self->mock);
}

static int attach_edu(struct _test_data_mock_two_tables *self)
{
	return attachment_attach(&self->attachment, self->ioas);
}

static int check(struct _test_data_mock_two_tables *self)
{
	return mock_check_map(self->fd, self->mock.hwpt, IOVA, SIZE, self->memory.start);
}

/* Both page tables are there and all is as it should be. */
static int check_both(struct _test_data_mock_two_tables *self)
{
	if (pages_pinned() != (long)(SIZE / PAGE_BYTES))
		return -EDOM;
	return check(self) ? : mock_check_refs(self->fd, self->memory.start, SIZE, 1);
}

static __u64 alignment(struct _test_data_mock_two_tables *self)
{
	__u64 bytes = 0;
	__u32 count = 0;

	iommu_ioas_iova_ranges(self->fd, self->ioas, NULL, &count, &bytes);
	return bytes;
}

TEST_F(mock_two_tables, neither_iommu_uses_the_page_table_of_the_other)
{
	__u32 pt_id = self->ioas;

	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, vfio_device_attach(&self->attachment.edu.device, &pt_id));
	EXPECT_NE(self->mock.hwpt, pt_id);
	EXPECT_EQ(-EINVAL, mock_replace(self->fd, self->mock.id, &pt_id));
	pt_id = self->mock.hwpt;
	EXPECT_EQ(-EINVAL, vfio_device_attach(&self->attachment.edu.device, &pt_id));
}

TEST_F(mock_two_tables, mapping_goes_into_both)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, SIZE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-EINVAL, check(self));
}

TEST_F(mock_two_tables, second_one_is_filled_from_what_is_pinned)
{
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, attach_edu(self));
	/* Nobody looks at the process again */
	ASSERT_EQ(0, attach_mock(self));
	EXPECT_EQ(0, check_both(self));
}

TEST_F(mock_two_tables, either_can_go_first)
{
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->mock.id));
	EXPECT_EQ((long)(SIZE / PAGE_BYTES), pages_pinned());
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_two_tables, alignment_is_that_of_the_larger_page)
{
	EXPECT_EQ(1, alignment(self));
	ASSERT_EQ(0, attach_mock(self));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
	ASSERT_EQ(0, attach_edu(self));
	EXPECT_EQ(PAGE_BYTES, alignment(self));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
}

TEST_F(mock_two_tables, mapping_of_a_half_page_keeps_the_larger_page_out)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, MOCK_PAGE_SIZE,
				    IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EADDRINUSE, attach_edu(self));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
	EXPECT_EQ(0, mock_check_map(self->fd, self->mock.hwpt, IOVA, MOCK_PAGE_SIZE,
				    self->memory.start));
}

TEST_F(mock_two_tables, ranges_are_what_both_can_address)
{
	struct iommu_iova_range range = {};
	__u32 count = 1;

	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &range, &count, NULL));
	EXPECT_EQ(1, count);
	EXPECT_EQ(MOCK_APERTURE_START, range.start);
	EXPECT_EQ(MOCK_APERTURE_LAST, range.last);
}

TEST_F(mock_two_tables, failed_map_is_in_neither)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, munmap(self->memory.start + SIZE / 2, SIZE / 2));
	EXPECT_EQ(-EFAULT, map(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, self->mock.hwpt, IOVA, PAGE_BYTES,
					  self->memory.start));
	/* Nothing is in the way of a map of the same IOVAs */
	EXPECT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE / 2,
				    IOMMU_MAP_RW, IOVA));
}

TEST_F(mock_two_tables, device_can_have_no_page_table_nested_in_one_of_another_iommu)
{
	const struct iommu_hwpt_vtd_s1 data = {};
	__u32 parent, child;

	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->mock.idev, self->ioas,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	EXPECT_EQ(-EINVAL, iommu_hwpt_alloc_data(self->fd, self->attachment.edu.device.id,
						 parent, 0, IOMMU_HWPT_DATA_VTD_S1, &data,
						 sizeof(data), &child));
	EXPECT_EQ(0, iommu_destroy(self->fd, parent));
}
