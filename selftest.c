// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl of the test build.
 *
 * Owns the table of test operations, and those that look at IO address spaces and
 * page tables. The others are in selftest/selftest_*.c, the hardware that does not
 * exist in selftest/mock_*.c.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "hwpt_paging.h"
#include "selftest/hooks.h"
#include "selftest/mock_domain.h"
#include "selftest/mock_iommu.h"
#include "selftest/mock_nested.h"
#include "selftest/selftest.h"
#include "selftest/selftest_ops.h"

static int add_reserved(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	unsigned long last, start = args->add_reserved.start;
	struct iommufd_ioas *ioas;
	int rc;

	ioas = iommufd_ioas_get(command->ctx, args->id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (!args->add_reserved.length)
		rc = -EINVAL;
	else if (check_add_overflow(start, args->add_reserved.length - 1,
				    &last))
		rc = -EOVERFLOW;
	else
		rc = iopt_reserve(&ioas->iopt, start, last, NULL);
	iommufd_object_put(&ioas->object);
	return rc;
}

/* Is the page under an address what a domain has at an IOVA? */
static int check_one(struct iommu_domain *domain, unsigned long iova,
		     unsigned long address)
{
	phys_addr_t phys;
	struct page *page;
	int rc;

	rc = selftest_lookup_page(address, &page);
	if (rc)
		return rc;
	phys = page_to_phys(page) + offset_in_page(address);
	if (iommu_iova_to_phys(domain, iova) != phys)
		rc = -EINVAL;
	put_page(page);
	return rc;
}

static int check_domain(struct iommu_domain *domain, unsigned long iova,
			unsigned long length, unsigned long address)
{
	unsigned long step, end, done;
	int rc = 0;

	if (!mock_domain_is_paging(domain))
		return -EINVAL;
	step = 1UL << __ffs(domain->pgsize_bitmap);
	if (!IS_ALIGNED(iova | length | address, step) ||
	    check_add_overflow(address, length, &end))
		return -EINVAL;
	for (done = 0; done != length && !rc; done += step) {
		rc = check_one(domain, iova + done, address + done);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return rc;
}

static int check_map(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommufd_hwpt *hwpt;
	int rc;

	hwpt = iommufd_object_get_as(command->ctx, args->id,
				     IOMMUFD_OBJECT_HWPT_PAGING,
				     struct iommufd_hwpt, object);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = check_domain(hwpt->domain, args->check_map.iova,
			  args->check_map.length, args->check_map.uptr);
	iommufd_object_put(&hwpt->object);
	return rc;
}

static int check_iotlb(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommufd_hwpt *hwpt;
	int rc;

	hwpt = iommufd_object_get_as(command->ctx, args->id,
				     IOMMUFD_OBJECT_HWPT_NESTED,
				     struct iommufd_hwpt, object);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = mock_nested_check(hwpt->domain, args->check_iotlb.id,
			       args->check_iotlb.iotlb);
	iommufd_object_put(&hwpt->object);
	return rc;
}

/* Nothing can be said of a compound page, whose count is shared */
static int check_page_refs(unsigned long address, unsigned int refs)
{
	struct page *page;
	int rc;

	rc = selftest_lookup_page(address, &page);
	if (rc)
		return rc;
	/* Without the reference that we have ourselves */
	if (!PageCompound(page) &&
	    (page_ref_count(page) - 1) / GUP_PIN_COUNTING_BIAS != refs)
		rc = -EIO;
	put_page(page);
	return rc;
}

static int check_refs(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	unsigned long address = args->check_refs.uptr;
	unsigned long length = args->check_refs.length;
	unsigned long end;
	int rc = 0;

	if (!PAGE_ALIGNED(address | length) ||
	    check_add_overflow(address, length, &end))
		return -EINVAL;
	for (; address != end && !rc; address += PAGE_SIZE) {
		rc = check_page_refs(address, args->check_refs.refs);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return rc;
}

static int set_memory_limit(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;

	return selftest_limit_buffers(args->memory_limit.limit);
}

static int (*const operations[])(struct iommufd_command *command) = {
	[IOMMU_TEST_OP_ADD_RESERVED] = add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = selftest_mock_domain,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = selftest_create_access,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = selftest_destroy_access_pages,
	[IOMMU_TEST_OP_ACCESS_PAGES] = selftest_access_pages,
	[IOMMU_TEST_OP_ACCESS_RW] = selftest_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = set_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = selftest_mock_domain_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = selftest_access_replace_ioas,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = selftest_mock_domain_flags,
	[IOMMU_TEST_OP_DIRTY] = selftest_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = selftest_trigger_iopf,
	[IOMMU_TEST_OP_PASID_ATTACH] = selftest_pasid_attach,
	[IOMMU_TEST_OP_PASID_REPLACE] = selftest_pasid_replace,
	[IOMMU_TEST_OP_PASID_DETACH] = selftest_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = selftest_pasid_check_hwpt,
};

/* By their distance from IOMMU_TEST_OP_OWN_FIRST */
static void keep_waiting(u32 ms)
{
	if (ms)
		schedule_timeout_killable(msecs_to_jiffies(ms));
	while (!ms && !fatal_signal_pending(current))
		schedule_timeout_killable(MAX_SCHEDULE_TIMEOUT);
}

/* As a page fault does that user space does not answer, but for writing */
static int hold_mmap_lock(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	const u8 held = 1;
	int rc;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	rc = copy_to_user_nofault(u64_to_user_ptr(args->hold_mmap_lock.uptr),
				  &held, sizeof(held));
	if (!rc)
		keep_waiting(args->hold_mmap_lock.ms);
	mmap_write_unlock(current->mm);
	return rc;
}

static int (*const own_operations[])(struct iommufd_command *command) = {
	selftest_mock_domain_join,
	selftest_ask_later,
	selftest_unbind_held,
	hold_mmap_lock,
};

/**
 * selftest_run - IOMMU_TEST_CMD
 * @command: The call
 *
 * Return: as the operation, or -EOPNOTSUPP if there is none of this number.
 */
int selftest_run(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	u32 own = args->op - IOMMU_TEST_OP_OWN_FIRST;

	if (own < ARRAY_SIZE(own_operations))
		return own_operations[own](command);
	if (args->op >= ARRAY_SIZE(operations) || !operations[args->op])
		return -EOPNOTSUPP;
	return operations[args->op](command);
}

/**
 * selftest_init - make the mock IOMMU and the fault injection available
 *
 * Return: 0, or as mock_iommu_init().
 */
int __init selftest_init(void)
{
	int rc = mock_iommu_init();

	if (rc)
		return rc;
	selftest_hooks_init();
	selftest_mistake_init();
	return 0;
}

/* GCOVR_EXCL_START: the debug kernel has it built in */
/**
 * selftest_exit - the opposite of selftest_init()
 */
void selftest_exit(void)
{
	selftest_mistake_exit();
	selftest_hooks_exit();
	mock_iommu_exit();
}

/* GCOVR_EXCL_STOP */
