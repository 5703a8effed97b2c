/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_QUEUE_H__
#define __MSM_VM_QUEUE_H__

#include <linux/kref.h>
#include <linux/rcupdate.h>

#include <drm/gpu_scheduler.h>

struct msm_file_private;
struct msm_vm;

/**
 * struct msm_vm_queue - jobs of a VM that run one after the other
 * @ref: the submitqueue and each job of it
 * @vm: the VM, counted
 * @id: the submitqueue's, for the log
 * @fences: fence context of its jobs
 * @seqno: of the fence of the last job; guarded by the VM's reservation lock
 * @entity: the queue as the scheduler of the VM sees it
 * @rcu: frees the queue, see DOC: Lifetimes
 */
struct msm_vm_queue {
	struct kref ref;
	struct msm_vm *vm;
	u32 id;
	u64 fences;
	u64 seqno;
	struct drm_sched_entity entity;
	struct rcu_head rcu;
};

struct msm_vm_queue *msm_vm_queue_create(struct msm_file_private *ctx);
struct msm_vm_queue *msm_vm_queue_get(struct msm_vm_queue *queue);
void msm_vm_queue_put(struct msm_vm_queue *queue);

#endif /* __MSM_VM_QUEUE_H__ */
