/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing extents of physical memory into an IOMMU domain.
 */
#ifndef __IOMMUFD_IO_DOMAIN_H
#define __IOMMUFD_IO_DOMAIN_H

#include <linux/types.h>

struct iommu_domain;

/**
 * struct io_extent - physically contiguous memory and where it is to appear
 * @iova: First IOVA
 * @phys: Its physical address
 * @length: Bytes
 */
struct io_extent {
	unsigned long iova;
	phys_addr_t phys;
	unsigned long length;
};

/**
 * struct io_domain_writer - extents of one mapping on their way into a domain
 * @domain: The domain
 * @prot: IOMMU_READ and so on
 * @large: Entries larger than PAGE_SIZE may be used
 * @calls: Of the driver, to give others a chance to run now and then
 */
struct io_domain_writer {
	struct iommu_domain *domain;
	int prot;
	bool large;
	unsigned int calls;
};

int io_domain_map(struct io_domain_writer *writer,
		  const struct io_extent *extent);
int io_domain_sync(struct io_domain_writer *writer, unsigned long iova,
		   unsigned long length);
void io_domain_unmap(struct iommu_domain *domain, unsigned long iova,
		     unsigned long length);

#endif
