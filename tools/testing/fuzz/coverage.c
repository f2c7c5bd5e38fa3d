// SPDX-License-Identifier: GPL-2.0-only
/* Traces of places in the kernel, and sets of features. */
#include "coverage.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#define KCOV "/sys/kernel/debug/kcov"
/* Words of a trace: those of a call that copies many pages do not fit. */
#define TRACE_SIZE 0x8000UL
#define PLACES_MAX 0x10000U

static struct trace {
	int fd;
	uint64_t *words;
} traces[COVERAGE_THREADS];

/* Every place ever seen, as a hash table; 0 is none. */
static uint64_t places[PLACES_MAX];
static unsigned int place_count;

static bool open_trace(struct trace *trace)
{
	trace->fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (trace->fd < 0)
		return false;
	if (ioctl(trace->fd, KCOV_INIT_TRACE, TRACE_SIZE))
		return false;
	trace->words = mmap(NULL, TRACE_SIZE * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED, trace->fd, 0);
	return trace->words != MAP_FAILED;
}

/* Returns whether the kernel can trace. */
bool coverage_open(void)
{
	unsigned int i;

	for (i = 0; i < COVERAGE_THREADS; i++)
		if (!open_trace(&traces[i])) {
			traces[0].words = NULL;
			return false;
		}
	return true;
}

/* From now on the calling thread is traced, until it ends. */
void coverage_start(unsigned int thread)
{
	if (traces[0].words)
		ioctl(traces[thread].fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

void coverage_reset(void)
{
	unsigned int i;

	for (i = 0; traces[0].words && i < COVERAGE_THREADS; i++)
		traces[i].words[0] = 0;
}

static void add_place(uint64_t place)
{
	uint32_t at = place * 0x9e3779b97f4a7c15ULL >> 48;

	while (places[at] && places[at] != place)
		at = (at + 1) % PLACES_MAX;
	if (places[at] || place_count == PLACES_MAX - 1)
		return;
	places[at] = place;
	place_count++;
}

static void collect_trace(const struct trace *trace, struct features *features)
{
	uint64_t count = trace->words[0], i, last = 0;

	for (i = 1; i <= count && i < TRACE_SIZE; i++) {
		add_place(trace->words[i]);
		features_add(features, feature_hash(last, trace->words[i]));
		last = trace->words[i];
	}
}

/* Adds what has been traced since coverage_reset(). */
void coverage_collect(struct features *features)
{
	unsigned int i;

	for (i = 0; traces[0].words && i < COVERAGE_THREADS; i++)
		collect_trace(&traces[i], features);
}

/* How many places of the kernel were ever reached. */
unsigned int coverage_places(void)
{
	return place_count;
}

uint32_t feature_hash(uint64_t a, uint64_t b)
{
	uint64_t mixed = (a * 0x9e3779b97f4a7c15ULL) ^ (b + (a << 7));

	mixed = (mixed ^ (mixed >> 31)) * 0xbf58476d1ce4e5b9ULL;
	return (mixed ^ (mixed >> 29)) % FEATURES;
}

/* Returns whether it is new in the set. */
bool features_add(struct features *features, uint32_t feature)
{
	uint8_t bit = 1 << feature % 8;

	if (features->bits[feature / 8] & bit)
		return false;
	features->bits[feature / 8] |= bit;
	features->count++;
	return true;
}

/* Returns how many of @some are not in @all. */
unsigned int features_missing(const struct features *all, const struct features *some)
{
	unsigned int missing = 0, i;

	for (i = 0; i < sizeof(all->bits); i++)
		missing += __builtin_popcount(some->bits[i] & ~all->bits[i]);
	return missing;
}

/* Returns how many of @from were new. */
unsigned int features_merge(struct features *into, const struct features *from)
{
	unsigned int added = features_missing(into, from), i;

	for (i = 0; i < sizeof(into->bits); i++)
		into->bits[i] |= from->bits[i];
	into->count += added;
	return added;
}
