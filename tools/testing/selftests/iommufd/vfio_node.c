// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes of VFIO in /dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "vfio_node.h"

/**
 * vfio_node_open() - open a node
 * @node: its path
 *
 * A node appears when whoever serves /dev has seen the group or the device, so this
 * waits for it, 2 s at most.
 *
 * Return: a file descriptor or the errno of open().
 */
int vfio_node_open(const char *node)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int tries, fd;

	for (tries = 0; tries < 100; tries++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			break;
		nanosleep(&pause, NULL);
	}
	return -errno;
}
