// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Intel VT-d's driver says of itself, and which page tables it refuses.
 *
 * It has registered nothing: iommufd asks the functions of struct iommu_ops.
 */
#include "edu_fixture.h"

#define ECAP_NEST 0x4000000ULL
#define ECAP_SLADS 0x200000000000ULL

FIXTURE(device_hw_info)
{
	int iommufd;
	__u32 ioas;
	__u32 hwpt;
	struct edu edu;
	__u64 cap;
	__u64 ecap;
};

/* Reads a register of the device's VT-d unit from sysfs. */
static int read_register(const char *device, const char *name, __u64 *value)
{
	char path[128];
	FILE *file;
	int count;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu/intel-iommu/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	count = fscanf(file, "%llx", value);
	fclose(file);
	return count == 1 ? 0 : -EIO;
}

FIXTURE_SETUP(device_hw_info)
{
	REQUIRE_OWN_GROUPS(1);
	if (read_register(topology.own[0].name, "cap", &self->cap) ||
	    read_register(topology.own[0].name, "ecap", &self->ecap))
		SKIP(return, "needs a device behind VT-d");
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
}

FIXTURE_TEARDOWN(device_hw_info)
{
	edu_close(&self->edu);
	close(self->iommufd);
}

static int get_type(FIXTURE_DATA(device_hw_info) *self, __u32 type, __u32 *out_type)
{
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = self->edu.device.id,
		.in_data_type = type,
	};
	int rc = iommu_ioctl(self->iommufd, IOMMU_GET_HW_INFO, &info);

	*out_type = info.out_data_type;
	return rc;
}

TEST_F(device_hw_info, registers_are_those_of_the_unit)
{
	struct iommu_hw_info_vtd vtd = {};
	struct iommu_hw_info info;

	ASSERT_EQ(0, iommu_get_hw_info(self->iommufd, self->edu.device.id, &vtd, sizeof(vtd),
				       &info));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, info.out_data_type);
	EXPECT_EQ(sizeof(vtd), info.data_len);
	EXPECT_EQ(self->cap, vtd.cap_reg);
	EXPECT_EQ(self->ecap, vtd.ecap_reg);
}

TEST_F(device_hw_info, its_one_type_can_be_asked_for)
{
	__u32 type;

	EXPECT_EQ(0, get_type(self, IOMMU_HW_INFO_TYPE_DEFAULT, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	EXPECT_EQ(0, get_type(self, IOMMU_HW_INFO_TYPE_INTEL_VTD, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_TYPE_ARM_SMMUV3, &type));
}

/* This device has neither ATS nor PASIDs. */
TEST_F(device_hw_info, capabilities_are_those_of_device_and_unit)
{
	__u64 expected = IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	struct iommu_hw_info info;

	if (self->ecap & ECAP_SLADS)
		expected |= IOMMU_HW_CAP_DIRTY_TRACKING;
	ASSERT_EQ(0, iommu_get_hw_info(self->iommufd, self->edu.device.id, NULL, 0, &info));
	EXPECT_EQ(expected, info.out_capabilities);
	EXPECT_EQ(0, info.out_max_pasid_log2);
}

TEST_F(device_hw_info, data_for_a_page_table_on_an_ioas_is_EOPNOTSUPP)
{
	const struct iommu_hwpt_vtd_s1 data = {};

	EXPECT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc_data(self->iommufd, self->edu.device.id,
						     self->ioas, 0, IOMMU_HWPT_DATA_VTD_S1,
						     &data, sizeof(data), &self->hwpt));
}

TEST_F(device_hw_info, flags_that_the_unit_cannot_do_are_EOPNOTSUPP)
{
	const struct { __u32 flag; __u64 ecap; } flags[] = {
		{ IOMMU_HWPT_ALLOC_NEST_PARENT, ECAP_NEST },
		{ IOMMU_HWPT_ALLOC_DIRTY_TRACKING, ECAP_SLADS },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		int rc = iommu_hwpt_alloc(self->iommufd, self->edu.device.id, self->ioas,
					  flags[i].flag, &self->hwpt);

		EXPECT_EQ(self->ecap & flags[i].ecap ? 0 : -EOPNOTSUPP, rc);
	}
}

TEST_F(device_hw_info, page_table_on_one_that_is_no_parent_is_EINVAL)
{
	const struct iommu_hwpt_vtd_s1 data = {};
	__u32 nested;

	ASSERT_EQ(0, iommu_hwpt_alloc(self->iommufd, self->edu.device.id, self->ioas, 0,
				      &self->hwpt));
	EXPECT_EQ(-EINVAL, iommu_hwpt_alloc_data(self->iommufd, self->edu.device.id, self->hwpt,
						 0, IOMMU_HWPT_DATA_VTD_S1, &data, sizeof(data),
						 &nested));
}
