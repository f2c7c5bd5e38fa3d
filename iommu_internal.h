/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the IOMMU core that are exported to iommufd alone, in namespace
 * IOMMUFD_INTERNAL, and that no public header declares.
 */
#ifndef __IOMMUFD_IOMMU_INTERNAL_H
#define __IOMMUFD_IOMMU_INTERNAL_H

#include <linux/iommu.h>

int iommu_attach_group_handle(struct iommu_domain *domain,
			      struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain,
			       struct iommu_group *group);
int iommu_replace_group_handle(struct iommu_group *group,
			       struct iommu_domain *new_domain,
			       struct iommu_attach_handle *handle);
struct iommu_attach_handle *iommu_attach_handle_get(struct iommu_group *group,
						    ioasid_t pasid,
						    unsigned int type);

#endif
