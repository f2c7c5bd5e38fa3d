// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file descriptor of a fault queue: read, write and poll, and how long the file keeps
 * the queue.
 *
 * User memory is touched without any lock that a detach takes.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>

#include "fault.h"

/* 0: the queue is empty */
static ssize_t read_group(struct iommufd_fault *fault, char __user *user,
			  size_t room)
{
	struct fault_batch batch = iommufd_fault_deliver(fault, room);
	bool taken;

	if (IS_ERR_OR_NULL(batch.records))
		return PTR_ERR_OR_ZERO(batch.records);
	taken = !copy_to_user(user, batch.records, batch.size);
	iommufd_fault_delivered(fault, taken);
	kvfree(batch.records);
	return taken ? batch.size : -EFAULT;
}

static ssize_t read_groups(struct iommufd_fault *fault, char __user *user,
			   size_t count)
{
	size_t done = 0;
	ssize_t rc;

	do {
		rc = read_group(fault, user + done, count - done);
		if (rc > 0)
			done += rc;
	} while (rc > 0 && done < count);
	return done ?: rc;
}

static ssize_t fault_read(struct file *file, char __user *user, size_t count,
			  loff_t *position)
{
	struct iommufd_fault *fault = file->private_data;
	ssize_t rc;

	if (count % sizeof(struct iommu_hwpt_pgfault))
		return -ESPIPE;
	if (mutex_lock_killable(&fault->read_lock))
		return -EINTR;
	rc = read_groups(fault, user, count);
	mutex_unlock(&fault->read_lock);
	return rc;
}

static int write_answer(struct iommufd_fault *fault, const char __user *user)
{
	struct iommu_hwpt_page_response answer;

	if (copy_from_user(&answer, user, sizeof(answer)))
		return -EFAULT;
	if (answer.code != IOMMUFD_PAGE_RESP_SUCCESS &&
	    answer.code != IOMMUFD_PAGE_RESP_INVALID)
		return -EINVAL;
	return iommufd_fault_answer(fault, answer.cookie, answer.code);
}

static ssize_t fault_write(struct file *file, const char __user *user,
			   size_t count, loff_t *position)
{
	struct iommufd_fault *fault = file->private_data;
	size_t done;
	int rc = 0;

	BUILD_BUG_ON((int)IOMMUFD_PAGE_RESP_SUCCESS !=
		     (int)IOMMU_PAGE_RESP_SUCCESS);
	BUILD_BUG_ON((int)IOMMUFD_PAGE_RESP_INVALID !=
		     (int)IOMMU_PAGE_RESP_INVALID);

	if (count % sizeof(struct iommu_hwpt_page_response))
		return -ESPIPE;
	for (done = 0; done < count;
	     done += sizeof(struct iommu_hwpt_page_response)) {
		rc = write_answer(fault, user + done);
		if (rc)
			break;
	}
	return done ?: rc;
}

static __poll_t fault_poll(struct file *file, struct poll_table_struct *table)
{
	struct iommufd_fault *fault = file->private_data;
	__poll_t events = EPOLLOUT;

	poll_wait(file, &fault->wait, table);
	spin_lock(&fault->queue_lock);
	if (!list_empty(&fault->queued))
		events |= EPOLLIN | EPOLLRDNORM;
	spin_unlock(&fault->queue_lock);
	return events;
}

static int fault_release(struct inode *inode, struct file *file)
{
	struct iommufd_fault *fault = file->private_data;
	struct iommufd_ctx *ctx;

	/* The command failed before it gave the queue away */
	if (!fault)
		return 0;
	ctx = fault->object.ctx;
	iommufd_object_put(&fault->object);
	iommufd_ctx_put(ctx);
	return 0;
}

static const struct file_operations fault_fops = {
	.owner = THIS_MODULE,
	.read = fault_read,
	.write = fault_write,
	.poll = fault_poll,
	.release = fault_release,
};

static struct file *open_file(void)
{
	struct file *file;

	file = anon_inode_getfile("[iommufd-pgfault]", &fault_fops, NULL,
				  O_RDWR);
	if (!IS_ERR(file))
		nonseekable_open(NULL, file);
	return file;
}

/* Tell user space, and from there on nothing can fail */
static int give_away(struct iommufd_command *command,
		     struct iommufd_fault *fault, struct file *file, int fd)
{
	struct iommu_fault_alloc *args = command->args;
	int rc;

	args->out_fault_id = fault->object.id;
	args->out_fault_fd = fd;
	rc = iommufd_respond(command);
	if (rc)
		return rc;
	refcount_inc(&fault->object.users);
	iommufd_ctx_get(command->ctx);
	file->private_data = fault;
	iommufd_object_publish(&fault->object);
	fd_install(fd, file);
	return 0;
}

static int open_fault(struct iommufd_command *command,
		      struct iommufd_fault *fault)
{
	struct file *file;
	int fd, rc;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = open_file();
	if (IS_ERR(file)) {
		rc = PTR_ERR(file);
		goto out_fd;
	}
	rc = give_away(command, fault, file, fd);
	if (rc)
		goto out_file;
	return 0;

out_file:
	fput(file);
out_fd:
	put_unused_fd(fd);
	return rc;
}

/**
 * iommufd_fault_alloc - IOMMU_FAULT_QUEUE_ALLOC
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -EMFILE, -ENOMEM, -EFAULT.
 */
int iommufd_fault_alloc(struct iommufd_command *command)
{
	struct iommu_fault_alloc *args = command->args;
	struct iommufd_fault *fault;
	int rc;

	if (args->flags)
		return -EOPNOTSUPP;
	fault = iommufd_fault_new(command->ctx);
	if (IS_ERR(fault))
		return PTR_ERR(fault);
	rc = open_fault(command, fault);
	if (rc) {
		fault->object.ops->destroy(&fault->object);
		iommufd_object_discard(&fault->object);
	}
	return rc;
}
