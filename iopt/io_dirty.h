/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading which pages of an IOMMU domain devices have written to.
 */
#ifndef __IOMMUFD_IO_DIRTY_H
#define __IOMMUFD_IO_DIRTY_H

#include <linux/types.h>

struct iommu_domain;
struct iova_bitmap;

/**
 * struct io_dirty_reader - on its way upwards through a domain
 * @domain: The domain; it tracks dirty pages
 * @bitmap: Where dirty pages are recorded
 * @clear: What was recorded is clean afterwards
 * @flush: io_dirty_end() has something to do
 * @next: Where reading goes on
 * @recorded: From here to @next everything was recorded as dirty
 */
struct io_dirty_reader {
	struct iommu_domain *domain;
	struct iova_bitmap *bitmap;
	bool clear;
	bool flush;
	unsigned long next;
	unsigned long recorded;
};

int io_dirty_read(struct io_dirty_reader *reader, unsigned long iova,
		  unsigned long length);
void io_dirty_end(struct io_dirty_reader *reader);
int io_dirty_forget(struct iommu_domain *domain, unsigned long iova,
		    unsigned long length);

#endif
