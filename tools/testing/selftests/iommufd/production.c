// SPDX-License-Identifier: GPL-2.0-only
/*
 * The production build of the modules: it has nothing of the test build.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "mock.h"

/* Does this look like a part of the mock IOMMU or of the test interface? */
static bool is_of_test(const char *symbol)
{
	static const char * const words[] = { "mock", "selftest", "iommufd_test", "fail_iommufd" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(symbol, words[i]))
			return true;
	return false;
}

/* Not: if there is a test interface. That there is none is what is tested. */
FIXTURE(production) {
};

FIXTURE_SETUP(production)
{
	if (iommufd_is_built_in())
		SKIP(return, "iommufd is a part of this kernel, which is for tests");
}

FIXTURE_TEARDOWN(production)
{
}

TEST_F(production, no_symbol_of_the_module_is_one_of_the_test_build)
{
	unsigned int symbols = 0;
	char line[512];
	FILE *file;

	file = fopen("/proc/kallsyms", "re");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "[iommufd]"))
			continue;
		symbols++;
		EXPECT_FALSE(is_of_test(line)) {
			TH_LOG("%s", line);
		}
	}
	fclose(file);
	EXPECT_LT(50, symbols);
}

TEST_F(production, test_command_is_ENOTTY)
{
	struct iommu_test_cmd cmd = MOCK_CMD(SET_TEMP_MEMORY_LIMIT, 0,
		.memory_limit = { .limit = MOCK_MEMORY_LIMIT_DEFAULT });
	int fd = iommu_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTTY, mock_ioctl(fd, &cmd));
	/* Nor is its argument looked at */
	EXPECT_EQ(-ENOTTY, iommu_ioctl(fd, IOMMU_TEST_CMD, NULL));
	close(fd);
}

TEST_F(production, there_is_no_mock_iommu)
{
	EXPECT_NE(0, access("/sys/class/iommu/iommufd_selftest_iommu.0", F_OK));
	EXPECT_NE(0, access("/sys/kernel/debug/fail_iommufd", F_OK));
}

TEST_HARNESS_MAIN
