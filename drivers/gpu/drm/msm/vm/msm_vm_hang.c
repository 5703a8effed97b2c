// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a GPU hang does to the VM of the job that hung, and to its other jobs.
 *
 * The client's memory is in a state that nobody knows, and its next jobs build
 * on it.  So the VM dies: SUBMIT and VM_BIND refuse to go on, and jobs that are
 * on their way do nothing.
 *
 * Promises: the VM dies also when the thread or the process that submitted has
 * exited, since a job holds its queue, which holds the context, which holds the
 * VM.  The fences of a dead VM's jobs signal in order, like all of their ring,
 * and carry an error.  Jobs of other contexts are replayed.  For a context
 * without VM_BIND nothing here does anything.
 *
 * Terms: a muted job goes through the ring as its fence alone.
 *
 * Trap: a job that is muted too late runs.  Recovery and whoever puts a job on
 * the ring both hold gpu->lock, so a job finds its VM either dead, or alive and
 * is itself on the ring when recovery mutes what it will replay.
 */

#include <linux/dma-fence.h>
#include <kunit/visibility.h>

#include "../msm_fence.h"
#include "../msm_gem.h"
#include "../msm_gpu.h"
#include "../msm_ringbuffer.h"
#include "msm_vm.h"
#include "msm_vm_hang.h"

/* The fence may signal at any moment, and then it is too late for an error. */
static void set_error(struct dma_fence *fence, int error)
{
	unsigned long flags;

	spin_lock_irqsave(fence->lock, flags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		dma_fence_set_error(fence, error);
	spin_unlock_irqrestore(fence->lock, flags);
}

/**
 * msm_vm_hang_mute - do not let a job of a dead VM run
 * @submit: the job, with its hardware fence initialized, about to be written to
 *	the ring; gpu->lock is held
 *
 * The fence of a muted job will carry -ECANCELED.  Does not sleep.
 */
void msm_vm_hang_mute(struct msm_gem_submit *submit)
{
	struct msm_vm *vm = msm_vm_of(submit->queue->ctx);

	lockdep_assert_held(&submit->gpu->lock);

	if (!vm || msm_vm_usable(vm))
		return;

	/* Commands of a VM_BIND context own nothing that is to be freed. */
	submit->nr_cmds = 0;
	set_error(submit->hw_fence, -ECANCELED);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_hang_mute);

/* The guilty job is not replayed, and its commands are yet to be dumped. */
static void mute_ring(struct msm_ringbuffer *ring,
		      const struct msm_gem_submit *guilty)
{
	struct msm_gem_submit *submit;
	unsigned long flags;

	spin_lock_irqsave(&ring->submit_lock, flags);
	list_for_each_entry(submit, &ring->submits, node)
		if (submit != guilty &&
		    !msm_fence_completed(ring->fctx, submit->seqno))
			msm_vm_hang_mute(submit);
	spin_unlock_irqrestore(&ring->submit_lock, flags);
}

/**
 * msm_vm_hang_blame - a job has hung the GPU
 * @submit: the job, not retired; gpu->lock is held
 *
 * Kills its VM, and mutes the jobs of dead VMs that are on a ring: they will be
 * replayed.  The job's fence will carry -EIO, as will those of binds that are
 * still queued.
 */
void msm_vm_hang_blame(struct msm_gem_submit *submit)
{
	struct msm_vm *vm = msm_vm_of(submit->queue->ctx);
	struct msm_gpu *gpu = submit->gpu;

	lockdep_assert_held(&gpu->lock);

	if (vm) {
		msm_vm_kill(vm, -EIO, "a job hung the GPU");
		set_error(submit->hw_fence, -EIO);
	}

	for (u32 i = 0; i < gpu->nr_rings; i++)
		mute_ring(gpu->rb[i], submit);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_hang_blame);
