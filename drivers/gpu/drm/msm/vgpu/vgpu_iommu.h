/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual SMMU as an IOMMU of the kernel.
 */
#ifndef __VGPU_IOMMU_H__
#define __VGPU_IOMMU_H__

#include <linux/types.h>

struct device;
struct platform_device;
struct vgpu_hw;

/**
 * struct vgpu_iommu_data - platform data of the SMMU
 * @hw: the model whose context bank it is; must outlive the device
 * @ias: input address size in bits, at most 48
 * @has_prr: there is a page for partially resident resources
 */
struct vgpu_iommu_data {
	struct vgpu_hw *hw;
	u32 ias;
	bool has_prr;
};

int vgpu_iommu_driver_register(void);
void vgpu_iommu_driver_unregister(void);

struct platform_device *
vgpu_iommu_create(const struct vgpu_iommu_data *data);
int vgpu_iommu_claim(struct platform_device *smmu, struct device *client);
u32 *vgpu_iommu_forget_inv(struct platform_device *smmu);
void vgpu_iommu_fault(struct platform_device *smmu);
void vgpu_iommu_power_cycle(struct platform_device *smmu);

#endif /* __VGPU_IOMMU_H__ */
