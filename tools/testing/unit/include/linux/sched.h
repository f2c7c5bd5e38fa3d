/* SPDX-License-Identifier: GPL-2.0-only */
/* In user space others run anyway. */
#ifndef __UNIT_LINUX_SCHED_H
#define __UNIT_LINUX_SCHED_H

static inline void cond_resched(void)
{
}

#endif
