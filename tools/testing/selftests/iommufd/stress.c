// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for a while, and then nothing is left.
 *
 * Owns the rule that any number of threads may send any commands: each is answered
 * with one of the errors it may give, and what is in use in the kernel is the same
 * before and after, also if the process is killed in the middle.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "kernel_counters.h"
#include "privilege.h"
#include "watchdog.h"

#define THREADS 6
#define SECONDS 6
#define KILLS 12
/* For those that are killed */
#define FOREVER 3600

/* Ids and IOVAs are few, so that threads meet. */
#define IDS 8
#define SLOTS 24
#define SLOT_SIZE (8 * PAGE_BYTES)
#define IOVA 0x40000000UL

/* Whole huge pages, though only SLOTS are used. */
#define MEMORY_SIZE MEMORY_HUGE_PAGE_SIZE

enum action { CREATE, DESTROY, MAP, MAP_ANYWHERE, UNMAP, UNMAP_ALL, COPY, ALLOW, RANGES, OPTION,
	      ALLOC_HWPT, ATTACH, DETACH, ACTIONS };

/* The errors that other threads can cause. */
static const struct {
	const char *name;
	unsigned int weight;
	int errors[6];
} actions[ACTIONS] = {
	[CREATE] = { "create", 4, { } },
	[DESTROY] = { "destroy", 2, { -ENOENT, -EBUSY } },
	[MAP] = { "map", 20, { -ENOENT, -EEXIST } },
	[MAP_ANYWHERE] = { "map anywhere", 6, { -ENOENT, -ENOSPC } },
	[UNMAP] = { "unmap", 20, { -ENOENT, -EBUSY } },
	[UNMAP_ALL] = { "unmap all", 2, { -ENOENT, -EBUSY } },
	[COPY] = { "copy", 20, { -ENOENT, -EEXIST } },
	[ALLOW] = { "allow", 1, { -ENOENT } },
	[RANGES] = { "ranges", 2, { -ENOENT } },
	[OPTION] = { "option", 1, { -ENOENT, -EINVAL } },
	/* The id may be of a page table. */
	[ALLOC_HWPT] = { "alloc HWPT", 2, { -EINVAL, -EOPNOTSUPP } },
	/* The device's own id is among the ids, and an HWPT may be going away. */
	[ATTACH] = { "attach", 4, { -ENOENT, -EINVAL, -EBUSY } },
	[DETACH] = { "detach", 2, { } },
};

/* What all threads work on. */
struct stress {
	struct attachment *attachment;
	__u8 *memory;
	time_t end;
	/* Of each action: how often it worked, and errors that must not be. */
	unsigned int worked[ACTIONS];
	int wrong[ACTIONS];
};

struct worker {
	pthread_t thread;
	struct stress *stress;
	__u64 random;
};

static __u32 random_below(struct worker *worker, __u32 limit)
{
	worker->random = worker->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (worker->random >> 33) % limit;
}

static enum action random_action(struct worker *worker)
{
	unsigned int total = 0, i, chosen;

	for (i = 0; i < ACTIONS; i++)
		total += actions[i].weight;
	chosen = random_below(worker, total);
	for (i = 0; chosen >= actions[i].weight; i++)
		chosen -= actions[i].weight;
	return i;
}

static int do_map(struct worker *worker, int fd, __u32 ioas, __u64 iova)
{
	__u8 *start = worker->stress->memory + random_below(worker, SLOTS) * SLOT_SIZE;

	return iommu_ioas_map_fixed(fd, ioas, start,
				    (1 + random_below(worker, 8)) * PAGE_BYTES,
				    IOMMU_MAP_RW, iova);
}

static int do_allow(struct worker *worker, int fd, __u32 ioas)
{
	struct iommu_iova_range range = { IOVA, IOVA + 4 * SLOTS * SLOT_SIZE - 1 };

	return iommu_ioas_allow_iovas(fd, ioas, &range, random_below(worker, 2));
}

/* Only those that the other threads guess the id of stay. */
static int do_alloc_hwpt(struct attachment *attachment, __u32 ioas)
{
	__u32 hwpt;
	int rc = iommu_hwpt_alloc(attachment->iommufd, attachment->edu.device.id, ioas, 0, &hwpt);

	if (!rc && hwpt > IDS)
		iommu_destroy(attachment->iommufd, hwpt);
	return rc;
}

static int do_action(struct worker *worker, enum action action)
{
	struct attachment *attachment = worker->stress->attachment;
	__u64 iova = IOVA + random_below(worker, SLOTS) * SLOT_SIZE;
	__u32 ioas = 1 + random_below(worker, IDS), id, count = 4;
	struct iommu_iova_range ranges[4];
	int fd = attachment->iommufd;

	switch (action) {
	case CREATE:
		return iommu_ioas_alloc(fd, &id);
	case DESTROY:
		return iommu_destroy(fd, ioas);
	case MAP:
		return do_map(worker, fd, ioas, iova);
	case MAP_ANYWHERE:
		return iommu_ioas_map(fd, ioas, worker->stress->memory, SLOT_SIZE,
				      IOMMU_IOAS_MAP_READABLE, &iova);
	case UNMAP:
		return iommu_ioas_unmap(fd, ioas, iova, 2 * SLOT_SIZE, NULL);
	case UNMAP_ALL:
		return iommu_ioas_unmap_all(fd, ioas, NULL);
	case COPY:
		return iommu_ioas_copy_fixed(fd, ioas, iova, PAGE_BYTES,
					     1 + random_below(worker, IDS),
					     IOMMU_IOAS_MAP_READABLE,
					     IOVA + random_below(worker, SLOTS) * SLOT_SIZE);
	case ALLOW:
		return do_allow(worker, fd, ioas);
	case RANGES:
		return iommu_ioas_iova_ranges(fd, ioas, ranges, &count, NULL);
	case OPTION:
		return iommu_option_set(fd, IOMMU_OPTION_HUGE_PAGES, ioas,
					random_below(worker, 2));
	case ALLOC_HWPT:
		return do_alloc_hwpt(attachment, ioas);
	case ATTACH:
		return attachment_attach(attachment, ioas);
	default:
		return attachment_detach(attachment);
	}
}

static bool may_happen(enum action action, int rc)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions[action].errors); i++)
		if (rc == actions[action].errors[i])
			return true;
	return false;
}

/* Which action has not worked yet; NULL: none. */
static const char *stress_lacks(const struct stress *stress)
{
	unsigned int i;

	for (i = 0; i < ACTIONS; i++)
		if (!__atomic_load_n(&stress->worked[i], __ATOMIC_RELAXED))
			return actions[i].name;
	return NULL;
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct stress *stress = worker->stress;

	while (watchdog_goes_on(stress->end, !stress_lacks(stress))) {
		enum action action = random_action(worker);
		int rc = do_action(worker, action);

		if (!rc)
			__atomic_add_fetch(&stress->worked[action], 1, __ATOMIC_RELAXED);
		else if (!may_happen(action, rc))
			__atomic_store_n(&stress->wrong[action], rc, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Runs the threads to the end. Returns 0 or an errno of pthread_create(). */
static int stress_run(struct stress *stress, __u64 seed)
{
	struct worker workers[THREADS];
	int i, rc = 0, count = 0;

	for (i = 0; i < THREADS && !rc; i++) {
		workers[i] = (struct worker){ .stress = stress, .random = seed + i };
		rc = pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]);
		count += !rc;
	}
	for (i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	return rc;
}

FIXTURE(stress)
{
	struct kernel_counters before;
};

FIXTURE_VARIANT(stress)
{
	enum memory_kind kind;
	__u64 mode;
};

FIXTURE_VARIANT_ADD(stress, anonymous)
{
	.kind = MEMORY_ANONYMOUS, .mode = 0,
};

FIXTURE_VARIANT_ADD(stress, hugetlb_by_process)
{
	.kind = MEMORY_HUGETLB, .mode = 1,
};

FIXTURE_SETUP(stress)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_LE(0, self->before.page_tables);
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_TRUE(kernel_counters_settle(&self->before));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
}

/* What the other tests compare is worth something only if it moves. */
TEST_F(stress, counters_notice_what_is_in_use)
{
	struct attachment attachment;
	struct kernel_counters now;
	struct memory memory;

	ASSERT_EQ(0, memory_allocate(&memory, variant->kind, MEMORY_SIZE));
	ASSERT_EQ(0, attachment_open(&attachment, topology.own[0].name, variant->mode));
	ASSERT_EQ(0, attachment_attach(&attachment, attachment.ioas));
	ASSERT_EQ(0, attachment_map(&attachment, memory.start, SLOT_SIZE, IOMMU_MAP_RW, IOVA));
	now = kernel_counters_read();
	EXPECT_LT(self->before.pins, now.pins);
	EXPECT_LT(self->before.page_tables, now.page_tables);
	EXPECT_EQ(self->before.huge_pages - (variant->kind == MEMORY_HUGETLB), now.huge_pages);
	attachment_close(&attachment);
	memory_free(&memory);
}

TEST_F_TIMEOUT(stress, threads_do_everything_at_once, 120)
{
	struct attachment attachment;
	struct memory memory;
	struct stress stress = { .attachment = &attachment };
	int i;

	ASSERT_EQ(0, memory_allocate(&memory, variant->kind, MEMORY_SIZE));
	stress.memory = memory.start;
	ASSERT_EQ(0, attachment_open(&attachment, topology.own[0].name, variant->mode));
	stress.end = watchdog_now() + SECONDS;
	ASSERT_EQ(0, stress_run(&stress, 1));
	attachment_close(&attachment);
	memory_free(&memory);
	for (i = 0; i < ACTIONS; i++) {
		ksft_print_msg("%-12s worked %u times\n", actions[i].name, stress.worked[i]);
		ASSERT_EQ(0, stress.wrong[i]);
	}
	if (stress_lacks(&stress))
		SKIP(return, "'%s' has not worked once, is the machine busy?",
		     stress_lacks(&stress));
}

/* A process that stresses a context of its own until it is killed; never returns. */
static void stress_until_killed(enum memory_kind kind, __u64 mode, uid_t user, int ready,
				__u64 seed)
{
	struct attachment attachment;
	struct memory memory;
	struct stress stress = { .attachment = &attachment };

	if (memory_allocate(&memory, kind, MEMORY_SIZE) ||
	    attachment_open(&attachment, topology.own[0].name, mode) ||
	    privilege_drop(user) || write(ready, "", 1) != 1)
		_exit(1);
	stress.memory = memory.start;
	stress.end = watchdog_now() + FOREVER;
	_exit(2 + !!stress_run(&stress, seed));
}

TEST_F_TIMEOUT(stress, killed_in_the_middle_leaves_nothing, 240)
{
	uid_t user = privilege_fresh_user();
	int i, status, ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, privilege_limit_memlock(RLIM_INFINITY));
	for (i = 0; i < KILLS; i++) {
		ASSERT_EQ(0, pipe(ready));
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			stress_until_killed(variant->kind, variant->mode, user, ready[1], i);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(20000 + 50000 * i);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		close(ready[0]);
		close(ready[1]);
		ASSERT_TRUE(kernel_counters_settle(&self->before));
	}
}

/* Pins exactly the limit as @user. Returns 0 or -errno. */
static int pin_up_to_the_limit(uid_t user, struct memory *memory, __u64 mode)
{
	struct attachment attachment;
	int rc = attachment_open(&attachment, topology.own[0].name, mode);

	if (rc)
		return rc;
	rc = attachment_attach(&attachment, attachment.ioas);
	if (!rc && privilege_drop(user))
		rc = -errno;
	if (!rc)
		rc = attachment_map(&attachment, memory->start, memory->size, IOMMU_MAP_RW, IOVA);
	if (privilege_restore())
		rc = -errno;
	attachment_close(&attachment);
	return rc;
}

TEST_F_TIMEOUT(stress, killed_in_the_middle_owes_nothing, 240)
{
	uid_t user = privilege_fresh_user();
	struct memory memory;
	int i, ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	for (i = 0; i < 4; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			stress_until_killed(variant->kind, variant->mode, user, ready[1], i);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(300000);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, NULL, 0));
	}
	ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, 64 * PAGE_BYTES));
	ASSERT_EQ(0, privilege_limit_memlock(memory.size));
	EXPECT_EQ(0, pin_up_to_the_limit(user, &memory, variant->mode));
	ASSERT_EQ(0, privilege_limit_memlock(memory.size - 1));
	EXPECT_EQ(-ENOMEM, pin_up_to_the_limit(user, &memory, variant->mode));
	memory_free(&memory);
}

/* Everything a context can have, many times, and then the kernel is no larger. */
static int use_context(struct memory *memory, __u64 mode)
{
	struct attachment attachment;
	__u64 iova;
	int i, rc;

	rc = attachment_open(&attachment, topology.own[0].name, mode);
	if (rc)
		return rc;
	for (i = 0; i < 200 && !rc; i++)
		rc = attachment_map(&attachment, memory->start, SLOT_SIZE, IOMMU_MAP_RW,
				    IOVA + i * SLOT_SIZE);
	if (!rc)
		rc = attachment_attach(&attachment, attachment.ioas);
	for (i = 0; i < 100 && !rc; i++)
		rc = iommu_ioas_copy(attachment.iommufd, attachment.ioas,
				     IOVA + i * SLOT_SIZE + PAGE_BYTES, SLOT_SIZE,
				     attachment.ioas, IOMMU_MAP_RW, &iova);
	for (i = 100; i < 150 && !rc; i++)
		rc = attachment_unmap(&attachment, IOVA + i * SLOT_SIZE, SLOT_SIZE);
	attachment_close(&attachment);
	return rc;
}

TEST_F_TIMEOUT(stress, contexts_come_and_go_and_the_kernel_does_not_grow, 240)
{
	struct kernel_counters before;
	struct memory memory;
	int i;

	ASSERT_EQ(0, memory_allocate(&memory, variant->kind, MEMORY_SIZE));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, use_context(&memory, variant->mode));
	before = kernel_counters_read();
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, use_context(&memory, variant->mode));
	memory_free(&memory);
	/* 10000 mappings and 5000 copies: one forgotten object of each is far more. */
	EXPECT_TRUE(kernel_counters_slab_settles(&before));
}
