// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for a page table and moves a device to it.
 */
#include "example.h"

/* begin */
static __u32 make_page_table(const struct example *example, __u32 ioas_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = example->dev_id,	/* says which IOMMU; it is not attached */
		.pt_id = ioas_id,
		.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
	};
	int rc;

	rc = ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc);
	if (rc && errno == EOPNOTSUPP) {
		/* This IOMMU does not see what devices write; do without. */
		alloc.flags = 0;
		rc = ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc);
	}
	must(!rc, "HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

static void move_to_new_page_table(const struct example *example, __u32 ioas_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = make_page_table(example, ioas_id),
	};

	/* It holds all mappings already. If the device was attached it moves. */
	must(!ioctl(example->vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "attach");
	printf("attached to page table %u\n", attach.pt_id);
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);
	__u32 ioas_id = example_address_space(&example);

	example_attach(&example, ioas_id);
	move_to_new_page_table(&example, ioas_id);
	return 0;
}
