// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOMMU driver that does not unmap: devices may still reach the memory, so it is never
 * given to anybody else.
 *
 * The memory that these tests lose is lost until the machine is started again.
 */
#include <kselftest_harness.h>

#include "fail_nth.h"
#include "kernel_counters.h"
#include "mock_space.h"

#define IOVA MOCK_APERTURE_START
#define PAGES 4L
#define SIZE (PAGES * PAGE)
/* Without anything in between that a page table entry could span */
#define SECOND (IOVA + HUGE_PAGE)

FIXTURE(mock_lost)
{
	struct mock_space space;
	struct memory lost;
	struct memory other;
	int log;
};

/* So many calls of the driver are going to unmap nothing. Returns 0 or -errno. */
static int fail_unmaps(const char *count)
{
	return fail_nth_write_file(".", "iommufd_fail_unmap", count);
}

FIXTURE_SETUP(mock_lost)
{
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
	ASSERT_LE(0, lseek(self->log, 0, SEEK_END));
	ASSERT_EQ(0, memory_allocate(&self->lost, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, memory_allocate(&self->other, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	ASSERT_EQ(0, mock_space_map(&self->space, self->lost.start, SIZE, IOVA));
	ASSERT_EQ(0, mock_space_map(&self->space, self->other.start, SIZE, SECOND));
}

FIXTURE_TEARDOWN(mock_lost)
{
	fail_unmaps("0");
	mock_space_close(&self->space);
	memory_free(&self->lost);
	memory_free(&self->other);
	close(self->log);
}

/* Does the kernel log say so since the test began? */
static bool log_has(struct _test_data_mock_lost *self, const char *text)
{
	char line[1024];
	ssize_t length;

	while ((length = read(self->log, line, sizeof(line) - 1)) > 0) {
		line[length] = 0;
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* Other memory of the same page table is unpinned as always. */
static bool only_lost_stays(struct _test_data_mock_lost *self)
{
	return !mock_check_refs(self->space.fd, self->lost.start, SIZE, 1) &&
	       !mock_check_refs(self->space.fd, self->other.start, SIZE, 0) &&
	       pages_pinned() == PAGES;
}

TEST_F(mock_lost, what_an_unmap_leaves_mapped_stays_pinned_and_the_log_says_so)
{
	ASSERT_EQ(0, fail_unmaps("1"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, SIZE));
	EXPECT_TRUE(log_has(self, "did not unmap, 4 pages stay pinned"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, SIZE));
	EXPECT_TRUE(only_lost_stays(self));
	/* And when there is nothing left of it all */
	mock_space_close(&self->space);
	EXPECT_EQ(-1, self->space.fd);
	self->space.fd = iommu_open();
	EXPECT_TRUE(only_lost_stays(self));
}

TEST_F(mock_lost, what_an_unmap_leaves_mapped_stays_pinned_for_other_areas_too)
{
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->space.fd, self->space.ioas, IOVA, SIZE,
					   self->space.ioas, IOMMU_MAP_RW, SECOND + SIZE));
	ASSERT_EQ(0, fail_unmaps("1"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND + SIZE, SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, SIZE));
	EXPECT_TRUE(only_lost_stays(self));
}

TEST_F(mock_lost, nothing_is_lost_by_a_driver_that_unmaps)
{
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, SIZE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_FALSE(log_has(self, "did not unmap"));
}

TEST_HARNESS_MAIN
