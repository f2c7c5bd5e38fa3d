// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections of the demo: the device comes under an iommufd, and leaves it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "demo.h"
#include "iommu.h"
#include "report.h"

#define RANGES_MAX 32
#define MSI_WINDOW 0xfee00000

static bool open_device(struct demo *demo)
{
	int rc;

	rc = edu_open(&demo->edu, demo->address.name, demo->iommufd);
	return report_result(rc, "cdev opened and bound to it", "%s, device id %u, BAR 0 %zu KiB",
			     demo->edu.device.node, demo->edu.device.id,
			     demo->edu.registers_size / 1024);
}

/**
 * section_device() - from the device's driver to an iommufd
 * @demo: the demo
 *
 * Return: whether the device is bound.
 */
bool section_device(struct demo *demo)
{
	char iommu[32] = "no IOMMU";
	int rc;

	report_section("A PCI device comes under /dev/iommu");
	pci_device_iommu_name(demo->address.name, iommu, sizeof(iommu));
	report_note("device", "%s, edu (%04x:%04x), IOMMU group %d of %s", demo->address.name,
		    EDU_VENDOR_ID, EDU_DEVICE_ID, pci_device_iommu_group(demo->address.name),
		    iommu);

	rc = vfio_pci_bind(&demo->binding, demo->address.name);
	if (!report_result(rc, "vfio-pci has the device", "before: %s",
			   demo->binding.driver[0] ? demo->binding.driver : "no driver"))
		return false;
	demo->iommufd = iommu_open();
	if (!report_result(demo->iommufd, "/dev/iommu opened", "fd %d", demo->iommufd))
		return false;
	if (!open_device(demo))
		return false;
	return report_check((edu_identity(&demo->edu) & 0xff) == 0xed, "the device answers",
			    "identification 0x%08x", edu_identity(&demo->edu));
}

static void note_range(const char *label, __u64 start, __u64 last, const char *remark)
{
	char size[32] = "16 EiB";

	if (last - start != UINT64_MAX)
		report_size(size, sizeof(size), last - start + 1);
	report_note(label, "0x%016" PRIx64 " - 0x%016" PRIx64 "  %s%s", (uint64_t)start,
		    (uint64_t)last, size, remark);
}

/* The ranges come in ascending order: what is between them is reserved. */
static void note_ranges(const struct iommu_iova_range *ranges, __u32 count)
{
	__u64 next = 0;
	bool rest = true;
	__u32 i;

	for (i = 0; i < count; i++) {
		if (ranges[i].start > next)
			note_range("  reserved", next, ranges[i].start - 1,
				   next <= MSI_WINDOW && ranges[i].start > MSI_WINDOW ?
				   ", interrupts (MSI)" : "");
		note_range("  usable", ranges[i].start, ranges[i].last, "");
		next = ranges[i].last + 1;
		rest = ranges[i].last != UINT64_MAX;
	}
	if (rest)
		note_range("  reserved", next, UINT64_MAX, ", above the aperture");
}

static bool show_ranges(struct demo *demo)
{
	struct iommu_iova_range ranges[RANGES_MAX];
	__u32 count = RANGES_MAX;
	__u64 alignment = 0;
	int rc;

	rc = iommu_ioas_iova_ranges(demo->iommufd, demo->ioas[0], ranges, &count, &alignment);
	if (!report_result(rc, "IOVA ranges with the device",
			   "%u usable, multiples of %" PRIu64 " bytes", count,
			   (uint64_t)alignment))
		return false;
	note_ranges(ranges, count);
	return true;
}

/**
 * section_address_space() - an IOAS, and the device attached to it
 * @demo: the demo
 *
 * Return: whether the device is attached.
 */
bool section_address_space(struct demo *demo)
{
	int rc;

	report_section("It gets an IO address space");
	rc = iommu_ioas_alloc(demo->iommufd, &demo->ioas[0]);
	if (!report_result(rc, "IOAS allocated", "IOAS id %u", demo->ioas[0]))
		return false;
	demo->hwpt[0] = demo->ioas[0];
	rc = vfio_device_attach(&demo->edu.device, &demo->hwpt[0]);
	if (!report_result(rc, "device attached", "IO page table made for it: HWPT id %u",
			   demo->hwpt[0]))
		return false;
	return show_ranges(demo);
}

/**
 * demo_release() - give everything back that is still held
 * @demo: the demo
 *
 * Return: 0, or -errno if the device could not be given back.
 */
int demo_release(struct demo *demo)
{
	unsigned int kind;

	edu_close(&demo->edu);
	if (demo->iommufd >= 0)
		close(demo->iommufd);
	demo->iommufd = -1;
	for (kind = 0; kind < MEMORY_KINDS; kind++)
		memory_free(&demo->memory[kind]);
	return vfio_pci_unbind(&demo->binding);
}

/**
 * section_close() - everything goes back
 * @demo: the demo
 *
 * Return: true.
 */
bool section_close(struct demo *demo)
{
	const char *driver = demo->binding.driver[0] ? demo->binding.driver : "no driver";
	long pinned;
	int rc;

	report_section("Everything goes back");
	rc = demo_release(demo);
	pinned = memory_status("VmPin");
	report_check(!pinned, "nothing stays pinned", "VmPin %ld kB", pinned);
	report_result(rc, "device given back", "to %s", driver);
	return true;
}
