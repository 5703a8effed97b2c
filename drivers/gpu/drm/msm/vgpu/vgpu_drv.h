/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a virtual Adreno sits in: its devices and its wiring.
 */
#ifndef __VGPU_DRV_H__
#define __VGPU_DRV_H__

#include <linux/mutex.h>

#include "vgpu_config.h"

struct device;
struct platform_device;
struct vgpu_hw;

/**
 * struct vgpu - one virtual Adreno
 * @hw: the hardware model
 * @config_lock: protects @config
 * @config: how @hw was told to behave last
 * @irq: the interrupt line from @hw to the GPU's device
 * @smmu: the SMMU's device
 * @gpu: the GPU's device, served by the adreno driver
 * @drm: the device that the DRM device hangs from, a child of @gpu
 */
struct vgpu {
	struct vgpu_hw *hw;

	struct mutex config_lock; /* @config */
	struct vgpu_config config;

	int irq;
	struct platform_device *smmu;
	struct platform_device *gpu;
	struct platform_device *drm;
};

struct vgpu *vgpu_from_gpu_device(struct device *gpu);

#if IS_ENABLED(CONFIG_DRM_MSM_VGPU)
int vgpu_register(void);
void vgpu_unregister(void);
#else
static inline int vgpu_register(void)
{
	return 0;
}

static inline void vgpu_unregister(void)
{
}
#endif

#endif /* __VGPU_DRV_H__ */
