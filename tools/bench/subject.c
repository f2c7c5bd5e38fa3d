// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three ways to map memory for a device.
 *
 * Owns the devices: one edu device is bound to /dev/iommu and attached to an
 * IOAS, whose page table the floor works in, too, at other IOVAs; the second one
 * is in a VFIO container with type1.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edu_topology.h"
#include "floor/iommu_floor.h"
#include "iommu.h"
#include "subject.h"

/* Beyond all others, and still in the 39 bits of QEMU's IOMMU */
#define FLOOR_IOVA 0x2000000000ULL

int iommufd;
__u32 ioas;
struct vfio_device device;

static int container;
static int floor_fd;
static unsigned int last_runs;

static int iommufd_map(const void *address, size_t length, __u64 iova, unsigned int slot)
{
	(void)slot;
	return iommu_ioas_map_fixed(iommufd, ioas, address, length, IOMMU_MAP_RW, iova);
}

static int iommufd_unmap(__u64 iova, size_t length, unsigned int slot)
{
	(void)slot;
	return iommu_ioas_unmap(iommufd, ioas, iova, length, NULL);
}

static int type1_map(const void *address, size_t length, __u64 iova, unsigned int slot)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)address,
		.iova = iova,
		.size = length,
	};

	(void)slot;
	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int type1_unmap(__u64 iova, size_t length, unsigned int slot)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = length,
	};

	(void)slot;
	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

static int floor_map(const void *address, size_t length, __u64 iova, unsigned int slot)
{
	struct iommu_floor_map map = {
		.address = (uintptr_t)address,
		.length = length,
		.iova = FLOOR_IOVA + iova,
		.slot = slot,
	};

	if (ioctl(floor_fd, IOMMU_FLOOR_MAP, &map))
		return -errno;
	last_runs = map.runs;
	return 0;
}

static int floor_unmap(__u64 iova, size_t length, unsigned int slot)
{
	struct iommu_floor_map unmap = { .slot = slot };

	(void)iova;
	(void)length;
	return ioctl(floor_fd, IOMMU_FLOOR_UNMAP, &unmap) ? -errno : 0;
}

const struct subject subjects[SUBJECTS] = {
	[SUBJECT_IOMMUFD] = { iommufd_map, iommufd_unmap },
	[SUBJECT_TYPE1] = { type1_map, type1_unmap },
	[SUBJECT_FLOOR] = { floor_map, floor_unmap },
};

/**
 * floor_runs() - how scattered was the memory that the floor has mapped last?
 *
 * Return: the number of its physically contiguous pieces.
 */
unsigned int floor_runs(void)
{
	return last_runs;
}

static int open_iommufd(const char *address)
{
	__u32 pt_id;
	int rc;

	iommufd = iommu_open();
	if (iommufd < 0)
		return iommufd;
	rc = vfio_device_open(&device, address);
	if (!rc)
		rc = vfio_device_bind(&device, iommufd);
	if (!rc)
		rc = iommu_ioas_alloc(iommufd, &ioas);
	pt_id = ioas;
	return rc ? rc : vfio_device_attach(&device, &pt_id);
}

static int open_type1(const char *address)
{
	char path[32];
	int group;

	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_device_iommu_group(address));
	group = open(path, O_RDWR | O_CLOEXEC);
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (group < 0 || container < 0 ||
	    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	return 0;
}

static int open_floor(const char *address)
{
	struct iommu_floor_device name = {};

	floor_fd = open("/dev/iommu_floor", O_RDWR | O_CLOEXEC);
	snprintf(name.name, sizeof(name.name), "%s", address);
	if (floor_fd < 0 || ioctl(floor_fd, IOMMU_FLOOR_DEVICE, &name))
		return -errno;
	return 0;
}

/**
 * subjects_open() - make all of them usable, until the process ends
 *
 * Return: 0, -ENODEV without two edu devices in IOMMU groups of their own, or
 * what went wrong with one of them.
 */
int subjects_open(void)
{
	struct edu_topology topology;
	int rc;

	rc = edu_topology_bind(&topology);
	if (rc)
		return rc;
	if (topology.own_count < 2)
		return -ENODEV;
	rc = open_iommufd(topology.own[0].name);
	if (!rc)
		rc = open_type1(topology.own[1].name);
	return rc ? rc : open_floor(topology.own[0].name);
}
