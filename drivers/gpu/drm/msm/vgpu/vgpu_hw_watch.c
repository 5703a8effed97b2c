// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watcher of page tables: a range of addresses that must stay as it is
 * while a job runs.
 *
 * Whoever edits the tables of a running job promises to it that what it does
 * not ask to be changed does not change, not even for a moment: splitting a
 * block, or giving a table back, must leave the neighbours alone.  Reading and
 * writing alone cannot prove that, because the TLB hides a table that was wrong
 * for a while.  The watcher plays a second unit of the GPU which has no TLB: it
 * walks each page of the range at every packet of a user command stream, at
 * every look of a packet that waits, at every doorbell, and at every
 * invalidation, which is when the editor says that the tables are right.  It
 * counts the pages that were mapped at the look before and are not, or are
 * mapped otherwise.
 *
 * It promises to count each loss once, and to touch tables only while a user
 * command stream runs that uses them, so that they cannot have been freed.
 *
 * Terms: a watch is armed by the first packet of a user command stream after
 * the range was set; it is about the tables in TTBR0 at that moment.
 *
 * Trap: a table that is wrong between two looks is not seen.  Ask for an
 * invalidation in between, or run a stream of many packets.
 */
#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"

static u64 watch_iova(const struct vgpu_config *config, u32 page)
{
	return config->watch_iova + (u64)page * VGPU_PAGE_SIZE;
}

static struct vgpu_watch_page watch_look(const struct vgpu_hw *hw, u64 iova)
{
	struct vgpu_leaf leaf;

	if (vgpu_walk(&hw->smmu.cb, iova, &leaf))
		return (struct vgpu_watch_page) {};

	return (struct vgpu_watch_page) {
		.mapped = true,
		.perm = leaf.perm,
		.pa = leaf.pa + (iova - leaf.va),
	};
}

static bool watch_same(const struct vgpu_watch_page *a,
		       const struct vgpu_watch_page *b)
{
	return a->mapped == b->mapped && a->pa == b->pa && a->perm == b->perm;
}

/* Look at the whole range; what was mapped and changed is a loss. */
static void watch_look_all(struct vgpu_hw *hw)
{
	struct vgpu_watch *watch = &hw->watch;
	u32 pages = hw->config.watch_size / VGPU_PAGE_SIZE;

	for (u32 i = 0; i < pages; i++) {
		u64 iova = watch_iova(&hw->config, i);
		struct vgpu_watch_page now = watch_look(hw, iova);

		if (watch->pages[i].mapped && !watch_same(&watch->pages[i], &now)) {
			hw->stats.watch_lost++;
			trace_vgpu_watch_lost(iova);
		}
		watch->pages[i] = now;
	}
}

/**
 * vgpu_watch_reset - forget what was seen
 * @hw: the GPU; its lock is held
 */
void vgpu_watch_reset(struct vgpu_hw *hw)
{
	hw->watch = (struct vgpu_watch) {};
}

/**
 * vgpu_watch_run - say whose command stream the CP executes
 * @hw: the GPU; its lock is held
 * @user: that of a user, else the ring's or none
 */
void vgpu_watch_run(struct vgpu_hw *hw, bool user)
{
	struct vgpu_watch *watch = &hw->watch;

	lockdep_assert_held(&hw->lock);

	watch->running = user;
	if (!user || !hw->config.watch_size)
		return;

	if (!watch->armed) {
		watch->armed = true;
		watch->ttbr0 = hw->smmu.cb.ttbr[0];
	}
	vgpu_watch_check(hw);
}

/**
 * vgpu_watch_check - look at the range
 * @hw: the GPU; its lock is held
 *
 * Does nothing unless the watch is armed and the CP executes a user command
 * stream on the tables that it is about.
 */
void vgpu_watch_check(struct vgpu_hw *hw)
{
	struct vgpu_watch *watch = &hw->watch;

	lockdep_assert_held(&hw->lock);

	if (!watch->running || !watch->armed ||
	    watch->ttbr0 != hw->smmu.cb.ttbr[0])
		return;

	hw->stats.watch_checks++;
	watch_look_all(hw);
}
