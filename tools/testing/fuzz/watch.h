/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seeing that something is wrong.
 *
 * Owns the reading of the kernel's log and of what the kernel has in use. Must never
 * know what the cause may be.
 */
#ifndef FUZZ_WATCH_H
#define FUZZ_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

int watch_open(void);
bool watch_log(void);
bool watch_counters(void);
bool watch_accounts(void);
void watch_print_stacks(pid_t process);

#endif
