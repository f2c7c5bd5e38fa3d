/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of tables of commands that are right but for what the row says.
 *
 * A test has one table for a command, and a loop that sends each row and looks whether
 * anything changed.
 */
#ifndef SELFTESTS_IOMMUFD_SPOIL_H
#define SELFTESTS_IOMMUFD_SPOIL_H

#include <stddef.h>
#include <string.h>

#include <linux/types.h>

#define SPOILED_FIELDS 3

/**
 * struct spoiled_field - a field of the command's structure, and what it is to be
 * @offset: Where the field is
 * @size: Of the field, in bytes; 0: no field
 * @value: The value
 */
struct spoiled_field {
	size_t offset;
	size_t size;
	__u64 value;
};

/**
 * struct spoiled - a row
 * @name: The rule, printed if it does not hold
 * @error: What the command is to return, -errno
 * @fields: What is spoiled; several fields tell which is looked at first
 */
struct spoiled {
	const char *name;
	int error;
	struct spoiled_field fields[SPOILED_FIELDS];
};

#define SPOIL(_type, _member, _value) \
	{ offsetof(_type, _member), sizeof(((_type *)NULL)->_member), (_value) }

/* Changes the command into that of the row. The machine is little endian. */
static inline void spoil(void *cmd, const struct spoiled *row)
{
	const struct spoiled_field *field;

	for (field = row->fields; field < row->fields + SPOILED_FIELDS; field++)
		memcpy((char *)cmd + field->offset, &field->value, field->size);
}

#endif
