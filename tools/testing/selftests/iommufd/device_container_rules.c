// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of a container's MAP_DMA and UNMAP_DMA, on the kernel's own container and on
 * /dev/iommu.
 *
 * First as a table: each row runs in version 1 and 2 of type1, and finds the same three
 * mappings. Where the two containers differ on purpose the row says so. No device is
 * open: what is wrong shows at once. Then for callers of other kinds: a process that may
 * not lock much memory, a 32 bit program, two threads at once.
 */
#include <pthread.h>

#include "attachment.h"
#include "edu_fixture.h"
#include "ioctl_32_bit.h"
#include "privilege.h"
#include "vfio_container.h"

/* Where the memory of the mappings is in that of the test */
#define READ_ONLY_OFFSET 0x10000UL
#define MEMORY_SIZE 0x11000UL

/* Not an offset: where no program has memory */
#define NOWHERE 0xffff800000000000UL
#define LAST_PAGE 0xfffffffffffff000UL

struct mapping {
	__u64 iova;
	__u64 size;
};

/* Two side by side and one behind a hole */
static const struct mapping layout[] = {
	{ 0x10000, 0x4000 },
	{ 0x14000, 0x4000 },
	{ 0x20000, 0x2000 },
};

#define TOTAL 0xa000

/**
 * struct outcome - what a request does
 * @result: 0 or -errno
 * @unmapped: for UNMAP_DMA that succeeds: what it says to have unmapped
 * @left: bytes that are mapped afterwards
 */
struct outcome {
	int result;
	__u64 unmapped;
	__u64 left;
};

struct unmap_row {
	const char *what;
	__u32 flags;
	__u64 iova;
	__u64 size;
	struct outcome version2;
	struct outcome version1;
	/* If not 0: what /dev/iommu answers instead */
	int iommufd_result;
};

#define BOTH(...) .version2 = { __VA_ARGS__ }, .version1 = { __VA_ARGS__ }
#define REFUSED(error) BOTH(-(error), 0, TOTAL)

static const struct unmap_row unmap_rows[] = {
	{ "one mapping", 0, 0x10000, 0x4000, BOTH(0, 0x4000, TOTAL - 0x4000) },
	{ "two side by side", 0, 0x10000, 0x8000, BOTH(0, 0x8000, TOTAL - 0x8000) },
	{ "all three and the hole", 0, 0x10000, 0x12000, BOTH(0, TOTAL, 0) },
	{ "more than there is", 0, 0, 0x100000, BOTH(0, TOTAL, 0) },
	{ "nothing there", 0, 0x40000, 0x1000, BOTH(0, 0, TOTAL) },
	{ "only the hole", 0, 0x18000, 0x8000, BOTH(0, 0, TOTAL) },
	{ "the last page of all", 0, LAST_PAGE, 0x1000, BOTH(0, 0, TOTAL) },
	{ "first half of one", 0, 0x10000, 0x2000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0x4000, TOTAL - 0x4000 } },
	{ "second half of one", 0, 0x12000, 0x2000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0, TOTAL } },
	{ "middle of one", 0, 0x11000, 0x1000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0, TOTAL } },
	{ "one and half of the next", 0, 0x10000, 0x6000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0x8000, TOTAL - 0x8000 } },
	{ "half of one and the next", 0, 0x12000, 0x6000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0, TOTAL } },
	{ "hole and half of one", 0, 0xc000, 0x6000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0x4000, TOTAL - 0x4000 } },
	{ "half of the second one and the third", 0, 0x16000, 0xc000,
	  .version2 = { -EINVAL, 0, TOTAL }, .version1 = { 0, 0, TOTAL } },
	{ "no size", 0, 0x10000, 0, REFUSED(EINVAL) },
	{ "size not aligned", 0, 0x10000, 0x4800, REFUSED(EINVAL) },
	{ "IOVA not aligned", 0, 0x10800, 0x4000, REFUSED(EINVAL) },
	{ "around the end", 0, LAST_PAGE, 0x2000, REFUSED(EINVAL), .iommufd_result = -EOVERFLOW },
	{ "ALL", VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, BOTH(0, TOTAL, 0) },
	{ "ALL with an IOVA", VFIO_DMA_UNMAP_FLAG_ALL, 0x10000, 0, REFUSED(EINVAL) },
	{ "ALL with a size", VFIO_DMA_UNMAP_FLAG_ALL, 0, 0x4000, REFUSED(EINVAL) },
	{ "unknown flag", 1 << 3, 0x10000, 0x4000, REFUSED(EINVAL) },
};

struct map_row {
	const char *what;
	__u32 flags;
	/* Of the test's memory, unless it is NOWHERE or above */
	__u64 offset;
	__u64 iova;
	__u64 size;
	int result;
	int iommufd_result;
};

#define RW VFIO_MAP_RW

static const struct map_row map_rows[] = {
	{ "before all", RW, 0, 0xf000, 0x1000, .result = 0 },
	{ "exactly into the hole", RW, 0, 0x18000, 0x8000, .result = 0 },
	{ "at 0", RW, 0, 0, 0x1000, .result = 0 },
	{ "only reading", VFIO_DMA_MAP_FLAG_READ, 0, 0x40000, 0x1000, .result = 0 },
	{ "only writing", VFIO_DMA_MAP_FLAG_WRITE, 0, 0x40000, 0x1000, .result = 0 },
	{ "read-only memory, only reading", VFIO_DMA_MAP_FLAG_READ, READ_ONLY_OFFSET,
	  0x40000, 0x1000, .result = 0 },
	{ "memory that is mapped already", RW, 0, 0x40000, 0x4000, .result = 0 },
	{ "neither reading nor writing", 0, 0, 0x40000, 0x1000, .result = -EINVAL },
	{ "unknown flag", RW | 1 << 3, 0, 0x40000, 0x1000, .result = -EINVAL },
	{ "no size", RW, 0, 0x40000, 0, .result = -EINVAL },
	{ "size not aligned", RW, 0, 0x40000, 0x1800, .result = -EINVAL },
	{ "IOVA not aligned", RW, 0, 0x40800, 0x1000, .result = -EINVAL },
	{ "memory not aligned", RW, 0x800, 0x40000, 0x1000, .result = -EINVAL },
	{ "one again", RW, 0, 0x10000, 0x4000, .result = -EEXIST },
	{ "over the end of one", RW, 0, 0x17000, 0x2000, .result = -EEXIST },
	{ "over the beginning of one", RW, 0, 0x1f000, 0x2000, .result = -EEXIST },
	{ "inside one", RW, 0, 0x11000, 0x1000, .result = -EEXIST },
	{ "around one", RW, 0, 0x1f000, 0x4000, .result = -EEXIST },
	{ "where interrupts go", RW, 0, MSI_WINDOW_START, 0x1000, .result = -EINVAL },
	{ "into where interrupts go", RW, 0, MSI_WINDOW_START - 0x1000, 0x2000, .result = -EINVAL },
	{ "beyond the device's addresses", RW, 0, 1ULL << 62, 0x1000, .result = -EINVAL },
	{ "IOVA around the end", RW, 0, LAST_PAGE, 0x2000,
	  .result = -EINVAL, .iommufd_result = -EOVERFLOW },
	{ "memory around the end", RW, LAST_PAGE, 0x40000, 0x2000,
	  .result = -EINVAL, .iommufd_result = -EOVERFLOW },
	{ "memory of the kernel", RW, NOWHERE, 0x40000, 0x1000, .result = -EFAULT },
	{ "beyond the end of the memory", RW, 0, 0x40000, MEMORY_SIZE + 0x1000,
	  .result = -EFAULT },
	{ "read-only memory, writing", RW, READ_ONLY_OFFSET, 0x40000, 0x1000,
	  .result = -EFAULT },
};

FIXTURE(container_rules)
{
	int container;
	int group;
	__u8 *memory;
};

FIXTURE_VARIANT(container_rules)
{
	const char *node;
	unsigned long type;
};

FIXTURE_VARIANT_ADD(container_rules, type1_v1) { VFIO_CONTAINER, VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(container_rules, type1_v2) { VFIO_CONTAINER, VFIO_TYPE1v2_IOMMU };
FIXTURE_VARIANT_ADD(container_rules, iommufd_v1) { IOMMU_DEVICE, VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(container_rules, iommufd_v2) { IOMMU_DEVICE, VFIO_TYPE1v2_IOMMU };

/* Its last page can only be read, and behind it there is nothing. */
static __u8 *allocate_memory(void)
{
	__u8 *start = mmap(NULL, MEMORY_SIZE + PAGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (start == MAP_FAILED || munmap(start + MEMORY_SIZE, PAGE_BYTES) ||
	    mprotect(start + READ_ONLY_OFFSET, PAGE_BYTES, PROT_READ))
		return NULL;
	return start;
}

FIXTURE_SETUP(container_rules)
{
	const char *address = topology.own[0].name;

	REQUIRE_OWN_GROUPS(1);
	self->memory = allocate_memory();
	ASSERT_NE(NULL, self->memory);
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->group = vfio_group_open(pci_device_iommu_group(address));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, variant->type));
}

FIXTURE_TEARDOWN(container_rules)
{
	close(self->group);
	close(self->container);
}

static int map_layout(struct _test_data_container_rules *self)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(layout) && !rc; i++)
		rc = vfio_container_map(self->container, self->memory, layout[i].size, RW,
					layout[i].iova);
	return rc;
}

static int unmap_row(int container, const struct unmap_row *row, __u64 *unmapped)
{
	struct vfio_iommu_type1_dma_unmap args = {
		.argsz = sizeof(args),
		.flags = row->flags,
		.iova = row->iova,
		.size = row->size,
	};
	int rc = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &args) ? -errno : 0;

	*unmapped = args.size;
	return rc;
}

TEST_F(container_rules, unmap)
{
	bool iommufd = vfio_container_is_iommufd(self->container);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unmap_rows); i++) {
		const struct unmap_row *row = &unmap_rows[i];
		struct outcome expected = variant->type == VFIO_TYPE1_IOMMU ?
					  row->version1 : row->version2;
		__u64 unmapped, left;

		if (iommufd && row->iommufd_result)
			expected.result = row->iommufd_result;
		/* A request that fails has not touched its argument. */
		if (expected.result)
			expected.unmapped = row->size;
		ASSERT_EQ(0, map_layout(self));
		EXPECT_EQ(expected.result, unmap_row(self->container, row, &unmapped))
			TH_LOG("%s", row->what);
		EXPECT_EQ(expected.unmapped, unmapped)
			TH_LOG("%s", row->what);
		ASSERT_EQ(0, vfio_container_unmap_all(self->container, &left));
		EXPECT_EQ(expected.left, left)
			TH_LOG("%s", row->what);
	}
}

TEST_F(container_rules, map)
{
	bool iommufd = vfio_container_is_iommufd(self->container);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map_rows); i++) {
		const struct map_row *row = &map_rows[i];
		__u64 address = row->offset, left;
		int expected = row->result;

		if (iommufd && row->iommufd_result)
			expected = row->iommufd_result;
		if (address < NOWHERE)
			address += (uintptr_t)self->memory;
		ASSERT_EQ(0, map_layout(self));
		EXPECT_EQ(expected, vfio_container_map(self->container, (void *)address,
						       row->size, row->flags, row->iova))
			TH_LOG("%s", row->what);
		ASSERT_EQ(0, vfio_container_unmap_all(self->container, &left));
		EXPECT_EQ(TOTAL + (expected ? 0 : row->size), left)
			TH_LOG("%s", row->what);
	}
}

/* Requests whose argument begins with its size, and the least it may be */
static const struct {
	unsigned long request;
	__u32 minimum;
} sized_requests[] = {
	{ VFIO_IOMMU_GET_INFO, 16 },
	{ VFIO_IOMMU_MAP_DMA, 32 },
	{ VFIO_IOMMU_UNMAP_DMA, 24 },
};

TEST_F(container_rules, argument_that_is_too_short_is_EINVAL)
{
	__u32 argument[16] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sized_requests); i++) {
		argument[0] = sized_requests[i].minimum - 1;
		EXPECT_EQ(-1, ioctl(self->container, sized_requests[i].request, argument));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(container_rules, argument_that_cannot_be_read_is_EFAULT)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sized_requests); i++) {
		EXPECT_EQ(-1, ioctl(self->container, sized_requests[i].request, NULL));
		EXPECT_EQ(EFAULT, errno);
	}
}

TEST_F(container_rules, unknown_request_is_ENOTTY)
{
	const unsigned long requests[] = {
		VFIO_IOMMU_ENABLE, VFIO_IOMMU_DISABLE, VFIO_GROUP_GET_STATUS,
		VFIO_DEVICE_GET_INFO, _IO(VFIO_TYPE, 99), _IO(VFIO_TYPE, 127),
		_IO('<', 100), _IOW(VFIO_TYPE, 101, int),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-1, ioctl(self->container, requests[i], NULL));
		EXPECT_EQ(ENOTTY, errno)
			TH_LOG("request %#lx", requests[i]);
	}
}

#define IOVA 0x40000000UL
#define LIMIT 64
#define SIZE (LIMIT * PAGE_BYTES)

FIXTURE(container_callers)
{
	struct memory memory;
	int container;
	int group;
};

FIXTURE_VARIANT(container_callers)
{
	const char *node;
};

FIXTURE_VARIANT_ADD(container_callers, type1) { VFIO_CONTAINER };
FIXTURE_VARIANT_ADD(container_callers, iommufd) { IOMMU_DEVICE };

FIXTURE_SETUP(container_callers)
{
	REQUIRE_OWN_GROUPS(1);
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 2 * SIZE));
	self->container = vfio_container_open(variant->node);
	ASSERT_LE(0, self->container);
	self->group = vfio_group_open(pci_device_iommu_group(topology.own[0].name));
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, vfio_group_set_container(self->group, self->container));
	ASSERT_EQ(0, vfio_container_set_iommu(self->container, VFIO_TYPE1v2_IOMMU));
}

FIXTURE_TEARDOWN(container_callers)
{
	EXPECT_EQ(0, privilege_restore());
	close(self->group);
	close(self->container);
	EXPECT_EQ(0, pages_locked());
	memory_free(&self->memory);
}

static int map(struct _test_data_container_callers *self, __u64 pages, __u64 iova)
{
	return vfio_container_map(self->container, self->memory.start, pages * PAGE_BYTES,
				  VFIO_MAP_RW, iova);
}

static int drop_privileges(void)
{
	return privilege_limit_memlock(SIZE) ? : privilege_drop(privilege_fresh_user());
}

TEST_F(container_callers, process_pays_up_to_its_limit)
{
	ASSERT_EQ(0, drop_privileges());
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
	EXPECT_EQ(LIMIT, pages_locked());
	EXPECT_EQ(-ENOMEM, map(self, 1, IOVA + SIZE));
	EXPECT_EQ(LIMIT, pages_locked());
	EXPECT_EQ(0, vfio_container_unmap(self->container, IOVA, SIZE, NULL));
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(0, map(self, LIMIT, IOVA));
}

TEST_F(container_callers, one_page_too_many_maps_none)
{
	__u64 left;

	ASSERT_EQ(0, drop_privileges());
	EXPECT_EQ(-ENOMEM, map(self, LIMIT + 1, IOVA));
	EXPECT_EQ(0, pages_locked());
	EXPECT_EQ(0, vfio_container_unmap_all(self->container, &left));
	EXPECT_EQ(0, left);
}

TEST_F(container_callers, privileged_process_has_no_limit)
{
	ASSERT_EQ(0, privilege_limit_memlock(SIZE));
	EXPECT_EQ(0, map(self, 2 * LIMIT, IOVA));
	/* The kernel's own counts it, ours does not. */
	EXPECT_EQ(vfio_container_is_iommufd(self->container) ? 0 : 2 * LIMIT, pages_locked());
}

#ifdef __x86_64__
/* Arguments of a 32 bit program; their layout is the same. */
union arguments {
	struct vfio_iommu_type1_dma_map map;
	struct vfio_iommu_type1_dma_unmap unmap;
	union vfio_container_info info;
};

TEST_F(container_callers, program_of_32_bit_is_served)
{
	union arguments *arguments = allocate_32_bit(sizeof(*arguments));
	const int fd = self->container;
	__u64 left;

	ASSERT_NE(MAP_FAILED, arguments);
	EXPECT_EQ(VFIO_API_VERSION, ioctl_32_bit(fd, VFIO_GET_API_VERSION, NULL));
	EXPECT_EQ(1, ioctl_32_bit(fd, VFIO_CHECK_EXTENSION, (void *)VFIO_TYPE1v2_IOMMU));

	arguments->info.info.argsz = sizeof(arguments->info);
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_GET_INFO, arguments));
	EXPECT_EQ(sizeof(arguments->info.info), arguments->info.info.cap_offset);

	arguments->map = (struct vfio_iommu_type1_dma_map){
		.argsz = sizeof(arguments->map), .flags = VFIO_MAP_RW,
		.vaddr = (uintptr_t)self->memory.start, .iova = IOVA, .size = SIZE,
	};
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_MAP_DMA, arguments));
	EXPECT_EQ(-EEXIST, ioctl_32_bit(fd, VFIO_IOMMU_MAP_DMA, arguments));

	arguments->unmap = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(arguments->unmap), .iova = IOVA, .size = 2 * SIZE,
	};
	EXPECT_EQ(0, ioctl_32_bit(fd, VFIO_IOMMU_UNMAP_DMA, arguments));
	EXPECT_EQ(SIZE, arguments->unmap.size);
	EXPECT_EQ(0, vfio_container_unmap_all(fd, &left));
	EXPECT_EQ(0, left);
	munmap(arguments, sizeof(*arguments));
}
#endif

struct unmapper {
	int container;
	pthread_barrier_t *begin;
	int rc;
	__u64 unmapped;
};

static void *unmap_once(void *opaque)
{
	struct unmapper *unmapper = opaque;

	pthread_barrier_wait(unmapper->begin);
	unmapper->rc = vfio_container_unmap(unmapper->container, IOVA, SIZE, &unmapper->unmapped);
	return NULL;
}

TEST_F(container_callers, one_of_two_threads_unmaps)
{
	pthread_barrier_t begin;
	int round;

	ASSERT_EQ(0, pthread_barrier_init(&begin, NULL, 2));
	for (round = 0; round < 200; round++) {
		struct unmapper first = { .container = self->container, .begin = &begin };
		struct unmapper second = first;
		pthread_t thread;

		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_once, &first));
		unmap_once(&second);
		pthread_join(thread, NULL);
		ASSERT_EQ(0, first.rc);
		ASSERT_EQ(0, second.rc);
		/* All of it or nothing, and the one that finds nothing comes after the other. */
		ASSERT_EQ(SIZE, first.unmapped + second.unmapped);
		ASSERT_EQ(0, first.unmapped * second.unmapped);
		ASSERT_EQ(0, map(self, LIMIT, IOVA));
		ASSERT_EQ(0, vfio_container_unmap(self->container, IOVA, SIZE, NULL));
	}
	pthread_barrier_destroy(&begin);
}
