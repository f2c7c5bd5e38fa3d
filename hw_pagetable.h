/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HWPT: a page table of an IOMMU as an object of user space.
 */
#ifndef __IOMMUFD_HW_PAGETABLE_H
#define __IOMMUFD_HW_PAGETABLE_H

#include "ioas.h"

struct device;

/**
 * struct iommufd_hwpt - a page table that holds all mappings of an IOAS
 * @object: Destroyable while nothing is attached
 * @ioas: The IOAS, with a reference
 * @entry: The domain, and its place in the IOVA space
 * @link: In iommufd_ioas.hwpts
 * @automatic: Made by an attach to the IOAS, goes with the last attachment
 * @filled: It is part of the IOVA space
 * @msi_mapped: The domain has a window for MSI doorbells; under attach_lock of
 *              @ioas
 */
struct iommufd_hwpt {
	struct iommufd_object object;
	struct iommufd_ioas *ioas;
	struct iopt_domain entry;
	struct list_head link;
	bool automatic;
	bool filled;
	bool msi_mapped;
};

struct iommufd_hwpt *iommufd_hwpt_new_automatic(struct iommufd_ioas *ioas,
						struct device *dev);
int iommufd_hwpt_fill(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_publish(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_discard(struct iommufd_hwpt *hwpt);
bool iommufd_hwpt_get_attached(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_put_attached(struct iommufd_hwpt *hwpt);
int iommufd_hwpt_map_msi(struct iommufd_hwpt *hwpt, phys_addr_t base);
bool iommufd_hwpt_needs_attach(struct device *dev);

#endif
