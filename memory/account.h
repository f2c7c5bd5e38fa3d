/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To whom pinned memory is charged.
 */
#ifndef __IOMMUFD_ACCOUNT_H
#define __IOMMUFD_ACCOUNT_H

#include <linux/types.h>

struct mm_struct;
struct payer;
struct task_struct;
struct user_struct;

/* The values of IOMMU_OPTION_RLIMIT_MODE; NONE is a mapper with CAP_IPC_LOCK */
enum account_mode {
	ACCOUNT_USER = 0,
	ACCOUNT_PROCESS = 1,
	ACCOUNT_NONE = 2,
};

/**
 * struct account - the process that mapped a range of memory
 * @task: Its thread group leader, whose RLIMIT_MEMLOCK counts, unless @mode is
 *        ACCOUNT_NONE
 * @mm: Its address space; the structure is kept, the address space is not
 * @user: Whose locked pages are counted in mode ACCOUNT_USER; like @task
 * @mode: Which counter is held against the limit
 * @payer: Of @mm in mode ACCOUNT_PROCESS
 */
struct account {
	struct task_struct *task;
	struct mm_struct *mm;
	struct user_struct *user;
	enum account_mode mode;
	struct payer *payer;
};

int account_init(struct account *account, enum account_mode mode);
void account_destroy(struct account *account);
int account_charge(struct account *account, unsigned long npages);
void account_credit(struct account *account, unsigned long npages);
void accounts_exit(void);

#endif
