/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Having the kernel fail one allocation, or another place made for that, of what
 * this thread does next. Only debug kernels can.
 */
#ifndef SELFTESTS_IOMMUFD_FAIL_NTH_H
#define SELFTESTS_IOMMUFD_FAIL_NTH_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAIL_NTH_DEBUGFS "/sys/kernel/debug/"

static inline int fail_nth_write_file(const char *directory, const char *name,
				      const char *value)
{
	char path[512];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), FAIL_NTH_DEBUGFS "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	written = write(fd, value, strlen(value));
	close(fd);
	return written < 0 ? -errno : 0;
}

/* Sets an attribute of everything that can be made to fail. */
static inline void fail_nth_set_all(const char *name, const char *value)
{
	DIR *directory = opendir(FAIL_NTH_DEBUGFS);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (!strncmp(entry->d_name, "fail", 4))
			fail_nth_write_file(entry->d_name, name, value);
	closedir(directory);
}

/* Where a function of the kernel begins and the next one does. Returns whether it is there. */
static inline bool fail_nth_find(const char *function, unsigned long range[2])
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	unsigned long address;
	char name[256];

	memset(range, 0, 2 * sizeof(*range));
	while (symbols && !range[1] &&
	       fscanf(symbols, "%lx %*c %255s%*[^\n]", &address, name) == 2) {
		if (range[0] && address != range[0])
			range[1] = address;
		else if (!strcmp(name, function))
			range[0] = address;
	}
	if (symbols)
		fclose(symbols);
	return range[1];
}

/*
 * From now on only what one function of the kernel does can fail, and what it calls;
 * or with NULL everything again. Returns 0 or -errno.
 */
static inline int fail_nth_only_in(const char *function)
{
	unsigned long range[2] = { 0, -1UL };
	char text[32];

	if (function && !fail_nth_find(function, range))
		return -ENOENT;
	snprintf(text, sizeof(text), "0x%lx", range[0]);
	fail_nth_set_all("require-start", text);
	snprintf(text, sizeof(text), "0x%lx", range[1]);
	fail_nth_set_all("require-end", text);
	return 0;
}

/**
 * fail_nth_open - get ready to have something fail
 *
 * Return: a file descriptor, or -errno if the kernel cannot do this.
 */
static inline int fail_nth_open(void)
{
	int fd, rc;

	/* Allocations that may wait, which are nearly all */
	rc = fail_nth_write_file("failslab", "ignore-gfp-wait", "N");
	if (rc)
		return rc;
	fail_nth_write_file("fail_page_alloc", "ignore-gfp-wait", "N");
	fail_nth_write_file("fail_page_alloc", "ignore-gfp-highmem", "N");
	/* Also those of a single page: IOMMU drivers get their page tables by that */
	fail_nth_write_file("fail_page_alloc", "min-order", "0");
	/* The kernel log is for what should not happen */
	fail_nth_set_all("verbose", "0");
	/* A program that was killed can have left something else */
	fail_nth_only_in(NULL);
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* From now on the @nth place that can fail does. */
static inline void fail_nth_start(int fd, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		abort();
}

/*
 * Returns whether something has failed since fail_nth_start(). What has not failed
 * by then can be the copy of our own buffers.
 */
static inline bool fail_nth_stop(int fd)
{
	char text[16] = {};
	bool has_failed;

	has_failed = pread(fd, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
	while (pwrite(fd, "0", 1, 0) < 0)
		if (errno != EFAULT)
			abort();
	return has_failed;
}

#endif
