/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The object table of a context: ids, references, destruction.
 */
#ifndef __IOMMUFD_OBJECT_H
#define __IOMMUFD_OBJECT_H

#include <linux/refcount.h>
#include <linux/types.h>

struct iommufd_ctx;
struct iommufd_command;
struct iommufd_object;

enum iommufd_object_type {
	IOMMUFD_OBJECT_IOAS,
	IOMMUFD_OBJECT_HWPT_PAGING,
	IOMMUFD_OBJECT_HWPT_NESTED,
	IOMMUFD_OBJECT_DEVICE,
	IOMMUFD_OBJECT_ACCESS,
	IOMMUFD_OBJECT_FAULT,
	IOMMUFD_OBJECT_SELFTEST,
	IOMMUFD_OBJECT_ANY, /* for the lookup: whatever its type */
};

/**
 * struct iommufd_object_ops - what the table must know of a kind of object
 * @type: Its type
 * @destroy: Take the object apart; the table frees its memory afterwards.
 *           Nobody else can reach the object. Cannot fail.
 */
struct iommufd_object_ops {
	enum iommufd_object_type type;
	void (*destroy)(struct iommufd_object *object);
};

/**
 * struct iommufd_object - the first member of every object
 * @ctx: The context it lives in
 * @ops: Its kind
 * @users: One for the table, one for each call that works with the object or
 *         refers to it. IOMMU_DESTROY needs it to be 1.
 * @id: Its number in the table, > 0
 */
struct iommufd_object {
	struct iommufd_ctx *ctx;
	const struct iommufd_object_ops *ops;
	refcount_t users;
	u32 id;
};

struct iommufd_object *
iommufd_object_alloc(struct iommufd_ctx *ctx, size_t size,
		     const struct iommufd_object_ops *ops);
void iommufd_object_publish(struct iommufd_object *object);
void iommufd_object_discard(struct iommufd_object *object);
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ctx, u32 id,
					  enum iommufd_object_type type);
void iommufd_object_put(struct iommufd_object *object);
void iommufd_object_put_last(struct iommufd_object *object);
void iommufd_object_remove(struct iommufd_object *object);

void iommufd_objects_init(struct iommufd_ctx *ctx);
bool iommufd_objects_empty(struct iommufd_ctx *ctx);
void iommufd_objects_release(struct iommufd_ctx *ctx);

/*
 * Allocate the structure that @pointer is of, with a reserved id. @member is its
 * object, and its first member.
 */
#define iommufd_object_new(ctx, pointer, member, object_ops)                  \
	container_of(({                                                       \
		BUILD_BUG_ON(offsetof(typeof(*(pointer)), member) != 0);      \
		iommufd_object_alloc(ctx, sizeof(*(pointer)), object_ops);    \
	}), typeof(*(pointer)), member)

/*
 * As iommufd_object_get(), but return the structure whose object it is, or an
 * ERR_PTR(). @member is its object, and its first member.
 */
#define iommufd_object_get_as(ctx, id, type, structure, member)               \
	container_of(({                                                       \
		BUILD_BUG_ON(offsetof(structure, member) != 0);               \
		iommufd_object_get(ctx, id, type);                            \
	}), structure, member)

#endif
