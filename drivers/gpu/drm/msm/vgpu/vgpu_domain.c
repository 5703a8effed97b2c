// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paging domain of the virtual SMMU, and its private line to the GPU driver.
 *
 * What it holds: the context bank's registers and the tables of the upper half.
 * Mapping and unmapping are the kernel's own ARM_64_LPAE_S1 code; this file
 * decides where the tables go and turns the calls for invalidation into
 * operations on the model's TLB.
 *
 * What it promises: an invalidation is complete when the call for it returns,
 * and a loss of power shows neither in the context bank nor in the PRR page.
 *
 * Terms: the PRR page stands for the parts of partially resident resources that
 * have no memory: the SMMU answers reads of it with zero and drops writes.
 */

#include <linux/adreno-smmu-priv.h>
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/io-pgtable.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include "vgpu_domain.h"
#include "vgpu_hw.h"

/* Bit 48 of an address on the bus selects the half */
#define VGPU_HALF_BIT		48

/* Output address size */
#define VGPU_OAS		48

/* TCR_EL1 of the Arm Architecture Reference Manual */
#define CB_TCR_T0SZ		GENMASK_ULL(5, 0)
#define CB_TCR_EPD0		BIT_ULL(7)
#define CB_TCR_IRGN0		GENMASK_ULL(9, 8)
#define CB_TCR_ORGN0		GENMASK_ULL(11, 10)
#define CB_TCR_SH0		GENMASK_ULL(13, 12)
#define CB_TCR_TG0			GENMASK_ULL(15, 14)
#define CB_TCR_LOW		GENMASK_ULL(15, 0)
#define CB_TCR_EPD1		BIT_ULL(23)
#define CB_TCR_IPS			GENMASK_ULL(34, 32)
#define CB_TCR_HIGH_SHIFT		16

/**
 * struct vgpu_domain - the kernel's address space
 * @base: for the IOMMU core
 * @smmu: the SMMU it can be attached to
 * @pgtbl: the tables that TTBR1 points to
 */
struct vgpu_domain {
	struct iommu_domain base;
	struct vgpu_smmu *smmu;
	struct io_pgtable_ops *pgtbl;
};

static struct vgpu_domain *to_vgpu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vgpu_domain, base);
}

/* The cookie of adreno_smmu_priv and of the flush ops is the domain */
static struct vgpu_domain *cookie_to_domain(const void *cookie)
{
	return (struct vgpu_domain *)cookie;
}

static struct io_pgtable_cfg *vgpu_domain_cfg(struct vgpu_domain *domain)
{
	return &io_pgtable_ops_to_pgtable(domain->pgtbl)->cfg;
}

/*
 * Context bank
 */

static void vgpu_smmu_write_cb_locked(struct vgpu_smmu *smmu)
{
	lockdep_assert_held(&smmu->lock);

	vgpu_hw_smmu_write_cb(smmu->hw, &smmu->cb);
}

static void vgpu_smmu_write_prr_locked(struct vgpu_smmu *smmu)
{
	lockdep_assert_held(&smmu->lock);

	vgpu_hw_smmu_set_prr(smmu->hw, smmu->prr);
	vgpu_hw_smmu_enable_prr(smmu->hw, smmu->prr_enabled);
}

/* The fields of one half of TCR, placed as for TTBR0 */
static u64 vgpu_tcr_half(const struct io_pgtable_cfg *cfg)
{
	return FIELD_PREP(CB_TCR_T0SZ, cfg->arm_lpae_s1_cfg.tcr.tsz) |
	       FIELD_PREP(CB_TCR_IRGN0, cfg->arm_lpae_s1_cfg.tcr.irgn) |
	       FIELD_PREP(CB_TCR_ORGN0, cfg->arm_lpae_s1_cfg.tcr.orgn) |
	       FIELD_PREP(CB_TCR_SH0, cfg->arm_lpae_s1_cfg.tcr.sh) |
	       FIELD_PREP(CB_TCR_TG0, cfg->arm_lpae_s1_cfg.tcr.tg);
}

/**
 * vgpu_smmu_disable_cb() - shut the context bank
 * @smmu: the SMMU
 *
 * No walk in either half from now on: every access is a translation fault.
 */
void vgpu_smmu_disable_cb(struct vgpu_smmu *smmu)
{
	spin_lock(&smmu->lock);
	smmu->domain = NULL;
	smmu->cb = (struct vgpu_hw_cb) { .tcr = CB_TCR_EPD0 | CB_TCR_EPD1 };
	vgpu_smmu_write_cb_locked(smmu);
	spin_unlock(&smmu->lock);

	vgpu_hw_tlb_inv_all(smmu->hw);
}

/**
 * vgpu_smmu_lose_power() - what the end of power does to the hardware
 * @smmu: the SMMU
 *
 * The model has no power rail.  Its registers and its TLB lose here what they
 * held, so that whoever forgets to program them again is noticed.
 */
void vgpu_smmu_lose_power(struct vgpu_smmu *smmu)
{
	const struct vgpu_hw_cb off = { .tcr = CB_TCR_EPD0 | CB_TCR_EPD1 };

	vgpu_hw_smmu_write_cb(smmu->hw, &off);
	vgpu_hw_smmu_enable_prr(smmu->hw, false);
	vgpu_hw_smmu_set_prr(smmu->hw, 0);
	vgpu_hw_tlb_inv_all(smmu->hw);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_smmu_lose_power);

/**
 * vgpu_smmu_restore_cb() - program the context bank after a loss of power
 * @smmu: the SMMU
 */
void vgpu_smmu_restore_cb(struct vgpu_smmu *smmu)
{
	spin_lock(&smmu->lock);
	vgpu_smmu_write_cb_locked(smmu);
	vgpu_smmu_write_prr_locked(smmu);
	spin_unlock(&smmu->lock);

	vgpu_hw_tlb_inv_all(smmu->hw);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_smmu_restore_cb);

static void vgpu_cb_enable_ttbr1(struct vgpu_hw_cb *cb,
				 const struct io_pgtable_cfg *cfg)
{
	cb->ttbr[0] = 0;
	cb->ttbr[1] = cfg->arm_lpae_s1_cfg.ttbr;
	cb->mair = cfg->arm_lpae_s1_cfg.mair;
	cb->tcr = vgpu_tcr_half(cfg) << CB_TCR_HIGH_SHIFT | CB_TCR_EPD0 |
		  FIELD_PREP(CB_TCR_IPS, cfg->arm_lpae_s1_cfg.tcr.ips);
}

/*
 * TLB invalidation
 *
 * The API gives sign-extended addresses for the upper half, the wires of the
 * hardware carry 49 bits.
 */

static u64 vgpu_bus_address(unsigned long iova)
{
	return iova & GENMASK_ULL(VGPU_HALF_BIT, 0);
}

static bool vgpu_tlb_forgets(struct vgpu_smmu *smmu, u32 kind)
{
	return unlikely(READ_ONCE(smmu->forget_inv) & kind);
}

static void vgpu_tlb_flush_all(void *cookie)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;

	if (!vgpu_tlb_forgets(smmu, VGPU_FORGET_ALL))
		vgpu_hw_tlb_inv_all(smmu->hw);
}

static void vgpu_tlb_flush_walk(unsigned long iova, size_t size,
				size_t granule, void *cookie)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;

	if (!vgpu_tlb_forgets(smmu, VGPU_FORGET_WALK))
		vgpu_hw_tlb_inv_walk(smmu->hw, vgpu_bus_address(iova), size);
}

static void vgpu_tlb_add_page(struct iommu_iotlb_gather *gather,
			      unsigned long iova, size_t granule, void *cookie)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;

	if (!vgpu_tlb_forgets(smmu, VGPU_FORGET_PAGE))
		vgpu_hw_tlb_inv_page(smmu->hw, vgpu_bus_address(iova), granule);
}

static const struct iommu_flush_ops vgpu_flush_ops = {
	.tlb_flush_all = vgpu_tlb_flush_all,
	.tlb_flush_walk = vgpu_tlb_flush_walk,
	.tlb_add_page = vgpu_tlb_add_page,
};

/*
 * The private interface with the GPU driver, include/linux/adreno-smmu-priv.h
 */

static const struct io_pgtable_cfg *vgpu_priv_get_ttbr1_cfg(const void *cookie)
{
	return vgpu_domain_cfg(cookie_to_domain(cookie));
}

static int vgpu_priv_set_ttbr0_cfg(const void *cookie,
				   const struct io_pgtable_cfg *cfg)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;
	struct vgpu_hw_cb *cb = &smmu->cb;
	bool enabled;
	int ret = 0;

	spin_lock(&smmu->lock);
	enabled = !(cb->tcr & CB_TCR_EPD0);
	if (enabled == !!cfg) {
		ret = -EINVAL;	/* already so */
		goto out_unlock;
	}

	cb->tcr &= ~CB_TCR_LOW;
	if (cfg) {
		cb->tcr |= vgpu_tcr_half(cfg);
		cb->ttbr[0] = cfg->arm_lpae_s1_cfg.ttbr;
	} else {
		cb->tcr |= CB_TCR_EPD0;
		cb->ttbr[0] = 0;
	}
	vgpu_smmu_write_cb_locked(smmu);

out_unlock:
	spin_unlock(&smmu->lock);

	return ret;
}

static void vgpu_priv_get_fault_info(const void *cookie,
				     struct adreno_smmu_fault_info *info)
{
	struct vgpu_hw_fault fault;

	vgpu_hw_smmu_fault(cookie_to_domain(cookie)->smmu->hw, &fault);

	*info = (struct adreno_smmu_fault_info) {
		.far = fault.iova,
		.ttbr0 = fault.ttbr0,
		.contextidr = fault.contextidr,
		.fsr = fault.fsr,
		.fsynr0 = fault.fsynr0,
		.fsynr1 = fault.fsynr1,
	};
}

static void vgpu_priv_set_stall(const void *cookie, bool enabled)
{
	vgpu_hw_smmu_set_stall(cookie_to_domain(cookie)->smmu->hw, enabled);
}

static void vgpu_priv_resume_translation(const void *cookie, bool terminate)
{
	vgpu_hw_smmu_resume(cookie_to_domain(cookie)->smmu->hw, terminate);
}

static void vgpu_priv_set_prr_addr(const void *cookie, phys_addr_t page)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;

	spin_lock(&smmu->lock);
	smmu->prr = page;
	vgpu_smmu_write_prr_locked(smmu);
	spin_unlock(&smmu->lock);
}

static void vgpu_priv_set_prr_bit(const void *cookie, bool set)
{
	struct vgpu_smmu *smmu = cookie_to_domain(cookie)->smmu;

	spin_lock(&smmu->lock);
	smmu->prr_enabled = set;
	vgpu_smmu_write_prr_locked(smmu);
	spin_unlock(&smmu->lock);
}

static void vgpu_priv_fill(struct adreno_smmu_priv *priv,
			   struct vgpu_domain *domain)
{
	bool has_prr = domain->smmu->has_prr;

	priv->cookie = domain;
	priv->get_ttbr1_cfg = vgpu_priv_get_ttbr1_cfg;
	priv->set_ttbr0_cfg = vgpu_priv_set_ttbr0_cfg;
	priv->get_fault_info = vgpu_priv_get_fault_info;
	priv->set_stall = vgpu_priv_set_stall;
	priv->resume_translation = vgpu_priv_resume_translation;
	priv->set_prr_addr = has_prr ? vgpu_priv_set_prr_addr : NULL;
	priv->set_prr_bit = has_prr ? vgpu_priv_set_prr_bit : NULL;
}

/*
 * Paging domain
 */

/**
 * vgpu_domain_alloc_paging() - iommu_ops.domain_alloc_paging
 * @dev: a client of the SMMU
 *
 * Return: an empty domain for the upper half, or an ERR_PTR.
 */
struct iommu_domain *vgpu_domain_alloc_paging(struct device *dev)
{
	struct vgpu_smmu *smmu = dev_iommu_priv_get(dev);
	struct io_pgtable_cfg cfg = {
		.quirks = IO_PGTABLE_QUIRK_ARM_TTBR1,
		.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.ias = smmu->ias,
		.oas = VGPU_OAS,
		.coherent_walk = true,
		.tlb = &vgpu_flush_ops,
		.iommu_dev = smmu->dev,
	};
	struct vgpu_domain *domain;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	if (!domain)
		return ERR_PTR(-ENOMEM);

	domain->smmu = smmu;
	domain->pgtbl = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &cfg, domain);
	if (!domain->pgtbl) {
		kfree(domain);
		return ERR_PTR(-ENOMEM);
	}

	domain->base.pgsize_bitmap = cfg.pgsize_bitmap;
	domain->base.geometry = (struct iommu_domain_geometry) {
		.aperture_start = ~0UL << smmu->ias,
		.aperture_end = ~0UL,
		.force_aperture = true,
	};

	return &domain->base;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_domain_alloc_paging);

static void vgpu_domain_free(struct iommu_domain *base)
{
	struct vgpu_domain *domain = to_vgpu_domain(base);

	free_io_pgtable_ops(domain->pgtbl);
	kfree(domain);
}

static int vgpu_domain_attach(struct iommu_domain *base, struct device *dev)
{
	struct vgpu_domain *domain = to_vgpu_domain(base);
	struct adreno_smmu_priv *priv = dev_get_drvdata(dev);
	struct vgpu_smmu *smmu = dev_iommu_priv_get(dev);

	if (domain->smmu != smmu)
		return -EINVAL;
	if (!priv)
		return -ENODEV;

	vgpu_priv_fill(priv, domain);

	spin_lock(&smmu->lock);
	smmu->domain = base;
	vgpu_cb_enable_ttbr1(&smmu->cb, vgpu_domain_cfg(domain));
	vgpu_smmu_write_cb_locked(smmu);
	spin_unlock(&smmu->lock);

	vgpu_hw_tlb_inv_all(smmu->hw);

	return 0;
}

static int vgpu_domain_map_pages(struct iommu_domain *base, unsigned long iova,
				 phys_addr_t paddr, size_t pgsize,
				 size_t pgcount, int prot, gfp_t gfp,
				 size_t *mapped)
{
	struct io_pgtable_ops *pgtbl = to_vgpu_domain(base)->pgtbl;

	return pgtbl->map_pages(pgtbl, iova, paddr, pgsize, pgcount, prot, gfp,
				mapped);
}

static size_t vgpu_domain_unmap_pages(struct iommu_domain *base,
				      unsigned long iova, size_t pgsize,
				      size_t pgcount,
				      struct iommu_iotlb_gather *gather)
{
	struct io_pgtable_ops *pgtbl = to_vgpu_domain(base)->pgtbl;

	return pgtbl->unmap_pages(pgtbl, iova, pgsize, pgcount, gather);
}

static phys_addr_t vgpu_domain_iova_to_phys(struct iommu_domain *base,
					    dma_addr_t iova)
{
	struct io_pgtable_ops *pgtbl = to_vgpu_domain(base)->pgtbl;

	return pgtbl->iova_to_phys(pgtbl, iova);
}

static void vgpu_domain_flush_iotlb_all(struct iommu_domain *base)
{
	vgpu_tlb_flush_all(to_vgpu_domain(base));
}

const struct iommu_domain_ops vgpu_domain_ops = {
	.attach_dev = vgpu_domain_attach,
	.map_pages = vgpu_domain_map_pages,
	.unmap_pages = vgpu_domain_unmap_pages,
	.flush_iotlb_all = vgpu_domain_flush_iotlb_all,
	.iova_to_phys = vgpu_domain_iova_to_phys,
	.free = vgpu_domain_free,
};
EXPORT_SYMBOL_IF_KUNIT(vgpu_domain_ops);
