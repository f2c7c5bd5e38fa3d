// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_OPTION.
 *
 * Owns the checks of the command and who may set what. What the accounting modes do
 * is in pin.c, what the alignment does in map.c.
 */
#include <stdint.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"

#define NOBODY 65534

FIXTURE(option)
{
	int fd;
	__u64 value;
};

FIXTURE_SETUP(option)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	self->value = 77;
}

FIXTURE_TEARDOWN(option)
{
	close(self->fd);
}

static int get_mode(struct _test_data_option *self)
{
	return iommu_option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, &self->value);
}

static int set_mode(struct _test_data_option *self, __u64 value)
{
	return iommu_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, value);
}

static int call(struct _test_data_option *self, struct iommu_option cmd)
{
	cmd.size = sizeof(cmd);
	return iommu_ioctl(self->fd, IOMMU_OPTION, &cmd);
}

TEST_F(option, reserved_member_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, call(self, (struct iommu_option){
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_GET,
		.__reserved = 1,
	}));
}

TEST_F(option, unknown_option_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_get(self->fd, 2, 0, &self->value));
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_get(self->fd, UINT32_MAX, 0, &self->value));
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_set(self->fd, 2, 0, 0));
}

TEST_F(option, rlimit_mode_is_by_user_at_first)
{
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(0, self->value);
}

TEST_F(option, rlimit_mode_can_be_set_both_ways)
{
	ASSERT_EQ(0, set_mode(self, 1));
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(1, self->value);
	ASSERT_EQ(0, set_mode(self, 0));
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(0, self->value);
}

TEST_F(option, rlimit_mode_is_of_one_context)
{
	int other = iommu_open();
	__u64 value;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, set_mode(self, 1));
	ASSERT_EQ(0, iommu_option_get(other, IOMMU_OPTION_RLIMIT_MODE, 0, &value));
	EXPECT_EQ(0, value);
	close(other);
}

TEST_F(option, rlimit_mode_with_an_object_is_EOPNOTSUPP)
{
	__u32 id;

	EXPECT_EQ(-EOPNOTSUPP, iommu_option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, 1,
						&self->value));
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 1, 0));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, id,
						&self->value));
}

TEST_F(option, rlimit_mode_other_than_0_and_1_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, set_mode(self, 2));
	EXPECT_EQ(-EINVAL, set_mode(self, UINT64_MAX));
	EXPECT_EQ(-EINVAL, set_mode(self, 1ULL << 32));
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(0, self->value);
}

TEST_F(option, rlimit_mode_of_a_context_with_objects_is_EBUSY_before_EINVAL)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-EBUSY, set_mode(self, 1));
	EXPECT_EQ(-EBUSY, set_mode(self, 0));
	EXPECT_EQ(-EBUSY, set_mode(self, 2));
	EXPECT_EQ(0, get_mode(self));
	EXPECT_EQ(0, self->value);
	ASSERT_EQ(0, iommu_destroy(self->fd, id));
	EXPECT_EQ(0, set_mode(self, 1));
}

TEST_F(option, rlimit_mode_unknown_operation_is_EOPNOTSUPP)
{
	EXPECT_EQ(-EOPNOTSUPP, call(self, (struct iommu_option){
		.option_id = IOMMU_OPTION_RLIMIT_MODE, .op = 2,
	}));
	EXPECT_EQ(-EOPNOTSUPP, call(self, (struct iommu_option){
		.option_id = IOMMU_OPTION_RLIMIT_MODE, .op = UINT16_MAX,
	}));
}

/* Sets the mode in a process without privileges. Returns a positive errno or 0. */
static int set_mode_as_nobody(struct _test_data_option *self, __u64 value)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-set_mode(self, value));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

TEST_F(option, rlimit_mode_without_CAP_SYS_RESOURCE_is_EPERM_before_EBUSY)
{
	__u32 id;

	EXPECT_EQ(EPERM, set_mode_as_nobody(self, 1));
	EXPECT_EQ(EPERM, set_mode_as_nobody(self, 0));
	EXPECT_EQ(EPERM, set_mode_as_nobody(self, 2));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(EPERM, set_mode_as_nobody(self, 1));
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(0, self->value);
}

TEST_F(option, rlimit_mode_value_that_cannot_be_written_is_EFAULT_but_set)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_SET,
		.val64 = 1,
	};
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_OPTION, where));
	ASSERT_EQ(0, get_mode(self));
	EXPECT_EQ(1, self->value);
	guard_page_free(edge);
}

/* Huge pages are an option of an IOAS. */
FIXTURE(option_huge_pages)
{
	int fd;
	__u32 ioas;
	__u64 value;
};

FIXTURE_SETUP(option_huge_pages)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	self->value = 77;
}

FIXTURE_TEARDOWN(option_huge_pages)
{
	close(self->fd);
}

static int get_huge(struct _test_data_option_huge_pages *self)
{
	return iommu_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas,
				&self->value);
}

static int set_huge(struct _test_data_option_huge_pages *self, __u64 value)
{
	return iommu_option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, value);
}

static int map_at(struct _test_data_option_huge_pages *self, __u64 address, __u64 length,
		  __u64 iova)
{
	return iommu_ioas_map_fixed(self->fd, self->ioas, (void *)address, length,
				    IOMMU_MAP_RW, iova);
}

TEST_F(option_huge_pages, are_on_at_first)
{
	ASSERT_EQ(0, get_huge(self));
	EXPECT_EQ(1, self->value);
}

TEST_F(option_huge_pages, can_be_set_both_ways_and_repeatedly)
{
	static const __u64 values[] = { 1, 0, 0, 1, 1, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		ASSERT_EQ(0, set_huge(self, values[i]));
		ASSERT_EQ(0, get_huge(self));
		EXPECT_EQ(values[i], self->value);
	}
}

TEST_F(option_huge_pages, unknown_id_is_ENOENT_before_a_bad_operation)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = 2,
	};

	EXPECT_EQ(-ENOENT, iommu_ioctl(self->fd, IOMMU_OPTION, &cmd));
	cmd.object_id = self->ioas + 1;
	EXPECT_EQ(-ENOENT, iommu_ioctl(self->fd, IOMMU_OPTION, &cmd));
	cmd.object_id = self->ioas;
	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_OPTION, &cmd));
}

TEST_F(option_huge_pages, other_values_are_EINVAL)
{
	EXPECT_EQ(-EINVAL, set_huge(self, 2));
	EXPECT_EQ(-EINVAL, set_huge(self, UINT64_MAX));
	EXPECT_EQ(-EINVAL, set_huge(self, 1ULL << 32));
	ASSERT_EQ(0, get_huge(self));
	EXPECT_EQ(1, self->value);
}

TEST_F(option_huge_pages, need_no_privilege)
{
	pid_t child = fork();
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-set_huge(self, 0));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, get_huge(self));
	EXPECT_EQ(0, self->value);
}

TEST_F(option_huge_pages, off_with_mappings_that_fit_works_without_a_page_table)
{
	ASSERT_EQ(0, map_at(self, 0x10000, 0x1000, 0x1000));
	EXPECT_EQ(0, set_huge(self, 0));
	EXPECT_EQ(0, set_huge(self, 1));
}

TEST_F(option_huge_pages, off_with_a_misaligned_iova_is_EADDRINUSE)
{
	ASSERT_EQ(0, map_at(self, 0x10000, 0x1000, 0x1800));
	EXPECT_EQ(-EADDRINUSE, set_huge(self, 0));
	ASSERT_EQ(0, get_huge(self));
	EXPECT_EQ(1, self->value);
	/* And small lengths are still fine. */
	EXPECT_EQ(0, map_at(self, 0x10000, 1, 0x10000));
}

TEST_F(option_huge_pages, off_with_a_misaligned_length_is_EADDRINUSE)
{
	ASSERT_EQ(0, map_at(self, 0x10000, 0x800, 0x1000));
	EXPECT_EQ(-EADDRINUSE, set_huge(self, 0));
	ASSERT_EQ(0, iommu_ioas_unmap(self->fd, self->ioas, 0x1000, 0x800, NULL));
	EXPECT_EQ(0, set_huge(self, 0));
}

TEST_F(option_huge_pages, off_with_a_misaligned_address_is_EADDRINUSE)
{
	ASSERT_EQ(0, map_at(self, 0x10800, 0x1000, 0x1000));
	EXPECT_EQ(-EADDRINUSE, set_huge(self, 0));
}

TEST_HARNESS_MAIN
