/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing extents of physical memory into an IOMMU domain.
 */
#ifndef __IOMMUFD_IO_DOMAIN_H
#define __IOMMUFD_IO_DOMAIN_H

#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

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
 * @pages: There are entries of PAGE_SIZE
 * @gfp: How page tables are allocated
 * @caller: The thread for which it is done, whoever does it; SIGKILL to it ends it
 * @calls: To give others a chance to run now and then, and to end by SIGKILL
 */
struct io_domain_writer {
	struct iommu_domain *domain;
	int prot;
	bool large;
	bool pages;
	gfp_t gfp;
	struct task_struct *caller;
	unsigned int calls;
};

/* Calls of a driver before others get a chance to run, or the process to end */
#define IO_DOMAIN_RESCHED 256

int io_domain_map_large(struct io_domain_writer *writer,
			struct io_extent *extent);
int io_domain_sync(struct io_domain_writer *writer, unsigned long iova,
		   unsigned long length);
bool __must_check io_domain_unmap(struct iommu_domain *domain,
				  unsigned long iova, unsigned long length);

/**
 * io_domain_writer_init - be ready to map extents
 * @writer: To be set up
 * @domain: The domain
 * @prot: IOMMU_READ and so on
 * @large: Entries larger than PAGE_SIZE may be used
 */
static inline void io_domain_writer_init(struct io_domain_writer *writer,
					 struct iommu_domain *domain, int prot,
					 bool large)
{
	writer->domain = domain;
	writer->prot = prot;
	writer->large = large;
	writer->gfp = GFP_KERNEL_ACCOUNT;
	writer->caller = current;
	writer->pages = domain->pgsize_bitmap & PAGE_SIZE;
	writer->calls = 0;
}

/*
 * One entry, which is there or not: there is nothing to undo. Calls the driver
 * itself: iommu_map() flushes once a call, which triples the cost of a page.
 */
static inline int io_domain_map_page(const struct io_domain_writer *writer,
				     struct io_extent *extent)
{
	struct iommu_domain *domain = writer->domain;
	size_t mapped = 0;
	int rc;

	rc = domain->ops->map_pages(domain, extent->iova, extent->phys,
				    PAGE_SIZE, 1, writer->prot, writer->gfp,
				    &mapped);
	if (!rc && mapped)
		return 0;
	extent->length = 0;
	return rc ?: -EIO;
}

/**
 * io_domain_map - map one extent
 * @writer: Says where and how
 * @extent: What; in an IOVA range where nothing is mapped
 *
 * Entries are in effect after io_domain_sync(). The caller keeps others from
 * mapping and unmapping this range of the domain. Sleeps.
 *
 * Return: 0, or the error of the driver, or -EINTR: killed; then @extent->length is set
 * to how much of it is mapped, for io_domain_unmap().
 */
static inline int io_domain_map(struct io_domain_writer *writer,
				struct io_extent *extent)
{
	if (!(++writer->calls % IO_DOMAIN_RESCHED)) {
		cond_resched();
		if (fatal_signal_pending(writer->caller)) {
			extent->length = 0;
			return -EINTR;
		}
	}
	/* Scattered memory is made of nothing else */
	if (extent->length == PAGE_SIZE && writer->pages &&
	    PAGE_ALIGNED(extent->iova | extent->phys))
		return io_domain_map_page(writer, extent);
	return io_domain_map_large(writer, extent);
}

#endif
