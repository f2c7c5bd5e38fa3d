/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The context that threads and processes race in, its memory, and what every such
 * race does with them.
 *
 * Owns the choice of an IOAS, of IOVAs and of memory.
 */
#ifndef SELFTESTS_IOMMUFD_RACE_SPACE_H
#define SELFTESTS_IOMMUFD_RACE_SPACE_H

#include "mock_space.h"
#include "race.h"

/* IOVAs are few, too. */
#define SLOTS 24
#define SLOT_SIZE (8 * PAGE)
#define IOVA MOCK_APERTURE_START

enum race_kind {
	KNOWN_IOAS,
	KNOWN_MOCKS,
	KNOWN_DEVICES,
	KNOWN_QUEUES,
	KNOWN_TABLES,
	/* Page tables of these sorts */
	KNOWN_PARENTS,
	KNOWN_NESTED,
	KNOWN_TRACKING,
	KNOWN_ASKING,
};

/* What a process has of its own, if it was forked as a copy. */
static int fd;
static struct memory memories[MEMORY_KINDS];

static inline __u32 random_ioas(struct worker *worker)
{
	return random_known(worker, KNOWN_IOAS);
}

/* What devices are attached to. */
static inline __u32 random_target(struct worker *worker)
{
	return random_known(worker, random_below(worker, 3) ? KNOWN_IOAS : KNOWN_TABLES);
}

static inline __u64 random_slot(struct worker *worker)
{
	return random_below(worker, SLOTS) * SLOT_SIZE;
}

static inline __u64 random_length(struct worker *worker)
{
	return (1 + random_below(worker, SLOT_SIZE / PAGE)) * PAGE;
}

static inline struct memory *random_memory(struct worker *worker)
{
	return &memories[random_below(worker, MEMORY_KINDS)];
}

static inline void keep(struct worker *worker, enum race_kind kind, __u32 id)
{
	if (!remember(worker, kind, id))
		iommu_destroy(fd, id);
}

static inline void keep_device(struct worker *worker, const struct mock *mock)
{
	keep(worker, KNOWN_MOCKS, mock->id);
	keep(worker, KNOWN_DEVICES, mock->idev);
	keep(worker, KNOWN_TABLES, mock->hwpt);
}

static inline int create_ioas(struct worker *worker)
{
	__u32 id;
	int rc = iommu_ioas_alloc(fd, &id);

	if (!rc)
		keep(worker, KNOWN_IOAS, id);
	return rc;
}

static inline int destroy(struct worker *worker)
{
	return iommu_destroy(fd, random_id(worker));
}

static inline int map(struct worker *worker)
{
	return iommu_ioas_map_fixed(fd, random_ioas(worker),
				    random_memory(worker)->start + random_slot(worker),
				    random_length(worker), IOMMU_MAP_RW,
				    IOVA + random_slot(worker));
}

static inline int unmap(struct worker *worker)
{
	return iommu_ioas_unmap(fd, random_ioas(worker), IOVA + random_slot(worker),
				(1 + random_below(worker, 3)) * SLOT_SIZE, NULL);
}

static inline int unmap_all(struct worker *worker)
{
	return iommu_ioas_unmap_all(fd, random_ioas(worker), NULL);
}

static inline int replace(struct worker *worker)
{
	__u32 pt_id = random_target(worker);
	int rc = mock_replace(fd, random_known(worker, KNOWN_MOCKS), &pt_id);

	if (!rc)
		keep(worker, KNOWN_TABLES, pt_id);
	return rc;
}

static inline int get_hw_info(struct worker *worker)
{
	struct iommu_test_hw_info data;
	struct iommu_hw_info info;

	return iommu_get_hw_info(fd, random_known(worker, KNOWN_DEVICES), &data, sizeof(data),
				 &info);
}

static inline int look_into_table(struct worker *worker)
{
	int rc = mock_check_map(fd, random_known(worker, KNOWN_TABLES),
				IOVA + random_slot(worker), PAGE,
				random_memory(worker)->start + random_slot(worker));

	/* Anything may be there. */
	return rc == -EINVAL ? 0 : rc;
}

/* Returns 0 or -errno. */
static inline int race_space_open(void)
{
	enum memory_kind kind;
	int rc;

	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		rc = memory_allocate(&memories[kind], kind, HUGE_PAGE);
		if (rc)
			return rc;
	}
	fd = iommu_open();
	return fd < 0 ? fd : 0;
}

/* What the threads left can be taken down by anybody. Returns 0 or -errno. */
static inline int race_space_close(void)
{
	__u32 id, first = 0;
	int pass, rc;

	/* Devices before nested page tables before their parents before IOAS and queues */
	for (pass = 0; pass < 4; pass++)
		for (id = 1; id <= 4 * RACE_IDS; id++)
			iommu_destroy(fd, id);
	rc = iommu_ioas_alloc(fd, &first);
	if (rc)
		return rc;
	close(fd);
	return first == 1 && !pages_pinned() ? 0 : -EBUSY;
}

#endif
