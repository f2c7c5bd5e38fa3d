// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing an IOVA for a mapping that does not ask for a certain one.
 *
 * The first fit wins, so that the same calls get the same addresses each time: the order in
 * which holes are tried is part of the user API.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/interval_tree.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "lib/iova_alloc.h"
#include "lib/iova_tree.h"

/* An inclusive range of IOVA. */
struct iova_span {
	unsigned long first;
	unsigned long last;
};

/* What the address has to look like. */
struct iova_shape {
	unsigned long length;
	unsigned long align;
	unsigned long offset;
};

/* User space says how many holes and windows there are: others run, too, and SIGKILL ends it. */
static bool killed(void)
{
	cond_resched();
	return fatal_signal_pending(current);
}

static int iova_shape_init(struct iova_shape *shape, const struct iova_request *request)
{
	unsigned long address = request->address;

	if (!request->length)
		return -EINVAL;
	if (request->length >= ULONG_MAX / 2)
		return -EOVERFLOW;

	shape->length = request->length;
	shape->offset = address & (request->page_size - 1);
	shape->align = roundup_pow_of_two(min(request->length, request->huge_size));
	if (address)
		shape->align = min(shape->align, address & -address);
	return shape->align < request->alignment ? -EINVAL : 0;
}

/* A span starts above the first page, which is how rounding up past the end shows. */
static bool iova_fit(const struct iova_shape *shape, const struct iova_span *span,
		     unsigned long *iova)
{
	*iova = ALIGN(span->first, shape->align) | shape->offset;
	return *iova >= span->first && *iova < span->last &&
	       span->last - *iova >= shape->length - 1;
}

/* Tries the holes that reserved ranges leave in @span, in ascending order. */
static bool iova_fit_unreserved(const struct iova_request *request,
				const struct iova_shape *shape,
				const struct iova_span *span, unsigned long *iova)
{
	struct iova_span hole = *span;
	struct interval_tree_node *used;

	for (;;) {
		used = interval_tree_iter_first(request->reserved, hole.first, span->last);
		if (!used || used->start > hole.first) {
			hole.last = used ? used->start - 1 : span->last;
			if (iova_fit(shape, &hole, iova))
				return true;
		}
		if (!used || used->last >= span->last || killed())
			return false;
		hole.first = used->last + 1;
	}
}

/* Tries the holes that areas leave in @span, in ascending order. */
static bool iova_fit_free(const struct iova_request *request, const struct iova_shape *shape,
			  const struct iova_span *span, unsigned long *iova)
{
	/* A single byte is never a fit. */
	unsigned long size = max(shape->length, 2UL);
	struct iova_span hole = *span;
	struct iova_node *area;

	area = iova_tree_first_hole(request->areas, span->first, size);
	while (area && area->start - area->hole <= span->last && !killed()) {
		hole.first = max(span->first, area->start - area->hole);
		hole.last = min(span->last, area->start - 1);
		if (iova_fit_unreserved(request, shape, &hole, iova))
			return true;
		area = iova_tree_first_hole(request->areas, area->start, size);
	}

	area = iova_tree_highest(request->areas);
	if (area && area->last >= span->last)
		return false;
	hole.first = area ? max(span->first, area->last + 1) : span->first;
	hole.last = span->last;
	return iova_fit_unreserved(request, shape, &hole, iova);
}

/* The first window at or above @from: adjacent allowed ranges make one. */
static bool iova_window(const struct iova_request *request, unsigned long from,
			struct iova_span *window)
{
	unsigned long last = ULONG_MAX - request->page_size;
	struct interval_tree_node *allowed;

	window->first = from;
	window->last = last;
	if (from > last)
		return false;
	if (RB_EMPTY_ROOT(&request->allowed->rb_root))
		return true;

	allowed = interval_tree_iter_first(request->allowed, from, last);
	if (!allowed)
		return false;
	window->first = max(from, allowed->start);
	while (allowed && allowed->last < last && !killed()) {
		window->last = allowed->last;
		allowed = interval_tree_iter_first(request->allowed, window->last + 1,
						   window->last + 1);
	}
	if (allowed)
		window->last = last;
	return true;
}

/**
 * iova_alloc() - choose the IOVA of a mapping
 * @request: what is wanted, and where it may be
 * @iova: set to the lowest IOVA that fits, on success only
 *
 * The address shares the offset in its page with the memory and, as far as
 * the length makes that useful, its alignment. The first page and the last
 * bytes of the address space are never chosen. Costs O(log n) among n areas,
 * unless many holes are wide enough but fail by their alignment.
 *
 * Context: The caller excludes writers of the three trees, until it has inserted the result.
 *	    Sleeps.
 * Return: 0, -EINTR killed, -EOVERFLOW if the length is half the address space or more,
 *	   -EINVAL if it is 0 or if it or the memory does not allow the alignment asked for,
 *	   -ENOSPC if nothing fits.
 */
int iova_alloc(const struct iova_request *request, unsigned long *iova)
{
	struct iova_span window, rest;
	struct iova_shape shape;
	unsigned long from, found;
	int ret;

	ret = iova_shape_init(&shape, request);
	if (ret)
		return ret;

	for (from = request->page_size; iova_window(request, from, &window) && !killed();
	     from = window.last + 1) {
		/* Holes count from where an empty window would have put the mapping. */
		rest.last = window.last;
		if (iova_fit(&shape, &window, &rest.first) &&
		    iova_fit_free(request, &shape, &rest, &found)) {
			*iova = found;
			return 0;
		}
	}
	return killed() ? -EINTR : -ENOSPC;
}
