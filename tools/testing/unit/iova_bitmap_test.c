// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the dirty bitmap: its costs, its limits, and random walks against a model. */
#include <errno.h>

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/iova_bitmap.h>
#include <linux/kernel.h>

#include "unit.h"
#include "user_memory.h"

#define TERABYTE	BIT(40)

static struct iova_bitmap *new_bitmap(unsigned long iova, size_t length, unsigned long page_size,
				      unsigned long address)
{
	struct iova_bitmap *bitmap;

	bitmap = iova_bitmap_alloc(iova, length, page_size, (u64 *)address);
	CHECK(!IS_ERR(bitmap));
	return bitmap;
}

static int set_all(struct iova_bitmap *bitmap, unsigned long iova, size_t length, void *opaque)
{
	unsigned long *calls = opaque;

	++*calls;
	iova_bitmap_set(bitmap, iova, length);
	return 0;
}

static int set_nothing(struct iova_bitmap *bitmap, unsigned long iova, size_t length, void *opaque)
{
	return 0;
}

static void a_terabyte_costs_no_more_than_a_page(void)
{
	const unsigned long start = BIT(30), bytes = TERABYTE / 4096 / 8;
	struct iova_bitmap *bitmap;
	unsigned long calls = 0;
	size_t memory;

	bitmap = new_bitmap(0, 4096, 4096, start);
	memory = unit.bytes;
	CHECK(memory < 1024);
	iova_bitmap_free(bitmap);

	user_memory_create(start, bytes / PAGE_SIZE);
	bitmap = new_bitmap(0, TERABYTE, 4096, start);
	CHECK(!iova_bitmap_for_each(bitmap, &calls, set_all));
	CHECK(unit.bytes == memory);
	CHECK(user_memory.max_pinned <= 64);
	CHECK(user_memory.pin_calls == calls && calls <= 128);
	for (unsigned long i = 0; i < bytes; i++)
		CHECK(*user_memory_byte(start + i) == 0xff);
	CHECK(user_memory.pages[0].dirty);
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void what_cannot_be_a_bitmap_is_refused(void)
{
	CHECK(PTR_ERR(iova_bitmap_alloc(0, 0, 4096, NULL)) == -EINVAL);
	CHECK(PTR_ERR(iova_bitmap_alloc(0, 4096, 0, NULL)) == -EINVAL);
	CHECK(PTR_ERR(iova_bitmap_alloc(4096, -4095UL, 4096, NULL)) == -EOVERFLOW);
	unit.fail_after = 0;
	CHECK(PTR_ERR(iova_bitmap_alloc(0, 4096, 4096, NULL)) == -ENOMEM);
}

static void the_last_iova_can_be_recorded(void)
{
	struct iova_bitmap *bitmap;
	unsigned long calls = 0;

	user_memory_create(BIT(30), 1);
	bitmap = new_bitmap(-8192UL, 8192, 4096, BIT(30));
	CHECK(!iova_bitmap_for_each(bitmap, &calls, set_all));
	CHECK(calls == 1 && *user_memory_byte(BIT(30)) == 3);
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void a_bitmap_that_wraps_is_not_there(void)
{
	struct iova_bitmap *bitmap = new_bitmap(0, 16 * 4096, 4096, ULONG_MAX);
	unsigned long calls = 0;

	/* The second byte would be at address 0 */
	user_memory_create(0, 1);
	CHECK(iova_bitmap_for_each(bitmap, &calls, set_all) == -EFAULT && !calls);
	iova_bitmap_set(bitmap, 8 * 4096, 1);
	CHECK(!*user_memory_byte(0));
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void a_page_that_is_not_there_is_never_walked(void)
{
	struct iova_bitmap *bitmap = new_bitmap(0, 4 * PAGE_SIZE * 8, 1, BIT(30) + 1);
	unsigned long calls = 0;

	user_memory_create(BIT(30), 5);
	user_memory_remove(BIT(30) + PAGE_SIZE);
	CHECK(iova_bitmap_for_each(bitmap, &calls, set_all) == -EFAULT);
	CHECK(calls == 1);
	CHECK(*user_memory_byte(BIT(30) + PAGE_SIZE - 1) == 0xff);
	CHECK(!*user_memory_byte(BIT(30) + 2 * PAGE_SIZE));
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void a_bit_that_found_no_memory_is_reported(void)
{
	struct iova_bitmap *bitmap = new_bitmap(0, 4 * PAGE_SIZE * 8, 1, BIT(30));

	user_memory_create(BIT(30), 4);
	user_memory_remove(BIT(30) + PAGE_SIZE);
	iova_bitmap_set(bitmap, PAGE_SIZE * 8, 1);
	user_memory_destroy();
	user_memory_create(BIT(30), 4);
	CHECK(iova_bitmap_for_each(bitmap, NULL, set_nothing) == -EFAULT);
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void what_is_recorded_after_the_walk_pins_its_page(void)
{
	struct iova_bitmap *bitmap = new_bitmap(0, PAGE_SIZE, 1, BIT(30));

	user_memory_create(BIT(30), 1);
	CHECK(!iova_bitmap_for_each(bitmap, NULL, set_nothing));
	CHECK(!user_memory.pinned && user_memory.pin_calls == 1);
	iova_bitmap_set(bitmap, 9, 1);
	CHECK(!user_memory.pinned && user_memory.pin_calls == 2);
	CHECK(*user_memory_byte(BIT(30) + 1) == 2);
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void random_walks_match_an_array(void)
{
	unit_random_runs(iova_bitmap_model);
}

const struct unit_test iova_bitmap_tests[] = {
	{ "iova_bitmap: a terabyte costs no more than a page",
	  a_terabyte_costs_no_more_than_a_page },
	{ "iova_bitmap: what cannot be a bitmap is refused", what_cannot_be_a_bitmap_is_refused },
	{ "iova_bitmap: the last IOVA can be recorded", the_last_iova_can_be_recorded },
	{ "iova_bitmap: a bitmap that wraps is not there", a_bitmap_that_wraps_is_not_there },
	{ "iova_bitmap: a page that is not there is never walked",
	  a_page_that_is_not_there_is_never_walked },
	{ "iova_bitmap: a bit that found no memory is reported",
	  a_bit_that_found_no_memory_is_reported },
	{ "iova_bitmap: what is recorded after the walk pins its page",
	  what_is_recorded_after_the_walk_pins_its_page },
	{ "iova_bitmap: random walks match an array", random_walks_match_an_array },
	{ }
};
