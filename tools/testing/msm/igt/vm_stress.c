// SPDX-License-Identifier: MIT
/*
 * A thread of msm_vm_stress: binds at random in its part of a VM, and lets the
 * GPU look at what is there.
 *
 * It has a model of its part.  A bind that is refused for want of memory must
 * have changed nothing, so the model does not change either, and the next look
 * tells.  A look may be queued behind a bind that has not run, with the out
 * fence of the one as the in fence of the other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_mem.h"
#include "gpu_pages.h"
#include "vm_stress.h"

#define MAX_OPS		4
#define TRIES		100
#define MAX_LOOKS	48u

static bool complain(struct stress_worker *w, const char *what, int ret)
{
	snprintf(w->text, sizeof(w->text), "worker %u: %s: %d", w->slot, what, ret);
	return false;
}

static char letter(struct stress_worker *w, u32 bo)
{
	return 'A' + w->slot * STRESS_BOS + bo;
}

/* Only what is asked for now and then fails; nothing else may. */
static bool is_refusal(struct stress_worker *w, int ret)
{
	if (ret != -ENOMEM || !w->faulty)
		return false;
	w->refused++;
	return true;
}

/* Asking about a fence takes memory, too. */
static int finish(struct stress_worker *w, int fence)
{
	int tries = TRIES, ret;

	do {
		ret = gpu_fence_wait(fence, GPU_FENCE_PATIENCE_MS);
	} while (ret == -ENOMEM && w->faulty && --tries);
	close(fence);
	return ret;
}

int stress_worker_open(struct stress_worker *w, struct gpu_vm *vm, u32 slot,
		       u64 seed)
{
	int ret;
	u32 i;

	*w = (struct stress_worker) {
		.vm = vm,
		.slot = slot,
		/* Parts of neighbours share a page table. */
		.base = vm->area + slot * STRESS_PAGES * GPU_PAGE,
	};
	gpu_rand_seed(&w->rand, seed + slot);
	ret = gpu_dev_queue_new(&vm->dev, MSM_SUBMITQUEUE_VM_BIND, 0,
				&w->bind_queue);
	ret = ret ?: gpu_dev_queue_new(&vm->dev, 0, slot % 2, &w->queue);
	for (i = 0; i < STRESS_BOS && !ret; i++) {
		struct gpu_dev dev = vm->dev;

		dev.bo_flags = i & 1 ? MSM_BO_NO_SHARE : 0;
		ret = gpu_pages_bo(&dev, letter(w, i), STRESS_BO_PAGES, &w->bo[i]);
		w->bo[i].dev = &vm->dev;
	}
	return ret;
}

/* One op, and what the model says when it is done */
static void random_op(struct stress_worker *w, struct drm_msm_vm_bind_op *op,
		      struct stress_page *model)
{
	u32 page = gpu_rand_below(&w->rand, STRESS_PAGES), i;
	u32 nr = 1 + gpu_rand_below(&w->rand, STRESS_BO_PAGES);
	u32 bo = gpu_rand_below(&w->rand, STRESS_BOS), first = 0;
	u32 kind = gpu_rand_below(&w->rand, 8);

	if (nr > STRESS_PAGES - page)
		nr = STRESS_PAGES - page;
	if (kind >= STRESS_BO)
		first = gpu_rand_below(&w->rand, STRESS_BO_PAGES - nr + 1);
	for (i = 0; i < nr; i++)
		model[page + i] = (struct stress_page) {
			.kind = kind < STRESS_BO ? kind : STRESS_BO + bo,
			.page = first + i,
		};

	if (kind == STRESS_HOLE)
		*op = gpu_bind_op_unmap(w->base + page * GPU_PAGE, nr * GPU_PAGE);
	else if (kind == STRESS_NULL)
		*op = gpu_bind_op_null(w->base + page * GPU_PAGE, nr * GPU_PAGE);
	else
		*op = gpu_bind_op_map(w->base + page * GPU_PAGE, &w->bo[bo],
				      first * GPU_PAGE, nr * GPU_PAGE);
}

/* Return: false after an error; *fence is GPU_NO_FENCE if nothing was bound. */
static bool bind(struct stress_worker *w, int *fence)
{
	struct stress_page model[STRESS_PAGES];
	struct drm_msm_vm_bind_op ops[MAX_OPS];
	u32 count = 1 + gpu_rand_below(&w->rand, MAX_OPS), i;
	int ret;

	*fence = GPU_NO_FENCE;
	memcpy(model, w->model, sizeof(model));
	for (i = 0; i < count; i++)
		random_op(w, &ops[i], model);
	ret = gpu_bind_ops(&w->vm->dev, w->bind_queue, ops, count,
			   GPU_NO_FENCE, fence);
	if (is_refusal(w, ret))
		return true;
	if (ret)
		return complain(w, "bind", ret);
	w->binds++;
	memcpy(w->model, model, sizeof(model));
	return true;
}

static u32 expected(struct stress_worker *w, u32 page)
{
	const struct stress_page *p = &w->model[page];

	return p->kind == STRESS_NULL ? 0 :
	       gpu_pages_stamp(letter(w, p->kind - STRESS_BO), p->page, false);
}

/* Pages of the job's results; a hole would be a fault. */
static u32 choose(struct stress_worker *w, struct gpu_job *job, u8 *pages)
{
	u32 i, count = 0;

	for (i = 0; i < STRESS_PAGES && count < MAX_LOOKS; i++) {
		if (w->model[i].kind == STRESS_HOLE)
			continue;
		gpu_job_read(job, count, w->base + i * GPU_PAGE);
		pages[count++] = i;
	}
	gpu_cmd_drain(&job->cmd);
	return count;
}

static int submit(struct stress_worker *w, struct gpu_job *job, int in_fence)
{
	struct drm_msm_gem_submit_cmd cmd;
	struct drm_msm_gem_submit req;

	gpu_job_request(job, &req, &cmd);
	req.queueid = w->queue;
	if (in_fence != GPU_NO_FENCE) {
		req.flags |= MSM_SUBMIT_FENCE_FD_IN;
		req.fence_fd = in_fence;
	}
	return gpu_job_ioctl(job, &req);
}

/* The GPU reads what is mapped, after @in_fence. */
static bool look(struct stress_worker *w, int in_fence)
{
	u8 pages[MAX_LOOKS];
	struct gpu_job job;
	u32 count, i;
	int ret;

	gpu_job_begin(&job, w->vm, w->slot);
	count = choose(w, &job, pages);
	ret = submit(w, &job, in_fence);
	if (is_refusal(w, ret))
		return true;
	if (ret)
		return complain(w, "submit", ret);
	ret = finish(w, job.fence);
	if (ret)
		return complain(w, "job", ret);

	for (i = 0; i < count; i++) {
		u32 want = expected(w, pages[i]);

		if (job.result[i] == want)
			continue;
		snprintf(w->text, sizeof(w->text),
			 "worker %u: page %u: GPU read %08x, expected %08x",
			 w->slot, pages[i], job.result[i], want);
		return false;
	}
	w->looks += count;
	return true;
}

/* A new buffer in place of one whose handle goes, mapped or not */
static bool replace_bo(struct stress_worker *w)
{
	u32 i = gpu_rand_below(&w->rand, STRESS_BOS);
	struct gpu_dev dev = w->vm->dev;
	struct gpu_bo bo;
	int ret;

	dev.bo_flags = i & 1 ? MSM_BO_NO_SHARE : 0;
	ret = gpu_pages_bo(&dev, letter(w, i), STRESS_BO_PAGES, &bo);
	/* So says shmem when it gets no memory for an inode. */
	if (ret == -ENOSPC)
		ret = -ENOMEM;
	if (is_refusal(w, ret))
		return true;
	if (ret)
		return complain(w, "new buffer", ret);
	gpu_bo_free(&w->bo[i]);
	w->bo[i] = bo;
	w->bo[i].dev = &w->vm->dev;
	return true;
}

static bool replace_queue(struct stress_worker *w)
{
	u32 id;
	int ret = gpu_dev_queue_new(&w->vm->dev, MSM_SUBMITQUEUE_VM_BIND, 0, &id);

	if (is_refusal(w, ret))
		return true;
	ret = ret ?: gpu_dev_queue_close(&w->vm->dev, w->bind_queue);
	w->bind_queue = id;
	return ret ? complain(w, "queue", ret) : true;
}

/**
 * stress_worker_step - do something, and look
 * @w: the worker
 *
 * Return: false after an error, with @w->text set.
 */
bool stress_worker_step(struct stress_worker *w)
{
	bool wait = gpu_rand_chance(&w->rand, 50), good;
	int fence;

	if (!bind(w, &fence))
		return false;
	/* Closing waits for nothing: the bind is done all the same. */
	if (gpu_rand_chance(&w->rand, 10) && !replace_queue(w))
		return false;
	if (gpu_rand_chance(&w->rand, 10) && !replace_bo(w))
		return false;
	if (wait && fence != GPU_NO_FENCE) {
		int ret = finish(w, fence);

		if (ret)
			return complain(w, "fence of a bind", ret);
		fence = GPU_NO_FENCE;
	}
	good = look(w, fence);
	if (fence != GPU_NO_FENCE && finish(w, fence) && good)
		return complain(w, "fence of a bind", -EIO);
	return good;
}
