// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups in a container: what happens, and what is refused, when a group is put in, when
 * the type of the IOMMU is set, and when it is taken out. On the kernel's own container
 * and on /dev/iommu.
 *
 * Then, on /dev/iommu, a group that is put in while something comes in between: a
 * signal, another thread that changes the container, a failure.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "fail_nth.h"
#include "kernel_counters.h"
#include "slow_memory.h"
#include "vfio_container.h"
#include "watchdog.h"

#define SIZE (16 * PAGE_BYTES)
#define IOVA 0x40000000UL
#define OTHER_IOVA 0x80000000UL

FIXTURE(container_group)
{
	struct kernel_counters before;
	struct memory memory;
	int container;
	int group;
	bool iommufd;
};

FIXTURE_VARIANT(container_group)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_group, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_group, iommufd) { IOMMU_DEVICE };

static int open_group(const struct pci_address *address)
{
	return vfio_group_open(pci_device_iommu_group(address->name));
}

FIXTURE_SETUP(container_group)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * SIZE));
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->iommufd = vfio_container_is_iommufd(self->container);
	self->group = open_group(&topology.own[0]);
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(container_group)
{
	close(self->group);
	close(self->container);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int set_container(struct _test_data_container_group *self)
{
	return vfio_group_set_container(self->group, self->container);
}

static int set_type(struct _test_data_container_group *self)
{
	return vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU);
}

static int map(struct _test_data_container_group *self)
{
	return vfio_container_map(self->container, self->memory.start, SIZE, VFIO_MAP_RW, IOVA);
}

static int open_device(struct _test_data_container_group *self, struct edu *edu)
{
	return edu_open_in_group(edu, topology.own[0].name, self->group);
}

/* From one half of what is mapped at an IOVA to the other */
static bool device_copies(struct _test_data_container_group *self, struct edu *edu,
			  __u64 iova)
{
	static unsigned int seed;

	seed++;
	pattern_fill(self->memory.start, PAGE_BYTES, seed);
	memset(self->memory.start + SIZE / 2, 0, PAGE_BYTES);
	return !edu_fetch(edu, iova, EDU_DMA_MAX) &&
	       !edu_store(edu, iova + SIZE / 2, EDU_DMA_MAX) &&
	       pattern_match(self->memory.start + SIZE / 2, EDU_DMA_MAX, seed) == EDU_DMA_MAX;
}

static __u32 flags_of(int group)
{
	__u32 flags = 0;

	return vfio_group_flags(group, &flags) ? 0 : flags;
}

TEST_F(container_group, status_says_where_the_group_is)
{
	const __u32 both = VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET;

	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags_of(self->group));
	ASSERT_EQ(0, set_container(self));
	EXPECT_EQ(both, flags_of(self->group));
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags_of(self->group));
}

TEST_F(container_group, is_in_one_container_at_a_time)
{
	int other = vfio_container_open(variant->node);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, set_container(self));
	EXPECT_EQ(-EINVAL, set_container(self));
	EXPECT_EQ(-EINVAL, vfio_group_set_container(self->group, other));
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	EXPECT_EQ(-EINVAL, vfio_group_unset_container(self->group));
	EXPECT_EQ(0, vfio_group_set_container(self->group, other));
	close(other);
}

TEST_F(container_group, what_is_no_container_is_refused)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, file);
	EXPECT_EQ(-EBADFD, vfio_group_set_container(self->group, file));
	close(file);
	EXPECT_EQ(-EBADF, vfio_group_set_container(self->group, file));
	EXPECT_EQ(-EINVAL, vfio_group_unset_container(self->group));
}

TEST_F(container_group, type_needs_a_group)
{
	EXPECT_EQ(self->iommufd ? -ENODEV : -EINVAL, set_type(self));
	ASSERT_EQ(0, set_container(self));
	EXPECT_EQ(0, set_type(self));
}

TEST_F(container_group, unknown_type_is_refused)
{
	ASSERT_EQ(0, set_container(self));
	EXPECT_EQ(self->iommufd ? -EINVAL : -ENODEV,
		  vfio_container_set_iommu(self->container, VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(self->iommufd ? -EINVAL : -ENODEV,
		  vfio_container_set_iommu(self->container, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, set_type(self));
}

TEST_F(container_group, type_may_be_set_again_in_an_iommufd_only)
{
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	EXPECT_EQ(self->iommufd ? 0 : -EINVAL, set_type(self));
}

TEST_F(container_group, memory_can_be_mapped_before_the_type_is_set_in_an_iommufd_only)
{
	struct edu edu;

	ASSERT_EQ(0, set_container(self));
	if (!self->iommufd) {
		EXPECT_EQ(-EINVAL, map(self));
		return;
	}
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, open_device(self, &edu));
	EXPECT_TRUE(device_copies(self, &edu, IOVA));
	edu_close(&edu);
}

TEST_F(container_group, device_needs_a_container)
{
	struct edu edu;

	EXPECT_EQ(-EINVAL, open_device(self, &edu));
	ASSERT_EQ(0, set_container(self));
	/* The kernel's own wants its type first. */
	EXPECT_EQ(self->iommufd ? 0 : -EINVAL, open_device(self, &edu));
	edu_close(&edu);
}

TEST_F(container_group, memory_is_pinned_before_a_device_is_open)
{
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(SIZE / PAGE_BYTES, kernel_counters_read().pins - self->before.pins);
}

TEST_F(container_group, memory_that_cannot_be_pinned_fails_when_the_type_is_set)
{
	if (!self->iommufd)
		SKIP(return, "nothing can be mapped earlier");
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, munmap(self->memory.start, PAGE_BYTES));
	EXPECT_EQ(-EFAULT, set_type(self));
	/* And nothing has changed. */
	EXPECT_EQ(0, kernel_counters_read().pins - self->before.pins);
	ASSERT_EQ(0, vfio_container_unmap_all(self->container, NULL));
	EXPECT_EQ(0, set_type(self));
}

TEST_F(container_group, leaves_only_when_its_devices_are_closed)
{
	struct edu edu;

	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, open_device(self, &edu));
	EXPECT_EQ(-EBUSY, vfio_group_unset_container(self->group));
	EXPECT_TRUE(device_copies(self, &edu, IOVA));
	edu_close(&edu);
	EXPECT_EQ(0, vfio_group_unset_container(self->group));
}

TEST_F(container_group, stays_open_while_a_device_is)
{
	struct edu edu;

	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, open_device(self, &edu));
	close(self->group);
	EXPECT_EQ(-EBUSY, open_group(&topology.own[0]));
	close(self->container);
	EXPECT_TRUE(device_copies(self, &edu, IOVA));
	edu_close(&edu);
	self->group = open_group(&topology.own[0]);
	EXPECT_LE(0, self->group);
	self->container = vfio_container_open(variant->node);
}

TEST_F(container_group, can_be_used_again)
{
	struct edu edu;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_container(self));
		ASSERT_EQ(0, set_type(self));
		ASSERT_EQ(0, map(self));
		ASSERT_EQ(0, open_device(self, &edu));
		EXPECT_TRUE(device_copies(self, &edu, IOVA));
		edu_close(&edu);
		/* The last one that leaves takes the mappings along. */
		ASSERT_EQ(0, vfio_group_unset_container(self->group));
	}
}

TEST_F(container_group, mappings_stay_in_an_ioas_that_was_chosen)
{
	__u32 ioas;

	if (!self->iommufd)
		SKIP(return, "has no IOAS");
	ASSERT_EQ(0, iommu_ioas_alloc(self->container, &ioas));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->container, ioas));
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	EXPECT_EQ(0, iommu_ioas_unmap(self->container, ioas, IOVA, SIZE, NULL));
}

TEST_F(container_group, keeps_the_ioas_it_started_with)
{
	struct edu edu;
	__u32 ioas;

	if (!self->iommufd)
		SKIP(return, "has no IOAS");
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, iommu_ioas_alloc(self->container, &ioas));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->container, ioas));
	ASSERT_EQ(0, open_device(self, &edu));
	EXPECT_TRUE(device_copies(self, &edu, IOVA));
	edu_close(&edu);
}

TEST_F(container_group, second_group_shares_the_mappings)
{
	struct edu first, second;
	int group;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, open_device(self, &first));
	group = open_group(&topology.own[1]);
	ASSERT_LE(0, group);
	ASSERT_EQ(0, vfio_group_set_container(group, self->container));
	ASSERT_EQ(0, edu_open_in_group(&second, topology.own[1].name, group));
	EXPECT_TRUE(device_copies(self, &second, IOVA));
	EXPECT_TRUE(device_copies(self, &first, IOVA));
	edu_close(&first);
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	EXPECT_TRUE(device_copies(self, &second, IOVA));
	edu_close(&second);
	close(group);
	/* Now they are gone. */
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	EXPECT_EQ(0, map(self));
}

TEST_F(container_group, devices_of_one_group_share_the_mappings)
{
	struct edu first, second;
	int group;

	REQUIRE_SHARED_GROUP();
	group = open_group(&topology.shared[0]);
	ASSERT_LE(0, group);
	ASSERT_EQ(0, vfio_group_set_container(group, self->container));
	ASSERT_EQ(0, set_type(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, edu_open_in_group(&first, topology.shared[0].name, group));
	ASSERT_EQ(0, edu_open_in_group(&second, topology.shared[1].name, group));
	EXPECT_TRUE(device_copies(self, &first, IOVA));
	EXPECT_TRUE(device_copies(self, &second, IOVA));
	edu_close(&first);
	EXPECT_EQ(-EBUSY, vfio_group_unset_container(group));
	EXPECT_TRUE(device_copies(self, &second, IOVA));
	edu_close(&second);
	EXPECT_EQ(0, vfio_group_unset_container(group));
	close(group);
}

static const char give_script[] =
	"exec 2>/dev/null; modprobe -q $1; cd /sys/bus/pci/devices/$0; echo $1 >driver_override;"
	"[ ! -e driver ] || echo $0 >driver/unbind; echo $0 >/sys/bus/pci/drivers_probe;"
	"[ -e driver ]";

/* Gives a device to a driver, which may know nothing of VFIO. */
static int give_to(const char *address, const char *driver)
{
	int status;
	pid_t child = fork();

	if (!child) {
		execlp("sh", "sh", "-c", give_script, address, driver, NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

TEST_F(container_group, is_refused_while_a_kernel_driver_has_one_of_its_devices)
{
	int group;

	REQUIRE_SHARED_GROUP();
	ASSERT_EQ(0, give_to(topology.shared[1].name, "uio_pci_generic"));
	group = open_group(&topology.shared[0]);
	ASSERT_LE(0, group);
	EXPECT_EQ(0, flags_of(group));
	EXPECT_EQ(-EPERM, vfio_group_set_container(group, self->container));
	/* It is not in the container, which has none. */
	EXPECT_EQ(-EINVAL, vfio_group_unset_container(group));
	EXPECT_NE(0, set_type(self));
	close(group);
	ASSERT_EQ(0, give_to(topology.shared[1].name, "vfio-pci"));
}

TEST_F(container_group, other_drivers_are_kept_off_while_it_is_in)
{
	int group;

	REQUIRE_SHARED_GROUP();
	group = open_group(&topology.shared[0]);
	ASSERT_LE(0, group);
	ASSERT_EQ(0, vfio_group_set_container(group, self->container));
	EXPECT_NE(0, give_to(topology.shared[1].name, "uio_pci_generic"));
	close(group);
	ASSERT_EQ(0, give_to(topology.shared[1].name, "vfio-pci"));
}

TEST_F(container_group, keeps_the_cdev_off_and_is_kept_off_by_it)
{
	struct vfio_device device;
	int fd = iommu_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, vfio_device_open(&device, topology.own[0].name));
	EXPECT_EQ(-EBUSY, vfio_device_bind(&device, fd));
	close(self->group);
	ASSERT_EQ(0, vfio_device_bind(&device, fd));
	EXPECT_EQ(-EBUSY, open_group(&topology.own[0]));
	vfio_device_close(&device);
	close(fd);
	self->group = open_group(&topology.own[0]);
	EXPECT_LE(0, self->group);
}

TEST_F(container_group, process_that_ends_leaves_nothing_behind)
{
	int status;
	pid_t child;

	close(self->group);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct edu edu;

		self->group = open_group(&topology.own[0]);
		_exit(set_container(self) || set_type(self) || map(self) ||
		      open_device(self, &edu) || !device_copies(self, &edu, IOVA));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
	self->group = open_group(&topology.own[0]);
	EXPECT_LE(0, self->group);
}

/* The IOVAs that a container says can be used. */
static size_t usable_ranges(int container, struct vfio_iova_range *ranges, size_t max)
{
	const struct vfio_iommu_type1_info_cap_iova_range *capability;
	union vfio_container_info info;

	if (vfio_container_info(container, &info))
		return 0;
	capability = vfio_container_capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	if (!capability || capability->nr_iovas > max)
		return 0;
	memcpy(ranges, capability->iova_ranges, capability->nr_iovas * sizeof(*ranges));
	return capability->nr_iovas;
}

TEST_F(container_group, usable_iovas_are_known_before_a_device_is_open)
{
	struct vfio_iova_range ranges[16];
	size_t count, i;

	ASSERT_EQ(0, set_container(self));
	ASSERT_EQ(0, set_type(self));
	count = usable_ranges(self->container, ranges, ARRAY_SIZE(ranges));
	ASSERT_LT(0, count);
	EXPECT_GT(UINT64_MAX, ranges[count - 1].end);
	for (i = 0; i < count; i++)
		EXPECT_TRUE(ranges[i].end < MSI_WINDOW_START || ranges[i].start > MSI_WINDOW_LAST);
}

TEST(usable_iovas_are_the_same_in_both_containers)
{
	struct vfio_iova_range ranges[2][16] = {};
	const char * const nodes[] = { VFIO_CONTAINER, IOMMU_DEVICE };
	size_t counts[2], i;

	if (!topology.own_count)
		SKIP(return, "needs an edu device in a group of its own");
	for (i = 0; i < 2; i++) {
		int container = vfio_container_open(nodes[i]);
		int group = open_group(&topology.own[0]);

		ASSERT_EQ(0, vfio_group_set_container(group, container));
		ASSERT_EQ(0, vfio_container_set_iommu(container, VFIO_TYPE1v2_IOMMU));
		counts[i] = usable_ranges(container, ranges[i], 16);
		close(group);
		close(container);
	}
	EXPECT_LT(0, counts[0]);
	EXPECT_EQ(counts[0], counts[1]);
	EXPECT_EQ(0, memcmp(ranges[0], ranges[1], sizeof(ranges[0])));
}

#define RACE_SECONDS 3
/* Nothing here may need more */
#define NTH_LIMIT 1000

FIXTURE(container_join)
{
	struct kernel_counters before;
	int container;
	int group;
	int other;
	bool stop;
};

static int open_group_of(unsigned int number)
{
	return vfio_group_open(pci_device_iommu_group(topology.own[number].name));
}

FIXTURE_SETUP(container_join)
{
	REQUIRE_OWN_GROUPS(2);
	self->before = kernel_counters_read();
	self->container = vfio_container_open(IOMMU_DEVICE);
	ASSERT_LE(0, self->container);
	self->group = open_group_of(0);
	ASSERT_LE(0, self->group);
	self->other = open_group_of(1);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(container_join)
{
	close(self->group);
	close(self->other);
	close(self->container);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int join(struct _test_data_container_join *self, int group)
{
	return vfio_group_set_container(group, self->container);
}

static int set_type_of_joined(struct _test_data_container_join *self)
{
	return vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU);
}

static void *run_set_type(void *self)
{
	return (void *)(long)set_type_of_joined(self);
}

/* Waits until a process waits in the kernel and no signal but SIGKILL would end that */
static bool is_killable(pid_t pid)
{
	unsigned int i;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (i = 0; i < 600; i++) {
		FILE *file = fopen(path, "r");
		char state = 0;

		if (!file)
			return false;
		if (fscanf(file, "%*d %*s %c", &state) != 1)
			state = 0;
		fclose(file);
		if (state == 'D')
			return true;
		usleep(100000);
	}
	return false;
}

/* The memory that is to be pinned when the type is set does not appear. */
TEST_F(container_join, can_be_killed_while_it_waits_for_another_group)
{
	const uint8_t contents[PAGE_BYTES] = {};
	struct slow_memory slow = {};
	pthread_t thread;
	void *result;
	pid_t child;
	int status;

	ASSERT_EQ(0, slow_memory_create(&slow, PAGE_BYTES));
	ASSERT_EQ(0, join(self, self->group));
	ASSERT_EQ(0, vfio_container_map(self->container, slow.start, PAGE_BYTES, VFIO_MAP_RW,
					IOVA));
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_set_type, self));
	ASSERT_EQ(0, slow_memory_wait(&slow));

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(join(self, self->other) != 0);
	}
	EXPECT_TRUE(is_killable(child));
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* It was not in, and nobody has it. */
	EXPECT_EQ(-EINVAL, vfio_group_unset_container(self->other));

	ASSERT_EQ(0, slow_memory_release(&slow, contents));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(NULL, result);
	EXPECT_EQ(0, join(self, self->other));
	ASSERT_EQ(0, vfio_container_unmap_all(self->container, NULL));
	slow_memory_free(&slow);
}

static void *clear_for_ever(void *argument)
{
	struct _test_data_container_join *self = argument;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED))
		iommu_vfio_ioas_clear(self->container);
	return NULL;
}

/* The container makes an IOAS for the group, and loses it before the group is attached. */
TEST_F(container_join, is_in_or_finds_no_ioas_while_another_thread_clears_it)
{
	time_t end = watchdog_now() + RACE_SECONDS;
	unsigned int joined = 0, lost = 0;
	pthread_t thread;

	ASSERT_EQ(0, join(self, self->group));
	ASSERT_EQ(0, set_type_of_joined(self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, clear_for_ever, self));
	while (watchdog_goes_on(end, joined)) {
		int rc = join(self, self->other);

		EXPECT_TRUE(rc == 0 || rc == -ENODEV);
		EXPECT_EQ(rc ? -EINVAL : 0, vfio_group_unset_container(self->other));
		joined += !rc;
		lost += !!rc;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	printf("# joined %u times, found no IOAS %u times\n", joined, lost);
	EXPECT_LT(0, joined);
	EXPECT_EQ(0, join(self, self->other));
}

/* In a container that has the first group already, the second one is attached at once. */
static int empty_container(struct _test_data_container_join *self, bool has_group)
{
	vfio_group_unset_container(self->group);
	close(self->container);
	self->container = vfio_container_open(IOMMU_DEVICE);
	if (self->container < 0)
		return self->container;
	return has_group ? join(self, self->group) ? : set_type_of_joined(self) : 0;
}

/* With the @nth place failing; it must be in or out as it is told. */
static bool join_failing(struct _test_data_container_join *self, int fail_nth, unsigned int nth,
			 bool *failed)
{
	__u32 expected = VFIO_GROUP_FLAGS_VIABLE;
	int rc;

	fail_nth_start(fail_nth, nth);
	rc = join(self, self->other);
	*failed = fail_nth_stop(fail_nth);
	if (!rc)
		expected |= VFIO_GROUP_FLAGS_CONTAINER_SET;
	return (*failed || !rc) && flags_of(self->other) == expected &&
	       vfio_group_unset_container(self->other) == (rc ? -EINVAL : 0);
}

TEST_F(container_join, is_in_or_out_whatever_fails)
{
	int fail_nth = fail_nth_open(), has_group;
	unsigned int nth;
	bool failed;

	if (fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, fail_nth);
	for (has_group = 0; has_group < 2; has_group++) {
		failed = true;
		for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
			ASSERT_EQ(0, empty_container(self, has_group));
			ASSERT_TRUE(join_failing(self, fail_nth, nth, &failed)) {
				TH_LOG("place %u, %d groups", nth, has_group);
			}
		}
		EXPECT_FALSE(failed);
	}
	close(fail_nth);
}
