/* SPDX-License-Identifier: GPL-2.0-only */
/* What drivers and their users share about dirty tracking, as Linux 6.12 has it. */
#ifndef UNIT_LINUX_IOMMU_H
#define UNIT_LINUX_IOMMU_H

#include <linux/iova_bitmap.h>
#include <linux/kernel.h>
#include <linux/minmax.h>

#define IOMMU_DIRTY_NO_CLEAR	BIT(0)

struct iommu_iotlb_gather {
	unsigned long start;
	unsigned long end;
};

struct iommu_dirty_bitmap {
	struct iova_bitmap *bitmap;
	struct iommu_iotlb_gather *gather;
};

struct iommu_domain;

struct iommu_domain_ops {
	void (*flush_iotlb_all)(struct iommu_domain *domain);
};

struct iommu_dirty_ops {
	int (*read_and_clear_dirty)(struct iommu_domain *domain, unsigned long iova, size_t size,
				    unsigned long flags, struct iommu_dirty_bitmap *dirty);
};

struct iommu_domain {
	const struct iommu_domain_ops *ops;
	const struct iommu_dirty_ops *dirty_ops;
	unsigned long pgsize_bitmap;
};

static inline void iommu_dirty_bitmap_init(struct iommu_dirty_bitmap *dirty,
					   struct iova_bitmap *bitmap,
					   struct iommu_iotlb_gather *gather)
{
	if (gather)
		*gather = (struct iommu_iotlb_gather){ .start = ULONG_MAX };
	dirty->bitmap = bitmap;
	dirty->gather = gather;
}

static inline void iommu_flush_iotlb_all(struct iommu_domain *domain)
{
	domain->ops->flush_iotlb_all(domain);
}

#endif
