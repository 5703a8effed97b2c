// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bind job given up in each of its phases, and jobs that run.
 *
 * The job, its queue and the scheduler are the driver's; the BO is one whose
 * pages are there.  There is no page table, so what runs here edits none: binds
 * without operations, and unmaps where nothing is mapped.
 */

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/fcntl.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <uapi/drm/msm_drm.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "../msm_gpu.h"
#include "../vm/msm_vm.h"
#include "../vm/msm_vm_job.h"
#include "../vm/msm_vm_queue.h"
#include "../vm/msm_vm_run.h"
#include "msm_vm_test_client.h"
#include "msm_vm_test_fence.h"

#define BASE		((u64)SZ_4G)
#define RANGE		((u64)SZ_1G * 512)
#define BO_PAGES	8
#define HANDLE		1
#define NO_HANDLE	2

/* Nobody waits that long */
#define PATIENCE	(20 * HZ)

/**
 * struct fixture - a client with a VM and a BO, without a GPU
 * @test: the test
 * @drm: the device
 * @priv: what the driver keeps for it
 * @file: the client: BO handles
 * @ctx: the client: its VM
 * @vm: the VM, which the fixture never lets go of
 * @aspace: of @vm
 * @queue: a bind queue
 * @bo: the BO, at %HANDLE
 * @pages: of @bo; nothing looks at them
 */
struct fixture {
	struct kunit *test;
	struct drm_device *drm;
	struct msm_drm_private priv;
	struct drm_file file;
	struct msm_file_private ctx;
	struct msm_vm vm;
	struct msm_gem_address_space aspace;
	struct msm_vm_queue *queue;
	struct msm_gem_object bo;
	struct page *pages[BO_PAGES];
};

/* Phases of a job before commit */
enum phase { CREATE, RESOLVE, RESERVE, WANT_FD, LOCK, PHASES };

static void bo_free(struct drm_gem_object *obj)
{
	drm_gem_lru_remove(obj);
	drm_gem_object_release(obj);
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

static void vm_free(struct drm_gpuvm *vm)
{
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.sm_step_map = msm_vma_step_map,
	.sm_step_remap = msm_vma_step_remap,
	.sm_step_unmap = msm_vma_step_unmap,
};

static void setup_device(struct fixture *fix)
{
	struct msm_drm_private *priv = &fix->priv;

	fix->drm = msm_vm_test_device(fix->test, DRIVER_GEM | DRIVER_GEM_GPUVA);
	fix->drm->dev_private = priv;
	mutex_init(&priv->lru.lock);
	drm_gem_lru_init(&priv->lru.unbacked, &priv->lru.lock);
	drm_gem_lru_init(&priv->lru.pinned, &priv->lru.lock);
	drm_gem_lru_init(&priv->lru.willneed, &priv->lru.lock);
	drm_gem_lru_init(&priv->lru.dontneed, &priv->lru.lock);
}

static void setup_bo(struct fixture *fix)
{
	msm_vm_test_client(&fix->file, HANDLE);
	msm_vm_test_add_bo(fix->test, fix->drm, &fix->file, &fix->bo.base,
			   BO_PAGES * PAGE_SIZE, HANDLE);
	fix->bo.base.funcs = &bo_funcs;
	fix->bo.pages = fix->pages;
	fix->bo.madv = MSM_MADV_WILLNEED;
}

static void setup_vm(struct fixture *fix)
{
	struct kunit *test = fix->test;
	struct msm_vm *vm = &fix->vm;
	struct drm_gem_object *resv = drm_gpuvm_resv_object_alloc(fix->drm);

	KUNIT_ASSERT_NOT_NULL(test, resv);
	kref_init(&vm->users);
	mutex_init(&vm->pt_lock);
	vm->aspace = &fix->aspace;
	msm_vm_tables_init(&vm->tables, 48);
	msm_vm_order_init(&vm->order);
	msm_vm_log_init(&vm->log);
	drm_gpuvm_init(&vm->base, "test", 0, fix->drm, resv, BASE, RANGE, 0, 0,
		       &vm_ops);
	drm_gem_object_put(resv);
	KUNIT_ASSERT_EQ(test, 0, msm_vm_run_setup(vm, fix->drm));

	fix->ctx.vm = vm;
	fix->queue = msm_vm_queue_create(&fix->ctx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fix->queue);
}

static int setup(struct kunit *test)
{
	struct fixture *fix = kzalloc(sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	fix->test = test;
	test->priv = fix;
	setup_device(fix);
	setup_bo(fix);
	setup_vm(fix);

	return 0;
}

/* The fixture's own reference, and its queue's */
#define VM_USERS	2

static bool is_idle(struct fixture *fix)
{
	return !atomic_read(&fix->vm.jobs) &&
	       kref_read(&fix->queue->ref) == 1 &&
	       kref_read(&fix->vm.users) == VM_USERS;
}

/* Retire happens in a worker: wait until no job and no other queue is left. */
static bool jobs_end(struct fixture *fix)
{
	unsigned long end = jiffies + PATIENCE;

	while (!is_idle(fix) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);

	return is_idle(fix);
}

static void teardown(struct kunit *test)
{
	struct fixture *fix = test->priv;

	/* After a failure in setup, or with a job that hangs, leave it all. */
	if (!fix || !fix->queue || !jobs_end(fix))
		return;

	msm_vm_queue_put(fix->queue);
	msm_vm_run_teardown(&fix->vm);
	msm_vm_tables_fini(&fix->vm.tables);
	drm_gpuvm_put(&fix->vm.base);
	mutex_destroy(&fix->vm.pt_lock);
	idr_destroy(&fix->file.object_idr);
	drm_gem_object_put(&fix->bo.base);
	kfree(fix);
}

/* Nothing and nobody remembers a job. */
static void expect_no_trace(struct fixture *fix)
{
	struct kunit *test = fix->test;
	struct msm_vm *vm = &fix->vm;

	KUNIT_EXPECT_EQ(test, atomic_read(&vm->jobs), 0);
	KUNIT_EXPECT_EQ(test, vm->tables.pool.count, 0);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&vm->order.ranges));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_first(&vm->base, BASE, RANGE));
	KUNIT_EXPECT_EQ(test, kref_read(&vm->base.kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->queue->ref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->bo.base.refcount), 1);
	KUNIT_EXPECT_EQ(test, fix->bo.pin_count, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(fix->bo.base.resv));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(drm_gpuvm_resv(&vm->base)));
}

/* The number that the next file gets */
static int next_fd(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd >= 0)
		put_unused_fd(fd);

	return fd;
}

static struct msm_vm_request map_req(u32 handle)
{
	return (struct msm_vm_request) {
		.map = true,
		.handle = handle,
		.iova = BASE + SZ_1G,
		.range = 2 * PAGE_SIZE,
		.offset = PAGE_SIZE,
		.obj_end = 3 * PAGE_SIZE,
	};
}

/* That create()'s job lacks: one of 512 GiB, two of 1 GiB, three of 2 MiB */
#define TABLES		6

/* A map, a map of nothing across the border of two tables, an unmap up to it */
static struct msm_vm_job *create(struct fixture *fix, u32 handle)
{
	struct msm_vm_job *job = msm_vm_job_create(fix->queue, 3);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->test, job);
	job->ops[0].req = map_req(HANDLE);
	job->ops[1].req = (struct msm_vm_request) {
		.map = true,
		.null = true,
		.iova = BASE + SZ_2M - PAGE_SIZE,
		.range = 2 * PAGE_SIZE,
	};
	job->ops[2].req = (struct msm_vm_request) {
		.iova = BASE,
		.range = SZ_2M - PAGE_SIZE,
	};
	if (handle != HANDLE)
		job->ops[1].req = map_req(handle);

	return job;
}

static int enter(struct fixture *fix, struct msm_vm_job *job, enum phase phase)
{
	switch (phase) {
	case RESOLVE:
		return msm_vm_job_resolve(job, &fix->file);
	case RESERVE:
		return msm_vm_job_reserve(job, &fix->file);
	case WANT_FD:
		return msm_vm_job_want_fd(job);
	case LOCK:
		return msm_vm_job_lock(job);
	default:
		return 0;
	}
}

static void job_abort(struct kunit *test)
{
	struct fixture *fix = test->priv;
	int fd = next_fd();

	for (int last = CREATE; last < PHASES; last++) {
		struct msm_vm_job *job = create(fix, HANDLE);

		for (int phase = CREATE; phase <= last; phase++)
			KUNIT_EXPECT_EQ(test, 0, enter(fix, job, phase));
		/* Or the rest of the test would prove nothing. */
		KUNIT_EXPECT_EQ(test, fix->vm.tables.pool.count,
				last >= RESERVE ? TABLES : 0);
		KUNIT_EXPECT_EQ(test, fix->bo.pin_count, last >= LOCK);
		msm_vm_job_abort(job);
		expect_no_trace(fix);
		KUNIT_EXPECT_EQ(test, fd, next_fd());
	}
}

/* References to the BOs of the good operations are given back. */
static void job_refused(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_job *job = create(fix, NO_HANDLE);

	KUNIT_EXPECT_EQ(test, -EINVAL, enter(fix, job, RESOLVE));
	KUNIT_EXPECT_EQ(test, kref_read(&fix->bo.base.refcount), 2);
	msm_vm_job_abort(job);
	expect_no_trace(fix);

	job = create(fix, HANDLE);
	job->ops[0].req.obj_end = (BO_PAGES + 1) * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EINVAL, enter(fix, job, RESOLVE));
	msm_vm_job_abort(job);
	expect_no_trace(fix);
}

/* What no longer has its pages by right is refused late, with locks held. */
static void job_refused_locked(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_job *job = create(fix, HANDLE);

	fix->bo.madv = MSM_MADV_DONTNEED;
	for (int phase = CREATE; phase < LOCK; phase++)
		KUNIT_EXPECT_EQ(test, 0, enter(fix, job, phase));
	KUNIT_EXPECT_EQ(test, -EBUSY, enter(fix, job, LOCK));
	msm_vm_job_abort(job);
	expect_no_trace(fix);
}

/**
 * struct locker - a thread that locks what a job touches, and gives it up
 * @fix: the fixture
 * @job: is aborted by the thread
 * @ready: it takes signals
 * @done: it has given it up
 */
struct locker {
	struct fixture *fix;
	struct msm_vm_job *job;
	struct completion ready;
	struct completion done;
};

static int lock_and_abort(void *data)
{
	struct locker *locker = data;
	int ret = 0;

	allow_signal(SIGINT);
	complete(&locker->ready);
	for (int phase = CREATE; phase < PHASES && !ret; phase++)
		ret = enter(locker->fix, locker->job, phase);
	msm_vm_job_abort(locker->job);
	complete(&locker->done);

	return ret;
}

/* A signal ends the wait for a lock that somebody else holds. */
static void interrupt_locker(struct fixture *fix, struct dma_resv *resv)
{
	struct locker locker = { .fix = fix, .job = create(fix, HANDLE) };
	struct kunit *test = fix->test;
	struct task_struct *task;

	init_completion(&locker.ready);
	init_completion(&locker.done);
	task = kthread_create(lock_and_abort, &locker, "msm-vm-locker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);

	KUNIT_EXPECT_EQ(test, 0, dma_resv_lock(resv, NULL));
	wake_up_process(task);
	wait_for_completion(&locker.ready);
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&locker.done, HZ / 20));
	send_sig(SIGINT, task, 1);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&locker.done, PATIENCE));
	dma_resv_unlock(resv);

	KUNIT_EXPECT_EQ(test, -EINTR, kthread_stop(task));
	put_task_struct(task);
	expect_no_trace(fix);
}

static int resolve_killed(void *data)
{
	struct locker *locker = data;
	int ret;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	ret = enter(locker->fix, locker->job, RESOLVE);
	msm_vm_job_abort(locker->job);

	return ret;
}

/* A job may name millions of BOs: who is killed looks none of them up. */
static void job_resolve_killed(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct locker locker = { .fix = fix, .job = create(fix, NO_HANDLE) };
	struct task_struct *task;

	task = kthread_create(resolve_killed, &locker, "msm-vm-killed");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	KUNIT_EXPECT_EQ(test, -EINTR, kthread_stop(task));
	put_task_struct(task);
	expect_no_trace(fix);
}

static void job_lock_interrupted(struct kunit *test)
{
	struct fixture *fix = test->priv;

	interrupt_locker(fix, drm_gpuvm_resv(&fix->vm.base));
	interrupt_locker(fix, fix->bo.base.resv);
}

/* A job that changes nothing, or unmaps where nothing is; Return: its fence. */
static struct dma_fence *commit(struct fixture *fix, struct msm_vm_queue *queue,
				u32 nr_ops, struct dma_fence *after)
{
	struct msm_vm_job *job = msm_vm_job_create(queue, nr_ops);
	struct drm_msm_vm_bind args = {};
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(fix->test, job);
	for (u32 i = 0; i < nr_ops; i++) {
		job->ops[i].req.iova = BASE + (u64)i * SZ_1G;
		job->ops[i].req.range = SZ_1M;
	}
	for (int phase = RESOLVE; phase < PHASES; phase++)
		if (phase != WANT_FD)
			KUNIT_EXPECT_EQ(fix->test, 0, enter(fix, job, phase));
	KUNIT_EXPECT_EQ(fix->test, 0, fix->vm.tables.pool.count);
	if (after)
		KUNIT_EXPECT_EQ(fix->test, 0,
				drm_sched_job_add_dependency(&job->base,
							     dma_fence_get(after)));
	fence = dma_fence_get(job->fence);
	msm_vm_job_commit(job, &args);

	return fence;
}

/* Return: what the fence carries once it has signalled; one reference goes. */
static int finish(struct dma_fence *fence)
{
	long left = dma_fence_wait_timeout(fence, false, PATIENCE);
	int ret = left > 0 ? fence->error : -ETIME;

	dma_fence_put(fence);

	return ret;
}

static void job_runs(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct dma_fence *first = commit(fix, fix->queue, 0, NULL);
	struct dma_fence *second = commit(fix, fix->queue, 2, NULL);

	KUNIT_EXPECT_EQ(test, first->context, second->context);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_later(second, first));
	KUNIT_EXPECT_STREQ(test, "msm", first->ops->get_driver_name(first));
	KUNIT_EXPECT_EQ(test, 0, finish(second));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(first));
	KUNIT_EXPECT_EQ(test, 0, finish(first));
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	expect_no_trace(fix);
}

static void job_of_dead_vm(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct dma_fence *fence;

	fix->vm.error = -EIO;
	fence = commit(fix, fix->queue, 0, NULL);
	KUNIT_EXPECT_EQ(test, -EIO, finish(fence));
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	expect_no_trace(fix);
}

/* A queue that was closed before its job could run still runs it. */
static void job_outlives_queue(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_queue *queue = msm_vm_queue_create(&fix->ctx);
	struct dma_fence *gate = msm_vm_test_fence(test);
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, queue);
	fence = commit(fix, queue, 0, gate);
	msm_vm_queue_put(queue);
	KUNIT_EXPECT_EQ(test, 0,
			dma_fence_wait_timeout(fence, false, HZ / 20));
	KUNIT_EXPECT_EQ(test, VM_USERS + 1, kref_read(&fix->vm.users));

	dma_fence_signal(gate);
	dma_fence_put(gate);
	KUNIT_EXPECT_EQ(test, 0, finish(fence));
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	expect_no_trace(fix);
}

/* Of two queues, the job that changes the same addresses waits; no other does. */
static void job_waits_for_overlap(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_queue *other = msm_vm_queue_create(&fix->ctx);
	struct dma_fence *gate = msm_vm_test_fence(test);
	struct dma_fence *first, *behind, *beside;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	first = commit(fix, fix->queue, 1, gate);
	beside = commit(fix, other, 0, NULL);
	behind = commit(fix, other, 1, NULL);
	KUNIT_EXPECT_EQ(test, 0, finish(beside));
	KUNIT_EXPECT_EQ(test, 0,
			dma_fence_wait_timeout(behind, false, HZ / 20));

	dma_fence_signal(gate);
	dma_fence_put(gate);
	KUNIT_EXPECT_EQ(test, 0, finish(behind));
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(first));
	KUNIT_EXPECT_EQ(test, 0, finish(first));
	msm_vm_queue_put(other);
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	expect_no_trace(fix);
}

/* The driver ends no queue that has jobs; should the scheduler, nothing hangs. */
static void job_dropped(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_vm_queue *queue = msm_vm_queue_create(&fix->ctx);
	struct dma_fence *gate = msm_vm_test_fence(test);
	struct dma_fence *fence;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, queue);
	fence = commit(fix, queue, 1, gate);
	msm_vm_queue_put(queue);
	drm_sched_entity_fini(&queue->entity);
	dma_fence_signal(gate);
	dma_fence_put(gate);

	KUNIT_EXPECT_EQ(test, -ECANCELED, finish(fence));
	KUNIT_EXPECT_EQ(test, -ECANCELED, fix->vm.error);
	KUNIT_EXPECT_TRUE(test, jobs_end(fix));
	expect_no_trace(fix);
}

static struct kunit_case job_cases[] = {
	KUNIT_CASE(job_abort),
	KUNIT_CASE(job_refused),
	KUNIT_CASE(job_refused_locked),
	KUNIT_CASE(job_resolve_killed),
	KUNIT_CASE(job_lock_interrupted),
	KUNIT_CASE(job_runs),
	KUNIT_CASE(job_of_dead_vm),
	KUNIT_CASE(job_outlives_queue),
	KUNIT_CASE(job_waits_for_overlap),
	KUNIT_CASE(job_dropped),
	{}
};

static struct kunit_suite job_suite = {
	.name = "msm-vm-job",
	.init = setup,
	.exit = teardown,
	.test_cases = job_cases,
};

kunit_test_suite(job_suite);
