// SPDX-License-Identifier: GPL-2.0-only
/*
 * The out fence of a bind job.
 *
 * It exists before the scheduler job is armed, so that a sync_file and fence
 * slots can be made while the ioctl may still fail, and it depends on nothing
 * but this module: it may outlive the DRM file, the VM and its scheduler.
 *
 * The fences of a bind queue are one timeline: of all its jobs in flight, each
 * BO needs to remember the last one only.  A fence gets its place when the job
 * is queued, since ioctls may overtake each other until then; nobody can see it
 * before.
 */

#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "msm_vm_fence.h"

struct msm_vm_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
};

static const char *get_driver_name(struct dma_fence *fence)
{
	return "msm";
}

static const char *get_timeline_name(struct dma_fence *fence)
{
	return "vm_bind";
}

/* The module's exit waits for this with rcu_barrier(). */
static void free_rcu_fence(struct rcu_head *rcu)
{
	struct dma_fence *fence = container_of(rcu, struct dma_fence, rcu);

	kfree(container_of(fence, struct msm_vm_fence, base));
	module_put(THIS_MODULE);
}

static void release(struct dma_fence *fence)
{
	call_rcu(&fence->rcu, free_rcu_fence);
}

static const struct dma_fence_ops fence_ops = {
	.use_64bit_seqno = true,
	.get_driver_name = get_driver_name,
	.get_timeline_name = get_timeline_name,
	.release = release,
};

/**
 * msm_vm_fence_create - a fence that has not signalled
 * @context: of the bind queue
 *
 * Must be called while a DRM file of the module is open.  May sleep.
 *
 * Return: the fence with one reference, or NULL when memory is short.
 */
struct dma_fence *msm_vm_fence_create(u64 context)
{
	struct msm_vm_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence)
		return NULL;

	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock, context, 0);

	return &fence->base;
}

/**
 * msm_vm_fence_number - give a fence its place on the timeline
 * @fence: the fence, which nobody else has seen
 * @seqno: its place; jobs of the queue run in this order
 */
void msm_vm_fence_number(struct dma_fence *fence, u64 seqno)
{
	fence->seqno = seqno;
}

/**
 * msm_vm_fence_signal - say that the job is over
 * @fence: the fence; nothing happens if it has signalled already
 * @error: zero, or a negative errno if the job was not applied as a whole
 */
void msm_vm_fence_signal(struct dma_fence *fence, int error)
{
	if (dma_fence_is_signaled(fence))
		return;

	if (error)
		dma_fence_set_error(fence, error);
	dma_fence_signal(fence);
}
