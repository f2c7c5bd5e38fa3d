/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that is measured: as memory.h has it, but small pages are not beside
 * each other.
 */
#ifndef TOOLS_BENCH_MEMORY_H
#define TOOLS_BENCH_MEMORY_H

#include "memory.h"

#define PAGE_BYTES 4096UL
#define KIB 1024UL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

int bench_allocate(struct memory *memory, enum memory_kind kind, size_t size);

#endif
