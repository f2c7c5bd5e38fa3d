/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VFIO container in terms of an IOAS.
 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

#include <linux/compiler_types.h>

struct iommufd_command;
struct iommufd_ctx;
struct iommufd_ioas;

/* vfio_compat.c: the IOAS that stands for the container, and all requests */
int iommufd_vfio_ioas(struct iommufd_command *command);
struct iommufd_ioas *vfio_compat_ioas_get(struct iommufd_ctx *ctx);
long vfio_compat_ioctl(struct iommufd_ctx *ctx, unsigned int request,
		       unsigned long argument);

/* vfio_compat_info.c: what it says of itself */
int vfio_compat_check_extension(struct iommufd_ctx *ctx,
				unsigned long extension);
int vfio_compat_get_info(struct iommufd_ctx *ctx, void __user *user);

/* vfio_compat_map.c: its mappings */
int vfio_compat_map(struct iommufd_ctx *ctx, void __user *user);
int vfio_compat_unmap(struct iommufd_ctx *ctx, void __user *user);

#endif
