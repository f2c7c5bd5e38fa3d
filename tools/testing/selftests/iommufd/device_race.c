// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching, replacing, detaching and destroying while a device does DMA and
 * other threads use the same IOAS. What is mapped all the time is reached all
 * the time; nothing is left at the end.
 */
#include <pthread.h>

#include "edu_fixture.h"
#include "edu_staging.h"
#include "watchdog.h"

#define SIZE (16 * PAGE_BYTES)
#define IOVA 0x1200000000ULL
#define SECONDS 4
/* Each test goes on until there were more, added up for all its threads */
#define ROUNDS 10

FIXTURE(device_race)
{
	int iommufd;
	__u32 ioas[2];
	struct edu edu;
	struct edu_staging staging;
	struct memory memory;
	bool stop;
	unsigned int rounds;
	int error;
};

FIXTURE_SETUP(device_race)
{
	__u32 pt_id;
	int i;

	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[0]));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[1]));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->edu, self->iommufd,
					self->ioas[0]));
	ASSERT_EQ(0, edu_staging_map(&self->staging, self->iommufd, self->ioas[1]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[i],
						  self->memory.start, SIZE, IOMMU_MAP_RW, IOVA));
	pt_id = self->ioas[0];
	ASSERT_EQ(0, vfio_device_attach(&self->edu.device, &pt_id));
}

FIXTURE_TEARDOWN(device_race)
{
	edu_close(&self->edu);
	close(self->iommufd);
	EXPECT_EQ(0, memory_status("VmPin"));
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
}

static bool is_running(FIXTURE_DATA(device_race) *self)
{
	return !__atomic_load_n(&self->stop, __ATOMIC_RELAXED);
}

/* The first error ends the thread that saw it and is kept. */
static bool went_well(FIXTURE_DATA(device_race) *self, int rc)
{
	int none = 0;

	if (!rc)
		return true;
	__atomic_compare_exchange_n(&self->error, &none, rc, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return false;
}

static void *map_and_unmap(void *argument)
{
	FIXTURE_DATA(device_race) *self = argument;
	__u64 iova, unmapped;
	__u32 i = 0;
	int rc;

	while (is_running(self)) {
		rc = iommu_ioas_map(self->iommufd, self->ioas[i++ % 2], self->memory.start, SIZE,
				    IOMMU_MAP_RW, &iova);
		if (!rc)
			rc = iommu_ioas_unmap(self->iommufd, self->ioas[(i - 1) % 2], iova, SIZE,
					      &unmapped);
		if (!went_well(self, rc))
			break;
		__atomic_add_fetch(&self->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *replace(void *argument)
{
	FIXTURE_DATA(device_race) *self = argument;
	__u32 i = 0, pt_id;

	while (is_running(self)) {
		pt_id = self->ioas[++i % 2];
		if (!went_well(self, vfio_device_attach(&self->edu.device, &pt_id)))
			break;
		__atomic_add_fetch(&self->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *attach_and_detach(void *argument)
{
	FIXTURE_DATA(device_race) *self = argument;
	__u32 pt_id;
	int rc;

	while (is_running(self)) {
		pt_id = self->ioas[0];
		rc = vfio_device_attach(&self->edu.device, &pt_id);
		if (!rc)
			rc = vfio_device_detach(&self->edu.device);
		if (!went_well(self, rc))
			break;
		__atomic_add_fetch(&self->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * Tries to take away what the other threads use. An automatic HWPT that is in
 * use for a moment when the device leaves it stays, and then it is for this
 * thread to destroy.
 */
static void *destroy(void *argument)
{
	FIXTURE_DATA(device_race) *self = argument;
	__u32 id;
	int rc;

	while (is_running(self)) {
		for (id = self->ioas[1] + 1; id < self->ioas[1] + 4; id++) {
			rc = iommu_destroy(self->iommufd, id);
			if (rc != -EBUSY && rc != -ENOENT && !went_well(self, rc))
				return NULL;
		}
	}
	return NULL;
}

static void *copy_and_unmap(void *argument)
{
	FIXTURE_DATA(device_race) *self = argument;
	__u64 iova;
	int rc;

	while (is_running(self)) {
		rc = iommu_ioas_copy(self->iommufd, self->ioas[0], IOVA + PAGE_BYTES,
				     4 * PAGE_BYTES, self->ioas[1], IOMMU_MAP_RW, &iova);
		if (!rc)
			rc = iommu_ioas_unmap(self->iommufd, self->ioas[1], iova, 4 * PAGE_BYTES,
					      NULL);
		if (!went_well(self, rc))
			break;
	}
	return NULL;
}

static bool goes_on(FIXTURE_DATA(device_race) *self, time_t end)
{
	return watchdog_goes_on(end, __atomic_load_n(&self->error, __ATOMIC_RELAXED) ||
				     __atomic_load_n(&self->rounds, __ATOMIC_RELAXED) > ROUNDS);
}

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(device_race) *self,
		void *(* const *functions)(void *), int count)
{
	pthread_t threads[4];
	time_t end = watchdog_now() + SECONDS;
	int i;

	for (i = 0; i < count; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, functions[i], self));
	while (goes_on(self, end)) {
		if (edu_store(&self->edu, IOVA, EDU_DMA_MAX))
			break;
	}
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0, self->error);
	ASSERT_LT(ROUNDS, self->rounds);
}

static int attach_first(FIXTURE_DATA(device_race) *self)
{
	__u32 pt_id = self->ioas[0];

	return vfio_device_attach(&self->edu.device, &pt_id);
}

TEST_F(device_race, dma_goes_on_while_others_map_and_unmap)
{
	void *(*functions[])(void *) = { map_and_unmap, map_and_unmap };
	pthread_t threads[2];
	uint32_t seed = 0;
	time_t end = watchdog_now() + SECONDS;
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, functions[i], self));
	while (goes_on(self, end))
		EXPECT_TRUE(device_writes(&self->staging, IOVA + 4079, self->memory.start + 4079,
					  ++seed));
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0, self->error);
	ASSERT_LT(ROUNDS, self->rounds);
}

TEST_F(device_race, replace_back_and_forth_under_dma)
{
	void *(*functions[])(void *) = { replace };

	run(_metadata, self, functions, 1);
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
}

TEST_F(device_race, replace_while_others_map_copy_and_destroy)
{
	void *(*functions[])(void *) = { replace, map_and_unmap, copy_and_unmap, destroy };

	run(_metadata, self, functions, 4);
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
}

TEST_F(device_race, attach_and_detach_while_others_map_and_destroy)
{
	void *(*functions[])(void *) = { attach_and_detach, map_and_unmap, map_and_unmap, destroy };

	run(_metadata, self, functions, 4);
	ASSERT_EQ(0, attach_first(self));
	ASSERT_TRUE(device_writes(&self->staging, IOVA, self->memory.start, 1));
}

TEST_F(device_race, close_of_device_and_context_while_others_map)
{
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, map_and_unmap, self));
	usleep(300000);
	edu_close(&self->edu);
	usleep(300000);
	ASSERT_EQ(0, self->error);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0, self->error);
	ASSERT_EQ(0, memory_status("VmPin"));
}
