/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads and processes that do anything at any time.
 *
 * Owns who does something when, the ids that they have in common, and what came of it.
 * RACE_SECONDS in the environment: how long, at least.
 */
#ifndef SELFTESTS_IOMMUFD_RACE_H
#define SELFTESTS_IOMMUFD_RACE_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <linux/types.h>

#include "watchdog.h"

#define RACE_THREADS 8
#define RACE_DEFAULT_SECONDS 30
#define RACE_KILLS 10

/* Ids are few, so that threads meet. */
#define RACE_IDS 24
#define RACE_KNOWN 3
#define RACE_KINDS 16

#define RACE_MAX_ACTIONS 40
#define RACE_MAX_ERRORS 6

/* For one that is killed */
#define RACE_FOREVER 3600

/**
 * struct race - what all processes have in common
 * @end: When it may be over, of watchdog_now()
 * @watched: What each thread is at
 * @known: Of each kind, ids that the last ones to be made had; they may be others'
 *         by now
 * @worked: How often each action worked
 * @wrong: An error of each action that must not be
 */
struct race {
	time_t end;
	struct watched watched[RACE_THREADS];
	__u32 known[RACE_KINDS][RACE_KNOWN];
	unsigned int worked[RACE_MAX_ACTIONS];
	int wrong[RACE_MAX_ACTIONS];
};

/**
 * struct worker - a thread, or what a process that it forked has of it
 * @thread: The thread
 * @plan: What it may do
 * @watched: Where it says what it is at
 * @random: The state of its random numbers
 * @is_child: It is in a process that another one has forked
 */
struct worker {
	pthread_t thread;
	const struct race_plan *plan;
	struct watched *watched;
	__u64 random;
	bool is_child;
};

/**
 * struct action - one thing to do
 * @name: What
 * @weight: How often, compared with others
 * @run: Does it; returns 0 or -errno
 * @errors: Those that other threads can cause
 */
struct action {
	const char *name;
	unsigned int weight;
	int (*run)(struct worker *worker);
	int errors[RACE_MAX_ERRORS];
};

/**
 * struct race_plan - all that may be done
 * @actions: What
 * @count: How many there are
 * @open: Makes what the process that races has of its own; returns 0 or -errno
 * @close: Takes down all that the threads left; returns 0 or -errno
 */
struct race_plan {
	const struct action *actions;
	unsigned int count;
	int (*open)(void);
	int (*close)(void);
};

static struct race *race;

static inline __u32 random_below(struct worker *worker, __u32 limit)
{
	worker->random = worker->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (worker->random >> 33) % limit;
}

static inline __u32 random_id(struct worker *worker)
{
	return 1 + random_below(worker, RACE_IDS);
}

/* Mostly one of the right type. */
static inline __u32 random_known(struct worker *worker, unsigned int kind)
{
	__u32 id = __atomic_load_n(&race->known[kind][random_below(worker, RACE_KNOWN)],
				   __ATOMIC_RELAXED);

	return id && random_below(worker, 16) ? id : random_id(worker);
}

/* Returns false for one too many: objects would only become more and more. */
static inline bool remember(struct worker *worker, unsigned int kind, __u32 id)
{
	if (id > RACE_IDS)
		return false;
	__atomic_store_n(&race->known[kind][random_below(worker, RACE_KNOWN)], id,
			 __ATOMIC_RELAXED);
	return true;
}

static inline const struct action *random_action(struct worker *worker)
{
	const struct race_plan *plan = worker->plan;
	unsigned int total = 0, i, chosen;

	for (i = 0; i < plan->count; i++)
		total += plan->actions[i].weight;
	chosen = random_below(worker, total);
	for (i = 0; chosen >= plan->actions[i].weight; i++)
		chosen -= plan->actions[i].weight;
	return &plan->actions[i];
}

static inline bool may_happen(const struct action *action, int rc)
{
	size_t i;

	for (i = 0; i < RACE_MAX_ERRORS; i++)
		if (rc == action->errors[i])
			return true;
	return false;
}

static int fork_and_exit(struct worker *worker);

static inline void act(struct worker *worker)
{
	const struct action *action = random_action(worker);
	size_t number = action - worker->plan->actions;
	int rc;

	if (worker->is_child && action->run == fork_and_exit)
		return;
	watched_begin(worker->watched, action->name);
	rc = action->run(worker);
	watched_end(worker->watched);
	if (!rc)
		__atomic_add_fetch(&race->worked[number], 1, __ATOMIC_RELAXED);
	else if (!may_happen(action, rc))
		__atomic_store_n(&race->wrong[number], rc, __ATOMIC_RELAXED);
}

/* What a child has made stays when it is gone. Half of them are killed. */
static int fork_and_exit(struct worker *worker)
{
	pid_t child = fork();
	int i, status;

	if (child < 0)
		return -errno;
	if (!child) {
		worker->is_child = true;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < 50; i++)
			act(worker);
		_exit(0);
	}
	if (random_below(worker, 2)) {
		usleep(random_below(worker, 100000));
		kill(child, SIGKILL);
	}
	if (waitpid(child, &status, 0) != child)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL ? -EINTR : 0;
}

/* Which action has not worked yet; NULL: none. */
static inline const char *race_lacks(const struct race_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->count; i++)
		if (!__atomic_load_n(&race->worked[i], __ATOMIC_RELAXED))
			return plan->actions[i].name;
	return NULL;
}

static inline void *work(void *argument)
{
	struct worker *worker = argument;

	while (watchdog_goes_on(race->end, !race_lacks(worker->plan)))
		act(worker);
	return NULL;
}

/* Returns 0 or -errno. */
static inline int work_together(const struct race_plan *plan, __u64 seed)
{
	struct worker workers[RACE_THREADS];
	int i, rc = 0, count = 0;

	for (i = 0; i < RACE_THREADS && !rc; i++) {
		workers[i] = (struct worker){
			.plan = plan, .watched = &race->watched[i], .random = seed + i,
		};
		rc = -pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		count += !rc;
	}
	for (i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	return rc;
}

/* The whole life of the process that races; never returns. */
static inline void race_and_exit(const struct race_plan *plan, __u64 seed)
{
	int rc = plan->open() ? : work_together(plan, seed) ? : plan->close();

	if (rc)
		printf("# race: %s\n", strerror(-rc));
	fflush(stdout);
	_exit(!!rc);
}

static inline time_t race_seconds(void)
{
	const char *text = getenv("RACE_SECONDS");

	return text ? atol(text) : RACE_DEFAULT_SECONDS;
}

/* To be called once, before the others. Returns 0 or -errno. */
static inline int race_open(void)
{
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	return race == MAP_FAILED ? -errno : 0;
}

static inline void race_close(void)
{
	munmap(race, sizeof(*race));
}

/* Has another process race, and returns it, or -1. */
static inline pid_t race_start(const struct race_plan *plan, time_t seconds, __u64 seed)
{
	pid_t child;

	memset(race, 0, sizeof(*race));
	race->end = watchdog_now() + seconds;
	child = fork();
	if (!child)
		race_and_exit(plan, seed);
	return child;
}

/* Waits for it. Returns its status, as waitpid() gives it, or -1 if it hung. */
static inline int race_wait(pid_t child)
{
	return watchdog_run(child, race->watched, RACE_THREADS);
}

/* Was there no error that must not be? Prints how often what worked. */
static inline bool race_went_well(const struct race_plan *plan)
{
	bool well = true;
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		printf("# %-23s worked %u times\n", plan->actions[i].name, race->worked[i]);
		if (race->wrong[i])
			printf("#   and failed: %s\n", strerror(-race->wrong[i]));
		well &= !race->wrong[i];
	}
	return well;
}

/* Kills it, later each time. Returns whether it could be killed. */
static inline bool race_kill(const struct race_plan *plan, int round)
{
	pid_t child = race_start(plan, RACE_FOREVER, round);
	int status;

	if (child < 0)
		return false;
	usleep(100000 + 100000 * round);
	kill(child, SIGKILL);
	status = race_wait(child);
	return status != -1 && WIFSIGNALED(status);
}

#endif
