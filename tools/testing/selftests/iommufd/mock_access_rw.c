// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that read and write bytes, and pins of accesses beside page tables.
 */
#include <stdint.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"

/*
 * Accesses that read and write bytes.
 *
 * Owns the errors and the contents, for memory that is pinned and that is not, of
 * this process and of another.
 */

#define IOVA (MOCK_APERTURE_START + HUGE_PAGE)
#define PAGES 16
#define SIZE (PAGES * PAGE)
#define TOO_MUCH ((16UL << 20) + 1)

FIXTURE(mock_access_rw)
{
	struct mock_space space;
	struct memory memory;
	uint8_t buffer[SIZE];
	int access;
	int fd;
};

/* How the kernel reaches the memory */
FIXTURE_VARIANT(mock_access_rw)
{
	bool pinned;
	__u32 flags;
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_access_rw, own) { .kind = MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_access_rw, foreign) { .flags = MOCK_ACCESS_RW_SLOW_PATH };
FIXTURE_VARIANT_ADD(mock_access_rw, pinned) { .pinned = true };
FIXTURE_VARIANT_ADD(mock_access_rw, memfd) { .kind = MEMORY_MEMFD };

FIXTURE_SETUP(mock_access_rw)
{
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	self->fd = self->space.fd;
	ASSERT_EQ(0, mock_access_create(self->fd, self->space.ioas, 0, &self->access));
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, SIZE));
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, SIZE, IOVA));
	if (variant->pinned)
		ASSERT_EQ(0, mock_space_attach(&self->space));
	pattern_fill(self->memory.start, SIZE, 1);
}

FIXTURE_TEARDOWN(mock_access_rw)
{
	close(self->access);
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int read_at(struct _test_data_mock_access_rw *self,
		   const struct _fixture_variant_mock_access_rw *variant, __u64 iova,
		   __u64 length)
{
	return mock_access_rw(self->fd, self->access, iova, self->buffer, length,
			      variant->flags);
}

static int write_at(struct _test_data_mock_access_rw *self,
		    const struct _fixture_variant_mock_access_rw *variant, __u64 iova,
		    __u64 length)
{
	return mock_access_rw(self->fd, self->access, iova, self->buffer, length,
			      variant->flags | MOCK_ACCESS_RW_WRITE);
}

/* Where a transfer may begin and end: around page borders and in the middle. */
static const size_t places[] = {
	0, 1, 7, PAGE / 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE + 5,
	SIZE - PAGE, SIZE - 1, SIZE,
};

TEST_F_TIMEOUT(mock_access_rw, reads_any_bytes, 300)
{
	const uint8_t *start = self->memory.start;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (j = i + 1; j < ARRAY_SIZE(places); j++) {
			size_t length = places[j] - places[i];

			memset(self->buffer, 0xff, SIZE);
			ASSERT_EQ(0, read_at(self, variant, IOVA + places[i], length));
			EXPECT_EQ(0, memcmp(self->buffer, start + places[i], length));
			if (length < SIZE)
				EXPECT_EQ(0xff, self->buffer[length]);
		}
	}
}

TEST_F_TIMEOUT(mock_access_rw, writes_any_bytes_and_no_others, 300)
{
	uint8_t *start = self->memory.start;
	uint8_t expected[SIZE];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (j = i + 1; j < ARRAY_SIZE(places); j++) {
			size_t length = places[j] - places[i];

			pattern_fill(start, SIZE, i);
			memcpy(expected, start, SIZE);
			pattern_fill(self->buffer, length, 100 + j);
			memcpy(expected + places[i], self->buffer, length);
			ASSERT_EQ(0, write_at(self, variant, IOVA + places[i], length));
			EXPECT_EQ(0, memcmp(expected, start, SIZE));
		}
	}
}

TEST_F(mock_access_rw, crosses_mappings)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;

	/* Memory backwards in IOVAs forwards */
	ASSERT_EQ(0, mock_space_map(space, start + 2 * PAGE, PAGE, IOVA + SIZE));
	ASSERT_EQ(0, mock_space_map(space, start + PAGE, PAGE, IOVA + SIZE + PAGE));
	ASSERT_EQ(0, mock_space_map(space, start, PAGE, IOVA + SIZE + 2 * PAGE));
	ASSERT_EQ(0, read_at(self, variant, IOVA + SIZE + 1, 3 * PAGE - 2));
	EXPECT_EQ(0, memcmp(self->buffer, start + 2 * PAGE + 1, PAGE - 1));
	EXPECT_EQ(0, memcmp(self->buffer + PAGE - 1, start + PAGE, PAGE));
	EXPECT_EQ(0, memcmp(self->buffer + 2 * PAGE - 1, start, PAGE - 1));
}

TEST_F(mock_access_rw, reaches_mappings_smaller_than_a_page)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;

	if (variant->pinned)
		ASSERT_EQ(0, mock_space_detach(space));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, start + 5, 10, IOMMU_MAP_RW,
					  3));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, start + 4000, 200,
					  IOMMU_MAP_RW, 13));
	ASSERT_EQ(0, read_at(self, variant, 3, 210));
	EXPECT_EQ(0, memcmp(self->buffer, start + 5, 10));
	EXPECT_EQ(0, memcmp(self->buffer + 10, start + 4000, 200));
	EXPECT_EQ(-ENOENT, read_at(self, variant, 2, 2));
	EXPECT_EQ(-ENOENT, read_at(self, variant, 212, 2));
	memset(self->buffer, 0xee, 2);
	ASSERT_EQ(0, write_at(self, variant, 12, 2));
	EXPECT_EQ(0xee, start[14]);
	EXPECT_EQ(0xee, start[4000]);
	EXPECT_NE(0xee, start[15]);
}

TEST_F(mock_access_rw, no_more_than_16_MiB)
{
	EXPECT_EQ(-ENOMEM, read_at(self, variant, IOVA, TOO_MUCH));
	EXPECT_EQ(-ENOMEM, write_at(self, variant, IOVA, TOO_MUCH));
	EXPECT_EQ(-ENOENT, read_at(self, variant, IOVA, TOO_MUCH - 1));
}

TEST_F(mock_access_rw, unknown_flags_are_EOPNOTSUPP)
{
	const __u32 known = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH |
			    MOCK_FLAGS_ACCESS_SYZ;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++)
		if (!(known & 1U << bit))
			EXPECT_EQ(-EOPNOTSUPP,
				  mock_access_rw(self->fd, self->access, IOVA, self->buffer, 1,
						 1U << bit));
}

TEST_F(mock_access_rw, length_zero_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, read_at(self, variant, IOVA, 0));
	EXPECT_EQ(-EINVAL, write_at(self, variant, IOVA, 0));
}

TEST_F(mock_access_rw, range_that_wraps_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, read_at(self, variant, UINT64_MAX, 2));
	EXPECT_EQ(-EOVERFLOW, write_at(self, variant, UINT64_MAX - 1, 3));
	EXPECT_EQ(-ENOENT, read_at(self, variant, UINT64_MAX, 1));
}

TEST_F(mock_access_rw, range_that_is_not_mapped_in_full_is_ENOENT)
{
	EXPECT_EQ(-ENOENT, read_at(self, variant, 0, 1));
	EXPECT_EQ(-ENOENT, read_at(self, variant, IOVA - 1, 2));
	EXPECT_EQ(-ENOENT, write_at(self, variant, IOVA - 1, 2));
	EXPECT_EQ(-ENOENT, read_at(self, variant, IOVA + SIZE - 1, 2));
	EXPECT_EQ(-ENOENT, write_at(self, variant, IOVA + SIZE - 1, 2));
	EXPECT_EQ(SIZE, pattern_match(self->memory.start, SIZE, 1));
}

TEST_F(mock_access_rw, what_the_mapping_does_not_permit_is_EPERM)
{
	struct mock_space *space = &self->space;

	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, self->memory.start, PAGE,
					  IOMMU_IOAS_MAP_READABLE, IOVA + SIZE));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, space->ioas, self->memory.start, PAGE,
					  IOMMU_IOAS_MAP_WRITEABLE, IOVA + SIZE + PAGE));
	EXPECT_EQ(-EPERM, write_at(self, variant, IOVA + SIZE, 1));
	EXPECT_EQ(-EPERM, read_at(self, variant, IOVA + SIZE + PAGE, 1));
	EXPECT_EQ(SIZE, pattern_match(self->memory.start, SIZE, 1));
	EXPECT_EQ(0, read_at(self, variant, IOVA + SIZE, 1));
	EXPECT_EQ(0, write_at(self, variant, IOVA + SIZE + PAGE, 1));
}

TEST_F(mock_access_rw, bad_buffer_is_EFAULT)
{
	__u32 flags = variant->flags;

	EXPECT_EQ(-EFAULT, mock_access_rw(self->fd, self->access, IOVA, (void *)8, 8, flags));
	EXPECT_EQ(-EFAULT, mock_access_rw(self->fd, self->access, IOVA, (void *)8, 8,
					  flags | MOCK_ACCESS_RW_WRITE));
	EXPECT_EQ(SIZE, pattern_match(self->memory.start, SIZE, 1));
}

TEST_F(mock_access_rw, leaves_no_pin_behind)
{
	long pinned = pages_pinned();

	ASSERT_EQ(0, read_at(self, variant, IOVA, SIZE));
	ASSERT_EQ(0, write_at(self, variant, IOVA, SIZE));
	EXPECT_EQ(pinned, pages_pinned());
	if (variant->kind == MEMORY_ANONYMOUS)
		EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, pinned / PAGES));
}

/* A device and an access must see the same memory. */
TEST_F(mock_access_rw, memory_that_was_replaced_is_the_old_one_while_it_is_pinned)
{
	uint8_t *start = self->memory.start;

	ASSERT_EQ(start, mmap(start, SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	start[0] = 0x77;
	ASSERT_EQ(0, read_at(self, variant, IOVA, SIZE));
	EXPECT_EQ(variant->pinned, pattern_match(self->buffer, SIZE, 1) == SIZE);
	EXPECT_EQ(!variant->pinned, self->buffer[0] == 0x77);
}

TEST_F(mock_access_rw, memory_that_is_missing_is_EFAULT_unless_it_is_pinned)
{
	int expected = variant->pinned ? 0 : -EFAULT;

	ASSERT_EQ(0, munmap(self->memory.start + 2 * PAGE, PAGE));
	EXPECT_EQ(expected, read_at(self, variant, IOVA, SIZE));
	EXPECT_EQ(expected, write_at(self, variant, IOVA + 2 * PAGE, 1));
	EXPECT_EQ(0, read_at(self, variant, IOVA, 2 * PAGE));
}

TEST_F(mock_access_rw, memory_that_became_read_only_is_EFAULT_unless_it_is_pinned)
{
	int expected = variant->pinned ? 0 : -EFAULT;

	ASSERT_EQ(0, mprotect(self->memory.start, SIZE, PROT_READ));
	EXPECT_EQ(0, read_at(self, variant, IOVA, SIZE));
	memset(self->buffer, 0, SIZE);
	EXPECT_EQ(expected, write_at(self, variant, IOVA, 1));
}

TEST_F(mock_access_rw, of_a_range_of_which_a_part_is_pinned_is_all_of_it)
{
	struct mock_space *space = &self->space;
	struct mock mock;
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, space->ioas, IOVA + 2 * PAGE, PAGE, other,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, mock_attach(self->fd, other, &mock));
	ASSERT_EQ(0, read_at(self, variant, IOVA, SIZE));
	EXPECT_EQ(SIZE, pattern_match(self->buffer, SIZE, 1));
	pattern_fill(self->buffer, SIZE, 2);
	ASSERT_EQ(0, write_at(self, variant, IOVA, SIZE));
	EXPECT_EQ(SIZE, pattern_match(self->memory.start, SIZE, 2));
}

/* Runs in the child, whose copy of private memory is its own. */
static int other_process(struct _test_data_mock_access_rw *self,
			 const struct _fixture_variant_mock_access_rw *variant)
{
	if (variant->kind != MEMORY_MEMFD)
		memset(self->memory.start, 0, SIZE);
	if (read_at(self, variant, IOVA, SIZE))
		return 1;
	if (pattern_match(self->buffer, SIZE, 1) != SIZE)
		return 2;
	pattern_fill(self->buffer, SIZE, 2);
	return write_at(self, variant, IOVA, SIZE) ? 3 : 0;
}

TEST_F(mock_access_rw, from_another_process_reaches_the_memory_of_the_one_that_mapped_it)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(other_process(self, variant));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(SIZE, pattern_match(self->memory.start, SIZE, 2));
}

/* Maps, or maps and pins, in a process that ends at once. */
static void map_and_exit(struct mock_space *space, uint8_t *start, bool pinned)
{
	pattern_fill(start, SIZE, 3);
	if (mock_space_map(space, start, SIZE, IOVA + SIZE))
		_exit(1);
	_exit(pinned ? mock_space_check(space, IOVA + SIZE, SIZE, start) : 0);
}

TEST_F(mock_access_rw, memory_of_a_process_that_exited_is_EFAULT_unless_it_is_pinned)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		map_and_exit(&self->space, self->memory.start, variant->pinned);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	if (variant->pinned) {
		ASSERT_EQ(0, read_at(self, variant, IOVA + SIZE, SIZE));
		EXPECT_EQ(SIZE, pattern_match(self->buffer, SIZE, 3));
	} else {
		EXPECT_EQ(-EFAULT, read_at(self, variant, IOVA + SIZE, SIZE));
		EXPECT_EQ(-EFAULT, write_at(self, variant, IOVA + SIZE, SIZE));
	}
}

/*
 * Pins of accesses and page tables of the same memory, coming and going in every
 * order.
 *
 * A page must be pinned once while anybody needs it, the same page for all, and
 * not longer.
 */

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
