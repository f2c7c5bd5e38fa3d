/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommufd offers to the rest of the kernel.
 *
 * Two kinds of drivers use it. A driver of a physical device (vfio-pci) binds
 * the device, after which user space decides which page table its DMA goes
 * through. A driver of an emulated device (an mdev) does the DMA itself, with
 * the CPU: it creates an access and pins, reads or writes by IOVA.
 *
 * A driver of an IOMMU can offer more than struct iommu_ops has room for.
 *
 * The prototypes are those that the drivers of Linux 6.12 were written for.
 */
#ifndef __LINUX_IOMMUFD_H
#define __LINUX_IOMMUFD_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct file;
struct iommu_domain;
struct iommu_group;
struct iommu_ops;
struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_device_memory;
struct iommufd_preparation;
struct module;
struct page;
struct vm_area_struct;

/**
 * struct iommufd_access_ops - what the driver of an emulated device provides
 * @needs_pin_pages: The driver calls iommufd_access_pin_pages(). The IOAS then
 *                   keeps all its mappings aligned to PAGE_SIZE.
 * @unmap: Let go of all pins that intersect [@iova, @iova + @length). The range
 *         is about to be unmapped and can't be pinned again. Called in process
 *         context without any lock that pinning, unpinning or reading takes;
 *         iommufd_access_unpin_pages() is to be called before it returns.
 */
struct iommufd_access_ops {
	u8 needs_pin_pages : 1;
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
};

/* Flags of iommufd_access_pin_pages() and iommufd_access_rw() */
enum {
	IOMMUFD_ACCESS_RW_READ = 0,
	IOMMUFD_ACCESS_RW_WRITE = 1 << 0,
	/* The caller is a kernel thread without an mm of its own */
	IOMMUFD_ACCESS_RW_KTHREAD = 1 << 1,
};

/**
 * struct iommufd_device_memory_provider - a driver that lets user space mmap
 *                                         memory of its devices
 * @link: Private
 * @vm_ops: By which its VMAs are to be known
 * @lookup: Which memory is in a VMA, and the index of the page of it that comes
 *          first; NULL: none that others may reach. Called with mmap_lock held;
 *          the memory is not destroyed as long as it has a VMA
 *
 * A process that has mapped a BAR can then map it in an IOAS by its address, so
 * that other devices reach it by DMA. The driver revokes the memory before the
 * device stops answering there, and restores it afterwards.
 */
struct iommufd_device_memory_provider {
	struct list_head link;
	const struct vm_operations_struct *vm_ops;
	struct iommufd_device_memory *(*lookup)(struct vm_area_struct *vma,
						unsigned long *first);
};

/**
 * struct iommufd_driver_ops - what an IOMMU driver can do beyond struct iommu_ops
 * @owner: The module that has the functions: the driver, or a companion of it.
 *         iommufd keeps it while it uses them
 * @hw_info: Describe the IOMMU of @dev for IOMMU_GET_HW_INFO. In *@type comes the
 *           kind of information that is wanted, IOMMU_HW_INFO_TYPE_DEFAULT for
 *           any, and goes what kind it is; in *@length goes its size in bytes.
 *           Returns the information, which iommufd frees with kfree(), or an
 *           ERR_PTR: -EOPNOTSUPP there is no information of this kind. Without
 *           this function iommu_ops.hw_info is asked, which knows one kind only.
 * @replace_pasid: Have DMA of @dev with @pasid go through @domain instead of @old
 *                 without a moment in between. On failure nothing has changed.
 *                 Either way it waits for page requests of @pasid that are being
 *                 reported, and none comes any more from the one that is not
 *                 used. Without it, and if only one of them takes page requests,
 *                 the PASID is detached and attached
 *
 * Any function may be missing: what needs it then fails with EOPNOTSUPP.
 */
struct iommufd_driver_ops {
	struct module *owner;
	void *(*hw_info)(struct device *dev, u32 *length, u32 *type);
	int (*replace_pasid)(struct device *dev, u32 pasid,
			     struct iommu_domain *domain,
			     struct iommu_domain *old);
};

/* A driver of an IOMMU, which selects IOMMUFD_DRIVER (driver_ops.c) */
int iommufd_register_driver_ops(const struct iommu_ops *iommu_ops,
				const struct iommufd_driver_ops *driver_ops);
void iommufd_unregister_driver_ops(const struct iommu_ops *iommu_ops);

#if IS_ENABLED(CONFIG_IOMMUFD)
/* The context: one open of /dev/iommu (main.c) */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
void iommufd_ctx_get(struct iommufd_ctx *ctx);
void iommufd_ctx_put(struct iommufd_ctx *ctx);
bool iommufd_ctx_has_group(struct iommufd_ctx *ctx, struct iommu_group *group);

/* A physical device (device.c) */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ctx,
					   struct device *dev, u32 *id);
void iommufd_device_unbind(struct iommufd_device *idev);
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id);
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id);
void iommufd_device_detach(struct iommufd_device *idev);
int iommufd_device_pasid_attach(struct iommufd_device *idev, u32 pasid,
				u32 *pt_id);
int iommufd_device_pasid_replace(struct iommufd_device *idev, u32 pasid,
				 u32 *pt_id);
void iommufd_device_pasid_detach(struct iommufd_device *idev, u32 pasid);
void iommufd_device_pasid_detach_all(struct iommufd_device *idev);
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev);
u32 iommufd_device_to_id(struct iommufd_device *idev);

/* Before a driver takes the locks under which it attaches (attach_prepare.c) */
struct iommufd_preparation *iommufd_attach_prepare(struct iommufd_ctx *ctx,
						   u32 pt_id);
void iommufd_attach_finish(struct iommufd_preparation *preparation);

/* An emulated device (access.c) */
struct iommufd_access *
iommufd_access_create(struct iommufd_ctx *ctx,
		      const struct iommufd_access_ops *ops, void *data,
		      u32 *id);
void iommufd_access_destroy(struct iommufd_access *access);
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id);
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id);
void iommufd_access_detach(struct iommufd_access *access);
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags);
void iommufd_access_unpin_pages(struct iommufd_access *access,
				unsigned long iova, unsigned long length);
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
		      void *data, size_t length, unsigned int flags);

/*
 * The context as a VFIO container (vfio_compat.c). A group that is added takes
 * part in all that the container does; one that is not, as with the VFIO of
 * 6.12, is attached when its first device is opened.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ctx, u32 *out_ioas_id);
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ctx);
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ctx);
struct iommufd_preparation *
iommufd_vfio_compat_attach_prepare(struct iommufd_ctx *ctx);
int iommufd_vfio_compat_add_group(struct iommufd_ctx *ctx,
				  struct iommu_group *iommu_group,
				  bool emulated);
void iommufd_vfio_compat_remove_group(struct iommufd_ctx *ctx,
				      struct iommu_group *iommu_group);
bool iommufd_vfio_compat_has_node(void);

/* Memory of a device, for DMA of others (memory/device_memory.c, iopt/iopt_write.c) */
void iommufd_device_memory_register(struct iommufd_device_memory_provider *provider);
void iommufd_device_memory_unregister(struct iommufd_device_memory_provider *provider);
struct iommufd_device_memory *iommufd_device_memory_create(phys_addr_t phys,
							   size_t length);
void iommufd_device_memory_destroy(struct iommufd_device_memory *memory);
void iommufd_device_memory_revoke(struct iommufd_device_memory *memory);
void iommufd_device_memory_restore(struct iommufd_device_memory *memory);
#else /* !CONFIG_IOMMUFD */
static inline struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void iommufd_ctx_put(struct iommufd_ctx *ctx)
{
}

static inline int iommufd_access_pin_pages(struct iommufd_access *access,
					   unsigned long iova,
					   unsigned long length,
					   struct page **out_pages,
					   unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_access_unpin_pages(struct iommufd_access *access,
					      unsigned long iova,
					      unsigned long length)
{
}

static inline int iommufd_access_rw(struct iommufd_access *access,
				    unsigned long iova, void *data,
				    size_t length, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ctx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ctx)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_attach_finish(struct iommufd_preparation *prepared)
{
}

static inline struct iommufd_preparation *
iommufd_vfio_compat_attach_prepare(struct iommufd_ctx *ctx)
{
	return NULL;
}

static inline int
iommufd_vfio_compat_add_group(struct iommufd_ctx *ctx,
			      struct iommu_group *iommu_group, bool emulated)
{
	return -EOPNOTSUPP;
}

static inline void
iommufd_vfio_compat_remove_group(struct iommufd_ctx *ctx,
				 struct iommu_group *iommu_group)
{
}

static inline bool iommufd_vfio_compat_has_node(void)
{
	return false;
}

static inline void
iommufd_device_memory_register(struct iommufd_device_memory_provider *provider)
{
}

static inline void
iommufd_device_memory_unregister(struct iommufd_device_memory_provider *provider)
{
}

static inline struct iommufd_device_memory *
iommufd_device_memory_create(phys_addr_t phys, size_t length)
{
	return NULL;
}

static inline void
iommufd_device_memory_destroy(struct iommufd_device_memory *memory)
{
}

static inline void
iommufd_device_memory_revoke(struct iommufd_device_memory *memory)
{
}

static inline void
iommufd_device_memory_restore(struct iommufd_device_memory *memory)
{
}
#endif /* CONFIG_IOMMUFD */
#endif
