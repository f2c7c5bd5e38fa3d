/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File descriptors sent from one process to another.
 *
 * Owns the control message that carries one.
 */
#ifndef SELFTESTS_IOMMUFD_FD_PASSING_H
#define SELFTESTS_IOMMUFD_FD_PASSING_H

#include <string.h>
#include <sys/socket.h>

union fd_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

/* Sends @fd over a UNIX socket, with a byte that carries it. Returns 0 or -1. */
static inline int send_fd(int socket, int fd)
{
	union fd_control control = {};
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

/* Returns the file descriptor that send_fd() sent, or -1. */
static inline int receive_fd(int socket)
{
	union fd_control control = {};
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

#endif
