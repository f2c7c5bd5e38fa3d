/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks of the test build. In any other they vanish.
 */
#ifndef __IOMMUFD_SELFTEST_H
#define __IOMMUFD_SELFTEST_H

#include <linux/types.h>

struct device;
struct iommufd_command;
struct io_pagetable;

#ifdef CONFIG_IOMMUFD_TEST
int selftest_init(void);
void selftest_exit(void);
int selftest_run(struct iommufd_command *command);

bool selftest_should_fail(void);
size_t selftest_buffer_size(size_t size);
bool selftest_is_mock_device(const struct device *dev);
bool selftest_is_foreign(void);
void selftest_unreserve(struct io_pagetable *iopt);
void selftest_find_copy_source(struct iommufd_command *command);
#else
static inline int selftest_init(void)
{
	return 0;
}

static inline void selftest_exit(void)
{
}

static inline bool selftest_should_fail(void)
{
	return false;
}

static inline size_t selftest_buffer_size(size_t size)
{
	return size;
}

static inline bool selftest_is_mock_device(const struct device *dev)
{
	return false;
}

static inline bool selftest_is_foreign(void)
{
	return false;
}

static inline void selftest_unreserve(struct io_pagetable *iopt)
{
}

static inline void selftest_find_copy_source(struct iommufd_command *command)
{
}
#endif

#endif
