// SPDX-License-Identifier: GPL-2.0-only
/*
 * The access: a kernel driver's CPU access to user memory, by IOVA. The driver pins,
 * reads and writes.
 *
 * An emulated device has an access and, through it, an IOAS. This file holds the calls
 * between its driver and iommufd, and walks the areas that a range of IOVAs crosses. A
 * call that works with an area counts itself in the area's `busy`, which keeps the area
 * from being unmapped; the pins it leaves behind are counted in `pins`.
 *
 * A call can hang in a page fault. Until it returns, the IOAS cannot be destroyed, nor
 * the access by its own driver; but the access can be detached. A call that returns to
 * find its IOAS detached has pinned nothing.
 */
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "access.h"
#include "ioas.h"
#include "pages.h"

/* How long to ask a driver to unpin before that is its bug, and how often */
#define DETACH_JIFFIES HZ
#define ASK_AGAIN_JIFFIES msecs_to_jiffies(10)

static void unmap_for_driver(struct iopt_access *entry, unsigned long iova,
			     unsigned long length)
{
	struct iommufd_access *access =
		container_of(entry, struct iommufd_access, entry);

	if (access->ops->unmap)
		access->ops->unmap(access->data, iova, length);
}

static void access_destroy(struct iommufd_object *object)
{
	struct iommufd_access *access =
		container_of(object, struct iommufd_access, object);

	iommufd_access_detach(access);
	iommufd_ctx_put(object->ctx);
}

static const struct iommufd_object_ops access_ops = {
	.type = IOMMUFD_OBJECT_ACCESS,
	.destroy = access_destroy,
};

/**
 * iommufd_access_create - make an access for an emulated device
 * @ctx: The context
 * @ops: The driver's functions
 * @data: Handed to them
 * @id: Set to the id of the new object
 *
 * Return: the access, for iommufd_access_destroy(), or an ERR_PTR: -ENOMEM,
 * -EBUSY without a free id.
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ctx,
		      const struct iommufd_access_ops *ops, void *data,
		      u32 *id)
{
	struct iommufd_access *access;

	access = iommufd_object_new(ctx, access, object, &access_ops);
	if (IS_ERR(access))
		return access;
	spin_lock_init(&access->lock);
	access->entry.unmap = unmap_for_driver;
	access->ops = ops;
	access->data = data;
	iommufd_ctx_get(ctx);
	/* The driver's, so that IOMMU_DESTROY finds it in use */
	refcount_inc(&access->object.users);
	*id = access->object.id;
	iommufd_object_publish(&access->object);
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

/**
 * iommufd_access_destroy - the end of an access
 * @access: All its pins are gone, or go when its unmap function is called
 *
 * On return no function of the driver runs or will be called. Waits for the
 * driver's own calls that work with the access.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	iommufd_object_remove(&access->object);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

static int access_join(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	int rc = 0;

	if (access->ops->needs_pin_pages)
		rc = iopt_add_page_user(&ioas->iopt);
	if (rc)
		return rc;
	iopt_add_access(&ioas->iopt, &access->entry);
	WRITE_ONCE(access->unpin_ioas, ioas);
	return 0;
}

static void leave(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	iopt_remove_access(&ioas->iopt, &access->entry);
	/* Whoever kept pins may still unpin them: the IOAS has to stay */
	if (WARN_ON(atomic_long_read(&access->pins)))
		return;
	WRITE_ONCE(access->unpin_ioas, NULL);
	if (access->ops->needs_pin_pages)
		iopt_remove_page_user(&ioas->iopt);
	iommufd_object_put(&ioas->object);
}

/*
 * Have the driver unpin everything. It may do so in another thread that has
 * begun already, in which case its unmap function need not wait for it, so we do.
 */
static void drop_all_pins(struct iommufd_access *access,
			  struct iommufd_ioas *ioas)
{
	unsigned long end = jiffies + DETACH_JIFFIES;

	while (atomic_long_read(&access->pins) && time_before(jiffies, end)) {
		iopt_ask_accesses(&ioas->iopt, &access->entry, 0, ULONG_MAX);
		wait_var_event_timeout(&access->pins,
				       !atomic_long_read(&access->pins),
				       ASK_AGAIN_JIFFIES);
	}
}

/* New calls find another IOAS, or none; returns the old one */
static struct iommufd_ioas *exchange_ioas(struct iommufd_access *access,
					  struct iommufd_ioas *ioas)
{
	spin_lock(&access->lock);
	swap(access->ioas, ioas);
	spin_unlock(&access->lock);
	return ioas;
}

/**
 * iommufd_access_begin - work with the IOAS of an access
 * @access: The access, which stays until iommufd_access_end()
 *
 * Return: the IOAS with a reference to its object, or NULL; the access may be
 * detached from it at any time.
 */
struct iommufd_ioas *iommufd_access_begin(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas;

	/* The access's own reference can go before iommufd_access_end() is over */
	iommufd_ctx_get(access->object.ctx);
	refcount_inc(&access->object.users);
	spin_lock(&access->lock);
	ioas = access->ioas;
	if (ioas)
		refcount_inc(&ioas->object.users);
	spin_unlock(&access->lock);
	return ioas;
}

/**
 * iommufd_access_end - the opposite of iommufd_access_begin()
 * @access: The access
 * @ioas: What that returned
 */
void iommufd_access_end(struct iommufd_access *access,
			struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ctx = access->object.ctx;

	if (ioas)
		iommufd_object_put(&ioas->object);
	iommufd_object_put(&access->object);
	iommufd_ctx_put(ctx);
}

/**
 * iommufd_access_count_pins - pages were pinned, and are the access's from now on
 * @access: The access
 * @ioas: Of iommufd_access_begin()
 * @npages: How many
 *
 * Return: false if the access uses @ioas no more: nobody would unpin them.
 */
bool iommufd_access_count_pins(struct iommufd_access *access,
			       const struct iommufd_ioas *ioas,
			       unsigned long npages)
{
	bool same;

	spin_lock(&access->lock);
	same = access->ioas == ioas;
	if (same)
		atomic_long_add(npages, &access->pins);
	spin_unlock(&access->lock);
	return same;
}

/**
 * iommufd_access_attach - use an IOAS
 * @access: Attached to nothing
 * @ioas_id: The IOAS
 *
 * Return: 0, -EINVAL attached already, -ENOENT no such IOAS, -EADDRINUSE pages
 * are to be pinned, but mappings are not aligned to PAGE_SIZE.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (READ_ONCE(access->unpin_ioas))
		return -EINVAL;
	ioas = iommufd_ioas_get(access->object.ctx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = access_join(access, ioas);
	if (rc)
		iommufd_object_put(&ioas->object);
	else
		exchange_ioas(access, ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_detach - use no IOAS any more
 * @access: Attached or not
 *
 * The driver's unmap function is called indefinitelyything that is pinned. Calls that
 * work with the access at this moment, and may hang, are not waited for: they fail,
 * or do to the old IOAS what they were called for.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas = exchange_ioas(access, NULL);

	if (!ioas)
		return;
	drop_all_pins(access, ioas);
	leave(access, ioas);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_replace - use another IOAS
 * @access: Attached
 * @ioas_id: The new one
 *
 * The driver's unmap function is called indefinitelyything that is pinned in the old
 * one. Calls in between find no IOAS.
 *
 * Return: 0; with nothing changed -ENOENT not attached or no such IOAS, or
 * -EADDRINUSE as iommufd_access_attach().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (!READ_ONCE(access->unpin_ioas))
		return -ENOENT;
	ioas = iommufd_ioas_get(access->object.ctx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (ioas == access->unpin_ioas) {
		iommufd_object_put(&ioas->object);
		return 0;
	}

	/* Holds the new alignment while the old IOAS is left */
	if (access->ops->needs_pin_pages)
		rc = iopt_add_page_user(&ioas->iopt);
	if (rc) {
		iommufd_object_put(&ioas->object);
		return rc;
	}
	iommufd_access_detach(access);
	rc = access_join(access, ioas);
	WARN_ON(rc);
	if (access->ops->needs_pin_pages)
		iopt_remove_page_user(&ioas->iopt);
	exchange_ioas(access, ioas);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);

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

static int check_access_piece(const struct area_piece *piece, bool write,
			      enum access_kind kind)
{
	if (!(piece->area->prot & (write ? IOMMU_WRITE : IOMMU_READ)))
		return -EPERM;
	if (piece->area->closed)
		return -EINVAL;
	/* Device memory has no struct page and is not for the CPU to touch */
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
		rc = check_access_piece(&piece, write, kind);
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
			area->busy++;
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
		area->busy--;
	iopt_wake(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/*
 * The same, with pins left behind. A detach that sees them with the access finds them
 * in the areas as well, so both count them at once. False: it was detached meanwhile,
 * nobody would unpin them, and nothing has changed.
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
		area->busy--;
		area->pins += pages_in_range(area, start, last);
	}
	if (counted)
		iopt_wake(iopt);
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
		return -EOVERFLOW; /* GCOVR_EXCL_LINE: the mock checks it first */
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
 * many times. Sleeps, maybe indefinitely, but ends by SIGKILL.
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
	iopt_wake(iopt);
	mutex_unlock(&iopt->iova_lock);
}

/**
 * iommufd_access_unpin_pages - unpin what was pinned
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
 * Pins nothing beyond the call. Sleeps, maybe indefinitely, but ends by SIGKILL.
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
