// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu PCI device.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "vfio_container.h"
#include "watchdog.h"

#define EDU_IDENTITY 0x00
#define EDU_INTERRUPT_RAISE 0x60
#define EDU_INTERRUPT_CLEAR 0x64
#define EDU_DMA_SOURCE 0x80
#define EDU_DMA_DESTINATION 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_RUN 0x1
#define EDU_DMA_TO_MEMORY 0x2

/* Where the device's buffer is in the addresses its DMA engine takes. */
#define EDU_BUFFER 0x40000

static uint32_t read_register(struct edu *edu, size_t offset)
{
	return *(volatile uint32_t *)(edu->registers + offset);
}

static void write_register(struct edu *edu, size_t offset, uint32_t value)
{
	*(volatile uint32_t *)(edu->registers + offset) = value;
}

/* In one access: the device takes a write of 4 bytes for the whole address. */
static void write_address(struct edu *edu, size_t offset, uint64_t value)
{
	*(volatile uint64_t *)(edu->registers + offset) = value;
}

/**
 * edu_find() - find all edu devices
 * @addresses: out: their PCI addresses in ascending order
 * @max: number of addresses that fit
 *
 * Return: how many were stored, or -errno.
 */
int edu_find(struct pci_address *addresses, size_t max)
{
	return pci_device_find(EDU_VENDOR_ID, EDU_DEVICE_ID, addresses, max);
}

static int enable(struct edu *edu)
{
	void *start;
	int rc;

	rc = vfio_device_map_region(&edu->device, VFIO_PCI_BAR0_REGION_INDEX, &start,
				    &edu->registers_size);
	if (rc)
		return rc;
	edu->registers = start;
	return vfio_device_set_bus_master(&edu->device, true);
}

/**
 * edu_open() - open a device's cdev, bind it, and make it ready for DMA
 * @edu: out: the device
 * @address: PCI address; the device must belong to vfio-pci
 * @iommufd: file descriptor of /dev/iommu
 *
 * The device is not attached: its DMA is blocked.
 *
 * Return: 0 or -errno; on failure the device is closed.
 */
int edu_open(struct edu *edu, const char *address, int iommufd)
{
	int rc;

	*edu = (struct edu){};
	rc = vfio_device_open(&edu->device, address);
	if (!rc)
		rc = vfio_device_bind(&edu->device, iommufd);
	if (!rc)
		rc = enable(edu);
	if (rc)
		edu_close(edu);
	return rc;
}

/**
 * edu_open_in_group() - open a device of a group, and make it ready for DMA
 * @edu: out: the device
 * @address: PCI address; the device must belong to vfio-pci
 * @group: file descriptor of its group, which is in a container
 *
 * Return: 0 or -errno; on failure the device is closed.
 */
int edu_open_in_group(struct edu *edu, const char *address, int group)
{
	int rc;

	*edu = (struct edu){};
	rc = vfio_group_get_device(group, &edu->device, address);
	if (!rc)
		rc = enable(edu);
	if (rc)
		edu_close(edu);
	return rc;
}

/**
 * edu_close() - let go of the device: it is detached and unbound
 * @edu: the device; nothing happens if it is closed already
 */
void edu_close(struct edu *edu)
{
	if (edu->registers)
		munmap((void *)edu->registers, edu->registers_size);
	edu->registers = NULL;
	vfio_device_close(&edu->device);
}

static int start_dma(struct edu *edu, uint64_t source, uint64_t destination, size_t length,
		     uint32_t command)
{
	if (!length || length > EDU_DMA_MAX)
		return -EINVAL;
	if (read_register(edu, EDU_DMA_COMMAND) & EDU_DMA_RUN)
		return -EBUSY;
	write_address(edu, EDU_DMA_SOURCE, source);
	write_address(edu, EDU_DMA_DESTINATION, destination);
	write_address(edu, EDU_DMA_COUNT, length);
	write_register(edu, EDU_DMA_COMMAND, command | EDU_DMA_RUN);
	return 0;
}

/**
 * edu_start_fetch() - start a copy from memory to the device's buffer
 * @edu: the device
 * @iova: where to read
 * @length: in bytes, at most EDU_DMA_MAX
 *
 * Return: 0, -EINVAL for a bad length, -EBUSY while a transfer runs.
 */
int edu_start_fetch(struct edu *edu, uint64_t iova, size_t length)
{
	return start_dma(edu, iova, EDU_BUFFER, length, 0);
}

/**
 * edu_start_store() - start a copy from the device's buffer to memory
 * @edu: the device
 * @iova: where to write
 * @length: in bytes, at most EDU_DMA_MAX
 *
 * Return: 0, -EINVAL for a bad length, -EBUSY while a transfer runs.
 */
int edu_start_store(struct edu *edu, uint64_t iova, size_t length)
{
	return start_dma(edu, EDU_BUFFER, iova, length, EDU_DMA_TO_MEMORY);
}

/**
 * edu_wait() - wait for the transfer that was started
 * @edu: the device
 *
 * A transfer takes about 100 ms of the guest's time. The device cannot tell whether its
 * accesses were translated.
 *
 * Return: 0 when the device says it is done, -ETIMEDOUT if it never does.
 */
int edu_wait(struct edu *edu)
{
	time_t end = watchdog_now() + watchdog_limit();

	while (read_register(edu, EDU_DMA_COMMAND) & EDU_DMA_RUN) {
		if (watchdog_now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}

/**
 * edu_fetch() - copy from memory to the device's buffer
 * @edu: the device
 * @iova: where to read
 * @length: in bytes, at most EDU_DMA_MAX
 *
 * Return: 0 when the device is done, or -errno as edu_start_fetch(), edu_wait().
 */
int edu_fetch(struct edu *edu, uint64_t iova, size_t length)
{
	int rc;

	rc = edu_start_fetch(edu, iova, length);
	return rc ? rc : edu_wait(edu);
}

/**
 * edu_store() - copy from the device's buffer to memory
 * @edu: the device
 * @iova: where to write
 * @length: in bytes, at most EDU_DMA_MAX
 *
 * Return: 0 when the device is done, or -errno as edu_start_store(), edu_wait().
 */
int edu_store(struct edu *edu, uint64_t iova, size_t length)
{
	int rc;

	rc = edu_start_store(edu, iova, length);
	return rc ? rc : edu_wait(edu);
}

/**
 * edu_identity() - the device's identification register
 * @edu: the device
 *
 * Return: 0xRRrr00ed, major and minor revision.
 */
uint32_t edu_identity(struct edu *edu)
{
	return read_register(edu, EDU_IDENTITY);
}

/**
 * edu_set_liveness() - write the liveness check register
 * @edu: the device
 * @value: whose complement can be read back
 */
void edu_set_liveness(struct edu *edu, uint32_t value)
{
	write_register(edu, EDU_LIVENESS, value);
}

/**
 * edu_liveness() - read the liveness check register
 * @edu: the device
 *
 * Return: the complement of what was written last, by whomever.
 */
uint32_t edu_liveness(struct edu *edu)
{
	return read_register(edu, EDU_LIVENESS);
}

/**
 * edu_raise_interrupt() - make the device raise its interrupt
 * @edu: the device
 */
void edu_raise_interrupt(struct edu *edu)
{
	write_register(edu, EDU_INTERRUPT_RAISE, 1);
}

/**
 * edu_clear_interrupt() - acknowledge what edu_raise_interrupt() raised
 * @edu: the device
 */
void edu_clear_interrupt(struct edu *edu)
{
	write_register(edu, EDU_INTERRUPT_CLEAR, 1);
}
