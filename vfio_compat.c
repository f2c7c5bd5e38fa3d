// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO container in terms of an IOAS: its device node, the table of its requests,
 * and what it says of itself.
 *
 * /dev/vfio/vfio belongs to VFIO's own container or, by choice of the administrator or
 * because the kernel has no other, to this module.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/vfio.h>

#include "group.h"
#include "ioas.h"
#include "vfio_compat.h"

/* Mappings that may be made: no limit but memory */
#define DMA_AVAIL U32_MAX

/* Bytes of a dirty bitmap of all IOVAs: none is too large */
#define DIRTY_BITMAP_MAX (1ULL << (64 - PAGE_SHIFT - 3))

static bool vfio_container = IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER);
module_param(vfio_container, bool, 0444);
MODULE_PARM_DESC(vfio_container,
		 "Provide /dev/vfio/vfio instead of VFIO's own container (default: only if there is no other)");

static struct miscdevice vfio_node = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	.mode = 0666,
};

/**
 * vfio_compat_node_register - make the node, if it is to be ours
 * @fops: What files of it do
 *
 * Return: 0, or an error of misc_register().
 */
int vfio_compat_node_register(const struct file_operations *fops)
{
	vfio_node.fops = fops;
	return vfio_container ? misc_register(&vfio_node) : 0;
}

/* GCOVR_EXCL_START: the debug kernel has all built in */
/**
 * vfio_compat_node_deregister - the opposite of vfio_compat_node_register()
 */
void vfio_compat_node_deregister(void)
{
	if (vfio_container)
		misc_deregister(&vfio_node);
}

/* GCOVR_EXCL_STOP */

/**
 * vfio_compat_node_opened - is this inode the node?
 * @inode: Of a file that is being opened
 *
 * Return: yes or no.
 */
bool vfio_compat_node_opened(const struct inode *inode)
{
	return vfio_container && iminor(inode) == VFIO_MINOR;
}

/**
 * iommufd_vfio_compat_has_node - does iommufd provide /dev/vfio/vfio?
 *
 * Return: yes or no; never changes while the module is loaded.
 */
bool iommufd_vfio_compat_has_node(void)
{
	return vfio_container;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_has_node, IOMMUFD_VFIO);

/* Programs look for nothing but zero or not, so this never fails */
static int container_check_extension(struct iommufd_ctx *ctx, unsigned long extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ctx->compat.no_iommu);
	case VFIO_DMA_CC_IOMMU:
		return device_groups_enforce_coherency(ctx);
	case VFIO_NOIOMMU_IOMMU:
		return IS_ENABLED(CONFIG_VFIO_NOIOMMU);
	default:
		return 0;
	}
}

/* The structure and behind it the capabilities, as user space gets them */
struct compat_info {
	struct vfio_iommu_type1_info *start;
	/* Bytes used */
	u32 size;
	/* Where the offset of the next capability is to be written */
	u32 *next;
};

/* There is room: info_alloc() made it */
static void *add_capability(struct compat_info *info, u16 id, size_t size)
{
	struct vfio_info_cap_header *header =
		(void *)info->start + info->size;

	header->id = id;
	header->version = 1;
	*info->next = info->size;
	info->next = &header->next;
	info->size += ALIGN(size, sizeof(u64));
	return header;
}

/* A bit of the dirty bitmap is always for the smallest page */
static void add_migration(struct compat_info *info)
{
	struct vfio_iommu_type1_info_cap_migration *capability;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
				    sizeof(*capability));
	capability->pgsize_bitmap = PAGE_SIZE;
	capability->max_dirty_bitmap_size = DIRTY_BITMAP_MAX;
}

static void add_avail(struct compat_info *info)
{
	struct vfio_iommu_type1_info_dma_avail *capability;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
				    sizeof(*capability));
	capability->avail = DMA_AVAIL;
}

static void add_ranges(struct compat_info *info, const struct iommu_iova_range *ranges,
		       unsigned int count)
{
	struct vfio_iommu_type1_info_cap_iova_range *capability;
	unsigned int i;

	capability = add_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
				    struct_size(capability, iova_ranges,
						count));
	capability->nr_iovas = count;
	for (i = 0; i < count; i++) {
		capability->iova_ranges[i].start = ranges[i].start;
		capability->iova_ranges[i].end = ranges[i].last;
	}
}

static int info_alloc(struct compat_info *info, unsigned int nranges)
{
	size_t size = sizeof(*info->start) +
		      sizeof(struct vfio_iommu_type1_info_cap_migration) +
		      ALIGN(sizeof(struct vfio_iommu_type1_info_dma_avail),
			    sizeof(u64)) +
		      struct_size_t(struct vfio_iommu_type1_info_cap_iova_range,
				    iova_ranges, nranges);

	info->start = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!info->start)
		return -ENOMEM;
	info->size = sizeof(*info->start);
	info->next = &info->start->cap_offset;
	return 0;
}

/* Sizes below a page are of no use to programs, but a page is made of them */
static u64 page_sizes(struct io_pagetable *iopt)
{
	u64 sizes = iopt_page_sizes(iopt);

	return sizes & ~PAGE_MASK ? (sizes & PAGE_MASK) | PAGE_SIZE : sizes;
}

static int make_info(struct iommufd_ioas *ioas, struct compat_info *info)
{
	struct iommu_iova_range *ranges;
	unsigned long alignment;
	unsigned int count;
	int rc;

	ranges = iommufd_ioas_ranges(ioas, &count, &alignment);
	if (!ranges)
		return -ENOMEM;
	rc = info_alloc(info, count);
	if (!rc) {
		info->start->flags = VFIO_IOMMU_INFO_PGSIZES |
				     VFIO_IOMMU_INFO_CAPS;
		info->start->iova_pgsizes = page_sizes(&ioas->iopt);
		add_migration(info);
		add_avail(info);
		add_ranges(info, ranges, count);
	}
	kvfree(ranges);
	return rc;
}

/* If the capabilities don't fit, say how much would do */
static int compat_copy_info(struct compat_info *info, void __user *user, u32 user_size)
{
	u32 size = info->size;

	info->start->argsz = user_size;
	if (user_size < info->size) {
		info->start->argsz = info->size;
		info->start->cap_offset = 0;
		size = min_t(u32, user_size, sizeof(*info->start));
	}
	return copy_to_user(user, info->start, size) ? -EFAULT : 0;
}

static int container_get_info(struct iommufd_ctx *ctx, void __user *user)
{
	struct iommufd_ioas *ioas;
	struct compat_info info;
	u32 user_size;
	int rc;

	if (get_user(user_size, (u32 __user *)user))
		return -EFAULT;
	if (user_size < offsetofend(struct vfio_iommu_type1_info, iova_pgsizes))
		return -EINVAL;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = make_info(ioas, &info);
	iommufd_object_put(&ioas->object);
	if (rc)
		return rc;
	rc = compat_copy_info(&info, user, user_size);
	kvfree(info.start);
	return rc;
}

static int set_no_iommu(struct iommufd_ctx *ctx)
{
	if (!READ_ONCE(ctx->compat.no_iommu))
		return -EINVAL;
	return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
}

static int set_type1(struct iommufd_ctx *ctx, bool version1)
{
	struct iommufd_ioas *ioas;
	int rc;

	if (READ_ONCE(ctx->compat.no_iommu))
		return -EINVAL;
	ioas = vfio_compat_ioas_get(ctx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = vfio_compat_attach_groups(ctx, ioas);
	iommufd_object_put(&ioas->object);
	if (!rc)
		WRITE_ONCE(ctx->compat.version1, version1);
	return rc;
}

static int set_iommu(struct iommufd_ctx *ctx, unsigned long type)
{
	switch (type) {
	case VFIO_NOIOMMU_IOMMU:
		return set_no_iommu(ctx);
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
		return set_type1(ctx, type == VFIO_TYPE1_IOMMU);
	default:
		return -EINVAL;
	}
}

/**
 * vfio_compat_ioctl - a request to the file as a VFIO container
 * @ctx: The context
 * @request: The request
 * @argument: A value or an address in user space, as the request wants it
 *
 * Return: 0, what the request returns, or -ENOTTY: there is no such request.
 */
long vfio_compat_ioctl(struct iommufd_ctx *ctx, unsigned int request,
		       unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return container_check_extension(ctx, argument);
	case VFIO_SET_IOMMU:
		return set_iommu(ctx, argument);
	case VFIO_IOMMU_GET_INFO:
		return container_get_info(ctx, user);
	case VFIO_IOMMU_MAP_DMA:
		return vfio_compat_map(ctx, user);
	case VFIO_IOMMU_UNMAP_DMA:
		return vfio_compat_unmap(ctx, user);
	case VFIO_IOMMU_DIRTY_PAGES:
		return vfio_compat_dirty_pages(ctx, user);
	default:
		return -ENOTTY;
	}
}

#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
#endif
