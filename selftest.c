// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test build: its ioctl and its hooks.
 *
 * Owns the table of test operations, those that look at IO address spaces and
 * page tables, and what the hooks in the rest of iommufd do. What mock devices
 * and accesses do is in selftest_device.c and selftest_access.c, the hardware
 * that does not exist in mock_*.c.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "hwpt_paging.h"
#include "selftest/mock_domain.h"
#include "selftest/mock_iommu.h"
#include "selftest/mock_nested.h"
#include "selftest/selftest.h"
#include "selftest/selftest_ops.h"

/* A PFN and a count are the least that a buffer of anybody can hold */
#define BUFFER_SIZE_MIN (sizeof(u64) + sizeof(u32))

static DECLARE_FAULT_ATTR(fail_iommufd);
static struct dentry *fault_directory;
static u32 buffer_size_limit = 65536;

/**
 * selftest_should_fail - a place where a test may have something fail
 *
 * Return: true if it shall.
 */
bool selftest_should_fail(void)
{
	return should_fail(&fail_iommufd, 1);
}

/**
 * selftest_buffer_size - how large a temporary buffer may be
 * @size: What it is going to be, in bytes
 *
 * Return: the same, or less if a test says so.
 */
size_t selftest_buffer_size(size_t size)
{
	return min_t(size_t, size, READ_ONCE(buffer_size_limit));
}

/**
 * selftest_is_mock_device - may a device be bound although it is not real?
 * @dev: The device
 *
 * The object of a mock device is in the context that it is bound to, so binding
 * it must not keep the context; and there is nobody to isolate its interrupts.
 *
 * Return: yes or no.
 */
bool selftest_is_mock_device(const struct device *dev)
{
	return mock_device_is(dev);
}

/**
 * selftest_unreserve - give up the ranges that nobody else would
 * @iopt: Of an IOAS that is going away
 */
void selftest_unreserve(struct io_pagetable *iopt)
{
	iopt_unreserve(iopt, NULL);
}

/**
 * selftest_area_iova - the IOVA that a fuzzer means
 * @iopt: The IOVA space
 * @iova: The number of an area, and in the upper half an offset
 *
 * Return: the IOVA, or 0 without such an area.
 */
unsigned long selftest_area_iova(struct io_pagetable *iopt, u64 iova)
{
	u32 number = lower_32_bits(iova);
	unsigned long result = 0;
	struct io_area *area;

	mutex_lock(&iopt->iova_lock);
	for (area = iopt_area_first(iopt, 0, ULONG_MAX); area && number;
	     area = iopt_area_next(area, ULONG_MAX))
		number--;
	if (area)
		result = area->node.start + upper_32_bits(iova);
	mutex_unlock(&iopt->iova_lock);
	return result;
}

/**
 * selftest_find_copy_source - have IOMMU_IOAS_COPY accept MOCK_FLAGS_ACCESS_SYZ
 * @command: The call, before anything in it is looked at
 */
void selftest_find_copy_source(struct iommufd_command *command)
{
	struct iommu_ioas_copy *args = command->args;
	struct iommufd_ioas *ioas;

	if (!(args->flags & MOCK_FLAGS_ACCESS_SYZ))
		return;
	args->flags &= ~MOCK_FLAGS_ACCESS_SYZ;
	ioas = iommufd_ioas_get(command->ctx, args->src_ioas_id);
	if (IS_ERR(ioas))
		return;
	args->src_iova = selftest_area_iova(&ioas->iopt, args->src_iova);
	iommufd_object_put(&ioas->object);
}

/**
 * selftest_lookup_page - find a page of the calling process
 * @address: An address in it
 * @page: Set to the page, with a reference but no pin
 *
 * Return: 0 or -EFAULT.
 */
int selftest_lookup_page(unsigned long address, struct page **page)
{
	int rc = get_user_pages_fast(address & PAGE_MASK, 1, 0, page);

	if (rc == 1)
		return 0;
	return rc < 0 ? rc : -EFAULT;
}

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
	struct iommufd_object *object;
	struct iommufd_hwpt *hwpt;
	int rc;

	object = iommufd_object_get(command->ctx, args->id,
				    IOMMUFD_HWPT_PAGING);
	if (IS_ERR(object))
		return PTR_ERR(object);
	hwpt = container_of(object, struct iommufd_hwpt, object);
	rc = check_domain(hwpt->domain, args->check_map.iova,
			  args->check_map.length, args->check_map.uptr);
	iommufd_object_put(object);
	return rc;
}

static int check_iotlb(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommufd_object *object;
	struct iommufd_hwpt *hwpt;
	int rc;

	object = iommufd_object_get(command->ctx, args->id,
				    IOMMUFD_HWPT_NESTED);
	if (IS_ERR(object))
		return PTR_ERR(object);
	hwpt = container_of(object, struct iommufd_hwpt, object);
	rc = mock_nested_check(hwpt->domain, args->check_iotlb.id,
			       args->check_iotlb.iotlb);
	iommufd_object_put(object);
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

	if (args->memory_limit.limit < BUFFER_SIZE_MIN)
		return -EINVAL;
	WRITE_ONCE(buffer_size_limit, args->memory_limit.limit);
	return 0;
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
	/* Tests that need it look for it */
	fault_directory = fault_create_debugfs_attr("fail_iommufd", NULL,
						    &fail_iommufd);
	selftest_mistake_init();
	return 0;
}

/**
 * selftest_exit - the opposite of selftest_init()
 */
void selftest_exit(void)
{
	selftest_mistake_exit();
	debugfs_remove_recursive(fault_directory);
	mock_iommu_exit();
}
