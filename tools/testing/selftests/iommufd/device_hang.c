// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request waits for memory that never appears, and so do all that wait for it. Of
 * those there must be none that belong to somebody else: a test per lock that such a
 * request could hold. It ends by SIGKILL.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include "edu_fixture.h"
#include "slow_memory.h"
#include "vfio_container.h"
#include "watchdog.h"

#define IOVA 0x40000000UL
#define TYPE VFIO_TYPE1v2_IOMMU

/* More than all that must not hang together, even if one of it does */
#define TIMEOUT 300

/* What the process that hangs works with */
struct hang {
	struct slow_memory slow;
	struct vfio_device device;
	int iommufd;
	__u32 ioas;
	int told;
};

typedef int (*hang_step)(struct hang *hang);

static void *tell_that_it_hangs(void *data)
{
	struct hang *hang = data;

	if (slow_memory_wait(&hang->slow) || write(hang->told, "", 1) != 1)
		_exit(1);
	return NULL;
}

static void prepare_and_hang(struct hang *hang, hang_step prepare, hang_step run)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prepare(hang) || pthread_create(&thread, NULL, tell_that_it_hangs, hang))
		_exit(1);
	run(hang);
	_exit(2);
}

/* Returns a process that hangs in what @run does, or -1. */
static pid_t start_to_hang(struct hang *hang, hang_step prepare, hang_step run)
{
	int told[2];
	pid_t child;
	char byte;

	if (pipe(told))
		return -1;
	child = fork();
	if (!child) {
		close(told[0]);
		hang->told = told[1];
		prepare_and_hang(hang, prepare, run);
	}
	close(told[1]);
	if (read(told[0], &byte, 1) != 1)
		child = -1;
	close(told[0]);
	return child;
}

/* Also if it has ended so already */
static bool ends_by_sigkill(pid_t *child)
{
	int status;

	if (!*child)
		return true;
	kill(*child, SIGKILL);
	status = watchdog_reap(*child, watchdog_limit());
	*child = 0;
	return status != -1 && WIFSIGNALED(status);
}

/* Takes a device from vfio-pci and gives it back. Returns the process that does. */
static pid_t start_removal(const struct pci_address *address)
{
	struct vfio_pci_binding binding = { .changed = true };
	pid_t child = fork();

	if (child)
		return child;
	snprintf(binding.address, sizeof(binding.address), "%s", address->name);
	_exit(vfio_pci_unbind(&binding) || vfio_pci_bind(&binding, address->name));
}

static bool succeeds(pid_t child)
{
	return watchdog_reap(child, watchdog_limit()) == 0;
}

static int slow_map(struct hang *hang)
{
	return slow_memory_create(&hang->slow, PAGE_BYTES) ? :
	       vfio_container_map(hang->iommufd, hang->slow.start, PAGE_BYTES, VFIO_MAP_RW,
				  IOVA);
}

static int join(struct hang *hang, const struct pci_address *address)
{
	int group = vfio_group_open(pci_device_iommu_group(address->name));

	return group < 0 ? group : vfio_group_set_container(group, hang->iommufd);
}

static int get_device(struct hang *hang, const struct pci_address *address)
{
	int group = vfio_group_open(pci_device_iommu_group(address->name));

	return group < 0 ? group : vfio_group_set_container(group, hang->iommufd) ? :
	       vfio_group_get_device(group, &hang->device, address->name);
}

/*
 * The container of one group. Removing the last device of any group takes the lock of
 * the list of groups, and with it the lock of the group.
 */
FIXTURE(container_hang)
{
	struct hang hang;
	pid_t child;
};

FIXTURE_VARIANT(container_hang)
{
	hang_step prepare;
	hang_step run;
	/* A device is open, and its removal waits until it is closed */
	bool device_open;
};

static int join_and_map(struct hang *hang)
{
	return join(hang, &topology.own[0]) ? : slow_map(hang);
}

static int set_type(struct hang *hang)
{
	return vfio_container_set_iommu(hang->iommufd, TYPE);
}

/* The container attaches whatever joins, but this memory is in an IOAS with no device */
static int attach_another_and_choose_ioas(struct hang *hang)
{
	return join(hang, &topology.shared[0]) ? :
	       set_type(hang) ? :
	       iommu_ioas_alloc(hang->iommufd, &hang->ioas) ? :
	       iommu_vfio_ioas_set(hang->iommufd, hang->ioas) ? :
	       slow_map(hang);
}

static int join_attached(struct hang *hang)
{
	return join(hang, &topology.own[0]);
}

static int make_ioas_and_map(struct hang *hang)
{
	return iommu_ioas_alloc(hang->iommufd, &hang->ioas) ? :
	       iommu_vfio_ioas_set(hang->iommufd, hang->ioas) ? :
	       slow_map(hang);
}

static int get_own_device(struct hang *hang)
{
	return get_device(hang, &topology.own[0]);
}

static int start_tracking(struct hang *hang)
{
	return join(hang, &topology.own[0]) ? :
	       set_type(hang) ? :
	       vfio_container_track(hang->iommufd, VFIO_IOMMU_DIRTY_PAGES_FLAG_START) ? :
	       slow_memory_create(&hang->slow, PAGE_BYTES);
}

static int read_bitmap(struct hang *hang)
{
	const struct vfio_bitmap bitmap = {
		.pgsize = PAGE_BYTES, .size = sizeof(__u64), .data = (void *)hang->slow.start,
	};

	return vfio_container_dirty(hang->iommufd, IOVA, PAGE_BYTES, &bitmap);
}

FIXTURE_VARIANT_ADD(container_hang, set_type) { join_and_map, set_type, false };
FIXTURE_VARIANT_ADD(container_hang, join)
	{ attach_another_and_choose_ioas, join_attached, false };
FIXTURE_VARIANT_ADD(container_hang, get_device) { make_ioas_and_map, get_own_device, true };
FIXTURE_VARIANT_ADD(container_hang, dirty_bitmap) { start_tracking, read_bitmap, false };

FIXTURE_SETUP(container_hang)
{
	REQUIRE_OWN_GROUPS(2);
	REQUIRE_SHARED_GROUP();
	self->hang.iommufd = vfio_container_open(IOMMU_DEVICE);
	ASSERT_LE(0, self->hang.iommufd);
	self->child = start_to_hang(&self->hang, variant->prepare, variant->run);
	ASSERT_LT(0, self->child);
}

FIXTURE_TEARDOWN(container_hang)
{
	EXPECT_TRUE(ends_by_sigkill(&self->child));
	close(self->hang.iommufd);
}

TEST_F_TIMEOUT(container_hang, holds_up_no_removal_of_a_device, TIMEOUT)
{
	pid_t own = start_removal(&topology.own[0]);

	if (!variant->device_open)
		EXPECT_TRUE(succeeds(own));
	EXPECT_TRUE(succeeds(start_removal(&topology.own[1])));
	ASSERT_TRUE(ends_by_sigkill(&self->child));
	if (variant->device_open)
		EXPECT_TRUE(succeeds(own));
}

/* Two devices that are reset together: one hangs, the other is somebody else's. */
FIXTURE(device_hang)
{
	struct hang hang;
	pid_t child;
};

FIXTURE_VARIANT(device_hang)
{
	hang_step prepare;
	hang_step run;
	/* What binding the cdev of the other one returns */
	int bind;
};

static int get_first_device(struct hang *hang)
{
	return get_device(hang, &topology.behind_port[0]);
}

static int open_device(struct hang *hang)
{
	return vfio_device_open(&hang->device, topology.behind_port[0].name);
}

static int bind_device(struct hang *hang)
{
	return open_device(hang) ? : vfio_device_bind(&hang->device, hang->iommufd);
}

static int bind_and_map(struct hang *hang)
{
	return bind_device(hang) ? :
	       slow_memory_create(&hang->slow, PAGE_BYTES) ? :
	       iommu_ioas_alloc(hang->iommufd, &hang->ioas) ? :
	       iommu_ioas_map_fixed(hang->iommufd, hang->ioas, hang->slow.start, PAGE_BYTES,
				    IOMMU_MAP_RW, IOVA);
}

static int attach(struct hang *hang)
{
	return vfio_device_attach(&hang->device, &hang->ioas);
}

static int bind_and_fill_attach(struct hang *hang)
{
	const struct vfio_device_attach_iommufd_pt args = {
		.argsz = sizeof(args), .pt_id = hang->ioas,
	};

	return bind_device(hang) ? :
	       slow_memory_create_filled(&hang->slow, &args, sizeof(args));
}

static int attach_filled(struct hang *hang)
{
	return ioctl(hang->device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, hang->slow.start);
}

static int fill_bind(struct hang *hang)
{
	const struct vfio_device_bind_iommufd args = {
		.argsz = sizeof(args), .iommufd = hang->iommufd,
	};

	return slow_memory_create_filled(&hang->slow, &args, sizeof(args));
}

static int open_and_fill_bind(struct hang *hang)
{
	return open_device(hang) ? : fill_bind(hang);
}

static int bind_filled(struct hang *hang)
{
	return ioctl(hang->device.fd, VFIO_DEVICE_BIND_IOMMUFD, hang->slow.start);
}

FIXTURE_VARIANT_ADD(device_hang, get_device)
	{ make_ioas_and_map, get_first_device, -EBUSY };
FIXTURE_VARIANT_ADD(device_hang, attach) { bind_and_map, attach, 0 };
FIXTURE_VARIANT_ADD(device_hang, attach_result) { bind_and_fill_attach, attach_filled, 0 };
FIXTURE_VARIANT_ADD(device_hang, bind_result) { open_and_fill_bind, bind_filled, 0 };

FIXTURE_SETUP(device_hang)
{
	REQUIRE_BUS_RESET();
	self->hang.iommufd = iommu_open();
	ASSERT_LE(0, self->hang.iommufd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->hang.iommufd, &self->hang.ioas));
	self->child = start_to_hang(&self->hang, variant->prepare, variant->run);
	ASSERT_LT(0, self->child);
}

FIXTURE_TEARDOWN(device_hang)
{
	EXPECT_TRUE(ends_by_sigkill(&self->child));
	close(self->hang.iommufd);
}

TEST_F_TIMEOUT(device_hang, holds_up_no_removal_of_its_neighbour, TIMEOUT)
{
	EXPECT_TRUE(succeeds(start_removal(&topology.behind_port[1])));
}

/* As somebody who has no part in what hangs, but for the context, as one group has one. */
static int use(const struct pci_address *address, const struct hang *hang, int expected)
{
	struct vfio_device device;
	__u32 ioas = hang->ioas;
	int rc;

	if (vfio_device_open(&device, address->name))
		return 1;
	rc = vfio_device_bind(&device, hang->iommufd);
	if (rc != expected)
		return 2;
	if (!rc && (vfio_device_attach(&device, &ioas) || vfio_device_detach(&device)))
		return 3;
	vfio_device_close(&device);
	return 0;
}

static pid_t start_use(const struct pci_address *address, const struct hang *hang,
		       int expected)
{
	pid_t child = fork();

	if (!child)
		_exit(use(address, hang, expected));
	return child;
}

TEST_F_TIMEOUT(device_hang, holds_up_no_use_of_its_neighbour, TIMEOUT)
{
	const struct pci_address *other = &topology.behind_port[1];

	EXPECT_TRUE(succeeds(start_use(other, &self->hang, variant->bind)));
}

TEST_F_TIMEOUT(device_hang, leaves_the_device_usable_after_sigkill, TIMEOUT)
{
	const struct pci_address *address = &topology.behind_port[0];

	ASSERT_TRUE(ends_by_sigkill(&self->child));
	EXPECT_TRUE(succeeds(start_use(address, &self->hang, 0)));
}

/* What others do with a device while it is being bound */
FIXTURE(bind_hang)
{
	struct hang hang;
	pid_t child;
};

FIXTURE_SETUP(bind_hang)
{
	struct hang *hang = &self->hang;

	REQUIRE_BUS_RESET();
	hang->iommufd = iommu_open();
	ASSERT_LE(0, hang->iommufd);
	ASSERT_EQ(0, iommu_ioas_alloc(hang->iommufd, &hang->ioas));
	ASSERT_EQ(0, open_device(hang));
	self->child = start_to_hang(hang, fill_bind, bind_filled);
	ASSERT_LT(0, self->child);
}

FIXTURE_TEARDOWN(bind_hang)
{
	EXPECT_TRUE(ends_by_sigkill(&self->child));
	vfio_device_close(&self->hang.device);
	close(self->hang.iommufd);
}

TEST_F_TIMEOUT(bind_hang, device_is_nobodys_until_the_result_is_told, TIMEOUT)
{
	struct hang *hang = &self->hang;
	struct vfio_device *device = &hang->device, other;
	__u32 ioas = hang->ioas;

	ASSERT_EQ(0, vfio_device_open(&other, device->address));
	EXPECT_EQ(-EINVAL, vfio_device_attach(device, &ioas));
	EXPECT_EQ(-EINVAL, vfio_device_bind(device, hang->iommufd));
	EXPECT_EQ(-EINVAL, vfio_device_bind(&other, hang->iommufd));
	vfio_device_close(&other);

	/* It can't be told any more, so it is undone */
	ASSERT_TRUE(ends_by_sigkill(&self->child));
	EXPECT_EQ(-EINVAL, vfio_device_attach(device, &ioas));
	ASSERT_EQ(0, vfio_device_bind(device, hang->iommufd));
	EXPECT_EQ(0, vfio_device_attach(device, &ioas));
}

/* The other way round: what the hanging request finds when it goes on. */
FIXTURE(bitmap_hang)
{
	struct hang hang;
	pthread_t thread;
	int group;
};

static void *run_read_bitmap(void *hang)
{
	return (void *)(long)read_bitmap(hang);
}

FIXTURE_SETUP(bitmap_hang)
{
	struct hang *hang = &self->hang;

	REQUIRE_OWN_GROUPS(1);
	hang->iommufd = vfio_container_open(IOMMU_DEVICE);
	ASSERT_LE(0, hang->iommufd);
	self->group = vfio_group_open(pci_device_iommu_group(topology.own[0].name));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, hang->iommufd));
	ASSERT_EQ(0, set_type(hang));
	ASSERT_EQ(0, vfio_container_track(hang->iommufd, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	ASSERT_EQ(0, slow_memory_create(&hang->slow, PAGE_BYTES));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_read_bitmap, hang));
	ASSERT_EQ(0, slow_memory_wait(&hang->slow));
}

FIXTURE_TEARDOWN(bitmap_hang)
{
	slow_memory_free(&self->hang.slow);
	close(self->group);
	close(self->hang.iommufd);
}

static bool leaves(int group)
{
	pid_t child = fork();

	if (!child)
		_exit(-vfio_group_unset_container(group));
	return succeeds(child);
}

TEST_F_TIMEOUT(bitmap_hang, tracking_ends_when_the_last_group_leaves, TIMEOUT)
{
	const uint8_t contents[PAGE_BYTES] = {};
	void *result;

	EXPECT_TRUE(leaves(self->group));
	ASSERT_EQ(0, slow_memory_release(&self->hang.slow, contents));
	ASSERT_EQ(0, pthread_join(self->thread, &result));
	EXPECT_EQ(-EINVAL, (long)result);
}
