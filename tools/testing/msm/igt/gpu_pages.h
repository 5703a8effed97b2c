/* SPDX-License-Identifier: MIT */
#ifndef __GPU_PAGES_H__
#define __GPU_PAGES_H__

#include "gpu_job.h"

#define GPU_PAGES_TEXT	160

void gpu_pages_fill(struct gpu_bo *bo, char letter);
int gpu_pages_bo(struct gpu_dev *dev, char letter, u32 pages,
		 struct gpu_bo *bo);
u32 gpu_pages_stamp(char letter, u32 page, bool last);
bool gpu_pages_check(struct gpu_vm *vm, u64 iova, const char *picture,
		     char *text);

#endif /* __GPU_PAGES_H__ */
