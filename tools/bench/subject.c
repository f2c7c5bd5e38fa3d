// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three ways to map memory for a device.
 *
 * Owns the devices: one edu device is bound to /dev/iommu and attached to an
 * IOAS, whose page table the floor works in, too, at other IOVAs; the second one
 * is in a VFIO container with type1; the third is spare.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edu_topology.h"
#include "floor/iommu_floor.h"
#include "iommu.h"
#include "subject.h"
#include "vfio_container.h"

/* Beyond all others, and still in the 39 bits of QEMU's IOMMU */
#define FLOOR_IOVA 0x2000000000ULL

int iommufd;
__u32 ioas;
__u32 hwpt;
struct vfio_device device;
struct pci_address spare_device;
int container;

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
	(void)slot;
	return vfio_container_map(container, address, length, VFIO_MAP_RW, iova);
}

static int type1_unmap(__u64 iova, size_t length, unsigned int slot)
{
	(void)slot;
	return vfio_container_unmap(container, iova, length, NULL);
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

static int floor_call(unsigned long request, unsigned int slot, __u64 iova)
{
	struct iommu_floor_map args = { .slot = slot, .iova = FLOOR_IOVA + iova };

	return ioctl(floor_fd, request, &args) ? -errno : 0;
}

static int floor_unmap(__u64 iova, size_t length, unsigned int slot)
{
	(void)length;
	return floor_call(IOMMU_FLOOR_UNMAP, slot, iova);
}

const struct subject subjects[SUBJECTS] = {
	[SUBJECT_IOMMUFD] = { iommufd_map, iommufd_unmap },
	[SUBJECT_TYPE1] = { type1_map, type1_unmap },
	[SUBJECT_FLOOR] = { floor_map, floor_unmap },
};

/**
 * floor_fill() - map once more what the floor has pinned
 * @slot: of the mapping
 * @iova: where; subjects have IOVAs of their own
 *
 * Return: 0 or -errno.
 */
int floor_fill(unsigned int slot, __u64 iova)
{
	return floor_call(IOMMU_FLOOR_FILL, slot, iova);
}

/**
 * floor_clear() - the opposite of floor_fill()
 * @slot: as there
 * @iova: as there
 *
 * Return: 0 or -errno.
 */
int floor_clear(unsigned int slot, __u64 iova)
{
	return floor_call(IOMMU_FLOOR_CLEAR, slot, iova);
}

/**
 * floor_runs() - how scattered was the memory that the floor has mapped last?
 *
 * Return: the number of its physically contiguous pieces.
 */
unsigned int floor_runs(void)
{
	return last_runs;
}

/**
 * attach_new() - bind a device to a context and attach it to a new IOAS
 * @context: file descriptor of /dev/iommu
 * @bound: out: the device
 * @address: PCI address of a device that vfio-pci has
 * @ioas_id: out: the IOAS
 * @hwpt_id: out: its page table, which stays when the device is moved elsewhere
 *
 * Return: 0 or -errno.
 */
int attach_new(int context, struct vfio_device *bound, const char *address, __u32 *ioas_id,
	       __u32 *hwpt_id)
{
	__u32 pt_id;
	int rc;

	rc = vfio_device_open(bound, address);
	if (!rc)
		rc = vfio_device_bind(bound, context);
	if (!rc)
		rc = iommu_ioas_alloc(context, ioas_id);
	if (!rc)
		rc = iommu_hwpt_alloc(context, bound->id, *ioas_id, 0, hwpt_id);
	pt_id = *hwpt_id;
	return rc ? rc : vfio_device_attach(bound, &pt_id);
}

static int open_iommufd(const char *address)
{
	iommufd = iommu_open();
	return iommufd < 0 ? iommufd : attach_new(iommufd, &device, address, &ioas, &hwpt);
}

static int open_type1(const char *address)
{
	int group, rc;

	group = vfio_group_open(pci_device_iommu_group(address));
	if (group < 0)
		return group;
	container = vfio_container_open(VFIO_CONTAINER);
	if (container < 0)
		return container;
	rc = vfio_group_set_container(group, container);
	return rc ? rc : vfio_container_set_iommu(container, VFIO_TYPE1v2_IOMMU);
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
 * Return: 0, -ENODEV without three edu devices in IOMMU groups of their own, or
 * what went wrong with one of them.
 */
int subjects_open(void)
{
	struct edu_topology topology;
	int rc;

	rc = edu_topology_bind(&topology);
	if (rc)
		return rc;
	if (topology.own_count < 3)
		return -ENODEV;
	spare_device = topology.own[2];
	rc = open_iommufd(topology.own[0].name);
	if (!rc)
		rc = open_type1(topology.own[1].name);
	return rc ? rc : open_floor(topology.own[0].name);
}
