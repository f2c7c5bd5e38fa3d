// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested mock domain: an IOTLB of four words, and nothing to fill it with.
 *
 * What the mock IOMMU's driver does with driver data and with invalidations.
 */
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "iommufd_test.h"
#include "selftest/mock_domain.h"
#include "selftest/mock_nested.h"

/**
 * struct mock_nested - a nested domain
 * @domain: As the IOMMU core knows it
 * @iotlb: Set when it is made, zeroed by invalidations, of which there can be
 *         several at once
 */
struct mock_nested {
	struct iommu_domain domain;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

static struct mock_nested *to_mock_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_nested, domain);
}

static void free_nested(struct iommu_domain *domain)
{
	kfree(to_mock_nested(domain));
}

static int invalidate_one(struct mock_nested *nested,
			  const struct iommu_hwpt_invalidate_selftest *entry)
{
	unsigned int i;

	if (entry->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (entry->iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(nested->iotlb); i++)
		if (i == entry->iotlb_id ||
		    entry->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
			WRITE_ONCE(nested->iotlb[i], 0);
	return 0;
}

static int invalidate_entries(struct mock_nested *nested,
			      const struct iommu_user_data_array *array,
			      u32 *done)
{
	struct iommu_hwpt_invalidate_selftest entry;
	int rc;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_SELFTEST)
		return -EINVAL;
	for (; *done < array->entry_num; (*done)++) {
		rc = iommu_copy_struct_from_user_array(&entry, array,
						       array->type, *done,
						       iotlb_id);
		rc = rc ?: invalidate_one(nested, &entry);
		if (rc)
			return rc;
	}
	return 0;
}

static int mock_invalidate(struct iommu_domain *domain,
			   struct iommu_user_data_array *array)
{
	u32 done = 0;
	int rc;

	rc = invalidate_entries(to_mock_nested(domain), array, &done);
	array->entry_num = done;
	return rc;
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = mock_domain_attach,
	.set_dev_pasid = mock_domain_set_pasid,
	.cache_invalidate_user = mock_invalidate,
	.free = free_nested,
};

/**
 * mock_nested_alloc - make a nested domain
 * @flags: IOMMU_HWPT_ALLOC_*
 * @parent: What it lies upon
 * @user_data: struct iommu_hwpt_selftest of user space
 *
 * Return: the domain or an ERR_PTR: -EOPNOTSUPP a flag or type of data it does
 * not know; -EINVAL @parent, or length of the data; -EFAULT; -ENOMEM.
 */
struct iommu_domain *mock_nested_alloc(u32 flags, struct iommu_domain *parent,
				       const struct iommu_user_data *user_data)
{
	struct iommu_hwpt_selftest data;
	struct mock_nested *nested;
	int rc;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(-EOPNOTSUPP);
	if (!mock_domain_is_paging(parent))
		return ERR_PTR(-EINVAL);
	if (user_data->type != IOMMU_HWPT_DATA_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	rc = iommu_copy_struct_from_user(&data, user_data,
					 IOMMU_HWPT_DATA_SELFTEST, iotlb);
	if (rc)
		return ERR_PTR(rc);

	nested = kzalloc(sizeof(*nested), GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	nested->domain.type = IOMMU_DOMAIN_NESTED;
	nested->domain.ops = &nested_ops;
	memset32(nested->iotlb, data.iotlb, ARRAY_SIZE(nested->iotlb));
	return &nested->domain;
}

/**
 * mock_nested_check - compare a word of the IOTLB
 * @domain: Any domain
 * @index: Which word
 * @iotlb: What it should be
 *
 * Return: 0, or -EINVAL: something else, or no such word, or no nested mock
 * domain.
 */
int mock_nested_check(struct iommu_domain *domain, u32 index, u32 iotlb)
{
	if (domain->ops != &nested_ops ||
	    index > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX ||
	    READ_ONCE(to_mock_nested(domain)->iotlb[index]) != iotlb)
		return -EINVAL;
	return 0;
}
