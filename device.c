// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: a physical device whose DMA user space directs.
 *
 * Owns binding, which takes the DMA of a device away from the kernel. It must
 * never know what the device is attached to.
 */
#include <linux/iommu.h>
#include <linux/module.h>

#include "device.h"
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

	WARN_ON(!list_empty(&idev->link));
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
	INIT_LIST_HEAD(&idev->link);
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
	struct iommufd_object *object;

	object = iommufd_object_get(ctx, id, IOMMUFD_DEVICE);
	if (IS_ERR(object))
		return ERR_CAST(object);
	return container_of(object, struct iommufd_device, object);
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
