/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose pages are not beside each other.
 */
#ifndef TOOLS_BENCH_SCATTERED_H
#define TOOLS_BENCH_SCATTERED_H

#include "memory.h"

int scattered_allocate(struct memory *memory, enum memory_kind kind, size_t size);

#endif
