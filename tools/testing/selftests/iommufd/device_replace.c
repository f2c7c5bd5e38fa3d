// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving a device to another page table while it is attached, and page tables
 * that two devices in groups of their own share.
 */
#include "edu_fixture.h"

FIXTURE(device_replace)
{
	int iommufd;
	__u32 ioas[2];
	__u32 hwpt;
	struct edu edu;
	struct memory memory;
};

FIXTURE_SETUP(device_replace)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[0]));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[1]));
	self->hwpt = self->ioas[0];
	ASSERT_EQ(0, vfio_device_attach(&self->edu.device, &self->hwpt));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 16 * PAGE_BYTES));
}

FIXTURE_TEARDOWN(device_replace)
{
	edu_close(&self->edu);
	close(self->iommufd);
	memory_free(&self->memory);
}

static int replace(struct edu *edu, __u32 pt_id)
{
	int rc;

	rc = vfio_device_attach(&edu->device, &pt_id);
	return rc ? rc : (int)pt_id;
}

#define map_at(ioas, iova, length)							\
	iommu_ioas_map_fixed(self->iommufd, ioas, self->memory.start, length,		\
			     IOMMU_MAP_RW, iova)

/* The device is where the setup attached it, and the second IOAS is free. */
#define ASSERT_NOT_MOVED()								\
	do {										\
		ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));	\
		ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));		\
		ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->hwpt));		\
		ASSERT_EQ((int)self->hwpt, replace(&self->edu, self->ioas[0]));		\
	} while (0)

TEST_F(device_replace, moves_table_and_reserved_ranges)
{
	int hwpt = replace(&self->edu, self->ioas[1]);

	ASSERT_LT(0, hwpt);
	ASSERT_NE((int)self->hwpt, hwpt);
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, self->hwpt));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[1]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas[0]));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->ioas[1]));
}

TEST_F(device_replace, moves_the_pins)
{
	ASSERT_EQ(0, map_at(self->ioas[0], PAGE_BYTES, 3 * PAGE_BYTES));
	ASSERT_EQ(12, memory_status("VmPin"));
	ASSERT_EQ(0, map_at(self->ioas[1], PAGE_BYTES, 16 * PAGE_BYTES));
	ASSERT_EQ(12, memory_status("VmPin"));
	ASSERT_LT(0, replace(&self->edu, self->ioas[1]));
	ASSERT_EQ(64, memory_status("VmPin"));
	ASSERT_LT(0, replace(&self->edu, self->ioas[0]));
	ASSERT_EQ(12, memory_status("VmPin"));
}

TEST_F(device_replace, copied_memory_stays_pinned_once)
{
	ASSERT_EQ(0, map_at(self->ioas[0], PAGE_BYTES, 16 * PAGE_BYTES));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->iommufd, self->ioas[0], 2 * PAGE_BYTES,
					   4 * PAGE_BYTES, self->ioas[1], IOMMU_MAP_RW,
					   0x100000));
	ASSERT_EQ(64, memory_status("VmPin"));
	ASSERT_LT(0, replace(&self->edu, self->ioas[1]));
	ASSERT_EQ(16, memory_status("VmPin"));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas[0], NULL));
	ASSERT_EQ(16, memory_status("VmPin"));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas[1], NULL));
	ASSERT_EQ(0, memory_status("VmPin"));
}

TEST_F(device_replace, bad_id_keeps_the_attachment)
{
	ASSERT_EQ(-ENOENT, replace(&self->edu, 1000));
	ASSERT_NOT_MOVED();
	ASSERT_EQ(-ENOENT, replace(&self->edu, 0));
	ASSERT_NOT_MOVED();
	ASSERT_EQ(-EINVAL, replace(&self->edu, self->edu.device.id));
	ASSERT_NOT_MOVED();
}

TEST_F(device_replace, mapping_in_the_msi_window_keeps_the_attachment)
{
	ASSERT_EQ(0, map_at(self->ioas[1], MSI_WINDOW_START, PAGE_BYTES));
	ASSERT_EQ(-EADDRINUSE, replace(&self->edu, self->ioas[1]));
	ASSERT_NOT_MOVED();
	ASSERT_EQ(0, memory_status("VmPin"));
}

TEST_F(device_replace, allowed_range_in_the_msi_window_keeps_the_attachment)
{
	const struct iommu_iova_range window = { MSI_WINDOW_START, MSI_WINDOW_LAST };

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->iommufd, self->ioas[1], &window, 1));
	ASSERT_EQ(-EADDRINUSE, replace(&self->edu, self->ioas[1]));
	ASSERT_NOT_MOVED();
}

TEST_F(device_replace, mapping_above_the_aperture_keeps_the_attachment)
{
	__u64 last = last_iova(self->iommufd, self->ioas[0]);

	ASSERT_EQ(0, map_at(self->ioas[1], last + 1, PAGE_BYTES));
	ASSERT_EQ(-EADDRINUSE, replace(&self->edu, self->ioas[1]));
	ASSERT_NOT_MOVED();
}

TEST_F(device_replace, memory_that_is_not_there_keeps_the_attachment)
{
	ASSERT_EQ(0, map_at(self->ioas[0], PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(0, map_at(self->ioas[1], PAGE_BYTES, self->memory.size));
	ASSERT_EQ(0, munmap(self->memory.start + 8 * PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(-EFAULT, replace(&self->edu, self->ioas[1]));
	ASSERT_NOT_MOVED();
	ASSERT_EQ(4, memory_status("VmPin"));
}

TEST_F(device_replace, ids_are_not_used_up)
{
	int hwpt, i;

	for (i = 0; i < 20; i++) {
		hwpt = replace(&self->edu, self->ioas[(i + 1) % 2]);
		ASSERT_LE(4, hwpt);
		ASSERT_GE(5, hwpt);
	}
}

FIXTURE(device_pair)
{
	int iommufd;
	__u32 ioas[2];
	struct edu edu[2];
};

FIXTURE_SETUP(device_pair)
{
	int i;

	REQUIRE_OWN_GROUPS(2);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, edu_open(&self->edu[i], topology.own[i].name, self->iommufd));
		ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[i]));
	}
}

FIXTURE_TEARDOWN(device_pair)
{
	edu_close(&self->edu[0]);
	edu_close(&self->edu[1]);
	close(self->iommufd);
}

TEST_F(device_pair, second_device_uses_the_automatic_table)
{
	int hwpt = replace(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(hwpt, replace(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
}

TEST_F(device_pair, automatic_table_can_be_named)
{
	int hwpt = replace(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(hwpt, replace(&self->edu[1], hwpt));
	edu_close(&self->edu[0]);
	ASSERT_EQ(hwpt, replace(&self->edu[1], hwpt));
	edu_close(&self->edu[1]);
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
}

TEST_F(device_pair, devices_in_two_ioas_have_two_tables)
{
	int hwpt[2];

	hwpt[0] = replace(&self->edu[0], self->ioas[0]);
	hwpt[1] = replace(&self->edu[1], self->ioas[1]);
	ASSERT_LT(0, hwpt[0]);
	ASSERT_LT(0, hwpt[1]);
	ASSERT_NE(hwpt[0], hwpt[1]);
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[1]));
}

TEST_F(device_pair, replace_moves_one_device_only)
{
	int hwpt = replace(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, replace(&self->edu[1], self->ioas[0]));
	ASSERT_LT(0, replace(&self->edu[0], self->ioas[1]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[1]));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_EQ(hwpt, replace(&self->edu[0], hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));
}

TEST_F(device_pair, table_stays_while_one_device_swaps_to_it_and_back)
{
	int hwpt = replace(&self->edu[0], self->ioas[0]), i;

	ASSERT_LT(0, replace(&self->edu[1], self->ioas[1]));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(hwpt, replace(&self->edu[1], self->ioas[0]));
		ASSERT_LT(0, replace(&self->edu[1], self->ioas[1]));
	}
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
}
