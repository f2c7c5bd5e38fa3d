// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_VFIO_IOAS.
 *
 * Owns the rules of the setting. What the compatible requests do with it is no
 * matter here.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

FIXTURE(ioas_compat)
{
	int fd;
	__u32 ioas;
	__u32 id;
};

FIXTURE_SETUP(ioas_compat)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
}

FIXTURE_TEARDOWN(ioas_compat)
{
	close(self->fd);
}

static int get(struct _test_data_ioas_compat *self)
{
	self->id = 0;
	return iommu_vfio_ioas_get(self->fd, &self->id);
}

TEST_F(ioas_compat, reserved_member_is_EOPNOTSUPP)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_CLEAR, .__reserved = 1,
	};

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
}

TEST_F(ioas_compat, unknown_operation_is_EOPNOTSUPP)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .ioas_id = self->ioas, .op = 3 };

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
	cmd.op = UINT16_MAX;
	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
}

TEST_F(ioas_compat, get_is_ENODEV_while_there_is_none)
{
	EXPECT_EQ(-ENODEV, get(self));
}

TEST_F(ioas_compat, get_returns_what_was_set)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, get(self));
	EXPECT_EQ(self->ioas, self->id);
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, other));
	ASSERT_EQ(0, get(self));
	EXPECT_EQ(other, self->id);
}

TEST_F(ioas_compat, set_to_an_unknown_id_is_ENOENT_and_changes_nothing)
{
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, 0));
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, self->ioas + 1));
	ASSERT_EQ(0, get(self));
	EXPECT_EQ(self->ioas, self->id);
}

TEST_F(ioas_compat, clear_always_succeeds)
{
	EXPECT_EQ(0, iommu_vfio_ioas_clear(self->fd));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	EXPECT_EQ(0, iommu_vfio_ioas_clear(self->fd));
	EXPECT_EQ(-ENODEV, get(self));
}

TEST_F(ioas_compat, destroy_of_the_ioas_clears)
{
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->ioas));
	EXPECT_EQ(-ENODEV, get(self));
	/* The id may come back, the setting does not. */
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	EXPECT_EQ(-ENODEV, get(self));
}

TEST_F(ioas_compat, destroy_of_another_ioas_does_not)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, other));
	EXPECT_EQ(0, get(self));
}

TEST_F(ioas_compat, set_and_clear_write_nothing)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd), .ioas_id = self->ioas, .op = IOMMU_VFIO_IOAS_SET,
	};
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, where));
	guard_page_free(edge);
}

TEST_HARNESS_MAIN
