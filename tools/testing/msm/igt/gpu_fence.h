/* SPDX-License-Identifier: MIT */
#ifndef __GPU_FENCE_H__
#define __GPU_FENCE_H__

#include "gpu_types.h"

/* Longer than any fence here takes on a machine that works, milliseconds */
#define GPU_FENCE_PATIENCE_MS	20000
/* Long enough to see that a fence which must wait does wait, milliseconds */
#define GPU_FENCE_STILL_MS	50

/**
 * struct gpu_gate - a fence that the CPU opens
 * @timeline: sw_sync timeline
 * @fence: sync_file that signals when the gate is opened
 */
struct gpu_gate {
	int timeline;
	int fence;
};

int gpu_fence_scaled_ms(int ms);
int gpu_fence_wait(int fd, int ms);
int gpu_fence_finish(int fd);
bool gpu_fence_busy_after(int fd, int ms);

int gpu_gate_new(struct gpu_gate *gate);
int gpu_gate_open(struct gpu_gate *gate);
void gpu_gate_free(struct gpu_gate *gate);

#endif /* __GPU_FENCE_H__ */
