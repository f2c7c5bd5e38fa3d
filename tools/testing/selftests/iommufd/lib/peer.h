/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another process, which maps memory of its own into a context it was given.
 *
 * Owns that process: it does what it is told, one order after the other. It must
 * never attach a device.
 */
#ifndef SELFTESTS_IOMMUFD_PEER_H
#define SELFTESTS_IOMMUFD_PEER_H

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd_passing.h"
#include "iommu.h"
#include "memory.h"

#define PEER_PAGES 16
#define PEER_SIZE (PEER_PAGES * 4096UL)

/* What the memory of a peer is filled with, for pattern_match(). */
#define PEER_SEED 4711

/**
 * enum peer_action - what a peer can do
 * @PEER_MAP: Map all of its memory, readable and writeable
 * @PEER_FREE: Unmap the memory from its address space
 * @PEER_EXECUTE: Become another program
 */
enum peer_action {
	PEER_MAP,
	PEER_FREE,
	PEER_EXECUTE,
};

struct peer_order {
	enum peer_action action;
	__u32 ioas;
	__u64 iova;
};

/**
 * struct peer - the process
 * @pid: Its id
 * @socket: Where orders go and results come back
 */
struct peer {
	pid_t pid;
	int socket;
};

static inline int peer_obey(const struct peer_order *order, struct memory *memory, int fd)
{
	switch (order->action) {
	case PEER_MAP:
		return iommu_ioas_map_fixed(fd, order->ioas, memory->start, PEER_SIZE,
					    IOMMU_MAP_RW, order->iova);
	case PEER_FREE:
		return munmap(memory->start, PEER_SIZE) ? -errno : 0;
	case PEER_EXECUTE:
		execl("/bin/sleep", "sleep", "1000", NULL);
		return -errno;
	}
	return -EINVAL;
}

static inline void peer_run(int socket)
{
	int fd = receive_fd(socket);
	struct peer_order order;
	struct memory memory;
	int rc;

	rc = memory_allocate(&memory, MEMORY_ANONYMOUS, PEER_SIZE);
	if (fd < 0 || rc)
		_exit(1);
	pattern_fill(memory.start, PEER_SIZE, PEER_SEED);
	while (read(socket, &order, sizeof(order)) == sizeof(order)) {
		rc = peer_obey(&order, &memory, fd);
		if (write(socket, &rc, sizeof(rc)) != sizeof(rc))
			break;
	}
	_exit(0);
}

/**
 * peer_start - make a peer, before the context it works in is opened
 * @peer: The peer
 *
 * Return: 0 or -errno.
 */
static inline int peer_start(struct peer *peer)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	peer->pid = fork();
	if (peer->pid < 0)
		return -errno;
	if (!peer->pid) {
		close(sockets[0]);
		peer_run(sockets[1]);
	}
	close(sockets[1]);
	peer->socket = sockets[0];
	return 0;
}

/* Gives the peer the context. Returns 0 or -1. */
static inline int peer_meet(struct peer *peer, int iommufd)
{
	return send_fd(peer->socket, iommufd);
}

/* Returns what the peer's system call returned, or 1 if the peer has no answer. */
static inline int peer_order(struct peer *peer, enum peer_action action, __u32 ioas,
			     __u64 iova)
{
	struct peer_order order = { .action = action, .ioas = ioas, .iova = iova };
	int rc;

	if (write(peer->socket, &order, sizeof(order)) != sizeof(order) ||
	    read(peer->socket, &rc, sizeof(rc)) != sizeof(rc))
		return 1;
	return rc;
}

/* Pages of the peer's memory that are pinned, or -1. */
static inline long peer_pages_pinned(struct peer *peer)
{
	char path[32], line[128];
	long kilobytes = -4;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", peer->pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %ld", &kilobytes) == 1)
			break;
	fclose(file);
	return kilobytes / 4;
}

/* Ends the peer with @signal and waits until it is gone. */
static inline void peer_end(struct peer *peer, int signal)
{
	if (peer->pid <= 0)
		return;
	kill(peer->pid, signal);
	waitpid(peer->pid, NULL, 0);
	close(peer->socket);
	peer->pid = 0;
}

#endif
