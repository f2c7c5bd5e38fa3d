/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What IOMMU drivers can do beyond struct iommu_ops.
 */
#ifndef __IOMMUFD_DRIVER_OPS_H
#define __IOMMUFD_DRIVER_OPS_H

struct device;
struct iommufd_driver_ops;

const struct iommufd_driver_ops *iommufd_driver_ops_get(struct device *dev);
void iommufd_driver_ops_put(const struct iommufd_driver_ops *driver_ops);

#endif
