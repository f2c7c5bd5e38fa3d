// SPDX-License-Identifier: GPL-2.0-only
/*
 * RLIMIT_MEMLOCK.
 *
 * Owns the rules of who pays for pinned pages, when, and what happens to those who
 * cannot. Each rule is tested for both ways of charging, by user and by process,
 * unless they differ in it.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "kernel_counters.h"
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

static int attach(struct _test_data_pin_limit *self)
{
	return attachment_attach(&self->attachment, self->attachment.ioas);
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
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
}

TEST_F(pin_limit, one_page_more_is_ENOMEM_and_changes_nothing)
{
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(-ENOENT, unmap(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(pin_limit, counts_all_mappings)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, LIMIT - 1, IOVA));
	ASSERT_EQ(0, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + 2 * SIZE));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
}

TEST_F(pin_limit, unmap_gives_back_again_and_again)
{
	int i;

	ASSERT_EQ(0, attach(self));
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

	ASSERT_EQ(0, attach(self));
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
	EXPECT_EQ(-ENOMEM, attach(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_TRUE(is_unreserved(self->attachment.iommufd, self->attachment.ioas));
	ASSERT_EQ(0, unmap(self, LIMIT + 1, IOVA));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(0, attach(self));
}

TEST_F(pin_limit, attach_over_the_limit_in_sum_is_ENOMEM_and_pins_nothing)
{
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	ASSERT_EQ(0, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(-ENOMEM, attach(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	ASSERT_EQ(0, unmap(self, 1, IOVA + SIZE));
	EXPECT_EQ(0, attach(self));
	EXPECT_EQ(LIMIT, pages_pinned());
}

TEST_F(pin_limit, detach_gives_back)
{
	int i;

	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, attach(self));
		ASSERT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
		ASSERT_EQ(0, attachment_detach(&self->attachment));
		ASSERT_EQ(0, pages_locked());
	}
}

TEST_F(pin_limit, close_gives_back)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, attach(self));
		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		attachment_close(&self->attachment);
		ASSERT_EQ(0, pages_locked());
		ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name,
					     variant->mode));
	}
}

TEST_F(pin_limit, limit_is_the_one_at_pin_time)
{
	ASSERT_EQ(0, attach(self));
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
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, privilege_limit_memlock(0));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA));
	ASSERT_EQ(0, privilege_limit_memlock(PAGE_BYTES - 1));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA));
	ASSERT_EQ(0, privilege_limit_memlock(PAGE_BYTES));
	EXPECT_EQ(0, map(self, 1, IOVA));
}

TEST_F(pin_limit, unlimited_is_unlimited)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, privilege_limit_memlock(RLIM_INFINITY));
	EXPECT_EQ(0, map(self, 2 * LIMIT, IOVA));
}

TEST_F(pin_limit, copies_are_charged_once)
{
	struct attachment *attachment = &self->attachment;
	__u64 i;

	ASSERT_EQ(0, attach(self));
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
	ASSERT_EQ(0, attach(self));
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
	EXPECT_EQ(-ENOMEM, attach(self));
}

TEST_F(pin_limit, CAP_IPC_LOCK_of_the_time_of_the_map_counts)
{
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, 2 * SIZE,
				    IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, privilege_drop(self->user));
	EXPECT_EQ(0, attach(self));
	ASSERT_EQ(0, privilege_restore());
	EXPECT_EQ(2 * LIMIT, pages_pinned());
}

TEST_F(pin_limit, replace_to_a_second_table_charges_once)
{
	struct attachment *attachment = &self->attachment;
	__u32 other;

	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	ASSERT_EQ(0, iommu_ioas_alloc(attachment->iommufd, &other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
					   other, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, attachment_attach(attachment, other));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	ASSERT_EQ(0, unmap(self, LIMIT, IOVA));
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA) ?: attach(self));
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
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(variant->mode ? 0 : ENOMEM, map_in_child(self, 1, IOVA + SIZE));
}

TEST_F(pin_limit, pages_of_a_dead_process_are_charged_until_they_are_unmapped)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map_in_child(self, LIMIT, IOVA));
	/* The user still pays, the process cannot. */
	EXPECT_EQ(variant->mode ? 0 : -ENOMEM, map(self, 1, IOVA + SIZE));
	ASSERT_EQ(0, unmap(self, LIMIT, IOVA));
	EXPECT_EQ(0, map(self, LIMIT - 1, IOVA));
}

TEST_F(pin_limit, users_have_one_each_unless_charged_by_process)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(variant->mode ? -ENOMEM : 0,
		  map_as(self, self->user + 1000000, 1, IOVA + SIZE));
}

TEST_F(pin_limit, contexts_share_it)
{
	struct attachment second;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, attach(self));
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
	ASSERT_EQ(0, attach(self));
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
	ASSERT_EQ(0, attach(self));
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
	EXPECT_EQ(0, attach(self));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(expected_locked(variant->mode, LIMIT), pages_locked());
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
}
