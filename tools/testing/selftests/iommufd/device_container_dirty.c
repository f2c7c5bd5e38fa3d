// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking of a container whose IOMMU does not track: the rules of its
 * requests as tables, and the answer, which is that devices may have written to all
 * that they can reach. On the kernel's own container and on /dev/iommu.
 *
 * What is answered if the IOMMU tracks is in mock_container_dirty.c.
 */
#include "edu_fixture.h"
#include "vfio_container.h"

#define START VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define GET VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP

/* Two mappings side by side, and behind a hole one that can only be read */
#define IOVA 0x10000UL
#define SECOND_IOVA 0x14000UL
#define READ_ONLY_IOVA 0x20000UL
#define SIZE 0x4000UL
#define BOTH (2 * SIZE)
#define ALL (READ_ONLY_IOVA + SIZE - IOVA)

#define LAST_PAGE 0xfffffffffffff000UL

FIXTURE(container_dirty)
{
	struct memory memory;
	int container;
	int group;
	bool iommufd;
	__u64 bits[2];
};

FIXTURE_VARIANT(container_dirty)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_dirty, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_dirty, iommufd) { IOMMU_DEVICE };

static int map_all(struct _test_data_container_dirty *self)
{
	const __u8 *start = self->memory.start;

	return vfio_container_map(self->container, start, SIZE, VFIO_MAP_RW, IOVA) ? :
	       vfio_container_map(self->container, start, SIZE, VFIO_MAP_RW, SECOND_IOVA) ? :
	       vfio_container_map(self->container, start, SIZE, VFIO_DMA_MAP_FLAG_READ,
				  READ_ONLY_IOVA);
}

FIXTURE_SETUP(container_dirty)
{
	const char *address = topology.own[0].name;

	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->iommufd = vfio_container_is_iommufd(self->container);
	self->group = vfio_group_open(pci_device_iommu_group(address));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, map_all(self));
}

FIXTURE_TEARDOWN(container_dirty)
{
	close(self->group);
	close(self->container);
	memory_free(&self->memory);
}

static struct vfio_bitmap bitmap_for(struct _test_data_container_dirty *self)
{
	memset(self->bits, 0, sizeof(self->bits));
	return (struct vfio_bitmap){
		.pgsize = PAGE_BYTES, .size = sizeof(self->bits), .data = self->bits,
	};
}

static int read_range(struct _test_data_container_dirty *self, __u64 iova, __u64 length)
{
	struct vfio_bitmap bitmap = bitmap_for(self);

	return vfio_container_dirty(self->container, iova, length, &bitmap);
}

/* Ours knows that nobody writes where nobody may. */
static __u64 expected_bits(struct _test_data_container_dirty *self)
{
	return self->iommufd ? 0x000ff : 0xf00ff;
}

/*
 * From the second time on, the kernel's own also sets bits beside those of a mapping
 * that does not begin with a word: it forgets to clear what it has shifted.
 */
static bool dirty_are(struct _test_data_container_dirty *self, __u64 expected)
{
	if (!self->iommufd)
		return (self->bits[0] & expected) == expected;
	return self->bits[0] == expected && !self->bits[1];
}

TEST_F(container_dirty, all_that_devices_reach_is_dirty_again_and_again)
{
	int i;

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, read_range(self, IOVA, ALL));
		EXPECT_TRUE(dirty_are(self, expected_bits(self)));
	}
	EXPECT_EQ(0, read_range(self, SECOND_IOVA, SIZE));
	EXPECT_TRUE(dirty_are(self, 0xf));
}

TEST_F(container_dirty, nothing_is_dirty_where_nothing_is_mapped)
{
	struct vfio_bitmap bitmap = bitmap_for(self);

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	self->bits[1] = 0x0500;
	EXPECT_EQ(0, vfio_container_dirty(self->container, IOVA, 128 * PAGE_BYTES, &bitmap));
	EXPECT_EQ(expected_bits(self), self->bits[0]);
	EXPECT_EQ(0x0500, self->bits[1]);
	EXPECT_EQ(0, read_range(self, 0x40000000, 64 * PAGE_BYTES));
	EXPECT_EQ(0, self->bits[0]);
}

TEST_F(container_dirty, what_is_mapped_later_is_dirty_too)
{
	ASSERT_EQ(0, vfio_container_track(self->container, START));
	ASSERT_EQ(0, vfio_container_map(self->container, self->memory.start, SIZE, VFIO_MAP_RW,
					IOVA + BOTH));
	EXPECT_EQ(0, read_range(self, IOVA, ALL));
	EXPECT_EQ(expected_bits(self) | 0xf00, self->bits[0]);
}

TEST_F(container_dirty, start_and_stop_can_be_repeated)
{
	int i;

	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, vfio_container_track(self->container, STOP));
	EXPECT_EQ(-EINVAL, read_range(self, IOVA, ALL));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, vfio_container_track(self->container, START));
	EXPECT_EQ(0, read_range(self, IOVA, ALL));
	EXPECT_EQ(0, vfio_container_track(self->container, STOP));
	EXPECT_EQ(-EINVAL, read_range(self, IOVA, ALL));
}

TEST_F(container_dirty, exactly_one_known_flag_is_wanted)
{
	const __u32 flags[] = { START | STOP, START | GET, STOP | GET, START | STOP | GET,
				8, START | 8, 1U << 31 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, vfio_container_track(self->container, flags[i]));
}

TEST_F(container_dirty, argument_that_is_too_short_is_EINVAL)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap dirty;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} args = { .dirty = { .argsz = 7, .flags = START } };

	EXPECT_EQ(-1, ioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &args));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, vfio_container_track(self->container, START));
	args.dirty = (struct vfio_iommu_type1_dirty_bitmap){
		.argsz = sizeof(args) - 1, .flags = GET,
	};
	args.range = (struct vfio_iommu_type1_dirty_bitmap_get){
		.iova = IOVA, .size = ALL, .bitmap = bitmap_for(self),
	};
	EXPECT_EQ(-1, ioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &args));
	EXPECT_EQ(EINVAL, errno);
	args.dirty.argsz++;
	EXPECT_EQ(0, ioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &args));
}

TEST_F(container_dirty, argument_that_cannot_be_read_is_EFAULT)
{
	EXPECT_EQ(-1, ioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, NULL));
	EXPECT_EQ(EFAULT, errno);
}

struct range_row {
	const char *what;
	__u64 iova;
	__u64 length;
	__u64 pgsize;
	__u64 bytes;
	int result;
	/* If not 0: what UNMAP_DMA answers instead on /dev/iommu */
	int iommufd_unmap_result;
};

/* What is refused is refused by both requests that take a bitmap. */
static const struct range_row range_rows[] = {
	{ "no length", IOVA, 0, 4096, 8, .result = -EINVAL },
	{ "length not aligned", IOVA, BOTH - 512, 4096, 8, .result = -EINVAL },
	{ "IOVA not aligned", IOVA + 512, SIZE, 4096, 8, .result = -EINVAL },
	{ "around the end", LAST_PAGE, 0x2000, 4096, 8, .result = -EINVAL,
	  .iommufd_unmap_result = -EOVERFLOW },
	{ "bits for other pages", IOVA, BOTH, 8192, 8, .result = -EINVAL },
	{ "bits for smaller pages", IOVA, BOTH, 2048, 8, .result = -EINVAL },
	{ "no bitmap", IOVA, BOTH, 4096, 0, .result = -EINVAL },
	{ "less than a word", IOVA, BOTH, 4096, 7, .result = -EINVAL },
	{ "a word too few", 0, 65 * 4096, 4096, 8, .result = -EINVAL },
	{ "a bitmap beyond all addresses", IOVA, BOTH, 4096, 1ULL << 62, .result = -EINVAL },
	{ "half of the first one", IOVA, SIZE / 2, 4096, 8, .result = -EINVAL },
	{ "half of the first one, and the second", IOVA + SIZE / 2, SIZE + SIZE / 2, 4096, 8,
	  .result = -EINVAL },
	{ "from below, half of the first one", 0, IOVA + SIZE / 2, 4096, 8, .result = -EINVAL },
};

static int unmap_range(struct _test_data_container_dirty *self, const struct range_row *row)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped;
	int rc;

	bitmap.pgsize = row->pgsize;
	bitmap.size = row->bytes;
	rc = vfio_container_unmap_dirty(self->container, row->iova, row->length, &bitmap,
					&unmapped);
	return rc && unmapped != row->length ? 1 : rc;
}

TEST_F(container_dirty, wrong_ranges_and_bitmaps_are_refused)
{
	size_t i;

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	for (i = 0; i < ARRAY_SIZE(range_rows); i++) {
		const struct range_row *row = &range_rows[i];
		struct vfio_bitmap bitmap = bitmap_for(self);
		int unmap = row->result;

		if (self->iommufd && row->iommufd_unmap_result)
			unmap = row->iommufd_unmap_result;
		bitmap.pgsize = row->pgsize;
		bitmap.size = row->bytes;
		EXPECT_EQ(row->result, vfio_container_dirty(self->container, row->iova,
							    row->length, &bitmap)) {
			TH_LOG("%s", row->what);
		}
		EXPECT_EQ(unmap, unmap_range(self, row)) {
			TH_LOG("unmap: %s", row->what);
		}
		EXPECT_EQ(0, self->bits[0]);
	}
	/* And nothing has changed. */
	EXPECT_EQ(0, read_range(self, IOVA, ALL));
	EXPECT_EQ(expected_bits(self), self->bits[0]);
}

TEST_F(container_dirty, bitmap_that_is_not_there_is_EFAULT)
{
	struct vfio_bitmap bitmap = { .pgsize = PAGE_BYTES, .size = 8, .data = (void *)8 };
	__u64 unmapped, left;

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	EXPECT_EQ(-EFAULT, vfio_container_dirty(self->container, IOVA, BOTH, &bitmap));
	EXPECT_EQ(-EFAULT, vfio_container_unmap_dirty(self->container, IOVA, BOTH, &bitmap,
						      &unmapped));
	EXPECT_EQ(0, vfio_container_unmap_all(self->container, &left));
	EXPECT_EQ(3 * SIZE, left);
}

TEST_F(container_dirty, unmap_tells_what_was_dirty)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped, left;

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	ASSERT_EQ(0, vfio_container_unmap_dirty(self->container, IOVA, BOTH, &bitmap, &unmapped));
	EXPECT_EQ(BOTH, unmapped);
	EXPECT_EQ(0xff, self->bits[0]);
	ASSERT_EQ(0, vfio_container_unmap_all(self->container, &left));
	EXPECT_EQ(SIZE, left);
}

TEST_F(container_dirty, unmap_of_nothing_tells_nothing)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped;

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	ASSERT_EQ(0, vfio_container_unmap_dirty(self->container, 0x40000000, SIZE, &bitmap,
						&unmapped));
	EXPECT_EQ(0, unmapped);
	EXPECT_EQ(0, self->bits[0]);
}

TEST_F(container_dirty, unmap_with_a_bitmap_needs_tracking)
{
	struct vfio_bitmap bitmap = bitmap_for(self);
	__u64 unmapped;

	EXPECT_EQ(-EINVAL, vfio_container_unmap_dirty(self->container, IOVA, BOTH, &bitmap,
						      &unmapped));
}

TEST_F(container_dirty, unmap_of_all_has_no_bitmap)
{
	struct {
		struct vfio_iommu_type1_dma_unmap unmap;
		struct vfio_bitmap bitmap;
	} args = {
		.unmap = {
			.argsz = sizeof(args),
			.flags = VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		},
		.bitmap = bitmap_for(self),
	};

	ASSERT_EQ(0, vfio_container_track(self->container, START));
	EXPECT_EQ(-1, ioctl(self->container, VFIO_IOMMU_UNMAP_DMA, &args));
	EXPECT_EQ(EINVAL, errno);
	args.unmap = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(args) - 1, .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.iova = IOVA, .size = BOTH,
	};
	EXPECT_EQ(-1, ioctl(self->container, VFIO_IOMMU_UNMAP_DMA, &args));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(container_dirty, ends_with_the_last_group)
{
	ASSERT_EQ(0, vfio_container_track(self->container, START));
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, read_range(self, IOVA, ALL));
}

TEST_F(container_dirty, version_1_is_EACCES)
{
	ASSERT_EQ(0, vfio_group_unset_container(self->group));
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EACCES, vfio_container_track(self->container, START));
	EXPECT_EQ(-EACCES, vfio_container_track(self->container, STOP));
	EXPECT_EQ(-EACCES, vfio_container_track(self->container, 0));
	EXPECT_EQ(-EACCES, read_range(self, IOVA, ALL));
}

TEST_F(container_dirty, capability_says_what_bitmaps_are_like)
{
	const struct vfio_iommu_type1_info_cap_migration *capability;
	union vfio_container_info info;

	ASSERT_EQ(0, vfio_container_info(self->container, &info));
	capability = vfio_container_capability(&info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	ASSERT_NE(NULL, capability);
	EXPECT_EQ(0, capability->flags);
	EXPECT_EQ(PAGE_BYTES, capability->pgsize_bitmap);
	/* Of all IOVAs, or nearly 8 TiB of them */
	EXPECT_EQ(self->iommufd ? 1ULL << 49 : 256ULL << 20, capability->max_dirty_bitmap_size);
}

TEST(needs_an_ioas)
{
	int fd = iommu_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENODEV, vfio_container_track(fd, START));
	close(fd);
}
