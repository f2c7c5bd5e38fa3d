// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned pages: how long, how often, for whom, and what becomes of those that an IOMMU
 * driver does not unmap.
 */
#include <time.h>

#include <kselftest_harness.h>

#include "fail_nth.h"
#include "kernel_counters.h"
#include "mock_space.h"
#include "privilege.h"
#include "slow_memory.h"
#include "watchdog.h"

/*
 * Random pins of accesses and areas of the same pages, against a model: a page is pinned
 * exactly while any of them covers it, however they overlap, touch and lie in each other.
 */

#define IOVA MOCK_APERTURE_START
#define PAGES 48UL
#define SIZE (PAGES * PAGE)
/* Each area of the attached IOAS has its place, whatever its size */
#define PLACE(index) (IOVA + (index) * 2 * SIZE)
#define HOLDS 24
#define STEPS 3000
#define CHECK_EVERY 50

/* A pin of the access, if @pin, or else an area. */
struct hold {
	bool used;
	bool pin;
	unsigned long first;
	unsigned long count;
	__u32 id;
};

FIXTURE(mock_holds)
{
	struct kernel_counters before;
	/* The space with the device, to which parts are copied from @source */
	struct mock_space space;
	__u32 source;
	int access;
	struct memory memory;
	struct hold holds[HOLDS];
	__u64 random;
};

FIXTURE_VARIANT(mock_holds)
{
	__u64 seed;
};

FIXTURE_VARIANT_ADD(mock_holds, one) { 1 };
FIXTURE_VARIANT_ADD(mock_holds, two) { 2 };

FIXTURE_SETUP(mock_holds)
{
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->source));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->space.fd, self->source, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, mock_access_create(self->space.fd, self->source,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &self->access));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	self->random = variant->seed;
}

FIXTURE_TEARDOWN(mock_holds)
{
	close(self->access);
	mock_space_close(&self->space);
	EXPECT_EQ(0, pages_pinned());
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static unsigned int random_below(struct _test_data_mock_holds *self, unsigned int limit)
{
	self->random = self->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (self->random >> 33) % limit;
}

/* The same range twice, for accesses, and small ones inside large ones are frequent. */
static void choose_range(struct _test_data_mock_holds *self, struct hold *hold)
{
	const struct hold *other = &self->holds[random_below(self, HOLDS)];

	if (other->used && !random_below(self, 4)) {
		hold->first = other->first;
		hold->count = other->count;
		return;
	}
	hold->count = 1 + random_below(self, random_below(self, 3) ? PAGES / 8 : PAGES);
	hold->first = random_below(self, PAGES - hold->count + 1);
}

static int take(struct _test_data_mock_holds *self, struct hold *hold)
{
	__u64 start, length;

	choose_range(self, hold);
	start = IOVA + hold->first * PAGE;
	length = hold->count * PAGE;
	hold->pin = random_below(self, 2);
	hold->used = true;
	if (hold->pin)
		return mock_access_pin(self->space.fd, self->access, start, length, 0,
				       self->memory.start + hold->first * PAGE, &hold->id);
	return iommu_ioas_copy_fixed(self->space.fd, self->source, start, length,
				     self->space.ioas, IOMMU_MAP_RW, PLACE(hold - self->holds));
}

static int drop(struct _test_data_mock_holds *self, struct hold *hold)
{
	hold->used = false;
	if (hold->pin)
		return mock_access_unpin(self->space.fd, self->access, hold->id);
	return mock_space_unmap(&self->space, PLACE(hold - self->holds), hold->count * PAGE);
}

static bool is_held(struct _test_data_mock_holds *self, unsigned long page)
{
	unsigned int i;

	for (i = 0; i < HOLDS; i++)
		if (self->holds[i].used && page >= self->holds[i].first &&
		    page - self->holds[i].first < self->holds[i].count)
			return true;
	return false;
}

static long count_held(struct _test_data_mock_holds *self)
{
	unsigned long page;
	long held = 0;

	for (page = 0; page < PAGES; page++)
		held += is_held(self, page);
	return held;
}

/* Once each, however many hold it */
static bool pages_are_as_held(struct _test_data_mock_holds *self)
{
	unsigned long page;

	for (page = 0; page < PAGES; page++)
		if (mock_check_refs(self->space.fd, self->memory.start + page * PAGE, PAGE,
				    is_held(self, page)))
			return false;
	return true;
}

TEST_F_TIMEOUT(mock_holds, pages_are_pinned_as_in_the_model, 120)
{
	unsigned int step;

	for (step = 0; step < STEPS; step++) {
		/* With few holds there are gaps, with many of them all is covered */
		unsigned int limit = step / 500 % 2 ? HOLDS : 5;
		struct hold *hold = &self->holds[random_below(self, limit)];

		ASSERT_EQ(0, hold->used ? drop(self, hold) : take(self, hold)) {
			TH_LOG("step %u", step);
		}
		ASSERT_EQ(count_held(self), pages_pinned()) {
			TH_LOG("step %u", step);
		}
		if (step % CHECK_EVERY == 0)
			ASSERT_TRUE(pages_are_as_held(self)) {
				TH_LOG("step %u", step);
			}
	}
}

/*
 * Many areas of the same page: what is done with each takes as long as with one, and an
 * attach can be killed among them.
 */

#define FEW 2048UL
#define MANY 32768UL
#define TRIES 5

FIXTURE(mock_copies)
{
	struct kernel_counters before;
	struct mock_space space;
	struct memory memory;
};

FIXTURE_SETUP(mock_copies)
{
	self->before = kernel_counters_read();
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, PAGE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_map(&self->space, self->memory.start, PAGE, IOVA));
}

FIXTURE_TEARDOWN(mock_copies)
{
	mock_space_close(&self->space);
	memory_free(&self->memory);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

/* From so many areas of the page to so many. A copy of a range has as many as it. */
static int copy_until(struct mock_space *space, unsigned long from, unsigned long to)
{
	int rc = 0;

	for (; from < to && !rc; from *= 2)
		rc = iommu_ioas_copy_fixed(space->fd, space->ioas, IOVA, from * PAGE, space->ioas,
					   IOMMU_MAP_RW, IOVA + from * PAGE);
	return rc;
}

/* Of the processor, in seconds; the time of others does not count. */
static double thread_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The shortest of some tries, or a negative number on failure. */
static double attach_and_detach_time(struct mock_space *space)
{
	double best = 1e9, began;
	int i;

	for (i = 0; i < TRIES; i++) {
		began = thread_time();
		if (mock_space_attach(space) || mock_space_detach(space))
			return -1;
		best = best < thread_time() - began ? best : thread_time() - began;
	}
	return best;
}

/* What is quadratic takes MANY / FEW times as long for each. */
TEST_F_TIMEOUT(mock_copies, take_as_long_each_to_attach_and_detach_however_many_there_are, 240)
{
	double few, many;

	ASSERT_EQ(0, copy_until(&self->space, 1, FEW));
	few = attach_and_detach_time(&self->space) / FEW;
	ASSERT_LT(0, few);
	ASSERT_EQ(0, copy_until(&self->space, FEW, MANY));
	many = attach_and_detach_time(&self->space) / MANY;
	ASSERT_LT(0, many);
	EXPECT_GT(4 * few, many) {
		TH_LOG("%.2f us each of many, %.2f us each of few", many * 1e6, few * 1e6);
	}
}

/* Returns the status of a process that was killed while it attached. */
static int kill_attacher(struct mock_space *space)
{
	pid_t child = fork();

	if (!child)
		_exit(mock_space_attach(space) ? 1 : 0);
	/* The first area has pinned the page: the others are to come. */
	while (child > 0 && !pages_pinned() && !kill(child, 0))
		if (waitid(P_PID, child, &(siginfo_t){}, WEXITED | WNOHANG | WNOWAIT))
			break;
	kill(child, SIGKILL);
	return watchdog_reap(child, watchdog_limit());
}

TEST_F_TIMEOUT(mock_copies, SIGKILL_ends_an_attach_among_them_with_nothing_pinned, 120)
{
	ASSERT_EQ(0, copy_until(&self->space, 1, MANY));
	EXPECT_EQ(SIGKILL, kill_attacher(&self->space));
	EXPECT_EQ(0, pages_pinned());
	/* And it has left nothing in the way */
	EXPECT_EQ(0, mock_space_attach(&self->space));
	EXPECT_EQ(1, pages_pinned());
	EXPECT_EQ(0, mock_space_check(&self->space, IOVA + (MANY - 1) * PAGE, PAGE,
				      self->memory.start));
}

/*
 * Memory is charged before it is pinned: who may not have it is told so at once, however
 * long the memory would take to appear.
 */

#define LIMIT 8L
#define MUCH (4UL << 20)

FIXTURE(mock_charge)
{
	struct kernel_counters before;
	struct mock_space space;
	struct watched *watched;
	uint8_t *memory;
};

FIXTURE_VARIANT(mock_charge)
{
	__u64 mode;
};

FIXTURE_VARIANT_ADD(mock_charge, user) { 0 };
FIXTURE_VARIANT_ADD(mock_charge, process) { 1 };

static void *allocate(size_t size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_SETUP(mock_charge)
{
	self->before = kernel_counters_read();
	self->watched = allocate(sizeof(*self->watched), MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->watched);
	self->memory = allocate(MUCH, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, privilege_limit_memlock(LIMIT * PAGE));
	self->space.fd = iommu_open();
	ASSERT_LE(0, self->space.fd);
	ASSERT_EQ(0, iommu_option_set(self->space.fd, IOMMU_OPTION_RLIMIT_MODE, 0,
				      variant->mode));
	ASSERT_EQ(0, iommu_ioas_alloc(self->space.fd, &self->space.ioas));
	ASSERT_EQ(0, mock_space_attach(&self->space));
}

FIXTURE_TEARDOWN(mock_charge)
{
	mock_space_close(&self->space);
	munmap(self->memory, MUCH);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int map(struct _test_data_mock_charge *self, size_t length)
{
	return mock_space_map(&self->space, self->memory, length, IOVA);
}

/* Has the page at an offset never appear. */
static int make_slow(struct _test_data_mock_charge *self, size_t offset)
{
	struct slow_memory slow = {
		.start = self->memory + offset,
		.size = PAGE,
		.faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK),
	};

	return slow.faults < 0 ? -errno : slow_memory_register(&slow);
}

/* Maps in a process of its own, which is killed if it hangs. Returns -1 then. */
static int map_watched(struct _test_data_mock_charge *self, size_t length, size_t slow)
{
	pid_t child = fork();

	if (!child) {
		if (make_slow(self, slow) || privilege_drop(privilege_fresh_user()))
			_exit(255);
		watched_begin(self->watched, "mapping");
		_exit(-map(self, length));
	}
	return watchdog_run(child, self->watched, 1);
}

TEST_F_TIMEOUT(mock_charge, too_much_is_ENOMEM_before_its_last_page_appears, 120)
{
	int status = map_watched(self, MUCH, MUCH - PAGE);

	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(ENOMEM, WEXITSTATUS(status));
}

/* One page more than there may be, of which the first does not appear */
TEST_F_TIMEOUT(mock_charge, a_page_too_much_is_ENOMEM_before_the_first_appears, 120)
{
	int status = map_watched(self, (LIMIT + 1) * PAGE, 0);

	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(ENOMEM, WEXITSTATUS(status));
}

TEST_F(mock_charge, of_memory_that_cannot_be_pinned_is_given_back)
{
	uid_t user = privilege_fresh_user();
	int i, rc = -EFAULT;

	ASSERT_EQ(0, munmap(self->memory + (LIMIT - 1) * PAGE, PAGE));
	ASSERT_EQ(0, privilege_drop(user));
	for (i = 0; i < 3 && rc == -EFAULT; i++)
		rc = map(self, LIMIT * PAGE);
	EXPECT_EQ(-EFAULT, rc);
	EXPECT_EQ(0, memory_status("VmLck"));
	EXPECT_EQ(0, memory_status("VmPin"));
	EXPECT_EQ(0, mock_space_map(&self->space, self->memory + LIMIT * PAGE, LIMIT * PAGE, IOVA));
	EXPECT_EQ(LIMIT, pages_pinned());
	EXPECT_EQ(variant->mode ? LIMIT * 4 : 0, memory_status("VmLck"));
	EXPECT_EQ(-ENOMEM, mock_space_map(&self->space, self->memory + 2 * LIMIT * PAGE, PAGE,
					  IOVA + LIMIT * PAGE));
	ASSERT_EQ(0, privilege_restore());
}

/*
 * An IOMMU driver that does not unmap: devices may still reach the memory, so it is never
 * given to anybody else.
 *
 * The memory that these tests lose is lost until the machine is started again.
 */

#define LOST_PAGES 4L
#define LOST_SIZE (LOST_PAGES * PAGE)
/* Without anything in between that a page table entry could span */
#define SECOND (IOVA + HUGE_PAGE)

FIXTURE(mock_lost)
{
	struct mock_space space;
	struct memory lost;
	struct memory other;
	int log;
};

/* So many calls of the driver are going to unmap nothing. Returns 0 or -errno. */
static int fail_unmaps(const char *count)
{
	return fail_nth_write_file(".", "iommufd_fail_unmap", count);
}

FIXTURE_SETUP(mock_lost)
{
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
	ASSERT_LE(0, lseek(self->log, 0, SEEK_END));
	ASSERT_EQ(0, memory_allocate(&self->lost, MEMORY_ANONYMOUS, LOST_SIZE));
	ASSERT_EQ(0, memory_allocate(&self->other, MEMORY_ANONYMOUS, LOST_SIZE));
	ASSERT_EQ(0, mock_space_open(&self->space, MOCK_MEMORY_LIMIT_DEFAULT));
	ASSERT_EQ(0, mock_space_attach(&self->space));
	ASSERT_EQ(0, mock_space_map(&self->space, self->lost.start, LOST_SIZE, IOVA));
	ASSERT_EQ(0, mock_space_map(&self->space, self->other.start, LOST_SIZE, SECOND));
}

FIXTURE_TEARDOWN(mock_lost)
{
	fail_unmaps("0");
	mock_space_close(&self->space);
	memory_free(&self->lost);
	memory_free(&self->other);
	close(self->log);
}

/* Does the kernel log say so since the test began? */
static bool log_has(struct _test_data_mock_lost *self, const char *text)
{
	char line[1024];
	ssize_t length;

	while ((length = read(self->log, line, sizeof(line) - 1)) > 0) {
		line[length] = 0;
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* Other memory of the same page table is unpinned as always. */
static bool only_lost_stays(struct _test_data_mock_lost *self)
{
	return !mock_check_refs(self->space.fd, self->lost.start, LOST_SIZE, 1) &&
	       !mock_check_refs(self->space.fd, self->other.start, LOST_SIZE, 0) &&
	       pages_pinned() == LOST_PAGES;
}

TEST_F(mock_lost, what_an_unmap_leaves_mapped_stays_pinned_and_the_log_says_so)
{
	ASSERT_EQ(0, fail_unmaps("1"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, LOST_SIZE));
	EXPECT_TRUE(log_has(self, "did not unmap, 4 pages stay pinned"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, LOST_SIZE));
	EXPECT_TRUE(only_lost_stays(self));
	/* And when there is nothing left of it all */
	mock_space_close(&self->space);
	EXPECT_EQ(-1, self->space.fd);
	self->space.fd = iommu_open();
	EXPECT_TRUE(only_lost_stays(self));
}

TEST_F(mock_lost, what_an_unmap_leaves_mapped_stays_pinned_for_other_areas_too)
{
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->space.fd, self->space.ioas, IOVA, LOST_SIZE,
					   self->space.ioas, IOMMU_MAP_RW, SECOND + LOST_SIZE));
	ASSERT_EQ(0, fail_unmaps("1"));
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, LOST_SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND + LOST_SIZE, LOST_SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, LOST_SIZE));
	EXPECT_TRUE(only_lost_stays(self));
}

TEST_F(mock_lost, nothing_is_lost_by_a_driver_that_unmaps)
{
	EXPECT_EQ(0, mock_space_unmap(&self->space, IOVA, LOST_SIZE));
	EXPECT_EQ(0, mock_space_unmap(&self->space, SECOND, LOST_SIZE));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_FALSE(log_has(self, "did not unmap"));
}

TEST_HARNESS_MAIN
