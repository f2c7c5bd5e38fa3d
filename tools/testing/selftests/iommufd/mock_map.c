// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a page table holds, and what is pinned for it.
 *
 * Owns the rules for mappings smaller than CPU pages, for every kind of memory
 * and with every size of temporary buffers. All pages of a mapping must be found
 * at its IOVAs, no others anywhere, and each be pinned as often as it should.
 */
#include <stdint.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "mock_space.h"

#define IOVA (MOCK_APERTURE_START + HUGE_PAGE)
#define SMALL (64 * PAGE)
#define HALF MOCK_PAGE_SIZE

FIXTURE(mock_map)
{
	struct mock_space space;
	struct memory memory;
	__u32 other;
	int fd;
};

FIXTURE_VARIANT(mock_map)
{
	__u32 memory_limit;
};

FIXTURE_VARIANT_ADD(mock_map, usual) { .memory_limit = MOCK_MEMORY_LIMIT_DEFAULT };
FIXTURE_VARIANT_ADD(mock_map, two_pages) { .memory_limit = 16 };
FIXTURE_VARIANT_ADD(mock_map, one_page) { .memory_limit = 12 };

FIXTURE_SETUP(mock_map)
{
	ASSERT_EQ(0, mock_space_open(&self->space, variant->memory_limit));
	self->fd = self->space.fd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SMALL));
	memory_scatter(&self->memory, 1);
	ASSERT_EQ(0, pages_pinned());
}

FIXTURE_TEARDOWN(mock_map)
{
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int refs(struct _test_data_mock_map *self, unsigned int count)
{
	return mock_check_refs(self->fd, self->memory.start, SMALL, count);
}

static int copy(struct _test_data_mock_map *self, __u32 source, __u64 iova, __u64 length,
		__u32 target, __u64 target_iova)
{
	return iommu_ioas_copy_fixed(self->fd, source, iova, length, target, IOMMU_MAP_RW,
				     target_iova);
}

TEST_F(mock_map, lengths_iovas_and_memory_are_multiples_of_the_iommu_page)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;

	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(-EINVAL, mock_space_map(space, start, HALF / 2, IOVA));
	EXPECT_EQ(-EINVAL, mock_space_map(space, start, HALF, IOVA + HALF / 2));
	EXPECT_EQ(-EINVAL, mock_space_map(space, start + HALF / 2, HALF, IOVA));
	EXPECT_EQ(-EINVAL, mock_space_map(space, start + 1, HALF, IOVA));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, mock_space_map(space, start + HALF, HALF, IOVA));
}

TEST_F(mock_map, chosen_iova_keeps_the_place_in_the_page)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;
	__u64 iova;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, iommu_ioas_map(self->fd, space->ioas, start + HALF, 3 * HALF, IOMMU_MAP_RW,
				    &iova));
	EXPECT_EQ(HALF, iova % PAGE);
	EXPECT_EQ(0, mock_space_check(space, iova, 3 * HALF, start + HALF));
}

/* Each part of three pages, at either half of a page of IOVAs. */
TEST_F_TIMEOUT(mock_map, any_part_of_pages_can_be_mapped_and_nothing_else_is, 300)
{
	struct mock_space *space = &self->space;
	unsigned int first, end, shift;

	ASSERT_EQ(0, mock_space_attach(space));
	for (first = 0; first < 6; first++) {
		for (end = first + 1; end <= 6; end++) {
			for (shift = 0; shift < 2; shift++) {
				uint8_t *start = self->memory.start + (4 + first) * HALF;
				__u64 iova = IOVA + shift * HALF;
				__u64 length = (end - first) * HALF;

				ASSERT_EQ(0, mock_space_map(space, start, length, iova));
				EXPECT_EQ(0, mock_space_check(space, iova, length, start));
				EXPECT_TRUE(mock_space_is_hole(space, iova - PAGE, PAGE,
							       start - PAGE));
				EXPECT_TRUE(mock_space_is_hole(space, iova + length, PAGE,
							       start + length));
				EXPECT_EQ(pages_touched(start, length), pages_pinned());
				ASSERT_EQ(0, mock_space_unmap(space, iova, length));
				EXPECT_TRUE(mock_space_is_hole(space, iova, length, start));
				EXPECT_EQ(0, pages_pinned());
			}
		}
	}
}

TEST_F(mock_map, two_halves_of_a_page_are_mappings_of_their_own)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, mock_space_map(space, start + HALF, HALF, IOVA));
	ASSERT_EQ(0, mock_space_map(space, start, HALF, IOVA + HALF));
	EXPECT_EQ(0, mock_space_check(space, IOVA, HALF, start + HALF));
	EXPECT_EQ(0, mock_space_check(space, IOVA + HALF, HALF, start));
	EXPECT_EQ(0, mock_check_refs(self->fd, start, PAGE, 2));
	ASSERT_EQ(0, mock_space_unmap(space, IOVA, HALF));
	EXPECT_EQ(0, mock_space_check(space, IOVA + HALF, HALF, start));
	EXPECT_EQ(0, mock_check_refs(self->fd, start, PAGE, 1));
}

TEST_F(mock_map, nothing_is_pinned_without_a_page_table)
{
	struct mock_space *space = &self->space;

	ASSERT_EQ(0, mock_space_map(space, self->memory.start, SMALL, IOVA));
	EXPECT_EQ(0, refs(self, 0));
	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, self->memory.start));
	ASSERT_EQ(0, mock_space_detach(space));
	EXPECT_EQ(0, refs(self, 0));
	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, self->memory.start));
}

TEST_F(mock_map, each_map_pins_and_each_copy_does_not)
{
	struct mock_space *space = &self->space;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, mock_space_map(space, self->memory.start, SMALL, IOVA));
	EXPECT_EQ(0, refs(self, 1));
	ASSERT_EQ(0, copy(self, space->ioas, IOVA, SMALL, space->ioas, IOVA + SMALL));
	EXPECT_EQ(0, refs(self, 1));
	ASSERT_EQ(0, mock_space_map(space, self->memory.start, SMALL, IOVA + 2 * SMALL));
	EXPECT_EQ(0, refs(self, 2));
	ASSERT_EQ(0, mock_space_unmap(space, IOVA, SMALL));
	EXPECT_EQ(0, refs(self, 2));
	EXPECT_EQ(0, mock_space_check(space, IOVA + SMALL, SMALL, self->memory.start));
	ASSERT_EQ(0, mock_space_unmap(space, IOVA + SMALL, SMALL));
	EXPECT_EQ(0, refs(self, 1));
}

TEST_F(mock_map, page_tables_of_two_ioas_share_the_pins)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;
	struct mock second;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, mock_space_map(space, start, SMALL, IOVA));
	ASSERT_EQ(0, copy(self, space->ioas, IOVA, SMALL, self->other, IOVA + PAGE));
	ASSERT_EQ(0, mock_attach(self->fd, self->other, &second));
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA + PAGE, SMALL, start));
	EXPECT_EQ(0, refs(self, 1));
	ASSERT_EQ(0, mock_space_detach(space));
	EXPECT_EQ(0, refs(self, 1));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, space->ioas, NULL));
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA + PAGE, SMALL, start));
	ASSERT_EQ(0, iommu_destroy(self->fd, second.id));
	EXPECT_EQ(0, refs(self, 0));
}

/* The middle is pinned already: what is missing on both sides must be pinned. */
TEST_F(mock_map, a_page_table_pins_what_no_other_has_pinned)
{
	const __u64 quarter = SMALL / 4;
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;
	struct mock second;

	ASSERT_EQ(0, mock_attach(self->fd, self->other, &second));
	ASSERT_EQ(0, mock_space_map(space, start, SMALL, IOVA));
	ASSERT_EQ(0, copy(self, space->ioas, IOVA + quarter + HALF, quarter, self->other, IOVA));
	EXPECT_EQ((long)(quarter / PAGE) + 1, pages_pinned());
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA, quarter,
				    start + quarter + HALF));
	ASSERT_EQ(0, copy(self, space->ioas, IOVA + SMALL - HALF, HALF, self->other,
			  IOVA + SMALL));
	EXPECT_EQ((long)(quarter / PAGE) + 2, pages_pinned());

	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, start));

	/* And what only one needs must go when it does, from either side */
	ASSERT_EQ(0, mock_space_detach(space));
	EXPECT_EQ((long)(quarter / PAGE) + 2, pages_pinned());
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA, quarter,
				    start + quarter + HALF));
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA, quarter, NULL));
	EXPECT_EQ(1, pages_pinned());
	ASSERT_EQ(0, iommu_destroy(self->fd, second.id));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_map, copies_take_any_part_and_may_cross_mappings)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;
	struct mock second;

	ASSERT_EQ(0, mock_attach(self->fd, self->other, &second));
	ASSERT_EQ(0, mock_space_map(space, start, 3 * HALF, IOVA));
	ASSERT_EQ(0, mock_space_map(space, start + 8 * PAGE, 2 * HALF, IOVA + 3 * HALF));
	ASSERT_EQ(0, mock_space_map(space, start + 5 * HALF, 5 * HALF, IOVA + 5 * HALF));
	ASSERT_EQ(0, copy(self, space->ioas, IOVA + HALF, 7 * HALF, self->other, IOVA));

	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA, 2 * HALF, start + HALF));
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA + 2 * HALF, 2 * HALF,
				    start + 8 * PAGE));
	EXPECT_EQ(0, mock_check_map(self->fd, second.hwpt, IOVA + 4 * HALF, 3 * HALF,
				    start + 5 * HALF));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, second.hwpt, IOVA + 7 * HALF, HALF,
					  start + 8 * HALF));
	/* Each piece is a mapping */
	EXPECT_EQ(0, iommu_ioas_unmap(self->fd, self->other, IOVA + 2 * HALF, 2 * HALF, NULL));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, second.hwpt, IOVA + 2 * HALF, HALF,
					  start + 8 * PAGE));
	EXPECT_EQ(-ENOENT, iommu_ioas_unmap(self->fd, self->other, IOVA, HALF, NULL));
}

TEST_F_TIMEOUT(mock_map, missing_memory_fails_and_leaves_nothing_wherever_it_is, 300)
{
	struct mock_space *space = &self->space;
	size_t hole;

	ASSERT_EQ(0, mock_space_attach(space));
	for (hole = 0; hole < SMALL; hole += PAGE) {
		struct memory memory;

		ASSERT_EQ(0, memory_allocate(&memory, MEMORY_ANONYMOUS, SMALL));
		memory_scatter(&memory, hole);
		ASSERT_EQ(0, munmap(memory.start + hole, PAGE));
		ASSERT_EQ(-EFAULT, mock_space_map(space, memory.start, SMALL, IOVA)) {
			TH_LOG("hole at %zu", hole);
		}
		EXPECT_EQ(0, mock_check_refs(self->fd, memory.start, hole, 0));
		EXPECT_EQ(0, mock_check_refs(self->fd, memory.start + hole + PAGE,
					     SMALL - hole - PAGE, 0));
		EXPECT_EQ(0, pages_pinned());
		EXPECT_TRUE(mock_space_is_hole(space, IOVA, SMALL, self->memory.start));
		memory_free(&memory);
	}
}

TEST_F(mock_map, attach_fails_and_leaves_nothing_if_the_last_mapping_is_missing)
{
	struct mock_space *space = &self->space;

	ASSERT_EQ(0, mock_space_map(space, self->memory.start, SMALL, IOVA));
	ASSERT_EQ(0, mock_space_map(space, self->memory.start, SMALL, IOVA + SMALL));
	ASSERT_EQ(0, mock_space_map(space, (void *)PAGE, PAGE, IOVA + 2 * SMALL));
	EXPECT_EQ(-EFAULT, mock_space_attach(space));
	EXPECT_EQ(0, refs(self, 0));
	ASSERT_EQ(0, mock_space_unmap(space, IOVA + 2 * SMALL, PAGE));
	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(0, refs(self, 2));
}

TEST_F(mock_map, read_only_memory_can_be_mapped_for_reading_only)
{
	struct mock_space *space = &self->space;

	ASSERT_EQ(0, mprotect(self->memory.start, SMALL, PROT_READ));
	ASSERT_EQ(0, mock_space_attach(space));
	EXPECT_EQ(-EFAULT, mock_space_map(space, self->memory.start, SMALL, IOVA));
	EXPECT_EQ(0, refs(self, 0));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, self->memory.start, SMALL,
					  IOMMU_IOAS_MAP_READABLE, IOVA));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, self->memory.start));
}

/* Pinned pages stay the parent's, whoever writes first. */
TEST_F(mock_map, a_fork_does_not_take_pinned_pages_away)
{
	struct mock_space *space = &self->space;
	int status;
	pid_t pid;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, self->memory.start, SMALL,
					  IOMMU_IOAS_MAP_READABLE, IOVA));
	pid = fork();
	ASSERT_LE(0, pid);
	memset(self->memory.start, pid ? 1 : 2, SMALL);
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, self->memory.start));
}

/* Pages shared after a fork are copied when they are pinned, even for reading. */
TEST_F(mock_map, memory_that_is_copied_on_write_is_copied_before_it_is_pinned)
{
	struct mock_space *space = &self->space;
	int wait_pipe[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(wait_pipe));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(wait_pipe[1]);
		_exit(read(wait_pipe[0], &byte, 1));
	}
	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, self->memory.start, SMALL,
					  IOMMU_IOAS_MAP_READABLE, IOVA));
	memset(self->memory.start, 1, SMALL);
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, self->memory.start));
	close(wait_pipe[1]);
	waitpid(pid, NULL, 0);
}

/* A DMA target is what was mapped at pin time. */
TEST_F(mock_map, memory_that_is_replaced_stays_pinned)
{
	struct mock_space *space = &self->space;
	void *start = self->memory.start;

	ASSERT_EQ(0, mock_space_attach(space));
	ASSERT_EQ(0, mock_space_map(space, start, SMALL, IOVA));
	ASSERT_EQ(start, mmap(start, SMALL, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0));
	EXPECT_TRUE(mock_space_is_hole(space, IOVA, SMALL, start));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ((long)(SMALL / PAGE), pages_pinned());
	/* A copy is of the same pages, not of the new ones */
	ASSERT_EQ(0, copy(self, space->ioas, IOVA, SMALL, space->ioas, IOVA + SMALL));
	EXPECT_EQ(0, refs(self, 0));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, space->ioas, NULL));
	ASSERT_EQ(0, mock_space_map(space, start, SMALL, IOVA));
	EXPECT_EQ(0, mock_space_check(space, IOVA, SMALL, start));
}

/* A small mapping in the middle of a range of which every page is elsewhere. */
#define RANDOM_SLOTS 48
#define RANDOM_STEPS 1500

/* A mapping of the model: bytes of memory, or none. */
struct slot {
	size_t offset;
	size_t length;
};

static __u64 slot_iova(unsigned int i)
{
	return IOVA + i * SMALL;
}

static void count_pins(const struct slot *slots, unsigned int *pins)
{
	unsigned int i;
	size_t page;

	memset(pins, 0, SMALL / PAGE * sizeof(*pins));
	for (i = 0; i < RANDOM_SLOTS; i++) {
		if (!slots[i].length)
			continue;
		for (page = slots[i].offset / PAGE;
		     page <= (slots[i].offset + slots[i].length - 1) / PAGE; page++)
			pins[page]++;
	}
}

TEST_F_TIMEOUT(mock_map, random_maps_and_unmaps_agree_with_a_model, 300)
{
	struct mock_space *space = &self->space;
	struct slot slots[RANDOM_SLOTS] = {};
	unsigned int pins[SMALL / PAGE];
	unsigned int step, i;
	size_t page;

	ASSERT_EQ(0, mock_space_attach(space));
	srandom(7);
	for (step = 0; step < RANDOM_STEPS; step++) {
		struct slot *slot = &slots[random() % RANDOM_SLOTS];

		i = slot - slots;
		if (slot->length) {
			ASSERT_EQ(0, mock_space_unmap(space, slot_iova(i), slot->length));
			slot->length = 0;
			continue;
		}
		slot->offset = random() % (SMALL / HALF) * HALF;
		slot->length = (1 + random() % ((SMALL - slot->offset) / HALF)) * HALF;
		ASSERT_EQ(0, mock_space_map(space, self->memory.start + slot->offset,
					    slot->length, slot_iova(i)));
	}

	for (i = 0; i < RANDOM_SLOTS; i++) {
		if (!slots[i].length)
			continue;
		ASSERT_EQ(0, mock_space_check(space, slot_iova(i), slots[i].length,
					      self->memory.start + slots[i].offset));
	}
	count_pins(slots, pins);
	for (page = 0; page < SMALL / PAGE; page++)
		ASSERT_EQ(0, mock_check_refs(self->fd, self->memory.start + page * PAGE, PAGE,
					     pins[page]));
}

/* All copies of one mapping: pages come and go as parts of it are covered. */
TEST_F_TIMEOUT(mock_map, random_copies_agree_with_a_model, 300)
{
	const __u64 source = IOVA + RANDOM_SLOTS * SMALL;
	struct mock_space *space = &self->space;
	struct slot slots[RANDOM_SLOTS] = {};
	unsigned int pins[SMALL / PAGE];
	unsigned int step, i;
	size_t page;

	/* The source itself is where nothing is pinned */
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->other, self->memory.start, SMALL,
					  IOMMU_MAP_RW, source));
	ASSERT_EQ(0, mock_space_attach(space));
	srandom(11);
	for (step = 0; step < RANDOM_STEPS; step++) {
		i = random() % RANDOM_SLOTS;
		if (slots[i].length) {
			ASSERT_EQ(0, mock_space_unmap(space, slot_iova(i), slots[i].length));
			slots[i].length = 0;
		} else {
			slots[i].offset = random() % (SMALL / HALF) * HALF;
			slots[i].length = HALF + random() % 8 * HALF;
			if (slots[i].offset + slots[i].length > SMALL)
				slots[i].length = SMALL - slots[i].offset;
			ASSERT_EQ(0, copy(self, self->other, source + slots[i].offset,
					  slots[i].length, space->ioas, slot_iova(i)));
			ASSERT_EQ(0, mock_space_check(space, slot_iova(i), slots[i].length,
						      self->memory.start + slots[i].offset));
		}
		if (step % 50)
			continue;
		count_pins(slots, pins);
		for (page = 0; page < SMALL / PAGE; page++)
			ASSERT_EQ(0, mock_check_refs(self->fd,
						     self->memory.start + page * PAGE, PAGE,
						     !!pins[page]));
	}
}

TEST_HARNESS_MAIN
