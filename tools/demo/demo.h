/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sections of the demo share.
 */
#ifndef IOMMUFD_DEMO_DEMO_H
#define IOMMUFD_DEMO_DEMO_H

#include <stdbool.h>
#include <linux/types.h>

#include "edu.h"
#include "memory.h"

/* Two huge pages: the device copies from one to the other. */
#define DEMO_MEMORY_SIZE (2 * MEMORY_HUGE_PAGE_SIZE)

/* Copies in the second IOAS are this much above their original. */
#define DEMO_COPY_OFFSET 0x100000000ULL

/* RLIMIT_MEMLOCK while the demo runs */
#define DEMO_LOCK_LIMIT (64UL << 20)

/**
 * struct demo - everything that has to be given back at the end
 * @address: PCI address of the device
 * @binding: the device's move to vfio-pci
 * @edu: the device, open while edu.device.fd >= 0
 * @iommufd: /dev/iommu, -1 when closed
 * @fault_log: where the kernel reports DMA faults
 * @ioas: the two address spaces
 * @hwpt: their page tables
 * @memory: one piece of each kind
 * @iova: where each is in the first address space
 */
struct demo {
	struct pci_address address;
	struct vfio_pci_binding binding;
	struct edu edu;
	int iommufd;
	int fault_log;
	__u32 ioas[2];
	__u32 hwpt[2];
	struct memory memory[MEMORY_KINDS];
	__u64 iova[MEMORY_KINDS];
};

/* Each prints one section and returns whether the next can be tried. */
bool section_device(struct demo *demo);
bool section_address_space(struct demo *demo);
bool section_memory(struct demo *demo);
bool section_second_space(struct demo *demo);
bool section_fault(struct demo *demo);
bool section_limit(struct demo *demo);
bool section_process_mode(struct demo *demo);
bool section_close(struct demo *demo);

int demo_release(struct demo *demo);

int charge_like_everybody(void);

#endif
