// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU and the devices behind it.
 *
 * Registers an IOMMU that does not exist with the IOMMU core.
 *
 * The core hands a new device on one of the buses it watches to the IOMMU that
 * the device's firmware names. So both get a firmware node that no firmware has:
 * this IOMMU sees no other device, and its devices see no other IOMMU.
 */
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_test.h"
#include "selftest/mock_domain.h"
#include "selftest/mock_fault.h"
#include "selftest/mock_iommu.h"

static struct platform_device *iommu_pdev;
static DEFINE_IDA(device_numbers);

static bool mock_capable(struct device *dev, enum iommu_cap capability)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	switch (capability) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_DIRTY_TRACKING:
		return !(mock->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
	default:
		return false;
	}
}

static struct iommu_device *mock_probe_device(struct device *dev)
{
	return &mock_iommu;
}

static struct iommu_group *mock_device_group(struct device *dev)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	if (!mock->sibling)
		return generic_device_group(dev);
	return iommu_group_ref_get(mock->sibling->pdev->dev.iommu_group);
}

/* After the core has set it from properties of the device, which it has none */
static void mock_probe_finalize(struct device *dev)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	dev->iommu->max_pasids = mock->flags & MOCK_FLAGS_DEVICE_PASID ?
				 1U << MOCK_PASID_WIDTH : 1;
}

static void mock_remove_pasid(struct device *dev, ioasid_t pasid,
			      struct iommu_domain *domain)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	if (pasid == IOMMU_TEST_PASID_RESERVED)
		mock->pasid_taken = false;
}

static const struct iommu_ops mock_iommu_ops = {
	.capable = mock_capable,
	.domain_alloc_user = mock_domain_alloc,
	.probe_device = mock_probe_device,
	.probe_finalize = mock_probe_finalize,
	.device_group = mock_device_group,
	.dev_enable_feat = mock_fault_enable,
	.dev_disable_feat = mock_fault_disable,
	.page_response = mock_fault_respond,
	.remove_dev_pasid = mock_remove_pasid,
	.user_pasid_table = 1,
	.default_domain = &mock_blocked_domain,
	.blocked_domain = &mock_blocked_domain,
	.pgsize_bitmap = MOCK_PAGE_SIZE,
	.owner = THIS_MODULE,
};

static void *mock_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct iommu_test_hw_info *info;

	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT &&
	    *type != IOMMU_HW_INFO_TYPE_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return ERR_PTR(-ENOMEM);
	info->test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	return info;
}

static int mock_replace_pasid(struct device *dev, u32 pasid,
			      struct iommu_domain *domain,
			      struct iommu_domain *old)
{
	int rc = domain->ops->set_dev_pasid(domain, dev, pasid, old);

	return rc ?: mock_fault_occasion(dev, MOCK_ASK_WHEN_MOVED);
}

static const struct iommufd_driver_ops mock_driver_ops = {
	.owner = THIS_MODULE,
	.hw_info = mock_hw_info,
	.replace_pasid = mock_replace_pasid,
};

static int add_iommu(void)
{
	int rc;

	/* Linking a device to its IOMMU needs the IOMMU to be in sysfs */
	rc = iommu_device_sysfs_add(&mock_iommu, &iommu_pdev->dev, NULL, "%s",
				    dev_name(&iommu_pdev->dev));
	if (rc)
		return rc;
	mock_iommu.max_pasids = 1U << MOCK_PASID_WIDTH;
	rc = iommu_device_register(&mock_iommu, &mock_iommu_ops, NULL);
	if (rc)
		iommu_device_sysfs_remove(&mock_iommu); /* GCOVR_EXCL_LINE: no memory at boot */
	return rc;
}

/* GCOVR_EXCL_START: no test without memory at boot, no exit of what is built in */
static void remove_iommu(void)
{
	iommu_device_sysfs_remove(&mock_iommu);
	iommu_device_unregister(&mock_iommu);
}

/**
 * mock_iommu_init - make the mock IOMMU appear
 *
 * Return: 0 or an error of the driver core or the IOMMU core, or -ENOMEM.
 */
int mock_iommu_init(void)
{
	int rc;

	mock_iommu.fwnode = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(mock_iommu.fwnode))
		return PTR_ERR(mock_iommu.fwnode);
	iommu_pdev = platform_device_register_simple("iommufd_selftest_iommu",
						     0, NULL, 0);
	if (IS_ERR(iommu_pdev)) {
		rc = PTR_ERR(iommu_pdev);
		goto out_fwnode;
	}
	rc = mock_fault_init();
	if (rc)
		goto out_pdev;
	rc = add_iommu();
	if (rc)
		goto out_fault;
	rc = iommufd_register_driver_ops(&mock_iommu_ops, &mock_driver_ops);
	if (rc)
		goto out_iommu;
	mock_domain_init();
	return 0;

out_iommu:
	remove_iommu();
out_fault:
	mock_fault_exit();
out_pdev:
	platform_device_unregister(iommu_pdev);
out_fwnode:
	fwnode_remove_software_node(mock_iommu.fwnode);
	return rc;
}

/**
 * mock_iommu_exit - make the mock IOMMU disappear
 *
 * All its devices are gone: each has kept the module.
 */
void mock_iommu_exit(void)
{
	mock_domain_exit();
	iommufd_unregister_driver_ops(&mock_iommu_ops);
	remove_iommu();
	mock_fault_exit();
	platform_device_unregister(iommu_pdev);
	fwnode_remove_software_node(mock_iommu.fwnode);
	ida_destroy(&device_numbers);
}

/* GCOVR_EXCL_STOP */

/*
 * The core wants its lock to be held, which it does not export. Nobody else can
 * see the device yet.
 */
static int name_iommu(struct device *dev)
{
	int rc;

	lockdep_off();
	rc = iommu_fwspec_init(dev, mock_iommu.fwnode);
	lockdep_on();
	return rc;
}

/* What the core frees if only it has ever seen the device */
static void forget_iommu(struct device *dev)
{
	iommu_fwspec_free(dev);
	kfree(dev->iommu);
	dev->iommu = NULL;
}

static struct platform_device *add_device(struct mock_device *mock)
{
	struct platform_device *pdev;
	char name[24];
	int rc;

	snprintf(name, sizeof(name), "iommufd_mock%d", mock->number);
	pdev = platform_device_alloc(name, PLATFORM_DEVID_NONE);
	if (!pdev)
		return ERR_PTR(-ENOMEM);
	platform_set_drvdata(pdev, mock);
	rc = name_iommu(&pdev->dev);
	if (!rc)
		rc = platform_device_add(pdev);
	if (rc) {
		forget_iommu(&pdev->dev);
		platform_device_put(pdev);
		return ERR_PTR(rc);
	}
	/* That the IOMMU core has failed is not for the driver core to report */
	if (!pdev->dev.iommu_group) {
		platform_device_unregister(pdev);
		return ERR_PTR(-ENOMEM);
	}
	return pdev;
}

/**
 * mock_device_create - make a mock device appear
 * @flags: MOCK_FLAGS_DEVICE_*
 * @sibling: In whose group, or NULL: in one of its own
 *
 * Return: the device or an ERR_PTR: -EINVAL unknown flags, -ENOMEM, others of
 * the driver core.
 */
struct mock_device *mock_device_create(u32 flags,
				       const struct mock_device *sibling)
{
	const u32 known = MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID;
	struct mock_device *mock;
	int rc;

	if (flags & ~known)
		return ERR_PTR(-EINVAL);
	mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);
	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->flags = flags;
	mock->sibling = sibling;
	init_rwsem(&mock->attach_lock);
	rc = ida_alloc(&device_numbers, GFP_KERNEL);
	if (rc < 0)
		goto out_free; /* GCOVR_EXCL_LINE: would need two failures */
	mock->number = rc;
	mock->pdev = add_device(mock);
	if (IS_ERR(mock->pdev)) {
		rc = PTR_ERR(mock->pdev);
		goto out_number;
	}
	mock->sibling = NULL;
	return mock;

out_number:
	ida_free(&device_numbers, mock->number);
out_free:
	kfree(mock);
	return ERR_PTR(rc);
}

/**
 * mock_device_destroy - make a mock device disappear
 * @mock: Nobody uses it
 */
void mock_device_destroy(struct mock_device *mock)
{
	platform_device_unregister(mock->pdev);
	/* Not before: its name would be taken twice */
	ida_free(&device_numbers, mock->number);
	kfree(mock);
}
