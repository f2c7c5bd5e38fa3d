// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers of emulated devices do with user memory: pin it, read it, write
 * it, all by IOVA.
 *
 * Owns the way from a range of IOVAs to the areas it crosses. While a call works
 * with an area, the area counts it in `pinning`, which keeps it from being
 * unmapped; the pins it leaves behind are counted in `pins`.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/wait_bit.h>

#include "access.h"
#include "ioas.h"
#include "pages_copy.h"

/* The part of an area that a call works with */
struct area_piece {
	struct io_area *area;
	unsigned long start;
	unsigned long last;
};

static bool find_piece(struct io_pagetable *iopt, unsigned long start,
		       unsigned long last, struct area_piece *piece)
{
	mutex_lock(&iopt->iova_lock);
	piece->area = iopt_area_first(iopt, start, start);
	mutex_unlock(&iopt->iova_lock);
	if (WARN_ON(!piece->area))
		return false;
	piece->start = start;
	piece->last = min(last, piece->area->node.last);
	return true;
}

/* Walk the areas of a range that is covered by areas which can't go away */
#define for_each_piece(iopt, piece, start, end)                               \
	for (bool __more = find_piece(iopt, start, end, piece); __more;       \
	     __more = (piece)->last != (end) &&                               \
		      find_piece(iopt, (piece)->last + 1, end, piece))

static unsigned long piece_offset(const struct area_piece *piece)
{
	return piece->area->offset + (piece->start - piece->area->node.start);
}

static unsigned long piece_length(const struct area_piece *piece)
{
	return piece->last - piece->start + 1;
}

static unsigned long piece_first_page(const struct area_piece *piece)
{
	return io_area_page(piece->area, piece->start);
}

static unsigned long piece_last_page(const struct area_piece *piece)
{
	return io_area_page(piece->area, piece->last);
}

/* What a call is going to do with an area: pages must be whole */
enum access_kind {
	ACCESS_BYTES,
	ACCESS_PAGES,
};

static int check_piece(const struct area_piece *piece, bool write,
		       enum access_kind kind)
{
	if (!(piece->area->prot & (write ? IOMMU_WRITE : IOMMU_READ)))
		return -EPERM;
	if (piece->area->closed)
		return -EINVAL;
	/* The CPU has no business there, and there is no struct page */
	if (piece->area->pages->device)
		return -EINVAL;
	if (kind == ACCESS_PAGES &&
	    !PAGE_ALIGNED(piece_offset(piece) | piece_length(piece)))
		return -EINVAL;
	return 0;
}

static int check_pieces(struct io_pagetable *iopt, unsigned long start,
			unsigned long last, bool write, enum access_kind kind)
{
	struct area_piece piece;

	if (!iopt_count_covered(iopt, start, last))
		return -ENOENT;
	for (piece.area = iopt_area_first(iopt, start, last); piece.area;
	     piece.area = iopt_area_next(piece.area, last)) {
		int rc;

		piece.start = max(start, piece.area->node.start);
		piece.last = min(last, piece.area->node.last);
		rc = check_piece(&piece, write, kind);
		if (rc)
			return rc;
	}
	return 0;
}

/* Keep the areas of a range from going away */
static int enter_range(struct io_pagetable *iopt, unsigned long start,
		       unsigned long last, bool write, enum access_kind kind)
{
	struct io_area *area;
	int rc;

	mutex_lock(&iopt->iova_lock);
	rc = check_pieces(iopt, start, last, write, kind);
	if (!rc)
		for (area = iopt_area_first(iopt, start, last); area;
		     area = iopt_area_next(area, last))
			area->pinning++;
	mutex_unlock(&iopt->iova_lock);
	return rc;
}

/* How many of its pages a range has in an area */
static unsigned long pages_in_range(const struct io_area *area,
				    unsigned long start, unsigned long last)
{
	return io_area_page(area, min(last, area->node.last)) -
	       io_area_page(area, max(start, area->node.start)) + 1;
}

static void leave_range(struct io_pagetable *iopt, unsigned long start,
			unsigned long last)
{
	struct io_area *area;

	mutex_lock(&iopt->iova_lock);
	for (area = iopt_area_first(iopt, start, last); area;
	     area = iopt_area_next(area, last))
		area->pinning--;
	iopt_settle(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/*
 * The same, with pins left behind. A detach that sees them with the access finds them
 * in the areas as well, so both count them at once. False: it was detached meanwhile,
 * nobody would let go of them, and nothing has changed.
 */
static bool leave_pinned(struct iommufd_access *access,
			 struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last, unsigned long npages)
{
	struct io_pagetable *iopt = &ioas->iopt;
	struct io_area *area = NULL;
	bool counted;

	mutex_lock(&iopt->iova_lock);
	counted = iommufd_access_count_pins(access, ioas, npages);
	if (counted)
		area = iopt_area_first(iopt, start, last);
	for (; area; area = iopt_area_next(area, last)) {
		area->pinning--;
		area->pins += pages_in_range(area, start, last);
	}
	if (counted)
		iopt_settle(iopt);
	mutex_unlock(&iopt->iova_lock);
	return counted;
}

static void unshare_pieces(struct io_pagetable *iopt, unsigned long start,
			   unsigned long last)
{
	struct area_piece piece;

	for_each_piece(iopt, &piece, start, last)
		io_pages_unshare(piece.area->pages, piece_first_page(&piece),
				 piece_last_page(&piece));
}

static int share_pieces(struct io_pagetable *iopt, unsigned long start,
			unsigned long last, struct page **list)
{
	struct area_piece piece;

	for_each_piece(iopt, &piece, start, last) {
		struct io_pages *pages = piece.area->pages;
		unsigned long first = piece_first_page(&piece);
		unsigned long end = piece_last_page(&piece);
		int rc;

		rc = io_pages_share(pages, first, end);
		if (rc) {
			if (piece.start != start)
				unshare_pieces(iopt, start, piece.start - 1);
			return rc;
		}
		io_pages_list(pages, first, end, list);
		list += end - first + 1;
	}
	return 0;
}

static int pin_range(struct iommufd_access *access, struct iommufd_ioas *ioas,
		     unsigned long start, unsigned long last, bool write,
		     struct page **list)
{
	unsigned long npages = (last - start + 1) >> PAGE_SHIFT;
	struct io_pagetable *iopt = &ioas->iopt;
	int rc;

	rc = enter_range(iopt, start, last, write, ACCESS_PAGES);
	if (rc)
		return rc;
	rc = share_pieces(iopt, start, last, list);
	if (!rc && leave_pinned(access, ioas, start, last, npages))
		return 0;
	if (!rc) {
		unshare_pieces(iopt, start, last);
		rc = -ENOENT;
	}
	leave_range(iopt, start, last);
	return rc;
}

static int check_length(unsigned long iova, unsigned long length,
			unsigned long *last)
{
	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, last))
		return -EOVERFLOW;
	return 0;
}

/**
 * iommufd_access_pin_pages - pin the pages that appear at an IOVA range
 * @access: Made with needs_pin_pages
 * @iova: First IOVA
 * @length: Bytes
 * @out_pages: One pointer for each page of the range
 * @flags: IOMMUFD_ACCESS_RW_WRITE if they will be written to
 *
 * The pages stay pinned until iommufd_access_unpin_pages() with the same range;
 * the driver's unmap function asks for that. Ranges may overlap and be pinned
 * many times. Sleeps, maybe for ever, but ends by SIGKILL.
 *
 * Return: 0, or with nothing pinned: -EINVAL length 0, borders inside a page,
 * the range is being unmapped, needs_pin_pages not set; -EOVERFLOW; -ENOENT
 * attached to no IOAS, or not mapped, or detached meanwhile; -EPERM; as
 * io_pages_hold().
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	struct iommufd_ioas *ioas;
	unsigned long last;
	int rc;

	if (WARN_ON(!access->ops->needs_pin_pages))
		return -EINVAL;
	rc = check_length(iova, length, &last);
	if (rc)
		return rc;

	ioas = iommufd_access_begin(access);
	rc = ioas ? pin_range(access, ioas, iova, last,
			      flags & IOMMUFD_ACCESS_RW_WRITE, out_pages) :
		    -ENOENT;
	iommufd_access_end(access, ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, IOMMUFD);

static void drop_pins(struct io_pagetable *iopt, unsigned long start,
		      unsigned long last)
{
	struct io_area *area;

	mutex_lock(&iopt->iova_lock);
	for (area = iopt_area_first(iopt, start, last); area;
	     area = iopt_area_next(area, last)) {
		unsigned long npages = pages_in_range(area, start, last);

		WARN_ON(area->pins < npages);
		area->pins -= min(area->pins, npages);
	}
	iopt_settle(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iommufd_access_unpin_pages - let go of what was pinned
 * @access: The access
 * @iova: As given to iommufd_access_pin_pages(), or the first of several adjacent
 *        ranges that were
 * @length: Likewise
 *
 * May be called from the driver's unmap function. Cannot fail. Sleeps.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length)
{
	/* Stays while there are pins, also while a detach waits for this call */
	struct iommufd_ioas *ioas = READ_ONCE(access->unpin_ioas);
	unsigned long last;

	if (WARN_ON(!ioas) || WARN_ON(check_length(iova, length, &last)))
		return;
	unshare_pieces(&ioas->iopt, iova, last);
	/* Both are waited for; this one lets a detach put the IOAS, so comes last */
	drop_pins(&ioas->iopt, iova, last);
	if (!atomic_long_sub_return(length >> PAGE_SHIFT, &access->pins))
		wake_up_var(&access->pins);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, IOMMUFD);

static int copy_pieces(struct io_pagetable *iopt, unsigned long start,
		       unsigned long last, void *data, bool write)
{
	struct area_piece piece;
	int rc = 0;

	for_each_piece(iopt, &piece, start, last) {
		rc = io_pages_copy(piece.area->pages, piece_offset(&piece),
				   data, piece_length(&piece), write);
		if (rc)
			break;
		data += piece_length(&piece);
	}
	return rc;
}

static int copy_range(struct io_pagetable *iopt, unsigned long start,
		      unsigned long last, void *data, bool write)
{
	int rc;

	rc = enter_range(iopt, start, last, write, ACCESS_BYTES);
	if (rc)
		return rc;
	rc = copy_pieces(iopt, start, last, data, write);
	leave_range(iopt, start, last);
	return rc;
}

/**
 * iommufd_access_rw - read or write the memory that appears at an IOVA range
 * @access: The access
 * @iova: First IOVA
 * @data: Kernel memory
 * @length: Bytes
 * @flags: IOMMUFD_ACCESS_RW_WRITE to write. IOMMUFD_ACCESS_RW_KTHREAD changes
 *         nothing: any caller may work on the memory of any process
 *
 * Pins nothing beyond the call. Sleeps, maybe for ever, but ends by SIGKILL.
 *
 * Return: 0; -EINVAL length 0 or being unmapped; -EOVERFLOW; -ENOENT attached to
 * no IOAS, or not mapped; -EPERM; -EFAULT. A part may have been copied if not 0.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t length, unsigned int flags)
{
	struct iommufd_ioas *ioas;
	unsigned long last;
	int rc;

	rc = check_length(iova, length, &last);
	if (rc)
		return rc;

	ioas = iommufd_access_begin(access);
	rc = ioas ? copy_range(&ioas->iopt, iova, last, data,
			       flags & IOMMUFD_ACCESS_RW_WRITE) : -ENOENT;
	iommufd_access_end(access, ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, IOMMUFD);
