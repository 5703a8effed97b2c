/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_JOB_H__
#define __MSM_VM_JOB_H__

#include <linux/kref.h>
#include <linux/workqueue.h>

#include <drm/drm_exec.h>
#include <drm/gpu_scheduler.h>

#include "../msm_syncobj.h"
#include "msm_vm_order.h"
#include "msm_vm_request.h"
#include "msm_vma.h"

struct dma_fence;
struct drm_file;
struct drm_msm_vm_bind;
struct msm_vm;
struct msm_vm_queue;
struct sync_file;

/**
 * struct msm_vm_op - a request and what was gathered for it
 * @req: the request
 * @obj: the BO of a map, referenced until the job is freed
 * @vm_bo: connection of VM and BO, held while the locks are
 * @pinned: the backing pages are pinned until the job is freed
 * @map: the page-table edit of a map
 * @range: what it changes, in the job's turn
 * @mapped: what it maps, in &msm_vm_job.maps
 */
struct msm_vm_op {
	struct msm_vm_request req;
	struct drm_gem_object *obj;
	struct drm_gpuvm_bo *vm_bo;
	bool pinned;
	struct msm_pt_op map;
	struct msm_vm_range range;
	struct msm_vm_range mapped;
};

/**
 * struct msm_vm_job - a VM_BIND ioctl on its way, and the owner of all it took
 * @base: the scheduler job; initialized when @base.s_fence is set
 * @ref: the ioctl, and the scheduler once the job is pushed
 * @number: tells it from the other jobs of its VM, for tracing
 * @vm: the VM, which @queue keeps
 * @queue: counted reference
 * @fence: the out fence
 * @sync_file: made from @fence when asked for, until the fd is installed
 * @fd: number set aside for @sync_file, or -1
 * @syncobjs: those to reset and those that get @fence, until commit
 * @exec: the locks; initialized when @locked
 * @locked: between msm_vm_job_lock() and commit or abort
 * @maps: what the job maps, each address once; not a turn to take
 * @nr_promised: for how many ranges of @maps page tables are promised
 * @turn: which jobs to wait for, which wait for this one
 * @update: VMAs and the page-table edits that are left to do
 * @edit_done: how much of the first edit there is done already, in bytes
 * @error: why the maps that are left will not be made, or zero
 * @run: makes them, when there is more to do than others should wait for
 * @retire: frees the job outside of the scheduler
 * @nr_ops: number of @ops
 * @ops: what to do, in order
 */
struct msm_vm_job {
	struct drm_sched_job base;
	struct kref ref;
	u64 number;
	struct msm_vm *vm;
	struct msm_vm_queue *queue;
	struct dma_fence *fence;
	struct sync_file *sync_file;
	int fd;
	struct msm_syncobjs syncobjs;
	struct drm_exec exec;
	bool locked;
	struct msm_vm_turn maps;
	u32 nr_promised;
	struct msm_vm_turn turn;
	struct msm_vma_update update;
	u64 edit_done;
	int error;
	struct work_struct run;
	struct work_struct retire;
	u32 nr_ops;
	struct msm_vm_op *ops;
};

#define to_msm_vm_job(job) container_of(job, struct msm_vm_job, base)
#define turn_to_job(t) container_of(t, struct msm_vm_job, turn)

struct msm_vm_job *msm_vm_job_create(struct msm_vm_queue *queue, u32 nr_ops);
int msm_vm_job_resolve(struct msm_vm_job *job, struct drm_file *file);
int msm_vm_job_reserve(struct msm_vm_job *job, struct drm_file *file);
int msm_vm_job_wait_for(struct msm_vm_job *job, int fence_fd);
int msm_vm_job_want_fd(struct msm_vm_job *job);
int msm_vm_job_sync(struct msm_vm_job *job, struct drm_file *file,
		    const struct drm_msm_vm_bind *args);
int msm_vm_job_lock(struct msm_vm_job *job);
void msm_vm_job_unlock(struct msm_vm_job *job);
void msm_vm_job_commit(struct msm_vm_job *job, struct drm_msm_vm_bind *args);
void msm_vm_job_abort(struct msm_vm_job *job);
void msm_vm_job_put(struct msm_vm_job *job);

#endif /* __MSM_VM_JOB_H__ */
