/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA faults as the IOMMU drivers report them: in the kernel's log.
 *
 * Knows the wording of the drivers. Must never know who caused the fault.
 */
#ifndef __SELFTEST_IOMMUFD_VFIO_DEVICE_FAULT_H
#define __SELFTEST_IOMMUFD_VFIO_DEVICE_FAULT_H

#include <stddef.h>
#include <stdint.h>

int dma_fault_open(void);
int dma_fault_wait(int log, uint64_t iova, size_t length, char *message, size_t size);

#endif
