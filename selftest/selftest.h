/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the character device knows of the test build.
 */
#ifndef __IOMMUFD_SELFTEST_H
#define __IOMMUFD_SELFTEST_H

#ifdef CONFIG_IOMMUFD_TEST
struct iommufd_command;

int selftest_init(void);
void selftest_exit(void);
int selftest_run(struct iommufd_command *command);
int selftest_ioas_copy(struct iommufd_command *command);
#else
#define selftest_ioas_copy iommufd_ioas_copy

static inline int selftest_init(void)
{
	return 0;
}

static inline void selftest_exit(void)
{
}
#endif

#endif
