// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables and memory of every kind.
 */
#include <fcntl.h>
#include <stdint.h>

#include <kselftest_harness.h>
#include <linux/kernel-page-flags.h>

#include "mock_space.h"

/*
 * Mapping, copying and unmapping with no, one and two page tables on the IOAS, of
 * both kinds: small pages only one of which the CPU has, and huge ones.
 *
 * Whatever is mapped is in every page table or in none, its pages are pinned once,
 * and nothing is pinned without a page table.
 */

#define TABLES_MAX 2
#define NONE UINT32_MAX
#define PLAIN MOCK_IOMMUPT_DEFAULT
#define HUGE MOCK_IOMMUPT_HUGE

/* Both kinds have it, at a multiple of a huge page. */
#define IOVA (MOCK_APERTURE_START + 16 * HUGE_PAGE)
#define SIZE (2 * HUGE_PAGE)

FIXTURE(mock_tables)
{
	int fd;
	__u32 ioas;
	/* Of the same context, with a table of its own: where copies come from */
	__u32 source;
	struct mock device;
	__u32 tables[TABLES_MAX];
	unsigned int count;
	struct memory memory;
};

FIXTURE_VARIANT(mock_tables)
{
	enum memory_kind memory;
	__u32 formats[TABLES_MAX];
};

FIXTURE_VARIANT_ADD(mock_tables, none)
{
	.memory = MEMORY_ANONYMOUS, .formats = { NONE, NONE },
};

FIXTURE_VARIANT_ADD(mock_tables, plain)
{
	.memory = MEMORY_ANONYMOUS, .formats = { PLAIN, NONE },
};

FIXTURE_VARIANT_ADD(mock_tables, huge)
{
	.memory = MEMORY_ANONYMOUS, .formats = { HUGE, NONE },
};

FIXTURE_VARIANT_ADD(mock_tables, plain_and_plain)
{
	.memory = MEMORY_ANONYMOUS, .formats = { PLAIN, PLAIN },
};

FIXTURE_VARIANT_ADD(mock_tables, plain_and_huge)
{
	.memory = MEMORY_ANONYMOUS, .formats = { PLAIN, HUGE },
};

FIXTURE_VARIANT_ADD(mock_tables, huge_and_huge)
{
	.memory = MEMORY_ANONYMOUS, .formats = { HUGE, HUGE },
};

FIXTURE_VARIANT_ADD(mock_tables, plain_with_hugetlb)
{
	.memory = MEMORY_HUGETLB, .formats = { PLAIN, NONE },
};

FIXTURE_VARIANT_ADD(mock_tables, huge_with_hugetlb)
{
	.memory = MEMORY_HUGETLB, .formats = { HUGE, NONE },
};

FIXTURE_VARIANT_ADD(mock_tables, plain_and_huge_with_hugetlb)
{
	.memory = MEMORY_HUGETLB, .formats = { PLAIN, HUGE },
};

FIXTURE_VARIANT_ADD(mock_tables, huge_and_huge_with_hugetlb)
{
	.memory = MEMORY_HUGETLB, .formats = { HUGE, HUGE },
};

static int add_table(struct _test_data_mock_tables *self, __u32 format)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = format };

	return iommu_hwpt_alloc_data(self->fd, self->device.idev, self->ioas, 0,
				     IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data),
				     &self->tables[self->count++]);
}

static int add_tables(struct _test_data_mock_tables *self, const __u32 *formats)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < TABLES_MAX && !rc; i++)
		if (formats[i] != NONE)
			rc = add_table(self, formats[i]);
	return rc;
}

FIXTURE_SETUP(mock_tables)
{
	__u32 elsewhere;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->source));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &elsewhere));
	ASSERT_EQ(0, mock_attach(self->fd, elsewhere, &self->device));
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->memory, SIZE));
	if (variant->memory == MEMORY_ANONYMOUS)
		memory_scatter(&self->memory, 3);
}

FIXTURE_TEARDOWN(mock_tables)
{
	close(self->fd);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int map(struct _test_data_mock_tables *self, size_t offset, __u64 length)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start + offset, length,
				    IOMMU_MAP_RW, IOVA + offset);
}

static int unmap(struct _test_data_mock_tables *self, size_t offset, __u64 length)
{
	return iommu_ioas_unmap(self->fd, self->ioas, IOVA + offset, length, NULL);
}

/* All tables have the part of the memory; its pages are pinned as often as they should. */
static int check(struct _test_data_mock_tables *self, size_t offset, __u64 length)
{
	unsigned int i;
	int rc;

	rc = mock_check_refs(self->fd, self->memory.start + offset, length, !!self->count);
	for (i = 0; i < self->count && !rc; i++)
		rc = mock_check_map(self->fd, self->tables[i], IOVA + offset, length,
				    self->memory.start + offset);
	return rc;
}

/* No table has any page of the part. */
static bool is_hole(struct _test_data_mock_tables *self, size_t offset, __u64 length)
{
	unsigned int i;
	__u64 done;

	for (i = 0; i < self->count; i++)
		for (done = 0; done < length; done += PAGE)
			if (mock_check_map(self->fd, self->tables[i], IOVA + offset + done, PAGE,
					   self->memory.start + offset + done) != -EINVAL)
				return false;
	return true;
}

static long expected_pins(struct _test_data_mock_tables *self, __u64 length)
{
	return self->count ? (long)(length / PAGE) : 0;
}

TEST_F(mock_tables, mapping_is_in_all_of_them_and_leaves_all_of_them)
{
	static const __u64 lengths[] = {
		PAGE, 3 * PAGE, MOCK_HUGE_PAGE_SIZE, MOCK_HUGE_PAGE_SIZE + PAGE, HUGE_PAGE, SIZE,
	};
	size_t i;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_EQ(0, map(self, 0, lengths[i]));
		EXPECT_EQ(0, check(self, 0, lengths[i]));
		EXPECT_EQ(expected_pins(self, lengths[i]), pages_pinned());
		EXPECT_TRUE(is_hole(self, lengths[i], SIZE - lengths[i]));
		ASSERT_EQ(0, unmap(self, 0, lengths[i]));
		EXPECT_TRUE(is_hole(self, 0, lengths[i]));
		EXPECT_EQ(0, pages_pinned());
	}
}

TEST_F(mock_tables, mapping_may_begin_and_end_inside_a_huge_page)
{
	const size_t offset = 5 * PAGE;
	const __u64 length = SIZE - 8 * PAGE;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, map(self, offset, length));
	EXPECT_EQ(0, check(self, offset, length));
	EXPECT_TRUE(is_hole(self, 0, offset));
	EXPECT_TRUE(is_hole(self, offset + length, SIZE - offset - length));
	EXPECT_EQ(-ENOENT, unmap(self, 0, HUGE_PAGE));
	EXPECT_EQ(0, check(self, offset, length));
	ASSERT_EQ(0, unmap(self, 0, SIZE));
	EXPECT_TRUE(is_hole(self, 0, SIZE));
}

TEST_F(mock_tables, iova_and_memory_need_not_have_the_same_place_in_a_huge_page)
{
	unsigned int i;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA + 3 * PAGE));
	for (i = 0; i < self->count; i++)
		EXPECT_EQ(0, mock_check_map(self->fd, self->tables[i], IOVA + 3 * PAGE, SIZE,
					    self->memory.start));
}

TEST_F(mock_tables, neighbours_are_left_alone)
{
	const __u64 third = 170 * PAGE;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, map(self, 0, third));
	ASSERT_EQ(0, map(self, third, third));
	ASSERT_EQ(0, map(self, 2 * third, third));
	ASSERT_EQ(0, unmap(self, third, third));
	EXPECT_EQ(0, check(self, 0, third));
	EXPECT_TRUE(is_hole(self, third, third));
	EXPECT_EQ(0, check(self, 2 * third, third));
	EXPECT_EQ(expected_pins(self, 2 * third), pages_pinned());
}

TEST_F(mock_tables, they_are_filled_when_they_come_and_emptied_when_they_go)
{
	ASSERT_EQ(0, map(self, 0, HUGE_PAGE));
	ASSERT_EQ(0, map(self, HUGE_PAGE + PAGE, PAGE));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, add_tables(self, variant->formats));
	EXPECT_EQ(0, check(self, 0, HUGE_PAGE));
	EXPECT_EQ(0, check(self, HUGE_PAGE + PAGE, PAGE));
	EXPECT_TRUE(is_hole(self, HUGE_PAGE, PAGE));
	while (self->count) {
		EXPECT_EQ(expected_pins(self, HUGE_PAGE + PAGE), pages_pinned());
		ASSERT_EQ(0, iommu_destroy(self->fd, self->tables[--self->count]));
		EXPECT_EQ(0, check(self, 0, HUGE_PAGE));
	}
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_tables, copies_are_in_all_of_them_and_share_the_pins)
{
	const size_t offset = HUGE_PAGE / 2 + PAGE;
	struct mock owner;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, mock_attach(self->fd, self->source, &owner));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->source, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->source, IOVA + offset, HUGE_PAGE,
					   self->ioas, IOMMU_MAP_RW, IOVA + offset));
	EXPECT_EQ((long)(SIZE / PAGE), pages_pinned());
	EXPECT_EQ(0, mock_check_refs(self->fd, self->memory.start, SIZE, 1));
	/* Without the original only the copy's part stays, if there is a table */
	ASSERT_EQ(0, iommu_destroy(self->fd, owner.id));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->fd, self->source, NULL));
	EXPECT_EQ(expected_pins(self, HUGE_PAGE), pages_pinned());
	EXPECT_EQ(0, check(self, offset, HUGE_PAGE));
}

TEST_F(mock_tables, small_pages_only_are_as_good)
{
	ASSERT_EQ(0, iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, map(self, 0, SIZE));
	EXPECT_EQ(0, check(self, 0, SIZE));
	ASSERT_EQ(0, unmap(self, 0, SIZE));
	EXPECT_TRUE(is_hole(self, 0, SIZE));
}

TEST_F(mock_tables, memory_that_is_missing_is_in_none_of_them)
{
	/* Without a table nobody looks at the memory */
	int expected = variant->formats[0] == NONE ? 0 : -EFAULT;

	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, munmap(self->memory.start + HUGE_PAGE, HUGE_PAGE));
	EXPECT_EQ(expected, map(self, 0, SIZE));
	EXPECT_EQ(0, pages_pinned());
	if (expected)
		EXPECT_EQ(0, map(self, 0, HUGE_PAGE));
}

TEST_F(mock_tables, smallest_buffers_do)
{
	ASSERT_EQ(0, mock_set_memory_limit(self->fd, 16));
	ASSERT_EQ(0, add_tables(self, variant->formats));
	ASSERT_EQ(0, map(self, PAGE, SIZE - 2 * PAGE));
	EXPECT_EQ(0, check(self, PAGE, SIZE - 2 * PAGE));
	ASSERT_EQ(0, unmap(self, PAGE, SIZE - 2 * PAGE));
	EXPECT_EQ(0, pages_pinned());
	ASSERT_EQ(0, mock_set_memory_limit(self->fd, MOCK_MEMORY_LIMIT_DEFAULT));
}

/*
 * Every kind of memory in page tables: mapped before and after a device comes,
 * copied, moved to another page table, with every size of temporary buffers.
 */

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
