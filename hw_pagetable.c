// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HWPT: a page table of an IOMMU as an object of user space.
 *
 * Owns the domain: how one is asked of the IOMMU driver and when it is freed.
 * It must never know which devices are attached.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "hw_pagetable.h"

/*
 * The domain goes before its pins: freeing it is what unmaps. Its members are
 * set in the order of creation, so that this also undoes half a creation.
 */
static void hwpt_unmake(struct iommufd_hwpt *hwpt)
{
	struct io_pagetable *iopt = &hwpt->ioas->iopt;

	if (hwpt->filled)
		iopt_remove_domain(iopt, &hwpt->entry);
	if (hwpt->entry.domain)
		iommu_domain_free(hwpt->entry.domain);
	if (hwpt->filled)
		iopt_drop_pins(iopt);
	iommufd_object_put(&hwpt->ioas->object);
}

static void hwpt_destroy(struct iommufd_object *object)
{
	struct iommufd_hwpt *hwpt =
		container_of(object, struct iommufd_hwpt, object);

	mutex_lock(&hwpt->ioas->hwpt_lock);
	list_del(&hwpt->link);
	mutex_unlock(&hwpt->ioas->hwpt_lock);
	hwpt_unmake(hwpt);
}

static const struct iommufd_object_ops hwpt_ops = {
	.type = IOMMUFD_OBJECT_HWPT_PAGING,
	.destroy = hwpt_destroy,
};

/*
 * Drivers that have it want to be asked through domain_alloc_user(): of VT-d,
 * others get a domain that is complete only after the first attach.
 */
static struct iommu_domain *domain_alloc(struct device *dev)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user)
		return iommu_paging_domain_alloc(dev);
	domain = ops->domain_alloc_user(dev, 0, NULL, NULL);
	/* Not all drivers say so themselves, and attaching checks it */
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/*
 * Before anything is mapped, or VT-d refuses. Only if the device's IOMMU can do
 * it: a VT-d domain that is attached to nothing says yes without knowing.
 */
static void enforce_coherency(struct iommu_domain *domain, struct device *dev)
{
	if (device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY) &&
	    domain->ops->enforce_cache_coherency)
		domain->ops->enforce_cache_coherency(domain);
}

/**
 * iommufd_hwpt_new_automatic - make a HWPT because an attach needs one
 * @ioas: The IOAS; a reference is taken
 * @dev: A device behind the IOMMU that it is for
 *
 * It is empty: attach the device or not, then iommufd_hwpt_fill(), then publish
 * or discard it.
 *
 * Return: the HWPT, with one reference for an attachment, or an ERR_PTR:
 * -ENOMEM, -EBUSY without a free id, an error of the IOMMU driver.
 */
struct iommufd_hwpt *iommufd_hwpt_new_automatic(struct iommufd_ioas *ioas,
						struct device *dev)
{
	struct iommufd_hwpt *hwpt;
	struct iommu_domain *domain;

	hwpt = iommufd_object_new(ioas->object.ctx, hwpt, &hwpt_ops);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->ioas = ioas;
	hwpt->automatic = true;
	refcount_inc(&ioas->object.users);
	refcount_inc(&hwpt->object.users);

	domain = domain_alloc(dev);
	if (IS_ERR(domain)) {
		iommufd_hwpt_discard(hwpt);
		return ERR_CAST(domain);
	}
	hwpt->entry.domain = domain;
	enforce_coherency(domain, dev);
	return hwpt;
}

/**
 * iommufd_hwpt_fill - map everything in the IOAS, now and in future
 * @hwpt: New
 *
 * Sleeps, maybe for ever, but ends by SIGKILL.
 *
 * Return: 0, or as iopt_add_domain().
 */
int iommufd_hwpt_fill(struct iommufd_hwpt *hwpt)
{
	int rc = iopt_add_domain(&hwpt->ioas->iopt, &hwpt->entry);

	hwpt->filled = !rc;
	return rc;
}

/**
 * iommufd_hwpt_publish - let user space see a new HWPT
 * @hwpt: Filled; the caller holds attach_lock of its IOAS
 */
void iommufd_hwpt_publish(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;

	lockdep_assert_held(&ioas->attach_lock);

	mutex_lock(&ioas->hwpt_lock);
	list_add_tail(&hwpt->link, &ioas->hwpts);
	mutex_unlock(&ioas->hwpt_lock);
	iommufd_object_publish(&hwpt->object);
}

/**
 * iommufd_hwpt_discard - free a HWPT that was not published
 * @hwpt: Attached to nothing
 */
void iommufd_hwpt_discard(struct iommufd_hwpt *hwpt)
{
	hwpt_unmake(hwpt);
	iommufd_object_discard(&hwpt->object);
}

/**
 * iommufd_hwpt_get_attached - take a reference for an attachment
 * @hwpt: In the list of its IOAS, whose hwpt_lock the caller holds
 *
 * Return: false if it is being destroyed.
 */
bool iommufd_hwpt_get_attached(struct iommufd_hwpt *hwpt)
{
	return refcount_inc_not_zero(&hwpt->object.users);
}

/**
 * iommufd_hwpt_put_attached - an attachment to a HWPT has gone
 * @hwpt: Published; the reference of the attachment is given back
 *
 * The last one takes an automatic HWPT along, unless somebody uses it right now:
 * then it stays, for user space to destroy. The caller does not hold hwpt_lock.
 */
void iommufd_hwpt_put_attached(struct iommufd_hwpt *hwpt)
{
	if (hwpt->automatic)
		iommufd_object_put_last(&hwpt->object);
	else
		iommufd_object_put(&hwpt->object);
}

/**
 * iommufd_hwpt_map_msi - have interrupts of attached devices work
 * @hwpt: The HWPT; the caller holds attach_lock of its IOAS
 * @base: IOVA of a window that the IOVA space has reserved
 *
 * For IOMMUs that translate the writes to MSI doorbells, too.
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_hwpt_map_msi(struct iommufd_hwpt *hwpt, phys_addr_t base)
{
	int rc;

	lockdep_assert_held(&hwpt->ioas->attach_lock);

	if (hwpt->msi_mapped)
		return 0;
	rc = iommu_get_msi_cookie(hwpt->entry.domain, base);
	hwpt->msi_mapped = !rc;
	return rc;
}

/**
 * iommufd_hwpt_needs_attach - can a domain only be filled once it is attached?
 * @dev: A device behind the IOMMU
 *
 * Drivers with nothing but the oldest way of allocating a domain learn at the
 * first attach what the domain is for, and until then crash on mapping.
 *
 * Return: yes or no.
 */
bool iommufd_hwpt_needs_attach(struct device *dev)
{
	const struct iommu_ops *ops = dev->iommu->iommu_dev->ops;

	return !ops->domain_alloc_user && !ops->domain_alloc_paging;
}
