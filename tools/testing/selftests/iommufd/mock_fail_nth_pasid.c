// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching and moving PASIDs, with every place failing.
 *
 * What a PASID is attached to shows in no view of a context, so it is looked at here.
 */
#include "fail_nth_sweep.h"

#define PASID 100

static int alloc_for_pasids(struct context *context, __u32 *hwpt)
{
	return iommu_hwpt_alloc_fault(context->fd, context->mock.idev, context->ioas,
				      IOMMU_HWPT_ALLOC_PASID, context->queue, hwpt);
}

/* A device with PASIDs, and two page tables for them with a fault queue */
static int prepare_pasid_tables(struct context *context)
{
	int file;

	if (mock_attach_flags(context->fd, context->ioas, MOCK_FLAGS_DEVICE_PASID,
			      &context->mock) ||
	    iommu_fault_queue_alloc(context->fd, &context->queue, &file))
		return -1;
	close(file);
	return alloc_for_pasids(context, &context->parent) ? :
	       alloc_for_pasids(context, &context->asking) ? :
	       mock_replace(context->fd, context->mock.id, &(__u32){ context->parent });
}

/* A command that failed has left the PASID where it was. */
static int check(struct context *context, int rc, __u32 before)
{
	if (rc && mock_pasid_check(context->fd, context->mock.id, PASID, before))
		return -EUCLEAN;
	return rc;
}

static int attach_pasid(struct context *context)
{
	__u32 pt_id = context->asking;

	return check(context, mock_pasid_attach(context->fd, context->mock.id, PASID, &pt_id), 0);
}

static int prepare_attached(struct context *context)
{
	return prepare_pasid_tables(context) ? : attach_pasid(context);
}

static int replace_pasid(struct context *context)
{
	__u32 pt_id = context->parent;

	return check(context, mock_pasid_replace(context->fd, context->mock.id, PASID, &pt_id),
		     context->asking);
}

static int detach_pasid(struct context *context)
{
	return mock_pasid_detach(context->fd, context->mock.id, PASID);
}

const struct scenario scenarios[] = {
	{ "attaching a PASID", prepare_pasid_tables, attach_pasid, false },
	{ "moving a PASID", prepare_attached, replace_pasid, false },
	{ "detaching a PASID", prepare_attached, detach_pasid, false },
};

const size_t scenario_count = ARRAY_SIZE(scenarios);

TEST_HARNESS_MAIN
