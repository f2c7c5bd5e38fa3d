// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses as files of user space.
 *
 * What a driver of an emulated device does: it remembers what it has pinned, and unpins it
 * when it is told to.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "access.h"
#include "ioas.h"
#include "selftest/hooks.h"
#include "selftest/selftest.h"
#include "selftest/selftest_ops.h"

#define LENGTH_MAX SZ_16M

/**
 * struct access_item - a range that an access has pinned
 * @link: In access_file.items
 * @id: For user space
 * @iova: First IOVA
 * @length: Bytes
 */
struct access_item {
	struct list_head link;
	u32 id;
	unsigned long iova;
	size_t length;
};

/**
 * struct access_file - an access, represented by a file
 * @access: The access
 * @replace_lock: One caller moves it to another IOAS
 * @lock: Protects the rest. Held while pinning, and taken when told to unpin:
 *        this is what drivers do
 * @items: struct access_item.link
 * @next_id: Of the next item
 */
struct access_file {
	struct iommufd_access *access;
	struct mutex replace_lock; /* moves to another IOAS */
	struct mutex lock; /* what is pinned */
	struct list_head items;
	u32 next_id;
};

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

/*
 * The IOVA that a fuzzer means by the number of an area and, in the upper half, an
 * offset. 0 without such an area.
 */
static unsigned long area_iova(struct io_pagetable *iopt, u64 iova)
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

static void drop_item(struct access_file *self, struct access_item *item)
{
	lockdep_assert_held(&self->lock);

	list_del(&item->link);
	iommufd_access_unpin_pages(self->access, item->iova, item->length);
	kfree(item);
}

/* iommufd_access_ops.unmap() */
static void let_go(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = iova + length - 1;
	struct access_file *self = data;
	struct access_item *item, *next;

	mutex_lock(&self->lock);
	list_for_each_entry_safe(item, next, &self->items, link)
		if (item->iova <= last && iova <= item->iova + item->length - 1)
			drop_item(self, item);
	mutex_unlock(&self->lock);
}

static const struct iommufd_access_ops ops_of_bytes = {
	.unmap = let_go,
};

static const struct iommufd_access_ops ops_of_pages = {
	.needs_pin_pages = 1,
	.unmap = let_go,
};

static int release(struct inode *inode, struct file *file)
{
	struct access_file *self = file->private_data;

	iommufd_access_destroy(self->access);
	WARN_ON(!list_empty(&self->items));
	mutex_destroy(&self->lock);
	mutex_destroy(&self->replace_lock);
	kfree(self);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = release,
};

static struct access_file *access_create(struct iommufd_ctx *ctx, u32 ioas_id,
					 const struct iommufd_access_ops *ops)
{
	struct access_file *self;
	u32 id;
	int rc;

	self = kzalloc(sizeof(*self), GFP_KERNEL_ACCOUNT);
	if (!self)
		return ERR_PTR(-ENOMEM);
	mutex_init(&self->replace_lock);
	mutex_init(&self->lock);
	INIT_LIST_HEAD(&self->items);
	self->access = iommufd_access_create(ctx, ops, self, &id);
	if (IS_ERR(self->access)) {
		rc = PTR_ERR(self->access);
		goto out_free;
	}
	rc = iommufd_access_attach(self->access, ioas_id);
	if (rc)
		goto out_access;
	return self;

out_access:
	iommufd_access_destroy(self->access);
out_free:
	kfree(self);
	return ERR_PTR(rc);
}

/* A file that owns the new access */
static struct file *open_access(struct iommufd_ctx *ctx, u32 ioas_id,
				const struct iommufd_access_ops *ops)
{
	struct access_file *self = access_create(ctx, ioas_id, ops);
	struct file *file;

	if (IS_ERR(self))
		return ERR_CAST(self);
	file = anon_inode_getfile("[iommufd_test_staccess]", &access_fops, self,
				  O_RDWR);
	if (IS_ERR(file)) {
		iommufd_access_destroy(self->access);
		kfree(self);
	}
	return file;
}

/**
 * selftest_create_access - IOMMU_TEST_OP_CREATE_ACCESS
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP unknown flags, as iommufd_access_attach(), -ENOMEM also
 * without a free descriptor, -EFAULT.
 */
int selftest_create_access(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	u32 flags = args->create_access.flags;
	struct file *file;
	int fd, rc;

	if (flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	file = open_access(command->ctx, args->id,
			   flags ? &ops_of_pages : &ops_of_bytes);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		rc = -ENOMEM;
		goto out_file;
	}
	args->create_access.out_access_fd = fd;
	rc = iommufd_respond(command);
	if (rc)
		goto out_fd;
	fd_install(fd, file);
	return 0;

out_fd:
	put_unused_fd(fd);
out_file:
	fput(file);
	return rc;
}

static struct file *get_access(const struct iommu_test_cmd *args,
			       struct access_file **self)
{
	struct file *file = fget(args->id);

	if (!file)
		return ERR_PTR(-EBADFD);
	if (file->f_op != &access_fops) {
		fput(file);
		return ERR_PTR(-EBADFD);
	}
	*self = file->private_data;
	return file;
}

/**
 * selftest_access_replace_ioas - IOMMU_TEST_OP_ACCESS_REPLACE_IOAS
 * @command: The call
 *
 * Return: 0, -EBADFD no access, as iommufd_access_replace().
 */
int selftest_access_replace_ioas(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct access_file *self;
	struct file *file;
	int rc;

	file = get_access(args, &self);
	if (IS_ERR(file))
		return PTR_ERR(file);
	mutex_lock(&self->replace_lock);
	rc = iommufd_access_replace(self->access,
				    args->access_replace_ioas.ioas_id);
	mutex_unlock(&self->replace_lock);
	fput(file);
	return rc;
}

static unsigned long fuzzers_iova(struct access_file *self, u64 iova)
{
	struct iommufd_access *access = self->access;
	struct iommufd_ioas *ioas;
	unsigned long result = 0;

	ioas = iommufd_access_begin(access);
	if (ioas)
		result = area_iova(&ioas->iopt, iova);
	iommufd_access_end(access, ioas);
	return result;
}

/* Are the pages those under an address? */
static int compare_pages(struct page **pages, unsigned long npages,
			 unsigned long address)
{
	unsigned long i;
	int rc = 0;

	for (i = 0; i != npages && !rc; i++) {
		struct page *page;

		rc = selftest_lookup_page(address + i * PAGE_SIZE, &page);
		if (rc)
			break;
		if (page != pages[i])
			rc = -EBADE;
		put_page(page);
	}
	return rc;
}

static int pin_and_compare(struct access_file *self, struct page **pages,
			   struct access_item *item,
			   const struct iommu_test_cmd *args)
{
	unsigned long offset = offset_in_page(item->iova);
	unsigned int flags = 0;
	int rc;

	if (args->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE)
		flags = IOMMUFD_ACCESS_RW_WRITE;
	rc = iommufd_access_pin_pages(self->access, item->iova, item->length,
				      pages, flags);
	if (rc || !args->access_pages.uptr)
		return rc;
	rc = compare_pages(pages,
			   DIV_ROUND_UP(offset + item->length, PAGE_SIZE),
			   args->access_pages.uptr - offset);
	if (rc)
		iommufd_access_unpin_pages(self->access, item->iova,
					   item->length);
	return rc;
}

static int add_item(struct access_file *self, struct access_item *item,
		    struct page **pages, struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	int rc;

	mutex_lock(&self->lock);
	rc = pin_and_compare(self, pages, item, args);
	if (rc)
		goto out_unlock;
	item->id = self->next_id++;
	args->access_pages.out_access_pages_id = item->id;
	rc = iommufd_respond(command);
	if (rc)
		iommufd_access_unpin_pages(self->access, item->iova,
					   item->length);
	else
		list_add_tail(&item->link, &self->items);
out_unlock:
	mutex_unlock(&self->lock);
	return rc;
}

static int pin_item(struct access_file *self, struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct access_item *item;
	struct page **pages;
	int rc = -ENOMEM;

	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	if (!item)
		return -ENOMEM;
	item->iova = args->access_pages.iova;
	if (args->access_pages.flags & MOCK_FLAGS_ACCESS_SYZ)
		item->iova = fuzzers_iova(self, item->iova);
	item->length = args->access_pages.length;
	pages = kvcalloc(DIV_ROUND_UP(offset_in_page(item->iova) + item->length,
				      PAGE_SIZE),
			 sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (pages)
		rc = add_item(self, item, pages, command);
	kvfree(pages);
	if (rc)
		kfree(item);
	return rc;
}

/**
 * selftest_access_pages - IOMMU_TEST_OP_ACCESS_PAGES
 * @command: The call
 *
 * Return: 0; -ENOMEM, also if there are too many; -EOPNOTSUPP unknown flags, or
 * an access that does not pin; -EBADFD no access; as iommufd_access_pin_pages();
 * -EBADE other pages than expected; -EFAULT.
 */
int selftest_access_pages(struct iommufd_command *command)
{
	const u32 known = MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ;
	struct iommu_test_cmd *args = command->args;
	struct access_file *self;
	struct file *file;
	int rc = -EOPNOTSUPP;

	if (args->access_pages.length > LENGTH_MAX)
		return -ENOMEM;
	if (args->access_pages.flags & ~known)
		return -EOPNOTSUPP;
	file = get_access(args, &self);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (self->access->ops == &ops_of_pages)
		rc = pin_item(self, command);
	fput(file);
	return rc;
}

static int destroy_item(struct access_file *self, u32 id)
{
	struct access_item *item;
	int rc = -ENOENT;

	mutex_lock(&self->lock);
	list_for_each_entry(item, &self->items, link) {
		if (item->id != id)
			continue;
		drop_item(self, item);
		rc = 0;
		break;
	}
	mutex_unlock(&self->lock);
	return rc;
}

/**
 * selftest_destroy_access_pages - IOMMU_TEST_OP_DESTROY_ACCESS_PAGES
 * @command: The call
 *
 * Return: 0, -EBADFD no access, -ENOENT it has no such pin.
 */
int selftest_destroy_access_pages(struct iommufd_command *command)
{
	struct iommu_test_cmd *args = command->args;
	struct access_file *self;
	struct file *file;
	int rc;

	file = get_access(args, &self);
	if (IS_ERR(file))
		return PTR_ERR(file);
	rc = destroy_item(self, args->destroy_access_pages.access_pages_id);
	fput(file);
	return rc;
}

static int read_or_write_foreign(struct access_file *self, unsigned long iova,
				 void *data, size_t length, u32 flags)
{
	int rc;

	rc = selftest_begin_foreign();
	if (rc)
		return rc;
	rc = iommufd_access_rw(self->access, iova, data, length, flags);
	selftest_end_foreign();
	return rc;
}

static int read_or_write(struct access_file *self,
			 const struct iommu_test_cmd *args, void *data)
{
	size_t length = args->access_rw.length;
	u32 flags = args->access_rw.flags & ~MOCK_FLAGS_ACCESS_SYZ;
	unsigned long iova = args->access_rw.iova;

	if (args->access_rw.flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = fuzzers_iova(self, iova);
	if (flags & MOCK_ACCESS_RW_SLOW_PATH)
		return read_or_write_foreign(self, iova, data, length, flags);
	return iommufd_access_rw(self->access, iova, data, length, flags);
}

static int copy_through(struct access_file *self,
			const struct iommu_test_cmd *args)
{
	void __user *user = u64_to_user_ptr(args->access_rw.uptr);
	bool write = args->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	size_t length = args->access_rw.length;
	void *data;
	int rc;

	data = kvzalloc(length, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (write && copy_from_user(data, user, length))
		rc = -EFAULT;
	else
		rc = read_or_write(self, args, data);
	if (!rc && !write && copy_to_user(user, data, length))
		rc = -EFAULT;
	kvfree(data);
	return rc;
}

/**
 * selftest_access_rw - IOMMU_TEST_OP_ACCESS_RW
 * @command: The call
 *
 * Return: 0; -ENOMEM, also if it is too much; -EOPNOTSUPP unknown flags; -EBADFD
 * no access; as iommufd_access_rw(); -EFAULT.
 */
int selftest_access_rw(struct iommufd_command *command)
{
	const u32 known = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH |
			  MOCK_FLAGS_ACCESS_SYZ;
	struct iommu_test_cmd *args = command->args;
	struct access_file *self;
	struct file *file;
	int rc;

	if (args->access_rw.length > LENGTH_MAX)
		return -ENOMEM;
	if (args->access_rw.flags & ~known)
		return -EOPNOTSUPP;
	file = get_access(args, &self);
	if (IS_ERR(file))
		return PTR_ERR(file);
	rc = copy_through(self, args);
	fput(file);
	return rc;
}

static void find_copy_source(struct iommufd_command *command)
{
	struct iommu_ioas_copy *args = command->args;
	struct iommufd_ioas *ioas;

	if (!(args->flags & MOCK_FLAGS_ACCESS_SYZ))
		return;
	args->flags &= ~MOCK_FLAGS_ACCESS_SYZ;
	ioas = iommufd_ioas_get(command->ctx, args->src_ioas_id);
	if (IS_ERR(ioas))
		return;
	args->src_iova = area_iova(&ioas->iopt, args->src_iova);
	iommufd_object_put(&ioas->object);
}

/**
 * selftest_ioas_copy - IOMMU_IOAS_COPY, which accepts MOCK_FLAGS_ACCESS_SYZ too
 * @command: The call
 *
 * Return: as iommufd_ioas_copy().
 */
int selftest_ioas_copy(struct iommufd_command *command)
{
	find_copy_source(command);
	return iommufd_ioas_copy(command);
}
