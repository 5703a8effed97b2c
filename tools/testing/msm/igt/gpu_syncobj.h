/* SPDX-License-Identifier: MIT */
#ifndef __GPU_SYNCOBJ_H__
#define __GPU_SYNCOBJ_H__

#include <drm/msm_drm.h>

#include "gpu_dev.h"

/* Entries in each list of struct gpu_syncs */
#define GPU_SYNCS	4

/**
 * struct gpu_syncs - in and out syncobjs of a request
 * @nr_in: entries of @in
 * @nr_out: entries of @out
 * @in: what it waits for
 * @out: what gets its fence
 */
struct gpu_syncs {
	u32 nr_in;
	u32 nr_out;
	struct drm_msm_syncobj in[GPU_SYNCS];
	struct drm_msm_syncobj out[GPU_SYNCS];
};

void gpu_syncs_bind(const struct gpu_syncs *syncs, struct drm_msm_vm_bind *req);
void gpu_syncs_submit(const struct gpu_syncs *syncs,
		      struct drm_msm_gem_submit *req);

int gpu_syncobj_new(struct gpu_dev *dev, u32 *handle);
int gpu_syncobj_destroy(struct gpu_dev *dev, u32 handle);
int gpu_syncobj_wait(struct gpu_dev *dev, u32 handle, u64 point, int ms);
bool gpu_syncobj_busy_after(struct gpu_dev *dev, u32 handle, u64 point, int ms);
int gpu_syncobj_query(struct gpu_dev *dev, u32 handle, u64 *point);
int gpu_syncobj_signal(struct gpu_dev *dev, u32 handle, u64 point);
int gpu_syncobj_put_fence(struct gpu_dev *dev, u32 handle, u64 point,
			  int sync_file);
int gpu_syncobj_share(struct gpu_dev *from, u32 handle, int *fd);
int gpu_syncobj_open(struct gpu_dev *to, int fd, u32 *handle);

#endif /* __GPU_SYNCOBJ_H__ */
