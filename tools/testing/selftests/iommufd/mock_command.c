// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that only look: operations of the test ioctl, and IOMMU_GET_HW_INFO.
 */
#include <stdint.h>

#include <kselftest_harness.h>

#include "guard_page.h"
#include "memory.h"
#include "mock.h"
#include "mock_space.h"

/*
 * The test ioctl itself, and those of its operations that only look.
 */

#define NO_ID 0x7fffffff
#define PAGE 4096UL
#define PAGES 4
#define SIZE (PAGES * PAGE)
#define IOVA MOCK_APERTURE_START

FIXTURE(mock_command)
{
	int fd;
	__u32 ioas;
	struct memory memory;
};

FIXTURE_SETUP(mock_command)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, SIZE));
}

FIXTURE_TEARDOWN(mock_command)
{
	mock_set_memory_limit(self->fd, MOCK_MEMORY_LIMIT_DEFAULT);
	close(self->fd);
	memory_free(&self->memory);
}

TEST_F(mock_command, has_the_layout_that_other_programs_use)
{
	EXPECT_EQ(0x3ba0, IOMMU_TEST_CMD);
	EXPECT_EQ(72, sizeof(struct iommu_test_cmd));
	EXPECT_EQ(8, _Alignof(struct iommu_test_cmd));
	EXPECT_EQ(64, offsetof(struct iommu_test_cmd, last));
#define EXPECT_OFFSET(_expected, _member) \
	EXPECT_EQ(_expected, offsetof(struct iommu_test_cmd, _member))
	EXPECT_OFFSET(16, add_reserved.start);
	EXPECT_OFFSET(24, add_reserved.length);
	EXPECT_OFFSET(16, mock_domain.out_stdev_id);
	EXPECT_OFFSET(20, mock_domain.out_hwpt_id);
	EXPECT_OFFSET(24, mock_domain.out_idev_id);
	EXPECT_OFFSET(16, mock_domain_flags.out_stdev_id);
	EXPECT_OFFSET(20, mock_domain_flags.out_hwpt_id);
	EXPECT_OFFSET(24, mock_domain_flags.out_idev_id);
	EXPECT_OFFSET(28, mock_domain_flags.dev_flags);
	EXPECT_OFFSET(16, mock_domain_replace.pt_id);
	EXPECT_OFFSET(16, check_map.iova);
	EXPECT_OFFSET(24, check_map.length);
	EXPECT_OFFSET(32, check_map.uptr);
	EXPECT_OFFSET(16, check_refs.length);
	EXPECT_OFFSET(24, check_refs.uptr);
	EXPECT_OFFSET(32, check_refs.refs);
	EXPECT_OFFSET(16, create_access.out_access_fd);
	EXPECT_OFFSET(20, create_access.flags);
	EXPECT_OFFSET(16, destroy_access_pages.access_pages_id);
	EXPECT_OFFSET(16, access_pages.flags);
	EXPECT_OFFSET(20, access_pages.out_access_pages_id);
	EXPECT_OFFSET(24, access_pages.iova);
	EXPECT_OFFSET(32, access_pages.length);
	EXPECT_OFFSET(40, access_pages.uptr);
	EXPECT_OFFSET(16, access_rw.iova);
	EXPECT_OFFSET(24, access_rw.length);
	EXPECT_OFFSET(32, access_rw.uptr);
	EXPECT_OFFSET(40, access_rw.flags);
	EXPECT_OFFSET(16, memory_limit.limit);
	EXPECT_OFFSET(16, access_replace_ioas.ioas_id);
	EXPECT_OFFSET(16, dirty.flags);
	EXPECT_OFFSET(24, dirty.iova);
	EXPECT_OFFSET(32, dirty.length);
	EXPECT_OFFSET(40, dirty.page_size);
	EXPECT_OFFSET(48, dirty.uptr);
	EXPECT_OFFSET(56, dirty.out_nr_dirty);
	EXPECT_OFFSET(16, check_iotlb.id);
	EXPECT_OFFSET(20, check_iotlb.iotlb);
	EXPECT_OFFSET(16, trigger_iopf.dev_id);
	EXPECT_OFFSET(20, trigger_iopf.pasid);
	EXPECT_OFFSET(24, trigger_iopf.grpid);
	EXPECT_OFFSET(28, trigger_iopf.perm);
	EXPECT_OFFSET(32, trigger_iopf.addr);
	EXPECT_OFFSET(16, check_dev_cache.id);
	EXPECT_OFFSET(20, check_dev_cache.cache);
	EXPECT_OFFSET(16, trigger_vevent.dev_id);
	EXPECT_OFFSET(16, pasid_attach.pasid);
	EXPECT_OFFSET(20, pasid_attach.pt_id);
	EXPECT_OFFSET(16, pasid_replace.pasid);
	EXPECT_OFFSET(20, pasid_replace.pt_id);
	EXPECT_OFFSET(16, pasid_detach.pasid);
	EXPECT_OFFSET(16, pasid_check.pasid);
	EXPECT_OFFSET(20, pasid_check.hwpt_id);
	EXPECT_OFFSET(16, dmabuf_get.length);
	EXPECT_OFFSET(20, dmabuf_get.open_flags);
	EXPECT_OFFSET(16, dmabuf_revoke.dmabuf_fd);
	EXPECT_OFFSET(20, dmabuf_revoke.revoked);
}

TEST_F(mock_command, has_the_numbers_that_other_programs_use)
{
	EXPECT_EQ(1, IOMMU_TEST_OP_ADD_RESERVED);
	EXPECT_EQ(7, IOMMU_TEST_OP_ACCESS_PAGES);
	EXPECT_EQ(12, IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS);
	EXPECT_EQ(18, IOMMU_TEST_OP_PASID_ATTACH);
	EXPECT_EQ(23, IOMMU_TEST_OP_DMABUF_REVOKE);
	EXPECT_EQ(2048, MOCK_PAGE_SIZE);
	EXPECT_EQ(0x100000, MOCK_HUGE_PAGE_SIZE);
	EXPECT_EQ(0x1000000, MOCK_APERTURE_START);
	EXPECT_EQ(0x7fffffff, MOCK_APERTURE_LAST);
	EXPECT_EQ(0x10000, MOCK_FLAGS_ACCESS_SYZ);
	EXPECT_EQ(4, MOCK_ACCESS_RW_SLOW_PATH);
	EXPECT_EQ(4, MOCK_FLAGS_DEVICE_PASID);
	EXPECT_EQ(8, sizeof(struct iommu_test_hw_info));
	EXPECT_EQ(8, sizeof(struct iommu_hwpt_selftest));
	EXPECT_EQ(8, sizeof(struct iommu_hwpt_invalidate_selftest));
	EXPECT_EQ(12, sizeof(struct iommu_viommu_invalidate_selftest));
	EXPECT_EQ(24, sizeof(struct iommu_viommu_selftest));
	EXPECT_EQ(4, sizeof(struct iommu_viommu_event_selftest));
}

static int run_sized(int fd, __u32 size, unsigned char tail)
{
	struct {
		struct iommu_test_cmd cmd;
		unsigned char tail[8];
	} user = {
		.cmd = MOCK_CMD(SET_TEMP_MEMORY_LIMIT, 0,
				.memory_limit = { .limit = MOCK_MEMORY_LIMIT_DEFAULT }),
	};

	user.cmd.size = size;
	user.tail[7] = tail;
	return mock_ioctl(fd, &user.cmd);
}

TEST_F(mock_command, sizes_follow_the_rules_of_all_commands)
{
	EXPECT_EQ(-EINVAL, run_sized(self->fd, 67, 0));
	EXPECT_EQ(0, run_sized(self->fd, 68, 0));
	EXPECT_EQ(0, run_sized(self->fd, 72, 0));
	EXPECT_EQ(0, run_sized(self->fd, 80, 0));
	EXPECT_EQ(-E2BIG, run_sized(self->fd, 80, 1));
}

TEST_F(mock_command, ignores_its_reserved_fields)
{
	struct iommu_test_cmd cmd = MOCK_CMD(SET_TEMP_MEMORY_LIMIT, 0,
		.memory_limit = { .limit = MOCK_MEMORY_LIMIT_DEFAULT });

	cmd.__reserved = ~0U;
	cmd.last = ~0U;
	EXPECT_EQ(0, mock_ioctl(self->fd, &cmd));
}

TEST_F(mock_command, unknown_operation_is_EOPNOTSUPP)
{
	static const __u32 ops[] = { 0, 24, 25, 0x7fffffff, 0xffffffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct iommu_test_cmd cmd = { .size = sizeof(cmd), .op = ops[i] };

		EXPECT_EQ(-EOPNOTSUPP, mock_ioctl(self->fd, &cmd));
	}
}

TEST_F(mock_command, memory_limit_is_at_least_a_pfn_and_a_count)
{
	EXPECT_EQ(-EINVAL, mock_set_memory_limit(self->fd, 0));
	EXPECT_EQ(-EINVAL, mock_set_memory_limit(self->fd, 11));
	EXPECT_EQ(0, mock_set_memory_limit(self->fd, 12));
	EXPECT_EQ(0, mock_set_memory_limit(self->fd, UINT32_MAX));
}

TEST_F(mock_command, check_refs_wants_whole_pages)
{
	uint8_t *start = self->memory.start;

	EXPECT_EQ(-EINVAL, mock_check_refs(self->fd, start + 1, PAGE, 0));
	EXPECT_EQ(-EINVAL, mock_check_refs(self->fd, start, PAGE / 2, 0));
	EXPECT_EQ(-EINVAL, mock_check_refs(self->fd, (void *)-PAGE, 2 * PAGE, 0));
	EXPECT_EQ(0, mock_check_refs(self->fd, start, 0, 17));
	EXPECT_EQ(0, mock_check_refs(self->fd, start, SIZE, 0));
}

TEST_F(mock_command, check_refs_tells_what_it_finds)
{
	EXPECT_EQ(-EIO, mock_check_refs(self->fd, self->memory.start, SIZE, 1));
	EXPECT_EQ(-EFAULT, mock_check_refs(self->fd, (void *)PAGE, PAGE, 0));
}

TEST_F(mock_command, check_map_wants_multiples_of_the_iommu_page)
{
	const size_t half = MOCK_PAGE_SIZE / 2;
	uint8_t *start = self->memory.start;
	struct mock mock;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &mock));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, start, SIZE, IOMMU_MAP_RW,
					  IOVA));
	EXPECT_EQ(0, mock_check_map(self->fd, mock.hwpt, IOVA, SIZE, start));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA + half, PAGE, start + half));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA, half, start));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA, PAGE, start + half));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA, 2 * PAGE, (void *)-PAGE));
}

TEST_F(mock_command, check_map_tells_what_it_finds)
{
	uint8_t *start = self->memory.start;
	struct mock mock;

	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &mock));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, start, SIZE, IOMMU_MAP_RW,
					  IOVA));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA + PAGE, PAGE, start));
	EXPECT_EQ(-EINVAL, mock_check_map(self->fd, mock.hwpt, IOVA + SIZE, PAGE, start));
	EXPECT_EQ(-EFAULT, mock_check_map(self->fd, mock.hwpt, IOVA, PAGE, (void *)PAGE));
	EXPECT_EQ(-ENOENT, mock_check_map(self->fd, NO_ID, IOVA, PAGE, start));
	EXPECT_EQ(-ENOENT, mock_check_map(self->fd, self->ioas, IOVA, PAGE, start));
	EXPECT_EQ(-ENOENT, mock_check_map(self->fd, mock.idev, IOVA, PAGE, start));
}

TEST_F(mock_command, pin_whose_id_can_not_be_told_is_undone)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ACCESS_PAGES, 0,
		.access_pages = { .iova = IOVA, .length = SIZE });
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	int access;

	ASSERT_NE(NULL, edge);
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->fd, self->ioas, self->memory.start, SIZE,
					  IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, mock_access_create(self->fd, self->ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES, &access));
	cmd.id = access;
	EXPECT_EQ(-EFAULT, mock_ioctl(self->fd,
				      guard_page_seal(edge, &cmd, sizeof(cmd), PROT_READ)));
	EXPECT_EQ(0, memory_status("VmPin"));
	close(access);
	guard_page_free(edge);
}

/*
 * IOMMU_GET_HW_INFO, of an IOMMU driver that has registered what it can say.
 */

#define TYPE IOMMU_HW_INFO_TYPE_SELFTEST
#define INFO_SIZE sizeof(struct iommu_test_hw_info)

FIXTURE(mock_hw_info)
{
	int fd;
	__u32 ioas;
	struct mock device;
	struct iommu_hw_info info;
};

FIXTURE_SETUP(mock_hw_info)
{
	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &self->device));
}

FIXTURE_TEARDOWN(mock_hw_info)
{
	close(self->fd);
}

static int get(struct _test_data_mock_hw_info *self, void *data, __u32 length)
{
	return iommu_get_hw_info(self->fd, self->device.idev, data, length, &self->info);
}

/* The command for a certain type of information, or any with flags of 0. */
static int get_type(struct _test_data_mock_hw_info *self, __u32 flags, __u32 type)
{
	self->info = (struct iommu_hw_info){
		.size = sizeof(self->info),
		.flags = flags,
		.dev_id = self->device.idev,
		.in_data_type = type,
	};
	return iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &self->info);
}

TEST_F(mock_hw_info, tells_the_information_of_the_driver)
{
	struct iommu_test_hw_info data = { .flags = ~0U };

	ASSERT_EQ(0, get(self, &data, sizeof(data)));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	EXPECT_EQ(INFO_SIZE, self->info.data_len);
	EXPECT_EQ(0, data.flags);
	EXPECT_EQ(IOMMU_HW_INFO_SELFTEST_REGVAL, data.test_reg);
}

TEST_F(mock_hw_info, shorter_buffer_gets_the_beginning_and_no_byte_more)
{
	const struct iommu_test_hw_info expected = {
		.test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL,
	};
	__u32 length;

	for (length = 1; length < INFO_SIZE; length++) {
		unsigned char data[INFO_SIZE + 1];

		memset(data, 0xff, sizeof(data));
		ASSERT_EQ(0, get(self, data, length));
		EXPECT_EQ(0, memcmp(data, &expected, length));
		EXPECT_EQ(0xff, data[length]);
		/* How long it is can be told all the same */
		EXPECT_EQ(INFO_SIZE, self->info.data_len);
	}
}

TEST_F(mock_hw_info, longer_buffer_is_zeroed_beyond_the_information)
{
	unsigned char data[256];
	__u32 length, i;

	for (length = INFO_SIZE; length < sizeof(data); length += 31) {
		memset(data, 0xff, sizeof(data));
		ASSERT_EQ(0, get(self, data, length));
		EXPECT_EQ(INFO_SIZE, self->info.data_len);
		for (i = INFO_SIZE; i < length; i++)
			EXPECT_EQ(0, data[i]);
		EXPECT_EQ(0xff, data[length]);
	}
}

TEST_F(mock_hw_info, without_a_buffer_the_pointer_is_not_used)
{
	ASSERT_EQ(0, get(self, GUARD_PAGE_BAD_POINTER, 0));
	EXPECT_EQ(INFO_SIZE, self->info.data_len);
	EXPECT_EQ(TYPE, self->info.out_data_type);
}

TEST_F(mock_hw_info, buffer_that_cannot_be_written_is_EFAULT)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_READ);

	ASSERT_NE(NULL, edge);
	EXPECT_EQ(-EFAULT, get(self, GUARD_PAGE_BAD_POINTER, INFO_SIZE));
	EXPECT_EQ(-EFAULT, get(self, edge - INFO_SIZE + 1, INFO_SIZE));
	/* Nor where the zeros go */
	EXPECT_EQ(-EFAULT, get(self, edge - INFO_SIZE, INFO_SIZE + 1));
	EXPECT_EQ(0, get(self, edge - INFO_SIZE, INFO_SIZE));
	guard_page_free(edge);
}

TEST_F(mock_hw_info, types_that_the_driver_knows_can_be_asked_for)
{
	ASSERT_EQ(0, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, IOMMU_HW_INFO_TYPE_DEFAULT));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	ASSERT_EQ(0, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, TYPE));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE,
					IOMMU_HW_INFO_TYPE_INTEL_VTD));
	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, TYPE + 1));
}

TEST_F(mock_hw_info, type_is_not_looked_at_without_the_flag)
{
	ASSERT_EQ(0, get_type(self, 0, IOMMU_HW_INFO_TYPE_INTEL_VTD));
	EXPECT_EQ(TYPE, self->info.out_data_type);
	ASSERT_EQ(0, get_type(self, 0, ~0U));
}

TEST_F(mock_hw_info, unknown_flags_and_reserved_bytes_are_EOPNOTSUPP)
{
	unsigned int i;

	for (i = 1; i < 32; i++)
		EXPECT_EQ(-EOPNOTSUPP, get_type(self, 1U << i, 0));
	for (i = 0; i < ARRAY_SIZE(self->info.__reserved); i++) {
		struct iommu_hw_info info = { .size = sizeof(info), .dev_id = NO_ID };

		info.__reserved[i] = 1;
		EXPECT_EQ(-EOPNOTSUPP, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	}
}

TEST_F(mock_hw_info, outputs_are_not_looked_at)
{
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = self->device.idev,
		.out_max_pasid_log2 = 0xff,
		.out_capabilities = ~0ULL,
	};

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	EXPECT_EQ(0, info.out_max_pasid_log2);
}

TEST_F(mock_hw_info, dev_id_of_anything_but_a_device_is_ENOENT)
{
	const __u32 ids[] = { 0, NO_ID, self->ioas, self->device.id, self->device.hwpt };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		EXPECT_EQ(-ENOENT, iommu_get_hw_info(self->fd, ids[i], NULL, 0, &self->info));
}

TEST_F(mock_hw_info, number_of_pasids_is_that_of_the_device)
{
	struct mock with_pasids;

	ASSERT_EQ(0, get(self, NULL, 0));
	EXPECT_EQ(0, self->info.out_max_pasid_log2);
	ASSERT_EQ(0, mock_attach_flags(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID,
				       &with_pasids));
	ASSERT_EQ(0, iommu_get_hw_info(self->fd, with_pasids.idev, NULL, 0, &self->info));
	EXPECT_EQ(MOCK_PASID_WIDTH, self->info.out_max_pasid_log2);
}

TEST_F(mock_hw_info, device_that_is_not_on_pci_has_no_ats_and_no_pasid_permissions)
{
	const __u64 pci = IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED | IOMMU_HW_CAP_PCI_PASID_EXEC |
			  IOMMU_HW_CAP_PCI_PASID_PRIV;

	ASSERT_EQ(0, get(self, NULL, 0));
	EXPECT_EQ(IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED, self->info.out_capabilities & pci);
}

TEST_F(mock_hw_info, short_structure_does_not_get_the_capabilities)
{
	struct iommu_hw_info info = {
		.size = offsetof(struct iommu_hw_info, out_capabilities),
		.dev_id = self->device.idev,
		.out_capabilities = 0x1234,
	};

	ASSERT_EQ(0, iommu_ioctl(self->fd, IOMMU_GET_HW_INFO, &info));
	EXPECT_EQ(TYPE, info.out_data_type);
	EXPECT_EQ(0x1234, info.out_capabilities);
}

TEST_F(mock_hw_info, failure_leaves_the_structure_alone)
{
	struct iommu_hw_info before;

	EXPECT_EQ(-EOPNOTSUPP, get_type(self, IOMMU_HW_INFO_FLAG_INPUT_TYPE, 77));
	before = self->info;
	EXPECT_EQ(77, before.in_data_type);
	EXPECT_EQ(0, before.data_len);
}

TEST_HARNESS_MAIN
