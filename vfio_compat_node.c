// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device node /dev/vfio/vfio, if it is ours.
 *
 * Owns who provides the node: VFIO's own container or, by choice of the
 * administrator or because the kernel has no other, this module. It must never
 * know what the file does.
 */
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "vfio_compat.h"

static bool vfio_container = IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER);
module_param(vfio_container, bool, 0444);
MODULE_PARM_DESC(vfio_container,
		 "Provide /dev/vfio/vfio instead of VFIO's own container (default: only if there is no other)");

static struct miscdevice vfio_node = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	.mode = 0666,
};

/**
 * vfio_compat_node_register - make the node, if it is to be ours
 * @fops: What files of it do
 *
 * Return: 0, or an error of misc_register().
 */
int vfio_compat_node_register(const struct file_operations *fops)
{
	vfio_node.fops = fops;
	return vfio_container ? misc_register(&vfio_node) : 0;
}

/**
 * vfio_compat_node_deregister - the opposite of vfio_compat_node_register()
 */
void vfio_compat_node_deregister(void)
{
	if (vfio_container)
		misc_deregister(&vfio_node);
}

/**
 * vfio_compat_node_opened - is this inode the node?
 * @inode: Of a file that is being opened
 *
 * Return: yes or no.
 */
bool vfio_compat_node_opened(const struct inode *inode)
{
	return vfio_container && iminor(inode) == VFIO_MINOR;
}

/**
 * iommufd_vfio_compat_has_node - does iommufd provide /dev/vfio/vfio?
 *
 * Return: yes or no; never changes while the module is loaded.
 */
bool iommufd_vfio_compat_has_node(void)
{
	return vfio_container;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_has_node, IOMMUFD_VFIO);

#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
#endif
