// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections of the demo: DMA to memory of every kind, in one address space and
 * after a move to another.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "demo.h"
#include "iommu.h"
#include "report.h"
#include "transfer.h"

/* 0: chosen by the kernel. The others are far from each other and from 32 bits. */
static const __u64 wanted_iova[MEMORY_KINDS] = {
	[MEMORY_ANONYMOUS] = 0,
	[MEMORY_THP] = 0x08000000,
	[MEMORY_HUGETLB] = 0x1000000000,
	[MEMORY_MEMFD] = 0,
	[MEMORY_HUGETLB_MEMFD] = 0x7ff0000000,
};

static bool check_transfer(struct demo *demo, enum memory_kind kind, __u64 iova, __u32 seed)
{
	struct memory *memory = &demo->memory[kind];
	const char *label = "  DMA out and in";
	size_t matching;
	int rc;

	rc = transfer_check(&demo->edu, memory, iova, seed, &matching);
	if (rc == -EBADMSG)
		return report_check(false, label, "wrong from byte %zu of %zu on", matching,
				    memory->size);
	return report_result(rc, label, "%d x %d bytes each way, all %zu bytes compared",
			     TRANSFER_COPIES, EDU_DMA_MAX, memory->size);
}

static int map(struct demo *demo, enum memory_kind kind)
{
	struct memory *memory = &demo->memory[kind];
	__u32 flags = IOMMU_MAP_RW;

	demo->iova[kind] = wanted_iova[kind];
	if (demo->iova[kind])
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
	return iommu_ioas_map(demo->iommufd, demo->ioas[0], memory->start, memory->size, flags,
			      &demo->iova[kind]);
}

static bool show_kind(struct demo *demo, enum memory_kind kind)
{
	struct memory *memory = &demo->memory[kind];
	char label[48], size[32];
	long pinned;
	int rc;

	report_size(size, sizeof(size), DEMO_MEMORY_SIZE);
	snprintf(label, sizeof(label), "%s, %s", memory_kind_name(kind), size);
	rc = memory_allocate(memory, kind, DEMO_MEMORY_SIZE);
	if (rc == -ENOMEM && (kind == MEMORY_HUGETLB || kind == MEMORY_HUGETLB_MEMFD))
		return report_check(false, label, "no huge pages: sysctl vm.nr_hugepages=4");
	if (rc)
		return report_result(rc, label, "allocated");

	pinned = memory_status("VmPin");
	rc = map(demo, kind);
	pinned = memory_status("VmPin") - pinned;
	if (rc)
		return report_result(rc, label, "mapped");
	if (!report_check(demo->iova[kind] != (uintptr_t)memory->start &&
			  pinned == (long)memory->size / 1024, label,
			  "%p -> IOVA 0x%" PRIx64 "%s, pinned %ld kB", memory->start,
			  (uint64_t)demo->iova[kind], wanted_iova[kind] ? "" : " (chosen)",
			  pinned))
		return false;
	return check_transfer(demo, kind, demo->iova[kind], kind + 1);
}

/**
 * section_memory() - map memory of every kind and have the device copy in it
 * @demo: the demo
 *
 * Return: whether all of it is mapped and right.
 */
bool section_memory(struct demo *demo)
{
	bool ok = true;
	unsigned int kind;

	report_section("The device reads and writes memory of every kind; every byte is compared");
	for (kind = 0; kind < MEMORY_KINDS; kind++)
		ok &= show_kind(demo, kind);
	return ok;
}

static bool copy_mapping(struct demo *demo, enum memory_kind kind)
{
	__u64 iova = demo->iova[kind] + DEMO_COPY_OFFSET;
	long before = memory_status("VmPin");
	char label[48];
	int rc;

	rc = iommu_ioas_copy_fixed(demo->iommufd, demo->ioas[0], demo->iova[kind],
				   demo->memory[kind].size, demo->ioas[1], IOMMU_MAP_RW, iova);
	snprintf(label, sizeof(label), "%s mapping copied there", memory_kind_name(kind));
	if (rc)
		return report_result(rc, label, "copied");
	return report_check(memory_status("VmPin") == before, label,
			    "IOVA 0x%" PRIx64 " -> 0x%" PRIx64 ", VmPin stays %ld kB",
			    (uint64_t)demo->iova[kind], (uint64_t)iova, before);
}

static bool check_copy(struct demo *demo, enum memory_kind kind, __u32 seed)
{
	__u64 iova = demo->iova[kind] + DEMO_COPY_OFFSET;

	report_note(memory_kind_name(kind), "IOVA 0x%" PRIx64, (uint64_t)iova);
	return check_transfer(demo, kind, iova, seed);
}

static bool move_device(struct demo *demo)
{
	int rc;

	demo->hwpt[1] = demo->ioas[1];
	rc = vfio_device_attach(&demo->edu.device, &demo->hwpt[1]);
	if (!report_result(rc, "device moved there (replace)", "HWPT id %u instead of %u",
			   demo->hwpt[1], demo->hwpt[0]))
		return false;
	rc = iommu_destroy(demo->iommufd, demo->hwpt[0]);
	if (!report_check(rc == -ENOENT, "  its old IO page table is gone", "HWPT id %u",
			  demo->hwpt[0]))
		return false;
	return report_check(memory_status("VmPin") == 2 * DEMO_MEMORY_SIZE / 1024,
			    "  only what was copied stays pinned", "VmPin %ld kB",
			    memory_status("VmPin"));
}

/**
 * section_second_space() - copy mappings to another IOAS, move the device there
 * @demo: the demo
 *
 * Return: whether the device is there and copies right.
 */
bool section_second_space(struct demo *demo)
{
	int rc;

	report_section("It moves to a second address space that shares the memory");
	rc = iommu_ioas_alloc(demo->iommufd, &demo->ioas[1]);
	if (!report_result(rc, "IOAS allocated", "IOAS id %u", demo->ioas[1]))
		return false;
	if (!copy_mapping(demo, MEMORY_ANONYMOUS) || !copy_mapping(demo, MEMORY_HUGETLB) ||
	    !move_device(demo))
		return false;
	return check_copy(demo, MEMORY_ANONYMOUS, 11) && check_copy(demo, MEMORY_HUGETLB, 12);
}
