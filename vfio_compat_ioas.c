// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAS that stands for a VFIO container: IOMMU_VFIO_IOAS.
 *
 * The pointer to the IOAS takes no reference. Whoever destroys the IOAS clears the
 * pointer under the same lock, that of the object table.
 */
#include <linux/module.h>

#include "attach.h"
#include "ioas.h"
#include "vfio_compat.h"

/**
 * vfio_compat_init - a context is no container yet
 * @compat: Of the new context, zeroed
 */
void vfio_compat_init(struct vfio_compat *compat)
{
	mutex_init(&compat->tracking_lock);
	mutex_init(&compat->lock);
	INIT_LIST_HEAD(&compat->groups);
}

/**
 * vfio_compat_destroy - the opposite of vfio_compat_init()
 * @compat: Of a context of which no group has a reference
 */
void vfio_compat_destroy(struct vfio_compat *compat)
{
	WARN_ON(!list_empty(&compat->groups));
	mutex_destroy(&compat->lock);
	mutex_destroy(&compat->tracking_lock);
}

/**
 * vfio_compat_ioas_get - the IOAS that stands for the container
 * @ctx: The context
 *
 * Return: the IOAS with a reference to its object, or ERR_PTR(-ENODEV).
 */
struct iommufd_ioas *vfio_compat_ioas_get(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas = ERR_PTR(-ENODEV);

	xa_lock(&ctx->objects);
	/* Zero: it is being destroyed, but did not get to clear the pointer yet */
	if (ctx->compat.ioas &&
	    refcount_inc_not_zero(&ctx->compat.ioas->object.users))
		ioas = ctx->compat.ioas;
	xa_unlock(&ctx->objects);
	return ioas;
}

/**
 * iommufd_vfio_compat_ioas_get_id - the IOAS that stands for the container
 * @ctx: The context
 * @out_ioas_id: Set to its id
 *
 * Return: 0 or -ENODEV.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ctx, u32 *out_ioas_id)
{
	struct iommufd_ioas *ioas = vfio_compat_ioas_get(ctx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	*out_ioas_id = ioas->object.id;
	iommufd_object_put(&ioas->object);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu - a no-iommu group joins the container
 * @ctx: The context
 *
 * It never becomes a container of ordinary groups after that.
 *
 * Return: 0, or -EINVAL: it is one already.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ctx)
{
	int rc = 0;

	xa_lock(&ctx->objects);
	if (ctx->compat.ioas)
		rc = -EINVAL;
	else
		ctx->compat.no_iommu = true;
	xa_unlock(&ctx->objects);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

static bool vfio_compat_has_ioas(struct iommufd_ctx *ctx)
{
	return READ_ONCE(ctx->compat.ioas);
}

/**
 * iommufd_vfio_compat_ioas_create - have an IOAS stand for the container
 * @ctx: The context
 *
 * Return: 0, also if there was one; -EINVAL a no-iommu group has joined;
 * -ENOMEM, -EBUSY without a free id.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ctx)
{
	struct iommufd_ioas *ioas;
	bool new;
	int rc = 0;

	ioas = iommufd_ioas_new(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	new = !vfio_compat_has_ioas(ctx);
	if (new)
		iommufd_attach_prepare_new(ioas);

	xa_lock(&ctx->objects);
	if (ctx->compat.no_iommu) {
		rc = -EINVAL;
	} else if (ctx->compat.ioas) {
		rc = -EEXIST;
	} else {
		ctx->compat.ioas = ioas;
		ctx->compat.made_ioas = true;
	}
	xa_unlock(&ctx->objects);

	if (rc && new)
		iommufd_attach_unprepare(iommufd_attach_prepared(ctx));
	if (rc)
		iommufd_object_discard(&ioas->object);
	else
		iommufd_object_publish(&ioas->object);
	return rc == -EEXIST ? 0 : rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

static int compat_ioas_set(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_ioas *ioas = iommufd_ioas_get(ctx, id);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	xa_lock(&ctx->objects);
	ctx->compat.ioas = ioas;
	ctx->compat.made_ioas = false;
	xa_unlock(&ctx->objects);
	iommufd_object_put(&ioas->object);
	return 0;
}

static void compat_ioas_clear(struct iommufd_ctx *ctx)
{
	xa_lock(&ctx->objects);
	ctx->compat.ioas = NULL;
	xa_unlock(&ctx->objects);
}

/**
 * iommufd_vfio_ioas - IOMMU_VFIO_IOAS
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -ENODEV, -ENOENT, -EFAULT.
 */
int iommufd_vfio_ioas(struct iommufd_command *command)
{
	struct iommu_vfio_ioas *args = command->args;
	struct iommufd_ctx *ctx = command->ctx;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	switch (args->op) {
	case IOMMU_VFIO_IOAS_GET:
		rc = iommufd_vfio_compat_ioas_get_id(ctx, &args->ioas_id);
		return rc ?: iommufd_respond(command);
	case IOMMU_VFIO_IOAS_SET:
		return compat_ioas_set(ctx, args->ioas_id);
	case IOMMU_VFIO_IOAS_CLEAR:
		compat_ioas_clear(ctx);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}
