// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching devices, and PASIDs of devices.
 *
 * Chooses the page table: the one that user space names, one of the IOAS that fits, or a
 * new one.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>

#include "attach.h"
#include "device.h"
#include "group.h"
#include "group_attach.h"
#include "hw_pagetable.h"
#include "hwpt_paging.h"

/*
 * Attaching and replacing differ in what is done with a page table, and in
 * whether a new one is filled before or after: a device that is attached already
 * must not see it empty, and one that is not might be needed to fill it.
 */
struct attach_request {
	struct device_group *group;
	/* NULL: all of the group, for the container */
	struct iommufd_device *idev;
	ioasid_t pasid;
	bool replaces;
	/* Its memory is pinned; no other IOAS gets a new page table */
	struct iommufd_ioas *prepared;
	/* Of a replace: what was attached before, and references to give back */
	struct iommufd_hwpt *old;
	unsigned long references;
};

static int attach_or_replace(const struct attach_request *request, struct iommufd_hwpt *hwpt)
{
	if (request->replaces)
		return device_group_replace(request->group, request->pasid,
					    hwpt);
	return device_group_attach(request->group, request->idev,
				   request->pasid, hwpt);
}

/* What the group is attached to, or NULL */
static struct iommufd_hwpt *attached_hwpt(const struct attach_request *request)
{
	return device_group_hwpt(request->group, request->pasid);
}

static int attach_new(const struct attach_request *request,
		      struct iommufd_hwpt_paging *paging)
{
	int rc;

	if (request->replaces) {
		/* Its addresses are all reserved up to the first attach */
		if (iommufd_hwpt_paging_needs_attach(request->idev->dev))
			return -EADDRINUSE;
		rc = iommufd_hwpt_paging_fill(paging);
		return rc ?: attach_or_replace(request, &paging->common);
	}
	rc = attach_or_replace(request, &paging->common);
	if (rc)
		return rc;
	rc = iommufd_hwpt_paging_fill(paging);
	if (rc)
		device_group_detach(request->group, request->idev,
				    request->pasid);
	return rc;
}

/* A page table for a group, made for the first of its devices */
struct group_hwpt {
	struct iommufd_ioas *ioas;
	struct iommufd_hwpt_paging *paging;
};

/* Programs that know the container have no other way to ask for dirty tracking */
static int new_for_first(struct device *dev, void *data)
{
	struct group_hwpt *new = data;
	u32 flags = 0;

	if (device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		flags |= IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	new->paging = iommufd_hwpt_paging_new_automatic(new->ioas, dev, flags);
	return 1;
}

/* The core keeps the devices of a group while we look at one */
static struct iommufd_hwpt_paging *
new_automatic(const struct attach_request *request, struct iommufd_ioas *ioas)
{
	struct group_hwpt new = { .ioas = ioas, .paging = ERR_PTR(-ENODEV) };

	if (request->idev)
		return iommufd_hwpt_paging_new_automatic(ioas,
							 request->idev->dev,
							 0);
	iommu_group_for_each_dev(request->group->group, &new, new_for_first);
	return new.paging;
}

/* Make a page table of the IOAS; returns its id */
static int attach_new_automatic(const struct attach_request *request,
				struct iommufd_ioas *ioas, u32 *id)
{
	struct iommufd_hwpt_paging *paging;
	int rc;

	/* Its id was another object's when the call began */
	if (ioas != request->prepared)
		return -ENOENT;
	paging = new_automatic(request, ioas);
	if (IS_ERR(paging))
		return PTR_ERR(paging);
	rc = attach_new(request, paging);
	if (rc) {
		iommufd_hwpt_discard(&paging->common);
		return rc;
	}
	*id = paging->common.object.id;
	iommufd_object_publish(&paging->common.object);
	return 0;
}

/*
 * -EINVAL is how drivers say that a page table does not fit a device. One that
 * loses its last attachment while we try it stays, for user space to destroy.
 */
static int try_automatic(const struct attach_request *request,
			 struct iommufd_hwpt *hwpt)
{
	int rc;

	if (!hwpt->automatic)
		return -EINVAL;
	if (hwpt == attached_hwpt(request) && request->replaces)
		return 0;
	if (!iommufd_hwpt_get_attached(hwpt))
		return -EINVAL;
	rc = attach_or_replace(request, hwpt);
	if (rc)
		iommufd_object_put(&hwpt->object);
	return rc;
}

static int attach_old_automatic(const struct attach_request *request,
				struct iommufd_ioas *ioas, u32 *id)
{
	struct iommufd_hwpt_paging *paging;
	int rc = -EINVAL;

	mutex_lock(&ioas->hwpt_lock);
	list_for_each_entry(paging, &ioas->hwpts, link) {
		rc = try_automatic(request, &paging->common);
		*id = paging->common.object.id;
		if (rc != -EINVAL)
			break;
	}
	mutex_unlock(&ioas->hwpt_lock);
	return rc;
}

static int attach_ioas(const struct attach_request *request,
		       struct iommufd_ioas *ioas, u32 *id)
{
	int rc;

	rc = attach_old_automatic(request, ioas, id);
	/* A sibling that is attached elsewhere rules out a new one, too */
	if (rc == -EINVAL && (request->replaces || !attached_hwpt(request)))
		rc = attach_new_automatic(request, ioas, id);
	return rc;
}

static int attach_hwpt(const struct attach_request *request,
		       struct iommufd_hwpt *hwpt, u32 *id)
{
	int rc;

	*id = hwpt->object.id;
	if (hwpt == attached_hwpt(request) && request->replaces)
		return 0;
	refcount_inc(&hwpt->object.users);
	rc = attach_or_replace(request, hwpt);
	if (rc)
		iommufd_object_put(&hwpt->object);
	return rc;
}

/* The IOAS that an attachment to this object ends in, or NULL */
static struct iommufd_ioas *object_ioas(struct iommufd_object *object)
{
	struct iommufd_hwpt *hwpt;

	switch (object->ops->type) {
	case IOMMUFD_OBJECT_IOAS:
		return container_of(object, struct iommufd_ioas, object);
	case IOMMUFD_OBJECT_HWPT_PAGING:
	case IOMMUFD_OBJECT_HWPT_NESTED:
		hwpt = container_of(object, struct iommufd_hwpt, object);
		return iommufd_hwpt_to_paging(hwpt)->ioas;
	default:
		return NULL;
	}
}

static bool is_attached(const struct attach_request *request)
{
	return device_group_is_attached(request->group, request->idev,
					request->pasid);
}

/* The page tables that are made for an IOAS cannot be attached to a PASID. */
static bool is_target(const struct attach_request *request,
		      const struct iommufd_object *object)
{
	return object->ops->type != IOMMUFD_OBJECT_IOAS ||
	       request->pasid == IOMMU_NO_PASID;
}

static int attach_object(const struct attach_request *request,
			 struct iommufd_object *object, u32 *id)
{
	struct iommufd_ioas *ioas = object_ioas(object);
	int rc;

	if (!ioas || !is_target(request, object))
		return -EINVAL;
	if (is_attached(request) != request->replaces)
		return request->replaces ? -EINVAL : -EBUSY;
	if (mutex_lock_killable(&ioas->attach_lock))
		return -EINTR;
	if (object == &ioas->object)
		rc = attach_ioas(request, ioas, id);
	else
		rc = attach_hwpt(request, container_of(object, struct iommufd_hwpt,
						       object), id);
	mutex_unlock(&ioas->attach_lock);
	return rc;
}

static int attach_id(const struct attach_request *request, u32 *id)
{
	struct iommufd_object *object;
	int rc;

	object = iommufd_object_get(request->group->ctx, *id, IOMMUFD_OBJECT_ANY);
	if (IS_ERR(object))
		return PTR_ERR(object);
	rc = attach_object(request, object, id);
	iommufd_object_put(object);
	return rc;
}

/* If the container has attached the group, its page table overrides the caller's id. */
static bool container_decides(const struct attach_request *request)
{
	return request->pasid == IOMMU_NO_PASID &&
	       device_group_is_attached(request->group, NULL, IOMMU_NO_PASID);
}

static int attach_locked(struct attach_request *request, u32 *pt_id)
{
	struct iommufd_hwpt *before = attached_hwpt(request);
	u32 id = container_decides(request) ? before->object.id : *pt_id;
	int rc;

	rc = attach_id(request, &id);
	if (rc)
		return rc;
	*pt_id = id;
	if (request->replaces && before != attached_hwpt(request)) {
		request->old = before;
		request->references = device_group_users(request->group,
							 request->pasid);
	}
	return 0;
}

static int lock_and_attach(struct attach_request *request, u32 *pt_id)
{
	int rc;

	rc = mutex_lock_killable(&request->group->lock);
	if (rc)
		return rc;
	rc = attach_locked(request, pt_id);
	mutex_unlock(&request->group->lock);
	while (request->references--)
		iommufd_hwpt_put_attached(request->old);
	return rc;
}

/*
 * A driver may have prepared the attach, outside of its own locks. One that has no such
 * locks leaves it to this. A page table that is there has its memory pinned.
 */
static int attach_prepared(struct attach_request *request, u32 *pt_id)
{
	struct iommufd_ctx *ctx = request->group->ctx;
	struct iommufd_preparation *own = NULL;
	struct iommufd_preparation *preparation;
	int rc;

	if (request->pasid != IOMMU_NO_PASID)
		return lock_and_attach(request, pt_id);
	preparation = iommufd_attach_prepared(ctx);
	if (!preparation) {
		own = iommufd_attach_prepare(ctx, *pt_id);
		if (IS_ERR(own))
			return PTR_ERR(own);
		preparation = own;
	}
	request->prepared = iommufd_attach_prepared_ioas(preparation);
	rc = lock_and_attach(request, pt_id);
	iommufd_attach_finish(own);
	return rc;
}

/**
 * iommufd_device_pasid_attach - have a device's DMA go through a page table
 * @idev: The device
 * @pasid: The PASID of the DMA; IOMMU_NO_PASID is iommufd_device_attach()
 * @pt_id: With a PASID a HWPT made for PASIDs, else an IOAS or a HWPT; on success set to
 *         the HWPT that is used
 *
 * Sleeps; indefinitely if memory must be pinned, but ends by SIGKILL. After
 * iommufd_attach_prepare() nothing must be, nor for a HWPT.
 *
 * Return: 0; with nothing changed: -ENOENT no such id; -EINVAL neither IOAS nor HWPT, or
 * an IOAS for a PASID; -EBUSY attached already; -EINTR killed; as
 * iommufd_attach_prepare(), device_group_attach() and iommufd_hwpt_paging_fill().
 */
int iommufd_device_pasid_attach(struct iommufd_device *idev, ioasid_t pasid,
				u32 *pt_id)
{
	struct attach_request request = {
		.group = idev->group,
		.idev = idev,
		.pasid = pasid,
	};

	return attach_prepared(&request, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_attach, IOMMUFD);

/**
 * iommufd_device_attach - have a device's DMA without a PASID go through a page table
 * @idev: The device
 * @pt_id: An IOAS or a HWPT; on success set to the HWPT that is used
 *
 * Return: as iommufd_device_pasid_attach().
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id)
{
	return iommufd_device_pasid_attach(idev, IOMMU_NO_PASID, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, IOMMUFD);

/**
 * iommufd_device_pasid_replace - move DMA of a device's group to another page table
 * @idev: The device
 * @pasid: The PASID of the DMA; IOMMU_NO_PASID is iommufd_device_replace()
 * @pt_id: As for iommufd_device_pasid_attach()
 *
 * All devices of the group for which the PASID is attached move. DMA goes on if the
 * IOMMU driver can do that, with a PASID see struct iommufd_driver_ops; otherwise it
 * faults for a moment. Sleeps as iommufd_device_pasid_attach() does.
 *
 * Return: 0; with nothing changed: -EINVAL not attached; as
 * iommufd_device_pasid_attach().
 */
int iommufd_device_pasid_replace(struct iommufd_device *idev, ioasid_t pasid,
				 u32 *pt_id)
{
	struct attach_request request = {
		.group = idev->group,
		.idev = idev,
		.pasid = pasid,
		.replaces = true,
	};

	return attach_prepared(&request, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_replace, IOMMUFD);

/**
 * iommufd_device_replace - move a device's group to another page table
 * @idev: Attached
 * @pt_id: An IOAS or a HWPT; on success set to the HWPT that is used
 *
 * Return: as iommufd_device_pasid_replace().
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id)
{
	return iommufd_device_pasid_replace(idev, IOMMU_NO_PASID, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, IOMMUFD);

/**
 * iommufd_device_pasid_detach - block a device's DMA
 * @idev: The device
 * @pasid: The PASID of the DMA, attached or not; IOMMU_NO_PASID is
 *         iommufd_device_detach()
 *
 * DMA of a group is blocked when its last device is detached. Cannot fail. Sleeps.
 */
void iommufd_device_pasid_detach(struct iommufd_device *idev, ioasid_t pasid)
{
	struct device_group *group = idev->group;
	struct iommufd_hwpt *hwpt = NULL;

	mutex_lock(&group->lock);
	if (device_group_is_attached(group, idev, pasid)) {
		hwpt = device_group_hwpt(group, pasid);
		device_group_detach(group, idev, pasid);
	}
	mutex_unlock(&group->lock);
	if (hwpt)
		iommufd_hwpt_put_attached(hwpt);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach, IOMMUFD);

/**
 * iommufd_device_detach - block a device's DMA without a PASID
 * @idev: Attached or not
 *
 * As iommufd_device_pasid_detach().
 */
void iommufd_device_detach(struct iommufd_device *idev)
{
	iommufd_device_pasid_detach(idev, IOMMU_NO_PASID);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, IOMMUFD);

/**
 * iommufd_device_pasid_detach_all - block a device's DMA with any PASID
 * @idev: The device
 *
 * DMA without a PASID goes on. Cannot fail. Sleeps.
 */
void iommufd_device_pasid_detach_all(struct iommufd_device *idev)
{
	unsigned long pasid;
	void *entry;

	/* Others attach and detach PASIDs of their own devices at the same time */
	xa_for_each_start(&idev->group->attachments, pasid, entry,
			  IOMMU_NO_PASID + 1)
		iommufd_device_pasid_detach(idev, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_pasid_detach_all, IOMMUFD);

/**
 * iommufd_group_attach - have the DMA of a whole group go through a page table
 * @group: A group of which the context owns the DMA, not attached as a whole
 * @ioas: Where to; the calling thread has prepared it
 *
 * Its devices, bound or not, are then attached to this and nothing else. Sleeps, but
 * waits for nothing of user space.
 *
 * Return: as iommufd_device_attach().
 */
int iommufd_group_attach(struct device_group *group, struct iommufd_ioas *ioas)
{
	struct iommufd_preparation *preparation =
		iommufd_attach_prepared(group->ctx);
	struct attach_request request = {
		.group = group,
		.pasid = IOMMU_NO_PASID,
		.prepared = iommufd_attach_prepared_ioas(preparation),
	};
	u32 id;
	int rc;

	if (mutex_lock_killable(&group->lock))
		return -EINTR;
	rc = attach_object(&request, &ioas->object, &id);
	mutex_unlock(&group->lock);
	return rc;
}

/**
 * iommufd_group_detach - the opposite of iommufd_group_attach()
 * @group: Attached as a whole
 *
 * Devices that are attached stay so. Cannot fail.
 */
void iommufd_group_detach(struct device_group *group)
{
	struct iommufd_hwpt *hwpt;

	mutex_lock(&group->lock);
	hwpt = device_group_hwpt(group, IOMMU_NO_PASID);
	device_group_detach(group, NULL, IOMMU_NO_PASID);
	mutex_unlock(&group->lock);
	iommufd_hwpt_put_attached(hwpt);
}
