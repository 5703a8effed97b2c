/* SPDX-License-Identifier: MIT */
#ifndef __GPU_BO_H__
#define __GPU_BO_H__

#include "gpu_dev.h"

/**
 * struct gpu_bo - a buffer object with a CPU mapping
 * @dev: the context whose handle this is
 * @handle: 0 after gpu_bo_close_handle()
 * @size: bytes
 * @map: CPU mapping, write-combined; NULL after gpu_bo_unmap_cpu()
 */
struct gpu_bo {
	struct gpu_dev *dev;
	u32 handle;
	u64 size;
	u32 *map;
};

int gpu_bo_new(struct gpu_dev *dev, u64 size, struct gpu_bo *bo);
int gpu_bo_export(const struct gpu_bo *bo, int *fd);
int gpu_bo_share(const struct gpu_bo *bo, struct gpu_dev *to, struct gpu_bo *out);
void gpu_bo_unmap_cpu(struct gpu_bo *bo);
int gpu_bo_close_handle(struct gpu_bo *bo);
void gpu_bo_free(struct gpu_bo *bo);
int gpu_bo_info(struct gpu_bo *bo, u32 info, u64 *value);

#endif /* __GPU_BO_H__ */
