/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * User API of /dev/iommu.
 *
 * Owns every number, structure and name that a program and the kernel share:
 * the ioctls, what their arguments point to, and the records read from and
 * written to event file descriptors. It must never need another header than
 * <linux/ioctl.h> and <linux/types.h>, and it says nothing of how the kernel
 * does its work.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE (';')

/**
 * DOC: General rules
 *
 * Every ioctl takes a pointer to a structure that begins with a __u32 @size,
 * set by the caller to the size of the structure it was compiled with. The
 * request number carries neither size nor direction: structures may grow at
 * their end without a new number.
 *
 * - A @size below what the command has always needed gives EINVAL.
 * - A shorter structure than the kernel's is read as if it were followed by
 *   zeros, and nothing is written beyond @size.
 * - A longer one is accepted as long as all that the kernel does not know is
 *   zero, else E2BIG.
 * - A request that the kernel does not know gives ENOTTY.
 *
 * Further errno that every command may give: EFAULT for memory that cannot be
 * read or written, EOPNOTSUPP for an unknown flag, option or operation and for
 * a reserved member that is not 0, EINVAL for values that make no sense, ENOENT
 * for an id or IOVA that does not exist, EOVERFLOW for ranges that wrap, EBUSY
 * for objects in use, ENOMEM for want of memory or RLIMIT_MEMLOCK.
 *
 * Each open of /dev/iommu has its own objects and its own ids. An id is never 0;
 * a new object gets the lowest that is free. A command that fails has changed
 * nothing, unless its description says otherwise.
 */

/* The nr of each ioctl. */
enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC = 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC = 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS = 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC = 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC = 0x94,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA = 0x95,
};

/**
 * struct iommu_destroy - argument of IOMMU_DESTROY
 * @size: sizeof(struct iommu_destroy)
 * @id: The object to destroy, of any type
 *
 * The object and its id are gone on return. Mappings left in an IOAS are
 * unmapped. Never waits for anybody.
 *
 * ENOENT: no such object. EBUSY: another object, an attached device, an open
 * file descriptor of the object or a running ioctl uses it. Devices and accesses
 * are always busy: the driver that made them destroys them.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};

#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - argument of IOMMU_IOAS_ALLOC
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: Must be 0
 * @out_ioas_id: Id of the new IOAS
 *
 * Makes an I/O address space (IOAS): a set of mappings from IOVA to memory that
 * devices are attached to. A new one is empty and covers all 64 bits. Mappings
 * may be made before any device is attached.
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/**
 * struct iommu_iova_range - a range of IOVA
 * @start: First IOVA
 * @last: Last IOVA, which belongs to the range
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - argument of IOMMU_IOAS_IOVA_RANGES
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: The IOAS to ask
 * @num_iovas: In: entries that fit into the array. Out: number of ranges
 * @__reserved: Must be 0
 * @allowed_iovas: Pointer to an array of struct iommu_iova_range; not used
 *                 if @num_iovas is 0
 * @out_iova_alignment: Every IOVA and length given to a mapping must be a
 *                      multiple of this power of 2
 *
 * Reports where mappings are possible: all IOVA but what the page tables on the
 * IOAS cannot translate and what attached devices reserve. The ranges ascend and
 * never touch. Mappings that exist and IOMMU_IOAS_ALLOW_IOVAS play no part. The
 * answer holds until a device is attached or detached or a page table is made or
 * destroyed.
 *
 * EMSGSIZE: the array was too short; it is full, and @num_iovas and
 * @out_iova_alignment are valid.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};

#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/**
 * struct iommu_ioas_allow_iovas - argument of IOMMU_IOAS_ALLOW_IOVAS
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: The IOAS to change
 * @num_iovas: Number of entries; 0 empties the list
 * @__reserved: Must be 0
 * @allowed_iovas: Pointer to an array of struct iommu_iova_range in any order;
 *                 not used if @num_iovas is 0
 *
 * Replaces the list of ranges that must stay usable. While it is not empty,
 * mappings without IOMMU_IOAS_MAP_FIXED_IOVA are placed inside it, and
 * whatever would reserve a part of it fails with EADDRINUSE. Mappings with
 * IOMMU_IOAS_MAP_FIXED_IOVA may lie elsewhere, and existing mappings stay.
 *
 * EINVAL: an entry is shorter than 2 bytes or overlaps another. EADDRINUSE: an
 * entry meets a reserved range. The old list stays on every error.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};

#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/**
 * enum iommufd_ioas_map_flags - flags of IOMMU_IOAS_MAP, _MAP_FILE and _COPY
 * @IOMMU_IOAS_MAP_FIXED_IOVA: Map at the given IOVA; otherwise the kernel
 *                             chooses one and returns it
 * @IOMMU_IOAS_MAP_WRITEABLE: Devices may write
 * @IOMMU_IOAS_MAP_READABLE: Devices may read
 *
 * One of WRITEABLE and READABLE must be set (EINVAL).
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/**
 * struct iommu_ioas_map - argument of IOMMU_IOAS_MAP
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: Mask of enum iommufd_ioas_map_flags
 * @ioas_id: The IOAS to change
 * @__reserved: Must be 0
 * @user_va: Address of the memory in the calling process
 * @length: Bytes to map
 * @iova: In with IOMMU_IOAS_MAP_FIXED_IOVA: where to map. Out: where it is mapped
 *
 * Maps memory of the calling process. The memory is pinned, and charged to the
 * caller's RLIMIT_MEMLOCK, for as long as a page table is on the IOAS; with none
 * it is not looked at yet, and errors of pinning come from what makes the first
 * page table. From then on munmap() and the like do not change what devices
 * reach.
 *
 * A BAR that the process has mapped from a VFIO PCI device is mapped for other
 * devices, if it decodes at that moment: neither pinned nor charged for, and out
 * of reach whenever its device does not decode it, for good once that is closed.
 *
 * EINVAL: not aligned as IOMMU_IOAS_IOVA_RANGES demands, @length 0, or @iova in a
 * reserved range. EEXIST: @iova meets a mapping; nothing is ever replaced.
 * ENOSPC: no free IOVA. EFAULT: no memory at @user_va, or not writeable; also if
 * the result cannot be written back, and then the mapping stays. ENOMEM: over
 * RLIMIT_MEMLOCK. EOVERFLOW: a range wraps.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_map_file - argument of IOMMU_IOAS_MAP_FILE
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: Mask of enum iommufd_ioas_map_flags
 * @ioas_id: The IOAS to change
 * @fd: A memfd, a file of tmpfs or hugetlbfs, or a dma-buf
 * @start: Offset in the file
 * @length: Bytes to map
 * @iova: In with IOMMU_IOAS_MAP_FIXED_IOVA: where to map. Out: where it is mapped
 *
 * As IOMMU_IOAS_MAP with the memory of a file. The mapping depends neither on
 * @fd staying open nor on a process.
 *
 * Further errors. EBADF: @fd is not open. EINVAL: not a file of memory, or the
 * range is not inside it. EOPNOTSUPP: a dma-buf of another exporter than VFIO.
 * ENODEV: a dma-buf that has been revoked.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};

#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - argument of IOMMU_IOAS_COPY
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: Mask of enum iommufd_ioas_map_flags
 * @dst_ioas_id: The IOAS to change
 * @src_ioas_id: The IOAS to copy from, may be the same
 * @length: Bytes to map
 * @dst_iova: In with IOMMU_IOAS_MAP_FIXED_IOVA: where to map. Out: where it is
 *            mapped
 * @src_iova: Start of the range to copy, all of which must be mapped
 *
 * Maps the memory behind a range of IOVA once more, without pinning or charging
 * it again. Permissions are those in @flags. The range may be a part of one
 * mapping or cross several that touch; each becomes a mapping of its own. The
 * copy lives on when the original is unmapped.
 *
 * Errors as IOMMU_IOAS_MAP, and ENOENT: a part of the source is not mapped.
 * EPERM: WRITEABLE on memory that was mapped without. EINVAL also: a boundary
 * between two mappings would not be aligned in the destination.
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};

#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - argument of IOMMU_IOAS_UNMAP
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: The IOAS to change
 * @iova: Start of the range
 * @length: In: bytes of the range. Out: bytes that were unmapped
 *
 * Unmaps all mappings inside the range, which may have holes. @iova 0 with
 * @length U64_MAX unmaps everything and succeeds also if there is nothing. On
 * return no device reaches the memory any more, and the IOVA may be used again.
 * Mappings are never cut.
 *
 * ENOENT: no mapping in the range, or one that sticks out of it; nothing has been
 * unmapped. EBUSY: another thread is mapping or unmapping there, or a hardware
 * queue uses the memory. EDEADLK: a driver of the kernel does not unpin. Mappings
 * below the one that caused EBUSY or EDEADLK are gone.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * struct iommu_ioas_change_process - argument of IOMMU_IOAS_CHANGE_PROCESS
 * @size: sizeof(struct iommu_ioas_change_process)
 * @__reserved: Must be 0
 *
 * Makes the calling process pay for all memory pinned through this file
 * descriptor, in place of those who mapped it. For a program that hands its
 * devices to its successor.
 *
 * EINVAL: a mapping was not made by IOMMU_IOAS_MAP_FILE on a file. EBUSY: a
 * mapping is being made or removed. ENOMEM: over the caller's RLIMIT_MEMLOCK.
 */
struct iommu_ioas_change_process {
	__u32 size;
	__u32 __reserved;
};

#define IOMMU_IOAS_CHANGE_PROCESS \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

/**
 * struct iommu_ioas_noiommu_get_pa - argument of IOMMU_IOAS_NOIOMMU_GET_PA
 * @size: sizeof(struct iommu_ioas_noiommu_get_pa)
 * @flags: Must be 0
 * @ioas_id: The IOAS to ask
 * @__reserved: Must be 0
 * @iova: What to translate
 * @length: In: bytes of interest. Out: how many of them lie one after the other
 *          from @out_phys on
 * @out_phys: Physical address of @iova
 *
 * For devices without an IOMMU, which are programmed with physical addresses.
 *
 * EPERM: the caller lacks CAP_SYS_RAWIO. ENOENT: @iova is not mapped.
 * EOPNOTSUPP: the kernel does not support such devices, or none is attached.
 */
struct iommu_ioas_noiommu_get_pa {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 out_phys;
};

#define IOMMU_IOAS_NOIOMMU_GET_PA \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)

/**
 * enum iommufd_option - values of iommu_option.option_id
 * @IOMMU_OPTION_RLIMIT_MODE: How pinned memory is charged to RLIMIT_MEMLOCK: 0 to
 *                            the user (default), 1 to the process. Of the whole
 *                            file descriptor: object_id must be 0
 * @IOMMU_OPTION_HUGE_PAGES: Whether the page tables of an IOAS, object_id, may
 *                           have entries larger than a CPU page: 1 (default) or 0
 *
 * Setting RLIMIT_MODE needs CAP_SYS_RESOURCE (EPERM) and a file descriptor
 * without objects (EBUSY). Huge pages cannot be switched off while the IOAS has
 * a page table and mappings (EINVAL), or mappings that are not aligned to
 * CPU pages (EADDRINUSE).
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

/**
 * enum iommufd_option_ops - values of iommu_option.op
 * @IOMMU_OPTION_OP_SET: Change the option to val64
 * @IOMMU_OPTION_OP_GET: Store the option into val64
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/**
 * struct iommu_option - argument of IOMMU_OPTION
 * @size: sizeof(struct iommu_option)
 * @option_id: One of enum iommufd_option
 * @op: One of enum iommufd_option_ops
 * @__reserved: Must be 0
 * @object_id: The object whose option it is, or 0
 * @val64: The value, in or out
 *
 * Reads or changes an option. Only @val64 is ever written back.
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};

#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/**
 * enum iommufd_vfio_ioas_op - values of iommu_vfio_ioas.op
 * @IOMMU_VFIO_IOAS_GET: Return the id of the compatibility IOAS
 * @IOMMU_VFIO_IOAS_SET: Make an IOAS the compatibility IOAS
 * @IOMMU_VFIO_IOAS_CLEAR: Have none
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/**
 * struct iommu_vfio_ioas - argument of IOMMU_VFIO_IOAS
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: In for SET, out for GET
 * @op: One of enum iommufd_vfio_ioas_op
 * @__reserved: Must be 0
 *
 * The compatibility IOAS is the one that requests of the old VFIO container act
 * on, when the file descriptor serves as one.
 *
 * ENODEV: GET while there is none.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};

#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/**
 * enum iommufd_hwpt_alloc_flags - flags of IOMMU_HWPT_ALLOC
 * @IOMMU_HWPT_ALLOC_NEST_PARENT: Nested page tables can be put on this one
 * @IOMMU_HWPT_ALLOC_DIRTY_TRACKING: Must be able to track dirty pages; devices that
 *                                   cannot are not let in
 * @IOMMU_HWPT_FAULT_ID_VALID: Page faults of devices go to fault_id
 * @IOMMU_HWPT_ALLOC_PASID: Can be attached to a PASID
 */
enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID = 1 << 2,
	IOMMU_HWPT_ALLOC_PASID = 1 << 3,
};

/**
 * enum iommu_hwpt_vtd_s1_flags - flags of struct iommu_hwpt_vtd_s1
 * @IOMMU_VTD_S1_SRE: Supervisor requests
 * @IOMMU_VTD_S1_EAFE: Extended access flag
 * @IOMMU_VTD_S1_WPE: Write protection holds for supervisor requests too
 */
enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

/**
 * struct iommu_hwpt_vtd_s1 - first stage page table of Intel VT-d
 * @flags: Mask of enum iommu_hwpt_vtd_s1_flags
 * @pgtbl_addr: Guest physical address of the page table
 * @addr_width: Bits of an address it translates
 * @__reserved: Must be 0
 */
struct iommu_hwpt_vtd_s1 {
	__aligned_u64 flags;
	__aligned_u64 pgtbl_addr;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_arm_smmuv3 - nested stream table entry of Arm SMMUv3
 * @ste: First two double words of the guest's stream table entry
 */
struct iommu_hwpt_arm_smmuv3 {
	__le64 ste[2];
};

/**
 * struct iommu_hwpt_amd_guest - nested device table entry of AMD
 * @dte: The guest's device table entry
 */
struct iommu_hwpt_amd_guest {
	__aligned_u64 dte[4];
};

/**
 * enum iommu_hwpt_data_type - driver data of IOMMU_HWPT_ALLOC
 * @IOMMU_HWPT_DATA_NONE: No data
 * @IOMMU_HWPT_DATA_VTD_S1: struct iommu_hwpt_vtd_s1
 * @IOMMU_HWPT_DATA_ARM_SMMUV3: struct iommu_hwpt_arm_smmuv3
 * @IOMMU_HWPT_DATA_AMD_GUEST: struct iommu_hwpt_amd_guest
 */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
	IOMMU_HWPT_DATA_VTD_S1 = 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3 = 2,
	IOMMU_HWPT_DATA_AMD_GUEST = 3,
};

/**
 * struct iommu_hwpt_alloc - argument of IOMMU_HWPT_ALLOC
 * @size: sizeof(struct iommu_hwpt_alloc), at least 24
 * @flags: Mask of enum iommufd_hwpt_alloc_flags
 * @dev_id: A device; it selects the IOMMU and is not attached
 * @pt_id: What the page table translates to: an IOAS, whose mappings it gets, or
 *         a page table or virtual IOMMU to nest on
 * @out_hwpt_id: Id of the new page table
 * @__reserved: Must be 0
 * @data_type: One of enum iommu_hwpt_data_type
 * @data_len: Bytes at @data_uptr
 * @data_uptr: Pointer to the structure that @data_type names
 * @fault_id: With IOMMU_HWPT_FAULT_ID_VALID: a fault queue
 * @__reserved2: Not looked at; set it to 0
 *
 * Makes a hardware page table (HWPT). One on an IOAS is filled with all its
 * mappings at once, whose memory is pinned.
 *
 * EINVAL: no such @pt_id, @data_type and @data_len contradict each other, or
 * the page table and the IOAS do not fit. EADDRINUSE: the IOAS has mappings or
 * allowed ranges that the page table cannot translate. EOPNOTSUPP: the IOMMU
 * or its driver cannot.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};

#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommu_hw_info_vtd_flags - flags of struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: Memory that a nested page table lives in
 *                                         must not be mapped read-only
 */
enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

/**
 * struct iommu_hw_info_vtd - what an Intel VT-d unit can do
 * @flags: Mask of enum iommu_hw_info_vtd_flags
 * @__reserved: 0
 * @cap_reg: Capability register
 * @ecap_reg: Extended capability register
 */
struct iommu_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap_reg;
	__aligned_u64 ecap_reg;
};

/**
 * enum iommu_hw_info_arm_smmuv3_flags - flags of struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI: Invalidations of translations
 *                                                    and configuration have to be
 *                                                    issued twice
 */
enum iommu_hw_info_arm_smmuv3_flags {
	IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI = 1 << 0,
};

/**
 * struct iommu_hw_info_arm_smmuv3 - what an Arm SMMUv3 can do
 * @flags: Mask of enum iommu_hw_info_arm_smmuv3_flags
 * @__reserved: 0
 * @idr: Registers IDR0 to IDR5
 * @iidr: Register IIDR
 * @aidr: Register AIDR
 */
struct iommu_hw_info_arm_smmuv3 {
	__u32 flags;
	__u32 __reserved;
	__u32 idr[6];
	__u32 iidr;
	__u32 aidr;
};

/**
 * struct iommu_hw_info_tegra241_cmdqv - what a Tegra241 CMDQV can do
 * @flags: 0
 * @version: Version of the hardware
 * @log2vcmdqs: Binary logarithm of the command queues a virtual interface has
 * @log2vsids: Binary logarithm of the stream ids a virtual interface has
 * @__reserved: 0
 */
struct iommu_hw_info_tegra241_cmdqv {
	__u32 flags;
	__u8 version;
	__u8 log2vcmdqs;
	__u8 log2vsids;
	__u8 __reserved;
};

/**
 * struct iommu_hw_info_amd - what an AMD IOMMU can do
 * @efr: Extended feature register
 * @efr2: Extended feature register 2
 */
struct iommu_hw_info_amd {
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/**
 * enum iommu_hw_info_type - kinds of hardware information
 * @IOMMU_HW_INFO_TYPE_NONE: Out: the driver has none
 * @IOMMU_HW_INFO_TYPE_DEFAULT: In: whatever kind the driver prefers
 * @IOMMU_HW_INFO_TYPE_INTEL_VTD: struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_TYPE_ARM_SMMUV3: struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: struct iommu_hw_info_tegra241_cmdqv
 * @IOMMU_HW_INFO_TYPE_AMD: struct iommu_hw_info_amd
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
	IOMMU_HW_INFO_TYPE_DEFAULT = 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD = 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3,
	IOMMU_HW_INFO_TYPE_AMD = 4,
};

/**
 * enum iommufd_hw_capabilities - mask in iommu_hw_info.out_capabilities
 * @IOMMU_HW_CAP_DIRTY_TRACKING: Page tables can track dirty pages
 * @IOMMU_HW_CAP_PCI_PASID_EXEC: The device may ask for execute permission
 * @IOMMU_HW_CAP_PCI_PASID_PRIV: The device may make privileged requests
 * @IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: ATS cannot be used
 */
enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC = 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV = 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3,
};

/**
 * enum iommufd_hw_info_flags - flags of IOMMU_GET_HW_INFO
 * @IOMMU_HW_INFO_FLAG_INPUT_TYPE: in_data_type says which kind is wanted
 */
enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/**
 * struct iommu_hw_info - argument of IOMMU_GET_HW_INFO
 * @size: sizeof(struct iommu_hw_info), at least 32
 * @flags: Mask of enum iommufd_hw_info_flags
 * @dev_id: The device whose IOMMU is asked
 * @data_len: In: bytes at @data_uptr. Out: bytes the driver has, which may be more
 * @data_uptr: Pointer to a buffer; what the driver does not fill is zeroed. Not used
 *             if @data_len is 0
 * @in_data_type: With IOMMU_HW_INFO_FLAG_INPUT_TYPE: the kind of information wanted,
 *                of enum iommu_hw_info_type
 * @out_data_type: The kind of information given, of enum iommu_hw_info_type
 * @out_max_pasid_log2: Binary logarithm of the number of PASIDs the device has, 0 for
 *                      none
 * @__reserved: Must be 0
 * @out_capabilities: Mask of enum iommufd_hw_capabilities
 *
 * EOPNOTSUPP: the driver does not know @in_data_type.
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};

#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - flags of
 *                                              IOMMU_HWPT_SET_DIRTY_TRACKING
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: Start tracking, or start it anew; not set: stop
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1 << 0,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - argument of IOMMU_HWPT_SET_DIRTY_TRACKING
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: Mask of enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: A page table on an IOAS, made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING
 * @__reserved: Not looked at; set it to 0
 *
 * Starts or stops tracking which pages devices write to. Starting forgets all
 * that was tracked before.
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};

#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - flags of IOMMU_HWPT_GET_DIRTY_BITMAP
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: Pages stay dirty. Saves time if they are
 *                                        about to be unmapped
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1 << 0,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - argument of IOMMU_HWPT_GET_DIRTY_BITMAP
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: A page table on an IOAS, made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING
 * @flags: Mask of enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: Must be 0
 * @iova: Start of the range
 * @length: Bytes of the range
 * @page_size: Bytes that one bit stands for, a power of 2
 * @data: Pointer to the bitmap
 *
 * Sets bit n, which is bit n % 8 of byte n / 8, if a device wrote to the
 * @page_size bytes at @iova + n * @page_size. No bit is ever cleared. The hardware
 * tracks whole entries of the page table, which can be larger: then all bits are
 * set that one covers. One that is only in part in the range stays dirty.
 *
 * The walk ends at the first gap between mappings, and where the bitmap cannot be
 * written to; what is beyond stays dirty, and the result is 0.
 *
 * EINVAL: @iova or @length is not a multiple of @page_size or of the
 * alignment that IOMMU_IOAS_IOVA_RANGES gives. EOPNOTSUPP: the page table
 * does not track dirty pages.
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};

#define IOMMU_HWPT_GET_DIRTY_BITMAP \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/**
 * enum iommu_hwpt_invalidate_data_type - kinds of entries of IOMMU_HWPT_INVALIDATE
 * @IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: struct iommu_hwpt_vtd_s1_invalidate, for a
 *                                     nested page table
 * @IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: struct
 *                                           iommu_viommu_arm_smmuv3_invalidate,
 *                                           for a virtual IOMMU
 */
enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1,
};

/**
 * enum iommu_hwpt_vtd_s1_invalidate_flags - flags of
 *                                           struct iommu_hwpt_vtd_s1_invalidate
 * @IOMMU_VTD_INV_FLAGS_LEAF: Only entries of the last level have changed
 */
enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

/**
 * struct iommu_hwpt_vtd_s1_invalidate - invalidation on Intel VT-d
 * @addr: First address, a multiple of 4096
 * @npages: Number of 4096 byte pages; U64_MAX with @addr 0 means all
 * @flags: Mask of enum iommu_hwpt_vtd_s1_invalidate_flags
 * @__reserved: Must be 0
 */
struct iommu_hwpt_vtd_s1_invalidate {
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct iommu_viommu_arm_smmuv3_invalidate - invalidation on Arm SMMUv3
 * @cmd: A command as the guest puts it into its command queue
 */
struct iommu_viommu_arm_smmuv3_invalidate {
	__le64 cmd[2];
};

/**
 * struct iommu_hwpt_invalidate - argument of IOMMU_HWPT_INVALIDATE
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: A nested page table or a virtual IOMMU
 * @data_uptr: Pointer to the entries
 * @data_type: One of enum iommu_hwpt_invalidate_data_type
 * @entry_len: Bytes from one entry to the next
 * @entry_num: In: number of entries. Out, on errors too: entries that were handled
 * @__reserved: Must be 0
 *
 * Drops what the IOMMU has cached of a page table that user space owns. Entries
 * are handled in order; the first that fails ends the call with its errno.
 * @entry_num 0 asks if @data_type is supported (EINVAL if not).
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};

#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/**
 * enum iommu_hwpt_pgfault_flags - flags of struct iommu_hwpt_pgfault
 * @IOMMU_PGFAULT_FLAGS_PASID_VALID: The request carries a PASID
 * @IOMMU_PGFAULT_FLAGS_LAST_PAGE: Last record of its group
 */
enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID = 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE = 1 << 1,
};

/**
 * enum iommu_hwpt_pgfault_perm - mask in iommu_hwpt_pgfault.perm
 * @IOMMU_PGFAULT_PERM_READ: The device wants to read
 * @IOMMU_PGFAULT_PERM_WRITE: The device wants to write
 * @IOMMU_PGFAULT_PERM_EXEC: The device wants to execute
 * @IOMMU_PGFAULT_PERM_PRIV: The request is privileged
 */
enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ = 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE = 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC = 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV = 1 << 3,
};

/**
 * struct iommu_hwpt_pgfault - page request of a device, read from a fault queue
 * @flags: Mask of enum iommu_hwpt_pgfault_flags
 * @dev_id: The device
 * @pasid: Its PASID, with IOMMU_PGFAULT_FLAGS_PASID_VALID
 * @grpid: The device's number of the group
 * @perm: Mask of enum iommu_hwpt_pgfault_perm
 * @__reserved: 0
 * @addr: Address the device faulted on
 * @length: 0
 * @cookie: Names the group in the response
 *
 * A read() returns whole groups only and never blocks. A device may ask for
 * several pages at once, a group, and waits for one answer to all.
 */
struct iommu_hwpt_pgfault {
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 __reserved;
	__aligned_u64 addr;
	__u32 length;
	__u32 cookie;
};

/**
 * enum iommufd_page_response_code - answers to a page request
 * @IOMMUFD_PAGE_RESP_SUCCESS: The pages are there, the device shall try again
 * @IOMMUFD_PAGE_RESP_INVALID: The device shall not try again
 */
enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS = 0,
	IOMMUFD_PAGE_RESP_INVALID = 1,
};

/**
 * struct iommu_hwpt_page_response - answer to a group, written to a fault queue
 * @cookie: The group, as read
 * @code: One of enum iommufd_page_response_code
 */
struct iommu_hwpt_page_response {
	__u32 cookie;
	__u32 code;
};

/**
 * struct iommu_fault_alloc - argument of IOMMU_FAULT_QUEUE_ALLOC
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: Must be 0
 * @out_fault_id: Id of the new fault queue
 * @out_fault_fd: File descriptor to read struct iommu_hwpt_pgfault from and write
 *                struct iommu_hwpt_page_response to
 *
 * Makes a queue for page requests, which IOMMU_HWPT_ALLOC can refer to. Close the
 * file descriptor, then destroy the object.
 *
 * EMFILE: no file descriptor left.
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};

#define IOMMU_FAULT_QUEUE_ALLOC \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

/**
 * enum iommu_viommu_type - kinds of virtual IOMMUs
 * @IOMMU_VIOMMU_TYPE_DEFAULT: Not a kind (EOPNOTSUPP)
 * @IOMMU_VIOMMU_TYPE_ARM_SMMUV3: Arm SMMUv3, without driver data
 * @IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: Arm SMMUv3 with Tegra241 CMDQV,
 *                                    struct iommu_viommu_tegra241_cmdqv
 */
enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT = 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_viommu_tegra241_cmdqv - driver data of a Tegra241 CMDQV
 * @out_vintf_mmap_offset: Offset to mmap() the /dev/iommu file descriptor at
 * @out_vintf_mmap_length: Length of that mmap()
 *
 * The page holds the registers of the virtual interface. Offset and length have to
 * be used exactly as given.
 */
struct iommu_viommu_tegra241_cmdqv {
	__aligned_u64 out_vintf_mmap_offset;
	__aligned_u64 out_vintf_mmap_length;
};

/**
 * struct iommu_viommu_alloc - argument of IOMMU_VIOMMU_ALLOC
 * @size: sizeof(struct iommu_viommu_alloc), at least 24
 * @flags: Must be 0
 * @type: One of enum iommu_viommu_type
 * @dev_id: A device; it selects the IOMMU
 * @hwpt_id: A page table made with IOMMU_HWPT_ALLOC_NEST_PARENT, the guest's memory
 * @out_viommu_id: Id of the new virtual IOMMU
 * @data_len: Bytes at @data_uptr
 * @__reserved: Not looked at; set it to 0
 * @data_uptr: Pointer to the structure that goes with @type
 *
 * Makes a virtual IOMMU: the part of a physical IOMMU that one guest uses.
 *
 * EOPNOTSUPP: the IOMMU has no such @type. EINVAL: @hwpt_id cannot be nested on.
 */
struct iommu_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 dev_id;
	__u32 hwpt_id;
	__u32 out_viommu_id;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};

#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

/**
 * struct iommu_vdevice_alloc - argument of IOMMU_VDEVICE_ALLOC
 * @size: sizeof(struct iommu_vdevice_alloc)
 * @viommu_id: The virtual IOMMU
 * @dev_id: The device
 * @out_vdevice_id: Id of the new virtual device
 * @virt_id: What the guest calls the device: stream id, requester id
 *
 * Puts a device behind a virtual IOMMU, under the guest's number. It goes by
 * itself when the device is unbound.
 *
 * EEXIST: the device is behind a virtual IOMMU, or @virt_id is taken. EINVAL: the
 * two belong to different physical IOMMUs.
 */
struct iommu_vdevice_alloc {
	__u32 size;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 out_vdevice_id;
	__aligned_u64 virt_id;
};

#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/**
 * enum iommu_veventq_flag - flags of struct iommufd_vevent_header
 * @IOMMU_VEVENTQ_FLAG_LOST_EVENTS: No data follows: events were lost here
 */
enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1 << 0,
};

/**
 * struct iommufd_vevent_header - precedes each event read from an event queue
 * @flags: Mask of enum iommu_veventq_flag
 * @sequence: Number of the event, from 0 to 2^31 - 1 and over again. Lost events
 *            have been counted: a gap tells how many
 */
struct iommufd_vevent_header {
	__u32 flags;
	__u32 sequence;
};

/**
 * enum iommu_veventq_type - kinds of events
 * @IOMMU_VEVENTQ_TYPE_DEFAULT: Not a kind (EOPNOTSUPP)
 * @IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: struct iommu_vevent_arm_smmuv3
 * @IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: struct iommu_vevent_tegra241_cmdqv
 */
enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT = 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_vevent_arm_smmuv3 - event of an Arm SMMUv3
 * @evt: The event record, with the guest's stream id
 */
struct iommu_vevent_arm_smmuv3 {
	__le64 evt[4];
};

/**
 * struct iommu_vevent_tegra241_cmdqv - event of a Tegra241 CMDQV
 * @lvcmdq_err_map: One bit for each command queue that has an error
 */
struct iommu_vevent_tegra241_cmdqv {
	__le64 lvcmdq_err_map[2];
};

/**
 * struct iommu_veventq_alloc - argument of IOMMU_VEVENTQ_ALLOC
 * @size: sizeof(struct iommu_veventq_alloc), at least 28
 * @flags: Must be 0
 * @viommu_id: The virtual IOMMU whose events are wanted
 * @type: One of enum iommu_veventq_type
 * @veventq_depth: How many events are kept, at most 2^19
 * @out_veventq_id: Id of the new event queue
 * @out_veventq_fd: File descriptor to read the events from: struct
 *                  iommufd_vevent_header and the structure that goes with @type
 * @__reserved: Must be 0
 *
 * A read() never blocks. Events that come while the queue is full are lost, and
 * the loss is reported in the queue. Close the file descriptor, then destroy the
 * object.
 *
 * EEXIST: the virtual IOMMU has a queue of this type. EINVAL: bad depth.
 */
struct iommu_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 veventq_depth;
	__u32 out_veventq_id;
	__u32 out_veventq_fd;
	__u32 __reserved;
};

#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

/**
 * enum iommu_hw_queue_type - kinds of hardware queues
 * @IOMMU_HW_QUEUE_TYPE_DEFAULT: Not a kind (EOPNOTSUPP)
 * @IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: A virtual command queue of a Tegra241 CMDQV
 */
enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT = 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1,
};

/**
 * struct iommu_hw_queue_alloc - argument of IOMMU_HW_QUEUE_ALLOC
 * @size: sizeof(struct iommu_hw_queue_alloc)
 * @flags: Must be 0
 * @viommu_id: The virtual IOMMU the queue belongs to
 * @type: One of enum iommu_hw_queue_type
 * @index: Which of the virtual IOMMU's queues
 * @out_hw_queue_id: Id of the new queue
 * @nesting_parent_iova: Where the queue lies in the guest's memory
 * @length: Bytes of the queue
 *
 * Hands memory of the guest to the hardware as a queue that the guest then uses
 * by itself. It has to be physically contiguous (EFAULT), and cannot be unmapped
 * until the queue is destroyed.
 */
struct iommu_hw_queue_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 index;
	__u32 out_hw_queue_id;
	__aligned_u64 nesting_parent_iova;
	__aligned_u64 length;
};

#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

#endif
