/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PASIDs of a device group that are attached to page tables.
 */
#ifndef __IOMMUFD_GROUP_PASID_H
#define __IOMMUFD_GROUP_PASID_H

#include <linux/iommu.h>

struct device_group;
struct iommufd_device;
struct iommufd_hwpt;

struct iommufd_hwpt *device_group_pasid_hwpt(struct device_group *group,
					     const struct iommufd_device *idev,
					     ioasid_t pasid);
bool device_group_fits_pasids(struct device_group *group,
			      const struct iommufd_hwpt *hwpt);
int device_group_attach_pasid(struct device_group *group,
			      struct iommufd_device *idev, ioasid_t pasid,
			      struct iommufd_hwpt *hwpt);
int device_group_replace_pasid(struct device_group *group, ioasid_t pasid,
			       struct iommufd_hwpt *hwpt);
void device_group_detach_pasid(struct device_group *group,
			       struct iommufd_device *idev, ioasid_t pasid);
unsigned int device_group_pasid_users(struct device_group *group,
				      ioasid_t pasid);

#endif
