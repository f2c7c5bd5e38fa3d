/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a 32 bit program does when it calls ioctl(), done by a 64 bit one.
 *
 * Owns how the system call is entered.
 */
#ifndef SELFTESTS_IOMMUFD_IOCTL_32_BIT_H
#define SELFTESTS_IOMMUFD_IOCTL_32_BIT_H

#ifdef __x86_64__
#include <sys/mman.h>

/* Memory for arguments, or MAP_FAILED; munmap() it. */
static inline void *allocate_32_bit(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

/* System call number 54, arguments in 32 bit registers. Returns a result or -errno. */
static inline int ioctl_32_bit(int fd, unsigned int request, void *argument)
{
	int result;

	asm volatile("int $0x80"
		     : "=a" (result)
		     : "a" (54), "b" (fd), "c" (request), "d" (argument)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}
#endif

#endif
