/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu PCI device: a buffer of its own and a DMA engine that copies
 * between the buffer and memory.
 *
 * Knows the registers. Must never know IOAS, HWPT or mappings: an IOVA is a
 * number here.
 */
#ifndef __SELFTEST_IOMMUFD_EDU_H
#define __SELFTEST_IOMMUFD_EDU_H

#include <stddef.h>
#include <stdint.h>

#include "vfio_device.h"

#define EDU_VENDOR_ID 0x1234
#define EDU_DEVICE_ID 0x11e8

/* The buffer has 4096 bytes, but QEMU 7.2 aborts on a transfer up to its end. */
#define EDU_DMA_MAX 4095

/**
 * struct edu - an edu device bound to an iommufd
 * @device: its cdev
 * @registers: BAR 0
 * @registers_size: its size in bytes
 */
struct edu {
	struct vfio_device device;
	volatile uint8_t *registers;
	size_t registers_size;
};

int edu_find(struct pci_address *addresses, size_t max);
int edu_open(struct edu *edu, const char *address, int iommufd);
int edu_open_in_group(struct edu *edu, const char *address, int group);
void edu_close(struct edu *edu);

int edu_start_fetch(struct edu *edu, uint64_t iova, size_t length);
int edu_start_store(struct edu *edu, uint64_t iova, size_t length);
int edu_wait(struct edu *edu);
/* Either direction of a DMA */
typedef int (*edu_dma_function)(struct edu *edu, uint64_t iova, size_t length);

int edu_fetch(struct edu *edu, uint64_t iova, size_t length);
int edu_store(struct edu *edu, uint64_t iova, size_t length);

/* Reads as the complement of what was written */
#define EDU_LIVENESS 0x04

uint32_t edu_identity(struct edu *edu);
void edu_set_liveness(struct edu *edu, uint32_t value);
uint32_t edu_liveness(struct edu *edu);
void edu_raise_interrupt(struct edu *edu);
void edu_clear_interrupt(struct edu *edu);

#endif
