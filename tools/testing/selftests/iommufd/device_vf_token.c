// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF token at VFIO_DEVICE_BIND_IOMMUFD: who drives a PF and who drives its VFs
 * could harm each other, so they must know the same secret.
 */
#include <fcntl.h>

#include <kselftest_harness.h>

#include "edu.h"
#include "iommu.h"

/* QEMU's NVMe controller */
#define NVME_VENDOR_ID 0x1b36
#define NVME_DEVICE_ID 0x0010

#define BIND_FLAG_TOKEN 1

/* As of Linux 7; the members up to out_devid are those of 6.12. */
struct bind_with_token {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__u64 token_uuid_ptr;
	__u64 beyond;
};

#define TOKEN_ARGSZ offsetof(struct bind_with_token, beyond)

static const __u8 token[16] = "a secret of both";
static const __u8 other_token[16] = "no secret at all";

FIXTURE(vf_token)
{
	int iommufd;
	struct pci_address pf_address;
	struct pci_address vf_address;
	struct vfio_pci_binding binding;
	struct vfio_device pf;
	struct vfio_device vf;
};

static int write_file(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int rc = file < 0 || write(file, value, strlen(value)) < 0 ? -errno : 0;

	if (file >= 0)
		close(file);
	return rc;
}

static int set_vfs(const char *address, const char *number)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", address);
	return write_file(path, number);
}

/* VFIO gives the VFs of a PF that it has to vfio-pci. */
static int find_vf(const char *pf, struct pci_address *vf)
{
	char path[80], target[80];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn0", pf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	snprintf(vf->name, sizeof(vf->name), "%.12s", strrchr(target, '/') + 1);
	return 0;
}

FIXTURE_SETUP(vf_token)
{
	self->binding.changed = false;
	self->iommufd = -1;
	self->pf.fd = -1;
	self->vf.fd = -1;
	if (pci_device_find(NVME_VENDOR_ID, NVME_DEVICE_ID, &self->pf_address, 1) != 1)
		SKIP(return, "needs an NVMe controller with VFs");
	ASSERT_EQ(0, write_file("/sys/module/vfio_pci/parameters/enable_sriov", "Y"));
	ASSERT_EQ(0, vfio_pci_bind(&self->binding, self->pf_address.name));
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, vfio_device_open(&self->pf, self->pf_address.name));
}

FIXTURE_TEARDOWN(vf_token)
{
	vfio_device_close(&self->vf);
	vfio_device_close(&self->pf);
	if (self->iommufd >= 0)
		close(self->iommufd);
	if (self->binding.changed) {
		set_vfs(self->pf_address.name, "0");
		vfio_pci_unbind(&self->binding);
	}
}

/* After the PF is bound, or without: that resets it, and QEMU forgets its VFs. */
static int open_vf(struct _test_data_vf_token *self)
{
	return set_vfs(self->pf_address.name, "1") ?:
	       find_vf(self->pf_address.name, &self->vf_address) ?:
	       vfio_device_open(&self->vf, self->vf_address.name);
}

static int bind_struct(struct vfio_device *device, struct bind_with_token *bind)
{
	return ioctl(device->fd, VFIO_DEVICE_BIND_IOMMUFD, bind) ? -errno : 0;
}

/* With a token, or NULL */
static int bind_device(struct _test_data_vf_token *self, struct vfio_device *device,
		       const void *uuid)
{
	struct bind_with_token bind = {
		.argsz = TOKEN_ARGSZ,
		.flags = uuid ? BIND_FLAG_TOKEN : 0,
		.iommufd = self->iommufd,
		.token_uuid_ptr = (uintptr_t)uuid,
	};

	return bind_struct(device, &bind);
}

TEST_F(vf_token, vf_needs_the_one_that_the_pf_has)
{
	ASSERT_EQ(0, bind_device(self, &self->pf, token));
	ASSERT_EQ(0, open_vf(self));
	EXPECT_EQ(-EACCES, bind_device(self, &self->vf, NULL));
	EXPECT_EQ(-EACCES, vfio_device_bind(&self->vf, self->iommufd));
	EXPECT_EQ(-EACCES, bind_device(self, &self->vf, other_token));
	EXPECT_EQ(0, bind_device(self, &self->vf, token));
}

TEST_F(vf_token, vf_needs_it_also_when_the_pf_is_not_used)
{
	ASSERT_EQ(0, open_vf(self));
	EXPECT_EQ(-EACCES, bind_device(self, &self->vf, NULL));
}

TEST_F(vf_token, pf_needs_none_while_no_vf_is_used)
{
	EXPECT_EQ(0, bind_device(self, &self->pf, NULL));
}

TEST_F(vf_token, pf_needs_it_while_a_vf_is_used)
{
	struct vfio_device again;

	ASSERT_EQ(0, bind_device(self, &self->pf, token));
	ASSERT_EQ(0, open_vf(self));
	ASSERT_EQ(0, bind_device(self, &self->vf, token));
	ASSERT_EQ(0, vfio_device_open(&again, self->pf_address.name));
	EXPECT_EQ(-EACCES, bind_device(self, &again, NULL));
	EXPECT_EQ(-EACCES, bind_device(self, &again, other_token));
	/* With it all that is wrong is that the PF is bound already. */
	EXPECT_EQ(-EINVAL, bind_device(self, &again, token));
	vfio_device_close(&again);
}

/* A device that has no use for one */
FIXTURE(no_vf_token)
{
	int iommufd;
	struct pci_address address;
	struct vfio_pci_binding binding;
	struct vfio_device device;
	struct bind_with_token bind;
};

FIXTURE_SETUP(no_vf_token)
{
	self->binding.changed = false;
	self->device.fd = -1;
	if (edu_find(&self->address, 1) != 1)
		SKIP(return, "needs an edu device");
	ASSERT_EQ(0, vfio_pci_bind(&self->binding, self->address.name));
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, vfio_device_open(&self->device, self->address.name));
	self->bind = (struct bind_with_token){
		.argsz = TOKEN_ARGSZ,
		.iommufd = self->iommufd,
		.token_uuid_ptr = (uintptr_t)token,
	};
}

FIXTURE_TEARDOWN(no_vf_token)
{
	vfio_device_close(&self->device);
	close(self->iommufd);
	vfio_pci_unbind(&self->binding);
}

TEST_F(no_vf_token, token_is_refused)
{
	self->bind.flags = BIND_FLAG_TOKEN;
	EXPECT_EQ(-EINVAL, bind_struct(&self->device, &self->bind));
}

TEST_F(no_vf_token, pointer_without_the_flag_is_not_looked_at)
{
	self->bind.token_uuid_ptr = 1;
	EXPECT_EQ(0, bind_struct(&self->device, &self->bind));
}

TEST_F(no_vf_token, token_that_cannot_be_read_is_EFAULT)
{
	self->bind.flags = BIND_FLAG_TOKEN;
	self->bind.token_uuid_ptr = 1;
	EXPECT_EQ(-EFAULT, bind_struct(&self->device, &self->bind));
}

TEST_F(no_vf_token, flag_without_the_member_is_EINVAL)
{
	self->bind.flags = BIND_FLAG_TOKEN;
	self->bind.argsz = offsetof(struct bind_with_token, token_uuid_ptr);
	EXPECT_EQ(-EINVAL, bind_struct(&self->device, &self->bind));
}

TEST_F(no_vf_token, unknown_flag_is_EINVAL)
{
	self->bind.flags = BIND_FLAG_TOKEN << 1;
	EXPECT_EQ(-EINVAL, bind_struct(&self->device, &self->bind));
}

TEST_F(no_vf_token, structure_of_a_newer_header_is_taken_if_the_rest_is_zero)
{
	self->bind.argsz = sizeof(self->bind);
	self->bind.beyond = 1;
	EXPECT_EQ(-E2BIG, bind_struct(&self->device, &self->bind));
	self->bind.beyond = 0;
	EXPECT_EQ(0, bind_struct(&self->device, &self->bind));
}

TEST_HARNESS_MAIN
