// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of one IOMMU group: they are attached, moved and blocked together.
 */
#include "edu_fixture.h"

#define SIZE (4 * PAGE_BYTES)
#define IOVA 0x10000000ULL

FIXTURE(device_group)
{
	int iommufd;
	__u32 ioas[2];
	struct edu edu[2];
	struct memory memory[2];
};

FIXTURE_SETUP(device_group)
{
	int i;

	REQUIRE_SHARED_GROUP();
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, edu_open(&self->edu[i], topology.shared[i].name, self->iommufd));
		ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[i]));
		ASSERT_EQ(0, memory_allocate(&self->memory[i], MEMORY_ANONYMOUS, SIZE));
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[i],
						  self->memory[i].start, SIZE, IOMMU_MAP_RW,
						  IOVA));
	}
}

FIXTURE_TEARDOWN(device_group)
{
	int i;

	for (i = 0; i < 2; i++) {
		edu_close(&self->edu[i]);
		memory_free(&self->memory[i]);
	}
	close(self->iommufd);
}

static int attach(struct edu *edu, __u32 pt_id)
{
	int rc;

	rc = vfio_device_attach(&edu->device, &pt_id);
	return rc ? rc : (int)pt_id;
}

/* Whether the device reads and writes the memory at IOVA. */
static bool reaches(struct edu *edu, struct memory *memory)
{
	pattern_fill(memory->start, PAGE_BYTES, 1);
	memset(memory->start + PAGE_BYTES, 0, PAGE_BYTES);
	if (edu_fetch(edu, IOVA, EDU_DMA_MAX) || edu_store(edu, IOVA + PAGE_BYTES, EDU_DMA_MAX))
		return false;
	return pattern_match(memory->start + PAGE_BYTES, EDU_DMA_MAX, 1) == EDU_DMA_MAX;
}

TEST_F(device_group, devices_join_one_table)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
}

TEST_F(device_group, other_table_is_EINVAL)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], self->ioas[1]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_EQ((long)SIZE / 1024, memory_status("VmPin"));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas[1]));
	ASSERT_EQ(hwpt, attach(&self->edu[1], hwpt));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
}

TEST_F(device_group, table_that_was_allocated_is_another_one_too)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);
	__u32 other;

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(0, iommu_hwpt_alloc(self->iommufd, self->edu[0].device.id, self->ioas[0], 0,
				      &other));
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], other));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, other));
	ASSERT_EQ(hwpt, attach(&self->edu[1], hwpt));
}

TEST_F(device_group, table_and_ranges_stay_for_the_other_device)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, close_of_one_device_leaves_the_other_attached)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	edu_close(&self->edu[0]);
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, replace_moves_all_devices)
{
	int hwpt[2];

	hwpt[0] = attach(&self->edu[0], self->ioas[0]);
	ASSERT_EQ(hwpt[0], attach(&self->edu[1], self->ioas[0]));
	hwpt[1] = attach(&self->edu[0], self->ioas[1]);
	ASSERT_LT(0, hwpt[1]);
	ASSERT_NE(hwpt[0], hwpt[1]);

	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt[0]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[1]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[1]));
	ASSERT_EQ(hwpt[1], attach(&self->edu[1], self->ioas[1]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, replace_leaves_unattached_devices_unattached)
{
	int hwpt;

	ASSERT_LT(0, attach(&self->edu[0], self->ioas[0]));
	hwpt = attach(&self->edu[0], self->ioas[1]);
	ASSERT_LT(0, hwpt);
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[1]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
}

TEST_F(device_group, failed_replace_moves_no_device)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[1], self->memory[1].start,
					  PAGE_BYTES, IOMMU_MAP_RW, MSI_WINDOW_START));
	ASSERT_EQ(-EADDRINUSE, attach(&self->edu[1], self->ioas[1]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_EQ(hwpt, attach(&self->edu[0], hwpt));
}
