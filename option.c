// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_OPTION: settings of a context and of its IOAS, as a table of options.
 */
#include <linux/capability.h>

#include "ioas.h"
#include "memory/account.h"

static int set_account_mode(struct iommufd_ctx *ctx, u64 value)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (!iommufd_objects_empty(ctx))
		return -EBUSY;
	if (value != ACCOUNT_USER && value != ACCOUNT_PROCESS)
		return -EINVAL;
	WRITE_ONCE(ctx->account_mode, value);
	return 0;
}

static int option_account_mode(struct iommufd_ctx *ctx,
			       struct iommu_option *args)
{
	if (args->object_id)
		return -EOPNOTSUPP;
	switch (args->op) {
	case IOMMU_OPTION_OP_GET:
		args->val64 = READ_ONCE(ctx->account_mode);
		return 0;
	case IOMMU_OPTION_OP_SET:
		return set_account_mode(ctx, args->val64);
	default:
		return -EOPNOTSUPP;
	}
}

static int ioas_huge_pages(struct iommufd_ioas *ioas, struct iommu_option *args)
{
	switch (args->op) {
	case IOMMU_OPTION_OP_GET:
		args->val64 = READ_ONCE(ioas->iopt.large);
		return 0;
	case IOMMU_OPTION_OP_SET:
		if (args->val64 > 1)
			return -EINVAL;
		return iopt_set_large(&ioas->iopt, args->val64);
	default:
		return -EOPNOTSUPP;
	}
}

static int option_huge_pages(struct iommufd_ctx *ctx, struct iommu_option *args)
{
	struct iommufd_ioas *ioas;
	int rc;

	ioas = iommufd_ioas_get(ctx, args->object_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = ioas_huge_pages(ioas, args);
	iommufd_object_put(&ioas->object);
	return rc;
}

static int run_option(struct iommufd_ctx *ctx, struct iommu_option *args)
{
	switch (args->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		return option_account_mode(ctx, args);
	case IOMMU_OPTION_HUGE_PAGES:
		return option_huge_pages(ctx, args);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * iommufd_option - IOMMU_OPTION
 * @command: The call
 *
 * Return: 0, -EOPNOTSUPP, -EPERM, -EBUSY, -EINVAL, -ENOENT, -EADDRINUSE;
 * -EFAULT: the value can't be told, but is set.
 */
int iommufd_option(struct iommufd_command *command)
{
	struct iommu_option __user *user = command->user;
	struct iommu_option *args = command->args;
	int rc;

	if (args->__reserved)
		return -EOPNOTSUPP;
	rc = run_option(command->ctx, args);
	if (rc)
		return rc;
	/* Nothing else of the structure is ever written back */
	return put_user(args->val64, (u64 __user *)&user->val64);
}
