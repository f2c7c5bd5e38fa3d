// SPDX-License-Identifier: GPL-2.0-only
/* From a call as it is written down to the system call, and back to its results. */
#include "perform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail_nth.h"
#include "privilege.h"

#define PAGE 0x1000UL

/* Files of our own stand where programs hardly get. */
#define OWN_FILES 900

/* The end of what a program may write, and of the address space. */
#define EDGE PAGE
#define NOWHERE ((char *)-4096L)

/* A page, and then nothing. */
static char *map_edge(int fd, int protection)
{
	char *start = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	if (mmap(start, PAGE, protection, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return NULL;
	return start;
}

/**
 * performer_create - get ready
 * @performer: What a thread is going to use
 * @execution: Where results go
 * @arenas: The memory of the process
 *
 * Return: 0 or -errno.
 */
int performer_create(struct performer *performer, struct execution *execution,
		     struct arenas *arenas)
{
	int fd = memfd_create("argument", MFD_CLOEXEC);

	performer->execution = execution;
	performer->arenas = arenas;
	performer->fail_nth = -1;
	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		return -errno;
	performer->argument = map_edge(fd, PROT_READ | PROT_WRITE);
	performer->argument_read_only = map_edge(fd, PROT_READ);
	close(fd);
	fd = memfd_create("payload", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	performer->payload = map_edge(fd, PROT_READ | PROT_WRITE);
	close(fd);
	if (!performer->argument || !performer->argument_read_only || !performer->payload)
		return -ENOMEM;
	return 0;
}

/* To be called by the thread itself, which alone can have its own calls fail. */
void performer_start(struct performer *performer)
{
	int fd = fail_nth_open();

	if (fd < 0)
		return;
	performer->fail_nth = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FILES);
	close(fd);
}

static char *payload_of(const struct performer *performer, const struct call *call)
{
	size_t size = call->payload_words * call->operation->payload_width;

	return performer->payload + EDGE - (size < 8 ? 8 : size);
}

static uint64_t resolve(const struct performer *performer, const struct call *call,
			const struct value *value)
{
	if (value->base == BASE_PAYLOAD)
		return (uintptr_t)payload_of(performer, call) + value->number;
	if (base_is_result(value->base))
		return __atomic_load_n(&performer->execution->slots[value->base][value->slot],
				       __ATOMIC_RELAXED) + value->number;
	if (base_is_arena(value->base))
		return (uintptr_t)arena_of(performer->arenas, value->base) + value->number;
	return value->number;
}

static uint64_t field(const struct performer *performer, const struct call *call,
		      unsigned int number)
{
	return resolve(performer, call, &call->fields[number]);
}

static void write_payload(const struct performer *performer, const struct call *call)
{
	char *to = payload_of(performer, call);
	unsigned int width = call->operation->payload_width, i;

	memset(performer->payload, 0, PAGE);
	for (i = 0; i < call->payload_words; i++) {
		uint64_t word = resolve(performer, call, &call->payload[i]);

		memcpy(to + i * width, &word, width);
	}
}

static size_t place_of(const struct call *call)
{
	size_t size = call->operation->size;

	switch (call->place) {
	case PLACE_ROOM:
		return EDGE / 2;
	case PLACE_CUT:
		return EDGE - size / 2;
	default:
		return EDGE - size;
	}
}

/* Returns where the kernel is told that the argument is. */
static char *write_argument(const struct performer *performer, const struct call *call)
{
	const struct operation *operation = call->operation;
	char structure[256] = {};
	size_t place = place_of(call);
	unsigned int i;

	for (i = 0; i < grammar_fields(operation); i++) {
		uint64_t value = field(performer, call, i);

		memcpy(structure + operation->fields[i].offset, &value,
		       operation->fields[i].width);
	}
	memset(performer->argument, 0, PAGE);
	memcpy(performer->argument + place, structure,
	       operation->size < EDGE - place ? operation->size : EDGE - place);
	if (call->place == PLACE_NOWHERE)
		return NOWHERE;
	if (call->place == PLACE_READ_ONLY)
		return performer->argument_read_only + place;
	return performer->argument + place;
}

static void store_result(const struct performer *performer, unsigned int base,
			 const struct call *call, uint64_t value)
{
	__atomic_store_n(&performer->execution->slots[base][call->out], value, __ATOMIC_RELAXED);
}

static void store_outputs(const struct performer *performer, const struct call *call,
			  const char *argument)
{
	unsigned int i;

	for (i = 0; i < MAX_OUTPUTS && call->operation->outputs[i].base; i++) {
		const struct output *output = &call->operation->outputs[i];
		uint64_t value = 0;

		if (output->offset + output->width > call->operation->size)
			continue;
		memcpy(&value, argument + output->offset, output->width);
		store_result(performer, output->base, call, value);
	}
}

/* What a system call says, as 0 or -errno. */
static int answer(long result)
{
	return result < 0 ? -errno : 0;
}

static int perform_ioctl(struct performer *performer, const struct call *call, int fd)
{
	char *argument = write_argument(performer, call);
	int rc;

	if (call->operation->special == SPECIAL_BY_VALUE)
		argument = (char *)(uintptr_t)field(performer, call, 0);
	rc = ioctl(fd, call->operation->request, argument);
	if (rc < 0)
		return -errno;
	if (call->operation->special == SPECIAL_RESULT)
		store_result(performer, call->operation->outputs[0].base, call, rc);
	else if (call->place == PLACE_EDGE || call->place == PLACE_ROOM)
		store_outputs(performer, call, argument);
	return 0;
}

static int perform_open(struct performer *performer, const struct call *call)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	store_result(performer, BASE_CONTEXT, call, fd);
	return 0;
}

static int perform_close(int fd)
{
	if (fd <= STDERR_FILENO || fd >= OWN_FILES)
		return -EBADF;
	return answer(close(fd));
}

static int perform_poll(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	return answer(poll(&poll_fd, 1, 0));
}

static int perform_mmap(struct performer *performer, const struct call *call, int fd)
{
	int flags = field(performer, call, 2) & 1 ? MAP_PRIVATE : MAP_SHARED;
	volatile char *region = mmap(NULL, field(performer, call, 1), PROT_READ | PROT_WRITE,
				     flags, fd, field(performer, call, 0));

	if (region == MAP_FAILED)
		return -errno;
	region[0] = 1;
	store_result(performer, BASE_REGION, call, (uintptr_t)region);
	return 0;
}

/* Changes the address space, of which only the arenas are the program's. */
static int perform_on_arena(struct performer *performer, const struct call *call)
{
	uint64_t length = field(performer, call, 1), offset = call->fields[0].number;
	unsigned int base = call->fields[0].base;
	int protection = field(performer, call, 2) & 1 ? PROT_READ | PROT_WRITE : PROT_READ;
	char *start;

	if (!base_is_arena(base))
		return -EINVAL;
	length = arenas_clamp(performer->arenas, base, &offset, length);
	start = arena_of(performer->arenas, base) + offset;
	switch (call->operation->special) {
	case SPECIAL_MUNMAP:
		return answer(munmap(start, length));
	case SPECIAL_REMAP:
		start = mmap(start, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			     -1, 0);
		return start == MAP_FAILED ? -errno : 0;
	case SPECIAL_TOUCH:
		return answer(madvise(start, length, MADV_POPULATE_WRITE));
	default:
		madvise(start, length, MADV_REMOVE);
		return answer(madvise(start, length, MADV_DONTNEED));
	}
}

static int perform_munmap(struct performer *performer, const struct call *call)
{
	uint64_t region;

	if (call->fields[0].base != BASE_REGION)
		return perform_on_arena(performer, call);
	region = performer->execution->slots[BASE_REGION][call->fields[0].slot];
	return region ? answer(munmap((void *)region, PAGE)) : -EINVAL;
}

/*
 * From now on what this thread pins counts, for a user that nobody else is. The library
 * would have all threads change, and end the process if one cannot.
 */
static int perform_limit(struct performer *performer, const struct call *call)
{
	uid_t user = privilege_fresh_user();

	if (privilege_limit_memlock(field(performer, call, 0)))
		return -errno;
	return answer(syscall(SYS_setresuid, user, user, 0));
}

static int perform_transfer(struct performer *performer, const struct call *call, int fd)
{
	void *buffer = (void *)field(performer, call, 0);
	size_t count = field(performer, call, 1);

	/* Nothing is to be said to whoever watches. */
	if (fd <= STDERR_FILENO || fd >= OWN_FILES)
		return -EBADF;
	if (call->operation->special == SPECIAL_READ)
		return answer(read(fd, buffer, count));
	return answer(write(fd, buffer, count));
}

static int perform_special(struct performer *performer, const struct call *call, int fd)
{
	switch (call->operation->special) {
	case SPECIAL_OPEN:
		return perform_open(performer, call);
	case SPECIAL_CLOSE:
		return perform_close(fd);
	case SPECIAL_READ:
	case SPECIAL_WRITE:
		return perform_transfer(performer, call, fd);
	case SPECIAL_POLL:
		return perform_poll(fd);
	case SPECIAL_MMAP:
		return perform_mmap(performer, call, fd);
	case SPECIAL_MUNMAP:
		return perform_munmap(performer, call);
	case SPECIAL_REMAP:
	case SPECIAL_DISCARD:
	case SPECIAL_TOUCH:
		return perform_on_arena(performer, call);
	case SPECIAL_LIMIT:
		return perform_limit(performer, call);
	default:
		return perform_ioctl(performer, call, fd);
	}
}

/**
 * perform - make a call
 * @performer: Of the calling thread
 * @call: The call; not SPECIAL_FORK
 *
 * Return: 0 or -errno.
 */
int perform(struct performer *performer, const struct call *call)
{
	int fd = resolve(performer, call, &call->on), rc;
	bool fail = call->fail && performer->fail_nth >= 0;

	write_payload(performer, call);
	if (fail)
		fail_nth_start(performer->fail_nth, call->fail);
	rc = perform_special(performer, call, fd);
	if (fail)
		fail_nth_stop(performer->fail_nth);
	return rc;
}
