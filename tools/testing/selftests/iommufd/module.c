// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules: loading and unloading them, and that those of the production build have
 * nothing of the test build.
 *
 * Owns the rule that a module in use stays, and that one that went has left nothing.
 * Every test ends with all modules loaded as they were.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "attachment.h"
#include "edu_topology.h"
#include "kernel_counters.h"
#include "mock.h"
#include "watchdog.h"

#define IOVA 0x40000000UL
#define RACE_SECONDS 3

/* VFIO's modules, which use ours: each before those that it uses. */
static const char * const users[] = {
	"vfio_pci", "vfio_pci_core", "vfio_iommu_type1", "vfio",
};

/* Returns 0 or -errno; never waits for the module. */
static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* Returns 0 or -errno of the first that did not go. */
static int unload_users(void)
{
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(users); i++) {
		rc = unload(users[i]);
		if (rc && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int run(const char *program, const char *module, const char *parameter)
{
	int status;
	pid_t child = fork();

	if (!child) {
		execlp(program, program, module, parameter, NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

/* Whether a module was loaded with allow_unsafe_interrupts. */
static bool is_unsafe(const char *module)
{
	char path[96], value = 0;
	int file;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/allow_unsafe_interrupts",
		 module);
	file = open(path, O_RDONLY);
	if (file < 0)
		return false;
	if (read(file, &value, 1) != 1)
		value = 0;
	close(file);
	return value == 'Y';
}

FIXTURE(unload)
{
	struct kernel_counters before;
	const char *parameter;
};

FIXTURE_SETUP(unload)
{
	int fd = iommu_open();

	if (iommufd_is_built_in())
		SKIP(return, "iommufd is a part of this kernel and cannot go");
	ASSERT_LE(0, fd);
	close(fd);
	self->parameter = is_unsafe("iommufd") ? "allow_unsafe_interrupts=1" : NULL;
	self->before = kernel_counters_read();
}

static int load_all(struct _test_data_unload *self)
{
	return run("modprobe", "iommufd", self->parameter) ?:
	       run("modprobe", "vfio_iommu_type1", self->parameter) ?:
	       run("modprobe", "vfio-pci", NULL);
}

FIXTURE_TEARDOWN(unload)
{
	EXPECT_EQ(0, load_all(self));
	EXPECT_EQ(0, access(IOMMU_DEVICE, R_OK | W_OK));
}

TEST_F(unload, is_refused_while_vfio_is_loaded)
{
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	EXPECT_EQ(0, access(IOMMU_DEVICE, F_OK));
}

TEST_F(unload, is_refused_while_a_context_is_open)
{
	__u32 id;
	int fd;

	ASSERT_EQ(0, unload_users());
	fd = iommu_open();
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	/* It works on. */
	EXPECT_EQ(0, iommu_ioas_alloc(fd, &id));
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	close(fd);
	EXPECT_EQ(0, unload("iommufd"));
}

TEST_F(unload, is_refused_while_another_process_has_a_context)
{
	int fd, status, ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, unload_users());
	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		fd = iommu_open();
		if (fd < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, unload("iommufd"));
}

TEST_F(unload, vfio_is_refused_while_a_device_is_open)
{
	struct edu_topology topology;
	struct attachment attachment;

	ASSERT_EQ(0, edu_topology_bind(&topology));
	if (!topology.own_count)
		SKIP(return, "needs an edu device in a group of its own");
	ASSERT_EQ(0, attachment_open(&attachment, topology.own[0].name, 0));
	ASSERT_EQ(0, attachment_attach(&attachment, attachment.ioas));
	/* The device alone keeps the context, and that all of the modules. */
	close(attachment.iommufd);
	EXPECT_EQ(-EAGAIN, unload("vfio_pci"));
	EXPECT_EQ(-EAGAIN, unload("vfio_pci_core"));
	EXPECT_EQ(-EAGAIN, unload("vfio"));
	EXPECT_EQ(-EAGAIN, unload("iommufd"));
	edu_close(&attachment.edu);
	edu_topology_unbind(&topology);
	EXPECT_EQ(0, unload_users());
	EXPECT_EQ(0, unload("iommufd"));
}

/* Whether a line of a file contains a word. */
static bool file_mentions(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	bool found = false;
	char line[512];

	if (!file)
		return true;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, word);
	fclose(file);
	return found;
}

TEST_F(unload, takes_everything_along)
{
	ASSERT_TRUE(file_mentions("/proc/kallsyms", "[iommufd]"));
	ASSERT_TRUE(file_mentions("/proc/misc", "iommu"));
	ASSERT_EQ(0, unload_users());
	ASSERT_EQ(0, unload("iommufd"));
	EXPECT_EQ(-ENOENT, iommu_open());
	EXPECT_EQ(-1, access(IOMMU_DEVICE, F_OK));
	EXPECT_EQ(-1, access("/sys/module/iommufd", F_OK));
	EXPECT_EQ(-1, access("/sys/class/misc/iommu", F_OK));
	EXPECT_FALSE(file_mentions("/proc/misc", "iommu"));
	EXPECT_FALSE(file_mentions("/proc/kallsyms", "[iommufd]"));
	EXPECT_FALSE(file_mentions("/proc/slabinfo", "iommufd"));
	EXPECT_EQ(-ENOENT, unload("iommufd"));
}

/* A context with mappings, pins and a device, and all of it given back by exit. */
static void use_everything_and_exit(void)
{
	struct edu_topology topology;
	struct attachment attachment;
	struct memory memory;
	__u64 i;
	int rc;

	rc = edu_topology_bind(&topology);
	if (rc || !topology.own_count ||
	    memory_allocate(&memory, MEMORY_HUGETLB, MEMORY_HUGE_PAGE_SIZE) ||
	    attachment_open(&attachment, topology.own[0].name, 0))
		_exit(1);
	for (i = 0; i < 100 && !rc; i++)
		rc = attachment_map(&attachment, memory.start, 0x8000, IOMMU_MAP_RW,
				    IOVA + i * 0x10000);
	if (!rc)
		rc = attachment_attach(&attachment, attachment.ioas);
	_exit(!!rc);
}

TEST_F_TIMEOUT(unload, leaves_nothing_behind_again_and_again, 240)
{
	struct kernel_counters early;
	int i, status;
	pid_t child;

	for (i = 0; i < 13; i++) {
		ASSERT_EQ(0, load_all(self));
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			use_everything_and_exit();
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(0, unload_users());
		ASSERT_EQ(0, unload("iommufd"));
		ASSERT_TRUE(kernel_counters_settle(&self->before));
		if (i == 2)
			early = kernel_counters_read();
	}
	EXPECT_TRUE(kernel_counters_slab_settles(&early));
}

/* Opens and closes until told to stop. */
static void *open_and_close(void *argument)
{
	bool *stop = argument;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		int fd = iommu_open();
		__u32 id;

		if (fd < 0)
			continue;
		iommu_ioas_alloc(fd, &id);
		close(fd);
	}
	return NULL;
}

TEST_F_TIMEOUT(unload, races_with_open, 120)
{
	time_t end = watchdog_now() + RACE_SECONDS;
	unsigned int i, unloaded = 0;
	pthread_t threads[2];
	bool stop = false;
	int rc;

	ASSERT_EQ(0, unload_users());
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, open_and_close, &stop));
	while (unloaded < 5 && watchdog_goes_on(end, unloaded)) {
		rc = unload("iommufd");
		if (rc) {
			EXPECT_EQ(-EAGAIN, rc);
			usleep(1000);
			continue;
		}
		unloaded++;
		EXPECT_EQ(0, run("modprobe", "iommufd", self->parameter));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	if (!unloaded)
		SKIP(return, "it was always open, is the machine busy?");
}

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

/* Where this is to be the production build, a test interface is what is looked for. */
FIXTURE(production) {
};

FIXTURE_SETUP(production)
{
	if (iommufd_is_built_in())
		SKIP(return, "iommufd is a part of this kernel, which is for tests");
	if (iommufd_is_test_build() && !build_is_promised())
		SKIP(return, "this is the test build");
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
