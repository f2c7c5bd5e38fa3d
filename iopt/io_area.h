/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One mapping: a piece of the IOVA space and the memory that appears there.
 */
#ifndef __IOMMUFD_IO_AREA_H
#define __IOMMUFD_IO_AREA_H

#include <linux/list.h>

#include "lib/iova_tree.h"
#include "pages.h"

struct device_mapping;
struct io_pagetable;
struct iommu_domain;

/*
 * What the area is going through; changed under io_pagetable.iova_lock.
 *
 * IO_AREA_NEW: it has no IOVA yet. Owned by the call that makes it.
 * IO_AREA_SETUP: its IOVA is taken, but it is not there yet. Owned by the call
 *                that makes it.
 * IO_AREA_LIVE: can be found by all.
 * IO_AREA_CHANGING: live, and its pages are being pinned or unpinned
 *                   (iopt_pins.c). Whoever wants to remove it waits.
 * IO_AREA_DYING: being removed. Owned by the call that does it.
 *
 * What else an area can be in each state; io_area_set_state() checks what of it is
 * under iova_lock:
 *
 *             held                     presence            closed   pins, busy
 *   NEW       no                       absent              no       0
 *   SETUP     if a pinner needs it     absent, present *   no       0
 *   LIVE      while there is a pinner  any                 any      any
 *   CHANGING  about to become so       any                 any      any
 *   DYING     until it is unpinned     any, at last absent any      0
 *
 *   * or revoked, if it was revoked in the meantime
 */
enum io_area_state {
	IO_AREA_NEW,
	IO_AREA_SETUP,
	IO_AREA_LIVE,
	IO_AREA_CHANGING,
	IO_AREA_DYING,
};

/*
 * Where device memory is; changed under io_pagetable.iova_lock (iopt_write.c).
 *
 * IO_AREA_ABSENT: in no domain: not yet, or no more.
 * IO_AREA_PRESENT: in all domains that have it, if it is held.
 * IO_AREA_REVOKED: in no domain, since the device does not answer.
 */
enum io_area_presence {
	IO_AREA_ABSENT,
	IO_AREA_PRESENT,
	IO_AREA_REVOKED,
};

/**
 * struct io_area - one mapping
 * @node: Its IOVA range, in io_pagetable.areas
 * @link: In the list of the call that sets it up or removes it
 * @pages: The memory
 * @offset: Byte of @pages that appears at the first IOVA
 * @hold: What it has pinned, if @held
 * @prot: IOMMU_READ and so on
 * @state: See above
 * @held: Its pages are pinned, and in state LIVE it is mapped in all domains that
 *        have it, see iopt_domain_has().
 *        Belongs to the owner of the area, or else is under
 *        io_pagetable.iova_lock
 * @presence: Of device memory, see above
 * @joined: io_pagetable.joined when it was written into the domains there were
 * @closed: Accesses may not pin it any more
 * @pins: Pages of it that accesses have pinned, each as often as it is pinned
 * @busy: Calls of accesses that are working with it
 * @device: By which its memory finds it, if that is of a device
 */
struct io_area {
	struct iova_node node;
	struct list_head link;
	struct io_pages *pages;
	unsigned long offset;
	struct io_hold hold;
	int prot;
	enum io_area_state state;
	bool held;
	enum io_area_presence presence;
	unsigned long joined;
	bool closed;
	unsigned long pins;
	unsigned int busy;
	struct device_mapping *device;
};

int io_areas_init(void);
void io_areas_exit(void);

struct io_area *io_area_alloc_user(enum account_mode mode,
				   unsigned long address, unsigned long length,
				   int prot);
struct io_area *io_area_alloc_device(struct iommufd_device_memory *memory,
				     unsigned long first,
				     unsigned long address,
				     unsigned long length, int prot);
struct io_area *io_area_alloc_blank(void);
void io_area_init_copy(struct io_area *area, const struct io_area *source,
		       unsigned long first, unsigned long last, int prot);
int io_area_finish_copy(struct io_area *area);
void io_area_join_device(struct io_area *area, struct io_pagetable *iopt);
void io_area_free(struct io_area *area);

void io_area_set_state(struct io_area *area, enum io_area_state state);
int io_area_hold(struct io_area *area);
void io_area_release(struct io_area *area);
int io_area_map(struct io_area *area, struct iommu_domain *domain, bool large);
void io_area_unmap(struct io_area *area, struct iommu_domain *domain);

/**
 * io_area_join - the area is going to be in an IOVA space
 * @area: In none yet
 * @iopt: The IOVA space, which stays until io_area_free()
 *
 * From now on revoking its memory finds it. The caller holds no lock of the IOVA
 * space. Sleeps.
 */
static inline void io_area_join(struct io_area *area, struct io_pagetable *iopt)
{
	if (area->device)
		io_area_join_device(area, iopt);
}

/**
 * io_area_is_live - can an area be used?
 * @area: The area; io_pagetable.iova_lock is held
 *
 * Return: yes; or no, it is being set up or removed.
 */
static inline bool io_area_is_live(const struct io_area *area)
{
	return area->state == IO_AREA_LIVE || area->state == IO_AREA_CHANGING;
}

/**
 * io_area_length - size of an area
 * @area: The area
 *
 * Return: bytes, not 0.
 */
static inline unsigned long io_area_length(const struct io_area *area)
{
	return area->node.last - area->node.start + 1;
}

/**
 * io_area_page - which page of the memory appears at an IOVA
 * @area: The area
 * @iova: An IOVA inside it
 *
 * Return: index into area->pages.
 */
static inline unsigned long io_area_page(const struct io_area *area,
					 unsigned long iova)
{
	return (area->offset + (iova - area->node.start)) >> PAGE_SHIFT;
}

#endif
