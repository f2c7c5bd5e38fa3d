// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing extents of physical memory into an IOMMU domain.
 *
 * Knows how the drivers' map and unmap functions behave: which calls are cheap, how large
 * they may be, and how some of them fail. Does not know where the memory comes from. The
 * domain is write only: nothing is read back, except to clean up after a failure.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "iopt/io_domain.h"

/*
 * No call of the core maps more, nor reaches over a multiple of it, so that no
 * IO page table entry does. A multiple of it is thus a place where an unmap may
 * be interrupted.
 */
#define IO_DOMAIN_MAX_MAP SZ_1G
#define IO_DOMAIN_MAX_UNMAP (64ULL * SZ_1G)

/* How much of @length can be done in steps that end at a multiple of @step */
static unsigned long step_length(unsigned long iova, unsigned long length,
				 unsigned long step)
{
	return min(length, step - (iova & (step - 1)));
}

/*
 * The largest entries that can begin an extent, and how many of them to write by
 * one call: up to where still larger ones can take over.
 */
static size_t entry_size(const struct io_domain_writer *writer,
			 const struct io_extent *extent, size_t *count)
{
	unsigned long address = extent->iova | extent->phys;
	unsigned long sizes = writer->domain->pgsize_bitmap;
	unsigned long length = extent->length;
	unsigned long fitting, larger, size;
	unsigned int order;

	/* VT-d makes large entries of many small ones if it gets them at once */
	if (!writer->large) {
		sizes &= GENMASK(PAGE_SHIFT, 0);
		length = step_length(extent->iova, length, PAGE_SIZE);
	}
	order = __fls(length);
	if (address)
		order = min(order, __ffs(address));
	fitting = sizes & GENMASK(order, 0);
	if (WARN_ON_ONCE(!fitting))
		return 0;
	order = __fls(fitting);
	size = 1UL << order;

	larger = sizes ^ fitting;
	if (larger) {
		larger &= -larger;
		if (!((extent->iova ^ extent->phys) & (larger - 1)) &&
		    length - size >= larger)
			length = step_length(extent->iova, length, larger);
	}
	*count = length >> order;
	return size;
}

/*
 * Of a failed call some drivers undo nothing, and VT-d does not say how far it
 * got. What it wrote begins at the start, so look where it ends. Anything beyond
 * must not be touched: unmapping what is not mapped can take a neighbour along.
 */
static unsigned long written_length(struct iommu_domain *domain,
				    const struct io_extent *extent)
{
	unsigned long step = 1UL << __ffs(domain->pgsize_bitmap);
	unsigned long done;

	for (done = 0; done < extent->length; done += step) {
		phys_addr_t phys;

		phys = iommu_iova_to_phys(domain, extent->iova + done);
		if (!phys || phys != extent->phys + done)
			break;
	}
	return done;
}

/* Calls the driver itself: if iommu_map() fails it does not tell at which entry */
static int map_entries(struct io_domain_writer *writer,
		       const struct io_extent *extent, unsigned long *done)
{
	const struct iommu_domain_ops *ops = writer->domain->ops;
	size_t size, count, mapped = 0;
	int rc;

	size = entry_size(writer, extent, &count);
	if (!size)
		return -EINVAL;
	rc = ops->map_pages(writer->domain, extent->iova, extent->phys, size,
			    count, writer->prot, writer->gfp, &mapped);
	if (!rc && !mapped)
		rc = -EIO;
	if (rc && !mapped)
		mapped = written_length(writer->domain, extent);
	*done += mapped;
	return rc;
}

/**
 * io_domain_map_large - map one extent by entries of any size
 * @writer: As for io_domain_map(), which is to be used
 * @extent: Likewise
 *
 * Return: as io_domain_map().
 */
int io_domain_map_large(struct io_domain_writer *writer,
			struct io_extent *extent)
{
	unsigned long done = 0;

	while (done < extent->length) {
		struct io_extent step = {
			.iova = extent->iova + done,
			.phys = extent->phys + done,
		};
		int rc;

		step.length = step_length(step.iova, extent->length - done,
					  IO_DOMAIN_MAX_MAP);
		rc = map_entries(writer, &step, &done);
		if (rc) {
			extent->length = done;
			return rc;
		}
		if (done < extent->length)
			cond_resched();
	}
	return 0;
}

/**
 * io_domain_sync - put what was mapped into effect
 * @writer: Was used for all extents of the range
 * @iova: First IOVA of the range
 * @length: Bytes
 *
 * Return: 0, or the error of the driver; the entries stay and must be unmapped.
 */
int io_domain_sync(struct io_domain_writer *writer, unsigned long iova,
		   unsigned long length)
{
	const struct iommu_domain_ops *ops = writer->domain->ops;

	if (!ops->iotlb_sync_map)
		return 0;
	return ops->iotlb_sync_map(writer->domain, iova, length);
}

/* Is the range made of entries of PAGE_SIZE, since no larger ones fit into it? */
static bool has_only_pages(const struct iommu_domain *domain,
			   unsigned long iova, unsigned long length)
{
	return PAGE_ALIGNED(iova | length) &&
	       (domain->pgsize_bitmap & GENMASK(__fls(length), 0)) == PAGE_SIZE;
}

/* Calls the driver itself: iommu_unmap() has to find out what entries there are */
static bool unmap_pages(struct iommu_domain *domain, unsigned long iova,
			unsigned long length)
{
	struct iommu_iotlb_gather gather;
	unsigned long done = 0;

	iommu_iotlb_gather_init(&gather);
	while (done < length) {
		size_t unmapped;

		unmapped = domain->ops->unmap_pages(domain, iova + done, PAGE_SIZE,
						    (length - done) >> PAGE_SHIFT,
						    &gather);
		if (!unmapped)
			break;
		done += unmapped;
	}
	/* Without anything gathered drivers flush a range that makes no sense */
	if (done)
		iommu_iotlb_sync(domain, &gather);
	return done == length;
}

/**
 * io_domain_unmap - unmap a range
 * @domain: The domain
 * @iova: First IOVA
 * @length: Bytes; all of them mapped, by whole extents
 *
 * On return no device can reach the memory through these IOVAs. Allocates
 * nothing. Sleeps between steps.
 *
 * Return: false if the driver did not do it, which is a bug of it; devices may reach
 * a part of the memory for as long as the domain is there, so it must stay pinned.
 */
bool io_domain_unmap(struct iommu_domain *domain, unsigned long iova,
		     unsigned long length)
{
	bool done = true;

	if (length && has_only_pages(domain, iova, length))
		return unmap_pages(domain, iova, length);
	while (length) {
		unsigned long step = step_length(iova, length,
						 IO_DOMAIN_MAX_UNMAP);

		done &= iommu_unmap(domain, iova, step) == step;
		iova += step;
		length -= step;
		if (length)
			cond_resched(); /* GCOVR_EXCL_LINE: takes 64 GiB */
	}
	return done;
}
