// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in ZONE_MOVABLE has to move before it is pinned for long, and can't while
 * somebody else holds it. Requests for the same memory are in each other's way, but none
 * fails for that: memory is mapped whole.
 *
 * For the machine of scripts/check that has such a zone, and more than one processor.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attachment.h"
#include "edu_fixture.h"

#define SIZE (16UL << 20)
#define PAGES (SIZE / PAGE_BYTES)
#define SKEW (256 * PAGE_BYTES)
#define IOVA 0x100000000UL
#define ROUNDS 2
#define REQUESTS 2

/* Pages of a zone that can be allocated there; 0 if there is no such zone. */
static long zone_pages(const char *zone)
{
	char line[128], name[32] = "";
	long pages = 0, number;
	FILE *file = fopen("/proc/zoneinfo", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %*d, zone %31s", name) == 1)
			continue;
		if (!strcmp(name, zone) && sscanf(line, " managed %ld", &number) == 1)
			pages += number;
	}
	if (file)
		fclose(file);
	return pages;
}

/* What the kernel has counted since the machine was started. */
static long vmstat(const char *name)
{
	char line[128], found[64];
	long value = 0;
	FILE *file = fopen("/proc/vmstat", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", found, &value) == 2 && !strcmp(found, name))
			break;
	if (file)
		fclose(file);
	return value;
}

static long pages_moved(void)
{
	return vmstat("pgmigrate_success");
}

/* One of several requests for the same memory */
struct request {
	pthread_t thread;
	pthread_barrier_t *start;
	int iommufd;
	__u32 ioas;
	__u64 iova;
	const struct memory *memory;
	int rc;
};

FIXTURE(device_movable)
{
	struct attachment at;
	struct edu second;
	__u32 other;
	struct memory memory;
};

FIXTURE_VARIANT(device_movable)
{
	enum memory_kind kind;
	size_t skew;
};

FIXTURE_VARIANT_ADD(device_movable, small_pages)
{
	.kind = MEMORY_ANONYMOUS,
};

FIXTURE_VARIANT_ADD(device_movable, huge_pages)
{
	.kind = MEMORY_THP,
};

/* Each batch of pages ends in the middle of a huge page. */
FIXTURE_VARIANT_ADD(device_movable, huge_pages_askew)
{
	.kind = MEMORY_THP,
	.skew = SKEW,
};

FIXTURE_VARIANT_ADD(device_movable, memfd)
{
	.kind = MEMORY_MEMFD,
};

FIXTURE_SETUP(device_movable)
{
	__u32 pt_id;

	if (zone_pages("Movable") < (long)(2 * PAGES) || sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs ZONE_MOVABLE and two processors");
	REQUIRE_OWN_GROUPS(2);
	ASSERT_EQ(0, attachment_open(&self->at, topology.own[0].name, 1));
	ASSERT_EQ(0, edu_open(&self->second, topology.own[1].name, self->at.iommufd));
	ASSERT_EQ(0, attachment_attach(&self->at, self->at.ioas));
	ASSERT_EQ(0, iommu_ioas_alloc(self->at.iommufd, &self->other));
	pt_id = self->other;
	ASSERT_EQ(0, vfio_device_attach(&self->second.device, &pt_id));
}

FIXTURE_TEARDOWN(device_movable)
{
	edu_close(&self->second);
	attachment_close(&self->at);
}

/* Moves the mapping, not the pages. */
static int move_by(struct memory *memory, size_t skew)
{
	uint8_t *room = mmap(NULL, memory->size + 2 * MEMORY_HUGE_PAGE_SIZE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *to;

	if (room == MAP_FAILED)
		return -errno;
	to = room + -(uintptr_t)room % MEMORY_HUGE_PAGE_SIZE + skew;
	if (mremap(memory->start, memory->size, memory->size, MREMAP_MAYMOVE | MREMAP_FIXED,
		   to) == MAP_FAILED)
		return -errno;
	memory->start = to;
	return 0;
}

static int make_memory(struct memory *memory, enum memory_kind kind, size_t skew)
{
	int rc = memory_allocate(memory, kind, SIZE);

	return rc || !skew ? rc : move_by(memory, skew);
}

static void *map_now(void *data)
{
	struct request *request = data;

	pthread_barrier_wait(request->start);
	request->rc = iommu_ioas_map_fixed(request->iommufd, request->ioas, request->memory->start,
					   SIZE, IOMMU_MAP_RW, request->iova);
	return NULL;
}

/* Has all made at once. Returns 0, or -errno of one that failed. */
static int map_together(struct request *requests)
{
	pthread_barrier_t start;
	int i, rc = 0;

	pthread_barrier_init(&start, NULL, REQUESTS);
	for (i = 0; i < REQUESTS; i++) {
		requests[i].start = &start;
		if (pthread_create(&requests[i].thread, NULL, map_now, &requests[i]))
			_exit(KSFT_FAIL);
	}
	for (i = 0; i < REQUESTS; i++) {
		pthread_join(requests[i].thread, NULL);
		rc = rc ? : requests[i].rc;
	}
	pthread_barrier_destroy(&start);
	return rc;
}

/* Maps memory of which nothing has been pinned yet, in the IOAS in turn, and unmaps it. */
static int map_often(FIXTURE_DATA(device_movable) *self, const __u32 ioas[2])
{
	struct request requests[REQUESTS] = {};
	int i, rc;

	for (i = 0; i < REQUESTS; i++) {
		requests[i].iommufd = self->at.iommufd;
		requests[i].ioas = ioas[i % 2];
		requests[i].iova = IOVA + i * SIZE;
		requests[i].memory = &self->memory;
	}
	rc = map_together(requests);
	iommu_ioas_unmap_all(self->at.iommufd, self->at.ioas, NULL);
	iommu_ioas_unmap_all(self->at.iommufd, self->other, NULL);
	return rc;
}

/*
 * On a busy machine 6.12 now and then ends up with a huge page that it can never move
 * again, though nothing has it pinned: then a request fails that is the only one, too.
 */
static bool can_be_moved(FIXTURE_DATA(device_movable) *self)
{
	int rc = iommu_ioas_map_fixed(self->at.iommufd, self->at.ioas, self->memory.start, SIZE,
				      IOMMU_MAP_RW, IOVA);

	iommu_ioas_unmap_all(self->at.iommufd, self->at.ioas, NULL);
	return rc != -ENOMEM;
}

/* Do all requests succeed, each time, though the memory has to move? */
static void check_rounds(struct __test_metadata *_metadata, FIXTURE_DATA(device_movable) *self,
			 const FIXTURE_VARIANT(device_movable) *variant, __u32 second_ioas)
{
	const __u32 ioas[2] = { self->at.ioas, second_ioas };
	int round, rc;

	for (round = 0; round < ROUNDS; round++) {
		long moved = pages_moved();

		ASSERT_EQ(0, make_memory(&self->memory, variant->kind, variant->skew));
		rc = map_often(self, ioas);
		if (rc == -ENOMEM && !can_be_moved(self))
			SKIP(return, "the kernel cannot move a page that nothing has pinned");
		EXPECT_EQ(0, rc);
		EXPECT_LE((long)PAGES, pages_moved() - moved);
		memory_free(&self->memory);
	}
}

TEST_F_TIMEOUT(device_movable, is_mapped_whole_by_requests_in_one_ioas, 300)
{
	check_rounds(_metadata, self, variant, self->at.ioas);
}

TEST_F_TIMEOUT(device_movable, is_mapped_whole_by_requests_in_two_ioas, 300)
{
	check_rounds(_metadata, self, variant, self->other);
}
