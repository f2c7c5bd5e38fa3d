/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying between a range of memory and the kernel.
 */
#ifndef __IOMMUFD_PAGES_COPY_H
#define __IOMMUFD_PAGES_COPY_H

#include "pages.h"

int io_pages_copy(struct io_pages *pages, unsigned long offset, void *data,
		  unsigned long length, bool write);

#endif
