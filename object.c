// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context: references to it, and its object table.
 *
 * Ids and references of all objects: how an object is found, and when it may be
 * destroyed. It does not depend on what the objects are.
 *
 * An id is reserved first and shows its object only once the creation has succeeded in
 * full. An object is removed from the table before it is taken apart, so that a lookup
 * never finds a half-destroyed one.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "iommufd_private.h"
#include "selftest/hooks.h"

/**
 * iommufd_ctx_get - take a reference to a context
 * @ctx: The context
 */
void iommufd_ctx_get(struct iommufd_ctx *ctx)
{
	get_file(ctx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, IOMMUFD);

/**
 * iommufd_ctx_put - give a reference to a context back
 * @ctx: The context
 *
 * The context is torn down later, by whoever drops the file last, not here and
 * not under the caller's locks.
 */
void iommufd_ctx_put(struct iommufd_ctx *ctx)
{
	fput(ctx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, IOMMUFD);

/**
 * iommufd_object_alloc - allocate an object and reserve an id for it
 * @ctx: The context
 * @size: Size of the whole structure, in bytes
 * @ops: The kind of object
 *
 * The id is the lowest free one. Until iommufd_object_publish() no lookup finds
 * it. Sleeps.
 *
 * Return: the zeroed object, or ERR_PTR(-ENOMEM), ERR_PTR(-EBUSY) without a
 * free id.
 */
struct iommufd_object *
iommufd_object_alloc(struct iommufd_ctx *ctx, size_t size,
		     const struct iommufd_object_ops *ops)
{
	struct iommufd_object *object;
	int rc;

	object = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!object)
		return ERR_PTR(-ENOMEM);
	object->ctx = ctx;
	object->ops = ops;
	refcount_set(&object->users, 1);

	/* NULL reserves: xa_load() finds nothing there */
	rc = xa_alloc(&ctx->objects, &object->id, NULL,
		      XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(object); /* GCOVR_EXCL_LINE: would need two failures */
		return ERR_PTR(rc); /* GCOVR_EXCL_LINE: would need two failures */
	}
	return object;
}

/**
 * iommufd_object_publish - let the id of a new object be found
 * @object: From iommufd_object_alloc(), complete
 *
 * Cannot fail: the slot was reserved. From here on another thread may destroy
 * the object, so it is the last thing that its creator does with it, unless it
 * holds a reference of its own.
 */
void iommufd_object_publish(struct iommufd_object *object)
{
	void *old;

	old = xa_store(&object->ctx->objects, object->id, object,
		       GFP_KERNEL_ACCOUNT);
	WARN_ON(old);
}

/**
 * iommufd_object_discard - free an object that was not published
 * @object: From iommufd_object_alloc(); what it holds is already undone
 */
void iommufd_object_discard(struct iommufd_object *object)
{
	xa_erase(&object->ctx->objects, object->id);
	kfree(object);
}

/*
 * A program that cares for the cost of its calls makes many for the same object,
 * so the one that was found last is found again without a search.
 */
static struct iommufd_object *object_find(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *object = ctx->found;

	lockdep_assert_held(&ctx->objects.xa_lock);

	if (object && object->id == id)
		return object;
	object = xa_load(&ctx->objects, id);
	if (object)
		ctx->found = object;
	return object;
}

/* From here on nobody finds it */
static void object_hide(struct iommufd_object *object)
{
	struct iommufd_ctx *ctx = object->ctx;

	lockdep_assert_held(&ctx->objects.xa_lock);

	if (ctx->found == object)
		ctx->found = NULL;
	__xa_erase(&ctx->objects, object->id);
}

/**
 * iommufd_object_get - find an object by id and take a reference
 * @ctx: The context
 * @id: The number user space gave
 * @type: Its type, or IOMMUFD_OBJECT_ANY
 *
 * Return: the object, to be given back with iommufd_object_put(), or
 * ERR_PTR(-ENOENT): no such id, or another type, or not complete yet, or being
 * destroyed.
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ctx, u32 id,
					  enum iommufd_object_type type)
{
	struct iommufd_object *object;

	if (selftest_should_fail())
		return ERR_PTR(-ENOENT);
	xa_lock(&ctx->objects);
	object = object_find(ctx, id);
	if (object && (type == IOMMUFD_OBJECT_ANY ||
		       type == object->ops->type))
		refcount_inc(&object->users);
	else
		object = ERR_PTR(-ENOENT);
	xa_unlock(&ctx->objects);
	return object;
}

/**
 * iommufd_object_put - give a reference back
 * @object: The object; may be gone on return
 */
void iommufd_object_put(struct iommufd_object *object)
{
	struct iommufd_ctx *ctx = object->ctx;

	/* Zero only if iommufd_object_remove() waits, which then frees it */
	if (refcount_dec_and_test(&object->users))
		wake_up_all(&ctx->object_wait);
}

static void object_free(struct iommufd_object *object)
{
	object->ops->destroy(object);
	kfree(object);
}

/* Take the object out of the table if only the table refers to it */
static bool object_take(struct iommufd_object *object)
{
	if (!refcount_dec_if_one(&object->users))
		return false;
	object_hide(object);
	return true;
}

/**
 * iommufd_object_put_last - give a reference back, and the object with the last
 * @object: The object; may be gone on return
 *
 * For objects that go by themselves. If somebody else refers to it at this
 * moment it stays, for user space to destroy.
 */
void iommufd_object_put_last(struct iommufd_object *object)
{
	struct iommufd_ctx *ctx = object->ctx;
	bool taken;

	/* The lock keeps IOMMU_DESTROY out in between */
	xa_lock(&ctx->objects);
	refcount_dec(&object->users);
	taken = object_take(object);
	xa_unlock(&ctx->objects);
	if (taken)
		object_free(object);
}

/**
 * iommufd_object_remove - destroy an object that a kernel driver owns
 * @object: A published object of which the caller holds a reference
 *
 * Waits for the system calls that use the object at this moment; none of them
 * waits for the driver. The caller holds no lock that a command takes.
 */
void iommufd_object_remove(struct iommufd_object *object)
{
	struct iommufd_ctx *ctx = object->ctx;

	xa_lock(&ctx->objects);
	object_hide(object);
	xa_unlock(&ctx->objects);
	/* The caller's reference; the table's is then the last but for theirs */
	WARN_ON(refcount_dec_and_test(&object->users));
	if (!refcount_dec_and_test(&object->users))
		wait_event(ctx->object_wait, !refcount_read(&object->users));
	object_free(object);
}

/**
 * iommufd_destroy - IOMMU_DESTROY
 * @command: The call
 *
 * Return: 0, -ENOENT no such object, -EBUSY it is in use.
 */
int iommufd_destroy(struct iommufd_command *command)
{
	struct iommu_destroy *args = command->args;
	struct iommufd_ctx *ctx = command->ctx;
	struct iommufd_object *object;
	int rc = 0;

	xa_lock(&ctx->objects);
	object = object_find(ctx, args->id);
	if (!object)
		rc = -ENOENT;
	else if (!object_take(object))
		rc = -EBUSY;
	xa_unlock(&ctx->objects);

	if (!rc)
		object_free(object);
	return rc;
}

/**
 * iommufd_objects_init - an empty table
 * @ctx: The new context
 */
void iommufd_objects_init(struct iommufd_ctx *ctx)
{
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ctx->object_wait);
}

/**
 * iommufd_objects_empty - does the context have no object?
 * @ctx: The context
 *
 * Return: false also while one is only being created.
 */
bool iommufd_objects_empty(struct iommufd_ctx *ctx)
{
	return xa_empty(&ctx->objects);
}

static bool object_release(struct iommufd_object *object)
{
	struct iommufd_ctx *ctx = object->ctx;
	bool taken;

	xa_lock(&ctx->objects);
	taken = object_take(object);
	xa_unlock(&ctx->objects);
	if (taken)
		object_free(object);
	return taken;
}

static bool objects_release_unused(struct iommufd_ctx *ctx)
{
	struct iommufd_object *object;
	bool progress = false;
	unsigned long id;

	xa_for_each(&ctx->objects, id, object)
		progress |= object_release(object);
	return progress;
}

/**
 * iommufd_objects_release - destroy all objects when the context goes away
 * @ctx: The context; its last file reference is gone, so is every driver
 *
 * Users go before what they use: each round takes what nobody refers to.
 */
void iommufd_objects_release(struct iommufd_ctx *ctx)
{
	while (objects_release_unused(ctx))
		;
	WARN_ON(!xa_empty(&ctx->objects));
	xa_destroy(&ctx->objects);
}
