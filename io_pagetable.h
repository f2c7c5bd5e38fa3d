/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IOVA space of an IOAS: areas, ranges that may not or shall be usable, and
 * the domains that hold a copy of all areas.
 */
#ifndef __IOMMUFD_IO_PAGETABLE_H
#define __IOMMUFD_IO_PAGETABLE_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>

#include "iopt/io_area.h"
#include "iopt/io_dirty.h"
#include "lib/iova_tree.h"

struct iommu_domain;
struct iommu_iova_range;
struct iova_bitmap;

/*
 * What is known of the writes of all devices together, in whatever domain.
 *
 * IOPT_TRACK_NOTHING: nobody wants to know.
 * IOPT_TRACK_DOMAINS: which pages they wrote to; the domains track it.
 * IOPT_TRACK_ALL: that they can have written to everything that they may write
 *                 to: a domain does not track, or came or went meanwhile, or an
 *                 access writes as well.
 */
enum iopt_tracking {
	IOPT_TRACK_NOTHING,
	IOPT_TRACK_DOMAINS,
	IOPT_TRACK_ALL,
};

/**
 * struct io_pagetable - an IOVA space
 * @domains_lock: Shared: areas of memory are written into and removed from the
 *                domains. Exclusive: the set of domains changes, or one is being
 *                filled. Not held while user memory is waited for, nor waited for
 *                where a device is revoked
 * @domains: struct iopt_domain.link. Changed under @iova_lock, too
 * @joined: How many domains have joined so far. Changed like @domains
 * @iova_lock: Protects all that follows, up to
 *             @claim_waiters
 * @areas: struct io_area.node
 * @reserved: struct iopt_reserved.node
 * @allowed: Of iopt_allowed_add()
 * @alignment: All areas begin and end, in IOVA and memory, at multiples of it
 * @tracking: See above
 * @large: Entries larger than PAGE_SIZE may be used. Changed under
 *         @domains_lock, too
 * @page_users: Accesses that pin pages
 * @pinners: How many need live areas pinned: the domains, and calls that will add one
 *           (iopt_pins.c)
 * @pinned: Those of @pinners that have seen all live areas pinned
 * @events: Counts what somebody may wait for in iopt_wait()
 * @claim_waiters: Who waits for areas in state SETUP and DYING
 * @access_lock: Shared: accesses are called. Exclusive: they come and go.
 * @accesses: struct iopt_access.link
 */
struct io_pagetable {
	struct rw_semaphore domains_lock;
	struct list_head domains;
	unsigned long joined;

	struct mutex iova_lock; /* areas and ranges */
	struct iova_tree areas;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	unsigned long alignment;
	enum iopt_tracking tracking;
	bool large;
	unsigned int page_users;
	unsigned int pinners;
	unsigned int pinned;
	unsigned int events;
	unsigned int claim_waiters;

	struct rw_semaphore access_lock;
	struct list_head accesses;
};

/**
 * struct iopt_domain - a domain as seen by the IOVA space
 * @domain: The IOMMU domain
 * @link: In io_pagetable.domains
 * @filled: Areas that begin below this IOVA are in it. Changed under domains_lock,
 *          exclusive, and iova_lock
 * @joined: io_pagetable.joined when it joined; areas that became live since are in it
 *          as well
 * @reader: Of iopt_read_tracked(), whose callers exclude each other
 */
struct iopt_domain {
	struct iommu_domain *domain;
	struct list_head link;
	unsigned long filled;
	unsigned long joined;
	struct io_dirty_reader reader;
};

/**
 * struct iopt_access - a driver that pins memory of an IOVA space for the CPU
 * @link: In io_pagetable.accesses
 * @unmap: Unpin what intersects a range; called with access_lock
 *         alone, shared
 */
struct iopt_access {
	struct list_head link;
	void (*unmap)(struct iopt_access *access, unsigned long iova,
		      unsigned long length);
};

/**
 * struct iopt_request - a map or a copy, filled by the command and carried to the end
 * @iova: First IOVA. Set when it is chosen
 * @fixed: @iova is wanted, not to be chosen
 * @length: Bytes, not 0
 * @prot: IOMMU_READ and so on
 * @mode: Of a map: to what pins are charged
 * @address: Of the first byte of memory. Of a map it is in the calling process, and
 *           plus @length does not wrap; of a copy iopt_collect_copies() sets it
 * @areas: io_area.link: what the request makes, empty at first
 * @pinned: The memory is pinned before it is known whether a pinner needs it; set in
 *          iopt_map.c
 */
struct iopt_request {
	unsigned long iova;
	bool fixed;
	unsigned long length;
	int prot;
	enum account_mode mode;
	unsigned long address;
	struct list_head areas;
	bool pinned;
};

/* io_pagetable.c: what may be where */
void iopt_init(struct io_pagetable *iopt);
void iopt_destroy(struct io_pagetable *iopt);
int iopt_reserve(struct io_pagetable *iopt, unsigned long start,
		 unsigned long last, const void *owner);
void iopt_unreserve(struct io_pagetable *iopt, const void *owner);
bool iopt_is_reserved(struct io_pagetable *iopt, unsigned long start,
		      unsigned long last);
int iopt_allowed_add(struct rb_root_cached *allowed, unsigned long start,
		     unsigned long last);
void iopt_allowed_free(struct rb_root_cached *allowed);
int iopt_allow(struct io_pagetable *iopt, struct rb_root_cached *allowed);
unsigned int iopt_ranges(struct io_pagetable *iopt,
			 struct iommu_iova_range *ranges, unsigned int capacity,
			 unsigned long *alignment);
int iopt_realign(struct io_pagetable *iopt);
bool iopt_is_aligned(struct io_pagetable *iopt, unsigned long iova,
		     unsigned long length);
int iopt_set_large(struct io_pagetable *iopt, bool large);
int iopt_add_page_user(struct io_pagetable *iopt);
void iopt_remove_page_user(struct io_pagetable *iopt);
struct io_area *iopt_area_first(struct io_pagetable *iopt, unsigned long start,
				unsigned long last);
unsigned long iopt_count_covered(struct io_pagetable *iopt, unsigned long start,
				 unsigned long last);
bool iopt_is_cut(struct io_pagetable *iopt, unsigned long start,
		 unsigned long last);
void iopt_wake(struct io_pagetable *iopt);
void iopt_wake_claimed(struct io_pagetable *iopt);
int iopt_wait(struct io_pagetable *iopt, unsigned int events);

/* iopt_pins.c: whether areas are pinned */
int iopt_add_pinner(struct io_pagetable *iopt);
void iopt_remove_pinner(struct io_pagetable *iopt);

/* iopt_domain.c: which domains there are */
int iopt_add_domain(struct io_pagetable *iopt, struct iopt_domain *entry);
void iopt_remove_domain(struct io_pagetable *iopt, struct iopt_domain *entry);
unsigned long iopt_page_sizes(struct io_pagetable *iopt);

/* iopt_write.c: one area in all of them */
int iopt_write_area(struct io_pagetable *iopt, struct io_area *area);
void iopt_erase_area(struct io_pagetable *iopt, struct io_area *area);
void iopt_revoke_area(struct io_pagetable *iopt, struct io_area *area);
int iopt_restore_area(struct io_pagetable *iopt, struct io_area *area);

/* iopt_dirty.c: what devices have written to */
int iopt_read_dirty(struct io_pagetable *iopt, struct iommu_domain *domain,
		    struct iova_bitmap *bitmap, bool clear);
int iopt_forget_dirty(struct io_pagetable *iopt, struct iommu_domain *domain);
int iopt_start_tracking(struct io_pagetable *iopt);
void iopt_stop_tracking(struct io_pagetable *iopt);
int iopt_read_tracked(struct io_pagetable *iopt, struct iova_bitmap *bitmap,
		      bool clear);
bool iopt_is_tracking(struct io_pagetable *iopt);
void iopt_lose_track(struct io_pagetable *iopt);

/* iopt_access.c: asks for unpinning before memory is unmapped */
void iopt_ask_accesses(struct io_pagetable *iopt, struct iopt_access *only,
		       unsigned long start, unsigned long last);
void iopt_add_access(struct io_pagetable *iopt, struct iopt_access *access);
void iopt_remove_access(struct io_pagetable *iopt, struct iopt_access *access);

/* iopt_map.c: mapping and copying */
int iopt_map_user(struct io_pagetable *iopt, struct iopt_request *request);
int iopt_collect_copies(struct io_pagetable *source, unsigned long start,
			struct iopt_request *request);
int iopt_map_copies(struct io_pagetable *iopt, struct iopt_request *request);
void iopt_free_areas(struct list_head *areas);

/* iopt_unmap.c: unmapping */
int iopt_unmap(struct io_pagetable *iopt, unsigned long start,
	       unsigned long last, unsigned long *unmapped);
int iopt_unmap_type1(struct io_pagetable *iopt, unsigned long start,
		     unsigned long last, bool version1,
		     unsigned long *unmapped);
int iopt_unmap_all(struct io_pagetable *iopt, unsigned long *unmapped);
void iopt_unmap_idle(struct io_pagetable *iopt);

/**
 * iopt_domain_has - is an area one that a domain has a copy of?
 * @entry: The domain
 * @area: An area of its IOVA space, whatever its state
 *
 * The answer holds as long as the caller has domains_lock or iova_lock.
 *
 * Return: no if the domain is still being filled and has not come so far.
 */
static inline bool iopt_domain_has(const struct iopt_domain *entry,
				   const struct io_area *area)
{
	return area->joined >= entry->joined ||
	       area->node.start < entry->filled;
}

/**
 * iopt_area_in_domains - is an area to be found in the domains?
 * @area: An area; iova_lock is held
 *
 * Return: yes or no. For memory the answer holds as long as the caller has
 * domains_lock.
 */
static inline bool iopt_area_in_domains(const struct io_area *area)
{
	if (area->device ? area->presence != IO_AREA_PRESENT :
			   area->state != IO_AREA_LIVE)
		return false;
	/* Device memory may be about to be held, but is in no domain then */
	return READ_ONCE(area->held);
}

/**
 * iopt_area_next - the next area that intersects a range
 * @area: From iopt_area_first() or here; iova_lock was held since
 * @last: Last IOVA of the range
 *
 * Gives others a chance to run, so that walks may be long. Sleeps.
 *
 * Return: the area, in any state, or NULL.
 */
static inline struct io_area *iopt_area_next(struct io_area *area,
					     unsigned long last)
{
	struct iova_node *node = iova_tree_next(&area->node, last);

	if (!node)
		return NULL;
	cond_resched();
	return container_of(node, struct io_area, node);
}

#endif
