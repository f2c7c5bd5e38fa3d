// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault queues: what devices ask for comes out of the file descriptor, and what is
 * written into it is the answer.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>

#include "fault_fixture.h"
#include "guard_page.h"
#include "slow_memory.h"

#define ANSWER sizeof(struct iommu_hwpt_page_response)
#define NO_ID 0x7fffffff
/* What the kernel keeps for a queue that nobody reads */
#define QUEUE_LIMIT 16384
#define STORM 3000

/* Has the device ask for a page; the group is told by its number. */
static int ask(struct _test_data_mock_fault *self, __u32 grpid)
{
	return mock_ask_for_page(self->fd, self->device.idev, 0, grpid, IOMMU_PGFAULT_PERM_READ,
				 grpid * PAGE);
}

/* Reads one group, and returns its cookie or 0. */
static __u32 take(struct _test_data_mock_fault *self, __u32 grpid)
{
	struct iommu_hwpt_pgfault record;

	if (read(self->file, &record, RECORD) != RECORD || record.grpid != grpid)
		return 0;
	return record.cookie;
}

static ssize_t answer(int file, __u32 cookie, __u32 code)
{
	struct iommu_hwpt_page_response response = { .cookie = cookie, .code = code };
	ssize_t rc = write(file, &response, ANSWER);

	return rc < 0 ? -errno : rc;
}

static ssize_t try_read(int file, void *buffer, size_t count)
{
	ssize_t rc = read(file, buffer, count);

	return rc < 0 ? -errno : rc;
}

static bool readable(int file)
{
	struct pollfd poller = { .fd = file, .events = POLLIN | POLLRDNORM };

	return poll(&poller, 1, 0) == 1 && poller.revents == (POLLIN | POLLRDNORM);
}

TEST_F(mock_fault, flags_are_unknown)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd), .flags = 1 };

	ASSERT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd));
}

TEST_F(mock_fault, needs_a_free_file_descriptor)
{
	struct rlimit old, few = { .rlim_cur = 3 };
	__u32 queue, again;
	int file;

	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &queue));
	ASSERT_EQ(0, iommu_destroy(self->fd, queue));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	few.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
	ASSERT_EQ(-EMFILE, iommu_fault_queue_alloc(self->fd, &again, &file));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &again));
	ASSERT_EQ(queue, again);
}

TEST_F(mock_fault, exists_only_if_its_id_can_be_told)
{
	const struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	int file, next;

	ASSERT_NE(NULL, edge);
	file = dup(0);
	close(file);
	ASSERT_EQ(-EFAULT, iommu_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC,
				       guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ)));
	guard_page_free(edge);
	ASSERT_EQ(-ENOENT, iommu_destroy(self->fd, self->device.idev + 1));
	next = dup(0);
	ASSERT_EQ(file, next);
	close(next);
}

TEST_F(mock_fault, has_a_name_and_does_not_survive_exec)
{
	char path[32], name[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	ASSERT_LT(0, readlink(path, name, sizeof(name) - 1));
	ASSERT_STREQ("anon_inode:[iommufd-pgfault]", name);
	ASSERT_EQ(FD_CLOEXEC, fcntl(self->file, F_GETFD));
	ASSERT_EQ(O_RDWR, fcntl(self->file, F_GETFL) & O_ACCMODE);
}

TEST_F(mock_fault, has_no_position)
{
	char buffer[RECORD];

	ASSERT_EQ(-1, lseek(self->file, 0, SEEK_SET));
	ASSERT_EQ(ESPIPE, errno);
	ASSERT_EQ(-1, pread(self->file, buffer, RECORD, 0));
	ASSERT_EQ(ESPIPE, errno);
	ASSERT_EQ(-1, pwrite(self->file, buffer, ANSWER, 0));
	ASSERT_EQ(ESPIPE, errno);
}

TEST_F(mock_fault, goes_after_its_file_and_its_page_tables)
{
	int other = dup(self->file);

	close(self->file);
	self->file = -1;
	ASSERT_EQ(-EBUSY, iommu_destroy(self->fd, self->queue));
	close(other);
	ASSERT_EQ(-EBUSY, iommu_destroy(self->fd, self->queue));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->fd, self->queue));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->queue));
}

TEST_F(mock_fault, a_page_table_needs_a_queue_that_exists)
{
	__u32 hwpt;

	ASSERT_EQ(-ENOENT, iommu_hwpt_alloc_fault(self->fd, self->device.idev, self->ioas, 0,
						  NO_ID, &hwpt));
	ASSERT_EQ(-ENOENT, iommu_hwpt_alloc_fault(self->fd, self->device.idev, self->ioas, 0,
						  self->ioas, &hwpt));
	ASSERT_EQ(-EOPNOTSUPP, iommu_hwpt_alloc_fault(self->fd, self->device.idev, self->ioas,
						      IOMMU_HWPT_ALLOC_NEST_PARENT, self->queue,
						      &hwpt));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->fd, self->device.idev + 1));
}

TEST_F(mock_fault, a_record_says_who_wants_what)
{
	struct iommu_hwpt_pgfault record;

	ASSERT_EQ(0, mock_ask_for_page(self->fd, self->device.idev, 0, 77,
				       IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE,
				       0x12345000));
	memset(&record, 0xff, RECORD);
	ASSERT_EQ((ssize_t)RECORD, read(self->file, &record, RECORD));
	ASSERT_EQ(IOMMU_PGFAULT_FLAGS_LAST_PAGE, record.flags);
	ASSERT_EQ(self->device.idev, record.dev_id);
	ASSERT_EQ(0, record.pasid);
	ASSERT_EQ(77, record.grpid);
	ASSERT_EQ(IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE, record.perm);
	ASSERT_EQ(0, record.__reserved);
	ASSERT_EQ(0x12345000, record.addr);
	ASSERT_EQ(0, record.length);
	ASSERT_EQ(1, record.cookie);
}

TEST_F(mock_fault, requests_come_in_the_order_they_were_made)
{
	struct iommu_hwpt_pgfault records[4];
	int i;

	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, ask(self, i));
	ASSERT_EQ((ssize_t)(4 * RECORD), read(self->file, records, 4 * RECORD));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(i, records[i].grpid);
		ASSERT_EQ(i + 1, records[i].cookie);
	}
	ASSERT_EQ((ssize_t)(2 * RECORD), read(self->file, records, 4 * RECORD));
	ASSERT_EQ(4, records[0].grpid);
	ASSERT_EQ(5, records[1].grpid);
}

TEST_F(mock_fault, read_takes_whole_records)
{
	struct iommu_hwpt_pgfault records[2];

	ASSERT_EQ(-ESPIPE, try_read(self->file, records, RECORD - 1));
	ASSERT_EQ(0, try_read(self->file, records, RECORD));
	ASSERT_EQ(0, try_read(self->file, records, 0));
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(-ESPIPE, try_read(self->file, records, RECORD + 1));
	ASSERT_EQ(-EINVAL, try_read(self->file, records, 0));
	ASSERT_NE(0, take(self, 1));
}

TEST_F(mock_fault, a_request_that_cannot_be_stored_is_not_lost)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	struct iommu_hwpt_pgfault *records;

	ASSERT_NE(NULL, edge);
	records = (struct iommu_hwpt_pgfault *)(edge - RECORD);
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(-EFAULT, try_read(self->file, GUARD_PAGE_BAD_POINTER, RECORD));
	ASSERT_EQ(-EFAULT, try_read(self->file, edge, RECORD));
	ASSERT_TRUE(readable(self->file));
	ASSERT_EQ((ssize_t)RECORD, try_read(self->file, records, 2 * RECORD));
	ASSERT_EQ(1, records[0].grpid);
	ASSERT_EQ(2, take(self, 2));
	guard_page_free(edge);
}

TEST_F(mock_fault, cookies_are_the_lowest_free_numbers)
{
	int i;

	for (i = 1; i <= 4; i++)
		ASSERT_EQ(0, ask(self, i));
	for (i = 1; i <= 3; i++)
		ASSERT_EQ(i, take(self, i));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 2, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(2, take(self, 4));
}

TEST_F(mock_fault, answers_are_given_once_and_are_checked)
{
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ(-EINVAL, answer(self->file, 0, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(-EINVAL, answer(self->file, 2, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, 2));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_INVALID));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(mock_fault, write_takes_whole_answers_up_to_the_first_bad_one)
{
	struct iommu_hwpt_page_response responses[3] = {
		{ .cookie = 1 }, { .cookie = 2, .code = 7 }, { .cookie = 3 },
	};
	int i;

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, ask(self, i));
		ASSERT_EQ(i, take(self, i));
	}
	ASSERT_EQ(0, write(self->file, responses, 0));
	ASSERT_EQ(-1, write(self->file, responses, ANSWER + 1));
	ASSERT_EQ(ESPIPE, errno);
	ASSERT_EQ(-1, write(self->file, GUARD_PAGE_BAD_POINTER, ANSWER));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ((ssize_t)ANSWER, write(self->file, responses, sizeof(responses)));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	responses[1].code = IOMMUFD_PAGE_RESP_INVALID;
	ASSERT_EQ((ssize_t)(2 * ANSWER), write(self->file, &responses[1], 2 * ANSWER));
}

TEST_F(mock_fault, poll_tells_of_requests_that_nobody_has_read)
{
	struct pollfd poller = { .fd = self->file, .events = POLLOUT };

	ASSERT_EQ(1, poll(&poller, 1, 0));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_TRUE(readable(self->file));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ(1, poll(&poller, 1, 0));
}

static void *wait_for_request(void *file)
{
	struct pollfd poller = { .fd = *(int *)file, .events = POLLIN };

	return (void *)(intptr_t)poll(&poller, 1, -1);
}

TEST_F(mock_fault, poll_wakes_up_when_a_device_asks)
{
	pthread_t waiter;
	void *events;

	ASSERT_EQ(0, pthread_create(&waiter, NULL, wait_for_request, &self->file));
	usleep(50000);
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, pthread_join(waiter, &events));
	ASSERT_EQ(1, (intptr_t)events);
}

TEST_F(mock_fault, requests_go_when_the_device_is_detached)
{
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(mock_fault, requests_go_when_the_device_is_moved)
{
	__u32 pt_id = self->ioas;

	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ(-EINVAL, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	/* Nobody is there to answer now */
	ASSERT_EQ(0, ask(self, 3));
	ASSERT_FALSE(readable(self->file));

	pt_id = self->hwpt;
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_EQ(0, ask(self, 4));
	ASSERT_EQ(1, take(self, 4));
}

TEST_F(mock_fault, requests_follow_the_device_to_another_queue)
{
	__u32 queue, pt_id;
	int file;

	ASSERT_EQ(0, iommu_fault_queue_alloc(self->fd, &queue, &file));
	ASSERT_EQ(0, iommu_hwpt_alloc_fault(self->fd, self->device.idev, self->ioas, 0, queue,
					    &pt_id));
	ASSERT_EQ(0, mock_replace(self->fd, self->device.id, &pt_id));
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_FALSE(readable(self->file));
	ASSERT_TRUE(readable(file));
	close(file);
}

TEST_F(mock_fault, requests_of_others_stay_when_a_device_goes)
{
	struct mock other;

	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &other));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, other.idev, 0, 1, 0, 0));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, other.idev, 0, 3, 0, 0));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ(0, iommu_destroy(self->fd, other.id));
	ASSERT_EQ(1, take(self, 2));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(mock_fault, requests_of_others_that_were_read_can_still_be_answered)
{
	struct mock other;

	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &other));
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, mock_ask_for_page(self->fd, other.idev, 0, 2, 0, 0));
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ(2, take(self, 2));
	ASSERT_EQ(0, iommu_destroy(self->fd, other.id));
	ASSERT_EQ(-EINVAL, answer(self->file, 2, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(mock_fault, requests_pile_up_when_the_file_is_closed)
{
	close(self->file);
	self->file = -1;
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->queue));
}

TEST_F(mock_fault, file_keeps_the_context)
{
	ASSERT_EQ(0, ask(self, 1));
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(1, take(self, 1));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
}

TEST_F(mock_fault, a_queue_that_nobody_reads_has_an_end)
{
	struct iommu_hwpt_pgfault records[64];
	unsigned int i, count = 0;
	ssize_t rc;

	for (i = 0; i < QUEUE_LIMIT + 100; i++)
		ASSERT_EQ(0, ask(self, i));
	while ((rc = read(self->file, records, sizeof(records))) > 0)
		for (i = 0; i < rc / RECORD; i++)
			ASSERT_EQ(count++, records[i].grpid);
	ASSERT_EQ(QUEUE_LIMIT, count);
	/* Groups that wait for an answer count, too */
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_FALSE(readable(self->file));
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_TRUE(readable(self->file));
}

static void *read_one(void *argument)
{
	struct slow_memory *slow = ((void **)argument)[0];
	int *file = ((void **)argument)[1];

	return (void *)try_read(*file, slow->start, RECORD);
}

TEST_F(mock_fault, a_reader_whose_memory_never_appears_stops_nobody)
{
	struct slow_memory slow = {};
	void *argument[2] = { &slow, &self->file }, *result;
	char contents[PAGE] = {};
	pthread_t reader;

	if (slow_memory_create(&slow, PAGE))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ask(self, 1));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_one, argument));
	ASSERT_EQ(0, slow_memory_wait(&slow));
	/* The group it holds is answered, and the device asks again and goes */
	ASSERT_EQ((ssize_t)ANSWER, answer(self->file, 1, IOMMUFD_PAGE_RESP_SUCCESS));
	ASSERT_EQ(0, ask(self, 2));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, slow_memory_release(&slow, contents));
	ASSERT_EQ(0, pthread_join(reader, &result));
	ASSERT_EQ((ssize_t)RECORD, (ssize_t)result);
	ASSERT_FALSE(readable(self->file));
	slow_memory_free(&slow);
}

struct asker {
	int fd;
	struct mock mock;
	pthread_t thread;
};

static void *ask_many(void *argument)
{
	struct asker *asker = argument;
	int i;

	for (i = 0; i < STORM; i++)
		if (mock_ask_for_page(asker->fd, asker->mock.idev, 0, i, 0, 0))
			return (void *)1;
	return NULL;
}

/* Counts what comes, by device, and answers it. */
static int serve(int file, struct asker *askers, unsigned int *next)
{
	struct iommu_hwpt_page_response responses[32];
	struct iommu_hwpt_pgfault records[32];
	int i, who, count = try_read(file, records, sizeof(records)) / (int)RECORD;

	for (i = 0; i < count; i++) {
		who = records[i].dev_id == askers[1].mock.idev;
		if (records[i].grpid != next[who]++)
			return -1;
		responses[i] = (struct iommu_hwpt_page_response){ .cookie = records[i].cookie };
	}
	return write(file, responses, count * ANSWER) == (ssize_t)(count * ANSWER) ? count : -1;
}

TEST_F(mock_fault, thousands_of_requests_of_several_devices_come_in_order)
{
	unsigned int next[2] = {}, total = 0;
	struct asker askers[2];
	void *result;
	int i, count;

	for (i = 0; i < 2; i++) {
		askers[i].fd = self->fd;
		ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &askers[i].mock));
		ASSERT_EQ(0, pthread_create(&askers[i].thread, NULL, ask_many, &askers[i]));
	}
	while (total < 2 * STORM) {
		count = serve(self->file, askers, next);
		ASSERT_LE(0, count);
		total += count;
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(askers[i].thread, &result));
		ASSERT_EQ(NULL, result);
		ASSERT_EQ(STORM, next[i]);
	}
	ASSERT_EQ(0, serve(self->file, askers, next));
}

TEST_F(mock_fault, devices_come_and_go_while_others_ask_and_answer)
{
	struct asker asker = { .fd = self->fd };
	unsigned int next[2] = {};
	__u32 pt_id;
	int i;

	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &asker.mock));
	ASSERT_EQ(0, pthread_create(&asker.thread, NULL, ask_many, &asker));
	for (i = 0; i < 200; i++) {
		struct asker both[2] = { asker, asker };

		pt_id = i & 1 ? self->hwpt : self->ioas;
		ASSERT_EQ(0, mock_replace(self->fd, asker.mock.id, &pt_id));
		serve(self->file, both, next);
	}
	ASSERT_EQ(0, pthread_join(asker.thread, NULL));
}

TEST_F(mock_fault, only_mock_devices_can_be_made_to_ask)
{
	ASSERT_EQ(-ENOENT, mock_ask_for_page(self->fd, self->ioas, 0, 0, 0, 0));
	ASSERT_EQ(-ENOENT, mock_ask_for_page(self->fd, NO_ID, 0, 0, 0, 0));
}

/*
 * Groups of page requests: a device asks for several pages at a time, user space gets
 * them together and gives one answer.
 */

static int ask_as(struct _test_data_mock_fault *self, __u32 grpid, __u32 perm, __u64 address)
{
	return mock_ask_for_page(self->fd, self->device.idev, 0, grpid, perm, address);
}

/* Has the device ask for a page and not wait for it. */
static int ask_for_more(struct _test_data_mock_fault *self, __u32 grpid, __u64 address)
{
	return ask_as(self, grpid, IOMMU_PGFAULT_PERM_READ | IOMMU_TEST_IOPF_MORE_TO_COME, address);
}

static int ask_for_last(struct _test_data_mock_fault *self, __u32 grpid, __u64 address)
{
	return ask_as(self, grpid, IOMMU_PGFAULT_PERM_READ, address);
}

/* Answers as a success or with an error number. */
static int answer_group(struct _test_data_mock_fault *self, __u32 cookie)
{
	struct iommu_hwpt_page_response response = {
		.cookie = cookie, .code = IOMMUFD_PAGE_RESP_SUCCESS,
	};

	return write(self->file, &response, sizeof(response)) < 0 ? -errno : 0;
}

/* How many records there are for a reader that has room for @room of them. */
static int take_group(struct _test_data_mock_fault *self, struct iommu_hwpt_pgfault *records,
		      size_t room)
{
	ssize_t rc = read(self->file, records, room * RECORD);

	return rc < 0 ? -errno : rc / (ssize_t)RECORD;
}

TEST_F(mock_fault, is_nothing_to_read_until_it_is_whole)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, take_group(self, records, 4));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(3, take_group(self, records, 4));
}

TEST_F(mock_fault, has_its_requests_in_order_and_one_cookie)
{
	struct iommu_hwpt_pgfault records[3];
	int i;

	ASSERT_EQ(0, ask_for_more(self, 7, 5 * PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 3 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 4 * PAGE));
	ASSERT_EQ(3, take_group(self, records, 3));
	ASSERT_EQ(5 * PAGE, records[0].addr);
	ASSERT_EQ(3 * PAGE, records[1].addr);
	ASSERT_EQ(4 * PAGE, records[2].addr);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, records[i].cookie);
		ASSERT_EQ(7, records[i].grpid);
		ASSERT_EQ(self->device.idev, records[i].dev_id);
		ASSERT_EQ(IOMMU_PGFAULT_PERM_READ, records[i].perm);
		ASSERT_EQ(i == 2 ? IOMMU_PGFAULT_FLAGS_LAST_PAGE : 0, records[i].flags);
	}
}

TEST_F(mock_fault, is_answered_once)
{
	struct iommu_hwpt_pgfault records[2];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 2 * PAGE));
	ASSERT_EQ(2, take_group(self, records, 2));
	ASSERT_EQ(0, answer_group(self, records[0].cookie));
	ASSERT_EQ(-EINVAL, answer_group(self, records[1].cookie));
}

TEST_F(mock_fault, is_not_cut_for_a_reader_with_little_room)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(-EINVAL, take_group(self, records, 2));
	ASSERT_EQ(3, take_group(self, records, 3));
}

TEST_F(mock_fault, waits_for_the_next_read_if_it_does_not_fit_behind_another)
{
	struct iommu_hwpt_pgfault records[3];

	ASSERT_EQ(0, ask_for_last(self, 6, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 2 * PAGE));
	ASSERT_EQ(0, ask_for_more(self, 7, 3 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 4 * PAGE));
	ASSERT_EQ(1, take_group(self, records, 3));
	ASSERT_EQ(6, records[0].grpid);
	ASSERT_EQ(3, take_group(self, records, 3));
	ASSERT_EQ(7, records[0].grpid);
}

TEST_F(mock_fault, does_not_mix_with_another)
{
	struct iommu_hwpt_pgfault records[4];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, ask_for_more(self, 8, 2 * PAGE));
	ASSERT_EQ(0, ask_for_last(self, 7, 3 * PAGE));
	ASSERT_EQ(2, take_group(self, records, 4));
	ASSERT_EQ(PAGE, records[0].addr);
	ASSERT_EQ(3 * PAGE, records[1].addr);
	ASSERT_EQ(0, ask_for_last(self, 8, 4 * PAGE));
	ASSERT_EQ(2, take_group(self, records, 4));
	ASSERT_EQ(2 * PAGE, records[0].addr);
	ASSERT_EQ(4 * PAGE, records[1].addr);
}

TEST_F(mock_fault, that_is_not_whole_goes_with_its_device)
{
	struct iommu_hwpt_pgfault records[2];

	ASSERT_EQ(0, ask_for_more(self, 7, PAGE));
	ASSERT_EQ(0, iommu_destroy(self->fd, self->device.id));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &self->device));
	ASSERT_EQ(0, ask_for_last(self, 7, 2 * PAGE));
	ASSERT_EQ(1, take_group(self, records, 2));
	ASSERT_EQ(2 * PAGE, records[0].addr);
}

TEST_HARNESS_MAIN
