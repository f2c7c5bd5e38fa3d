/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the IOMMU core that are exported to iommufd alone, in namespace
 * IOMMUFD_INTERNAL, and that no public header declares.
 */
#ifndef __IOMMUFD_IOMMU_INTERNAL_H
#define __IOMMUFD_IOMMU_INTERNAL_H

struct iommu_domain;
struct iommu_group;

int iommu_group_replace_domain(struct iommu_group *group,
			       struct iommu_domain *new_domain);

#endif
