// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapped page through which a program fills an edu device's buffer and looks
 * into it.
 */
#include <string.h>

#include "edu_staging.h"
#include "iommu.h"

/**
 * edu_staging_create() - get staging memory and map it
 * @staging: out: the staging
 * @edu: the device
 * @iommufd: its context
 * @ioas: the IOAS it is or will be attached to
 *
 * Return: 0 or -errno.
 */
int edu_staging_create(struct edu_staging *staging, struct edu *edu, int iommufd, __u32 ioas)
{
	int rc;

	staging->edu = edu;
	rc = memory_allocate(&staging->memory, MEMORY_ANONYMOUS, STAGING_SIZE);
	if (!rc)
		rc = edu_staging_map(staging, iommufd, ioas);
	return rc;
}

/**
 * edu_staging_map() - map the staging into one more IOAS
 * @staging: the staging
 * @iommufd: the context
 * @ioas: the IOAS; the device must be attached to it when the staging is used
 *
 * Return: 0 or -errno.
 */
int edu_staging_map(struct edu_staging *staging, int iommufd, __u32 ioas)
{
	return iommu_ioas_map_fixed(iommufd, ioas, staging->memory.start, STAGING_SIZE,
				    IOMMU_MAP_RW, STAGING_IOVA);
}

/**
 * edu_staging_destroy() - give the memory back
 * @staging: the staging; its mappings stay in the IOASs
 */
void edu_staging_destroy(struct edu_staging *staging)
{
	memory_free(&staging->memory);
}

/**
 * device_writes() - have the device write EDU_DMA_MAX bytes
 * @staging: of the device
 * @iova: where to
 * @memory: the memory that should be there
 * @seed: of the data that is written
 *
 * Return: whether the data is in the memory afterwards.
 */
bool device_writes(struct edu_staging *staging, uint64_t iova, const void *memory,
		   uint32_t seed)
{
	pattern_fill(staging->memory.start, EDU_DMA_MAX, seed);
	if (edu_fetch(staging->edu, STAGING_IOVA, EDU_DMA_MAX) ||
	    edu_store(staging->edu, iova, EDU_DMA_MAX))
		return false;
	return pattern_match(memory, EDU_DMA_MAX, seed) == EDU_DMA_MAX;
}

/**
 * device_holds() - look into the device's buffer
 * @staging: of the device
 * @seed: of the data that is expected
 *
 * Return: whether it is there.
 */
bool device_holds(struct edu_staging *staging, uint32_t seed)
{
	uint8_t *second = staging->memory.start + STAGING_SIZE / 2;

	memset(second, 0, EDU_DMA_MAX);
	if (edu_store(staging->edu, STAGING_IOVA + STAGING_SIZE / 2, EDU_DMA_MAX))
		return false;
	return pattern_match(second, EDU_DMA_MAX, seed) == EDU_DMA_MAX;
}

/**
 * device_reads() - have the device read EDU_DMA_MAX bytes
 * @staging: of the device
 * @iova: where from
 * @memory: the memory that should be there; it is filled first unless NULL
 * @seed: of the data
 *
 * Return: whether the device has the data afterwards.
 */
bool device_reads(struct edu_staging *staging, uint64_t iova, void *memory, uint32_t seed)
{
	if (memory)
		pattern_fill(memory, EDU_DMA_MAX, seed);
	if (edu_fetch(staging->edu, iova, EDU_DMA_MAX))
		return false;
	return device_holds(staging, seed);
}
