// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an attach does before it takes any lock.
 *
 * An attach pins memory, which can fault and take indefinitely: user space decides when a
 * page fault ends. No lock that a teardown needs may be held meanwhile, neither ours nor
 * one of the driver that calls us. So a thread prepares an attach first, and this file
 * keeps the list of the threads that have. Between prepare and finish the thread's
 * attaches fault nothing in: they refuse an IOAS that was not prepared.
 */
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "attach.h"
#include "ioas.h"

/**
 * struct iommufd_preparation - a thread is about to attach
 * @link: In iommufd_ctx.preparations
 * @ctx: The context
 * @task: The thread
 * @ioas: Its memory is pinned, with a reference to the object; or NULL, what is
 *        attached to was no IOAS
 */
struct iommufd_preparation {
	struct list_head link;
	struct iommufd_ctx *ctx;
	struct task_struct *task;
	struct iommufd_ioas *ioas;
};

static int prepare(struct iommufd_preparation *preparation, u32 pt_id)
{
	struct iommufd_ioas *ioas = iommufd_ioas_get(preparation->ctx, pt_id);
	int rc;

	/* The attach itself will tell */
	if (IS_ERR(ioas))
		return 0;
	rc = iopt_add_pinner(&ioas->iopt);
	if (rc)
		iommufd_object_put(&ioas->object);
	else
		preparation->ioas = ioas;
	return rc;
}

/**
 * iommufd_attach_prepare - do the part of an attach that can take indefinitely long
 * @ctx: The context
 * @pt_id: What is going to be attached to
 *
 * A driver calls this before it takes the locks under which it calls
 * iommufd_device_attach() or iommufd_device_replace(), in the same thread, if anybody
 * else waits for these locks: a process that hangs then hangs alone. If @pt_id is an
 * IOAS, all that is mapped there is pinned and stays so. Sleeps, maybe indefinitely, but
 * ends by SIGKILL.
 *
 * Return: for iommufd_attach_finish(); or an ERR_PTR: -ENOMEM, or as io_pages_hold():
 * memory can't be pinned. It is no error if there is nothing with this id.
 */
struct iommufd_preparation *iommufd_attach_prepare(struct iommufd_ctx *ctx,
						   u32 pt_id)
{
	struct iommufd_preparation *preparation;
	int rc;

	preparation = kzalloc(sizeof(*preparation), GFP_KERNEL_ACCOUNT);
	if (!preparation)
		return ERR_PTR(-ENOMEM);
	preparation->ctx = ctx;
	preparation->task = current;
	rc = prepare(preparation, pt_id);
	if (rc) {
		kfree(preparation);
		return ERR_PTR(rc);
	}
	xa_lock(&ctx->objects);
	list_add(&preparation->link, &ctx->preparations);
	xa_unlock(&ctx->objects);
	return preparation;
}
EXPORT_SYMBOL_NS_GPL(iommufd_attach_prepare, IOMMUFD);

/**
 * iommufd_attach_unprepare - the IOAS of a preparation needs to be pinned no more
 * @preparation: Of the calling thread, or NULL
 *
 * Cannot fail. Sleeps.
 */
void iommufd_attach_unprepare(struct iommufd_preparation *preparation)
{
	if (!preparation || !preparation->ioas)
		return;
	iopt_remove_pinner(&preparation->ioas->iopt);
	iommufd_object_put(&preparation->ioas->object);
	preparation->ioas = NULL;
}

/**
 * iommufd_attach_finish - the opposite of iommufd_attach_prepare()
 * @preparation: What that returned, no ERR_PTR; or NULL
 *
 * Unpins what no attachment needs. Cannot fail.
 */
void iommufd_attach_finish(struct iommufd_preparation *preparation)
{
	struct iommufd_ctx *ctx;

	if (!preparation)
		return;
	ctx = preparation->ctx;
	xa_lock(&ctx->objects);
	list_del(&preparation->link);
	xa_unlock(&ctx->objects);
	iommufd_attach_unprepare(preparation);
	kfree(preparation);
}
EXPORT_SYMBOL_NS_GPL(iommufd_attach_finish, IOMMUFD);

/**
 * iommufd_attach_prepare_new - an IOAS made after the preparation takes its place
 * @ioas: Not published, and empty: nothing is faulted in here
 *
 * If the calling thread has prepared an attach, it was one to an IOAS that was not
 * there, or is not there any more. What is mapped in @ioas from now on is pinned by who
 * maps it. Cannot fail. Sleeps.
 */
void iommufd_attach_prepare_new(struct iommufd_ioas *ioas)
{
	struct iommufd_preparation *preparation =
		iommufd_attach_prepared(ioas->object.ctx);

	if (!preparation)
		return;
	iommufd_attach_unprepare(preparation);
	WARN_ON(iopt_add_pinner(&ioas->iopt));
	refcount_inc(&ioas->object.users);
	preparation->ioas = ioas;
}

/**
 * iommufd_attach_prepared - what the calling thread has prepared
 * @ctx: The context
 *
 * Return: the preparation, or NULL.
 */
struct iommufd_preparation *iommufd_attach_prepared(struct iommufd_ctx *ctx)
{
	struct iommufd_preparation *preparation, *found = NULL;

	xa_lock(&ctx->objects);
	list_for_each_entry(preparation, &ctx->preparations, link)
		if (preparation->task == current) {
			found = preparation;
			break;
		}
	xa_unlock(&ctx->objects);
	return found;
}

/**
 * iommufd_attach_prepared_ioas - the IOAS whose memory is pinned
 * @preparation: Of the calling thread, or NULL
 *
 * Return: the IOAS, or NULL.
 */
struct iommufd_ioas *
iommufd_attach_prepared_ioas(const struct iommufd_preparation *preparation)
{
	return preparation ? preparation->ioas : NULL;
}
