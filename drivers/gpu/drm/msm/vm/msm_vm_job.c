// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bind job: the owner of everything that a VM_BIND ioctl takes on its way.
 *
 * create, resolve, reserve, lock: may sleep, may fail, change nothing that
 * anybody can see.  Then either commit, which cannot fail, or abort, which is
 * legal after any of them.
 *
 * Promises: after abort all is as before; after commit the VMA tree is
 * changed, the job is queued and the out fence will signal.
 *
 * Terms: the ioctl and the scheduler each hold a reference; the last one frees
 * the job, and with it the BOs whose entries the job cleared.  A BO that the job
 * maps, and each live VMA that is gone, has a pin on its pages until then: they
 * cannot be purged or evicted under an entry that reclaim does not know of.
 *
 * Trap: once pushed, the job can run and retire at any moment.
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <kunit/visibility.h>

#include <drm/drm_file.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "msm_vm.h"
#include "msm_vm_fence.h"
#include "msm_vm_job.h"
#include "msm_vm_queue.h"
#include "msm_vm_refuse.h"
#include "msm_vm_reserve.h"
#include "msm_vm_trace.h"

/* How many BOs to pin or unpin before others get a chance. */
#define LRU_BATCH	1024

static struct msm_drm_private *job_priv(struct msm_vm_job *job)
{
	return job->vm->base.drm->dev_private;
}

/**
 * msm_vm_job_create - an empty job
 * @queue: the queue it is for
 * @nr_ops: how many requests it will carry, zero is fine
 *
 * Return: the job, or ERR_PTR(-ENOMEM).
 */
struct msm_vm_job *msm_vm_job_create(struct msm_vm_queue *queue, u32 nr_ops)
{
	struct msm_vm_job *job;

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);

	kref_init(&job->ref);
	job->queue = msm_vm_queue_get(queue);
	job->vm = queue->vm;
	atomic_inc(&job->vm->jobs);
	job->number = atomic64_inc_return(&job->vm->last_job);
	job->fd = -1;
	job->nr_ops = nr_ops;
	msm_vm_turn_init(&job->turn);
	msm_vm_turn_init(&job->maps);
	msm_vma_update_init(&job->update, job->number);

	if (!nr_ops)
		return job;

	job->ops = kvcalloc(nr_ops, sizeof(*job->ops),
			    GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
			    __GFP_RETRY_MAYFAIL);
	if (job->ops)
		return job;

	job->nr_ops = 0;
	msm_vm_job_put(job);

	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_create);

/* Every GPU job of the device takes the LRU lock, so do not sit on it. */
static void relax_lru(struct msm_drm_private *priv, u32 *nr)
{
	if (++*nr % LRU_BATCH)
		return;

	mutex_unlock(&priv->lru.lock);
	cond_resched();
	mutex_lock(&priv->lru.lock);
}

static void unpin_all(struct msm_vm_job *job)
{
	struct msm_drm_private *priv = job_priv(job);
	struct msm_vma *vma;
	u32 i, nr = 0;

	mutex_lock(&priv->lru.lock);
	list_for_each_entry(vma, &job->update.gone, node) {
		if (msm_vma_has_pages(vma))
			msm_gem_unpin_active(vma->base.gem.obj);
		relax_lru(priv, &nr);
	}
	for (i = 0; i < job->nr_ops; i++) {
		if (job->ops[i].pinned)
			msm_gem_unpin_active(job->ops[i].obj);
		relax_lru(priv, &nr);
	}
	mutex_unlock(&priv->lru.lock);
}

static void put_objects(struct msm_vm_job *job)
{
	struct msm_vma *vma;
	u32 i;

	list_for_each_entry(vma, &job->update.gone, node) {
		drm_gem_object_put(vma->base.gem.obj);
		cond_resched();
	}
	for (i = 0; i < job->nr_ops; i++) {
		if (job->ops[i].obj)
			drm_gem_object_put(job->ops[i].obj);
		cond_resched();
	}
}

static void release_tables(struct msm_vm_job *job)
{
	const struct msm_vm_range *range;
	u32 i = 0;

	list_for_each_entry(range, &job->maps.ranges, node) {
		if (i++ == job->nr_promised)
			break;
		msm_vm_tables_release(&job->vm->tables, range->first,
				      range->last);
	}
}

static u64 pages_set_aside(struct msm_vm_job *job)
{
	return READ_ONCE(job->vm->tables.pool.count);
}

static void release_reserved(struct msm_vm_job *job)
{
	u32 gone = trace_msm_vm_retire_enabled() ?
		   list_count_nodes(&job->update.gone) : 0;

	msm_vm_reserve_free_vmas(&job->update.gone);
	msm_vm_reserve_free_vmas(&job->update.spare);
	release_tables(job);
	if (job->fence)
		trace_msm_vm_retire(job->vm, job->number, gone,
				    pages_set_aside(job));
}

static void job_free(struct kref *ref)
{
	struct msm_vm_job *job = container_of(ref, struct msm_vm_job, ref);

	unpin_all(job);
	put_objects(job);
	release_reserved(job);

	if (job->base.s_fence)
		drm_sched_job_cleanup(&job->base);
	if (job->sync_file)
		fput(job->sync_file->file);
	if (job->fd >= 0)
		put_unused_fd(job->fd);
	msm_syncobj_release(&job->syncobjs);
	dma_fence_put(job->fence);

	atomic_dec(&job->vm->jobs);
	msm_vm_queue_put(job->queue);
	kvfree(job->ops);
	kfree(job);
}

/**
 * msm_vm_job_put - drop a reference
 * @job: the job
 *
 * The last one gives everything back.  May sleep; not for the fence
 * signalling path.
 */
void msm_vm_job_put(struct msm_vm_job *job)
{
	kref_put(&job->ref, job_free);
}

static int resolve_op(struct msm_vm_job *job, struct msm_vm_op *op,
		      struct drm_file *file)
{
	struct drm_gem_object *obj;

	if (!op->req.map || op->req.null)
		return 0;

	obj = drm_gem_object_lookup(file, op->req.handle);
	if (!obj)
		return msm_vm_refuse(job->vm, -EINVAL, "no BO with handle %u",
				     op->req.handle);
	op->obj = obj;

	if (op->req.obj_end > obj->size)
		return msm_vm_refuse(job->vm, -EINVAL, "beyond the end of BO %u",
				     op->req.handle);

	if (to_msm_bo(obj)->vram_node)
		return msm_vm_refuse(job->vm, -EINVAL, "BO %u is carved out",
				     op->req.handle);

	return 0;
}

/**
 * msm_vm_job_resolve - look up the BOs
 * @job: the job, with its requests filled in
 * @file: whose handles they are
 *
 * Return: 0, -EINVAL for a handle that is not there or a range that the BO does
 * not have, or -EINTR when the caller is being killed.
 */
int msm_vm_job_resolve(struct msm_vm_job *job, struct drm_file *file)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < job->nr_ops && !ret; i++) {
		ret = fatal_signal_pending(current) ? -EINTR :
			resolve_op(job, &job->ops[i], file);
		cond_resched();
	}

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_resolve);

static void add_ranges(struct msm_vm_job *job)
{
	u32 i;

	for (i = 0; i < job->nr_ops; i++) {
		const struct msm_vm_request *req = &job->ops[i].req;

		msm_vm_turn_add(&job->turn, &job->ops[i].range, req->iova,
				req->iova + req->range - 1);
	}
	msm_vm_turn_sort(&job->turn);
}

/*
 * A job may name an address millions of times; its tables are looked at once.
 * In the order of the turn, which is still op by op: sorting is what a large
 * job in no order pays for.
 */
static void add_maps(struct msm_vm_job *job)
{
	const struct msm_vm_range *range;

	list_for_each_entry(range, &job->turn.ranges, node) {
		struct msm_vm_op *op =
			container_of(range, struct msm_vm_op, range);

		if (op->req.map)
			msm_vm_turn_add(&job->maps, &op->mapped, range->first,
					range->last);
	}
	msm_vm_turn_close(&job->maps);
}

static bool misses_tables(const struct msm_vm_job *job)
{
	const struct msm_vm_range *range;

	list_for_each_entry(range, &job->maps.ranges, node)
		if (!msm_vm_tables_all_made(&job->vm->tables, range->first,
					    range->last))
			return true;

	return false;
}

static int promise_each(struct msm_vm_job *job)
{
	const struct msm_vm_range *range;
	int ret;

	list_for_each_entry(range, &job->maps.ranges, node) {
		ret = msm_vm_tables_promise(&job->vm->tables, range->first,
					    range->last);
		if (ret)
			return ret;
		job->nr_promised++;
	}

	return 0;
}

static int promise_tables(struct msm_vm_job *job)
{
	struct msm_vm_tables *tables = &job->vm->tables;
	int ret;

	if (!misses_tables(job))
		return promise_each(job);

	ret = msm_vm_tables_begin(tables);
	if (ret)
		return ret;

	ret = promise_each(job);
	msm_vm_tables_end_promises(tables);

	return ret;
}

static u64 worst_vmas(struct msm_vm_job *job)
{
	u64 count = 0;
	u32 i;

	for (i = 0; i < job->nr_ops; i++)
		count += job->ops[i].req.map ? MSM_VMA_MAX_PER_MAP :
					       MSM_VMA_MAX_PER_UNMAP;

	return count;
}

/**
 * msm_vm_job_reserve - set aside all that the job can need
 * @job: the job, resolved
 * @file: on whose behalf
 *
 * Waits, with no lock held, while too much is set aside for the VM.
 *
 * Return: 0, -ENOMEM, -EINTR when the caller is being killed, or -ERESTARTSYS
 * when a signal came while waiting.
 */
int msm_vm_job_reserve(struct msm_vm_job *job, struct drm_file *file)
{
	u64 vmas = worst_vmas(job);
	int ret;

	job->fence = msm_vm_fence_create(job->queue->fences);
	if (!job->fence)
		return -ENOMEM;

	add_ranges(job);
	add_maps(job);
	msm_vm_turn_close(&job->turn);

	ret = drm_sched_job_init(&job->base, &job->queue->entity, 1, job->vm,
				 file->client_id);
	if (!ret)
		ret = msm_vm_reserve_vmas(&job->update.spare, vmas);
	if (!ret)
		ret = promise_tables(job);
	if (ret)
		return ret;

	trace_msm_vm_reserve(job->vm, job->number, job->nr_ops, vmas,
			     pages_set_aside(job));

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_reserve);

/**
 * msm_vm_job_wait_for - do not run before a fence has signalled
 * @job: the job, reserved
 * @fence_fd: fd of a sync_file
 *
 * Return: 0, -EINVAL if the fd is no fence, or -ENOMEM.
 */
int msm_vm_job_wait_for(struct msm_vm_job *job, int fence_fd)
{
	struct dma_fence *fence = sync_file_get_fence(fence_fd);

	if (!fence)
		return msm_vm_refuse(job->vm, -EINVAL, "fd %d is no fence",
				     fence_fd);

	return drm_sched_job_add_dependency(&job->base, fence);
}

/**
 * msm_vm_job_want_fd - set aside an fd for the out fence
 * @job: the job, reserved
 *
 * Nobody can see the fd before commit.
 *
 * Return: 0, -EMFILE if there is no fd, or -ENOMEM, also if the system has no
 * file left.
 */
int msm_vm_job_want_fd(struct msm_vm_job *job)
{
	job->fd = get_unused_fd_flags(O_CLOEXEC);
	if (job->fd < 0)
		return msm_vm_refuse(job->vm, job->fd, "no fd for the fence");

	job->sync_file = sync_file_create(job->fence);

	return job->sync_file ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_want_fd);

/**
 * msm_vm_job_sync - wait for the in-syncobjs, prepare the out-syncobjs
 * @job: the job, reserved
 * @file: whose handles they are
 * @args: the ioctl's arguments
 *
 * An array is looked at when both its address and its length are given.  No
 * syncobj changes before commit.
 *
 * Return: 0, or what msm_syncobj_parse_in() and msm_syncobj_parse_out() say.
 */
int msm_vm_job_sync(struct msm_vm_job *job, struct drm_file *file,
		    const struct drm_msm_vm_bind *args)
{
	const struct msm_syncobj_array in = {
		.addr = args->in_syncobjs,
		.nr = args->in_syncobjs ? args->nr_in_syncobjs : 0,
		.stride = args->syncobj_stride,
	};
	const struct msm_syncobj_array out = {
		.addr = args->out_syncobjs,
		.nr = args->out_syncobjs ? args->nr_out_syncobjs : 0,
		.stride = args->syncobj_stride,
	};
	int ret;

	ret = msm_syncobj_parse_in(&job->syncobjs, file, &in, &job->base);

	return ret ?: msm_syncobj_parse_out(&job->syncobjs, file, &out);
}

static void commit_tree(struct msm_vm_job *job)
{
	struct drm_gpuvm *vm = &job->vm->base;
	u32 i;

	drm_gpuvm_resv_assert_held(vm);

	for (i = 0; i < job->nr_ops; i++) {
		struct msm_vm_op *op = &job->ops[i];

		if (op->req.map)
			msm_vma_map(vm, &op->req, op->vm_bo, &op->map,
				    &job->update);
		else
			msm_vma_unmap(vm, &op->req, &job->update);
		cond_resched();
	}
}

/* Entries that stay until the job has run, without a VMA that tells reclaim. */
static void commit_pins(struct msm_vm_job *job)
{
	struct msm_drm_private *priv = job_priv(job);
	struct msm_vma *vma;
	u32 nr = 0;

	mutex_lock(&priv->lru.lock);
	list_for_each_entry(vma, &job->update.gone, node) {
		if (msm_vma_has_pages(vma))
			msm_gem_pin_obj_locked(vma->base.gem.obj);
		relax_lru(priv, &nr);
	}
	mutex_unlock(&priv->lru.lock);
}

static void commit_fences(struct msm_vm_job *job)
{
	u32 i;

	for (i = 0; i < job->nr_ops; i++) {
		if (job->ops[i].obj)
			dma_resv_add_fence(job->ops[i].obj->resv, job->fence,
					   DMA_RESV_USAGE_KERNEL);
		cond_resched();
	}
}

static void trace_commit(struct msm_vm_job *job)
{
	if (trace_msm_vm_commit_enabled())
		trace_msm_vm_commit(job->vm, job->number,
				    job->queue->id, job->turn.number,
				    job->nr_ops,
				    list_count_nodes(&job->update.pt.list));
}

/**
 * msm_vm_job_commit - make it so
 * @job: the job, locked; the caller's reference is consumed
 * @args: the ioctl's arguments, gets the out fence fd
 *
 * Jobs of a VM are pushed under its reservation lock, so that page-table edits
 * can follow the order of the changes of the tree.
 */
void msm_vm_job_commit(struct msm_vm_job *job, struct drm_msm_vm_bind *args)
{
	commit_tree(job);
	commit_pins(job);

	msm_vm_fence_number(job->fence, ++job->queue->seqno);
	drm_sched_job_arm(&job->base);
	msm_vm_order_begin(&job->vm->order, &job->turn);
	commit_fences(job);
	trace_commit(job);
	kref_get(&job->ref);
	drm_sched_entity_push_job(&job->base);
	msm_vm_job_unlock(job);

	/* The caller's reference keeps the fence, should the job be over. */
	msm_syncobj_commit(&job->syncobjs, job->fence);
	msm_syncobj_release(&job->syncobjs);

	if (job->sync_file) {
		fd_install(job->fd, job->sync_file->file);
		args->fence_fd = job->fd;
		job->sync_file = NULL;
		job->fd = -1;
	}

	msm_vm_job_put(job);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_commit);

/**
 * msm_vm_job_abort - undo everything
 * @job: the job, in any phase before commit; must not be used afterwards
 */
void msm_vm_job_abort(struct msm_vm_job *job)
{
	msm_vm_job_unlock(job);
	msm_vm_job_put(job);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_job_abort);
