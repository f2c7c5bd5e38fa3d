// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of all calls: one entry each, in the order of the user API's numbers, then
 * those of the test ioctl, the VFIO container's and what the rest of the system has.
 *
 * A new command is one entry here and nothing anywhere else.
 */
#include "grammar.h"

#include <string.h>

#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "iommufd_test.h"

const char *const base_names[BASES] = {
	[BASE_PAYLOAD] = "payload",
	[BASE_CONTEXT] = "file",
	[BASE_ACCESS] = "access",
	[BASE_FAULT_FD] = "faultfd",
	[BASE_VEVENT_FD] = "veventfd",
	[BASE_DMABUF] = "dmabuf",
	[BASE_BACKING] = "backing",
	[BASE_IOAS] = "ioas",
	[BASE_HWPT] = "hwpt",
	[BASE_DEVICE] = "device",
	[BASE_MOCK] = "mock",
	[BASE_FAULT] = "fault",
	[BASE_VIOMMU] = "viommu",
	[BASE_VDEVICE] = "vdevice",
	[BASE_VEVENTQ] = "veventq",
	[BASE_HW_QUEUE] = "hwqueue",
	[BASE_PIN] = "pin",
	[BASE_IOVA] = "iova",
	[BASE_OFFSET] = "offset",
	[BASE_REGION] = "region",
	[BASE_ANONYMOUS] = "anonymous",
	[BASE_COPIED] = "copied",
	[BASE_THP] = "thp",
	[BASE_HUGETLB] = "hugetlb",
	[BASE_MEMFD] = "memfd",
	[BASE_HUGE_MEMFD] = "hugememfd",
	[BASE_READ_ONLY] = "readonly",
	[BASE_HOLES] = "holes",
	[BASE_DISK] = "disk",
};

#define ARRAY_SIZE(_array) (sizeof(_array) / sizeof((_array)[0]))

#define CHOICES(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

static const uint32_t data_types[] = {
	IOMMU_HWPT_DATA_SELFTEST, IOMMU_HWPT_DATA_VTD_S1, IOMMU_HWPT_DATA_ARM_SMMUV3,
	IOMMU_HWPT_DATA_AMD_GUEST, 0
};

static const uint32_t invalidate_types[] = {
	IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, 0
};

static const uint32_t info_types[] = {
	IOMMU_HW_INFO_TYPE_SELFTEST, IOMMU_HW_INFO_TYPE_INTEL_VTD, 0
};

static const uint32_t viommu_types[] = {
	IOMMU_VIOMMU_TYPE_SELFTEST, IOMMU_VIOMMU_TYPE_ARM_SMMUV3, 0
};

static const uint32_t veventq_types[] = {
	IOMMU_VEVENTQ_TYPE_SELFTEST, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, 0
};

static const uint32_t hw_queue_types[] = {
	IOMMU_HW_QUEUE_TYPE_SELFTEST, IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV, 0
};

static const uint32_t pasids[] = { 1, 2, IOMMU_TEST_PASID_RESERVED, 1 << MOCK_PASID_WIDTH, 0 };

static const uint32_t buffer_limits[] = { 12, 16, 24, 100, 4096, 65536, 0 };

static const uint32_t locked_limits[] = { 4096, 65536, 1 << 20, 64 << 20, 0 };

static const uint32_t containers[] = {
	VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_DMA_CC_IOMMU, VFIO_UPDATE_VADDR,
	VFIO_NOIOMMU_IOMMU, VFIO_UNMAP_ALL, 0
};

/* What a field is given, after its place. */
#define CONSTANT(_number) .kind = KIND_CONSTANT, .number = (_number)
#define SMALL(_number) .kind = KIND_SMALL, .number = (_number)
#define MASK(_number) .kind = KIND_MASK, .number = (_number)
#define CHOICE(_choices) .kind = KIND_CHOICE, .choices = (_choices)
#define SIZE .kind = KIND_SIZE
#define RESERVED .kind = KIND_RESERVED
#define RESULT(_set) .kind = KIND_RESULT, .set = (_set)
#define ADDRESS .kind = KIND_ADDRESS
#define OPTIONAL .kind = KIND_OPTIONAL
#define POINTER .kind = KIND_POINTER
#define IOVA .kind = KIND_IOVA
#define LAST .kind = KIND_LAST
#define LENGTH .kind = KIND_LENGTH
#define PAGE_SIZE .kind = KIND_PAGE_SIZE

#define PLACE(_struct, _member) \
	.offset = offsetof(struct _struct, _member), \
	.width = sizeof(((struct _struct *)0)->_member)
#define FIELD(_struct, _member, ...) { .name = #_member, PLACE(_struct, _member), __VA_ARGS__ }
#define OUT(_struct, _member, _base) { PLACE(_struct, _member), .base = BASE_##_base }

/* A field that is not in a structure of the user API: the n-th of 8 bytes. */
#define ARGUMENT(_number, _name, ...) \
	{ .name = #_name, .offset = 8 * (_number), .width = 8, __VA_ARGS__ }

#define WORD(_name, ...) { .name = #_name, __VA_ARGS__ }

#define COMMAND(_name, _struct, _weight, ...) \
	{ .name = #_name, .request = IOMMU_##_name, .size = sizeof(struct _struct), \
	  .on = SET(CONTEXT), .weight = (_weight), __VA_ARGS__ }

/* Members of a variant of the test structure are called by their own names. */
#define TEST_FIELD(_name, _member, ...) \
	{ .name = #_name, PLACE(iommu_test_cmd, _member), __VA_ARGS__ }
#define TEST_OUT(_member, _base) OUT(iommu_test_cmd, _member, _base)
#define ID(...) TEST_FIELD(id, id, __VA_ARGS__)
#define TEST_SIZE FIELD(iommu_test_cmd, size, SIZE)
#define OP(_name) FIELD(iommu_test_cmd, op, CONSTANT(IOMMU_TEST_OP_##_name))
#define TEST(_name, _weight, ...) \
	{ .name = "TEST_" #_name, .request = IOMMU_TEST_CMD, \
	  .size = sizeof(struct iommu_test_cmd), .on = SET(CONTEXT), .weight = (_weight), \
	  __VA_ARGS__ }

#define VFIO(_name, _struct, _weight, ...) \
	{ .name = #_name, .request = _name, .size = sizeof(struct _struct), \
	  .on = SET(CONTEXT), .weight = (_weight), __VA_ARGS__ }

#define SYSTEM(_name, _on, _weight, ...) \
	{ .name = #_name, .special = SPECIAL_##_name, .on = (_on), .weight = (_weight), \
	  __VA_ARGS__ }

const struct operation operations[] = {
	COMMAND(DESTROY, iommu_destroy, 12, .fields = {
		FIELD(iommu_destroy, size, SIZE),
		FIELD(iommu_destroy, id, RESULT(SET_IDS)) }),
	COMMAND(IOAS_ALLOC, iommu_ioas_alloc, 6, .fields = {
		FIELD(iommu_ioas_alloc, size, SIZE),
		FIELD(iommu_ioas_alloc, flags, RESERVED) },
		.outputs = { OUT(iommu_ioas_alloc, out_ioas_id, IOAS) }),
	COMMAND(IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, 5, .fields = {
		FIELD(iommu_ioas_allow_iovas, size, SIZE),
		FIELD(iommu_ioas_allow_iovas, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_allow_iovas, num_iovas, SMALL(4)),
		FIELD(iommu_ioas_allow_iovas, __reserved, RESERVED),
		FIELD(iommu_ioas_allow_iovas, allowed_iovas, POINTER) },
		.payload_width = 8, .payload = { WORD(start, IOVA), WORD(last, LAST) }),
	COMMAND(IOAS_COPY, iommu_ioas_copy, 20, .fields = {
		FIELD(iommu_ioas_copy, size, SIZE),
		FIELD(iommu_ioas_copy, flags, MASK(7 | MOCK_FLAGS_ACCESS_SYZ)),
		FIELD(iommu_ioas_copy, dst_ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_copy, src_ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_copy, length, LENGTH),
		FIELD(iommu_ioas_copy, dst_iova, IOVA),
		FIELD(iommu_ioas_copy, src_iova, IOVA) },
		.outputs = { OUT(iommu_ioas_copy, dst_iova, IOVA) }),
	COMMAND(IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, 4, .fields = {
		FIELD(iommu_ioas_iova_ranges, size, SIZE),
		FIELD(iommu_ioas_iova_ranges, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_iova_ranges, num_iovas, SMALL(8)),
		FIELD(iommu_ioas_iova_ranges, __reserved, RESERVED),
		FIELD(iommu_ioas_iova_ranges, allowed_iovas, POINTER) },
		.payload_width = 8, .payload = { WORD(start, IOVA), WORD(last, IOVA) }),
	COMMAND(IOAS_MAP, iommu_ioas_map, 40, .fields = {
		FIELD(iommu_ioas_map, size, SIZE),
		FIELD(iommu_ioas_map, flags, MASK(7)),
		FIELD(iommu_ioas_map, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_map, __reserved, RESERVED),
		FIELD(iommu_ioas_map, user_va, ADDRESS),
		FIELD(iommu_ioas_map, length, LENGTH),
		FIELD(iommu_ioas_map, iova, IOVA) },
		.outputs = { OUT(iommu_ioas_map, iova, IOVA) }),
	COMMAND(IOAS_UNMAP, iommu_ioas_unmap, 25, .fields = {
		FIELD(iommu_ioas_unmap, size, SIZE),
		FIELD(iommu_ioas_unmap, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_unmap, iova, IOVA),
		FIELD(iommu_ioas_unmap, length, LENGTH) }),
	COMMAND(OPTION, iommu_option, 6, .fields = {
		FIELD(iommu_option, size, SIZE),
		FIELD(iommu_option, option_id, SMALL(1)),
		FIELD(iommu_option, op, SMALL(1)),
		FIELD(iommu_option, __reserved, RESERVED),
		FIELD(iommu_option, object_id, RESULT(SET(IOAS))),
		FIELD(iommu_option, val64, SMALL(1)) }),
	COMMAND(VFIO_IOAS, iommu_vfio_ioas, 4, .fields = {
		FIELD(iommu_vfio_ioas, size, SIZE),
		FIELD(iommu_vfio_ioas, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_vfio_ioas, op, SMALL(2)),
		FIELD(iommu_vfio_ioas, __reserved, RESERVED) }),
	COMMAND(HWPT_ALLOC, iommu_hwpt_alloc, 20, .fields = {
		FIELD(iommu_hwpt_alloc, size, SIZE),
		FIELD(iommu_hwpt_alloc, flags, MASK(15)),
		FIELD(iommu_hwpt_alloc, dev_id, RESULT(SET(DEVICE))),
		FIELD(iommu_hwpt_alloc, pt_id, RESULT(SET(IOAS) | SET(HWPT) | SET(VIOMMU))),
		FIELD(iommu_hwpt_alloc, __reserved, RESERVED),
		FIELD(iommu_hwpt_alloc, data_type, CHOICE(data_types)),
		FIELD(iommu_hwpt_alloc, data_len, CHOICE(CHOICES(8, 4, 16, 24, 32))),
		FIELD(iommu_hwpt_alloc, data_uptr, POINTER),
		FIELD(iommu_hwpt_alloc, fault_id, RESULT(SET(FAULT))) },
		.outputs = { OUT(iommu_hwpt_alloc, out_hwpt_id, HWPT) },
		.payload_width = 4, .payload = {
			WORD(iotlb, SMALL(3)), WORD(pagetable_type, SMALL(1)) }),
	COMMAND(GET_HW_INFO, iommu_hw_info, 4, .fields = {
		FIELD(iommu_hw_info, size, SIZE),
		FIELD(iommu_hw_info, flags, MASK(1)),
		FIELD(iommu_hw_info, dev_id, RESULT(SET(DEVICE))),
		FIELD(iommu_hw_info, data_len, SMALL(24)),
		FIELD(iommu_hw_info, data_uptr, POINTER),
		FIELD(iommu_hw_info, in_data_type, CHOICE(info_types)),
		FIELD(iommu_hw_info, __reserved[0], RESERVED) },
		.payload_width = 8, .payload = { WORD(word, SMALL(1)) }),
	COMMAND(HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking, 6, .fields = {
		FIELD(iommu_hwpt_set_dirty_tracking, size, SIZE),
		FIELD(iommu_hwpt_set_dirty_tracking, flags, MASK(1)),
		FIELD(iommu_hwpt_set_dirty_tracking, hwpt_id, RESULT(SET(HWPT))) }),
	COMMAND(HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, 8, .fields = {
		FIELD(iommu_hwpt_get_dirty_bitmap, size, SIZE),
		FIELD(iommu_hwpt_get_dirty_bitmap, hwpt_id, RESULT(SET(HWPT))),
		FIELD(iommu_hwpt_get_dirty_bitmap, flags, MASK(1)),
		FIELD(iommu_hwpt_get_dirty_bitmap, __reserved, RESERVED),
		FIELD(iommu_hwpt_get_dirty_bitmap, iova, IOVA),
		FIELD(iommu_hwpt_get_dirty_bitmap, length, LENGTH),
		FIELD(iommu_hwpt_get_dirty_bitmap, page_size, PAGE_SIZE),
		FIELD(iommu_hwpt_get_dirty_bitmap, data, ADDRESS) }),
	COMMAND(HWPT_INVALIDATE, iommu_hwpt_invalidate, 8, .fields = {
		FIELD(iommu_hwpt_invalidate, size, SIZE),
		FIELD(iommu_hwpt_invalidate, hwpt_id, RESULT(SET(HWPT) | SET(VIOMMU))),
		FIELD(iommu_hwpt_invalidate, data_uptr, POINTER),
		FIELD(iommu_hwpt_invalidate, data_type, CHOICE(invalidate_types)),
		FIELD(iommu_hwpt_invalidate, entry_len, CHOICE(CHOICES(8, 12, 4, 16, 24, 4096))),
		FIELD(iommu_hwpt_invalidate, entry_num, SMALL(3)),
		FIELD(iommu_hwpt_invalidate, __reserved, RESERVED) },
		.payload_width = 4, .payload = {
			WORD(flags, MASK(1)), WORD(id, SMALL(4)), WORD(cache_id, SMALL(4)) }),
	COMMAND(FAULT_QUEUE_ALLOC, iommu_fault_alloc, 5, .fields = {
		FIELD(iommu_fault_alloc, size, SIZE),
		FIELD(iommu_fault_alloc, flags, RESERVED) },
		.outputs = { OUT(iommu_fault_alloc, out_fault_id, FAULT),
			     OUT(iommu_fault_alloc, out_fault_fd, FAULT_FD) }),
	COMMAND(IOAS_MAP_FILE, iommu_ioas_map_file, 15, .fields = {
		FIELD(iommu_ioas_map_file, size, SIZE),
		FIELD(iommu_ioas_map_file, flags, MASK(7)),
		FIELD(iommu_ioas_map_file, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_map_file, fd, RESULT(SET(BACKING) | SET(DMABUF))),
		FIELD(iommu_ioas_map_file, start, LENGTH),
		FIELD(iommu_ioas_map_file, length, LENGTH),
		FIELD(iommu_ioas_map_file, iova, IOVA) },
		.outputs = { OUT(iommu_ioas_map_file, iova, IOVA) }),
	COMMAND(VIOMMU_ALLOC, iommu_viommu_alloc, 6, .fields = {
		FIELD(iommu_viommu_alloc, size, SIZE),
		FIELD(iommu_viommu_alloc, flags, RESERVED),
		FIELD(iommu_viommu_alloc, type, CHOICE(viommu_types)),
		FIELD(iommu_viommu_alloc, dev_id, RESULT(SET(DEVICE))),
		FIELD(iommu_viommu_alloc, hwpt_id, RESULT(SET(HWPT))),
		FIELD(iommu_viommu_alloc, data_len, CHOICE(CHOICES(24, 8, 16))),
		FIELD(iommu_viommu_alloc, data_uptr, POINTER) },
		.outputs = { OUT(iommu_viommu_alloc, out_viommu_id, VIOMMU) },
		.payload_width = 8, .payload = { WORD(in_data, SMALL(9)) }),
	COMMAND(VDEVICE_ALLOC, iommu_vdevice_alloc, 5, .fields = {
		FIELD(iommu_vdevice_alloc, size, SIZE),
		FIELD(iommu_vdevice_alloc, viommu_id, RESULT(SET(VIOMMU))),
		FIELD(iommu_vdevice_alloc, dev_id, RESULT(SET(DEVICE))),
		FIELD(iommu_vdevice_alloc, virt_id, SMALL(4)) },
		.outputs = { OUT(iommu_vdevice_alloc, out_vdevice_id, VDEVICE) }),
	COMMAND(IOAS_CHANGE_PROCESS, iommu_ioas_change_process, 4, .fields = {
		FIELD(iommu_ioas_change_process, size, SIZE),
		FIELD(iommu_ioas_change_process, __reserved, RESERVED) }),
	COMMAND(VEVENTQ_ALLOC, iommu_veventq_alloc, 5, .fields = {
		FIELD(iommu_veventq_alloc, size, SIZE),
		FIELD(iommu_veventq_alloc, flags, RESERVED),
		FIELD(iommu_veventq_alloc, viommu_id, RESULT(SET(VIOMMU))),
		FIELD(iommu_veventq_alloc, type, CHOICE(veventq_types)),
		FIELD(iommu_veventq_alloc, veventq_depth, SMALL(3)),
		FIELD(iommu_veventq_alloc, __reserved, RESERVED) },
		.outputs = { OUT(iommu_veventq_alloc, out_veventq_id, VEVENTQ),
			     OUT(iommu_veventq_alloc, out_veventq_fd, VEVENT_FD) }),
	COMMAND(HW_QUEUE_ALLOC, iommu_hw_queue_alloc, 5, .fields = {
		FIELD(iommu_hw_queue_alloc, size, SIZE),
		FIELD(iommu_hw_queue_alloc, flags, RESERVED),
		FIELD(iommu_hw_queue_alloc, viommu_id, RESULT(SET(VIOMMU))),
		FIELD(iommu_hw_queue_alloc, type, CHOICE(hw_queue_types)),
		FIELD(iommu_hw_queue_alloc, index, SMALL(2)),
		FIELD(iommu_hw_queue_alloc, nesting_parent_iova, IOVA),
		FIELD(iommu_hw_queue_alloc, length, LENGTH) },
		.outputs = { OUT(iommu_hw_queue_alloc, out_hw_queue_id, HW_QUEUE) }),
	COMMAND(IOAS_NOIOMMU_GET_PA, iommu_ioas_noiommu_get_pa, 2, .fields = {
		FIELD(iommu_ioas_noiommu_get_pa, size, SIZE),
		FIELD(iommu_ioas_noiommu_get_pa, flags, RESERVED),
		FIELD(iommu_ioas_noiommu_get_pa, ioas_id, RESULT(SET(IOAS))),
		FIELD(iommu_ioas_noiommu_get_pa, __reserved, RESERVED),
		FIELD(iommu_ioas_noiommu_get_pa, iova, IOVA),
		FIELD(iommu_ioas_noiommu_get_pa, length, LENGTH) }),

	TEST(ADD_RESERVED, 3, .fields = {
		TEST_SIZE, OP(ADD_RESERVED), ID(RESULT(SET(IOAS))),
		TEST_FIELD(start, add_reserved.start, IOVA),
		TEST_FIELD(length, add_reserved.length, LENGTH) }),
	TEST(MOCK_DOMAIN, 14, .fields = {
		TEST_SIZE, OP(MOCK_DOMAIN), ID(RESULT(SET(IOAS) | SET(HWPT))) },
		.outputs = { TEST_OUT(mock_domain.out_stdev_id, MOCK),
			     TEST_OUT(mock_domain.out_hwpt_id, HWPT),
			     TEST_OUT(mock_domain.out_idev_id, DEVICE) }),
	TEST(MD_CHECK_MAP, 3, .fields = {
		TEST_SIZE, OP(MD_CHECK_MAP), ID(RESULT(SET(HWPT))),
		TEST_FIELD(iova, check_map.iova, IOVA),
		TEST_FIELD(length, check_map.length, LENGTH),
		TEST_FIELD(uptr, check_map.uptr, ADDRESS) }),
	TEST(MD_CHECK_REFS, 2, .fields = {
		TEST_SIZE, OP(MD_CHECK_REFS), ID(SMALL(0)),
		TEST_FIELD(length, check_refs.length, LENGTH),
		TEST_FIELD(uptr, check_refs.uptr, ADDRESS),
		TEST_FIELD(refs, check_refs.refs, SMALL(3)) }),
	TEST(CREATE_ACCESS, 8, .fields = {
		TEST_SIZE, OP(CREATE_ACCESS), ID(RESULT(SET(IOAS))),
		TEST_FIELD(flags, create_access.flags, MASK(1)) },
		.outputs = { TEST_OUT(create_access.out_access_fd, ACCESS) }),
	TEST(DESTROY_ACCESS_PAGES, 6, .fields = {
		TEST_SIZE, OP(DESTROY_ACCESS_PAGES), ID(RESULT(SET(ACCESS))),
		TEST_FIELD(access_pages_id, destroy_access_pages.access_pages_id,
			   RESULT(SET(PIN))) }),
	TEST(ACCESS_PAGES, 15, .fields = {
		TEST_SIZE, OP(ACCESS_PAGES), ID(RESULT(SET(ACCESS))),
		TEST_FIELD(flags, access_pages.flags,
			   MASK(MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ)),
		TEST_FIELD(iova, access_pages.iova, IOVA),
		TEST_FIELD(length, access_pages.length, LENGTH),
		TEST_FIELD(uptr, access_pages.uptr, OPTIONAL) },
		.outputs = { TEST_OUT(access_pages.out_access_pages_id, PIN) }),
	TEST(ACCESS_RW, 12, .fields = {
		TEST_SIZE, OP(ACCESS_RW), ID(RESULT(SET(ACCESS))),
		TEST_FIELD(iova, access_rw.iova, IOVA),
		TEST_FIELD(length, access_rw.length, LENGTH),
		TEST_FIELD(uptr, access_rw.uptr, ADDRESS),
		TEST_FIELD(flags, access_rw.flags,
			   MASK(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH |
				MOCK_FLAGS_ACCESS_SYZ)) }),
	TEST(SET_TEMP_MEMORY_LIMIT, 3, .fields = {
		TEST_SIZE, OP(SET_TEMP_MEMORY_LIMIT), ID(SMALL(0)),
		TEST_FIELD(limit, memory_limit.limit, CHOICE(buffer_limits)) }),
	TEST(MOCK_DOMAIN_REPLACE, 10, .fields = {
		TEST_SIZE, OP(MOCK_DOMAIN_REPLACE), ID(RESULT(SET(MOCK))),
		TEST_FIELD(pt_id, mock_domain_replace.pt_id, RESULT(SET(IOAS) | SET(HWPT))) },
		.outputs = { TEST_OUT(mock_domain_replace.pt_id, HWPT) }),
	TEST(ACCESS_REPLACE_IOAS, 5, .fields = {
		TEST_SIZE, OP(ACCESS_REPLACE_IOAS), ID(RESULT(SET(ACCESS))),
		TEST_FIELD(ioas_id, access_replace_ioas.ioas_id, RESULT(SET(IOAS))) }),
	TEST(MOCK_DOMAIN_FLAGS, 8, .fields = {
		TEST_SIZE, OP(MOCK_DOMAIN_FLAGS), ID(RESULT(SET(IOAS) | SET(HWPT))),
		TEST_FIELD(dev_flags, mock_domain_flags.dev_flags,
			   MASK(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID)) },
		.outputs = { TEST_OUT(mock_domain_flags.out_stdev_id, MOCK),
			     TEST_OUT(mock_domain_flags.out_hwpt_id, HWPT),
			     TEST_OUT(mock_domain_flags.out_idev_id, DEVICE) }),
	TEST(DIRTY, 5, .fields = {
		TEST_SIZE, OP(DIRTY), ID(RESULT(SET(HWPT))),
		TEST_FIELD(flags, dirty.flags, RESERVED),
		TEST_FIELD(iova, dirty.iova, IOVA),
		TEST_FIELD(length, dirty.length, LENGTH),
		TEST_FIELD(page_size, dirty.page_size, PAGE_SIZE),
		TEST_FIELD(uptr, dirty.uptr, ADDRESS) }),
	TEST(MD_CHECK_IOTLB, 2, .fields = {
		TEST_SIZE, OP(MD_CHECK_IOTLB), ID(RESULT(SET(HWPT))),
		TEST_FIELD(iotlb_id, check_iotlb.id, SMALL(4)),
		TEST_FIELD(iotlb, check_iotlb.iotlb, SMALL(3)) }),
	TEST(TRIGGER_IOPF, 6, .fields = {
		TEST_SIZE, OP(TRIGGER_IOPF), ID(SMALL(0)),
		TEST_FIELD(dev_id, trigger_iopf.dev_id, RESULT(SET(DEVICE))),
		TEST_FIELD(pasid, trigger_iopf.pasid, CHOICE(pasids)),
		TEST_FIELD(grpid, trigger_iopf.grpid, SMALL(9)),
		TEST_FIELD(perm, trigger_iopf.perm, MASK(15)),
		TEST_FIELD(addr, trigger_iopf.addr, IOVA) }),
	TEST(DEV_CHECK_CACHE, 2, .fields = {
		TEST_SIZE, OP(DEV_CHECK_CACHE), ID(RESULT(SET(DEVICE))),
		TEST_FIELD(cache_id, check_dev_cache.id, SMALL(4)),
		TEST_FIELD(cache, check_dev_cache.cache, SMALL(1)) }),
	TEST(TRIGGER_VEVENT, 4, .fields = {
		TEST_SIZE, OP(TRIGGER_VEVENT), ID(SMALL(0)),
		TEST_FIELD(dev_id, trigger_vevent.dev_id, RESULT(SET(DEVICE))) }),
	TEST(PASID_ATTACH, 6, .fields = {
		TEST_SIZE, OP(PASID_ATTACH), ID(RESULT(SET(MOCK))),
		TEST_FIELD(pasid, pasid_attach.pasid, CHOICE(pasids)),
		TEST_FIELD(pt_id, pasid_attach.pt_id, RESULT(SET(HWPT) | SET(IOAS))) }),
	TEST(PASID_REPLACE, 5, .fields = {
		TEST_SIZE, OP(PASID_REPLACE), ID(RESULT(SET(MOCK))),
		TEST_FIELD(pasid, pasid_replace.pasid, CHOICE(pasids)),
		TEST_FIELD(pt_id, pasid_replace.pt_id, RESULT(SET(HWPT) | SET(IOAS))) }),
	TEST(PASID_DETACH, 4, .fields = {
		TEST_SIZE, OP(PASID_DETACH), ID(RESULT(SET(MOCK))),
		TEST_FIELD(pasid, pasid_detach.pasid, CHOICE(pasids)) }),
	TEST(PASID_CHECK_HWPT, 2, .fields = {
		TEST_SIZE, OP(PASID_CHECK_HWPT), ID(RESULT(SET(MOCK))),
		TEST_FIELD(pasid, pasid_check.pasid, CHOICE(pasids)),
		TEST_FIELD(hwpt_id, pasid_check.hwpt_id, RESULT(SET(HWPT))) }),
	TEST(DMABUF_GET, 4, .fields = {
		TEST_SIZE, OP(DMABUF_GET), ID(SMALL(0)),
		TEST_FIELD(length, dmabuf_get.length, LENGTH),
		TEST_FIELD(open_flags, dmabuf_get.open_flags, SMALL(2)) },
		.special = SPECIAL_RESULT, .outputs = { { .base = BASE_DMABUF } }),
	TEST(DMABUF_REVOKE, 3, .fields = {
		TEST_SIZE, OP(DMABUF_REVOKE), ID(SMALL(0)),
		TEST_FIELD(dmabuf_fd, dmabuf_revoke.dmabuf_fd, RESULT(SET(DMABUF))),
		TEST_FIELD(revoked, dmabuf_revoke.revoked, SMALL(1)) }),

	{ .name = "VFIO_GET_API_VERSION", .request = VFIO_GET_API_VERSION, .on = SET(CONTEXT),
	  .special = SPECIAL_BY_VALUE, .weight = 1, .fields = { ARGUMENT(0, value, SMALL(1)) } },
	{ .name = "VFIO_CHECK_EXTENSION", .request = VFIO_CHECK_EXTENSION, .on = SET(CONTEXT),
	  .special = SPECIAL_BY_VALUE, .weight = 2,
	  .fields = { ARGUMENT(0, extension, CHOICE(containers)) } },
	{ .name = "VFIO_SET_IOMMU", .request = VFIO_SET_IOMMU, .on = SET(CONTEXT),
	  .special = SPECIAL_BY_VALUE, .weight = 4,
	  .fields = { ARGUMENT(0, type, CHOICE(containers)) } },
	/* The structure and room for what the kernel puts behind it. */
	{ .name = "VFIO_IOMMU_GET_INFO", .request = VFIO_IOMMU_GET_INFO, .on = SET(CONTEXT),
	  .size = 224, .weight = 3, .fields = {
		FIELD(vfio_iommu_type1_info, argsz, SIZE),
		FIELD(vfio_iommu_type1_info, flags, RESERVED) } },
	VFIO(VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map, 10, .fields = {
		FIELD(vfio_iommu_type1_dma_map, argsz, SIZE),
		FIELD(vfio_iommu_type1_dma_map, flags, MASK(3)),
		FIELD(vfio_iommu_type1_dma_map, vaddr, ADDRESS),
		FIELD(vfio_iommu_type1_dma_map, iova, IOVA),
		FIELD(vfio_iommu_type1_dma_map, size, LENGTH) }),
	VFIO(VFIO_IOMMU_UNMAP_DMA, vfio_iommu_type1_dma_unmap, 8, .fields = {
		FIELD(vfio_iommu_type1_dma_unmap, argsz, SIZE),
		FIELD(vfio_iommu_type1_dma_unmap, flags,
		      MASK(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL)),
		FIELD(vfio_iommu_type1_dma_unmap, iova, IOVA),
		FIELD(vfio_iommu_type1_dma_unmap, size, LENGTH) }),
	VFIO(VFIO_IOMMU_DIRTY_PAGES, vfio_iommu_type1_dirty_bitmap, 1, .fields = {
		FIELD(vfio_iommu_type1_dirty_bitmap, argsz, SIZE),
		FIELD(vfio_iommu_type1_dirty_bitmap, flags, MASK(7)) }),

	SYSTEM(OPEN, 0, 4, .outputs = { { .base = BASE_CONTEXT } }),
	SYSTEM(CLOSE, SET_FDS, 6),
	SYSTEM(READ, SET_FDS, 5, .fields = {
		ARGUMENT(0, buffer, ADDRESS),
		ARGUMENT(1, count, CHOICE(CHOICES(40, 80, 8, 12, 24, 4000))) }),
	SYSTEM(WRITE, SET_FDS, 5, .fields = {
		ARGUMENT(0, buffer, POINTER),
		ARGUMENT(1, count, CHOICE(CHOICES(8, 16, 4))) },
		.payload_width = 4, .payload = { WORD(cookie, SMALL(3)), WORD(code, SMALL(1)) }),
	SYSTEM(POLL, SET_FDS, 2),
	SYSTEM(MMAP, SET(CONTEXT), 3, .fields = {
		ARGUMENT(0, offset, PAGE_SIZE),
		ARGUMENT(1, length, CHOICE(CHOICES(8192, 4096))),
		ARGUMENT(2, private, SMALL(1)) },
		.outputs = { { .base = BASE_REGION } }),
	SYSTEM(MUNMAP, 0, 4, .fields = {
		ARGUMENT(0, address, ADDRESS), ARGUMENT(1, length, LENGTH) }),
	SYSTEM(REMAP, 0, 4, .fields = {
		ARGUMENT(0, address, ADDRESS), ARGUMENT(1, length, LENGTH),
		ARGUMENT(2, writable, SMALL(1)) }),
	SYSTEM(DISCARD, 0, 3, .fields = {
		ARGUMENT(0, address, ADDRESS), ARGUMENT(1, length, LENGTH) }),
	SYSTEM(TOUCH, 0, 4, .fields = {
		ARGUMENT(0, address, ADDRESS), ARGUMENT(1, length, LENGTH) }),
	SYSTEM(LIMIT, 0, 2, .fields = { ARGUMENT(0, bytes, CHOICE(locked_limits)) }),
	SYSTEM(FORK, 0, 4, .fields = { ARGUMENT(0, calls, SMALL(4)) }),
};

const unsigned int operation_count = ARRAY_SIZE(operations);

const struct operation *grammar_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < operation_count; i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

/* How many fields an operation has. */
unsigned int grammar_fields(const struct operation *operation)
{
	unsigned int count = 0;

	while (count < MAX_FIELDS && operation->fields[count].name)
		count++;
	return count;
}
