/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes of VFIO in /dev: a container, groups, devices.
 *
 * Knows how long a node can take to appear. Must never know what it is the node of.
 */
#ifndef __SELFTEST_IOMMUFD_VFIO_NODE_H
#define __SELFTEST_IOMMUFD_VFIO_NODE_H

int vfio_node_open(const char *node);

#endif
