// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random walks over dirty bitmaps, compared with an array of bits.
 *
 * Each bitmap has a geometry of its own: where the IOVAs begin, how many a bit
 * stands for, which byte of user memory comes first, and perhaps a page of it
 * that is missing. The array is filled bit by bit, by the definition.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/iova_bitmap.h>
#include <linux/minmax.h>

#include "unit.h"
#include "user_memory.h"

#define PAGE_BITS	(PAGE_SIZE * BITS_PER_BYTE)

struct model {
	struct choices *choices;
	unsigned long iova;
	unsigned long last;
	unsigned long page_size;
	unsigned long address;
	unsigned long nr_bits;
	/* Bits before the first page that is missing */
	unsigned long nr_usable;
	/* The IOVA that the next piece has to begin at */
	unsigned long next;
	bool done;
	int stop;
	u8 *expected;
};

static unsigned long bit_start(const struct model *model, unsigned long bit)
{
	return model->iova + bit * model->page_size;
}

static unsigned long bit_last(const struct model *model, unsigned long bit)
{
	return bit == model->nr_bits - 1 ? model->last : bit_start(model, bit + 1) - 1;
}

static u8 *user_byte(const struct model *model, unsigned long bit)
{
	return user_memory_byte(model->address + bit / 8);
}

static void expect(struct model *model, unsigned long start, unsigned long last)
{
	for (unsigned long bit = 0; bit < model->nr_bits; bit++)
		if (user_byte(model, bit) && bit_start(model, bit) <= last &&
		    bit_last(model, bit) >= start)
			model->expected[bit / 8] |= 1 << bit % 8;
}

static unsigned long choose_between(struct model *model, unsigned long first, unsigned long last)
{
	if (first == 0 && last == ULONG_MAX)
		return choose_bits(model->choices);
	return first + choose(model->choices, last - first + 1);
}

/* Mostly short, so that the ends of ranges meet; often from page to page. */
static void choose_range(struct model *model, unsigned long first, unsigned long last,
			 unsigned long *start, unsigned long *end)
{
	unsigned long span;

	*start = choose_between(model, first, last);
	span = choose_one_in(model->choices, 8) ? last - *start :
	       choose(model->choices, 40) * model->page_size;
	*end = *start + min(span, last - *start);
	if (choose_one_in(model->choices, 2))
		*start -= (*start - first) % model->page_size;
}

static void set_inside(struct model *model, struct iova_bitmap *bitmap, unsigned long iova,
		       unsigned long last)
{
	unsigned long calls = user_memory.pin_calls;
	unsigned long start, end;

	choose_range(model, iova, last, &start, &end);
	if (end - start == ULONG_MAX)
		return;
	iova_bitmap_set(bitmap, start, end - start + 1);
	CHECK(user_memory.pin_calls == calls);
	expect(model, start, end);
}

/* Also before and behind the bitmap; a length may wrap. */
static void set_anywhere(struct model *model, struct iova_bitmap *bitmap)
{
	unsigned long spare = 10 * model->page_size;
	unsigned long start, end;

	choose_range(model, model->iova - min(spare, model->iova),
		     model->last + min(spare, ULONG_MAX - model->last), &start, &end);
	if (end - start == ULONG_MAX)
		return;
	if (end == ULONG_MAX && start && choose_one_in(model->choices, 2))
		iova_bitmap_set(bitmap, start, ULONG_MAX - choose(model->choices, start));
	else
		iova_bitmap_set(bitmap, start, end - start + 1);
	expect(model, start, end);
}

static int visit(struct iova_bitmap *bitmap, unsigned long iova, size_t length, void *opaque)
{
	struct model *model = opaque;
	unsigned long last = iova + length - 1;
	unsigned long bit;

	CHECK(length && !model->done && iova == model->next && last >= iova && last <= model->last);
	bit = (last - model->iova) / model->page_size;
	CHECK(bit < model->nr_usable && last == bit_last(model, bit));
	model->next = last + 1;
	model->done = last == model->last;

	for (unsigned int sets = choose(model->choices, 6); sets; sets--)
		if (choose_one_in(model->choices, 4))
			set_anywhere(model, bitmap);
		else
			set_inside(model, bitmap, iova, last);
	iova_bitmap_set(bitmap, iova, 0);
	if (choose_one_in(model->choices, 16))
		model->stop = -EDOM;
	return model->stop;
}

/* Bits of the last byte that are beyond the end stay as the bytes around do. */
static void check_memory(const struct model *model, u8 background)
{
	unsigned long bytes = DIV_ROUND_UP(model->nr_bits, 8);

	for (unsigned long i = 0; i < user_memory.nr_pages * PAGE_SIZE; i++) {
		unsigned long address = user_memory.start + i;
		const u8 *byte = user_memory_byte(address);
		unsigned long offset = address - model->address;

		if (byte && offset < bytes)
			CHECK(*byte == (background | model->expected[offset]));
		else if (byte)
			CHECK(*byte == background);
	}
}

static void choose_geometry(struct model *model)
{
	static const unsigned long sizes[] = { 1, 2048, 4096, 12288, BIT(21), BIT(30), BIT(40) };
	unsigned long room;

	model->page_size = sizes[choose(model->choices, ARRAY_SIZE(sizes))];
	model->nr_bits = 1 + choose(model->choices, choose_one_in(model->choices, 2000) ?
				    70 * PAGE_BITS : 300);
	model->nr_bits = min(model->nr_bits, ULONG_MAX / model->page_size - 1);
	room = ULONG_MAX - model->nr_bits * model->page_size + 1;
	model->iova = choose_one_in(model->choices, 3) ? room :
		choose_one_in(model->choices, 3) ? 0 : choose(model->choices, room);
	model->last = bit_start(model, model->nr_bits) - 1;
	/* Perhaps the last bit stands for less */
	if (model->nr_bits > 1 && choose_one_in(model->choices, 4))
		model->last -= choose(model->choices, model->page_size);
}

static void choose_memory(struct model *model, u8 background)
{
	unsigned long start = BIT(30) + choose(model->choices, 8) * PAGE_SIZE;
	unsigned long bytes = DIV_ROUND_UP(model->nr_bits, 8);
	unsigned long offset = choose_one_in(model->choices, 2) ?
		choose(model->choices, PAGE_SIZE) : PAGE_SIZE - 1 - choose(model->choices, 40);
	unsigned long nr_pages = DIV_ROUND_UP(offset + bytes, PAGE_SIZE);
	unsigned long missing = nr_pages;

	/* Nothing is behind the last page with a bit */
	user_memory_create(start, nr_pages);
	model->address = start + offset;
	for (unsigned long i = 0; i < nr_pages * PAGE_SIZE; i++)
		*user_memory_byte(start + i) = background;
	if (choose_one_in(model->choices, 4)) {
		missing = choose(model->choices, nr_pages);
		user_memory_remove(start + missing * PAGE_SIZE);
	}
	model->nr_usable = min(model->nr_bits, missing ? (missing * PAGE_SIZE - offset) * 8 : 0);
}

static void check_result(const struct model *model, int result)
{
	if (model->stop) {
		CHECK(result == model->stop);
	} else if (model->nr_usable < model->nr_bits) {
		CHECK(result == -EFAULT && !model->done);
		CHECK(model->next == bit_start(model, model->nr_usable));
	} else {
		CHECK(!result && model->done);
	}
}

static void run(struct choices *choices)
{
	u8 background = choose_one_in(choices, 2) ? 0 : choose(choices, 256);
	struct model model = { .choices = choices };
	struct iova_bitmap *bitmap;

	choose_geometry(&model);
	choose_memory(&model, background);
	model.next = model.iova;
	model.expected = calloc(DIV_ROUND_UP(model.nr_bits, 8), 1);
	CHECK(model.expected);

	bitmap = iova_bitmap_alloc(model.iova, model.last - model.iova + 1, model.page_size,
				   (u64 *)model.address);
	CHECK(!IS_ERR(bitmap));
	check_result(&model, iova_bitmap_for_each(bitmap, &model, visit));
	iova_bitmap_free(bitmap);

	check_memory(&model, background);
	user_memory_destroy();
	free(model.expected);
}

/**
 * iova_bitmap_model() - compare bitmaps with arrays until the choices end
 * @choices: decide what happens
 */
void iova_bitmap_model(struct choices *choices)
{
	while (choices->left)
		run(choices);
}
