/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel source's user space headers lack bits in the order of little endian machines. */
#ifndef UNIT_LINUX_BITOPS_H
#define UNIT_LINUX_BITOPS_H

#include_next <linux/bitops.h>

static inline void set_bit_le(unsigned long bit, void *address)
{
	((u8 *)address)[bit / BITS_PER_BYTE] |= 1 << bit % BITS_PER_BYTE;
}

#endif
