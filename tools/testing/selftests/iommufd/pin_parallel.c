// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings so large that several threads pin them.
 *
 * Owns the rules that nobody can tell from the result how many did, and that the
 * process can be killed, stopped and limited as if there were none.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "fail_nth.h"
#include "kernel_counters.h"
#include "privilege.h"
#include "slow_memory.h"
#include "watchdog.h"

#define SIZE (288UL << 20)
#define PAGES (SIZE / PAGE_BYTES)
#define IOVA 0x1200000000ULL
#define STEP (SIZE / 16)

FIXTURE(pin_parallel)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	uint8_t *memory;
	long pinned;
};

/* Puts memory of another kind at an address. */
static bool put(void *address, size_t size, int flags, int advice)
{
	return mmap(address, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) == address &&
	       !madvise(address, size, advice);
}

FIXTURE_SETUP(pin_parallel)
{
	uint8_t *space;

	REQUIRE_OWN_GROUPS(1);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs 2 processors");
	if (memory_info("MemAvailable") < (long)(SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 416 MiB of free memory");
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 1));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu,
					self->attachment.iommufd, self->attachment.ioas));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->attachment.ioas));
	space = mmap(NULL, SIZE + MEMORY_HUGE_PAGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, space);
	/* The last page of a huge one, so that no part is as long as another by chance */
	self->memory = space + (-(uintptr_t)space % MEMORY_HUGE_PAGE_SIZE) + 511 * PAGE_BYTES;
	ASSERT_TRUE(put(self->memory, SIZE, 0, MADV_NOHUGEPAGE));
	self->pinned = pages_pinned();
}

FIXTURE_TEARDOWN(pin_parallel)
{
	attachment_close(&self->attachment);
	edu_staging_destroy(&self->staging);
	munmap(self->memory, SIZE);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pages_locked());
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int map(struct _test_data_pin_parallel *self)
{
	return attachment_map(&self->attachment, self->memory, SIZE, IOMMU_MAP_RW, IOVA);
}

static int unmap(struct _test_data_pin_parallel *self)
{
	return attachment_unmap(&self->attachment, IOVA, SIZE);
}

/* Are so many pages pinned, besides those of the staging page? */
static bool has_pinned(struct _test_data_pin_parallel *self, long pages)
{
	return pages_pinned() == self->pinned + pages;
}

static bool nothing_changed(struct _test_data_pin_parallel *self)
{
	return has_pinned(self, 0) && !pages_locked() && unmap(self) == -ENOENT;
}

static bool device_reaches(struct _test_data_pin_parallel *self, size_t offset)
{
	return device_writes(&self->staging, IOVA + offset, self->memory + offset,
			     offset >> 12) &&
	       device_reads(&self->staging, IOVA + offset, self->memory + offset,
			    (offset >> 12) + 1);
}

/* Also on both sides of places where the work can have been divided. */
static bool device_reaches_all_parts(struct _test_data_pin_parallel *self)
{
	size_t offset = PAGE_BYTES;
	bool reaches = device_reaches(self, 0) && device_reaches(self, SIZE - PAGE_BYTES);

	for (; reaches && offset < SIZE; offset += STEP)
		reaches = device_reaches(self, offset - PAGE_BYTES) &&
			  device_reaches(self, offset);
	return reaches;
}

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

/* Has the page at an offset appear only when it is released. Returns 0 or -errno. */
static int make_slow(struct _test_data_pin_parallel *self, size_t offset,
		     struct slow_memory *slow)
{
	slow->start = self->memory + offset;
	slow->size = PAGE_BYTES;
	if (madvise(slow->start, slow->size, MADV_DONTNEED))
		return -errno;
	slow->faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return slow->faults < 0 ? -errno : slow_memory_register(slow);
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

/* Has the memory fall into as many runs as it has pages: others get every other page. */
static bool scatter(struct _test_data_pin_parallel *self)
{
	uint8_t *other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	size_t offset;

	if (other == MAP_FAILED || madvise(other, SIZE, MADV_NOHUGEPAGE))
		return false;
	for (offset = 0; offset < SIZE; offset += PAGE_BYTES) {
		self->memory[offset] = 1;
		other[offset] = 1;
	}
	return !munmap(other, SIZE);
}

/* In seconds. */
static double time_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
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

/* The parts before the one that fails, and some after it, have been written by then. */
TEST_F_TIMEOUT(pin_parallel, no_memory_in_the_middle_of_writing_changes_nothing, 240)
{
	struct attachment *attachment = &self->attachment;
	uint64_t copy = IOVA + 4 * SIZE;
	int fail_nth = fail_nth_open();
	int failures = 0;
	unsigned int nth;

	if (fail_nth < 0)
		SKIP(return, "needs a kernel with fault injection");
	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	ASSERT_TRUE(scatter(self));
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, fail_nth_only_in("io_area_map_together"));
	for (nth = 10; nth <= 100; nth += 15) {
		int rc;

		fail_nth_start(fail_nth, nth);
		rc = iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
					   attachment->ioas, IOMMU_MAP_RW, copy);
		fail_nth_stop(fail_nth);
		failures += rc == -ENOMEM;
		EXPECT_TRUE(!rc || rc == -ENOMEM);
		EXPECT_EQ(rc ? -ENOENT : 0, attachment_unmap(attachment, copy, SIZE));
	}
	fail_nth_only_in(NULL);
	EXPECT_LT(0, failures);
	/* VT-d complains if anything is left there */
	EXPECT_EQ(0, iommu_ioas_copy_fixed(attachment->iommufd, attachment->ioas, IOVA, SIZE,
					   attachment->ioas, IOMMU_MAP_RW, copy));
	EXPECT_TRUE(device_reaches_all_parts(self));
	EXPECT_EQ(0, attachment_unmap(attachment, copy, SIZE));
	close(fail_nth);
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
		SKIP(return, "nothing is so fast on this kernel that it needs none");
	if (memory_info("HugePages_Free") < (long)(size / MEMORY_HUGE_PAGE_SIZE))
		SKIP(return, "needs 143 free huge pages");
	ASSERT_TRUE(put(huge, size, MAP_HUGETLB, MADV_NORMAL));
	memset(huge, 1, size);
	/* How long the first ones take is measured, and somebody may disturb that */
	for (i = 0; i < 10 && (count = map_and_count_helpers(self, 0)) > 0; i++)
		EXPECT_EQ(0, unmap(self));
	EXPECT_EQ(0, count);
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

/* Forks until it is told not to. */
static void *run_forks(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(pin_parallel, a_fork_meanwhile_leaves_the_device_the_pages_of_the_parent, 120)
{
	bool stop = false;
	pthread_t thread;

	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_forks, &stop));
	EXPECT_EQ(0, map(self));
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_TRUE(device_reaches_all_parts(self));
}

/* In a process of its own: hangs in two threads, until it is killed. */
static void hang(struct _test_data_pin_parallel *self, int ready)
{
	struct slow_memory middle, last;

	if (make_slow(self, SIZE / 2, &middle) || make_slow(self, SIZE - PAGE_BYTES, &last))
		_exit(1);
	/* Somebody else keeps it from appearing even after the process is killed */
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* But nobody else keeps the context open */
		attachment_close(&self->attachment);
		if (slow_memory_wait(&middle) || slow_memory_wait(&last) ||
		    write(ready, "", 1) != 1)
			_exit(1);
		pause();
	}
	close(ready);
	_exit(map(self) ? 2 : 0);
}

TEST_F_TIMEOUT(pin_parallel, SIGKILL_ends_all_threads_wherever_they_hang, 120)
{
	int ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		hang(self, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(-1, watchdog_reap(child, 0));
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(SIGKILL, watchdog_reap(child, watchdog_limit()));
	EXPECT_EQ(-ENOENT, unmap(self));
	close(ready[0]);
}

/* Forks a process that maps memory which it has. Returns when that begins. */
static pid_t fork_mapper(struct _test_data_pin_parallel *self)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready))
		return -1;
	child = fork();
	if (!child) {
		if (madvise(self->memory, SIZE, MADV_POPULATE_WRITE) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(map(self) ? 1 : 0);
	}
	close(ready[1]);
	if (child > 0 && read(ready[0], &byte, 1) != 1)
		child = -1;
	close(ready[0]);
	return child;
}

/* Kills a process that has been mapping for a while. Returns what an unmap then does. */
static int kill_mapper(struct _test_data_pin_parallel *self, double seconds)
{
	pid_t child = fork_mapper(self);
	int status;

	if (child < 0)
		return -errno;
	usleep(seconds * 1e6);
	kill(child, SIGKILL);
	status = watchdog_reap(child, watchdog_limit());
	if (status && status != SIGKILL)
		return -EINVAL;
	return unmap(self);
}

/* It may come while they pin, while they write, or between the two. */
TEST_F_TIMEOUT(pin_parallel, SIGKILL_at_any_time_leaves_all_or_nothing, 240)
{
	double began, duration;
	int killed = 0, i;

	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	/* The children's, too */
	ASSERT_EQ(self->memory, mmap(self->memory, SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_TRUE(scatter(self));
	began = time_of(CLOCK_MONOTONIC);
	ASSERT_EQ(0, watchdog_reap(fork_mapper(self), watchdog_limit()));
	duration = time_of(CLOCK_MONOTONIC) - began;
	ASSERT_EQ(0, unmap(self));

	for (i = 1; i <= 20 && time_of(CLOCK_MONOTONIC) < began + 150; i++) {
		int rc = kill_mapper(self, i * duration / 20);

		EXPECT_TRUE(!rc || rc == -ENOENT);
		EXPECT_TRUE(nothing_changed(self));
		killed += rc == -ENOENT;
	}
	EXPECT_LT(0, killed);
}

/* Waits until a child has stopped. */
static bool stops(pid_t child)
{
	time_t end = watchdog_now() + watchdog_limit();
	int status;

	while (waitpid(child, &status, WNOHANG | WUNTRACED) != child) {
		if (watchdog_now() > end)
			return false;
		usleep(1000);
	}
	return WIFSTOPPED(status);
}

TEST_F_TIMEOUT(pin_parallel, a_process_that_maps_can_be_stopped_and_continued, 120)
{
	pid_t child;
	int i;

	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		for (;;)
			if (map(self) || unmap(self))
				_exit(1);
	for (i = 0; i < 50; i++) {
		usleep(1000 * (20 + 7 * i));
		ASSERT_EQ(0, kill(child, SIGSTOP));
		ASSERT_TRUE(stops(child));
		ASSERT_EQ(0, kill(child, SIGCONT));
	}
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(SIGKILL, watchdog_reap(child, watchdog_limit()));
}
