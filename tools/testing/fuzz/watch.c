// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log, its counters, its stacks. */
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_counters.h"
#include "mock.h"
#include "privilege.h"

#define PAGE 0x1000UL

/* How a line begins that tells of a mistake; scripts/vm has the long list. */
static const char *const reports[] = {
	"BUG: ", "WARNING: ", "INFO: ", "Oops", "Kernel panic", "general protection fault",
	"kernel BUG at", "UBSAN: ", "KASAN: ", "KCSAN: ", "KFENCE: ", "watchdog: BUG",
	"rcu: INFO: ", "DEBUG_LOCKS_WARN_ON", "refcount_t: ", NULL
};

/* Lines that are shown after that one. */
#define REPORT_LINES 50

static int kmsg = -1;
static struct kernel_counters before;

static int mock_devices(void)
{
	DIR *directory = opendir("/sys/bus/platform/devices");
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		count += !strncmp(entry->d_name, "iommufd_mock", strlen("iommufd_mock"));
	if (directory)
		closedir(directory);
	return count;
}

/**
 * watch_open - take things as they are now for good
 *
 * Return: 0 or -errno.
 */
int watch_open(void)
{
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		return -errno;
	lseek(kmsg, 0, SEEK_END);
	before = kernel_counters_read();
	return 0;
}

static bool is_report(const char *text)
{
	const char *const *report;

	for (report = reports; *report; report++)
		if (!strncmp(text, *report, strlen(*report)))
			return true;
	return false;
}

/* Returns whether the log has a report since the last time; it is printed. */
bool watch_log(void)
{
	unsigned int left = 0;
	bool found = false;
	char record[8192];
	ssize_t size;

	while ((size = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *text;

		record[size > 0 ? size : 0] = 0;
		text = strchr(record, ';');
		if (!text)
			continue;
		text[1 + strcspn(text + 1, "\n")] = 0;
		if (is_report(text + 1)) {
			found = true;
			left = REPORT_LINES;
		}
		if (left) {
			printf("#   %s\n", text + 1);
			left--;
		}
	}
	return found;
}

/* Returns whether what is in use is what was in the beginning, and takes it as that. */
bool watch_counters(void)
{
	bool equal = kernel_counters_settle(&before);
	int mocks = mock_devices();

	if (mocks)
		printf("# %d mock devices are left\n", mocks);
	before = kernel_counters_read();
	return equal && !mocks;
}

static bool try_limit(int fd, char *page)
{
	struct mock mock;
	__u64 iova;
	__u32 ioas;

	if (iommu_ioas_alloc(fd, &ioas) || mock_attach(fd, ioas, &mock))
		return false;
	return !iommu_ioas_map(fd, ioas, page, PAGE, IOMMU_MAP_RW, &iova) &&
	       iommu_ioas_map(fd, ioas, page + PAGE, PAGE, IOMMU_MAP_RW, &iova) == -ENOMEM;
}

/**
 * watch_accounts - see if the user that a program was is charged for anything
 *
 * Nobody tells what pinned memory a user is charged for. So it is tried out: with a
 * limit of one page, one can be pinned and two cannot.
 *
 * Return: whether it is so.
 */
bool watch_accounts(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uid_t user = geteuid();
	bool same;
	int fd;

	if (!user || pages == MAP_FAILED)
		return true;
	privilege_restore();
	fd = iommu_open();
	privilege_drop(user);
	if (fd < 0)
		return true;
	privilege_limit_memlock(PAGE);
	same = try_limit(fd, pages);
	close(fd);
	munmap(pages, 2 * PAGE);
	return same;
}

static void print_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		printf("#     %s", line);
	if (file)
		fclose(file);
}

/* Prints where the threads of a process wait. */
void watch_print_stacks(pid_t process)
{
	char path[64 + NAME_MAX];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		printf("#   thread %s:\n", entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", process, entry->d_name);
		print_file(path);
	}
	if (directory)
		closedir(directory);
}
