// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hooks in the rest of iommufd do in the test build. Calls nothing of iommufd.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fault-inject.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "selftest/hooks.h"
#include "selftest/mock_iommu.h"

/* A PFN and a count: the least that any temporary buffer holds */
#define BUFFER_SIZE_MIN (sizeof(u64) + sizeof(u32))

struct iommu_device mock_iommu;

static DECLARE_FAULT_ATTR(fail_iommufd);
static struct dentry *fault_directory;
static u32 buffer_size_limit = 65536;

/* The one task that appears as another, see selftest_begin_foreign() */
static DEFINE_MUTEX(foreign_lock);
static struct task_struct *foreign_task;

/**
 * selftest_should_fail - a place where a test may have something fail
 *
 * Return: true if it shall.
 */
bool selftest_should_fail(void)
{
	return should_fail(&fail_iommufd, 1);
}

/**
 * selftest_buffer_size - how large a temporary buffer may be
 * @size: What it is going to be, in bytes
 *
 * Return: the same, or less if a test says so.
 */
size_t selftest_buffer_size(size_t size)
{
	return min_t(size_t, size, READ_ONCE(buffer_size_limit));
}

/**
 * selftest_limit_buffers - limit temporary buffers from now on
 * @limit: Their size, in bytes
 *
 * Return: 0, or -EINVAL: too small for any use.
 */
int selftest_limit_buffers(u32 limit)
{
	if (limit < BUFFER_SIZE_MIN)
		return -EINVAL;
	WRITE_ONCE(buffer_size_limit, limit);
	return 0;
}

/**
 * selftest_is_mock_device - is a device behind the mock IOMMU?
 * @dev: A device with or without an IOMMU
 *
 * The object of a mock device is in the context that it is bound to, so binding
 * it must not keep the context; and nothing isolates its interrupts.
 *
 * Return: yes or no.
 */
bool selftest_is_mock_device(const struct device *dev)
{
	return dev->iommu && dev->iommu->iommu_dev == &mock_iommu;
}

/**
 * selftest_is_foreign - shall the caller not use its own address space?
 *
 * Return: true if a test wants memory of this process to be reached as if it
 * were that of another.
 */
bool selftest_is_foreign(void)
{
	return READ_ONCE(foreign_task) == current;
}

/**
 * selftest_begin_foreign - let selftest_is_foreign() be true for the caller
 *
 * One task at a time: the others sleep. Ends with selftest_end_foreign().
 *
 * Return: 0 or -EINTR.
 */
int selftest_begin_foreign(void)
{
	if (mutex_lock_killable(&foreign_lock))
		return -EINTR;
	WRITE_ONCE(foreign_task, current);
	return 0;
}

/**
 * selftest_end_foreign - the opposite of selftest_begin_foreign()
 */
void selftest_end_foreign(void)
{
	WRITE_ONCE(foreign_task, NULL);
	mutex_unlock(&foreign_lock);
}

/**
 * selftest_hooks_init - make the fault injection available
 *
 * Without debugfs there is none; tests that need it look for it.
 */
void __init selftest_hooks_init(void)
{
	fault_directory = fault_create_debugfs_attr("fail_iommufd", NULL,
						    &fail_iommufd);
}

/**
 * selftest_hooks_exit - the opposite of selftest_hooks_init()
 */
void selftest_hooks_exit(void)
{
	debugfs_remove_recursive(fault_directory);
}
