// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking device memory out of all domains while the device does not answer.
 *
 * Owns the way from the memory to all its mappings. It must never know which domains
 * these are in (iopt_write.c). A guest that writes to the command register of its
 * device waits for this, so it must never wait for anybody who maps or attaches.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "device_memory.h"
#include "io_pagetable.h"

/**
 * iommufd_device_memory_revoke - the device is about to stop answering
 * @memory: The memory
 *
 * On return no device reaches it by DMA. Its mappings stay where they are,
 * without effect. Allocates nothing and cannot fail. Sleeps, but not for ever;
 * mmap_lock may be held.
 */
void iommufd_device_memory_revoke(struct iommufd_device_memory *memory)
{
	struct device_mapping *mapping;

	mutex_lock(&memory->lock);
	if (!memory->revoked) {
		WRITE_ONCE(memory->revoked, true);
		list_for_each_entry(mapping, &memory->mappings, link)
			iopt_revoke_area(mapping->iopt, mapping->area);
	}
	mutex_unlock(&memory->lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_revoke, IOMMUFD);

/**
 * iommufd_device_memory_restore - the device answers again
 * @memory: The memory
 *
 * Its mappings take effect again. One for which there is no memory for page
 * tables has to wait for the next time. Sleeps, but not for ever.
 */
void iommufd_device_memory_restore(struct iommufd_device_memory *memory)
{
	struct device_mapping *mapping;
	int failed = 0;

	mutex_lock(&memory->lock);
	if (memory->revoked) {
		WRITE_ONCE(memory->revoked, false);
		list_for_each_entry(mapping, &memory->mappings, link)
			failed += !!iopt_restore_area(mapping->iopt,
						      mapping->area);
	}
	mutex_unlock(&memory->lock);
	if (failed)
		pr_warn_ratelimited("iommufd: %d mappings of device memory stay without effect\n",
				    failed);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_restore, IOMMUFD);

/**
 * iommufd_device_memory_destroy - the device takes its memory back for good
 * @memory: From iommufd_device_memory_create()
 *
 * Like iommufd_device_memory_revoke(), but there is no way back: what is mapped
 * stays without effect until it is unmapped.
 */
void iommufd_device_memory_destroy(struct iommufd_device_memory *memory)
{
	iommufd_device_memory_revoke(memory);
	device_memory_put(memory);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_destroy, IOMMUFD);
