// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which IOVA is chosen.
 *
 * Owns the rules of mappings without a fixed IOVA, first one by one, then against
 * a naive model over thousands of random commands. The spaces have no device.
 */
#include <stdint.h>
#include <stdio.h>

#include <kselftest_harness.h>

#include "iommu.h"
#include "iova_model.h"

#define HUGE_PAGE 0x200000ULL

FIXTURE(iova_alloc)
{
	int fd;
	__u32 ioas;
	__u64 iova;
};

FIXTURE_SETUP(iova_alloc)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
}

FIXTURE_TEARDOWN(iova_alloc)
{
	close(self->fd);
}

static int map(struct _test_data_iova_alloc *self, __u64 address, __u64 length)
{
	self->iova = 0;
	return iommu_ioas_map(self->fd, self->ioas, (void *)address, length, IOMMU_MAP_RW,
			      &self->iova);
}

static int map_fixed(struct _test_data_iova_alloc *self, __u64 iova, __u64 length)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, NULL, length, IOMMU_MAP_RW, iova);
}

static int allow(struct _test_data_iova_alloc *self, __u64 start, __u64 last)
{
	struct iommu_iova_range range = { start, last };

	return iommu_ioas_allow_iovas(self->fd, self->ioas, &range, 1);
}

TEST_F(iova_alloc, starts_behind_the_first_page)
{
	ASSERT_EQ(0, map(self, HUGE_PAGE, 0x1000));
	EXPECT_EQ(0x1000, self->iova);
}

TEST_F(iova_alloc, is_aligned_to_its_length)
{
	ASSERT_EQ(0, map(self, HUGE_PAGE, 0x1000));
	ASSERT_EQ(0, map(self, HUGE_PAGE, 0x3000));
	EXPECT_EQ(0x4000, self->iova);
	ASSERT_EQ(0, map(self, HUGE_PAGE, HUGE_PAGE));
	EXPECT_EQ(HUGE_PAGE, self->iova);
	ASSERT_EQ(0, map(self, HUGE_PAGE, 0x2000));
	EXPECT_EQ(0x2000, self->iova);
}

TEST_F(iova_alloc, is_aligned_to_a_huge_page_at_most)
{
	ASSERT_EQ(0, map(self, 16 * HUGE_PAGE, 16 * HUGE_PAGE));
	EXPECT_EQ(HUGE_PAGE, self->iova);
}

TEST_F(iova_alloc, is_aligned_no_more_than_the_address)
{
	ASSERT_EQ(0, map(self, HUGE_PAGE + 0x3000, HUGE_PAGE));
	EXPECT_EQ(0x1000, self->iova);
	ASSERT_EQ(0, map(self, HUGE_PAGE + 0x4000, HUGE_PAGE));
	EXPECT_EQ(0x204000, self->iova);
}

TEST_F(iova_alloc, address_0_is_aligned_to_everything)
{
	ASSERT_EQ(0, map(self, 0, HUGE_PAGE));
	EXPECT_EQ(HUGE_PAGE, self->iova);
}

TEST_F(iova_alloc, keeps_the_offset_in_the_page)
{
	ASSERT_EQ(0, map(self, HUGE_PAGE + 0x800, 0x1800));
	EXPECT_EQ(0x800, self->iova % 0x1000);
	EXPECT_EQ(0x1800, self->iova);
}

TEST_F(iova_alloc, lowest_hole_that_fits_is_taken)
{
	ASSERT_EQ(0, map_fixed(self, 0x1000, 0x1000));
	ASSERT_EQ(0, map_fixed(self, 0x3000, 0x1000));
	ASSERT_EQ(0, map_fixed(self, 0x6000, 0x1000));
	ASSERT_EQ(0, map(self, 0x10000, 0x2000));
	EXPECT_EQ(0x4000, self->iova);
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x2000, self->iova);
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x7000, self->iova);
}

TEST_F(iova_alloc, freed_space_is_used_again)
{
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0x1000, 0x1000, NULL));
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x1000, self->iova);
}

TEST_F(iova_alloc, iova_0_is_never_chosen_also_if_nothing_else_is_free)
{
	ASSERT_EQ(0, allow(self, 0, 0xfff));
	EXPECT_EQ(-ENOSPC, map(self, 0x10000, 0x1000));
	ASSERT_EQ(0, allow(self, 0, 0x1fff));
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x1000, self->iova);
}

TEST_F(iova_alloc, last_page_is_never_chosen)
{
	ASSERT_EQ(0, allow(self, -0x1000ULL, UINT64_MAX));
	EXPECT_EQ(-ENOSPC, map(self, 0x10000, 0x1000));
	ASSERT_EQ(0, allow(self, -0x3000ULL, UINT64_MAX));
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(-0x3000ULL, self->iova);
}

TEST_F(iova_alloc, huge_alignment_at_the_end_of_the_space_does_not_wrap)
{
	ASSERT_EQ(0, allow(self, -HUGE_PAGE + 0x1000, UINT64_MAX));
	EXPECT_EQ(-ENOSPC, map(self, HUGE_PAGE, HUGE_PAGE / 2 + 1));
}

TEST_F(iova_alloc, window_must_hold_all_of_it)
{
	ASSERT_EQ(0, allow(self, 0x10000, 0x10ffe));
	EXPECT_EQ(-ENOSPC, map(self, 0x10000, 0x1000));
	ASSERT_EQ(0, allow(self, 0x10000, 0x10fff));
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x10000, self->iova);
	EXPECT_EQ(-ENOSPC, map(self, 0x10000, 0x1000));
}

TEST_F(iova_alloc, windows_are_tried_in_ascending_order)
{
	struct iommu_iova_range ranges[] = {
		{ 0x900000, 0x9fffff }, { 0x10000, 0x10fff }, { 0x500000, 0x500fff },
	};

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->fd, self->ioas, ranges, 3));
	ASSERT_EQ(0, map(self, 0x10000, 0x2000));
	EXPECT_EQ(0x900000, self->iova);
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x10000, self->iova);
	ASSERT_EQ(0, map(self, 0x10000, 0x1000));
	EXPECT_EQ(0x500000, self->iova);
}

TEST_F(iova_alloc, half_the_space_or_more_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, map(self, 0, UINT64_MAX / 2));
	EXPECT_EQ(-EOVERFLOW, map(self, 0, UINT64_MAX - 0x1000));
	EXPECT_EQ(0, map(self, 0, UINT64_MAX / 2 - 1));
	EXPECT_EQ(HUGE_PAGE, self->iova);
}

TEST_F(iova_alloc, full_space_is_ENOSPC)
{
	ASSERT_EQ(0, map_fixed(self, 0x1000, UINT64_MAX - 0x1000));
	EXPECT_EQ(-ENOSPC, map(self, 0x10000, 0x1000));
	EXPECT_EQ(-ENOSPC, map(self, 0x10001, 1));
}

TEST_F(iova_alloc, copy_is_aligned_to_its_memory)
{
	__u64 iova;

	/* The memory of the source begins at 0x203000, its IOVA tells nothing. */
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, (void *)0x203000,
					  0x10000, IOMMU_MAP_RW, 0x80000000));
	ASSERT_EQ(0, iommu_ioas_copy(self->fd, self->ioas, 0x80000000, 0x10000, self->ioas,
				     IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x1000, iova);
	ASSERT_EQ(0, iommu_ioas_copy(self->fd, self->ioas, 0x80001800, 0x1000, self->ioas,
				     IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x11800, iova);
	ASSERT_EQ(0, iommu_ioas_copy(self->fd, self->ioas, 0x80001000, 0x4000, self->ioas,
				     IOMMU_MAP_RW, &iova));
	EXPECT_EQ(0x14000, iova);
}

/* A space that random commands are sent to, and the model of it. */
struct random_space {
	int fd;
	__u32 ioas;
	__u64 state;
	/* Most of what happens is below this. */
	__u64 limit;
	/* What lengths and addresses are multiples of. */
	__u64 granule;
	struct iova_model model;
	/* How often an IOVA was chosen, and how often there was none. */
	unsigned int chosen;
	unsigned int full;
};

FIXTURE(iova_alloc_random)
{
	struct random_space space;
};

FIXTURE_VARIANT(iova_alloc_random)
{
	__u64 seed;
	__u64 limit;
	__u64 granule;
	bool huge_pages;
};

FIXTURE_VARIANT_ADD(iova_alloc_random, bytes)
{
	.seed = 1, .limit = 0x10000, .granule = 1, .huge_pages = true,
};

FIXTURE_VARIANT_ADD(iova_alloc_random, pages)
{
	.seed = 2, .limit = 0x200000, .granule = 0x1000, .huge_pages = true,
};

FIXTURE_VARIANT_ADD(iova_alloc_random, aligned_pages)
{
	.seed = 3, .limit = 0x200000, .granule = 0x800, .huge_pages = false,
};

FIXTURE_VARIANT_ADD(iova_alloc_random, huge)
{
	.seed = 4, .limit = 1ULL << 32, .granule = 0x1000, .huge_pages = true,
};

FIXTURE_VARIANT_ADD(iova_alloc_random, vast)
{
	.seed = 5, .limit = UINT64_MAX, .granule = 0x200, .huge_pages = true,
};

/* Size of a transparent huge page; the page size if there are none; 0 on errors. */
static __u64 huge_page_size(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "r");
	unsigned long size;

	if (!file)
		return IOVA_MODEL_PAGE;
	if (fscanf(file, "%lu", &size) != 1)
		size = 0;
	fclose(file);
	return size;
}

FIXTURE_SETUP(iova_alloc_random)
{
	self->space = (struct random_space){
		.fd = iommu_open(),
		.state = variant->seed,
		.limit = variant->limit,
		.granule = variant->granule,
		.model.alignment = variant->huge_pages ? 1 : IOVA_MODEL_PAGE,
		.model.huge_page = huge_page_size(),
	};
	ASSERT_LE(0, self->space.fd);
	ASSERT_NE(0, self->space.model.huge_page);
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->space.ioas));
	ASSERT_EQ(0, iommu_option_set(self->space.fd, IOMMU_OPTION_HUGE_PAGES,
				      self->space.ioas, variant->huge_pages));
}

FIXTURE_TEARDOWN(iova_alloc_random)
{
	close(self->space.fd);
}

/* xorshift64* */
static __u64 random_number(struct random_space *space)
{
	space->state ^= space->state >> 12;
	space->state ^= space->state << 25;
	space->state ^= space->state >> 27;
	return space->state * 2685821657736338717ULL;
}

static __u64 random_below(struct random_space *space, __u64 limit)
{
	return random_number(space) % limit;
}

/* Numbers of all magnitudes up to @limit, often round ones. */
static __u64 random_magnitude(struct random_space *space, __u64 limit, __u64 granule)
{
	__u64 number = random_number(space) >> random_below(space, 64);

	if (random_below(space, 4) == 0)
		number = 1ULL << random_below(space, 63);
	number %= limit;
	return number - number % granule;
}

static __u64 random_length(struct random_space *space)
{
	__u64 length = random_magnitude(space, space->limit / 4, space->granule);

	return length ? length : space->granule;
}

static __u64 random_address(struct random_space *space)
{
	return random_magnitude(space, 1ULL << 46, space->granule);
}

static __u64 random_iova(struct random_space *space)
{
	/* Now and then at the end of the space. */
	if (random_below(space, 16) == 0)
		return -random_magnitude(space, space->limit, space->granule) - 2;
	return random_magnitude(space, space->limit, space->granule);
}

static int random_mapping(struct random_space *space)
{
	return random_below(space, space->model.mapping_count);
}

/* All of these return true if kernel and model agree. */

static bool agree(const char *what, int actual, int expected, __u64 actual_value,
		  __u64 expected_value)
{
	if (actual == expected && (actual || actual_value == expected_value))
		return true;
	ksft_print_msg("%s: kernel %d %#llx, model %d %#llx\n", what, actual, actual_value,
		       expected, expected_value);
	return false;
}

static bool random_map(struct random_space *space)
{
	__u64 address = random_address(space), length = random_length(space);
	__u64 expected_iova = 0;
	__u64 iova = 0;
	int rc, expected;

	rc = iommu_ioas_map(space->fd, space->ioas, (void *)address, length, IOMMU_MAP_RW,
			    &iova);
	expected = iova_model_choose(&space->model, address, length, &expected_iova);
	if (!rc)
		iova_model_insert(&space->model, iova, length, address);
	space->chosen += !rc;
	space->full += rc == -ENOSPC;
	return agree("map", rc, expected, iova, expected_iova);
}

static bool random_map_fixed(struct random_space *space)
{
	__u64 address = random_address(space), length = random_length(space);
	__u64 iova = random_iova(space);
	int rc, expected;

	rc = iommu_ioas_map_fixed(space->fd, space->ioas, (void *)address, length,
				  IOMMU_MAP_RW, iova);
	expected = iova_model_fixed(&space->model, address, length, iova);
	if (!rc)
		iova_model_insert(&space->model, iova, length, address);
	return agree("map fixed", rc, expected, iova, iova);
}

/* A copy of a part of a mapping. */
static bool random_copy(struct random_space *space)
{
	struct iova_model_mapping source;
	__u64 skip, length, expected_iova = 0;
	__u64 iova = 0;
	int rc, expected;

	if (!space->model.mapping_count)
		return true;
	source = space->model.mappings[random_mapping(space)];
	length = source.range.last - source.range.start + 1;
	skip = random_magnitude(space, length, space->granule);
	length -= skip;
	rc = iommu_ioas_copy(space->fd, space->ioas, source.range.start + skip, length,
			     space->ioas, IOMMU_MAP_RW, &iova);
	expected = iova_model_choose(&space->model, source.address + skip, length,
				     &expected_iova);
	if (!rc)
		iova_model_insert(&space->model, iova, length, source.address + skip);
	return agree("copy", rc, expected, iova, expected_iova);
}

static bool unmap(struct random_space *space, __u64 start, __u64 length)
{
	__u64 expected_bytes;
	__u64 bytes = 0;
	int rc, expected;

	rc = iommu_ioas_unmap(space->fd, space->ioas, start, length, &bytes);
	expected = iova_model_unmap(&space->model, start, length, &expected_bytes);
	return agree("unmap", rc, expected, bytes, expected_bytes);
}

static bool random_unmap_one(struct random_space *space)
{
	struct iova_model_range range;

	if (!space->model.mapping_count)
		return true;
	range = space->model.mappings[random_mapping(space)].range;
	return unmap(space, range.start, range.last - range.start + 1);
}

/* From the start of a mapping to somewhere, so that often several go at once. */
static bool random_unmap_range(struct random_space *space)
{
	__u64 start, length = random_length(space);

	if (!space->model.mapping_count)
		return true;
	start = space->model.mappings[random_mapping(space)].range.start;
	if (length - 1 > UINT64_MAX - start)
		length = UINT64_MAX - start;
	return unmap(space, start, length);
}

/* Ascending ranges, sent in the opposite order; the model merges what touches. */
static bool random_allow(struct random_space *space)
{
	struct iommu_iova_range ranges[IOVA_MODEL_ALLOWED];
	int count = random_below(space, IOVA_MODEL_ALLOWED), i, at = IOVA_MODEL_ALLOWED;
	__u64 start = random_magnitude(space, space->limit / 4, 1);
	struct iova_model *model = &space->model;

	model->allowed_count = 0;
	for (i = 0; i < count; i++) {
		__u64 last = start + 1 + random_below(space, space->limit / 32);

		ranges[--at] = (struct iommu_iova_range){ start, last };
		if (model->allowed_count &&
		    model->allowed[model->allowed_count - 1].last + 1 == start)
			model->allowed[model->allowed_count - 1].last = last;
		else
			model->allowed[model->allowed_count++] =
				(struct iova_model_range){ start, last };
		start = last + 1;
		if (random_below(space, 2))
			start += random_below(space, space->limit / 32);
	}
	return agree("allow", iommu_ioas_allow_iovas(space->fd, space->ioas, ranges + at, count),
		     0, 0, 0);
}

static bool random_step(struct random_space *space)
{
	if (space->model.mapping_count == IOVA_MODEL_MAPPINGS)
		return random_unmap_range(space);
	switch (random_below(space, 100)) {
	case 0 ... 39:
		return random_map(space);
	case 40 ... 54:
		return random_map_fixed(space);
	case 55 ... 64:
		return random_copy(space);
	case 65 ... 89:
		return random_unmap_one(space);
	case 90 ... 97:
		return random_unmap_range(space);
	default:
		return random_allow(space);
	}
}

TEST_F_TIMEOUT(iova_alloc_random, kernel_and_model_agree, 300)
{
	int step;

	for (step = 0; step < 20000; step++)
		ASSERT_TRUE(random_step(&self->space)) {
			TH_LOG("step %d of seed %llu", step, variant->seed);
		}
	ksft_print_msg("%u chosen, %u times no space\n", self->space.chosen,
		       self->space.full);
	EXPECT_LT(500, self->space.chosen);
}

TEST_HARNESS_MAIN
