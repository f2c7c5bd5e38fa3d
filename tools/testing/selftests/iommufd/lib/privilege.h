/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Being somebody else for a while.
 *
 * Owns the user, and with it the capabilities, that a test's thread has, and its limit
 * of locked memory.
 */
#ifndef SELFTESTS_IOMMUFD_PRIVILEGE_H
#define SELFTESTS_IOMMUFD_PRIVILEGE_H

#include <sys/resource.h>
#include <unistd.h>

/* A user that nobody else uses: a test that fails must not spoil another one. */
static inline uid_t privilege_fresh_user(void)
{
	return 100000 + getpid();
}

/* Becomes a user without capabilities. The way back stays open. */
static inline int privilege_drop(uid_t user)
{
	return setresuid(user, user, 0);
}

static inline int privilege_restore(void)
{
	return setresuid(0, 0, 0);
}

/* Sets the soft limit of locked memory, in bytes. */
static inline int privilege_limit_memlock(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

#endif
