// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any thread may do anything to a page table at any time.
 *
 * Threads and processes attach devices and their PASIDs to the same few page tables,
 * plain, nested, tracking dirty pages or asking a fault queue, while devices ask for
 * pages and write, others answer and read what is dirty, and all of it is destroyed.
 * Each command gets one of the answers that it may get, none hangs, and nothing is
 * left. A debug kernel watches the rest.
 */
#include <poll.h>

#include "race_space.h"
#include "race_tests.h"

#define FILES 3
#define RECORDS 4
#define COOKIES 8
#define ENTRIES 4
#define DIRTY_LENGTH (SLOTS * SLOT_SIZE)

/* The last one is the one that cannot be moved, every other time. */
static const __u32 pasids[] = { 0, 1, IOMMU_TEST_PASID_RESERVED };

/* The files of fault queues. What a process has of its own, if it was forked as a copy. */
static int files[FILES];

static __u32 random_pasid(struct worker *worker)
{
	return pasids[random_below(worker, ARRAY_SIZE(pasids))];
}

/* What is made for PASIDs can be used without one, too. */
static __u32 random_flag(struct worker *worker)
{
	return random_below(worker, 8) ? IOMMU_HWPT_ALLOC_PASID : 0;
}

/* Every other one asks, since otherwise hardly anybody would be asked. */
static __u32 random_table(struct worker *worker)
{
	return random_known(worker, random_below(worker, 2) ? KNOWN_ASKING :
				    KNOWN_TABLES + random_below(worker, 4));
}

static __u32 random_table_or_ioas(struct worker *worker)
{
	return random_below(worker, 8) ? random_table(worker) : random_ioas(worker);
}

/* A file of this process; another thread may be closing it. */
static int random_file(struct worker *worker)
{
	return __atomic_load_n(&files[random_below(worker, FILES)], __ATOMIC_RELAXED);
}

static int attach(struct worker *worker)
{
	__u32 flags = random_below(worker, 8) ? MOCK_FLAGS_DEVICE_PASID :
						MOCK_FLAGS_DEVICE_NO_DIRTY;
	struct mock mock = {};
	int rc = mock_attach_flags(fd, random_table_or_ioas(worker), flags, &mock);

	if (!rc)
		keep_device(worker, &mock);
	return rc;
}

static int attach_pasid(struct worker *worker)
{
	__u32 pt_id = random_table_or_ioas(worker);

	return mock_pasid_attach(fd, random_known(worker, KNOWN_MOCKS), random_pasid(worker),
				 &pt_id);
}

static int replace_pasid(struct worker *worker)
{
	__u32 pt_id = random_table_or_ioas(worker);

	return mock_pasid_replace(fd, random_known(worker, KNOWN_MOCKS), random_pasid(worker),
				  &pt_id);
}

static int detach_pasid(struct worker *worker)
{
	return mock_pasid_detach(fd, random_known(worker, KNOWN_MOCKS), random_pasid(worker));
}

static int look_at_pasid(struct worker *worker)
{
	int rc = mock_pasid_check(fd, random_known(worker, KNOWN_MOCKS), random_pasid(worker),
				  random_table(worker));

	/* It may be attached to anything. */
	return rc == -EINVAL ? 0 : rc;
}

static int create_table_of(struct worker *worker, __u32 flag, enum race_kind kind)
{
	__u32 flags = flag | random_flag(worker), id;
	int rc = iommu_hwpt_alloc(fd, random_known(worker, KNOWN_DEVICES), random_ioas(worker),
				  flags, &id);

	if (!rc)
		keep(worker, kind, id);
	return rc;
}

static int create_table(struct worker *worker)
{
	return create_table_of(worker, 0, KNOWN_TABLES);
}

static int create_parent(struct worker *worker)
{
	return create_table_of(worker, IOMMU_HWPT_ALLOC_NEST_PARENT, KNOWN_PARENTS);
}

static int create_tracking_table(struct worker *worker)
{
	return create_table_of(worker, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, KNOWN_TRACKING);
}

static int create_asking_table(struct worker *worker)
{
	__u32 id;
	int rc = iommu_hwpt_alloc_fault(fd, random_known(worker, KNOWN_DEVICES),
					random_ioas(worker), random_flag(worker),
					random_known(worker, KNOWN_QUEUES), &id);

	if (!rc)
		keep(worker, KNOWN_ASKING, id);
	return rc;
}

/* Half of them ask a fault queue. */
static int create_nested_table(struct worker *worker)
{
	const struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = random_flag(worker),
		.dev_id = random_known(worker, KNOWN_DEVICES),
		.pt_id = random_known(worker, KNOWN_PARENTS),
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};
	int rc;

	if (random_below(worker, 2)) {
		cmd.flags |= IOMMU_HWPT_FAULT_ID_VALID;
		cmd.fault_id = random_known(worker, KNOWN_QUEUES);
	}
	rc = iommu_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);
	if (!rc)
		keep(worker, KNOWN_NESTED, cmd.out_hwpt_id);
	return rc;
}

static int invalidate(struct worker *worker)
{
	struct iommu_hwpt_invalidate_selftest entries[ENTRIES];
	__u32 count = ENTRIES, i;

	for (i = 0; i < ENTRIES; i++)
		entries[i] = (struct iommu_hwpt_invalidate_selftest){
			.flags = random_below(worker, 2) ? IOMMU_TEST_INVALIDATE_FLAG_ALL : 0,
			.iotlb_id = i,
		};
	return iommu_hwpt_invalidate(fd, random_known(worker, KNOWN_NESTED),
				     IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, entries,
				     sizeof(entries[0]), &count);
}

static int look_into_iotlb(struct worker *worker)
{
	int rc = mock_check_iotlb(fd, random_known(worker, KNOWN_NESTED),
				  random_below(worker, ENTRIES), 0);

	/* It may have been invalidated. */
	return rc == -EINVAL ? 0 : rc;
}

/*
 * Its file takes the place of another one, which is closed. A process that was forked at
 * this moment has it, too, and keeps the queue from being destroyed.
 */
static int create_queue(struct worker *worker)
{
	int file, rc;
	__u32 id;

	rc = iommu_fault_queue_alloc(fd, &id, &file);
	if (rc)
		return rc;
	if (!remember(worker, KNOWN_QUEUES, id)) {
		close(file);
		/* Who destroyed another object of that id may have been too late, and met this */
		iommu_destroy(fd, id);
		return 0;
	}
	file = __atomic_exchange_n(&files[random_below(worker, FILES)], file, __ATOMIC_RELAXED);
	if (file >= 0)
		close(file);
	return 0;
}

/* With every PASID, as nobody knows which one is attached to a page table that asks. */
static int ask_for_pages(struct worker *worker)
{
	__u32 idev = random_known(worker, KNOWN_DEVICES), i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(pasids) && !rc; i++)
		rc = mock_ask_for_page(fd, idev, pasids[i], random_below(worker, COOKIES),
				       IOMMU_PGFAULT_PERM_READ, IOVA + random_slot(worker));
	return rc;
}

static int read_requests(struct worker *worker)
{
	struct iommu_hwpt_pgfault records[RECORDS];
	struct pollfd poller = { .fd = random_file(worker), .events = POLLIN };
	ssize_t rc;

	poll(&poller, 1, 0);
	rc = read(poller.fd, records, sizeof(records));
	if (rc < 0)
		return -errno;
	return rc ? 0 : -EAGAIN;
}

static int answer(struct worker *worker)
{
	const struct iommu_hwpt_page_response response = {
		.cookie = 1 + random_below(worker, COOKIES),
		.code = random_below(worker, 2) ? IOMMUFD_PAGE_RESP_SUCCESS :
						  IOMMUFD_PAGE_RESP_INVALID,
	};
	ssize_t rc = write(random_file(worker), &response, sizeof(response));

	return rc < 0 ? -errno : 0;
}

static int track(struct worker *worker)
{
	return iommu_hwpt_set_dirty_tracking(fd, random_known(worker, KNOWN_TRACKING),
					     random_below(worker, 4) ?
					     IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0);
}

static int write_as_device(struct worker *worker)
{
	__u8 bitmap[DIRTY_LENGTH / PAGE / 8];
	__u32 i;

	for (i = 0; i < sizeof(bitmap); i++)
		bitmap[i] = random_below(worker, 256);
	return mock_dirty(fd, random_known(worker, KNOWN_TRACKING), IOVA, DIRTY_LENGTH, PAGE,
			  bitmap, NULL);
}

static int read_dirty(struct worker *worker)
{
	__u32 flags = random_below(worker, 2) ? IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0;
	__u8 bitmap[DIRTY_LENGTH / PAGE / 8];

	return iommu_hwpt_get_dirty_bitmap(fd, random_known(worker, KNOWN_TRACKING), flags, IOVA,
					   DIRTY_LENGTH, PAGE, bitmap);
}

/* Makes a device whose PASID has asked for pages that nobody has answered. */
static int ask_in_vain(int own, int *file)
{
	__u32 ioas, queue, table, i;
	struct mock mock;
	int rc;

	rc = iommu_ioas_alloc(own, &ioas) ? :
	     iommu_fault_queue_alloc(own, &queue, file) ? :
	     mock_attach_flags(own, ioas, MOCK_FLAGS_DEVICE_PASID, &mock) ? :
	     mock_pasid_detach(own, mock.id, 0) ? :
	     iommu_hwpt_alloc_fault(own, mock.idev, ioas, IOMMU_HWPT_ALLOC_PASID, queue,
				    &table) ? :
	     mock_pasid_attach(own, mock.id, 1, &table);
	for (i = 0; i < 2 * RECORDS && !rc; i++)
		rc = mock_ask_for_page(own, mock.idev, 1, i, 0, IOVA);
	return rc;
}

/* A context of one's own goes with all that it has, before the file of its queue or after. */
static int use_another_context(struct worker *worker)
{
	struct iommu_hwpt_pgfault records[RECORDS];
	bool file_first = random_below(worker, 2);
	int own = iommu_open(), file = -1, rc;

	if (own < 0)
		return own;
	rc = ask_in_vain(own, &file);
	if (!rc && read(file, records, sizeof(records)) != sizeof(records))
		rc = -EIO;
	if (!file_first)
		close(own);
	if (file >= 0)
		close(file);
	if (file_first)
		close(own);
	return rc;
}

/* A command that comes new is a function above and a line here. */
static const struct action actions[] = {
	{ "create an IOAS", 4, create_ioas, {} },
	{ "destroy", 30, destroy, { -ENOENT, -EBUSY } },
	{ "map", 20, map, { -ENOENT, -EEXIST, -EINVAL, -EFAULT } },
	{ "unmap", 20, unmap, { -ENOENT, -EBUSY } },
	{ "unmap all", 2, unmap_all, { -ENOENT, -EBUSY } },
	{ "attach", 6, attach, { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE } },
	{ "replace", 12, replace, { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE } },
	{ "attach a PASID", 30, attach_pasid,
	  { -ENOENT, -EINVAL, -EBUSY, -EFAULT, -EADDRINUSE } },
	{ "replace a PASID", 30, replace_pasid,
	  { -ENOENT, -EINVAL, -ENOMEM, -EFAULT, -EADDRINUSE } },
	{ "detach a PASID", 14, detach_pasid, { -ENOENT } },
	{ "look at a PASID", 4, look_at_pasid, { -ENOENT } },
	{ "create a table", 6, create_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "create a parent", 12, create_parent,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "create a tracking table", 12, create_tracking_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "create an asking table", 20, create_asking_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "create a nested table", 16, create_nested_table,
	  { -ENOENT, -EINVAL, -EFAULT, -EADDRINUSE, -EOPNOTSUPP } },
	{ "invalidate", 16, invalidate, { -ENOENT, -EINVAL } },
	{ "look into an IOTLB", 8, look_into_iotlb, { -ENOENT } },
	{ "create a queue", 2, create_queue, { -EBUSY } },
	{ "ask for pages", 60, ask_for_pages, { -ENOENT, -EINVAL } },
	{ "read requests", 40, read_requests, { -EAGAIN, -EBADF, -EINVAL } },
	{ "answer", 40, answer, { -EBADF, -EINVAL } },
	{ "track", 10, track, { -ENOENT, -EOPNOTSUPP } },
	{ "write as a device", 20, write_as_device, { -ENOENT, -EINVAL } },
	{ "read what is dirty", 20, read_dirty, { -ENOENT, -EINVAL, -EOPNOTSUPP } },
	{ "get hardware info", 2, get_hw_info, { -ENOENT } },
	{ "look into a table", 4, look_into_table, { -ENOENT } },
	{ "use another context", 2, use_another_context, {} },
	{ "fork and exit", 3, fork_and_exit, {} },
};

static int open_all(void)
{
	int i;

	for (i = 0; i < FILES; i++)
		files[i] = -1;
	return race_space_open();
}

static int close_all(void)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (files[i] >= 0)
			close(files[i]);
	return race_space_close();
}

const struct race_plan plan = { actions, ARRAY_SIZE(actions), open_all, close_all };

TEST_HARNESS_MAIN
