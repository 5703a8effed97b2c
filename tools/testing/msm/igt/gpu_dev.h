/* SPDX-License-Identifier: MIT */
#ifndef __GPU_DEV_H__
#define __GPU_DEV_H__

#include "gpu_types.h"

/**
 * struct gpu_dev - one context: one open file of the render node
 * @fd: -1 when closed
 * @bo_flags: MSM_BO_* of the buffers that gpu_bo_new() will make in it, beside
 *	MSM_BO_WC
 */
struct gpu_dev {
	int fd;
	u32 bo_flags;
};

int gpu_ioctl(int fd, unsigned long request, void *arg);

int gpu_dev_open(struct gpu_dev *dev);
void gpu_dev_close(struct gpu_dev *dev);
int gpu_dev_get_param(struct gpu_dev *dev, u32 param, u64 *value);
int gpu_dev_set_param(struct gpu_dev *dev, u32 param, u64 value);
int gpu_dev_opt_in(struct gpu_dev *dev);
int gpu_dev_va_range(struct gpu_dev *dev, u64 *start, u64 *size);
int gpu_dev_queue_new(struct gpu_dev *dev, u32 flags, u32 prio, u32 *id);
int gpu_dev_queue_close(struct gpu_dev *dev, u32 id);
int gpu_dev_version(struct gpu_dev *dev, char *text, size_t size, int *minor);
int gpu_dev_set_hangcheck_ms(u32 ms, u32 *before);
int gpu_dev_count_fds(void);
int gpu_dev_count_files(void);
int gpu_dev_close_files(void);

#endif /* __GPU_DEV_H__ */
