/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested HWPT: a page table of a guest on top of one of ours.
 */
#ifndef __IOMMUFD_HWPT_NESTED_H
#define __IOMMUFD_HWPT_NESTED_H

#include "hw_pagetable.h"

/**
 * struct iommufd_hwpt_nested - a page table that its user writes itself
 * @common: What it shares with other kinds
 * @parent: Translates what it translates to, with a reference
 */
struct iommufd_hwpt_nested {
	struct iommufd_hwpt common;
	struct iommufd_hwpt_paging *parent;
};

struct iommufd_hwpt *
iommufd_hwpt_nested_new(struct iommufd_hwpt_paging *parent,
			const struct hwpt_request *request);

#endif
