/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel source's user space headers have min() and max() elsewhere. */
#ifndef UNIT_LINUX_MINMAX_H
#define UNIT_LINUX_MINMAX_H

#include <linux/kernel.h>

#endif
