// SPDX-License-Identifier: GPL-2.0-only
/*
 * The access: a kernel driver that reaches user memory by IOVA, with the CPU.
 *
 * Owns which IOAS an emulated device uses, and the calls between its driver and
 * us. What is done with memory is in access_pages.c. It must never know how
 * pages are pinned.
 *
 * A call can hang in a page fault. It keeps the IOAS from being destroyed, and its
 * own driver from destroying the access, but nobody from detaching: when it comes
 * back and finds the IOAS gone from the access, it has pinned nothing.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "access.h"
#include "ioas.h"

/* How long to ask a driver to let go before it is a bug of it, and how often */
#define DETACH_JIFFIES HZ
#define ASK_AGAIN_JIFFIES msecs_to_jiffies(10)

static void unmap_for_driver(struct iopt_access *entry, unsigned long iova,
			     unsigned long length)
{
	struct iommufd_access *access =
		container_of(entry, struct iommufd_access, entry);

	if (access->ops->unmap)
		access->ops->unmap(access->data, iova, length);
}

static void access_destroy(struct iommufd_object *object)
{
	struct iommufd_access *access =
		container_of(object, struct iommufd_access, object);

	iommufd_access_detach(access);
	iommufd_ctx_put(object->ctx);
}

static const struct iommufd_object_ops access_ops = {
	.type = IOMMUFD_OBJECT_ACCESS,
	.destroy = access_destroy,
};

/**
 * iommufd_access_create - make an access for an emulated device
 * @ctx: The context
 * @ops: The driver's functions
 * @data: Handed to them
 * @id: Set to the id of the new object
 *
 * Return: the access, for iommufd_access_destroy(), or an ERR_PTR: -ENOMEM,
 * -EBUSY without a free id.
 */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ctx,
		      const struct iommufd_access_ops *ops, void *data,
		      u32 *id)
{
	struct iommufd_access *access;

	access = iommufd_object_new(ctx, access, object, &access_ops);
	if (IS_ERR(access))
		return access;
	spin_lock_init(&access->lock);
	access->entry.unmap = unmap_for_driver;
	access->ops = ops;
	access->data = data;
	iommufd_ctx_get(ctx);
	/* The driver's, so that IOMMU_DESTROY finds it in use */
	refcount_inc(&access->object.users);
	*id = access->object.id;
	iommufd_object_publish(&access->object);
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

/**
 * iommufd_access_destroy - the end of an access
 * @access: All its pins are gone, or go when its unmap function is called
 *
 * On return no function of the driver runs or will be called. Waits for the
 * driver's own calls that work with the access.
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	iommufd_object_remove(&access->object);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

static int join(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	int rc = 0;

	if (access->ops->needs_pin_pages)
		rc = iopt_add_page_user(&ioas->iopt);
	if (rc)
		return rc;
	iopt_add_access(&ioas->iopt, &access->entry);
	WRITE_ONCE(access->unpin_ioas, ioas);
	return 0;
}

static void leave(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	iopt_remove_access(&ioas->iopt, &access->entry);
	/* Whoever kept pins may still unpin them: the IOAS has to stay */
	if (WARN_ON(atomic_long_read(&access->pins)))
		return;
	WRITE_ONCE(access->unpin_ioas, NULL);
	if (access->ops->needs_pin_pages)
		iopt_remove_page_user(&ioas->iopt);
	iommufd_object_put(&ioas->object);
}

/*
 * Have the driver let go of everything. It may do so in another thread that has
 * begun already, in which case its unmap function need not wait for it, so we do.
 */
static void drop_all_pins(struct iommufd_access *access,
			  struct iommufd_ioas *ioas)
{
	unsigned long end = jiffies + DETACH_JIFFIES;

	while (atomic_long_read(&access->pins) && time_before(jiffies, end)) {
		iopt_ask_accesses(&ioas->iopt, &access->entry, 0, ULONG_MAX);
		wait_var_event_timeout(&access->pins,
				       !atomic_long_read(&access->pins),
				       ASK_AGAIN_JIFFIES);
	}
}

/* New calls find another IOAS, or none; returns the old one */
static struct iommufd_ioas *exchange_ioas(struct iommufd_access *access,
					  struct iommufd_ioas *ioas)
{
	spin_lock(&access->lock);
	swap(access->ioas, ioas);
	spin_unlock(&access->lock);
	return ioas;
}

/**
 * iommufd_access_begin - work with the IOAS of an access
 * @access: The access, which stays until iommufd_access_end()
 *
 * Return: the IOAS with a reference to its object, or NULL; the access may be
 * detached from it at any time.
 */
struct iommufd_ioas *iommufd_access_begin(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas;

	/* The access's own reference can go before iommufd_access_end() is over */
	iommufd_ctx_get(access->object.ctx);
	refcount_inc(&access->object.users);
	spin_lock(&access->lock);
	ioas = access->ioas;
	if (ioas)
		refcount_inc(&ioas->object.users);
	spin_unlock(&access->lock);
	return ioas;
}

/**
 * iommufd_access_end - the opposite of iommufd_access_begin()
 * @access: The access
 * @ioas: What that returned
 */
void iommufd_access_end(struct iommufd_access *access,
			struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ctx = access->object.ctx;

	if (ioas)
		iommufd_object_put(&ioas->object);
	iommufd_object_put(&access->object);
	iommufd_ctx_put(ctx);
}

/**
 * iommufd_access_count_pins - pages were pinned, and are the access's from now on
 * @access: The access
 * @ioas: Of iommufd_access_begin()
 * @npages: How many
 *
 * Return: false if the access uses @ioas no more: nobody would let go of them.
 */
bool iommufd_access_count_pins(struct iommufd_access *access,
			       const struct iommufd_ioas *ioas,
			       unsigned long npages)
{
	bool same;

	spin_lock(&access->lock);
	same = access->ioas == ioas;
	if (same)
		atomic_long_add(npages, &access->pins);
	spin_unlock(&access->lock);
	return same;
}

/**
 * iommufd_access_attach - use an IOAS
 * @access: Attached to nothing
 * @ioas_id: The IOAS
 *
 * Return: 0, -EINVAL attached already, -ENOENT no such IOAS, -EADDRINUSE pages
 * are to be pinned, but mappings are not aligned to PAGE_SIZE.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (READ_ONCE(access->unpin_ioas))
		return -EINVAL;
	ioas = iommufd_ioas_get(access->object.ctx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = join(access, ioas);
	if (rc)
		iommufd_object_put(&ioas->object);
	else
		exchange_ioas(access, ioas);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_detach - use no IOAS any more
 * @access: Attached or not
 *
 * The driver's unmap function is called for everything that is pinned. Calls that
 * work with the access at this moment, and may hang, are not waited for: they fail,
 * or do to the old IOAS what they were called for.
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas = exchange_ioas(access, NULL);

	if (!ioas)
		return;
	drop_all_pins(access, ioas);
	leave(access, ioas);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_replace - use another IOAS
 * @access: Attached
 * @ioas_id: The new one
 *
 * The driver's unmap function is called for everything that is pinned in the old
 * one. Calls in between find no IOAS.
 *
 * Return: 0; with nothing changed -ENOENT not attached or no such IOAS, or
 * -EADDRINUSE as iommufd_access_attach().
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (!READ_ONCE(access->unpin_ioas))
		return -ENOENT;
	ioas = iommufd_ioas_get(access->object.ctx, ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (ioas == access->unpin_ioas) {
		iommufd_object_put(&ioas->object);
		return 0;
	}

	/* Holds the new alignment while the old IOAS is left */
	if (access->ops->needs_pin_pages)
		rc = iopt_add_page_user(&ioas->iopt);
	if (rc) {
		iommufd_object_put(&ioas->object);
		return rc;
	}
	iommufd_access_detach(access);
	rc = join(access, ioas);
	WARN_ON(rc);
	if (access->ops->needs_pin_pages)
		iopt_remove_page_user(&ioas->iopt);
	exchange_ioas(access, ioas);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);
