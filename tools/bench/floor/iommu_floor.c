// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mapping user memory for a device costs at least: /dev/iommu_floor pins
 * pages, writes them into a domain that somebody else has made, and takes them
 * out again. It does that in the cheapest way known and does nothing else.
 *
 * A yardstick for the benchmark, not a part of iommufd, of which it knows
 * nothing. It keeps no accounts and trusts its one user, who is root: the IOVA
 * must be free in the domain, and the domain must outlive the mappings.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "iommu_floor.h"

#define BATCH (PAGE_SIZE / sizeof(struct page *))
#define FEW_RUNS 16
#define PROT (IOMMU_READ | IOMMU_WRITE)
#define GUP_FLAGS (FOLL_WRITE | FOLL_LONGTERM)

/* A run: PFN below, number of pages above, on top how it is pinned */
#define RUN_COUNT_SHIFT 40
#define RUN_PFN_MASK (BIT_ULL(RUN_COUNT_SHIFT) - 1)
#define RUN_ONE_PIN BIT_ULL(63)

/**
 * struct run_block - some of the runs of a slot
 * @next: More of them
 * @count: How many
 * @room: How many there can be
 * @runs: Behind the block, but for the first one
 */
struct run_block {
	struct run_block *next;
	unsigned int count;
	unsigned int room;
	u64 *runs;
};

/**
 * struct slot - memory that is pinned and mapped
 * @iova: Where
 * @length: Bytes; 0 if the slot is free
 * @last: The block that is being filled, NULL in a slot that was never used
 * @first: The first block
 * @few: Its runs
 */
struct slot {
	unsigned long iova;
	unsigned long length;
	struct run_block *last;
	struct run_block first;
	u64 few[FEW_RUNS];
};

/**
 * struct floor - an open file
 * @lock: Of all the others
 * @dev: Whose domain is used, with a reference
 * @domain: That
 * @pfn: The run that is being collected for a mapping: its first page
 * @count: Its number of pages
 * @one_pin: It is made of huge pages that are pinned once
 * @iova: Where it goes
 * @runs: How many there were before
 * @failed: A mapping has failed half way: nobody knows how much of it a device can
 *          reach, so everything stays as it is
 * @batch: Pages on their way from the page tables of the CPU into those of the
 *         IOMMU
 * @slots: The mappings
 */
struct floor {
	struct mutex lock; /* serializes calls */
	struct device *dev;
	struct iommu_domain *domain;
	unsigned long pfn;
	unsigned long count;
	bool one_pin;
	unsigned long iova;
	u32 runs;
	bool failed;
	struct page *batch[BATCH];
	struct slot slots[IOMMU_FLOOR_SLOTS];
};

static u64 run_length(u64 run)
{
	return (run & ~RUN_ONE_PIN) >> RUN_COUNT_SHIFT;
}

static void slot_init(struct slot *slot)
{
	slot->first = (struct run_block){ .room = FEW_RUNS, .runs = slot->few };
	slot->last = &slot->first;
}

static int slot_grow(struct slot *slot)
{
	struct run_block *block = kmalloc(PAGE_SIZE, GFP_KERNEL);

	if (!block)
		return -ENOMEM;
	block->next = NULL;
	block->count = 0;
	block->room = (PAGE_SIZE - sizeof(*block)) / sizeof(u64);
	block->runs = (u64 *)(block + 1);
	slot->last->next = block;
	slot->last = block;
	return 0;
}

static int slot_add(struct slot *slot, u64 run)
{
	int rc = 0;

	if (slot->last->count == slot->last->room)
		rc = slot_grow(slot);
	if (!rc)
		slot->last->runs[slot->last->count++] = run;
	return rc;
}

/* How many of the pages are in a huge page of hugetlbfs with the first, or 0 */
static unsigned long huge_pages(struct page *page, unsigned long npages)
{
	struct folio *folio = page_folio(page);

	if (!folio_test_hugetlb(folio))
		return 0;
	return min_t(unsigned long, npages,
		     folio_nr_pages(folio) - folio_page_idx(folio, page));
}

static void unpin_run(u64 run)
{
	struct page *page = pfn_to_page(run & RUN_PFN_MASK);
	unsigned long left = run_length(run);

	if (!(run & RUN_ONE_PIN)) {
		unpin_user_page_range_dirty_lock(page, left, true);
		return;
	}
	while (left) {
		unsigned long done = huge_pages(page, left);

		unpin_user_page_range_dirty_lock(page, 1, true);
		page += done;
		left -= done;
	}
}

static void slot_empty(struct slot *slot)
{
	struct run_block *block, *next;
	unsigned int i;

	for (block = &slot->first; block; block = next) {
		for (i = 0; i < block->count; i++)
			unpin_run(block->runs[i]);
		next = block->next;
		if (block != &slot->first)
			kfree(block);
		cond_resched();
	}
	slot->length = 0;
	slot_init(slot);
}

/* The largest entries that can begin here, and how many of them */
static size_t entry_size(const struct iommu_domain *domain, unsigned long address,
			 unsigned long iova, size_t left, size_t *count)
{
	unsigned long sizes = domain->pgsize_bitmap & GENMASK(__fls(left), 0);
	unsigned int shift;

	if (address)
		sizes &= GENMASK(__ffs(address), 0);
	shift = __fls(sizes);
	*count = left >> shift;
	/* Up to where huge pages can take over */
	if (BIT(shift) < PMD_SIZE && left >= PMD_SIZE)
		*count = min(*count, (PMD_SIZE - (iova & (PMD_SIZE - 1))) >> shift);
	return BIT(shift);
}

static int map_run(struct iommu_domain *domain, unsigned long iova, u64 run)
{
	phys_addr_t phys = PFN_PHYS(run & RUN_PFN_MASK);
	size_t left = run_length(run) * PAGE_SIZE;
	int rc = 0;

	while (left && !rc) {
		size_t size = PAGE_SIZE;
		size_t count = 1;
		size_t mapped = 0;

		if (left != PAGE_SIZE)
			size = entry_size(domain, iova | phys, iova, left, &count);
		rc = domain->ops->map_pages(domain, iova, phys, size, count, PROT,
					    GFP_KERNEL, &mapped);
		iova += mapped;
		phys += mapped;
		left -= mapped;
	}
	return rc;
}

/* The run that is being collected is complete */
static int flush_run(struct floor *floor, struct slot *slot)
{
	u64 run = floor->pfn | (u64)floor->count << RUN_COUNT_SHIFT;
	unsigned long iova = floor->iova;
	int rc;

	if (!floor->count)
		return 0;
	if (floor->one_pin)
		run |= RUN_ONE_PIN;
	floor->iova += floor->count * PAGE_SIZE;
	floor->count = 0;
	floor->runs++;
	rc = slot_add(slot, run);
	return rc ? rc : map_run(floor->domain, iova, run);
}

/* Where runs touch they become one */
static int add_run(struct floor *floor, struct slot *slot, unsigned long pfn,
		   unsigned long count, bool one_pin)
{
	int rc;

	if (floor->count && pfn == floor->pfn + floor->count && one_pin == floor->one_pin) {
		floor->count += count;
		return 0;
	}
	rc = flush_run(floor, slot);
	floor->pfn = pfn;
	floor->count = count;
	floor->one_pin = one_pin;
	return rc;
}

static int add_batch(struct floor *floor, struct slot *slot, unsigned long npages)
{
	struct page **pages = floor->batch;
	struct page **end = pages + npages;
	int rc = 0;

	while (pages != end && !rc) {
		struct page **next = pages;
		struct page *page = *pages;

		while (next != end && *next == page) {
			next++;
			page++;
		}
		rc = add_run(floor, slot, page_to_pfn(*pages), next - pages, false);
		pages = next;
	}
	return rc;
}

/*
 * One step: the number of pages done. If they can be a huge page, its first page
 * is pinned alone to see.
 */
static long map_some(struct floor *floor, struct slot *slot, unsigned long address,
		     unsigned long npages, bool *hugetlb)
{
	unsigned long done = *hugetlb ? 1 : min(npages, BATCH);
	long pinned;
	int rc;

	pinned = pin_user_pages_fast(address, done, GUP_FLAGS, floor->batch);
	if (pinned == done && *hugetlb) {
		done = huge_pages(floor->batch[0], npages);
		if (done) {
			rc = add_run(floor, slot, page_to_pfn(floor->batch[0]), done, true);
			return rc ? rc : done;
		}
		*hugetlb = false;
		done = min(npages, BATCH);
		pinned = pin_user_pages_fast(address + PAGE_SIZE, done - 1, GUP_FLAGS,
					     floor->batch + 1) + 1;
	}
	if (pinned != done)
		return -EFAULT;
	rc = add_batch(floor, slot, done);
	return rc ? rc : done;
}

static int map_all(struct floor *floor, struct slot *slot, unsigned long address)
{
	const struct iommu_domain_ops *ops = floor->domain->ops;
	bool hugetlb = slot->length >= PMD_SIZE;
	unsigned long done = 0;
	int rc;

	floor->iova = slot->iova;
	floor->count = 0;
	floor->runs = 0;
	while (done < slot->length) {
		long pages = map_some(floor, slot, address + done,
				      (slot->length - done) >> PAGE_SHIFT, &hugetlb);

		if (pages < 0)
			return pages;
		done += pages * PAGE_SIZE;
		cond_resched();
	}
	rc = flush_run(floor, slot);
	if (!rc && ops->iotlb_sync_map)
		rc = ops->iotlb_sync_map(floor->domain, slot->iova, slot->length);
	return rc;
}

static int do_map(struct floor *floor, struct slot *slot, struct iommu_floor_map *args)
{
	int rc;

	if (slot->length || !args->length ||
	    !PAGE_ALIGNED(args->address | args->length | args->iova))
		return -EINVAL;
	slot_init(slot);
	slot->iova = args->iova;
	slot->length = args->length;
	rc = map_all(floor, slot, args->address);
	floor->failed = rc;
	if (rc)
		return rc;
	args->runs = floor->runs;
	return 0;
}

static int do_unmap(struct floor *floor, struct slot *slot)
{
	if (!slot->length)
		return -ENOENT;
	WARN_ON(iommu_unmap(floor->domain, slot->iova, slot->length) != slot->length);
	slot_empty(slot);
	return 0;
}

static int do_fill(struct floor *floor, const struct slot *slot, unsigned long iova)
{
	const struct iommu_domain_ops *ops = floor->domain->ops;
	const struct run_block *block;
	unsigned long start = iova;
	unsigned int i;
	int rc;

	if (!slot->length)
		return -ENOENT;
	for (block = &slot->first; block; block = block->next) {
		for (i = 0; i < block->count; i++) {
			rc = map_run(floor->domain, iova, block->runs[i]);
			if (rc)
				return rc;
			iova += run_length(block->runs[i]) * PAGE_SIZE;
		}
		cond_resched();
	}
	return ops->iotlb_sync_map ? ops->iotlb_sync_map(floor->domain, start, slot->length) : 0;
}

static int do_clear(struct floor *floor, const struct slot *slot, unsigned long iova)
{
	if (!slot->length)
		return -ENOENT;
	return iommu_unmap(floor->domain, iova, slot->length) == slot->length ? 0 : -EIO;
}

static int choose_device(struct floor *floor, const void __user *user)
{
	struct iommu_floor_device args;
	struct device *dev;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	args.name[sizeof(args.name) - 1] = '\0';
	if (floor->dev)
		return -EBUSY;
	dev = bus_find_device_by_name(&pci_bus_type, NULL, args.name);
	if (!dev)
		return -ENODEV;
	floor->domain = iommu_get_domain_for_dev(dev);
	if (!floor->domain || floor->domain->type != IOMMU_DOMAIN_UNMANAGED) {
		put_device(dev);
		return -EINVAL;
	}
	floor->dev = dev;
	return 0;
}

static int run_command(struct floor *floor, unsigned int request, void __user *user)
{
	struct iommu_floor_map args;
	struct slot *slot;
	int rc;

	if (!floor->dev || floor->failed)
		return -EINVAL;
	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.slot >= IOMMU_FLOOR_SLOTS)
		return -EINVAL;
	slot = &floor->slots[args.slot];
	switch (request) {
	case IOMMU_FLOOR_MAP:
		rc = do_map(floor, slot, &args);
		if (!rc && copy_to_user(user, &args, sizeof(args)))
			rc = -EFAULT;
		return rc;
	case IOMMU_FLOOR_UNMAP:
		return do_unmap(floor, slot);
	case IOMMU_FLOOR_FILL:
		return do_fill(floor, slot, args.iova);
	case IOMMU_FLOOR_CLEAR:
		return do_clear(floor, slot, args.iova);
	}
	return -ENOTTY;
}

static long floor_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	struct floor *floor = file->private_data;
	void __user *user = (void __user *)argument;
	int rc;

	mutex_lock(&floor->lock);
	if (request == IOMMU_FLOOR_DEVICE)
		rc = choose_device(floor, user);
	else
		rc = run_command(floor, request, user);
	mutex_unlock(&floor->lock);
	return rc;
}

static int floor_open(struct inode *inode, struct file *file)
{
	struct floor *floor;

	floor = kvzalloc(sizeof(*floor), GFP_KERNEL);
	if (!floor)
		return -ENOMEM;
	mutex_init(&floor->lock);
	file->private_data = floor;
	return nonseekable_open(inode, file);
}

/* Of a benchmark that was killed the domain may have gone before */
static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;
	bool alive = floor->dev && iommu_get_domain_for_dev(floor->dev) == floor->domain;
	unsigned int i;

	for (i = 0; i < IOMMU_FLOOR_SLOTS; i++) {
		if (!floor->slots[i].length || floor->failed)
			continue;
		if (alive)
			do_unmap(floor, &floor->slots[i]);
		else
			slot_empty(&floor->slots[i]);
	}
	put_device(floor->dev);
	kvfree(floor);
	return 0;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
};

static struct miscdevice floor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu_floor",
	.fops = &floor_fops,
	.mode = 0600,
};

module_misc_device(floor_device);

MODULE_DESCRIPTION("What mapping memory for a device costs at least");
MODULE_LICENSE("GPL");
