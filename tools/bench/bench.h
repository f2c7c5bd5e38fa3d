/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is measured, one file for each chapter of the table.
 */
#ifndef TOOLS_BENCH_BENCH_H
#define TOOLS_BENCH_BENCH_H

#include <stdbool.h>

#include "figure.h"

/* Stop with a message when a step of a measurement fails */
#define must(expression) must_succeed(expression, #expression)

void must_succeed(int rc, const char *what);

void bench_system(void);
void bench_map(bool quick);
void bench_table(void);
void bench_areas(bool quick);
void bench_copies(bool quick);
void bench_exit(void);
void bench_overhead(void);
void bench_parallel(void);
void bench_map_loop(const char *kind_name, const char *way_name, enum subject_kind subject);

#endif
