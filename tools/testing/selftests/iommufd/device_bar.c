// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a device as a target of another device's DMA: mapped by the
 * address that a process has them at, for as long as the device answers there. Where
 * anything fails they are mapped or not, in a page table or not, and nothing between.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bar.h"
#include "fail_nth.h"
#include "kernel_under_test.h"
#include "privilege.h"
#include "processors.h"
#include "slow_memory.h"
#include "vfio_device_fault.h"
#include "watchdog.h"

#define OTHER_IOVA 0x0340000000ULL
#define RACE_SECONDS 3
#define RACE_ROUNDS 10

FIXTURE(device_bar)
{
	struct bar_pair pair;
};

FIXTURE_SETUP(device_bar)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
}

FIXTURE_TEARDOWN(device_bar)
{
	bar_pair_close(&self->pair);
}

TEST_F(device_bar, is_written_by_another_device)
{
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, is_read_by_another_device)
{
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(UNTOUCHED, bar_pair_read(&self->pair, BAR_IOVA + EDU_LIVENESS));
	ASSERT_EQ(edu_identity(&self->pair.target), bar_pair_read(&self->pair, BAR_IOVA));
}

TEST_F(device_bar, may_be_mapped_before_the_attach)
{
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, may_be_mapped_by_the_request_of_the_container)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)self->pair.target.registers,
		.iova = BAR_IOVA,
		.size = self->pair.target.registers_size,
	};

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->pair.iommufd, self->pair.ioas));
	ASSERT_EQ(0, ioctl(self->pair.iommufd, VFIO_IOMMU_MAP_DMA, &map));
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, is_out_of_reach_after_unmap)
{
	__u64 unmapped;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, iommu_ioas_unmap(self->pair.iommufd, self->pair.ioas, BAR_IOVA,
				      self->pair.target.registers_size, &unmapped));
	ASSERT_EQ(self->pair.target.registers_size, unmapped);
	ASSERT_FALSE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
}

TEST_F(device_bar, may_be_mapped_in_part)
{
	struct bar_pair *pair = &self->pair;

	ASSERT_EQ(0, bar_pair_attach(pair));
	ASSERT_EQ(0, iommu_ioas_map_fixed(pair->iommufd, pair->ioas,
					  (char *)pair->target.registers + PAGE_BYTES, PAGE_BYTES,
					  IOMMU_MAP_RW, BAR_IOVA));
	ASSERT_FALSE(bar_pair_reaches(pair, 0x5eaf00d5));
	ASSERT_EQ(0, iommu_ioas_map_fixed(pair->iommufd, pair->ioas,
					  (char *)pair->target.registers, PAGE_BYTES,
					  IOMMU_MAP_RW, BAR_IOVA + PAGE_BYTES));
	ASSERT_EQ(0, bar_pair_write(pair, BAR_IOVA + PAGE_BYTES + EDU_LIVENESS, ~1U));
	ASSERT_EQ(1, edu_liveness(&pair->target));
}

TEST_F(device_bar, may_lie_in_several_vmas)
{
	struct bar_pair *pair = &self->pair;

	/* A protection of its own makes the second page a VMA of its own */
	ASSERT_EQ(0, mprotect((char *)pair->target.registers + PAGE_BYTES, PAGE_BYTES,
			      PROT_READ));
	ASSERT_EQ(0, iommu_ioas_map_fixed(pair->iommufd, pair->ioas,
					  (char *)pair->target.registers,
					  pair->target.registers_size, IOMMU_IOAS_MAP_READABLE,
					  BAR_IOVA));
	ASSERT_EQ(0, bar_pair_attach(pair));
	ASSERT_EQ(UNTOUCHED, bar_pair_read(pair, BAR_IOVA + EDU_LIVENESS));
}

TEST_F(device_bar, is_writable_only_if_the_process_may_write)
{
	struct bar_pair *pair = &self->pair;
	int attached;

	ASSERT_EQ(0, mprotect((char *)pair->target.registers + PAGE_BYTES, PAGE_BYTES,
			      PROT_READ));
	for (attached = 0; attached < 2; attached++) {
		if (attached)
			ASSERT_EQ(0, bar_pair_attach(pair));
		ASSERT_EQ(-EFAULT, bar_pair_map(pair));
		ASSERT_EQ(-ENOENT, iommu_ioas_unmap(pair->iommufd, pair->ioas, BAR_IOVA,
						    pair->target.registers_size, NULL));
	}
}

TEST_F(device_bar, must_go_on_to_the_end_of_the_range)
{
	struct bar_pair *pair = &self->pair;
	char *last = (char *)pair->target.registers + pair->target.registers_size - PAGE_BYTES;
	int attached;

	/* The page after it is memory, not the device */
	ASSERT_NE(MAP_FAILED, mmap(last, PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	for (attached = 0; attached < 2; attached++) {
		if (attached)
			ASSERT_EQ(0, bar_pair_attach(pair));
		ASSERT_EQ(-EFAULT, bar_pair_map(pair));
		ASSERT_EQ(-EFAULT, iommu_ioas_map_fixed(pair->iommufd, pair->ioas,
							last - PAGE_BYTES, 2 * PAGE_BYTES,
							IOMMU_MAP_RW, BAR_IOVA));
	}
	ASSERT_EQ(0, iommu_ioas_map_fixed(pair->iommufd, pair->ioas,
					  (char *)pair->target.registers,
					  pair->target.registers_size - PAGE_BYTES, IOMMU_MAP_RW,
					  BAR_IOVA));
}

TEST_F(device_bar, is_neither_pinned_nor_charged)
{
	long pinned;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	pinned = memory_status("VmPin");
	ASSERT_EQ(0, privilege_limit_memlock(0));
	ASSERT_EQ(0, privilege_drop(privilege_fresh_user()));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, privilege_restore());
	ASSERT_EQ(pinned, memory_status("VmPin"));
}

TEST_F(device_bar, can_be_copied_to_another_ioas)
{
	struct bar_pair *pair = &self->pair;
	__u32 other;

	ASSERT_EQ(0, bar_pair_map(pair));
	ASSERT_EQ(0, iommu_ioas_alloc(pair->iommufd, &other));
	ASSERT_EQ(0, edu_staging_map(&pair->staging, pair->iommufd, other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(pair->iommufd, pair->ioas, BAR_IOVA, PAGE_BYTES, other,
					   IOMMU_MAP_RW, OTHER_IOVA));
	ASSERT_EQ(0, iommu_ioas_unmap_all(pair->iommufd, pair->ioas, NULL));
	ASSERT_EQ(0, vfio_device_attach(&pair->writer.device, &other));
	ASSERT_EQ(0, bar_pair_write(pair, OTHER_IOVA + EDU_LIVENESS, ~7U));
	ASSERT_EQ(7, edu_liveness(&pair->target));
	ASSERT_EQ(0, vfio_device_set_decoding(&pair->target.device, false));
	ASSERT_EQ(0, bar_pair_write(pair, OTHER_IOVA + EDU_LIVENESS, ~8U));
	ASSERT_EQ(0, vfio_device_set_decoding(&pair->target.device, true));
	ASSERT_EQ(7, edu_liveness(&pair->target));
	ASSERT_EQ(0, bar_pair_write(pair, OTHER_IOVA + EDU_LIVENESS, ~9U));
	ASSERT_EQ(9, edu_liveness(&pair->target));
}

TEST_F(device_bar, is_within_reach_each_time_the_device_decodes)
{
	int i;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
		ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
		ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5 + i));
	}
}

/* That nothing arrives is not enough: a device that does not decode takes nothing. */
TEST_F(device_bar, is_in_no_table_while_the_device_does_not_decode)
{
	time_t end = watchdog_now() + watchdog_limit();
	int log, rc;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	log = dma_fault_open();
	ASSERT_LE(0, log);
	do {
		ASSERT_EQ(0, bar_pair_write(&self->pair, BAR_IOVA + EDU_LIVENESS, ~1U));
		rc = dma_fault_wait(log, BAR_IOVA, PAGE_BYTES, NULL, 0);
	} while (rc == -ETIMEDOUT && watchdog_now() < end);
	ASSERT_EQ(0, rc);
	close(log);
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
}

TEST_F(device_bar, cannot_be_mapped_while_the_device_does_not_decode)
{
	int attached;

	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	for (attached = 0; attached < 2; attached++) {
		if (attached)
			ASSERT_EQ(0, bar_pair_attach(&self->pair));
		ASSERT_EQ(-EFAULT, bar_pair_map(&self->pair));
	}
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, is_in_no_table_that_is_filled_while_the_device_does_not_decode)
{
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_write(&self->pair, BAR_IOVA + EDU_LIVENESS, ~1U));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, can_be_unmapped_while_the_device_does_not_decode)
{
	__u64 unmapped;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	ASSERT_EQ(0, iommu_ioas_unmap(self->pair.iommufd, self->pair.ioas, BAR_IOVA,
				      self->pair.target.registers_size, &unmapped));
	ASSERT_EQ(self->pair.target.registers_size, unmapped);
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_FALSE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, is_within_reach_again_after_a_reset)
{
	int rc;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	rc = vfio_device_reset(&self->pair.target.device);
	if (rc == -EINVAL)
		SKIP(return, "the device cannot be reset");
	ASSERT_EQ(0, rc);
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

TEST_F(device_bar, is_out_of_reach_for_good_when_its_device_is_closed)
{
	struct bar_pair *pair = &self->pair;
	size_t size = pair->target.registers_size;
	__u64 unmapped;

	ASSERT_EQ(0, bar_pair_attach(pair));
	ASSERT_EQ(0, bar_pair_map(pair));
	edu_close(&pair->target);
	ASSERT_EQ(0, edu_open(&pair->target, topology.own[1].name, pair->iommufd));
	edu_set_liveness(&pair->target, ~UNTOUCHED);
	ASSERT_FALSE(bar_pair_reaches(pair, 0x5eaf00d5));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&pair->target));

	ASSERT_EQ(-EEXIST, bar_pair_map(pair));
	ASSERT_EQ(0, iommu_ioas_unmap(pair->iommufd, pair->ioas, BAR_IOVA, size, &unmapped));
	ASSERT_EQ(size, unmapped);
	ASSERT_EQ(0, bar_pair_map(pair));
	ASSERT_TRUE(bar_pair_reaches(pair, 0x5eaf00d5));
}

TEST_F(device_bar, stays_within_reach_as_long_as_it_has_a_vma)
{
	struct edu *target = &self->pair.target;

	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	vfio_device_close(&target->device);
	ASSERT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

/* Has the device open, maps its registers in the IOAS of the parent, and waits. */
static void own_target(struct bar_pair *pair, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (edu_open(&pair->target, topology.own[1].name, pair->iommufd) || bar_pair_map(pair))
		_exit(1);
	edu_set_liveness(&pair->target, ~UNTOUCHED);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

TEST_F(device_bar, is_out_of_reach_when_its_owner_is_killed)
{
	struct bar_pair *pair = &self->pair;
	int ready[2];
	pid_t owner;
	char byte;

	edu_close(&pair->target);
	ASSERT_EQ(0, bar_pair_attach(pair));
	ASSERT_EQ(0, pipe(ready));
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner)
		own_target(pair, ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(UNTOUCHED, bar_pair_read(pair, BAR_IOVA + EDU_LIVENESS));
	ASSERT_EQ(0, kill(owner, SIGKILL));
	ASSERT_EQ(owner, waitpid(owner, NULL, 0));

	ASSERT_EQ(0, edu_open(&pair->target, topology.own[1].name, pair->iommufd));
	edu_set_liveness(&pair->target, ~UNTOUCHED);
	ASSERT_FALSE(bar_pair_reaches(pair, 0x5eaf00d5));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&pair->target));
	close(ready[0]);
	close(ready[1]);
}

TEST_F(device_bar, does_not_keep_its_device_open)
{
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
	edu_close(&self->pair.target);
	ASSERT_EQ(0, edu_open(&self->pair.target, topology.own[1].name, self->pair.iommufd));
}

/* A page table that is being made waits for memory that is mapped above the registers. */
FIXTURE(device_bar_slow)
{
	struct bar_pair pair;
	struct slow_memory slow;
	pthread_t thread;
};

FIXTURE_VARIANT(device_bar_slow)
{
	bool begins;
};

FIXTURE_VARIANT_ADD(device_bar_slow, begins_to_decode) { true };
FIXTURE_VARIANT_ADD(device_bar_slow, ceases_to_decode) { false };

static void *run_attach(void *pair)
{
	return (void *)(long)bar_pair_attach(pair);
}

FIXTURE_SETUP(device_bar_slow)
{
	struct bar_pair *pair = &self->pair;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(pair));
	ASSERT_EQ(0, bar_pair_map(pair));
	ASSERT_EQ(0, slow_memory_create(&self->slow, PAGE_BYTES));
	ASSERT_EQ(0, iommu_ioas_map_fixed(pair->iommufd, pair->ioas, self->slow.start, PAGE_BYTES,
					  IOMMU_MAP_RW, BAR_IOVA + pair->target.registers_size));
	ASSERT_EQ(0, vfio_device_set_decoding(&pair->target.device, !variant->begins));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_attach, pair));
	ASSERT_EQ(0, slow_memory_wait(&self->slow));
}

FIXTURE_TEARDOWN(device_bar_slow)
{
	bar_pair_close(&self->pair);
	slow_memory_free(&self->slow);
}

TEST_F(device_bar_slow, is_in_the_page_table_only_if_it_decodes_in_the_end)
{
	const uint8_t contents[PAGE_BYTES] = {};
	struct vfio_device *target = &self->pair.target.device;
	void *result;

	ASSERT_EQ(0, vfio_device_set_decoding(target, variant->begins));
	ASSERT_EQ(0, slow_memory_release(&self->slow, contents));
	ASSERT_EQ(0, pthread_join(self->thread, &result));
	ASSERT_EQ(NULL, result);
	if (!variant->begins) {
		ASSERT_EQ(0, bar_pair_write(&self->pair, BAR_IOVA + EDU_LIVENESS, ~1U));
		ASSERT_EQ(0, vfio_device_set_decoding(target, true));
		ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
	}
	EXPECT_TRUE(bar_pair_reaches(&self->pair, 0x5eaf00d5));
}

/*
 * This race has one processor. When a device begins or ceases to decode, QEMU before
 * 8.2 exchanges the table of what is at which address for all processors at once, but
 * another processor forgets what it remembers of the old one a moment later. What it
 * writes until then may go to another device: the tail of VT-d's queue, and the driver
 * waits indefinitely, or the end of an interrupt. That comes with every tick, so it is not
 * enough if our threads stay on one processor.
 */
FIXTURE(device_bar_race)
{
	struct bar_pair pair;
	__u32 other;
	bool stop;
	unsigned int switched;
	unsigned int attached;
	unsigned int mapped;
};

FIXTURE_SETUP(device_bar_race)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
	ASSERT_EQ(0, iommu_ioas_alloc(self->pair.iommufd, &self->other));
	ASSERT_EQ(0, processors_set_online(false));
}

FIXTURE_TEARDOWN(device_bar_race)
{
	bar_pair_close(&self->pair);
	EXPECT_EQ(0, processors_set_online(true));
}

static bool is_racing(FIXTURE_DATA(device_bar_race) *self)
{
	return !__atomic_load_n(&self->stop, __ATOMIC_RELAXED);
}

static bool has_raced(FIXTURE_DATA(device_bar_race) *self)
{
	return __atomic_load_n(&self->switched, __ATOMIC_RELAXED) > RACE_ROUNDS &&
	       __atomic_load_n(&self->attached, __ATOMIC_RELAXED) > RACE_ROUNDS &&
	       __atomic_load_n(&self->mapped, __ATOMIC_RELAXED) > RACE_ROUNDS;
}

static void *switch_decoding(void *argument)
{
	FIXTURE_DATA(device_bar_race) *self = argument;
	struct vfio_device *device = &self->pair.target.device;

	while (is_racing(self))
		if (!vfio_device_set_decoding(device, false) &&
		    !vfio_device_set_decoding(device, true))
			self->switched++;
	return NULL;
}

static void *attach_and_detach(void *argument)
{
	FIXTURE_DATA(device_bar_race) *self = argument;

	while (is_racing(self))
		if (!bar_pair_attach(&self->pair) &&
		    !vfio_device_detach(&self->pair.writer.device))
			self->attached++;
	return NULL;
}

static void *map_copy_and_unmap(void *argument)
{
	FIXTURE_DATA(device_bar_race) *self = argument;
	struct bar_pair *pair = &self->pair;

	while (is_racing(self)) {
		if (!bar_pair_map(pair) &&
		    !iommu_ioas_copy_fixed(pair->iommufd, pair->ioas, BAR_IOVA, PAGE_BYTES,
					   self->other, IOMMU_MAP_RW, OTHER_IOVA))
			self->mapped++;
		iommu_ioas_unmap_all(pair->iommufd, pair->ioas, NULL);
		iommu_ioas_unmap_all(pair->iommufd, self->other, NULL);
	}
	return NULL;
}

TEST_F(device_bar_race, may_come_and_go_while_others_map_and_attach)
{
	void *(*functions[])(void *) = { switch_decoding, attach_and_detach, map_copy_and_unmap };
	struct bar_pair *pair = &self->pair;
	time_t end = watchdog_now() + RACE_SECONDS;
	pthread_t threads[3];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, functions[i], self));
	while (watchdog_goes_on(end, has_raced(self)))
		usleep(10000);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("# switched %u, attached %u, mapped %u times\n", self->switched, self->attached,
	       self->mapped);
	ASSERT_TRUE(has_raced(self));

	ASSERT_EQ(0, edu_staging_map(&pair->staging, pair->iommufd, pair->ioas));
	ASSERT_EQ(0, bar_pair_map(pair));
	ASSERT_EQ(0, bar_pair_attach(pair));
	ASSERT_TRUE(bar_pair_reaches(pair, 0x5eaf00d5));
}

/* Nothing here may need more */
#define NTH_LIMIT 1000

FIXTURE(device_bar_fail_nth)
{
	struct bar_pair pair;
	int fail_nth;
};

FIXTURE_SETUP(device_bar_fail_nth)
{
	self->fail_nth = fail_nth_open();
	if (self->fail_nth < 0 && !kernel_is_debug())
		SKIP(return, "this kernel can not have things fail");
	ASSERT_LE(0, self->fail_nth);
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
}

FIXTURE_TEARDOWN(device_bar_fail_nth)
{
	bar_pair_close(&self->pair);
	close(self->fail_nth);
}

static int copy(struct bar_pair *pair)
{
	return iommu_ioas_copy_fixed(pair->iommufd, pair->ioas, BAR_IOVA, PAGE_BYTES, pair->ioas,
				     IOMMU_MAP_RW, OTHER_IOVA);
}

/* How much of the range from an IOVA on was mapped until now */
static __u64 unmap(struct bar_pair *pair, __u64 iova, __u64 length)
{
	__u64 unmapped;

	return iommu_ioas_unmap(pair->iommufd, pair->ioas, iova, length, &unmapped) ? 0 : unmapped;
}

/*
 * Whether what a call did is what it said. EFAULT is said as well if all is done but
 * for the answer, which could not be written.
 */
static bool is_as_said(int rc, __u64 unmapped, __u64 length)
{
	return unmapped == (rc ? 0 : length) || (rc == -EFAULT && unmapped == length);
}

TEST_F(device_bar_fail_nth, is_mapped_or_not_at_all)
{
	struct bar_pair *pair = &self->pair;
	const __u64 size = pair->target.registers_size;
	unsigned int nth;
	bool failed = true;

	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		int rc;

		fail_nth_start(self->fail_nth, nth);
		rc = bar_pair_map(pair);
		failed = fail_nth_stop(self->fail_nth);
		ASSERT_TRUE(failed || !rc);
		ASSERT_TRUE(is_as_said(rc, unmap(pair, BAR_IOVA, size), size));
	}
	EXPECT_FALSE(failed);
}

TEST_F(device_bar_fail_nth, is_copied_or_not_at_all)
{
	struct bar_pair *pair = &self->pair;
	unsigned int nth;
	bool failed = true;

	ASSERT_EQ(0, bar_pair_map(pair));
	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		int rc;

		fail_nth_start(self->fail_nth, nth);
		rc = copy(pair);
		failed = fail_nth_stop(self->fail_nth);
		ASSERT_TRUE(failed || !rc);
		ASSERT_TRUE(is_as_said(rc, unmap(pair, OTHER_IOVA, PAGE_BYTES), PAGE_BYTES));
	}
	EXPECT_FALSE(failed);
}

/* Two page tables that are filled while the target does not decode. */
static int make_tables(struct bar_pair *pair, __u32 *tables)
{
	return vfio_device_set_decoding(&pair->target.device, false) ? :
	       iommu_hwpt_alloc(pair->iommufd, pair->writer.device.id, pair->ioas, 0,
				&tables[0]) ? :
	       iommu_hwpt_alloc(pair->iommufd, pair->writer.device.id, pair->ioas, 0,
				&tables[1]);
}

static int destroy_tables(struct bar_pair *pair, const __u32 *tables)
{
	return iommu_destroy(pair->iommufd, tables[0]) ? :
	       iommu_destroy(pair->iommufd, tables[1]);
}

/* Whether what the writer writes arrives if it is attached there */
static bool reaches_through(struct bar_pair *pair, __u32 table, uint32_t word)
{
	__u32 pt_id = table;
	bool reaches;

	if (vfio_device_attach(&pair->writer.device, &pt_id))
		return false;
	reaches = bar_pair_reaches(pair, word);
	return !vfio_device_detach(&pair->writer.device) && reaches;
}

/*
 * There is no memory for its entries in one of the page tables. Then it is in none of
 * them, until the device begins to decode the next time.
 */
TEST_F(device_bar_fail_nth, comes_back_in_all_page_tables_or_in_none_until_the_next_time)
{
	struct bar_pair *pair = &self->pair;
	struct vfio_device *target = &pair->target.device;
	unsigned int nth, missed = 0;
	bool failed = true;

	ASSERT_EQ(0, bar_pair_map(pair));
	for (nth = 1; failed && nth < NTH_LIMIT; nth++) {
		__u32 tables[2];
		bool there;

		ASSERT_EQ(0, make_tables(pair, tables));
		fail_nth_start(self->fail_nth, nth);
		vfio_device_set_decoding(target, true);
		failed = fail_nth_stop(self->fail_nth);
		/* It may have failed before it came so far. */
		ASSERT_EQ(0, vfio_device_set_decoding(target, true));

		there = reaches_through(pair, tables[0], 2 * nth);
		missed += !there;
		EXPECT_TRUE(failed || there);
		EXPECT_EQ(there, reaches_through(pair, tables[1], 2 * nth + 1));

		ASSERT_EQ(0, vfio_device_set_decoding(target, false));
		ASSERT_EQ(0, vfio_device_set_decoding(target, true));
		EXPECT_TRUE(reaches_through(pair, tables[0], 0x5eaf00d5));
		EXPECT_TRUE(reaches_through(pair, tables[1], 0x5eaf00d6));
		ASSERT_EQ(0, destroy_tables(pair, tables));
	}
	EXPECT_FALSE(failed);
	EXPECT_LE(2, missed);
}
