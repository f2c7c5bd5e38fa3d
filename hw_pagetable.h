/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HWPT: a page table of an IOMMU as an object of user space.
 *
 * This is what all kinds have in common, and all that a device needs to know of
 * what it is attached to.
 */
#ifndef __IOMMUFD_HW_PAGETABLE_H
#define __IOMMUFD_HW_PAGETABLE_H

#include "iommufd_private.h"

struct device;
struct iommu_domain;
struct iommu_user_data;
struct iommufd_fault;
struct iommufd_hwpt_paging;

/**
 * struct iommufd_hwpt - a page table
 * @object: Its type is the kind. Destroyable while nothing is attached, and
 *          nothing else was made from it
 * @domain: What the IOMMU driver calls it
 * @flags: Mask of enum iommufd_hwpt_alloc_flags that it was asked for with
 * @fault: Where page requests of its devices go, with a reference, or NULL
 * @automatic: Made by an attach to an IOAS, goes with the last attachment
 */
struct iommufd_hwpt {
	struct iommufd_object object;
	struct iommu_domain *domain;
	u32 flags;
	struct iommufd_fault *fault;
	bool automatic;
};

/**
 * struct hwpt_request - which page table is wanted
 * @dev: A device behind the IOMMU that it is for
 * @flags: Mask of enum iommufd_hwpt_alloc_flags
 * @data: For the IOMMU driver, in user memory, or NULL
 */
struct hwpt_request {
	struct device *dev;
	u32 flags;
	const struct iommu_user_data *data;
};

int iommufd_hwpt_domain_alloc(struct iommufd_hwpt *hwpt,
			      const struct hwpt_request *request,
			      struct iommu_domain *parent);
struct iommufd_hwpt_paging *iommufd_hwpt_to_paging(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_domain_free(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_discard(struct iommufd_hwpt *hwpt);
bool iommufd_hwpt_get_attached(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_put_attached(struct iommufd_hwpt *hwpt);

#endif
