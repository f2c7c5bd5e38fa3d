// SPDX-License-Identifier: GPL-2.0-only
/* The text form of programs: see program.h for what it looks like. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_ERRNO 133

static const char *const place_names[PLACES] = { "edge", "room", "cut", "readonly", "nowhere" };

/* A call with nothing but what is always the same. */
struct call call_of(const struct operation *operation)
{
	struct call call = { .operation = operation, .expect = ANY_RESULT };
	unsigned int i;

	for (i = 0; i < grammar_fields(operation); i++) {
		if (operation->fields[i].kind == KIND_SIZE)
			call.fields[i].number = operation->size;
		if (operation->fields[i].kind == KIND_CONSTANT)
			call.fields[i].number = operation->fields[i].number;
	}
	return call;
}

static bool is_default(const struct field *field, const struct operation *operation,
		       const struct value *value)
{
	uint64_t number = 0;

	if (field->kind == KIND_SIZE)
		number = operation->size;
	if (field->kind == KIND_CONSTANT)
		number = field->number;
	return value->base == BASE_NUMBER && value->number == number;
}

static void write_value(FILE *file, const struct value *value)
{
	if (value->base == BASE_NUMBER) {
		fprintf(file, value->number < 10 ? "%llu" : "0x%llx",
			(unsigned long long)value->number);
		return;
	}
	fputs(base_names[value->base], file);
	if (base_is_result(value->base))
		fprintf(file, ".%u", value->slot);
	if (value->number)
		fprintf(file, "+0x%llx", (unsigned long long)value->number);
}

static void write_payload(FILE *file, const struct call *call)
{
	unsigned int i;

	for (i = 0; i < call->payload_words; i++) {
		fputs(i ? "," : " payload=", file);
		write_value(file, &call->payload[i]);
	}
}

static void write_expectation(FILE *file, int expect)
{
	if (expect == ANY_RESULT)
		return;
	fprintf(file, " -> %s", expect ? strerrorname_np(expect) : "0");
}

void program_write_call(FILE *file, const struct call *call)
{
	const struct operation *operation = call->operation;
	unsigned int i;

	if (call->helper)
		fputs("& ", file);
	if (operation->outputs[0].base)
		fprintf(file, "%s.%u = ", base_names[operation->outputs[0].base], call->out);
	fputs(operation->name, file);
	if (operation->on) {
		fputc(' ', file);
		write_value(file, &call->on);
	}
	for (i = 0; i < grammar_fields(operation); i++) {
		if (is_default(&operation->fields[i], operation, &call->fields[i]))
			continue;
		fprintf(file, " %s=", operation->fields[i].name);
		write_value(file, &call->fields[i]);
	}
	write_payload(file, call);
	if (call->place)
		fprintf(file, " place=%s", place_names[call->place]);
	if (call->fail)
		fprintf(file, " fail=%u", call->fail);
	write_expectation(file, call->expect);
	fputc('\n', file);
}

void program_write(FILE *file, const struct program *program)
{
	unsigned int i;

	for (i = 0; i < program->count; i++)
		program_write_call(file, &program->calls[i]);
}

/* Reads "sort", "sort.slot" or a number, and in front of "+" another. */
static bool read_value(const char *text, struct value *value)
{
	size_t length = strcspn(text, ".+");
	unsigned int base;
	char *end;

	*value = (struct value){ 0 };
	for (base = BASE_PAYLOAD; base < BASES; base++)
		if (strlen(base_names[base]) == length && !strncmp(base_names[base], text, length))
			break;
	if (base == BASES) {
		value->number = strtoull(text, &end, 0);
		return end != text && !*end;
	}
	value->base = base;
	text += length;
	if (*text == '.') {
		value->slot = strtoul(text + 1, &end, 10);
		text = end;
	}
	if (*text == '+') {
		value->number = strtoull(text + 1, &end, 0);
		text = end;
	}
	return !*text && value->slot < SLOTS;
}

static bool read_payload(char *text, struct call *call)
{
	char *word, *rest;

	for (word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (call->payload_words == MAX_PAYLOAD ||
		    !read_value(word, &call->payload[call->payload_words++]))
			return false;
	}
	return true;
}

static bool read_place(const char *text, struct call *call)
{
	for (call->place = 0; call->place < PLACES; call->place++)
		if (!strcmp(place_names[call->place], text))
			return true;
	return false;
}

static bool read_field(const char *name, const char *text, struct call *call)
{
	unsigned int i;

	for (i = 0; i < grammar_fields(call->operation); i++)
		if (!strcmp(call->operation->fields[i].name, name))
			return read_value(text, &call->fields[i]);
	return false;
}

static bool read_assignment(char *word, struct call *call)
{
	char *value = strchr(word, '=');

	if (!value)
		return read_value(word, &call->on);
	*value++ = 0;
	if (!strcmp(word, "payload"))
		return read_payload(value, call);
	if (!strcmp(word, "place"))
		return read_place(value, call);
	if (!strcmp(word, "fail")) {
		call->fail = atoi(value);
		return true;
	}
	return read_field(word, value, call);
}

static bool read_expectation(const char *word, struct call *call)
{
	if (!word)
		return false;
	if (!strcmp(word, "0")) {
		call->expect = 0;
		return true;
	}
	for (call->expect = 1; call->expect <= LAST_ERRNO; call->expect++) {
		const char *name = strerrorname_np(call->expect);

		if (name && !strcmp(name, word))
			return true;
	}
	return false;
}

static bool read_call(char *line, struct call *call)
{
	struct value out = { 0 };
	bool helper = false;
	char *word, *rest;

	word = strtok_r(line, " \t\n", &rest);
	if (!strcmp(word, "&")) {
		helper = true;
		word = strtok_r(NULL, " \t\n", &rest);
	}
	if (word && !strncmp(rest + strspn(rest, " "), "= ", 2)) {
		if (!read_value(word, &out))
			return false;
		strtok_r(NULL, " \t\n", &rest);
		word = strtok_r(NULL, " \t\n", &rest);
	}
	if (!word || !grammar_find(word))
		return false;
	*call = call_of(grammar_find(word));
	call->helper = helper;
	call->out = out.slot;
	while ((word = strtok_r(NULL, " \t\n", &rest)))
		if (!strcmp(word, "->")) {
			if (!read_expectation(strtok_r(NULL, " \t\n", &rest), call))
				return false;
		} else if (!read_assignment(word, call)) {
			return false;
		}
	return true;
}

/* Returns 0, or the number of the first line that makes no sense. */
int program_read(FILE *file, struct program *program)
{
	char line[1024], copy[1024];
	int number;

	program->count = 0;
	for (number = 1; fgets(line, sizeof(line), file); number++) {
		if (strspn(line, " \t\n") == strlen(line) || line[0] == '#')
			continue;
		memcpy(copy, line, sizeof(copy));
		if (program->count == MAX_CALLS ||
		    !read_call(line, &program->calls[program->count++])) {
			fprintf(stderr, "line %d: %s", number, copy);
			return number;
		}
	}
	return 0;
}

int program_load(const char *path, struct program *program)
{
	FILE *file = fopen(path, "r");
	int line;

	if (!file)
		return -errno;
	line = program_read(file, program);
	fclose(file);
	return line ? -EINVAL : 0;
}

void program_remove(struct program *program, unsigned int call)
{
	memmove(&program->calls[call], &program->calls[call + 1],
		(program->count - call - 1) * sizeof(program->calls[0]));
	program->count--;
}
