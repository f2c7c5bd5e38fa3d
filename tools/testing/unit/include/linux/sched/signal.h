/* SPDX-License-Identifier: GPL-2.0-only */
/* In user space SIGKILL asks nobody. */
#ifndef __UNIT_LINUX_SCHED_SIGNAL_H
#define __UNIT_LINUX_SCHED_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>

#define current NULL

static inline bool fatal_signal_pending(const void *task)
{
	return false;
}

#endif
