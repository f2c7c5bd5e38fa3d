// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: a physical device whose DMA user space directs.
 *
 * Binds and unbinds devices; binding takes the DMA of a device away from the kernel.
 * Implements IOMMU_GET_HW_INFO: finds the driver function that describes the device's
 * IOMMU, and copies its answer to user space.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "device.h"
#include "driver_ops.h"
#include "group.h"
#include "selftest/hooks.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices although they can send interrupts that are not theirs to CPUs, if the platform can't isolate them (default: no)");

static void unbind_device(struct iommufd_object *object)
{
	struct iommufd_device *idev =
		container_of(object, struct iommufd_device, object);

	WARN_ON(idev->attachments);
	/* The context has the group only while it owns it: resets rely on that */
	device_group_put(idev->group);
	iommu_device_release_dma_owner(idev->dev);
	if (!selftest_is_mock_device(idev->dev))
		iommufd_ctx_put(object->ctx);
}

static const struct iommufd_object_ops device_ops = {
	.type = IOMMUFD_OBJECT_DEVICE,
	.destroy = unbind_device,
};

/**
 * iommufd_interrupts_are_safe - may devices of a group be handed to user space?
 * @iommu_group: The group
 *
 * Without isolation a device could raise any interrupt by writing to the right
 * address. That is for the administrator to decide.
 *
 * Return: yes or no.
 */
bool iommufd_interrupts_are_safe(struct iommu_group *iommu_group)
{
	return iommu_group_has_isolated_msi(iommu_group) ||
	       READ_ONCE(allow_unsafe_interrupts);
}

static int check_interrupts(struct device *dev, struct iommu_group *iommu_group)
{
	if (selftest_is_mock_device(dev))
		return 0;
	if (!iommufd_interrupts_are_safe(iommu_group))
		return -EPERM;
	if (!iommu_group_has_isolated_msi(iommu_group))
		dev_warn(dev, "iommufd: the platform does not isolate this device's interrupts, but allow_unsafe_interrupts is set\n");
	return 0;
}

static struct device_group *take_dma(struct iommufd_ctx *ctx,
				     struct device *dev,
				     struct iommu_group *iommu_group)
{
	struct device_group *group;
	int rc;

	rc = check_interrupts(dev, iommu_group);
	if (rc)
		return ERR_PTR(rc);
	rc = iommu_device_claim_dma_owner(dev, ctx);
	if (rc)
		return ERR_PTR(rc);
	group = device_group_get(ctx, iommu_group);
	if (IS_ERR(group))
		iommu_device_release_dma_owner(dev);
	return group;
}

static struct device_group *bind_group(struct iommufd_ctx *ctx,
				       struct device *dev)
{
	struct iommu_group *iommu_group;
	struct device_group *group;

	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);
	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(-ENODEV);
	group = take_dma(ctx, dev, iommu_group);
	iommu_group_put(iommu_group);
	return group;
}

/**
 * iommufd_device_bind - take a device's DMA for a context
 * @ctx: The context
 * @dev: The device; the calling driver is bound to it
 * @id: Set to the id of the new object
 *
 * All DMA of its IOMMU group is blocked until it is attached. Sleeps.
 *
 * Return: the device, for iommufd_device_unbind(), or an ERR_PTR: -EINVAL no
 * IOMMU, or DMA through it is not cache coherent, or firmware demands a 1:1 map;
 * -ENODEV no IOMMU group; -EPERM interrupts can't be isolated, or the group
 * belongs to another context; -EBUSY a kernel driver uses the group's DMA;
 * -ENOMEM.
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ctx,
					   struct device *dev, u32 *id)
{
	struct iommufd_device *idev;
	struct device_group *group;

	group = bind_group(ctx, dev);
	if (IS_ERR(group))
		return ERR_CAST(group);
	idev = iommufd_object_new(ctx, idev, object, &device_ops);
	if (IS_ERR(idev)) {
		device_group_put(group);
		iommu_device_release_dma_owner(dev);
		return idev;
	}

	idev->dev = dev;
	idev->group = group;
	if (!selftest_is_mock_device(dev))
		iommufd_ctx_get(ctx);
	/* The driver's, so that IOMMU_DESTROY finds it in use */
	refcount_inc(&idev->object.users);
	*id = idev->object.id;
	iommufd_object_publish(&idev->object);
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, IOMMUFD);

/**
 * iommufd_device_unbind - give a device's DMA back to the kernel
 * @idev: Detached; gone on return
 *
 * Waits for system calls that use the device. Cannot fail.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	iommufd_device_pasid_detach_all(idev);
	iommufd_object_remove(&idev->object);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, IOMMUFD);

/**
 * iommufd_device_get - find a device
 * @ctx: The context
 * @id: Its id
 *
 * Return: the device with a reference to its object, or ERR_PTR(-ENOENT). While
 * there is one the device stays bound.
 */
struct iommufd_device *iommufd_device_get(struct iommufd_ctx *ctx, u32 id)
{
	return iommufd_object_get_as(ctx, id, IOMMUFD_OBJECT_DEVICE,
				     struct iommufd_device, object);
}

/**
 * iommufd_device_to_ictx - the context of a device
 * @idev: The device
 *
 * Return: the context, without a reference.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->object.ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, IOMMUFD);

/**
 * iommufd_device_to_id - the id of a device
 * @idev: The device
 *
 * Return: its id in its context.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->object.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, IOMMUFD);

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
		return PTR_ERR(info->data); /* GCOVR_EXCL_LINE: needs VT-d out of memory */
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

/* GCOVR_EXCL_START: no PCI device in QEMU has PASIDs */
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

/* GCOVR_EXCL_STOP */

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
