// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections of the demo: who is charged for pinned memory, and the limit.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "demo.h"
#include "iommu.h"
#include "report.h"

/* By CAP_IPC_LOCK root is exempt from RLIMIT_MEMLOCK. */
static int drop_lock_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int set_limit(rlim_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	limit.rlim_cur = bytes;
	if (limit.rlim_max < bytes)
		limit.rlim_max = bytes;
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

/**
 * charge_like_everybody() - be charged for pinned memory, up to DEMO_LOCK_LIMIT
 *
 * Return: 0 or -errno.
 */
int charge_like_everybody(void)
{
	int rc;

	rc = drop_lock_capability();
	return rc ? rc : set_limit(DEMO_LOCK_LIMIT);
}

static int map_anonymous(struct demo *demo, __u32 ioas, __u64 *iova)
{
	struct memory *memory = &demo->memory[MEMORY_ANONYMOUS];

	return iommu_ioas_map(demo->iommufd, ioas, memory->start, memory->size, IOMMU_MAP_RW,
			      iova);
}

/**
 * section_limit() - what is charged to the user, and that the limit holds
 * @demo: the demo
 *
 * Return: true.
 */
bool section_limit(struct demo *demo)
{
	long pinned = memory_status("VmPin");
	__u64 iova = 0;
	int rc;

	report_section("Pinned memory is charged to the user");
	report_note("charged now", "VmPin %ld kB, VmLck %ld kB, limit %lu kB", pinned,
		    memory_status("VmLck"), DEMO_LOCK_LIMIT / 1024);
	rc = set_limit(pinned * 1024);
	if (!rc)
		rc = map_anonymous(demo, demo->ioas[1], &iova);
	report_check(rc == -ENOMEM, "refused at the limit", "%s with a limit of %ld kB",
		     rc ? strerrorname_np(-rc) : "mapped", pinned);
	report_check(memory_status("VmPin") == pinned, "  nothing pinned by it", "VmPin %ld kB",
		     memory_status("VmPin"));
	rc = set_limit(DEMO_LOCK_LIMIT);
	if (!rc)
		rc = map_anonymous(demo, demo->ioas[1], &iova);
	report_result(rc, "mapped below the limit", "VmPin %ld kB", memory_status("VmPin"));
	return true;
}

static int reopen(struct demo *demo)
{
	int rc;

	edu_close(&demo->edu);
	close(demo->iommufd);
	demo->iommufd = -1;
	report_check(!memory_status("VmPin"), "device and /dev/iommu closed", "VmPin %ld kB",
		     memory_status("VmPin"));
	rc = iommu_open();
	if (rc < 0)
		return rc;
	demo->iommufd = rc;
	rc = iommu_option_set(demo->iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, 1);
	if (!rc)
		rc = edu_open(&demo->edu, demo->address.name, demo->iommufd);
	if (!rc)
		rc = iommu_ioas_alloc(demo->iommufd, &demo->ioas[0]);
	demo->hwpt[0] = demo->ioas[0];
	return rc ? rc : vfio_device_attach(&demo->edu.device, &demo->hwpt[0]);
}

static void check_charge(const char *label, long kilobytes)
{
	long pinned = memory_status("VmPin"), locked = memory_status("VmLck");

	report_check(pinned == kilobytes && locked == kilobytes, label,
		     "VmPin %ld kB, VmLck %ld kB", pinned, locked);
}

/**
 * section_process_mode() - the same, charged to the process
 * @demo: the demo
 *
 * Return: whether the device is attached again.
 */
bool section_process_mode(struct demo *demo)
{
	__u64 iova = 0;
	int rc;

	report_section("Or to the process, in a context that asks for it");
	rc = reopen(demo);
	if (!report_result(rc, "opened again in process mode", "device id %u, HWPT id %u",
			   demo->edu.device.id, demo->hwpt[0]))
		return false;
	rc = map_anonymous(demo, demo->ioas[0], &iova);
	report_result(rc, "anonymous memory mapped", "IOVA 0x%llx", iova);
	check_charge("  charged to the process", DEMO_MEMORY_SIZE / 1024);
	rc = iommu_ioas_unmap_all(demo->iommufd, demo->ioas[0], NULL);
	report_result(rc, "unmapped", "all of IOAS id %u", demo->ioas[0]);
	check_charge("  credited to the process", 0);
	return true;
}
