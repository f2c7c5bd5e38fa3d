/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The access: a kernel driver that reaches user memory by IOVA, with the CPU.
 */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include "io_pagetable.h"
#include "iommufd_private.h"

/**
 * struct iommufd_access - the use of an IOAS by an emulated device
 * @object: Lives until its driver destroys it
 * @lock: Protects @ioas, and that @pins grows only while it is the same
 * @ioas: What new calls use, or NULL
 * @unpin_ioas: What pins are in; longer than @ioas, while a detach waits for
 *              them to go
 * @entry: In io_pagetable.accesses
 * @pins: Pages pinned and not yet unpinned, each as often as it was pinned
 * @ops: The driver's functions
 * @data: The driver's own
 */
struct iommufd_access {
	struct iommufd_object object;
	spinlock_t lock; /* ioas */
	struct iommufd_ioas *ioas;
	struct iommufd_ioas *unpin_ioas;
	struct iopt_access entry;
	atomic_long_t pins;
	const struct iommufd_access_ops *ops;
	void *data;
};

struct iommufd_ioas *iommufd_access_begin(struct iommufd_access *access);
void iommufd_access_end(struct iommufd_access *access,
			struct iommufd_ioas *ioas);
bool iommufd_access_count_pins(struct iommufd_access *access,
			       const struct iommufd_ioas *ioas,
			       unsigned long npages);

#endif
