// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks what the IOMMU of a device can do.
 */
#include "example.h"

/* begin */
static void print_capabilities(const struct iommu_hw_info *info)
{
	if (info->out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING)
		puts("page tables can track what devices write");
	if (info->out_max_pasid_log2)
		printf("the device has %u bits of PASID\n", info->out_max_pasid_log2);
}

static void print_hw_info(const struct example *example)
{
	union {
		struct iommu_hw_info_vtd vtd;
		struct iommu_hw_info_arm_smmuv3 smmuv3;
	} data;
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = example->dev_id,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};

	must(!ioctl(example->iommu, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO");
	switch (info.out_data_type) {
	case IOMMU_HW_INFO_TYPE_INTEL_VTD:
		/* What the driver did not fill of data is zero. */
		printf("Intel VT-d, capabilities 0x%llx, extended 0x%llx\n",
		       (unsigned long long)data.vtd.cap_reg,
		       (unsigned long long)data.vtd.ecap_reg);
		break;
	case IOMMU_HW_INFO_TYPE_NONE:
		puts("the driver tells nothing");
		break;
	default:
		printf("%u bytes of type %u\n", info.data_len, info.out_data_type);
	}
	print_capabilities(&info);
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);

	print_hw_info(&example);
	return 0;
}
