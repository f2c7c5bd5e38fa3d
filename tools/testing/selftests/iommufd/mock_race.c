// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any thread may do anything to an IOAS at any time.
 *
 * Threads and processes send the commands that have to do with memory with the same
 * few ids, to one context, while the memory changes under it and other contexts come
 * and go. Each command gets one of the answers that it may get, none hangs, and
 * nothing is left. A debug kernel watches the rest.
 */
#include "race_space.h"
#include "race_tests.h"
#include "vfio_container.h"

#define ACCESSES 3
#define PINS 8
#define BYTES 300

/* What a process has of its own, if it was forked as a copy. */
static int accesses[ACCESSES];

/* An access of this process; another thread may be closing it. */
static int random_access(struct worker *worker)
{
	return __atomic_load_n(&accesses[random_below(worker, ACCESSES)], __ATOMIC_RELAXED);
}

static int map_all_of_it(struct worker *worker)
{
	__u64 iova;

	return iommu_ioas_map(fd, random_ioas(worker), random_memory(worker)->start, HUGE_PAGE,
			      IOMMU_IOAS_MAP_READABLE, &iova);
}

static int copy(struct worker *worker)
{
	return iommu_ioas_copy_fixed(fd, random_ioas(worker), IOVA + random_slot(worker), PAGE,
				     random_ioas(worker), IOMMU_IOAS_MAP_READABLE,
				     IOVA + random_slot(worker));
}

static int allow(struct worker *worker)
{
	struct iommu_iova_range range = { IOVA, IOVA + 0x1000000 - 1 };

	return iommu_ioas_allow_iovas(fd, random_ioas(worker), &range, random_below(worker, 2));
}

static int reserve(struct worker *worker)
{
	return mock_add_reserved(fd, random_ioas(worker), IOVA + random_slot(worker), PAGE);
}

static int read_ranges(struct worker *worker)
{
	struct iommu_iova_range ranges[4];
	__u32 count = 4;

	return iommu_ioas_iova_ranges(fd, random_ioas(worker), ranges, &count, NULL);
}

static int set_huge_pages(struct worker *worker)
{
	return iommu_option_set(fd, IOMMU_OPTION_HUGE_PAGES, random_ioas(worker),
				random_below(worker, 2));
}

static int set_vfio_ioas(struct worker *worker)
{
	return iommu_vfio_ioas_set(fd, random_ioas(worker));
}

static int get_vfio_ioas(struct worker *worker)
{
	__u32 id;

	(void)worker;
	return iommu_vfio_ioas_get(fd, &id);
}

static int map_in_container(struct worker *worker)
{
	return vfio_container_map(fd, random_memory(worker)->start + random_slot(worker),
				  random_length(worker), VFIO_MAP_RW, IOVA + random_slot(worker));
}

static int unmap_in_container(struct worker *worker)
{
	__u64 unmapped;

	return vfio_container_unmap(fd, IOVA + random_slot(worker), random_length(worker),
				    &unmapped);
}

static int set_type_of_container(struct worker *worker)
{
	return vfio_container_set_iommu(fd, random_below(worker, 2) ? VFIO_TYPE1_IOMMU :
								      VFIO_TYPE1v2_IOMMU);
}

static int ask_container(struct worker *worker)
{
	union vfio_container_info info;

	(void)worker;
	return vfio_container_info(fd, &info);
}

static int attach(struct worker *worker)
{
	struct mock mock = {};
	int rc = mock_attach(fd, random_target(worker), &mock);

	if (!rc)
		keep_device(worker, &mock);
	return rc;
}

static int create_table(struct worker *worker)
{
	__u32 flags = random_below(worker, 2) ? IOMMU_HWPT_ALLOC_NEST_PARENT : 0, id;
	int rc = iommu_hwpt_alloc(fd, random_known(worker, KNOWN_DEVICES), random_ioas(worker),
				  flags, &id);

	if (!rc)
		keep(worker, KNOWN_TABLES, id);
	return rc;
}

/* On a page table, mostly; on an IOAS it is a huge one. */
static int create_nested_table(struct worker *worker)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	__u32 id;
	int rc = iommu_hwpt_alloc_data(fd, random_known(worker, KNOWN_DEVICES),
				       random_known(worker, KNOWN_TABLES), 0,
				       IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), &id);

	if (!rc)
		keep(worker, KNOWN_TABLES, id);
	return rc;
}

static int invalidate(struct worker *worker)
{
	const struct iommu_hwpt_invalidate_selftest entries[4] = {};
	__u32 count = 4;

	return iommu_hwpt_invalidate(fd, random_known(worker, KNOWN_TABLES),
				     IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, entries,
				     sizeof(entries[0]), &count);
}

static int limit_buffers(struct worker *worker)
{
	return mock_set_memory_limit(fd, mock_memory_limits[random_below(worker, 4)]);
}

/* Takes the place of another one, which is closed. */
static int create_access(struct worker *worker)
{
	__u32 flags = random_below(worker, 4) ? MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES : 0;
	int access, rc = mock_access_create(fd, random_ioas(worker), flags, &access);

	if (rc)
		return rc;
	access = __atomic_exchange_n(&accesses[random_below(worker, ACCESSES)], access,
				     __ATOMIC_RELAXED);
	if (access >= 0)
		close(access);
	return 0;
}

static int replace_access(struct worker *worker)
{
	return mock_access_replace(fd, random_access(worker), random_ioas(worker));
}

static int pin(struct worker *worker)
{
	__u32 flags = random_below(worker, 2) ? MOCK_FLAGS_ACCESS_WRITE : 0, id;

	return mock_access_pin(fd, random_access(worker), IOVA + random_slot(worker),
			       random_length(worker), flags, NULL, &id);
}

static int unpin(struct worker *worker)
{
	return mock_access_unpin(fd, random_access(worker), random_below(worker, PINS));
}

static int read_or_write(struct worker *worker, __u32 flags)
{
	__u8 bytes[BYTES] = {};

	flags |= random_below(worker, 2) ? MOCK_ACCESS_RW_SLOW_PATH : 0;
	return mock_access_rw(fd, random_access(worker),
			      IOVA + random_slot(worker) + random_below(worker, PAGE), bytes,
			      sizeof(bytes), flags);
}

static int read_memory(struct worker *worker)
{
	return read_or_write(worker, 0);
}

static int write_memory(struct worker *worker)
{
	return read_or_write(worker, MOCK_ACCESS_RW_WRITE);
}

/* The next one to touch it finds another page. */
static int discard_memory(struct worker *worker)
{
	struct memory *memory = random_memory(worker);

	madvise(memory->start, memory->size, MADV_DONTNEED);
	return 0;
}

static int exchange_memory(struct worker *worker)
{
	void *start = memories[MEMORY_ANONYMOUS].start + random_slot(worker);

	return mmap(start, SLOT_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start ? 0 : -errno;
}

/* A context of one's own goes with all that it has. */
static int use_another_context(struct worker *worker)
{
	int own = iommu_open(), access = -1, rc;
	struct mock mock;
	__u32 ioas, id;

	if (own < 0)
		return own;
	rc = iommu_option_set(own, IOMMU_OPTION_RLIMIT_MODE, 0, random_below(worker, 2)) ? :
	     iommu_ioas_alloc(own, &ioas) ? :
	     iommu_ioas_map_fixed(own, ioas, random_memory(worker)->start, HUGE_PAGE,
				  IOMMU_MAP_RW, IOVA) ? :
	     mock_attach(own, ioas, &mock) ? :
	     mock_access_create(own, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &access) ? :
	     mock_access_pin(own, access, IOVA + random_slot(worker), PAGE, 0, NULL, &id);
	close(own);
	if (access >= 0)
		close(access);
	return rc;
}

/* A command that comes new is a function above and a line here. */
static const struct action actions[] = {
	{ "create an IOAS", 8, create_ioas, {} },
	{ "destroy", 12, destroy, { -ENOENT, -EBUSY } },
	{ "map", 60, map, { -ENOENT, -EEXIST, -EINVAL, -EFAULT } },
	{ "map all of it", 6, map_all_of_it, { -ENOENT, -ENOSPC, -EFAULT } },
	{ "copy", 50, copy, { -ENOENT, -EEXIST, -EINVAL, -EFAULT } },
	{ "unmap", 60, unmap, { -ENOENT, -EBUSY } },
	{ "unmap all", 4, unmap_all, { -ENOENT, -EBUSY } },
	{ "allow", 2, allow, { -ENOENT, -EADDRINUSE } },
	{ "reserve", 1, reserve, { -ENOENT, -EADDRINUSE } },
	{ "read ranges", 4, read_ranges, { -ENOENT, -EMSGSIZE } },
	{ "set huge pages", 3, set_huge_pages, { -ENOENT, -EINVAL } },
	{ "set VFIO IOAS", 1, set_vfio_ioas, { -ENOENT } },
	{ "get VFIO IOAS", 1, get_vfio_ioas, { -ENODEV } },
	{ "map in container", 4, map_in_container, { -ENODEV, -EEXIST, -EINVAL, -EFAULT } },
	{ "unmap in container", 4, unmap_in_container, { -ENODEV, -EINVAL, -EBUSY } },
	{ "set type of container", 1, set_type_of_container, { -ENODEV } },
	{ "ask container", 1, ask_container, { -ENODEV } },
	{ "attach", 5, attach, { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE } },
	{ "replace", 20, replace, { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE } },
	{ "create a table", 8, create_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "create a nested table", 12, create_nested_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE } },
	{ "invalidate", 8, invalidate, { -ENOENT, -EINVAL } },
	{ "get hardware info", 2, get_hw_info, { -ENOENT } },
	{ "look into a table", 10, look_into_table, { -ENOENT } },
	{ "limit buffers", 1, limit_buffers, {} },
	{ "create an access", 8, create_access, { -ENOENT } },
	{ "replace an access", 12, replace_access, { -ENOENT, -EBADFD } },
	{ "pin", 40, pin, { -ENOENT, -EBADFD, -EOPNOTSUPP, -EPERM, -EFAULT, -EINVAL } },
	{ "unpin", 40, unpin, { -ENOENT, -EBADFD } },
	{ "read", 20, read_memory, { -ENOENT, -EBADFD, -EFAULT, -EINVAL } },
	{ "write", 20, write_memory, { -ENOENT, -EBADFD, -EPERM, -EFAULT, -EINVAL } },
	{ "discard memory", 2, discard_memory, {} },
	{ "exchange memory", 4, exchange_memory, {} },
	{ "use another context", 2, use_another_context, {} },
	{ "fork and exit", 3, fork_and_exit, {} },
};

static int open_all(void)
{
	int i;

	for (i = 0; i < ACCESSES; i++)
		accesses[i] = -1;
	return race_space_open();
}

static int close_all(void)
{
	int i;

	mock_set_memory_limit(fd, MOCK_MEMORY_LIMIT_DEFAULT);
	for (i = 0; i < ACCESSES; i++)
		if (accesses[i] >= 0)
			close(accesses[i]);
	return race_space_close();
}

const struct race_plan plan = { actions, ARRAY_SIZE(actions), open_all, close_all };

TEST_HARNESS_MAIN
