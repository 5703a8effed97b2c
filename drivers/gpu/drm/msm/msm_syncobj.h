/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_SYNCOBJ_H__
#define __MSM_SYNCOBJ_H__

#include <linux/types.h>

struct dma_fence;
struct drm_file;
struct drm_msm_syncobj;
struct drm_sched_job;
struct drm_syncobj;
struct msm_syncobj_out;

/**
 * struct msm_syncobj_array - an array of &struct drm_msm_syncobj in userspace
 * @addr: where it starts
 * @nr: number of entries
 * @stride: bytes from one entry to the next; of an entry that is shorter than
 *	the struct the rest is zero
 */
struct msm_syncobj_array {
	u64 addr;
	u32 nr;
	u32 stride;
};

/**
 * struct msm_syncobjs - the syncobjs of an ioctl, with all that commit needs
 * @reset: in-syncobjs to reset, each referenced
 * @nr_reset: number of them
 * @out: out-syncobjs, each referenced
 * @nr_out: number of them
 *
 * All zero is an ioctl without syncobjs.
 */
struct msm_syncobjs {
	struct drm_syncobj **reset;
	u32 nr_reset;
	struct msm_syncobj_out *out;
	u32 nr_out;
};

int msm_syncobj_check(const struct drm_msm_syncobj *desc, u32 flags,
		      bool timeline, const char **reason);
int msm_syncobj_parse_in(struct msm_syncobjs *syncobjs, struct drm_file *file,
			 const struct msm_syncobj_array *array,
			 struct drm_sched_job *job);
int msm_syncobj_parse_out(struct msm_syncobjs *syncobjs, struct drm_file *file,
			  const struct msm_syncobj_array *array);
void msm_syncobj_commit(struct msm_syncobjs *syncobjs, struct dma_fence *fence);
void msm_syncobj_release(struct msm_syncobjs *syncobjs);

#endif /* __MSM_SYNCOBJ_H__ */
