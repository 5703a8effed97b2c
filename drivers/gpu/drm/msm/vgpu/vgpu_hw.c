// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a virtual GPU: creation, reset, configuration, counters, end.
 *
 * See vgpu_hw_internal.h for the one lock and for what an epoch is.
 *
 * It promises that all memory is there after vgpu_hw_create(): nothing that
 * runs later allocates, so the model can execute while the kernel reclaims.
 * vgpu_hw_reset() never waits for the CP thread, which may itself be waiting
 * for whoever resets; it cuts the thread off instead.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"

static void hw_free(struct vgpu_hw *hw)
{
	vgpu_tlb_fini(&hw->tlb);
	kfree(hw->cp.bounce);
	kvfree(hw->cp.payload);
	kvfree(hw->regs);
	kfree(hw);
}

static struct vgpu_hw *hw_alloc(void)
{
	struct vgpu_hw *hw = kzalloc(sizeof(*hw), GFP_KERNEL);

	if (!hw)
		return NULL;

	hw->regs = kvcalloc(VGPU_NR_REGS, sizeof(*hw->regs), GFP_KERNEL);
	hw->cp.payload = kvcalloc(VGPU_PAYLOAD_DWORDS, sizeof(u32), GFP_KERNEL);
	hw->cp.bounce = kzalloc(VGPU_PAGE_SIZE, GFP_KERNEL);
	if (hw->regs && hw->cp.payload && hw->cp.bounce &&
	    !vgpu_tlb_init(&hw->tlb))
		return hw;

	hw_free(hw);
	return NULL;
}

/**
 * vgpu_hw_create - build a GPU, powered up and halted
 * @config: how it behaves; must pass vgpu_config_check()
 * @host: how it reaches the machine
 * @cookie: for @host
 *
 * Context: may sleep.
 * Return: the GPU, or an error pointer: -EINVAL for a bad configuration,
 * -ENOMEM.
 */
struct vgpu_hw *vgpu_hw_create(const struct vgpu_config *config,
			       const struct vgpu_hw_host *host, void *cookie)
{
	struct task_struct *task;
	struct vgpu_hw *hw;

	if (vgpu_config_check(config))
		return ERR_PTR(-EINVAL);

	hw = hw_alloc();
	if (!hw)
		return ERR_PTR(-ENOMEM);

	spin_lock_init(&hw->lock);
	init_waitqueue_head(&hw->wait);
	hw->host = host;
	hw->cookie = cookie;
	vgpu_hw_configure(hw, config);
	vgpu_hw_reset(hw);

	task = kthread_run(vgpu_cp_thread, hw, "vgpu-cp");
	if (IS_ERR(task)) {
		hw_free(hw);
		return ERR_CAST(task);
	}
	hw->cp.task = task;

	return hw;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_create);

/**
 * vgpu_hw_destroy - stop and free a GPU
 * @hw: the GPU
 *
 * Waits for the CP thread, and so for a callback that it may be in.
 *
 * Context: may sleep; not from a callback.
 */
void vgpu_hw_destroy(struct vgpu_hw *hw)
{
	vgpu_hw_reset(hw);
	kthread_stop(hw->cp.task);
	hw_free(hw);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_destroy);

/**
 * vgpu_hw_reset - stop whatever runs and clear the registers
 * @hw: the GPU
 *
 * When it returns the old run cannot touch memory, registers or the interrupt
 * status any more, stalled or not.  The context bank, the PRR page, the choice
 * to stall and the TLB belong to the SMMU and stay.
 *
 * Context: any; may be called under locks that a callback takes.
 */
void vgpu_hw_reset(struct vgpu_hw *hw)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	hw->epoch++;
	hw->halted = false;
	hw->idle_wptr = ~0;
	vgpu_watch_run(hw, false);
	WRITE_ONCE(hw->irq_kick, false);
	WRITE_ONCE(hw->smmu.stalled, false);
	memset(hw->regs, 0, VGPU_NR_REGS * sizeof(*hw->regs));
	hw->stats.resets++;
	trace_vgpu_reset(hw->epoch);
	spin_unlock_irqrestore(&hw->lock, flags);

	wake_up(&hw->wait);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_reset);

/**
 * vgpu_hw_quiesce - stop whatever runs, and wait until it has stopped
 * @hw: the GPU
 *
 * As vgpu_hw_reset(); when it returns no callback is running either.  The GPU
 * can be programmed and started again.
 *
 * Context: may sleep; not from a callback, nor under a lock that one takes.
 */
void vgpu_hw_quiesce(struct vgpu_hw *hw)
{
	vgpu_hw_reset(hw);
	kthread_park(hw->cp.task);
	kthread_unpark(hw->cp.task);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_quiesce);

/**
 * vgpu_hw_configure - change the behaviour of a GPU
 * @hw: the GPU
 * @config: the new behaviour; ignored if vgpu_config_check() refuses it
 *
 * Drops the TLB and starts counting towards injected faults anew.
 *
 * Context: any.
 */
void vgpu_hw_configure(struct vgpu_hw *hw, const struct vgpu_config *config)
{
	unsigned long flags;

	if (vgpu_config_check(config))
		return;

	spin_lock_irqsave(&hw->lock, flags);
	hw->config = *config;
	hw->inject = (struct vgpu_inject) {};
	vgpu_watch_reset(hw);
	vgpu_tlb_configure(&hw->tlb, config);
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_configure);

/**
 * vgpu_hw_stats - read all counters at one moment
 * @hw: the GPU
 * @stats: out: the counters
 *
 * Context: any.
 */
void vgpu_hw_stats(struct vgpu_hw *hw, struct vgpu_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&hw->lock, flags);
	*stats = hw->stats;
	stats->evictions = hw->tlb.evictions;
	stats->prr_enabled = hw->smmu.prr_enabled;
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_stats);

/**
 * vgpu_hw_cp_error - why the CP stopped last
 * @hw: the GPU
 *
 * Hardware says less: it has a cause bit and the dword it stopped at.
 *
 * Context: any.
 * Return: the reason in words, for a packet that has no model its name; or
 * NULL if the CP never stopped.
 */
const char *vgpu_hw_cp_error(struct vgpu_hw *hw)
{
	unsigned long flags;
	const char *why;

	spin_lock_irqsave(&hw->lock, flags);
	why = hw->stats.cp_error;
	spin_unlock_irqrestore(&hw->lock, flags);

	return why;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_cp_error);
