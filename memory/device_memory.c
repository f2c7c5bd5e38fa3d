// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory: a BAR that other devices may reach by DMA.
 *
 * Finds out whether an address of a process is device memory, and of which device. Drivers
 * that let user space mmap their BARs (vfio-pci) register how to recognise the VMAs.
 * iopt_write.c removes the memory from the domains.
 *
 * Device memory is not pinned. The driver can take it back at any time.
 */
#include <linux/cc_platform.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "lib/pfn_runs.h"
#include "memory/device_memory.h"

/* Inside mmap_lock */
static DECLARE_RWSEM(providers_lock);
static LIST_HEAD(providers);
/* Most machines have none, and then nobody looks at VMAs */
static atomic_t nr_memories = ATOMIC_INIT(0);

/**
 * iommufd_device_memory_register - tell VMAs of device memory apart
 * @provider: Of the driver, filled in but for the link
 *
 * Sleeps.
 */
void iommufd_device_memory_register(struct iommufd_device_memory_provider *provider)
{
	down_write(&providers_lock);
	list_add(&provider->link, &providers);
	up_write(&providers_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_register, IOMMUFD);

/* GCOVR_EXCL_START: the debug kernel has all built in */
/**
 * iommufd_device_memory_unregister - the opposite
 * @provider: Was registered
 *
 * On return its functions are not called any more. Memory of it that has not
 * been destroyed stays. Sleeps.
 */
void iommufd_device_memory_unregister(struct iommufd_device_memory_provider *provider)
{
	down_write(&providers_lock);
	list_del(&provider->link);
	up_write(&providers_lock);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_unregister, IOMMUFD);

/* GCOVR_EXCL_STOP */

/**
 * iommufd_device_memory_create - memory of a device that others may reach
 * @phys: Where it is, PAGE_SIZE aligned
 * @length: Bytes, a multiple of PAGE_SIZE
 *
 * It begins revoked. The driver serialises the calls that change it.
 *
 * Return: the memory, to be given back by iommufd_device_memory_destroy(); or an
 * ERR_PTR: -ENOMEM, -EOVERFLOW @phys is beyond what can be mapped.
 */
struct iommufd_device_memory *iommufd_device_memory_create(phys_addr_t phys,
							   size_t length)
{
	struct iommufd_device_memory *memory;

	if (PHYS_PFN(phys + length - 1) > PFN_RUN_PFN_MASK)
		return ERR_PTR(-EOVERFLOW);
	memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	if (!memory)
		return ERR_PTR(-ENOMEM);
	refcount_set(&memory->refs, 1);
	memory->pfn = PHYS_PFN(phys);
	memory->npages = length >> PAGE_SHIFT;
	mutex_init(&memory->lock);
	INIT_LIST_HEAD(&memory->mappings);
	memory->revoked = true;
	atomic_inc(&nr_memories);
	return memory;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_create, IOMMUFD);

/**
 * device_memory_put - give a reference back
 * @memory: The memory
 */
void device_memory_put(struct iommufd_device_memory *memory)
{
	if (!refcount_dec_and_test(&memory->refs))
		return;
	WARN_ON(!list_empty(&memory->mappings));
	mutex_destroy(&memory->lock);
	kfree(memory);
	atomic_dec(&nr_memories);
}

static bool vma_permits(const struct vm_area_struct *vma, int prot)
{
	if ((prot & IOMMU_READ) && !(vma->vm_flags & VM_READ))
		return false;
	return !(prot & IOMMU_WRITE) || (vma->vm_flags & VM_WRITE);
}

/* Which memory a VMA shows, and which page of it comes first */
static struct iommufd_device_memory *vma_memory(struct vm_area_struct *vma,
						unsigned long *first)
{
	struct iommufd_device_memory_provider *provider;
	struct iommufd_device_memory *memory = NULL;

	down_read(&providers_lock);
	list_for_each_entry(provider, &providers, link)
		if (vma->vm_ops == provider->vm_ops)
			memory = provider->lookup(vma, first);
	up_read(&providers_lock);
	return memory;
}

/* The memory and its page at an address; NULL: nothing, or not device memory */
static struct iommufd_device_memory *
memory_at(unsigned long address, unsigned long *page, struct vm_area_struct **vma)
{
	struct iommufd_device_memory *memory;

	*vma = vma_lookup(current->mm, address);
	if (!*vma)
		return NULL;
	memory = vma_memory(*vma, page);
	if (memory)
		*page += (address - (*vma)->vm_start) >> PAGE_SHIFT;
	return memory;
}

/* All VMAs of the range show adjacent pages of the same memory */
static int check_bar_range(struct iommufd_device_memory *memory,
			   unsigned long first, unsigned long address,
			   unsigned long last, int prot)
{
	unsigned long page, next = address;
	struct vm_area_struct *vma;

	do {
		if (memory_at(next, &page, &vma) != memory ||
		    page != first + ((next - address) >> PAGE_SHIFT) ||
		    !vma_permits(vma, prot))
			return -EFAULT;
		next = vma->vm_end;
	} while (next - 1 < last);
	return device_memory_revoked(memory) ? -EFAULT : 0;
}

static int find_locked(unsigned long address, unsigned long length, int prot,
		       struct iommufd_device_memory **memory,
		       unsigned long *first)
{
	struct vm_area_struct *vma;
	int rc;

	*memory = memory_at(address, first, &vma);
	if (!*memory)
		return -ENOENT;
	rc = check_bar_range(*memory, *first, address & PAGE_MASK,
			     address + length - 1, prot);
	if (!rc)
		device_memory_get(*memory);
	return rc;
}

/**
 * device_memory_find - the device memory that the calling process has mapped
 * @address: First address
 * @length: Bytes, not 0; does not wrap
 * @prot: IOMMU_READ and so on, which the process must be allowed, too
 * @memory: Set to it, with a reference
 * @first: Set to the index of the page at @address
 *
 * Takes mmap_lock, which can sleep indefinitely but ends by SIGKILL.
 *
 * Return: 0; -ENOENT: there is no device memory at @address; -EFAULT: it does not
 * go on to the end, may not be accessed that way, or can't be at the moment, or
 * is not what the IOMMU of an encrypting machine could map; -EINTR: killed.
 */
int device_memory_find(unsigned long address, unsigned long length, int prot,
		       struct iommufd_device_memory **memory,
		       unsigned long *first)
{
	int rc;

	if (!atomic_read(&nr_memories))
		return -ENOENT;
	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	rc = find_locked(address, length, prot, memory, first);
	mmap_read_unlock(current->mm);
	/* AMD's driver would set the encryption bit for MMIO, too */
	if (!rc && cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT)) {
		device_memory_put(*memory);
		rc = -EFAULT;
	}
	return rc;
}
