/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock, and the lines that the benchmark leaves.
 */
#ifndef TOOLS_BENCH_FIGURE_H
#define TOOLS_BENCH_FIGURE_H

/* Who was measured; the columns of a line */
enum subject_kind {
	SUBJECT_IOMMUFD,
	SUBJECT_TYPE1,
	SUBJECT_FLOOR,
	SUBJECTS,
};

/**
 * struct figure - one number for each subject
 * @value: The least of what was measured, negative if nothing was
 */
struct figure {
	double value[SUBJECTS];
};

double figure_clock(void);
void figure_init(struct figure *figure);
void figure_take(struct figure *figure, enum subject_kind subject, double value);
__attribute__((format(printf, 4, 5)))
void figure_print(const struct figure *figure, double per, const char *unit,
		  const char *format, ...);

#endif
