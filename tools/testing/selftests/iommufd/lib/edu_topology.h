/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which edu devices this machine has, by the IOMMU groups they are in, and
 * their way to vfio-pci and back.
 */
#ifndef __SELFTEST_IOMMUFD_EDU_TOPOLOGY_H
#define __SELFTEST_IOMMUFD_EDU_TOPOLOGY_H

#include "vfio_device.h"

#define EDU_DEVICES_MAX 16

/**
 * struct edu_topology - the edu devices of this machine
 * @own: devices whose group has no other edu device
 * @own_count: how many of them there are
 * @shared: devices that are in one group with each other, on the root bus
 * @shared_count: how many of them there are
 * @behind_port: likewise, alone on a bus that can be reset
 * @behind_port_count: how many of them there are
 * @bindings: what has to be given back
 * @binding_count: number of edu devices
 */
struct edu_topology {
	struct pci_address own[EDU_DEVICES_MAX];
	unsigned int own_count;
	struct pci_address shared[EDU_DEVICES_MAX];
	unsigned int shared_count;
	struct pci_address behind_port[EDU_DEVICES_MAX];
	unsigned int behind_port_count;
	struct vfio_pci_binding bindings[EDU_DEVICES_MAX];
	unsigned int binding_count;
};

int edu_topology_bind(struct edu_topology *topology);
void edu_topology_unbind(struct edu_topology *topology);

#endif
