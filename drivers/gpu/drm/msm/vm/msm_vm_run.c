// SPDX-License-Identifier: GPL-2.0-only
/*
 * The asynchronous half of VM_BIND: the scheduler's back end.
 *
 * A job arrives here with everything it needs.  It edits the page table,
 * flushes the TLB and signals its fence, all of it on the fence signalling
 * path, which is annotated so that lockdep proves what the code claims: no
 * allocation, no reservation lock.
 *
 * Promises: a job always runs; when the VM dies or its context is closed, the
 * maps are skipped from there on, also in the middle of one; the fence signals
 * after the TLB holds nothing that the job cleared, with an error if the job
 * was not applied as a whole; what the job removed is let go of later, in a
 * worker, where sleeping is harmless; a long job of one client does not hold up
 * those of others.
 *
 * Terms: a *slice* is as much of a job as is done before the next in line has its
 * turn, whichever VM it is of.  The job's own VM runs nothing else in between,
 * as all credits of its scheduler are taken.
 */

#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/fault-inject.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <kunit/visibility.h>

#include <drm/drm_device.h>

#include "msm_vm.h"
#include "msm_vm_fence.h"
#include "msm_vm_job.h"
#include "msm_vm_queue.h"
#include "msm_vm_run.h"
#include "msm_vm_trace.h"

/* On the reclaim path: others wait for fences that jobs signal. */
static struct workqueue_struct *run_wq;

/* Jobs that run at once: work that no client is charged for */
#define MAX_RUNNING 16

/* Not on it: frees memory, takes locks of the GEM core. */
static struct workqueue_struct *retire_wq;

/* Not told to anybody: what was not mapped, nobody is left to miss. */
#define CLOSED (-ESHUTDOWN)

/* How much to edit before looking whether somebody else wants the CPU. */
#define CHUNK SZ_64M

/* A slice, in entries of the page table, and what an edit costs besides. */
#define SLICE_BYTES SZ_1G
#define SLICE (SLICE_BYTES >> PAGE_SHIFT)
#define EDIT_COST 64

/*
 * debugfs "fail_vm_map": lets a map fail here, which no input of userspace can
 * bring about, see Documentation/fault-injection.  A size is that of a step, in
 * bytes, of CHUNK at most.
 */
DECLARE_FAULT_ATTR(fail_vm_map);

/*
 * Reclaim may wait for the lock to take out another BO, so hold it for a chunk
 * at a time.  What a job edits is pinned: nobody else edits it in between.
 */
static void begin_edit(struct msm_vm *vm)
{
	mutex_lock(&vm->pt_lock);
	msm_pgtable_lend(vm->pt, &vm->tables.pool);
}

static void end_edit(struct msm_vm *vm)
{
	msm_pgtable_lend(vm->pt, NULL);
	mutex_unlock(&vm->pt_lock);
	cond_resched();
}

static int map_fault(u64 size)
{
	return should_fail(&fail_vm_map, size) ? -EIO : 0;
}

static int map_chunk(struct msm_vm *vm, u64 iova, struct page **pages,
		     u64 size, int prot)
{
	int ret = map_fault(size);

	if (ret)
		return ret;

	return pages ? msm_pgtable_map(vm->pt, iova, pages, size, prot) :
		       msm_pgtable_map_null(vm->pt, iova, size);
}

/* Why no entry needs to be made any more, or zero. */
static int is_in_vain(struct msm_vm *vm)
{
	if (READ_ONCE(vm->closed))
		return CLOSED;

	return READ_ONCE(vm->error);
}

/* Without pages: to the page that reads zero. */
static int target_map(void *cookie, u64 iova, struct page **pages, u64 size,
		      int prot)
{
	struct msm_vm *vm = cookie;
	u64 done = 0, chunk;
	int ret = 0;

	while (done < size && !ret) {
		ret = is_in_vain(vm);
		if (ret)
			break;

		chunk = min_t(u64, size - done, CHUNK);
		begin_edit(vm);
		ret = map_chunk(vm, iova + done,
				pages ? pages + (done >> PAGE_SHIFT) : NULL,
				chunk, prot);
		end_edit(vm);
		done += chunk;
	}

	/* Also where it failed: some of the tables may be there. */
	if (done)
		msm_vm_tables_made(&vm->tables, iova, iova + done - 1);

	return ret;
}

static int target_map_null(void *cookie, u64 iova, u64 size)
{
	return target_map(cookie, iova, NULL, size, 0);
}

static void target_unmap(void *cookie, u64 iova, u64 size)
{
	struct msm_vm *vm = cookie;
	u64 done, chunk;

	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u64, size - done, CHUNK);
		begin_edit(vm);
		msm_pgtable_unmap(vm->pt, iova + done, chunk);
		end_edit(vm);
	}
}

/**
 * msm_vm_run_clear - clear what there is in a part of a page table in doubt
 * @vm: a VM in which nothing is going to be mapped any more
 * @iova: first address
 * @last: last address of interest, inclusive
 *
 * Does one last-level table, with &msm_vm.pt_lock held.  A table that has been
 * cleared as a whole is not looked at again: a large range costs what tables there
 * are once, however often a client has mapped and unmapped it.
 *
 * Return: where to go on, or a value above @last.
 */
u64 msm_vm_run_clear(struct msm_vm *vm, u64 iova, u64 last)
{
	u64 end;

	lockdep_assert_held(&vm->pt_lock);

	iova = msm_vm_tables_next(&vm->tables, iova, last);
	if (iova > last)
		return iova;

	end = min(msm_vm_tables_end(iova), last + 1);
	msm_pgtable_unmap_sparse(vm->pt, iova, end - iova);
	msm_vm_tables_cleared(&vm->tables, iova, end - 1);

	return end;
}

static void target_unmap_sparse(void *cookie, u64 iova, u64 size)
{
	struct msm_vm *vm = cookie;
	u64 last = iova + size - 1;

	while (iova <= last) {
		begin_edit(vm);
		iova = msm_vm_run_clear(vm, iova, last);
		end_edit(vm);
	}
}

static void target_flush(void *cookie)
{
	struct msm_vm *vm = cookie;

	msm_pgtable_flush(vm->pt);
}

static const struct msm_pt_target pgtable_target = {
	.map = target_map,
	.map_null = target_map_null,
	.unmap = target_unmap,
	.unmap_sparse = target_unmap_sparse,
	.flush = target_flush,
};

/*
 * If the next edit is longer than a slice, take its beginning as an edit of its
 * own, @part, and leave the rest.
 */
static bool cut_part(struct msm_vm_job *job, struct msm_pt_ops *slice,
		     struct msm_pt_op *part)
{
	struct msm_pt_op *op;

	op = list_first_entry_or_null(&job->update.pt.list, struct msm_pt_op, node);
	if (!op || op->range <= SLICE_BYTES)
		return false;

	*part = *op;
	part->range = SLICE_BYTES;
	msm_pt_ops_stage(slice, part);

	op->iova += SLICE_BYTES;
	op->range -= SLICE_BYTES;
	if (op->pages)
		op->pages += SLICE;
	job->edit_done += SLICE_BYTES;

	return true;
}

/* Take the next edits from the job: a slice of them, or what is left. */
static void cut_slice(struct msm_vm_job *job, struct msm_pt_ops *slice)
{
	struct list_head *todo = &job->update.pt.list;
	struct msm_pt_op *op;
	u64 cost = 0;

	list_for_each_entry(op, todo, node) {
		if (op->range > SLICE_BYTES) {
			list_cut_before(&slice->list, todo, &op->node);
			return;
		}
		cost += EDIT_COST + (op->range >> PAGE_SHIFT);
		if (cost >= SLICE) {
			list_cut_position(&slice->list, todo, &op->node);
			return;
		}
	}
	list_splice_init(todo, &slice->list);
}

/*
 * With an error, the maps were not made as a whole.  The first edit may be the
 * last part of a long one, which is told as a whole.
 */
static void log_edits(struct msm_vm_job *job, const struct msm_pt_ops *slice)
{
	struct msm_pt_op *op;

	list_for_each_entry(op, &slice->list, node) {
		op->iova -= job->edit_done;
		op->range += job->edit_done;
		job->edit_done = 0;
		if (!job->error || op->kind == MSM_PT_UNMAP)
			msm_vm_log_add(&job->vm->log, op, job->queue->id);
		cond_resched();
	}
}

/* Nothing of the job may be touched when its fence has signalled. */
static void finish(struct msm_vm_job *job)
{
	struct msm_vm *vm = job->vm;
	int err = job->error;

	msm_vm_log_bind(&vm->log, job->nr_ops);
	if (err == CLOSED)
		err = READ_ONCE(vm->error);
	trace_msm_vm_run(vm, job->number, job->turn.number, err,
			 job->update.pt.flushes,
			 atomic_long_read(&vm->tables.made));

	if (err)
		msm_vm_kill(vm, err, "a bind was not applied");
	msm_vm_order_end(&vm->order, &job->turn);
	msm_vm_fence_signal(job->fence, err);
}

/* Return: is anything left to do? */
static bool apply_slice(struct msm_vm_job *job)
{
	struct msm_vm *vm = job->vm;
	struct msm_pt_ops slice;
	struct msm_pt_op part;
	bool is_part;

	msm_pt_ops_init(&slice);
	is_part = cut_part(job, &slice, &part);
	if (!is_part)
		cut_slice(job, &slice);
	job->error = msm_pt_ops_apply(&slice, &pgtable_target, vm,
				      job->error ?: is_in_vain(vm));
	job->update.pt.flushes += slice.flushes;
	if (!is_part)
		log_edits(job, &slice);

	return !list_empty(&job->update.pt.list);
}

/* Jobs of one queue come in order; those of the others are asked for here. */
static struct dma_fence *prepare_job(struct drm_sched_job *base,
				     struct drm_sched_entity *entity)
{
	struct msm_vm_job *job = to_msm_vm_job(base);
	struct msm_vm_turn *turn;

	turn = msm_vm_order_blocker(&job->vm->order, &job->turn);
	if (!turn)
		return NULL;

	return dma_fence_get(&turn_to_job(turn)->base.s_fence->finished);
}

static void run_slice(struct work_struct *work)
{
	struct msm_vm_job *job = container_of(work, struct msm_vm_job, run);
	struct dma_fence *fence = dma_fence_get(job->fence);
	bool cookie = dma_fence_begin_signalling();

	if (apply_slice(job))
		queue_work(run_wq, work);
	else
		finish(job);
	dma_fence_end_signalling(cookie);
	dma_fence_put(fence);
}

/* Return: NULL when it is done; else what signals then. */
static struct dma_fence *run_job(struct drm_sched_job *base)
{
	struct msm_vm_job *job = to_msm_vm_job(base);
	bool cookie = dma_fence_begin_signalling();
	struct dma_fence *fence = NULL;

	if (apply_slice(job)) {
		fence = dma_fence_get(job->fence);
		INIT_WORK(&job->run, run_slice);
		queue_work(run_wq, &job->run);
	} else {
		finish(job);
	}
	dma_fence_end_signalling(cookie);

	return fence;
}

static void retire(struct work_struct *work)
{
	msm_vm_job_put(container_of(work, struct msm_vm_job, retire));
}

static void free_job(struct drm_sched_job *base)
{
	struct msm_vm_job *job = to_msm_vm_job(base);

	/* A job that the scheduler dropped: its VMAs are gone all the same. */
	if (!dma_fence_is_signaled(job->fence)) {
		msm_vm_kill(job->vm, -ECANCELED, "a bind was dropped");
		while (apply_slice(job))
			;
		finish(job);
	}

	drm_sched_job_cleanup(base);
	INIT_WORK(&job->retire, retire);
	queue_work(retire_wq, &job->retire);
}

static const struct drm_sched_backend_ops run_ops = {
	.prepare_job = prepare_job,
	.run_job = run_job,
	.free_job = free_job,
};

/**
 * msm_vm_run_setup - make the scheduler of a VM
 * @vm: the VM
 * @dev: the DRM device it is for
 *
 * Return: 0, or -ENOMEM with nothing left to tear down.
 */
int msm_vm_run_setup(struct msm_vm *vm, struct drm_device *dev)
{
	const struct drm_sched_init_args args = {
		.ops = &run_ops,
		.submit_wq = run_wq,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "msm-vm-bind",
		.dev = dev->dev,
	};

	return drm_sched_init(&vm->sched, &args);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_run_setup);

/**
 * msm_vm_run_teardown - stop the scheduler of a VM
 * @vm: the VM; no job and no queue of it is left
 *
 * Must not be called from the scheduler's own work.
 */
void msm_vm_run_teardown(struct msm_vm *vm)
{
	drm_sched_fini(&vm->sched);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_run_teardown);

/**
 * msm_vm_run_destroy - queue the end of a VM
 * @vm: the VM, whose &msm_vm.destroy is set up
 *
 * Callable from any context that may not take the VM apart itself.
 */
void msm_vm_run_destroy(struct msm_vm *vm)
{
	queue_rcu_work(retire_wq, &vm->destroy);
}

/**
 * msm_vm_run_init - make the workqueues, once per module
 *
 * Return: 0 or -ENOMEM.
 */
int msm_vm_run_init(void)
{
	run_wq = alloc_workqueue("msm-vm-run", WQ_UNBOUND | WQ_MEM_RECLAIM,
				 MAX_RUNNING);
	retire_wq = alloc_workqueue("msm-vm-retire", WQ_UNBOUND, 0);
	if (run_wq && retire_wq)
		return 0;

	msm_vm_run_exit();

	return -ENOMEM;
}

/**
 * msm_vm_run_exit - wait for the last VM to be gone and drop the workqueues
 */
void msm_vm_run_exit(void)
{
	if (retire_wq)
		destroy_workqueue(retire_wq);
	if (run_wq)
		destroy_workqueue(run_wq);
}
