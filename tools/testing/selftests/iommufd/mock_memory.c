// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of memory in page tables: mapped before and after a device comes,
 * copied, moved to another page table, with every size of temporary buffers.
 */
#include <fcntl.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "mock_space.h"

#include <linux/kernel-page-flags.h>

#define SIZE (2 * HUGE_PAGE)
#define IOVA (MOCK_APERTURE_START + HUGE_PAGE)
#define HALF MOCK_PAGE_SIZE

FIXTURE(mock_memory)
{
	struct memory memory;
	struct mock_space space;
	__u32 other;
	int fd;
};

FIXTURE_VARIANT(mock_memory)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_memory, anonymous) { .kind = MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_memory, thp) { .kind = MEMORY_THP };
FIXTURE_VARIANT_ADD(mock_memory, hugetlb) { .kind = MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(mock_memory, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(mock_memory, hugetlb_memfd) { .kind = MEMORY_HUGETLB_MEMFD };

FIXTURE_SETUP(mock_memory)
{
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, SIZE));
	ASSERT_EQ(0, pages_pinned());
	self->space.fd = -1;
}

FIXTURE_TEARDOWN(mock_memory)
{
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int open_space(struct _test_data_mock_memory *self, __u32 memory_limit)
{
	int rc = mock_space_open(&self->space, memory_limit);

	self->fd = self->space.fd;
	return rc ? rc : iommu_ioas_alloc(self->fd, &self->other);
}

#define for_each_limit(_limit) \
	for (_limit = mock_memory_limits; \
	     _limit < mock_memory_limits + ARRAY_SIZE(mock_memory_limits); _limit++)

/* Small pages are pinned once; of huge ones it cannot be told. */
static int pinned_once(struct _test_data_mock_memory *self)
{
	return mock_check_refs(self->fd, self->memory.start, SIZE, 1);
}

TEST_F_TIMEOUT(mock_memory, is_found_when_the_device_comes_first, 300)
{
	struct mock_space *space = &self->space;
	const __u32 *limit;

	for_each_limit(limit) {
		ASSERT_EQ(0, open_space(self, *limit));
		ASSERT_EQ(0, mock_space_attach(space));
		ASSERT_EQ(0, mock_space_map(space, self->memory.start, SIZE, IOVA));
		EXPECT_EQ(0, mock_space_check(space, IOVA, SIZE, self->memory.start));
		EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
		EXPECT_EQ(0, pinned_once(self));
		ASSERT_EQ(0, mock_space_unmap(space, IOVA, SIZE));
		EXPECT_TRUE(mock_space_is_hole(space, IOVA, 2 * PAGE, self->memory.start));
		EXPECT_EQ(0, pages_pinned());
		EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 0));
		mock_space_close(space);
	}
}

TEST_F_TIMEOUT(mock_memory, is_found_when_the_device_comes_last, 300)
{
	struct mock_space *space = &self->space;
	const __u32 *limit;

	for_each_limit(limit) {
		ASSERT_EQ(0, open_space(self, *limit));
		ASSERT_EQ(0, mock_space_map(space, self->memory.start, SIZE, IOVA));
		EXPECT_EQ(0, pages_pinned());
		ASSERT_EQ(0, mock_space_attach(space));
		EXPECT_EQ(0, mock_space_check(space, IOVA, SIZE, self->memory.start));
		EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
		ASSERT_EQ(0, mock_space_detach(space));
		EXPECT_EQ(0, pages_pinned());
		EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 0));
		mock_space_close(space);
	}
}

/* Parts that begin and end inside of huge pages, and of small ones. */
TEST_F_TIMEOUT(mock_memory, parts_of_it_are_found, 300)
{
	static const struct {
		size_t offset;
		size_t length;
	} parts[] = {
		{ 0, HALF },
		{ HALF, PAGE },
		{ PAGE + HALF, HUGE_PAGE },
		{ HUGE_PAGE - HALF, PAGE },
		{ HUGE_PAGE - PAGE, HUGE_PAGE + HALF },
		{ HUGE_PAGE, HUGE_PAGE },
		{ HALF, SIZE - PAGE },
		{ SIZE - HALF, HALF },
	};
	struct mock_space *space = &self->space;
	const __u32 *limit;
	size_t i;

	for_each_limit(limit) {
		ASSERT_EQ(0, open_space(self, *limit));
		ASSERT_EQ(0, mock_space_attach(space));
		for (i = 0; i < ARRAY_SIZE(parts); i++) {
			uint8_t *start = self->memory.start + parts[i].offset;
			size_t length = parts[i].length;

			/* At IOVAs that fit the huge pages and that do not */
			ASSERT_EQ(0, mock_space_map(space, start, length, IOVA + parts[i].offset));
			EXPECT_EQ(0, mock_space_check(space, IOVA + parts[i].offset, length,
						      start));
			EXPECT_EQ(pages_touched(start, length), pages_pinned());
			ASSERT_EQ(0, mock_space_map(space, start, length, IOVA + SIZE + HALF));
			EXPECT_EQ(0, mock_space_check(space, IOVA + SIZE + HALF, length, start));
			ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, space->ioas, NULL));
			EXPECT_EQ(0, pages_pinned());
		}
		mock_space_close(space);
	}
}

/* What remains of a huge page when the mapping that pinned it goes. */
TEST_F_TIMEOUT(mock_memory, copies_of_parts_survive_the_original, 300)
{
	static const size_t offsets[] = { 0, 5 * PAGE + HALF, HUGE_PAGE - PAGE, SIZE - 3 * PAGE };
	const size_t length = 3 * PAGE;
	struct mock_space *space = &self->space;
	const __u32 *limit;
	size_t i;

	for_each_limit(limit) {
		long pinned = 0;

		ASSERT_EQ(0, open_space(self, *limit));
		ASSERT_EQ(0, mock_space_attach(space));
		ASSERT_EQ(0, mock_space_map(space, self->memory.start, SIZE, IOVA));
		for (i = 0; i < ARRAY_SIZE(offsets); i++) {
			ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, space->ioas,
							   IOVA + offsets[i], length, space->ioas,
							   IOMMU_MAP_RW, IOVA + (i + 1) * SIZE));
			pinned += pages_touched(self->memory.start + offsets[i], length);
		}
		ASSERT_EQ(0, mock_space_unmap(space, IOVA, SIZE));
		EXPECT_EQ(pinned, pages_pinned());
		for (i = 0; i < ARRAY_SIZE(offsets); i++)
			EXPECT_EQ(0, mock_space_check(space, IOVA + (i + 1) * SIZE, length,
						      self->memory.start + offsets[i]));
		mock_space_close(space);
		EXPECT_EQ(0, pages_pinned());
	}
}

TEST_F_TIMEOUT(mock_memory, moves_to_the_page_table_of_another_ioas, 300)
{
	struct mock_space *space = &self->space;
	const __u32 *limit;

	for_each_limit(limit) {
		__u32 pt_id;

		ASSERT_EQ(0, open_space(self, *limit));
		ASSERT_EQ(0, mock_space_attach(space));
		ASSERT_EQ(0, mock_space_map(space, self->memory.start, SIZE, IOVA));
		ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, space->ioas, IOVA, SIZE, self->other,
						   IOMMU_MAP_RW, IOVA + HALF));
		pt_id = self->other;
		ASSERT_EQ(0, mock_replace(self->fd, space->mock.id, &pt_id));
		EXPECT_EQ(0, mock_check_map(self->fd, pt_id, IOVA + HALF, SIZE,
					    self->memory.start));
		EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
		ASSERT_EQ(0, mock_space_unmap(space, IOVA, SIZE));
		EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
		EXPECT_EQ(0, mock_check_map(self->fd, pt_id, IOVA + HALF, SIZE,
					    self->memory.start));
		EXPECT_EQ(0, pinned_once(self));
		mock_space_close(space);
		EXPECT_EQ(0, pages_pinned());
	}
}

/* Entry @index of a file of entries of 64 bits. */
static int read_entry(const char *path, __u64 index, __u64 *value)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (file < 0)
		return -errno;
	size = pread(file, value, sizeof(*value), index * sizeof(*value));
	close(file);
	return size == sizeof(*value) ? 0 : -EIO;
}

/* Does the kernel know that the page at an address has to be written back? 0, 1 or -errno */
static int page_is_dirty(const void *address)
{
	const __u64 pfn_mask = (1ULL << 55) - 1;
	__u64 entry = 0, flags = 0;
	int rc;

	rc = read_entry("/proc/self/pagemap", (uintptr_t)address / PAGE, &entry);
	if (!rc)
		rc = read_entry("/proc/kpageflags", entry & pfn_mask, &flags);
	return rc ?: !!(flags & 1 << KPF_DIRTY);
}

FIXTURE(mock_written_page)
{
	struct memory memory;
	struct mock_space space;
};

FIXTURE_SETUP(mock_written_page)
{
	int dirty;

	self->space.fd = -1;
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, PAGE));
	dirty = page_is_dirty(self->memory.start);
	if (dirty)
		SKIP(return, "needs /proc/kpageflags and a page that is not dirty (%d)", dirty);
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_attach(&self->space));
}

FIXTURE_TEARDOWN(mock_written_page)
{
	mock_space_close(&self->space);
	memory_free(&self->memory);
}

TEST_F(mock_written_page, is_dirty_when_it_is_unpinned_if_the_device_may_have_written)
{
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, PAGE, IOVA));
	ASSERT_EQ(0, mock_space_unmap(&self->space, IOVA, PAGE));
	EXPECT_EQ(1, page_is_dirty(self->memory.start));
}

TEST_F(mock_written_page, is_as_it_was_if_the_device_could_only_read)
{
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->space.fd, self->space.ioas, self->memory.start,
					  PAGE, IOMMU_IOAS_MAP_READABLE, IOVA));
	ASSERT_EQ(0, mock_space_unmap(&self->space, IOVA, PAGE));
	EXPECT_EQ(0, page_is_dirty(self->memory.start));
}

TEST_HARNESS_MAIN
