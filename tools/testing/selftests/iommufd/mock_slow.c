// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that never appears.
 *
 * A process gets stuck in a command, because the memory that is to be pinned is behind
 * a userfaultfd that nobody serves. Others of the same IOAS go on, and the process can
 * be killed.
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

#define IOVA MOCK_APERTURE_START
#define SIZE (16 * PAGE)
#define FAR (IOVA + HUGE_PAGE)
#define ROUNDS 50

/* What all processes have in common. */
struct shared {
	struct watched stuck;
	struct watched others;
};

/* @ioas has the slow memory, unless it is about to be mapped; @other is empty. */
struct context {
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock mock;
	struct slow_memory slow;
	int access;
};

static int map_slow(struct context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, context->slow.start, SIZE,
				    IOMMU_MAP_RW, IOVA);
}

static int attach(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->mock);
}

static int attach_other(struct context *context)
{
	return mock_attach(context->fd, context->other, &context->mock);
}

static int map_and_attach_other(struct context *context)
{
	return map_slow(context) ? : attach_other(context);
}

static int replace(struct context *context)
{
	__u32 pt_id = context->ioas;

	return mock_replace(context->fd, context->mock.id, &pt_id);
}

static int copy_to_other(struct context *context)
{
	return iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, SIZE, context->other,
				     IOMMU_MAP_RW, IOVA);
}

static int map_and_create_access(struct context *context)
{
	return map_slow(context) ? :
	       mock_access_create(context->fd, context->ioas,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
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

static int write_memory(struct context *context)
{
	__u8 bytes[PAGE] = {};

	return mock_access_rw(context->fd, context->access, IOVA, bytes, sizeof(bytes),
			      MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH);
}

FIXTURE(mock_slow)
{
	struct kernel_counters before;
	struct shared *shared;
	struct context context;
	pid_t child;
};

/* @prepare works, @run gets stuck. */
FIXTURE_VARIANT(mock_slow)
{
	int (*prepare)(struct context *context);
	int (*run)(struct context *context);
};

FIXTURE_VARIANT_ADD(mock_slow, map) { attach, map_slow };
FIXTURE_VARIANT_ADD(mock_slow, attach) { map_slow, attach };
FIXTURE_VARIANT_ADD(mock_slow, replace) { map_and_attach_other, replace };
FIXTURE_VARIANT_ADD(mock_slow, copy) { map_and_attach_other, copy_to_other };
FIXTURE_VARIANT_ADD(mock_slow, pin) { map_and_create_access, pin };
FIXTURE_VARIANT_ADD(mock_slow, read) { map_and_create_access, read_memory };
FIXTURE_VARIANT_ADD(mock_slow, write) { map_and_create_access, write_memory };

/* The process that gets stuck; never returns. */
static void get_stuck(struct _test_data_mock_slow *self,
		      const struct _fixture_variant_mock_slow *variant, int ready)
{
	struct context *context = &self->context;

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
	struct context *context = &self->context;
	int ready[2];
	char byte;

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
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	close(ready[0]);
}

FIXTURE_TEARDOWN(mock_slow)
{
	kill(self->child, SIGKILL);
	watchdog_reap(self->child, watchdog_limit());
	close(self->context.fd);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* What other programs do with the same IOAS. Returns 0 or -errno. */
static int use_ioas(struct context *context, void *memory)
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
struct pinner {
	struct context *context;
	pthread_t thread;
	__u32 pages;
	int access;
	int rc;
	atomic_bool done;
};

static void *pin_it(void *data)
{
	struct pinner *pinner = data;
	struct context *context = pinner->context;

	pinner->rc = mock_access_pin(context->fd, pinner->access, IOVA, SIZE, 0,
				     context->slow.start, &pinner->pages);
	pinner->done = true;
	return NULL;
}

static int start_to_pin(struct pinner *pinner, struct context *context)
{
	int rc;

	*pinner = (struct pinner){ .context = context };
	rc = mock_access_create(context->fd, context->ioas,
				MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &pinner->access);
	return rc ? : -pthread_create(&pinner->thread, NULL, pin_it, pinner);
}

TEST(memory_that_two_wait_for_is_pinned_once)
{
	struct context context = { .fd = iommu_open() };
	static const __u8 contents[SIZE];
	struct pinner pinners[2];
	int i;

	ASSERT_LE(0, context.fd);
	ASSERT_EQ(0, iommu_ioas_alloc(context.fd, &context.ioas));
	ASSERT_EQ(0, slow_memory_create(&context.slow, SIZE));
	ASSERT_EQ(0, map_slow(&context));
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
