/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel source's user space headers lack the widest type. */
#ifndef UNIT_LINUX_TYPES_H
#define UNIT_LINUX_TYPES_H

#include_next <linux/types.h>

#define u128 unsigned __int128

#endif
