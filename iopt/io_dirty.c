// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading which pages of an IOMMU domain devices have written to.
 *
 * A driver's read_and_clear_dirty() looks at each entry of a range, makes it clean if
 * told to, and adds the dirty ones to a bitmap and to a gather of IOTLB ranges. A kernel
 * without iommufd has the bitmap compiled out of its drivers. The gather is always
 * filled, but keeps only the hull of what was added. That is enough, because the hull of
 * a single entry is exact.
 *
 *   1. Ask for a block without making anything clean. An empty hull: all of it
 *      is clean, and that is most of the memory most of the time.
 *   2. The hull is in the block: ask for each page of the hull, now making it
 *      clean. What comes back is a single entry.
 *   3. The hull is larger than the block: it is the size of the one entry that
 *      the block is a part of. Record the block. The entry is made clean with the
 *      last of its blocks, if all of them were recorded. So no bit is lost of an
 *      entry that is only in part in the range, or that a device writes to after
 *      the first of its blocks was found clean.
 *
 * It relies on this: entries are as large as a power of two, and aligned to that
 * in IOVAs; drivers add a whole entry, even if they were asked for part of it,
 * though perhaps from where they were asked on. As blocks are powers of two and
 * aligned, too, a block either consists of whole entries or is part of one.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "iopt/io_dirty.h"

/* What most IOMMUs have entries of, and small enough to ask for page by page */
#define MAX_BLOCK SZ_2M

/*
 * The walks of drivers wrap if an entry ends with the last IOVA, and go on from
 * 0. No entry is larger than this.
 */
#define UNREADABLE_IOVA (-(unsigned long)SZ_1G)

static unsigned long smallest_page(const struct iommu_domain *domain)
{
	return 1UL << __ffs(domain->pgsize_bitmap);
}

/* The largest block at the start of a range */
static unsigned long block_length(unsigned long iova, unsigned long length)
{
	unsigned long block = min_t(unsigned long, MAX_BLOCK,
				    rounddown_pow_of_two(length));

	return iova ? min(block, 1UL << __ffs(iova)) : block;
}

/* @flags: 0 or IOMMU_DIRTY_NO_CLEAR. @found is the hull of the dirty entries */
static int ask(struct iommu_domain *domain, unsigned long iova,
	       unsigned long length, unsigned long flags,
	       struct iommu_iotlb_gather *found)
{
	struct iommu_dirty_bitmap dirty;

	iommu_dirty_bitmap_init(&dirty, NULL, found);
	return domain->dirty_ops->read_and_clear_dirty(domain, iova, length,
						       flags, &dirty);
}

/* 0: nothing was found */
static unsigned long found_length(const struct iommu_iotlb_gather *found)
{
	return found->start > found->end ? 0 : found->end - found->start + 1;
}

static int make_clean(struct io_dirty_reader *reader, unsigned long iova,
		      unsigned long length, struct iommu_iotlb_gather *found)
{
	reader->flush = true;
	return ask(reader->domain, iova, length, 0, found);
}

/*
 * The entries of a range are smaller than a block. A device may have written to
 * more of them meanwhile: only what is made clean says what was dirty.
 */
static int read_entries(struct io_dirty_reader *reader, unsigned long iova,
			unsigned long last)
{
	unsigned long page = smallest_page(reader->domain);

	while (iova <= last) {
		struct iommu_iotlb_gather found;
		unsigned long length;
		int rc;

		if (reader->clear)
			rc = make_clean(reader, iova, page, &found);
		else
			rc = ask(reader->domain, iova, page,
				 IOMMU_DIRTY_NO_CLEAR, &found);
		if (rc)
			return rc; /* GCOVR_EXCL_LINE: no driver fails here */
		length = found_length(&found);
		if (length) {
			iova = ALIGN_DOWN(iova, length);
			iova_bitmap_set(reader->bitmap, iova, length);
		}
		iova += length ?: page;
	}
	return 0;
}

/* The block is dirty, as it is part of a larger entry of this length */
static int read_part(struct io_dirty_reader *reader, unsigned long iova,
		     unsigned long block, unsigned long length)
{
	unsigned long entry = ALIGN_DOWN(iova, length);
	struct iommu_iotlb_gather found;

	iova_bitmap_set(reader->bitmap, iova, block);
	if (!reader->clear || reader->recorded > entry ||
	    iova + block != entry + length)
		return 0;
	return make_clean(reader, iova, block, &found);
}

static int read_block(struct io_dirty_reader *reader, unsigned long iova,
		      unsigned long block)
{
	struct iommu_iotlb_gather found;
	unsigned long length;
	int rc;

	rc = ask(reader->domain, iova, block, IOMMU_DIRTY_NO_CLEAR, &found);
	if (rc)
		return rc;
	length = found_length(&found);
	if (length > block)
		return read_part(reader, iova, block, length);
	reader->recorded = iova + block;
	return length ? read_entries(reader, found.start, found.end) : 0;
}

/**
 * io_dirty_read - record which pages of a range are dirty
 * @reader: Says where and how
 * @iova: First IOVA
 * @length: Bytes; all of them are mapped, and stay
 *
 * An entry that is only in part in what a reader was asked for stays dirty. It
 * makes no difference where ranges meet that follow each other. Does not sleep
 * if recording does not.
 *
 * Return: 0, or the error of the driver.
 */
int io_dirty_read(struct io_dirty_reader *reader, unsigned long iova,
		  unsigned long length)
{
	unsigned long block;
	int rc;

	if (iova != reader->next)
		reader->recorded = iova;
	for (; length; length -= block) {
		block = block_length(iova, length);
		if (iova >= UNREADABLE_IOVA) {
			/* GCOVR_EXCL_START: beyond the mock's aperture */
			iova_bitmap_set(reader->bitmap, iova, block);
			/* GCOVR_EXCL_STOP */
		} else {
			rc = read_block(reader, iova, block);
			if (rc)
				return rc; /* GCOVR_EXCL_LINE: no driver fails here */
		}
		iova += block;
	}
	reader->next = iova;
	return 0;
}

/**
 * io_dirty_end - have devices mark pages as dirty again that were made clean
 * @reader: Is not used any more
 *
 * The IOTLB has them as dirty still, and would not write that to the table
 * another time. All of it is flushed: entries of different sizes need flushes of
 * their own on some hardware, and nothing told which sizes there were.
 */
void io_dirty_end(struct io_dirty_reader *reader)
{
	if (reader->flush)
		iommu_flush_iotlb_all(reader->domain);
}

/**
 * io_dirty_forget - make all pages of a range clean
 * @domain: The domain; it tracks dirty pages
 * @iova: First IOVA
 * @length: Bytes; all of them are mapped, by whole entries, and stay
 *
 * It takes effect when the caller flushes the IOTLB.
 *
 * Return: 0, or the error of the driver.
 */
int io_dirty_forget(struct iommu_domain *domain, unsigned long iova,
		    unsigned long length)
{
	unsigned long block;
	int rc = 0;

	for (; length && iova < UNREADABLE_IOVA && !rc; length -= block) {
		block = block_length(iova, length);
		rc = ask(domain, iova, block, 0, NULL);
		iova += block;
	}
	return rc;
}
