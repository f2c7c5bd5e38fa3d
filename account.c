// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned pages to the process that mapped them.
 *
 * Owns the arithmetic of RLIMIT_MEMLOCK in both modes and the VmPin statistic.
 * It must never know why pages are pinned or which ones.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>

#include "account.h"
#include "selftest.h"

/**
 * account_init - charge to the calling process from now on
 * @account: To be set up
 * @mode: ACCOUNT_USER or ACCOUNT_PROCESS; ACCOUNT_NONE is what a caller with
 *        CAP_IPC_LOCK gets
 */
void account_init(struct account *account, enum account_mode mode)
{
	account->mm = current->mm;
	mmgrab(account->mm);
	if (mode == ACCOUNT_NONE || capable(CAP_IPC_LOCK)) {
		account->mode = ACCOUNT_NONE;
		return;
	}
	account->mode = mode;
	account->task = get_task_struct(current->group_leader);
	account->user = get_uid(current_user());
}

/**
 * account_destroy - the opposite of account_init()
 * @account: Everything charged was credited
 */
void account_destroy(struct account *account)
{
	if (account->mode != ACCOUNT_NONE) {
		free_uid(account->user);
		put_task_struct(account->task);
	}
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
	rc = __account_locked_vm(mm, npages, true, account->task, false);
	mmap_write_unlock(mm);
out_mm:
	mmput_async(mm);
	return rc;
}

static void credit_process(struct account *account, unsigned long npages)
{
	struct mm_struct *mm = account->mm;

	if (!mmget_not_zero(mm))
		return;
	mmap_write_lock(mm);
	__account_locked_vm(mm, npages, false, account->task, false);
	mmap_write_unlock(mm);
	mmput_async(mm);
}

/**
 * account_charge - count pages that were pinned
 * @account: Who pays
 * @npages: How many CPU pages
 *
 * Takes the mmap_lock of the paying process, which can sleep for ever but ends by
 * SIGKILL.
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
 * account_credit - count pages that were unpinned
 * @account: As charged
 * @npages: How many CPU pages
 *
 * Takes the mmap_lock of the paying process, which can sleep for ever: the caller
 * holds no lock that others need. Cannot fail.
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
