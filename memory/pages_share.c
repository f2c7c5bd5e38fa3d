// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins that are counted by range, for users that keep no hold of their own.
 *
 * Drivers of emulated devices say what they want pinned, and later what they no longer
 * need, by its range alone, and may name the same range many times. Keeps a tree that
 * finds the hold of exactly that range.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "pages.h"

/**
 * struct shared_hold - a hold and how often it was asked for
 * @hold: The hold
 * @node: In io_pages.shared, by first and last page
 * @users: How many calls of io_pages_share() are to be undone
 */
struct shared_hold {
	struct io_hold hold;
	struct rb_node node;
	unsigned long users;
};

static struct shared_hold *to_shared(struct rb_node *node)
{
	return rb_entry_safe(node, struct shared_hold, node);
}

static int compare(const struct shared_hold *shared, unsigned long first,
		   unsigned long last)
{
	if (shared->hold.node.start != first)
		return shared->hold.node.start < first ? -1 : 1;
	if (shared->hold.node.last != last)
		return shared->hold.node.last < last ? -1 : 1;
	return 0;
}

/* The lowest one that does not come before a range */
static struct shared_hold *lower_bound(struct io_pages *pages,
				       unsigned long first, unsigned long last)
{
	struct rb_node *node = pages->shared.rb_node;
	struct shared_hold *found = NULL;

	lockdep_assert_held(&pages->lock);

	while (node) {
		struct shared_hold *shared = to_shared(node);

		if (compare(shared, first, last) < 0) {
			node = node->rb_right;
		} else {
			found = shared;
			node = node->rb_left;
		}
	}
	return found;
}

static struct shared_hold *find_shared(struct io_pages *pages,
				       unsigned long first, unsigned long last)
{
	struct shared_hold *shared = lower_bound(pages, first, last);

	return shared && !compare(shared, first, last) ? shared : NULL;
}

static void insert_shared(struct io_pages *pages, struct shared_hold *new)
{
	struct rb_node **link = &pages->shared.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = compare(to_shared(parent), new->hold.node.start,
			       new->hold.node.last) < 0 ?
		       &parent->rb_right : &parent->rb_left;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &pages->shared);
}

/* Whether there was one already; else @new is there now, if that is not NULL */
static bool share_or_insert(struct io_pages *pages, unsigned long first,
			    unsigned long last, struct shared_hold *new)
{
	struct shared_hold *shared;

	mutex_lock(&pages->lock);
	shared = find_shared(pages, first, last);
	if (shared)
		shared->users++;
	else if (new)
		insert_shared(pages, new);
	mutex_unlock(&pages->lock);
	return shared;
}

/**
 * io_pages_share - have a range of pages pinned, counted by range
 * @pages: The range of memory
 * @first: First page index
 * @last: Last page index
 *
 * The same range can be shared many times. Sleeps as io_pages_hold() does.
 *
 * Return: as io_pages_hold().
 */
int io_pages_share(struct io_pages *pages, unsigned long first,
		   unsigned long last)
{
	struct shared_hold *new;
	int rc;

	if (share_or_insert(pages, first, last, NULL))
		return 0;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->users = 1;
	rc = io_pages_hold(pages, &new->hold, first, last);
	if (rc)
		goto out_free;
	/* Another call may have been faster, its hold will do for both */
	if (!share_or_insert(pages, first, last, new))
		return 0;
	io_pages_release(pages, &new->hold);

out_free:
	kfree(new);
	return rc;
}

/* Returns the hold if that was its last user */
static struct io_hold *drop_user(struct io_pages *pages,
				 struct shared_hold *shared)
{
	if (--shared->users)
		return NULL;
	rb_erase(&shared->node, &pages->shared);
	return &shared->hold;
}

/*
 * Let go of those that make up a range, one beginning where the other ends. Others that
 * lie inside of it may be somebody else's.
 */
static void drop_users_inside(struct io_pages *pages, unsigned long first,
			      unsigned long last, struct list_head *dropped)
{
	unsigned long page = first;

	while (page <= last) {
		struct shared_hold *shared = lower_bound(pages, page, page);
		struct io_hold *hold;

		if (!shared || shared->hold.node.last > last ||
		    shared->hold.node.start != page)
			break;
		page = shared->hold.node.last + 1;
		hold = drop_user(pages, shared);
		if (hold)
			list_add_tail(&hold->link, dropped);
		cond_resched();
	}
	WARN_ON(page <= last);
}

/**
 * io_pages_unshare - remove the hold of a range that was shared
 * @pages: The range of memory
 * @first: As given to io_pages_share(), or of the first of several calls for
 *         adjacent ranges: some drivers pin pages one by one and unpin all at
 *         once
 * @last: Likewise
 *
 * Allocates nothing and cannot fail. Sleeps.
 */
void io_pages_unshare(struct io_pages *pages, unsigned long first,
		      unsigned long last)
{
	struct shared_hold *shared;
	struct io_hold *hold, *next;
	LIST_HEAD(dropped);

	mutex_lock(&pages->lock);
	shared = find_shared(pages, first, last);
	if (shared) {
		hold = drop_user(pages, shared);
		if (hold)
			list_add(&hold->link, &dropped);
	} else {
		drop_users_inside(pages, first, last, &dropped);
	}
	mutex_unlock(&pages->lock);

	list_for_each_entry_safe(hold, next, &dropped, link) {
		io_pages_release(pages, hold);
		kfree(container_of(hold, struct shared_hold, hold));
	}
}

/**
 * io_pages_list - the struct pages of a range that is held
 * @pages: The range of memory
 * @first: First page index
 * @last: Last page index
 * @list: Filled with one pointer a page
 */
void io_pages_list(struct io_pages *pages, unsigned long first,
		   unsigned long last, struct page **list)
{
	struct pfn_runs_iter iter;
	unsigned long i;

	mutex_lock(&pages->lock);
	pfn_runs_for_each(&pages->runs, &iter, first, last)
		for (i = 0; i != iter.run.count; i++)
			*list++ = pfn_to_page(iter.run.pfn + i);
	mutex_unlock(&pages->lock);
}
