/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested mock domain: an IOTLB of four words, and nothing to fill it with.
 */
#ifndef __IOMMUFD_MOCK_NESTED_H
#define __IOMMUFD_MOCK_NESTED_H

#include <linux/types.h>

struct iommu_domain;
struct iommu_user_data;

struct iommu_domain *mock_nested_alloc(u32 flags, struct iommu_domain *parent,
				       const struct iommu_user_data *user_data);
int mock_nested_check(struct iommu_domain *domain, u32 index, u32 iotlb);

#endif
