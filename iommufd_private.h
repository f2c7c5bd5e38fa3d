/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommufd from the inside: a table of contents.
 *
 * The floors of the house, from the roof to the ground: each calls only itself and
 * those below, which scripts/lint checks. A line without a text continues a floor.
 *
 *   main.c                         character device, table of commands, module
 *   selftest.c                     in the test build: one more ioctl,
 *   selftest/selftest_access.c     and what its operations do
 *   selftest/selftest_device.c
 *   selftest/selftest_dirty.c
 *   selftest/selftest_mistake.c
 *   selftest/selftest_pasid.c
 *   selftest/mock_iommu.c          an IOMMU that does not exist
 *   selftest/mock_domain.c
 *   selftest/mock_fault.c
 *   selftest/mock_nested.c
 *   selftest/mock_table.c
 *   vfio_compat.c                  the VFIO container in terms of an IOAS
 *   vfio_compat_group.c            the groups in it
 *   vfio_compat_map.c              its mappings
 *   vfio_compat_ioas.c             which IOAS it is
 *   option.c                       IOMMU_OPTION
 *   hwpt_alloc.c                   IOMMU_HWPT_ALLOC, for HWPTs of every kind
 *   device.c                       binding a device, and what its IOMMU can do
 *   attach.c                       which page table a device or a PASID gets
 *   attach_prepare.c               what is pinned before an attach takes a lock
 *   group_attach.c                 attaching the devices of a group
 *   group_reserve.c                the IOVA ranges that they need for themselves
 *   hwpt_nested.c  hwpt_paging.c   page tables: of a guest, of an IOAS,
 *   hw_pagetable.c                 and what they have in common
 *   attachment.c                   what a group, or a PASID of it, is attached to
 *   group.c                        the devices of an IOMMU group
 *   fault_file.c                   a fault queue as a file
 *   fault.c                        page requests of devices, and their answers
 *   access.c                       kernel drivers that pin, read and write
 *   ioas.c                         the IOAS, and the commands on its IOVA space
 *   iopt/iopt_map.c                the IOVA space: mapping and unmapping in it,
 *   iopt/iopt_unmap.c
 *   iopt/iopt_domain.c             which domains it has,
 *   iopt/iopt_access.c             which accesses use it,
 *   iopt/iopt_pins.c               whether what is mapped is pinned,
 *   iopt/iopt_dirty.c              which pages devices have written to,
 *   iopt/iopt_write.c              one area in all domains, device memory out of them,
 *   io_pagetable.c                 what may be mapped where
 *   iopt/io_area.c                 one mapping, and its place in a page table
 *   iopt/io_domain.c               writing extents into an IOMMU domain
 *   iopt/io_dirty.c                reading which of its entries are dirty
 *   memory/pages_share.c  pages.c  a range of memory, its pins
 *   memory/account.c               and its charge
 *   memory/pin.c                   where pages come from and how they go back
 *   memory/workers.c               kernel workers for one large piece of work
 *   memory/device_memory.c         memory of devices, which is not pinned
 *   driver_ops.c                   what drivers of IOMMUs have registered
 *   object.c                       ids and references of objects and contexts
 *   lib/pfn_runs.c                 plain data structures, also compiled in user space
 *   lib/iova_alloc.c  lib/iova_tree.c
 *   lib/iova_bitmap.c
 *   selftest/hooks.c               in the test build: what has something fail
 *
 * Lock order, outermost first:
 *
 *   vfio_compat.tracking_lock      requests for the container's dirty tracking
 *   iommufd_fault.read_lock        one reader of a fault queue at a time
 *
 *   vfio_compat.lock               the groups in the container
 *   device_group.lock              attachment of one IOMMU group
 *   iommufd_ioas.attach_lock       attaching to an IOAS, filling a page table
 *   mm->mmap_lock                  of the process whose memory is mapped
 *   providers_lock                 whose VMAs show memory of devices (rwsem)
 *   iommufd_device_memory.lock     the mappings of a BAR; inside the lock under
 *                                  which its driver revokes it
 *   iommufd_ioas.hwpt_lock         the list of its HWPTs
 *   io_pagetable.access_lock       the accesses of an IOAS (rwsem)
 *   io_pagetable.domains_lock      the domains of an IOAS (rwsem); memory is written
 *                                  into them under it, shared
 *   io_pagetable.iova_lock         the areas, their states, the ranges; memory of
 *                                  devices is written into the domains under it
 *   io_pages.lock                  the pins of one range of memory
 *   iommufd_fault.lock             groups of page requests that were read
 *   attach_handle.lock             which page table they are for (spin lock)
 *   iommufd_fault.queue_lock       those that were not (spin lock)
 *   iommufd_access.lock            which IOAS an emulated device uses (spin lock)
 *   xa_lock of objects and groups  (spin locks)
 *   payers_lock                    what processes owe (spin lock); mmap_lock is
 *                                  tried in it, and not waited for
 *   team.lock                      which part is done next (spin lock)
 *
 * Nothing that tears down (unbind, detach, close, destroy, removal of a device, unload
 * of a module) waits for a lock that is held while user memory is faulted in, copied
 * or waited for, which can take indefinitely long. Therefore:
 *
 *   - The two locks at the top are taken by requests that user space makes, which end
 *     by SIGKILL, and by nobody else.
 *   - None of the others is held, and no device is kept from being removed, while
 *     user memory is touched. What an attach needs pinned is pinned before it takes
 *     the first lock, also of the drivers that call it (attach_prepare.c).
 *   - mmap_lock can be held by its owner indefinitely. Mapping, pinning and charging wait
 *     for it, without any other lock; unmapping, unpinning and crediting never do.
 *   - A worker of the kernel gets work that needs nothing but a processor. It is never
 *     given to fault, migrate or wait for anything of user space's.
 *
 * So a thread that hangs in a fault holds up those that want the same pages or the same
 * area, which can be killed as well, and nobody else.
 * The callback iommufd_access_ops.unmap is called with access_lock alone, shared.
 */
#ifndef __IOMMUFD_PRIVATE_H
#define __IOMMUFD_PRIVATE_H

#include <linux/iommufd.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>

#include "object.h"
#include "vfio_compat.h"

/**
 * struct iommufd_ctx - one open of /dev/iommu
 * @file: The file; a reference to it keeps the context
 * @objects: The object table
 * @found: The object of it that was looked up last, or NULL; under its xa_lock
 * @object_wait: For iommufd_object_remove()
 * @groups: The IOMMU groups that have a device bound to this context, or had one
 *          a moment ago, by iommu_group_id() (group.c)
 * @preparations: struct iommufd_preparation.link; under the xa_lock of @objects
 * @compat: The context as a VFIO container
 * @account_mode: To whom pinned memory is charged, enum account_mode
 */
struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
	struct iommufd_object *found;
	wait_queue_head_t object_wait;
	struct xarray groups;
	struct list_head preparations;
	struct vfio_compat compat;
	u8 account_mode;
};

/**
 * struct iommufd_command - one ioctl on the file
 * @ctx: The context
 * @args: The structure of the command, in kernel memory, zero-extended
 * @user: Where user space has it
 * @user_size: Its size in the eyes of user space, in bytes
 * @size: Its full size, in bytes
 */
struct iommufd_command {
	struct iommufd_ctx *ctx;
	void *args;
	void __user *user;
	u32 user_size;
	u32 size;
};

/**
 * iommufd_respond - copy a command's structure back to user space
 * @command: The call
 *
 * Copies never more than user space said it has.
 *
 * Return: 0 or -EFAULT.
 */
static inline int iommufd_respond(const struct iommufd_command *command)
{
	if (copy_to_user(command->user, command->args,
			 min(command->user_size, command->size)))
		return -EFAULT;
	return 0;
}

/**
 * iommufd_respond_u64 - copy the only result of a command back to user space
 * @command: The call
 * @field: In @command->args, and in the least structure that is accepted
 *
 * In place of iommufd_respond(), by commands that programs make by the thousand: the
 * other fields are in user space as they are here.
 *
 * Return: 0 or -EFAULT.
 */
static inline int iommufd_respond_u64(const struct iommufd_command *command,
				      const __u64 *field)
{
	size_t offset = (const void *)field - command->args;

	return put_user(*field, (__u64 __user *)(command->user + offset));
}

/* Commands, each in the file of its object; they return 0 or -errno */
int iommufd_destroy(struct iommufd_command *command);
int iommufd_fault_alloc(struct iommufd_command *command);
int iommufd_get_hw_info(struct iommufd_command *command);
int iommufd_hwpt_alloc(struct iommufd_command *command);
int iommufd_hwpt_get_dirty_bitmap(struct iommufd_command *command);
int iommufd_hwpt_invalidate(struct iommufd_command *command);
int iommufd_hwpt_set_dirty_tracking(struct iommufd_command *command);
int iommufd_ioas_alloc(struct iommufd_command *command);
int iommufd_ioas_allow_iovas(struct iommufd_command *command);
int iommufd_ioas_copy(struct iommufd_command *command);
int iommufd_ioas_iova_ranges(struct iommufd_command *command);
int iommufd_ioas_map(struct iommufd_command *command);
int iommufd_ioas_unmap(struct iommufd_command *command);
int iommufd_option(struct iommufd_command *command);
int iommufd_vfio_ioas(struct iommufd_command *command);

#endif
