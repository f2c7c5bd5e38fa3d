// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that stops decoding its BAR waits for nobody who maps or attaches.
 *
 * A guest does that by a write to the command register of its device, and stands still
 * meanwhile. The mock IOMMU takes as long to write memory into a page table as the
 * test wants.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "bar.h"
#include "fail_nth.h"
#include "memory.h"
#include "mock.h"

/* What is lowest is filled in first */
#define BAR_MOCK_IOVA MOCK_APERTURE_START
#define MEMORY_IOVA (BAR_MOCK_IOVA + MEMORY_HUGE_PAGE_SIZE)

FIXTURE(mock_bar_fill)
{
	struct bar_pair pair;
	__u32 ioas;
	__u8 *memory;
	struct mock mock;
	pthread_t thread;
	int rc;
};

/* @before is done first, @run takes as long as the IOMMU does */
FIXTURE_VARIANT(mock_bar_fill)
{
	int (*before)(struct _test_data_mock_bar_fill *self);
	int (*run)(struct _test_data_mock_bar_fill *self);
};

static int map_memory(struct _test_data_mock_bar_fill *self)
{
	return iommu_ioas_map_fixed(self->pair.iommufd, self->ioas, self->memory, PAGE_BYTES,
				    IOMMU_MAP_RW, MEMORY_IOVA);
}

static int attach(struct _test_data_mock_bar_fill *self)
{
	return mock_attach(self->pair.iommufd, self->ioas, &self->mock);
}

FIXTURE_VARIANT_ADD(mock_bar_fill, attach) { map_memory, attach };
FIXTURE_VARIANT_ADD(mock_bar_fill, map) { attach, map_memory };

static int hold_map(const char *value)
{
	return fail_nth_write_file(".", "iommufd_hold_map", value);
}

static bool is_held(void)
{
	char text[16] = "";
	int fd = open("/sys/kernel/debug/iommufd_hold_map", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return text[0] == '2';
}

struct run {
	struct _test_data_mock_bar_fill *self;
	int (*run)(struct _test_data_mock_bar_fill *self);
};

static void *run_in_thread(void *data)
{
	struct run *run = data;

	run->self->rc = run->run(run->self);
	return NULL;
}

FIXTURE_SETUP(mock_bar_fill)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
	ASSERT_EQ(0, iommu_ioas_alloc(self->pair.iommufd, &self->ioas));
	self->memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->pair.iommufd, self->ioas,
					  (void *)self->pair.target.registers, PAGE_BYTES,
					  IOMMU_MAP_RW, BAR_MOCK_IOVA));
	ASSERT_EQ(0, variant->before(self));
}

FIXTURE_TEARDOWN(mock_bar_fill)
{
	hold_map("0");
	bar_pair_close(&self->pair);
}

TEST_F_TIMEOUT(mock_bar_fill, turning_decoding_off_and_on_does_not_wait_for_it, 60)
{
	struct run run = { .self = self, .run = variant->run };

	ASSERT_EQ(0, hold_map("1"));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_in_thread, &run));
	while (!is_held())
		usleep(10000);
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_TRUE(is_held());
	ASSERT_EQ(0, hold_map("0"));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	ASSERT_EQ(0, self->rc);
}
