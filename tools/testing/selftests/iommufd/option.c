// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: IOMMU_OPTION, and IOMMU_VFIO_IOAS for the IOAS of the older interface.
 *
 * What the accounting modes do is in pin_process.c, what the alignment does in map.c,
 * what the older interface does with its IOAS in device_container.c.
 */
#include <stdint.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "iommu.h"
#include "spoil.h"

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

#define FIELD(_member, _value) SPOIL(struct iommu_option, _member, _value)
#define SET FIELD(op, IOMMU_OPTION_OP_SET)

static const struct spoiled rlimit_mode_rows[] = {
	{ "reserved member", -EOPNOTSUPP, { FIELD(__reserved, 1) } },
	{ "unknown option", -EOPNOTSUPP, { FIELD(option_id, 2) } },
	{ "last option", -EOPNOTSUPP, { FIELD(option_id, UINT32_MAX) } },
	{ "unknown option is set", -EOPNOTSUPP, { FIELD(option_id, 2), SET } },
	{ "unused object", -EOPNOTSUPP, { FIELD(object_id, 1) } },
	{ "unused object, set", -EOPNOTSUPP, { FIELD(object_id, 1), SET } },
	{ "value 2", -EINVAL, { SET, FIELD(val64, 2) } },
	{ "value with all bits", -EINVAL, { SET, FIELD(val64, UINT64_MAX) } },
	{ "value of more than 32 bits", -EINVAL, { SET, FIELD(val64, 1ULL << 32) } },
	{ "unknown operation", -EOPNOTSUPP, { FIELD(op, 2) } },
	{ "last operation", -EOPNOTSUPP, { FIELD(op, UINT16_MAX) } },
};

TEST_F(option, rlimit_mode_spoiled_command_fails_and_changes_nothing)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rlimit_mode_rows); i++) {
		struct iommu_option cmd = {
			.size = sizeof(cmd),
			.option_id = IOMMU_OPTION_RLIMIT_MODE,
			.op = IOMMU_OPTION_OP_GET,
		};

		spoil(&cmd, &rlimit_mode_rows[i]);
		EXPECT_EQ(rlimit_mode_rows[i].error, iommu_ioctl(self->fd, IOMMU_OPTION, &cmd)) {
			TH_LOG("%s", rlimit_mode_rows[i].name);
		}
		ASSERT_EQ(0, get_mode(self));
		EXPECT_EQ(0, self->value);
	}
}

TEST_F(option, rlimit_mode_of_an_object_is_EOPNOTSUPP)
{
	__u32 id;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(-EOPNOTSUPP, iommu_option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, id,
						&self->value));
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

/* Sets an option in a process without privileges. Returns a positive errno or 0. */
static int set_as_nobody(int fd, __u32 option, __u32 object, __u64 value)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-iommu_option_set(fd, option, object, value));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

static int set_mode_as_nobody(struct _test_data_option *self, __u64 value)
{
	return set_as_nobody(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, value);
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
	EXPECT_EQ(0, set_as_nobody(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
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

/* The IOAS of the older interface */
FIXTURE(ioas_compat)
{
	int fd;
	__u32 ioas;
	__u32 id;
};

FIXTURE_SETUP(ioas_compat)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
}

FIXTURE_TEARDOWN(ioas_compat)
{
	close(self->fd);
}

static int get_compat(struct _test_data_ioas_compat *self)
{
	self->id = 0;
	return iommu_vfio_ioas_get(self->fd, &self->id);
}

TEST_F(ioas_compat, reserved_member_is_EOPNOTSUPP)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_CLEAR, .__reserved = 1,
	};

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
}

TEST_F(ioas_compat, unknown_operation_is_EOPNOTSUPP)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .ioas_id = self->ioas, .op = 3 };

	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
	cmd.op = UINT16_MAX;
	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, &cmd));
}

TEST_F(ioas_compat, get_is_ENODEV_while_there_is_none)
{
	EXPECT_EQ(-ENODEV, get_compat(self));
}

TEST_F(ioas_compat, get_returns_what_was_set)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, get_compat(self));
	EXPECT_EQ(self->ioas, self->id);
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, other));
	ASSERT_EQ(0, get_compat(self));
	EXPECT_EQ(other, self->id);
}

TEST_F(ioas_compat, set_to_an_unknown_id_is_ENOENT_and_changes_nothing)
{
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, 0));
	EXPECT_EQ(-ENOENT, iommu_vfio_ioas_set(self->fd, self->ioas + 1));
	ASSERT_EQ(0, get_compat(self));
	EXPECT_EQ(self->ioas, self->id);
}

TEST_F(ioas_compat, clear_always_succeeds)
{
	EXPECT_EQ(0, iommu_vfio_ioas_clear(self->fd));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	EXPECT_EQ(0, iommu_vfio_ioas_clear(self->fd));
	EXPECT_EQ(-ENODEV, get_compat(self));
}

TEST_F(ioas_compat, destroy_of_the_ioas_clears)
{
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->ioas));
	EXPECT_EQ(-ENODEV, get_compat(self));
	/* The id may come back, the setting does not. */
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	EXPECT_EQ(-ENODEV, get_compat(self));
}

TEST_F(ioas_compat, destroy_of_another_ioas_does_not)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, iommu_vfio_ioas_set(self->fd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->fd, other));
	EXPECT_EQ(0, get_compat(self));
}

TEST_F(ioas_compat, set_and_clear_write_nothing)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd), .ioas_id = self->ioas, .op = IOMMU_VFIO_IOAS_SET,
	};
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	void *where;

	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_VFIO_IOAS, where));
	guard_page_free(edge);
}

TEST_HARNESS_MAIN
