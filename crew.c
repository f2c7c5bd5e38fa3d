// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads for one large piece of work of a process.
 *
 * Owns the threads: whether there are any, and which part of the work each does
 * next. It must never know what the work is.
 *
 * The helpers are threads of the calling process, made as vhost makes its own. So
 * the processors they use, the memory that they fault in and allocate, and their
 * number are charged to its cgroups and limits; they run where it may run; and the
 * SIGKILL that ends it ends them, even in memory that never appears. A worker of a
 * workqueue could not be killed there and would use processors at the cost of
 * others; padata_do_multithreaded() is for the time of boot only. In return the
 * process can see them, for as long as the call takes and hardly longer.
 *
 * A helper can be kept from running: by SIGSTOP, by a frozen cgroup, by suspend. So
 * nobody waits for one that has nothing in hand: parts are taken one by one, by
 * the caller as well, and who gets no turn takes none. None of these stops a
 * thread inside a part, unless it waits there for memory to appear. Nor does the
 * caller wait long for a thread to exit that does not, or it could not be stopped
 * or frozen itself.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/vhost_task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "crew.h"

#define MAX_HELPERS 7
/* As a rule helpers end in far less */
#define DISMISSAL_JIFFIES HZ

/**
 * struct crew_helper - a thread that helps
 * @crew: Whom
 * @thread: The thread
 * @gone: It takes no more parts, and if it was killed, must not be woken
 */
struct crew_helper {
	struct crew *crew;
	struct vhost_task *thread;
	bool gone;
};

/**
 * struct crew - those who do the work of one process together
 * @refs: Of the caller, and of @dismissal
 * @lock: Protects all up to @present, and @helpers; whoever took a part has it alone
 * @do_part: What to do with a part
 * @work: For @do_part
 * @next: The part to be taken next, @nparts: none
 * @nparts: How many parts there are
 * @busy: How many parts are in hand
 * @failed: The first part that failed
 * @rc: Its error
 * @leaving: The helpers are to go
 * @present: How many have not
 * @finished: Completed when no part is in hand, nor will be
 * @left: Completed when the helpers are to go and all have
 * @dismissal: Ends the threads
 * @dismissed: Completed after that
 * @nhelpers: How many threads
 * @helpers: The threads
 */
struct crew {
	refcount_t refs;
	spinlock_t lock; /* parts in hand */
	crew_part_fn do_part;
	void *work;
	unsigned int next;
	unsigned int nparts;
	unsigned int busy;
	unsigned int failed;
	int rc;
	bool leaving;
	unsigned int present;
	struct completion finished;
	struct completion left;
	struct work_struct dismissal;
	struct completion dismissed;
	unsigned int nhelpers;
	struct crew_helper helpers[MAX_HELPERS];
};

/* Of its own so that the module does not go before its threads */
static struct workqueue_struct *dismissals;

static void put_crew(struct crew *crew)
{
	if (refcount_dec_and_test(&crew->refs))
		kfree(crew);
}

/* False: there is none left */
static bool take_part(struct crew *crew, unsigned int *part)
{
	bool taken;

	spin_lock(&crew->lock);
	taken = crew->next != crew->nparts;
	if (taken) {
		*part = crew->next++;
		crew->busy++;
	}
	spin_unlock(&crew->lock);
	return taken;
}

/* After a failure no more parts are taken; all below it have been */
static void finish_part(struct crew *crew, unsigned int part, int rc)
{
	spin_lock(&crew->lock);
	if (rc) {
		crew->next = crew->nparts;
		if (part < crew->failed) {
			crew->failed = part;
			crew->rc = rc;
		}
	}
	crew->busy--;
	if (!crew->busy && crew->next == crew->nparts)
		complete(&crew->finished);
	spin_unlock(&crew->lock);
}

static void leave(struct crew_helper *helper)
{
	struct crew *crew = helper->crew;

	lockdep_assert_held(&crew->lock);

	if (helper->gone)
		return;
	helper->gone = true;
	crew->present--;
	if (crew->leaving && !crew->present)
		complete(&crew->left);
}

static void leave_if_told(struct crew_helper *helper)
{
	struct crew *crew = helper->crew;

	spin_lock(&crew->lock);
	if (crew->leaving)
		leave(helper);
	spin_unlock(&crew->lock);
}

/*
 * What a helper does: called again after true; after false only when it is woken
 * up. Comes in the state in which it would sleep.
 */
static bool help(void *data)
{
	struct crew_helper *helper = data;
	struct crew *crew = helper->crew;
	unsigned int part;

	if (!take_part(crew, &part)) {
		leave_if_told(helper);
		return false;
	}
	__set_current_state(TASK_RUNNING);
	finish_part(crew, part, crew->do_part(crew->work, part));
	return true;
}

/* It has nothing in hand that it would have to give back */
static void helper_killed(void *data)
{
	struct crew_helper *helper = data;

	spin_lock(&helper->crew->lock);
	leave(helper);
	spin_unlock(&helper->crew->lock);
}

/* Without a thread there is more to do for the others */
static bool hire_helper(struct crew *crew)
{
	struct crew_helper *helper = &crew->helpers[crew->nhelpers];

	helper->crew = crew;
	helper->thread = vhost_task_create(help, helper_killed, helper,
					   "iommufd-crew");
	/* Older kernels return NULL */
	if (IS_ERR_OR_NULL(helper->thread))
		return false;
	spin_lock(&crew->lock);
	crew->nhelpers++;
	crew->present++;
	spin_unlock(&crew->lock);
	vhost_task_start(helper->thread);
	return true;
}

/* Have those do something that can; the lock is held */
static void wake_helpers(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i != crew->nhelpers; i++)
		if (!crew->helpers[i].gone)
			vhost_task_wake(crew->helpers[i].thread);
}

/*
 * A helper that is stopped or frozen does not end before that is over. This waits
 * idly until each has run again: vhost_task_stop() alone would look like a thread
 * that hangs.
 */
static void dismiss(struct work_struct *dismissal)
{
	struct crew *crew = container_of(dismissal, struct crew, dismissal);
	unsigned int present, i;

	spin_lock(&crew->lock);
	crew->leaving = true;
	present = crew->present;
	wake_helpers(crew);
	spin_unlock(&crew->lock);
	if (present)
		wait_for_completion_state(&crew->left, TASK_IDLE);

	for (i = 0; i != crew->nhelpers; i++)
		vhost_task_stop(crew->helpers[i].thread);
	complete(&crew->dismissed);
	put_crew(crew);
}

/**
 * crew_max_helpers - how many helpers the calling thread may have
 *
 * Return: their number, 0 if they would have no processor.
 */
unsigned int crew_max_helpers(void)
{
	unsigned int cpus;

	if (!current->mm || (current->flags & (PF_KTHREAD | PF_USER_WORKER)))
		return 0;
	cpus = cpumask_weight_and(cpu_online_mask, current->cpus_ptr);
	return clamp(cpus, 1U, 1U + MAX_HELPERS) - 1;
}

/**
 * crew_hire - make threads that help the calling one
 * @helpers: How many, at most crew_max_helpers()
 *
 * Makes fewer if the process may not have so many. The caller holds no lock: the
 * kernel takes many to make a thread.
 *
 * Return: a crew for crew_dismiss(); or NULL, which stands for the caller alone,
 * if @helpers is 0 or memory is short.
 */
struct crew *crew_hire(unsigned int helpers)
{
	struct crew *crew;

	if (!helpers)
		return NULL;
	crew = kzalloc(sizeof(*crew), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!crew)
		return NULL;
	refcount_set(&crew->refs, 1);
	spin_lock_init(&crew->lock);
	init_completion(&crew->finished);
	init_completion(&crew->left);
	INIT_WORK(&crew->dismissal, dismiss);
	init_completion(&crew->dismissed);
	while (crew->nhelpers != helpers && hire_helper(crew))
		;
	return crew;
}

/* The helpers begin at once */
static void begin_work(struct crew *crew, crew_part_fn do_part, void *work,
		       unsigned int nparts)
{
	reinit_completion(&crew->finished);
	spin_lock(&crew->lock);
	crew->do_part = do_part;
	crew->work = work;
	crew->next = 0;
	crew->nparts = nparts;
	crew->failed = nparts;
	crew->rc = 0;
	wake_helpers(crew);
	spin_unlock(&crew->lock);
}

static int work_alone(crew_part_fn do_part, void *work, unsigned int nparts)
{
	unsigned int part;
	int rc = 0;

	for (part = 0; part != nparts && !rc; part++)
		rc = do_part(work, part);
	return rc;
}

/**
 * crew_work - do a piece of work together
 * @crew: Hired by the calling thread; or NULL, then it works alone
 * @do_part: Does one part
 * @work: For @do_part
 * @nparts: How many parts, at least 1; they are taken in ascending order
 *
 * May be called again for other work. When it returns, no part is in hand. The
 * helpers hold no lock, but are waited for, so those of the caller cover them.
 *
 * Return: 0, or the error of the first part that failed: the one that one thread
 * would have come to. All parts before it, and some after it, have been done.
 */
int crew_work(struct crew *crew, crew_part_fn do_part, void *work,
	      unsigned int nparts)
{
	unsigned int part;

	if (!crew)
		return work_alone(do_part, work, nparts);
	begin_work(crew, do_part, work, nparts);
	while (take_part(crew, &part))
		finish_part(crew, part, do_part(work, part));

	/* SIGKILL ends the others, too, but they must have ended */
	if (wait_for_completion_killable(&crew->finished))
		wait_for_completion(&crew->finished);
	return crew->rc;
}

/*
 * A process that is sent SIGSTOP stops when one of its threads is about to return to
 * user mode, and that is the caller. So it waits: then the others have ended before.
 * But what freezes or traces may keep each for itself, and so it does not wait long.
 */
static void dismiss_helpers(struct crew *crew)
{
	refcount_inc(&crew->refs);
	queue_work(dismissals, &crew->dismissal);
	wait_for_completion_killable_timeout(&crew->dismissed,
					     DISMISSAL_JIFFIES);
}

/**
 * crew_dismiss - the helpers are not needed any more
 * @crew: As crew_hire() returned it, maybe NULL
 *
 * The caller holds no lock.
 */
void crew_dismiss(struct crew *crew)
{
	if (!crew)
		return;
	if (crew->nhelpers)
		dismiss_helpers(crew);
	put_crew(crew);
}

/**
 * crews_init - prepare to end threads
 *
 * Return: 0 or -ENOMEM.
 */
int crews_init(void)
{
	dismissals = alloc_workqueue("iommufd-crew", WQ_UNBOUND, 0);
	return dismissals ? 0 : -ENOMEM;
}

/**
 * crews_exit - wait until the last thread has ended
 */
void crews_exit(void)
{
	destroy_workqueue(dismissals);
}
