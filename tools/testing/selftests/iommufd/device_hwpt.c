// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that were asked for with IOMMU_HWPT_ALLOC, on a real IOMMU driver:
 * DMA through them, several on one IOAS, several devices on one, and moves from
 * one to the next while a device does DMA.
 */
#include <pthread.h>

#include "edu_fixture.h"
#include "edu_staging.h"
#include "watchdog.h"

#define SIZE (4 * PAGE_BYTES)
#define IOVA 0x1200000000ULL
#define BACKGROUND 0x5a
#define SECONDS 6
/* The device is moved more often, and at least one transfer arrives */
#define MOVES 10

FIXTURE(device_hwpt)
{
	int iommufd;
	__u32 ioas[2];
	__u32 hwpt[2];
	struct edu edu[2];
	struct edu_staging staging[2];
	/* Each in the IOAS of its number */
	struct memory memory[2];
	bool stop;
	unsigned int moves;
	int error;
};

FIXTURE_SETUP(device_hwpt)
{
	int i;

	REQUIRE_OWN_GROUPS(2);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[i]));
		ASSERT_EQ(0, edu_open(&self->edu[i], topology.own[i].name, self->iommufd));
		ASSERT_EQ(0, memory_allocate(&self->memory[i], MEMORY_ANONYMOUS, SIZE));
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[i],
						  self->memory[i].start, SIZE, IOMMU_MAP_RW,
						  IOVA));
	}
	ASSERT_EQ(0, edu_staging_create(&self->staging[0], &self->edu[0], self->iommufd,
					self->ioas[0]));
	ASSERT_EQ(0, edu_staging_map(&self->staging[0], self->iommufd, self->ioas[1]));
}

FIXTURE_TEARDOWN(device_hwpt)
{
	int i;

	for (i = 0; i < 2; i++)
		edu_close(&self->edu[i]);
	close(self->iommufd);
	EXPECT_EQ(0, memory_status("VmPin"));
	edu_staging_destroy(&self->staging[0]);
	for (i = 0; i < 2; i++)
		memory_free(&self->memory[i]);
}

static int alloc(FIXTURE_DATA(device_hwpt) *self, int device, __u32 ioas, __u32 flags, __u32 *hwpt)
{
	return iommu_hwpt_alloc(self->iommufd, self->edu[device].device.id, ioas, flags, hwpt);
}

/* Attaches or moves; it must end up where it was told to. */
static int attach(FIXTURE_DATA(device_hwpt) *self, int device, __u32 hwpt)
{
	__u32 pt_id = hwpt;
	int rc = vfio_device_attach(&self->edu[device].device, &pt_id);

	return rc ? : pt_id == hwpt ? 0 : -EDOM;
}

static bool writes(FIXTURE_DATA(device_hwpt) *self, int memory, uint32_t seed)
{
	return device_writes(&self->staging[0], IOVA, self->memory[memory].start, seed);
}

TEST_F(device_hwpt, dma_reaches_what_was_mapped_before_and_after)
{
	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_TRUE(writes(self, 0, 1));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[0], self->memory[1].start,
					  SIZE, IOMMU_MAP_RW, IOVA + SIZE));
	ASSERT_TRUE(device_writes(&self->staging[0], IOVA + SIZE + 4079,
				  self->memory[1].start + 4079, 2));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas[0], IOVA, SIZE, NULL));
	ASSERT_FALSE(writes(self, 0, 3));
}

TEST_F(device_hwpt, two_devices_share_one)
{
	struct edu_staging second = { .edu = &self->edu[1], .memory = self->staging[0].memory };

	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_EQ(0, attach(self, 1, self->hwpt[0]));
	ASSERT_TRUE(writes(self, 0, 1));
	ASSERT_TRUE(device_writes(&second, IOVA, self->memory[0].start, 2));
	/* One goes, the other one keeps it */
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_FALSE(writes(self, 0, 3));
	ASSERT_TRUE(device_writes(&second, IOVA, self->memory[0].start, 4));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->hwpt[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_FALSE(device_writes(&second, IOVA, self->memory[0].start, 5));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->hwpt[0]));
}

TEST_F(device_hwpt, devices_on_two_tables_of_one_ioas_reach_the_same_memory)
{
	struct edu_staging second = { .edu = &self->edu[1], .memory = self->staging[0].memory };

	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(0, alloc(self, 1, self->ioas[0], 0, &self->hwpt[1]));
	ASSERT_EQ(4 * 4 + 2 * 4, memory_status("VmPin"));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_EQ(0, attach(self, 1, self->hwpt[1]));
	ASSERT_TRUE(writes(self, 0, 1));
	ASSERT_TRUE(device_writes(&second, IOVA, self->memory[0].start, 2));
	ASSERT_EQ(0, iommu_ioas_unmap(self->iommufd, self->ioas[0], IOVA, SIZE, NULL));
	ASSERT_FALSE(writes(self, 0, 3));
	ASSERT_FALSE(device_writes(&second, IOVA, self->memory[0].start, 4));
}

TEST_F(device_hwpt, device_moves_to_another_table_of_its_ioas_and_the_old_one_can_go)
{
	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[1]));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[1]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->hwpt[0]));
	ASSERT_TRUE(writes(self, 0, 1));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
}

TEST_F(device_hwpt, reserves_its_aperture_at_once_and_the_devices_ranges_with_the_attach)
{
	struct iommu_iova_range range;
	__u32 count = 1;

	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->iommufd, self->ioas[0], &range, &count, NULL));
	ASSERT_EQ(0, range.start);
	ASSERT_LT(MSI_WINDOW_LAST, range.last);
	ASSERT_GT(UINT64_MAX, range.last);
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(1, count_ranges(self->iommufd, self->ioas[0]));
}

TEST_F(device_hwpt, mapping_in_the_msi_window_is_in_the_way_of_the_attach_alone)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[0], self->memory[1].start,
					  SIZE, IOMMU_MAP_RW, MSI_WINDOW_START));
	ASSERT_EQ(0, alloc(self, 0, self->ioas[0], 0, &self->hwpt[0]));
	ASSERT_EQ(-EADDRINUSE, attach(self, 0, self->hwpt[0]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->hwpt[0]));
}

static void *move_back_and_forth(void *argument)
{
	FIXTURE_DATA(device_hwpt) *self = argument;
	const struct timespec pause = { .tv_nsec = 3 * 1000 * 1000 };
	int rc = 0;

	while (!rc && !__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		rc = attach(self, 0, self->hwpt[++self->moves % 2]);
		nanosleep(&pause, NULL);
	}
	self->error = rc;
	return NULL;
}

/* How many bytes of a transfer are in the one memory or the other. */
struct landing {
	size_t arrived;
	size_t wrong;
};

/*
 * The transfer writes the bytes of @wanted, none of them BACKGROUND, in the middle of
 * memory that is nothing else. A byte may be in one of both, not in both, and
 * nothing else may have changed.
 */
static struct landing look_for(FIXTURE_DATA(device_hwpt) *self, size_t offset,
			       const uint8_t *wanted)
{
	struct landing landing = {};
	size_t i;

	for (i = 0; i < SIZE; i++) {
		uint8_t first = self->memory[0].start[i], second = self->memory[1].start[i];

		if (first == BACKGROUND && second == BACKGROUND)
			continue;
		if (i < offset || i >= offset + EDU_DMA_MAX ||
		    (first != BACKGROUND && second != BACKGROUND) ||
		    (first == BACKGROUND ? second : first) != wanted[i - offset])
			landing.wrong++;
		else
			landing.arrived++;
	}
	return landing;
}

/* Fills the device's buffer while it stays where it is. */
static int load(FIXTURE_DATA(device_hwpt) *self, const uint8_t *bytes)
{
	memcpy(self->staging[0].memory.start, bytes, EDU_DMA_MAX);
	return edu_fetch(&self->edu[0], STAGING_IOVA, EDU_DMA_MAX);
}

static struct landing store(FIXTURE_DATA(device_hwpt) *self, const uint8_t *bytes)
{
	/* Over the end of a page */
	const size_t offset = PAGE_BYTES / 2;
	struct landing wrong = { .wrong = 1 };
	int i;

	for (i = 0; i < 2; i++)
		memset(self->memory[i].start, BACKGROUND, SIZE);
	if (edu_store(&self->edu[0], IOVA + offset, EDU_DMA_MAX))
		return wrong;
	return look_for(self, offset, bytes);
}

static bool has_moved(FIXTURE_DATA(device_hwpt) *self)
{
	return __atomic_load_n(&self->moves, __ATOMIC_RELAXED) > MOVES;
}

/*
 * A driver that cannot move a device without blocking it for a moment (VT-d) may
 * lose what the device writes in this moment, but nothing goes anywhere else.
 */
TEST_F_TIMEOUT(device_hwpt, moves_under_dma_misdirect_no_byte, 60)
{
	unsigned int whole = 0, lost = 0, i;
	uint8_t bytes[EDU_DMA_MAX];
	pthread_t thread;
	time_t end;

	for (i = 0; i < EDU_DMA_MAX; i++)
		bytes[i] = i % 0x59 + 1;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, alloc(self, 0, self->ioas[i], 0, &self->hwpt[i]));
	ASSERT_EQ(0, attach(self, 0, self->hwpt[0]));
	ASSERT_EQ(0, load(self, bytes));
	ASSERT_EQ(0, pthread_create(&thread, NULL, move_back_and_forth, self));
	end = watchdog_now() + SECONDS;
	while (watchdog_goes_on(end, whole && has_moved(self))) {
		struct landing landing = store(self, bytes);

		EXPECT_EQ(0, landing.wrong);
		whole += landing.arrived == EDU_DMA_MAX;
		lost += landing.arrived != EDU_DMA_MAX;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, self->error);
	TH_LOG("%u moves, %u transfers arrived in whole, %u not", self->moves, whole, lost);
	EXPECT_TRUE(has_moved(self));
	EXPECT_LT(0, whole);
	/* At rest every byte arrives */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, attach(self, 0, self->hwpt[i]));
		EXPECT_EQ(EDU_DMA_MAX, store(self, bytes).arrived);
		EXPECT_EQ(bytes[0], self->memory[i].start[PAGE_BYTES / 2]);
	}
}
