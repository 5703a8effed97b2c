// SPDX-License-Identifier: GPL-2.0-only
/*
 * The syncobjs of SUBMIT and VM_BIND: fences that a job waits for, and places
 * where its own fence goes.
 *
 * parse copies, validates, looks up, allocates; it may fail, and no syncobj has
 * changed then.  commit cannot fail and allocates nothing.  release is legal
 * after either, and in between.
 *
 * Terms: an in-syncobj gives its fence, or that of a point of its timeline, at
 * parse; a fence must be there already, nobody waits for one to be submitted.
 * An out-syncobj gets the job's fence at commit, as its only one or as a point.
 *
 * Traps: a syncobj may be named several times, and as in and as out.  Each entry
 * has a reference of its own, and commit resets before it hands out, so a
 * syncobj that is both ends up with the job's fence.  Userspace can close or
 * replace a handle at any time, so each is looked up once only.
 */

#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <kunit/visibility.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/drm_syncobj.h>
#include <drm/gpu_scheduler.h>

#include <uapi/drm/msm_drm.h>

#include "msm_syncobj.h"

/*
 * drm_syncobj_add_point() walks all points that have not signalled.  That is
 * part of commit, which nobody can interrupt.
 */
#define MAX_POINTS	1024

/**
 * struct msm_syncobj_out - an out-syncobj
 * @syncobj: referenced
 * @chain: link of the timeline; NULL if the fence replaces what is there
 * @point: where on the timeline
 */
struct msm_syncobj_out {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

/*
 * The number comes from userspace.  The limit is kmalloc()'s, which SUBMIT has
 * had since it knows syncobjs.
 */
static void *alloc_array(u32 nr, size_t size)
{
	if (size_mul(nr, size) > KMALLOC_MAX_SIZE)
		return NULL;

	return kvcalloc(nr, size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN |
			__GFP_RETRY_MAYFAIL);
}

/* For the debug log only: userspace can cause it at will. */
static int refuse(struct drm_file *file, const char *which, u32 i, int err,
		  const char *reason)
{
	drm_dbg_driver(file->minor->dev, "%s-syncobj %u refused: %s (%d)\n",
		       which, i, reason, err);

	return err;
}

/**
 * msm_syncobj_check - validate one entry
 * @desc: as it came from userspace
 * @flags: those that may be set
 * @timeline: the device has timeline syncobjs
 * @reason: why it was refused, one line
 *
 * Return: 0; or, with @reason set, -EINVAL for unknown flags, or -EOPNOTSUPP
 * for a point without timelines.
 */
int msm_syncobj_check(const struct drm_msm_syncobj *desc, u32 flags,
		      bool timeline, const char **reason)
{
	if (desc->flags & ~flags) {
		*reason = "unknown flags";
		return -EINVAL;
	}
	if (desc->point && !timeline) {
		*reason = "point without timelines";
		return -EOPNOTSUPP;
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_syncobj_check);

/* A sum that wraps is an address like any other, checked when it is read. */
static int read_entry(struct drm_msm_syncobj *desc, struct drm_file *file,
		      const struct msm_syncobj_array *array, u32 i, u32 flags,
		      const char **reason)
{
	struct drm_device *dev = file->minor->dev;
	u64 addr = array->addr + (u64)i * array->stride;
	size_t size = min_t(size_t, array->stride, sizeof(*desc));

	if (fatal_signal_pending(current)) {
		*reason = "killed";
		return -EINTR;
	}
	cond_resched();

	memset(desc, 0, sizeof(*desc));
	if (copy_from_user(desc, u64_to_user_ptr(addr), size)) {
		*reason = "copy";
		return -EFAULT;
	}

	return msm_syncobj_check(desc, flags,
				 drm_core_check_feature(dev, DRIVER_SYNCOBJ_TIMELINE),
				 reason);
}

static int wait_for(struct drm_syncobj *syncobj, u64 point,
		    struct drm_sched_job *job, const char **reason)
{
	struct dma_fence *fence = drm_syncobj_fence_get(syncobj);

	*reason = "no fence yet";
	if (!fence)
		return -EINVAL;

	if (dma_fence_chain_find_seqno(&fence, point)) {
		*reason = "no such point yet";
		dma_fence_put(fence);
		return -EINVAL;
	}

	/* It consumes the fence.  None is left when the point was reached. */
	*reason = "no memory";
	return drm_sched_job_add_dependency(job, fence);
}

static int take_in(struct msm_syncobjs *syncobjs, struct drm_file *file,
		   const struct drm_msm_syncobj *desc,
		   struct drm_sched_job *job, const char **reason)
{
	struct drm_syncobj *syncobj = drm_syncobj_find(file, desc->handle);
	int ret;

	*reason = "no such handle";
	if (!syncobj)
		return -ENOENT;

	ret = wait_for(syncobj, desc->point, job, reason);
	if (!ret && desc->flags & MSM_SYNCOBJ_RESET)
		syncobjs->reset[syncobjs->nr_reset++] = syncobj;
	else
		drm_syncobj_put(syncobj);

	return ret;
}

/**
 * msm_syncobj_parse_in - make a job wait for syncobjs
 * @syncobjs: all zero, or from msm_syncobj_parse_out(); remembers what to reset
 * @file: whose handles they are
 * @array: where userspace lists them
 * @job: the job, initialized and not armed
 *
 * May sleep and fault.  After an error the caller must give up on @job.
 *
 * Return: 0, -ENOMEM, -EFAULT, -ENOENT for an unknown handle, -EOPNOTSUPP for
 * a point without timelines, -EINTR when the caller is being killed, -EINVAL
 * for unknown flags or when there is no fence yet.
 */
int msm_syncobj_parse_in(struct msm_syncobjs *syncobjs, struct drm_file *file,
			 const struct msm_syncobj_array *array,
			 struct drm_sched_job *job)
{
	u32 i;

	if (!array->nr)
		return 0;

	syncobjs->reset = alloc_array(array->nr, sizeof(*syncobjs->reset));
	if (!syncobjs->reset)
		return refuse(file, "in", 0, -ENOMEM, "too many");

	for (i = 0; i < array->nr; i++) {
		struct drm_msm_syncobj desc;
		const char *reason;
		int ret;

		ret = read_entry(&desc, file, array, i, MSM_SYNCOBJ_FLAGS, &reason);
		if (!ret)
			ret = take_in(syncobjs, file, &desc, job, &reason);
		if (ret)
			return refuse(file, "in", i, ret, reason);
	}

	return 0;
}

static int take_out(struct msm_syncobjs *syncobjs, struct drm_file *file,
		    const struct drm_msm_syncobj *desc, const char **reason)
{
	struct msm_syncobj_out *out = &syncobjs->out[syncobjs->nr_out++];

	out->syncobj = drm_syncobj_find(file, desc->handle);
	if (!out->syncobj) {
		*reason = "no such handle";
		return -EINVAL;
	}

	out->point = desc->point;
	if (!out->point)
		return 0;

	*reason = "no memory";
	out->chain = dma_fence_chain_alloc();

	return out->chain ? 0 : -ENOMEM;
}

/**
 * msm_syncobj_parse_out - set aside all to give a fence to syncobjs
 * @syncobjs: all zero, or from msm_syncobj_parse_in()
 * @file: whose handles they are
 * @array: where userspace lists them
 *
 * May sleep and fault.
 *
 * Return: 0, -ENOMEM, -EFAULT, -EOPNOTSUPP for a point without timelines,
 * -EINTR when the caller is being killed, -EINVAL for any flag, an unknown
 * handle, or more than 1024 points.
 */
int msm_syncobj_parse_out(struct msm_syncobjs *syncobjs, struct drm_file *file,
			  const struct msm_syncobj_array *array)
{
	u32 i, points = 0;

	if (!array->nr)
		return 0;

	syncobjs->out = alloc_array(array->nr, sizeof(*syncobjs->out));
	if (!syncobjs->out)
		return refuse(file, "out", 0, -ENOMEM, "too many");

	for (i = 0; i < array->nr; i++) {
		struct drm_msm_syncobj desc;
		const char *reason;
		int ret;

		ret = read_entry(&desc, file, array, i, 0, &reason);
		if (!ret)
			ret = take_out(syncobjs, file, &desc, &reason);
		if (!ret && desc.point && ++points > MAX_POINTS) {
			reason = "too many points";
			ret = -EINVAL;
		}
		if (ret)
			return refuse(file, "out", i, ret, reason);
	}

	return 0;
}

static void give(struct msm_syncobj_out *out, struct dma_fence *fence)
{
	if (!out->chain) {
		drm_syncobj_replace_fence(out->syncobj, fence);
		return;
	}

	drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
	out->chain = NULL;
}

/**
 * msm_syncobj_commit - reset the in-syncobjs, give the fence to the out-syncobjs
 * @syncobjs: parsed
 * @fence: the job's fence
 *
 * Call it when the job is certain to run, or @fence to signal.
 */
void msm_syncobj_commit(struct msm_syncobjs *syncobjs, struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < syncobjs->nr_reset; i++) {
		drm_syncobj_replace_fence(syncobjs->reset[i], NULL);
		cond_resched();
	}

	for (i = 0; i < syncobjs->nr_out; i++) {
		give(&syncobjs->out[i], fence);
		cond_resched();
	}
}

/**
 * msm_syncobj_release - drop what parse took
 * @syncobjs: in any state; all zero afterwards
 */
void msm_syncobj_release(struct msm_syncobjs *syncobjs)
{
	u32 i;

	for (i = 0; i < syncobjs->nr_reset; i++) {
		drm_syncobj_put(syncobjs->reset[i]);
		cond_resched();
	}
	kvfree(syncobjs->reset);

	for (i = 0; i < syncobjs->nr_out; i++) {
		dma_fence_chain_free(syncobjs->out[i].chain);
		if (syncobjs->out[i].syncobj)
			drm_syncobj_put(syncobjs->out[i].syncobj);
		cond_resched();
	}
	kvfree(syncobjs->out);

	*syncobjs = (struct msm_syncobjs) {};
}
