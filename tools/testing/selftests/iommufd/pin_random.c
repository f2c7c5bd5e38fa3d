// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random maps, copies, unmaps, attaches and detaches, against a model of the pins.
 *
 * Owns the rule that a page is pinned exactly while a mapping of it is in an IOAS
 * with a page table, and once however many there are. Devices look at the memory
 * now and then: what is pinned has to be what is mapped.
 */
#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"

#define SPACES 3
#define OBJECTS 6
#define AREAS 96
#define STEPS 3000
#define CHECK_EVERY 100

/* Where the memory of an object begins and ends inside its huge pages. */
#define SKIP_PAGES 5
#define OBJECT_PAGES 1200
#define OBJECT_SIZE (3 * MEMORY_HUGE_PAGE_SIZE)

/* Every area has its place, whatever its size. */
#define AREA_IOVA(index) (0x100000000ULL + (index) * 0x1000000ULL)

/* What one MAP call has mapped; it lives as long as one area shows it. */
struct object {
	struct memory *memory;
	bool pinned[OBJECT_PAGES];
};

struct area {
	bool used;
	unsigned int object;
	unsigned int space;
	unsigned int first;
	unsigned int count;
};

FIXTURE(pin_random)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	struct memory memories[MEMORY_KINDS];
	struct object objects[OBJECTS];
	struct area areas[AREAS];
	__u32 spaces[SPACES];
	/* The space that the device is attached to, or -1. */
	int attached;
	__u64 random;
};

FIXTURE_VARIANT(pin_random)
{
	__u64 seed;
};

FIXTURE_VARIANT_ADD(pin_random, one)
{
	.seed = 1,
};

FIXTURE_VARIANT_ADD(pin_random, two)
{
	.seed = 2,
};

/* Tells every page of every kind of memory from all others. */
static __u32 page_seed(const struct memory *memory, unsigned int page)
{
	return memory->kind * 10000 + page;
}

static __u8 *page_address(const struct memory *memory, unsigned int page)
{
	return memory->start + (SKIP_PAGES + page) * PAGE_BYTES;
}

FIXTURE_SETUP(pin_random)
{
	unsigned int i, page;

	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	for (i = 0; i < MEMORY_KINDS; i++) {
		struct memory *memory = &self->memories[i];

		ASSERT_EQ(0, memory_allocate(memory, i, OBJECT_SIZE));
		for (page = 0; page < OBJECT_PAGES; page++)
			pattern_fill(page_address(memory, page), EDU_DMA_MAX,
				     page_seed(memory, page));
	}
	for (i = 0; i < SPACES; i++)
		ASSERT_EQ(0, iommu_ioas_alloc(self->attachment.iommufd, &self->spaces[i]));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu,
					self->attachment.iommufd, self->spaces[0]));
	for (i = 1; i < SPACES; i++)
		ASSERT_EQ(0, edu_staging_map(&self->staging, self->attachment.iommufd,
					     self->spaces[i]));
	self->attached = -1;
	self->random = variant->seed;
}

FIXTURE_TEARDOWN(pin_random)
{
	unsigned int i;

	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	edu_staging_destroy(&self->staging);
	for (i = 0; i < MEMORY_KINDS; i++)
		memory_free(&self->memories[i]);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static unsigned int random_below(struct _test_data_pin_random *self, unsigned int limit)
{
	self->random = self->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (self->random >> 33) % limit;
}

/* A part of @count pages, often a small one, often at an end. */
static void random_part(struct _test_data_pin_random *self, unsigned int count,
			unsigned int *first, unsigned int *length)
{
	unsigned int limit = random_below(self, 2) ? count : 1 + count / 32;

	*length = 1 + random_below(self, limit);
	*first = random_below(self, count - *length + 1);
	if (!random_below(self, 4))
		*first = 0;
	else if (!random_below(self, 4))
		*first = count - *length;
}

/* An area that is in use, or not; AREAS if there is none. */
static unsigned int random_area(struct _test_data_pin_random *self, bool used)
{
	unsigned int start = random_below(self, AREAS), i;

	for (i = 0; i < AREAS; i++)
		if (self->areas[(start + i) % AREAS].used == used)
			return (start + i) % AREAS;
	return AREAS;
}

static bool object_used(struct _test_data_pin_random *self, unsigned int object)
{
	unsigned int i;

	for (i = 0; i < AREAS; i++)
		if (self->areas[i].used && self->areas[i].object == object)
			return true;
	return false;
}

/* Maps a kind of memory as a new object, if one is free. Returns 0 or -errno. */
static int random_map(struct _test_data_pin_random *self)
{
	unsigned int object = random_below(self, OBJECTS), index = random_area(self, false);
	struct area *area = &self->areas[index];
	struct memory *memory = &self->memories[random_below(self, MEMORY_KINDS)];

	if (index == AREAS || object_used(self, object))
		return 0;
	self->objects[object].memory = memory;
	*area = (struct area){
		.used = true,
		.object = object,
		.space = random_below(self, SPACES),
		.count = OBJECT_PAGES,
	};
	return iommu_ioas_map_fixed(self->attachment.iommufd, self->spaces[area->space],
				    page_address(memory, 0), OBJECT_PAGES * PAGE_BYTES,
				    IOMMU_MAP_RW, AREA_IOVA(index));
}

static int random_copy(struct _test_data_pin_random *self)
{
	unsigned int from = random_area(self, true), to = random_area(self, false);
	struct area *source = &self->areas[from], *area = &self->areas[to];
	unsigned int first, count;

	if (from == AREAS || to == AREAS)
		return 0;
	random_part(self, source->count, &first, &count);
	*area = (struct area){
		.used = true,
		.object = source->object,
		.space = random_below(self, SPACES),
		.first = source->first + first,
		.count = count,
	};
	return iommu_ioas_copy_fixed(self->attachment.iommufd, self->spaces[source->space],
				     AREA_IOVA(from) + first * PAGE_BYTES,
				     count * PAGE_BYTES, self->spaces[area->space],
				     IOMMU_MAP_RW, AREA_IOVA(to));
}

static int random_unmap(struct _test_data_pin_random *self)
{
	unsigned int index = random_area(self, true);
	struct area *area = &self->areas[index];

	if (index == AREAS)
		return 0;
	area->used = false;
	return iommu_ioas_unmap(self->attachment.iommufd, self->spaces[area->space],
				AREA_IOVA(index), area->count * PAGE_BYTES, NULL);
}

static int random_attach(struct _test_data_pin_random *self)
{
	if (self->attached >= 0 && !random_below(self, 3)) {
		self->attached = -1;
		return attachment_detach(&self->attachment);
	}
	self->attached = random_below(self, SPACES);
	return attachment_attach(&self->attachment, self->spaces[self->attached]);
}

static int random_step(struct _test_data_pin_random *self)
{
	switch (random_below(self, 20)) {
	case 0 ... 2:
		return random_map(self);
	case 3 ... 10:
		return random_copy(self);
	case 11 ... 18:
		return random_unmap(self);
	default:
		return random_attach(self);
	}
}

/* How many pages have to be pinned now. */
static long model_pinned(struct _test_data_pin_random *self)
{
	long pinned = 0;
	unsigned int i, page;

	if (self->attached < 0)
		return 0;
	for (i = 0; i < OBJECTS; i++)
		memset(self->objects[i].pinned, 0, sizeof(self->objects[i].pinned));
	for (i = 0; i < AREAS; i++) {
		struct area *area = &self->areas[i];

		if (area->used && area->space == (unsigned int)self->attached)
			memset(&self->objects[area->object].pinned[area->first], 1,
			       area->count);
	}
	for (i = 0; i < OBJECTS; i++)
		for (page = 0; page < OBJECT_PAGES; page++)
			pinned += self->objects[i].pinned[page];
	return pinned + STAGING_SIZE / PAGE_BYTES;
}

/* The device reads a page of some area that it should reach. */
static bool random_page_is_reached(struct _test_data_pin_random *self)
{
	unsigned int index = random_area(self, true), page;
	struct area *area = &self->areas[index];

	if (index == AREAS || area->space != (unsigned int)self->attached)
		return true;
	page = random_below(self, area->count);
	return device_reads(&self->staging, AREA_IOVA(index) + page * PAGE_BYTES, NULL,
			    page_seed(self->objects[area->object].memory, area->first + page));
}

TEST_F_TIMEOUT(pin_random, pages_are_pinned_as_in_the_model, 240)
{
	unsigned int step;

	for (step = 0; step < STEPS; step++) {
		ASSERT_EQ(0, random_step(self)) {
			TH_LOG("step %u", step);
		}
		ASSERT_EQ(model_pinned(self), pages_pinned()) {
			TH_LOG("step %u", step);
		}
		if (step % CHECK_EVERY == 0)
			ASSERT_TRUE(random_page_is_reached(self)) {
				TH_LOG("step %u", step);
			}
	}
}
