/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of the test ioctl, each in the file of what it works on.
 */
#ifndef __IOMMUFD_SELFTEST_OPS_H
#define __IOMMUFD_SELFTEST_OPS_H

#include <linux/types.h>

#include "iommufd_private.h"
#include "iommufd_test.h"

struct io_pagetable;
struct page;

/* selftest_device.c: mock devices */
int selftest_mock_domain(struct iommufd_command *command);
int selftest_mock_domain_flags(struct iommufd_command *command);
int selftest_mock_domain_join(struct iommufd_command *command);
int selftest_mock_domain_replace(struct iommufd_command *command);
int selftest_trigger_iopf(struct iommufd_command *command);
int selftest_ask_later(struct iommufd_command *command);
int selftest_unbind_held(struct iommufd_command *command);

/* selftest_pasid.c: their PASIDs */
int selftest_pasid_attach(struct iommufd_command *command);
int selftest_pasid_replace(struct iommufd_command *command);
int selftest_pasid_detach(struct iommufd_command *command);
int selftest_pasid_check_hwpt(struct iommufd_command *command);

/* selftest_dirty.c: devices that write */
int selftest_dirty(struct iommufd_command *command);

/* selftest_mistake.c: mistakes on purpose */
void selftest_mistake_init(void);
void selftest_mistake_exit(void);

/* selftest_access.c: accesses */
int selftest_lookup_page(unsigned long address, struct page **page);
int selftest_create_access(struct iommufd_command *command);
int selftest_destroy_access_pages(struct iommufd_command *command);
int selftest_access_pages(struct iommufd_command *command);
int selftest_access_rw(struct iommufd_command *command);
int selftest_access_replace_ioas(struct iommufd_command *command);

#endif
