/* SPDX-License-Identifier: MIT */
#ifndef __GPU_DEVCORE_H__
#define __GPU_DEVCORE_H__

#include "gpu_types.h"

/**
 * struct gpu_fault - a GPU page fault as the kernel reported it
 * @iova: faulting address
 * @dir: "READ" or "WRITE"
 * @type: "TRANSLATION", "PERMISSION", ...
 */
struct gpu_fault {
	u64 iova;
	char dir[8];
	char type[16];
};

u64 gpu_devcore_count(void);
bool gpu_devcore_linked(void);
void gpu_devcore_read_end(void);
void gpu_devcore_clear(void);
int gpu_devcore_take_fault(struct gpu_fault *fault, int ms);

#endif /* __GPU_DEVCORE_H__ */
