// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group that joins a container on /dev/iommu while something comes in between: a
 * signal, another thread that changes the container, a failure.
 */
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

#define IOVA 0x40000000UL
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

static int open_group(unsigned int number)
{
	return vfio_group_open(pci_device_iommu_group(topology.own[number].name));
}

FIXTURE_SETUP(container_join)
{
	REQUIRE_OWN_GROUPS(2);
	self->before = kernel_counters_read();
	self->container = vfio_container_open(IOMMU_DEVICE);
	ASSERT_LE(0, self->container);
	self->group = open_group(0);
	ASSERT_LE(0, self->group);
	self->other = open_group(1);
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

static int set_type(struct _test_data_container_join *self)
{
	return vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU);
}

static void *run_set_type(void *self)
{
	return (void *)(long)set_type(self);
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
	ASSERT_EQ(0, set_type(self));
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

static __u32 flags_of(int group)
{
	__u32 flags = 0;

	return vfio_group_flags(group, &flags) ? 0 : flags;
}

/* In a container that has the first group already, the second one is attached at once. */
static int empty_container(struct _test_data_container_join *self, bool has_group)
{
	vfio_group_unset_container(self->group);
	close(self->container);
	self->container = vfio_container_open(IOMMU_DEVICE);
	if (self->container < 0)
		return self->container;
	return has_group ? join(self, self->group) ? : set_type(self) : 0;
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
