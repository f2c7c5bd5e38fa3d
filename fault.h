/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fault queue: page requests of devices on their way to user space and back.
 */
#ifndef __IOMMUFD_FAULT_H
#define __IOMMUFD_FAULT_H

#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "iommufd_private.h"

struct attach_handle;
struct iommufd_device;
struct iommufd_hwpt;

/**
 * struct iommufd_fault - a fault queue
 * @object: Used by its file and by the HWPTs that name it
 * @queue_lock: Protects @queued and @length. Taken by the IOMMU driver's
 *              interrupt thread, for which detaching waits
 * @queued: Groups of page requests that nobody has read, iopf_group.node
 * @length: How many groups there are, read or not
 * @wait: For poll()
 * @read_lock: One reader at a time; held while user memory is written
 * @lock: Protects what follows, and answers
 * @delivered: Groups that were read and wait for an answer, by cookie
 * @reading: The one of @delivered that is on its way to user memory, or NULL
 */
struct iommufd_fault {
	struct iommufd_object object;
	spinlock_t queue_lock; /* queued and length */
	struct list_head queued;
	unsigned int length;
	wait_queue_head_t wait;
	struct mutex read_lock; /* one reader at a time */
	struct mutex lock; /* delivered and reading */
	struct xarray delivered;
	struct iopf_group *reading;
};

/**
 * struct fault_batch - a group of page requests for user space
 * @records: One for each request, to be freed by kvfree(); NULL: there is none;
 *           or an ERR_PTR
 * @size: Bytes
 */
struct fault_batch {
	struct iommu_hwpt_pgfault *records;
	size_t size;
};

struct iommufd_fault *iommufd_fault_new(struct iommufd_ctx *ctx);
struct iommufd_fault *iommufd_fault_get(struct iommufd_ctx *ctx, u32 id);
void iommufd_fault_set(struct iommufd_hwpt *hwpt, struct iommufd_fault *fault);
void iommufd_fault_drop(struct iommufd_fault *fault,
			const struct attach_handle *handle,
			const struct device *dev);
struct fault_batch iommufd_fault_deliver(struct iommufd_fault *fault,
					 size_t room);
void iommufd_fault_delivered(struct iommufd_fault *fault, bool taken);
int iommufd_fault_answer(struct iommufd_fault *fault, u32 cookie,
			 enum iommu_page_response_code code);

/* fault_file.c: its file descriptor */

/* fault.c: devices that can ask for pages */
int iommufd_fault_enable(struct iommufd_device *idev,
			 const struct iommufd_hwpt *hwpt);
void iommufd_fault_disable(struct iommufd_device *idev,
			   const struct iommufd_hwpt *hwpt);

#endif
