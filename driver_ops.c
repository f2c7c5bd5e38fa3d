// SPDX-License-Identifier: GPL-2.0-only
/*
 * What IOMMU drivers can do beyond struct iommu_ops.
 *
 * Keeps the table in which a driver, or a module that knows its hardware, registers more
 * functions for the struct iommu_ops of its devices, and pins such a module while its
 * functions are in use. Independent of the rest of iommufd.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "driver_ops.h"

/**
 * struct driver_entry - one driver
 * @link: In drivers
 * @iommu_ops: Tells its devices
 * @driver_ops: What it can do
 */
struct driver_entry {
	struct list_head link;
	const struct iommu_ops *iommu_ops;
	const struct iommufd_driver_ops *driver_ops;
};

static LIST_HEAD(drivers);
static DECLARE_RWSEM(drivers_lock); /* the list; nothing else is locked inside */

static struct driver_entry *find_entry(const struct iommu_ops *iommu_ops)
{
	struct driver_entry *entry;

	lockdep_assert_held(&drivers_lock);

	list_for_each_entry(entry, &drivers, link)
		if (entry->iommu_ops == iommu_ops)
			return entry;
	return NULL;
}

/*
 * While a companion is in the table another driver must not get memory at the
 * same address. A driver that registers itself can't go before it has unregistered.
 */
static bool get_driver(const struct iommu_ops *iommu_ops,
		       const struct iommufd_driver_ops *driver_ops)
{
	return iommu_ops->owner == driver_ops->owner ||
	       try_module_get(iommu_ops->owner);
}

static void put_driver(const struct iommu_ops *iommu_ops,
		       const struct iommufd_driver_ops *driver_ops)
{
	if (iommu_ops->owner != driver_ops->owner)
		module_put(iommu_ops->owner);
}

static int add_entry(struct driver_entry *new)
{
	int rc = 0;

	down_write(&drivers_lock);
	if (find_entry(new->iommu_ops))
		rc = -EEXIST;
	else if (!get_driver(new->iommu_ops, new->driver_ops))
		rc = -ENODEV;
	else
		list_add(&new->link, &drivers);
	up_write(&drivers_lock);
	return rc;
}

/**
 * iommufd_register_driver_ops - offer more to iommufd than struct iommu_ops can
 * @iommu_ops: Those of the devices that it is for
 * @driver_ops: What can be done with them
 *
 * Both stay until iommufd_unregister_driver_ops(). Devices may be bound already.
 * Sleeps.
 *
 * Return: 0, -EEXIST somebody has done so for @iommu_ops, -ENODEV the driver that
 * has @iommu_ops is going away, -ENOMEM.
 */
int iommufd_register_driver_ops(const struct iommu_ops *iommu_ops,
				const struct iommufd_driver_ops *driver_ops)
{
	struct driver_entry *entry;
	int rc;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->iommu_ops = iommu_ops;
	entry->driver_ops = driver_ops;
	rc = add_entry(entry);
	if (rc)
		kfree(entry); /* GCOVR_EXCL_LINE: only a module */
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_register_driver_ops, IOMMUFD);

/* GCOVR_EXCL_START: the debug kernel has all built in */
/**
 * iommufd_unregister_driver_ops - take an offer back
 * @iommu_ops: Of iommufd_register_driver_ops()
 *
 * To be called when the module that has the functions exits: iommufd keeps it
 * while it uses them. On return they are not called any more. Sleeps.
 */
void iommufd_unregister_driver_ops(const struct iommu_ops *iommu_ops)
{
	struct driver_entry *entry;

	down_write(&drivers_lock);
	entry = find_entry(iommu_ops);
	if (entry)
		list_del(&entry->link);
	up_write(&drivers_lock);
	if (WARN_ON(!entry))
		return;
	put_driver(iommu_ops, entry->driver_ops);
	kfree(entry);
}
EXPORT_SYMBOL_NS_GPL(iommufd_unregister_driver_ops, IOMMUFD);

/* GCOVR_EXCL_STOP */

/**
 * iommufd_driver_ops_get - what the driver of a device can do
 * @dev: A device behind an IOMMU
 *
 * Return: the functions, for iommufd_driver_ops_put(), or NULL: nothing that
 * struct iommu_ops does not have. While they are held they do not go away.
 */
const struct iommufd_driver_ops *iommufd_driver_ops_get(struct device *dev)
{
	const struct iommufd_driver_ops *driver_ops = NULL;
	struct driver_entry *entry;

	down_read(&drivers_lock);
	entry = find_entry(dev->iommu->iommu_dev->ops);
	/* A module on its way out is as good as gone */
	if (entry && try_module_get(entry->driver_ops->owner))
		driver_ops = entry->driver_ops;
	up_read(&drivers_lock);
	return driver_ops;
}
EXPORT_SYMBOL_NS_GPL(iommufd_driver_ops_get, IOMMUFD);

/**
 * iommufd_driver_ops_put - the functions of a driver are not used any more
 * @driver_ops: From iommufd_driver_ops_get()
 */
void iommufd_driver_ops_put(const struct iommufd_driver_ops *driver_ops)
{
	module_put(driver_ops->owner);
}
EXPORT_SYMBOL_NS_GPL(iommufd_driver_ops_put, IOMMUFD);
