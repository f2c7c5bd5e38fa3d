// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process of a program.
 *
 * It makes all calls in their order, those of the helper thread while the next ones go
 * on, those after a fork in a child; then it closes all files and looks at what it
 * still has.
 */
#include "execute.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "mock.h"
#include "coverage.h"
#include "perform.h"
#include "watch.h"

/* How long a process that is killed may take to go. */
#define KILL_SECONDS 120

const char *const outcome_names[] = {
	[OUTCOME_DONE] = "done",
	[OUTCOME_SLOW] = "slow",
	[OUTCOME_STUCK] = "cannot be killed",
	[OUTCOME_DIED] = "died",
	[OUTCOME_UNEXPECTED] = "unexpected result",
	[OUTCOME_LEFT] = "memory still pinned or locked",
};

/**
 * struct runner - the process
 * @execution: What it shares
 * @program: What it does
 * @arenas: Its memory
 * @self: For the main thread
 * @other: For the helper thread
 * @helper: The helper thread
 * @next: The call it shall make, or MAX_CALLS to end
 * @ask: Posted when there is one
 * @done: Posted when it waits for one
 */
struct runner {
	struct execution *execution;
	const struct program *program;
	struct arenas arenas;
	struct performer self;
	struct performer other;
	pthread_t helper;
	unsigned int next;
	sem_t ask;
	sem_t done;
};

static struct arenas prepared;

/**
 * execute_prepare - get ready to run programs
 *
 * Return: what every run is told and tells, or NULL.
 */
struct execution *execute_prepare(void)
{
	struct execution *execution;

	if (arenas_prepare(&prepared))
		return NULL;
	execution = mmap(NULL, sizeof(*execution), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return execution == MAP_FAILED ? NULL : execution;
}

static void make_call(struct runner *runner, struct performer *performer, unsigned int index)
{
	runner->execution->results[index] = -perform(performer, &runner->program->calls[index]);
}

static void *help(void *data)
{
	struct runner *runner = data;

	performer_start(&runner->other);
	coverage_start(1);
	for (;;) {
		sem_post(&runner->done);
		sem_wait(&runner->ask);
		if (runner->next == MAX_CALLS)
			return NULL;
		make_call(runner, &runner->other, runner->next);
	}
}

static void ask_helper(struct runner *runner, unsigned int next)
{
	sem_wait(&runner->done);
	runner->next = next;
	sem_post(&runner->ask);
}

static void wait_for_helper(struct runner *runner)
{
	if (!runner->helper)
		return;
	sem_wait(&runner->done);
	sem_post(&runner->done);
}

static int start_helper(struct runner *runner)
{
	unsigned int i;

	for (i = 0; i < runner->program->count; i++)
		if (runner->program->calls[i].helper)
			break;
	if (i == runner->program->count)
		return 0;
	if (performer_create(&runner->other, runner->execution, &runner->arenas))
		return -1;
	sem_init(&runner->ask, 0, 0);
	sem_init(&runner->done, 0, 0);
	return pthread_create(&runner->helper, NULL, help, runner);
}

static void stop_helper(struct runner *runner)
{
	if (!runner->helper)
		return;
	ask_helper(runner, MAX_CALLS);
	pthread_join(runner->helper, NULL);
}

/* The child makes the next few calls and goes, while we wait or do the ones after. */
static unsigned int fork_for(struct runner *runner, unsigned int index)
{
	const struct call *call = &runner->program->calls[index];
	unsigned int last = index + call->fields[0].number % 8, i;
	pid_t child;

	if (last >= runner->program->count)
		last = runner->program->count - 1;
	wait_for_helper(runner);
	child = fork();
	runner->execution->results[index] = child < 0 ? errno : 0;
	if (child > 0 && !call->helper)
		waitpid(child, NULL, 0);
	if (child)
		return last;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	performer_start(&runner->self);
	for (i = index + 1; i <= last; i++)
		if (runner->program->calls[i].operation->special != SPECIAL_FORK)
			make_call(runner, &runner->self, i);
	_exit(0);
}

static void run_calls(struct runner *runner)
{
	unsigned int i;

	for (i = 0; i < runner->program->count; i++) {
		const struct call *call = &runner->program->calls[i];

		if (call->operation->special == SPECIAL_FORK)
			i = fork_for(runner, i);
		else if (call->helper)
			ask_helper(runner, i);
		else
			make_call(runner, &runner->self, i);
	}
}

static void preset_slots(struct runner *runner)
{
	struct execution *execution = runner->execution;
	unsigned int i;

	memset(execution->slots, 0, sizeof(execution->slots));
	/* No descriptor is not the first one. */
	for (i = 0; i < SLOTS; i++) {
		execution->slots[BASE_CONTEXT][i] = -1;
		execution->slots[BASE_ACCESS][i] = -1;
		execution->slots[BASE_FAULT_FD][i] = -1;
		execution->slots[BASE_VEVENT_FD][i] = -1;
		execution->slots[BASE_DMABUF][i] = -1;
		execution->slots[BASE_BACKING][i] = runner->arenas.backing[i];
	}
	execution->slots[BASE_CONTEXT][0] = open("/dev/iommu", O_RDWR | O_CLOEXEC);
}

/* Nobody is to wait for what is typed. */
static void close_standard_input(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	close(null);
}

static void run(struct execution *execution, const struct program *program)
{
	struct runner runner = { .execution = execution, .program = program, .arenas = prepared };
	unsigned int i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_standard_input();
	for (i = 0; i < program->count; i++)
		execution->results[i] = NOT_MADE;
	if (arenas_create(&runner.arenas) ||
	    performer_create(&runner.self, execution, &runner.arenas) || start_helper(&runner))
		_exit(2);
	preset_slots(&runner);
	performer_start(&runner.self);
	coverage_start(0);
	run_calls(&runner);
	stop_helper(&runner);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execution->pinned = memory_status("VmPin");
	execution->locked = memory_status("VmLck");
	execution->charged = !watch_accounts();
	_exit(0);
}

/* What a program says of buffers holds for everybody, until somebody says otherwise. */
static void restore_buffer_size(void)
{
	int fd = iommu_open();

	if (fd < 0)
		return;
	mock_set_memory_limit(fd, MOCK_MEMORY_LIMIT_DEFAULT);
	close(fd);
}

/* Waits some seconds for a child; returns whether it has ended. */
static bool wait_for(pid_t child, int *status, unsigned int seconds)
{
	struct timespec timeout = { .tv_sec = seconds };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	while (waitpid(child, status, WNOHANG) != child)
		if (sigtimedwait(&signals, NULL, &timeout) < 0 && errno == EAGAIN)
			return waitpid(child, status, WNOHANG) == child;
	return true;
}

static enum outcome judge(const struct execution *execution, const struct program *program)
{
	unsigned int i;

	if (execution->pinned || execution->locked || execution->charged)
		return OUTCOME_LEFT;
	for (i = 0; i < program->count; i++)
		if (program->calls[i].expect != ANY_RESULT &&
		    program->calls[i].expect != execution->results[i])
			return OUTCOME_UNEXPECTED;
	return OUTCOME_DONE;
}

/**
 * execute - run a program
 * @execution: Set to its results
 * @program: The program
 * @seconds: How long it may take
 *
 * Return: how it ended.
 */
enum outcome execute(struct execution *execution, const struct program *program,
		     unsigned int seconds)
{
	sigset_t signals;
	pid_t child;
	bool ended;
	int status;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	execution->pinned = 0;
	execution->locked = 0;
	execution->charged = false;
	fflush(NULL);
	child = fork();
	if (!child)
		run(execution, program);
	ended = wait_for(child, &status, seconds);
	restore_buffer_size();
	if (!ended) {
		watch_print_stacks(child);
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		return wait_for(child, &status, KILL_SECONDS) ? OUTCOME_SLOW : OUTCOME_STUCK;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		printf("# the process ended with status %#x\n", status);
		return OUTCOME_DIED;
	}
	return judge(execution, program);
}
