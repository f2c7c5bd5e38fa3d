/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of the test build: one more ioctl on /dev/iommu, and what the
 * mock IOMMU's driver exchanges with user space.
 *
 * Shared with the programs in tools/testing/selftests, which include the user
 * API header before this one. The numbers are those of the programs that test
 * other kernels, so that they run here, too.
 */
#ifndef __IOMMUFD_TEST_H
#define __IOMMUFD_TEST_H

#include <linux/types.h>

#define IOMMU_TEST_CMD _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)

enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN,
	IOMMU_TEST_OP_MD_CHECK_MAP,
	IOMMU_TEST_OP_MD_CHECK_REFS,
	IOMMU_TEST_OP_CREATE_ACCESS,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_RW,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
	IOMMU_TEST_OP_DIRTY,
	IOMMU_TEST_OP_MD_CHECK_IOTLB,
	IOMMU_TEST_OP_TRIGGER_IOPF,
	IOMMU_TEST_OP_DEV_CHECK_CACHE,
	IOMMU_TEST_OP_TRIGGER_VEVENT,
	IOMMU_TEST_OP_PASID_ATTACH,
	IOMMU_TEST_OP_PASID_REPLACE,
	IOMMU_TEST_OP_PASID_DETACH,
	IOMMU_TEST_OP_PASID_CHECK_HWPT,
	IOMMU_TEST_OP_DMABUF_GET,
	IOMMU_TEST_OP_DMABUF_REVOKE,
};

/* Operations that no other kernel has, out of the way of what may come above */
enum {
	IOMMU_TEST_OP_OWN_FIRST = 1 << 16,
	IOMMU_TEST_OP_MOCK_DOMAIN_JOIN = IOMMU_TEST_OP_OWN_FIRST,
	IOMMU_TEST_OP_ASK_LATER,
	IOMMU_TEST_OP_UNBIND_HELD,
	IOMMU_TEST_OP_HOLD_MMAP_LOCK,
};

/* The mock IOMMU has pages of half the size of the smallest CPU's */
enum {
	MOCK_IOMMUPT_DEFAULT = 0,
	MOCK_IOMMUPT_HUGE = 1,

	MOCK_PAGE_SIZE = 2048,
	MOCK_HUGE_PAGE_SIZE = 512 * MOCK_PAGE_SIZE,

	MOCK_APERTURE_START = 1UL << 24,
	MOCK_APERTURE_LAST = (1UL << 31) - 1,
};

/* Accesses: when made, when pinning, when reading and writing */
enum {
	MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0,

	MOCK_FLAGS_ACCESS_WRITE = 1 << 0,
	/* The IOVA is an area's number and, in the upper half, an offset in it */
	MOCK_FLAGS_ACCESS_SYZ = 1 << 16,

	MOCK_ACCESS_RW_WRITE = 1 << 0,
	/* As if by a task without the address space that the memory is in */
	MOCK_ACCESS_RW_SLOW_PATH = 1 << 2,
};

/*
 * Page requests: in trigger_iopf.perm, which has no such bit. The request is one of a
 * group of which more is to come, so nobody hears of it yet.
 */
#define IOMMU_TEST_IOPF_MORE_TO_COME 0x80000000U

/* The occasions on which a device can be told to ask for a page */
enum {
	/* Its page requests are about to be turned off */
	MOCK_ASK_WHEN_DISABLED = 1,
	/* It is being attached to a page table, with a PASID or without */
	MOCK_ASK_WHEN_ATTACHED,
	/* A PASID is being moved with the help of the driver */
	MOCK_ASK_WHEN_MOVED,
};

/* Mock devices */
enum {
	MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0,
	MOCK_FLAGS_DEVICE_PASID = 1 << 2,
};

enum {
	MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3,
	MOCK_NESTED_DOMAIN_IOTLB_NUM = 4,

	MOCK_DEV_CACHE_ID_MAX = 3,
	MOCK_DEV_CACHE_NUM = 4,
};

/* Replacing what is attached to this PASID fails every other time */
#define IOMMU_TEST_PASID_RESERVED 1024
#define MOCK_PASID_WIDTH 20

/**
 * struct iommu_test_cmd - ioctl(IOMMU_TEST_CMD)
 * @size: sizeof(struct iommu_test_cmd)
 * @op: IOMMU_TEST_OP_*
 * @id: The object to work on, or for accesses the file descriptor
 * @__reserved: Ignored
 * @add_reserved: Reserve a range of IOAS @id, for no device and until the IOAS is destroyed
 * @mock_domain: Make a mock device and attach it to IOAS or HWPT @id
 * @mock_domain_flags: Likewise, with MOCK_FLAGS_DEVICE_*
 * @mock_domain_replace: Move mock device @id to another IOAS or HWPT
 * @check_map: Compare what HWPT @id maps with the caller's memory
 * @check_refs: Compare how often the caller's pages are pinned
 * @create_access: Make an access of IOAS @id, represented by a file
 * @destroy_access_pages: Unpin what an access has pinned
 * @access_pages: Have an access pin, and compare with the caller's memory
 * @access_rw: Have an access read or write, from or to the caller's memory
 * @access_replace_ioas: Move an access to another IOAS
 * @memory_limit: Most bytes that a temporary buffer may have
 * @dirty: Mark pages of HWPT @id as written to by a device
 * @check_iotlb: Compare an entry of the IOTLB of nested HWPT @id
 * @trigger_iopf: Report a page request of a device
 * @check_dev_cache: Compare a word of the cache of device @id
 * @trigger_vevent: Report an event of a virtual device
 * @pasid_attach: Attach a PASID of mock device @id
 * @pasid_replace: Move a PASID of mock device @id
 * @pasid_detach: Detach a PASID of mock device @id
 * @pasid_check: Compare what a PASID of mock device @id is attached to
 * @dmabuf_get: Make a DMA-buf; the result of the ioctl is its descriptor
 * @dmabuf_revoke: Take the memory of a DMA-buf away, or give it back
 * @mock_domain_join: Likewise @mock_domain_flags, in the group of mock device
 *                    @sibling_id
 * @ask_later: Have mock device @id ask for a page once, on the occasion @when
 *             (MOCK_ASK_WHEN_*); with @fails, which is for the last two, what is
 *             going on then fails
 * @unbind_held: Destroy mock device @id while somebody keeps its group; was the
 *               group the context's before, and is it after?
 * @hold_mmap_lock: Have the caller's address space locked for @ms milliseconds, or if
 *                  that is 0 until the process is killed. The byte at @uptr, which
 *                  is in memory already, becomes 1 when it is
 * @last: Ignored
 */
struct iommu_test_cmd {
	__u32 size;
	__u32 op;
	__u32 id;
	__u32 __reserved;
	union {
		struct {
			__aligned_u64 start;
			__aligned_u64 length;
		} add_reserved;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
		} mock_domain;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;
		} mock_domain_flags;
		struct {
			__u32 pt_id;
		} mock_domain_replace;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} check_map;
		struct {
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 refs;
		} check_refs;
		struct {
			__u32 out_access_fd;
			__u32 flags;
		} create_access;
		struct {
			__u32 access_pages_id;
		} destroy_access_pages;
		struct {
			__u32 flags;
			__u32 out_access_pages_id;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
		} access_pages;
		struct {
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 uptr;
			__u32 flags;
		} access_rw;
		struct {
			__u32 ioas_id;
		} access_replace_ioas;
		struct {
			__u32 limit;
		} memory_limit;
		struct {
			__u32 flags;
			__aligned_u64 iova;
			__aligned_u64 length;
			__aligned_u64 page_size;
			__aligned_u64 uptr;
			__aligned_u64 out_nr_dirty;
		} dirty;
		struct {
			__u32 id;
			__u32 iotlb;
		} check_iotlb;
		struct {
			__u32 dev_id;
			__u32 pasid;
			__u32 grpid;
			__u32 perm;
			__aligned_u64 addr;
		} trigger_iopf;
		struct {
			__u32 id;
			__u32 cache;
		} check_dev_cache;
		struct {
			__u32 dev_id;
		} trigger_vevent;
		struct {
			__u32 pasid;
			__u32 pt_id;
		} pasid_attach;
		struct {
			__u32 pasid;
			__u32 pt_id;
		} pasid_replace;
		struct {
			__u32 pasid;
		} pasid_detach;
		struct {
			__u32 pasid;
			__u32 hwpt_id;
		} pasid_check;
		struct {
			__u32 length;
			__u32 open_flags;
		} dmabuf_get;
		struct {
			__s32 dmabuf_fd;
			__u32 revoked;
		} dmabuf_revoke;
		struct {
			__u32 out_stdev_id;
			__u32 out_hwpt_id;
			__u32 out_idev_id;
			__u32 dev_flags;
			__u32 sibling_id;
		} mock_domain_join;
		struct {
			__u32 when;
			__u32 fails;
			__u32 pasid;
			__u32 grpid;
		} ask_later;
		struct {
			__u32 out_before;
			__u32 out_after;
		} unbind_held;
		struct {
			__aligned_u64 uptr;
			__u32 ms;
		} hold_mmap_lock;
	};
	__u32 last;
};

/* IOMMU_GET_HW_INFO of a mock device */
#define IOMMU_HW_INFO_TYPE_SELFTEST 0xfeedbeef
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeef

/**
 * struct iommu_test_hw_info - what the mock IOMMU says of itself
 * @flags: 0
 * @test_reg: IOMMU_HW_INFO_SELFTEST_REGVAL
 */
struct iommu_test_hw_info {
	__u32 flags;
	__u32 test_reg;
};

/* IOMMU_HWPT_ALLOC for a mock device */
#define IOMMU_HWPT_DATA_SELFTEST 0xdead
#define IOMMU_TEST_IOTLB_DEFAULT 0xbadbeef
#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddad

/**
 * struct iommu_hwpt_selftest - how to make a mock domain
 * @iotlb: Of a nested domain: what its IOTLB entries are in the beginning
 * @pagetable_type: Of a paging domain: MOCK_IOMMUPT_*
 */
struct iommu_hwpt_selftest {
	__u32 iotlb;
	__u32 pagetable_type;
};

/* IOMMU_HWPT_INVALIDATE of a nested mock domain or its virtual IOMMU */
#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeef
#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID 0xdadbeef
#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeef
#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID 0xdadbeef

enum {
	IOMMU_TEST_INVALIDATE_FLAG_ALL = 1 << 0,
};

/**
 * struct iommu_hwpt_invalidate_selftest - empty the IOTLB of a nested domain
 * @flags: IOMMU_TEST_INVALIDATE_FLAG_ALL or 0
 * @iotlb_id: Which entry
 */
struct iommu_hwpt_invalidate_selftest {
	__u32 flags;
	__u32 iotlb_id;
};

/**
 * struct iommu_viommu_invalidate_selftest - empty the cache of a device
 * @flags: IOMMU_TEST_INVALIDATE_FLAG_ALL or 0
 * @vdev_id: The virtual id of the device
 * @cache_id: Which word
 */
struct iommu_viommu_invalidate_selftest {
	__u32 flags;
	__u32 vdev_id;
	__u32 cache_id;
};

/* Virtual IOMMUs with a mock IOMMU behind */
#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeef
#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeef
#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeef
#define IOMMU_TEST_HW_QUEUE_MAX 2

/**
 * struct iommu_viommu_selftest - how to make a virtual IOMMU
 * @in_data: Any number
 * @out_data: The same
 * @out_mmap_offset: Where to mmap() a page that begins with it
 * @out_mmap_length: How much to mmap(), in bytes
 */
struct iommu_viommu_selftest {
	__u32 in_data;
	__u32 out_data;
	__aligned_u64 out_mmap_offset;
	__aligned_u64 out_mmap_length;
};

/**
 * struct iommu_viommu_event_selftest - an event of a virtual device
 * @virt_id: Its virtual id
 */
struct iommu_viommu_event_selftest {
	__u32 virt_id;
};

#endif
