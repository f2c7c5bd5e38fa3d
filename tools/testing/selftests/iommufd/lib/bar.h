/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two edu devices of which one reaches into the registers of the other by DMA.
 *
 * Owns the way a word takes from one device to the other.
 */
#ifndef SELFTESTS_IOMMUFD_BAR_H
#define SELFTESTS_IOMMUFD_BAR_H

#include "edu_fixture.h"
#include "edu_staging.h"

#define BAR_IOVA 0x2200000000ULL

/* Each test finds the register at this value */
#define UNTOUCHED 0x11223344U

/**
 * struct bar_pair - the devices
 * @iommufd: The context of both
 * @ioas: What the writer is attached to
 * @writer: Does DMA
 * @staging: Its memory
 * @target: Has the BAR
 */
struct bar_pair {
	int iommufd;
	__u32 ioas;
	struct edu writer;
	struct edu_staging staging;
	struct edu target;
};

static inline int bar_pair_open(struct bar_pair *pair)
{
	int rc;

	*pair = (struct bar_pair){ .iommufd = iommu_open() };
	if (pair->iommufd < 0)
		return pair->iommufd;
	rc = edu_open(&pair->writer, topology.own[0].name, pair->iommufd);
	if (!rc)
		rc = edu_open(&pair->target, topology.own[1].name, pair->iommufd);
	if (!rc)
		rc = iommu_ioas_alloc(pair->iommufd, &pair->ioas);
	if (!rc)
		rc = edu_staging_create(&pair->staging, &pair->writer, pair->iommufd, pair->ioas);
	if (!rc)
		edu_set_liveness(&pair->target, ~UNTOUCHED);
	return rc;
}

static inline void bar_pair_close(struct bar_pair *pair)
{
	edu_close(&pair->writer);
	edu_close(&pair->target);
	edu_staging_destroy(&pair->staging);
	close(pair->iommufd);
}

static inline int bar_pair_attach(struct bar_pair *pair)
{
	__u32 pt_id = pair->ioas;

	return vfio_device_attach(&pair->writer.device, &pt_id);
}

/* Maps the registers of the target where the writer is attached. */
static inline int bar_pair_map(struct bar_pair *pair)
{
	return iommu_ioas_map_fixed(pair->iommufd, pair->ioas, (void *)pair->target.registers,
				    pair->target.registers_size, IOMMU_MAP_RW, BAR_IOVA);
}

/* Has the writer write a word by DMA. */
static inline int bar_pair_write(struct bar_pair *pair, __u64 iova, uint32_t word)
{
	int rc;

	memcpy(pair->staging.memory.start, &word, sizeof(word));
	rc = edu_fetch(&pair->writer, STAGING_IOVA, sizeof(word));
	return rc ? rc : edu_store(&pair->writer, iova, sizeof(word));
}

/* Has the writer read a word by DMA; all ones if it got none. */
static inline uint32_t bar_pair_read(struct bar_pair *pair, __u64 iova)
{
	uint32_t word = UINT32_MAX;

	memcpy(pair->staging.memory.start, &word, sizeof(word));
	if (edu_fetch(&pair->writer, STAGING_IOVA, sizeof(word)) ||
	    edu_fetch(&pair->writer, iova, sizeof(word)) ||
	    edu_store(&pair->writer, STAGING_IOVA, sizeof(word)))
		return UINT32_MAX;
	memcpy(&word, pair->staging.memory.start, sizeof(word));
	return word;
}

/* Whether a word written by DMA arrives in the register of the target. */
static inline bool bar_pair_reaches(struct bar_pair *pair, uint32_t word)
{
	if (bar_pair_write(pair, BAR_IOVA + EDU_LIVENESS, ~word))
		return false;
	return edu_liveness(&pair->target) == word;
}

#endif
