/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapped page through which a program fills an edu device's buffer and looks
 * into it, so that each direction of DMA can be tested alone.
 */
#ifndef __SELFTEST_IOMMUFD_EDU_STAGING_H
#define __SELFTEST_IOMMUFD_EDU_STAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "edu.h"
#include "memory.h"

#define STAGING_IOVA 0x7f000000ULL
#define STAGING_SIZE 8192

/**
 * struct edu_staging - the page, and one to look into the buffer
 * @edu: the device
 * @memory: STAGING_SIZE bytes
 */
struct edu_staging {
	struct edu *edu;
	struct memory memory;
};

int edu_staging_create(struct edu_staging *staging, struct edu *edu, int iommufd, __u32 ioas);
int edu_staging_map(struct edu_staging *staging, int iommufd, __u32 ioas);
void edu_staging_destroy(struct edu_staging *staging);

bool device_writes(struct edu_staging *staging, uint64_t iova, const void *memory,
		   uint32_t seed);
bool device_reads(struct edu_staging *staging, uint64_t iova, void *memory, uint32_t seed);
bool device_holds(struct edu_staging *staging, uint32_t seed);

#endif
