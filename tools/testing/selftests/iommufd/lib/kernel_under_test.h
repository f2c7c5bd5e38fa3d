/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests have to know of the kernel that they run on.
 *
 * Owns how a debug kernel and the builds of iommufd are told apart.
 */
#ifndef SELFTESTS_IOMMUFD_KERNEL_UNDER_TEST_H
#define SELFTESTS_IOMMUFD_KERNEL_UNDER_TEST_H

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Does it watch itself, which takes time and memory? All our debug kernels prove
 * their locking; no stock kernel does.
 */
static inline bool kernel_is_debug(void)
{
	return !access("/proc/lockdep", F_OK);
}

/*
 * How much longer anything may take than on a stock kernel that has its processors for
 * itself. The host of an emulated machine may be busy with something else.
 */
static inline unsigned int kernel_slowness(void)
{
	return kernel_is_debug() ? 20 : 10;
}

/* Is iommufd a part of the kernel, and no module? */
static inline bool iommufd_is_built_in(void)
{
	return access("/sys/module/iommufd/initstate", F_OK);
}

/* Has iommufd the mock IOMMU and one more command? */
static inline bool iommufd_is_test_build(void)
{
	return !access("/sys/class/iommu/iommufd_selftest_iommu.0", F_OK);
}

/*
 * Has whoever runs the program chosen the build that it is for? Then another one is a
 * failure, else a reason to skip. `run` has.
 */
static inline bool build_is_promised(void)
{
	return getenv("IOMMUFD_BUILD_PROMISED");
}

#endif
