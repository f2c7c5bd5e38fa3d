// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers functions for IOMMU operations that no device has, and fails to load
 * with what the registration says.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>

static unsigned int times = 1;
module_param(times, uint, 0444);
MODULE_PARM_DESC(times, "How often to register the same (default: 1)");

static bool gone;
module_param(gone, bool, 0444);
MODULE_PARM_DESC(gone, "The operations are of a module that is being removed");

static struct module going_module = { .state = MODULE_STATE_GOING };
static struct iommu_ops test_iommu_ops;
static const struct iommufd_driver_ops test_driver_ops = {
	.owner = THIS_MODULE,
};

static int __init driver_ops_test_init(void)
{
	unsigned int i;
	int rc = 0;

	if (gone)
		test_iommu_ops.owner = &going_module;
	for (i = 0; i < times && !rc; i++)
		rc = iommufd_register_driver_ops(&test_iommu_ops,
						 &test_driver_ops);
	/* Not if the first one failed */
	if (rc && i > 1)
		iommufd_unregister_driver_ops(&test_iommu_ops);
	return rc;
}

static void __exit driver_ops_test_exit(void)
{
	iommufd_unregister_driver_ops(&test_iommu_ops);
}

module_init(driver_ops_test_init);
module_exit(driver_ops_test_exit);

MODULE_IMPORT_NS(IOMMUFD);
MODULE_DESCRIPTION("Test of the registration of IOMMU drivers with iommufd");
MODULE_LICENSE("GPL");
