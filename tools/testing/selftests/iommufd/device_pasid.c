// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs through VFIO's device node: what is refused before and by a device that has
 * none. Emulated devices with PASIDs are not to be had; mock_pasid.c has the rest.
 */
#include <sys/ioctl.h>

#include "edu_fixture.h"
#include "guard_page.h"

#define WITH_PASID 1

/* As of Linux 6.15 */
struct attach {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

struct detach {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

FIXTURE(device_pasid)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
};

FIXTURE_SETUP(device_pasid)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
}

FIXTURE_TEARDOWN(device_pasid)
{
	edu_close(&self->edu);
	close(self->iommufd);
}

static int attach(struct _test_data_device_pasid *self, struct attach attach)
{
	if (ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		return -errno;
	return 0;
}

static int detach(struct _test_data_device_pasid *self, struct detach detach)
{
	if (ioctl(self->edu.device.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach))
		return -errno;
	return 0;
}

TEST_F(device_pasid, zero_is_refused)
{
	ASSERT_EQ(-EINVAL, attach(self, (struct attach){ 16, WITH_PASID, self->ioas, 0 }));
	ASSERT_EQ(-EINVAL, detach(self, (struct detach){ 12, WITH_PASID, 0 }));
}

TEST_F(device_pasid, needs_room_for_itself)
{
	ASSERT_EQ(-EINVAL, attach(self, (struct attach){ 15, WITH_PASID, self->ioas, 1 }));
	ASSERT_EQ(-EINVAL, detach(self, (struct detach){ 11, WITH_PASID, 1 }));
}

TEST_F(device_pasid, has_one_flag)
{
	ASSERT_EQ(-EINVAL, attach(self, (struct attach){ 16, 2, self->ioas, 1 }));
	ASSERT_EQ(-EINVAL, detach(self, (struct detach){ 12, 2, 1 }));
}

TEST_F(device_pasid, is_read_only_with_its_flag)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	const struct attach short_attach = { 12, 0, self->ioas, 0 };
	void *place = guard_page_seal(edge, &short_attach, 12, PROT_READ | PROT_WRITE);

	ASSERT_EQ(0, ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, place));
	((struct attach *)place)->flags = WITH_PASID;
	ASSERT_EQ(-1, ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, place));
	ASSERT_EQ(EFAULT, errno);
	guard_page_free(edge);
}

TEST_F(device_pasid, never_goes_to_an_ioas)
{
	ASSERT_EQ(-EINVAL, attach(self, (struct attach){ 16, WITH_PASID, self->ioas, 1 }));
	ASSERT_EQ(-ENOENT, attach(self, (struct attach){ 16, WITH_PASID, 0x7fffffff, 1 }));
}

TEST_F(device_pasid, needs_a_device_that_has_some)
{
	__u32 hwpt;

	if (iommu_hwpt_alloc(self->iommufd, self->edu.device.id, self->ioas,
			     IOMMU_HWPT_ALLOC_PASID, &hwpt))
		SKIP(return, "the IOMMU driver has no page tables for PASIDs");
	ASSERT_EQ(-EINVAL, attach(self, (struct attach){ 16, WITH_PASID, hwpt, 1 }));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, hwpt));
}

TEST_F(device_pasid, that_is_not_attached_needs_no_detach)
{
	ASSERT_EQ(0, detach(self, (struct detach){ 12, WITH_PASID, 1 }));
}
