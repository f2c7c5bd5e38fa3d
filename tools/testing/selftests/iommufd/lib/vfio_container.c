// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's older interface: containers and groups.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/iommufd.h>

#include "vfio_container.h"
#include "vfio_node.h"

static int request(int fd, unsigned long number, void *argument)
{
	int rc = ioctl(fd, number, argument);

	return rc < 0 ? -errno : rc;
}

static int request_value(int fd, unsigned long number, unsigned long value)
{
	return request(fd, number, (void *)value);
}

/**
 * vfio_container_open() - open a container
 * @node: VFIO_CONTAINER or IOMMU_DEVICE
 *
 * Return: a file descriptor or the errno of open().
 */
int vfio_container_open(const char *node)
{
	return vfio_node_open(node);
}

/**
 * vfio_container_is_iommufd() - does iommufd answer?
 * @container: file descriptor
 *
 * Return: yes or no; also /dev/vfio/vfio may be its node.
 */
bool vfio_container_is_iommufd(int container)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_GET };
	int rc;

	rc = request(container, IOMMU_VFIO_IOAS, &cmd);
	return !rc || rc == -ENODEV;
}

/**
 * vfio_container_check() - VFIO_CHECK_EXTENSION
 * @container: file descriptor
 * @extension: VFIO_TYPE1_IOMMU ...
 *
 * Return: its answer, or -errno.
 */
int vfio_container_check(int container, unsigned long extension)
{
	return request_value(container, VFIO_CHECK_EXTENSION, extension);
}

/**
 * vfio_container_set_iommu() - VFIO_SET_IOMMU
 * @container: file descriptor
 * @type: VFIO_TYPE1_IOMMU ...
 *
 * Return: 0 or its errno.
 */
int vfio_container_set_iommu(int container, unsigned long type)
{
	return request_value(container, VFIO_SET_IOMMU, type);
}

/**
 * vfio_container_map() - VFIO_IOMMU_MAP_DMA
 * @container: file descriptor
 * @address: memory of this process
 * @length: in bytes
 * @flags: VFIO_DMA_MAP_FLAG_*
 * @iova: where the device sees it
 *
 * Return: 0 or its errno.
 */
int vfio_container_map(int container, const void *address, __u64 length, __u32 flags,
		       __u64 iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)address,
		.iova = iova,
		.size = length,
	};

	return request(container, VFIO_IOMMU_MAP_DMA, &map);
}

static int unmap(int container, __u32 flags, __u64 iova, __u64 length, __u64 *unmapped)
{
	struct vfio_iommu_type1_dma_unmap args = {
		.argsz = sizeof(args),
		.flags = flags,
		.iova = iova,
		.size = length,
	};
	int rc;

	rc = request(container, VFIO_IOMMU_UNMAP_DMA, &args);
	if (unmapped)
		*unmapped = args.size;
	return rc;
}

/**
 * vfio_container_unmap() - VFIO_IOMMU_UNMAP_DMA
 * @container: file descriptor
 * @iova: first IOVA
 * @length: in bytes
 * @unmapped: out, also on failure: what stands in the argument then, may be NULL
 *
 * Return: 0 or its errno.
 */
int vfio_container_unmap(int container, __u64 iova, __u64 length, __u64 *unmapped)
{
	return unmap(container, 0, iova, length, unmapped);
}

/**
 * vfio_container_unmap_all() - VFIO_IOMMU_UNMAP_DMA of everything
 * @container: file descriptor
 * @unmapped: out: bytes that were mapped, may be NULL
 *
 * Return: 0 or its errno.
 */
int vfio_container_unmap_all(int container, __u64 *unmapped)
{
	return unmap(container, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, unmapped);
}

/* Two structures of the user API, each with the one that follows it */
struct unmap_with_bitmap {
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap;
};

struct dirty_with_range {
	struct vfio_iommu_type1_dirty_bitmap dirty;
	struct vfio_iommu_type1_dirty_bitmap_get range;
};

/**
 * vfio_container_unmap_dirty() - VFIO_IOMMU_UNMAP_DMA that tells what was dirty
 * @container: file descriptor
 * @iova: first IOVA
 * @length: in bytes
 * @bitmap: where the bits of dirty pages are set
 * @unmapped: out, also on failure: what stands in the argument then
 *
 * Return: 0 or its errno.
 */
int vfio_container_unmap_dirty(int container, __u64 iova, __u64 length,
			       const struct vfio_bitmap *bitmap, __u64 *unmapped)
{
	struct unmap_with_bitmap args = {
		.unmap = {
			.argsz = sizeof(args),
			.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			.iova = iova,
			.size = length,
		},
		.bitmap = *bitmap,
	};
	int rc;

	rc = request(container, VFIO_IOMMU_UNMAP_DMA, &args);
	*unmapped = args.unmap.size;
	return rc;
}

/**
 * vfio_container_track() - VFIO_IOMMU_DIRTY_PAGES without a bitmap
 * @container: file descriptor
 * @flags: VFIO_IOMMU_DIRTY_PAGES_FLAG_START ...
 *
 * Return: 0 or its errno.
 */
int vfio_container_track(int container, __u32 flags)
{
	struct vfio_iommu_type1_dirty_bitmap args = { .argsz = sizeof(args), .flags = flags };

	return request(container, VFIO_IOMMU_DIRTY_PAGES, &args);
}

/**
 * vfio_container_dirty() - VFIO_IOMMU_DIRTY_PAGES with a bitmap
 * @container: file descriptor
 * @iova: first IOVA
 * @length: in bytes
 * @bitmap: where the bits of dirty pages are set
 *
 * Return: 0 or its errno.
 */
int vfio_container_dirty(int container, __u64 iova, __u64 length,
			 const struct vfio_bitmap *bitmap)
{
	struct dirty_with_range args = {
		.dirty = {
			.argsz = sizeof(args),
			.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		},
		.range = { .iova = iova, .size = length, .bitmap = *bitmap },
	};

	return request(container, VFIO_IOMMU_DIRTY_PAGES, &args);
}

/**
 * vfio_container_info() - VFIO_IOMMU_GET_INFO with its capabilities
 * @container: file descriptor
 * @info: out
 *
 * Return: 0 or its errno.
 */
int vfio_container_info(int container, union vfio_container_info *info)
{
	memset(info, 0, sizeof(*info));
	info->info.argsz = sizeof(*info);
	return request(container, VFIO_IOMMU_GET_INFO, info);
}

/**
 * vfio_container_capability() - find a capability
 * @info: of vfio_container_info()
 * @id: VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE ...
 *
 * Return: where it begins, or NULL.
 */
const void *vfio_container_capability(const union vfio_container_info *info, __u16 id)
{
	const struct vfio_info_cap_header *header;
	__u32 offset;

	for (offset = info->info.cap_offset; offset; offset = header->next) {
		if (offset > sizeof(*info) - sizeof(*header))
			return NULL;
		header = (const void *)&info->room[offset];
		if (header->id == id)
			return header;
	}
	return NULL;
}

/**
 * vfio_group_open() - open a group
 * @iommu_group: its number; all its devices belong to vfio-pci or to nobody
 *
 * Return: a file descriptor or the errno of open().
 */
int vfio_group_open(int iommu_group)
{
	char node[32];

	snprintf(node, sizeof(node), "/dev/vfio/%d", iommu_group);
	return vfio_node_open(node);
}

/**
 * vfio_group_flags() - VFIO_GROUP_GET_STATUS
 * @group: file descriptor
 * @flags: out: VFIO_GROUP_FLAGS_*
 *
 * Return: 0 or its errno.
 */
int vfio_group_flags(int group, __u32 *flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int rc;

	rc = request(group, VFIO_GROUP_GET_STATUS, &status);
	if (!rc)
		*flags = status.flags;
	return rc;
}

/**
 * vfio_group_set_container() - put a group into a container
 * @group: file descriptor
 * @container: file descriptor
 *
 * Return: 0 or the errno of VFIO_GROUP_SET_CONTAINER.
 */
int vfio_group_set_container(int group, int container)
{
	return request(group, VFIO_GROUP_SET_CONTAINER, &container);
}

/**
 * vfio_group_unset_container() - take a group out of its container
 * @group: file descriptor
 *
 * Return: 0 or the errno of VFIO_GROUP_UNSET_CONTAINER.
 */
int vfio_group_unset_container(int group)
{
	return request(group, VFIO_GROUP_UNSET_CONTAINER, NULL);
}

/**
 * vfio_group_get_device() - open a device of a group
 * @group: file descriptor; the group is in a container
 * @device: out: the device, ready for use; vfio_device_close() closes it
 * @address: PCI address
 *
 * Return: 0 or the errno of VFIO_GROUP_GET_DEVICE_FD.
 */
int vfio_group_get_device(int group, struct vfio_device *device, const char *address)
{
	int rc;

	*device = (struct vfio_device){ .fd = -1 };
	snprintf(device->address, sizeof(device->address), "%s", address);
	rc = request(group, VFIO_GROUP_GET_DEVICE_FD, device->address);
	if (rc < 0)
		return rc;
	device->fd = rc;
	return 0;
}
