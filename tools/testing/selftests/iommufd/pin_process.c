// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of one process, attached by another.
 *
 * Owns the rules of whose memory is pinned, and of processes that are gone. Who pays
 * for it is in pin_limit.c.
 */
#include "edu_fixture.h"
#include "attachment.h"
#include "edu_staging.h"
#include "kernel_counters.h"
#include "peer.h"

#define IOVA 0x40000000UL

FIXTURE(pin_process)
{
	struct kernel_counters before;
	struct attachment attachment;
	struct edu_staging staging;
	struct peer peer;
	__u32 ioas;
	__u32 other;
	int fd;
};

FIXTURE_SETUP(pin_process)
{
	REQUIRE_OWN_GROUPS(1);
	self->before = kernel_counters_read();
	/* The peer is older than the context: it knows it from a message only. */
	ASSERT_EQ(0, peer_start(&self->peer));
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	self->ioas = self->attachment.ioas;
	self->fd = self->attachment.iommufd;
	ASSERT_EQ(0, iommu_ioas_alloc(self->fd, &self->other));
	ASSERT_EQ(0, edu_staging_create(&self->staging, &self->attachment.edu, self->fd,
					self->ioas));
	ASSERT_EQ(0, edu_staging_map(&self->staging, self->fd, self->other));
	ASSERT_EQ(0, peer_meet(&self->peer, self->fd));
}

FIXTURE_TEARDOWN(pin_process)
{
	peer_end(&self->peer, SIGTERM);
	attachment_close(&self->attachment);
	EXPECT_EQ(0, pages_pinned());
	edu_staging_destroy(&self->staging);
	EXPECT_TRUE(kernel_counters_settle(&self->before));
}

static int peer_map(struct _test_data_pin_process *self, __u32 ioas, __u64 iova)
{
	return peer_order(&self->peer, PEER_MAP, ioas, iova);
}

static int attach(struct _test_data_pin_process *self)
{
	return attachment_attach(&self->attachment, self->ioas);
}

/* The device finds there what the peer has filled its memory with. */
static bool reads_memory_of_peer(struct _test_data_pin_process *self, __u64 iova)
{
	return device_reads(&self->staging, iova, NULL, PEER_SEED);
}

TEST_F(pin_process, memory_is_that_of_the_process_that_mapped)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, any_process_can_unmap)
{
	ASSERT_EQ(0, attach(self));
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, copy_by_another_process_is_still_memory_of_the_first)
{
	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, PEER_SIZE, self->ioas,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(PEER_PAGES, peer_pages_pinned(&self->peer));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, memory_freed_before_the_attach_is_EFAULT)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, peer_order(&self->peer, PEER_FREE, 0, 0));
	EXPECT_EQ(-EFAULT, attach(self));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin_process, attach_after_its_exit_is_EFAULT_and_changes_nothing)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	peer_end(&self->peer, SIGTERM);
	EXPECT_EQ(-EFAULT, attach(self));
	EXPECT_EQ(0, pages_pinned());
	EXPECT_TRUE(is_unreserved(self->fd, self->ioas));
	/* What the dead have mapped can be unmapped, and then all is well. */
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
	EXPECT_EQ(0, attach(self));
}

TEST_F(pin_process, attach_after_its_exec_is_EFAULT)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	/* The socket is closed on exec: no answer means it has happened. */
	ASSERT_EQ(1, peer_order(&self->peer, PEER_EXECUTE, 0, 0));
	EXPECT_EQ(-EFAULT, attach(self));
	EXPECT_EQ(0, peer_pages_pinned(&self->peer));
}

TEST_F(pin_process, pinned_memory_survives_its_exit)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attach(self));
	peer_end(&self->peer, SIGKILL);
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
	ASSERT_EQ(0, attachment_unmap(&self->attachment, IOVA, PEER_SIZE));
}

TEST_F(pin_process, copies_of_pinned_memory_work_after_its_exit)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attach(self));
	peer_end(&self->peer, SIGKILL);
	/* In the same space, and in one that gets its page table afterwards. */
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, PEER_SIZE, self->ioas,
					   IOMMU_MAP_RW, IOVA + PEER_SIZE));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA + PEER_SIZE));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->ioas, IOVA, PEER_SIZE, self->other,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attachment_attach(&self->attachment, self->other));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, memory_that_was_unpinned_after_its_exit_is_lost)
{
	ASSERT_EQ(0, peer_map(self, self->ioas, IOVA));
	ASSERT_EQ(0, attach(self));
	peer_end(&self->peer, SIGKILL);
	ASSERT_EQ(0, attachment_detach(&self->attachment));
	EXPECT_EQ(-EFAULT, attach(self));
	EXPECT_EQ(0, pages_pinned());
}

TEST_F(pin_process, part_that_was_not_pinned_is_lost_the_other_is_not)
{
	__u64 part = 4 * PAGE_BYTES;

	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, part, self->ioas,
					   IOMMU_MAP_RW, IOVA));
	ASSERT_EQ(0, attach(self));
	EXPECT_EQ(4, peer_pages_pinned(&self->peer));
	peer_end(&self->peer, SIGKILL);
	/* All of the pinned part works, one page more does not. */
	EXPECT_EQ(0, iommu_ioas_copy_fixed(self->fd, self->other, IOVA, part, self->ioas,
					   IOMMU_MAP_RW, IOVA + PEER_SIZE));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA + PEER_SIZE));
	EXPECT_EQ(-EFAULT, iommu_ioas_copy_fixed(self->fd, self->other, IOVA,
						 part + PAGE_BYTES, self->ioas,
						 IOMMU_MAP_RW, IOVA + 2 * PEER_SIZE));
	EXPECT_EQ(-EFAULT, attachment_attach(&self->attachment, self->other));
	EXPECT_TRUE(reads_memory_of_peer(self, IOVA));
}

TEST_F(pin_process, context_outlives_the_process_that_opened_it)
{
	struct iommu_iova_range range;
	__u32 count = 1;
	int fd = self->fd;
	pid_t child;

	/* A child is the last to hold it when this process has closed everything. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		pause();
		_exit(0);
	}
	ASSERT_EQ(0, peer_map(self, self->other, IOVA));
	ASSERT_EQ(0, iommu_ioas_iova_ranges(fd, self->other, &range, &count, NULL));
	attachment_close(&self->attachment);
	/* The device is still held by the child: nobody else can have it. */
	EXPECT_NE(0, attachment_open(&self->attachment, topology.own[0].name, 0));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	peer_end(&self->peer, SIGKILL);
	ASSERT_EQ(0, attachment_open(&self->attachment, topology.own[0].name, 0));
}
