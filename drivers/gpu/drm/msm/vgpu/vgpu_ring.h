/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel puts on the ring of the virtual Adreno.
 */
#ifndef __VGPU_RING_H__
#define __VGPU_RING_H__

struct msm_gem_submit;
struct msm_gpu;
struct msm_ringbuffer;

void vgpu_ring_put_submit(struct msm_gpu *gpu, struct msm_gem_submit *submit);
void vgpu_ring_put_init(struct msm_ringbuffer *ring);

#endif /* __VGPU_RING_H__ */
