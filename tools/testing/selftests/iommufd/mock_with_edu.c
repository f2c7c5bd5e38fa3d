// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock IOMMU beside the edu devices of QEMU and their IOMMU.
 *
 * The main() of edu_fixture.h binds the devices.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attachment.h"
#include "bar.h"
#include "edu_fixture.h"
#include "fail_nth.h"
#include "memory.h"
#include "mock.h"
#include "privilege.h"

/*
 * The registers of a device are for other devices: kernel drivers that work with
 * the CPU reach them neither by pinning nor by reading and writing.
 */

FIXTURE(mock_bar)
{
	struct bar_pair pair;
	int access;
};

FIXTURE_SETUP(mock_bar)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
	ASSERT_EQ(0, mock_access_create(self->pair.iommufd, self->pair.ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &self->access));
	ASSERT_EQ(0, bar_pair_map(&self->pair));
}

FIXTURE_TEARDOWN(mock_bar)
{
	close(self->access);
	bar_pair_close(&self->pair);
}

TEST_F(mock_bar, cannot_be_pinned)
{
	__u32 id;

	ASSERT_EQ(-EINVAL, mock_access_pin(self->pair.iommufd, self->access, BAR_IOVA, PAGE_BYTES,
					   0, (void *)self->pair.target.registers, &id));
}

TEST_F(mock_bar, cannot_be_read_or_written)
{
	uint32_t word = 0;

	ASSERT_EQ(-EINVAL, mock_access_read(self->pair.iommufd, self->access, BAR_IOVA, &word,
					    sizeof(word)));
	ASSERT_EQ(-EINVAL, mock_access_write(self->pair.iommufd, self->access,
					     BAR_IOVA + EDU_LIVENESS, &word, sizeof(word)));
	ASSERT_EQ(UNTOUCHED, edu_liveness(&self->pair.target));
}

/* A limit is for memory: what a device has takes none from anybody. */
TEST_F(mock_bar, needs_no_memory_that_may_be_locked)
{
	__u64 length = self->pair.target.registers_size;
	int rc;

	ASSERT_EQ(0, iommu_ioas_unmap(self->pair.iommufd, self->pair.ioas, BAR_IOVA, length, NULL));
	ASSERT_EQ(0, bar_pair_attach(&self->pair));
	ASSERT_EQ(0, privilege_limit_memlock(0));
	ASSERT_EQ(0, privilege_drop(privilege_fresh_user()));
	rc = bar_pair_map(&self->pair);
	ASSERT_EQ(0, privilege_restore());
	ASSERT_EQ(0, rc);
	ASSERT_TRUE(bar_pair_reaches(&self->pair, UNTOUCHED));
}

/*
 * A device that stops decoding its BAR waits for nobody who maps or attaches.
 *
 * A guest does that by a write to the command register of its device, and stands still
 * meanwhile. The mock IOMMU takes as long to write memory into a page table as the
 * test wants.
 */

/* What is lowest is filled in first */
#define BAR_MOCK_IOVA MOCK_APERTURE_START
#define MEMORY_IOVA (BAR_MOCK_IOVA + MEMORY_HUGE_PAGE_SIZE)

FIXTURE(mock_bar_fill)
{
	struct bar_pair pair;
	__u32 ioas;
	__u8 *memory;
	struct mock mock;
	pthread_t thread;
	int rc;
};

/* @before is done first, @run takes as long as the IOMMU does */
FIXTURE_VARIANT(mock_bar_fill)
{
	int (*before)(struct _test_data_mock_bar_fill *self);
	int (*run)(struct _test_data_mock_bar_fill *self);
};

static int map_memory(struct _test_data_mock_bar_fill *self)
{
	return iommu_ioas_map_fixed(self->pair.iommufd, self->ioas, self->memory, PAGE_BYTES,
				    IOMMU_MAP_RW, MEMORY_IOVA);
}

static int attach(struct _test_data_mock_bar_fill *self)
{
	return mock_attach(self->pair.iommufd, self->ioas, &self->mock);
}

FIXTURE_VARIANT_ADD(mock_bar_fill, attach) { map_memory, attach };
FIXTURE_VARIANT_ADD(mock_bar_fill, map) { attach, map_memory };

static int hold_map(const char *value)
{
	return fail_nth_write_file(".", "iommufd_hold_map", value);
}

static bool is_held(void)
{
	char text[16] = "";
	int fd = open("/sys/kernel/debug/iommufd_hold_map", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return text[0] == '2';
}

struct run {
	struct _test_data_mock_bar_fill *self;
	int (*run)(struct _test_data_mock_bar_fill *self);
};

static void *run_in_thread(void *data)
{
	struct run *run = data;

	run->self->rc = run->run(run->self);
	return NULL;
}

FIXTURE_SETUP(mock_bar_fill)
{
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, bar_pair_open(&self->pair));
	ASSERT_EQ(0, iommu_ioas_alloc(self->pair.iommufd, &self->ioas));
	self->memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->pair.iommufd, self->ioas,
					  (void *)self->pair.target.registers, PAGE_BYTES,
					  IOMMU_MAP_RW, BAR_MOCK_IOVA));
	ASSERT_EQ(0, variant->before(self));
}

FIXTURE_TEARDOWN(mock_bar_fill)
{
	hold_map("0");
	bar_pair_close(&self->pair);
}

TEST_F_TIMEOUT(mock_bar_fill, turning_decoding_off_and_on_does_not_wait_for_it, 60)
{
	struct run run = { .self = self, .run = variant->run };

	ASSERT_EQ(0, hold_map("1"));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, run_in_thread, &run));
	while (!is_held())
		usleep(10000);
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, false));
	ASSERT_EQ(0, vfio_device_set_decoding(&self->pair.target.device, true));
	ASSERT_TRUE(is_held());
	ASSERT_EQ(0, hold_map("0"));
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	ASSERT_EQ(0, self->rc);
}

/*
 * One IOAS with page tables of two IOMMUs: the mock's and VT-d's.
 *
 * Each mapping is in both or in none; its pages are pinned once.
 */

#define IOVA MOCK_APERTURE_START
#define SIZE (2 * MEMORY_HUGE_PAGE_SIZE)

FIXTURE(mock_two_tables)
{
	struct attachment attachment;
	struct memory memory;
	struct mock mock;
	__u32 ioas;
	int fd;
};

FIXTURE_VARIANT(mock_two_tables)
{
	enum memory_kind kind;
};

FIXTURE_VARIANT_ADD(mock_two_tables, anonymous) { .kind = MEMORY_ANONYMOUS };
FIXTURE_VARIANT_ADD(mock_two_tables, thp) { .kind = MEMORY_THP };
FIXTURE_VARIANT_ADD(mock_two_tables, hugetlb) { .kind = MEMORY_HUGETLB };
FIXTURE_VARIANT_ADD(mock_two_tables, memfd) { .kind = MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(mock_two_tables, hugetlb_memfd) { .kind = MEMORY_HUGETLB_MEMFD };

FIXTURE_SETUP(mock_two_tables)
{
	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->fd = self->attachment.iommufd;
	self->ioas = self->attachment.ioas;
	ASSERT_EQ(0, memory_allocate(&self->memory, variant->kind, SIZE));
}

FIXTURE_TEARDOWN(mock_two_tables)
{
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
}

static int map(struct _test_data_mock_two_tables *self)
{
	return attachment_map(&self->attachment, self->memory.start, SIZE, IOMMU_MAP_RW, IOVA);
}

static int attach_mock(struct _test_data_mock_two_tables *self)
{
	return mock_attach(self->fd, self->ioas, &self->mock);
}

static int attach_edu(struct _test_data_mock_two_tables *self)
{
	return attachment_attach(&self->attachment, self->ioas);
}

static int check(struct _test_data_mock_two_tables *self)
{
	return mock_check_map(self->fd, self->mock.hwpt, IOVA, SIZE, self->memory.start);
}

/* Both page tables are there and all is as it should be. */
static int check_both(struct _test_data_mock_two_tables *self)
{
	if (pages_pinned() != (long)(SIZE / PAGE_BYTES))
		return -EDOM;
	return check(self) ? : mock_check_refs(self->fd, self->memory.start, SIZE, 1);
}

static __u64 alignment(struct _test_data_mock_two_tables *self)
{
	__u64 bytes = 0;
	__u32 count = 0;

	iommu_ioas_iova_ranges(self->fd, self->ioas, NULL, &count, &bytes);
	return bytes;
}

TEST_F(mock_two_tables, neither_iommu_uses_the_page_table_of_the_other)
{
	__u32 pt_id = self->ioas;

	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, vfio_device_attach(&self->attachment.edu.device, &pt_id));
	EXPECT_NE(self->mock.hwpt, pt_id);
	EXPECT_EQ(-EINVAL, mock_replace(self->fd, self->mock.id, &pt_id));
	pt_id = self->mock.hwpt;
	EXPECT_EQ(-EINVAL, vfio_device_attach(&self->attachment.edu.device, &pt_id));
}

TEST_F(mock_two_tables, mapping_goes_into_both)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, map(self));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, SIZE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-EINVAL, check(self));
}

TEST_F(mock_two_tables, second_one_is_filled_from_what_is_pinned)
{
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, attach_edu(self));
	/* Nobody looks at the process again */
	ASSERT_EQ(0, attach_mock(self));
	EXPECT_EQ(0, check_both(self));
}

TEST_F(mock_two_tables, either_can_go_first)
{
	ASSERT_EQ(0, map(self));
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, check_both(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->mock.id));
	EXPECT_EQ((long)(SIZE / PAGE_BYTES), pages_pinned());
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(mock_two_tables, alignment_is_that_of_the_larger_page)
{
	EXPECT_EQ(1, alignment(self));
	ASSERT_EQ(0, attach_mock(self));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
	ASSERT_EQ(0, attach_edu(self));
	EXPECT_EQ(PAGE_BYTES, alignment(self));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
}

TEST_F(mock_two_tables, mapping_of_a_half_page_keeps_the_larger_page_out)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attachment_map(&self->attachment, self->memory.start, MOCK_PAGE_SIZE,
				    IOMMU_MAP_RW, IOVA));
	EXPECT_EQ(-EADDRINUSE, attach_edu(self));
	EXPECT_EQ(MOCK_PAGE_SIZE, alignment(self));
	EXPECT_EQ(0, mock_check_map(self->fd, self->mock.hwpt, IOVA, MOCK_PAGE_SIZE,
				    self->memory.start));
}

TEST_F(mock_two_tables, ranges_are_what_both_can_address)
{
	struct iommu_iova_range range = {};
	__u32 count = 1;

	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->fd, self->ioas, &range, &count, NULL));
	EXPECT_EQ(1, count);
	EXPECT_EQ(MOCK_APERTURE_START, range.start);
	EXPECT_EQ(MOCK_APERTURE_LAST, range.last);
}

TEST_F(mock_two_tables, failed_map_is_in_neither)
{
	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, attach_edu(self));
	ASSERT_EQ(0, munmap(self->memory.start + SIZE / 2, SIZE / 2));
	EXPECT_EQ(-EFAULT, map(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, self->mock.hwpt, IOVA, PAGE_BYTES,
					  self->memory.start));
	/* Nothing is in the way of a map of the same IOVAs */
	EXPECT_EQ(0, attachment_map(&self->attachment, self->memory.start, SIZE / 2,
				    IOMMU_MAP_RW, IOVA));
}

TEST_F(mock_two_tables, device_can_have_no_page_table_nested_in_one_of_another_iommu)
{
	const struct iommu_hwpt_vtd_s1 data = {};
	__u32 parent, child;

	ASSERT_EQ(0, attach_mock(self));
	ASSERT_EQ(0, iommu_hwpt_alloc(self->fd, self->mock.idev, self->ioas,
				      IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	EXPECT_EQ(-EINVAL, iommu_hwpt_alloc_data(self->fd, self->attachment.edu.device.id,
						 parent, 0, IOMMU_HWPT_DATA_VTD_S1, &data,
						 sizeof(data), &child));
	EXPECT_EQ(0, iommu_destroy(self->fd, parent));
}
