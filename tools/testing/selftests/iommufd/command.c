// SPDX-License-Identifier: GPL-2.0-only
/*
 * How every command's argument is read and written.
 *
 * Owns the rules that do not depend on the command: request numbers, sizes, tails,
 * memory that faults, what is copied back. A command's own rules are in the file
 * of its noun.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "commands.h"
#include "guard_page.h"
#include "iommu.h"

#define RW (PROT_READ | PROT_WRITE)

/* The commands that answer, by their place in the table; the others are not built yet. */
static const bool built[ARRAY_SIZE(commands)] = {
	[0 ... 14] = true,
};

static size_t next_built(size_t i)
{
	while (i < ARRAY_SIZE(built) && !built[i])
		i++;
	return i;
}

#define for_each_built(i) \
	for ((i) = next_built(0); (i) < ARRAY_SIZE(commands); (i) = next_built((i) + 1))

/* More than any structure, and room for a tail. */
#define ROOM 256

FIXTURE(command)
{
	int fd;
	__u32 ioas;
	char *edge;
	/* A structure with nothing but its size, followed by zeros. */
	union {
		__u32 size;
		char bytes[ROOM];
	} argument;
};

FIXTURE_SETUP(command)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	self->edge = guard_page_edge(RW, PROT_NONE);
	ASSERT_NE(NULL, self->edge);
}

FIXTURE_TEARDOWN(command)
{
	guard_page_free(self->edge);
	close(self->fd);
}

/* Calls a command with @size and zeros. */
static int call(struct _test_data_command *self, const struct command *command, __u32 size)
{
	memset(&self->argument, 0, sizeof(self->argument));
	self->argument.size = size;
	return iommu_ioctl(self->fd, command->request, &self->argument);
}

/* The answer to a structure of zeros, which every command has to refuse or survive. */
static int answer_to_zeros(struct _test_data_command *self, const struct command *command)
{
	return call(self, command, command->full);
}

TEST_F(command, nr_outside_the_table_is_ENOTTY_and_leaves_the_argument_alone)
{
	static const unsigned char numbers[] = { 0, 1, 99, 118, 0x7f, 0x96, 0x97, 0xff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned long request = _IO(IOMMUFD_TYPE, numbers[i]);

		/* The test command has a number further on: it makes the table longer. */
		if (iommufd_is_test_build() && numbers[i] > 0x95 && numbers[i] < 0xff)
			continue;
		EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, request, NULL));
		EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, request, &self->argument));
	}
}

TEST_F(command, nr_in_the_table_with_an_unreadable_size_is_EFAULT)
{
	unsigned int nr;

	for (nr = 0x80; nr <= 0x95; nr++) {
		EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, _IO(IOMMUFD_TYPE, nr), NULL));
		EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, _IO(IOMMUFD_TYPE, nr),
					       GUARD_PAGE_BAD_POINTER));
		/* The size is read before the rest of the request is looked at. */
		EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, _IO('x', nr), NULL));
	}
}

TEST_F(command, size_that_is_half_readable_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, self->edge - 2));
}

TEST_F(command, request_of_another_type_is_ENOTTY)
{
	self->argument.size = ROOM;
	EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, _IO('x', 0x81), &self->argument));
	EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, _IO(0, 0x81), &self->argument));
}

TEST_F(command, request_with_direction_or_size_bits_is_ENOTTY)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		unsigned int nr = _IOC_NR(commands[i].request);
		size_t full = commands[i].full;

		self->argument.size = full;
		EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd,
					       _IOC(_IOC_READ | _IOC_WRITE, IOMMUFD_TYPE, nr, full),
					       &self->argument));
		EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd,
					       _IOC(_IOC_NONE, IOMMUFD_TYPE, nr, full),
					       &self->argument));
		EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd,
					       _IOC(_IOC_WRITE, IOMMUFD_TYPE, nr, 0),
					       &self->argument));
	}
}

TEST_F(command, wrong_request_with_a_bad_size_is_ENOTTY)
{
	self->argument.size = 0;
	EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, _IO('x', 0x81), &self->argument));
	EXPECT_EQ(-ENOTTY, iommu_ioctl(self->fd, _IOR(IOMMUFD_TYPE, 0x81, __u64),
				       &self->argument));
}

TEST_F(command, not_built_yet_is_ENOTTY_whatever_the_size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (built[i])
			continue;
		EXPECT_EQ(-ENOTTY, call(self, &commands[i], commands[i].full));
		EXPECT_EQ(-ENOTTY, call(self, &commands[i], 0));
		EXPECT_EQ(-ENOTTY, call(self, &commands[i], ROOM));
	}
}

TEST_F(command, size_below_the_smallest_is_EINVAL)
{
	size_t i, size;

	for_each_built(i) {
		for (size = 0; size < commands[i].min_expected; size++)
			EXPECT_EQ(-EINVAL, call(self, &commands[i], size)) {
				TH_LOG("nr %#zx size %zu", i + IOMMUFD_CMD_BASE, size);
			}
	}
}

TEST_F(command, size_below_the_smallest_is_seen_before_memory_behind_it)
{
	size_t i;

	for_each_built(i) {
		__u32 *size = (__u32 *)(self->edge - sizeof(*size));

		*size = commands[i].min_expected - 1;
		EXPECT_EQ(-EINVAL, iommu_ioctl(self->fd, commands[i].request, size));
	}
}

/* Zeros get as far as the command's own checks, whose errno is not EINVAL. */
TEST_F(command, smallest_size_is_accepted)
{
	static const struct { int index, answer; } answers[] = {
		{ 0, -ENOENT }, { 1, 0 }, { 2, -ENOENT }, { 4, -ENOENT }, { 6, -ENOENT },
		{ 7, -EBUSY }, { 8, -ENODEV }, { 9, -ENOENT },
		{ 10, -ENOENT }, { 13, -ENOENT },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct command *command = &commands[answers[i].index];

		EXPECT_EQ(answers[i].answer, call(self, command, command->min_expected)) {
			TH_LOG("%s", command->name);
		}
	}
}

TEST_F(command, longer_structure_with_a_tail_of_zeros_is_as_good)
{
	size_t i, size;

	for_each_built(i) {
		int answer = answer_to_zeros(self, &commands[i]);

		for (size = commands[i].full + 1; size <= ROOM; size++)
			EXPECT_EQ(answer, call(self, &commands[i], size)) {
				TH_LOG("%s size %zu", commands[i].name, size);
			}
	}
}

TEST_F(command, one_bit_anywhere_in_the_tail_is_E2BIG)
{
	size_t i, at;

	for_each_built(i) {
		for (at = commands[i].full; at < ROOM; at++) {
			memset(&self->argument, 0, sizeof(self->argument));
			self->argument.size = ROOM;
			self->argument.bytes[at] = 1 << at % 8;
			EXPECT_EQ(-E2BIG, iommu_ioctl(self->fd, commands[i].request,
						      &self->argument)) {
				TH_LOG("%s byte %zu", commands[i].name, at);
			}
		}
	}
}

TEST_F(command, bytes_beyond_size_are_not_looked_at)
{
	size_t i;

	for_each_built(i) {
		int answer = answer_to_zeros(self, &commands[i]);

		memset(&self->argument, 0, sizeof(self->argument));
		memset(&self->argument.bytes[commands[i].full], 0xff,
		       ROOM - commands[i].full);
		self->argument.size = commands[i].full;
		EXPECT_EQ(answer, iommu_ioctl(self->fd, commands[i].request,
					      &self->argument));
		EXPECT_EQ((char)0xff, self->argument.bytes[commands[i].full]);
	}
}

TEST_F(command, tail_is_looked_at_before_the_known_part)
{
	struct {
		struct iommu_ioas_map known;
		__u64 tail;
	} cmd = {
		.known.size = sizeof(cmd),
		.known.flags = ~0U,
		.known.__reserved = ~0U,
		.tail = 1,
	};

	EXPECT_EQ(-E2BIG, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &cmd));
	cmd.tail = 0;
	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &cmd));
}

TEST_F(command, there_is_no_limit_to_size)
{
	size_t size = 1 << 20;
	struct iommu_ioas_alloc *cmd = calloc(1, size);

	ASSERT_NE(NULL, cmd);
	cmd->size = size;
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, cmd));
	((char *)cmd)[size - 1] = 1;
	EXPECT_EQ(-E2BIG, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, cmd));
	free(cmd);
}

TEST_F(command, tail_that_cannot_be_read_is_EFAULT)
{
	size_t i;

	for_each_built(i) {
		__u32 *size = (__u32 *)(self->edge - commands[i].full);

		memset(size, 0, commands[i].full);
		*size = commands[i].full + 1;
		EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, commands[i].request, size));
		*size = UINT32_MAX;
		EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, commands[i].request, size));
	}
}

TEST_F(command, known_part_that_cannot_be_read_is_EFAULT)
{
	size_t i, readable;

	for_each_built(i) {
		for (readable = 4; readable < commands[i].full; readable += 4) {
			__u32 *size = (__u32 *)(self->edge - readable);

			memset(size, 0, readable);
			*size = commands[i].full;
			EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, commands[i].request,
						       size));
		}
	}
	/* Nothing was made on the way. */
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->ioas + 1));
}

TEST_F(command, structure_at_any_alignment)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int offset;

	for (offset = 0; offset < 8; offset++) {
		char *where = self->argument.bytes + offset;

		memcpy(where, &cmd, sizeof(cmd));
		ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, where));
	}
	EXPECT_EQ(0, iommu_destroy(self->fd, self->ioas + 8));
}

TEST_F(command, structure_may_cross_a_page)
{
	char *edge = guard_page_edge(RW, RW);
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	ASSERT_NE(NULL, edge);
	memcpy(edge - 6, &cmd, sizeof(cmd));
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, edge - 6));
	memcpy(&cmd, edge - 6, sizeof(cmd));
	EXPECT_EQ(self->ioas + 1, cmd.out_ioas_id);
	guard_page_free(edge);
}

/* A tail that cannot be written: writing beyond the known part would fail. */
TEST_F(command, nothing_is_written_beyond_the_known_part)
{
	char *edge = guard_page_edge(RW, PROT_READ);
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd) + 64,
		.flags = IOMMU_MAP_RW,
		.ioas_id = self->ioas,
		.user_va = 0x10000,
		.length = 4096,
	};

	ASSERT_NE(NULL, edge);
	memcpy(edge - sizeof(cmd), &cmd, sizeof(cmd));
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, edge - sizeof(cmd)));
	guard_page_free(edge);
}

TEST_F(command, inputs_come_back_as_they_were_read)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_RW,
		.ioas_id = self->ioas,
		.user_va = 0x10000,
		.length = 4096,
		.iova = 0x123456,
	};
	struct iommu_ioas_map before = cmd;

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_IOAS_MAP, &cmd));
	EXPECT_NE(before.iova, cmd.iova);
	before.iova = cmd.iova;
	EXPECT_EQ(0, memcmp(&before, &cmd, sizeof(cmd)));
}

TEST_F(command, failure_copies_nothing_back)
{
	char *edge = guard_page_edge(RW, PROT_NONE);
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = self->ioas, .iova = 0x1000, .length = 0x1000,
	};
	struct iommu_ioas_alloc alloc = {
		.size = sizeof(alloc), .flags = 1, .out_ioas_id = 77,
	};
	void *where;

	/* Where nothing can be written a failure keeps its own errno. */
	ASSERT_NE(NULL, edge);
	where = guard_page_seal(edge, &unmap, sizeof(unmap), PROT_READ);
	ASSERT_NE(NULL, where);
	EXPECT_EQ(-ENOENT, iommu_ioctl(self->fd, IOMMU_IOAS_UNMAP, where));
	EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, &alloc));
	EXPECT_EQ(77, alloc.out_ioas_id);
	guard_page_free(edge);
}

/* Runs a command whose structure cannot be written. */
static int call_read_only(int fd, unsigned long request, const void *argument, size_t size)
{
	char *edge = guard_page_edge(RW, PROT_NONE);
	void *where = guard_page_seal(edge, argument, size, PROT_READ);
	int rc = iommu_ioctl(fd, request, where);

	guard_page_free(edge);
	return rc;
}

TEST_F(command, create_whose_id_cannot_be_written_is_EFAULT_and_makes_nothing)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	__u32 id;

	EXPECT_EQ(-EFAULT, call_read_only(self->fd, IOMMU_IOAS_ALLOC, &cmd, sizeof(cmd)));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->ioas + 1));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &id));
	EXPECT_EQ(self->ioas + 1, id);
}

TEST_F(command, create_whose_id_is_half_writable_makes_nothing)
{
	char *edge = guard_page_edge(RW, PROT_READ);
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	ASSERT_NE(NULL, edge);
	memcpy(edge - 8, &cmd, 8);
	EXPECT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_IOAS_ALLOC, edge - 8));
	EXPECT_EQ(-ENOENT, iommu_destroy(self->fd, self->ioas + 1));
	guard_page_free(edge);
}

TEST_F(command, destroy_and_allow_iovas_write_nothing)
{
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow), .ioas_id = self->ioas,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = self->ioas };

	EXPECT_EQ(0, call_read_only(self->fd, IOMMU_IOAS_ALLOW_IOVAS, &allow, sizeof(allow)));
	EXPECT_EQ(0, call_read_only(self->fd, IOMMU_DESTROY, &destroy, sizeof(destroy)));
}

TEST_F(command, option_writes_only_the_value)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, RW);
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = self->ioas,
	};
	size_t before_value = offsetof(struct iommu_option, val64);
	void *where = edge - before_value;
	__u64 value;

	/* All but the value is read-only. */
	memcpy(where, &cmd, sizeof(cmd));
	ASSERT_EQ(0, mprotect(edge - guard_page_size(), guard_page_size(), PROT_READ));
	EXPECT_EQ(0, iommu_ioctl(self->fd, IOMMU_OPTION, where));
	memcpy(&value, edge, sizeof(value));
	EXPECT_EQ(1, value);
	guard_page_free(edge);
}

TEST_F(command, iova_ranges_that_cannot_be_written_is_EFAULT)
{
	struct iommu_ioas_iova_ranges cmd = { .size = sizeof(cmd), .ioas_id = self->ioas };

	EXPECT_EQ(-EFAULT, call_read_only(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd,
					  sizeof(cmd)));
}

TEST_HARNESS_MAIN
