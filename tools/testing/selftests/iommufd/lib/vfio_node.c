// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes of VFIO in /dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "vfio_node.h"
#include "watchdog.h"

/**
 * vfio_node_open() - open a node
 * @node: its path
 *
 * A node appears when whoever serves /dev has seen the group or the device, so this
 * waits for it, for as long as nothing takes.
 *
 * Return: a file descriptor or the errno of open().
 */
int vfio_node_open(const char *node)
{
	time_t end = watchdog_now() + watchdog_limit();
	int fd;

	do {
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			break;
		usleep(20000);
	} while (watchdog_now() < end);
	return -errno;
}
