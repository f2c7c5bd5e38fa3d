// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that wait for user memory that does not appear, and everybody else.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <kselftest_harness.h>
#include <linux/vfio.h>

#include "kernel_counters.h"
#include "mock_space.h"
#include "slow_memory.h"
#include "watchdog.h"

/*
 * Nobody who tears something down waits for user memory.
 *
 * A process hangs in a command because memory never appears. Another one then takes
 * away what there is, as drivers do when a device is pulled out. No lock that it needs
 * may be held by the one that hangs.
 */

#define IOVA MOCK_APERTURE_START
#define SIZE (16 * PAGE)
#define FAR (IOVA + HUGE_PAGE)

/*
 * What all processes see. The devices are attached to @other, @table is one more page
 * table of it; slow memory is for @slow_ioas, of which @slow_table is, if there is one.
 */
struct context {
	int fd;
	__u32 slow_ioas;
	__u32 other;
	__u32 slow_table;
	__u32 table;
	struct mock device;
	struct mock sibling;
	struct slow_memory slow;
	int access;
	struct memory memory;
	struct watched hangs;
	struct watched others;
};

static int map_slow(struct context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->slow_ioas, context->slow.start, SIZE,
				    IOMMU_MAP_RW, IOVA);
}

static int prepare_table(struct context *context)
{
	return iommu_hwpt_alloc(context->fd, context->device.idev, context->slow_ioas, 0,
				&context->slow_table);
}

static int attach_sibling(struct context *context)
{
	struct mock mock;

	return mock_join(context->fd, context->slow_ioas, context->device.id, 0, &mock);
}

static int replace(struct context *context)
{
	__u32 pt_id = context->slow_ioas;

	return mock_replace(context->fd, context->device.id, &pt_id);
}

static int alloc_table(struct context *context)
{
	return iommu_hwpt_alloc(context->fd, context->device.idev, context->slow_ioas, 0,
				&context->slow_table);
}

static int alloc_table_with_data(struct context *context)
{
	__u32 hwpt;

	return iommu_hwpt_alloc_data(context->fd, context->device.idev, context->slow_ioas, 0,
				     IOMMU_HWPT_DATA_SELFTEST, context->slow.start,
				     sizeof(struct iommu_hwpt_selftest), &hwpt);
}

static int get_hw_info(struct context *context)
{
	struct iommu_hw_info info;

	return iommu_get_hw_info(context->fd, context->device.idev, context->slow.start,
				 sizeof(struct iommu_test_hw_info), &info);
}

static int pin(struct context *context)
{
	__u32 id;

	return mock_access_pin(context->fd, context->access, IOVA, SIZE, 0, NULL, &id);
}

static int read_memory(struct context *context)
{
	__u8 bytes[PAGE];

	return mock_access_read(context->fd, context->access, IOVA, bytes, sizeof(bytes));
}

FIXTURE(mock_hang)
{
	struct kernel_counters before;
	struct context *context;
	pid_t child;
};

/* @prepare works, @run hangs; meanwhile destroying the device is as @destroy_device says. */
FIXTURE_VARIANT(mock_hang)
{
	int (*prepare)(struct context *context);
	int (*run)(struct context *context);
	int destroy_device;
};

/* The mock driver's own calls keep its object, so a device that they work with is busy. */
FIXTURE_VARIANT_ADD(mock_hang, map) { prepare_table, map_slow, 0 };
FIXTURE_VARIANT_ADD(mock_hang, attach) { map_slow, attach_sibling, -EBUSY };
FIXTURE_VARIANT_ADD(mock_hang, replace) { map_slow, replace, -EBUSY };
FIXTURE_VARIANT_ADD(mock_hang, hwpt_alloc) { map_slow, alloc_table, 0 };
FIXTURE_VARIANT_ADD(mock_hang, hwpt_alloc_data) { prepare_table, alloc_table_with_data, 0 };
FIXTURE_VARIANT_ADD(mock_hang, hw_info) { prepare_table, get_hw_info, 0 };
FIXTURE_VARIANT_ADD(mock_hang, pin) { map_slow, pin, 0 };
FIXTURE_VARIANT_ADD(mock_hang, read) { map_slow, read_memory, 0 };

/* The process that hangs; never returns. */
static void hang(struct context *context, const struct _fixture_variant_mock_hang *variant,
		 int ready)
{
	if (slow_memory_create(&context->slow, SIZE) || variant->prepare(context))
		_exit(1);
	/* It is to hang with nobody left who could help, but whoever was told. */
	if (!fork())
		_exit(slow_memory_wait(&context->slow) || write(ready, "", 1) != 1);
	close(ready);
	watched_begin(&context->hangs, "what hangs");
	variant->run(context);
	_exit(2);
}

static int open_context(struct context *context)
{
	int rc;

	context->fd = iommu_open();
	if (context->fd < 0)
		return context->fd;
	rc = memory_allocate(&context->memory, MEMORY_ANONYMOUS, SIZE);
	if (rc)
		return rc;
	return iommu_ioas_alloc(context->fd, &context->slow_ioas) ? :
	       iommu_ioas_alloc(context->fd, &context->other) ? :
	       mock_attach(context->fd, context->other, &context->device) ? :
	       mock_join(context->fd, context->other, context->device.id, 0,
			 &context->sibling) ? :
	       iommu_hwpt_alloc(context->fd, context->device.idev, context->other, 0,
				&context->table) ? :
	       iommu_ioas_map_fixed(context->fd, context->slow_ioas, context->memory.start,
				    SIZE, IOMMU_MAP_RW, FAR) ? :
	       mock_access_create(context->fd, context->slow_ioas,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
}

/* Whoever else has the pipe says that a command waits for memory. */
static bool wait_for_ready(int ready[2])
{
	char byte;
	bool is_ready;

	close(ready[1]);
	is_ready = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return is_ready;
}

FIXTURE_SETUP(mock_hang)
{
	struct context *context;
	int ready[2];

	self->before = kernel_counters_read();
	context = mmap(NULL, sizeof(*context), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, context);
	self->context = context;
	ASSERT_EQ(0, open_context(context));
	ASSERT_EQ(0, pipe(ready));
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child)
		hang(context, variant, ready[1]);
	ASSERT_TRUE(wait_for_ready(ready));
}

FIXTURE_TEARDOWN(mock_hang)
{
	kill(self->child, SIGKILL);
	watchdog_reap(self->child, watchdog_limit());
	close(self->context->access);
	close(self->context->fd);
	memory_free(&self->context->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int unmap_other_area(struct context *context)
{
	return iommu_ioas_unmap(context->fd, context->slow_ioas, FAR, SIZE, NULL);
}

static int move_access(struct context *context)
{
	return mock_access_replace(context->fd, context->access, context->other);
}

static int destroy_table(struct context *context)
{
	return iommu_destroy(context->fd, context->table);
}

/* Of the IOAS in which something hangs; not there if it is being made just now. */
static int destroy_slow_table(struct context *context)
{
	return context->slow_table ? iommu_destroy(context->fd, context->slow_table) : 0;
}

static int destroy_sibling(struct context *context)
{
	return iommu_destroy(context->fd, context->sibling.id);
}

static int destroy_device(struct context *context)
{
	return iommu_destroy(context->fd, context->device.id);
}

static const struct teardown {
	const char *name;
	int (*run)(struct context *context);
} teardowns[] = {
	{ "unmapping another area", unmap_other_area },
	{ "moving the access to another IOAS", move_access },
	{ "destroying a page table", destroy_table },
	{ "destroying a page table of the same IOAS", destroy_slow_table },
	{ "destroying a device of the same group", destroy_sibling },
	{ "destroying the device", destroy_device },
};

/* Returns the number of the first that did not end as it is to, or 0. */
static int tear_down(struct context *context, int rc_of_device)
{
	unsigned int i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(teardowns); i++) {
		watched_begin(&context->others, teardowns[i].name);
		rc = teardowns[i].run(context);
		if (rc != (teardowns[i].run == destroy_device ? rc_of_device : 0)) {
			printf("# %s: %d\n", teardowns[i].name, rc);
			return i + 1;
		}
	}
	watched_end(&context->others);
	return 0;
}

TEST_F_TIMEOUT(mock_hang, holds_up_nobody_who_tears_down_and_ends_by_SIGKILL, 120)
{
	struct context *context = self->context;
	pid_t others = fork();
	int status;

	ASSERT_LE(0, others);
	if (!others) {
		status = tear_down(context, variant->destroy_device);
		fflush(stdout);
		_exit(status);
	}
	EXPECT_EQ(0, watchdog_run(others, &context->others, 1));
	/* It still hangs. */
	EXPECT_EQ(0, waitpid(self->child, NULL, WNOHANG));
	ASSERT_EQ(0, kill(self->child, SIGKILL));
	status = watchdog_reap(self->child, watchdog_limit());
	if (status == -1)
		watchdog_print(&context->hangs);
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(0, pages_pinned());
}

/* A thread that pins. */
struct pinner {
	struct context *context;
	int rc;
};

static void *run_pin(void *data)
{
	struct pinner *pinner = data;

	pinner->rc = pin(pinner->context);
	return NULL;
}

static int wait_until_it_pins(struct context *context, struct pinner *pinner,
			      pthread_t *thread)
{
	int rc;

	*pinner = (struct pinner){ .context = context };
	rc = open_context(context) ? : slow_memory_create(&context->slow, SIZE) ? :
	     map_slow(context) ? : -pthread_create(thread, NULL, run_pin, pinner);
	return rc ? : slow_memory_wait(&context->slow);
}

TEST(a_pin_that_ends_after_the_access_has_moved_is_ENOENT_and_leaves_nothing)
{
	static const __u8 contents[SIZE];
	struct context context = {};
	struct pinner pinner;
	pthread_t thread = 0;
	__u32 id = 0;

	ASSERT_EQ(0, wait_until_it_pins(&context, &pinner, &thread));
	ASSERT_EQ(0, move_access(&context));
	ASSERT_EQ(0, slow_memory_release(&context.slow, contents));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ENOENT, pinner.rc);
	EXPECT_EQ(0, mock_check_refs(context.fd, context.slow.start, SIZE, 0));
	EXPECT_EQ(0, pages_pinned());

	/* In the other IOAS it works, and that one counts in no other. */
	ASSERT_EQ(0, iommu_ioas_map_fixed(context.fd, context.other, context.memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, mock_access_pin(context.fd, context.access, IOVA, SIZE, 0,
				     context.memory.start, &id));
	EXPECT_EQ(0, mock_access_unpin(context.fd, context.access, id));
	EXPECT_EQ(0, iommu_ioas_unmap(context.fd, context.slow_ioas, IOVA, SIZE, NULL));
	close(context.access);
	close(context.fd);
	slow_memory_free(&context.slow);
}

/*
 * Memory that never appears.
 *
 * A process gets stuck in a command, because the memory that is to be pinned is behind
 * a userfaultfd that nobody serves. Others of the same IOAS go on, and the process can
 * be killed.
 */

#define ROUNDS 50

/* What all processes have in common. */
struct shared {
	struct watched stuck;
	struct watched others;
};

/* @ioas has the slow memory, unless it is about to be mapped; @other is empty. */
struct stuck_context {
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock mock;
	struct slow_memory slow;
	int access;
};

static int map_stuck(struct stuck_context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, context->slow.start, SIZE,
				    IOMMU_MAP_RW, IOVA);
}

static int attach(struct stuck_context *context)
{
	return mock_attach(context->fd, context->ioas, &context->mock);
}

static int attach_other(struct stuck_context *context)
{
	return mock_attach(context->fd, context->other, &context->mock);
}

static int map_and_attach_other(struct stuck_context *context)
{
	return map_stuck(context) ? : attach_other(context);
}

static int replace_stuck(struct stuck_context *context)
{
	__u32 pt_id = context->ioas;

	return mock_replace(context->fd, context->mock.id, &pt_id);
}

static int copy_to_other(struct stuck_context *context)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, SIZE, context->other,
				     IOMMU_MAP_RW, IOVA);
}

static int map_and_create_access(struct stuck_context *context)
{
	return map_stuck(context) ? :
	       mock_access_create(context->fd, context->ioas,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
}

static int pin_stuck(struct stuck_context *context)
{
	__u32 id;

	return mock_access_pin(context->fd, context->access, IOVA, SIZE, 0, NULL, &id);
}

static int read_stuck(struct stuck_context *context)
{
	__u8 bytes[PAGE];

	return mock_access_read(context->fd, context->access, IOVA, bytes, sizeof(bytes));
}

static int write_memory(struct stuck_context *context)
{
	__u8 bytes[PAGE] = {};

	return mock_access_rw(context->fd, context->access, IOVA, bytes, sizeof(bytes),
			      MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH);
}

FIXTURE(mock_slow)
{
	struct kernel_counters before;
	struct shared *shared;
	struct stuck_context context;
	pid_t child;
};

/* @prepare works, @run gets stuck. */
FIXTURE_VARIANT(mock_slow)
{
	int (*prepare)(struct stuck_context *context);
	int (*run)(struct stuck_context *context);
};

FIXTURE_VARIANT_ADD(mock_slow, map) { attach, map_stuck };
FIXTURE_VARIANT_ADD(mock_slow, attach) { map_stuck, attach };
FIXTURE_VARIANT_ADD(mock_slow, replace) { map_and_attach_other, replace_stuck };
FIXTURE_VARIANT_ADD(mock_slow, copy) { map_and_attach_other, copy_to_other };
FIXTURE_VARIANT_ADD(mock_slow, pin) { map_and_create_access, pin_stuck };
FIXTURE_VARIANT_ADD(mock_slow, read) { map_and_create_access, read_stuck };
FIXTURE_VARIANT_ADD(mock_slow, write) { map_and_create_access, write_memory };

/* The process that gets stuck; never returns. */
static void get_stuck(struct _test_data_mock_slow *self,
		      const struct _fixture_variant_mock_slow *variant, int ready)
{
	struct stuck_context *context = &self->context;

	if (slow_memory_create(&context->slow, SIZE) || variant->prepare(context))
		_exit(1);
	/* It is to be stuck with nobody left who could help, but whoever was told. */
	if (!fork())
		_exit(slow_memory_wait(&context->slow) || write(ready, "", 1) != 1);
	close(ready);
	watched_begin(&self->shared->stuck, "what gets stuck");
	variant->run(context);
	_exit(2);
}

FIXTURE_SETUP(mock_slow)
{
	struct stuck_context *context = &self->context;
	int ready[2];

	self->before = kernel_counters_read();
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	context->fd = iommu_open();
	ASSERT_LE(0, context->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(context->fd, &context->ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(context->fd, &context->other));
	ASSERT_EQ(0, pipe(ready));
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child)
		get_stuck(self, variant, ready[1]);
	ASSERT_TRUE(wait_for_ready(ready));
}

FIXTURE_TEARDOWN(mock_slow)
{
	kill(self->child, SIGKILL);
	watchdog_reap(self->child, watchdog_limit());
	close(self->context.fd);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* What other programs do with the same IOAS. Returns 0 or -errno. */
static int use_ioas(struct stuck_context *context, void *memory)
{
	__u8 bytes[PAGE];
	int access, rc;
	__u32 id;

	rc = iommu_ioas_map_fixed(context->fd, context->ioas, memory, SIZE, IOMMU_MAP_RW, FAR) ? :
	     iommu_ioas_copy_fixed(context->fd, context->ioas, FAR, SIZE, context->ioas,
				   IOMMU_MAP_RW, FAR + SIZE) ? :
	     mock_access_create(context->fd, context->ioas,
				MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &access);
	if (rc)
		return rc;
	rc = mock_access_pin(context->fd, access, FAR, SIZE, 0, memory, &id) ? :
	     mock_access_read(context->fd, access, FAR + SIZE, bytes, sizeof(bytes));
	close(access);
	return rc ? : iommu_ioas_unmap(context->fd, context->ioas, FAR, 2 * SIZE, NULL);
}

/* The process that others are; never returns. */
static void use_ioas_and_exit(struct _test_data_mock_slow *self)
{
	struct memory memory;
	int i, rc;

	rc = memory_allocate(&memory, MEMORY_ANONYMOUS, SIZE);
	for (i = 0; i < ROUNDS && !rc; i++) {
		watched_begin(&self->shared->others, "what others do");
		rc = use_ioas(&self->context, memory.start);
	}
	_exit(-rc);
}

TEST_F_TIMEOUT(mock_slow, others_use_the_same_ioas_meanwhile, 60)
{
	pid_t others = fork();

	ASSERT_LE(0, others);
	if (!others)
		use_ioas_and_exit(self);
	EXPECT_EQ(0, watchdog_run(others, &self->shared->others, 1));
	/* It still is. */
	EXPECT_EQ(0, waitpid(self->child, NULL, WNOHANG));
}

/* What a container's program does; never returns. */
static void unmap_and_exit(struct _test_data_mock_slow *self)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = IOVA,
		.size = SIZE,
	};

	watched_begin(&self->shared->others, "unmap as in a container");
	_exit(ioctl(self->context.fd, VFIO_IOMMU_UNMAP_DMA, &unmap) ? errno : 0);
}

TEST_F_TIMEOUT(mock_slow, is_waited_for_by_whoever_unmaps_as_in_a_container, 60)
{
	pid_t others;
	int status;

	ASSERT_EQ(0, iommu_vfio_ioas_set(self->context.fd, self->context.ioas));
	others = fork();
	ASSERT_LE(0, others);
	if (!others)
		unmap_and_exit(self);
	usleep(100000);
	ASSERT_EQ(0, kill(self->child, SIGKILL));
	status = watchdog_reap(others, watchdog_limit());
	if (status == -1)
		watchdog_print(&self->shared->others);
	EXPECT_EQ(0, status);
}

TEST_F_TIMEOUT(mock_slow, its_process_can_be_killed_and_leaves_the_ioas_usable, 60)
{
	struct memory memory;
	int status;

	ASSERT_EQ(0, kill(self->child, SIGKILL));
	status = watchdog_reap(self->child, watchdog_limit());
	if (status == -1)
		watchdog_print(&self->shared->stuck);
	ASSERT_TRUE(status != -1 && WIFSIGNALED(status));
	ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, SIZE));
	EXPECT_EQ(0, use_ioas(&self->context, memory.start));
	memory_free(&memory);
}

/* One of two threads that pin the same memory. */
struct stuck_pinner {
	struct stuck_context *context;
	pthread_t thread;
	__u32 pages;
	int access;
	int rc;
	atomic_bool done;
};

static void *pin_it(void *data)
{
	struct stuck_pinner *pinner = data;
	struct stuck_context *context = pinner->context;

	pinner->rc = mock_access_pin(context->fd, pinner->access, IOVA, SIZE, 0,
				     context->slow.start, &pinner->pages);
	pinner->done = true;
	return NULL;
}

static int start_to_pin(struct stuck_pinner *pinner, struct stuck_context *context)
{
	int rc;

	*pinner = (struct stuck_pinner){ .context = context };
	rc = mock_access_create(context->fd, context->ioas,
				MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &pinner->access);
	return rc ? : -pthread_create(&pinner->thread, NULL, pin_it, pinner);
}

TEST(memory_that_two_wait_for_is_pinned_once)
{
	struct stuck_context context = { .fd = iommu_open() };
	static const __u8 contents[SIZE];
	struct stuck_pinner pinners[2];
	int i;

	ASSERT_LE(0, context.fd);
	ASSERT_EQ(0, iommu_ioas_alloc(context.fd, &context.ioas));
	ASSERT_EQ(0, slow_memory_create(&context.slow, SIZE));
	ASSERT_EQ(0, map_stuck(&context));
	ASSERT_EQ(0, start_to_pin(&pinners[0], &context));
	ASSERT_EQ(0, slow_memory_wait(&context.slow));
	ASSERT_EQ(0, start_to_pin(&pinners[1], &context));
	usleep(100000);
	ASSERT_FALSE(atomic_load(&pinners[0].done));
	ASSERT_FALSE(atomic_load(&pinners[1].done));
	ASSERT_EQ(0, slow_memory_release(&context.slow, contents));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(pinners[i].thread, NULL));
		ASSERT_EQ(0, pinners[i].rc);
	}
	ASSERT_EQ(0, mock_check_refs(context.fd, context.slow.start, SIZE, 1));
	close(pinners[0].access);
	ASSERT_EQ(0, mock_check_refs(context.fd, context.slow.start, SIZE, 1));
	close(pinners[1].access);
	ASSERT_EQ(0, mock_check_refs(context.fd, context.slow.start, SIZE, 0));
	close(context.fd);
}

TEST_HARNESS_MAIN
