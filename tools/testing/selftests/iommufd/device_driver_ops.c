// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an IOMMU driver says of itself: through what a module registers for it, and,
 * where none has, through the functions of struct iommu_ops. Also which page tables
 * Intel VT-d's driver refuses.
 *
 * The modules are beside this file, in modules/; scripts/modules puts them where
 * modprobe would find them.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "edu_fixture.h"
#include "modules/iommu_companion.h"

#define COMPANION "iommu_companion"
#define TEST_MODULE "driver_ops_test"

static int open_module(const char *name)
{
	struct utsname kernel;
	char path[256];

	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/%s.ko", kernel.release, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Returns 0 or the -errno of the module. */
static int load(const char *name, const char *parameters)
{
	int file = open_module(name), rc = 0;

	if (file < 0)
		return -errno;
	if (syscall(SYS_finit_module, file, parameters, 0))
		rc = -errno;
	close(file);
	return rc;
}

/* Returns 0 or -errno; never waits for the module. */
static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

FIXTURE(driver_ops)
{
	int none;
};

FIXTURE_SETUP(driver_ops)
{
	int file = open_module(TEST_MODULE);

	if (file < 0)
		SKIP(return, "needs a kernel that loads our modules");
	close(file);
}

FIXTURE_TEARDOWN(driver_ops)
{
	unload(TEST_MODULE);
}

TEST_F(driver_ops, can_be_registered_again_after_they_were_unregistered)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, load(TEST_MODULE, ""));
		ASSERT_EQ(0, unload(TEST_MODULE));
	}
}

TEST_F(driver_ops, are_registered_once_for_an_iommu_or_it_is_EEXIST)
{
	EXPECT_EQ(-EEXIST, load(TEST_MODULE, "times=2"));
	/* Nothing is left of that */
	EXPECT_EQ(0, load(TEST_MODULE, ""));
}

TEST_F(driver_ops, of_a_driver_that_is_being_removed_are_ENODEV)
{
	EXPECT_EQ(-ENODEV, load(TEST_MODULE, "gone=1"));
	EXPECT_EQ(0, load(TEST_MODULE, ""));
}

FIXTURE(companion)
{
	int iommufd;
	struct edu edu;
	char parameters[64];
	struct iommu_hw_info_vtd vtd;
	struct iommu_hw_info info;
};

FIXTURE_SETUP(companion)
{
	int file = open_module(COMPANION);

	if (file < 0)
		SKIP(return, "needs a kernel that loads our modules");
	close(file);
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_get_hw_info(self->iommufd, self->edu.device.id, &self->vtd,
				       sizeof(self->vtd), &self->info));
	snprintf(self->parameters, sizeof(self->parameters), "device=%s",
		 topology.own[0].name);
	ASSERT_EQ(0, load(COMPANION, self->parameters));
}

FIXTURE_TEARDOWN(companion)
{
	unload(COMPANION);
	edu_close(&self->edu);
	close(self->iommufd);
}

static int get_type(FIXTURE_DATA(companion) *self, __u32 type, void *data, __u32 length)
{
	self->info = (struct iommu_hw_info){
		.size = sizeof(self->info),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = self->edu.device.id,
		.data_uptr = (uintptr_t)data,
		.data_len = length,
		.in_data_type = type,
	};
	return iommu_ioctl(self->iommufd, IOMMU_GET_HW_INFO, &self->info);
}

TEST_F(companion, adds_a_type_of_information_for_devices_that_are_bound_already)
{
	struct iommu_companion_info data = {};

	ASSERT_EQ(0, get_type(self, IOMMU_COMPANION_INFO_TYPE, &data, sizeof(data)));
	EXPECT_EQ(IOMMU_COMPANION_INFO_TYPE, self->info.out_data_type);
	EXPECT_EQ(sizeof(data), self->info.data_len);
	EXPECT_EQ(0, strncmp(data.unit, "dmar", 4));
}

TEST_F(companion, may_leave_what_the_driver_tells)
{
	struct iommu_hw_info_vtd vtd = {};

	ASSERT_EQ(0, get_type(self, IOMMU_HW_INFO_TYPE_DEFAULT, &vtd, sizeof(vtd)));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, self->info.out_data_type);
	EXPECT_EQ(0, memcmp(&self->vtd, &vtd, sizeof(vtd)));
	EXPECT_EQ(0, get_type(self, IOMMU_HW_INFO_TYPE_INTEL_VTD, &vtd, sizeof(vtd)));
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_TYPE_ARM_SMMUV3, NULL, 0));
}

TEST_F(companion, may_go_at_any_time_and_takes_its_type_along)
{
	EXPECT_EQ(0, unload(COMPANION));
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_COMPANION_INFO_TYPE, NULL, 0));
	EXPECT_EQ(0, get_type(self, IOMMU_HW_INFO_TYPE_INTEL_VTD, NULL, 0));
	EXPECT_EQ(0, load(COMPANION, self->parameters));
	EXPECT_EQ(0, get_type(self, IOMMU_COMPANION_INFO_TYPE, NULL, 0));
}

TEST_F(companion, keeps_iommufd)
{
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	EXPECT_EQ(0, get_type(self, IOMMU_COMPANION_INFO_TYPE, NULL, 0));
}

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

static int get_hw_type(FIXTURE_DATA(device_hw_info) *self, __u32 type, __u32 *out_type)
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

	EXPECT_EQ(0, get_hw_type(self, IOMMU_HW_INFO_TYPE_DEFAULT, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	EXPECT_EQ(0, get_hw_type(self, IOMMU_HW_INFO_TYPE_INTEL_VTD, &type));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, type);
	EXPECT_EQ(-EOPNOTSUPP, get_hw_type(self, IOMMU_HW_INFO_TYPE_ARM_SMMUV3, &type));
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
