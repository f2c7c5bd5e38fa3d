// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that pin: what they may pin, and how they are made to let go.
 *
 * Owns the errors, each with nothing changed, and the life of an access. Reading
 * and writing, and what comes of pins while page tables come and go, is in
 * mock_access_rw.c.
 */
#include <stdint.h>
#include <sys/resource.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "mock_space.h"

#define IOVA (MOCK_APERTURE_START + HUGE_PAGE)
#define PAGES 16
#define SIZE (PAGES * PAGE)
#define HALF MOCK_PAGE_SIZE
#define NO_ID 0x7fffffff
#define TOO_MUCH ((16UL << 20) + 1)
#define NEEDS_PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES

FIXTURE(mock_access)
{
	struct mock_space space;
	struct memory memory;
	__u32 other;
	__u32 id;
	int access;
	int fd;
};

FIXTURE_SETUP(mock_access)
{
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	self->fd = self->space.fd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, mock_access_create(self->fd, self->space.ioas, NEEDS_PIN, &self->access));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	memory_scatter(&self->memory, 3);
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, SIZE, IOVA));
}

FIXTURE_TEARDOWN(mock_access)
{
	if (self->access >= 0)
		close(self->access);
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int pin(struct _test_data_mock_access *self, __u64 iova, __u64 length, __u32 flags)
{
	return mock_access_pin(self->fd, self->access, iova, length, flags, NULL, &self->id);
}

/* Pins a part of the memory and compares it. */
static int pin_part(struct _test_data_mock_access *self, __u64 offset, __u64 length, __u32 *id)
{
	return mock_access_pin(self->fd, self->access, IOVA + offset, length,
			       MOCK_FLAGS_ACCESS_WRITE, self->memory.start + offset, id);
}

static int unpin(struct _test_data_mock_access *self, __u32 id)
{
	return mock_access_unpin(self->fd, self->access, id);
}

static int refs(struct _test_data_mock_access *self, unsigned int count)
{
	return mock_check_refs(self->fd, self->memory.start, SIZE, count);
}

static int map_with(struct _test_data_mock_access *self, __u64 iova, __u32 flags)
{
	return iommu_ioas_map_fixed(self->fd, self->space.ioas, self->memory.start, SIZE, flags,
				    iova);
}

static __u64 alignment_of(int fd, __u32 ioas)
{
	__u64 alignment = 0;
	__u32 count = 0;

	iommu_ioas_iova_ranges(fd, ioas, NULL, &count, &alignment);
	return alignment;
}

TEST_F(mock_access, unknown_flags_at_creation_are_EOPNOTSUPP)
{
	unsigned int bit;
	int access;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, mock_access_create(self->fd, self->other, 1U << bit,
							  &access));
}

TEST_F(mock_access, is_of_an_ioas_and_nothing_else)
{
	int access;

	ASSERT_EQ(0, mock_space_attach(&self->space));
	EXPECT_EQ(-ENOENT, mock_access_create(self->fd, NO_ID, 0, &access));
	EXPECT_EQ(-ENOENT, mock_access_create(self->fd, self->space.mock.hwpt, 0, &access));
	EXPECT_EQ(-ENOENT, mock_access_create(self->fd, self->space.mock.idev, 0, &access));
	EXPECT_EQ(-ENOENT, mock_access_replace(self->fd, self->access, NO_ID));
	EXPECT_EQ(-ENOENT, mock_access_replace(self->fd, self->access, self->space.mock.hwpt));
}

TEST_F(mock_access, without_a_free_descriptor_is_ENOMEM)
{
	struct rlimit limit, none = {};
	int access, rc;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none.rlim_max = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	rc = mock_access_create(self->fd, self->other, 0, &access);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-ENOMEM, rc);
	EXPECT_EQ(0, iommu_destroy(self->fd, self->other));
}

TEST_F(mock_access, whose_descriptor_can_not_be_told_is_not_made)
{
	struct iommu_test_cmd cmd = MOCK_CMD(CREATE_ACCESS, self->other);
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *user;

	ASSERT_NE(NULL, edge);
	user = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, user);
	EXPECT_EQ(-EFAULT, mock_ioctl(self->fd, user));
	guard_page_free(edge);
	EXPECT_EQ(0, iommu_destroy(self->fd, self->other));
}

TEST_F(mock_access, keeps_its_ioas_until_it_is_closed)
{
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->space.ioas));
	/* The access itself is the object after both IOAS */
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->other + 1));
	close(self->access);
	self->access = -1;
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->other + 1));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->space.ioas));
}

TEST_F(mock_access, keeps_the_context_until_it_is_closed)
{
	int fd = iommu_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	mock_space_close(&self->space);
	EXPECT_EQ(0, mock_check_refs(fd, self->memory.start, SIZE, 1));
	close(self->access);
	self->access = -1;
	EXPECT_EQ(0, mock_check_refs(fd, self->memory.start, SIZE, 0));
	close(fd);
}

TEST_F(mock_access, operations_on_another_file_are_EBADFD)
{
	int files[] = { -1, 1000, 0, self->fd };
	char byte;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(-EBADFD, mock_access_pin(self->fd, files[i], IOVA, PAGE, 0, NULL,
						   &self->id));
		EXPECT_EQ(-EBADFD, mock_access_unpin(self->fd, files[i], 0));
		EXPECT_EQ(-EBADFD, mock_access_read(self->fd, files[i], IOVA, &byte, 1));
		EXPECT_EQ(-EBADFD, mock_access_replace(self->fd, files[i], self->other));
	}
}

TEST_F(mock_access, that_pins_raises_the_alignment)
{
	int second;

	EXPECT_EQ(PAGE, alignment_of(self->fd, self->space.ioas));
	EXPECT_EQ(-EINVAL, mock_space_map(&self->space, self->memory.start, HALF, 0));
	EXPECT_EQ(1, alignment_of(self->fd, self->other));
	ASSERT_EQ(0, mock_access_create(self->fd, self->other, 0, &second));
	EXPECT_EQ(1, alignment_of(self->fd, self->other));
	close(second);
	close(self->access);
	self->access = -1;
	EXPECT_EQ(1, alignment_of(self->fd, self->space.ioas));
}

TEST_F(mock_access, that_pins_needs_aligned_mappings)
{
	struct iommu_ioas_map good = {
		.size = sizeof(good),
		.flags = IOMMU_MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = self->other,
		.user_va = (uintptr_t)self->memory.start,
		.length = PAGE,
		.iova = IOVA,
	};
	struct iommu_ioas_map bad[3] = { good, good, good };
	int second;
	size_t i;

	bad[0].user_va += 1;
	bad[1].length -= 1;
	bad[2].iova += 1;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &bad[i]));
		EXPECT_EQ(-EADDRINUSE, mock_access_create(self->fd, self->other, NEEDS_PIN,
							  &second));
		EXPECT_EQ(-EADDRINUSE, mock_access_replace(self->fd, self->access, self->other));
		ASSERT_EQ(0, mock_access_create(self->fd, self->other, 0, &second));
		close(second);
		ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->other, NULL));
	}
	/* No failure is remembered when the alignment is computed anew */
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->other, 1));
	EXPECT_EQ(1, alignment_of(self->fd, self->other));
	/* The access is where it was */
	EXPECT_EQ(0, pin_part(self, 0, SIZE, &self->id));
}

TEST_F(mock_access, pins_no_more_than_16_MiB)
{
	EXPECT_EQ(-ENOMEM, pin(self, IOVA, TOO_MUCH, 0));
	EXPECT_EQ(-ENOENT, pin(self, IOVA, TOO_MUCH - 1, 0));
}

TEST_F(mock_access, unknown_flags_of_pins_are_EOPNOTSUPP)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		if (bit != 16)
			EXPECT_EQ(-EOPNOTSUPP, pin(self, IOVA, PAGE, 1U << bit));
}

TEST_F(mock_access, that_was_made_without_pins_can_not_pin)
{
	int second;

	ASSERT_EQ(0, mock_access_create(self->fd, self->space.ioas, 0, &second));
	EXPECT_EQ(-EOPNOTSUPP, mock_access_pin(self->fd, second, IOVA, PAGE, 0, NULL, &self->id));
	close(second);
}

TEST_F(mock_access, pins_whole_pages)
{
	EXPECT_EQ(-EINVAL, pin(self, IOVA, 0, 0));
	EXPECT_EQ(-EINVAL, pin(self, IOVA, 1, 0));
	EXPECT_EQ(-EINVAL, pin(self, IOVA, PAGE + 1, 0));
	EXPECT_EQ(-EINVAL, pin(self, IOVA + 1, PAGE, 0));
	EXPECT_EQ(-EINVAL, pin(self, IOVA + HALF, PAGE, 0));
	EXPECT_EQ(0, refs(self, 0));
}

TEST_F(mock_access, range_that_wraps_is_EOVERFLOW)
{
	EXPECT_EQ(-EOVERFLOW, pin(self, -PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-EOVERFLOW, pin(self, UINT64_MAX, 2, 0));
	EXPECT_EQ(-ENOENT, pin(self, -PAGE, PAGE, 0));
}

TEST_F(mock_access, pins_only_what_is_mapped_in_full)
{
	EXPECT_EQ(-ENOENT, pin(self, 0, PAGE, 0));
	EXPECT_EQ(-ENOENT, pin(self, IOVA - PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-ENOENT, pin(self, IOVA + SIZE - PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-ENOENT, pin(self, IOVA + SIZE, PAGE, 0));
	/* A hole between two mappings */
	ASSERT_EQ(0, map_with(self, IOVA + SIZE + PAGE, IOMMU_MAP_RW));
	EXPECT_EQ(-ENOENT, pin(self, IOVA, SIZE + 2 * PAGE, 0));
	EXPECT_EQ(0, refs(self, 0));
}

TEST_F(mock_access, pins_only_what_the_mapping_permits)
{
	const __u64 read_only = IOVA + SIZE, write_only = IOVA + 2 * SIZE;

	ASSERT_EQ(0, map_with(self, read_only, IOMMU_IOAS_MAP_READABLE));
	ASSERT_EQ(0, map_with(self, write_only, IOMMU_IOAS_MAP_WRITEABLE));
	EXPECT_EQ(-EPERM, pin(self, read_only, PAGE, MOCK_FLAGS_ACCESS_WRITE));
	EXPECT_EQ(-EPERM, pin(self, write_only, PAGE, 0));
	/* Also if it is only the last page */
	EXPECT_EQ(-EPERM, pin(self, IOVA, SIZE + PAGE, MOCK_FLAGS_ACCESS_WRITE));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ(0, pin(self, read_only, PAGE, 0));
	EXPECT_EQ(0, pin(self, write_only, PAGE, MOCK_FLAGS_ACCESS_WRITE));
}

TEST_F(mock_access, memory_that_is_missing_is_EFAULT)
{
	ASSERT_EQ(0, munmap(self->memory.start + SIZE - PAGE, PAGE));
	EXPECT_EQ(-EFAULT, pin(self, IOVA, SIZE, 0));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(0, pin(self, IOVA, SIZE - PAGE, 0));
}

TEST_F(mock_access, pages_other_than_expected_are_EBADE_and_not_pinned)
{
	EXPECT_EQ(-EBADE, mock_access_pin(self->fd, self->access, IOVA, 2 * PAGE, 0,
					  self->memory.start + PAGE, &self->id));
	EXPECT_EQ(-EFAULT, mock_access_pin(self->fd, self->access, IOVA, PAGE, 0,
					   (void *)PAGE, &self->id));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F_TIMEOUT(mock_access, any_whole_pages_can_be_pinned, 300)
{
	size_t first, end;

	for (first = 0; first < PAGES; first++) {
		for (end = first + 1; end <= PAGES; end++) {
			uint8_t *start = self->memory.start;

			ASSERT_EQ(0, pin_part(self, first * PAGE, (end - first) * PAGE, &self->id));
			EXPECT_EQ(0, mock_check_refs(self->fd, start, first * PAGE, 0));
			EXPECT_EQ(0, mock_check_refs(self->fd, start + first * PAGE,
						     (end - first) * PAGE, 1));
			EXPECT_EQ(0, mock_check_refs(self->fd, start + end * PAGE,
						     (PAGES - end) * PAGE, 0));
			EXPECT_EQ((long)(end - first), pages_pinned());
			ASSERT_EQ(0, unpin(self, self->id));
		}
	}
	EXPECT_EQ(0, refs(self, 0));
}

/* In the order of the IOVAs, whatever the memory is. */
TEST_F(mock_access, pins_may_cross_mappings)
{
	struct mock_space *space = &self->space;
	uint8_t *start = self->memory.start;

	ASSERT_EQ(0, mock_space_unmap(space, IOVA, SIZE));
	ASSERT_EQ(0, mock_space_map(space, start, 3 * PAGE, IOVA));
	ASSERT_EQ(0, mock_space_map(space, start + 3 * PAGE, PAGE, IOVA + 3 * PAGE));
	ASSERT_EQ(0, mock_space_map(space, start + 4 * PAGE, 12 * PAGE, IOVA + 4 * PAGE));
	EXPECT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, unpin(self, self->id));
	EXPECT_EQ(0, pin_part(self, 2 * PAGE, 3 * PAGE, &self->id));
	EXPECT_EQ(3, pages_pinned());
}

TEST_F(mock_access, a_failure_in_the_last_mapping_pins_nothing)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->space.ioas, (void *)PAGE, PAGE,
					  IOMMU_MAP_RW, IOVA + SIZE));
	EXPECT_EQ(-EFAULT, pin(self, IOVA, SIZE + PAGE, 0));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ(0, pages_pinned());
}

/* A mapping that begins or ends in the middle of a page has no whole one there. */
TEST_F(mock_access, page_halves_of_mappings_can_not_be_pinned)
{
	int bytes;

	close(self->access);
	self->access = -1;
	ASSERT_EQ(0, mock_access_create(self->fd, self->other, 0, &bytes));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->other, self->memory.start, 3 * HALF,
					  IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EADDRINUSE, mock_access_create(self->fd, self->other, NEEDS_PIN,
						  &self->access));
	close(bytes);
	self->access = -1;
}

TEST_F(mock_access, pins_are_numbered_from_0_and_can_be_had_many_times)
{
	__u32 id;

	for (id = 0; id < 10; id++) {
		ASSERT_EQ(0, pin_part(self, id * PAGE, 2 * PAGE, &self->id));
		EXPECT_EQ(id, self->id);
	}
	for (id = 0; id < 10; id++)
		ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	/* However many there are, a page of a mapping is pinned once */
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(-ENOENT, unpin(self, 20));
	for (id = 19; id > 9; id--)
		ASSERT_EQ(0, unpin(self, id));
	EXPECT_EQ(11, pages_pinned());
	for (id = 0; id < 10; id++)
		ASSERT_EQ(0, unpin(self, id));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ(-ENOENT, unpin(self, 0));
}

TEST_F(mock_access, unmapping_lets_go_of_what_is_pinned_there)
{
	__u32 inside, after;

	ASSERT_EQ(0, map_with(self, IOVA + SIZE, IOMMU_MAP_RW));
	ASSERT_EQ(0, pin_part(self, PAGE, PAGE, &inside));
	ASSERT_EQ(0, mock_access_pin(self->fd, self->access, IOVA + SIZE, SIZE, 0,
				     self->memory.start, &after));
	EXPECT_EQ(PAGES + 1, pages_pinned());
	ASSERT_EQ(0, mock_space_unmap(&self->space, IOVA, SIZE));
	EXPECT_EQ(PAGES, pages_pinned());
	EXPECT_EQ(-ENOENT, unpin(self, inside));
	EXPECT_EQ(0, unpin(self, after));
}

TEST_F(mock_access, unmapping_everything_lets_go_of_every_access)
{
	int second;

	ASSERT_EQ(0, mock_access_create(self->fd, self->space.ioas, NEEDS_PIN, &second));
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	ASSERT_EQ(0, mock_access_pin(self->fd, second, IOVA, SIZE, 0, NULL, &self->id));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	EXPECT_EQ(0, refs(self, 1));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->space.ioas, NULL));
	EXPECT_EQ(0, refs(self, 0));
	close(second);
}

/* The pin begins in a mapping that stays. */
TEST_F(mock_access, unmapping_one_of_two_mappings_ends_a_pin_of_both)
{
	ASSERT_EQ(0, map_with(self, IOVA + SIZE, IOMMU_MAP_RW));
	ASSERT_EQ(0, pin(self, IOVA + SIZE - PAGE, 2 * PAGE, 0));
	ASSERT_EQ(0, mock_space_unmap(&self->space, IOVA + SIZE, SIZE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-ENOENT, unpin(self, self->id));
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, SIZE));
}

TEST_F(mock_access, failed_unmap_keeps_the_pins)
{
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	EXPECT_EQ(-ENOENT, mock_space_unmap(&self->space, IOVA, PAGE));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, unpin(self, self->id));
}

TEST_F(mock_access, replace_lets_go_of_everything_in_the_old_ioas)
{
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	ASSERT_EQ(0, mock_access_replace(self->fd, self->access, self->other));
	EXPECT_EQ(0, refs(self, 0));
	EXPECT_EQ(-ENOENT, unpin(self, self->id));
	EXPECT_EQ(-ENOENT, pin(self, IOVA, PAGE, 0));
	EXPECT_EQ(1, alignment_of(self->fd, self->space.ioas));
	EXPECT_EQ(PAGE, alignment_of(self->fd, self->other));
	EXPECT_EQ(-EBUSY, iommu_destroy(self->fd, self->other));
	EXPECT_EQ(0, iommu_destroy(self->fd, self->space.ioas));
}

TEST_F(mock_access, replace_by_the_same_ioas_works)
{
	ASSERT_EQ(0, mock_access_replace(self->fd, self->access, self->space.ioas));
	EXPECT_EQ(0, pin_part(self, 0, SIZE, &self->id));
}

TEST_F(mock_access, failed_replace_keeps_the_pins)
{
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	EXPECT_EQ(-ENOENT, mock_access_replace(self->fd, self->access, NO_ID));
	EXPECT_EQ(0, refs(self, 1));
	EXPECT_EQ(0, unpin(self, self->id));
}

TEST_F(mock_access, closing_it_unpins_everything)
{
	ASSERT_EQ(0, pin_part(self, 0, SIZE, &self->id));
	ASSERT_EQ(0, pin_part(self, PAGE, PAGE, &self->id));
	close(self->access);
	self->access = -1;
	EXPECT_EQ(0, refs(self, 0));
}

/* What a fuzzer that cannot know IOVAs uses. */
TEST_F(mock_access, a_mapping_can_be_named_by_its_number)
{
	const __u64 second = 1, offset = PAGE;
	char byte = 0;
	__u64 iova;

	ASSERT_EQ(0, map_with(self, IOVA + 2 * SIZE, IOMMU_MAP_RW));
	EXPECT_EQ(0, mock_access_pin(self->fd, self->access, second | offset << 32, PAGE,
				     MOCK_FLAGS_ACCESS_SYZ, self->memory.start + PAGE,
				     &self->id));
	self->memory.start[PAGE] = 0x5a;
	EXPECT_EQ(0, mock_access_rw(self->fd, self->access, second | offset << 32, &byte, 1,
				    MOCK_FLAGS_ACCESS_SYZ));
	EXPECT_EQ(0x5a, byte);
	EXPECT_EQ(0, iommu_ioas_copy(self->fd, self->space.ioas, second, SIZE, self->other,
				     IOMMU_MAP_RW | MOCK_FLAGS_ACCESS_SYZ, &iova));
	/* There is no third one: IOVA 0 is meant */
	EXPECT_EQ(-ENOENT, pin(self, 2, PAGE, MOCK_FLAGS_ACCESS_SYZ));
}

TEST_HARNESS_MAIN
