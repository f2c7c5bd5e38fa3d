// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware information: what the IOMMU of a device can do.
 *
 * Owns who is asked for it, and the way to a buffer of user space. It must never
 * know what is in the information of a driver.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "device.h"
#include "driver_ops.h"
#include "hw_info.h"

/**
 * struct hw_info - the information of a driver
 * @data: Its structure, to be freed, or NULL
 * @length: Bytes
 * @type: Which structure, of enum iommu_hw_info_type
 */
struct hw_info {
	void *data;
	u32 length;
	u32 type;
};

/* The driver has one kind and can't be asked for another */
static int ask_iommu_ops(struct device *dev, struct hw_info *info)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	u32 wanted = info->type;

	info->type = IOMMU_HW_INFO_TYPE_NONE;
	if (!ops->hw_info)
		return 0;
	info->data = ops->hw_info(dev, &info->length, &info->type);
	if (IS_ERR(info->data))
		return PTR_ERR(info->data);
	if (wanted == IOMMU_HW_INFO_TYPE_DEFAULT || wanted == info->type)
		return 0;
	kfree(info->data);
	return -EOPNOTSUPP;
}

/* In: info->type is what is wanted; out: what there is, if anything */
static int ask_driver(struct device *dev, struct hw_info *info)
{
	const struct iommufd_driver_ops *driver_ops;
	int rc;

	driver_ops = iommufd_driver_ops_get(dev);
	if (driver_ops && driver_ops->hw_info) {
		info->data = driver_ops->hw_info(dev, &info->length,
						 &info->type);
		rc = PTR_ERR_OR_ZERO(info->data);
	} else {
		rc = ask_iommu_ops(dev, info);
	}
	if (driver_ops)
		iommufd_driver_ops_put(driver_ops);
	return rc;
}

/* All of the buffer is written: with the information, then with zeros */
static int copy_info(const struct hw_info *info, void __user *user, u32 size)
{
	u32 length = min(info->length, size);

	if (!size)
		return 0;
	if (length && copy_to_user(user, info->data, length))
		return -EFAULT;
	if (clear_user(user + length, size - length))
		return -EFAULT;
	return 0;
}

static u64 pasid_capabilities(struct device *dev)
{
	u64 capabilities = 0;
	int status;

	if (!dev_is_pci(dev) || !dev->iommu->max_pasids)
		return 0;
	status = pci_pasid_status(to_pci_dev(dev));
	if (status < 0 || !(status & PCI_PASID_CTRL_ENABLE))
		return 0;
	if (status & PCI_PASID_CTRL_EXEC)
		capabilities |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (status & PCI_PASID_CTRL_PRIV)
		capabilities |= IOMMU_HW_CAP_PCI_PASID_PRIV;
	return capabilities;
}

/* Whether the IOMMU would let the device use ATS only the driver knows */
static bool can_use_ats(struct device *dev)
{
	return dev_is_pci(dev) && pci_ats_supported(to_pci_dev(dev));
}

static void tell_capabilities(struct device *dev, struct iommu_hw_info *args)
{
	u32 pasids = dev->iommu->max_pasids;

	args->out_max_pasid_log2 = pasids ? ilog2(pasids) : 0;
	args->out_capabilities = pasid_capabilities(dev);
	if (device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		args->out_capabilities |= IOMMU_HW_CAP_DIRTY_TRACKING;
	if (!can_use_ats(dev))
		args->out_capabilities |= IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}

/* While this works with the device it can't be removed: no user memory is touched */
static int get_info(struct iommufd_command *command, struct hw_info *info)
{
	struct iommu_hw_info *args = command->args;
	struct iommufd_device *idev;
	int rc;

	idev = iommufd_device_get(command->ctx, args->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	rc = ask_driver(idev->dev, info);
	if (!rc)
		tell_capabilities(idev->dev, args);
	iommufd_object_put(&idev->object);
	return rc;
}

/**
 * iommufd_get_hw_info - IOMMU_GET_HW_INFO
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENOENT, -EFAULT, -ENOMEM, an error of the driver.
 */
int iommufd_get_hw_info(struct iommufd_command *command)
{
	struct iommu_hw_info *args = command->args;
	struct hw_info info = { .type = IOMMU_HW_INFO_TYPE_DEFAULT };
	int rc;

	if ((args->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE) ||
	    memchr_inv(args->__reserved, 0, sizeof(args->__reserved)))
		return -EOPNOTSUPP;
	if (args->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE)
		info.type = args->in_data_type;
	rc = get_info(command, &info);
	if (rc)
		return rc;
	rc = copy_info(&info, u64_to_user_ptr(args->data_uptr), args->data_len);
	kfree(info.data);
	args->data_len = info.length;
	args->out_data_type = info.type;
	return rc ?: iommufd_respond(command);
}
