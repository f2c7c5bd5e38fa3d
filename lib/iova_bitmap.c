// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty bitmap: one bit for each page of an IOVA range, in user memory.
 *
 * Says which bit stands for which IOVAs, and holds the user's pages while bits are being
 * set. Bits are only ever set, so several ranges can share a bitmap, and concurrent writers
 * even a byte.
 *
 * A window on the bitmap follows the walk: as many bitmap pages are pinned as the structure
 * has room for, however long the range is. Setting bits for IOVAs that the walk has reached
 * takes no page fault; for other IOVAs it is possible, and pins their page for the moment.
 *
 * Drivers that are built into the kernel call this, so it is an object of its own that
 * refers to nothing else of iommufd.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/iova_bitmap.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Bits in a page of the bitmap */
#define PAGE_BITS (PAGE_SIZE * BITS_PER_BYTE)

/* With pages of 4 KiB on both sides: 256 KiB of bitmap, for 8 GiB of IOVAs */
#define WINDOW_PAGES 64

/**
 * struct iova_bitmap - a bitmap in user memory
 * @iova: The first IOVA
 * @last: The last IOVA
 * @page_size: How many IOVAs a bit stands for
 * @address: Where user space has the bitmap, aligned to nothing
 * @unrecorded: Something was to be recorded in a page that is not there
 * @window: Address of the first page that is pinned
 * @nr_pages: How many pages are pinned
 * @pages: These pages
 */
struct iova_bitmap {
	unsigned long iova;
	unsigned long last;
	unsigned long page_size;
	unsigned long address;
	bool unrecorded;
	unsigned long window;
	unsigned int nr_pages;
	struct page *pages[WINDOW_PAGES];
};

/**
 * iova_bitmap_alloc - prepare to fill a bitmap of user space
 * @iova: First IOVA; bit 0 of byte 0 is for it
 * @length: Bytes of the range, not 0
 * @page_size: Bytes that one bit stands for, not 0; it does not have to be a
 *             power of two, nor do @iova and @length have to be multiples
 * @data: The bitmap, at any address; not looked at yet
 *
 * Return: the bitmap, or an ERR_PTR: -EINVAL @length or @page_size is 0,
 * -EOVERFLOW the range wraps, -ENOMEM.
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size,
				      u64 __user *data)
{
	struct iova_bitmap *bitmap;
	unsigned long last;

	if (!length || !page_size)
		return ERR_PTR(-EINVAL);
	if (check_add_overflow(iova, length - 1, &last))
		return ERR_PTR(-EOVERFLOW);
	bitmap = kzalloc(sizeof(*bitmap), GFP_KERNEL_ACCOUNT);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	bitmap->iova = iova;
	bitmap->last = last;
	bitmap->page_size = page_size;
	bitmap->address = (unsigned long)data;
	return bitmap;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_alloc, IOMMUFD);

/**
 * iova_bitmap_free - the opposite of iova_bitmap_alloc()
 * @bitmap: The bitmap; what was recorded is in user memory already
 */
void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	kfree(bitmap);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_free, IOMMUFD);

static unsigned long bit_of(const struct iova_bitmap *bitmap,
			    unsigned long iova)
{
	return (iova - bitmap->iova) / bitmap->page_size;
}

/*
 * The address of the byte with a bit, and which bit of its page that is. False
 * if user space cannot have such an address.
 */
static bool find_bit_place(const struct iova_bitmap *bitmap, unsigned long bit,
			   unsigned long *address, unsigned long *in_page)
{
	if (check_add_overflow(bitmap->address, bit / BITS_PER_BYTE, address))
		return false;
	*in_page = offset_in_page(*address) * BITS_PER_BYTE +
		   bit % BITS_PER_BYTE;
	return true;
}

/*
 * The bytes at both ends can have bits of others, who may be about to set them
 * at this very moment.
 */
static void set_bits_in_page(struct page *page, unsigned long first,
			     unsigned long count)
{
	void *base = kmap_local_page(page);
	unsigned long end = first + count;
	unsigned long bit;

	for (bit = first; bit != end && bit % BITS_PER_BYTE; bit++)
		set_bit_le(bit, base);
	memset(base + bit / BITS_PER_BYTE, 0xff, (end - bit) / BITS_PER_BYTE);
	for (bit += round_down(end - bit, BITS_PER_BYTE); bit != end; bit++)
		set_bit_le(bit, base);
	kunmap_local(base);
}

/* GCOVR_EXCL_START: tools/testing/unit has tests */
/* For bits in one page: in the window, or else pinned for the moment */
static bool set_bits_at(struct iova_bitmap *bitmap, unsigned long address,
			unsigned long in_page, unsigned long count)
{
	unsigned long index = (address - bitmap->window) >> PAGE_SHIFT;
	struct page *page;

	if (index < bitmap->nr_pages) {
		set_bits_in_page(bitmap->pages[index], in_page, count);
		return true;
	}
	if (pin_user_pages_fast(address, 1, FOLL_WRITE, &page) != 1)
		return false;
	set_bits_in_page(page, in_page, count);
	unpin_user_pages_dirty_lock(&page, 1, true);
	return true;
}

/* GCOVR_EXCL_STOP */

/**
 * iova_bitmap_set - record that a range is dirty
 * @bitmap: The bitmap
 * @iova: First IOVA
 * @length: Bytes; what is out of the range of the bitmap is ignored
 *
 * Sets the bits of all pages that the range touches. In the function that
 * iova_bitmap_for_each() calls and for the range that it is called with this
 * takes no lock and does not sleep; for other IOVAs it can sleep indefinitely, as it
 * faults in memory of the calling process.
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova,
		     size_t length)
{
	unsigned long last, bit, last_bit, count;

	if (!length)
		return;
	if (check_add_overflow(iova, length - 1, &last))
		last = ULONG_MAX;
	if (last < bitmap->iova || iova > bitmap->last)
		return;

	bit = bit_of(bitmap, max(iova, bitmap->iova));
	last_bit = bit_of(bitmap, min(last, bitmap->last));
	for (; bit <= last_bit; bit += count) {
		unsigned long address, in_page;

		if (!find_bit_place(bitmap, bit, &address, &in_page)) {
			bitmap->unrecorded = true; /* GCOVR_EXCL_LINE: tools/testing/unit */
			break;
		}
		count = min(last_bit - bit + 1, PAGE_BITS - in_page);
		if (!set_bits_at(bitmap, address, in_page, count))
			bitmap->unrecorded = true; /* GCOVR_EXCL_LINE: tools/testing/unit */
	}
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_set, IOMMUFD);

/* Pins the pages with the bits from an IOVA on; @last is how far they reach */
static int open_window(struct iova_bitmap *bitmap, unsigned long iova,
		       unsigned long *last)
{
	unsigned long bit = bit_of(bitmap, iova);
	unsigned long bits = bit_of(bitmap, bitmap->last) - bit + 1;
	unsigned long address, in_page, room;
	int pinned;

	if (!find_bit_place(bitmap, bit, &address, &in_page))
		return -EFAULT;
	room = min(bits, WINDOW_PAGES * PAGE_BITS - in_page);
	pinned = pin_user_pages_fast(address,
				     DIV_ROUND_UP(in_page + room, PAGE_BITS),
				     FOLL_WRITE, bitmap->pages);
	/* Addresses that wrap are no other mistake than addresses of nothing */
	if (!pinned || pinned == -EOVERFLOW)
		return -EFAULT;
	if (pinned < 0)
		return pinned;

	bitmap->window = address & PAGE_MASK;
	bitmap->nr_pages = pinned;
	room = pinned * PAGE_BITS - in_page;
	*last = room < bits ?
		bitmap->iova + (bit + room) * bitmap->page_size - 1 :
		bitmap->last;
	return 0;
}

static void close_window(struct iova_bitmap *bitmap)
{
	unpin_user_pages_dirty_lock(bitmap->pages, bitmap->nr_pages, true);
	bitmap->nr_pages = 0;
}

/**
 * iova_bitmap_for_each - walk the range of a bitmap
 * @bitmap: The bitmap; of the calling process
 * @opaque: For @fn
 * @fn: Called with one piece of the range after the other, to record what is
 *      dirty in it. Another result than 0 ends the walk
 *
 * Faults the bitmap in, which can sleep indefinitely but ends by SIGKILL; no piece
 * whose bits could not be set is given to @fn. Sleeps.
 *
 * Return: 0, what @fn returned, or -EFAULT, -ENOMEM or -EINTR: a part of the
 * bitmap is not there.
 */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque,
			 iova_bitmap_fn_t fn)
{
	unsigned long iova = bitmap->iova;
	unsigned long last;
	int rc;

	for (;;) {
		rc = open_window(bitmap, iova, &last);
		if (rc)
			return rc;
		rc = fn(bitmap, iova, last - iova + 1, opaque);
		close_window(bitmap);
		if (rc)
			return rc;
		if (last == bitmap->last)
			break;
		iova = last + 1;
	}
	return bitmap->unrecorded ? -EFAULT : 0;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_for_each, IOMMUFD);
