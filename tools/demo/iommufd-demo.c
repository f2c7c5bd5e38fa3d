// SPDX-License-Identifier: GPL-2.0-only
/*
 * The main job of /dev/iommu, shown: a device in user space does DMA to this
 * program's memory, and only to what was mapped for it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "demo.h"
#include "report.h"
#include "vfio_device_fault.h"

static bool (* const sections[])(struct demo *demo) = {
	section_device,
	section_address_space,
	section_memory,
	section_second_space,
	section_fault,
	section_limit,
	section_process_mode,
	NULL,
};

#define DEVICES_MAX 32

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

static void usage(void)
{
	printf("usage: iommufd-demo [PCI-ADDRESS]\n\n"
	       "Shows real DMA through /dev/iommu with QEMU's edu device: memory of every kind,\n"
	       "a second address space, faults, accounting. Takes the first edu device, or the one\n"
	       "at PCI-ADDRESS (such as 0000:00:04.0); QEMU must give it all of its address bits:\n"
	       "    -device edu,dma_mask=0xffffffffffffffff\n"
	       "Needs root, iommufd, vfio-pci, 4 reserved huge pages of 2 MiB.\n"
	       "Exit status: 0 if everything was as it should be.\n");
}

/* The wanted edu device, or the first. */
static int choose_device(struct demo *demo, const char *wanted)
{
	struct pci_address addresses[DEVICES_MAX];
	int count, i;

	count = edu_find(addresses, DEVICES_MAX);
	for (i = 0; i < count; i++) {
		if (wanted && strcmp(wanted, addresses[i].name))
			continue;
		demo->address = addresses[i];
		return 0;
	}
	return count < 0 ? count : -ENODEV;
}

static int prepare(struct demo *demo, const char *wanted)
{
	int rc;

	rc = choose_device(demo, wanted);
	if (rc)
		return rc;
	rc = dma_fault_open();
	if (rc < 0)
		return rc;
	demo->fault_log = rc;
	return charge_like_everybody();
}

static bool run_sections(struct demo *demo)
{
	size_t i;

	for (i = 0; sections[i]; i++) {
		if (interrupted || !sections[i](demo))
			return false;
	}
	return true;
}

static void print_title(void)
{
	struct utsname system;
	char title[200];

	uname(&system);
	snprintf(title, sizeof(title), "DMA from user space through /dev/iommu, Linux %s",
		 system.release);
	report_open(title);
}

int main(int argc, char **argv)
{
	struct demo demo = { .edu.device.fd = -1, .iommufd = -1 };
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
	bool complete;
	int rc, i;

	for (i = 0; i < MEMORY_KINDS; i++)
		demo.memory[i].fd = -1;
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		usage();
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	print_title();
	rc = prepare(&demo, argv[1]);
	if (rc) {
		report_result(rc, "an edu device, /dev/kmsg, a limit", "ready");
		return report_close(false);
	}
	complete = run_sections(&demo);
	section_close(&demo);
	close(demo.fault_log);
	return report_close(complete);
}
