/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO's older interface: a container that has the mappings, and IOMMU groups
 * that are put into it. The container is the kernel's own or an iommufd file.
 *
 * Knows VFIO. Must never know what kind of device is in a group, nor which kind
 * of container answers.
 *
 * Every function returns 0 (or what it says) on success and -errno on failure.
 */
#ifndef __SELFTEST_IOMMUFD_VFIO_CONTAINER_H
#define __SELFTEST_IOMMUFD_VFIO_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "vfio_device.h"

#define VFIO_CONTAINER "/dev/vfio/vfio"

#define VFIO_MAP_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* Room for VFIO_IOMMU_GET_INFO with all its capabilities */
#define VFIO_INFO_SIZE 1024

/**
 * union vfio_container_info - what VFIO_IOMMU_GET_INFO answers
 * @info: its fixed part
 * @room: for the capabilities
 */
union vfio_container_info {
	struct vfio_iommu_type1_info info;
	__u8 room[VFIO_INFO_SIZE];
};

/* A container: any file that takes these requests */
int vfio_container_open(const char *node);
bool vfio_container_is_iommufd(int container);
int vfio_container_check(int container, unsigned long extension);
int vfio_container_set_iommu(int container, unsigned long type);
int vfio_container_map(int container, const void *address, __u64 length, __u32 flags,
		       __u64 iova);
int vfio_container_unmap(int container, __u64 iova, __u64 length, __u64 *unmapped);
int vfio_container_unmap_all(int container, __u64 *unmapped);
int vfio_container_unmap_dirty(int container, __u64 iova, __u64 length,
			       const struct vfio_bitmap *bitmap, __u64 *unmapped);
int vfio_container_track(int container, __u32 flags);
int vfio_container_dirty(int container, __u64 iova, __u64 length,
			 const struct vfio_bitmap *bitmap);
int vfio_container_info(int container, union vfio_container_info *info);
const void *vfio_container_capability(const union vfio_container_info *info, __u16 id);

/* A group */
int vfio_group_open(int iommu_group);
int vfio_group_flags(int group, __u32 *flags);
int vfio_group_set_container(int group, int container);
int vfio_group_unset_container(int group);
int vfio_group_get_device(int group, struct vfio_device *device, const char *address);

#endif
