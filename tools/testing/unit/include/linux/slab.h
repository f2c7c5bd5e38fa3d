/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel allocations come from malloc(), which tests can count and make fail. */
#ifndef UNIT_LINUX_SLAB_H
#define UNIT_LINUX_SLAB_H

#include "unit.h"

#define GFP_KERNEL_ACCOUNT	0

#define kmalloc(size, flags)	((void)(flags), unit_alloc(size))
#define kzalloc(size, flags)	((void)(flags), unit_zalloc(size))
#define kfree(object)		unit_free(object)

#endif
