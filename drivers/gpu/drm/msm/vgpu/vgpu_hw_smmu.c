// SPDX-License-Identifier: GPL-2.0-only
/*
 * The context bank of the virtual SMMU: translation, faults, stalls and the
 * page for partially resident resources (PRR).
 *
 * It holds what the driver of a real SMMU programs, plus the fault registers.
 * It promises that when one of the vgpu_hw_tlb_inv_*() calls returns, no
 * access that used a dropped entry is under way, because translation and
 * access happen under one lock; they may therefore be called from any context.
 *
 * Terms: an access that faults is stalled if the context bank says so: it
 * waits until the host resumes it, either terminated (a read gives zero, a
 * write is dropped) or to be tried again.  Without stalling it is terminated
 * at once.
 *
 * Trap: ASIDs are recorded but do not tag TLB entries.  msm gives every
 * process the ASID 0, so that CP_SMMU_TABLE_UPDATE has to drop what the old
 * process left behind, and it does.
 */
#include <linux/export.h>
#include <linux/sched.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"

static u32 smmu_walk(struct vgpu_hw *hw, u64 iova, struct vgpu_leaf *leaf)
{
	const struct vgpu_hw_cb *cb = &hw->smmu.cb;
	struct vgpu_table table;
	u32 fsr = 0;

	if (!vgpu_tlb_find_table(&hw->tlb, iova, &table))
		fsr = vgpu_walk_root(cb, iova, &table);

	while (!fsr) {
		fsr = vgpu_walk_step(cb, iova, &table, leaf);
		if (fsr)
			break;
		if (leaf->shift) {
			vgpu_tlb_add_leaf(&hw->tlb, leaf);
			break;
		}
		vgpu_tlb_add_table(&hw->tlb, iova, &table);
	}

	return fsr;
}

/* Strict mode: compare with what the tables in memory say now. */
static void smmu_check_stale(struct vgpu_hw *hw, u64 iova, u32 fsr,
			     const struct vgpu_leaf *leaf)
{
	struct vgpu_leaf now;
	u32 fsr_now = vgpu_walk(&hw->smmu.cb, iova, &now);

	if (fsr_now == fsr &&
	    (fsr || (now.pa - now.va == leaf->pa - leaf->va &&
		     now.perm == leaf->perm)))
		return;

	hw->stats.stale_hits++;
	pr_err_ratelimited("vgpu: stale translation used for %#llx\n", iova);
}

/**
 * vgpu_smmu_translate - translate an address through the TLB
 * @hw: the GPU; its lock is held
 * @iova: address, %VGPU_VA_BITS wide
 * @leaf: out: the translation
 *
 * Return: 0, or the VGPU_HW_FSR_* bit of the fault.
 */
u32 vgpu_smmu_translate(struct vgpu_hw *hw, u64 iova, struct vgpu_leaf *leaf)
{
	u32 fsr = 0;

	lockdep_assert_held(&hw->lock);

	if (vgpu_tlb_find_leaf(&hw->tlb, iova, leaf)) {
		hw->stats.hits++;
	} else {
		hw->stats.walks++;
		fsr = smmu_walk(hw, iova, leaf);
	}

	if (hw->config.tlb_strict)
		smmu_check_stale(hw, iova, fsr, leaf);

	return fsr;
}

/**
 * vgpu_smmu_set_ttbr0 - switch to the tables of another process
 * @hw: the GPU; its lock is held
 * @ttbr: physical address of the root table
 * @asid: of the new process
 */
void vgpu_smmu_set_ttbr0(struct vgpu_hw *hw, u64 ttbr, u16 asid)
{
	lockdep_assert_held(&hw->lock);

	hw->smmu.cb.ttbr[0] = ttbr;
	hw->smmu.asid = asid;
	vgpu_tlb_drop(&hw->tlb, 0, VGPU_VA_TTBR1, true);
	hw->stats.ttbr_updates++;
	trace_vgpu_table_update(ttbr, asid);
}

/**
 * vgpu_smmu_raise_fault - report a fault and wait if it stalls
 * @hw: the GPU
 * @iova: faulting address
 * @write: the access was a write
 * @fsr: VGPU_HW_FSR_* bit of the fault
 *
 * Context: the CP thread, no lock held.
 * Return: 0 if the access is terminated, 1 if it is to be tried again,
 * -ECANCELED after a reset.
 */
int vgpu_smmu_raise_fault(struct vgpu_hw *hw, u64 iova, bool write, u32 fsr)
{
	struct vgpu_smmu *smmu = &hw->smmu;
	unsigned long flags;
	bool stall;
	int ret;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw)) {
		spin_unlock_irqrestore(&hw->lock, flags);
		return -ECANCELED;
	}
	stall = smmu->stall;
	smmu->stalled = stall;
	smmu->retry = false;
	smmu->fault = (struct vgpu_hw_fault) {
		.iova = iova,
		.ttbr0 = smmu->cb.ttbr[0],
		.fsr = fsr | (stall ? VGPU_HW_FSR_SS : 0),
		.fsynr0 = write ? VGPU_HW_FSYNR0_WNR : 0,
		.contextidr = smmu->asid,
	};
	hw->stats.faults++;
	trace_vgpu_fault(iova, smmu->cb.ttbr[0], fsr, write);
	spin_unlock_irqrestore(&hw->lock, flags);

	hw->host->fault(hw->cookie);
	if (stall)
		wait_event_idle(hw->wait, !READ_ONCE(smmu->stalled));

	spin_lock_irqsave(&hw->lock, flags);
	ret = vgpu_hw_canceled(hw) ? -ECANCELED : stall && smmu->retry;
	spin_unlock_irqrestore(&hw->lock, flags);

	return ret;
}

/**
 * vgpu_hw_smmu_write_cb - place the tables
 * @hw: the GPU
 * @cb: registers
 *
 * As on hardware this drops nothing from the TLB.
 *
 * Context: any.
 */
void vgpu_hw_smmu_write_cb(struct vgpu_hw *hw, const struct vgpu_hw_cb *cb)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->smmu.cb = *cb;
	hw->smmu.asid = 0;
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_write_cb);

/**
 * vgpu_hw_smmu_set_stall - choose what a fault does to the access
 * @hw: the GPU
 * @enable: it waits for vgpu_hw_smmu_resume(); else it is terminated
 *
 * Does not touch an access that is stalled already.
 *
 * Context: any.
 */
void vgpu_hw_smmu_set_stall(struct vgpu_hw *hw, bool enable)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->smmu.stall = enable;
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_set_stall);

/**
 * vgpu_hw_smmu_resume - let a stalled access go on
 * @hw: the GPU
 * @terminate: give the access up; else translate again
 *
 * Does nothing if none is stalled.
 *
 * Context: any, the fault callback included.
 */
void vgpu_hw_smmu_resume(struct vgpu_hw *hw, bool terminate)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	if (hw->smmu.stalled) {
		hw->smmu.retry = !terminate;
		WRITE_ONCE(hw->smmu.stalled, false);
	}
	spin_unlock_irqrestore(&hw->lock, flags);

	wake_up(&hw->wait);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_resume);

/**
 * vgpu_hw_smmu_fault - read the fault registers
 * @hw: the GPU
 * @fault: out: the last fault
 *
 * Context: any.
 */
void vgpu_hw_smmu_fault(struct vgpu_hw *hw, struct vgpu_hw_fault *fault)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	*fault = hw->smmu.fault;
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_fault);

/**
 * vgpu_hw_smmu_set_prr - place the PRR page
 * @hw: the GPU
 * @page: its physical address
 *
 * Context: any.
 */
void vgpu_hw_smmu_set_prr(struct vgpu_hw *hw, phys_addr_t page)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->smmu.prr = page & ~(phys_addr_t)(VGPU_PAGE_SIZE - 1);
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_set_prr);

/**
 * vgpu_hw_smmu_enable_prr - make the PRR page special or not
 * @hw: the GPU
 * @enable: accesses to it read zero and drop writes
 *
 * Without effect if the configuration has no PRR.
 *
 * Context: any.
 */
void vgpu_hw_smmu_enable_prr(struct vgpu_hw *hw, bool enable)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->smmu.prr_enabled = enable && hw->config.has_prr;
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_smmu_enable_prr);

/**
 * vgpu_hw_tlb_inv_all - drop all translations and table pointers
 * @hw: the GPU
 *
 * When it returns no access that used one is under way.
 *
 * Context: any.
 */
void vgpu_hw_tlb_inv_all(struct vgpu_hw *hw)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	vgpu_tlb_drop_all(&hw->tlb);
	hw->stats.inv_all++;
	trace_vgpu_tlb_inv(0, 0, true);
	vgpu_watch_check(hw);
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_tlb_inv_all);

static void smmu_inv_range(struct vgpu_hw *hw, u64 iova, size_t size,
			   bool tables)
{
	u64 bytes = min_t(u64, size, VGPU_VA_MASK);
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	vgpu_tlb_drop(&hw->tlb, iova & VGPU_VA_MASK, bytes, tables);
	if (tables)
		hw->stats.inv_walk++;
	else
		hw->stats.inv_page++;
	trace_vgpu_tlb_inv(iova, size, tables);
	vgpu_watch_check(hw);
	spin_unlock_irqrestore(&hw->lock, flags);
}

/**
 * vgpu_hw_tlb_inv_walk - drop what is known about a range, tables included
 * @hw: the GPU
 * @iova: first address; bits above the 49th are ignored
 * @size: of the range in bytes
 *
 * When it returns no access that used a dropped entry is under way.
 *
 * Context: any.
 */
void vgpu_hw_tlb_inv_walk(struct vgpu_hw *hw, u64 iova, size_t size)
{
	smmu_inv_range(hw, iova, size, true);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_tlb_inv_walk);

/**
 * vgpu_hw_tlb_inv_page - drop the translations of a range, but no tables
 * @hw: the GPU
 * @iova: first address; bits above the 49th are ignored
 * @size: of the range in bytes
 *
 * When it returns no access that used a dropped entry is under way.
 *
 * Context: any.
 */
void vgpu_hw_tlb_inv_page(struct vgpu_hw *hw, u64 iova, size_t size)
{
	smmu_inv_range(hw, iova, size, false);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_tlb_inv_page);
