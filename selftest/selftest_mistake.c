// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes on purpose.
 *
 * A debug kernel that was built the wrong way says nothing, and every test of it
 * passes. Whoever writes the name of a mistake into a file in debugfs learns whether
 * the kernel sees it in our files. In a kernel that does not look for it, it does no
 * harm.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "selftest/selftest_ops.h"

/* The allocator rounds it up. */
#define BYTES 13
/* Two threads that do not begin at once have to meet. */
#define ROUNDS BIT(20)

static struct dentry *file;
static DEFINE_MUTEX(turn);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static unsigned long counter;

/* GCOVR_EXCL_START: each fails the run that makes it; check-debug does */
/* Reads a byte that was not allocated. */
static int read_beyond_memory(void)
{
	char *bytes = kmalloc(BYTES, GFP_KERNEL);

	if (!bytes)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(bytes);
	READ_ONCE(bytes[BYTES]);
	kfree(bytes);
	return 0;
}

/* Takes two locks in either order, one thread at a time: it is not to hang. */
static int lock_in_both_orders(void)
{
	mutex_lock(&turn);
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	mutex_unlock(&turn);
	return 0;
}

/* Counts what others may be counting, too. */
static int count_without_lock(void)
{
	unsigned long i;

	for (i = 0; i < ROUNDS; i++) {
		counter++;
		barrier();
		if (!(i % 1024))
			cond_resched();
	}
	return 0;
}

static const struct mistake {
	const char *name;
	int (*make)(void);
} mistakes[] = {
	{ "memory", read_beyond_memory },
	{ "locks", lock_in_both_orders },
	{ "race", count_without_lock },
};

static ssize_t make_mistake(struct file *unused, const char __user *user,
			    size_t count, loff_t *position)
{
	char name[16] = {};
	ssize_t written;
	int i, rc;

	written = simple_write_to_buffer(name, sizeof(name) - 1, position, user,
					 count);
	if (written < 0)
		return written;
	for (i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (sysfs_streq(name, mistakes[i].name)) {
			rc = mistakes[i].make();
			return rc ?: written;
		}
	return -EINVAL;
}

static const struct file_operations mistake_operations = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = make_mistake,
};

/**
 * selftest_mistake_init - make the file that takes the names
 */
void __init selftest_mistake_init(void)
{
	file = debugfs_create_file("iommufd_mistake", 0200, NULL, NULL,
				   &mistake_operations);
}

/**
 * selftest_mistake_exit - the opposite
 */
void selftest_mistake_exit(void)
{
	debugfs_remove(file);
}

/* GCOVR_EXCL_STOP */
