// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching a device to an IOAS and detaching it: errors, automatic page tables,
 * reserved ranges, alignment, and that a failure changes nothing. Devices of one IOMMU
 * group are attached, moved and blocked together.
 *
 * With PASIDs: what is refused before and by a device that has none. Emulated devices
 * with PASIDs are not to be had; mock_pasid.c has the rest.
 */
#include <sys/auxv.h>
#include <sys/ioctl.h>

#include "edu_fixture.h"
#include "guard_page.h"

FIXTURE(device_attach)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
	struct memory memory;
};

FIXTURE_SETUP(device_attach)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, memory_allocate(&self->memory, MEMORY_ANONYMOUS, 16 * PAGE_BYTES));
}

FIXTURE_TEARDOWN(device_attach)
{
	edu_close(&self->edu);
	close(self->iommufd);
	memory_free(&self->memory);
}

/* Attaches to an IOAS; returns the HWPT's id or -errno. */
static int attach(struct edu *edu, __u32 pt_id)
{
	int rc;

	rc = vfio_device_attach(&edu->device, &pt_id);
	return rc ? rc : (int)pt_id;
}

#define map_at(iova, length)								\
	iommu_ioas_map_fixed(self->iommufd, self->ioas, self->memory.start, length,	\
			     IOMMU_MAP_RW, iova)

static int attach_ioctl(struct edu *edu, __u32 argsz, __u32 flags, __u32 pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = argsz,
		.flags = flags,
		.pt_id = pt_id,
	};

	return iommu_ioctl(edu->device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static int detach_ioctl(struct edu *edu, __u32 argsz, __u32 flags)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = argsz, .flags = flags };

	return iommu_ioctl(edu->device.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

/*
 * Ids and reserved ranges are what they were before any attach was tried: the
 * context has the device and the IOAS, and hands out 3 next.
 */
static bool is_untouched(int iommufd, __u32 ioas)
{
	__u32 next;

	if (!is_unreserved(iommufd, ioas) || memory_status("VmPin"))
		return false;
	return !iommu_ioas_alloc(iommufd, &next) && next == 3 && !iommu_destroy(iommufd, next);
}

TEST_F(device_attach, bad_struct_is_EINVAL)
{
	ASSERT_EQ(-EINVAL, attach_ioctl(&self->edu, 11, 0, self->ioas));
	ASSERT_EQ(-EINVAL, attach_ioctl(&self->edu, 12, 1U << 31, self->ioas));
	ASSERT_EQ(-EINVAL, detach_ioctl(&self->edu, 7, 0));
	ASSERT_EQ(-EINVAL, detach_ioctl(&self->edu, 8, 1U << 31));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, unused_id_is_ENOENT)
{
	ASSERT_EQ(-ENOENT, attach(&self->edu, 0));
	ASSERT_EQ(-ENOENT, attach(&self->edu, 3));
	ASSERT_EQ(-ENOENT, attach(&self->edu, 0x7fffffff));
	ASSERT_EQ(-ENOENT, attach(&self->edu, UINT32_MAX));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, id_of_a_device_is_EINVAL)
{
	ASSERT_EQ(-EINVAL, attach(&self->edu, self->edu.device.id));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, id_of_another_context_is_ENOENT)
{
	int other = iommu_open();
	__u32 ioas;
	int i;

	ASSERT_LE(0, other);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, iommu_ioas_alloc(other, &ioas));
	ASSERT_EQ(-ENOENT, attach(&self->edu, ioas));
	close(other);
}

TEST_F(device_attach, ioas_gets_an_automatic_hwpt)
{
	int hwpt = attach(&self->edu, self->ioas);

	ASSERT_EQ(3, hwpt);
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_EQ(0, count_ranges(self->iommufd, hwpt));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, attach_again_to_the_same_changes_nothing)
{
	int hwpt = attach(&self->edu, self->ioas);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(hwpt, attach(&self->edu, self->ioas));
	ASSERT_EQ(hwpt, attach(&self->edu, hwpt));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, detach_of_an_unattached_device_does_nothing)
{
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, reserved_ranges_come_and_go_with_the_attachment)
{
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas));
}

TEST_F(device_attach, usable_ranges_end_at_the_msi_window_and_the_aperture)
{
	struct iommu_iova_range ranges[4];
	__u32 count = 4;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(self->iommufd, self->ioas, ranges, &count, NULL));
	ASSERT_LE(2, count);
	ASSERT_EQ(0, ranges[0].start);
	ASSERT_EQ(MSI_WINDOW_START - 1, ranges[0].last);
	ASSERT_EQ(MSI_WINDOW_LAST + 1, ranges[1].start);
	ASSERT_LE((1ULL << 39) - 1, ranges[count - 1].last);
}

TEST_F(device_attach, other_ioas_keeps_its_ranges)
{
	__u32 other;

	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &other));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_unreserved(self->iommufd, other));
}

TEST_F(device_attach, close_of_the_device_detaches)
{
	int hwpt = attach(&self->edu, self->ioas);

	ASSERT_LT(0, hwpt);
	edu_close(&self->edu);
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas));
}

/* Each of these mappings touches the window with one page at least. */
TEST_F(device_attach, mapping_in_the_msi_window_is_EADDRINUSE)
{
	static const struct {
		__u64 iova, length;
	} inside[] = {
		{ MSI_WINDOW_START, PAGE_BYTES },
		{ MSI_WINDOW_LAST + 1 - PAGE_BYTES, PAGE_BYTES },
		{ MSI_WINDOW_START - PAGE_BYTES, 2 * PAGE_BYTES },
		{ MSI_WINDOW_LAST + 1 - PAGE_BYTES, 2 * PAGE_BYTES },
		{ MSI_WINDOW_START + 0x80000, 16 * PAGE_BYTES },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		ASSERT_EQ(0, map_at(inside[i].iova, inside[i].length));
		ASSERT_EQ(-EADDRINUSE, attach(&self->edu, self->ioas));
		ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
		ASSERT_EQ(-EEXIST, map_at(inside[i].iova, inside[i].length));
		ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas, NULL));
	}
	ASSERT_LT(0, attach(&self->edu, self->ioas));
}

TEST_F(device_attach, mappings_beside_the_msi_window_are_fine)
{
	ASSERT_EQ(0, map_at(MSI_WINDOW_START - PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(0, map_at(MSI_WINDOW_LAST + 1, PAGE_BYTES));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(8, memory_status("VmPin"));
}

TEST_F(device_attach, allowed_range_in_the_msi_window_is_EADDRINUSE)
{
	const struct iommu_iova_range inside = { MSI_WINDOW_START - 1, MSI_WINDOW_START };
	const struct iommu_iova_range beside[2] = {
		{ MSI_WINDOW_LAST + 1, MSI_WINDOW_LAST + PAGE_BYTES },
		{ PAGE_BYTES, MSI_WINDOW_START - 1 },
	};

	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->iommufd, self->ioas, &inside, 1));
	ASSERT_EQ(-EADDRINUSE, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->iommufd, self->ioas, beside, 2));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(-EADDRINUSE, iommu_ioas_allow_iovas(self->iommufd, self->ioas, &inside, 1));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->iommufd, self->ioas, beside, 1));
}

TEST_F(device_attach, mapping_above_the_aperture_is_EADDRINUSE)
{
	__u64 last;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	last = last_iova(self->iommufd, self->ioas);
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));

	ASSERT_EQ(0, map_at(last + 1, PAGE_BYTES));
	ASSERT_EQ(-EADDRINUSE, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas, NULL));
	ASSERT_EQ(0, map_at(last + 1 - PAGE_BYTES, PAGE_BYTES));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
}

TEST_F(device_attach, mapping_not_aligned_to_pages_is_EADDRINUSE)
{
	uint8_t *start = self->memory.start;
	const struct {
		__u64 iova, length;
		void *start;
	} bad[] = {
		{ PAGE_BYTES, PAGE_BYTES / 2, start },
		{ PAGE_BYTES + 1, PAGE_BYTES, start },
		{ PAGE_BYTES, PAGE_BYTES, start + 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas, bad[i].start,
						  bad[i].length, IOMMU_MAP_RW, bad[i].iova));
		ASSERT_EQ(-EADDRINUSE, attach(&self->edu, self->ioas));
		ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
		ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas, NULL));
	}
}

TEST_F(device_attach, attached_ioas_wants_pages)
{
	uint8_t *start = self->memory.start;
	__u64 iova;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(-EINVAL, map_at(PAGE_BYTES, PAGE_BYTES - 1));
	ASSERT_EQ(-EINVAL, map_at(PAGE_BYTES + 8, PAGE_BYTES));
	ASSERT_EQ(-EINVAL, iommu_ioas_map_fixed(self->iommufd, self->ioas, start + 8, PAGE_BYTES,
						IOMMU_MAP_RW, PAGE_BYTES));
	ASSERT_EQ(-EINVAL, iommu_ioas_map(self->iommufd, self->ioas, start + 8, PAGE_BYTES,
					  IOMMU_MAP_RW, &iova));
	ASSERT_EQ(0, memory_status("VmPin"));
	ASSERT_EQ(0, map_at(PAGE_BYTES, PAGE_BYTES));
}

TEST_F(device_attach, map_into_reserved_ranges_is_EINVAL)
{
	__u64 last;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	last = last_iova(self->iommufd, self->ioas);
	ASSERT_EQ(-EINVAL, map_at(MSI_WINDOW_START, PAGE_BYTES));
	ASSERT_EQ(-EINVAL, map_at(MSI_WINDOW_START - PAGE_BYTES, 2 * PAGE_BYTES));
	ASSERT_EQ(-EINVAL, map_at(MSI_WINDOW_LAST + 1 - PAGE_BYTES, 2 * PAGE_BYTES));
	ASSERT_EQ(-EINVAL, map_at(last + 1, PAGE_BYTES));
	ASSERT_EQ(-EINVAL, map_at(last + 1 - PAGE_BYTES, 2 * PAGE_BYTES));
	ASSERT_EQ(0, memory_status("VmPin"));
	ASSERT_EQ(0, map_at(last + 1 - PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(0, map_at(0, PAGE_BYTES));
	ASSERT_EQ(8, memory_status("VmPin"));
}

TEST_F(device_attach, chosen_iova_avoids_the_msi_window)
{
	const struct iommu_iova_range around[2] = {
		{ MSI_WINDOW_START - 0x10000, MSI_WINDOW_START - 1 },
		{ MSI_WINDOW_LAST + 1, MSI_WINDOW_LAST + 0x10000 },
	};
	__u64 iova;
	int i;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, iommu_ioas_allow_iovas(self->iommufd, self->ioas, around, 2));
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(0, iommu_ioas_map(self->iommufd, self->ioas, self->memory.start,
					    PAGE_BYTES, IOMMU_MAP_RW, &iova));
		ASSERT_TRUE(iova + PAGE_BYTES <= MSI_WINDOW_START || iova > MSI_WINDOW_LAST);
	}
	ASSERT_EQ(-ENOSPC, iommu_ioas_map(self->iommufd, self->ioas, self->memory.start,
					  PAGE_BYTES, IOMMU_MAP_RW, &iova));
}

TEST_F(device_attach, destroy_of_the_ioas_is_EBUSY_while_attached)
{
	ASSERT_EQ(0, map_at(PAGE_BYTES, PAGE_BYTES));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, self->ioas));
	ASSERT_EQ(4, memory_status("VmPin"));
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas));
}

TEST_F(device_attach, mappings_are_pinned_while_attached)
{
	int i;

	ASSERT_EQ(0, map_at(PAGE_BYTES, self->memory.size));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, memory_status("VmPin"));
		ASSERT_LT(0, attach(&self->edu, self->ioas));
		ASSERT_EQ(64, memory_status("VmPin"));
		ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	}
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
}

TEST_F(device_attach, memory_that_is_not_there_is_EFAULT)
{
	void *hole = self->memory.start + 8 * PAGE_BYTES;

	ASSERT_EQ(0, map_at(PAGE_BYTES, self->memory.size));
	ASSERT_EQ(0, munmap(hole, PAGE_BYTES));
	ASSERT_EQ(-EFAULT, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
	ASSERT_EQ(hole, mmap(hole, PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(64, memory_status("VmPin"));
}

TEST_F(device_attach, writeable_map_of_read_only_memory_is_EFAULT)
{
	ASSERT_EQ(0, mprotect(self->memory.start, self->memory.size, PROT_READ));
	ASSERT_EQ(0, map_at(PAGE_BYTES, self->memory.size));
	ASSERT_EQ(-EFAULT, attach(&self->edu, self->ioas));
	ASSERT_TRUE(is_untouched(self->iommufd, self->ioas));
	ASSERT_EQ(0, iommu_ioas_unmap_all(self->iommufd, self->ioas, NULL));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas, self->memory.start,
					  self->memory.size, IOMMU_IOAS_MAP_READABLE,
					  PAGE_BYTES));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
}

/* What the kernel shows to programs just before the vDSO, or BARs that are not VFIO's. */
TEST_F(device_attach, memory_without_pages_is_EFAULT)
{
	void *data = (void *)(getauxval(AT_SYSINFO_EHDR) - PAGE_BYTES);

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(-EFAULT, iommu_ioas_map_fixed(self->iommufd, self->ioas, data, PAGE_BYTES,
						IOMMU_IOAS_MAP_READABLE, PAGE_BYTES));
	ASSERT_EQ(0, memory_status("VmPin"));
	ASSERT_EQ(0, map_at(PAGE_BYTES, PAGE_BYTES));
}

TEST_F(device_attach, huge_page_option_is_fixed_with_a_table_and_a_mapping)
{
	__u64 value;

	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(0, iommu_option_set(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, iommu_option_set(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));
	ASSERT_EQ(0, map_at(PAGE_BYTES, PAGE_BYTES));
	ASSERT_EQ(-EINVAL, iommu_option_set(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_EQ(0, iommu_option_get(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, &value));
	ASSERT_EQ(1, value);
	ASSERT_EQ(0, vfio_device_detach(&self->edu.device));
	ASSERT_EQ(0, iommu_option_set(self->iommufd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ASSERT_LT(0, attach(&self->edu, self->ioas));
	ASSERT_EQ(4, memory_status("VmPin"));
}

TEST_F(device_attach, rlimit_mode_is_EBUSY_with_a_device)
{
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas));
	ASSERT_EQ(-EBUSY, iommu_option_set(self->iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	edu_close(&self->edu);
	ASSERT_EQ(0, iommu_option_set(self->iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
}

#define SIZE (4 * PAGE_BYTES)
#define IOVA 0x10000000ULL

FIXTURE(device_group)
{
	int iommufd;
	__u32 ioas[2];
	struct edu edu[2];
	struct memory memory[2];
};

FIXTURE_SETUP(device_group)
{
	int i;

	REQUIRE_SHARED_GROUP();
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, edu_open(&self->edu[i], topology.shared[i].name, self->iommufd));
		ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas[i]));
		ASSERT_EQ(0, memory_allocate(&self->memory[i], MEMORY_ANONYMOUS, SIZE));
		ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[i],
						  self->memory[i].start, SIZE, IOMMU_MAP_RW,
						  IOVA));
	}
}

FIXTURE_TEARDOWN(device_group)
{
	int i;

	for (i = 0; i < 2; i++) {
		edu_close(&self->edu[i]);
		memory_free(&self->memory[i]);
	}
	close(self->iommufd);
}

/* Whether the device reads and writes the memory at IOVA. */
static bool reaches(struct edu *edu, struct memory *memory)
{
	pattern_fill(memory->start, PAGE_BYTES, 1);
	memset(memory->start + PAGE_BYTES, 0, PAGE_BYTES);
	if (edu_fetch(edu, IOVA, EDU_DMA_MAX) || edu_store(edu, IOVA + PAGE_BYTES, EDU_DMA_MAX))
		return false;
	return pattern_match(memory->start + PAGE_BYTES, EDU_DMA_MAX, 1) == EDU_DMA_MAX;
}

TEST_F(device_group, devices_join_one_table)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
}

TEST_F(device_group, other_table_is_EINVAL)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], self->ioas[1]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_EQ((long)SIZE / 1024, memory_status("VmPin"));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas[1]));
	ASSERT_EQ(hwpt, attach(&self->edu[1], hwpt));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
}

TEST_F(device_group, table_that_was_allocated_is_another_one_too)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);
	__u32 other;

	ASSERT_LT(0, hwpt);
	ASSERT_EQ(0, iommu_hwpt_alloc(self->iommufd, self->edu[0].device.id, self->ioas[0], 0,
				      &other));
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], other));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, other));
	ASSERT_EQ(hwpt, attach(&self->edu[1], hwpt));
}

TEST_F(device_group, table_and_ranges_stay_for_the_other_device)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, close_of_one_device_leaves_the_other_attached)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	edu_close(&self->edu[0]);
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, replace_moves_all_devices)
{
	int hwpt[2];

	hwpt[0] = attach(&self->edu[0], self->ioas[0]);
	ASSERT_EQ(hwpt[0], attach(&self->edu[1], self->ioas[0]));
	hwpt[1] = attach(&self->edu[0], self->ioas[1]);
	ASSERT_LT(0, hwpt[1]);
	ASSERT_NE(hwpt[0], hwpt[1]);

	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt[0]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[1]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[1]));
	ASSERT_EQ(hwpt[1], attach(&self->edu[1], self->ioas[1]));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, self->ioas[0]));
}

TEST_F(device_group, replace_leaves_unattached_devices_unattached)
{
	int hwpt;

	ASSERT_LT(0, attach(&self->edu[0], self->ioas[0]));
	hwpt = attach(&self->edu[0], self->ioas[1]);
	ASSERT_LT(0, hwpt);
	ASSERT_EQ(-EINVAL, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[1]));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[0].device));
	ASSERT_EQ(-EBUSY, iommu_destroy(self->iommufd, hwpt));
	ASSERT_EQ(0, vfio_device_detach(&self->edu[1].device));
	ASSERT_EQ(-ENOENT, iommu_destroy(self->iommufd, hwpt));
}

TEST_F(device_group, failed_replace_moves_no_device)
{
	int hwpt = attach(&self->edu[0], self->ioas[0]);

	ASSERT_EQ(hwpt, attach(&self->edu[1], self->ioas[0]));
	ASSERT_EQ(0, iommu_ioas_map_fixed(self->iommufd, self->ioas[1], self->memory[1].start,
					  PAGE_BYTES, IOMMU_MAP_RW, MSI_WINDOW_START));
	ASSERT_EQ(-EADDRINUSE, attach(&self->edu[1], self->ioas[1]));
	ASSERT_TRUE(is_unreserved(self->iommufd, self->ioas[1]));
	ASSERT_TRUE(is_reserved_for_device(self->iommufd, self->ioas[0]));
	ASSERT_TRUE(reaches(&self->edu[0], &self->memory[0]));
	ASSERT_TRUE(reaches(&self->edu[1], &self->memory[0]));
	ASSERT_EQ(hwpt, attach(&self->edu[0], hwpt));
}

#define WITH_PASID 1

/* As of Linux 6.15 */
struct pasid_attach {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

struct pasid_detach {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

FIXTURE(device_pasid)
{
	int iommufd;
	__u32 ioas;
	struct edu edu;
};

FIXTURE_SETUP(device_pasid)
{
	REQUIRE_OWN_GROUPS(1);
	self->iommufd = iommu_open();
	ASSERT_LE(0, self->iommufd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->iommufd, &self->ioas));
	ASSERT_EQ(0, edu_open(&self->edu, topology.own[0].name, self->iommufd));
}

FIXTURE_TEARDOWN(device_pasid)
{
	edu_close(&self->edu);
	close(self->iommufd);
}

static int attach_pasid(struct _test_data_device_pasid *self, __u32 argsz, __u32 flags,
			__u32 pt_id, __u32 pasid)
{
	struct pasid_attach attach = { argsz, flags, pt_id, pasid };

	return ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

static int detach_pasid(struct _test_data_device_pasid *self, __u32 argsz, __u32 flags,
			__u32 pasid)
{
	struct pasid_detach detach = { argsz, flags, pasid };

	return ioctl(self->edu.device.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) ? -errno : 0;
}

TEST_F(device_pasid, zero_is_refused)
{
	ASSERT_EQ(-EINVAL, attach_pasid(self, 16, WITH_PASID, self->ioas, 0));
	ASSERT_EQ(-EINVAL, detach_pasid(self, 12, WITH_PASID, 0));
}

TEST_F(device_pasid, needs_room_for_itself)
{
	ASSERT_EQ(-EINVAL, attach_pasid(self, 15, WITH_PASID, self->ioas, 1));
	ASSERT_EQ(-EINVAL, detach_pasid(self, 11, WITH_PASID, 1));
}

TEST_F(device_pasid, has_one_flag)
{
	ASSERT_EQ(-EINVAL, attach_pasid(self, 16, 2, self->ioas, 1));
	ASSERT_EQ(-EINVAL, detach_pasid(self, 12, 2, 1));
}

TEST_F(device_pasid, is_read_only_with_its_flag)
{
	char *edge = guard_page_edge(PROT_READ | PROT_WRITE, PROT_NONE);
	const struct pasid_attach short_attach = { 12, 0, self->ioas, 0 };
	void *place = guard_page_seal(edge, &short_attach, 12, PROT_READ | PROT_WRITE);

	ASSERT_EQ(0, ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, place));
	((struct pasid_attach *)place)->flags = WITH_PASID;
	ASSERT_EQ(-1, ioctl(self->edu.device.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, place));
	ASSERT_EQ(EFAULT, errno);
	guard_page_free(edge);
}

TEST_F(device_pasid, never_goes_to_an_ioas)
{
	ASSERT_EQ(-EINVAL, attach_pasid(self, 16, WITH_PASID, self->ioas, 1));
	ASSERT_EQ(-ENOENT, attach_pasid(self, 16, WITH_PASID, 0x7fffffff, 1));
}

TEST_F(device_pasid, needs_a_device_that_has_some)
{
	__u32 hwpt;

	if (iommu_hwpt_alloc(self->iommufd, self->edu.device.id, self->ioas,
			     IOMMU_HWPT_ALLOC_PASID, &hwpt))
		SKIP(return, "the IOMMU driver has no page tables for PASIDs");
	ASSERT_EQ(-EINVAL, attach_pasid(self, 16, WITH_PASID, hwpt, 1));
	ASSERT_EQ(0, iommu_destroy(self->iommufd, hwpt));
}

TEST_F(device_pasid, that_is_not_attached_needs_no_detach)
{
	ASSERT_EQ(0, detach_pasid(self, 12, WITH_PASID, 1));
}
