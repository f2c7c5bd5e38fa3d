// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who provides /dev/vfio/vfio: VFIO, or iommufd with its parameter vfio_container.
 * The modules are loaded again where they provide another one; every test ends with
 * them as they were.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "kernel_under_test.h"
#include "vfio_container.h"

#define IOVA 0x40000000UL

static const char reload_script[] =
	"modprobe -rq vfio_iommu_type1; modprobe -rq vfio-pci; modprobe -rq vfio;"
	"modprobe -rq iommufd; modprobe iommufd $0 || exit; modprobe vfio-pci || exit;"
	"modprobe -q vfio_iommu_type1 || :";

static int reload(const char *parameters)
{
	int status;
	pid_t child = fork();

	if (!child) {
		execlp("sh", "sh", "-c", reload_script, parameters, NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

/* 'Y' or 'N', or 0 for an error. */
static char parameter(void)
{
	int file = open("/sys/module/iommufd/parameters/vfio_container", O_RDONLY);
	char value = 0;

	if (file < 0)
		return 0;
	if (read(file, &value, 1) != 1)
		value = 0;
	close(file);
	return value;
}

FIXTURE(container_node)
{
	bool reloaded;
};

FIXTURE_VARIANT(container_node)
{
	const char *parameters;
	bool iommufd;
};

FIXTURE_VARIANT_ADD(container_node, of_vfio) { "vfio_container=0", false };
FIXTURE_VARIANT_ADD(container_node, of_iommufd) { "vfio_container=1", true };

FIXTURE_SETUP(container_node)
{
	self->reloaded = false;
	if (access("/sys/module/vfio_iommu_type1", F_OK))
		SKIP(return, "VFIO has no container here");
	if (iommufd_is_built_in())
		SKIP(return, "iommufd is no module here");
	/* Loading takes long, and many are as they should be already */
	if (parameter() == (variant->iommufd ? 'Y' : 'N'))
		return;
	edu_topology_unbind(&topology);
	self->reloaded = true;
	ASSERT_EQ(0, reload(variant->parameters));
	ASSERT_EQ(0, edu_topology_bind(&topology));
}

FIXTURE_TEARDOWN(container_node)
{
	if (!self->reloaded)
		return;
	edu_topology_unbind(&topology);
	EXPECT_EQ(0, reload(""));
	EXPECT_EQ(0, edu_topology_bind(&topology));
}

TEST_F(container_node, is_open_to_everybody)
{
	struct stat status;

	ASSERT_EQ(0, stat(VFIO_CONTAINER, &status));
	EXPECT_EQ(S_IFCHR | 0666, status.st_mode);
	EXPECT_EQ(makedev(10, 196), status.st_rdev);
	ASSERT_EQ(0, stat(IOMMU_DEVICE, &status));
	EXPECT_EQ(S_IFCHR | 0660, status.st_mode);
}

TEST_F(container_node, answers_for_whom_it_should)
{
	int container = vfio_container_open(VFIO_CONTAINER);

	ASSERT_LE(0, container);
	EXPECT_EQ(variant->iommufd, vfio_container_is_iommufd(container));
	EXPECT_EQ(VFIO_API_VERSION, ioctl(container, VFIO_GET_API_VERSION));
	EXPECT_EQ(1, vfio_container_check(container, VFIO_TYPE1v2_IOMMU));
	close(container);
}

TEST_F(container_node, link_to_dev_iommu_is_a_container_too)
{
	const char *link = "/dev/vfio/link";
	int container;

	unlink(link);
	ASSERT_EQ(0, symlink(IOMMU_DEVICE, link));
	container = vfio_container_open(link);
	ASSERT_LE(0, container);
	EXPECT_TRUE(vfio_container_is_iommufd(container));
	EXPECT_EQ(VFIO_API_VERSION, ioctl(container, VFIO_GET_API_VERSION));
	close(container);
	unlink(link);
}

TEST_F(container_node, process_is_charged_from_the_start)
{
	__u64 by_node, by_dev_iommu;
	int container, iommufd;

	if (!variant->iommufd)
		SKIP(return, "has no such option");
	container = vfio_container_open(VFIO_CONTAINER);
	iommufd = vfio_container_open(IOMMU_DEVICE);
	ASSERT_EQ(0, iommu_option_get(container, IOMMU_OPTION_RLIMIT_MODE, 0, &by_node));
	ASSERT_EQ(0, iommu_option_get(iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, &by_dev_iommu));
	EXPECT_EQ(1, by_node);
	EXPECT_EQ(0, by_dev_iommu);
	close(container);
	close(iommufd);
}

TEST_F(container_node, device_works)
{
	struct memory memory;
	int container, group;
	struct edu edu;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, 2 * PAGE_BYTES));
	pattern_fill(memory.start, PAGE_BYTES, 1);
	container = vfio_container_open(VFIO_CONTAINER);
	group = vfio_group_open(pci_device_iommu_group(topology.own[0].name));
	ASSERT_EQ(0, vfio_group_set_container(group, container));
	ASSERT_EQ(0, vfio_container_set_iommu(container, VFIO_TYPE1_IOMMU));
	ASSERT_EQ(0, vfio_container_map(container, memory.start, memory.size, VFIO_MAP_RW, IOVA));
	ASSERT_EQ(0, edu_open_in_group(&edu, topology.own[0].name, group));
	EXPECT_EQ(0, edu_fetch(&edu, IOVA, EDU_DMA_MAX));
	EXPECT_EQ(0, edu_store(&edu, IOVA + PAGE_BYTES, EDU_DMA_MAX));
	EXPECT_EQ(EDU_DMA_MAX, pattern_match(memory.start + PAGE_BYTES, EDU_DMA_MAX, 1));
	edu_close(&edu);
	close(group);
	close(container);
	memory_free(&memory);
}
