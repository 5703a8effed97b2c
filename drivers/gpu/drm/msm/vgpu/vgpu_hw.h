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

#include <linux/bits.h>
#include <linux/types.h>

struct vgpu_config;
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
 * reclaim, no dma_resv lock, and no call of vgpu_hw_reset() from inside.  A
 * callback that vgpu_hw_reset() overtook may still be running when it returns;
 * vgpu_hw_quiesce() and vgpu_hw_destroy() wait for it.
 */
struct vgpu_hw_host {
	void (*irq)(void *cookie);
	void (*fault)(void *cookie);
};

struct vgpu_hw *vgpu_hw_create(const struct vgpu_config *config,
			       const struct vgpu_hw_host *host, void *cookie);
void vgpu_hw_destroy(struct vgpu_hw *hw);
void vgpu_hw_reset(struct vgpu_hw *hw);
void vgpu_hw_quiesce(struct vgpu_hw *hw);

u32 vgpu_hw_read(struct vgpu_hw *hw, u32 reg);
void vgpu_hw_write(struct vgpu_hw *hw, u32 reg, u32 value);

/**
 * struct vgpu_hw_cb - registers of the SMMU context bank that place the tables
 * @ttbr: physical addresses of the two root tables; [0] translates addresses
 *	with bit 48 clear, [1] those with bit 48 set
 * @tcr: translation control as the Arm architecture lays it out (T0SZ, EPD0,
 *	TG0 in the low half, T1SZ, EPD1, TG1 in the high half, IPS above)
 * @mair: memory attributes
 */
struct vgpu_hw_cb {
	u64 ttbr[2];
	u64 tcr;
	u64 mair;
};

/* Fault status bits, laid out as in the SMMU's CBn_FSR and CBn_FSYNR0. */
#define VGPU_HW_FSR_TF		BIT(1)	/* translation */
#define VGPU_HW_FSR_AFF		BIT(2)	/* access flag */
#define VGPU_HW_FSR_PF		BIT(3)	/* permission */
#define VGPU_HW_FSR_EF		BIT(4)	/* no memory at the output address */
#define VGPU_HW_FSR_ASF		BIT(7)	/* output address too large */
#define VGPU_HW_FSR_SS		BIT(30)	/* the access is stalled */
#define VGPU_HW_FSYNR0_WNR	BIT(4)	/* the access was a write */

/**
 * struct vgpu_hw_fault - fault registers of the context bank
 * @iova: faulting address, exact to the byte, bit 48 kept, not sign extended
 * @ttbr0: root of the tables that were in use
 * @fsr: VGPU_HW_FSR_*
 * @fsynr0: VGPU_HW_FSYNR0_*
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

/**
 * enum vgpu_engine - who made a memory access
 * @VGPU_ENGINE_FETCH: the CP, fetching commands
 * @VGPU_ENGINE_CP: the CP, executing a packet
 * @VGPU_ENGINE_A2D: the 2D engine
 * @VGPU_NR_ENGINES: how many there are
 */
enum vgpu_engine {
	VGPU_ENGINE_FETCH,
	VGPU_ENGINE_CP,
	VGPU_ENGINE_A2D,
	VGPU_NR_ENGINES,
};

#define VGPU_NR_OPCODES		128

/**
 * struct vgpu_stats - what the model counted since creation
 * @walks: translations that read page tables
 * @hits: translations served by the TLB alone
 * @stale_hits: translations that the tables in memory no longer back; counted
 *	in strict mode only
 * @evictions: TLB entries that a victim choice dropped
 * @inv_all: invalidations of everything
 * @inv_walk: invalidations of a range, table pointers included
 * @inv_page: invalidations of a range, last level only
 * @ttbr_updates: CP_SMMU_TABLE_UPDATE packets
 * @faults: accesses that faulted
 * @prr_reads: reads answered with zero by the PRR page
 * @prr_writes: writes dropped by the PRR page
 * @watch_checks: looks at the watched range
 * @watch_lost: pages of it that were mapped at one look and not, or otherwise,
 *	at the next
 * @packets: type 7 packets executed, by opcode
 * @packets4: type 4 packets executed
 * @read_bytes: bytes read from memory, by enum vgpu_engine
 * @write_bytes: bytes written to memory, by enum vgpu_engine
 * @fence_irqs: fence interrupts raised
 * @lost_irqs: fence interrupts lost on request
 * @cp_errors: times the CP stopped at something it could not execute
 * @resets: calls of vgpu_hw_reset()
 * @prr_enabled: no count: whether there is a PRR page now
 * @cp_error: why it stopped last, in words; NULL if it never did
 * @cp_error_dword: header or register it stopped at
 */
struct vgpu_stats {
	u64 walks;
	u64 hits;
	u64 stale_hits;
	u64 evictions;
	u64 inv_all;
	u64 inv_walk;
	u64 inv_page;
	u64 ttbr_updates;
	u64 faults;
	u64 prr_reads;
	u64 prr_writes;
	u64 watch_checks;
	u64 watch_lost;
	u64 packets[VGPU_NR_OPCODES];
	u64 packets4;
	u64 read_bytes[VGPU_NR_ENGINES];
	u64 write_bytes[VGPU_NR_ENGINES];
	u64 fence_irqs;
	u64 lost_irqs;
	u64 cp_errors;
	u64 resets;
	bool prr_enabled;
	const char *cp_error;
	u32 cp_error_dword;
};

void vgpu_hw_configure(struct vgpu_hw *hw, const struct vgpu_config *config);
void vgpu_hw_stats(struct vgpu_hw *hw, struct vgpu_stats *stats);
const char *vgpu_hw_opcode_name(u32 opcode);
const char *vgpu_hw_cp_error(struct vgpu_hw *hw);
u64 vgpu_hw_counter(void);

#endif /* __VGPU_HW_H__ */
