// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel workers that help with one large piece of work.
 *
 * Hands out the parts of the work. The helpers are workers of a workqueue, for work that
 * needs nothing but a processor. They are not threads of the calling process, which could
 * be traced, frozen, limited in number, and seen. Whatever faults in or migrates user
 * memory can take indefinitely, and is never given to them.
 *
 * Nothing waits for an idle helper: the caller takes parts too, one by one, and a helper
 * that never got a processor has taken none. It is then cancelled.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "memory/workers.h"

#define MAX_HELPERS 7

struct team;

/* A worker that helps */
struct helper {
	struct work_struct work;
	struct team *team;
};

/**
 * struct team - the caller and its helpers
 * @lock: Protects @next, @failed, @rc and @left; whoever took a part has it alone
 * @do_part: What to do with a part
 * @work: For @do_part
 * @next: The part to be taken next, @nparts: none
 * @nparts: How many parts there are
 * @failed: The first part that failed
 * @rc: Its error
 * @left: Parts that were taken, but left to the caller
 * @caller: The thread for which the work is done
 * @memcg: Its memory cgroup
 * @helpers: The workers
 */
struct team {
	spinlock_t lock; /* parts */
	work_part_fn do_part;
	void *work;
	unsigned int next;
	unsigned int nparts;
	unsigned int failed;
	int rc;
	DECLARE_BITMAP(left, WORK_PARTS_MAX);
	struct task_struct *caller;
	struct mem_cgroup *memcg;
	struct helper helpers[MAX_HELPERS];
};

static struct workqueue_struct *workers;

/* False: there is none left, or nobody wants the result any more */
static bool take_part(struct team *team, unsigned int *part)
{
	bool taken;

	spin_lock(&team->lock);
	taken = team->next != team->nparts;
	if (taken)
		*part = team->next++;
	if (taken && fatal_signal_pending(team->caller)) {
		team->next = team->nparts;
		team->failed = *part;
		team->rc = -EINTR;
		taken = false;
	}
	spin_unlock(&team->lock);
	return taken;
}

/* After a failure no more parts are taken; all below it have been */
static void note_failure(struct team *team, unsigned int part, int rc)
{
	spin_lock(&team->lock);
	team->next = team->nparts;
	if (part < team->failed) {
		team->failed = part;
		team->rc = rc;
	}
	spin_unlock(&team->lock);
}

static void leave_part(struct team *team, unsigned int part)
{
	spin_lock(&team->lock);
	__set_bit(part, team->left);
	spin_unlock(&team->lock);
}

static void do_parts(struct team *team, bool helps)
{
	unsigned int part;

	while (take_part(team, &part)) {
		int rc = team->do_part(team->work, part, helps);

		/* If memory is short it is so for the next part as well */
		if (helps && rc == -EAGAIN) {
			leave_part(team, part);
			break;
		}
		if (rc)
			note_failure(team, part, rc);
		cond_resched();
	}
}

/* When nobody has a part in hand any more */
static void do_left_parts(struct team *team)
{
	unsigned int part;

	for_each_set_bit(part, team->left, team->nparts) {
		int rc;

		if (part > team->failed)
			return;
		rc = fatal_signal_pending(current) ? -EINTR :
			team->do_part(team->work, part, false);
		if (rc)
			note_failure(team, part, rc);
	}
}

static void help(struct work_struct *work)
{
	struct team *team = container_of(work, struct helper, work)->team;
	struct mem_cgroup *old = set_active_memcg(team->memcg);

	do_parts(team, true);
	set_active_memcg(old);
}

static void call_helpers(struct team *team, unsigned int helpers)
{
	unsigned int i;

	for (i = 0; i != helpers; i++) {
		team->helpers[i].team = team;
		INIT_WORK(&team->helpers[i].work, help);
		queue_work(workers, &team->helpers[i].work);
	}
}

/* Waits for the parts that are being worked on, and for no helper that has not begun */
static void dismiss_helpers(struct team *team, unsigned int helpers)
{
	unsigned int i;

	for (i = 0; i != helpers; i++)
		cancel_work_sync(&team->helpers[i].work);
}

static int work_alone(work_part_fn do_part, void *work, unsigned int nparts)
{
	unsigned int part;
	int rc = 0;

	for (part = 0; part != nparts && !rc; part++) {
		rc = fatal_signal_pending(current) ? -EINTR :
						     do_part(work, part, false);
		cond_resched();
	}
	return rc;
}

/**
 * workers_available - how many helpers there could be for the calling thread
 *
 * Return: their number, 0 if it may use one processor only.
 */
unsigned int workers_available(void)
{
	unsigned int cpus;

	cpus = cpumask_weight_and(cpu_online_mask, current->cpus_ptr);
	return clamp(cpus, 1U, 1U + MAX_HELPERS) - 1;
}

/**
 * work_together - do a piece of work with helpers
 * @helpers: How many, at most workers_available(); as many as get a turn help
 * @do_part: Does one part
 * @work: For @do_part
 * @nparts: How many parts, 1 to WORK_PARTS_MAX; they are taken in ascending order
 *
 * When it returns nobody has a part in hand. Sleeps; the caller's locks cover what
 * the helpers do.
 *
 * Return: 0, or the error of the first part that failed: the one that one thread
 * would have come to; -EINTR: the caller was killed. All parts before it, and some
 * after it, have been done.
 */
int work_together(unsigned int helpers, work_part_fn do_part, void *work,
		  unsigned int nparts)
{
	struct team *team = NULL;
	int rc;

	if (helpers)
		team = kzalloc(sizeof(*team), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!team)
		return work_alone(do_part, work, nparts);
	spin_lock_init(&team->lock);
	team->do_part = do_part;
	team->work = work;
	team->nparts = nparts;
	team->failed = nparts;
	team->caller = current;
	team->memcg = get_mem_cgroup_from_mm(current->mm);

	call_helpers(team, helpers);
	do_parts(team, false);
	dismiss_helpers(team, helpers);
	do_left_parts(team);
	rc = team->rc;
	mem_cgroup_put(team->memcg);
	kfree(team);
	return rc;
}

/**
 * workers_init - have workers
 *
 * An administrator can say in /sys/devices/virtual/workqueue/iommufd where they run
 * and how urgent they are.
 *
 * Return: 0 or -ENOMEM.
 */
int __init workers_init(void)
{
	workers = alloc_workqueue("iommufd", WQ_UNBOUND | WQ_SYSFS, 0);
	return workers ? 0 : -ENOMEM;
}

/* GCOVR_EXCL_START: the debug kernel has it built in */
/**
 * workers_exit - the opposite of workers_init()
 */
void workers_exit(void)
{
	destroy_workqueue(workers);
}

/* GCOVR_EXCL_STOP */
