/* SPDX-License-Identifier: MIT */
#ifndef __GPU_LEGACY_H__
#define __GPU_LEGACY_H__

#include "gpu_bo.h"
#include "gpu_cmd.h"

/* Buffers in one legacy submit: the commands and what they touch */
#define GPU_LEGACY_BOS	4

int gpu_legacy_iova(struct gpu_bo *bo, u64 *iova);
void gpu_legacy_cmd(struct gpu_cmd *cmd, struct gpu_bo *bo);
int gpu_legacy_submit(struct gpu_dev *dev, const struct gpu_cmd *cmd,
		      struct gpu_bo *const *bos, u32 count, int *fence);
int gpu_legacy_run(struct gpu_dev *dev, const struct gpu_cmd *cmd,
		   struct gpu_bo *const *bos, u32 count);

#endif /* __GPU_LEGACY_H__ */
