// SPDX-License-Identifier: GPL-2.0-only
/*
 * Section of the demo: DMA that reaches nothing, and the IOMMU's report of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "demo.h"
#include "iommu.h"
#include "report.h"
#include "transfer.h"
#include "vfio_device_fault.h"

/* A driver that has much to report drops some: the DMA is repeated then. */
#define FAULT_TRIES 20

static void check_fault(struct demo *demo, __u64 iova, edu_dma_function dma)
{
	int tries = FAULT_TRIES, rc;
	char message[200] = "";

	do {
		rc = dma_fault_wait(demo->fault_log, iova, EDU_DMA_MAX, message, sizeof(message));
	} while (rc == -ETIMEDOUT && --tries && !dma(&demo->edu, iova, EDU_DMA_MAX));
	report_result(rc, "  the IOMMU reports a fault", "IOVA 0x%" PRIx64 " in the kernel log",
		      (uint64_t)iova);
	if (!rc)
		report_quote("kernel", message);
}

/* -EBADMSG says that the data went where it should not. */
static void check_reach(int rc, const char *label, const char *unreached)
{
	if (rc == -EBADMSG)
		report_check(false, label, "it reached the memory");
	else
		report_result(rc, label, "%s", unreached);
}

static void check_store(struct demo *demo, __u64 iova)
{
	struct memory *memory = &demo->memory[MEMORY_ANONYMOUS];
	int rc;

	rc = transfer_blocked(&demo->edu, memory, iova);
	check_reach(rc, "  the device's write reaches nothing", "all bytes as they were");
	check_fault(demo, iova, edu_store);
}

/*
 * The device's buffer is stored into memory that is still mapped to see what
 * the device got.
 */
static void check_fetch(struct demo *demo, __u64 iova)
{
	struct memory *memory = &demo->memory[MEMORY_ANONYMOUS];
	struct memory *scratch = &demo->memory[MEMORY_HUGETLB];
	size_t same = 0, i;
	int rc;

	pattern_fill(memory->start, memory->size, 21);
	rc = edu_fetch(&demo->edu, iova, EDU_DMA_MAX);
	if (!rc)
		rc = edu_store(&demo->edu, demo->iova[MEMORY_HUGETLB] + DEMO_COPY_OFFSET,
			       EDU_DMA_MAX);
	for (i = 0; i < EDU_DMA_MAX; i++)
		same += scratch->start[i] == memory->start[i];
	if (!rc && same > EDU_DMA_MAX / 8)
		rc = -EBADMSG;
	check_reach(rc, "  the device's read sees none of it", "its buffer holds other data");
	check_fault(demo, iova, edu_fetch);
}

/**
 * section_fault() - unmap, and the same DMA reaches nothing
 * @demo: the demo
 *
 * Return: true.
 */
bool section_fault(struct demo *demo)
{
	__u64 original = demo->iova[MEMORY_ANONYMOUS], unmapped = 0;
	__u64 iova = original + DEMO_COPY_OFFSET;
	char size[32];
	int rc;

	report_section("What is not mapped is out of reach");
	report_note("memory of the first address space", "IOVA 0x%" PRIx64 " is mapped there only",
		    (uint64_t)original);
	check_store(demo, original);

	rc = iommu_ioas_unmap(demo->iommufd, demo->ioas[1], iova,
			      demo->memory[MEMORY_ANONYMOUS].size, &unmapped);
	report_size(size, sizeof(size), unmapped);
	report_result(rc, "the copy unmapped", "IOVA 0x%" PRIx64 ", %s", (uint64_t)iova, size);
	check_store(demo, iova);
	check_fetch(demo, iova);
	return true;
}
