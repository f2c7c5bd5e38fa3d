// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is driven through VFIO's older interface, on the kernel's own container
 * and on /dev/iommu: the same program, the same results. Its DMA, and what the container
 * says of itself: VFIO_CHECK_EXTENSION and the lengths of VFIO_IOMMU_GET_INFO.
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

/* Bytes of struct vfio_iommu_type1_info that every kernel has had, and all */
#define INFO_MINIMUM 16
#define INFO_SIZE 24

#define UNTOUCHED 0xa5

FIXTURE(container_info)
{
	int container;
	int group;
	bool iommufd;
};

FIXTURE_VARIANT(container_info)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_info, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_info, iommufd) { IOMMU_DEVICE };

FIXTURE_SETUP(container_info)
{
	REQUIRE_OWN_GROUPS(1);
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->iommufd = vfio_container_is_iommufd(self->container);
	self->group = vfio_group_open(pci_device_iommu_group(topology.own[0].name));
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(container_info)
{
	close(self->group);
	close(self->container);
}

static int set_up(struct _test_data_container_info *self)
{
	return vfio_group_set_container(self->group, self->container) ? :
	       vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU);
}

/* Depends on the devices or the kernel's configuration: yes or no, but no error */
#define EITHER 2

struct extension_row {
	unsigned long extension;
	/* Of the kernel's own container, before a type is set and then */
	int type1[2];
	int iommufd[2];
};

static const struct extension_row extensions[] = {
	{ 0, { 0, 0 }, { 0, 0 } },
	{ VFIO_TYPE1_IOMMU, { 1, 1 }, { 1, 1 } },
	{ VFIO_SPAPR_TCE_IOMMU, { 0, 0 }, { 0, 0 } },
	{ VFIO_TYPE1v2_IOMMU, { 1, 1 }, { 1, 1 } },
	{ VFIO_DMA_CC_IOMMU, { 0, EITHER }, { EITHER, EITHER } },
	{ VFIO_EEH, { 0, 0 }, { 0, 0 } },
	{ 6 /* VFIO_TYPE1_NESTING_IOMMU */, { 1, 1 }, { 0, 0 } },
	{ VFIO_SPAPR_TCE_v2_IOMMU, { 0, 0 }, { 0, 0 } },
	{ VFIO_NOIOMMU_IOMMU, { 0, 0 }, { EITHER, EITHER } },
	{ VFIO_UNMAP_ALL, { 1, 1 }, { 1, 1 } },
	{ VFIO_UPDATE_VADDR, { 0, 1 }, { 0, 0 } },
	{ 11, { 0, 0 }, { 0, 0 } },
	{ -1UL, { 0, 0 }, { 0, 0 } },
};

static bool answers(struct _test_data_container_info *self, const struct extension_row *row,
		    bool type_is_set)
{
	int expected = self->iommufd ? row->iommufd[type_is_set] : row->type1[type_is_set];
	int answer = vfio_container_check(self->container, row->extension);

	return expected == EITHER ? answer == 0 || answer == 1 : answer == expected;
}

TEST_F(container_info, extensions_are_there_or_not)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(extensions); i++)
		EXPECT_TRUE(answers(self, &extensions[i], false)) {
			TH_LOG("extension %lu", extensions[i].extension);
		}
	ASSERT_EQ(0, set_up(self));
	for (i = 0; i < ARRAY_SIZE(extensions); i++)
		EXPECT_TRUE(answers(self, &extensions[i], true)) {
			TH_LOG("extension %lu, type set", extensions[i].extension);
		}
}

/* Can the IOMMU of a device have it snoop caches although it asks not to? -1: not known */
static int can_enforce_coherency(const char *address)
{
	unsigned long long capabilities;
	char path[128];
	FILE *file;
	int count;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu/intel-iommu/ecap", address);
	file = fopen(path, "r");
	if (!file)
		return -1;
	count = fscanf(file, "%llx", &capabilities);
	fclose(file);
	/* VT-d: snoop control */
	return count == 1 ? (int)(capabilities >> 7 & 1) : -1;
}

TEST_F(container_info, caches_are_coherent_if_the_iommu_can_enforce_it)
{
	int expected = can_enforce_coherency(topology.own[0].name);

	if (expected < 0)
		SKIP(return, "needs a VT-d that tells its capabilities");
	ASSERT_EQ(0, set_up(self));
	EXPECT_EQ(expected, vfio_container_check(self->container, VFIO_DMA_CC_IOMMU));
}

static int read_info(int container, __u8 *room, size_t size, __u32 argsz)
{
	memset(room, UNTOUCHED, size);
	memcpy(room, &argsz, sizeof(argsz));
	return ioctl(container, VFIO_IOMMU_GET_INFO, room) ? -errno : 0;
}

static bool is_untouched(const __u8 *room, size_t first, size_t end)
{
	while (first != end)
		if (room[first++] != UNTOUCHED)
			return false;
	return true;
}

TEST_F(container_info, capabilities_that_do_not_fit_are_left_out)
{
	union vfio_container_info full, part;
	__u32 size, argsz;

	ASSERT_EQ(0, set_up(self));
	/* It says what it needs... */
	ASSERT_EQ(0, read_info(self->container, part.room, sizeof(part), INFO_SIZE));
	size = part.info.argsz;
	ASSERT_LT(INFO_SIZE, size);
	ASSERT_GE(sizeof(full), size);
	/* ...and more than that is not written. */
	ASSERT_EQ(0, read_info(self->container, full.room, sizeof(full), size));
	EXPECT_EQ(size, full.info.argsz);
	EXPECT_EQ(INFO_SIZE, full.info.cap_offset);
	EXPECT_TRUE(is_untouched(full.room, size, sizeof(full)));

	for (argsz = INFO_MINIMUM; argsz < size; argsz++) {
		__u32 end = argsz < INFO_SIZE ? argsz : INFO_SIZE;

		ASSERT_EQ(0, read_info(self->container, part.room, sizeof(part), argsz));
		EXPECT_EQ(size, part.info.argsz);
		EXPECT_EQ(full.info.flags, part.info.flags);
		EXPECT_EQ(full.info.iova_pgsizes, part.info.iova_pgsizes);
		if (argsz >= INFO_SIZE)
			EXPECT_EQ(0, part.info.cap_offset);
		EXPECT_TRUE(is_untouched(part.room, end, sizeof(part))) {
			TH_LOG("%u bytes", argsz);
		}
	}
}

TEST_F(container_info, capabilities_are_a_chain)
{
	const __u16 ids[] = {
		VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
		VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
	};
	const struct vfio_info_cap_header *header;
	union vfio_container_info info;
	__u32 offset;
	size_t i;

	ASSERT_EQ(0, set_up(self));
	ASSERT_EQ(0, vfio_container_info(self->container, &info));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS, info.info.flags);
	offset = info.info.cap_offset;
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		ASSERT_NE(0, offset);
		EXPECT_EQ(0, offset % 8);
		header = (const void *)&info.room[offset];
		EXPECT_EQ(ids[i], header->id);
		EXPECT_EQ(1, header->version);
		offset = header->next;
	}
	EXPECT_EQ(0, offset);
}
