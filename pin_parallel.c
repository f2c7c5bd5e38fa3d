// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning a large range by several threads.
 *
 * Owns the threads: whether there are any, which part of the range each pins next,
 * and how the results become one. It must never know how a page is pinned, or what
 * is done with it.
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
 * the caller as well, and who gets no turn takes none. Nor does the caller wait
 * for a thread to exit that does not, or it could not be stopped or frozen itself.
 */
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/vhost_task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "pfn_runs.h"
#include "pin.h"

#define MAX_PARTS 64
#define MAX_HELPERS 7
/* Work that is worth a thread, which takes a small part of this to make and end */
#define HELPER_MIN_NS NSEC_PER_MSEC
/* Where no huge page is, as far as the address tells, cut in two */
#define PART_ALIGN (PMD_SIZE >> PAGE_SHIFT)

/**
 * struct pin_part - a part of a range
 * @builder: For its pages
 * @rc: How it went
 */
struct pin_part {
	struct pfn_builder builder;
	int rc;
} ____cacheline_aligned_in_smp;

/**
 * struct pin_crew - those who pin a range together
 * @refs: Of the caller, and of @dismissal
 * @memory: Where the range is; the caller's, to be used for parts only
 * @lock: Protects @next and @busy; whoever took a part has it alone
 * @next: The part to be taken next, @nparts: none
 * @busy: How many parts are being pinned
 * @finished: Completed when no part is, nor will be
 * @dismissal: Ends the threads
 * @dismissed: Completed after that
 * @nhelpers: How many threads
 * @helpers: The threads
 * @nparts: How many parts
 * @parts: They are taken in ascending order
 */
struct pin_crew {
	refcount_t refs;
	const struct user_memory *memory;
	spinlock_t lock; /* parts in hand */
	unsigned int next;
	unsigned int busy;
	struct completion finished;
	struct work_struct dismissal;
	struct completion dismissed;
	unsigned int nhelpers;
	struct vhost_task *helpers[MAX_HELPERS];
	unsigned int nparts;
	struct pin_part parts[] __counted_by(nparts);
};

/* Of its own so that the module does not go before its threads */
static struct workqueue_struct *dismissals;

static void put_crew(struct pin_crew *crew)
{
	if (refcount_dec_and_test(&crew->refs))
		kfree(crew);
}

/* NULL: there is none left */
static struct pin_part *take_part(struct pin_crew *crew)
{
	struct pin_part *part = NULL;

	spin_lock(&crew->lock);
	if (crew->next != crew->nparts) {
		part = &crew->parts[crew->next++];
		crew->busy++;
	}
	spin_unlock(&crew->lock);
	return part;
}

/* After a failure no more parts are taken; all below it have been */
static void finish_part(struct pin_crew *crew, struct pin_part *part, int rc)
{
	spin_lock(&crew->lock);
	part->rc = rc;
	if (rc)
		crew->next = crew->nparts;
	crew->busy--;
	if (!crew->busy && crew->next == crew->nparts)
		complete(&crew->finished);
	spin_unlock(&crew->lock);
}

static void pin_part(struct pin_crew *crew, struct pin_part *part)
{
	unsigned long first = part->builder.index;

	finish_part(crew, part,
		    pin_user_memory(crew->memory, &part->builder, first,
				    part->builder.last - first + 1));
}

/*
 * What a helper does: called again after true; after false only when it is woken
 * up, which it is to exit. Comes in the state in which it would sleep.
 */
static bool help(void *data)
{
	struct pin_crew *crew = data;
	struct pin_part *part = take_part(crew);

	if (!part)
		return false;
	__set_current_state(TASK_RUNNING);
	pin_part(crew, part);
	return true;
}

/* It has nothing in hand that it would have to give back */
static void helper_killed(void *data)
{
}

/* Without a thread there is more to do for the others */
static bool hire_helper(struct pin_crew *crew)
{
	struct vhost_task *helper;

	helper = vhost_task_create(help, helper_killed, crew, "iommufd-pin");
	/* Older kernels return NULL */
	if (IS_ERR_OR_NULL(helper))
		return false;
	crew->helpers[crew->nhelpers++] = helper;
	vhost_task_start(helper);
	return true;
}

static void work(struct pin_crew *crew, unsigned int wanted)
{
	struct pin_part *part;

	while (crew->nhelpers != wanted && hire_helper(crew))
		;
	while ((part = take_part(crew)))
		pin_part(crew, part);

	/* SIGKILL ends the others, too, but they must have ended */
	if (wait_for_completion_killable(&crew->finished))
		wait_for_completion(&crew->finished);
}

static void dismiss(struct work_struct *dismissal)
{
	struct pin_crew *crew = container_of(dismissal, struct pin_crew,
					     dismissal);
	unsigned int i;

	for (i = 0; i != crew->nhelpers; i++)
		vhost_task_stop(crew->helpers[i]);
	complete(&crew->dismissed);
	put_crew(crew);
}

/*
 * A thread that is stopped or frozen does not exit before that is over, so it is
 * not the caller that waits for all of them. It waits until a signal comes, since
 * what stops or freezes them sends it one, too; as a rule they are gone by then.
 */
static void dismiss_helpers(struct pin_crew *crew)
{
	if (!crew->nhelpers)
		return;
	refcount_inc(&crew->refs);
	queue_work(dismissals, &crew->dismissal);
	if (wait_for_completion_interruptible(&crew->dismissed))
		return;
}

/* Where the part ends that begins at a page, a multiple of PART_ALIGN long */
static unsigned long part_end(const struct user_memory *memory,
			      unsigned long begin, unsigned long size)
{
	unsigned long page = memory->address >> PAGE_SHIFT;

	return round_down(page + begin + size, PART_ALIGN) - page;
}

static struct pin_crew *alloc_crew(const struct user_memory *memory,
				   const struct pfn_builder *builder,
				   unsigned long part_size)
{
	unsigned long begin = builder->index;
	struct pin_crew *crew;

	crew = kzalloc(struct_size(crew, parts, MAX_PARTS),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!crew)
		return NULL;
	refcount_set(&crew->refs, 1);
	crew->memory = memory;
	spin_lock_init(&crew->lock);
	init_completion(&crew->finished);
	INIT_WORK(&crew->dismissal, dismiss);
	init_completion(&crew->dismissed);
	while (begin <= builder->last) {
		unsigned long last = min(part_end(memory, begin, part_size) - 1,
					 builder->last);

		pfn_builder_fork(builder, &crew->parts[crew->nparts++].builder,
				 begin, last);
		begin = last + 1;
	}
	return crew;
}

/* A huge page in two parts was pinned for both, but is in one run now */
static void join(struct pfn_builder *builder, struct pfn_builder *upper)
{
	struct pfn_runs_iter iter;

	if (pfn_builder_iter_first(upper, &iter) &&
	    pfn_builder_join(builder, upper) && iter.run.tag == PIN_BY_FOLIO)
		pin_merge(iter.run.pfn);
}

/* The first failure counts: it is the one that one thread would have come to */
static int join_parts(struct pin_crew *crew, struct pfn_builder *builder)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i != crew->nparts; i++) {
		join(builder, &crew->parts[i].builder);
		rc = rc ?: crew->parts[i].rc;
	}
	return rc;
}

static int pin_together(struct pin_crew *crew, struct pfn_builder *builder,
			unsigned int helpers)
{
	int rc;

	work(crew, helpers);
	rc = join_parts(crew, builder);
	dismiss_helpers(crew);
	put_crew(crew);
	return rc;
}

static int pin_alone(const struct user_memory *memory,
		     struct pfn_builder *builder)
{
	struct pfn_builder rest;
	int rc;

	pfn_builder_fork(builder, &rest, builder->index, builder->last);
	rc = pin_user_memory(memory, &rest, rest.index,
			     rest.last - rest.index + 1);
	join(builder, &rest);
	return rc;
}

/* How many helpers there may be besides the caller */
static unsigned int helpers_possible(const struct user_memory *memory)
{
	unsigned int cpus;

	/* A thread of another process would be of no use there */
	if (memory->mm != current->mm || !is_user_task(current))
		return 0;
	cpus = cpumask_weight_and(cpu_online_mask, current->cpus_ptr);
	return clamp(cpus, 1U, 1U + MAX_HELPERS) - 1;
}

/*
 * How many helpers are worth it if all pages take as long as the first ones did.
 * That differs by a factor of thousands between huge pages that are there and
 * small ones that are not.
 */
static unsigned int count_helpers(unsigned int possible, u64 ns,
				  unsigned long done, unsigned long left)
{
	u64 worth = div_u64(ns * (left / done), HELPER_MIN_NS);

	return min_t(u64, worth, possible);
}

/**
 * pin_parallel - pin a large range by as many threads as it is worth
 * @memory: The memory of a process, alive or not
 * @builder: For this range and no more
 * @first: Index of the first page, from the start of @memory
 * @npages: How many pages, at least PIN_PARALLEL_PAGES
 *
 * Does what pin_user_memory() does, and sleeps as it does. When it returns, the
 * other threads no longer use anything of the caller's.
 *
 * Return: as pin_user_memory(). After a failure there may be gaps between the pages
 * that @builder keeps.
 */
int pin_parallel(const struct user_memory *memory, struct pfn_builder *builder,
		 unsigned long first, unsigned long npages)
{
	unsigned long part_size = roundup(DIV_ROUND_UP(npages, MAX_PARTS),
					  PART_ALIGN);
	unsigned int helpers = helpers_possible(memory);
	struct pin_crew *crew = NULL;
	unsigned long done;
	u64 start;
	int rc;

	if (!helpers)
		return pin_user_memory(memory, builder, first, npages);
	start = ktime_get_ns();
	done = part_end(memory, first, part_size) - first;
	rc = pin_user_memory(memory, builder, first, done);
	if (rc)
		return rc;
	helpers = count_helpers(helpers, ktime_get_ns() - start, done,
				npages - done);
	if (helpers)
		crew = alloc_crew(memory, builder, part_size);
	if (!crew)
		return pin_alone(memory, builder);
	return pin_together(crew, builder, helpers);
}

/**
 * pin_parallel_init - prepare to end threads
 *
 * Return: 0 or -ENOMEM.
 */
int pin_parallel_init(void)
{
	dismissals = alloc_workqueue("iommufd-pin", WQ_UNBOUND, 0);
	return dismissals ? 0 : -ENOMEM;
}

/**
 * pin_parallel_exit - wait until the last thread has ended
 */
void pin_parallel_exit(void)
{
	destroy_workqueue(dismissals);
}
