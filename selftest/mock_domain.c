// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock domain: what the mock IOMMU attaches its devices to.
 *
 * The two formats of paging domains, their page sizes and apertures, and how they report
 * dirty pages.
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_test.h"
#include "selftest/hooks.h"
#include "selftest/mock_domain.h"
#include "selftest/mock_fault.h"
#include "selftest/mock_iommu.h"
#include "selftest/mock_nested.h"
#include "selftest/mock_table.h"

/**
 * struct mock_domain - a paging domain
 * @domain: What it is for the IOMMU core
 * @table: Its page table
 * @tracking: Dirty pages are tracked
 */
struct mock_domain {
	struct iommu_domain domain;
	struct mock_table table;
	bool tracking;
};

/**
 * struct mock_format - a kind of page table
 * @sizes: The sizes of its pages
 * @geometry: The IOVAs that it translates
 */
struct mock_format {
	unsigned long sizes;
	struct iommu_domain_geometry geometry;
};

static const struct mock_format formats[] = {
	[MOCK_IOMMUPT_DEFAULT] = {
		.sizes = GENMASK(ilog2(SZ_64G), ilog2(MOCK_PAGE_SIZE)),
		.geometry = {
			.aperture_start = MOCK_APERTURE_START,
			.aperture_end = MOCK_APERTURE_LAST,
			.force_aperture = true,
		},
	},
	[MOCK_IOMMUPT_HUGE] = {
		.sizes = MOCK_HUGE_PAGE_SIZE | PAGE_SIZE,
		.geometry = {
			.aperture_end = BIT_ULL(38) - 1,
			.force_aperture = true,
		},
	},
};

/* How many calls of unmap_pages() are going to unmap nothing */
static atomic_t unmaps_to_fail;
/* 1: the next call that maps memory sets it to 2, and waits until it is 0 */
static atomic_t hold_map;

static struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

/**
 * mock_domain_attach - iommu_domain_ops.attach_dev()
 * @domain: Any mock domain
 * @dev: A mock device
 *
 * Return: 0, or -EINVAL: the domain tracks dirty pages, and the device can't; or
 * as mock_fault_occasion().
 */
int mock_domain_attach(struct iommu_domain *domain, struct device *dev)
{
	if (domain->dirty_ops &&
	    !device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		return -EINVAL;
	if (domain->type == IOMMU_DOMAIN_BLOCKED)
		return 0;
	return mock_fault_occasion(dev, MOCK_ASK_WHEN_ATTACHED);
}

/**
 * mock_domain_set_pasid - iommu_domain_ops.set_dev_pasid()
 * @domain: A mock domain
 * @dev: A mock device
 * @pasid: One PASID is there for tests of what fails: it can be attached, but
 *         attaching it over what it is attached to fails
 * @old: What it is attached to, or NULL
 *
 * Return: 0, or -ENOMEM as told, or as mock_fault_occasion().
 */
int mock_domain_set_pasid(struct iommu_domain *domain, struct device *dev,
			  ioasid_t pasid, struct iommu_domain *old)
{
	struct mock_device *mock = dev_get_drvdata(dev);

	if (pasid != IOMMU_TEST_PASID_RESERVED)
		return mock_fault_occasion(dev, MOCK_ASK_WHEN_ATTACHED);
	mock->pasid_taken = !mock->pasid_taken;
	return mock->pasid_taken ? 0 : -ENOMEM;
}

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = mock_domain_attach,
};

struct iommu_domain mock_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

/* Whether an entry of this size can be written there */
static bool entry_fits(const struct iommu_domain *domain, unsigned long iova,
		       phys_addr_t phys, size_t size)
{
	return is_power_of_2(size) && (domain->pgsize_bitmap & size) &&
	       IS_ALIGNED(iova | phys, size);
}

/* A large page table takes long to write. So does a small one, if a test says so */
static void take_long(int prot)
{
	if ((prot & IOMMU_MMIO) || atomic_cmpxchg(&hold_map, 1, 2) != 1)
		return;
	while (atomic_read(&hold_map) && !fatal_signal_pending(current))
		schedule_timeout_killable(1);
}

static int mock_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t phys, size_t size, size_t count, int prot,
			  gfp_t gfp, size_t *mapped)
{
	take_long(prot);
	if (!(prot & (IOMMU_READ | IOMMU_WRITE)) ||
	    !entry_fits(domain, iova, phys, size))
		return -EINVAL;
	return mock_table_map(&to_mock_domain(domain)->table, iova, phys,
			      size * count, gfp, mapped);
}

static size_t mock_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t size, size_t count,
			       struct iommu_iotlb_gather *gather)
{
	if (atomic_add_unless(&unmaps_to_fail, -1, 0))
		return 0;
	return mock_table_unmap(&to_mock_domain(domain)->table, iova,
				size * count);
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return mock_table_lookup(&to_mock_domain(domain)->table, iova);
}

static void flush_iotlb_all(struct iommu_domain *domain)
{
	mock_table_flush(&to_mock_domain(domain)->table);
}

/* There is nothing to do, but with drivers that have to call somebody it can fail */
static int iotlb_sync_map(struct iommu_domain *domain, unsigned long iova,
			  size_t length)
{
	return selftest_should_fail() ? -ENOMEM : 0;
}

static void free_paging(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock_domain(domain);

	mock_table_destroy(&mock->table);
	kfree(mock);
}

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = mock_domain_attach,
	.set_dev_pasid = mock_domain_set_pasid,
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iova_to_phys = iova_to_phys,
	.flush_iotlb_all = flush_iotlb_all,
	.iotlb_sync_map = iotlb_sync_map,
	.free = free_paging,
};

/* As drivers do it: a call that has nothing to change cannot fail */
static int set_dirty_tracking(struct iommu_domain *domain, bool enabled)
{
	if (enabled && !mock_domain_is_tracking(domain) &&
	    selftest_should_fail())
		return -ENOMEM;
	WRITE_ONCE(to_mock_domain(domain)->tracking, enabled);
	return 0;
}

/*
 * As drivers do it: from the middle of a leaf on they record its size, and go on
 * in the middle of the next one.
 */
static int read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova,
				size_t size, unsigned long flags,
				struct iommu_dirty_bitmap *dirty)
{
	struct mock_domain *mock = to_mock_domain(domain);
	unsigned long last = iova + size - 1;
	unsigned long leaf;

	do {
		if (mock_table_test_dirty(&mock->table, iova,
					  !(flags & IOMMU_DIRTY_NO_CLEAR),
					  &leaf))
			iommu_dirty_bitmap_record(dirty, iova, leaf);
		iova += leaf ?: MOCK_PAGE_SIZE;
	} while (iova < last);
	return 0;
}

static const struct iommu_dirty_ops paging_dirty_ops = {
	.set_dirty_tracking = set_dirty_tracking,
	.read_and_clear_dirty = read_and_clear_dirty,
};

static struct iommu_domain *alloc_paging(const struct mock_format *format,
					 u32 flags)
{
	struct mock_domain *mock = kzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);

	if (!mock)
		return ERR_PTR(-ENOMEM);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &paging_ops;
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		mock->domain.dirty_ops = &paging_dirty_ops;
	mock->domain.pgsize_bitmap = format->sizes;
	mock->domain.geometry = format->geometry;
	mock_table_init(&mock->table, format->sizes);
	return &mock->domain;
}

/* Which format user space wants; no data means the default one */
static int read_format(const struct iommu_user_data *user_data,
		       const struct mock_format **format)
{
	struct iommu_hwpt_selftest data = {};
	int rc = 0;

	if (user_data) {
		if (user_data->type != IOMMU_HWPT_DATA_NONE &&
		    user_data->type != IOMMU_HWPT_DATA_SELFTEST)
			return -EOPNOTSUPP;
		rc = iommu_copy_struct_from_user(&data, user_data,
						 user_data->type, iotlb);
	}
	if (rc)
		return rc;
	if (data.pagetable_type >= ARRAY_SIZE(formats))
		return -EOPNOTSUPP;
	*format = &formats[data.pagetable_type];
	return 0;
}

/**
 * mock_domain_alloc - iommu_ops.domain_alloc_user()
 * @dev: A mock device
 * @flags: IOMMU_HWPT_ALLOC_*
 * @parent: What a nested domain lies upon, or NULL
 * @user_data: struct iommu_hwpt_selftest of user space, or NULL
 *
 * Return: the domain or an ERR_PTR: -EOPNOTSUPP a flag, type of data or page
 * table it does not know; -EINVAL length of the data; -EFAULT; -ENOMEM; as
 * mock_nested_alloc().
 */
struct iommu_domain *mock_domain_alloc(struct device *dev, u32 flags,
				       struct iommu_domain *parent,
				       const struct iommu_user_data *user_data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT |
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			  IOMMU_HWPT_ALLOC_PASID;
	const struct mock_format *format;
	int rc;

	if (parent)
		return mock_nested_alloc(flags, parent, user_data);
	if (flags & ~known)
		return ERR_PTR(-EOPNOTSUPP);
	if ((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	    !device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING))
		return ERR_PTR(-EOPNOTSUPP);
	rc = read_format(user_data, &format);
	if (rc)
		return ERR_PTR(rc);
	return alloc_paging(format, flags);
}

/**
 * mock_domain_is_paging - can a mock domain map something?
 * @domain: Any domain
 *
 * Return: false also for the domains of other IOMMUs.
 */
bool mock_domain_is_paging(const struct iommu_domain *domain)
{
	return domain->ops == &paging_ops;
}

/**
 * mock_domain_is_tracking - does anybody want to know where devices write?
 * @domain: A mock domain, see mock_domain_is_paging()
 *
 * Return: yes or no.
 */
bool mock_domain_is_tracking(struct iommu_domain *domain)
{
	return READ_ONCE(to_mock_domain(domain)->tracking);
}

/**
 * mock_domain_write - a device writes to an IOVA
 * @domain: A mock domain that tracks dirty pages
 * @iova: Any IOVA; if nothing is mapped there nothing happens
 */
void mock_domain_write(struct iommu_domain *domain, unsigned long iova)
{
	mock_table_write(&to_mock_domain(domain)->table, iova);
}

/**
 * mock_domain_init - make the files by which tests have unmaps fail and maps take long
 */
void mock_domain_init(void)
{
	debugfs_create_atomic_t("iommufd_fail_unmap", 0600, NULL,
				&unmaps_to_fail);
	debugfs_create_atomic_t("iommufd_hold_map", 0600, NULL, &hold_map);
}

/**
 * mock_domain_exit - the opposite
 */
void mock_domain_exit(void)
{
	debugfs_lookup_and_remove("iommufd_fail_unmap", NULL);
	debugfs_lookup_and_remove("iommufd_hold_map", NULL);
}
