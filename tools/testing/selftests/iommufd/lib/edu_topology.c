// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which edu devices this machine has, by the IOMMU groups they are in.
 */
#include <string.h>

#include "edu.h"
#include "edu_topology.h"

/* Devices behind a port can be reset by resetting their bus, others can't. */
static bool is_behind_port(const struct pci_address *address)
{
	return strncmp(address->name, "0000:00:", strlen("0000:00:"));
}

static void sort_by_group(struct edu_topology *topology,
			  const struct pci_address *addresses, unsigned int count)
{
	int groups[EDU_DEVICES_MAX], shared_group = -1;
	unsigned int i, j, members;

	for (i = 0; i < count; i++)
		groups[i] = pci_device_iommu_group(addresses[i].name);
	for (i = 0; i < count; i++) {
		for (j = 0, members = 0; j < count; j++)
			members += groups[j] == groups[i];
		if (groups[i] < 0)
			continue;
		if (members == 1) {
			topology->own[topology->own_count++] = addresses[i];
		} else if (is_behind_port(&addresses[i])) {
			topology->behind_port[topology->behind_port_count++] = addresses[i];
		} else if (shared_group < 0 || shared_group == groups[i]) {
			shared_group = groups[i];
			topology->shared[topology->shared_count++] = addresses[i];
		}
	}
}

/**
 * edu_topology_bind() - find all edu devices and give them to vfio-pci
 * @topology: out: the devices
 *
 * Return: 0, also when there are none, or -errno; then no device has moved.
 */
int edu_topology_bind(struct edu_topology *topology)
{
	struct pci_address addresses[EDU_DEVICES_MAX];
	int count, rc;

	*topology = (struct edu_topology){};
	count = edu_find(addresses, EDU_DEVICES_MAX);
	if (count < 0)
		return count;
	sort_by_group(topology, addresses, count);
	while (topology->binding_count < (unsigned int)count) {
		rc = vfio_pci_bind(&topology->bindings[topology->binding_count],
				   addresses[topology->binding_count].name);
		if (rc) {
			edu_topology_unbind(topology);
			return rc;
		}
		topology->binding_count++;
	}
	return 0;
}

/**
 * edu_topology_unbind() - give all edu devices back to the drivers they had
 * @topology: from edu_topology_bind()
 */
void edu_topology_unbind(struct edu_topology *topology)
{
	while (topology->binding_count)
		vfio_pci_unbind(&topology->bindings[--topology->binding_count]);
}
