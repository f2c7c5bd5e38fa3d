/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person reads: numbered sections, notes, checks and a verdict.
 *
 * Owns the look and the count of failures. Must never know what is reported.
 */
#ifndef IOMMUFD_DEMO_REPORT_H
#define IOMMUFD_DEMO_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __printf(string, first) __attribute__((format(printf, string, first)))

void report_open(const char *title);
void report_section(const char *title);
__printf(2, 3)
void report_note(const char *label, const char *format, ...);
void report_quote(const char *source, const char *text);
__printf(3, 4)
bool report_check(bool ok, const char *label, const char *format, ...);
__printf(3, 4)
bool report_result(int rc, const char *label, const char *format, ...);
int report_close(bool complete);

const char *report_size(char *text, size_t size, uint64_t bytes);

#endif
