// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, and the lines that the benchmark leaves.
 *
 * Owns their format: name, unit, and a number or "-" for each subject, separated
 * by tabs. In a machine with --icount a nanosecond is an instruction.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "figure.h"

/**
 * figure_clock() - now
 *
 * Return: nanoseconds since some time in the past.
 */
double figure_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/**
 * figure_init() - nothing was measured yet
 * @figure: out: the figure
 */
void figure_init(struct figure *figure)
{
	int i;

	for (i = 0; i < SUBJECTS; i++)
		figure->value[i] = -1;
}

/**
 * figure_take() - note a measurement
 * @figure: the figure
 * @subject: who was measured
 * @value: the number; only the least one counts, as anything that disturbs a
 *         measurement, such as a timer's interrupt, adds to it
 */
void figure_take(struct figure *figure, enum subject_kind subject, double value)
{
	double *least = &figure->value[subject];

	if (*least < 0 || value < *least)
		*least = value;
}

/**
 * figure_print() - leave a line
 * @figure: the figure
 * @per: how many units of work the numbers are for
 * @unit: that unit
 * @format: the name of the figure, and its arguments
 */
void figure_print(const struct figure *figure, double per, const char *unit,
		  const char *format, ...)
{
	va_list arguments;
	int i;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\t%s", unit);
	for (i = 0; i < SUBJECTS; i++) {
		if (figure->value[i] < 0)
			printf("\t-");
		else
			printf("\t%.5g", figure->value[i] / per);
	}
	printf("\n");
	fflush(stdout);
}
