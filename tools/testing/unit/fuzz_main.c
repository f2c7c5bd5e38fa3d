// SPDX-License-Identifier: GPL-2.0-only
/* The entry of a fuzzer: libFuzzer's input makes the choices of one model test. */
#include "unit.h"

int fuzz_input(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

/**
 * fuzz_input() - run FUZZ_MODEL, set by the Makefile, on one input
 * @data: the input
 * @size: bytes of @data
 *
 * Return: 0, as libFuzzer wants it.
 */
int fuzz_input(const u8 *data, size_t size)
{
	struct choices choices = { .data = data, .left = size };

	unit_reset(0);
	if (size)
		FUZZ_MODEL(&choices);
	CHECK(!unit.bytes);
	return 0;
}
