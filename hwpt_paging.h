/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The paging HWPT: a page table that holds all mappings of an IOAS.
 */
#ifndef __IOMMUFD_HWPT_PAGING_H
#define __IOMMUFD_HWPT_PAGING_H

#include "hw_pagetable.h"
#include "ioas.h"

/**
 * struct iommufd_hwpt_paging - a page table that holds all mappings of an IOAS
 * @common: What it shares with other kinds
 * @ioas: The IOAS, with a reference
 * @entry: The domain, and its place in the IOVA space
 * @link: In iommufd_ioas.hwpts, or empty: it is not part of the IOVA space
 * @msi_mapped: The domain has a window for MSI doorbells; under attach_lock of
 *              @ioas
 */
struct iommufd_hwpt_paging {
	struct iommufd_hwpt common;
	struct iommufd_ioas *ioas;
	struct iopt_domain entry;
	struct list_head link;
	bool msi_mapped;
};

struct iommufd_hwpt *
iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
			const struct hwpt_request *request);
struct iommufd_hwpt_paging *
iommufd_hwpt_paging_new_automatic(struct iommufd_ioas *ioas,
				  struct device *dev, u32 flags);
int iommufd_hwpt_paging_fill(struct iommufd_hwpt_paging *paging);
int iommufd_hwpt_paging_map_msi(struct iommufd_hwpt_paging *paging,
				phys_addr_t base);
bool iommufd_hwpt_paging_needs_attach(struct device *dev);

#endif
