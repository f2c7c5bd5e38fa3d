/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks of the test build. In any other they vanish.
 */
#ifndef __IOMMUFD_SELFTEST_HOOKS_H
#define __IOMMUFD_SELFTEST_HOOKS_H

#include <linux/types.h>

struct device;

#ifdef CONFIG_IOMMUFD_TEST
bool selftest_should_fail(void);
size_t selftest_buffer_size(size_t size);
bool selftest_is_mock_device(const struct device *dev);
bool selftest_is_foreign(void);

/* For the tests, which set them */
int selftest_limit_buffers(u32 limit);
int selftest_begin_foreign(void);
void selftest_end_foreign(void);

void selftest_hooks_init(void);
void selftest_hooks_exit(void);
#else
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
#endif

#endif
