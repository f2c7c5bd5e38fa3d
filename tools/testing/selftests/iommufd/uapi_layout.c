// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layout of the user API.
 *
 * Owns the numbers that programs were compiled with: sizes, offsets, types and
 * values of include/uapi/linux/iommufd.h, which must never change. It needs no
 * /dev/iommu, no privilege and no input.
 */
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <linux/iommufd.h>

#include <kselftest.h>

#include "commands.h"

struct structure {
	const char *name;
	size_t size, size_expected;
	size_t align, align_expected;
};

struct member {
	const char *name;
	const void *address;
	size_t offset_expected;
	size_t size, size_expected;
	const char *type_expected;
	bool type_good;
};

struct value {
	const char *enumeration;
	const char *name;
	unsigned long value, value_expected;
};

#define STRUCTURE(_type, _size, _align) { \
	.name = #_type, \
	.size = sizeof(_type), \
	.size_expected = _size, \
	.align = alignof(_type), \
	.align_expected = _align, \
}

#define MEMBER(_name, _offset, _size, _type) \
	MEMBER_OBJECT(any._name, #_name, _offset, _size, _type)

#define MEMBER_OBJECT(_object, _name, _offset, _size, _type) { \
	.name = _name, \
	.address = &(_object), \
	.offset_expected = _offset, \
	.size = sizeof(_object), \
	.size_expected = _size, \
	.type_expected = #_type, \
	.type_good = __builtin_types_compatible_p(__typeof__(_object), _type), \
}

/* Naming the enumeration makes the compiler check that there is one. */
#define ENUMERATION(_type) { #_type, sizeof(_type) }

#define VALUE(_enumeration, _name, _value) { \
	.enumeration = #_enumeration, \
	.name = #_name, \
	.value = _name, \
	.value_expected = _value, \
}

/* An object of each structure, all at one address. */
static const union {
	struct iommu_destroy iommu_destroy;
	struct iommu_ioas_alloc iommu_ioas_alloc;
	struct iommu_ioas_allow_iovas iommu_ioas_allow_iovas;
	struct iommu_ioas_copy iommu_ioas_copy;
	struct iommu_ioas_iova_ranges iommu_ioas_iova_ranges;
	struct iommu_ioas_map iommu_ioas_map;
	struct iommu_ioas_unmap iommu_ioas_unmap;
	struct iommu_option iommu_option;
	struct iommu_vfio_ioas iommu_vfio_ioas;
	struct iommu_hwpt_alloc iommu_hwpt_alloc;
	struct iommu_hw_info iommu_hw_info;
	struct iommu_hwpt_set_dirty_tracking iommu_hwpt_set_dirty_tracking;
	struct iommu_hwpt_get_dirty_bitmap iommu_hwpt_get_dirty_bitmap;
	struct iommu_hwpt_invalidate iommu_hwpt_invalidate;
	struct iommu_fault_alloc iommu_fault_alloc;
	struct iommu_ioas_map_file iommu_ioas_map_file;
	struct iommu_viommu_alloc iommu_viommu_alloc;
	struct iommu_vdevice_alloc iommu_vdevice_alloc;
	struct iommu_ioas_change_process iommu_ioas_change_process;
	struct iommu_veventq_alloc iommu_veventq_alloc;
	struct iommu_hw_queue_alloc iommu_hw_queue_alloc;
	struct iommu_ioas_noiommu_get_pa iommu_ioas_noiommu_get_pa;
	struct iommu_iova_range iommu_iova_range;
	struct iommu_hwpt_vtd_s1 iommu_hwpt_vtd_s1;
	struct iommu_hwpt_arm_smmuv3 iommu_hwpt_arm_smmuv3;
	struct iommu_hwpt_amd_guest iommu_hwpt_amd_guest;
	struct iommu_hw_info_vtd iommu_hw_info_vtd;
	struct iommu_hw_info_arm_smmuv3 iommu_hw_info_arm_smmuv3;
	struct iommu_hw_info_tegra241_cmdqv iommu_hw_info_tegra241_cmdqv;
	struct iommu_hw_info_amd iommu_hw_info_amd;
	struct iommu_hwpt_vtd_s1_invalidate iommu_hwpt_vtd_s1_invalidate;
	struct iommu_viommu_arm_smmuv3_invalidate iommu_viommu_arm_smmuv3_invalidate;
	struct iommu_hwpt_pgfault iommu_hwpt_pgfault;
	struct iommu_hwpt_page_response iommu_hwpt_page_response;
	struct iommu_viommu_tegra241_cmdqv iommu_viommu_tegra241_cmdqv;
	struct iommufd_vevent_header iommufd_vevent_header;
	struct iommu_vevent_arm_smmuv3 iommu_vevent_arm_smmuv3;
	struct iommu_vevent_tegra241_cmdqv iommu_vevent_tegra241_cmdqv;
} any;

static const struct structure structures[] = {
	STRUCTURE(struct iommu_destroy, 8, 4),
	STRUCTURE(struct iommu_ioas_alloc, 12, 4),
	STRUCTURE(struct iommu_ioas_allow_iovas, 24, 8),
	STRUCTURE(struct iommu_ioas_copy, 40, 8),
	STRUCTURE(struct iommu_ioas_iova_ranges, 32, 8),
	STRUCTURE(struct iommu_ioas_map, 40, 8),
	STRUCTURE(struct iommu_ioas_unmap, 24, 8),
	STRUCTURE(struct iommu_option, 24, 8),
	STRUCTURE(struct iommu_vfio_ioas, 12, 4),
	STRUCTURE(struct iommu_hwpt_alloc, 48, 8),
	STRUCTURE(struct iommu_hw_info, 40, 8),
	STRUCTURE(struct iommu_hwpt_set_dirty_tracking, 16, 4),
	STRUCTURE(struct iommu_hwpt_get_dirty_bitmap, 48, 8),
	STRUCTURE(struct iommu_hwpt_invalidate, 32, 8),
	STRUCTURE(struct iommu_fault_alloc, 16, 4),
	STRUCTURE(struct iommu_ioas_map_file, 40, 8),
	STRUCTURE(struct iommu_viommu_alloc, 40, 8),
	STRUCTURE(struct iommu_vdevice_alloc, 24, 8),
	STRUCTURE(struct iommu_ioas_change_process, 8, 4),
	STRUCTURE(struct iommu_veventq_alloc, 32, 4),
	STRUCTURE(struct iommu_hw_queue_alloc, 40, 8),
	STRUCTURE(struct iommu_ioas_noiommu_get_pa, 40, 8),
	STRUCTURE(struct iommu_iova_range, 16, 8),
	STRUCTURE(struct iommu_hwpt_vtd_s1, 24, 8),
	STRUCTURE(struct iommu_hwpt_arm_smmuv3, 16, 8),
	STRUCTURE(struct iommu_hwpt_amd_guest, 32, 8),
	STRUCTURE(struct iommu_hw_info_vtd, 24, 8),
	STRUCTURE(struct iommu_hw_info_arm_smmuv3, 40, 4),
	STRUCTURE(struct iommu_hw_info_tegra241_cmdqv, 8, 4),
	STRUCTURE(struct iommu_hw_info_amd, 16, 8),
	STRUCTURE(struct iommu_hwpt_vtd_s1_invalidate, 24, 8),
	STRUCTURE(struct iommu_viommu_arm_smmuv3_invalidate, 16, 8),
	STRUCTURE(struct iommu_hwpt_pgfault, 40, 8),
	STRUCTURE(struct iommu_hwpt_page_response, 8, 4),
	STRUCTURE(struct iommu_viommu_tegra241_cmdqv, 16, 8),
	STRUCTURE(struct iommufd_vevent_header, 8, 4),
	STRUCTURE(struct iommu_vevent_arm_smmuv3, 32, 8),
	STRUCTURE(struct iommu_vevent_tegra241_cmdqv, 16, 8),
};

static const struct member members[] = {
	MEMBER(iommu_destroy.size, 0, 4, __u32),
	MEMBER(iommu_destroy.id, 4, 4, __u32),

	MEMBER(iommu_ioas_alloc.size, 0, 4, __u32),
	MEMBER(iommu_ioas_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_ioas_alloc.out_ioas_id, 8, 4, __u32),

	MEMBER(iommu_ioas_allow_iovas.size, 0, 4, __u32),
	MEMBER(iommu_ioas_allow_iovas.ioas_id, 4, 4, __u32),
	MEMBER(iommu_ioas_allow_iovas.num_iovas, 8, 4, __u32),
	MEMBER(iommu_ioas_allow_iovas.__reserved, 12, 4, __u32),
	MEMBER(iommu_ioas_allow_iovas.allowed_iovas, 16, 8, __u64),

	MEMBER(iommu_ioas_copy.size, 0, 4, __u32),
	MEMBER(iommu_ioas_copy.flags, 4, 4, __u32),
	MEMBER(iommu_ioas_copy.dst_ioas_id, 8, 4, __u32),
	MEMBER(iommu_ioas_copy.src_ioas_id, 12, 4, __u32),
	MEMBER(iommu_ioas_copy.length, 16, 8, __u64),
	MEMBER(iommu_ioas_copy.dst_iova, 24, 8, __u64),
	MEMBER(iommu_ioas_copy.src_iova, 32, 8, __u64),

	MEMBER(iommu_ioas_iova_ranges.size, 0, 4, __u32),
	MEMBER(iommu_ioas_iova_ranges.ioas_id, 4, 4, __u32),
	MEMBER(iommu_ioas_iova_ranges.num_iovas, 8, 4, __u32),
	MEMBER(iommu_ioas_iova_ranges.__reserved, 12, 4, __u32),
	MEMBER(iommu_ioas_iova_ranges.allowed_iovas, 16, 8, __u64),
	MEMBER(iommu_ioas_iova_ranges.out_iova_alignment, 24, 8, __u64),

	MEMBER(iommu_ioas_map.size, 0, 4, __u32),
	MEMBER(iommu_ioas_map.flags, 4, 4, __u32),
	MEMBER(iommu_ioas_map.ioas_id, 8, 4, __u32),
	MEMBER(iommu_ioas_map.__reserved, 12, 4, __u32),
	MEMBER(iommu_ioas_map.user_va, 16, 8, __u64),
	MEMBER(iommu_ioas_map.length, 24, 8, __u64),
	MEMBER(iommu_ioas_map.iova, 32, 8, __u64),

	MEMBER(iommu_ioas_unmap.size, 0, 4, __u32),
	MEMBER(iommu_ioas_unmap.ioas_id, 4, 4, __u32),
	MEMBER(iommu_ioas_unmap.iova, 8, 8, __u64),
	MEMBER(iommu_ioas_unmap.length, 16, 8, __u64),

	MEMBER(iommu_option.size, 0, 4, __u32),
	MEMBER(iommu_option.option_id, 4, 4, __u32),
	MEMBER(iommu_option.op, 8, 2, __u16),
	MEMBER(iommu_option.__reserved, 10, 2, __u16),
	MEMBER(iommu_option.object_id, 12, 4, __u32),
	MEMBER(iommu_option.val64, 16, 8, __u64),

	MEMBER(iommu_vfio_ioas.size, 0, 4, __u32),
	MEMBER(iommu_vfio_ioas.ioas_id, 4, 4, __u32),
	MEMBER(iommu_vfio_ioas.op, 8, 2, __u16),
	MEMBER(iommu_vfio_ioas.__reserved, 10, 2, __u16),

	MEMBER(iommu_hwpt_alloc.size, 0, 4, __u32),
	MEMBER(iommu_hwpt_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_hwpt_alloc.dev_id, 8, 4, __u32),
	MEMBER(iommu_hwpt_alloc.pt_id, 12, 4, __u32),
	MEMBER(iommu_hwpt_alloc.out_hwpt_id, 16, 4, __u32),
	MEMBER(iommu_hwpt_alloc.__reserved, 20, 4, __u32),
	MEMBER(iommu_hwpt_alloc.data_type, 24, 4, __u32),
	MEMBER(iommu_hwpt_alloc.data_len, 28, 4, __u32),
	MEMBER(iommu_hwpt_alloc.data_uptr, 32, 8, __u64),
	MEMBER(iommu_hwpt_alloc.fault_id, 40, 4, __u32),
	MEMBER(iommu_hwpt_alloc.__reserved2, 44, 4, __u32),

	MEMBER(iommu_hw_info.size, 0, 4, __u32),
	MEMBER(iommu_hw_info.flags, 4, 4, __u32),
	MEMBER(iommu_hw_info.dev_id, 8, 4, __u32),
	MEMBER(iommu_hw_info.data_len, 12, 4, __u32),
	MEMBER(iommu_hw_info.data_uptr, 16, 8, __u64),
	MEMBER(iommu_hw_info.in_data_type, 24, 4, __u32),
	MEMBER(iommu_hw_info.out_data_type, 24, 4, __u32),
	MEMBER(iommu_hw_info.out_max_pasid_log2, 28, 1, __u8),
	MEMBER(iommu_hw_info.__reserved, 29, 3, __u8[3]),
	MEMBER(iommu_hw_info.out_capabilities, 32, 8, __u64),

	MEMBER(iommu_hwpt_set_dirty_tracking.size, 0, 4, __u32),
	MEMBER(iommu_hwpt_set_dirty_tracking.flags, 4, 4, __u32),
	MEMBER(iommu_hwpt_set_dirty_tracking.hwpt_id, 8, 4, __u32),
	MEMBER(iommu_hwpt_set_dirty_tracking.__reserved, 12, 4, __u32),

	MEMBER(iommu_hwpt_get_dirty_bitmap.size, 0, 4, __u32),
	MEMBER(iommu_hwpt_get_dirty_bitmap.hwpt_id, 4, 4, __u32),
	MEMBER(iommu_hwpt_get_dirty_bitmap.flags, 8, 4, __u32),
	MEMBER(iommu_hwpt_get_dirty_bitmap.__reserved, 12, 4, __u32),
	MEMBER(iommu_hwpt_get_dirty_bitmap.iova, 16, 8, __u64),
	MEMBER(iommu_hwpt_get_dirty_bitmap.length, 24, 8, __u64),
	MEMBER(iommu_hwpt_get_dirty_bitmap.page_size, 32, 8, __u64),
	MEMBER(iommu_hwpt_get_dirty_bitmap.data, 40, 8, __u64),

	MEMBER(iommu_hwpt_invalidate.size, 0, 4, __u32),
	MEMBER(iommu_hwpt_invalidate.hwpt_id, 4, 4, __u32),
	MEMBER(iommu_hwpt_invalidate.data_uptr, 8, 8, __u64),
	MEMBER(iommu_hwpt_invalidate.data_type, 16, 4, __u32),
	MEMBER(iommu_hwpt_invalidate.entry_len, 20, 4, __u32),
	MEMBER(iommu_hwpt_invalidate.entry_num, 24, 4, __u32),
	MEMBER(iommu_hwpt_invalidate.__reserved, 28, 4, __u32),

	MEMBER(iommu_fault_alloc.size, 0, 4, __u32),
	MEMBER(iommu_fault_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_fault_alloc.out_fault_id, 8, 4, __u32),
	MEMBER(iommu_fault_alloc.out_fault_fd, 12, 4, __u32),

	MEMBER(iommu_ioas_map_file.size, 0, 4, __u32),
	MEMBER(iommu_ioas_map_file.flags, 4, 4, __u32),
	MEMBER(iommu_ioas_map_file.ioas_id, 8, 4, __u32),
	MEMBER(iommu_ioas_map_file.fd, 12, 4, __s32),
	MEMBER(iommu_ioas_map_file.start, 16, 8, __u64),
	MEMBER(iommu_ioas_map_file.length, 24, 8, __u64),
	MEMBER(iommu_ioas_map_file.iova, 32, 8, __u64),

	MEMBER(iommu_viommu_alloc.size, 0, 4, __u32),
	MEMBER(iommu_viommu_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_viommu_alloc.type, 8, 4, __u32),
	MEMBER(iommu_viommu_alloc.dev_id, 12, 4, __u32),
	MEMBER(iommu_viommu_alloc.hwpt_id, 16, 4, __u32),
	MEMBER(iommu_viommu_alloc.out_viommu_id, 20, 4, __u32),
	MEMBER(iommu_viommu_alloc.data_len, 24, 4, __u32),
	MEMBER(iommu_viommu_alloc.__reserved, 28, 4, __u32),
	MEMBER(iommu_viommu_alloc.data_uptr, 32, 8, __u64),

	MEMBER(iommu_vdevice_alloc.size, 0, 4, __u32),
	MEMBER(iommu_vdevice_alloc.viommu_id, 4, 4, __u32),
	MEMBER(iommu_vdevice_alloc.dev_id, 8, 4, __u32),
	MEMBER(iommu_vdevice_alloc.out_vdevice_id, 12, 4, __u32),
	MEMBER(iommu_vdevice_alloc.virt_id, 16, 8, __u64),

	MEMBER(iommu_ioas_change_process.size, 0, 4, __u32),
	MEMBER(iommu_ioas_change_process.__reserved, 4, 4, __u32),

	MEMBER(iommu_veventq_alloc.size, 0, 4, __u32),
	MEMBER(iommu_veventq_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_veventq_alloc.viommu_id, 8, 4, __u32),
	MEMBER(iommu_veventq_alloc.type, 12, 4, __u32),
	MEMBER(iommu_veventq_alloc.veventq_depth, 16, 4, __u32),
	MEMBER(iommu_veventq_alloc.out_veventq_id, 20, 4, __u32),
	MEMBER(iommu_veventq_alloc.out_veventq_fd, 24, 4, __u32),
	MEMBER(iommu_veventq_alloc.__reserved, 28, 4, __u32),

	MEMBER(iommu_hw_queue_alloc.size, 0, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.flags, 4, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.viommu_id, 8, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.type, 12, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.index, 16, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.out_hw_queue_id, 20, 4, __u32),
	MEMBER(iommu_hw_queue_alloc.nesting_parent_iova, 24, 8, __u64),
	MEMBER(iommu_hw_queue_alloc.length, 32, 8, __u64),

	MEMBER(iommu_ioas_noiommu_get_pa.size, 0, 4, __u32),
	MEMBER(iommu_ioas_noiommu_get_pa.flags, 4, 4, __u32),
	MEMBER(iommu_ioas_noiommu_get_pa.ioas_id, 8, 4, __u32),
	MEMBER(iommu_ioas_noiommu_get_pa.__reserved, 12, 4, __u32),
	MEMBER(iommu_ioas_noiommu_get_pa.iova, 16, 8, __u64),
	MEMBER(iommu_ioas_noiommu_get_pa.length, 24, 8, __u64),
	MEMBER(iommu_ioas_noiommu_get_pa.out_phys, 32, 8, __u64),

	MEMBER(iommu_iova_range.start, 0, 8, __u64),
	MEMBER(iommu_iova_range.last, 8, 8, __u64),

	MEMBER(iommu_hwpt_vtd_s1.flags, 0, 8, __u64),
	MEMBER(iommu_hwpt_vtd_s1.pgtbl_addr, 8, 8, __u64),
	MEMBER(iommu_hwpt_vtd_s1.addr_width, 16, 4, __u32),
	MEMBER(iommu_hwpt_vtd_s1.__reserved, 20, 4, __u32),

	MEMBER(iommu_hwpt_arm_smmuv3.ste, 0, 16, __le64[2]),

	MEMBER(iommu_hwpt_amd_guest.dte, 0, 32, __u64[4]),

	MEMBER(iommu_hw_info_vtd.flags, 0, 4, __u32),
	MEMBER(iommu_hw_info_vtd.__reserved, 4, 4, __u32),
	MEMBER(iommu_hw_info_vtd.cap_reg, 8, 8, __u64),
	MEMBER(iommu_hw_info_vtd.ecap_reg, 16, 8, __u64),

	MEMBER(iommu_hw_info_arm_smmuv3.flags, 0, 4, __u32),
	MEMBER(iommu_hw_info_arm_smmuv3.__reserved, 4, 4, __u32),
	MEMBER(iommu_hw_info_arm_smmuv3.idr, 8, 24, __u32[6]),
	MEMBER(iommu_hw_info_arm_smmuv3.iidr, 32, 4, __u32),
	MEMBER(iommu_hw_info_arm_smmuv3.aidr, 36, 4, __u32),

	MEMBER(iommu_hw_info_tegra241_cmdqv.flags, 0, 4, __u32),
	MEMBER(iommu_hw_info_tegra241_cmdqv.version, 4, 1, __u8),
	MEMBER(iommu_hw_info_tegra241_cmdqv.log2vcmdqs, 5, 1, __u8),
	MEMBER(iommu_hw_info_tegra241_cmdqv.log2vsids, 6, 1, __u8),
	MEMBER(iommu_hw_info_tegra241_cmdqv.__reserved, 7, 1, __u8),

	MEMBER(iommu_hw_info_amd.efr, 0, 8, __u64),
	MEMBER(iommu_hw_info_amd.efr2, 8, 8, __u64),

	MEMBER(iommu_hwpt_vtd_s1_invalidate.addr, 0, 8, __u64),
	MEMBER(iommu_hwpt_vtd_s1_invalidate.npages, 8, 8, __u64),
	MEMBER(iommu_hwpt_vtd_s1_invalidate.flags, 16, 4, __u32),
	MEMBER(iommu_hwpt_vtd_s1_invalidate.__reserved, 20, 4, __u32),

	MEMBER(iommu_viommu_arm_smmuv3_invalidate.cmd, 0, 16, __le64[2]),

	MEMBER(iommu_hwpt_pgfault.flags, 0, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.dev_id, 4, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.pasid, 8, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.grpid, 12, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.perm, 16, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.__reserved, 20, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.addr, 24, 8, __u64),
	MEMBER(iommu_hwpt_pgfault.length, 32, 4, __u32),
	MEMBER(iommu_hwpt_pgfault.cookie, 36, 4, __u32),

	MEMBER(iommu_hwpt_page_response.cookie, 0, 4, __u32),
	MEMBER(iommu_hwpt_page_response.code, 4, 4, __u32),

	MEMBER(iommu_viommu_tegra241_cmdqv.out_vintf_mmap_offset, 0, 8, __u64),
	MEMBER(iommu_viommu_tegra241_cmdqv.out_vintf_mmap_length, 8, 8, __u64),

	MEMBER(iommufd_vevent_header.flags, 0, 4, __u32),
	MEMBER(iommufd_vevent_header.sequence, 4, 4, __u32),

	MEMBER(iommu_vevent_arm_smmuv3.evt, 0, 32, __le64[4]),

	MEMBER(iommu_vevent_tegra241_cmdqv.lvcmdq_err_map, 0, 16, __le64[2]),
};

static const struct { const char *name; size_t size; } enumerations[] = {
	ENUMERATION(enum iommufd_ioas_map_flags),
	ENUMERATION(enum iommufd_option),
	ENUMERATION(enum iommufd_option_ops),
	ENUMERATION(enum iommufd_vfio_ioas_op),
	ENUMERATION(enum iommufd_hwpt_alloc_flags),
	ENUMERATION(enum iommu_hwpt_vtd_s1_flags),
	ENUMERATION(enum iommu_hwpt_data_type),
	ENUMERATION(enum iommu_hw_info_vtd_flags),
	ENUMERATION(enum iommu_hw_info_arm_smmuv3_flags),
	ENUMERATION(enum iommu_hw_info_type),
	ENUMERATION(enum iommufd_hw_capabilities),
	ENUMERATION(enum iommufd_hw_info_flags),
	ENUMERATION(enum iommufd_hwpt_set_dirty_tracking_flags),
	ENUMERATION(enum iommufd_hwpt_get_dirty_bitmap_flags),
	ENUMERATION(enum iommu_hwpt_invalidate_data_type),
	ENUMERATION(enum iommu_hwpt_vtd_s1_invalidate_flags),
	ENUMERATION(enum iommu_hwpt_pgfault_flags),
	ENUMERATION(enum iommu_hwpt_pgfault_perm),
	ENUMERATION(enum iommufd_page_response_code),
	ENUMERATION(enum iommu_viommu_type),
	ENUMERATION(enum iommu_veventq_flag),
	ENUMERATION(enum iommu_veventq_type),
	ENUMERATION(enum iommu_hw_queue_type),
};

/* "nr" stands for the enumeration of command numbers, which has no name. */
static const struct value values[] = {
	VALUE(enum iommufd_ioas_map_flags, IOMMU_IOAS_MAP_FIXED_IOVA, 1),
	VALUE(enum iommufd_ioas_map_flags, IOMMU_IOAS_MAP_WRITEABLE, 2),
	VALUE(enum iommufd_ioas_map_flags, IOMMU_IOAS_MAP_READABLE, 4),
	VALUE(enum iommufd_option, IOMMU_OPTION_RLIMIT_MODE, 0),
	VALUE(enum iommufd_option, IOMMU_OPTION_HUGE_PAGES, 1),
	VALUE(enum iommufd_option_ops, IOMMU_OPTION_OP_SET, 0),
	VALUE(enum iommufd_option_ops, IOMMU_OPTION_OP_GET, 1),
	VALUE(enum iommufd_vfio_ioas_op, IOMMU_VFIO_IOAS_GET, 0),
	VALUE(enum iommufd_vfio_ioas_op, IOMMU_VFIO_IOAS_SET, 1),
	VALUE(enum iommufd_vfio_ioas_op, IOMMU_VFIO_IOAS_CLEAR, 2),
	VALUE(enum iommufd_hwpt_alloc_flags, IOMMU_HWPT_ALLOC_NEST_PARENT, 1),
	VALUE(enum iommufd_hwpt_alloc_flags, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 2),
	VALUE(enum iommufd_hwpt_alloc_flags, IOMMU_HWPT_FAULT_ID_VALID, 4),
	VALUE(enum iommufd_hwpt_alloc_flags, IOMMU_HWPT_ALLOC_PASID, 8),
	VALUE(enum iommu_hwpt_vtd_s1_flags, IOMMU_VTD_S1_SRE, 1),
	VALUE(enum iommu_hwpt_vtd_s1_flags, IOMMU_VTD_S1_EAFE, 2),
	VALUE(enum iommu_hwpt_vtd_s1_flags, IOMMU_VTD_S1_WPE, 4),
	VALUE(enum iommu_hwpt_data_type, IOMMU_HWPT_DATA_NONE, 0),
	VALUE(enum iommu_hwpt_data_type, IOMMU_HWPT_DATA_VTD_S1, 1),
	VALUE(enum iommu_hwpt_data_type, IOMMU_HWPT_DATA_ARM_SMMUV3, 2),
	VALUE(enum iommu_hwpt_data_type, IOMMU_HWPT_DATA_AMD_GUEST, 3),
	VALUE(enum iommu_hw_info_vtd_flags, IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17, 1),
	VALUE(enum iommu_hw_info_arm_smmuv3_flags,
	      IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI, 1),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_NONE, 0),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_DEFAULT, 0),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_INTEL_VTD, 1),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_ARM_SMMUV3, 2),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV, 3),
	VALUE(enum iommu_hw_info_type, IOMMU_HW_INFO_TYPE_AMD, 4),
	VALUE(enum iommufd_hw_capabilities, IOMMU_HW_CAP_DIRTY_TRACKING, 1),
	VALUE(enum iommufd_hw_capabilities, IOMMU_HW_CAP_PCI_PASID_EXEC, 2),
	VALUE(enum iommufd_hw_capabilities, IOMMU_HW_CAP_PCI_PASID_PRIV, 4),
	VALUE(enum iommufd_hw_capabilities, IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED, 8),
	VALUE(enum iommufd_hw_info_flags, IOMMU_HW_INFO_FLAG_INPUT_TYPE, 1),
	VALUE(enum iommufd_hwpt_set_dirty_tracking_flags,
	      IOMMU_HWPT_DIRTY_TRACKING_ENABLE, 1),
	VALUE(enum iommufd_hwpt_get_dirty_bitmap_flags,
	      IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, 1),
	VALUE(enum iommu_hwpt_invalidate_data_type, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1, 0),
	VALUE(enum iommu_hwpt_invalidate_data_type,
	      IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, 1),
	VALUE(enum iommu_hwpt_vtd_s1_invalidate_flags, IOMMU_VTD_INV_FLAGS_LEAF, 1),
	VALUE(enum iommu_hwpt_pgfault_flags, IOMMU_PGFAULT_FLAGS_PASID_VALID, 1),
	VALUE(enum iommu_hwpt_pgfault_flags, IOMMU_PGFAULT_FLAGS_LAST_PAGE, 2),
	VALUE(enum iommu_hwpt_pgfault_perm, IOMMU_PGFAULT_PERM_READ, 1),
	VALUE(enum iommu_hwpt_pgfault_perm, IOMMU_PGFAULT_PERM_WRITE, 2),
	VALUE(enum iommu_hwpt_pgfault_perm, IOMMU_PGFAULT_PERM_EXEC, 4),
	VALUE(enum iommu_hwpt_pgfault_perm, IOMMU_PGFAULT_PERM_PRIV, 8),
	VALUE(enum iommufd_page_response_code, IOMMUFD_PAGE_RESP_SUCCESS, 0),
	VALUE(enum iommufd_page_response_code, IOMMUFD_PAGE_RESP_INVALID, 1),
	VALUE(enum iommu_viommu_type, IOMMU_VIOMMU_TYPE_DEFAULT, 0),
	VALUE(enum iommu_viommu_type, IOMMU_VIOMMU_TYPE_ARM_SMMUV3, 1),
	VALUE(enum iommu_viommu_type, IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV, 2),
	VALUE(enum iommu_veventq_flag, IOMMU_VEVENTQ_FLAG_LOST_EVENTS, 1),
	VALUE(enum iommu_veventq_type, IOMMU_VEVENTQ_TYPE_DEFAULT, 0),
	VALUE(enum iommu_veventq_type, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, 1),
	VALUE(enum iommu_veventq_type, IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV, 2),
	VALUE(enum iommu_hw_queue_type, IOMMU_HW_QUEUE_TYPE_DEFAULT, 0),
	VALUE(enum iommu_hw_queue_type, IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV, 1),
	VALUE(nr, IOMMUFD_CMD_BASE, 0x80),
	VALUE(nr, IOMMUFD_CMD_DESTROY, 0x80),
	VALUE(nr, IOMMUFD_CMD_IOAS_ALLOC, 0x81),
	VALUE(nr, IOMMUFD_CMD_IOAS_ALLOW_IOVAS, 0x82),
	VALUE(nr, IOMMUFD_CMD_IOAS_COPY, 0x83),
	VALUE(nr, IOMMUFD_CMD_IOAS_IOVA_RANGES, 0x84),
	VALUE(nr, IOMMUFD_CMD_IOAS_MAP, 0x85),
	VALUE(nr, IOMMUFD_CMD_IOAS_UNMAP, 0x86),
	VALUE(nr, IOMMUFD_CMD_OPTION, 0x87),
	VALUE(nr, IOMMUFD_CMD_VFIO_IOAS, 0x88),
	VALUE(nr, IOMMUFD_CMD_HWPT_ALLOC, 0x89),
	VALUE(nr, IOMMUFD_CMD_GET_HW_INFO, 0x8a),
	VALUE(nr, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING, 0x8b),
	VALUE(nr, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP, 0x8c),
	VALUE(nr, IOMMUFD_CMD_HWPT_INVALIDATE, 0x8d),
	VALUE(nr, IOMMUFD_CMD_FAULT_QUEUE_ALLOC, 0x8e),
	VALUE(nr, IOMMUFD_CMD_IOAS_MAP_FILE, 0x8f),
	VALUE(nr, IOMMUFD_CMD_VIOMMU_ALLOC, 0x90),
	VALUE(nr, IOMMUFD_CMD_VDEVICE_ALLOC, 0x91),
	VALUE(nr, IOMMUFD_CMD_IOAS_CHANGE_PROCESS, 0x92),
	VALUE(nr, IOMMUFD_CMD_VEVENTQ_ALLOC, 0x93),
	VALUE(nr, IOMMUFD_CMD_HW_QUEUE_ALLOC, 0x94),
	VALUE(nr, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA, 0x95),
};

static bool equal(const char *owner, const char *what, unsigned long actual,
		  unsigned long expected)
{
	if (actual == expected)
		return true;
	ksft_print_msg("%s: %s is %lu, has to be %lu\n", owner, what, actual, expected);
	return false;
}

static size_t member_offset(const struct member *member)
{
	return (const char *)member->address - (const char *)&any;
}

static bool member_of(const struct member *member, const char *structure)
{
	size_t length;

	structure += strlen("struct ");
	length = strlen(structure);
	return !strncmp(member->name, structure, length) && member->name[length] == '.';
}

static bool member_good(const struct member *member)
{
	bool good = equal(member->name, "offset", member_offset(member),
			  member->offset_expected);

	good &= equal(member->name, "size", member->size, member->size_expected);
	if (!member->type_good) {
		ksft_print_msg("%s: has to be a %s\n", member->name, member->type_expected);
		good = false;
	}
	return good;
}

/* No hole before the member: it begins where another ends, or with it in a union. */
static bool member_adjacent(const struct member *member, size_t *end)
{
	size_t offset = member_offset(member);
	bool in_union = *end && offset + member->size == *end;

	if (!in_union && !equal(member->name, "offset", offset, *end))
		return false;
	*end = offset + member->size;
	return true;
}

static void test_structure(const struct structure *structure)
{
	size_t end = 0;
	size_t i;
	bool good;

	good = equal(structure->name, "size", structure->size, structure->size_expected);
	good &= equal(structure->name, "alignment", structure->align,
		      structure->align_expected);
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (!member_of(&members[i], structure->name))
			continue;
		good &= member_good(&members[i]);
		good &= member_adjacent(&members[i], &end);
	}
	good &= equal(structure->name, "end of the last member", end, structure->size);
	ksft_test_result(good, "%s\n", structure->name);
}

static void test_values(const char *enumeration)
{
	bool good = true, some = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		if (strcmp(values[i].enumeration, enumeration))
			continue;
		some = true;
		good &= equal(enumeration, values[i].name, values[i].value,
			      values[i].value_expected);
	}
	ksft_test_result(good && some, "%s\n", enumeration);
}

/* The end of the last member that a caller must give. */
static size_t command_min(const struct command *command)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		if (member_of(&members[i], command->structure) &&
		    !strcmp(strchr(members[i].name, '.') + 1, command->last))
			return member_offset(&members[i]) + members[i].size;
	return 0;
}

static void test_command(const struct command *command)
{
	bool good = equal(command->name, "request", command->request,
			  command->request_expected);

	good &= equal(command->name, "size", command->full, command->full_expected);
	good &= equal(command->name, "smallest size", command_min(command),
		      command->min_expected);
	ksft_test_result(good, "%s\n", command->name);
}

int main(void)
{
	size_t i;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(structures) + ARRAY_SIZE(enumerations) + 1 + ARRAY_SIZE(commands));
	for (i = 0; i < ARRAY_SIZE(structures); i++)
		test_structure(&structures[i]);
	for (i = 0; i < ARRAY_SIZE(enumerations); i++)
		test_values(enumerations[i].name);
	test_values("nr");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		test_command(&commands[i]);
	ksft_finished();
}
