/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several threads for one large piece of work of a process.
 */
#ifndef __IOMMUFD_CREW_H
#define __IOMMUFD_CREW_H

#include <linux/math.h>
#include <linux/mm.h>

/* Pages: where no huge page of PMD_SIZE is, as far as the address tells, cut in two */
#define CREW_PART_ALIGN (PMD_SIZE >> PAGE_SHIFT)

struct crew;

/**
 * typedef crew_part_fn - do one part of the work
 * @work: As given to crew_work()
 * @part: Which part; nobody else has it
 *
 * Runs in a thread of the process that called crew_work(). A helper that is in here
 * is waited for, so whatever it waits for itself must end by SIGKILL at the latest,
 * and be none of the caller's locks.
 *
 * Return: 0 or an error, which ends the work early.
 */
typedef int (*crew_part_fn)(void *work, unsigned int part);

unsigned int crew_max_helpers(void);
struct crew *crew_hire(unsigned int helpers);
int crew_work(struct crew *crew, crew_part_fn do_part, void *work,
	      unsigned int nparts);
void crew_dismiss(struct crew *crew);
int crews_init(void);
void crews_exit(void);

/**
 * crew_part_end - where a part of a range of pages ends
 * @base: Page number of page 0 of the range in the space where huge pages are
 *        aligned; may be below 0
 * @begin: The page at which the part begins
 * @size: Pages, a multiple of CREW_PART_ALIGN
 *
 * Return: the page after the part; there are at most @size from @begin.
 */
static inline unsigned long crew_part_end(unsigned long base,
					  unsigned long begin,
					  unsigned long size)
{
	return round_down(base + begin + size, CREW_PART_ALIGN) - base;
}

#endif
