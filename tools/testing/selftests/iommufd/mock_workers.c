// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernel workers do for a process: they write large areas, and give back what was
 * charged.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include <kselftest_harness.h>

#include "fail_nth.h"
#include "kernel_counters.h"
#include "mock_space.h"
#include "privilege.h"
#include "slow_memory.h"
#include "watchdog.h"

/*
 * Large scattered areas, which kernel workers help to write.
 *
 * Owns the rules that nobody can tell from the result who wrote it, that it costs the
 * process what it would cost without workers, and that the process never gets a thread.
 */

#define IOVA MOCK_APERTURE_START
#define SIZE (64UL << 20)
/* The mock's tables keep what they are made of: each copy gets IOVAs of its own */
#define COPY(index) (IOVA + (1 + (index)) * SIZE)
#define LARGE (300UL << 20)

FIXTURE(mock_workers)
{
	struct kernel_counters before;
	struct mock_space space;
	struct memory memory;
};

FIXTURE_SETUP(mock_workers)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs 2 processors");
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	/* Children map it, too */
	ASSERT_EQ(self->memory.start,
		  mmap(self->memory.start, SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memory_scatter(&self->memory, 1);
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, SIZE, IOVA));
}

FIXTURE_TEARDOWN(mock_workers)
{
	mock_space_close(&self->space);
	memory_free(&self->memory);
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* All pages are pinned already, so that all that is to be done is to write. */
static int copy(struct mock_space *space, __u64 iova)
{
	return iommu_ioas_copy_fixed(space->fd, space->ioas, IOVA, SIZE, space->ioas,
				     IOMMU_MAP_RW, iova);
}

static bool is_written(struct _test_data_mock_workers *self, __u64 iova)
{
	return !mock_space_check(&self->space, iova, SIZE, self->memory.start);
}

static bool nothing_is_written(struct _test_data_mock_workers *self, __u64 iova)
{
	__u64 done;

	for (done = 0; done < SIZE; done += HUGE_PAGE / 2)
		if (!mock_space_is_hole(&self->space, iova + done, PAGE,
					self->memory.start + done))
			return false;
	return true;
}

static int use_one_processor(bool one)
{
	cpu_set_t processors;

	CPU_ZERO(&processors);
	CPU_SET(0, &processors);
	if (!one)
		CPU_SET(1, &processors);
	return sched_setaffinity(0, sizeof(processors), &processors) ? -errno : 0;
}

TEST_F_TIMEOUT(mock_workers, write_what_one_thread_writes, 120)
{
	EXPECT_TRUE(is_written(self, IOVA));
	ASSERT_EQ(0, copy(&self->space, COPY(0)));
	EXPECT_TRUE(is_written(self, COPY(0)));
	ASSERT_EQ(0, use_one_processor(true));
	ASSERT_EQ(0, copy(&self->space, COPY(1)));
	EXPECT_TRUE(is_written(self, COPY(1)));
	EXPECT_EQ(0, mock_space_unmap(&self->space, COPY(0), SIZE));
	EXPECT_TRUE(nothing_is_written(self, COPY(0)));
}

#define TRACING "/sys/kernel/debug/tracing/"
#define EVENT TRACING "events/workqueue/workqueue_execute_start/enable"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

/* Has any worker begun to help since the trace was emptied? */
static bool has_helped(void)
{
	FILE *trace = fopen(TRACING "trace", "re");
	bool found = false;
	char line[512];

	while (trace && !found && fgets(line, sizeof(line), trace))
		found = strstr(line, ": function help\n") ||
			strstr(line, ": function help [iommufd]\n");
	if (trace)
		fclose(trace);
	return found;
}

/* Copies some times, or until workers have helped. Returns whether they have. */
static bool copies_with_help(struct _test_data_mock_workers *self, int tries)
{
	bool helped = false;

	if (!write_file(TRACING "trace", "\n") || !write_file(EVENT, "1"))
		return false;
	while (!helped && tries-- && !copy(&self->space, COPY(0))) {
		helped = has_helped();
		mock_space_unmap(&self->space, COPY(0), SIZE);
	}
	write_file(EVENT, "0");
	return helped;
}

/* A worker that gets no turn before the caller is done has nothing to do. */
TEST_F_TIMEOUT(mock_workers, help_a_caller_that_may_use_two_processors, 240)
{
	if (access(EVENT, W_OK))
		SKIP(return, "needs a kernel that can be traced");
	ASSERT_EQ(0, use_one_processor(true));
	EXPECT_FALSE(copies_with_help(self, 3));
	ASSERT_EQ(0, use_one_processor(false));
	EXPECT_TRUE(copies_with_help(self, 200));
}

/* The parts before the one that fails, and some after it, have been written by then. */
TEST_F_TIMEOUT(mock_workers, no_memory_in_the_middle_of_writing_changes_nothing, 240)
{
	int fail_nth = fail_nth_open(), failures = 0, rc;
	unsigned int nth;

	if (fail_nth < 0)
		SKIP(return, "needs a kernel with fault injection");
	for (nth = 1; nth < 40; nth += 4) {
		ASSERT_EQ(0, fail_nth_only_in("io_area_map"));
		fail_nth_start(fail_nth, nth);
		rc = copy(&self->space, COPY(nth % 20));
		fail_nth_stop(fail_nth);
		fail_nth_only_in(NULL);
		if (!rc) {
			EXPECT_TRUE(is_written(self, COPY(nth % 20)));
			EXPECT_EQ(0, mock_space_unmap(&self->space, COPY(nth % 20), SIZE));
			continue;
		}
		EXPECT_EQ(-ENOMEM, rc);
		EXPECT_EQ(-ENOENT, mock_space_unmap(&self->space, COPY(nth % 20), SIZE));
		EXPECT_TRUE(nothing_is_written(self, COPY(nth % 20)));
		failures++;
	}
	EXPECT_LT(0, failures);
	close(fail_nth);
}

/* Kills a process that has been writing for a while. Returns what an unmap then does. */
static int kill_writer(struct mock_space *space, useconds_t after)
{
	int ready[2], status;
	pid_t child;
	char byte;

	if (pipe(ready))
		return -errno;
	child = fork();
	if (!child)
		_exit(write(ready[1], "", 1) != 1 || copy(space, COPY(0)) ? 1 : 0);
	close(ready[1]);
	if (child < 0 || read(ready[0], &byte, 1) != 1)
		return -EIO;
	close(ready[0]);
	usleep(after);
	kill(child, SIGKILL);
	status = watchdog_reap(child, watchdog_limit());
	if (status && status != SIGKILL)
		return -EINVAL;
	return mock_space_unmap(space, COPY(0), SIZE);
}

TEST_F_TIMEOUT(mock_workers, SIGKILL_while_they_write_leaves_all_or_nothing, 240)
{
	int killed = 0, i, rc;

	for (i = 0; i < 12; i++) {
		rc = kill_writer(&self->space, 1000 * i * i);
		EXPECT_TRUE(!rc || rc == -ENOENT);
		EXPECT_TRUE(nothing_is_written(self, COPY(0)));
		EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
		killed += rc == -ENOENT;
	}
	EXPECT_LT(0, killed);
}

#define CGROUPS "/sys/fs/cgroup/"
#define CGROUP CGROUPS "iommufd-workers"

/* Kernel memory that the cgroup has to pay for, in bytes; -1: there is no such number. */
static long charged(void)
{
	FILE *file = fopen(CGROUP "/memory.stat", "re");
	long value = -1, each;
	char name[64];

	while (file && fscanf(file, "%63s %ld", name, &each) == 2)
		if (!strcmp(name, "slab_unreclaimable"))
			value = each;
	if (file)
		fclose(file);
	return value;
}

/* Each copy costs what its table is made of; the number is up to date after a while. */
static bool becomes_charged(int copies)
{
	const long tables = copies * (long)(SIZE / (512 * MOCK_PAGE_SIZE) * PAGE);
	time_t end = watchdog_now() + watchdog_limit();
	long bytes = charged();

	/* Processors have some of it to themselves */
	while (bytes < tables - 16 * (long)PAGE) {
		if (watchdog_now() > end) {
			printf("# %ld of %ld bytes are charged\n", bytes, tables);
			fflush(stdout);
			return false;
		}
		usleep(100000);
		bytes = charged();
	}
	return true;
}

/* Whoever of the two makes them */
static int copy_and_look_at_charge(struct mock_space *space)
{
	const int copies = 8;
	int i;

	for (i = 0; i < copies; i++)
		if (copy(space, COPY(i)))
			return 1;
	return !becomes_charged(copies);
}

TEST_F_TIMEOUT(mock_workers, charge_the_tables_to_the_cgroup_of_the_caller, 120)
{
	pid_t child;
	int status;

	write_file(CGROUPS "cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0700) || charged() < 0) {
		rmdir(CGROUP);
		SKIP(return, "needs a cgroup with memory");
	}
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(!write_file(CGROUP "/cgroup.procs", "0") ||
		      copy_and_look_at_charge(&self->space));
	status = watchdog_reap(child, 3 * watchdog_limit());
	rmdir(CGROUP);
	EXPECT_EQ(0, status);
}

/* The entries of /proc/PID/task. */
static int count_threads(pid_t process)
{
	struct dirent *entry;
	char path[64];
	int count = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		count += entry->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return count;
}

/* The last page appears when its process has been seen to have one thread. */
static void watch_threads(struct slow_memory *slow, pid_t process)
{
	static const __u8 contents[PAGE];
	int threads;

	if (slow_memory_wait(slow))
		_exit(1);
	threads = count_threads(process);
	_exit(slow_memory_release(slow, contents) || threads != 1);
}

static int map_large(struct mock_space *space, void *memory)
{
	return mock_space_attach(space) ? : mock_space_map(space, memory, LARGE, IOVA);
}

static int attach_large(struct mock_space *space, void *memory)
{
	return mock_space_map(space, memory, LARGE, IOVA) ? : mock_space_attach(space);
}

/* A process that pins much. Returns 0, or a number that tells what is wrong. */
static int pin_large(int (*run)(struct mock_space *space, void *memory))
{
	struct slow_memory slow = { .size = PAGE };
	struct mock_space space;
	uint8_t *memory;
	pid_t watcher;

	memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, LARGE, MADV_NOHUGEPAGE))
		return 1;
	slow.start = memory + LARGE - PAGE;
	slow.faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow.faults < 0 || slow_memory_register(&slow))
		return 2;
	watcher = fork();
	if (!watcher)
		watch_threads(&slow, getppid());
	if (mock_space_open(&space, MOCK_MEMORY_LIMIT_DEFAULT) || run(&space, memory))
		return 3;
	/* Who has a thread cannot do this */
	if (count_threads(getpid()) != 1 || unshare(CLONE_NEWUSER))
		return 4;
	return watchdog_reap(watcher, watchdog_limit()) ? 5 : 0;
}

FIXTURE(mock_threads)
{
	struct kernel_counters before;
};

FIXTURE_VARIANT(mock_threads)
{
	int (*run)(struct mock_space *space, void *memory);
};

FIXTURE_VARIANT_ADD(mock_threads, map) { map_large };
FIXTURE_VARIANT_ADD(mock_threads, attach) { attach_large };

FIXTURE_SETUP(mock_threads)
{
	if (memory_info("MemAvailable") < (long)(LARGE >> 10) + (128 << 10))
		SKIP(return, "needs 428 MiB of free memory");
	self->before = kernel_counters_read();
}

FIXTURE_TEARDOWN(mock_threads)
{
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F_TIMEOUT(mock_threads, are_not_made_for_who_pins_much, 240)
{
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child)
		_exit(pin_large(variant->run));
	EXPECT_EQ(0, watchdog_reap(child, 2 * watchdog_limit()));
}

/*
 * Giving back what was charged waits for nobody: not for the process that is charged,
 * which can have its address space locked indefinitely.
 */

#define DEBT_PAGES 16L
#define DEBT (DEBT_PAGES * PAGE)
#define SECOND (IOVA + DEBT)

/* What all processes see: who pays, and how to tell it what to do. */
struct shared {
	struct watched others;
	__u8 held;
	__u8 go_on;
};

FIXTURE(mock_credit)
{
	struct kernel_counters before;
	struct mock_space space;
	struct memory memory;
	struct shared *shared;
	pid_t child;
};

FIXTURE_SETUP(mock_credit)
{
	self->before = kernel_counters_read();
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * DEBT));
	ASSERT_EQ(0, privilege_limit_memlock(DEBT));
	self->space.fd = iommu_open();
	ASSERT_LE(0, self->space.fd);
	/* Charged is the process: only that is under its lock. */
	ASSERT_EQ(0, iommu_option_set(self->space.fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->space.ioas));
	ASSERT_EQ(0, mock_space_attach(&self->space));
}

FIXTURE_TEARDOWN(mock_credit)
{
	if (self->child > 0) {
		kill(self->child, SIGKILL);
		watchdog_reap(self->child, watchdog_limit());
	}
	mock_space_close(&self->space);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static void *run_hold(void *data)
{
	struct _test_data_mock_credit *self = data;

	mock_hold_mmap_lock(self->space.fd, 0, &self->shared->held);
	return NULL;
}

static bool is_set(const __u8 *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void wait_for(const __u8 *flag)
{
	while (!is_set(flag))
		usleep(1000);
}

/* Maps all that it may, or ends. */
static void map_or_exit(struct _test_data_mock_credit *self)
{
	if (privilege_drop(privilege_fresh_user()) ||
	    mock_space_map(&self->space, self->memory.start, DEBT, IOVA))
		_exit(1);
}

/* Pays, and has its address space locked until it is killed; never returns. */
static void pay_and_lock(struct _test_data_mock_credit *self)
{
	pthread_t thread;

	map_or_exit(self);
	/* It is to be there when the kernel writes to it. */
	self->shared->held = 0;
	if (pthread_create(&thread, NULL, run_hold, self))
		_exit(1);
	pthread_join(thread, NULL);
	_exit(2);
}

static int unmap(struct mock_space *space)
{
	return mock_space_unmap(space, IOVA, DEBT);
}

static int destroy_all(struct mock_space *space)
{
	return mock_space_detach(space) ? : unmap(space) ? : iommu_destroy(space->fd, space->ioas);
}

/* Does a teardown end although the process that has paid is locked? */
static bool does_not_wait(struct _test_data_mock_credit *self,
			  int (*teardown)(struct mock_space *space))
{
	pid_t others;

	self->child = fork();
	if (!self->child)
		pay_and_lock(self);
	while (self->child > 0 && !is_set(&self->shared->held) &&
	       !waitpid(self->child, NULL, WNOHANG))
		usleep(1000);
	if (!is_set(&self->shared->held))
		return false;
	others = fork();
	if (!others) {
		watched_begin(&self->shared->others, "the teardown");
		_exit(-teardown(&self->space));
	}
	return others > 0 && !watchdog_run(others, &self->shared->others, 1) &&
	       !waitpid(self->child, NULL, WNOHANG);
}

TEST_F_TIMEOUT(mock_credit, by_an_unmap_does_not_wait_for_who_has_its_memory_locked, 120)
{
	EXPECT_TRUE(does_not_wait(self, unmap));
}

TEST_F_TIMEOUT(mock_credit, by_a_detach_does_not_wait_for_who_has_its_memory_locked, 120)
{
	EXPECT_TRUE(does_not_wait(self, mock_space_detach));
}

TEST_F_TIMEOUT(mock_credit, when_all_is_destroyed_does_not_wait_for_who_has_its_memory_locked,
	       120)
{
	EXPECT_TRUE(does_not_wait(self, destroy_all));
}

static void *run_hold_a_while(void *data)
{
	struct _test_data_mock_credit *self = data;

	mock_hold_mmap_lock(self->space.fd, 1000, &self->shared->held);
	return NULL;
}

static long locked_pages(void)
{
	return memory_status("VmLck") * 1024 / (long)PAGE;
}

/* Does what is charged become as much before long? */
static bool becomes_locked(long pages)
{
	time_t end = watchdog_now() + watchdog_limit();

	while (locked_pages() != pages) {
		if (watchdog_now() > end)
			return false;
		usleep(10000);
	}
	return true;
}

/* Maps as much again: there is no room for it unless what was given back counts. */
static bool maps_again(struct _test_data_mock_credit *self)
{
	return !mock_space_map(&self->space, self->memory.start + DEBT, DEBT, SECOND) &&
	       locked_pages() == DEBT_PAGES;
}

/* The parent unmaps while this process is locked; never returns. */
static void pay_and_lock_a_while(struct _test_data_mock_credit *self, bool again)
{
	pthread_t thread;

	map_or_exit(self);
	self->shared->held = 0;
	if (locked_pages() != DEBT_PAGES || pthread_create(&thread, NULL, run_hold_a_while, self))
		_exit(1);
	wait_for(&self->shared->go_on);
	/* It waits for the lock, and then is the first to have it. */
	if (again && !maps_again(self))
		_exit(1);
	_exit(!becomes_locked(again ? DEBT_PAGES : 0));
}

static int unmap_while_locked(struct _test_data_mock_credit *self, bool again)
{
	struct shared *shared = self->shared;
	int status, rc;

	self->child = fork();
	if (!self->child)
		pay_and_lock_a_while(self, again);
	while (self->child > 0 && !is_set(&shared->held) && !waitpid(self->child, NULL, WNOHANG))
		usleep(100);
	rc = is_set(&shared->held) ? unmap(&self->space) : -ECHILD;
	__atomic_store_n(&shared->go_on, 1, __ATOMIC_RELEASE);
	status = watchdog_reap(self->child, watchdog_limit() * 2);
	self->child = 0;
	return rc ? : status;
}

TEST_F_TIMEOUT(mock_credit, comes_when_the_memory_is_unlocked, 120)
{
	EXPECT_EQ(0, unmap_while_locked(self, false));
}

TEST_F_TIMEOUT(mock_credit, comes_with_the_next_charge_at_the_latest, 120)
{
	EXPECT_EQ(0, unmap_while_locked(self, true));
}

TEST_HARNESS_MAIN
