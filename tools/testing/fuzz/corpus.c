// SPDX-License-Identifier: GPL-2.0-only
/* Programs in memory, and in directories as *.txt. */
#include "corpus.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Returns 0 or -errno. */
int corpus_add(struct corpus *corpus, const struct program *program)
{
	struct program **programs, *copy;

	programs = realloc(corpus->programs, (corpus->count + 1) * sizeof(*programs));
	if (!programs)
		return -ENOMEM;
	corpus->programs = programs;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *program;
	programs[corpus->count++] = copy;
	return 0;
}

static int is_program(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".txt");
}

/**
 * corpus_load - read all programs of a directory
 * @corpus: They are added here
 * @directory: Its path
 *
 * Return: 0, or -errno of the first file that cannot be read, which is named.
 */
int corpus_load(struct corpus *corpus, const char *directory)
{
	struct program program;
	struct dirent **entries;
	int count, i, rc = 0;
	char path[4096];

	count = scandir(directory, &entries, is_program, alphasort);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		free(entries[i]);
		if (!rc)
			rc = program_load(path, &program);
		if (!rc && program.count)
			rc = corpus_add(corpus, &program);
		if (rc)
			fprintf(stderr, "%s: %s\n", path, strerror(-rc));
	}
	free(entries);
	return rc;
}

/* Writes a program into a file, with a comment above it. Returns 0 or -errno. */
int corpus_save(const struct program *program, const char *directory, const char *name,
		const char *comment)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.txt", directory, name);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fprintf(file, "# %s\n", comment);
	program_write(file, program);
	return fclose(file) ? -errno : 0;
}
