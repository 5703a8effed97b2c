/* SPDX-License-Identifier: MIT */
#ifndef __GPU_KNOB_H__
#define __GPU_KNOB_H__

#include "gpu_types.h"

/* Bits of the knob "forget_inv" */
#define GPU_KNOB_FORGET_ALL	1

int gpu_knob_set(const char *name, u64 value);
int gpu_knob_get(const char *name, u64 *value);
int gpu_knob_stat(const char *name, u64 *value);
int gpu_knob_gem(const char *format, u64 *value);
int gpu_knob_bo_count(u64 *count);
bool gpu_knob_can_fail(void);
int gpu_knob_fail_nth(int nth);
int gpu_knob_fail_one_in(u32 count);
int gpu_knob_fail_randomly(bool on);
int gpu_knob_fail_map(bool armed, u64 before);
int gpu_knob_keep_awake(bool awake);

#endif /* __GPU_KNOB_H__ */
