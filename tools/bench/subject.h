/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Three ways to map memory for a device: ours, VFIO's type1, and the floor.
 *
 * Every function returns 0 or -errno.
 */
#ifndef TOOLS_BENCH_SUBJECT_H
#define TOOLS_BENCH_SUBJECT_H

#include <stddef.h>

#include "figure.h"
#include "vfio_device.h"

/**
 * struct subject - one of them
 * @map: map memory at an IOVA of its own; @slot is a small number that is
 *       in use for no other memory
 * @unmap: unmap just that
 */
struct subject {
	int (*map)(const void *address, size_t length, __u64 iova, unsigned int slot);
	int (*unmap)(__u64 iova, size_t length, unsigned int slot);
};

extern const struct subject subjects[SUBJECTS];

/* Ours: a context, its IOAS with a page table, a device that is attached to that */
extern int iommufd;
extern __u32 ioas;
extern __u32 hwpt;
extern struct vfio_device device;

/* That of type1 */
extern int container;

/* Nobody has it */
extern struct pci_address spare_device;

int subjects_open(void);
int attach_new(int context, struct vfio_device *bound, const char *address, __u32 *ioas_id,
	       __u32 *hwpt_id);
int floor_fill(unsigned int slot, __u64 iova);
int floor_clear(unsigned int slot, __u64 iova);
unsigned int floor_runs(void);

#endif
