// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings so large that several threads pin them.
 *
 * Owns the rules that nobody can tell from the result how many did, and that they
 * are limited as if there were none.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>

#include "parallel_fixture.h"
#include "fail_nth.h"
#include "privilege.h"

/* How many threads of the kernel's making this process has. */
static int helpers(void)
{
	struct dirent *entry;
	char path[300], name[32];
	int count = 0;
	FILE *file;
	DIR *tasks;

	tasks = opendir("/proc/self/task");
	while (tasks && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strcmp(name, "iommufd-crew\n"))
			count++;
		fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return count;
}

struct mapper {
	struct _test_data_pin_parallel *self;
	uid_t user;
	int rc;
};

static void *run_map(void *argument)
{
	struct mapper *mapper = argument;

	if (mapper->user)
		privilege_drop(mapper->user);
	mapper->rc = map(mapper->self);
	return NULL;
}

/* Maps, as a user or as root, and counts the helpers near the end. Returns -1 on failure. */
static int map_and_count_helpers(struct _test_data_pin_parallel *self, uid_t user)
{
	struct mapper mapper = { .self = self, .user = user };
	uint8_t contents[PAGE_BYTES] = {};
	struct slow_memory slow;
	int count, waited;
	pthread_t thread;

	if (make_slow(self, SIZE - PAGE_BYTES, &slow) ||
	    pthread_create(&thread, NULL, run_map, &mapper))
		return -1;
	waited = slow_memory_wait(&slow);
	count = helpers();
	slow_memory_release(&slow, contents);
	pthread_join(thread, NULL);
	close(slow.faults);
	return waited || mapper.rc ? -1 : count;
}

TEST_F_TIMEOUT(pin_parallel, every_page_is_where_it_belongs, 120)
{
	ASSERT_EQ(0, map(self));
	EXPECT_TRUE(has_pinned(self, PAGES));
	EXPECT_TRUE(device_reaches_all_parts(self));
	EXPECT_EQ(0, unmap(self));
	EXPECT_TRUE(has_pinned(self, 0));

	/* Now that all of it is there */
	ASSERT_EQ(0, map(self));
	EXPECT_TRUE(device_reaches_all_parts(self));
	EXPECT_EQ(0, unmap(self));
}

static double time_of_others(void)
{
	return time_of(CLOCK_PROCESS_CPUTIME_ID) - time_of(CLOCK_THREAD_CPUTIME_ID);
}

/* Copies to an IOVA. Returns the helpers' share of the work, or -1 on failure. */
static double copy_and_take_share(struct _test_data_pin_parallel *self, uint64_t iova)
{
	double own = time_of(CLOCK_THREAD_CPUTIME_ID), others = time_of_others();
	struct attachment *attachment = &self->attachment;

	if (iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
				  attachment->ioas, IOMMU_MAP_RW, iova))
		return -1;
	own = time_of(CLOCK_THREAD_CPUTIME_ID) - own;
	others = time_of_others() - others;
	return others / (own + others);
}

/* A copy pins nothing, so all that there is to be done is to write it. */
TEST_F_TIMEOUT(pin_parallel, helpers_write_scattered_pages_into_the_page_table, 120)
{
	uint64_t copy = IOVA + 4 * SIZE;
	double share = 0;
	int i;

	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	ASSERT_TRUE(scatter(self));
	ASSERT_EQ(0, map(self));
	EXPECT_TRUE(device_reaches_all_parts(self));
	/* The other processor may be somebody else's for a while */
	for (i = 0; i < 30 && share >= 0 && share < 0.2; i++) {
		share = copy_and_take_share(self, copy);
		EXPECT_EQ(0, attachment_unmap(&self->attachment, copy, SIZE));
	}
	EXPECT_LE(0.2, share);
	EXPECT_EQ(0, unmap(self));
	EXPECT_TRUE(has_pinned(self, 0));
}

/* Copies with a place of a function failing. Returns what came of it. */
static int copy_with_failure(struct _test_data_pin_parallel *self, int fail_nth,
			     const char *function, unsigned int nth, bool *has_failed)
{
	struct attachment *attachment = &self->attachment;
	uint64_t copy = IOVA + 4 * SIZE;
	int rc;

	rc = fail_nth_only_in(function);
	if (rc)
		return rc;
	fail_nth_start(fail_nth, nth);
	rc = iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
				   attachment->ioas, IOMMU_MAP_RW, copy);
	*has_failed = fail_nth_stop(fail_nth);
	fail_nth_only_in(NULL);
	return rc ?: attachment_unmap(attachment, copy, SIZE);
}

/* The parts before the one that fails, and some after it, have been written by then. */
TEST_F_TIMEOUT(pin_parallel, no_memory_in_the_middle_of_writing_changes_nothing, 240)
{
	struct attachment *attachment = &self->attachment;
	uint64_t copy = IOVA + 4 * SIZE;
	int fail_nth = fail_nth_open();
	bool has_failed;
	int failures = 0;
	unsigned int nth;

	if (fail_nth < 0)
		SKIP(return, "needs a kernel with fault injection");
	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	ASSERT_TRUE(scatter(self));
	ASSERT_EQ(0, map(self));
	for (nth = 10; nth <= 100; nth += 15) {
		int rc = copy_with_failure(self, fail_nth, "io_area_map_together", nth,
					   &has_failed);

		failures += rc == -ENOMEM;
		EXPECT_TRUE(!rc || rc == -ENOMEM);
		EXPECT_EQ(-ENOENT, attachment_unmap(attachment, copy, SIZE));
	}
	EXPECT_LT(0, failures);
	/* VT-d complains if anything is left there */
	EXPECT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
					   attachment->ioas, IOMMU_MAP_RW, copy));
	EXPECT_TRUE(device_reaches_all_parts(self));
	EXPECT_EQ(0, attachment_unmap(attachment, copy, SIZE));
	close(fail_nth);
}

TEST_F_TIMEOUT(pin_parallel, without_memory_for_helpers_the_caller_does_all_of_it, 240)
{
	int fail_nth = fail_nth_open();
	bool has_failed = true;
	unsigned int nth;

	if (fail_nth < 0)
		SKIP(return, "needs a kernel with fault injection");
	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	ASSERT_TRUE(scatter(self));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, copy_with_failure(self, fail_nth, "io_area_map_together", 1, &has_failed));
	EXPECT_TRUE(has_failed);
	/* The crew, and then what its first thread is made of */
	for (nth = 1; has_failed && nth < 50; nth++)
		EXPECT_EQ(0, copy_with_failure(self, fail_nth, "crew_hire", nth, &has_failed));
	EXPECT_LE(4, nth);
	EXPECT_EQ(0, unmap(self));
	close(fail_nth);
}

/* Huge pages take few places to remember, so it does not take long to have each fail. */
TEST_F_TIMEOUT(pin_parallel, no_memory_for_pinning_changes_nothing_or_does_no_harm, 240)
{
	uint8_t *huge = self->memory + PAGE_BYTES;
	size_t size = SIZE - MEMORY_HUGE_PAGE_SIZE;
	int fail_nth = fail_nth_open();
	int harmless = 0, harmful = 0;
	bool has_failed = true;
	unsigned int nth;

	if (fail_nth < 0)
		SKIP(return, "needs a kernel with fault injection");
	if (memory_info("HugePages_Free") < (long)(size / MEMORY_HUGE_PAGE_SIZE))
		SKIP(return, "needs 143 free huge pages");
	ASSERT_TRUE(put(huge, size, MAP_HUGETLB, MADV_NORMAL));
	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, fail_nth_only_in("pin_parallel"));
	for (nth = 1; has_failed && nth < 100; nth++) {
		int rc;

		fail_nth_start(fail_nth, nth);
		rc = map(self);
		has_failed = fail_nth_stop(fail_nth);
		EXPECT_EQ(rc ? -ENOENT : 0, unmap(self));
		EXPECT_TRUE(nothing_changed(self));
		harmless += !rc && has_failed;
		harmful += rc && has_failed;
	}
	fail_nth_only_in(NULL);
	EXPECT_LT(0, harmless);
	EXPECT_LT(0, harmful);
	close(fail_nth);
}

TEST_F_TIMEOUT(pin_parallel, huge_pages_that_are_there_need_no_helpers, 120)
{
	uint8_t *huge = self->memory + PAGE_BYTES;
	size_t size = SIZE - MEMORY_HUGE_PAGE_SIZE;
	int count, i;

	if (kernel_is_debug())
		SKIP(return, "this machine takes long even for huge pages");
	if (memory_info("HugePages_Free") < (long)(size / MEMORY_HUGE_PAGE_SIZE))
		SKIP(return, "needs 143 free huge pages");
	ASSERT_TRUE(put(huge, size, MAP_HUGETLB, MADV_NORMAL));
	memset(self->memory, 1, SIZE);
	/* How long the first ones take is measured, and somebody may disturb that */
	for (i = 0; i < 20 && (count = map_and_count_helpers(self, 0)) > 0; i++)
		EXPECT_EQ(0, unmap(self));
	ASSERT_LE(0, count);
	if (count)
		SKIP(return, "this machine takes long even for huge pages");
	EXPECT_TRUE(has_pinned(self, PAGES));
	EXPECT_TRUE(device_reaches_all_parts(self));
}

TEST_F_TIMEOUT(pin_parallel, small_and_huge_pages_may_alternate, 120)
{
	size_t piece = 4 * MEMORY_HUGE_PAGE_SIZE;
	uint8_t *address = self->memory + PAGE_BYTES;

	if (memory_info("HugePages_Free") < 72)
		SKIP(return, "needs 72 free huge pages");
	while (address + 4 * piece < self->memory + SIZE) {
		ASSERT_TRUE(put(address, piece, 0, MADV_HUGEPAGE));
		ASSERT_TRUE(put(address + 2 * piece, piece, MAP_HUGETLB, MADV_NORMAL));
		address += 4 * piece;
	}
	ASSERT_EQ(0, map(self));
	EXPECT_TRUE(has_pinned(self, PAGES));
	EXPECT_TRUE(device_reaches_all_parts(self));
	EXPECT_EQ(0, unmap(self));
}

TEST_F_TIMEOUT(pin_parallel, a_hole_anywhere_is_EFAULT_and_changes_nothing, 120)
{
	size_t hole;

	for (hole = 0; hole < SIZE; hole += STEP - PAGE_BYTES) {
		ASSERT_EQ(0, munmap(self->memory + hole, PAGE_BYTES));
		EXPECT_EQ(-EFAULT, map(self));
		EXPECT_TRUE(nothing_changed(self));
		ASSERT_TRUE(put(self->memory + hole, PAGE_BYTES, 0, MADV_NOHUGEPAGE));
	}
	EXPECT_EQ(0, map(self));
}

TEST_F_TIMEOUT(pin_parallel, over_the_limit_is_ENOMEM_and_changes_nothing, 120)
{
	int rc;

	ASSERT_EQ(0, privilege_limit_memlock(SIZE - PAGE_BYTES));
	ASSERT_EQ(0, privilege_drop(privilege_fresh_user()));
	rc = map(self);
	ASSERT_EQ(0, privilege_restore());
	EXPECT_EQ(-ENOMEM, rc);
	EXPECT_TRUE(nothing_changed(self));
}

TEST_F_TIMEOUT(pin_parallel, helpers_are_threads_of_the_process_and_soon_gone, 120)
{
	int i;

	EXPECT_LT(0, map_and_count_helpers(self, 0));
	EXPECT_TRUE(has_pinned(self, PAGES));
	for (i = 0; i < 100 && helpers(); i++)
		usleep(10000);
	EXPECT_EQ(0, helpers());
}

TEST_F_TIMEOUT(pin_parallel, a_caller_bound_to_one_processor_has_no_helpers, 120)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(1, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	EXPECT_EQ(0, map_and_count_helpers(self, 0));
	EXPECT_TRUE(has_pinned(self, PAGES));
}

TEST_F_TIMEOUT(pin_parallel, helpers_count_as_threads_of_the_user_and_are_not_needed, 120)
{
	struct rlimit limit = { .rlim_cur = 0, .rlim_max = RLIM_INFINITY };

	ASSERT_EQ(0, privilege_limit_memlock(2 * SIZE));
	ASSERT_EQ(0, setrlimit(RLIMIT_NPROC, &limit));
	EXPECT_EQ(0, map_and_count_helpers(self, privilege_fresh_user()));
	EXPECT_TRUE(has_pinned(self, PAGES));
}
