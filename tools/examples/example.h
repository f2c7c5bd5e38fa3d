/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every example begins with: a context and a device that is bound to it. An
 * example that fails says where, and exits with status 1.
 */
#ifndef EXAMPLES_EXAMPLE_H
#define EXAMPLES_EXAMPLE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>

/* <linux/vfio.h>, and what older ones do not have */
#include "vfio_device.h"

/**
 * struct example - a context with one device
 * @iommu: The context
 * @vfio: The device
 * @dev_id: Its id in the context
 */
struct example {
	int iommu;
	int vfio;
	__u32 dev_id;
};

static inline void must(int succeeded, const char *what)
{
	if (succeeded)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* The device is the one named on the command line: /dev/vfio/devices/vfioN. */
static inline struct example example_open(int argc, char **argv)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct example example;

	if (argc != 2) {
		fprintf(stderr, "usage: %s /dev/vfio/devices/vfioN\n", argv[0]);
		exit(2);
	}
	example.iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	must(example.iommu >= 0, "/dev/iommu");
	example.vfio = open(argv[1], O_RDWR | O_CLOEXEC);
	must(example.vfio >= 0, argv[1]);
	bind.iommufd = example.iommu;
	must(!ioctl(example.vfio, VFIO_DEVICE_BIND_IOMMUFD, &bind), "bind");
	example.dev_id = bind.out_devid;
	return example;
}

/* An IO address space with 2 MiB of memory at IOVA 0x10000000. */
static inline __u32 example_address_space(const struct example *example)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.iova = 0x10000000,
		.length = 2 << 20,
	};
	void *memory;

	must(!ioctl(example->iommu, IOMMU_IOAS_ALLOC, &alloc), "IOAS_ALLOC");
	memory = mmap(NULL, map.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	must(memory != MAP_FAILED, "mmap");
	map.ioas_id = alloc.out_ioas_id;
	map.user_va = (uintptr_t)memory;
	must(!ioctl(example->iommu, IOMMU_IOAS_MAP, &map), "IOAS_MAP");
	return alloc.out_ioas_id;
}

/* Attaches the device to an IOAS or a page table, or moves it there. */
static inline void example_attach(const struct example *example, __u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .pt_id = pt_id,
	};

	must(!ioctl(example->vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "attach");
}

#endif
