// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA of a device that is driven through VFIO's older interface, on the kernel's
 * own container and on /dev/iommu: the same program, the same results.
 */
#include "edu_fixture.h"
#include "vfio_container.h"

#define SIZE MEMORY_HUGE_PAGE_SIZE
#define IOVA 0x40000000UL
#define OTHER_IOVA 0x80000000UL

FIXTURE(container)
{
	int fd;
	int group;
	struct edu edu;
	struct memory source;
	struct memory target;
};

FIXTURE_VARIANT(container)
{
	const char *node;
	unsigned long type;
};

FIXTURE_VARIANT_ADD(container, type1_v1) { VFIO_CONTAINER, VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(container, type1_v2) { VFIO_CONTAINER, VFIO_TYPE1v2_IOMMU };
FIXTURE_VARIANT_ADD(container, iommufd_v1) { IOMMU_DEVICE, VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(container, iommufd_v2) { IOMMU_DEVICE, VFIO_TYPE1v2_IOMMU };

FIXTURE_SETUP(container)
{
	const char *address = topology.own[0].name;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, memory_allocate(&self->source, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, memory_allocate(&self->target, MEMORY_MEMFD, SIZE));
	self->fd = vfio_container_open(variant->node);
	ASSERT_LE(0, self->fd);
	self->group = vfio_group_open(pci_device_iommu_group(address));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->fd));
	ASSERT_EQ(0, vfio_container_set_iommu(self->fd, variant->type));
	self->edu.device.fd = -1;
}

FIXTURE_TEARDOWN(container)
{
	edu_close(&self->edu);
	close(self->group);
	close(self->fd);
	memory_free(&self->source);
	memory_free(&self->target);
}

static int open_device(struct _test_data_container *self)
{
	return edu_open_in_group(&self->edu, topology.own[0].name, self->group);
}

static int map_both(struct _test_data_container *self)
{
	return vfio_container_map(self->fd, self->source.start, SIZE, VFIO_DMA_MAP_FLAG_READ,
				  IOVA) ?:
	       vfio_container_map(self->fd, self->target.start, SIZE, VFIO_MAP_RW, OTHER_IOVA);
}

/* The device copies; returns whether the target has it, and nothing around it. */
static bool device_copies(struct _test_data_container *self, size_t offset)
{
	const size_t size = EDU_DMA_MAX;

	pattern_fill(self->source.start + offset, size, offset + 1);
	memset(self->target.start, 0x5a, SIZE);
	if (edu_fetch(&self->edu, IOVA + offset, size) ||
	    edu_store(&self->edu, OTHER_IOVA + offset, size))
		return false;
	return pattern_match(self->target.start + offset, size, offset + 1) == size &&
	       (!offset || self->target.start[offset - 1] == 0x5a) &&
	       (offset + size == SIZE || self->target.start[offset + size] == 0x5a);
}

TEST_F(container, device_reaches_what_was_mapped_before_it_was_opened)
{
	ASSERT_EQ(0, map_both(self));
	ASSERT_EQ(0, open_device(self));
	EXPECT_TRUE(device_copies(self, 0));
	EXPECT_TRUE(device_copies(self, 5 * PAGE_BYTES - 7));
	EXPECT_TRUE(device_copies(self, SIZE - EDU_DMA_MAX));
}

TEST_F(container, device_reaches_what_was_mapped_after_it_was_opened)
{
	ASSERT_EQ(0, open_device(self));
	ASSERT_EQ(0, map_both(self));
	EXPECT_TRUE(device_copies(self, 0));
	EXPECT_TRUE(device_copies(self, 5 * PAGE_BYTES - 7));
	EXPECT_TRUE(device_copies(self, SIZE - EDU_DMA_MAX));
}

TEST_F(container, device_reaches_nothing_that_was_unmapped)
{
	__u64 unmapped;

	ASSERT_EQ(0, map_both(self));
	ASSERT_EQ(0, open_device(self));
	ASSERT_TRUE(device_copies(self, 0));
	memset(self->target.start, 0x5a, SIZE);
	ASSERT_EQ(0, vfio_container_unmap(self->fd, OTHER_IOVA, SIZE, &unmapped));
	ASSERT_EQ(SIZE, unmapped);
	EXPECT_EQ(0, edu_store(&self->edu, OTHER_IOVA, EDU_DMA_MAX));
	EXPECT_EQ(0x5a, self->target.start[0]);
	EXPECT_EQ(0x5a, self->target.start[EDU_DMA_MAX - 1]);
}
