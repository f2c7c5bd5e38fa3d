// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a container says of itself: VFIO_CHECK_EXTENSION and the lengths of
 * VFIO_IOMMU_GET_INFO. On the kernel's own container and on /dev/iommu.
 */
#include "edu_fixture.h"
#include "vfio_container.h"

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
