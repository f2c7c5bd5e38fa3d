/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI device driven from user space through its VFIO cdev: found by vendor
 * and device number, handed to vfio-pci, opened, bound to an iommufd, attached
 * to page tables, its regions and its MSI.
 *
 * Knows sysfs and VFIO. Must never know what kind of device it is, nor how
 * address spaces are made.
 *
 * Every function returns 0 (or what it says) on success and -errno on failure.
 */
#ifndef __SELFTEST_IOMMUFD_VFIO_DEVICE_H
#define __SELFTEST_IOMMUFD_VFIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/vfio.h>

/* The cdev part of VFIO, for C libraries whose linux/vfio.h predates it. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct vfio_device_attach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

struct vfio_device_detach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
};

#define VFIO_DEVICE_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)
#endif

/* Of struct vfio_pci_hot_reset_info; devices are then told by devid, not group_id. */
#ifndef VFIO_PCI_HOT_RESET_FLAG_DEV_ID
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID 1
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED 2
#define VFIO_PCI_DEVID_OWNED 0
#define VFIO_PCI_DEVID_NOT_OWNED -1
#endif

/* "0000:00:00.0" and the end of the string */
#define PCI_ADDRESS_SIZE 16

/**
 * struct pci_address - where a device is
 * @name: as in /sys/bus/pci/devices
 */
struct pci_address {
	char name[PCI_ADDRESS_SIZE];
};

/**
 * struct vfio_device - an open cdev
 * @fd: the open cdev, -1 when closed
 * @id: the DEVICE id in the iommufd it is bound to, 0 before
 * @address: PCI address
 * @node: path of the cdev
 */
struct vfio_device {
	int fd;
	__u32 id;
	char address[PCI_ADDRESS_SIZE];
	char node[48];
};

/**
 * struct vfio_pci_binding - what has to be undone to give a device back
 * @address: PCI address
 * @driver: driver it was taken from, empty if it had none
 * @changed: false if vfio-pci had the device already
 */
struct vfio_pci_binding {
	char address[PCI_ADDRESS_SIZE];
	char driver[64];
	bool changed;
};

/* Devices on the PCI bus and their drivers */
int pci_device_find(__u16 vendor, __u16 device, struct pci_address *addresses, size_t max);
int pci_device_iommu_group(const char *address);
int pci_device_iommu_name(const char *address, char *name, size_t size);
int vfio_pci_bind(struct vfio_pci_binding *binding, const char *address);
int vfio_pci_unbind(struct vfio_pci_binding *binding);

/* The cdev */
int vfio_device_open(struct vfio_device *device, const char *address);
void vfio_device_close(struct vfio_device *device);
int vfio_device_bind(struct vfio_device *device, int iommufd);
int vfio_device_attach(struct vfio_device *device, __u32 *pt_id);
int vfio_device_detach(struct vfio_device *device);

/* The device behind it */
int vfio_device_reset(struct vfio_device *device);
int vfio_device_map_region(struct vfio_device *device, __u32 index, void **start,
			   size_t *size);
int vfio_device_set_bus_master(struct vfio_device *device, bool on);
int vfio_device_set_decoding(struct vfio_device *device, bool on);
int vfio_device_set_msi(struct vfio_device *device, int eventfd);

#endif
