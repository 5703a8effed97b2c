// SPDX-License-Identifier: MIT
/*
 * A context that did not opt in: the kernel chooses addresses, and SUBMIT
 * carries a table of the buffers it uses.
 */
#include <errno.h>

#include <drm/msm_drm.h>

#include "gpu_fence.h"
#include "gpu_legacy.h"

/* The address that the kernel gave the buffer in this context */
int gpu_legacy_iova(struct gpu_bo *bo, u64 *iova)
{
	*iova = 0;
	return gpu_bo_info(bo, MSM_INFO_GET_IOVA, iova);
}

/* Start a command stream that fills @bo. */
void gpu_legacy_cmd(struct gpu_cmd *cmd, struct gpu_bo *bo)
{
	*cmd = (struct gpu_cmd){
		.base = bo->map, .max = bo->size / sizeof(u32),
	};
}

/* Submit @cmd, which stands in bos[0]; its sync_file is the caller's. */
int gpu_legacy_submit(struct gpu_dev *dev, const struct gpu_cmd *cmd,
		      struct gpu_bo *const *bos, u32 count, int *fence)
{
	struct drm_msm_gem_submit_bo table[GPU_LEGACY_BOS] = { 0 };
	struct drm_msm_gem_submit_cmd entry = {
		.type = MSM_SUBMIT_CMD_BUF,
		.size = cmd->count * sizeof(u32),
	};
	struct drm_msm_gem_submit req = {
		.flags = MSM_PIPE_3D0 | MSM_SUBMIT_FENCE_FD_OUT,
		.nr_bos = count,
		.nr_cmds = 1,
		.bos = (unsigned long)table,
		.cmds = (unsigned long)&entry,
	};
	u32 i;
	int ret;

	if (count > GPU_LEGACY_BOS || cmd->overflow)
		return -ENOSPC;
	for (i = 0; i < count; i++) {
		table[i].flags = MSM_SUBMIT_BO_READ | MSM_SUBMIT_BO_WRITE;
		table[i].handle = bos[i]->handle;
	}
	ret = gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GEM_SUBMIT, &req);
	if (!ret)
		*fence = req.fence_fd;
	return ret;
}

/* Submit it and wait for it. */
int gpu_legacy_run(struct gpu_dev *dev, const struct gpu_cmd *cmd,
		   struct gpu_bo *const *bos, u32 count)
{
	int fence = -1;
	int ret = gpu_legacy_submit(dev, cmd, bos, count, &fence);

	return ret ?: gpu_fence_finish(fence);
}
