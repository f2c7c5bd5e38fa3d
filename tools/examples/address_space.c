// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets a device reach memory, and takes the memory away again.
 */
#include "example.h"

/* begin */
static void share_memory(const struct example *example, void *memory, size_t length)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.user_va = (uintptr_t)memory,
		.length = length,
	};
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .length = length };

	must(!ioctl(example->iommu, IOMMU_IOAS_ALLOC, &alloc), "IOAS_ALLOC");

	/* Now nothing is mapped: whatever the device does is blocked. */
	attach.pt_id = alloc.out_ioas_id;
	must(!ioctl(example->vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "attach");

	/* The kernel chooses an IOVA that the device can use. */
	map.ioas_id = alloc.out_ioas_id;
	must(!ioctl(example->iommu, IOMMU_IOAS_MAP, &map), "IOAS_MAP");
	printf("the device finds the memory at 0x%llx\n", (unsigned long long)map.iova);

	/* When this returns the device cannot reach it any more. */
	unmap.ioas_id = alloc.out_ioas_id;
	unmap.iova = map.iova;
	must(!ioctl(example->iommu, IOMMU_IOAS_UNMAP, &unmap), "IOAS_UNMAP");
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);
	size_t length = 1 << 20;
	void *memory;

	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap");
	share_memory(&example, memory, length);
	return 0;
}
