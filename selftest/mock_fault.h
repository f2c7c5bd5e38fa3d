/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests of mock devices.
 */
#ifndef __IOMMUFD_MOCK_FAULT_H
#define __IOMMUFD_MOCK_FAULT_H

#include <linux/iommu.h>

int mock_fault_init(void);
void mock_fault_exit(void);

int mock_fault_enable(struct device *dev, enum iommu_dev_features feature);
int mock_fault_disable(struct device *dev, enum iommu_dev_features feature);
void mock_fault_respond(struct device *dev, struct iopf_fault *fault,
			struct iommu_page_response *response);
int mock_fault_occasion(struct device *dev, u32 when);
void mock_fault_report(struct device *dev,
		       const struct iommu_fault_page_request *request);

#endif
