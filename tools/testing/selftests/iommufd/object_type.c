// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids of the wrong type.
 *
 * Owns the rule that a command which takes an IOAS takes nothing else, and what
 * keeps objects from being destroyed while a device is attached.
 */
#include "edu_fixture.h"
#include "attachment.h"

#define IOVA 0x40000000UL

/* The id of a device, or of the page table it is attached to. */
FIXTURE(object_type)
{
	struct attachment attachment;
	__u32 ioas;
	__u32 wrong;
	int fd;
};

FIXTURE_VARIANT(object_type)
{
	bool page_table;
};

FIXTURE_VARIANT_ADD(object_type, device)
{
	.page_table = false,
};

FIXTURE_VARIANT_ADD(object_type, hwpt)
{
	.page_table = true,
};

FIXTURE_SETUP(object_type)
{
	__u32 pt_id;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	pt_id = self->ioas;
	ASSERT_EQ(0, vfio_device_attach(&self->attachment.edu.device, &pt_id));
	self->wrong = variant->page_table ? pt_id : self->attachment.edu.device.id;
	ASSERT_NE(self->wrong, self->ioas);
}

FIXTURE_TEARDOWN(object_type)
{
	attachment_close(&self->attachment);
}

TEST_F(object_type, destroy_is_EBUSY_while_attached)
{
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->wrong));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
}

TEST_F(object_type, iova_ranges_is_ENOENT)
{
	__u32 count = 0;

	EXPECT_EQ(-ENOENT, iommu_ioas_iova_ranges(self->fd, self->wrong, NULL, &count, NULL));
}

TEST_F(object_type, allow_iovas_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_allow_iovas(self->fd, self->wrong, NULL, 0));
}

TEST_F(object_type, map_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_map_fixed(self->fd, self->wrong, (void *)0x10000,
						PAGE_BYTES, IOMMU_MAP_RW, IOVA));
}

TEST_F(object_type, unmap_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap_all(self->fd, self->wrong, NULL));
}

TEST_F(object_type, copy_is_ENOENT_for_source_and_target)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, other, (void *)0x10000, PAGE_BYTES,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-ENOENT, iommu_ioas_copy_fixed(self->fd, self->wrong, IOVA, PAGE_BYTES, other,
						 IOMMU_MAP_RW, IOVA + PAGE_BYTES));
	EXPECT_EQ(-ENOENT, iommu_ioas_copy_fixed(self->fd, other, IOVA, PAGE_BYTES, self->wrong,
						 IOMMU_MAP_RW, IOVA));
}

TEST_F(object_type, huge_page_option_is_ENOENT)
{
	__u64 value;

	EXPECT_EQ(-ENOENT, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->wrong,
					    &value));
	EXPECT_EQ(-ENOENT, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->wrong, 1));
}

TEST_F(object_type, compatibility_ioas_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, self->wrong));
}
