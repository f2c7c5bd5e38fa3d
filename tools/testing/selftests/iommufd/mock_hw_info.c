// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_GET_HW_INFO, of an IOMMU driver that has registered what it can say.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"

#define NO_ID 0x7fffffff
#define TYPE IOMMU_HW_INFO_TYPE_SELFTEST
#define INFO_SIZE sizeof(struct iommu_test_hw_info)

FIXTURE(mock_hw_info)
{
	int fd;
	__u32 ioas;
	struct mock device;
	struct iommu_hw_info info;
};

FIXTURE_SETUP(mock_hw_info)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->device));
}

FIXTURE_TEARDOWN(mock_hw_info)
{
	close(self->fd);
}

static int get(struct _test_data_mock_hw_info *self, void *data, __u32 length)
{
	return iommu_get_hw_info(self->fd, self->device.idev, data, length, &self->info);
}

/* The command for a certain type of information, or any with flags of 0. */
static int get_type(struct _test_data_mock_hw_info *self, __u32 flags, __u32 type)
{
	self->info = (struct iommu_hw_info){
		.size = sizeof(self->info),
		.flags = flags,
		.dev_id = self->device.idev,
		.in_data_type = type,
	};
	return iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &self->info);
}

TEST_F(mock_hw_info, tells_the_information_of_the_driver)
{
	struct iommu_test_hw_info data = { .flags = ~0U };

	ASSERT_EQ(0, get(self, &data, sizeof(data)));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	EXPECT_EQ(INFO_SIZE, self->info.data_len);
	EXPECT_EQ(0, data.flags);
	EXPECT_EQ(IOMMU_HW_INFO_SELFTEST_REGVAL, data.test_reg);
}

TEST_F(mock_hw_info, shorter_buffer_gets_the_beginning_and_no_byte_more)
{
	const struct iommu_test_hw_info expected = {
		.test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL,
	};
	__u32 length;

	for (length = 1; length < INFO_SIZE; length++) {
		unsigned char data[INFO_SIZE + 1];

		memset(data, 0xff, sizeof(data));
		ASSERT_EQ(0, get(self, data, length));
		EXPECT_EQ(0, memcmp(data, &expected, length));
		EXPECT_EQ(0xff, data[length]);
		/* How long it is can be told all the same */
		EXPECT_EQ(INFO_SIZE, self->info.data_len);
	}
}

TEST_F(mock_hw_info, longer_buffer_is_zeroed_beyond_the_information)
{
	unsigned char data[256];
	__u32 length, i;

	for (length = INFO_SIZE; length < sizeof(data); length += 31) {
		memset(data, 0xff, sizeof(data));
		ASSERT_EQ(0, get(self, data, length));
		EXPECT_EQ(INFO_SIZE, self->info.data_len);
		for (i = INFO_SIZE; i < length; i++)
			EXPECT_EQ(0, data[i]);
		EXPECT_EQ(0xff, data[length]);
	}
}

TEST_F(mock_hw_info, without_a_buffer_the_pointer_is_not_used)
{
	ASSERT_EQ(0, get(self, GUARD_PAGE_BAD_POINTER, 0));
	EXPECT_EQ(INFO_SIZE, self->info.data_len);
	EXPECT_EQ(TYPE, self->info.out_data_type);
}

TEST_F(mock_hw_info, buffer_that_cannot_be_written_is_EFAULT)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_READ);

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(-EFAULT, get(self, GUARD_PAGE_BAD_POINTER, INFO_SIZE));
	EXPECT_EQ(-EFAULT, get(self, edge - INFO_SIZE + 1, INFO_SIZE));
	/* Nor where the zeros go */
	EXPECT_EQ(-EFAULT, get(self, edge - INFO_SIZE, INFO_SIZE + 1));
	EXPECT_EQ(0, get(self, edge - INFO_SIZE, INFO_SIZE));
	guard_page_free(edge);
}

TEST_F(mock_hw_info, types_that_the_driver_knows_can_be_asked_for)
{
	ASSERT_EQ(0, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, IOMMU_HW_INFO_TYPE_DEFAULT));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	ASSERT_EQ(0, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, TYPE));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE,
					IOMMU_HW_INFO_TYPE_INTEL_VTD));
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, TYPE + 1));
}

TEST_F(mock_hw_info, type_is_not_looked_at_without_the_flag)
{
	ASSERT_EQ(0, get_type(self, 0, IOMMU_HW_INFO_TYPE_INTEL_VTD));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	ASSERT_EQ(0, get_type(self, 0, ~0U));
}

TEST_F(mock_hw_info, unknown_flags_and_reserved_bytes_are_EOPNOTSUPP)
{
	unsigned int i;

	for (i = 1; i < 32; i++)
		EXPECT_EQ(-EOPNOTSUPP, get_type(self, 1U << i, 0));
	for (i = 0; i < ARRAY_SIZE(self->info.__reserved); i++) {
		struct iommu_hw_info info = { .size = sizeof(info), .dev_id = NO_ID };

		info.__reserved[i] = 1;
		EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	}
}

TEST_F(mock_hw_info, outputs_are_not_looked_at)
{
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = self->device.idev,
		.out_max_pasid_log2 = 0xff,
		.out_capabilities = ~0ULL,
	};

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	EXPECT_EQ(0, info.out_max_pasid_log2);
}

TEST_F(mock_hw_info, dev_id_of_anything_but_a_device_is_ENOENT)
{
	const __u32 ids[] = { 0, NO_ID, self->ioas, self->device.id, self->device.hwpt };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(-ENOENT, iommu_get_hw_info(self->fd, ids[i], NULL, 0, &self->info));
}

TEST_F(mock_hw_info, number_of_pasids_is_that_of_the_device)
{
	struct mock with_pasids;

	ASSERT_EQ(0, get(self, NULL, 0));
	EXPECT_EQ(0, self->info.out_max_pasid_log2);
	ASSERT_EQ(0, mock_attach_flags(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID,
				       &with_pasids));
	ASSERT_EQ(0, iommu_get_hw_info(self->fd, with_pasids.idev, NULL, 0, &self->info));
	EXPECT_EQ(MOCK_PASID_WIDTH, self->info.out_max_pasid_log2);
}

TEST_F(mock_hw_info, device_that_is_not_on_pci_has_no_ats_and_no_pasid_permissions)
{
	const __u64 pci = IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED | IOMMU_HW_CAP_PCI_PASID_EXEC |
			  IOMMU_HW_CAP_PCI_PASID_PRIV;

	ASSERT_EQ(0, get(self, NULL, 0));
	EXPECT_EQ(IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED, self->info.out_capabilities & pci);
}

TEST_F(mock_hw_info, short_structure_does_not_get_the_capabilities)
{
	struct iommu_hw_info info = {
		.size = offsetof(struct iommu_hw_info, out_capabilities),
		.dev_id = self->device.idev,
		.out_capabilities = 0x1234,
	};

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	EXPECT_EQ(TYPE, info.out_data_type);
	EXPECT_EQ(0x1234, info.out_capabilities);
}

TEST_F(mock_hw_info, failure_leaves_the_structure_alone)
{
	struct iommu_hw_info before;

	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, 77));
	before = self->info;
	EXPECT_EQ(77, before.in_data_type);
	EXPECT_EQ(0, before.data_len);
}

TEST_HARNESS_MAIN
