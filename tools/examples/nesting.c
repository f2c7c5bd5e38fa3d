// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtual machine monitor does when its guest turns on the first stage of
 * an emulated Intel VT-d. Most emulated machines have no IOMMU that can nest: then
 * the example says so.
 */
#include "example.h"

/* begin */
/* Once: the guest's memory, by guest physical address. 0: no nesting. */
static __u32 make_parent(const struct example *example, __u32 ioas_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = example->dev_id,
		.pt_id = ioas_id,
	};
	int rc = ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc);

	must(!rc || errno == EOPNOTSUPP, "HWPT_ALLOC");
	return rc ? 0 : alloc.out_hwpt_id;
}

/* For each page table of the guest; @table is its guest physical address. */
static __u32 make_nested(const struct example *example, __u32 parent, __u64 table)
{
	struct iommu_hwpt_vtd_s1 guest = { .pgtbl_addr = table, .addr_width = 48 };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = example->dev_id,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(guest),
		.data_uptr = (uintptr_t)&guest,
	};

	must(!ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc), "HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

/* When the guest tells its IOMMU that it has changed one page of it. */
static void invalidate(const struct example *example, __u32 nested, __u64 address)
{
	struct iommu_hwpt_vtd_s1_invalidate entry = { .addr = address, .npages = 1 };
	struct iommu_hwpt_invalidate command = {
		.size = sizeof(command),
		.hwpt_id = nested,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.data_uptr = (uintptr_t)&entry,
		.entry_len = sizeof(entry),
		.entry_num = 1,
	};

	/* entry_num comes back as the number of entries that were done. */
	must(!ioctl(example->iommu, IOMMU_HWPT_INVALIDATE, &command), "HWPT_INVALIDATE");
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);
	__u32 ioas_id = example_address_space(&example);
	__u32 parent = make_parent(&example, ioas_id), nested;

	if (!parent) {
		puts("this IOMMU cannot nest page tables");
		return 0;
	}
	/* An empty page table, in the memory that is mapped. */
	nested = make_nested(&example, parent, 0x10000000);
	example_attach(&example, nested);
	invalidate(&example, nested, 0x4000);
	return 0;
}
