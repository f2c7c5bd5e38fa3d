/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many processors the machine has.
 *
 * Owns the switch of all but the first one.
 */
#ifndef SELFTESTS_IOMMUFD_PROCESSORS_H
#define SELFTESTS_IOMMUFD_PROCESSORS_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <unistd.h>

static inline int processor_set_online(const char *path, bool online)
{
	int file = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (file < 0)
		return -errno;
	if (write(file, online ? "1" : "0", 1) != 1)
		rc = -errno;
	close(file);
	return rc;
}

/* The first processor has no switch. Returns 0 or -errno. */
static inline int processors_set_online(bool online)
{
	glob_t paths;
	size_t i;
	int rc;

	rc = glob("/sys/devices/system/cpu/cpu[0-9]*/online", 0, NULL, &paths);
	if (rc)
		return rc == GLOB_NOMATCH ? 0 : -EIO;
	for (i = 0; i < paths.gl_pathc && !rc; i++)
		rc = processor_set_online(paths.gl_pathv[i], online);
	globfree(&paths);
	return rc;
}

#endif
