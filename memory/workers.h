/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel workers that help with one large piece of work.
 */
#ifndef __IOMMUFD_WORKERS_H
#define __IOMMUFD_WORKERS_H

#include <linux/types.h>

/**
 * typedef work_part_fn - do one part of the work
 * @work: As given to work_together()
 * @part: Which part; nobody else has it
 * @helps: It is a worker that does it
 *
 * A worker that is in here is waited for, so whatever it does takes no longer than
 * the processor needs: it faults in, migrates and waits for nothing of user space,
 * takes none of the caller's locks, and allocates with GFP_NOWAIT, since a cgroup
 * can say how long others are to wait. Memory is charged to the caller's cgroup.
 *
 * Return: 0; an error, which ends the work early; or, of a worker, with nothing done
 * of the part, -EAGAIN: the caller has to do it.
 */
typedef int (*work_part_fn)(void *work, unsigned int part, bool helps);

/* There can be so many parts */
#define WORK_PARTS_MAX 64

unsigned int workers_available(void);
int work_together(unsigned int helpers, work_part_fn do_part, void *work,
		  unsigned int nparts);
int workers_init(void);
void workers_exit(void);

#endif
