/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A context with an IOAS and an edu device that can be attached to it.
 *
 * Owns the way from nothing to a page table, which is what makes pages pinned.
 */
#ifndef SELFTESTS_IOMMUFD_ATTACHMENT_H
#define SELFTESTS_IOMMUFD_ATTACHMENT_H

#include <unistd.h>

#include "edu.h"
#include "iommu.h"
#include "memory.h"

/**
 * struct attachment - the context
 * @iommufd: Its file descriptor
 * @ioas: The IOAS
 * @edu: The device, bound
 */
struct attachment {
	int iommufd;
	__u32 ioas;
	struct edu edu;
};

/**
 * attachment_open - make a context, bind a device, make an IOAS
 * @attachment: The context
 * @address: PCI address of the edu device
 * @rlimit_mode: 0: pinned memory is charged by user, 1: by process
 *
 * Return: 0 or -errno, and then there is nothing to close.
 */
static inline int attachment_open(struct attachment *attachment, const char *address,
				  __u64 rlimit_mode)
{
	int fd = iommu_open();
	int rc;

	if (fd < 0)
		return fd;
	attachment->iommufd = fd;
	rc = iommu_option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, rlimit_mode);
	if (!rc)
		rc = edu_open(&attachment->edu, address, fd);
	if (rc) {
		close(fd);
		return rc;
	}
	rc = iommu_ioas_alloc(fd, &attachment->ioas);
	if (rc) {
		edu_close(&attachment->edu);
		close(fd);
	}
	return rc;
}

static inline void attachment_close(struct attachment *attachment)
{
	edu_close(&attachment->edu);
	close(attachment->iommufd);
}

/* Attaches the device to an IOAS, or moves it there. */
static inline int attachment_attach(struct attachment *attachment, __u32 ioas)
{
	return vfio_device_attach(&attachment->edu.device, &ioas);
}

/* Attaches the device to the IOAS that the context came with. */
static inline int attachment_attach_own(struct attachment *attachment)
{
	return attachment_attach(attachment, attachment->ioas);
}

static inline int attachment_detach(struct attachment *attachment)
{
	return vfio_device_detach(&attachment->edu.device);
}

static inline int attachment_map(struct attachment *attachment, const void *address,
				 __u64 length, __u32 flags, __u64 iova)
{
	return iommu_ioas_map_fixed(attachment->iommufd, attachment->ioas, address, length,
				    flags, iova);
}

static inline int attachment_unmap(struct attachment *attachment, __u64 iova, __u64 length)
{
	return iommu_ioas_unmap(attachment->iommufd, attachment->ioas, iova, length, NULL);
}

/* Pages of this process that are pinned, whoever pays for them. */
static inline long pages_pinned(void)
{
	return memory_status("VmPin") / 4;
}

/* Pages of this process that are charged to it, not to its user. */
static inline long pages_locked(void)
{
	return memory_status("VmLck") / 4;
}

#endif
