// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who calls a container: a process that may not lock much memory, a 32 bit program,
 * two threads at once. On the kernel's own container and on /dev/iommu.
 */
#include <pthread.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "ioctl_32_bit.h"
#include "privilege.h"
#include "vfio_container.h"

#define IOVA 0x40000000UL
#define LIMIT 64
#define SIZE (LIMIT * PAGE_BYTES)

FIXTURE(container_callers)
{
	struct memory memory;
	int container;
	int group;
};

FIXTURE_VARIANT(container_callers)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_callers, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_callers, iommufd) { IOMMU_DEVICE };

FIXTURE_SETUP(container_callers)
{
	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * SIZE));
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->group = vfio_group_open(pci_device_iommu_group(topology.own[0].name));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
}

FIXTURE_TEARDOWN(container_callers)
{
	EXPECT_EQ(0, privilege_restore());
	close(self->group);
	close(self->container);
	EXPECT_EQ(0, pages_locked());
	memory_free(&self->memory);
}

static int map(struct _test_data_container_callers *self, __u64 pages, __u64 iova)
{
	return vfio_container_map(self->container, self->memory.start, pages * PAGE_BYTES,
				  VFIO_MAP_RW, iova);
}

static int drop_privileges(void)
{
	return privilege_limit_memlock(SIZE) ? : privilege_drop(privilege_fresh_user());
}

TEST_F(container_callers, process_pays_up_to_its_limit)
{
	ASSERT_EQ(0, drop_privileges());
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(LIMIT, pages_locked());
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(LIMIT, pages_locked());
	EXPECT_EQ(0, vfio_container_unmap(self->container, IOVA, SIZE, NULL));
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(container_callers, one_page_too_many_maps_none)
{
	__u64 left;

	ASSERT_EQ(0, drop_privileges());
	EXPECT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(0, vfio_container_unmap_all(self->container, &left));
	EXPECT_EQ(0, left);
}

TEST_F(container_callers, privileged_process_has_no_limit)
{
	ASSERT_EQ(0, privilege_limit_memlock(SIZE));
	EXPECT_EQ(0, map(self, 2 * LIMIT, IOVA));
	/* The kernel's own counts it, ours does not. */
	EXPECT_EQ(vfio_container_is_iommufd(self->container) ? 0 : 2 * LIMIT, pages_locked());
}

#ifdef __x86_64__
/* Arguments of a 32 bit program; their layout is the same. */
union arguments {
	struct vfio_iommu_type1_dma_map map;
	struct vfio_iommu_type1_dma_unmap unmap;
	union vfio_container_info info;
};

TEST_F(container_callers, program_of_32_bit_is_served)
{
	union arguments *arguments = allocate_32_bit(sizeof(*arguments));
	const int fd = self->container;
	__u64 left;

	ASSERT_NE(MAP_FAILED, arguments);
	EXPECT_EQ(VFIO_API_VERSION, ioctl_32_bit(fd, VFIO_GET_API_VERSION, NULL));
	EXPECT_EQ(1, ioctl_32_bit(fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU));

	arguments->info.info.argsz = sizeof(arguments->info);
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_GET_INFO, arguments));
	EXPECT_EQ(sizeof(arguments->info.info), arguments->info.info.cap_offset);

	arguments->map = (struct vfio_iommu_type1_dma_map){
		.argsz = sizeof(arguments->map), .flags = VFIO_MAP_RW,
		.vaddr = (uintptr_t)self->memory.start, .iova = IOVA, .size = SIZE,
	};
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_MAP_DMA, arguments));
	EXPECT_EQ(-EEXIST, ioctl_32_bit(fd, VFIO_IOMMU_MAP_DMA, arguments));

	arguments->unmap = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(arguments->unmap), .iova = IOVA, .size = 2 * SIZE,
	};
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_UNMAP_DMA, arguments));
	EXPECT_EQ(SIZE, arguments->unmap.size);
	EXPECT_EQ(0, vfio_container_unmap_all(fd, &left));
	EXPECT_EQ(0, left);
	munmap(arguments, sizeof(*arguments));
}
#endif

struct unmapper {
	int container;
	pthread_barrier_t *begin;
	int rc;
	__u64 unmapped;
};

static void *unmap_once(void *opaque)
{
	struct unmapper *unmapper = opaque;

	pthread_barrier_wait(unmapper->begin);
	unmapper->rc = vfio_container_unmap(unmapper->container, IOVA, SIZE, &unmapper->unmapped);
	return NULL;
}

TEST_F(container_callers, one_of_two_threads_unmaps)
{
	pthread_barrier_t begin;
	int round;

	ASSERT_EQ(0, pthread_barrier_init(&begin, NULL, 2));
	for (round = 0; round < 200; round++) {
		struct unmapper first = { .container = self->container, .begin = &begin };
		struct unmapper second = first;
		pthread_t thread;

		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_once, &first));
		unmap_once(&second);
		pthread_join(thread, NULL);
		ASSERT_EQ(0, first.rc);
		ASSERT_EQ(0, second.rc);
		/* All of it or nothing, and the one that finds nothing comes after the other. */
		ASSERT_EQ(SIZE, first.unmapped + second.unmapped);
		ASSERT_EQ(0, first.unmapped * second.unmapped);
		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		ASSERT_EQ(0, vfio_container_unmap(self->container, IOVA, SIZE, NULL));
	}
	pthread_barrier_destroy(&begin);
}
