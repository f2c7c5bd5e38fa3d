/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function for each operation of the test ioctl, which only the test build of
 * the modules has.
 *
 * Owns the filling in of its structure. Every function returns 0 or -errno, and
 * stores outputs only on success.
 */
#ifndef SELFTESTS_IOMMUFD_MOCK_H
#define SELFTESTS_IOMMUFD_MOCK_H

#include "iommu.h"

#include "iommufd_test.h"

#define MOCK_CMD(_op, _id, ...) \
	((struct iommu_test_cmd){ .size = sizeof(struct iommu_test_cmd), \
				  .op = IOMMU_TEST_OP_##_op, .id = (_id), __VA_ARGS__ })

/* What the kernel gives a buffer if no test has asked for less, in bytes. */
#define MOCK_MEMORY_LIMIT_DEFAULT 65536

static inline int mock_ioctl(int fd, struct iommu_test_cmd *cmd)
{
	return iommu_ioctl(fd, IOMMU_TEST_CMD, cmd);
}

static inline int mock_add_reserved(int fd, __u32 ioas_id, __u64 start, __u64 length)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ADD_RESERVED, ioas_id,
		.add_reserved = { .start = start, .length = length });

	return mock_ioctl(fd, &cmd);
}

/**
 * struct mock - a mock device and what it was attached to when it was made
 * @id: The device, to be destroyed
 * @hwpt: The page table
 * @idev: What it is for commands that take a device
 */
struct mock {
	__u32 id;
	__u32 hwpt;
	__u32 idev;
};

static inline int mock_attach_flags(int fd, __u32 pt_id, __u32 flags, struct mock *mock)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MOCK_DOMAIN_FLAGS, pt_id,
		.mock_domain_flags = { .dev_flags = flags });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc) {
		mock->id = cmd.mock_domain_flags.out_stdev_id;
		mock->hwpt = cmd.mock_domain_flags.out_hwpt_id;
		mock->idev = cmd.mock_domain_flags.out_idev_id;
	}
	return rc;
}

/* Makes a mock device and attaches it. */
static inline int mock_attach(int fd, __u32 pt_id, struct mock *mock)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MOCK_DOMAIN, pt_id);
	int rc = mock_ioctl(fd, &cmd);

	if (!rc) {
		mock->id = cmd.mock_domain.out_stdev_id;
		mock->hwpt = cmd.mock_domain.out_hwpt_id;
		mock->idev = cmd.mock_domain.out_idev_id;
	}
	return rc;
}

/* Makes another in the group of mock device @sibling, and attaches it. */
static inline int mock_join(int fd, __u32 pt_id, __u32 sibling, __u32 flags, struct mock *mock)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MOCK_DOMAIN_JOIN, pt_id,
		.mock_domain_join = { .dev_flags = flags, .sibling_id = sibling });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc) {
		mock->id = cmd.mock_domain_join.out_stdev_id;
		mock->hwpt = cmd.mock_domain_join.out_hwpt_id;
		mock->idev = cmd.mock_domain_join.out_idev_id;
	}
	return rc;
}

/* @pt_id: in: IOAS or HWPT, out: HWPT. */
static inline int mock_replace(int fd, __u32 mock_id, __u32 *pt_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MOCK_DOMAIN_REPLACE, mock_id,
		.mock_domain_replace = { .pt_id = *pt_id });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc)
		*pt_id = cmd.mock_domain_replace.pt_id;
	return rc;
}

/* Are these IOVAs of a page table the memory at @address? */
static inline int mock_check_map(int fd, __u32 hwpt_id, __u64 iova, __u64 length,
				 const void *address)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MD_CHECK_MAP, hwpt_id,
		.check_map = {
			.iova = iova, .length = length, .uptr = (uintptr_t)address,
		});

	return mock_ioctl(fd, &cmd);
}

/* Is this the word @index of the IOTLB of a nested page table? */
static inline int mock_check_iotlb(int fd, __u32 hwpt_id, __u32 index, __u32 iotlb)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MD_CHECK_IOTLB, hwpt_id,
		.check_iotlb = { .id = index, .iotlb = iotlb });

	return mock_ioctl(fd, &cmd);
}

/* Are all small pages here pinned @refs times? */
static inline int mock_check_refs(int fd, const void *address, __u64 length, __u32 refs)
{
	struct iommu_test_cmd cmd = MOCK_CMD(MD_CHECK_REFS, 0,
		.check_refs = {
			.length = length, .uptr = (uintptr_t)address, .refs = refs,
		});

	return mock_ioctl(fd, &cmd);
}

/* Has a device ask for a page; PASID 0: without one. */
static inline int mock_ask_for_page(int fd, __u32 idev, __u32 pasid, __u32 grpid, __u32 perm,
				    __u64 address)
{
	struct iommu_test_cmd cmd = MOCK_CMD(TRIGGER_IOPF, 0,
		.trigger_iopf = {
			.dev_id = idev, .pasid = pasid, .grpid = grpid, .perm = perm,
			.addr = address,
		});

	return mock_ioctl(fd, &cmd);
}

/* Has a device ask once, when something happens to it: MOCK_ASK_WHEN_*. */
static inline int mock_ask_later(int fd, __u32 mock_id, __u32 when, bool fails, __u32 pasid,
				 __u32 grpid)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ASK_LATER, mock_id,
		.ask_later = {
			.when = when, .fails = fails, .pasid = pasid, .grpid = grpid,
		});

	return mock_ioctl(fd, &cmd);
}

/* Destroys a device whose group somebody keeps: did and does the context own the group? */
static inline int mock_unbind_held(int fd, __u32 mock_id, bool *before, bool *after)
{
	struct iommu_test_cmd cmd = MOCK_CMD(UNBIND_HELD, mock_id);
	int rc = mock_ioctl(fd, &cmd);

	if (!rc) {
		*before = cmd.unbind_held.out_before;
		*after = cmd.unbind_held.out_after;
	}
	return rc;
}

/*
 * Has this process locked for @ms milliseconds, or if that is 0 until it is killed. *@held,
 * which has been written to before, becomes 1 when it is.
 */
static inline int mock_hold_mmap_lock(int fd, __u32 ms, __u8 *held)
{
	struct iommu_test_cmd cmd = MOCK_CMD(HOLD_MMAP_LOCK, 0,
		.hold_mmap_lock = { .uptr = (uintptr_t)held, .ms = ms });

	return mock_ioctl(fd, &cmd);
}

/* @pt_id: in: HWPT, for PASID 0 also IOAS, out: HWPT. */
static inline int mock_pasid_attach(int fd, __u32 mock_id, __u32 pasid, __u32 *pt_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(PASID_ATTACH, mock_id,
		.pasid_attach = { .pasid = pasid, .pt_id = *pt_id });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc)
		*pt_id = cmd.pasid_attach.pt_id;
	return rc;
}

/* Likewise. */
static inline int mock_pasid_replace(int fd, __u32 mock_id, __u32 pasid, __u32 *pt_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(PASID_REPLACE, mock_id,
		.pasid_replace = { .pasid = pasid, .pt_id = *pt_id });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc)
		*pt_id = cmd.pasid_replace.pt_id;
	return rc;
}

static inline int mock_pasid_detach(int fd, __u32 mock_id, __u32 pasid)
{
	struct iommu_test_cmd cmd = MOCK_CMD(PASID_DETACH, mock_id,
		.pasid_detach = { .pasid = pasid });

	return mock_ioctl(fd, &cmd);
}

/* Is the PASID attached to this page table, or to nothing if @hwpt is 0? */
static inline int mock_pasid_check(int fd, __u32 mock_id, __u32 pasid, __u32 hwpt)
{
	struct iommu_test_cmd cmd = MOCK_CMD(PASID_CHECK_HWPT, mock_id,
		.pasid_check = { .pasid = pasid, .hwpt_id = hwpt });

	return mock_ioctl(fd, &cmd);
}

static inline int mock_set_memory_limit(int fd, __u32 limit)
{
	struct iommu_test_cmd cmd = MOCK_CMD(SET_TEMP_MEMORY_LIMIT, 0,
		.memory_limit = { .limit = limit });

	return mock_ioctl(fd, &cmd);
}

/*
 * Has a device write to the pages of a page table whose bits are set. @written: how many
 * there are, may be NULL.
 */
static inline int mock_dirty(int fd, __u32 hwpt_id, __u64 iova, __u64 length,
			     __u64 page_size, const void *bitmap, __u64 *written)
{
	struct iommu_test_cmd cmd = MOCK_CMD(DIRTY, hwpt_id,
		.dirty = {
			.iova = iova, .length = length, .page_size = page_size,
			.uptr = (uintptr_t)bitmap,
		});
	int rc = mock_ioctl(fd, &cmd);

	if (!rc && written)
		*written = cmd.dirty.out_nr_dirty;
	return rc;
}

/* @access: a file descriptor. */
static inline int mock_access_create(int fd, __u32 ioas_id, __u32 flags, int *access)
{
	struct iommu_test_cmd cmd = MOCK_CMD(CREATE_ACCESS, ioas_id,
		.create_access = { .flags = flags });
	int rc = mock_ioctl(fd, &cmd);

	if (!rc)
		*access = cmd.create_access.out_access_fd;
	return rc;
}

static inline int mock_access_replace(int fd, int access, __u32 ioas_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ACCESS_REPLACE_IOAS, access,
		.access_replace_ioas = { .ioas_id = ioas_id });

	return mock_ioctl(fd, &cmd);
}

/* Pins, and if @address is not NULL compares the pages with those there. */
static inline int mock_access_pin(int fd, int access, __u64 iova, __u64 length,
				  __u32 flags, const void *address, __u32 *pages_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ACCESS_PAGES, access,
		.access_pages = {
			.flags = flags, .iova = iova, .length = length,
			.uptr = (uintptr_t)address,
		});
	int rc = mock_ioctl(fd, &cmd);

	if (!rc)
		*pages_id = cmd.access_pages.out_access_pages_id;
	return rc;
}

static inline int mock_access_unpin(int fd, int access, __u32 pages_id)
{
	struct iommu_test_cmd cmd = MOCK_CMD(DESTROY_ACCESS_PAGES, access,
		.destroy_access_pages = { .access_pages_id = pages_id });

	return mock_ioctl(fd, &cmd);
}

static inline int mock_access_rw(int fd, int access, __u64 iova, void *data,
				 __u64 length, __u32 flags)
{
	struct iommu_test_cmd cmd = MOCK_CMD(ACCESS_RW, access,
		.access_rw = {
			.iova = iova, .length = length, .uptr = (uintptr_t)data,
			.flags = flags,
		});

	return mock_ioctl(fd, &cmd);
}

static inline int mock_access_read(int fd, int access, __u64 iova, void *data,
				   __u64 length)
{
	return mock_access_rw(fd, access, iova, data, length, 0);
}

static inline int mock_access_write(int fd, int access, __u64 iova, const void *data,
				    __u64 length)
{
	return mock_access_rw(fd, access, iova, (void *)data, length, MOCK_ACCESS_RW_WRITE);
}

#endif
