/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VFIO container in terms of an IOAS.
 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>

struct iommufd_command;
struct iommufd_ctx;
struct iommufd_ioas;

/**
 * struct vfio_compat - a context as a VFIO container
 * @ioas: The IOAS that stands for it, no reference; under the xa_lock of
 *        iommufd_ctx.objects, as are @made_ioas and @no_iommu
 * @made_ioas: It was made because a group joined, not chosen by user space
 * @no_iommu: A no-iommu group has joined
 * @version1: UNMAP_DMA follows the rules of type1 version 1
 * @tracking_lock: Requests that start, stop and read dirty tracking exclude each
 *                 other, also while a bitmap is faulted in. Nothing that tears down
 *                 takes it
 * @lock: Protects all that follows; no user memory is waited for under it
 * @groups: struct compat_group.link (vfio_compat_group.c)
 * @attaches: All groups behind an IOMMU are attached, and so are those that join
 */
struct vfio_compat {
	struct iommufd_ioas *ioas;
	bool made_ioas;
	bool no_iommu;
	bool version1;

	struct mutex tracking_lock; /* requests for dirty tracking */
	struct mutex lock; /* the groups */
	struct list_head groups;
	bool attaches;
};

/* vfio_compat.c: its device node and its requests */
int vfio_compat_node_register(const struct file_operations *fops);
void vfio_compat_node_deregister(void);
bool vfio_compat_node_opened(const struct inode *inode);
long vfio_compat_ioctl(struct iommufd_ctx *ctx, unsigned int request,
		       unsigned long argument);

/* vfio_compat_group.c: the groups in it */
int vfio_compat_attach_groups(struct iommufd_ctx *ctx,
			      struct iommufd_ioas *ioas);

/* vfio_compat_map.c: its mappings, and which of their pages are dirty */
int vfio_compat_map(struct iommufd_ctx *ctx, void __user *user);
int vfio_compat_unmap(struct iommufd_ctx *ctx, void __user *user);
int vfio_compat_dirty_pages(struct iommufd_ctx *ctx, void __user *user);

/* vfio_compat_ioas.c: the IOAS that stands for it */
void vfio_compat_init(struct vfio_compat *compat);
void vfio_compat_destroy(struct vfio_compat *compat);
struct iommufd_ioas *vfio_compat_ioas_get(struct iommufd_ctx *ctx);

#endif
