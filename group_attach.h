/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching the devices of a group.
 */
#ifndef __IOMMUFD_GROUP_ATTACH_H
#define __IOMMUFD_GROUP_ATTACH_H

#include <linux/iommu.h>

struct device_group;
struct io_pagetable;
struct iommufd_device;
struct iommufd_hwpt;

struct iommufd_hwpt *device_group_hwpt(struct device_group *group,
				       ioasid_t pasid);
bool device_group_is_attached(struct device_group *group,
			      const struct iommufd_device *idev,
			      ioasid_t pasid);
unsigned int device_group_users(struct device_group *group, ioasid_t pasid);
int device_group_attach(struct device_group *group, struct iommufd_device *idev,
			ioasid_t pasid, struct iommufd_hwpt *hwpt);
int device_group_replace(struct device_group *group, ioasid_t pasid,
			 struct iommufd_hwpt *hwpt);
void device_group_detach(struct device_group *group,
			 struct iommufd_device *idev, ioasid_t pasid);

/* group_reserve.c: what its devices need for themselves */
int device_group_reserve(struct device_group *group, struct iommufd_device *idev,
			 struct io_pagetable *iopt);
void device_group_unreserve(struct device_group *group,
			    struct iommufd_device *idev,
			    struct io_pagetable *iopt);

#endif
