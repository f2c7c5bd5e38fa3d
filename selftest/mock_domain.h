/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mock domain: what the mock IOMMU can attach its devices to.
 */
#ifndef __IOMMUFD_MOCK_DOMAIN_H
#define __IOMMUFD_MOCK_DOMAIN_H

#include <linux/iommu.h>

extern struct iommu_domain mock_blocked_domain;

struct iommu_domain *mock_domain_alloc(struct device *dev, u32 flags,
				       struct iommu_domain *parent,
				       const struct iommu_user_data *user_data);
int mock_domain_attach(struct iommu_domain *domain, struct device *dev);
int mock_domain_set_pasid(struct iommu_domain *domain, struct device *dev,
			  ioasid_t pasid, struct iommu_domain *old);
bool mock_domain_is_paging(const struct iommu_domain *domain);
bool mock_domain_is_tracking(struct iommu_domain *domain);
void mock_domain_init(void);
void mock_domain_exit(void);
void mock_domain_write(struct iommu_domain *domain, unsigned long iova);

#endif
