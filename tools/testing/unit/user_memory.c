// SPDX-License-Identifier: GPL-2.0-only
/*
 * Simulated user memory: pages at consecutive addresses, some of them missing.
 *
 * Each page is an allocation of its own, so that the sanitizer sees who writes
 * over its end.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/highmem.h>

#include "unit.h"
#include "user_memory.h"

struct user_memory user_memory;

/**
 * user_memory_create() - have zeroed memory
 * @start: address of the first page, aligned
 * @nr_pages: number of pages
 */
void user_memory_create(unsigned long start, unsigned long nr_pages)
{
	user_memory = (struct user_memory){ .start = start, .nr_pages = nr_pages };
	user_memory.pages = calloc(nr_pages, sizeof(*user_memory.pages));
	CHECK(user_memory.pages);
	for (unsigned long i = 0; i < nr_pages; i++) {
		user_memory.pages[i].data = calloc(1, PAGE_SIZE);
		CHECK(user_memory.pages[i].data);
	}
}

static struct page *find_page(unsigned long address)
{
	unsigned long index = (address - user_memory.start) >> PAGE_SHIFT;

	return index < user_memory.nr_pages ? &user_memory.pages[index] : NULL;
}

/**
 * user_memory_remove() - make a page missing
 * @address: in the page, which is not pinned
 */
void user_memory_remove(unsigned long address)
{
	struct page *page = find_page(address);

	CHECK(page && !page->pins);
	free(page->data);
	page->data = NULL;
}

/**
 * user_memory_byte() - look at memory as user space does
 * @address: any address
 *
 * Return: the byte there, or NULL if there is no memory.
 */
u8 *user_memory_byte(unsigned long address)
{
	struct page *page = find_page(address);

	return page && page->data ? page->data + offset_in_page(address) : NULL;
}

/**
 * user_memory_destroy() - have no memory any more, and check that nobody uses it
 */
void user_memory_destroy(void)
{
	CHECK(!user_memory.pinned);
	CHECK(!user_memory.mapped);
	for (unsigned long i = 0; i < user_memory.nr_pages; i++)
		free(user_memory.pages[i].data);
	free(user_memory.pages);
	user_memory = (struct user_memory){};
}

/**
 * pin_user_pages_fast() - pin as many pages as there are before one is missing
 * @start: address in the first page
 * @nr_pages: number of pages wanted
 * @flags: FOLL_WRITE
 * @pages: set to the pages
 *
 * Return: how many were pinned, -EFAULT: none, -EOVERFLOW: the addresses wrap.
 */
int pin_user_pages_fast(unsigned long start, int nr_pages, unsigned int flags,
			struct page **pages)
{
	int pinned;

	CHECK(nr_pages > 0 && flags == FOLL_WRITE);
	user_memory.pin_calls++;
	if (start + nr_pages * PAGE_SIZE < start)
		return -EOVERFLOW;
	for (pinned = 0; pinned < nr_pages; pinned++) {
		struct page *page = find_page(start + pinned * PAGE_SIZE);

		if (!page || !page->data)
			break;
		page->pins++;
		pages[pinned] = page;
	}
	user_memory.pinned += pinned;
	if (user_memory.max_pinned < user_memory.pinned)
		user_memory.max_pinned = user_memory.pinned;
	return pinned ?: -EFAULT;
}

/**
 * unpin_user_pages_dirty_lock() - the opposite of pin_user_pages_fast()
 * @pages: the pages
 * @nr_pages: number of pages
 * @dirty: they were written
 */
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr_pages, bool dirty)
{
	for (unsigned long i = 0; i < nr_pages; i++) {
		CHECK(pages[i]->pins);
		pages[i]->pins--;
		pages[i]->dirty = dirty;
	}
	user_memory.pinned -= nr_pages;
}

/**
 * kmap_local_page() - make a page accessible
 * @page: the page, pinned
 *
 * Return: its first byte.
 */
void *kmap_local_page(struct page *page)
{
	CHECK(page->pins);
	user_memory.mapped++;
	return page->data;
}

/**
 * kunmap_local() - the opposite of kmap_local_page()
 * @address: what that returned
 */
void kunmap_local(const void *address)
{
	CHECK(address && user_memory.mapped);
	user_memory.mapped--;
}
