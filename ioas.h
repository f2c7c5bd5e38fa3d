/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IOAS: an IOVA space as an object of user space.
 */
#ifndef __IOMMUFD_IOAS_H
#define __IOMMUFD_IOAS_H

#include "io_pagetable.h"
#include "iommufd_private.h"

/**
 * struct iommufd_ioas - an IOVA space with an id
 * @object: Destroyable while there is no HWPT and no access
 * @iopt: The IOVA space
 * @attach_lock: One device is attached at a time, so that the second one finds
 *               the HWPT made for the first; one HWPT is filled at a time
 * @hwpt_lock: Protects @hwpts
 * @hwpts: struct iommufd_hwpt_paging.link, in the order of their creation
 */
struct iommufd_ioas {
	struct iommufd_object object;
	struct io_pagetable iopt;
	struct mutex attach_lock; /* the choice of a HWPT */
	struct mutex hwpt_lock; /* the list of HWPTs */
	struct list_head hwpts;
};

struct iommufd_ioas *iommufd_ioas_new(struct iommufd_ctx *ctx);
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ctx, u32 id);
struct iommu_iova_range *iommufd_ioas_ranges(struct iommufd_ioas *ioas,
					     unsigned int *count,
					     unsigned long *alignment);

#endif
