// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device /dev/iommu.
 *
 * The file operations, the table of commands, and how a command's structure gets from
 * user space and back. A new command is a line in the table and a function in the file of
 * its object.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "device.h"
#include "fault.h"
#include "hw_pagetable.h"
#include "hwpt_nested.h"
#include "ioas.h"
#include "iommufd_private.h"
#include "iopt/io_area.h"
#include "memory/account.h"
#include "memory/workers.h"
#include "selftest/selftest.h"
#include "vfio_compat.h"

#ifdef CONFIG_IOMMUFD_TEST
#include "iommufd_test.h"
#define LAST_NR _IOC_NR(IOMMU_TEST_CMD)
#else
#define LAST_NR IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA
#endif

union command_args {
	struct iommu_destroy destroy;
	struct iommu_fault_alloc fault_alloc;
	struct iommu_hwpt_alloc hwpt_alloc;
	struct iommu_hw_info hw_info;
	struct iommu_hwpt_get_dirty_bitmap hwpt_get_dirty_bitmap;
	struct iommu_hwpt_invalidate hwpt_invalidate;
	struct iommu_hwpt_set_dirty_tracking hwpt_set_dirty_tracking;
	struct iommu_ioas_alloc ioas_alloc;
	struct iommu_ioas_allow_iovas ioas_allow_iovas;
	struct iommu_ioas_copy ioas_copy;
	struct iommu_ioas_iova_ranges ioas_iova_ranges;
	struct iommu_ioas_map ioas_map;
	struct iommu_ioas_unmap ioas_unmap;
	struct iommu_option option;
	struct iommu_vfio_ioas vfio_ioas;
#ifdef CONFIG_IOMMUFD_TEST
	struct iommu_test_cmd test;
#endif
};

struct command_entry {
	unsigned int request;
	u32 size;
	u32 min_size;
	int (*run)(struct iommufd_command *command);
};

#define COMMAND(_request, _run, _struct, _last)                               \
	[_IOC_NR(_request) - IOMMUFD_CMD_BASE] = {                            \
		.request = _request,                                          \
		.size = sizeof(struct _struct) +                              \
			BUILD_BUG_ON_ZERO(sizeof(struct _struct) >            \
					  sizeof(union command_args)),        \
		.min_size = offsetofend(struct _struct, _last),               \
		.run = _run,                                                  \
	}

/* In the order of the numbers; a gap is a command that answers ENOTTY */
static const struct command_entry commands[] = {
	COMMAND(IOMMU_DESTROY, iommufd_destroy, iommu_destroy, id),
	COMMAND(IOMMU_IOAS_ALLOC, iommufd_ioas_alloc, iommu_ioas_alloc,
		out_ioas_id),
	COMMAND(IOMMU_IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas,
		iommu_ioas_allow_iovas, allowed_iovas),
	COMMAND(IOMMU_IOAS_COPY, selftest_ioas_copy, iommu_ioas_copy, src_iova),
	COMMAND(IOMMU_IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges,
		iommu_ioas_iova_ranges, out_iova_alignment),
	COMMAND(IOMMU_IOAS_MAP, iommufd_ioas_map, iommu_ioas_map, iova),
	COMMAND(IOMMU_IOAS_UNMAP, iommufd_ioas_unmap, iommu_ioas_unmap, length),
	COMMAND(IOMMU_OPTION, iommufd_option, iommu_option, val64),
	COMMAND(IOMMU_VFIO_IOAS, iommufd_vfio_ioas, iommu_vfio_ioas,
		__reserved),
	COMMAND(IOMMU_HWPT_ALLOC, iommufd_hwpt_alloc, iommu_hwpt_alloc,
		__reserved),
	COMMAND(IOMMU_GET_HW_INFO, iommufd_get_hw_info, iommu_hw_info,
		__reserved),
	COMMAND(IOMMU_HWPT_SET_DIRTY_TRACKING, iommufd_hwpt_set_dirty_tracking,
		iommu_hwpt_set_dirty_tracking, __reserved),
	COMMAND(IOMMU_HWPT_GET_DIRTY_BITMAP, iommufd_hwpt_get_dirty_bitmap,
		iommu_hwpt_get_dirty_bitmap, data),
	COMMAND(IOMMU_HWPT_INVALIDATE, iommufd_hwpt_invalidate,
		iommu_hwpt_invalidate, __reserved),
	COMMAND(IOMMU_FAULT_QUEUE_ALLOC, iommufd_fault_alloc, iommu_fault_alloc,
		out_fault_fd),
#ifdef CONFIG_IOMMUFD_TEST
	COMMAND(IOMMU_TEST_CMD, selftest_run, iommu_test_cmd, last),
#endif
};

/*
 * A structure comes as words. It has only a few, and that many instructions are less
 * than copy_from_user() needs to look at what it copies.
 */
static int read_words(u64 *words, const u64 __user *user, size_t count)
{
	const u64 *end = words + count;

	if (!user_read_access_begin(user, count * sizeof(*user)))
		return -EFAULT;
	for (; words != end; words++, user++)
		unsafe_get_user(*words, user, out_fault);
	user_read_access_end();
	return 0;

out_fault:
	user_read_access_end();
	return -EFAULT;
}

/* Not so if user space has an older or a newer structure */
static bool made_of_words(u32 size, u32 user_size)
{
	return size == user_size && !(size % sizeof(u64));
}

static int read_args(void *args, u32 size, void __user *user, u32 user_size)
{
	if (made_of_words(size, user_size))
		return read_words(args, user, size / sizeof(u64));
	return copy_struct_from_user(args, size, user, user_size);
}

static int run_command(struct iommufd_ctx *ctx,
		       const struct command_entry *entry, void __user *user,
		       u32 user_size)
{
	union command_args args __uninitialized;
	struct iommufd_command command = {
		.ctx = ctx,
		.args = &args,
		.user = user,
		.user_size = user_size,
		.size = entry->size,
	};
	int rc;

	if (user_size < entry->min_size)
		return -EINVAL;
	rc = read_args(&args, entry->size, user, user_size);
	if (rc)
		return rc;
	return entry->run(&command);
}

static long iommufd_fops_ioctl(struct file *file, unsigned int request,
			       unsigned long argument)
{
	struct iommufd_ctx *ctx = file->private_data;
	void __user *user = (void __user *)argument;
	unsigned int nr = _IOC_NR(request);
	const struct command_entry *entry;
	u32 user_size;

	if (nr < IOMMUFD_CMD_BASE)
		return vfio_compat_ioctl(ctx, request, argument);
	if (nr > LAST_NR)
		return -ENOTTY;
	if (get_user(user_size, (u32 __user *)user))
		return -EFAULT;

	nr -= IOMMUFD_CMD_BASE;
	if (nr >= ARRAY_SIZE(commands))
		return -ENOTTY;
	entry = &commands[array_index_nospec(nr, ARRAY_SIZE(commands))];
	if (!entry->run || entry->request != request)
		return -ENOTTY;
	return run_command(ctx, entry, user, user_size);
}

/* The container has an entry for 32-bit programs, the commands have none */
static long iommufd_fops_compat_ioctl(struct file *file, unsigned int request,
				      unsigned long argument)
{
	if (_IOC_NR(request) >= IOMMUFD_CMD_BASE)
		return -ENOTTY;
	return compat_ptr_ioctl(file, request, argument);
}

/* Only offsets that a driver reported can be mapped; there are none yet */
static int iommufd_fops_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	return -ENXIO;
}

static int iommufd_fops_open(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ctx->file = file;
	iommufd_objects_init(ctx);
	xa_init(&ctx->groups);
	INIT_LIST_HEAD(&ctx->preparations);
	/* As its programs expect of a container, whatever requests they use */
	if (vfio_compat_node_opened(inode))
		ctx->account_mode = ACCOUNT_PROCESS; /* GCOVR_EXCL_LINE: only a module */
	vfio_compat_init(&ctx->compat);
	file->private_data = ctx;
	return nonseekable_open(inode, file);
}

static int iommufd_fops_release(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ctx = file->private_data;

	iommufd_objects_release(ctx);
	WARN_ON(!xa_empty(&ctx->groups));
	vfio_compat_destroy(&ctx->compat);
	kfree(ctx);
	return 0;
}

static const struct file_operations iommufd_fops = {
	.owner = THIS_MODULE,
	.open = iommufd_fops_open,
	.release = iommufd_fops_release,
	.unlocked_ioctl = iommufd_fops_ioctl,
	.compat_ioctl = iommufd_fops_compat_ioctl,
	.mmap = iommufd_fops_mmap,
};

/**
 * iommufd_ctx_from_file - the context of an open file
 * @file: Any file
 *
 * Return: the context with a reference, or ERR_PTR(-EBADFD): the file is not
 * /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	struct iommufd_ctx *ctx;

	if (file->f_op != &iommufd_fops)
		return ERR_PTR(-EBADFD);
	ctx = file->private_data;
	iommufd_ctx_get(ctx);
	return ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, IOMMUFD);

/**
 * iommufd_ctx_from_fd - the context of a file descriptor
 * @fd: A descriptor of the calling process
 *
 * Return: the context with a reference, ERR_PTR(-EBADF): not open,
 * ERR_PTR(-EBADFD): not /dev/iommu.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct iommufd_ctx *ctx;

	if (!file)
		return ERR_PTR(-EBADF);
	ctx = iommufd_ctx_from_file(file);
	fput(file);
	return ctx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, IOMMUFD);

static struct miscdevice iommufd_node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.nodename = "iommu",
	.mode = 0660,
	.fops = &iommufd_fops,
};

/* GCOVR_EXCL_START: without memory at boot there are no tests */
static int __init iommufd_init(void)
{
	int rc = io_areas_init();

	if (rc)
		return rc;
	rc = selftest_init();
	if (rc)
		goto out_areas;
	rc = workers_init();
	if (rc)
		goto out_selftest;
	rc = misc_register(&iommufd_node);
	if (rc)
		goto out_workers;
	rc = vfio_compat_node_register(&iommufd_fops);
	if (rc)
		goto out_node;
	return 0;

out_node:
	misc_deregister(&iommufd_node);
out_workers:
	workers_exit();
out_selftest:
	selftest_exit();
out_areas:
	io_areas_exit();
	return rc;
}

static void __exit iommufd_exit(void)
{
	vfio_compat_node_deregister();
	misc_deregister(&iommufd_node);
	workers_exit();
	selftest_exit();
	io_areas_exit();
	accounts_exit();
}

/* GCOVR_EXCL_STOP */

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("/dev/iommu: DMA to and from user space");
MODULE_LICENSE("GPL");
