// SPDX-License-Identifier: GPL-2.0-only
/*
 * No-iommu mode: a group of a device that no IOMMU translates, in the kernel's own
 * container and in /dev/iommu. Needs a machine without an IOMMU, and taints the
 * kernel.
 */
#include <fcntl.h>

#include <kselftest_harness.h>

#include "edu.h"
#include "iommu.h"
#include "privilege.h"
#include "vfio_container.h"

#define PARAMETER "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

static int set_mode(const char *value)
{
	int file = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	int rc = file < 0 || write(file, value, 1) != 1 ? -errno : 0;

	if (file >= 0)
		close(file);
	return rc;
}

FIXTURE(container_noiommu)
{
	struct pci_address address;
	struct vfio_pci_binding binding;
	int container;
	int group;
	bool iommufd;
};

FIXTURE_VARIANT(container_noiommu)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_noiommu, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_noiommu, iommufd) { IOMMU_DEVICE };

FIXTURE_SETUP(container_noiommu)
{
	char node[40];

	self->binding.changed = false;
	self->container = -1;
	self->group = -1;
	if (edu_find(&self->address, 1) != 1 || pci_device_iommu_group(self->address.name) >= 0)
		SKIP(return, "needs an edu device that no IOMMU translates");
	ASSERT_EQ(0, set_mode("Y"));
	ASSERT_EQ(0, vfio_pci_bind(&self->binding, self->address.name));
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->iommufd = vfio_container_is_iommufd(self->container);
	snprintf(node, sizeof(node), "/dev/vfio/noiommu-%d",
		 pci_device_iommu_group(self->address.name));
	self->group = vfio_container_open(node);
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(container_noiommu)
{
	EXPECT_EQ(0, privilege_restore());
	close(self->group);
	close(self->container);
	if (self->binding.changed) {
		vfio_pci_unbind(&self->binding);
		EXPECT_EQ(0, set_mode("N"));
	}
}

TEST_F(container_noiommu, device_works_without_a_page_table)
{
	struct edu edu;

	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_NOIOMMU_IOMMU));
	ASSERT_EQ(0, edu_open_in_group(&edu, self->address.name, self->group));
	EXPECT_EQ(0xed, edu_identity(&edu) & 0xff);
	edu_close(&edu);
}

TEST_F(container_noiommu, is_the_only_type_then)
{
	EXPECT_EQ(1, vfio_container_check(self->container, VFIO_NOIOMMU_IOMMU));
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	EXPECT_EQ(1, vfio_container_check(self->container, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, vfio_container_check(self->container, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, vfio_container_check(self->container, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(self->iommufd ? -EINVAL : -ENODEV,
		  vfio_container_set_iommu(self->container, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(self->iommufd ? -EINVAL : -ENODEV,
		  vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
}

TEST_F(container_noiommu, needs_a_group)
{
	EXPECT_EQ(-EINVAL, vfio_container_set_iommu(self->container, VFIO_NOIOMMU_IOMMU));
}

TEST_F(container_noiommu, needs_privilege)
{
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, privilege_drop(privilege_fresh_user()));
	EXPECT_EQ(-EPERM, vfio_container_set_iommu(self->container, VFIO_NOIOMMU_IOMMU));
}

TEST_F(container_noiommu, has_no_mappings)
{
	union vfio_container_info info;

	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(self->iommufd ? -ENODEV : -ENOTTY, vfio_container_info(self->container, &info));
	EXPECT_EQ(self->iommufd ? -ENODEV : -ENOTTY,
		  vfio_container_map(self->container, (void *)0x1000, 0x1000, VFIO_MAP_RW, 0));
	EXPECT_EQ(self->iommufd ? -ENODEV : -ENOTTY,
		  vfio_container_unmap(self->container, 0, 0x1000, NULL));
}

TEST_HARNESS_MAIN
