// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PASID of a device that may ask for pages, and the answers. Emulated machines
 * have no such device: then the example says so.
 */
#include "example.h"

#include <poll.h>

/* begin */
#define PASID 1

/* <linux/vfio.h> of Linux 6.15 has these members */
struct attach_pasid {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

static struct iommu_fault_alloc make_queue(const struct example *example)
{
	struct iommu_fault_alloc queue = { .size = sizeof(queue) };

	must(!ioctl(example->iommu, IOMMU_FAULT_QUEUE_ALLOC, &queue), "FAULT_QUEUE_ALLOC");
	return queue;
}

/* A page table for PASIDs, whose devices ask the queue. 0: the IOMMU has none. */
static __u32 make_asking(const struct example *example, __u32 ioas_id, __u32 queue_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = example->dev_id,
		.pt_id = ioas_id,
		.fault_id = queue_id,
	};
	int rc = ioctl(example->iommu, IOMMU_HWPT_ALLOC, &alloc);

	must(!rc || errno == EOPNOTSUPP, "HWPT_ALLOC");
	return rc ? 0 : alloc.out_hwpt_id;
}

/* Returns 0 if the device has no PASIDs, or cannot ask for pages. */
static int attach_pasid(const struct example *example, __u32 hwpt_id)
{
	struct attach_pasid attach = {
		.argsz = sizeof(attach), .flags = 1, .pt_id = hwpt_id, .pasid = PASID,
	};
	int rc = ioctl(example->vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);

	must(!rc || errno == EINVAL || errno == ENODEV, "attach");
	return !rc;
}

/* Takes the requests that are there, and answers each group once. */
static void serve(int queue)
{
	struct iommu_hwpt_page_response response = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	struct iommu_hwpt_pgfault requests[16];
	ssize_t i, size = read(queue, requests, sizeof(requests));

	must(size >= 0, "read");
	for (i = 0; i < size / (ssize_t)sizeof(requests[0]); i++) {
		/* Here the page at requests[i].addr is mapped in the IOAS. */
		if (!(requests[i].flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
			continue;
		response.cookie = requests[i].cookie;
		must(write(queue, &response, sizeof(response)) == sizeof(response), "write");
	}
}

/* end */

int main(int argc, char **argv)
{
	struct example example = example_open(argc, argv);
	__u32 ioas_id = example_address_space(&example);
	struct iommu_fault_alloc queue = make_queue(&example);
	__u32 hwpt_id = make_asking(&example, ioas_id, queue.out_fault_id);
	struct pollfd poller = { .fd = queue.out_fault_fd, .events = POLLIN };

	if (!hwpt_id || !attach_pasid(&example, hwpt_id)) {
		puts("this device has no PASIDs, or cannot ask for pages");
		return 0;
	}
	if (poll(&poller, 1, 1000) == 1)
		serve(queue.out_fault_fd);
	return 0;
}
