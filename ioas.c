// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAS and its commands.
 *
 * Checks what user space passes in, in the order that the API promises; iopt/ does the
 * work.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ioas.h"

#define MAP_FLAGS                                                             \
	(IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |               \
	 IOMMU_IOAS_MAP_READABLE)

/* How many more ranges than there were are fetched from an IOVA space */
#define SPARE_RANGES 32

static void ioas_destroy(struct iommufd_object *object)
{
	struct iommufd_ioas *ioas =
		container_of(object, struct iommufd_ioas, object);
	struct iommufd_ctx *ctx = object->ctx;
	unsigned long unmapped;

	xa_lock(&ctx->objects);
	if (ctx->compat.ioas == ioas)
		ctx->compat.ioas = NULL;
	xa_unlock(&ctx->objects);

	WARN_ON(iopt_unmap_all(&ioas->iopt, &unmapped));
	iopt_destroy(&ioas->iopt);
	mutex_destroy(&ioas->hwpt_lock);
	mutex_destroy(&ioas->attach_lock);
}

static const struct iommufd_object_ops ioas_ops = {
	.type = IOMMUFD_OBJECT_IOAS,
	.destroy = ioas_destroy,
};

/**
 * iommufd_ioas_new - make an empty IOAS
 * @ctx: The context
 *
 * Return: the IOAS, to be published or discarded, or an ERR_PTR of
 * iommufd_object_alloc().
 */
struct iommufd_ioas *iommufd_ioas_new(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_object_new(ctx, ioas, object, &ioas_ops);
	if (IS_ERR(ioas))
		return ioas;
	iopt_init(&ioas->iopt);
	mutex_init(&ioas->attach_lock);
	mutex_init(&ioas->hwpt_lock);
	INIT_LIST_HEAD(&ioas->hwpts);
	return ioas;
}

/**
 * iommufd_ioas_get - find an IOAS
 * @ctx: The context
 * @id: Its id
 *
 * Return: the IOAS with a reference to its object, or ERR_PTR(-ENOENT).
 */
struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ctx, u32 id)
{
	return iommufd_object_get_as(ctx, id, IOMMUFD_OBJECT_IOAS,
				     struct iommufd_ioas, object);
}

static void ioas_put(struct iommufd_ioas *ioas)
{
	iommufd_object_put(&ioas->object);
}

/**
 * iommufd_ioas_alloc - IOMMU_IOAS_ALLOC
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENOMEM, -EFAULT.
 */
int iommufd_ioas_alloc(struct iommufd_command *command)
{
	struct iommu_ioas_alloc *args = command->args;
	struct iommufd_ioas *ioas;
	int rc;

	if (args->flags)
		return -EOPNOTSUPP;
	ioas = iommufd_ioas_new(command->ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	args->out_ioas_id = ioas->object.id;
	rc = iommufd_respond(command);
	if (rc)
		iommufd_object_discard(&ioas->object);
	else
		iommufd_object_publish(&ioas->object);
	return rc;
}

/**
 * iommufd_ioas_ranges - list what is not reserved
 * @ioas: The IOAS
 * @count: Set to the number of ranges
 * @alignment: Set to the alignment that mappings need, in bytes
 *
 * Return: the ranges in ascending order, for kvfree(), or NULL without memory.
 */
struct iommu_iova_range *iommufd_ioas_ranges(struct iommufd_ioas *ioas,
					     unsigned int *count,
					     unsigned long *alignment)
{
	struct iommu_iova_range *ranges;
	unsigned int capacity = 0;

	do {
		capacity += SPARE_RANGES;
		ranges = kvmalloc_array(capacity, sizeof(*ranges),
					GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return NULL;
		*count = iopt_ranges(&ioas->iopt, ranges, capacity, alignment);
		if (*count <= capacity)
			return ranges;
		kvfree(ranges);
		capacity = *count;
	} while (true);
}

/* The list is copied to user space without a lock: that can take indefinitely long */
static int copy_ranges(struct iommufd_ioas *ioas,
		       struct iommu_ioas_iova_ranges *args)
{
	struct iommu_iova_range *ranges;
	unsigned long alignment;
	unsigned int count;
	int rc = 0;

	ranges = iommufd_ioas_ranges(ioas, &count, &alignment);
	if (!ranges)
		return -ENOMEM;
	if (copy_to_user(u64_to_user_ptr(args->allowed_iovas), ranges,
			 min(count, args->num_iovas) * sizeof(*ranges)))
		rc = -EFAULT;
	else if (count > args->num_iovas)
		rc = -EMSGSIZE;
	args->num_iovas = count;
	args->out_iova_alignment = alignment;
	kvfree(ranges);
	return rc;
}

/**
 * iommufd_ioas_iova_ranges - IOMMU_IOAS_IOVA_RANGES
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENOENT, -EFAULT, -ENOMEM, -EMSGSIZE.
 */
int iommufd_ioas_iova_ranges(struct iommufd_command *command)
{
	struct iommu_ioas_iova_ranges *args = command->args;
	struct iommufd_ioas *ioas;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	ioas = iommufd_ioas_get(command->ctx, args->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	rc = copy_ranges(ioas, args);
	ioas_put(ioas);
	if (rc && rc != -EMSGSIZE)
		return rc;
	return iommufd_respond(command) ?: rc;
}

static int read_allowed(struct rb_root_cached *allowed,
			const struct iommu_ioas_allow_iovas *args)
{
	struct iommu_iova_range __user *user =
		u64_to_user_ptr(args->allowed_iovas);
	struct iommu_iova_range range;
	u32 i;
	int rc = 0;

	for (i = 0; i != args->num_iovas && !rc; i++) {
		if (copy_from_user(&range, &user[i], sizeof(range)))
			return -EFAULT;
		if (range.start >= range.last)
			return -EINVAL;
		rc = iopt_allowed_add(allowed, range.start, range.last);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return rc;
}

/**
 * iommufd_ioas_allow_iovas - IOMMU_IOAS_ALLOW_IOVAS
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENOENT, -EFAULT, -EINVAL, -ENOMEM, -EADDRINUSE.
 */
int iommufd_ioas_allow_iovas(struct iommufd_command *command)
{
	struct iommu_ioas_allow_iovas *args = command->args;
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	struct iommufd_ioas *ioas;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	ioas = iommufd_ioas_get(command->ctx, args->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	rc = read_allowed(&allowed, args);
	if (!rc)
		rc = iopt_allow(&ioas->iopt, &allowed);
	iopt_allowed_free(&allowed);
	ioas_put(ioas);
	return rc;
}

static bool nothing_permitted(u32 flags)
{
	return !(flags & (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE));
}

static int map_prot(u32 flags)
{
	int prot = IOMMU_CACHE;

	if (flags & IOMMU_IOAS_MAP_READABLE)
		prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		prot |= IOMMU_WRITE;
	return prot;
}

static int map_user(struct iommufd_ioas *ioas, struct iommu_ioas_map *args)
{
	struct iopt_request request = {
		.iova = args->iova,
		.fixed = args->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.length = args->length,
		.prot = map_prot(args->flags),
		.mode = READ_ONCE(ioas->object.ctx->account_mode),
		.address = args->user_va,
		.areas = LIST_HEAD_INIT(request.areas),
	};
	unsigned long end;
	int rc;

	if (check_add_overflow(request.address, request.length, &end))
		return -EOVERFLOW;
	if (!request.length || request.length > ULONG_MAX - PAGE_SIZE)
		return -EINVAL;
	rc = iopt_map_user(&ioas->iopt, &request);
	if (!rc)
		args->iova = request.iova;
	return rc;
}

/**
 * iommufd_ioas_map - IOMMU_IOAS_MAP
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -EOVERFLOW, -EINVAL, -ENOENT, -ENOMEM, as iopt_map_user();
 * -EFAULT also if the result can't be told, the mapping is there then.
 */
int iommufd_ioas_map(struct iommufd_command *command)
{
	struct iommu_ioas_map *args = command->args;
	struct iommufd_ioas *ioas;
	int rc;

	if ((args->flags & ~MAP_FLAGS) || args->__reserved)
		return -EOPNOTSUPP;
	if (args->iova == ULONG_MAX || args->length == ULONG_MAX)
		return -EOVERFLOW;
	if (nothing_permitted(args->flags))
		return -EINVAL;
	ioas = iommufd_ioas_get(command->ctx, args->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	rc = map_user(ioas, args);
	ioas_put(ioas);
	return rc ?: iommufd_respond_u64(command, &args->iova);
}

static int collect_copies(struct iommufd_command *command,
			  const struct iommu_ioas_copy *args,
			  struct iopt_request *request)
{
	struct iommufd_ioas *source;
	unsigned long last;
	int rc;

	source = iommufd_ioas_get(command->ctx, args->src_ioas_id);
	if (IS_ERR(source))
		return PTR_ERR(source);
	if (!args->length)
		rc = -EINVAL;
	else if (check_add_overflow(args->src_iova, args->length - 1, &last))
		rc = -EOVERFLOW;
	else
		rc = iopt_collect_copies(&source->iopt, args->src_iova,
					 request);
	ioas_put(source);
	return rc;
}

/**
 * iommufd_ioas_copy - IOMMU_IOAS_COPY
 * @command: The call
 *
 * Return: as iommufd_ioas_map(), and -ENOENT: not all of the source is mapped.
 */
int iommufd_ioas_copy(struct iommufd_command *command)
{
	struct iommu_ioas_copy *args = command->args;
	struct iopt_request request = {
		.iova = args->dst_iova,
		.fixed = args->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.length = args->length,
		.prot = map_prot(args->flags),
		.areas = LIST_HEAD_INIT(request.areas),
	};
	struct iommufd_ioas *ioas;
	int rc;

	if (args->flags & ~MAP_FLAGS)
		return -EOPNOTSUPP;
	if (args->length == ULONG_MAX || args->src_iova == ULONG_MAX ||
	    args->dst_iova == ULONG_MAX)
		return -EOVERFLOW;
	if (nothing_permitted(args->flags))
		return -EINVAL;

	rc = collect_copies(command, args, &request);
	if (rc)
		return rc;
	ioas = iommufd_ioas_get(command->ctx, args->dst_ioas_id);
	if (IS_ERR(ioas)) {
		iopt_free_areas(&request.areas);
		return PTR_ERR(ioas);
	}
	rc = iopt_map_copies(&ioas->iopt, &request);
	ioas_put(ioas);
	if (rc)
		return rc;
	args->dst_iova = request.iova;
	return iommufd_respond(command);
}

static int ioas_unmap_range(struct io_pagetable *iopt,
			    const struct iommu_ioas_unmap *args,
			    unsigned long *unmapped)
{
	unsigned long last;

	if (args->iova == 0 && args->length == ULONG_MAX)
		return iopt_unmap_all(iopt, unmapped);
	if (args->iova == ULONG_MAX || args->length == ULONG_MAX)
		return -EOVERFLOW;
	if (!args->length)
		return -EINVAL;
	if (check_add_overflow(args->iova, args->length - 1, &last))
		return -EOVERFLOW;
	return iopt_unmap(iopt, args->iova, last, unmapped);
}

/**
 * iommufd_ioas_unmap - IOMMU_IOAS_UNMAP
 * @command: The call
 *
 * Return: 0, -ENOENT, -EOVERFLOW, -EINVAL, as iopt_unmap(); -EFAULT: the result
 * can't be told, the mappings are gone then.
 */
int iommufd_ioas_unmap(struct iommufd_command *command)
{
	struct iommu_ioas_unmap *args = command->args;
	struct iommufd_ioas *ioas;
	unsigned long unmapped;
	int rc;

	ioas = iommufd_ioas_get(command->ctx, args->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = ioas_unmap_range(&ioas->iopt, args, &unmapped);
	ioas_put(ioas);
	if (rc)
		return rc;
	args->length = unmapped;
	return iommufd_respond_u64(command, &args->length);
}
