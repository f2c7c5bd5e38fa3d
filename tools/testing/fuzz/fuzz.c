// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommufd-fuzz: calls /dev/iommu in every way until something is wrong.
 *
 * Owns the search: which program is tried next, what is kept and what is done with one
 * that has found something.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "corpus.h"
#include "coverage.h"
#include "execute.h"
#include "generate.h"
#include "watch.h"

/* A program is over in a moment; a machine that is emulated may be busy. */
#define PROGRAM_SECONDS 120

/* What the kernel has in use is only looked at now and then. */
#define BATCH 32

#define REPORT_SECONDS 15

/* What a program has to reach that others do not, for --distill. */
#define WORTH_KEEPING 40
/* How often a program is run to learn what it does not always reach. */
#define STEADY_RUNS 3

static const char usage[] =
	"usage: iommufd-fuzz [--seconds N] [--programs N] [--seed S] [--corpus DIRECTORY]...\n"
	"                    [--output DIRECTORY]\n"
	"       iommufd-fuzz --replay FILE...\n"
	"       iommufd-fuzz --minimize FILE\n"
	"       iommufd-fuzz --distill --corpus DIRECTORY --output DIRECTORY\n"
	"\n"
	"Makes random calls of /dev/iommu, which needs the test build of the modules, until\n"
	"the time is over or the kernel reports something, does not come back or keeps\n"
	"memory. The program that did it is left in DIRECTORY/found.txt, and is in\n"
	"DIRECTORY/current.txt before it is run, should the machine not survive it.\n"
	"\n"
	"  --seconds N    how long (default: 60)\n"
	"  --programs N   how many programs at most\n"
	"  --seed S       where random numbers start (default: the time)\n"
	"  --corpus DIRECTORY   programs to begin with\n"
	"  --output DIRECTORY   where to leave found.txt, current.txt and, in corpus/,\n"
	"                 programs that reached something new\n"
	"  --replay       run programs and say what each call returned\n"
	"  --minimize     leave out what a program does not need to find something\n"
	"  --distill      keep few programs, and few calls in each, that reach as much\n";

static const char *output;
static unsigned int seconds = 60;
static unsigned long programs_max = -1UL;
static struct random random_numbers;
static struct corpus corpus;
static unsigned int loaded;
static struct features seen;
static struct features features;
static struct execution *execution;
static int current = -1;

/* So that it is known even if the machine dies of it. */
static void write_current(const struct program *program)
{
	char *text;
	size_t size;
	FILE *file;

	if (current < 0)
		return;
	file = open_memstream(&text, &size);
	if (!file)
		return;
	program_write(file, program);
	fclose(file);
	if (ftruncate(current, 0) || pwrite(current, text, size, 0) != (ssize_t)size)
		perror("current.txt");
	free(text);
}

/* What was called, after what, and how it ended. */
static void collect_results(const struct program *program)
{
	unsigned int i, last = 0;

	for (i = 0; i < program->count; i++) {
		unsigned int operation = program->calls[i].operation - operations;
		unsigned int result = execution->results[i] + 2;

		features_add(&features, feature_hash(operation, result));
		features_add(&features, feature_hash(last << 16 | operation, result << 16));
		last = operation;
	}
}

static enum outcome run(const struct program *program)
{
	enum outcome outcome;

	memset(&features, 0, sizeof(features));
	coverage_reset();
	outcome = execute(execution, program, PROGRAM_SECONDS);
	coverage_collect(&features);
	collect_results(program);
	return outcome;
}

/* Runs a program by itself and looks everywhere. Returns whether something is wrong. */
static bool finds(const struct program *program)
{
	enum outcome outcome;
	bool wrong;

	write_current(program);
	outcome = run(program);
	if (outcome == OUTCOME_STUCK)
		return true;
	if (outcome != OUTCOME_DONE)
		printf("# the program: %s\n", outcome_names[outcome]);
	wrong = watch_log();
	return !watch_counters() || wrong || outcome != OUTCOME_DONE;
}

/* Leaves out calls, and what is odd about them, for as long as @needed() holds. */
static void minimize(struct program *program, bool (*needed)(const struct program *program))
{
	struct program less;
	unsigned int i;

	for (i = program->count; i--;) {
		less = *program;
		program_remove(&less, i);
		if (less.count && needed(&less))
			*program = less;
	}
	for (i = 0; i < program->count; i++) {
		less = *program;
		less.calls[i].helper = false;
		less.calls[i].fail = 0;
		less.calls[i].place = PLACE_EDGE;
		if (memcmp(&less.calls[i], &program->calls[i], sizeof(less.calls[i])) &&
		    needed(&less))
			*program = less;
	}
}

static void save(const struct program *program, const char *name, const char *comment)
{
	if (output && corpus_save(program, output, name, comment))
		perror(name);
}

static int found(struct program *program)
{
	printf("not ok: found something\n");
	save(program, "found", "Found by iommufd-fuzz; replay it with scripts/fuzz --replay FILE");
	program_write(stdout, program);
	fflush(stdout);
	return 1;
}

/* Something is wrong after several programs: which one is it? */
static int find_culprit(const struct program *batch, unsigned int count)
{
	struct program program;
	unsigned int i;

	for (i = 0; i < count; i++) {
		program = batch[i];
		if (!finds(&program))
			continue;
		minimize(&program, finds);
		return found(&program);
	}
	printf("# no program of the last %u does it alone\n", count);
	program = batch[count - 1];
	return found(&program);
}

static void choose_program(struct program *program)
{
	const struct program *other;

	if (!corpus.count || one_in(&random_numbers, 4)) {
		generate_program(&random_numbers, program);
		return;
	}
	*program = *corpus.programs[random_below(&random_numbers, corpus.count)];
	other = corpus.programs[random_below(&random_numbers, corpus.count)];
	generate_mutation(&random_numbers, program, other);
}

static void keep(const struct program *program)
{
	char directory[4096], name[32];

	corpus_add(&corpus, program);
	if (!output)
		return;
	snprintf(directory, sizeof(directory), "%s/corpus", output);
	snprintf(name, sizeof(name), "%05u", corpus.count);
	mkdir(directory, 0755);
	corpus_save(program, directory, name, "Reached something new");
}

static void print_progress(unsigned long count)
{
	printf("# %lu programs, %u kept, %u features, %u places in the kernel\n",
	       count, corpus.count, seen.count, coverage_places());
	fflush(stdout);
}

/* What was loaded comes first, as it is, so that it is known what it reaches. */
static void next_program(struct program *program, unsigned long count)
{
	if (count < loaded)
		*program = *corpus.programs[count];
	else
		choose_program(program);
}

/* Returns 0, or 1 if something was found. */
static int run_batch(struct program *batch, unsigned long *count)
{
	enum outcome outcome;
	unsigned int i;

	for (i = 0; i < BATCH; i++, ++*count) {
		next_program(&batch[i], *count);
		write_current(&batch[i]);
		outcome = run(&batch[i]);
		if (features_merge(&seen, &features) && *count >= loaded)
			keep(&batch[i]);
		if (outcome != OUTCOME_DONE)
			printf("# program %lu: %s\n", *count, outcome_names[outcome]);
		if (outcome == OUTCOME_STUCK)
			return found(&batch[i]);
		if (watch_log() || outcome != OUTCOME_DONE)
			return find_culprit(&batch[i], 1);
	}
	return watch_counters() ? 0 : find_culprit(batch, BATCH);
}

static int fuzz(void)
{
	static struct program batch[BATCH];
	time_t end = time(NULL) + seconds, next_report = 0;
	unsigned long count = 0;
	int rc = 0;

	loaded = corpus.count;
	while (!rc && time(NULL) < end && count < programs_max) {
		rc = run_batch(batch, &count);
		if (time(NULL) < next_report)
			continue;
		print_progress(count);
		next_report = time(NULL) + REPORT_SECONDS;
	}
	print_progress(count);
	return rc;
}

static const char *result_name(int result)
{
	if (result == NOT_MADE)
		return "not made";
	return result ? strerrorname_np(result) : "0";
}

static int replay(const char *path)
{
	struct program program;
	unsigned int i;
	bool wrong;

	if (program_load(path, &program))
		return 2;
	wrong = finds(&program);
	for (i = 0; i < program.count; i++) {
		printf("%-9s ", result_name(execution->results[i]));
		program_write_call(stdout, &program.calls[i]);
	}
	printf("%s %s\n", wrong ? "not ok" : "ok", path);
	fflush(stdout);
	return wrong;
}

static int minimize_file(const char *path)
{
	struct program program;

	if (program_load(path, &program))
		return 2;
	if (!finds(&program)) {
		printf("it finds nothing\n");
		return 2;
	}
	minimize(&program, finds);
	return found(&program);
}

/* For distilling: what a program reaches, each time, that those chosen before do not. */
static struct features wanted;

static bool reaches_wanted(const struct program *program)
{
	run(program);
	return !features_missing(&features, &wanted);
}

/* What a program reaches only now and then cannot be asked of a shorter one. */
static void want_what_is_steady(const struct program *program)
{
	unsigned int round, i;

	for (round = 0; round < STEADY_RUNS; round++) {
		run(program);
		for (i = 0; i < sizeof(wanted.bits); i++)
			wanted.bits[i] &= features.bits[i];
	}
}

/* Returns the program that reaches most of what is not seen yet, or NULL. */
static struct program *choose_best(const struct features *reached)
{
	unsigned int best = 0, most = 0, i;

	for (i = 0; i < corpus.count; i++) {
		unsigned int missing = features_missing(&seen, &reached[i]);

		if (missing > most) {
			most = missing;
			best = i;
		}
	}
	if (most < WORTH_KEEPING)
		return NULL;
	for (i = 0; i < sizeof(wanted.bits); i++)
		wanted.bits[i] = reached[best].bits[i] & ~seen.bits[i];
	features_merge(&seen, &reached[best]);
	return corpus.programs[best];
}

static int distill(void)
{
	struct features *reached = calloc(corpus.count, sizeof(*reached));
	time_t end = time(NULL) + seconds;
	struct program *program;
	unsigned int i;
	char name[32];

	if (!reached)
		return 2;
	for (i = 0; i < corpus.count; i++) {
		run(corpus.programs[i]);
		reached[i] = features;
	}
	for (i = 1; (program = choose_best(reached)); i++) {
		if (time(NULL) < end) {
			want_what_is_steady(program);
			minimize(program, reaches_wanted);
		}
		snprintf(name, sizeof(name), "reaches-%02u", i);
		save(program, name, "Reaches much of the kernel code");
	}
	free(reached);
	print_progress(corpus.count);
	return 0;
}

static const struct option options[] = {
	{ "seconds", required_argument, NULL, 's' },
	{ "programs", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 'S' },
	{ "corpus", required_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' },
	{ "replay", no_argument, NULL, 'r' },
	{ "minimize", no_argument, NULL, 'm' },
	{ "distill", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int prepare(void)
{
	char path[4096];

	if (output) {
		snprintf(path, sizeof(path), "%s/current.txt", output);
		current = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_DSYNC, 0644);
	}
	if (access("/dev/iommu", R_OK | W_OK) || watch_open()) {
		perror("iommufd-fuzz");
		return -1;
	}
	if (!coverage_open())
		printf("# this kernel does not tell where it has been\n");
	execution = execute_prepare();
	return execution ? 0 : -1;
}

int main(int argc, char **argv)
{
	int option, mode = 0, rc = 0;

	random_numbers.state = time(NULL);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 's':
			seconds = atoi(optarg);
			break;
		case 'n':
			programs_max = strtoul(optarg, NULL, 0);
			break;
		case 'S':
			random_numbers.state = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			if (corpus_load(&corpus, optarg))
				return 2;
			break;
		case 'o':
			output = optarg;
			break;
		case 'r':
		case 'm':
		case 'd':
			mode = option;
			break;
		default:
			fputs(usage, stdout);
			return option != 'h';
		}
	if (prepare())
		return 2;
	printf("# seed %llu\n", (unsigned long long)random_numbers.state);
	fflush(stdout);
	if (mode == 'd')
		return distill();
	if (mode == 'm')
		return optind < argc ? minimize_file(argv[optind]) : 2;
	if (mode != 'r')
		return fuzz();
	for (; optind < argc; optind++)
		rc |= replay(argv[optind]);
	return rc;
}
