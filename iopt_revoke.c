// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking device memory out of all domains while the device does not answer.
 *
 * Owns the state "absent" of an area: live and held, but in no domain. An area
 * gets into it when it becomes live while its memory is revoked, or when its
 * memory is revoked while it is live. For one IOVA space all that happens under
 * its domains_lock, so its domains always agree.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "device_memory.h"
#include "io_pagetable.h"

/* An area that is not live yet, or not any more, sees to it by itself */
static bool area_concerned(const struct io_area *area)
{
	return area->state == IO_AREA_LIVE || area->state == IO_AREA_PINNING;
}

static bool area_written(const struct io_area *area)
{
	return area->state == IO_AREA_LIVE && area->held;
}

static void unmap_before(struct io_pagetable *iopt, struct io_area *area,
			 struct iopt_domain *stop)
{
	struct iopt_domain *entry;

	list_for_each_entry(entry, &iopt->domains, link) {
		if (entry == stop)
			return;
		if (entry->mapped)
			io_area_unmap(area, entry->domain);
	}
}

static int map_everywhere(struct io_pagetable *iopt, struct io_area *area)
{
	struct iopt_domain *entry;
	int rc;

	list_for_each_entry(entry, &iopt->domains, link) {
		if (!entry->mapped)
			continue;
		rc = io_area_map(area, entry->domain, iopt->large);
		if (rc) {
			unmap_before(iopt, area, entry);
			return rc;
		}
	}
	return 0;
}

static void revoke_mapping(struct device_mapping *mapping)
{
	struct io_pagetable *iopt = mapping->iopt;
	struct io_area *area = mapping->area;

	down_write(&iopt->domains_lock);
	if (area_concerned(area) && !area->absent) {
		if (area_written(area))
			unmap_before(iopt, area, NULL);
		area->absent = true;
	}
	up_write(&iopt->domains_lock);
}

static int restore_mapping(struct device_mapping *mapping)
{
	struct io_pagetable *iopt = mapping->iopt;
	struct io_area *area = mapping->area;
	int rc = 0;

	down_write(&iopt->domains_lock);
	if (area_concerned(area) && area->absent) {
		if (area_written(area))
			rc = map_everywhere(iopt, area);
		area->absent = rc;
	}
	up_write(&iopt->domains_lock);
	return rc;
}

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
			revoke_mapping(mapping);
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
			failed += !!restore_mapping(mapping);
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
