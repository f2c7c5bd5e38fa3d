// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory is charged before it is pinned: who may not have it is told so at once, however
 * long the memory would take to appear.
 */
#include <kselftest_harness.h>

#include "kernel_counters.h"
#include "mock_space.h"
#include "privilege.h"
#include "slow_memory.h"
#include "watchdog.h"

#define IOVA MOCK_APERTURE_START
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

TEST_HARNESS_MAIN
