// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context and its objects: /dev/iommu as a character device, who shares a context,
 * ids, IOMMU_DESTROY, and objects of another type than a command takes.
 *
 * Owns the rules that hold for every type of object. What keeps an object of another
 * type than IOAS busy is in the file of that type.
 */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "fd_passing.h"
#include "ioctl_32_bit.h"

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

FIXTURE(destroy)
{
	int fd;
};

FIXTURE_SETUP(destroy)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(destroy)
{
	close(self->fd);
}

TEST_F(destroy, first_id_is_1)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(1, id);
}

TEST_F(destroy, id_0_is_ENOENT)
{
	__u32 id;

	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, 0));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, 0));
}

TEST_F(destroy, unused_id_is_ENOENT)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, id + 1));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, INT_MAX));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, (__u32)INT_MAX + 1));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, UINT_MAX));
}

TEST_F(destroy, twice_is_ENOENT)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, id));
}

TEST_F(destroy, ids_ascend_and_the_lowest_free_one_is_used_again)
{
	__u32 id, i;

	for (i = 1; i <= 100; i++) {
		ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
		ASSERT_EQ(i, id);
	}
	ASSERT_EQ(0, iommu_destroy(self->fd, 70));
	ASSERT_EQ(0, iommu_destroy(self->fd, 30));
	ASSERT_EQ(0, iommu_destroy(self->fd, 50));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(30, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(50, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(70, id);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(101, id);
}

TEST_F(destroy, mappings_do_not_keep_an_ioas)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x9000));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap_all(self->fd, id, NULL));
}

TEST_F(destroy, reused_id_is_a_new_ioas)
{
	__u64 value, unmapped;
	__u32 id, again;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, id, (void *)0x10000, 0x1000,
					  IOMMU_MAP_RW, 0x1000));
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, id, 0));
	ASSERT_EQ(0, iommu_destroy(self->fd, id));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &again));
	ASSERT_EQ(id, again);
	EXPECT_EQ(0, iommu_ioas_unmap_all(self->fd, id, &unmapped));
	EXPECT_EQ(0, unmapped);
	EXPECT_EQ(0, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, id, &value));
	EXPECT_EQ(1, value);
}

/* A thread that makes and destroys objects, and the ids it has seen twice. */
struct worker {
	pthread_t thread;
	int fd;
	int failures;
};

#define WORKER_OBJECTS 64

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	__u32 ids[WORKER_OBJECTS];
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < WORKER_OBJECTS; i++)
			worker->failures += !!iommu_ioas_alloc(worker->fd, &ids[i]);
		/* An id that another thread was given too is gone for one of them. */
		for (i = 0; i < WORKER_OBJECTS; i++)
			worker->failures += !!iommu_destroy(worker->fd, ids[i]);
	}
	return NULL;
}

TEST_F(destroy, no_two_threads_get_the_same_id)
{
	struct worker workers[4];
	__u32 id;
	int i;

	for (i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .fd = self->fd };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, worker_run,
					    &workers[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		EXPECT_EQ(0, workers[i].failures);
	}
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(1, id);
}

#define IOVA 0x40000000UL

/* The id of a device, or of the page table it is attached to. */
FIXTURE(object_type)
{
	struct attachment attachment;
	__u32 ioas;
	__u32 wrong;
	int fd;
};

FIXTURE_VARIANT(object_type)
{
	bool page_table;
};

FIXTURE_VARIANT_ADD(object_type, device)
{
	.page_table = false,
};

FIXTURE_VARIANT_ADD(object_type, hwpt)
{
	.page_table = true,
};

FIXTURE_SETUP(object_type)
{
	__u32 pt_id;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	pt_id = self->ioas;
	ASSERT_EQ(0, vfio_device_attach(&self->attachment.edu.device, &pt_id));
	self->wrong = variant->page_table ? pt_id : self->attachment.edu.device.id;
	ASSERT_NE(self->wrong, self->ioas);
}

FIXTURE_TEARDOWN(object_type)
{
	attachment_close(&self->attachment);
}

TEST_F(object_type, destroy_is_EBUSY_while_attached)
{
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->wrong));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
}

TEST_F(object_type, iova_ranges_is_ENOENT)
{
	__u32 count = 0;

	EXPECT_EQ(-ENOENT, iommu_ioas_iova_ranges(self->fd, self->wrong, NULL, &count, NULL));
}

TEST_F(object_type, allow_iovas_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_allow_iovas(self->fd, self->wrong, NULL, 0));
}

TEST_F(object_type, map_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_map_fixed(self->fd, self->wrong, (void *)0x10000,
						PAGE_BYTES, IOMMU_MAP_RW, IOVA));
}

TEST_F(object_type, unmap_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap_all(self->fd, self->wrong, NULL));
}

TEST_F(object_type, copy_is_ENOENT_for_source_and_target)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, other, (void *)0x10000, PAGE_BYTES,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-ENOENT, iommu_ioas_copy_fixed(self->fd, self->wrong, IOVA, PAGE_BYTES, other,
						 IOMMU_MAP_RW, IOVA + PAGE_BYTES));
	EXPECT_EQ(-ENOENT, iommu_ioas_copy_fixed(self->fd, other, IOVA, PAGE_BYTES, self->wrong,
						 IOMMU_MAP_RW, IOVA));
}

TEST_F(object_type, huge_page_option_is_ENOENT)
{
	__u64 value;

	EXPECT_EQ(-ENOENT, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->wrong,
					    &value));
	EXPECT_EQ(-ENOENT, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->wrong, 1));
}

TEST_F(object_type, compatibility_ioas_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, self->wrong));
}
