/* SPDX-License-Identifier: MIT */
#ifndef __GPU_MEM_H__
#define __GPU_MEM_H__

#include "gpu_bo.h"

int gpu_mem_setup(void);
int gpu_mem_shrink(void);
int gpu_mem_resident(u64 *bytes);
int gpu_mem_swap_out(u64 pages);
int gpu_mem_madvise(struct gpu_bo *bo, u32 advice, bool *retained);

#endif /* __GPU_MEM_H__ */
