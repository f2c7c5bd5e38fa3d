// SPDX-License-Identifier: GPL-2.0-only
/*
 * An IOVA space of very many areas: no command keeps the processor from others for
 * long, and SIGKILL ends it.
 *
 * Owns the measure, which is exact where a processor's time is what it executes: in the
 * machine of scripts/check, one instruction takes 1 ns, whatever else the host does,
 * and the kernel (preempt=none) gives the processor away only where it says so. A
 * thread that comes before all others wants it each millisecond, and notes for how
 * long it did not get it. Elsewhere the tests are skipped.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "attachment.h"
#include "edu_fixture.h"

#define IOVA 0x100000000UL
#define ELSEWHERE 0x4000000000UL

/* Mapped one by one, and then copied until there are so many */
#define MAPS 16UL
#define AREAS (MAPS << 13)
#define LENGTH (AREAS * PAGE_BYTES)

/*
 * In nanoseconds. A loop that does as little as 20 instructions for each area, which
 * is less than any of ours does, keeps the processor for 2.6 ms when there are so many;
 * without the cond_resched() of iopt_area_next() it is 5 ms for an UNMAP that is refused,
 * and 140 ms for an attach.
 */
#define PERIOD 1000000L
#define LIMIT 2000000L

#define ALLOWED 10000

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

/* Is it one processor, which the kernel keeps for as long as it likes? */
static bool machine_is_right(void)
{
	char line[64] = "";
	FILE *file;

	if (sysconf(_SC_NPROCESSORS_ONLN) != 1)
		return false;
	file = fopen("/sys/kernel/debug/sched/preempt", "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return strstr(line, "(none)");
}

FIXTURE(device_many_areas)
{
	struct attachment at;
	struct edu second;
	__u32 other;
	uint8_t *memory;
	pthread_t thread;
	bool stop;
	long late;
};

static void *note_lateness(void *data)
{
	FIXTURE_DATA(device_many_areas) *self = data;

	while (!__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		long due = now() + PERIOD, late;
		struct timespec time = { due / 1000000000L, due % 1000000000L };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
		late = now() - due;
		if (late > __atomic_load_n(&self->late, __ATOMIC_RELAXED))
			__atomic_store_n(&self->late, late, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int start_to_note(FIXTURE_DATA(device_many_areas) *self)
{
	struct sched_param first = { .sched_priority = 1 };
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &first);
	return -pthread_create(&self->thread, &attributes, note_lateness, self);
}

FIXTURE_SETUP(device_many_areas)
{
	unsigned long i;

	if (!machine_is_right())
		SKIP(return, "needs one processor and preempt=none");
	REQUIRE_OWN_GROUPS(2);
	self->memory = mmap(NULL, MAPS * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, attachment_open(&self->at, topology.own[0].name, 1));
	ASSERT_EQ(0, edu_open(&self->second, topology.own[1].name, self->at.iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->at.iommufd, &self->other));
	for (i = 0; i < MAPS; i++)
		ASSERT_EQ(0, attachment_map(&self->at, self->memory + i * PAGE_BYTES, PAGE_BYTES,
					    IOMMU_MAP_RW, IOVA + i * PAGE_BYTES));
	ASSERT_EQ(0, start_to_note(self));
}

static int close_context(FIXTURE_DATA(device_many_areas) *self)
{
	edu_close(&self->second);
	attachment_close(&self->at);
	return 0;
}

FIXTURE_TEARDOWN(device_many_areas)
{
	__atomic_store_n(&self->stop, true, __ATOMIC_RELAXED);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, pages_pinned());
}

/* Each copy doubles what there is. */
static int make_areas(FIXTURE_DATA(device_many_areas) *self)
{
	__u64 length;
	int rc = 0;

	for (length = MAPS * PAGE_BYTES; length != LENGTH && !rc; length *= 2)
		rc = iommu_ioas_copy_fixed(self->at.iommufd, self->at.ioas, IOVA, length,
					   self->at.ioas, IOMMU_MAP_RW, IOVA + length);
	return rc;
}

static int copy_all(FIXTURE_DATA(device_many_areas) *self)
{
	return iommu_ioas_copy_fixed(self->at.iommufd, self->at.ioas, IOVA, LENGTH,
				     self->other, IOMMU_MAP_RW, IOVA);
}

static int map_one_more(FIXTURE_DATA(device_many_areas) *self)
{
	__u64 iova;

	return iommu_ioas_map(self->at.iommufd, self->at.ioas, self->memory, PAGE_BYTES,
			      IOMMU_MAP_RW, &iova);
}

/* The areas leave no room where it may be. */
static int find_no_room(FIXTURE_DATA(device_many_areas) *self)
{
	struct iommu_iova_range range = { IOVA, IOVA + LENGTH - 1 };
	int rc = iommu_ioas_allow_iovas(self->at.iommufd, self->other, &range, 1);
	__u64 iova;

	if (rc)
		return rc;
	rc = iommu_ioas_map(self->at.iommufd, self->other, self->memory, PAGE_BYTES,
			    IOMMU_MAP_RW, &iova);
	return rc == -ENOSPC ? 0 : -EINVAL;
}

static int list_ranges(FIXTURE_DATA(device_many_areas) *self)
{
	return count_ranges(self->at.iommufd, self->at.ioas) ? 0 : -EINVAL;
}

static int allow_many(FIXTURE_DATA(device_many_areas) *self)
{
	static struct iommu_iova_range ranges[ALLOWED];
	unsigned int i;

	for (i = 0; i < ALLOWED; i++) {
		ranges[i].start = IOVA + 2 * i * PAGE_BYTES;
		ranges[i].last = ranges[i].start + PAGE_BYTES - 1;
	}
	return iommu_ioas_allow_iovas(self->at.iommufd, self->at.ioas, ranges, ALLOWED);
}

static int attach(FIXTURE_DATA(device_many_areas) *self)
{
	return attachment_attach(&self->at, self->at.ioas);
}

static int attach_second(FIXTURE_DATA(device_many_areas) *self)
{
	__u32 pt_id = self->other;

	return vfio_device_attach(&self->second.device, &pt_id);
}

static int replace(FIXTURE_DATA(device_many_areas) *self)
{
	__u32 pt_id = self->at.ioas;

	return vfio_device_attach(&self->second.device, &pt_id);
}

static int detach_second(FIXTURE_DATA(device_many_areas) *self)
{
	return vfio_device_detach(&self->second.device);
}

static int copy_attached(FIXTURE_DATA(device_many_areas) *self)
{
	return iommu_ioas_copy_fixed(self->at.iommufd, self->other, IOVA, LENGTH,
				     self->at.ioas, IOMMU_MAP_RW, ELSEWHERE);
}

static int unmap_part(FIXTURE_DATA(device_many_areas) *self)
{
	return attachment_unmap(&self->at, IOVA, LENGTH);
}

static int refuse_to_cut(FIXTURE_DATA(device_many_areas) *self)
{
	int rc = attachment_unmap(&self->at, ELSEWHERE, LENGTH - 1);

	return rc == -ENOENT ? 0 : -EINVAL;
}

static int unmap_all(FIXTURE_DATA(device_many_areas) *self)
{
	return iommu_ioas_unmap_all(self->at.iommufd, self->at.ioas, NULL);
}

static const struct {
	const char *name;
	int (*run)(FIXTURE_DATA(device_many_areas) *self);
} steps[] = {
	{ "COPY, again and again", make_areas },
	{ "COPY to another IOAS", copy_all },
	{ "MAP", map_one_more },
	{ "MAP without room", find_no_room },
	{ "IOVA_RANGES", list_ranges },
	{ "attach", attach },
	{ "attach to another IOAS", attach_second },
	{ "replace", replace },
	{ "detach", detach_second },
	{ "ALLOW_IOVAS", allow_many },
	{ "COPY where a device is attached", copy_attached },
	{ "UNMAP", unmap_part },
	{ "UNMAP that cuts an area", refuse_to_cut },
	{ "UNMAP of all", unmap_all },
	{ "close", close_context },
};

TEST_F(device_many_areas, no_command_keeps_the_processor)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		long began = now();

		self->late = 0;
		EXPECT_EQ(0, steps[i].run(self)) TH_LOG("%s", steps[i].name);
		usleep(2 * PERIOD / 1000);
		EXPECT_GT(LIMIT, self->late) TH_LOG("%s", steps[i].name);
		TH_LOG("%s: %ld us, kept %ld us", steps[i].name, (now() - began) / 1000,
		       self->late / 1000);
	}
}

/* Another process attaches the device, and is killed meanwhile. Returns its status. */
static int kill_attach(FIXTURE_DATA(device_many_areas) *self, long after)
{
	struct timespec time = { after / 1000000000L, after % 1000000000L };
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(!!attach(self));
	}
	if (child < 0)
		return -1;
	nanosleep(&time, NULL);
	kill(child, SIGKILL);
	return waitpid(child, &status, 0) == child ? status : -1;
}

/* To undo it takes about as long as to do it. Had it been done, pages would be pinned. */
TEST_F(device_many_areas, an_attach_is_killed)
{
	long began, took;
	int part;

	ASSERT_EQ(0, make_areas(self));
	began = now();
	ASSERT_EQ(0, attach(self));
	took = now() - began;
	ASSERT_EQ(0, attachment_detach(&self->at));
	for (part = 1; part < 8; part += 2) {
		long after = took * part / 8;

		began = now();
		EXPECT_EQ(SIGKILL, kill_attach(self, after));
		EXPECT_GT(after + 2 * took, now() - began) TH_LOG("killed after %d / 8", part);
		EXPECT_EQ(0, pages_pinned()) TH_LOG("killed after %d / 8", part);
	}
	EXPECT_EQ(0, attach(self));
	close_context(self);
}
