/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out where a process hangs.
 *
 * Threads say what they begin, in memory that a process outside of theirs can see. That
 * one kills them when something takes too long, and tells what and where in the kernel.
 */
#ifndef SELFTESTS_IOMMUFD_WATCHDOG_H
#define SELFTESTS_IOMMUFD_WATCHDOG_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel_under_test.h"

/**
 * struct watched - what a thread is at
 * @thread: Its id
 * @doing: What it has begun, a string that is never freed; NULL: nothing
 * @since: When, of watchdog_now()
 */
struct watched {
	pid_t thread;
	const char *doing;
	time_t since;
};

static inline time_t watchdog_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Seconds that nothing takes unless it hangs. */
static inline time_t watchdog_limit(void)
{
	return 30 + 10 * kernel_slowness();
}

/*
 * Is a race to go on that takes until @end? If what it is to bring about has not @happened
 * by then, the machine is busy, and it goes on until it has or watchdog_limit() is over.
 */
static inline bool watchdog_goes_on(time_t end, bool happened)
{
	time_t now = watchdog_now();

	return now < end || (!happened && now < end + watchdog_limit());
}

static inline void watched_begin(struct watched *watched, const char *doing)
{
	watched->thread = gettid();
	__atomic_store_n(&watched->since, watchdog_now(), __ATOMIC_RELAXED);
	__atomic_store_n(&watched->doing, doing, __ATOMIC_RELEASE);
}

static inline void watched_end(struct watched *watched)
{
	__atomic_store_n(&watched->doing, NULL, __ATOMIC_RELEASE);
}

static inline void watchdog_print(const struct watched *watched)
{
	const char *doing = __atomic_load_n(&watched->doing, __ATOMIC_ACQUIRE);
	char path[64], line[256];
	FILE *stack;

	if (!doing)
		return;
	printf("# thread %d is in '%s' for %ld s\n", watched->thread, doing,
	       (long)(watchdog_now() - watched->since));
	snprintf(path, sizeof(path), "/proc/%d/stack", watched->thread);
	stack = fopen(path, "re");
	if (!stack)
		return;
	while (fgets(line, sizeof(line), stack))
		printf("#     %s", line);
	fclose(stack);
}

static inline bool watchdog_is_stuck(const struct watched *watched)
{
	return __atomic_load_n(&watched->doing, __ATOMIC_ACQUIRE) &&
	       watchdog_now() - __atomic_load_n(&watched->since, __ATOMIC_RELAXED) >
	       watchdog_limit();
}

/**
 * watchdog_reap - wait until a process has ended, within a limit
 * @child: The process
 * @seconds: How long to wait
 *
 * Return: its status, as waitpid() gives it, or -1 if it has not ended or is no child.
 */
static inline int watchdog_reap(pid_t child, time_t seconds)
{
	time_t end = watchdog_now() + seconds;
	pid_t ended;
	int status;

	do {
		ended = waitpid(child, &status, WNOHANG);
		if (ended)
			return ended == child ? status : -1;
		usleep(10000);
	} while (watchdog_now() <= end);
	return -1;
}

/**
 * watchdog_run - wait until a process has ended or one of its threads hangs
 * @child: The process; killed if one does
 * @watched: The threads
 * @count: Their number
 *
 * Return: the status of the process, as waitpid() gives it, or -1 if one did.
 */
static inline int watchdog_run(pid_t child, const struct watched *watched, int count)
{
	bool stuck = false;
	int status, i;

	while (!stuck) {
		status = watchdog_reap(child, 0);
		if (status != -1)
			return status;
		for (i = 0; i < count; i++)
			stuck |= watchdog_is_stuck(&watched[i]);
	}
	for (i = 0; i < count; i++)
		watchdog_print(&watched[i]);
	kill(child, SIGKILL);
	watchdog_reap(child, watchdog_limit());
	return -1;
}

#endif
