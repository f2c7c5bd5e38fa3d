// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a person reads.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define LABEL_WIDTH 36
#define FAILURES_KEPT 8

static struct {
	const char *passed;
	const char *failed;
	const char *neither;
	unsigned int sections;
	unsigned int checks;
	unsigned int failures;
	char failure[FAILURES_KEPT][160];
} report = {
	.passed = "ok  ",
	.failed = "FAIL",
	.neither = "    ",
};

/**
 * report_open() - begin the report
 * @title: its first line
 *
 * Marks and colours are for terminals that can take them; everything else, such
 * as the log of a CI run, gets words.
 */
void report_open(const char *title)
{
	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (isatty(STDOUT_FILENO) && !strcmp(nl_langinfo(CODESET), "UTF-8")) {
		report.passed = "\033[32m\u2713\033[0m";
		report.failed = "\033[31m\u2717\033[0m";
		report.neither = " ";
	}
	printf("%s\n", title);
}

/**
 * report_section() - begin the next section
 * @title: what it shows, in a sentence
 */
void report_section(const char *title)
{
	printf("\n%u. %s\n", ++report.sections, title);
}

static void print_line(const char *mark, const char *label, const char *text)
{
	printf("   %s %-*s %s\n", mark, LABEL_WIDTH, label, text);
}

/**
 * report_note() - a fact that cannot be wrong
 * @label: what it is about
 * @format: the fact, as printf()
 */
void report_note(const char *label, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_line(report.neither, label, text);
}

/**
 * report_quote() - a line that others wrote
 * @source: who
 * @text: the line, however long
 */
void report_quote(const char *source, const char *text)
{
	printf("   %s   %s: %s\n", report.neither, source, text);
}

static void count_check(bool ok, const char *label, const char *text)
{
	report.checks++;
	print_line(ok ? report.passed : report.failed, label, text);
	if (ok)
		return;
	if (report.failures < FAILURES_KEPT)
		snprintf(report.failure[report.failures], sizeof(report.failure[0]),
			 "section %u: %s: %s", report.sections, label + strspn(label, " "), text);
	report.failures++;
}

/**
 * report_check() - something that was to be so
 * @ok: whether it is
 * @label: what was to be so
 * @format: details in both cases, as printf()
 *
 * Return: @ok.
 */
bool report_check(bool ok, const char *label, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	count_check(ok, label, text);
	return ok;
}

/**
 * report_result() - a call that was to succeed
 * @rc: 0 or -errno
 * @label: what the call was to do
 * @format: details if it succeeded, as printf(); else the error is told
 *
 * Return: whether it succeeded.
 */
bool report_result(int rc, const char *label, const char *format, ...)
{
	char text[256];
	va_list arguments;

	if (rc < 0) {
		snprintf(text, sizeof(text), "%s: %s", strerrorname_np(-rc), strerror(-rc));
	} else {
		va_start(arguments, format);
		vsnprintf(text, sizeof(text), format, arguments);
		va_end(arguments);
	}
	count_check(rc >= 0, label, text);
	return rc >= 0;
}

/**
 * report_close() - the verdict
 * @complete: false if the program ended before all was tried
 *
 * Return: exit status of the program.
 */
int report_close(bool complete)
{
	unsigned int i;

	if (complete && !report.failures) {
		printf("\nPASS: %u checks\n", report.checks);
		return 0;
	}
	if (!report.failures) {
		printf("\nSTOPPED: %u checks passed; the rest was not tried\n", report.checks);
		return 1;
	}
	printf("\nFAIL: %u of %u checks%s\n", report.failures, report.checks,
	       complete ? "" : "; the rest was not tried");
	for (i = 0; i < report.failures && i < FAILURES_KEPT; i++)
		printf("   %s\n", report.failure[i]);
	return 1;
}

/**
 * report_size() - a number of bytes for people
 * @text: out
 * @size: bytes that fit in @text
 * @bytes: the number
 *
 * Return: @text.
 */
const char *report_size(char *text, size_t size, uint64_t bytes)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double number = bytes, rest;
	unsigned int unit = 0;

	while (number >= 1024 && unit < 6) {
		number /= 1024;
		unit++;
	}
	rest = number - (uint64_t)number;
	snprintf(text, size, "%.*f %s", number < 10 && rest > 0.01 && rest < 0.99 ? 2 : 0, number,
		 units[unit]);
	return text;
}
