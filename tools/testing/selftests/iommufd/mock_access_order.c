// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins of accesses and page tables of the same memory, coming and going in every
 * order.
 *
 * A page must be pinned once while anybody needs it, the same page for all, and
 * not longer.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "mock_space.h"

#define IOVA (MOCK_APERTURE_START + HUGE_PAGE)
#define COPY_IOVA (IOVA + 4 * HUGE_PAGE)
#define USUAL MOCK_MEMORY_LIMIT_DEFAULT

/* Enough to be pinned in several steps, and little enough for all orders */
#define MANY (260 * PAGE)
#define FEW (20 * PAGE)

#define PARTS 4

struct part {
	size_t offset;
	size_t length;
};

FIXTURE(mock_access_order)
{
	struct memory memory;
	struct mock_space space;
	struct mock second;
	size_t size;
	/* What accesses pin */
	struct part parts[PARTS];
	__u32 ids[PARTS];
	__u32 other;
	int access;
	int fd;
};

FIXTURE_VARIANT(mock_access_order)
{
	enum memory_kind kind;
	__u32 memory_limit;
	size_t half;
};

FIXTURE_VARIANT_ADD(mock_access_order, anonymous) { MEMORY_ANONYMOUS, USUAL, MANY };
FIXTURE_VARIANT_ADD(mock_access_order, anonymous_two_pages) { MEMORY_ANONYMOUS, 16, FEW };
FIXTURE_VARIANT_ADD(mock_access_order, anonymous_one_page) { MEMORY_ANONYMOUS, 12, FEW };
FIXTURE_VARIANT_ADD(mock_access_order, thp) { MEMORY_THP, USUAL, HUGE_PAGE };
FIXTURE_VARIANT_ADD(mock_access_order, thp_two_pages) { MEMORY_THP, 16, HUGE_PAGE };
FIXTURE_VARIANT_ADD(mock_access_order, hugetlb) { MEMORY_HUGETLB, USUAL, HUGE_PAGE };
FIXTURE_VARIANT_ADD(mock_access_order, hugetlb_two_pages) { MEMORY_HUGETLB, 16, HUGE_PAGE };
FIXTURE_VARIANT_ADD(mock_access_order, memfd) { MEMORY_MEMFD, USUAL, FEW };
FIXTURE_VARIANT_ADD(mock_access_order, hugetlb_memfd) { MEMORY_HUGETLB_MEMFD, USUAL, HUGE_PAGE };

/* They overlap, and begin and end inside huge pages */
static void choose_parts(struct part *parts, size_t half)
{
	parts[0] = (struct part){ 0, PAGE };
	parts[1] = (struct part){ half - 2 * PAGE, 4 * PAGE };
	parts[2] = (struct part){ half, half / 2 };
	parts[3] = (struct part){ PAGE, 2 * half - PAGE };
}

FIXTURE_SETUP(mock_access_order)
{
	self->size = 2 * variant->half;
	choose_parts(self->parts, variant->half);
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, self->size));
	if (variant->kind == MEMORY_ANONYMOUS)
		memory_scatter(&self->memory, 5);
	ASSERT_EQ(0, mock_space_open(&self->space, variant->memory_limit));
	self->fd = self->space.fd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, mock_access_create(self->fd, self->space.ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &self->access));
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, self->size, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->space.ioas, IOVA, self->size,
					   self->other, IOMMU_MAP_RW, COPY_IOVA));
}

FIXTURE_TEARDOWN(mock_access_order)
{
	close(self->access);
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

/*
 * Everything that can be there or not, each a bit of a state: the parts that are
 * pinned, and the page tables of both IOAS.
 */
#define THINGS (PARTS + 2)

enum {
	PAGE_TABLE = 1U << PARTS,
	OTHER_PAGE_TABLE = 2U << PARTS,
	STATES = 1U << THINGS,
};

static int change(struct _test_data_mock_access_order *self, unsigned int thing, bool present)
{
	if (1U << thing == PAGE_TABLE)
		return present ? mock_space_attach(&self->space) :
				 mock_space_detach(&self->space);
	if (1U << thing == OTHER_PAGE_TABLE)
		return present ? mock_attach(self->fd, self->other, &self->second) :
				 iommu_destroy(self->fd, self->second.id);
	if (!present)
		return mock_access_unpin(self->fd, self->access, self->ids[thing]);
	return mock_access_pin(self->fd, self->access, IOVA + self->parts[thing].offset,
			       self->parts[thing].length, MOCK_FLAGS_ACCESS_WRITE,
			       self->memory.start + self->parts[thing].offset, &self->ids[thing]);
}

static long expected_pins(const struct _test_data_mock_access_order *self,
			  unsigned int state)
{
	long count = 0;
	size_t page, i;

	if (state & (PAGE_TABLE | OTHER_PAGE_TABLE))
		return self->size / PAGE;
	for (page = 0; page < self->size; page += PAGE) {
		for (i = 0; i < PARTS; i++) {
			if (state & 1U << i && page >= self->parts[i].offset &&
			    page < self->parts[i].offset + self->parts[i].length)
				break;
		}
		count += i < PARTS;
	}
	return count;
}

/* Is everything as it should be in this state? 0 or a line number */
static int check_state(struct _test_data_mock_access_order *self, unsigned int state)
{
	uint8_t *start = self->memory.start;
	size_t i;

	if (pages_pinned() != expected_pins(self, state))
		return __LINE__;
	for (i = 0; i < PARTS; i++)
		if (state & 1U << i &&
		    mock_check_refs(self->fd, start + self->parts[i].offset,
				    self->parts[i].length, 1))
			return __LINE__;
	if (!state && mock_check_refs(self->fd, start, self->size, 0))
		return __LINE__;
	if (state & PAGE_TABLE && mock_space_check(&self->space, IOVA, self->size, start))
		return __LINE__;
	if (state & OTHER_PAGE_TABLE &&
	    mock_check_map(self->fd, self->second.hwpt, COPY_IOVA, self->size, start))
		return __LINE__;
	return 0;
}

/* From every state everything that is not there can come, and all else can go. */
TEST_F_TIMEOUT(mock_access_order, every_single_change_of_every_state, 300)
{
	unsigned int state, thing, i;

	for (state = 0; state < STATES; state++) {
		for (i = 0; i < THINGS; i++) {
			if (state & 1U << i)
				ASSERT_EQ(0, change(self, i, true));
		}
		ASSERT_EQ(0, check_state(self, state)) {
			TH_LOG("state %#x", state);
		}
		for (thing = 0; thing < THINGS; thing++) {
			bool present = state & 1U << thing;

			ASSERT_EQ(0, change(self, thing, !present));
			if (state % 8 == thing)
				ASSERT_EQ(0, check_state(self, state ^ 1U << thing)) {
					TH_LOG("thing %u of state %#x", thing, state);
				}
			ASSERT_EQ(0, change(self, thing, present));
		}
		/* Backwards and forwards by turns */
		for (i = 0; i < THINGS; i++) {
			unsigned int last = state & 1 ? THINGS - 1 - i : i;

			if (state & 1U << last)
				ASSERT_EQ(0, change(self, last, false));
		}
		ASSERT_EQ(0, pages_pinned());
	}
}

TEST_F_TIMEOUT(mock_access_order, random_changes, 300)
{
	unsigned int state = 0, step;

	srandom(13);
	for (step = 0; step < 300; step++) {
		unsigned int thing = random() % THINGS;

		state ^= 1U << thing;
		ASSERT_EQ(0, change(self, thing, state & 1U << thing));
		if (step % 10 == 0)
			ASSERT_EQ(0, check_state(self, state)) {
				TH_LOG("step %u, state %#x", step, state);
			}
	}
	ASSERT_EQ(0, check_state(self, state));
}

/* What ends everything at once must do so from every state. */
TEST_F_TIMEOUT(mock_access_order, unmapping_in_every_state, 300)
{
	unsigned int state, i;

	for (state = 0; state < STATES; state++) {
		for (i = 0; i < THINGS; i++) {
			if (state & 1U << i)
				ASSERT_EQ(0, change(self, i, true));
		}
		ASSERT_EQ(0, mock_space_unmap(&self->space, IOVA, self->size));
		for (i = 0; i < PARTS; i++) {
			if (state & 1U << i)
				EXPECT_EQ(-ENOENT, change(self, i, false));
		}
		ASSERT_EQ(0, check_state(self, state & OTHER_PAGE_TABLE)) {
			TH_LOG("state %#x", state);
		}
		/* The copy has the pages, so the mapping can be made from it again */
		ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, COPY_IOVA, self->size,
						   self->space.ioas, IOMMU_MAP_RW, IOVA));
		if (state & PAGE_TABLE)
			ASSERT_EQ(0, mock_space_detach(&self->space));
		if (state & OTHER_PAGE_TABLE)
			ASSERT_EQ(0, iommu_destroy(self->fd, self->second.id));
		ASSERT_EQ(0, pages_pinned());
	}
}

TEST_F(mock_access_order, a_pin_outlives_the_process_memory_and_serves_page_tables)
{
	uint8_t *start = self->memory.start;
	uint8_t buffer[2 * PAGE];

	/* All but the first page is pinned by the access */
	pattern_fill(start, self->size, 9);
	ASSERT_EQ(0, change(self, PARTS - 1, true));
	ASSERT_EQ(0, munmap(start + variant->half, variant->half));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	EXPECT_EQ((long)(self->size / PAGE), pages_pinned());
	EXPECT_EQ(0, mock_space_check(&self->space, IOVA, variant->half, start));
	ASSERT_EQ(0, mock_access_read(self->fd, self->access, IOVA, buffer, sizeof(buffer)));
	EXPECT_EQ(sizeof(buffer), pattern_match(buffer, sizeof(buffer), 9));

	/* And the other way round: without the pin, the page table serves a pin */
	ASSERT_EQ(0, change(self, PARTS - 1, false));
	ASSERT_EQ(0, mock_access_pin(self->fd, self->access, IOVA, self->size, 0, NULL,
				     &self->ids[0]));
	ASSERT_EQ(0, mock_space_detach(&self->space));
	EXPECT_EQ((long)(self->size / PAGE), pages_pinned());
	ASSERT_EQ(0, mock_access_unpin(self->fd, self->access, self->ids[0]));
	/* Now nobody has the second half any more */
	EXPECT_EQ(-EFAULT, mock_space_attach(&self->space));
	EXPECT_EQ(0, pages_pinned());
}

TEST_HARNESS_MAIN
