// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fault queue: page requests of devices on their way to user space and back.
 *
 * A group of page requests is in the queue from the moment the IOMMU driver reports it
 * until it is answered, exactly once: by user space, or when the device leaves the page
 * table. fault_file.c is how user space reads them.
 *
 * A group points to its handle and its device but holds a reference to neither. Freeing a
 * handle therefore drops the handle's groups first, and unbinding a device drops the
 * device's groups under every handle, once no more can arrive.
 *
 * Page requests of a device are enabled while it is attached, by itself or by a PASID, to
 * a page table with a fault queue. IOMMU drivers refuse to enable them twice, so it is
 * counted. Requests that arrived before they were disabled are answered then, whichever
 * handle of the group they came by, because the device may be removed next.
 *
 * A driver reports from its interrupt thread, and a detach waits for that thread with
 * locks of every kind held. So the report function takes no lock but the handle's and
 * queue_lock, and nothing sleeps under those.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>

#include "attachment.h"
#include "device.h"
#include "fault.h"
#include "group.h"
#include "hw_pagetable.h"

/*
 * A device has a limited number of requests open, but there is no limit to the
 * devices of a queue that nobody reads. What comes beyond is answered with a
 * failure.
 */
#define MAX_GROUPS 16384

static void fault_destroy(struct iommufd_object *object)
{
	struct iommufd_fault *fault =
		container_of(object, struct iommufd_fault, object);

	WARN_ON(fault->length);
	xa_destroy(&fault->delivered);
	mutex_destroy(&fault->lock);
	mutex_destroy(&fault->read_lock);
}

static const struct iommufd_object_ops fault_ops = {
	.type = IOMMUFD_OBJECT_FAULT,
	.destroy = fault_destroy,
};

/**
 * iommufd_fault_new - make a fault queue
 * @ctx: The context
 *
 * Return: the queue, to be published or discarded, or as iommufd_object_alloc().
 */
struct iommufd_fault *iommufd_fault_new(struct iommufd_ctx *ctx)
{
	struct iommufd_fault *fault;

	fault = iommufd_object_new(ctx, fault, object, &fault_ops);
	if (IS_ERR(fault))
		return fault;
	spin_lock_init(&fault->queue_lock);
	INIT_LIST_HEAD(&fault->queued);
	init_waitqueue_head(&fault->wait);
	mutex_init(&fault->read_lock);
	mutex_init(&fault->lock);
	xa_init_flags(&fault->delivered, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	return fault;
}

/**
 * iommufd_fault_get - find a fault queue
 * @ctx: The context
 * @id: Its id
 *
 * Return: the queue with a reference to its object, or ERR_PTR(-ENOENT).
 */
struct iommufd_fault *iommufd_fault_get(struct iommufd_ctx *ctx, u32 id)
{
	return iommufd_object_get_as(ctx, id, IOMMUFD_OBJECT_FAULT,
				     struct iommufd_fault, object);
}

static struct attach_handle *handle_of(const struct iopf_group *group)
{
	return container_of(group->attach_handle, struct attach_handle, handle);
}

static int enqueue(struct iommufd_fault *fault, struct iopf_group *group)
{
	int rc = -EBUSY;

	spin_lock(&fault->queue_lock);
	if (fault->length < MAX_GROUPS) {
		fault->length++;
		list_add_tail(&group->node, &fault->queued);
		rc = 0;
	}
	spin_unlock(&fault->queue_lock);
	if (!rc)
		wake_up_interruptible(&fault->wait);
	return rc;
}

/* Called in the thread of an interrupt; an error has the core answer */
static int handle_group(struct iopf_group *group)
{
	struct attach_handle *handle = handle_of(group);
	int rc;

	/* From now on nobody but us answers it, before it can be read */
	iopf_group_dequeue(group);
	spin_lock(&handle->lock);
	rc = enqueue(handle->hwpt->fault, group);
	spin_unlock(&handle->lock);
	return rc;
}

/**
 * iommufd_fault_set - have page requests of a page table's devices queued
 * @hwpt: New, with a domain
 * @fault: The queue; @hwpt takes over a reference
 */
void iommufd_fault_set(struct iommufd_hwpt *hwpt, struct iommufd_fault *fault)
{
	hwpt->fault = fault;
	hwpt->domain->iopf_handler = handle_group;
}

static void finish(struct iommufd_fault *fault, struct iopf_group *group,
		   enum iommu_page_response_code code)
{
	lockdep_assert_held(&fault->lock);

	if (fault->reading == group)
		fault->reading = NULL;
	iopf_group_response(group, code);
	iopf_free_group(group);
	spin_lock(&fault->queue_lock);
	fault->length--;
	spin_unlock(&fault->queue_lock);
}

static bool comes_from(const struct iopf_group *group,
		       const struct attach_handle *handle,
		       const struct device *dev)
{
	return handle_of(group) == handle &&
	       (!dev || group->fault_param->dev == dev); /* GCOVR_EXCL_LINE: one device a group */
}

static void drop_queued(struct iommufd_fault *fault,
			const struct attach_handle *handle,
			const struct device *dev)
{
	struct iopf_group *group, *next;
	LIST_HEAD(dropped);

	spin_lock(&fault->queue_lock);
	list_for_each_entry_safe(group, next, &fault->queued, node)
		if (comes_from(group, handle, dev))
			list_move_tail(&group->node, &dropped);
	spin_unlock(&fault->queue_lock);

	list_for_each_entry_safe(group, next, &dropped, node)
		finish(fault, group, IOMMU_PAGE_RESP_INVALID);
}

/**
 * iommufd_fault_drop - a device has left a page table
 * @fault: The queue of the page table, or NULL
 * @handle: How it was attached
 * @dev: The device, or NULL: all that were attached by @handle
 *
 * Answers all its page requests that are in the queue; what the driver reports
 * from now on is another matter. Cannot fail. Sleeps.
 */
void iommufd_fault_drop(struct iommufd_fault *fault,
			const struct attach_handle *handle,
			const struct device *dev)
{
	struct iopf_group *group;
	unsigned long cookie;

	if (!fault)
		return;
	mutex_lock(&fault->lock);
	drop_queued(fault, handle, dev);
	xa_for_each(&fault->delivered, cookie, group) {
		if (!comes_from(group, handle, dev))
			continue;
		xa_erase(&fault->delivered, cookie);
		finish(fault, group, IOMMU_PAGE_RESP_INVALID);
	}
	mutex_unlock(&fault->lock);
}

static void fill_record(struct iommu_hwpt_pgfault *record,
			const struct iopf_group *group,
			const struct iommu_fault_page_request *request)
{
	const struct attach_handle *handle = handle_of(group);

	*record = (struct iommu_hwpt_pgfault){
		.flags = request->flags & (IOMMU_PGFAULT_FLAGS_PASID_VALID |
					   IOMMU_PGFAULT_FLAGS_LAST_PAGE),
		.dev_id = READ_ONCE(handle->dev_id),
		.pasid = request->pasid,
		.grpid = request->grpid,
		.perm = request->perm,
		.addr = request->addr,
		.cookie = group->cookie,
	};
}

static struct fault_batch fill_batch(const struct iopf_group *group)
{
	struct fault_batch batch = {
		.size = group->fault_count * sizeof(*batch.records),
	};
	const struct iopf_fault *fault;
	size_t i = 0;

	batch.records = kvmalloc(batch.size, GFP_KERNEL_ACCOUNT);
	if (!batch.records)
		batch.records = ERR_PTR(-ENOMEM);
	else
		list_for_each_entry(fault, &group->faults, list)
			fill_record(&batch.records[i++], group,
				    &fault->fault.prm);
	return batch;
}

/* Only readers take groups off the queue, one at a time; others drop them */
static struct iopf_group *first_queued(struct iommufd_fault *fault)
{
	struct iopf_group *group;

	spin_lock(&fault->queue_lock);
	group = list_first_entry_or_null(&fault->queued, struct iopf_group,
					 node);
	spin_unlock(&fault->queue_lock);
	return group;
}

static struct fault_batch deliver(struct iommufd_fault *fault,
				  struct iopf_group *group)
{
	struct fault_batch batch;
	int rc;

	rc = xa_alloc(&fault->delivered, &group->cookie, group,
		      XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT);
	if (rc)
		/* GCOVR_EXCL_START: would need two failures */
		return (struct fault_batch){ .records = ERR_PTR(rc) };
		/* GCOVR_EXCL_STOP */
	batch = fill_batch(group);
	if (IS_ERR(batch.records)) {
		/* GCOVR_EXCL_START: would need two failures */
		xa_erase(&fault->delivered, group->cookie);
		return batch;
		/* GCOVR_EXCL_STOP */
	}
	spin_lock(&fault->queue_lock);
	list_del(&group->node);
	spin_unlock(&fault->queue_lock);
	fault->reading = group;
	return batch;
}

/**
 * iommufd_fault_deliver - the oldest group that nobody has read
 * @fault: The queue; the caller holds read_lock
 * @room: Bytes that the reader has left
 *
 * To be followed by iommufd_fault_delivered() if there is one.
 *
 * Return: the group, or none, or -EINVAL it needs more room, -ENOMEM.
 */
struct fault_batch iommufd_fault_deliver(struct iommufd_fault *fault,
					 size_t room)
{
	struct fault_batch batch = {};
	struct iopf_group *group;

	lockdep_assert_held(&fault->read_lock);

	mutex_lock(&fault->lock);
	group = first_queued(fault);
	if (group && group->fault_count > room / sizeof(*batch.records))
		batch.records = ERR_PTR(-EINVAL);
	else if (group)
		batch = deliver(fault, group);
	mutex_unlock(&fault->lock);
	return batch;
}

/**
 * iommufd_fault_delivered - the end of iommufd_fault_deliver()
 * @fault: The queue; the caller holds read_lock
 * @taken: The reader has got the group; otherwise it is the oldest one again
 */
void iommufd_fault_delivered(struct iommufd_fault *fault, bool taken)
{
	struct iopf_group *group;

	mutex_lock(&fault->lock);
	group = fault->reading;
	fault->reading = NULL;
	/* It may have been answered or dropped meanwhile */
	if (group && !taken) {
		xa_erase(&fault->delivered, group->cookie);
		spin_lock(&fault->queue_lock);
		list_add(&group->node, &fault->queued);
		spin_unlock(&fault->queue_lock);
	}
	mutex_unlock(&fault->lock);
}

/**
 * iommufd_fault_answer - answer a group of page requests
 * @fault: The queue
 * @cookie: Of a group that was delivered
 * @code: The answer
 *
 * Return: 0, or -EINVAL no group with this cookie waits for an answer.
 */
int iommufd_fault_answer(struct iommufd_fault *fault, u32 cookie,
			 enum iommu_page_response_code code)
{
	struct iopf_group *group;

	mutex_lock(&fault->lock);
	group = xa_erase(&fault->delivered, cookie);
	if (group)
		finish(fault, group, code);
	mutex_unlock(&fault->lock);
	return group ? 0 : -EINVAL;
}

/* GCOVR_EXCL_START: no virtual function in QEMU can ask for pages */
/*
 * The virtual functions of a device share its page request interface: turning it
 * off for one would take it away from all.
 */
static bool shares_requests(struct device *dev)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return false;
	pdev = to_pci_dev(dev);
	return pdev->is_virtfn && pci_pri_supported(pdev);
}

/* GCOVR_EXCL_STOP */

/**
 * iommufd_fault_enable - a device is going to be attached to a page table
 * @idev: The device; the lock of its group is held
 * @hwpt: The page table, with a fault queue or without
 *
 * Return: 0, -EINVAL it is a virtual function with page requests, -ENODEV it can't
 * ask for pages, or another error of the driver.
 */
int iommufd_fault_enable(struct iommufd_device *idev,
			 const struct iommufd_hwpt *hwpt)
{
	int rc = 0;

	lockdep_assert_held(&idev->group->lock);

	if (!hwpt->fault)
		return 0;
	if (shares_requests(idev->dev))
		return -EINVAL;
	if (!idev->fault_users)
		rc = iommu_dev_enable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
	if (!rc)
		idev->fault_users++;
	return rc;
}

static void drop_all(const struct iommufd_device *idev)
{
	struct attach_handle *handle;

	list_for_each_entry(handle, &idev->group->handles, link)
		iommufd_fault_drop(handle->hwpt->fault, handle, idev->dev);
}

/**
 * iommufd_fault_disable - a device is no longer attached to a page table
 * @idev: The device; the lock of its group is held
 * @hwpt: The page table, for which iommufd_fault_enable() was called
 *
 * When it is attached to none that has a fault queue, nothing that it has asked
 * for is left without an answer, and the driver reports nothing more of it. Cannot
 * fail. Sleeps.
 */
void iommufd_fault_disable(struct iommufd_device *idev,
			   const struct iommufd_hwpt *hwpt)
{
	lockdep_assert_held(&idev->group->lock);

	if (!hwpt->fault || --idev->fault_users)
		return;
	iommu_dev_disable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
	drop_all(idev);
}
