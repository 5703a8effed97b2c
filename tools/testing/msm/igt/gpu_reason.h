/* SPDX-License-Identifier: MIT */
#ifndef __GPU_REASON_H__
#define __GPU_REASON_H__

#include "gpu_types.h"

int gpu_reason_start(void);
int gpu_reason_stop(void);
int gpu_reason_seen(const char *text);

#endif /* __GPU_REASON_H__ */
