// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random pins of accesses and areas of the same pages, against a model: a page is pinned
 * exactly while any of them covers it, however they overlap, touch and lie in each other.
 */
#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "mock_space.h"

#define IOVA MOCK_APERTURE_START
#define PAGES 48UL
#define SIZE (PAGES * PAGE)
/* Each area of the attached IOAS has its place, whatever its size */
#define PLACE(index) (IOVA + (index) * 2 * SIZE)
#define HOLDS 24
#define STEPS 3000
#define CHECK_EVERY 50

/* A pin of the access, if @pin, or else an area. */
struct hold {
	bool used;
	bool pin;
	unsigned long first;
	unsigned long count;
	__u32 id;
};

FIXTURE(mock_holds)
{
	struct kernel_counters before;
	/* The space with the device, to which parts are copied from @source */
	struct mock_space space;
	__u32 source;
	int access;
	struct memory memory;
	struct hold holds[HOLDS];
	__u64 random;
};

FIXTURE_VARIANT(mock_holds)
{
	__u64 seed;
};

FIXTURE_VARIANT_ADD(mock_holds, one) { 1 };
FIXTURE_VARIANT_ADD(mock_holds, two) { 2 };

FIXTURE_SETUP(mock_holds)
{
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->space.fd, self->source, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, mock_access_create(self->space.fd, self->source,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &self->access));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	self->random = variant->seed;
}

FIXTURE_TEARDOWN(mock_holds)
{
	close(self->access);
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static unsigned int random_below(struct _test_data_mock_holds *self, unsigned int limit)
{
	self->random = self->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (self->random >> 33) % limit;
}

/* The same range twice, for accesses, and small ones inside large ones are frequent. */
static void choose_range(struct _test_data_mock_holds *self, struct hold *hold)
{
	const struct hold *other = &self->holds[random_below(self, HOLDS)];

	if (other->used && !random_below(self, 4)) {
		hold->first = other->first;
		hold->count = other->count;
		return;
	}
	hold->count = 1 + random_below(self, random_below(self, 3) ? PAGES / 8 : PAGES);
	hold->first = random_below(self, PAGES - hold->count + 1);
}

static int take(struct _test_data_mock_holds *self, struct hold *hold)
{
	__u64 start, length;

	choose_range(self, hold);
	start = IOVA + hold->first * PAGE;
	length = hold->count * PAGE;
	hold->pin = random_below(self, 2);
	hold->used = true;
	if (hold->pin)
		return mock_access_pin(self->space.fd, self->access, start, length, 0,
				       self->memory.start + hold->first * PAGE, &hold->id);
	return iommu_ioas_copy_fixed(self->space.fd, self->source, start, length,
				     self->space.ioas, IOMMU_MAP_RW, PLACE(hold - self->holds));
}

static int drop(struct _test_data_mock_holds *self, struct hold *hold)
{
	hold->used = false;
	if (hold->pin)
		return mock_access_unpin(self->space.fd, self->access, hold->id);
	return mock_space_unmap(&self->space, PLACE(hold - self->holds), hold->count * PAGE);
}

static bool is_held(struct _test_data_mock_holds *self, unsigned long page)
{
	unsigned int i;

	for (i = 0; i < HOLDS; i++)
		if (self->holds[i].used && page >= self->holds[i].first &&
		    page - self->holds[i].first < self->holds[i].count)
			return true;
	return false;
}

static long count_held(struct _test_data_mock_holds *self)
{
	unsigned long page;
	long held = 0;

	for (page = 0; page < PAGES; page++)
		held += is_held(self, page);
	return held;
}

/* Once each, however many hold it */
static bool pages_are_as_held(struct _test_data_mock_holds *self)
{
	unsigned long page;

	for (page = 0; page < PAGES; page++)
		if (mock_check_refs(self->space.fd, self->memory.start + page * PAGE, PAGE,
				    is_held(self, page)))
			return false;
	return true;
}

TEST_F_TIMEOUT(mock_holds, pages_are_pinned_as_in_the_model, 120)
{
	unsigned int step;

	for (step = 0; step < STEPS; step++) {
		/* With few holds there are gaps, with many of them all is covered */
		unsigned int limit = step / 500 % 2 ? HOLDS : 5;
		struct hold *hold = &self->holds[random_below(self, limit)];

		ASSERT_EQ(0, hold->used ? drop(self, hold) : take(self, hold)) {
			TH_LOG("step %u", step);
		}
		ASSERT_EQ(count_held(self), pages_pinned()) {
			TH_LOG("step %u", step);
		}
		if (step % CHECK_EVERY == 0)
			ASSERT_TRUE(pages_are_as_held(self)) {
				TH_LOG("step %u", step);
			}
	}
}

TEST_HARNESS_MAIN
