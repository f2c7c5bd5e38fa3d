// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a process while several threads map for it: it forks, and is killed,
 * stopped and continued.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "parallel_fixture.h"
#include "watchdog.h"

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
	pid_t child;

	if (memory_info("MemAvailable") < (long)(2 * SIZE >> 10) + (128 << 10))
		SKIP(return, "needs 704 MiB of free memory");
	/* The children's, too */
	ASSERT_EQ(self->memory, mmap(self->memory, SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_TRUE(scatter(self));
	child = fork_mapper(self);
	began = time_of(CLOCK_MONOTONIC);
	ASSERT_EQ(0, watchdog_reap(child, watchdog_limit()));
	duration = time_of(CLOCK_MONOTONIC) - began;
	ASSERT_EQ(0, unmap(self));

	for (i = 1; i <= 12 && time_of(CLOCK_MONOTONIC) < began + 90; i++) {
		/* It has ended some time after it was done, so more of them come early */
		int rc = kill_mapper(self, i * i * duration / 150);

		EXPECT_TRUE(!rc || rc == -ENOENT);
		EXPECT_TRUE(nothing_changed(self));
		killed += rc == -ENOENT;
	}
	EXPECT_LT(0, killed);
}

/* Forks a process that maps and unmaps until it is killed. */
static pid_t fork_endless_mapper(struct _test_data_pin_parallel *self)
{
	pid_t child = fork();

	if (!child)
		for (;;)
			if (map(self) || unmap(self))
				_exit(1);
	return child;
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

static bool file_has(const char *path, const char *text)
{
	char contents[2048];
	ssize_t length;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = read(fd, contents, sizeof(contents) - 1);
	close(fd);
	contents[length < 0 ? 0 : length] = 0;
	return strstr(contents, text);
}

static bool task_file_has(const char *task, const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/%s", task, file);
	return file_has(path, text);
}

/* Does a thread of the kernel wait for a helper to end, as one that hangs would? */
static bool looks_like_a_hang(void)
{
	DIR *tasks = opendir("/proc");
	struct dirent *entry;
	bool hangs = false;

	while (tasks && !hangs && (entry = readdir(tasks)))
		hangs = task_file_has(entry->d_name, "status", "State:\tD") &&
			task_file_has(entry->d_name, "stack", "dismiss+0x");
	if (tasks)
		closedir(tasks);
	return hangs;
}

/* A thread may need some time to end. */
static bool keeps_looking_like_a_hang(void)
{
	int i;

	for (i = 0; i < 5 && looks_like_a_hang(); i++)
		usleep(20000);
	return i == 5;
}

TEST_F_TIMEOUT(pin_parallel, a_process_that_maps_can_be_stopped_and_continued, 120)
{
	int hangs = 0, i;
	pid_t child;

	child = fork_endless_mapper(self);
	ASSERT_LE(0, child);
	for (i = 0; i < 50; i++) {
		usleep(1000 * (20 + 7 * i));
		ASSERT_EQ(0, kill(child, SIGSTOP));
		ASSERT_TRUE(stops(child));
		hangs += keeps_looking_like_a_hang();
		ASSERT_EQ(0, kill(child, SIGCONT));
	}
	/* A helper that is stopped in the moment in which it ends does */
	EXPECT_GT(3, hangs);
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(SIGKILL, watchdog_reap(child, watchdog_limit()));
}

#define CGROUP "/sys/fs/cgroup/iommufd-maps"

static bool cgroup_write(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

/* A cgroup for a process. Returns 0 or -errno. */
static int cgroup_create(pid_t child)
{
	char pid[16];

	if (mkdir(CGROUP, 0700) && errno != EEXIST)
		return -errno;
	snprintf(pid, sizeof(pid), "%d", child);
	return cgroup_write(CGROUP "/cgroup.procs", pid) ? 0 : -EIO;
}

/* Freezes the cgroup and waits until it is frozen. */
static bool freezes(void)
{
	time_t end = watchdog_now() + watchdog_limit();

	if (!cgroup_write(CGROUP "/cgroup.freeze", "1"))
		return false;
	while (!file_has(CGROUP "/cgroup.events", "frozen 1")) {
		if (watchdog_now() > end)
			return false;
		usleep(1000);
	}
	return true;
}

TEST_F_TIMEOUT(pin_parallel, a_process_that_maps_can_be_frozen_and_thawed, 120)
{
	int hangs = 0, rc, i;
	pid_t child;

	child = fork_endless_mapper(self);
	ASSERT_LE(0, child);
	rc = cgroup_create(child);
	for (i = 0; !rc && i < 15; i++) {
		usleep(1000 * (20 + 9 * i));
		EXPECT_TRUE(freezes());
		hangs += keeps_looking_like_a_hang();
		EXPECT_TRUE(cgroup_write(CGROUP "/cgroup.freeze", "0"));
	}
	/* A helper that is frozen in the moment in which it ends does */
	EXPECT_GT(3, hangs);
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(SIGKILL, watchdog_reap(child, watchdog_limit()));
	rmdir(CGROUP);
	if (rc)
		SKIP(return, "needs a cgroup that can be frozen");
}
