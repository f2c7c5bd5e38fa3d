// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reset of a bus, which all devices on it suffer: who may ask for it is a
 * question of whose context the devices are bound to.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "bar.h"

#define DEVICES 2
/* Of a device whose id is told by struct vfio_pci_dependent_device */
#define DEVID(info, index) ((int)(info)->device[index].group_id)

/* As VFIO_DEVICE_GET_PCI_HOT_RESET_INFO fills it in. */
struct reset_info {
	struct vfio_pci_hot_reset_info header;
	struct vfio_pci_dependent_device device[DEVICES];
};

FIXTURE(device_hot_reset)
{
	int iommufd;
	struct edu edu[DEVICES];
};

FIXTURE_SETUP(device_hot_reset)
{
	REQUIRE_BUS_RESET();
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu[0], topology.behind_port[0].name, self->iommufd));
}

FIXTURE_TEARDOWN(device_hot_reset)
{
	edu_close(&self->edu[0]);
	if (self->edu[1].device.id)
		edu_close(&self->edu[1]);
	close(self->iommufd);
}

static int open_second(struct _test_data_device_hot_reset *self)
{
	return edu_open(&self->edu[1], topology.behind_port[1].name, self->iommufd);
}

static int get_info(const struct edu *edu, struct reset_info *info, size_t size)
{
	*info = (struct reset_info){ .header.argsz = size };
	return ioctl(edu->device.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info) ? -errno : 0;
}

static int hot_reset(const struct edu *edu)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(edu->device.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

TEST_F(device_hot_reset, tells_how_many_devices_it_concerns)
{
	struct reset_info info;

	ASSERT_EQ(-ENOSPC, get_info(&self->edu[0], &info, sizeof(info.header)));
	ASSERT_EQ(DEVICES, info.header.count);
}

TEST_F(device_hot_reset, tells_bound_devices_by_their_ids)
{
	struct reset_info info;
	int i;

	ASSERT_EQ(0, open_second(self));
	ASSERT_EQ(0, get_info(&self->edu[0], &info, sizeof(info)));
	ASSERT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED,
		  info.header.flags);
	ASSERT_EQ(DEVICES, info.header.count);
	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(i, info.device[i].devfn);
		ASSERT_EQ(self->edu[i].device.id, DEVID(&info, i));
	}
}

TEST_F(device_hot_reset, owns_the_unbound_devices_of_a_bound_group)
{
	struct reset_info info;

	ASSERT_EQ(0, get_info(&self->edu[0], &info, sizeof(info)));
	ASSERT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED,
		  info.header.flags);
	ASSERT_EQ(self->edu[0].device.id, DEVID(&info, 0));
	ASSERT_EQ(VFIO_PCI_DEVID_OWNED, DEVID(&info, 1));
	ASSERT_EQ(0, hot_reset(&self->edu[0]));
}

TEST_F(device_hot_reset, is_refused_beside_a_device_that_is_not_vfio_s)
{
	struct vfio_pci_binding binding = { .changed = true };
	struct reset_info info;
	int rc;

	snprintf(binding.address, sizeof(binding.address), "%s", topology.behind_port[1].name);
	ASSERT_EQ(0, vfio_pci_unbind(&binding));
	rc = get_info(&self->edu[0], &info, sizeof(info));
	EXPECT_EQ(0, rc);
	EXPECT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID, info.header.flags);
	EXPECT_EQ(VFIO_PCI_DEVID_NOT_OWNED, DEVID(&info, 1));
	EXPECT_EQ(-EINVAL, hot_reset(&self->edu[0]));
	ASSERT_EQ(0, vfio_pci_bind(&binding, topology.behind_port[1].name));
}

TEST_F(device_hot_reset, takes_no_groups_from_a_cdev)
{
	struct {
		struct vfio_pci_hot_reset header;
		__s32 group;
	} reset = { .header = { .argsz = sizeof(reset), .count = 1 } };

	ASSERT_EQ(-1, ioctl(self->edu[0].device.fd, VFIO_DEVICE_PCI_HOT_RESET, &reset));
	ASSERT_EQ(EINVAL, errno);
}

TEST_F(device_hot_reset, leaves_attachments_and_mappings_as_they_were)
{
	struct edu_staging staging;
	__u32 ioas, pt_id;
	uint32_t word;
	int i;

	ASSERT_EQ(0, open_second(self));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas));
	for (i = 0; i < DEVICES; i++) {
		pt_id = ioas;
		ASSERT_EQ(0, vfio_device_attach(&self->edu[i].device, &pt_id));
	}
	ASSERT_EQ(0, edu_staging_create(&staging, &self->edu[0], self->iommufd, ioas));
	ASSERT_EQ(0, hot_reset(&self->edu[1]));
	for (i = 0; i < DEVICES; i++) {
		word = 0x600d0000 + i;
		ASSERT_EQ(0, vfio_device_set_bus_master(&self->edu[i].device, true));
		memcpy(staging.memory.start, &word, sizeof(word));
		ASSERT_EQ(0, edu_fetch(&self->edu[i], STAGING_IOVA, sizeof(word)));
		ASSERT_EQ(0, edu_store(&self->edu[i], STAGING_IOVA + PAGE_BYTES / 2,
				       sizeof(word)));
		ASSERT_EQ(0, memcmp((char *)staging.memory.start + PAGE_BYTES / 2, &word,
				    sizeof(word)));
	}
	edu_staging_destroy(&staging);
}

TEST_F(device_hot_reset, brings_bars_back_within_reach)
{
	struct bar_pair pair;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&pair));
	ASSERT_EQ(0, bar_pair_attach(&pair));
	ASSERT_EQ(0, bar_pair_map(&pair));
	ASSERT_TRUE(bar_pair_reaches(&pair, 0x5eaf00d5));
	ASSERT_EQ(0, hot_reset(&pair.target));
	ASSERT_TRUE(bar_pair_reaches(&pair, 0x600df00d));
	bar_pair_close(&pair);
}

/* The root bus has no port that could reset it */
TEST_F(device_hot_reset, is_not_possible_on_the_root_bus)
{
	struct reset_info info;
	struct edu edu;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, edu_open(&edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(-ENODEV, get_info(&edu, &info, sizeof(info)));
	ASSERT_EQ(-ENODEV, hot_reset(&edu));
	edu_close(&edu);
}
