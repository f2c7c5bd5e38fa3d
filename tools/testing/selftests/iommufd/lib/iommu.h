/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function for each command of /dev/iommu.
 *
 * Owns the filling in of argument structures and the turning of errno into a
 * return value. It must never know of tests: the demo uses it too.
 *
 * Every function returns 0 or -errno, and stores outputs only on success, unless
 * its comment says otherwise.
 */
#ifndef SELFTESTS_IOMMUFD_IOMMU_H
#define SELFTESTS_IOMMUFD_IOMMU_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <linux/iommufd.h>

#define IOMMU_DEVICE "/dev/iommu"

#define IOMMU_MAP_RW (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

/* Returns a new context's file descriptor or -errno. */
static inline int iommu_open(void)
{
	int fd = open(IOMMU_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int iommu_ioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

static inline int iommu_destroy(int fd, __u32 id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return iommu_ioctl(fd, IOMMU_DESTROY, &cmd);
}

static inline int iommu_ioas_alloc(int fd, __u32 *ioas_id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int rc = iommu_ioctl(fd, IOMMU_IOAS_ALLOC, &cmd);

	if (!rc)
		*ioas_id = cmd.out_ioas_id;
	return rc;
}

/*
 * @num_ranges: in: entries that fit into @ranges, out: number there are. Also stored
 *              on -EMSGSIZE, as is @alignment, which may be NULL.
 */
static inline int iommu_ioas_iova_ranges(int fd, __u32 ioas_id,
					 struct iommu_iova_range *ranges,
					 __u32 *num_ranges, __u64 *alignment)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.num_iovas = *num_ranges,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);

	if (!rc || rc == -EMSGSIZE) {
		*num_ranges = cmd.num_iovas;
		if (alignment)
			*alignment = cmd.out_iova_alignment;
	}
	return rc;
}

static inline int iommu_ioas_allow_iovas(int fd, __u32 ioas_id,
					 const struct iommu_iova_range *ranges,
					 __u32 num_ranges)
{
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.num_iovas = num_ranges,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return iommu_ioctl(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

/* @iova: in with IOMMU_IOAS_MAP_FIXED_IOVA in @flags, out always. */
static inline int iommu_ioas_map(int fd, __u32 ioas_id, const void *address,
				 __u64 length, __u32 flags, __u64 *iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas_id,
		.user_va = (uintptr_t)address,
		.length = length,
		.iova = flags & IOMMU_IOAS_MAP_FIXED_IOVA ? *iova : 0,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_MAP, &cmd);

	if (!rc)
		*iova = cmd.iova;
	return rc;
}

static inline int iommu_ioas_map_fixed(int fd, __u32 ioas_id, const void *address,
				       __u64 length, __u32 flags, __u64 iova)
{
	return iommu_ioas_map(fd, ioas_id, address, length,
			      flags | IOMMU_IOAS_MAP_FIXED_IOVA, &iova);
}

/* @iova: in with IOMMU_IOAS_MAP_FIXED_IOVA in @flags, out always. */
static inline int iommu_ioas_map_file(int fd, __u32 ioas_id, int file, __u64 start,
				      __u64 length, __u32 flags, __u64 *iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas_id,
		.fd = file,
		.start = start,
		.length = length,
		.iova = flags & IOMMU_IOAS_MAP_FIXED_IOVA ? *iova : 0,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_MAP_FILE, &cmd);

	if (!rc)
		*iova = cmd.iova;
	return rc;
}

static inline int iommu_ioas_map_file_fixed(int fd, __u32 ioas_id, int file,
					    __u64 start, __u64 length, __u32 flags,
					    __u64 iova)
{
	return iommu_ioas_map_file(fd, ioas_id, file, start, length,
				   flags | IOMMU_IOAS_MAP_FIXED_IOVA, &iova);
}

/* @dst_iova: in with IOMMU_IOAS_MAP_FIXED_IOVA in @flags, out always. */
static inline int iommu_ioas_copy(int fd, __u32 src_ioas_id, __u64 src_iova,
				  __u64 length, __u32 dst_ioas_id, __u32 flags,
				  __u64 *dst_iova)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dst_ioas_id = dst_ioas_id,
		.src_ioas_id = src_ioas_id,
		.length = length,
		.dst_iova = flags & IOMMU_IOAS_MAP_FIXED_IOVA ? *dst_iova : 0,
		.src_iova = src_iova,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_COPY, &cmd);

	if (!rc)
		*dst_iova = cmd.dst_iova;
	return rc;
}

static inline int iommu_ioas_copy_fixed(int fd, __u32 src_ioas_id, __u64 src_iova,
					__u64 length, __u32 dst_ioas_id, __u32 flags,
					__u64 dst_iova)
{
	return iommu_ioas_copy(fd, src_ioas_id, src_iova, length, dst_ioas_id,
			       flags | IOMMU_IOAS_MAP_FIXED_IOVA, &dst_iova);
}

/* @unmapped: bytes that were unmapped, may be NULL. */
static inline int iommu_ioas_unmap(int fd, __u32 ioas_id, __u64 iova, __u64 length,
				   __u64 *unmapped)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = length,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_UNMAP, &cmd);

	if (!rc && unmapped)
		*unmapped = cmd.length;
	return rc;
}

static inline int iommu_ioas_unmap_all(int fd, __u32 ioas_id, __u64 *unmapped)
{
	return iommu_ioas_unmap(fd, ioas_id, 0, UINT64_MAX, unmapped);
}

static inline int iommu_ioas_change_process(int fd)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	return iommu_ioctl(fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

/* @length: in: bytes of interest, out: contiguous bytes from @physical on. */
static inline int iommu_ioas_noiommu_get_pa(int fd, __u32 ioas_id, __u64 iova,
					    __u64 *length, __u64 *physical)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = *length,
	};
	int rc = iommu_ioctl(fd, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd);

	if (!rc) {
		*length = cmd.length;
		*physical = cmd.out_phys;
	}
	return rc;
}

static inline int iommu_option_get(int fd, __u32 option, __u32 object_id, __u64 *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = object_id,
	};
	int rc = iommu_ioctl(fd, IOMMU_OPTION, &cmd);

	if (!rc)
		*value = cmd.val64;
	return rc;
}

static inline int iommu_option_set(int fd, __u32 option, __u32 object_id, __u64 value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = object_id,
		.val64 = value,
	};

	return iommu_ioctl(fd, IOMMU_OPTION, &cmd);
}

static inline int iommu_vfio_ioas_get(int fd, __u32 *ioas_id)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_GET };
	int rc = iommu_ioctl(fd, IOMMU_VFIO_IOAS, &cmd);

	if (!rc)
		*ioas_id = cmd.ioas_id;
	return rc;
}

static inline int iommu_vfio_ioas_set(int fd, __u32 ioas_id)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id,
		.op = IOMMU_VFIO_IOAS_SET,
	};

	return iommu_ioctl(fd, IOMMU_VFIO_IOAS, &cmd);
}

static inline int iommu_vfio_ioas_clear(int fd)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = IOMMU_VFIO_IOAS_CLEAR };

	return iommu_ioctl(fd, IOMMU_VFIO_IOAS, &cmd);
}

/* A page table without driver data. */
static inline int iommu_hwpt_alloc(int fd, __u32 dev_id, __u32 pt_id, __u32 flags,
				   __u32 *hwpt_id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev_id,
		.pt_id = pt_id,
	};
	int rc = iommu_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	if (!rc)
		*hwpt_id = cmd.out_hwpt_id;
	return rc;
}

/* A page table whose devices ask a fault queue for pages. */
static inline int iommu_hwpt_alloc_fault(int fd, __u32 dev_id, __u32 pt_id, __u32 flags,
					 __u32 fault_id, __u32 *hwpt_id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags | IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = dev_id,
		.pt_id = pt_id,
		.fault_id = fault_id,
	};
	int rc = iommu_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	if (!rc)
		*hwpt_id = cmd.out_hwpt_id;
	return rc;
}

/* A page table with driver data. */
static inline int iommu_hwpt_alloc_data(int fd, __u32 dev_id, __u32 pt_id, __u32 flags,
					__u32 data_type, const void *data,
					__u32 data_len, __u32 *hwpt_id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev_id,
		.pt_id = pt_id,
		.data_type = data_type,
		.data_len = data_len,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iommu_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	if (!rc)
		*hwpt_id = cmd.out_hwpt_id;
	return rc;
}

static inline int iommu_hwpt_set_dirty_tracking(int fd, __u32 hwpt_id, __u32 flags)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.hwpt_id = hwpt_id,
	};

	return iommu_ioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static inline int iommu_hwpt_get_dirty_bitmap(int fd, __u32 hwpt_id, __u32 flags,
					      __u64 iova, __u64 length,
					      __u64 page_size, void *bitmap)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id,
		.flags = flags,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bitmap,
	};

	return iommu_ioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* @entry_num: in: entries, out: entries that were handled, stored on errors too. */
static inline int iommu_hwpt_invalidate(int fd, __u32 hwpt_id, __u32 data_type,
					const void *entries, __u32 entry_len,
					__u32 *entry_num)
{
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id,
		.data_uptr = (uintptr_t)entries,
		.data_type = data_type,
		.entry_len = entry_len,
		.entry_num = *entry_num,
	};
	int rc = iommu_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd);

	*entry_num = cmd.entry_num;
	return rc;
}

/* @info: outputs are in it; the driver's information goes to @data. */
static inline int iommu_get_hw_info(int fd, __u32 dev_id, void *data, __u32 data_len,
				    struct iommu_hw_info *info)
{
	*info = (struct iommu_hw_info){
		.size = sizeof(*info),
		.dev_id = dev_id,
		.data_len = data_len,
		.data_uptr = (uintptr_t)data,
	};
	return iommu_ioctl(fd, IOMMU_GET_HW_INFO, info);
}

static inline int iommu_fault_queue_alloc(int fd, __u32 *fault_id, int *fault_fd)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int rc = iommu_ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	if (!rc) {
		*fault_id = cmd.out_fault_id;
		*fault_fd = cmd.out_fault_fd;
	}
	return rc;
}

static inline int iommu_viommu_alloc(int fd, __u32 dev_id, __u32 hwpt_id, __u32 type,
				     void *data, __u32 data_len, __u32 *viommu_id)
{
	struct iommu_viommu_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.dev_id = dev_id,
		.hwpt_id = hwpt_id,
		.data_len = data_len,
		.data_uptr = (uintptr_t)data,
	};
	int rc = iommu_ioctl(fd, IOMMU_VIOMMU_ALLOC, &cmd);

	if (!rc)
		*viommu_id = cmd.out_viommu_id;
	return rc;
}

static inline int iommu_vdevice_alloc(int fd, __u32 viommu_id, __u32 dev_id,
				      __u64 virt_id, __u32 *vdevice_id)
{
	struct iommu_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu_id,
		.dev_id = dev_id,
		.virt_id = virt_id,
	};
	int rc = iommu_ioctl(fd, IOMMU_VDEVICE_ALLOC, &cmd);

	if (!rc)
		*vdevice_id = cmd.out_vdevice_id;
	return rc;
}

static inline int iommu_veventq_alloc(int fd, __u32 viommu_id, __u32 type, __u32 depth,
				      __u32 *veventq_id, int *veventq_fd)
{
	struct iommu_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu_id,
		.type = type,
		.veventq_depth = depth,
	};
	int rc = iommu_ioctl(fd, IOMMU_VEVENTQ_ALLOC, &cmd);

	if (!rc) {
		*veventq_id = cmd.out_veventq_id;
		*veventq_fd = cmd.out_veventq_fd;
	}
	return rc;
}

static inline int iommu_hw_queue_alloc(int fd, __u32 viommu_id, __u32 type, __u32 index,
				       __u64 nesting_parent_iova, __u64 length,
				       __u32 *hw_queue_id)
{
	struct iommu_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu_id,
		.type = type,
		.index = index,
		.nesting_parent_iova = nesting_parent_iova,
		.length = length,
	};
	int rc = iommu_ioctl(fd, IOMMU_HW_QUEUE_ALLOC, &cmd);

	if (!rc)
		*hw_queue_id = cmd.out_hw_queue_id;
	return rc;
}

#endif
