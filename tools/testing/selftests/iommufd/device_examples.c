// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs that the documentation shows do what it says.
 */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <sys/wait.h>

#include "edu_fixture.h"

#define EXAMPLES_MIN 6

/* Where the Makefile puts them, beside this program. */
static int find_examples(char *path, size_t size)
{
	char self[PATH_MAX] = {};

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	return snprintf(path, size, "%s/tools/examples", dirname(self)) < (int)size ? 0 : -ERANGE;
}

/* Stores the path of the device's node. */
static int find_node(const char *address, char *node, size_t size)
{
	int iommufd = iommu_open(), rc;
	struct edu edu;

	if (iommufd < 0)
		return iommufd;
	rc = edu_open(&edu, address, iommufd);
	if (!rc) {
		snprintf(node, size, "%s", edu.device.node);
		edu_close(&edu);
	}
	close(iommufd);
	return rc;
}

/* Returns its exit status, or -errno. */
static int run_example(const char *directory, const char *name, const char *node)
{
	char path[2 * PATH_MAX];
	int status;
	pid_t child;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fflush(stdout);
	child = fork();
	if (!child) {
		execl(path, name, node, NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

TEST(every_example_runs)
{
	char directory[PATH_MAX], node[64];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *examples;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, find_examples(directory, sizeof(directory)));
	ASSERT_EQ(0, find_node(topology.own[0].name, node, sizeof(node)));
	examples = opendir(directory);
	ASSERT_NE(NULL, examples);
	while ((entry = readdir(examples))) {
		if (entry->d_name[0] == '.')
			continue;
		printf("# %s\n", entry->d_name);
		EXPECT_EQ(0, run_example(directory, entry->d_name, node)) {
			TH_LOG("%s", entry->d_name);
		}
		count++;
	}
	closedir(examples);
	EXPECT_LE(EXAMPLES_MIN, count);
}
