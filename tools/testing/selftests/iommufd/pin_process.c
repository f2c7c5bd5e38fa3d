// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who pays for pinned pages, and memory of one process that another one attaches.
 *
 * Owns the rules of RLIMIT_MEMLOCK: who pays, when, and what happens to those who
 * cannot; each is tested for both ways of charging, by user and by process, unless
 * they differ in it. And of whose memory is pinned, and of processes that are gone.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"
#include "peer.h"
#include "privilege.h"

#define IOVA 0x40000000UL
#define LIMIT 512
#define SIZE (LIMIT * PAGE_BYTES)

FIXTURE(pin_limit)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct memory memory;
	uid_t user;
};

/* 0: by user, 1: by process. */
FIXTURE_VARIANT(pin_limit)
{
	__u64 mode;
};

FIXTURE_VARIANT_ADD(pin_limit, user)
{
	.mode = 0,
};

FIXTURE_VARIANT_ADD(pin_limit, process)
{
	.mode = 1,
};

FIXTURE_SETUP(pin_limit)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, variant->mode));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * SIZE));
	ASSERT_EQ(0, privilege_limit_memlock(SIZE));
	self->user = privilege_fresh_user();
}

FIXTURE_TEARDOWN(pin_limit)
{
	EXPECT_EQ(0, privilege_restore());
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* Maps without privileges, which is what makes the limit count. */
static int map_part_as(struct _test_data_pin_limit *self, uid_t user, __u64 first, __u64 pages,
		       __u64 iova)
{
	int rc;

	if (privilege_drop(user))
		return -errno;
	rc = attachment_map(&self->attachment, self->memory.start + first * PAGE_BYTES,
			    pages * PAGE_BYTES, IOMMU_MAP_RW, iova);
	if (privilege_restore())
		return -errno;
	return rc;
}

static int map_as(struct _test_data_pin_limit *self, uid_t user, __u64 pages, __u64 iova)
{
	return map_part_as(self, user, 0, pages, iova);
}

/* From another page of the memory than the first. */
static int map_at(struct _test_data_pin_limit *self, __u64 first, __u64 pages, __u64 iova)
{
	return map_part_as(self, self->user, first, pages, iova);
}

static int map(struct _test_data_pin_limit *self, __u64 pages, __u64 iova)
{
	return map_as(self, self->user, pages, iova);
}

static int unmap(struct _test_data_pin_limit *self, __u64 pages, __u64 iova)
{
	return attachment_unmap(&self->attachment, iova, pages * PAGE_BYTES);
}

/* What VmLck should show for so many pages. */
static long expected_locked(__u64 mode, long pages)
{
	return mode ? pages : 0;
}

TEST_F(pin_limit, can_be_used_up_to_the_last_page)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
}

TEST_F(pin_limit, one_page_more_is_ENOMEM_and_changes_nothing)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(-ENOENT, unmap(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(pin_limit, counts_all_mappings)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT - 1, IOVA));
	ASSERT_EQ(0, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + 2 * SIZE));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
}

TEST_F(pin_limit, unmap_gives_back_again_and_again)
{
	int i;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		ASSERT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
		ASSERT_EQ(0, unmap(self, LIMIT, IOVA));
		ASSERT_EQ(0, pages_locked());
	}
}

TEST_F(pin_limit, failures_cost_nothing)
{
	int i;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	/* Over the limit, whatever else is wrong, and memory that is not there. */
	ASSERT_EQ(0, munmap(self->memory.start + SIZE, PAGE_BYTES));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
		ASSERT_EQ(-EFAULT, map_at(self, 1, LIMIT, IOVA));
		ASSERT_EQ(-EEXIST, map(self, 1, IOVA) ?: map(self, LIMIT, IOVA));
		ASSERT_EQ(0, unmap(self, 1, IOVA));
	}
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(pin_limit, is_looked_at_when_pages_are_pinned_not_before)
{
	ASSERT_EQ(0, map(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(-ENOMEM, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, self->attachment.ioas));
	ASSERT_EQ(0, unmap(self, LIMIT + 1, IOVA));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
}

TEST_F(pin_limit, attach_over_the_limit_in_sum_is_ENOMEM_and_pins_nothing)
{
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	ASSERT_EQ(0, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(-ENOMEM, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	ASSERT_EQ(0, unmap(self, 1, IOVA + SIZE));
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(LIMIT, pages_pinned());
}

TEST_F(pin_limit, detach_gives_back)
{
	int i;

	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, attachment_attach_own(&self->attachment));
		ASSERT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
		ASSERT_EQ(0, attachment_detach(&self->attachment));
		ASSERT_EQ(0, pages_locked());
	}
}

TEST_F(pin_limit, close_gives_back)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, attachment_attach_own(&self->attachment));
		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		attachment_close(&self->attachment);
		ASSERT_EQ(0, pages_locked());
		ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name,
					     variant->mode));
	}
}

TEST_F(pin_limit, limit_is_the_one_at_pin_time)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
	ASSERT_EQ(0, privilege_limit_memlock(SIZE + PAGE_BYTES));
	ASSERT_EQ(0, map(self, LIMIT + 1, IOVA));
	/* Lowering it takes nothing away, but nothing more is given. */
	ASSERT_EQ(0, privilege_limit_memlock(0));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + 2 * SIZE));
	EXPECT_EQ(LIMIT + 1, pages_pinned());
}

TEST_F(pin_limit, limit_of_zero_allows_nothing)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, privilege_limit_memlock(0));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA));
	ASSERT_EQ(0, privilege_limit_memlock(PAGE_BYTES - 1));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA));
	ASSERT_EQ(0, privilege_limit_memlock(PAGE_BYTES));
	EXPECT_EQ(0, map(self, 1, IOVA));
}

TEST_F(pin_limit, unlimited_is_unlimited)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, privilege_limit_memlock(RLIM_INFINITY));
	EXPECT_EQ(0, map(self, 2 * LIMIT, IOVA));
}

TEST_F(pin_limit, copies_are_charged_once)
{
	struct attachment *attachment = &self->attachment;
	__u64 i;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	for (i = 1; i < 5; i++)
		ASSERT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas,
						   IOVA, SIZE, attachment->ioas,
						   IOMMU_MAP_RW, IOVA + i * SIZE));
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	ASSERT_EQ(0, unmap(self, 4 * LIMIT, IOVA));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA));
	ASSERT_EQ(0, unmap(self, LIMIT, IOVA + 4 * SIZE));
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(pin_limit, CAP_IPC_LOCK_is_exempt_but_counted_as_pinned)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, 2 * SIZE,
				    IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(2 * LIMIT, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	/* And takes nothing from those who pay. */
	EXPECT_EQ(0, map(self, LIMIT, IOVA + 2 * SIZE));
}

TEST_F(pin_limit, CAP_IPC_LOCK_of_the_one_who_attaches_does_not_help)
{
	ASSERT_EQ(0, map(self, LIMIT + 1, IOVA));
	/* This is root again. */
	EXPECT_EQ(-ENOMEM, attachment_attach_own(&self->attachment));
}

TEST_F(pin_limit, CAP_IPC_LOCK_of_the_time_of_the_map_counts)
{
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, 2 * SIZE,
				    IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, privilege_drop(self->user));
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, privilege_restore());
	EXPECT_EQ(2 * LIMIT, pages_pinned());
}

TEST_F(pin_limit, replace_to_a_second_table_charges_once)
{
	struct attachment *attachment = &self->attachment;
	__u32 other;

	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	ASSERT_EQ(0, iommu_ioas_alloc(attachment->iommufd, &other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
					   other, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, attachment_attach(attachment, other));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	ASSERT_EQ(0, unmap(self, LIMIT, IOVA));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA) ?: attachment_attach_own(&self->attachment));
}

/* Maps in a child that has the limit of its own. Returns a positive errno or 0. */
static int map_in_child(struct _test_data_pin_limit *self, __u64 pages, __u64 iova)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(-map(self, pages, iova));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

TEST_F(pin_limit, processes_of_one_user_share_it_only_if_charged_by_user)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(variant->mode ? 0 : ENOMEM, map_in_child(self, 1, IOVA + SIZE));
}

TEST_F(pin_limit, pages_of_a_dead_process_are_charged_until_they_are_unmapped)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map_in_child(self, LIMIT, IOVA));
	/* The user still pays, the process cannot. */
	EXPECT_EQ(variant->mode ? 0 : -ENOMEM, map(self, 1, IOVA + SIZE));
	ASSERT_EQ(0, unmap(self, LIMIT, IOVA));
	EXPECT_EQ(0, map(self, LIMIT - 1, IOVA));
}

TEST_F(pin_limit, users_have_one_each_unless_charged_by_process)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(variant->mode ? -ENOMEM : 0,
		  map_as(self, self->user + 1000000, 1, IOVA + SIZE));
}

TEST_F(pin_limit, contexts_share_it)
{
	struct attachment second;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	ASSERT_EQ(0, attachment_open(&second, topology.own[1].name, variant->mode));
	ASSERT_EQ(0, attachment_attach(&second, second.ioas));
	ASSERT_EQ(0, privilege_drop(self->user));
	EXPECT_EQ(-ENOMEM, attachment_map(&second, self->memory.start, PAGE_BYTES,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, privilege_restore());
	attachment_close(&second);
}

TEST_F(pin_limit, mlock_shares_it_if_charged_by_process)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, mlock(self->memory.start, 10 * PAGE_BYTES));
	EXPECT_EQ(variant->mode ? -ENOMEM : 0, map(self, LIMIT, IOVA));
	EXPECT_EQ(0, munlock(self->memory.start, 10 * PAGE_BYTES));
	if (variant->mode)
		EXPECT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
}

TEST_F(pin_limit, huge_pages_count_as_small_ones)
{
	struct memory huge;

	ASSERT_EQ(0, memory_allocate(&huge, MEMORY_HUGETLB, MEMORY_HUGE_PAGE_SIZE));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, privilege_drop(self->user));
	/* LIMIT is what one of them has. */
	EXPECT_EQ(0, attachment_map(&self->attachment, huge.start, MEMORY_HUGE_PAGE_SIZE,
				    IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, privilege_restore());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
	memory_free(&huge);
}

/* A thread that maps and ends; its process stays. */
static void *map_in_thread(void *self)
{
	return (void *)(long)attachment_map(&((struct _test_data_pin_limit *)self)->attachment,
					    ((struct _test_data_pin_limit *)self)->memory.start,
					    SIZE, IOMMU_MAP_RW, IOVA);
}

TEST_F(pin_limit, thread_that_mapped_may_be_gone)
{
	pthread_t thread;
	void *result;

	/* Also changes the user of the thread: setresuid() is for the whole process. */
	ASSERT_EQ(0, privilege_drop(self->user));
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_in_thread, self));
	ASSERT_EQ(0, pthread_join(thread, &result));
	ASSERT_EQ(0, privilege_restore());
	ASSERT_EQ(0, (long)result);
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
}

FIXTURE(pin_process)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	struct peer peer;
	__u32 ioas;
	__u32 other;
	int fd;
};

FIXTURE_SETUP(pin_process)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	/* The peer is older than the context: it knows it from a message only. */
	ASSERT_EQ(0, peer_start(&self->peer));
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->ioas = self->attachment.ioas;
	self->fd = self->attachment.iommufd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu, self->fd,
					self->ioas));
	ASSERT_EQ(0, edu_staging_map(&self->staging, self->fd, self->other));
	ASSERT_EQ(0, peer_meet(&self->peer, self->fd));
}

FIXTURE_TEARDOWN(pin_process)
{
	peer_end(&self->peer, SIGTERM);
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	edu_staging_destroy(&self->staging);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int peer_map(struct _test_data_pin_process *self, __u32 ioas, __u64 iova)
{
	return peer_order(&self->peer, PEER_MAP, ioas, iova);
}

/* The device finds there what the peer has filled its memory with. */
static bool reads_memory_of_peer(struct _test_data_pin_process *self, __u64 iova)
{
	return device_reads(&self->staging, iova, NULL, PEER_SEED);
}

TEST_F(pin_process, memory_is_that_of_the_process_that_mapped)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, any_process_can_unmap)
{
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, copy_by_another_process_is_still_memory_of_the_first)
{
	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, PEER_SIZE, self->ioas,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, memory_freed_before_the_attach_is_EFAULT)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, peer_order(&self->peer, PEER_FREE, 0, 0));
	EXPECT_EQ(-EFAULT, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin_process, attach_after_its_exit_is_EFAULT_and_changes_nothing)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	peer_end(&self->peer, SIGTERM);
	EXPECT_EQ(-EFAULT, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(is_unreserved(self->fd, self->ioas));
	/* What the dead have mapped can be unmapped, and then all is well. */
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
	EXPECT_EQ(0, attachment_attach_own(&self->attachment));
}

TEST_F(pin_process, attach_after_its_exec_is_EFAULT)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	/* The socket is closed on exec: no answer means it has happened. */
	ASSERT_EQ(1, peer_order(&self->peer, PEER_EXECUTE, 0, 0));
	EXPECT_EQ(-EFAULT, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, pinned_memory_survives_its_exit)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	peer_end(&self->peer, SIGKILL);
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
}

TEST_F(pin_process, copies_of_pinned_memory_work_after_its_exit)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	peer_end(&self->peer, SIGKILL);
	/* In the same space, and in one that gets its page table afterwards. */
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, PEER_SIZE, self->ioas,
					   IOMMU_MAP_RW, IOVA + PEER_SIZE));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA + PEER_SIZE));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, PEER_SIZE, self->other,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, memory_that_was_unpinned_after_its_exit_is_lost)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	peer_end(&self->peer, SIGKILL);
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(-EFAULT, attachment_attach_own(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin_process, part_that_was_not_pinned_is_lost_the_other_is_not)
{
	__u64 part = 4 * PAGE_BYTES;

	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, part, self->ioas,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attachment_attach_own(&self->attachment));
	EXPECT_EQ(4, peer_pages_pinned(&self->peer));
	peer_end(&self->peer, SIGKILL);
	/* All of the pinned part works, one page more does not. */
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, part, self->ioas,
					   IOMMU_MAP_RW, IOVA + PEER_SIZE));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA + PEER_SIZE));
	EXPECT_EQ(-EFAULT, iommu_ioas_copy_fixed(self->fd, self->other, IOVA,
						 part + PAGE_BYTES, self->ioas,
						 IOMMU_MAP_RW, IOVA + 2 * PEER_SIZE));
	EXPECT_EQ(-EFAULT, attachment_attach(&self->attachment, self->other));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, context_outlives_the_process_that_opened_it)
{
	struct iommu_iova_range range;
	__u32 count = 1;
	int fd = self->fd;
	pid_t child;

	/* A child is the last to hold it when this process has closed everything. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		pause();
		_exit(0);
	}
	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(fd, self->other, &range, &count, NULL));
	attachment_close(&self->attachment);
	/* The device is still held by the child: nobody else can have it. */
	EXPECT_NE(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	peer_end(&self->peer, SIGKILL);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
}
