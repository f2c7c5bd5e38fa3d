/* SPDX-License-Identifier: GPL-2.0-only */
/* As the kernel has it: with the limits of the integer types. */
#ifndef UNIT_LINUX_KERNEL_H
#define UNIT_LINUX_KERNEL_H

#include <limits.h>
#include_next <linux/kernel.h>

#endif
