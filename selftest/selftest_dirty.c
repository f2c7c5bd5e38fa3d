// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test operations about dirty pages: what a mock device does to a page table when it
 * writes to memory.
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hw_pagetable.h"
#include "selftest/mock_domain.h"
#include "selftest/selftest_ops.h"

/* Bits that one call may have */
#define BITS_MAX BIT(27)
/* Bits before others get a chance to run */
#define RESCHED_BITS 4096

/* Returns how many writes there were, or -errno */
static long write_pages(struct iommu_domain *domain, const void *bitmap,
			unsigned long nr_bits, unsigned long iova,
			unsigned long page_size)
{
	unsigned long bit;
	long written = 0;

	for (bit = 0; bit != nr_bits; bit++, iova += page_size) {
		if (!(bit % RESCHED_BITS)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		if (!test_bit_le(bit, bitmap))
			continue;
		mock_domain_write(domain, iova);
		written++;
	}
	return written;
}

/* User space has whole bytes; whoever reads bits reads whole words */
static unsigned long *read_bitmap(const void __user *user,
				  unsigned long nr_bits)
{
	unsigned long *bitmap;

	bitmap = kvcalloc(BITS_TO_LONGS(nr_bits), sizeof(*bitmap), GFP_KERNEL);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(bitmap, user, BITS_TO_BYTES(nr_bits))) {
		kvfree(bitmap);
		return ERR_PTR(-EFAULT);
	}
	return bitmap;
}

static long run_bitmap(struct iommu_domain *domain,
		       const struct iommu_test_cmd *args)
{
	unsigned long nr_bits = args->dirty.length / args->dirty.page_size;
	unsigned long *bitmap;
	long written;

	if (!mock_domain_is_paging(domain) || !mock_domain_is_tracking(domain))
		return -EINVAL;
	bitmap = read_bitmap(u64_to_user_ptr(args->dirty.uptr), nr_bits);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	written = write_pages(domain, bitmap, nr_bits, args->dirty.iova,
			      args->dirty.page_size);
	kvfree(bitmap);
	return written;
}

static int check_bitmap(const struct iommu_test_cmd *args)
{
	u64 page_size = args->dirty.page_size;

	if (!page_size || !args->dirty.length || !args->dirty.uptr ||
	    args->dirty.iova % page_size || args->dirty.length % page_size)
		return -EINVAL;
	if (args->dirty.length / page_size > BITS_MAX)
		return -EOVERFLOW;
	return 0;
}

/**
 * selftest_dirty - IOMMU_TEST_OP_DIRTY
 * @command: The call
 *
 * Return: 0, -EINVAL, -EOVERFLOW, -ENOENT, -ENOMEM, -EFAULT, -EINTR.
 */
int selftest_dirty(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct iommufd_hwpt *hwpt;
	long rc;

	rc = check_bitmap(args);
	if (rc)
		return rc;
	hwpt = iommufd_object_get_as(command->ctx, args->id,
				     IOMMUFD_OBJECT_HWPT_PAGING,
				     struct iommufd_hwpt, object);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	rc = run_bitmap(hwpt->domain, args);
	iommufd_object_put(&hwpt->object);
	if (rc < 0)
		return rc;
	args->dirty.out_nr_dirty = rc;
	return iommufd_respond(command);
}
