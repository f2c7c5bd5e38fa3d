/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs with fault queues share: a device whose page requests go
 * into the file of a queue.
 */
#ifndef SELFTESTS_IOMMUFD_FAULT_FIXTURE_H
#define SELFTESTS_IOMMUFD_FAULT_FIXTURE_H

#include <kselftest_harness.h>

#include "mock_space.h"

#define RECORD sizeof(struct iommu_hwpt_pgfault)

FIXTURE(mock_fault)
{
	int fd;
	__u32 ioas;
	__u32 queue;
	int file;
	__u32 hwpt;
	struct mock device;
};

FIXTURE_SETUP(mock_fault)
{
	struct mock maker;

	self->fd = iommu_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, iommu_fault_queue_alloc(self->fd, &self->queue, &self->file));
	ASSERT_EQ(0, mock_attach(self->fd, self->ioas, &maker));
	ASSERT_EQ(0, iommu_hwpt_alloc_fault(self->fd, maker.idev, self->ioas, 0, self->queue,
					    &self->hwpt));
	ASSERT_EQ(0, iommu_destroy(self->fd, maker.id));
	ASSERT_EQ(0, mock_attach(self->fd, self->hwpt, &self->device));
}

FIXTURE_TEARDOWN(mock_fault)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->file >= 0)
		close(self->file);
}

#endif
