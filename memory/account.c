// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned pages to the process that mapped them: RLIMIT_MEMLOCK in both modes, and
 * the VmPin statistic.
 *
 * The count of a process's locked pages is protected by its mmap_lock, which the process
 * can hold indefinitely in a page fault. A charge is made by the process itself, which may
 * wait. A credit may come from any teardown, which may not: if it finds the lock taken,
 * the credit becomes a debt. The debt is paid at the process's next charge, or by a worker
 * that tries the lock now and then but never waits for it.
 */
#include <linux/capability.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "memory/account.h"
#include "selftest/hooks.h"

#define SETTLE_JIFFIES (HZ / 10)

/**
 * struct payer - an address space that accounts of mode ACCOUNT_PROCESS charge
 * @node: In payers
 * @mm: The address space; the structure is kept
 * @accounts: How many there are
 * @debt: Pages that were credited, but that it still has as locked
 * @debtor: In debtors from the moment that there is a debt until settle_debts() has
 *          seen that there is none
 */
struct payer {
	struct hlist_node node;
	struct mm_struct *mm;
	unsigned long accounts;
	unsigned long debt;
	struct list_head debtor;
};

/* Protects all payers. Inside mmap_lock; mmap_lock is tried, not waited for, in it */
static DEFINE_SPINLOCK(payers_lock);
static DEFINE_HASHTABLE(payers, 10);
static LIST_HEAD(debtors);

static void settle_debts(struct work_struct *work);
static DECLARE_DELAYED_WORK(settling, settle_debts);

static struct payer *find_payer(struct mm_struct *mm)
{
	struct payer *payer;

	hash_for_each_possible(payers, payer, node, (unsigned long)mm)
		if (payer->mm == mm)
			return payer;
	return NULL;
}

/* Pay now if that takes no waiting. An address space that is gone owes nothing */
static void settle(struct payer *payer)
{
	struct mm_struct *mm = payer->mm;

	lockdep_assert_held(&payers_lock);

	if (!payer->debt)
		return;
	if (!mmget_not_zero(mm)) {
		payer->debt = 0;
		return;
	}
	/* There is no mmap_write_trylock(). No VMA is locked, so this will do */
	if (down_write_trylock(&mm->mmap_lock)) {
		__account_locked_vm(mm, payer->debt, false, current, false);
		payer->debt = 0;
		up_write(&mm->mmap_lock);
	}
	mmput_async(mm);
}

/* Nobody charges it any more and it owes nothing: to be freed without the lock */
static bool forget_payer(struct payer *payer)
{
	if (payer->accounts || !list_empty(&payer->debtor))
		return false;
	hash_del(&payer->node);
	return true;
}

static void free_payer(struct payer *payer)
{
	mmdrop(payer->mm);
	kfree(payer);
}

/* A payer that this was the end of goes to @gone */
static void settle_first(struct list_head *todo, struct list_head *gone)
{
	struct payer *payer = list_first_entry(todo, struct payer, debtor);

	settle(payer);
	if (payer->debt) {
		list_move_tail(&payer->debtor, &debtors);
		return;
	}
	list_del_init(&payer->debtor);
	if (forget_payer(payer))
		list_add(&payer->debtor, gone);
}

static void settle_debts(struct work_struct *work)
{
	struct payer *payer, *next;
	LIST_HEAD(todo);
	LIST_HEAD(gone);
	bool again;

	spin_lock(&payers_lock);
	list_splice_init(&debtors, &todo);
	while (!list_empty(&todo)) {
		settle_first(&todo, &gone);
		/* There are as many as processes want there to be */
		spin_unlock(&payers_lock);
		cond_resched();
		spin_lock(&payers_lock);
	}
	again = !list_empty(&debtors);
	spin_unlock(&payers_lock);
	list_for_each_entry_safe(payer, next, &gone, debtor)
		free_payer(payer);
	if (again)
		schedule_delayed_work(&settling, SETTLE_JIFFIES);
}

/* One more account of a payer that is known, or else of @new, if that is not NULL */
static struct payer *join_payer(struct mm_struct *mm, struct payer *new)
{
	struct payer *payer;

	spin_lock(&payers_lock);
	payer = find_payer(mm);
	if (!payer && new) {
		payer = new;
		mmgrab(mm);
		payer->mm = mm;
		INIT_LIST_HEAD(&payer->debtor);
		hash_add(payers, &payer->node, (unsigned long)mm);
	}
	if (payer)
		payer->accounts++;
	spin_unlock(&payers_lock);
	return payer;
}

static struct payer *get_payer(struct mm_struct *mm)
{
	struct payer *payer = join_payer(mm, NULL);
	struct payer *new;

	if (payer)
		return payer;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	payer = join_payer(mm, new);
	if (payer != new)
		kfree(new);
	return payer;
}

static void put_payer(struct payer *payer)
{
	bool gone;

	spin_lock(&payers_lock);
	payer->accounts--;
	gone = forget_payer(payer);
	spin_unlock(&payers_lock);
	if (gone)
		free_payer(payer);
}

/**
 * account_init - charge to the calling process from now on
 * @account: To be set up
 * @mode: ACCOUNT_USER or ACCOUNT_PROCESS; ACCOUNT_NONE is what a caller with
 *        CAP_IPC_LOCK gets
 *
 * Return: 0 or -ENOMEM.
 */
int account_init(struct account *account, enum account_mode mode)
{
	struct mm_struct *mm = current->mm;

	account->payer = NULL;
	if (mode == ACCOUNT_NONE || capable(CAP_IPC_LOCK)) {
		mode = ACCOUNT_NONE;
	} else if (mode == ACCOUNT_PROCESS) {
		account->payer = get_payer(mm);
		if (!account->payer)
			return -ENOMEM;
	}
	mmgrab(mm);
	account->mm = mm;
	account->mode = mode;
	if (mode == ACCOUNT_NONE)
		return 0;
	account->task = get_task_struct(current->group_leader);
	account->user = get_uid(current_user());
	return 0;
}

/**
 * account_destroy - the opposite of account_init()
 * @account: Everything charged was credited, or is lost
 */
void account_destroy(struct account *account)
{
	if (account->mode != ACCOUNT_NONE) {
		free_uid(account->user);
		put_task_struct(account->task);
	}
	if (account->payer)
		put_payer(account->payer);
	mmdrop(account->mm);
}

static int charge_user(struct account *account, unsigned long npages)
{
	unsigned long limit = task_rlimit(account->task, RLIMIT_MEMLOCK) >>
			      PAGE_SHIFT;
	atomic_long_t *locked = &account->user->locked_vm;
	long old = atomic_long_read(locked);

	do {
		if (old + npages > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(locked, &old, old + npages));
	return 0;
}

/* With mmap_lock, so that the payer owes nothing after that */
static void pay_debt(struct payer *payer)
{
	unsigned long debt;

	spin_lock(&payers_lock);
	debt = payer->debt;
	payer->debt = 0;
	spin_unlock(&payers_lock);
	if (debt)
		__account_locked_vm(payer->mm, debt, false, current, false);
}

/*
 * An address space that is gone has no counter left: nothing to charge, nothing
 * to credit. A charge then fails, since nobody is left to pay.
 */
static int charge_process(struct account *account, unsigned long npages)
{
	struct mm_struct *mm = account->mm;
	int rc = -EINTR;

	if (!mmget_not_zero(mm))
		return -ENOMEM;
	if (mmap_write_lock_killable(mm))
		goto out_mm;
	pay_debt(account->payer);
	rc = __account_locked_vm(mm, npages, true, account->task, false);
	mmap_write_unlock(mm);
out_mm:
	mmput_async(mm);
	return rc;
}

static void credit_process(struct account *account, unsigned long npages)
{
	struct payer *payer = account->payer;
	bool owes;

	spin_lock(&payers_lock);
	payer->debt += npages;
	settle(payer);
	owes = payer->debt;
	if (owes && list_empty(&payer->debtor))
		list_add_tail(&payer->debtor, &debtors);
	spin_unlock(&payers_lock);
	if (owes)
		schedule_delayed_work(&settling, SETTLE_JIFFIES);
}

/**
 * account_charge - count pages that are going to be pinned
 * @account: Who pays
 * @npages: How many CPU pages
 *
 * Takes the mmap_lock of the paying process, which can sleep indefinitely but ends by
 * SIGKILL: the caller holds no lock.
 *
 * Return: 0; with nothing charged -ENOMEM: over the limit, or -EINTR: killed.
 */
int account_charge(struct account *account, unsigned long npages)
{
	int rc = 0;

	if (selftest_should_fail())
		return -ENOMEM;
	if (account->mode == ACCOUNT_USER)
		rc = charge_user(account, npages);
	else if (account->mode == ACCOUNT_PROCESS)
		rc = charge_process(account, npages);
	if (rc)
		return rc;
	atomic64_add(npages, &account->mm->pinned_vm);
	return 0;
}

/**
 * account_credit - count pages that are not pinned any more
 * @account: As charged
 * @npages: How many CPU pages
 *
 * Waits for nothing and cannot fail; any lock may be held.
 */
void account_credit(struct account *account, unsigned long npages)
{
	if (!npages)
		return;
	if (account->mode == ACCOUNT_USER)
		atomic_long_sub(npages, &account->user->locked_vm);
	else if (account->mode == ACCOUNT_PROCESS)
		credit_process(account, npages);
	atomic64_sub(npages, &account->mm->pinned_vm);
}

/**
 * accounts_exit - settle what is owed still, or forget it
 *
 * When there are no accounts any more. A process whose mmap_lock is held at this
 * moment keeps too many pages counted as locked.
 */
void accounts_exit(void)
{
	struct payer *payer, *next;

	cancel_delayed_work_sync(&settling);
	list_for_each_entry_safe(payer, next, &debtors, debtor) {
		spin_lock(&payers_lock);
		settle(payer);
		hash_del(&payer->node);
		spin_unlock(&payers_lock);
		free_payer(payer);
	}
}
