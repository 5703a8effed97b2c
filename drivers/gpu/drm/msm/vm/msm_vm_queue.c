// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands behind a submitqueue that was made with MSM_SUBMITQUEUE_VM_BIND.
 *
 * Promises: jobs of a queue run in the order of the ioctls, one after the
 * other; a queue that userspace has closed still runs what is in it.
 *
 * Trap: the last reference may go with a job, so it must not be dropped in the
 * scheduler's own work.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "msm_vm.h"
#include "msm_vm_queue.h"

/**
 * msm_vm_queue_create - a queue for binds
 * @ctx: the context, which has opted in to VM_BIND
 *
 * Return: the queue with one reference, or ERR_PTR(-ENOMEM).
 */
struct msm_vm_queue *msm_vm_queue_create(struct msm_file_private *ctx)
{
	struct msm_vm *vm = msm_vm_of(ctx);
	struct drm_gpu_scheduler *sched = &vm->sched;
	struct msm_vm_queue *queue;
	int ret;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);

	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL,
				    &sched, 1, NULL);
	if (ret) {
		kfree(queue);
		return ERR_PTR(ret);
	}

	kref_init(&queue->ref);
	queue->vm = msm_vm_get(vm);
	queue->fences = dma_fence_context_alloc(1);

	return queue;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_queue_create);

/**
 * msm_vm_queue_get - take a reference
 * @queue: the queue
 *
 * Return: @queue.
 */
struct msm_vm_queue *msm_vm_queue_get(struct msm_vm_queue *queue)
{
	kref_get(&queue->ref);

	return queue;
}

static void queue_free(struct kref *ref)
{
	struct msm_vm_queue *queue = container_of(ref, struct msm_vm_queue, ref);

	/* Each job holds a reference, so nothing is queued any more. */
	drm_sched_entity_destroy(&queue->entity);
	msm_vm_put(queue->vm);
	kfree_rcu(queue, rcu);
}

/**
 * msm_vm_queue_put - drop a reference
 * @queue: the queue or NULL
 *
 * May sleep.
 */
void msm_vm_queue_put(struct msm_vm_queue *queue)
{
	if (queue)
		kref_put(&queue->ref, queue_free);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_queue_put);
