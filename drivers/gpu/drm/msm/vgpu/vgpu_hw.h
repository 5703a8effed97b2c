/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware half of the virtual Adreno, as the rest of the driver sees it.
 *
 * This is the whole wire between the two halves: registers, an interrupt line,
 * one SMMU context bank and physical memory.  Nothing behind this header knows
 * a driver object, and nothing in front of it sees how the model works.
 */
#ifndef __VGPU_HW_H__
#define __VGPU_HW_H__

#include <linux/types.h>

struct vgpu_config;
struct vgpu_stats;
struct vgpu_hw;

/**
 * struct vgpu_hw_host - what the hardware does to the machine it sits in
 * @irq: the GPU's interrupt line went up.  Read RBBM_INT_0_STATUS for the
 *	cause and write RBBM_INT_CLEAR_CMD to lower it.
 * @fault: the SMMU context bank raised its fault interrupt, see
 *	vgpu_hw_smmu_fault().  With stalling on, the access waits for
 *	vgpu_hw_smmu_resume().
 *
 * Both run on the command processor's own thread, with no lock held.  They may
 * sleep, but are on the fence signalling path: no allocation that can enter
 * reclaim, no dma_resv lock, and no call of vgpu_hw_reset() from inside.
 */
struct vgpu_hw_host {
	void (*irq)(void *cookie);
	void (*fault)(void *cookie);
};

struct vgpu_hw *vgpu_hw_create(const struct vgpu_config *config,
			       const struct vgpu_hw_host *host, void *cookie);
void vgpu_hw_destroy(struct vgpu_hw *hw);
void vgpu_hw_reset(struct vgpu_hw *hw);

u32 vgpu_hw_read(struct vgpu_hw *hw, u32 reg);
void vgpu_hw_write(struct vgpu_hw *hw, u32 reg, u32 value);

/**
 * struct vgpu_hw_cb - registers of the SMMU context bank that place the tables
 * @ttbr: physical addresses of the two root tables; [0] translates addresses
 *	with bit 48 clear, [1] those with bit 48 set
 * @tcr: translation control as the Arm architecture lays it out (T0SZ, TG0,
 *	EPD0 in the low half, T1SZ, TG1, EPD1 in the high half, IPS)
 * @mair: memory attributes
 */
struct vgpu_hw_cb {
	u64 ttbr[2];
	u64 tcr;
	u64 mair;
};

/**
 * struct vgpu_hw_fault - fault registers of the context bank
 * @iova: faulting address, exact to the byte, bit 48 kept, not sign extended
 * @ttbr0: root of the tables that were in use
 * @fsr: ARM_SMMU_FSR layout: TF BIT(1), PF BIT(3), EF BIT(4), SS BIT(30)
 * @fsynr0: ARM_SMMU_FSYNR0 layout: WNR BIT(4)
 * @fsynr1: zero
 * @contextidr: ASID of the faulting translation
 */
struct vgpu_hw_fault {
	u64 iova;
	u64 ttbr0;
	u32 fsr;
	u32 fsynr0;
	u32 fsynr1;
	u32 contextidr;
};

void vgpu_hw_smmu_write_cb(struct vgpu_hw *hw, const struct vgpu_hw_cb *cb);
void vgpu_hw_smmu_set_stall(struct vgpu_hw *hw, bool enable);
void vgpu_hw_smmu_resume(struct vgpu_hw *hw, bool terminate);
void vgpu_hw_smmu_fault(struct vgpu_hw *hw, struct vgpu_hw_fault *fault);
void vgpu_hw_smmu_set_prr(struct vgpu_hw *hw, phys_addr_t page);
void vgpu_hw_smmu_enable_prr(struct vgpu_hw *hw, bool enable);

void vgpu_hw_tlb_inv_all(struct vgpu_hw *hw);
void vgpu_hw_tlb_inv_walk(struct vgpu_hw *hw, u64 iova, size_t size);
void vgpu_hw_tlb_inv_page(struct vgpu_hw *hw, u64 iova, size_t size);

void vgpu_hw_configure(struct vgpu_hw *hw, const struct vgpu_config *config);
void vgpu_hw_stats(struct vgpu_hw *hw, struct vgpu_stats *stats);

#endif /* __VGPU_HW_H__ */
