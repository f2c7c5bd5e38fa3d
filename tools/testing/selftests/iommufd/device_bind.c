// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding a VFIO device to an iommufd: errors, ids, groups, life time.
 *
 * The VF token: who drives a PF and who drives its VFs could harm each other, so they
 * must know the same secret.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "edu_fixture.h"

#define UNSAFE_INTERRUPTS "/sys/module/iommufd/parameters/allow_unsafe_interrupts"

FIXTURE(device_bind)
{
	int iommufd;
	struct vfio_device device;
};

FIXTURE_SETUP(device_bind)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, vfio_device_open(&self->device, topology.own[0].name));
}

FIXTURE_TEARDOWN(device_bind)
{
	vfio_device_close(&self->device);
	close(self->iommufd);
}

static int bind_ioctl(struct vfio_device *device, __u32 argsz, __u32 flags, __s32 iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = argsz,
		.flags = flags,
		.iommufd = iommufd,
	};

	return iommu_ioctl(device->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

/* Sets or clears the parameter. Returns what it was, or 0. */
static char allow_unsafe_interrupts(char allowed)
{
	int fd = open(UNSAFE_INTERRUPTS, O_RDWR | O_CLOEXEC);
	char before = 0;

	if (pread(fd, &before, 1, 0) != 1 || pwrite(fd, &allowed, 1, 0) != 1)
		before = 0;
	close(fd);
	return before;
}

/* The machine allows them from the beginning if it has any, see scripts/vm. */
TEST_F(device_bind, device_whose_interrupts_are_not_isolated_is_EPERM_unless_allowed)
{
	int rc;

	if (allow_unsafe_interrupts('N') != 'Y')
		SKIP(return, "needs an IOMMU that does not isolate interrupts");
	rc = vfio_device_bind(&self->device, self->iommufd);
	EXPECT_EQ('N', allow_unsafe_interrupts('Y'));
	ASSERT_EQ(-EPERM, rc);
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, argsz_below_the_struct_is_EINVAL)
{
	ASSERT_EQ(-EINVAL, bind_ioctl(&self->device, 15, 0, self->iommufd));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, unknown_flag_is_EINVAL)
{
	ASSERT_EQ(-EINVAL, bind_ioctl(&self->device, 16, 1U << 31, self->iommufd));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, negative_fd_is_EINVAL)
{
	ASSERT_EQ(-EINVAL, vfio_device_bind(&self->device, -1));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, closed_fd_is_EBADF)
{
	int closed = dup(self->iommufd);

	close(closed);
	ASSERT_EQ(-EBADF, vfio_device_bind(&self->device, closed));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, fd_that_is_no_iommufd_is_EBADFD)
{
	int null = open("/dev/null", O_RDWR);

	ASSERT_LE(0, null);
	ASSERT_EQ(-EBADFD, vfio_device_bind(&self->device, null));
	ASSERT_EQ(-EBADFD, vfio_device_bind(&self->device, self->device.fd));
	close(null);
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, bound_fd_is_EINVAL)
{
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(-EINVAL, vfio_device_bind(&self->device, self->iommufd));
}

TEST_F(device_bind, device_bound_through_another_fd_is_EINVAL)
{
	struct vfio_device other;

	ASSERT_EQ(0, vfio_device_open(&other, topology.own[0].name));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(-EINVAL, vfio_device_bind(&other, self->iommufd));
	vfio_device_close(&self->device);
	ASSERT_EQ(0, vfio_device_bind(&other, self->iommufd));
	vfio_device_close(&other);
}

TEST_F(device_bind, unbound_fd_takes_no_other_ioctl)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	char byte;
	__u32 ioas;

	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas));
	ASSERT_EQ(-EINVAL, vfio_device_attach(&self->device, &ioas));
	ASSERT_EQ(-EINVAL, vfio_device_detach(&self->device));
	ASSERT_EQ(-EINVAL, vfio_device_reset(&self->device));
	ASSERT_EQ(-EINVAL, iommu_ioctl(self->device.fd, VFIO_DEVICE_GET_INFO, &info));
	ASSERT_EQ(-1, read(self->device.fd, &byte, 1));
	ASSERT_EQ(EINVAL, errno);
}

TEST_F(device_bind, id_is_the_lowest_free_one)
{
	__u32 ioas[2];

	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas[0]));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas[1]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, ioas[0]));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(ioas[0], self->device.id);
}

TEST_F(device_bind, id_is_free_after_close)
{
	__u32 id, ioas;

	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	id = self->device.id;
	ASSERT_EQ(1, id);
	vfio_device_close(&self->device);
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, id));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas));
	ASSERT_EQ(id, ioas);
}

TEST_F(device_bind, failed_bind_leaves_no_id)
{
	__u32 ioas;

	ASSERT_EQ(-EINVAL, bind_ioctl(&self->device, 16, 1, self->iommufd));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, 1));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas));
	ASSERT_EQ(1, ioas);
}

TEST_F(device_bind, destroy_of_a_device_is_EBUSY)
{
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->device.id));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->device.id));
}

TEST_F(device_bind, device_is_no_ioas)
{
	__u64 iova = 0;

	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(-ENOENT, iommu_ioas_map(self->iommufd, self->device.id, &iova, PAGE_BYTES,
					  IOMMU_MAP_RW, &iova));
	ASSERT_EQ(-ENOENT, iommu_ioas_unmap_all(self->iommufd, self->device.id, NULL));
	ASSERT_EQ(-ENOENT, iommu_ioas_allow_iovas(self->iommufd, self->device.id, NULL, 0));
	ASSERT_EQ(0, count_ranges(self->iommufd, self->device.id));
}

TEST_F(device_bind, dup_of_the_fd_is_the_same_context)
{
	int other = dup(self->iommufd);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, vfio_device_bind(&self->device, other));
	close(other);
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->device.id));
}

TEST_F(device_bind, bound_device_keeps_the_context)
{
	struct memory memory;
	__u32 ioas, hwpt;
	__u64 iova;

	ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, 16 * PAGE_BYTES));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &ioas));
	hwpt = ioas;
	ASSERT_EQ(0, vfio_device_attach(&self->device, &hwpt));
	ASSERT_EQ(0, iommu_ioas_map(self->iommufd, ioas, memory.start, memory.size, IOMMU_MAP_RW,
				    &iova));
	ASSERT_EQ(64, memory_status("VmPin"));

	close(self->iommufd);
	self->iommufd = -1;
	ASSERT_EQ(64, memory_status("VmPin"));
	ASSERT_EQ(0, vfio_device_detach(&self->device));
	ASSERT_EQ(0, memory_status("VmPin"));
	hwpt = ioas;
	ASSERT_EQ(0, vfio_device_attach(&self->device, &hwpt));
	ASSERT_EQ(64, memory_status("VmPin"));

	vfio_device_close(&self->device);
	ASSERT_EQ(0, memory_status("VmPin"));
	memory_free(&memory);
}

TEST_F(device_bind, closed_device_binds_to_another_context)
{
	struct vfio_device again;
	int other = iommu_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	vfio_device_close(&self->device);
	ASSERT_EQ(0, vfio_device_open(&again, topology.own[0].name));
	ASSERT_EQ(0, vfio_device_bind(&again, other));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, again.id));
	ASSERT_EQ(-EBUSY, iommu_destroy(other, again.id));
	vfio_device_close(&again);
	close(other);
}

/* Binds, attaches and maps, says so, and waits to be killed. */
static void use_until_killed(const char *address, int ready)
{
	struct vfio_device device;
	struct memory memory;
	int iommufd = iommu_open();
	__u32 ioas, hwpt;
	__u64 iova;

	if (memory_allocate(&memory, MEMORY_ANONYMOUS, 256 * PAGE_BYTES) ||
	    vfio_device_open(&device, address) || vfio_device_bind(&device, iommufd) ||
	    iommu_ioas_alloc(iommufd, &ioas))
		_exit(1);
	hwpt = ioas;
	if (vfio_device_attach(&device, &hwpt) ||
	    iommu_ioas_map(iommufd, ioas, memory.start, memory.size, IOMMU_MAP_RW, &iova))
		_exit(1);
	if (write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

TEST_F(device_bind, killed_process_leaves_the_device_free)
{
	int ready[2], status;
	char byte;
	pid_t child;

	vfio_device_close(&self->device);
	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		use_until_killed(topology.own[0].name, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	close(ready[0]);

	ASSERT_EQ(0, vfio_device_open(&self->device, topology.own[0].name));
	ASSERT_EQ(0, vfio_device_bind(&self->device, self->iommufd));
	ASSERT_EQ(1, self->device.id);
}

FIXTURE(group_bind)
{
	int iommufd[2];
	struct vfio_device device[2];
};

FIXTURE_SETUP(group_bind)
{
	int i;

	REQUIRE_SHARED_GROUP();
	for (i = 0; i < 2; i++) {
		self->iommufd[i] = iommu_open();
		ASSERT_LE(0, self->iommufd[i]);
		ASSERT_EQ(0, vfio_device_open(&self->device[i], topology.shared[i].name));
	}
}

FIXTURE_TEARDOWN(group_bind)
{
	int i;

	for (i = 0; i < 2; i++) {
		vfio_device_close(&self->device[i]);
		close(self->iommufd[i]);
	}
}

TEST_F(group_bind, devices_bind_to_one_context)
{
	ASSERT_EQ(0, vfio_device_bind(&self->device[0], self->iommufd[0]));
	ASSERT_EQ(0, vfio_device_bind(&self->device[1], self->iommufd[0]));
	ASSERT_EQ(1, self->device[0].id);
	ASSERT_EQ(2, self->device[1].id);
}

TEST_F(group_bind, second_context_is_EPERM)
{
	__u32 ioas;

	ASSERT_EQ(0, vfio_device_bind(&self->device[0], self->iommufd[0]));
	ASSERT_EQ(-EPERM, vfio_device_bind(&self->device[1], self->iommufd[1]));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd[1], &ioas));
	ASSERT_EQ(1, ioas);
	ASSERT_EQ(0, vfio_device_bind(&self->device[1], self->iommufd[0]));
}

TEST_F(group_bind, group_stays_owned_until_its_last_device_is_closed)
{
	ASSERT_EQ(0, vfio_device_bind(&self->device[0], self->iommufd[0]));
	ASSERT_EQ(0, vfio_device_bind(&self->device[1], self->iommufd[0]));
	vfio_device_close(&self->device[0]);
	ASSERT_EQ(0, vfio_device_open(&self->device[0], topology.shared[0].name));
	ASSERT_EQ(-EPERM, vfio_device_bind(&self->device[0], self->iommufd[1]));
	vfio_device_close(&self->device[1]);
	ASSERT_EQ(0, vfio_device_bind(&self->device[0], self->iommufd[1]));
}

TEST_F(group_bind, other_groups_are_free)
{
	struct vfio_device own;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, vfio_device_bind(&self->device[0], self->iommufd[0]));
	ASSERT_EQ(0, vfio_device_open(&own, topology.own[0].name));
	ASSERT_EQ(0, vfio_device_bind(&own, self->iommufd[1]));
	vfio_device_close(&own);
}

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
