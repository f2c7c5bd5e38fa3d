/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies that the device does inside mapped memory, and their proof.
 *
 * Must never know how the memory was mapped.
 */
#ifndef IOMMUFD_DEMO_TRANSFER_H
#define IOMMUFD_DEMO_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "edu.h"
#include "memory.h"

/* Copies of EDU_DMA_MAX bytes in one transfer_check() */
#define TRANSFER_COPIES 3

int transfer_check(struct edu *edu, struct memory *memory, uint64_t iova, uint32_t seed,
		   size_t *matching);
int transfer_blocked(struct edu *edu, struct memory *memory, uint64_t iova);

#endif
