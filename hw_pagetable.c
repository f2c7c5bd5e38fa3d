// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HWPT: an IOMMU page table as an object of user space.
 *
 * What all kinds have in common: asking the IOMMU driver for a domain, and what attaching
 * does to the object.
 */
#include <linux/iommu.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "hw_pagetable.h"
#include "hwpt_nested.h"
#include "hwpt_paging.h"

/* The others say what iommufd is to do with the domain */
#define DRIVER_FLAGS                                                          \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING)

/*
 * Drivers that have it want to be asked through domain_alloc_user(): of VT-d,
 * others get a domain that is complete only after the first attach.
 */
static struct iommu_domain *domain_alloc(const struct hwpt_request *request,
					 struct iommu_domain *parent)
{
	const struct iommu_ops *ops = request->dev->iommu->iommu_dev->ops;
	struct iommu_domain *domain;

	if (!ops->domain_alloc_user) {
		if (request->flags || request->data || parent)
			return ERR_PTR(-EOPNOTSUPP);
		return iommu_paging_domain_alloc(request->dev);
	}
	domain = ops->domain_alloc_user(request->dev,
					request->flags & DRIVER_FLAGS, parent,
					request->data);
	/* Not all drivers say so themselves, and attaching checks it */
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/**
 * iommufd_hwpt_domain_alloc - have the IOMMU driver make the domain of a HWPT
 * @hwpt: New
 * @request: What is wanted, which @hwpt keeps the flags of
 * @parent: What a nested domain lies upon, or NULL
 *
 * Return: 0, -EOPNOTSUPP the driver can't do that, or another error of it. The
 * domain is freed by iommufd_hwpt_domain_free().
 */
int iommufd_hwpt_domain_alloc(struct iommufd_hwpt *hwpt,
			      const struct hwpt_request *request,
			      struct iommu_domain *parent)
{
	struct iommu_domain *domain = domain_alloc(request, parent);

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	/* Drivers can't be asked for it, but it shows */
	if ((request->flags & IOMMU_HWPT_ALLOC_PASID) &&
	    !domain->ops->set_dev_pasid) {
		iommu_domain_free(domain); /* GCOVR_EXCL_LINE: all drivers have PASIDs */
		return -EOPNOTSUPP; /* GCOVR_EXCL_LINE: all drivers have PASIDs */
	}
	hwpt->domain = domain;
	hwpt->flags = request->flags;
	return 0;
}

/**
 * iommufd_hwpt_domain_free - the opposite of iommufd_hwpt_domain_alloc()
 * @hwpt: Attached to nothing; it may have no domain
 */
void iommufd_hwpt_domain_free(struct iommufd_hwpt *hwpt)
{
	if (hwpt->domain)
		iommu_domain_free(hwpt->domain);
	if (hwpt->fault)
		iommufd_object_put(&hwpt->fault->object);
}

/**
 * iommufd_hwpt_to_paging - where the mappings of a page table are
 * @hwpt: The HWPT
 *
 * Return: the HWPT itself, or the one that it is nested in; without a reference,
 * which @hwpt has.
 */
struct iommufd_hwpt_paging *iommufd_hwpt_to_paging(struct iommufd_hwpt *hwpt)
{
	if (hwpt->object.ops->type == IOMMUFD_OBJECT_HWPT_NESTED)
		return container_of(hwpt, struct iommufd_hwpt_nested,
				    common)->parent;
	return container_of(hwpt, struct iommufd_hwpt_paging, common);
}

/**
 * iommufd_hwpt_discard - free a HWPT that was not published
 * @hwpt: Attached to nothing; complete or not
 */
void iommufd_hwpt_discard(struct iommufd_hwpt *hwpt)
{
	hwpt->object.ops->destroy(&hwpt->object);
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
