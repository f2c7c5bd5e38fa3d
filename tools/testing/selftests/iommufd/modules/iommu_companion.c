// SPDX-License-Identifier: GPL-2.0-only
/*
 * A companion of an IOMMU driver: it offers to iommufd what struct iommu_ops has no
 * room for. This one adds a second type of information, the name of the unit, and
 * leaves what the driver tells itself.
 *
 * An example, and the subject of a test. It knows of the driver only which device
 * is behind it.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommu_companion.h"

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "A PCI device: the companion is for the driver of its IOMMU");

static const struct iommu_ops *companion_of;

static void *unit_name(struct device *dev, u32 *length)
{
	struct iommu_companion_info *info;

	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return ERR_PTR(-ENOMEM);
	strscpy(info->unit, dev_name(dev->iommu->iommu_dev->dev));
	*length = sizeof(*info);
	return info;
}

/* The driver has one type of information, and can't be asked for another */
static void *driver_info(struct device *dev, u32 *length, u32 *type)
{
	u32 wanted = *type;
	void *info;

	if (!companion_of->hw_info)
		return ERR_PTR(-EOPNOTSUPP);
	info = companion_of->hw_info(dev, length, type);
	if (IS_ERR(info) || wanted == IOMMU_HW_INFO_TYPE_DEFAULT || wanted == *type)
		return info;
	kfree(info);
	return ERR_PTR(-EOPNOTSUPP);
}

static void *companion_hw_info(struct device *dev, u32 *length, u32 *type)
{
	if (*type == IOMMU_COMPANION_INFO_TYPE)
		return unit_name(dev, length);
	return driver_info(dev, length, type);
}

static const struct iommufd_driver_ops companion_ops = {
	.owner = THIS_MODULE,
	.hw_info = companion_hw_info,
};

static int __init companion_init(void)
{
	struct device *dev;
	int rc = -ENODEV;

	if (!device)
		return -EINVAL;
	dev = bus_find_device_by_name(&pci_bus_type, NULL, device);
	if (!dev)
		return -ENODEV;
	if (dev->iommu) {
		companion_of = dev->iommu->iommu_dev->ops;
		rc = iommufd_register_driver_ops(companion_of, &companion_ops);
	}
	put_device(dev);
	return rc;
}

static void __exit companion_exit(void)
{
	iommufd_unregister_driver_ops(companion_of);
}

module_init(companion_init);
module_exit(companion_exit);

MODULE_IMPORT_NS(IOMMUFD);
MODULE_DESCRIPTION("Example of what a module can add to an IOMMU driver");
MODULE_LICENSE("GPL");
