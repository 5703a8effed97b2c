/* SPDX-License-Identifier: MIT */
#ifndef __GPU_NTH_H__
#define __GPU_NTH_H__

#include "gpu_types.h"

int gpu_nth_setup(void);
int gpu_nth_count_pages(bool pages);
int gpu_nth_arm(u32 nth);
int gpu_nth_disarm(bool *failed);

#endif /* __GPU_NTH_H__ */
