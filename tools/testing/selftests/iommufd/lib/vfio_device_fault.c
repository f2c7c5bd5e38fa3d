// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA faults in the kernel's log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfio_device_fault.h"

#define FAULT_PAGE_SIZE 4096
#define FAULT_TIMEOUT_MS 500

/* What marks a line of a driver, and what stands before the IOVA in it. */
static const struct {
	const char *mark;
	const char *before;
} wordings[] = {
	{ "DMAR:", "fault addr " },
	{ "AMD-Vi:", "address=" },
	{ "fault from EP", " at " },
	{ NULL, NULL },
};

/**
 * dma_fault_open() - look at the kernel's log from now on
 *
 * Return: a file descriptor to be closed, or -errno of opening /dev/kmsg.
 */
int dma_fault_open(void)
{
	int log;

	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log < 0)
		return -errno;
	lseek(log, 0, SEEK_END);
	return log;
}

static bool parse_fault(const char *message, uint64_t *iova)
{
	size_t i;

	for (i = 0; wordings[i].mark; i++) {
		const char *start;

		if (!strstr(message, wordings[i].mark))
			continue;
		start = strstr(message, wordings[i].before);
		if (!start)
			continue;
		*iova = strtoull(start + strlen(wordings[i].before), NULL, 16);
		return true;
	}
	return false;
}

/* Next message without its prefix; -EAGAIN when there is none yet. */
static int read_message(int log, char *message, size_t size)
{
	char record[1024], *text;
	ssize_t length;

	do {
		length = read(log, record, sizeof(record) - 1);
	} while (length < 0 && errno == EPIPE);
	if (length < 0)
		return -errno;
	record[length] = '\0';
	record[strcspn(record, "\n")] = '\0';
	text = strchr(record, ';');
	snprintf(message, size, "%s", text ? text + 1 : record);
	return 0;
}

/**
 * dma_fault_wait() - wait until a fault of an IOVA range is in the log
 * @log: from dma_fault_open()
 * @iova: where the DMA went
 * @length: its length in bytes
 * @message: out: what the log says, or NULL
 * @size: of @message, in bytes
 *
 * Drivers may report the page instead of the byte, and only one of many pages. VT-d's
 * logs about five faults in five seconds and drops the rest: repeat the DMA until one
 * is in the log.
 *
 * Return: 0, -ETIMEDOUT if none came within half a second.
 */
int dma_fault_wait(int log, uint64_t iova, size_t length, char *message, size_t size)
{
	uint64_t start = iova & ~(uint64_t)(FAULT_PAGE_SIZE - 1), fault;
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	char line[1024];
	int waited = 0, rc;

	while (waited < FAULT_TIMEOUT_MS) {
		rc = read_message(log, line, sizeof(line));
		if (!rc) {
			if (parse_fault(line, &fault) && fault >= start &&
			    fault - start < iova - start + length) {
				snprintf(message, size, "%s", line);
				return 0;
			}
			continue;
		}
		if (rc != -EAGAIN)
			return rc;
		nanosleep(&pause, NULL);
		waited += 10;
	}
	return -ETIMEDOUT;
}
