/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The choice of an IOVA for a mapping that does not ask for one.
 *
 * The rules are alignment, windows and first fit. It reads three trees, changes none of
 * them, returns a number and keeps no state.
 *
 * Plain arithmetic: no locks, no allocation; it is tested in user space.
 */
#ifndef IOMMUFD_IOVA_ALLOC_H
#define IOMMUFD_IOVA_ALLOC_H

#include <linux/compiler.h>

struct iova_tree;
struct rb_root_cached;

/**
 * struct iova_request - what is wanted, and where it may be
 * @areas: ranges that are taken
 * @reserved: struct interval_tree_node, ranges that cannot be used; they may intersect
 * @allowed: struct interval_tree_node, disjoint ranges to stay inside; empty allows everything
 * @length: bytes wanted
 * @address: address or file offset of the memory, whose alignment the IOVA should have
 * @alignment: least alignment in bytes that will do, a power of 2
 * @page_size: bytes of a CPU page, a power of 2
 * @huge_size: bytes beyond which alignment is of no use, a power of 2, at least @page_size
 */
struct iova_request {
	const struct iova_tree *areas;
	struct rb_root_cached *reserved;
	struct rb_root_cached *allowed;
	unsigned long length;
	unsigned long address;
	unsigned long alignment;
	unsigned long page_size;
	unsigned long huge_size;
};

int __must_check iova_alloc(const struct iova_request *request, unsigned long *iova);

#endif
