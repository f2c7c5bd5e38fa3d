// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping what the calling process has at an address.
 *
 * Owns the decision what that is: memory, which is pinned, or a BAR that a driver
 * let the process mmap, which can't be. It must never know how either is mapped.
 */
#include <linux/list.h>

#include "device_memory.h"
#include "io_pagetable.h"

static int map_area(struct io_pagetable *iopt, struct io_area *area,
		    const struct iopt_user *user, unsigned long *iova,
		    bool pinned)
{
	LIST_HEAD(areas);
	int rc;

	if (!area)
		return -ENOMEM;
	list_add(&area->link, &areas);
	rc = iopt_map(iopt, &areas, user->address, iova, user->fixed, pinned);
	if (rc)
		iopt_free_areas(&areas);
	return rc;
}

static int map_memory(struct io_pagetable *iopt, const struct iopt_user *user,
		      unsigned long *iova, bool pinned)
{
	return map_area(iopt, io_area_alloc_user(user->mode, user->address,
						 user->length, user->prot),
			user, iova, pinned);
}

/* -ENOENT: it is not memory of a device */
static int map_device_memory(struct io_pagetable *iopt,
			     const struct iopt_user *user, unsigned long *iova)
{
	struct iommufd_device_memory *memory;
	unsigned long first;
	int rc;

	rc = device_memory_find(user->address, user->length, user->prot,
				&memory, &first);
	if (rc)
		return rc;
	rc = map_area(iopt, io_area_alloc_device(memory, first, user->address,
						 user->length, user->prot),
		      user, iova, false);
	device_memory_put(memory);
	return rc;
}

/**
 * iopt_map_user - map what the calling process has at an address
 * @iopt: The IOVA space
 * @user: What and how
 * @iova: The IOVA, wanted or chosen, see iopt_map()
 *
 * Where memory is pinned at once, that tells it apart: a BAR can't be, nor is it
 * charged for, and it is looked for only then. Elsewhere it has to be looked for
 * first, or the next attach would fail.
 *
 * Return: 0, -ENOMEM, as iopt_map().
 */
int iopt_map_user(struct io_pagetable *iopt, const struct iopt_user *user,
		  unsigned long *iova)
{
	/* Whether it is so later on does not matter: what is said here is done */
	bool pinned = iopt_pins_maps(iopt);
	int rc, device_rc;

	if (!pinned) {
		rc = map_device_memory(iopt, user, iova);
		return rc == -ENOENT ? map_memory(iopt, user, iova, false) : rc;
	}
	rc = map_memory(iopt, user, iova, true);
	if (rc != -EFAULT && rc != -ENOMEM)
		return rc;
	device_rc = map_device_memory(iopt, user, iova);
	return device_rc == -ENOENT ? rc : device_rc;
}
