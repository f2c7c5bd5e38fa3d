/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/iommu_floor, shared by its module and the benchmark.
 */
#ifndef TOOLS_BENCH_IOMMU_FLOOR_H
#define TOOLS_BENCH_IOMMU_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMU_FLOOR_SLOTS 1024

/**
 * struct iommu_floor_device - argument of IOMMU_FLOOR_DEVICE
 * @name: A PCI device, as in /sys/bus/pci/devices
 */
struct iommu_floor_device {
	char name[32];
};

/**
 * struct iommu_floor_map - argument of the other ioctls
 * @address: Memory of the caller, PAGE_SIZE aligned (MAP)
 * @length: Bytes (MAP)
 * @iova: Where to map it (MAP, FILL, CLEAR)
 * @slot: Which mapping, below IOMMU_FLOOR_SLOTS
 * @runs: Out: how many physically contiguous pieces it is made of (MAP)
 */
struct iommu_floor_map {
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 iova;
	__u32 slot;
	__u32 runs;
};

/* Work in the domain that the device named is attached to */
#define IOMMU_FLOOR_DEVICE _IOW('F', 0, struct iommu_floor_device)
/* Pin memory and map it; unmap it and unpin it */
#define IOMMU_FLOOR_MAP _IOWR('F', 1, struct iommu_floor_map)
#define IOMMU_FLOOR_UNMAP _IOW('F', 2, struct iommu_floor_map)
/* Map once more what a slot holds, elsewhere; unmap that */
#define IOMMU_FLOOR_FILL _IOW('F', 3, struct iommu_floor_map)
#define IOMMU_FLOOR_CLEAR _IOW('F', 4, struct iommu_floor_map)

#endif
