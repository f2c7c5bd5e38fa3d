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

struct run_block {
	struct run_block *next;
	u64 runs[PAGE_SIZE / sizeof(u64) - 1];
};

/**
 * struct slot - memory that is pinned and mapped
 * @iova: Where
 * @length: Bytes; 0 if the slot is free
 * @count: Number of runs
 * @few: The first runs
 * @blocks: The others
 * @tail: The last of @blocks
 */
struct slot {
	unsigned long iova;
	unsigned long length;
	unsigned int count;
	u64 few[FEW_RUNS];
	struct run_block *blocks;
	struct run_block *tail;
};

struct run_walk {
	const struct run_block *block;
	unsigned int position;
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
	struct page *batch[BATCH];
	struct slot slots[IOMMU_FLOOR_SLOTS];
};

static u64 run_length(u64 run)
{
	return (run & ~RUN_ONE_PIN) >> RUN_COUNT_SHIFT;
}

static int slot_add(struct slot *slot, u64 run)
{
	unsigned int position = slot->count;
	struct run_block *block;

	if (position < FEW_RUNS) {
		slot->few[slot->count++] = run;
		return 0;
	}
	position = (position - FEW_RUNS) % ARRAY_SIZE(block->runs);
	if (!position) {
		block = kmalloc(sizeof(*block), GFP_KERNEL);
		if (!block)
			return -ENOMEM;
		block->next = NULL;
		if (slot->tail)
			slot->tail->next = block;
		else
			slot->blocks = block;
		slot->tail = block;
	}
	slot->tail->runs[position] = run;
	slot->count++;
	return 0;
}

static u64 slot_run(const struct slot *slot, unsigned int i, struct run_walk *walk)
{
	if (i < FEW_RUNS)
		return slot->few[i];
	if (i == FEW_RUNS) {
		walk->block = slot->blocks;
		walk->position = 0;
	} else if (walk->position == ARRAY_SIZE(walk->block->runs)) {
		walk->block = walk->block->next;
		walk->position = 0;
	}
	return walk->block->runs[walk->position++];
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
	struct run_block *block;
	struct run_walk walk;
	unsigned int i;

	for (i = 0; i < slot->count; i++) {
		unpin_run(slot_run(slot, i, &walk));
		if (!(i % BATCH))
			cond_resched();
	}
	while ((block = slot->blocks)) {
		slot->blocks = block->next;
		kfree(block);
	}
	*slot = (struct slot){};
}

/* The largest entries that fit, as many as there are of that size */
static int map_run(struct iommu_domain *domain, unsigned long iova, u64 run)
{
	phys_addr_t phys = PFN_PHYS(run & RUN_PFN_MASK);
	size_t left = run_length(run) * PAGE_SIZE;
	int rc = 0;

	while (left && !rc) {
		size_t size = PAGE_SIZE;
		size_t count = 1;
		size_t mapped = 0;

		if (left > PAGE_SIZE) {
			unsigned long sizes = domain->pgsize_bitmap & GENMASK(__fls(left), 0);

			if (iova | phys)
				sizes &= GENMASK(__ffs(iova | phys), 0);
			size = BIT(__fls(sizes));
			count = left >> __fls(sizes);
			if (size < PMD_SIZE && !((iova ^ phys) & (PMD_SIZE - 1)))
				count = min(count, (PMD_SIZE - (iova & (PMD_SIZE - 1))) / size);
		}
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

/*
 * A failure ends the benchmark. The memory stays pinned, as nobody knows how much
 * of it a device can reach.
 */
static int do_map(struct floor *floor, struct slot *slot, struct iommu_floor_map *args)
{
	int rc;

	if (slot->length || slot->count || !args->length ||
	    !PAGE_ALIGNED(args->address | args->length | args->iova))
		return -EINVAL;
	slot->iova = args->iova;
	slot->length = args->length;
	rc = map_all(floor, slot, args->address);
	if (rc)
		slot->length = 0;
	args->runs = slot->count;
	return rc;
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
	unsigned long start = iova;
	struct run_walk walk;
	unsigned int i;
	int rc;

	for (i = 0; i < slot->count; i++) {
		u64 run = slot_run(slot, i, &walk);

		rc = map_run(floor->domain, iova, run);
		if (rc)
			return rc;
		iova += run_length(run) * PAGE_SIZE;
		if (!(i % BATCH))
			cond_resched();
	}
	if (floor->domain->ops->iotlb_sync_map)
		return floor->domain->ops->iotlb_sync_map(floor->domain, start, slot->length);
	return 0;
}

static int do_clear(struct floor *floor, const struct slot *slot, unsigned long iova)
{
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

	if (!floor->dev)
		return -EINVAL;
	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	if (args.slot >= IOMMU_FLOOR_SLOTS)
		return -EINVAL;
	slot = &floor->slots[args.slot];
	switch (request) {
	case IOMMU_FLOOR_MAP:
		rc = do_map(floor, slot, &args);
		if (rc)
			return rc;
		return copy_to_user(user, &args, sizeof(args)) ? -EFAULT : 0;
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
		if (!floor->slots[i].length)
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
