/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The adreno back end of the virtual GPU.
 */
#ifndef __VGPU_GPU_H__
#define __VGPU_GPU_H__

struct adreno_info;

extern const struct adreno_info vgpu_gpu_info;

#endif /* __VGPU_GPU_H__ */
