/* SPDX-License-Identifier: GPL-2.0-only */
/* Simulated user memory can be mapped, and must be unmapped again. */
#ifndef UNIT_LINUX_HIGHMEM_H
#define UNIT_LINUX_HIGHMEM_H

#include <linux/mm.h>

void *kmap_local_page(struct page *page);
void kunmap_local(const void *address);

#endif
