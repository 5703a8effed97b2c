/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The paging domain of the virtual SMMU; private to vgpu_iommu.c and
 * vgpu_domain.c.
 */
#ifndef __VGPU_DOMAIN_H__
#define __VGPU_DOMAIN_H__

#include <linux/iommu.h>
#include <linux/spinlock.h>

#include "vgpu_hw.h"

#define VGPU_FORGET_ALL		BIT(0)	/* invalidation of everything */
#define VGPU_FORGET_WALK	BIT(1)	/* ... of a range with its tables */
#define VGPU_FORGET_PAGE	BIT(2)	/* ... of a page */

/**
 * struct vgpu_smmu - the SMMU
 * @dev: its platform device, which carries its runtime PM state
 * @hw: the model
 * @ias: input address size of both halves, in bits
 * @has_prr: there is a page for partially resident resources
 * @iommu: its handle in the IOMMU core
 * @ops: its ops, see the trap at the top of the file
 * @lock: protects @cb, @prr, @prr_enabled and @domain
 * @cb: what the context bank was last programmed with
 * @prr: physical address of the PRR page, or 0
 * @prr_enabled: accesses to that page are special
 * @domain: the attached paging domain or NULL
 * @client: the GPU once it was probed
 * @forget_inv: kinds of invalidation to lose, VGPU_FORGET_*
 */
struct vgpu_smmu {
	struct device *dev;
	struct vgpu_hw *hw;
	u32 ias;
	bool has_prr;
	struct iommu_device iommu;
	struct iommu_ops ops;

	spinlock_t lock; /* @cb, @prr, @prr_enabled, @domain */
	struct vgpu_hw_cb cb;
	phys_addr_t prr;
	bool prr_enabled;
	struct iommu_domain *domain;
	struct device *client;

	u32 forget_inv;
};

extern const struct iommu_domain_ops vgpu_domain_ops;

struct iommu_domain *vgpu_domain_alloc_paging(struct device *dev);

void vgpu_smmu_disable_cb(struct vgpu_smmu *smmu);
void vgpu_smmu_lose_power(struct vgpu_smmu *smmu);
void vgpu_smmu_restore_cb(struct vgpu_smmu *smmu);

#endif /* __VGPU_DOMAIN_H__ */
