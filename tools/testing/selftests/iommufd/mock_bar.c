// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a device are for other devices: kernel drivers that work with
 * the CPU reach them neither by pinning nor by reading and writing.
 */
#include "bar.h"
#include "mock.h"
#include "privilege.h"

FIXTURE(mock_bar)
{
	struct bar_pair pair;
	int access;
};

FIXTURE_SETUP(mock_bar)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
	ASSERT_EQ(0, mock_access_create(self->pair.iommufd, self->pair.ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &self->access));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
}

FIXTURE_TEARDOWN(mock_bar)
{
	close(self->access);
	bar_pair_close(&self->pair);
}

TEST_F(mock_bar, cannot_be_pinned)
{
	__u32 id;

	ASSERT_EQ(-EINVAL, mock_access_pin(self->pair.iommufd, self->access, BAR_IOVA, PAGE_BYTES,
					   0, (void *)self->pair.target.registers, &id));
}

TEST_F(mock_bar, cannot_be_read_or_written)
{
	uint32_t word = 0;

	ASSERT_EQ(-EINVAL, mock_access_read(self->pair.iommufd, self->access, BAR_IOVA, &word,
					    sizeof(word)));
	ASSERT_EQ(-EINVAL, mock_access_write(self->pair.iommufd, self->access,
					     BAR_IOVA + EDU_LIVENESS, &word, sizeof(word)));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
}

/* A limit is for memory: what a device has takes none from anybody. */
TEST_F(mock_bar, needs_no_memory_that_may_be_locked)
{
	__u64 length = self->pair.target.registers_size;
	int rc;

	ASSERT_EQ(0, iommu_ioas_unmap(self->pair.iommufd, self->pair.ioas, BAR_IOVA, length, NULL));
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, privilege_limit_memlock(0));
	ASSERT_EQ(0, privilege_drop(privilege_fresh_user()));
	rc = bar_pair_map(&self->pair);
	ASSERT_EQ(0, privilege_restore());
	ASSERT_EQ(0, rc);
	ASSERT_TRUE(bar_pair_reaches(&self->pair, UNTOUCHED));
}
