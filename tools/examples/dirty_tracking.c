// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtual machine monitor does when its guest is moved to another machine
 * while it runs. Most emulated machines have no IOMMU that tracks dirty pages:
 * then the example says so.
 */
#include "example.h"

/* begin */
#define PAGE 4096
#define GUEST_IOVA 0x10000000ULL
#define GUEST_SIZE (2ULL << 20)
#define GUEST_PAGES (GUEST_SIZE / PAGE)

/* Once, for the devices of a guest that may be moved. 0: no tracking. */
static __u32 make_tracking(const struct example *example, __u32 ioas_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		.dev_id = example->dev_id,
		.pt_id = ioas_id,
	};
	int rc = ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc);

	must(!rc || errno == EOPNOTSUPP, "HWPT_ALLOC");
	return rc ? 0 : alloc.out_hwpt_id;
}

/* When the move begins; after this the first copy of all pages is made. */
static void start_tracking(const struct example *example, __u32 hwpt_id)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
		.hwpt_id = hwpt_id,
	};

	must(!ioctl(example->iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &set),
	     "HWPT_SET_DIRTY_TRACKING");
}

/*
 * Again and again, and for the last time when the guest and its devices have
 * stopped. Returns how many pages were written to since it was called last, and so
 * have to be copied again.
 */
static unsigned int collect(const struct example *example, __u32 hwpt_id)
{
	__u8 bitmap[GUEST_PAGES / 8] = {};
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.hwpt_id = hwpt_id,
		.iova = GUEST_IOVA,
		.length = GUEST_SIZE,
		.page_size = PAGE,
		.data = (uintptr_t)bitmap,
	};
	unsigned int page, dirty = 0;

	must(!ioctl(example->iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &get),
	     "HWPT_GET_DIRTY_BITMAP");
	for (page = 0; page < GUEST_PAGES; page++)
		dirty += bitmap[page / 8] >> page % 8 & 1;
	return dirty;
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);
	__u32 ioas_id = example_address_space(&example);
	__u32 hwpt_id = make_tracking(&example, ioas_id);

	if (!hwpt_id) {
		puts("this IOMMU cannot track dirty pages");
		return 0;
	}
	example_attach(&example, hwpt_id);
	start_tracking(&example, hwpt_id);
	printf("%u dirty pages\n", collect(&example, hwpt_id));
	return 0;
}
