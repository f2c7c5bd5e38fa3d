// SPDX-License-Identifier: GPL-2.0-only
/*
 * One area in all domains of an IOVA space, and device memory out of all of them.
 *
 * Which lock keeps the domains' copies of an area the same is decided here. An area of
 * memory is written and erased under domains_lock, shared, by the call that owns the area.
 * An area of device memory is written and erased under iova_lock, which is never held for
 * long: revoking it then never waits for a large area to be written.
 *
 * A guest that writes to the command register of its device waits until the BAR is
 * revoked, so that must not wait for a map or an attach.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "io_pagetable.h"
#include "memory/device_memory.h"

/* From all domains, or from those before @stop */
static void erase_before(struct io_pagetable *iopt, struct io_area *area,
			 const struct iopt_domain *stop)
{
	struct iopt_domain *entry;

	list_for_each_entry(entry, &iopt->domains, link) {
		if (entry == stop)
			return;
		if (iopt_domain_has(entry, area))
			io_area_unmap(area, entry->domain);
	}
}

/* A domain that is being filled takes the others that were there before by itself */
static int write_everywhere(struct io_pagetable *iopt, struct io_area *area)
{
	struct iopt_domain *entry;
	int rc;

	list_for_each_entry(entry, &iopt->domains, link) {
		if (!iopt_domain_has(entry, area))
			continue;
		rc = io_area_map(area, entry->domain, iopt->large);
		if (rc) {
			erase_before(iopt, area, entry);
			return rc;
		}
	}
	return 0;
}

static int write_device(struct io_pagetable *iopt, struct io_area *area)
{
	int rc = 0;

	mutex_lock(&iopt->iova_lock);
	if (device_memory_revoked(area->pages->device))
		area->presence = IO_AREA_REVOKED;
	else
		rc = write_everywhere(iopt, area);
	if (!rc && area->presence == IO_AREA_ABSENT)
		area->presence = IO_AREA_PRESENT;
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

static void erase_device(struct io_pagetable *iopt, struct io_area *area)
{
	mutex_lock(&iopt->iova_lock);
	if (iopt_area_in_domains(area))
		erase_before(iopt, area, NULL);
	area->presence = IO_AREA_ABSENT;
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_write_area - write an area into all domains
 * @iopt: The IOVA space, with domains_lock held, shared
 * @area: Owned by the caller, and in none of them; held if there is one
 *
 * Device memory that is revoked is written when it is restored. Sleeps, but waits
 * for nothing of user space.
 *
 * Return: 0; or, with nothing changed, as io_area_map().
 */
int iopt_write_area(struct io_pagetable *iopt, struct io_area *area)
{
	lockdep_assert_held(&iopt->domains_lock);

	return area->device ? write_device(iopt, area) :
			      write_everywhere(iopt, area);
}

/**
 * iopt_erase_area - the opposite of iopt_write_area()
 * @iopt: The IOVA space, with domains_lock held, shared
 * @area: Owned by the caller
 *
 * On return no device reaches the memory through it. Cannot fail. Sleeps.
 */
void iopt_erase_area(struct io_pagetable *iopt, struct io_area *area)
{
	lockdep_assert_held(&iopt->domains_lock);

	if (area->device)
		erase_device(iopt, area);
	else if (area->held)
		erase_before(iopt, area, NULL);
}

/**
 * iopt_revoke_area - take device memory out of all domains for a while
 * @iopt: The IOVA space, with none of its locks held
 * @area: In any state
 *
 * On return no device reaches the memory through it. Cannot fail. Sleeps, but not
 * for long.
 */
void iopt_revoke_area(struct io_pagetable *iopt, struct io_area *area)
{
	mutex_lock(&iopt->iova_lock);
	if (area->presence == IO_AREA_PRESENT) {
		if (READ_ONCE(area->held))
			erase_before(iopt, area, NULL);
		area->presence = IO_AREA_REVOKED;
	}
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iopt_restore_area - the opposite of iopt_revoke_area()
 * @iopt: The IOVA space, with none of its locks held
 * @area: In any state
 *
 * Return: 0; or an error of the driver: it stays out of the domains.
 */
int iopt_restore_area(struct io_pagetable *iopt, struct io_area *area)
{
	int rc = 0;

	mutex_lock(&iopt->iova_lock);
	if (area->presence == IO_AREA_REVOKED) {
		if (READ_ONCE(area->held))
			rc = write_everywhere(iopt, area);
		if (!rc)
			area->presence = IO_AREA_PRESENT;
	}
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/**
 * iommufd_device_memory_revoke - the device is about to stop answering
 * @memory: The memory
 *
 * On return no device reaches it by DMA. Its mappings stay where they are,
 * without effect. Allocates nothing and cannot fail. Sleeps, but not indefinitely;
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
 * tables has to wait for the next time. Sleeps, but not indefinitely.
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
