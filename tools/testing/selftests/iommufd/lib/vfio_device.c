// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI device driven from user space through its VFIO cdev.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "vfio_device.h"
#include "vfio_node.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define SYSFS_PATH_SIZE 320

static int read_attribute(const char *path, char *value, size_t size)
{
	ssize_t length;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, value, size - 1);
	if (length < 0)
		rc = -errno;
	close(fd);
	value[length > 0 ? length : 0] = '\0';
	return rc;
}

static int write_attribute(const char *path, const char *value)
{
	int fd, rc = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* Last component of the target of a device's symbolic link. */
static int read_device_link(const char *address, const char *link, char *name, size_t size)
{
	char path[SYSFS_PATH_SIZE], target[SYSFS_PATH_SIZE], *last;
	ssize_t length;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", address, link);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

static bool has_number(const char *address, const char *attribute, __u16 number)
{
	char path[SYSFS_PATH_SIZE], value[16];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", address, attribute);
	return !read_attribute(path, value, sizeof(value)) && strtoul(value, NULL, 16) == number;
}

/**
 * pci_device_find() - find all devices of one kind
 * @vendor: PCI vendor number
 * @device: PCI device number
 * @addresses: out: their PCI addresses in ascending order
 * @max: number of addresses that fit
 *
 * Return: how many were stored, or -errno if the PCI bus cannot be read.
 */
int pci_device_find(__u16 vendor, __u16 device, struct pci_address *addresses, size_t max)
{
	struct dirent **entries;
	size_t found = 0;
	int count, i;

	count = scandir(PCI_DEVICES, &entries, NULL, alphasort);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (found < max && strlen(name) < PCI_ADDRESS_SIZE &&
		    has_number(name, "vendor", vendor) && has_number(name, "device", device))
			memcpy(addresses[found++].name, name, strlen(name) + 1);
		free(entries[i]);
	}
	free(entries);
	return found;
}

/**
 * pci_device_iommu_group() - number of a device's IOMMU group
 * @address: PCI address
 *
 * Return: the number, or -ENOENT if no IOMMU translates the device.
 */
int pci_device_iommu_group(const char *address)
{
	char name[16];
	int rc;

	rc = read_device_link(address, "iommu_group", name, sizeof(name));
	return rc ? rc : atoi(name);
}

/**
 * pci_device_iommu_name() - name of the IOMMU that translates a device
 * @address: PCI address
 * @name: out: such as "dmar0"
 * @size: bytes that fit in @name
 *
 * Return: 0, or -ENOENT if no IOMMU translates the device.
 */
int pci_device_iommu_name(const char *address, char *name, size_t size)
{
	return read_device_link(address, "iommu", name, size);
}

static int set_driver_override(const char *address, const char *driver)
{
	char path[SYSFS_PATH_SIZE];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver_override", address);
	return write_attribute(path, driver);
}

static int release_driver(const char *address)
{
	char path[SYSFS_PATH_SIZE];
	int rc;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver/unbind", address);
	rc = write_attribute(path, address);
	return rc == -ENOENT ? 0 : rc;
}

/* Lets the bus look for a driver again: the override first, then the id tables. */
static int probe_driver(const char *address)
{
	return write_attribute("/sys/bus/pci/drivers_probe", address);
}

/**
 * vfio_pci_bind() - give a device to vfio-pci
 * @binding: out: what vfio_pci_unbind() needs to give it back
 * @address: PCI address
 *
 * Return: 0, -ENODEV if vfio-pci did not take it, or the errno of sysfs. On
 * failure the device has the driver it had.
 */
int vfio_pci_bind(struct vfio_pci_binding *binding, const char *address)
{
	char driver[sizeof(binding->driver)] = "";
	int rc;

	*binding = (struct vfio_pci_binding){};
	snprintf(binding->address, sizeof(binding->address), "%s", address);
	rc = read_device_link(address, "driver", binding->driver, sizeof(binding->driver));
	if (rc && rc != -ENOENT)
		return rc;
	if (!strcmp(binding->driver, "vfio-pci"))
		return 0;

	binding->changed = true;
	rc = set_driver_override(address, "vfio-pci");
	if (!rc)
		rc = release_driver(address);
	if (!rc)
		rc = probe_driver(address);
	if (!rc) {
		read_device_link(address, "driver", driver, sizeof(driver));
		rc = strcmp(driver, "vfio-pci") ? -ENODEV : 0;
	}
	if (rc)
		vfio_pci_unbind(binding);
	return rc;
}

/**
 * vfio_pci_unbind() - give a device back to the driver it had
 * @binding: filled in by vfio_pci_bind(); unchanged devices stay as they are
 *
 * Waits inside the kernel until the cdev is closed.
 *
 * Return: 0 or the errno of sysfs.
 */
int vfio_pci_unbind(struct vfio_pci_binding *binding)
{
	int rc;

	if (!binding->changed)
		return 0;
	rc = set_driver_override(binding->address, "\n");
	if (!rc)
		rc = release_driver(binding->address);
	if (!rc && binding->driver[0])
		rc = probe_driver(binding->address);
	binding->changed = false;
	return rc;
}

static int find_node(struct vfio_device *device)
{
	char path[SYSFS_PATH_SIZE];
	struct dirent *entry;
	int rc = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/vfio-dev", device->address);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (rc && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(device->node, sizeof(device->node), "/dev/vfio/devices/%.16s",
			 entry->d_name);
		rc = 0;
	}
	closedir(dir);
	return rc;
}

/**
 * vfio_device_open() - open the cdev of a device that vfio-pci has
 * @device: out: the open device
 * @address: PCI address
 *
 * Return: 0, -ENOENT if the device has no cdev (not bound to vfio-pci, or a
 * vfio.ko without cdevs), or the errno of open().
 */
int vfio_device_open(struct vfio_device *device, const char *address)
{
	int rc;

	*device = (struct vfio_device){ .fd = -1 };
	snprintf(device->address, sizeof(device->address), "%s", address);
	rc = find_node(device);
	if (rc)
		return rc;
	rc = vfio_node_open(device->node);
	if (rc < 0)
		return rc;
	device->fd = rc;
	return 0;
}

/**
 * vfio_device_close() - close the cdev, which detaches and unbinds the device
 * @device: the device; nothing happens if it is closed already
 */
void vfio_device_close(struct vfio_device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
	device->id = 0;
}

static int device_ioctl(struct vfio_device *device, unsigned long request, void *argument)
{
	return ioctl(device->fd, request, argument) < 0 ? -errno : 0;
}

/**
 * vfio_device_bind() - bind the device to an iommufd
 * @device: an open device
 * @iommufd: file descriptor of /dev/iommu
 *
 * Sets the device's id. Undone by vfio_device_close().
 *
 * Return: 0 or the errno of VFIO_DEVICE_BIND_IOMMUFD.
 */
int vfio_device_bind(struct vfio_device *device, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};
	int rc;

	rc = device_ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	if (!rc)
		device->id = bind.out_devid;
	return rc;
}

/**
 * vfio_device_attach() - attach the device to a page table, or move it there
 * @device: a bound device
 * @pt_id: in: an IOAS or HWPT; out: the HWPT that is used
 *
 * Return: 0 or the errno of VFIO_DEVICE_ATTACH_IOMMUFD_PT; then an attachment
 * the device had before is still there.
 */
int vfio_device_attach(struct vfio_device *device, __u32 *pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = *pt_id,
	};
	int rc;

	rc = device_ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	if (!rc)
		*pt_id = attach.pt_id;
	return rc;
}

/**
 * vfio_device_detach() - block the device's DMA
 * @device: a bound device, attached or not
 *
 * Return: 0 or the errno of VFIO_DEVICE_DETACH_IOMMUFD_PT.
 */
int vfio_device_detach(struct vfio_device *device)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return device_ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

/**
 * vfio_device_reset() - reset the device
 * @device: a bound device
 *
 * Return: 0, or -EINVAL if the device cannot be reset.
 */
int vfio_device_reset(struct vfio_device *device)
{
	return device_ioctl(device, VFIO_DEVICE_RESET, NULL);
}

/**
 * vfio_device_map_region() - map a region of the device into this process
 * @device: a bound device
 * @index: VFIO_PCI_BAR0_REGION_INDEX ...
 * @start: out: where it was mapped; munmap() ends that
 * @size: out: its size in bytes
 *
 * A mapping keeps the device open and bound, also after vfio_device_close().
 *
 * Return: 0, -ENODEV if the region cannot be mapped, or the errno of mmap().
 */
int vfio_device_map_region(struct vfio_device *device, __u32 index, void **start,
			   size_t *size)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	void *map;
	int rc;

	rc = device_ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info);
	if (rc)
		return rc;
	if (!info.size || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -ENODEV;
	map = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd, info.offset);
	if (map == MAP_FAILED)
		return -errno;
	*start = map;
	*size = info.size;
	return 0;
}

static int set_command(struct vfio_device *device, __u16 bit, bool on)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	__u16 command;
	int rc;

	rc = device_ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info);
	if (rc)
		return rc;
	info.offset += PCI_COMMAND;
	if (pread(device->fd, &command, sizeof(command), info.offset) != sizeof(command))
		return -EIO;
	command = on ? command | bit : command & ~bit;
	if (pwrite(device->fd, &command, sizeof(command), info.offset) != sizeof(command))
		return -EIO;
	return 0;
}

/**
 * vfio_device_set_bus_master() - let the device start DMA, or not
 * @device: a bound device
 * @on: whether it may
 *
 * Return: 0 or the errno of the access to configuration space.
 */
int vfio_device_set_bus_master(struct vfio_device *device, bool on)
{
	return set_command(device, PCI_COMMAND_MASTER, on);
}

/**
 * vfio_device_set_decoding() - let the device answer at its memory BARs, or not
 * @device: a bound device
 * @on: whether it does
 *
 * Return: 0 or the errno of the access to configuration space.
 */
int vfio_device_set_decoding(struct vfio_device *device, bool on)
{
	return set_command(device, PCI_COMMAND_MEMORY, on);
}

/**
 * vfio_device_set_msi() - deliver the device's first MSI to an eventfd
 * @device: a bound device
 * @eventfd: the eventfd, or -1 to turn MSI off
 *
 * Return: 0 or the errno of VFIO_DEVICE_SET_IRQS.
 */
int vfio_device_set_msi(struct vfio_device *device, int eventfd)
{
	__u32 buffer[(sizeof(struct vfio_irq_set) + sizeof(__s32)) / sizeof(__u32)] = {};
	struct vfio_irq_set *set = (struct vfio_irq_set *)buffer;

	set->argsz = sizeof(buffer);
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_MSI_IRQ_INDEX;
	if (eventfd < 0) {
		set->flags |= VFIO_IRQ_SET_DATA_NONE;
	} else {
		set->flags |= VFIO_IRQ_SET_DATA_EVENTFD;
		set->count = 1;
		memcpy(set->data, &eventfd, sizeof(__s32));
	}
	return device_ioctl(device, VFIO_DEVICE_SET_IRQS, set);
}
