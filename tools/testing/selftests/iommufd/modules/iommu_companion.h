/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space gets from the companion, see iommu_companion.c.
 */
#ifndef SELFTESTS_IOMMUFD_IOMMU_COMPANION_H
#define SELFTESTS_IOMMUFD_IOMMU_COMPANION_H

/* Far from those of include/uapi/linux/iommufd.h */
#define IOMMU_COMPANION_INFO_TYPE 0x80000001

/**
 * struct iommu_companion_info - more about an IOMMU
 * @unit: Its name, cut to fit
 */
struct iommu_companion_info {
	char unit[16];
};

#endif
