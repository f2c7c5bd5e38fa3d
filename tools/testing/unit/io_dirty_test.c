// SPDX-License-Identifier: GPL-2.0-only
/* Tests of reading dirty pages: the end of the addresses, costs, and runs against a model. */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/sizes.h>

#include "iopt/io_dirty.h"
#include "unit.h"
#include "user_memory.h"

static unsigned long calls;
static int result;

/* Nothing is dirty */
static int clean(struct iommu_domain *domain, unsigned long iova, size_t size,
		 unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	CHECK(size <= SZ_2M && !(iova & (size - 1)));
	calls++;
	return result;
}

static const struct iommu_dirty_ops clean_ops = { .read_and_clear_dirty = clean };

static struct iommu_domain clean_domain = {
	.dirty_ops = &clean_ops,
	.pgsize_bitmap = SZ_4K,
};

static struct iova_bitmap *new_bitmap(unsigned long iova, size_t length)
{
	struct iova_bitmap *bitmap = iova_bitmap_alloc(iova, length, SZ_4K, (u64 *)BIT(30));

	CHECK(!IS_ERR(bitmap));
	user_memory_create(BIT(30), 1 + length / SZ_4K / 8 / PAGE_SIZE);
	return bitmap;
}

static void delete_bitmap(struct iova_bitmap *bitmap)
{
	iova_bitmap_free(bitmap);
	user_memory_destroy();
}

static void clean_memory_costs_a_call_for_2_mib(void)
{
	struct io_dirty_reader reader = { .domain = &clean_domain, .clear = true };

	reader.bitmap = new_bitmap(SZ_4K, SZ_1G);
	CHECK(!io_dirty_read(&reader, SZ_4K, SZ_1G));
	CHECK(calls <= SZ_1G / SZ_2M + 2 * 9);
	CHECK(!user_memory.pin_calls && !reader.flush);
	delete_bitmap(reader.bitmap);
}

static void where_drivers_wrap_everything_is_dirty(void)
{
	struct io_dirty_reader reader = { .domain = &clean_domain, .clear = true };
	unsigned long top = -(unsigned long)SZ_1G;

	reader.bitmap = new_bitmap(top - SZ_2M, SZ_1G + SZ_2M);
	CHECK(!io_dirty_read(&reader, top - SZ_2M, SZ_1G + SZ_2M));
	CHECK(!io_dirty_forget(&clean_domain, top - SZ_2M, SZ_1G + SZ_2M));
	CHECK(calls == 2);
	CHECK(!*user_memory_byte(BIT(30) + SZ_2M / SZ_4K / 8 - 1));
	for (unsigned long i = 0; i < SZ_1G / SZ_4K / 8; i++)
		CHECK(*user_memory_byte(BIT(30) + SZ_2M / SZ_4K / 8 + i) == 0xff);
	delete_bitmap(reader.bitmap);
}

static void an_error_of_the_driver_ends_it(void)
{
	struct io_dirty_reader reader = { .domain = &clean_domain };

	result = -EIO;
	reader.bitmap = new_bitmap(0, SZ_4M);
	CHECK(io_dirty_read(&reader, 0, SZ_4M) == -EIO && calls == 1);
	CHECK(io_dirty_forget(&clean_domain, 0, SZ_4M) == -EIO && calls == 2);
	delete_bitmap(reader.bitmap);
}

static void nothing_is_lost_while_devices_write(void)
{
	unit_random_runs(io_dirty_model);
}

const struct unit_test io_dirty_tests[] = {
	{ "io_dirty: clean memory costs a call for 2 MiB", clean_memory_costs_a_call_for_2_mib },
	{ "io_dirty: where drivers wrap everything is dirty",
	  where_drivers_wrap_everything_is_dirty },
	{ "io_dirty: an error of the driver ends it", an_error_of_the_driver_ends_it },
	{ "io_dirty: nothing is lost while devices write", nothing_is_lost_while_devices_write },
	{ }
};
