/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A context that may have one of everything, and all that a program can see of it.
 *
 * Owns the states that a context can be in before a command, and the question whether
 * the command has changed anything.
 */
#ifndef SELFTESTS_IOMMUFD_MOCK_CONTEXT_H
#define SELFTESTS_IOMMUFD_MOCK_CONTEXT_H

#include <stdint.h>
#include <string.h>

#include "mock_space.h"

#define IOVA MOCK_APERTURE_START
#define FREE_IOVA (IOVA + 0x10000000)
#define LENGTH (600 * PAGE)

/* A context and what is in it; ids are 0 and access -1 until they are made. */
struct context {
	int fd;
	__u32 ioas;
	__u32 other;
	struct mock mock;
	int access;
	__u32 pin;
	uint8_t *memory;
	/* What the command made, to be told apart from what was there */
	struct mock new_mock;
	/* Page tables: a parent, and one that is nested in it */
	__u32 parent;
	__u32 nested;
	/* A page table that tracks dirty pages */
	__u32 tracking;
	/* A fault queue, and a page table that has it */
	__u32 queue;
	__u32 asking;
};

/* All that a program can see of a context. */
struct context_view {
	long pinned;
	long locked;
	__u32 next_id;
	__u32 ranges[2];
	__u64 alignment[2];
	struct iommu_iova_range first[2];
	int readable[2][2];
	int in_table[2];
	int dirty;
};

static inline __u32 context_next_id(int fd)
{
	__u32 id = 0;

	if (iommu_ioas_alloc(fd, &id) || iommu_destroy(fd, id))
		return 0;
	return id;
}

/* Is there something at both IOVAs? */
static inline void context_look_at_ioas(struct context *context, __u32 ioas, int *readable)
{
	uint8_t byte;
	int access;

	if (mock_access_create(context->fd, ioas, 0, &access))
		return;
	readable[0] = mock_access_read(context->fd, access, IOVA, &byte, 1);
	readable[1] = mock_access_read(context->fd, access, FREE_IOVA, &byte, 1);
	close(access);
}

/* Are the ends of the memory at an IOVA? */
static inline int context_look_at_table(struct context *context, __u64 iova)
{
	const __u64 end = LENGTH - PAGE;

	return mock_check_map(context->fd, context->mock.hwpt, iova, PAGE, context->memory) ? :
	       mock_check_map(context->fd, context->mock.hwpt, iova + end, PAGE,
			      context->memory + end);
}

static inline int context_read_dirty(struct context *context, __u32 flags, __u8 *bitmap)
{
	return iommu_hwpt_get_dirty_bitmap(context->fd, context->tracking, flags, IOVA, LENGTH,
					   PAGE, bitmap);
}

/* Is the first page dirty? */
static inline int context_look_at_dirty(struct context *context)
{
	__u8 bitmap[LENGTH / PAGE / 8] = {};

	return context_read_dirty(context, IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, bitmap) ? :
	       bitmap[0];
}

static inline void context_look(struct context *context, struct context_view *view)
{
	const __u32 ioas[2] = { context->ioas, context->other };
	int i;

	memset(view, 0, sizeof(*view));
	view->pinned = pages_pinned();
	view->locked = memory_status("VmLck");
	view->next_id = context_next_id(context->fd);
	for (i = 0; i < 2; i++) {
		view->ranges[i] = 1;
		iommu_ioas_iova_ranges(context->fd, ioas[i], &view->first[i], &view->ranges[i],
				       &view->alignment[i]);
		context_look_at_ioas(context, ioas[i], view->readable[i]);
	}
	view->in_table[0] = context_look_at_table(context, IOVA);
	view->in_table[1] = context_look_at_table(context, FREE_IOVA);
	view->dirty = context_look_at_dirty(context);
}

static inline bool context_view_same(const struct context_view *a, const struct context_view *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/*
 * A page table that seems not to fit has another made, so there may be more objects
 * than without failures.
 */
static inline bool context_view_same_but_ids(const struct context_view *a,
					     const struct context_view *b)
{
	struct context_view c = *a;

	c.next_id = b->next_id;
	return context_view_same(&c, b);
}

static inline void context_view_print(const char *when, const struct context_view *view)
{
	int i;

	printf("# %s: pinned %ld, locked %ld, next id %u\n", when, view->pinned, view->locked,
	       view->next_id);
	for (i = 0; i < 2; i++)
		printf("#   IOAS %d: %u ranges, alignment %llu, readable %d %d\n", i,
		       view->ranges[i], view->alignment[i], view->readable[i][0],
		       view->readable[i][1]);
	printf("#   in page table %d %d, dirty %d\n", view->in_table[0], view->in_table[1],
	       view->dirty);
}

static inline int context_open(struct context *context, struct memory *memory)
{
	*context = (struct context){
		.fd = iommu_open(),
		.access = -1,
		/* Inside a huge page */
		.memory = memory->start + 3 * PAGE,
	};
	if (context->fd < 0)
		return context->fd;
	/* Process mode shows in VmLck */
	return iommu_option_set(context->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1) ? :
	       iommu_ioas_alloc(context->fd, &context->ioas) ? :
	       iommu_ioas_alloc(context->fd, &context->other);
}

static inline void context_close(struct context *context)
{
	if (context->access >= 0)
		close(context->access);
	close(context->fd);
}

static inline int prepare_nothing(struct context *context)
{
	(void)context;
	return 0;
}

static inline int prepare_mapping(struct context *context)
{
	return iommu_ioas_map_fixed(context->fd, context->ioas, context->memory, LENGTH,
				    IOMMU_MAP_RW, IOVA);
}

static inline int prepare_table(struct context *context)
{
	return mock_attach(context->fd, context->ioas, &context->mock);
}

static inline int prepare_mapping_and_table(struct context *context)
{
	return prepare_mapping(context) ? : prepare_table(context);
}

/* The other IOAS has a copy of it, to be pinned together */
static inline int prepare_copy_and_table(struct context *context)
{
	return prepare_mapping_and_table(context) ? :
	       iommu_ioas_copy_fixed(context->fd, context->ioas, IOVA, LENGTH, context->other,
				     IOMMU_MAP_RW, IOVA);
}

/* The other IOAS has a mapping of its own */
static inline int prepare_two_mappings_and_table(struct context *context)
{
	return prepare_mapping_and_table(context) ? :
	       iommu_ioas_map_fixed(context->fd, context->other, context->memory, LENGTH,
				    IOMMU_MAP_RW, IOVA);
}

static inline int prepare_access(struct context *context)
{
	return prepare_mapping(context) ? :
	       mock_access_create(context->fd, context->ioas,
				  MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &context->access);
}

static inline int prepare_access_and_table(struct context *context)
{
	return prepare_access(context) ? : prepare_table(context);
}

static inline int pin(struct context *context)
{
	return mock_access_pin(context->fd, context->access, IOVA + PAGE, LENGTH - 2 * PAGE,
			       MOCK_FLAGS_ACCESS_WRITE, context->memory + PAGE, &context->pin);
}

static inline int prepare_pin(struct context *context)
{
	return prepare_access(context) ? : pin(context);
}

#endif
