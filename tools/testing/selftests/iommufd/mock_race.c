// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any thread may do anything at any time.
 *
 * Threads and processes send all commands with the same few ids, to one context,
 * while the memory changes under it and other contexts come and go. Each command
 * gets one of the answers that it may get, none hangs, and nothing is left. A debug
 * kernel watches the rest. RACE_SECONDS in the environment: how long.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "mock_space.h"
#include "vfio_container.h"
#include "watchdog.h"

#define THREADS 8
#define SECONDS 30
#define KILLS 10

/* Ids and IOVAs are few, so that threads meet. */
#define IDS 20
#define KNOWN 3
#define ACCESSES 3
#define PINS 8
#define SLOTS 24
#define SLOT_SIZE (8 * PAGE)
#define IOVA MOCK_APERTURE_START
#define BYTES 300

#define MAX_ACTIONS 40
#define MAX_ERRORS 6

/* What all processes have in common. */
struct race {
	time_t end;
	struct watched watched[THREADS];
	/* Ids that the last ones to be made had; they may be others' by now. */
	__u32 ioas[KNOWN];
	__u32 mocks[KNOWN];
	__u32 idevs[KNOWN];
	__u32 tables[KNOWN];
	/* Of each action: how often it worked, and an error that must not be. */
	unsigned int worked[MAX_ACTIONS];
	int wrong[MAX_ACTIONS];
};

struct worker {
	pthread_t thread;
	struct watched *watched;
	__u64 random;
	bool is_child;
};

struct action {
	const char *name;
	unsigned int weight;
	int (*run)(struct worker *worker);
	/* Those that other threads can cause */
	int errors[MAX_ERRORS];
};

static struct race *race;

/* What a process has of its own, if it was forked as a copy. */
static int fd;
static struct memory memories[MEMORY_KINDS];
static int accesses[ACCESSES];

static __u32 random_below(struct worker *worker, __u32 limit)
{
	worker->random = worker->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (worker->random >> 33) % limit;
}

static __u32 random_id(struct worker *worker)
{
	return 1 + random_below(worker, IDS);
}

/* Mostly one of the right type. */
static __u32 random_known(struct worker *worker, const __u32 *known)
{
	__u32 id = __atomic_load_n(&known[random_below(worker, KNOWN)], __ATOMIC_RELAXED);

	return id && random_below(worker, 16) ? id : random_id(worker);
}

static __u32 random_ioas(struct worker *worker)
{
	return random_known(worker, race->ioas);
}

/* What devices are attached to. */
static __u32 random_target(struct worker *worker)
{
	return random_known(worker, random_below(worker, 3) ? race->ioas : race->tables);
}

static __u64 random_slot(struct worker *worker)
{
	return random_below(worker, SLOTS) * SLOT_SIZE;
}

static __u64 random_length(struct worker *worker)
{
	return (1 + random_below(worker, SLOT_SIZE / PAGE)) * PAGE;
}

static struct memory *random_memory(struct worker *worker)
{
	return &memories[random_below(worker, MEMORY_KINDS)];
}

/* An access of this process; another thread may be closing it. */
static int random_access(struct worker *worker)
{
	return __atomic_load_n(&accesses[random_below(worker, ACCESSES)], __ATOMIC_RELAXED);
}

/* Objects whose id nobody chooses would only become more and more. */
static void remember(struct worker *worker, __u32 *known, __u32 id)
{
	if (id > IDS)
		iommu_destroy(fd, id);
	else
		__atomic_store_n(&known[random_below(worker, KNOWN)], id, __ATOMIC_RELAXED);
}

static int create_ioas(struct worker *worker)
{
	__u32 id;
	int rc = iommu_ioas_alloc(fd, &id);

	if (!rc)
		remember(worker, race->ioas, id);
	return rc;
}

static int destroy(struct worker *worker)
{
	return iommu_destroy(fd, random_id(worker));
}

static int map(struct worker *worker)
{
	return iommu_ioas_map_fixed(fd, random_ioas(worker),
				    random_memory(worker)->start + random_slot(worker),
				    random_length(worker), IOMMU_MAP_RW,
				    IOVA + random_slot(worker));
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

static int unmap(struct worker *worker)
{
	return iommu_ioas_unmap(fd, random_ioas(worker), IOVA + random_slot(worker),
				(1 + random_below(worker, 3)) * SLOT_SIZE, NULL);
}

static int unmap_all(struct worker *worker)
{
	return iommu_ioas_unmap_all(fd, random_ioas(worker), NULL);
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

	if (!rc) {
		remember(worker, race->mocks, mock.id);
		remember(worker, race->idevs, mock.idev);
		remember(worker, race->tables, mock.hwpt);
	}
	return rc;
}

static int replace(struct worker *worker)
{
	__u32 pt_id = random_target(worker);
	int rc = mock_replace(fd, random_known(worker, race->mocks), &pt_id);

	if (!rc)
		remember(worker, race->tables, pt_id);
	return rc;
}

static int create_table(struct worker *worker)
{
	__u32 flags = random_below(worker, 2) ? IOMMU_HWPT_ALLOC_NEST_PARENT : 0, id;
	int rc = iommu_hwpt_alloc(fd, random_known(worker, race->idevs), random_ioas(worker),
				  flags, &id);

	if (!rc)
		remember(worker, race->tables, id);
	return rc;
}

/* On a page table, mostly; on an IOAS it is a huge one. */
static int create_nested_table(struct worker *worker)
{
	const struct iommu_hwpt_selftest data = { .pagetable_type = MOCK_IOMMUPT_HUGE };
	__u32 id;
	int rc = iommu_hwpt_alloc_data(fd, random_known(worker, race->idevs),
				       random_known(worker, race->tables), 0,
				       IOMMU_HWPT_DATA_SELFTEST, &data, sizeof(data), &id);

	if (!rc)
		remember(worker, race->tables, id);
	return rc;
}

static int invalidate(struct worker *worker)
{
	const struct iommu_hwpt_invalidate_selftest entries[4] = {};
	__u32 count = 4;

	return iommu_hwpt_invalidate(fd, random_known(worker, race->tables),
				     IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, entries,
				     sizeof(entries[0]), &count);
}

static int get_hw_info(struct worker *worker)
{
	struct iommu_test_hw_info data;
	struct iommu_hw_info info;

	return iommu_get_hw_info(fd, random_known(worker, race->idevs), &data, sizeof(data),
				 &info);
}

static int look_into_table(struct worker *worker)
{
	int rc = mock_check_map(fd, random_known(worker, race->tables),
				IOVA + random_slot(worker), PAGE,
				random_memory(worker)->start + random_slot(worker));

	/* Anything may be there. */
	return rc == -EINVAL ? 0 : rc;
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

static int fork_and_exit(struct worker *worker);

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

static const struct action *random_action(struct worker *worker)
{
	unsigned int total = 0, i, chosen;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		total += actions[i].weight;
	chosen = random_below(worker, total);
	for (i = 0; chosen >= actions[i].weight; i++)
		chosen -= actions[i].weight;
	return &actions[i];
}

static bool may_happen(const struct action *action, int rc)
{
	size_t i;

	for (i = 0; i < MAX_ERRORS; i++)
		if (rc == action->errors[i])
			return true;
	return false;
}

static void act(struct worker *worker)
{
	const struct action *action = random_action(worker);
	size_t number = action - actions;
	int rc;

	if (worker->is_child && action->run == fork_and_exit)
		return;
	watched_begin(worker->watched, action->name);
	rc = action->run(worker);
	watched_end(worker->watched);
	if (!rc)
		__atomic_add_fetch(&race->worked[number], 1, __ATOMIC_RELAXED);
	else if (!may_happen(action, rc))
		__atomic_store_n(&race->wrong[number], rc, __ATOMIC_RELAXED);
}

/* What a child has mapped stays when it is gone. Half of them are killed. */
static int fork_and_exit(struct worker *worker)
{
	pid_t child = fork();
	int i, status;

	if (child < 0)
		return -errno;
	if (!child) {
		worker->is_child = true;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < 50; i++)
			act(worker);
		_exit(0);
	}
	if (random_below(worker, 2)) {
		usleep(random_below(worker, 100000));
		kill(child, SIGKILL);
	}
	if (waitpid(child, &status, 0) != child)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL ? -EINTR : 0;
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	while (watchdog_now() < race->end)
		act(worker);
	return NULL;
}

/* Returns 0 or -errno. */
static int work_together(__u64 seed)
{
	struct worker workers[THREADS];
	int i, rc = 0, count = 0;

	for (i = 0; i < THREADS && !rc; i++) {
		workers[i] = (struct worker){ .watched = &race->watched[i], .random = seed + i };
		rc = -pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		count += !rc;
	}
	for (i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	return rc;
}

static int open_all(void)
{
	enum memory_kind kind;
	int i, rc;

	for (i = 0; i < ACCESSES; i++)
		accesses[i] = -1;
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		rc = memory_allocate(&memories[kind], kind, HUGE_PAGE);
		if (rc)
			return rc;
	}
	fd = iommu_open();
	return fd < 0 ? fd : 0;
}

/* What the threads left can be taken down by anybody. Returns 0 or -errno. */
static int destroy_all(void)
{
	__u32 id, first = 0;
	int i, pass;

	mock_set_memory_limit(fd, MOCK_MEMORY_LIMIT_DEFAULT);
	for (i = 0; i < ACCESSES; i++)
		if (accesses[i] >= 0)
			close(accesses[i]);
	/* Devices before nested page tables before their parents before IOAS */
	for (pass = 0; pass < 4; pass++)
		for (id = 1; id <= 4 * IDS; id++)
			iommu_destroy(fd, id);
	i = iommu_ioas_alloc(fd, &first);
	if (i)
		return i;
	close(fd);
	return first == 1 && !pages_pinned() ? 0 : -EBUSY;
}

/* The whole life of the process that races; never returns. */
static void race_and_exit(__u64 seed)
{
	int rc = open_all() ? : work_together(seed) ? : destroy_all();

	if (rc)
		printf("# race: %s\n", strerror(-rc));
	fflush(stdout);
	_exit(!!rc);
}

static time_t seconds_to_race(void)
{
	const char *text = getenv("RACE_SECONDS");

	return text ? atol(text) : SECONDS;
}

FIXTURE(mock_race)
{
	struct kernel_counters before;
};

FIXTURE_SETUP(mock_race)
{
	self->before = kernel_counters_read();
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	ASSERT_NE(MAP_FAILED, race);
}

FIXTURE_TEARDOWN(mock_race)
{
	munmap(race, sizeof(*race));
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static pid_t start_race(time_t seconds, __u64 seed)
{
	pid_t child;

	memset(race, 0, sizeof(*race));
	race->end = watchdog_now() + seconds;
	child = fork();
	if (!child)
		race_and_exit(seed);
	return child;
}

TEST_F_TIMEOUT(mock_race, threads_and_processes_do_everything_at_once, 3600)
{
	pid_t child = start_race(seconds_to_race(), 1);
	size_t i;

	ASSERT_LT(0, child);
	ASSERT_EQ(0, watchdog_run(child, race->watched, THREADS));
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		printf("# %-21s worked %u times\n", actions[i].name, race->worked[i]);
		EXPECT_EQ(0, race->wrong[i]);
		EXPECT_NE(0, race->worked[i]);
	}
}

TEST_F_TIMEOUT(mock_race, killed_in_the_middle_leaves_nothing, 300)
{
	int i, status;
	pid_t child;

	for (i = 0; i < KILLS; i++) {
		child = start_race(watchdog_limit(), i);
		ASSERT_LT(0, child);
		usleep(100000 + 100000 * i);
		kill(child, SIGKILL);
		status = watchdog_run(child, race->watched, THREADS);
		ASSERT_TRUE(status != -1 && WIFSIGNALED(status));
		ASSERT_TRUE(kernel_counters_settle(&self->before));
	}
}

TEST_HARNESS_MAIN
