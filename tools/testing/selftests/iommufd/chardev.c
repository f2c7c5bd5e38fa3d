// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/iommu as a character device.
 *
 * Owns the rules for all that is not an ioctl, and for who shares a context. It
 * must never look at a command's own rules.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "fd_passing.h"
#include "ioctl_32_bit.h"
#include "iommu.h"

FIXTURE(chardev)
{
	int fd;
};

FIXTURE_SETUP(chardev)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(chardev)
{
	close(self->fd);
}

/* Returns the minor number of the misc device named "iommu", or -1. */
static int misc_minor(void)
{
	FILE *misc = fopen("/proc/misc", "r");
	char name[64];
	int minor, found = -1;

	if (!misc)
		return -1;
	while (fscanf(misc, "%d %63s", &minor, name) == 2)
		if (!strcmp(name, "iommu"))
			found = minor;
	fclose(misc);
	return found;
}

TEST_F(chardev, is_the_misc_device_iommu)
{
	struct stat node;

	ASSERT_EQ(0, fstat(self->fd, &node));
	EXPECT_TRUE(S_ISCHR(node.st_mode));
	EXPECT_EQ(10, major(node.st_rdev));
	EXPECT_EQ(misc_minor(), (int)minor(node.st_rdev));
}

TEST_F(chardev, node_has_mode_0660)
{
	struct stat node;

	ASSERT_EQ(0, fstat(self->fd, &node));
	EXPECT_EQ(0660, node.st_mode & 07777);
}

TEST_F(chardev, read_is_EINVAL)
{
	char byte;

	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(chardev, write_is_EINVAL)
{
	char byte = 0;

	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(chardev, lseek_is_ESPIPE)
{
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->fd, 4096, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_F(chardev, poll_says_readable_and_writable)
{
	struct pollfd poller = {
		.fd = self->fd,
		.events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM,
	};

	ASSERT_EQ(1, poll(&poller, 1, 0));
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM, poller.revents);
}

TEST_F(chardev, private_mmap_fails)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self->fd, 0));
}

TEST_F(chardev, mmap_of_an_offset_nobody_gave_fails)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 4096));
}

TEST_F(chardev, mmap_to_execute_is_EPERM)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(EPERM, errno);
}

#ifdef __x86_64__
TEST_F(chardev, ioctl_of_a_32_bit_program_is_ENOTTY)
{
	struct iommu_ioas_alloc *cmd = allocate_32_bit(4096);

	ASSERT_NE(MAP_FAILED, cmd);
	cmd->size = sizeof(*cmd);
	EXPECT_EQ(-ENOTTY, ioctl_32_bit(self->fd, IOMMU_IOAS_ALLOC, cmd));
	EXPECT_EQ(0, cmd->out_ioas_id);
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, cmd));
	munmap(cmd, 4096);
}
#endif

TEST_F(chardev, each_open_has_its_own_objects_and_ids)
{
	int other = iommu_open();
	__u32 id, other_id;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-ENOENT, iommu_destroy(other, id));
	ASSERT_EQ(0, iommu_ioas_alloc(other, &other_id));
	EXPECT_EQ(id, other_id);
	EXPECT_EQ(0, iommu_destroy(other, other_id));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
	close(other);
}

TEST_F(chardev, dup_shares_the_context_and_outlives_the_original)
{
	int copy = dup(self->fd);
	int original = self->fd;
	__u32 id;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, iommu_ioas_alloc(original, &id));
	close(original);
	self->fd = copy;
	EXPECT_EQ(0, iommu_destroy(copy, id));
}

TEST_F(chardev, fork_shares_the_context)
{
	__u32 id, child_id = 0;
	int status;
	pid_t child;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (iommu_ioas_alloc(self->fd, &child_id))
			_exit(0);
		_exit(child_id);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(id + 1, (__u32)WEXITSTATUS(status));
	EXPECT_EQ(0, iommu_destroy(self->fd, id + 1));
}

TEST_F(chardev, context_in_flight_in_a_socket_is_released_with_it)
{
	int sockets[2];
	__u32 id;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	ASSERT_EQ(0, send_fd(sockets[0], self->fd));
	close(self->fd);
	close(sockets[0]);
	close(sockets[1]);
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, id));
}

TEST_F(chardev, a_thousand_contexts_at_once)
{
	int fds[1000];
	__u32 id;
	int i;

	for (i = 0; i < 1000; i++) {
		fds[i] = iommu_open();
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, iommu_ioas_alloc(fds[i], &id));
		ASSERT_EQ(1, id);
	}
	for (i = 0; i < 1000; i++)
		close(fds[i]);
}

TEST_HARNESS_MAIN
