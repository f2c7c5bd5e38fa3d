// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a device as a target of another device's DMA, with every place
 * failing: mapped or not, in a page table or not, but never something between.
 */
#include "bar.h"
#include "fail_nth.h"
#include "kernel_under_test.h"

#define OTHER_IOVA 0x0340000000ULL
/* Nothing here may need more */
#define NTH_LIMIT 1000

FIXTURE(device_bar_fail_nth)
{
	struct bar_pair pair;
	int fail_nth;
};

FIXTURE_SETUP(device_bar_fail_nth)
{
	self->fail_nth = fail_nth_open();
	if (self->fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, self->fail_nth);
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
}

FIXTURE_TEARDOWN(device_bar_fail_nth)
{
	bar_pair_close(&self->pair);
	close(self->fail_nth);
}

static int copy(struct bar_pair *pair)
{
	return iommu_ioas_copy_fixed(pair->iommufd, pair->ioas, BAR_IOVA, PAGE_BYTES, pair->ioas,
				     IOMMU_MAP_RW, OTHER_IOVA);
}

/* How much of the range from an IOVA on was mapped until now */
static __u64 unmap(struct bar_pair *pair, __u64 iova, __u64 length)
{
	__u64 unmapped;

	return iommu_ioas_unmap(pair->iommufd, pair->ioas, iova, length, &unmapped) ? 0 : unmapped;
}

/*
 * Whether what a call did is what it said. EFAULT is said as well if all is done but
 * for the answer, which could not be written.
 */
static bool is_as_said(int rc, __u64 unmapped, __u64 length)
{
	return unmapped == (rc ? 0 : length) || (rc == -EFAULT && unmapped == length);
}

TEST_F(device_bar_fail_nth, is_mapped_or_not_at_all)
{
	struct bar_pair *pair = &self->pair;
	const __u64 size = pair->target.registers_size;
	unsigned int nth;
	bool failed = true;

	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		int rc;

		fail_nth_start(self->fail_nth, nth);
		rc = bar_pair_map(pair);
		failed = fail_nth_stop(self->fail_nth);
		ASSERT_TRUE(failed || !rc);
		ASSERT_TRUE(is_as_said(rc, unmap(pair, BAR_IOVA, size), size));
	}
	EXPECT_FALSE(failed);
}

TEST_F(device_bar_fail_nth, is_copied_or_not_at_all)
{
	struct bar_pair *pair = &self->pair;
	unsigned int nth;
	bool failed = true;

	ASSERT_EQ(0, bar_pair_map(pair));
	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		int rc;

		fail_nth_start(self->fail_nth, nth);
		rc = copy(pair);
		failed = fail_nth_stop(self->fail_nth);
		ASSERT_TRUE(failed || !rc);
		ASSERT_TRUE(is_as_said(rc, unmap(pair, OTHER_IOVA, PAGE_BYTES), PAGE_BYTES));
	}
	EXPECT_FALSE(failed);
}

/* Two page tables that are filled while the target does not decode. */
static int make_tables(struct bar_pair *pair, __u32 *tables)
{
	return vfio_device_set_decoding(&pair->target.device, false) ? :
	       iommu_hwpt_alloc(pair->iommufd, pair->writer.device.id, pair->ioas, 0,
				&tables[0]) ? :
	       iommu_hwpt_alloc(pair->iommufd, pair->writer.device.id, pair->ioas, 0,
				&tables[1]);
}

static int destroy_tables(struct bar_pair *pair, const __u32 *tables)
{
	return iommu_destroy(pair->iommufd, tables[0]) ? :
	       iommu_destroy(pair->iommufd, tables[1]);
}

/* Whether what the writer writes arrives if it is attached there */
static bool reaches_through(struct bar_pair *pair, __u32 table, uint32_t word)
{
	__u32 pt_id = table;
	bool reaches;

	if (vfio_device_attach(&pair->writer.device, &pt_id))
		return false;
	reaches = bar_pair_reaches(pair, word);
	return !vfio_device_detach(&pair->writer.device) && reaches;
}

/*
 * There is no memory for its entries in one of the page tables. Then it is in none of
 * them, until the device begins to decode the next time.
 */
TEST_F(device_bar_fail_nth, comes_back_in_all_page_tables_or_in_none_until_the_next_time)
{
	struct bar_pair *pair = &self->pair;
	struct vfio_device *target = &pair->target.device;
	unsigned int nth, missed = 0;
	bool failed = true;

	ASSERT_EQ(0, bar_pair_map(pair));
	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		__u32 tables[2];
		bool there;

		ASSERT_EQ(0, make_tables(pair, tables));
		fail_nth_start(self->fail_nth, nth);
		vfio_device_set_decoding(target, true);
		failed = fail_nth_stop(self->fail_nth);
		/* It may have failed before it came so far. */
		ASSERT_EQ(0, vfio_device_set_decoding(target, true));

		there = reaches_through(pair, tables[0], 2 * nth);
		missed += !there;
		EXPECT_TRUE(failed || there);
		EXPECT_EQ(there, reaches_through(pair, tables[1], 2 * nth + 1));

		ASSERT_EQ(0, vfio_device_set_decoding(target, false));
		ASSERT_EQ(0, vfio_device_set_decoding(target, true));
		EXPECT_TRUE(reaches_through(pair, tables[0], 0x5eaf00d5));
		EXPECT_TRUE(reaches_through(pair, tables[1], 0x5eaf00d6));
		ASSERT_EQ(0, destroy_tables(pair, tables));
	}
	EXPECT_FALSE(failed);
	EXPECT_LE(2, missed);
}
