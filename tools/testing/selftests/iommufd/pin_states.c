// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins in every state: while memory is waited for, and after any maps, copies, unmaps,
 * attaches and detaches, against a model.
 *
 * Owns the rules of what other threads see and can do while one is stuck in a map or
 * in an attach, because the memory it has to pin does not appear. And the rule that a
 * page is pinned exactly while a mapping of it is in an IOAS with a page table, and
 * once however many there are; the device looks at the memory now and then.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"
#include "slow_memory.h"

#define IOVA 0x40000000UL
#define PAGES 4
#define SIZE (PAGES * PAGE_BYTES)
#define SEED 17

/* Where the other mappings are. */
#define NEAR (IOVA + SIZE)
#define FAR (IOVA + 0x1000000)

FIXTURE(pin_slow)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	struct slow_memory slow;
	struct memory memory;
	pthread_t thread;
	bool stuck;
	int fd;
	__u32 ioas;
	__u32 other;
};

/* What it is that is stuck. */
FIXTURE_VARIANT(pin_slow)
{
	bool in_attach;
};

FIXTURE_VARIANT_ADD(pin_slow, map)
{
	.in_attach = false,
};

FIXTURE_VARIANT_ADD(pin_slow, attach)
{
	.in_attach = true,
};

static int map_slow(struct _test_data_pin_slow *self)
{
	return attachment_map(&self->attachment, self->slow.start, SIZE, IOMMU_MAP_RW, IOVA);
}

static void *run_map(void *self)
{
	return (void *)(long)map_slow(self);
}

static void *run_attach(void *argument)
{
	struct _test_data_pin_slow *self = argument;

	return (void *)(long)attachment_attach(&self->attachment, self->ioas);
}

/* Starts the thread that gets stuck, and waits until it is. Returns 0 or -errno. */
static int get_stuck(struct _test_data_pin_slow *self, bool in_attach)
{
	int rc = in_attach ? map_slow(self) : attachment_attach(&self->attachment, self->ioas);

	if (!rc)
		rc = -pthread_create(&self->thread, NULL, in_attach ? run_attach : run_map,
				     self);
	if (!rc)
		rc = slow_memory_wait(&self->slow);
	self->stuck = !rc;
	return rc;
}

/* Lets the thread go on. Returns what it was stuck in returned. */
static long get_unstuck(struct _test_data_pin_slow *self)
{
	void *result;

	self->stuck = false;
	pattern_fill(self->memory.start, SIZE, SEED);
	if (slow_memory_release(&self->slow, self->memory.start) ||
	    pthread_join(self->thread, &result))
		return 1;
	return (long)result;
}

FIXTURE_SETUP(pin_slow)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu, self->fd,
					self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE, IOMMU_MAP_RW,
				    NEAR));
	ASSERT_EQ(0, slow_memory_create(&self->slow, SIZE));
	ASSERT_EQ(0, get_stuck(self, variant->in_attach));
}

FIXTURE_TEARDOWN(pin_slow)
{
	if (self->stuck)
		EXPECT_EQ(0, get_unstuck(self));
	attachment_close(&self->attachment);
	slow_memory_free(&self->slow);
	edu_staging_destroy(&self->staging);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F(pin_slow, ends_well_when_the_memory_appears)
{
	EXPECT_EQ(0, get_unstuck(self));
	EXPECT_TRUE(device_reads(&self->staging, IOVA, NULL, SEED));
}

TEST_F(pin_slow, its_iova_is_taken)
{
	__u64 iova;

	EXPECT_EQ(-EEXIST, attachment_map(&self->attachment, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EEXIST, attachment_map(&self->attachment, self->memory.start, PAGE_BYTES,
					  IOMMU_MAP_RW, IOVA + SIZE - PAGE_BYTES));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, self->ioas, self->memory.start, PAGE_BYTES,
				    IOMMU_MAP_RW, &iova));
	EXPECT_TRUE(iova < IOVA || iova >= IOVA + SIZE);
}

static void *run_unmap(void *argument)
{
	struct _test_data_pin_slow *self = argument;

	return (void *)(long)attachment_unmap(&self->attachment, IOVA, SIZE);
}

/* A map is being set up; what an attach works on is mapped, and can be waited for. */
TEST_F(pin_slow, unmap_is_EBUSY_during_a_map_and_waits_for_an_attach)
{
	pthread_t thread;
	void *result;

	/* What sticks out is ENOENT in any case. */
	EXPECT_EQ(-ENOENT, attachment_unmap(&self->attachment, IOVA, 2 * SIZE - PAGE_BYTES));
	if (!variant->in_attach) {
		EXPECT_EQ(-EBUSY, attachment_unmap(&self->attachment, IOVA, SIZE));
		EXPECT_EQ(-EBUSY, attachment_unmap(&self->attachment, IOVA, 2 * SIZE));
		EXPECT_EQ(-EBUSY, iommu_ioas_unmap_all(self->fd, self->ioas, NULL));
		EXPECT_EQ(0, get_unstuck(self));
		EXPECT_EQ(0, attachment_unmap(&self->attachment, IOVA, 2 * SIZE));
		return;
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_unmap, self));
	usleep(100000);
	EXPECT_EQ(0, get_unstuck(self));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(0, (long)result);
	EXPECT_EQ(-ENOENT, attachment_unmap(&self->attachment, IOVA, SIZE));
}

TEST_F(pin_slow, copy_is_ENOENT_during_a_map_and_works_during_an_attach)
{
	int expected = variant->in_attach ? 0 : -ENOENT;

	EXPECT_EQ(expected, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, SIZE,
						  self->other, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(expected, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, 2 * SIZE,
						  self->other, IOMMU_MAP_RW, FAR));
}

TEST_F(pin_slow, others_map_and_unmap_in_the_same_ioas)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE,
					    IOMMU_MAP_RW, FAR));
		ASSERT_EQ(0, attachment_unmap(&self->attachment, FAR, SIZE));
	}
	EXPECT_EQ(0, attachment_unmap(&self->attachment, NEAR, SIZE));
}

TEST_F(pin_slow, others_copy_in_the_same_ioas)
{
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, NEAR, SIZE, self->ioas,
					   IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, NEAR, SIZE, self->other,
					   IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, FAR, SIZE, NULL));
}

TEST_F(pin_slow, others_ask_and_set)
{
	__u64 value;
	__u32 id, count = 0;

	EXPECT_EQ(-EMSGSIZE, iommu_ioas_iova_ranges(self->fd, self->ioas, NULL, &count, NULL));
	EXPECT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, NULL, 0));
	EXPECT_EQ(0, iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	EXPECT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(0, iommu_destroy(self->fd, id));
}

TEST_F(pin_slow, destroy_of_the_ioas_is_EBUSY)
{
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->ioas));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->other));
}

TEST_F(pin_slow, other_contexts_are_not_held_up)
{
	struct attachment second;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, attachment_open(&second, topology.own[1].name, 0));
	EXPECT_EQ(0, attachment_map(&second, self->memory.start, SIZE, IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, attachment_attach(&second, second.ioas));
	EXPECT_EQ(0, attachment_map(&second, self->memory.start, SIZE, IOMMU_MAP_RW, FAR));
	EXPECT_EQ(0, attachment_unmap(&second, IOVA, SIZE));
	attachment_close(&second);
}

TEST_F(pin_slow, other_ioas_takes_a_device)
{
	struct edu second;
	__u32 pt_id = self->other;

	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, edu_open(&second, topology.own[1].name, self->fd));
	EXPECT_EQ(0, iommu_ioas_map_fixed(self->fd, self->other, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(0, vfio_device_attach(&second.device, &pt_id));
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA, SIZE, NULL));
	edu_close(&second);
}

TEST_F(pin_slow, memory_that_goes_instead_of_appearing_is_EFAULT)
{
	void *result;

	self->stuck = false;
	ASSERT_EQ(0, munmap(self->slow.start, SIZE));
	/* Who waits looks again when nobody is left who could help. */
	close(self->slow.faults);
	self->slow.faults = -1;
	ASSERT_EQ(0, pthread_join(self->thread, &result));
	EXPECT_EQ(-EFAULT, (long)result);
	EXPECT_EQ(variant->in_attach ? 0 : -ENOENT,
		  attachment_unmap(&self->attachment, IOVA, SIZE));
}

/* A process that gets stuck and never comes back. */
static void get_stuck_for_ever(bool in_attach, int ready)
{
	struct _test_data_pin_slow self = {};

	if (attachment_open(&self.attachment, topology.own[0].name, 0))
		_exit(1);
	self.ioas = self.attachment.ioas;
	if (slow_memory_create(&self.slow, SIZE) || get_stuck(&self, in_attach) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	pause();
}

FIXTURE(pin_slow_kill)
{
	struct kernel_counters before;
};

FIXTURE_VARIANT(pin_slow_kill)
{
	bool in_attach;
};

FIXTURE_VARIANT_ADD(pin_slow_kill, map)
{
	.in_attach = false,
};

FIXTURE_VARIANT_ADD(pin_slow_kill, attach)
{
	.in_attach = true,
};

FIXTURE_SETUP(pin_slow_kill)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
}

FIXTURE_TEARDOWN(pin_slow_kill)
{
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

TEST_F(pin_slow_kill, ends_the_wait_and_frees_the_device)
{
	struct attachment attachment;
	int status, ready[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		get_stuck_for_ever(variant->in_attach, ready[1]);
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, attachment_open(&attachment, topology.own[0].name, 0));
	EXPECT_EQ(0, attachment_attach(&attachment, attachment.ioas));
	attachment_close(&attachment);
}

/* The model: what is mapped, and so what is to be pinned. */
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
