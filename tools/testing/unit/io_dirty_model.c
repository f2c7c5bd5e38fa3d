// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading dirty pages from drivers that behave as those of Linux 6.12 do, while
 * devices write.
 *
 * A table is an array of entries: powers of two, aligned, without holes. Drivers
 * differ in how they walk when they are asked for part of an entry. Before and
 * after each entry that they look at a device may write. An entry that was made
 * clean stays so, whatever is written, until the IOTLB is flushed.
 */
#include <stdlib.h>

#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/sizes.h>

#include "iopt/io_dirty.h"
#include "unit.h"
#include "user_memory.h"

#define MAX_ENTRIES	3000
#define BITMAP_ADDRESS	BIT(30)

struct entry {
	unsigned long start;
	unsigned long length;
	/* Bit in the table; entry as the IOTLB has it */
	bool dirty;
	bool cached;
	/* Since the call began */
	bool was_dirty;
	bool written;
	bool cleaned;
};

/* How a driver goes on from the middle of an entry, and what it adds to the gather */
enum walk {
	/* VT-d and AMD: from the same place in the next one; from the middle on */
	WALK_SHIFTED,
	/* As SMMUv3, whose last IOVA is one that it looks at */
	WALK_SHIFTED_ARM,
	/* As one would think: from the start of the next one; the entry */
	WALK_ALIGNED,
	NR_WALKS,
};

struct model {
	struct choices *choices;
	struct iommu_domain domain;
	enum walk walk;
	/* A device writes one time in so many; 0: never */
	unsigned int quiet;
	unsigned int nr_entries;
	struct entry entries[MAX_ENTRIES];
};

static struct model *to_model(struct iommu_domain *domain)
{
	return container_of(domain, struct model, domain);
}

static unsigned long smallest_page(const struct model *model)
{
	return 1UL << __ffs(model->domain.pgsize_bitmap);
}

static unsigned long region_start(const struct model *model)
{
	return model->entries[0].start;
}

static unsigned long region_end(const struct model *model)
{
	const struct entry *entry = &model->entries[model->nr_entries - 1];

	return entry->start + entry->length;
}

static struct entry *entry_at(struct model *model, unsigned long iova)
{
	unsigned int low = 0, high = model->nr_entries;

	CHECK(iova >= region_start(model) && iova < region_end(model));
	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (model->entries[middle].start <= iova)
			low = middle;
		else
			high = middle;
	}
	return &model->entries[low];
}

static void device_writes(struct model *model, struct entry *entry)
{
	if (entry->cached)
		return;
	entry->dirty = true;
	entry->written = true;
}

/* To the entry that the driver is at, or to any other */
static void device_may_write(struct model *model, struct entry *entry)
{
	if (!model->quiet || !choose_one_in(model->choices, model->quiet))
		return;
	if (choose_one_in(model->choices, 2))
		entry = &model->entries[choose(model->choices, model->nr_entries)];
	device_writes(model, entry);
}

static void record(struct iommu_dirty_bitmap *dirty, unsigned long iova, unsigned long length)
{
	/* It would be lost: the driver was compiled that way */
	CHECK(!dirty->bitmap);
	if (!dirty->gather)
		return;
	dirty->gather->start = min(dirty->gather->start, iova);
	dirty->gather->end = max(dirty->gather->end, iova + length - 1);
}

static unsigned long visit(struct model *model, unsigned long iova, unsigned long flags,
			   struct iommu_dirty_bitmap *dirty)
{
	struct entry *entry = entry_at(model, iova);

	if (model->walk == WALK_ALIGNED)
		iova = entry->start;
	device_may_write(model, entry);
	if (entry->dirty)
		record(dirty, iova, entry->length);
	if (entry->dirty && !(flags & IOMMU_DIRTY_NO_CLEAR)) {
		entry->dirty = false;
		entry->cached = true;
		entry->cleaned = true;
	}
	device_may_write(model, entry);
	return iova + entry->length;
}

static int read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova, size_t size,
				unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	struct model *model = to_model(domain);
	unsigned long end = model->walk == WALK_SHIFTED_ARM ? iova + size : iova + size - 1;

	CHECK(size && iova >= region_start(model) && iova + size <= region_end(model));
	do {
		iova = visit(model, iova, flags, dirty);
	} while (iova < end);
	return 0;
}

static const struct iommu_dirty_ops dirty_ops = {
	.read_and_clear_dirty = read_and_clear_dirty,
};

static void flush_iotlb_all(struct iommu_domain *domain)
{
	struct model *model = to_model(domain);

	for (unsigned int i = 0; i < model->nr_entries; i++)
		model->entries[i].cached = false;
}

static const struct iommu_domain_ops domain_ops = {
	.flush_iotlb_all = flush_iotlb_all,
};

struct call {
	struct model *model;
	struct io_dirty_reader reader;
	unsigned long start;
	unsigned long end;
};

static bool bit_is_set(const struct call *call, unsigned long iova)
{
	unsigned long bit = (iova - call->start) / smallest_page(call->model);

	return *user_memory_byte(BITMAP_ADDRESS + bit / 8) >> bit % 8 & 1;
}

/* How many bits are set of the pages of an entry that are in the range */
static unsigned long count_bits(const struct call *call, const struct entry *entry,
				unsigned long *nr_pages)
{
	unsigned long page = smallest_page(call->model);
	unsigned long count = 0;

	*nr_pages = 0;
	for (unsigned long iova = max(entry->start, call->start);
	     iova < min(entry->start + entry->length, call->end); iova += page, ++*nr_pages)
		count += bit_is_set(call, iova);
	return count;
}

static void check_entry(const struct call *call, const struct entry *entry)
{
	bool inside = entry->start >= call->start && entry->start + entry->length <= call->end;
	unsigned long nr_pages;
	unsigned long bits = count_bits(call, entry, &nr_pages);

	if (entry->was_dirty)
		CHECK(bits == nr_pages);
	if (!entry->was_dirty && !entry->written)
		CHECK(!bits);
	if (entry->cleaned)
		CHECK(bits == nr_pages && inside && call->reader.clear);
	if (call->reader.clear && inside && entry->was_dirty && !entry->written)
		CHECK(!entry->dirty);
	CHECK(!entry->cached);
}

/* Read in pieces that are cut anywhere */
static int read_piece(struct iova_bitmap *bitmap, unsigned long iova, size_t length, void *opaque)
{
	unsigned long calls = user_memory.pin_calls;
	struct call *call = opaque;

	call->reader.bitmap = bitmap;
	while (length) {
		size_t step = length;

		if (choose_one_in(call->model->choices, 2))
			step = 1 + choose(call->model->choices, length);
		CHECK(!io_dirty_read(&call->reader, iova, step));
		iova += step;
		length -= step;
	}
	CHECK(user_memory.pin_calls == calls);
	return 0;
}

static void begin(struct model *model)
{
	for (unsigned int i = 0; i < model->nr_entries; i++) {
		struct entry *entry = &model->entries[i];

		entry->was_dirty = entry->dirty;
		entry->written = false;
		entry->cleaned = false;
	}
}

static void choose_range(struct call *call)
{
	struct model *model = call->model;
	unsigned long page = smallest_page(model);
	unsigned long pages = (region_end(model) - region_start(model)) / page;
	unsigned long first = 0;

	if (choose_one_in(model->choices, 2)) {
		first = choose(model->choices, pages);
		pages = 1 + choose(model->choices, pages - first);
	}
	call->start = region_start(model) + first * page;
	call->end = call->start + pages * page;
}

static void read_dirty(struct model *model)
{
	struct call call = { .model = model };
	struct iova_bitmap *bitmap;
	size_t length;

	choose_range(&call);
	length = call.end - call.start;
	call.reader.domain = &model->domain;
	call.reader.clear = !choose_one_in(model->choices, 3);
	user_memory_create(BITMAP_ADDRESS, 1 + length / smallest_page(model) / 8 / PAGE_SIZE);
	bitmap = iova_bitmap_alloc(call.start, length, smallest_page(model),
				   (u64 *)BITMAP_ADDRESS);
	CHECK(!IS_ERR(bitmap));

	begin(model);
	CHECK(!iova_bitmap_for_each(bitmap, &call, read_piece));
	io_dirty_end(&call.reader);
	iova_bitmap_free(bitmap);
	for (unsigned int i = 0; i < model->nr_entries; i++)
		check_entry(&call, &model->entries[i]);
	user_memory_destroy();
}

static void forget(struct model *model)
{
	unsigned long start = region_start(model);

	begin(model);
	CHECK(!io_dirty_forget(&model->domain, start, region_end(model) - start));
	iommu_flush_iotlb_all(&model->domain);
	for (unsigned int i = 0; i < model->nr_entries; i++)
		CHECK(!model->entries[i].dirty || model->entries[i].written);
}

/* The largest entry that fits here, or one chosen */
static unsigned long choose_length(struct model *model, unsigned long start, unsigned long room)
{
	unsigned long sizes = model->domain.pgsize_bitmap & GENMASK(__fls(room), 0);

	if (start)
		sizes &= GENMASK(__ffs(start), 0);
	while (choose_one_in(model->choices, 2) && sizes & (sizes - 1))
		sizes &= ~BIT(__fls(sizes));
	return BIT(__fls(sizes));
}

static void lay_out(struct model *model)
{
	static const unsigned long sizes[] = {
		SZ_4K, SZ_4K | SZ_2M | SZ_1G, SZ_4K | SZ_1M, SZ_1G | (SZ_1G - SZ_2K),
		SZ_64K | SZ_512M, SZ_1G | (SZ_1G - SZ_4K),
	};
	unsigned long room, start;

	model->domain.pgsize_bitmap = sizes[choose(model->choices, ARRAY_SIZE(sizes))];
	room = smallest_page(model) * (1 + choose(model->choices, 2500));
	start = smallest_page(model) * choose(model->choices, 2048);
	if (choose_one_in(model->choices, 200)) {
		room = SZ_1G + choose(model->choices, 8) * SZ_128M;
		start = choose_one_in(model->choices, 2) ? 0 : SZ_1G - SZ_4M;
	}
	for (; room && model->nr_entries < MAX_ENTRIES; model->nr_entries++) {
		struct entry *entry = &model->entries[model->nr_entries];

		entry->start = start;
		entry->length = choose_length(model, start, room);
		start += entry->length;
		room -= entry->length;
	}
}

static void step(struct model *model)
{
	switch (choose(model->choices, 6)) {
	case 0:
		forget(model);
		break;
	case 1:
		model->quiet = choose(model->choices, 60);
		break;
	case 2:
		for (unsigned int i = choose(model->choices, 20); i; i--)
			device_writes(model, &model->entries[choose(model->choices,
								    model->nr_entries)]);
		break;
	default:
		read_dirty(model);
		break;
	}
}

/**
 * io_dirty_model() - read dirty pages until the choices end
 * @choices: decide what happens
 */
void io_dirty_model(struct choices *choices)
{
	struct model *model = malloc(sizeof(*model));

	CHECK(model);
	while (choices->left) {
		*model = (struct model){ .choices = choices };
		model->domain.ops = &domain_ops;
		model->domain.dirty_ops = &dirty_ops;
		model->walk = choose(choices, NR_WALKS);
		lay_out(model);
		for (int i = 0; i < 20; i++)
			step(model);
	}
	free(model);
}
