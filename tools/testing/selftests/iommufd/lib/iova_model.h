/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A naive model of the IOVA space of an IOAS.
 *
 * Owns what the space should look like after the commands it was told of, and says
 * which IOVA the kernel has to choose. It must never call the kernel: it is what
 * the kernel is compared to. Lists are searched from end to end, so that the code
 * reads like the rules.
 */
#ifndef SELFTESTS_IOMMUFD_IOVA_MODEL_H
#define SELFTESTS_IOMMUFD_IOVA_MODEL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/types.h>

#define IOVA_MODEL_MAPPINGS 256
#define IOVA_MODEL_ALLOWED 8
#define IOVA_MODEL_PAGE 4096ULL

struct iova_model_range {
	__u64 start;
	__u64 last;
};

struct iova_model_mapping {
	struct iova_model_range range;
	__u64 address;
};

/**
 * struct iova_model - what is in an IOAS
 * @mappings: Ascending
 * @mapping_count: Number of them
 * @allowed: Ascending, no two of them touch
 * @allowed_count: Number of them, 0 if everything is allowed
 * @alignment: What every IOVA and length is a multiple of
 * @huge_page: Largest alignment that is worth having
 */
struct iova_model {
	struct iova_model_mapping mappings[IOVA_MODEL_MAPPINGS];
	int mapping_count;
	struct iova_model_range allowed[IOVA_MODEL_ALLOWED];
	int allowed_count;
	__u64 alignment;
	__u64 huge_page;
};

static inline bool iova_model_overlaps(const struct iova_model *model,
				       __u64 start, __u64 last)
{
	int i;

	for (i = 0; i < model->mapping_count; i++)
		if (model->mappings[i].range.start <= last &&
		    model->mappings[i].range.last >= start)
			return true;
	return false;
}

static inline void iova_model_insert(struct iova_model *model, __u64 start,
				     __u64 length, __u64 address)
{
	int at = model->mapping_count++;

	while (at && model->mappings[at - 1].range.start > start) {
		model->mappings[at] = model->mappings[at - 1];
		at--;
	}
	model->mappings[at] = (struct iova_model_mapping){
		.range = { start, start + length - 1 },
		.address = address,
	};
}

static inline void iova_model_remove(struct iova_model *model, int index)
{
	model->mapping_count--;
	memmove(&model->mappings[index], &model->mappings[index + 1],
		(model->mapping_count - index) * sizeof(model->mappings[0]));
}

/* What an IOVA for @length bytes at @address is best aligned to. */
static inline __u64 iova_model_alignment(const struct iova_model *model,
					 __u64 address, __u64 length)
{
	__u64 alignment = 1;

	while (alignment < length && alignment < model->huge_page)
		alignment <<= 1;
	while (address & (alignment - 1))
		alignment >>= 1;
	return alignment;
}

/* The lowest place for @length bytes in [@start, @last], whatever is mapped there. */
static inline bool iova_model_fit(__u64 start, __u64 last, __u64 alignment,
				  __u64 offset, __u64 length, __u64 *place)
{
	__u64 up = start % alignment ? alignment - start % alignment : 0;

	if (start > UINT64_MAX - up)
		return false;
	*place = (start + up) | offset;
	return *place < last && last - *place >= length - 1;
}

/* The same among the holes in [@start, @last]. */
static inline bool iova_model_fit_hole(const struct iova_model *model, __u64 start,
				       __u64 last, __u64 alignment, __u64 offset,
				       __u64 length, __u64 *place)
{
	int i;

	for (i = 0; i < model->mapping_count; i++) {
		const struct iova_model_range *range = &model->mappings[i].range;

		if (range->last < start)
			continue;
		if (range->start > last)
			break;
		if (range->start > start &&
		    iova_model_fit(start, range->start - 1, alignment, offset, length, place))
			return true;
		if (range->last >= last)
			return false;
		start = range->last + 1;
	}
	return iova_model_fit(start, last, alignment, offset, length, place);
}

static inline bool iova_model_fit_window(const struct iova_model *model,
					 struct iova_model_range window,
					 __u64 alignment, __u64 offset,
					 __u64 length, __u64 *place)
{
	__u64 first;

	if (window.start < IOVA_MODEL_PAGE)
		window.start = IOVA_MODEL_PAGE;
	if (window.last > UINT64_MAX - IOVA_MODEL_PAGE)
		window.last = UINT64_MAX - IOVA_MODEL_PAGE;
	if (window.start > window.last ||
	    !iova_model_fit(window.start, window.last, alignment, offset, length, &first))
		return false;
	return iova_model_fit_hole(model, first, window.last, alignment, offset, length,
				   place);
}

/**
 * iova_model_choose - the IOVA that has to be chosen
 * @model: The space
 * @address: Address of the memory
 * @length: Its length, not 0
 * @iova: Where to store the IOVA
 *
 * Return: 0 or the error that has to come instead.
 */
static inline int iova_model_choose(const struct iova_model *model, __u64 address,
				    __u64 length, __u64 *iova)
{
	struct iova_model_range everything = { 0, UINT64_MAX };
	const struct iova_model_range *windows = &everything;
	__u64 alignment, offset = address % IOVA_MODEL_PAGE;
	int i, count = 1;

	if (length % model->alignment)
		return -EINVAL;
	if (length >= UINT64_MAX / 2)
		return -EOVERFLOW;
	alignment = iova_model_alignment(model, address, length);
	if (alignment < model->alignment)
		return -EINVAL;
	if (model->allowed_count) {
		windows = model->allowed;
		count = model->allowed_count;
	}
	for (i = 0; i < count; i++)
		if (iova_model_fit_window(model, windows[i], alignment, offset, length, iova))
			return 0;
	return -ENOSPC;
}

/* What a fixed mapping has to answer. */
static inline int iova_model_fixed(const struct iova_model *model, __u64 address,
				   __u64 length, __u64 iova)
{
	if (length % model->alignment || iova % model->alignment)
		return -EINVAL;
	if (length - 1 > UINT64_MAX - iova)
		return -EOVERFLOW;
	if (iova_model_overlaps(model, iova, iova + length - 1))
		return -EEXIST;
	return address % IOVA_MODEL_PAGE % model->alignment ? -EINVAL : 0;
}

/* What an unmap has to answer; removes the mappings if it works. */
static inline int iova_model_unmap(struct iova_model *model, __u64 start,
				   __u64 length, __u64 *unmapped)
{
	__u64 last = start + length - 1;
	int i;

	*unmapped = 0;
	for (i = 0; i < model->mapping_count; i++) {
		const struct iova_model_range *range = &model->mappings[i].range;

		if (range->start > last || range->last < start)
			continue;
		if (range->start < start || range->last > last)
			return -ENOENT;
		*unmapped += range->last - range->start + 1;
	}
	if (!*unmapped)
		return -ENOENT;
	for (i = model->mapping_count - 1; i >= 0; i--)
		if (model->mappings[i].range.start >= start &&
		    model->mappings[i].range.last <= last)
			iova_model_remove(model, i);
	return 0;
}

#endif
