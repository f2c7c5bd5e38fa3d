/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of all commands of /dev/iommu.
 *
 * Owns the numbers of each command: its request, the size of its structure and
 * the smallest size that is accepted. It must never take one from the header it
 * is compared to.
 */
#ifndef SELFTESTS_IOMMUFD_COMMANDS_H
#define SELFTESTS_IOMMUFD_COMMANDS_H

#include <stddef.h>

#include <linux/iommufd.h>

/**
 * struct command - what a command's number and sizes are, and what they should be
 * @name: Name of the request
 * @request: Request number of the header
 * @request_expected: Request number it has to be
 * @structure: Name of its structure
 * @full: sizeof the structure in the header
 * @full_expected: What this has to be
 * @min_expected: The smallest .size that is accepted
 * @last: Last member that a caller must give, at whose end @min_expected is
 */
struct command {
	const char *name;
	unsigned long request;
	unsigned long request_expected;
	const char *structure;
	size_t full;
	size_t full_expected;
	size_t min_expected;
	const char *last;
};

#define COMMAND(_request, _name, _type, _full, _min, _last) { \
	.name = #_name, \
	.request = _name, \
	.request_expected = _request, \
	.structure = #_type, \
	.full = sizeof(_type), \
	.full_expected = _full, \
	.min_expected = _min, \
	.last = #_last, \
}

static const struct command commands[] = {
	COMMAND(0x3b80, IOMMU_DESTROY, struct iommu_destroy, 8, 8, id),
	COMMAND(0x3b81, IOMMU_IOAS_ALLOC, struct iommu_ioas_alloc, 12, 12, out_ioas_id),
	COMMAND(0x3b82, IOMMU_IOAS_ALLOW_IOVAS, struct iommu_ioas_allow_iovas,
		24, 24, allowed_iovas),
	COMMAND(0x3b83, IOMMU_IOAS_COPY, struct iommu_ioas_copy, 40, 40, src_iova),
	COMMAND(0x3b84, IOMMU_IOAS_IOVA_RANGES, struct iommu_ioas_iova_ranges,
		32, 32, out_iova_alignment),
	COMMAND(0x3b85, IOMMU_IOAS_MAP, struct iommu_ioas_map, 40, 40, iova),
	COMMAND(0x3b86, IOMMU_IOAS_UNMAP, struct iommu_ioas_unmap, 24, 24, length),
	COMMAND(0x3b87, IOMMU_OPTION, struct iommu_option, 24, 24, val64),
	COMMAND(0x3b88, IOMMU_VFIO_IOAS, struct iommu_vfio_ioas, 12, 12, __reserved),
	COMMAND(0x3b89, IOMMU_HWPT_ALLOC, struct iommu_hwpt_alloc, 48, 24, __reserved),
	COMMAND(0x3b8a, IOMMU_GET_HW_INFO, struct iommu_hw_info, 40, 32, __reserved),
	COMMAND(0x3b8b, IOMMU_HWPT_SET_DIRTY_TRACKING, struct iommu_hwpt_set_dirty_tracking,
		16, 16, __reserved),
	COMMAND(0x3b8c, IOMMU_HWPT_GET_DIRTY_BITMAP, struct iommu_hwpt_get_dirty_bitmap,
		48, 48, data),
	COMMAND(0x3b8d, IOMMU_HWPT_INVALIDATE, struct iommu_hwpt_invalidate,
		32, 32, __reserved),
	COMMAND(0x3b8e, IOMMU_FAULT_QUEUE_ALLOC, struct iommu_fault_alloc,
		16, 16, out_fault_fd),
	COMMAND(0x3b8f, IOMMU_IOAS_MAP_FILE, struct iommu_ioas_map_file, 40, 40, iova),
	COMMAND(0x3b90, IOMMU_VIOMMU_ALLOC, struct iommu_viommu_alloc,
		40, 24, out_viommu_id),
	COMMAND(0x3b91, IOMMU_VDEVICE_ALLOC, struct iommu_vdevice_alloc, 24, 24, virt_id),
	COMMAND(0x3b92, IOMMU_IOAS_CHANGE_PROCESS, struct iommu_ioas_change_process,
		8, 8, __reserved),
	COMMAND(0x3b93, IOMMU_VEVENTQ_ALLOC, struct iommu_veventq_alloc,
		32, 28, out_veventq_fd),
	COMMAND(0x3b94, IOMMU_HW_QUEUE_ALLOC, struct iommu_hw_queue_alloc, 40, 40, length),
	COMMAND(0x3b95, IOMMU_IOAS_NOIOMMU_GET_PA, struct iommu_ioas_noiommu_get_pa,
		40, 40, out_phys),
};

#endif
