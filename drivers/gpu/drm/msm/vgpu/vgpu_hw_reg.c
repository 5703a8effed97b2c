// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the virtual GPU and its interrupt line.
 *
 * A flat file of dwords that remember what was written, and a short table of
 * those that do something.  It promises that a register written by a command
 * stream which has no right to it stays as it was, and stops the CP.
 *
 * Terms: the host is the driver, reaching the registers by MMIO; it may touch
 * them all, from any context.  The CP reaches them by packets, and is subject
 * to protection: the spans in CP_PROTECT if they are enabled; else user command
 * streams cannot write the RBBM and CP blocks, which are the kernel's.
 *
 * Trap: 64 bit counters change between the reads of their halves.  A host
 * read of the lower half latches the upper one.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"
#include "vgpu_hw_xml.h"

/* Spans that the CP of an A650 compares with. */
#define NR_SPANS		48
#define SPAN_BASE		A6XX_CP_PROTECT_REG_BASE_ADDR__MASK
#define SPAN_LEN		A6XX_CP_PROTECT_REG_MASK_LEN__MASK
/* CP_PROTECT_STATUS: the violation was a read */
#define PROTECT_STATUS_READ	BIT(20)
/* The first register after the RBBM, CP and VSC-less blocks: UCHE */
#define FIRST_USER_REG		0xe00

/**
 * struct reg_ops - a register that does something
 * @reg: which
 * @get: compute its value; NULL if it reads as last written
 * @get64: it is the lower half of a counter
 * @set: what a write does; NULL if it is only remembered
 *
 * All run under the lock.
 */
struct reg_ops {
	u32 reg;
	u32 (*get)(struct vgpu_hw *hw);
	u64 (*get64)(void);
	void (*set)(struct vgpu_hw *hw, u32 value);
};

/**
 * vgpu_hw_counter - the always-on counter
 *
 * Context: any.
 * Return: ticks of a 19.2 MHz clock.
 */
u64 vgpu_hw_counter(void)
{
	/* 19.2 MHz / 1 GHz = 12 / 625 */
	return mul_u64_u32_div(ktime_get_boottime_ns(), 12, 625);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_counter);

/* PERF_CP_ALWAYS_COUNT, at one cycle per nanosecond. */
static u64 reg_cycles(void)
{
	return ktime_get_ns();
}

static u32 reg_get_status(struct vgpu_hw *hw)
{
	if (hw->regs[REG_A6XX_CP_RB_RPTR] == hw->regs[REG_A6XX_CP_RB_WPTR])
		return 0;
	return A6XX_RBBM_STATUS_GPU_BUSY_IGN_AHB | A6XX_RBBM_STATUS_CP_BUSY;
}

static u32 reg_get_status3(struct vgpu_hw *hw)
{
	return hw->smmu.stalled ? A6XX_RBBM_STATUS3_SMMU_STALLED_ON_FAULT : 0;
}

/* The counters of the model need no clearing, so that is always done. */
static u32 reg_get_sram_init(struct vgpu_hw *hw)
{
	return 1;
}

static void reg_set_wptr(struct vgpu_hw *hw, u32 value)
{
	trace_vgpu_doorbell(hw->regs[REG_A6XX_CP_RB_RPTR], value);
	vgpu_watch_check(hw);
	wake_up(&hw->wait);
}

static void reg_set_run(struct vgpu_hw *hw, u32 value)
{
	if (value && hw->inject.starts < hw->config.false_starts) {
		hw->inject.starts++;
		hw->regs[REG_A6XX_CP_SQE_CNTL] = 0;
	}
	wake_up(&hw->wait);
}

static void reg_set_int_clear(struct vgpu_hw *hw, u32 value)
{
	hw->regs[REG_A6XX_RBBM_INT_0_STATUS] &= ~value;
}

static void reg_set_int_mask(struct vgpu_hw *hw, u32 value)
{
	if (!(hw->regs[REG_A6XX_RBBM_INT_0_STATUS] & value))
		return;
	WRITE_ONCE(hw->irq_kick, true);
	wake_up(&hw->wait);
}

static const struct reg_ops reg_ops[] = {
	{ REG_A6XX_CP_RB_WPTR, .set = reg_set_wptr },
	{ REG_A6XX_CP_SQE_CNTL, .set = reg_set_run },
	{ REG_A6XX_RBBM_INT_CLEAR_CMD, .set = reg_set_int_clear },
	{ REG_A6XX_RBBM_INT_0_MASK, .set = reg_set_int_mask },
	{ REG_A6XX_RBBM_STATUS, .get = reg_get_status },
	{ REG_A6XX_RBBM_STATUS3, .get = reg_get_status3 },
	{ REG_A6XX_RBBM_PERFCTR_SRAM_INIT_STATUS, .get = reg_get_sram_init },
	{ REG_A6XX_CP_ALWAYS_ON_COUNTER, .get64 = vgpu_hw_counter },
	{ REG_A6XX_RBBM_PERFCTR_CP(0), .get64 = reg_cycles },
};

static const struct reg_ops *reg_find(u32 reg)
{
	for (int i = 0; i < ARRAY_SIZE(reg_ops); i++)
		if (reg_ops[i].reg == reg)
			return &reg_ops[i];

	return NULL;
}

static u32 reg_get(struct vgpu_hw *hw, u32 reg)
{
	const struct reg_ops *ops = reg_find(reg);

	if (ops && ops->get)
		return ops->get(hw);
	if (ops && ops->get64)
		return lower_32_bits(ops->get64());
	ops = reg ? reg_find(reg - 1) : NULL;
	if (ops && ops->get64)
		return upper_32_bits(ops->get64());

	return hw->regs[reg];
}

static void reg_set(struct vgpu_hw *hw, u32 reg, u32 value)
{
	const struct reg_ops *ops = reg_find(reg);

	hw->regs[reg] = value;
	if (ops && ops->set)
		ops->set(hw, value);
}

/**
 * vgpu_reg_set64 - set a register pair without further effect
 * @hw: the GPU; its lock is held
 * @reg: the lower one
 * @value: for both
 */
void vgpu_reg_set64(struct vgpu_hw *hw, u32 reg, u64 value)
{
	lockdep_assert_held(&hw->lock);

	hw->regs[reg] = lower_32_bits(value);
	hw->regs[reg + 1] = upper_32_bits(value);
}

/**
 * vgpu_reg_get64 - get a register pair as last set
 * @hw: the GPU; its lock is held
 * @reg: the lower one
 *
 * Return: the value of both.
 */
u64 vgpu_reg_get64(struct vgpu_hw *hw, u32 reg)
{
	lockdep_assert_held(&hw->lock);

	return (u64)hw->regs[reg + 1] << 32 | hw->regs[reg];
}

/**
 * vgpu_hw_read - read a register as the host
 * @hw: the GPU
 * @reg: dword offset; beyond the file reads zero
 *
 * Context: any.
 * Return: its value.
 */
u32 vgpu_hw_read(struct vgpu_hw *hw, u32 reg)
{
	const struct reg_ops *ops;
	unsigned long flags;
	u32 value;

	if (reg >= VGPU_NR_REGS)
		return 0;

	spin_lock_irqsave(&hw->lock, flags);
	ops = reg_find(reg);
	if (ops && ops->get64)
		vgpu_reg_set64(hw, reg, ops->get64());
	value = ops && ops->get ? ops->get(hw) : hw->regs[reg];
	spin_unlock_irqrestore(&hw->lock, flags);

	return value;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_read);

/**
 * vgpu_hw_write - write a register as the host
 * @hw: the GPU
 * @reg: dword offset; beyond the file nothing happens
 * @value: what to write
 *
 * What was written to memory before is visible to the GPU when it sees the
 * register.
 *
 * Context: any.
 */
void vgpu_hw_write(struct vgpu_hw *hw, u32 reg, u32 value)
{
	unsigned long flags;

	if (reg >= VGPU_NR_REGS)
		return;

	/* Pairs with taking the lock in the CP thread. */
	smp_mb();
	spin_lock_irqsave(&hw->lock, flags);
	reg_set(hw, reg, value);
	spin_unlock_irqrestore(&hw->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_write);

static bool reg_in_span(u32 reg, u32 span, bool write, bool endless)
{
	u32 base = FIELD_GET(SPAN_BASE, span);

	if (!span || reg < base)
		return false;
	if (!endless && reg > base + FIELD_GET(SPAN_LEN, span))
		return false;

	return write || span & A6XX_CP_PROTECT_REG_READ;
}

static bool reg_refused(struct vgpu_hw *hw, u32 reg, bool write)
{
	u32 cntl = hw->regs[REG_A6XX_CP_PROTECT_CNTL];
	bool from_ring = hw->cp.level == VGPU_RING;

	if (!(cntl & A6XX_CP_PROTECT_CNTL_ACCESS_PROT_EN))
		return !from_ring && write && reg < FIRST_USER_REG &&
		       (reg < REG_A6XX_CP_SCRATCH_REG(0) ||
			reg > REG_A6XX_CP_SCRATCH_REG(7));

	if (from_ring && !hw->cp.protected)
		return false;

	for (u32 i = 0; i < NR_SPANS; i++) {
		bool endless = i == NR_SPANS - 1 &&
			cntl & A6XX_CP_PROTECT_CNTL_LAST_SPAN_INF_RANGE;

		if (reg_in_span(reg, hw->regs[REG_A6XX_CP_PROTECT_REG(i)],
				write, endless))
			return true;
	}

	return false;
}

/* Ends with the lock held if and only if the access is allowed. */
static int reg_cp_begin(struct vgpu_hw *hw, u32 reg, bool write,
			unsigned long *flags)
{
	if (reg >= VGPU_NR_REGS)
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_AHB_ERROR, reg,
				     "no such register");

	spin_lock_irqsave(&hw->lock, *flags);
	if (vgpu_hw_canceled(hw)) {
		spin_unlock_irqrestore(&hw->lock, *flags);
		return -ECANCELED;
	}
	if (!reg_refused(hw, reg, write))
		return 0;

	hw->regs[REG_A6XX_CP_PROTECT_STATUS] =
		reg | (write ? 0 : PROTECT_STATUS_READ);
	spin_unlock_irqrestore(&hw->lock, *flags);

	return vgpu_cp_error(hw, A6XX_CP_INT_CP_REGISTER_PROTECTION_ERROR, reg,
			     "protected register");
}

/**
 * vgpu_reg_cp_read - read a register by a packet
 * @hw: the GPU
 * @reg: dword offset
 * @value: out: its value
 *
 * Context: the CP thread, no lock held.
 * Return: 0, -EIO if the CP stopped at it, -ECANCELED after a reset.
 */
int vgpu_reg_cp_read(struct vgpu_hw *hw, u32 reg, u32 *value)
{
	unsigned long flags;
	int ret;

	ret = reg_cp_begin(hw, reg, false, &flags);
	if (ret)
		return ret;
	*value = reg_get(hw, reg);
	spin_unlock_irqrestore(&hw->lock, flags);

	return 0;
}

/**
 * vgpu_reg_cp_read64 - read a register pair by a packet
 * @hw: the GPU
 * @reg: dword offset of the lower one
 * @value: out: both, of one moment
 *
 * Context: the CP thread, no lock held.
 * Return: 0, -EIO if the CP stopped at it, -ECANCELED after a reset.
 */
int vgpu_reg_cp_read64(struct vgpu_hw *hw, u32 reg, u64 *value)
{
	const struct reg_ops *ops = reg_find(reg);
	u32 hi;
	int ret;

	/* Checks the upper one as well. */
	ret = vgpu_reg_cp_read(hw, reg + 1, &hi);
	if (!ret) {
		u32 lo;

		ret = vgpu_reg_cp_read(hw, reg, &lo);
		*value = (u64)hi << 32 | lo;
	}
	if (!ret && ops && ops->get64)
		*value = ops->get64();

	return ret;
}

/**
 * vgpu_reg_cp_write - write a register by a packet
 * @hw: the GPU
 * @reg: dword offset
 * @value: what to write
 *
 * Context: the CP thread, no lock held.
 * Return: 0, -EIO if the CP stopped at it, -ECANCELED after a reset.
 */
int vgpu_reg_cp_write(struct vgpu_hw *hw, u32 reg, u32 value)
{
	unsigned long flags;
	int ret;

	ret = reg_cp_begin(hw, reg, true, &flags);
	if (ret)
		return ret;
	reg_set(hw, reg, value);
	spin_unlock_irqrestore(&hw->lock, flags);

	return 0;
}

/* Is this the interrupt to lose? */
static bool reg_lose_irq(struct vgpu_hw *hw, u32 bits)
{
	if (!(bits & A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS))
		return false;
	hw->stats.fence_irqs++;
	if (++hw->inject.irqs != hw->config.lose_irq_at)
		return false;
	hw->stats.lost_irqs++;

	return true;
}

/**
 * vgpu_reg_raise_irq - raise interrupt causes
 * @hw: the GPU
 * @bits: of RBBM_INT_0_STATUS
 *
 * All that the CP wrote before is visible when the host looks.
 *
 * Context: the CP thread, no lock held.
 * Return: 0, or -ECANCELED after a reset.
 */
int vgpu_reg_raise_irq(struct vgpu_hw *hw, u32 bits)
{
	u32 *status = &hw->regs[REG_A6XX_RBBM_INT_0_STATUS];
	unsigned long flags;
	bool up = false;
	int ret = 0;

	/* The host may look without taking our lock. */
	smp_mb();
	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw)) {
		ret = -ECANCELED;
	} else if (!reg_lose_irq(hw, bits)) {
		*status |= bits;
		up = *status & hw->regs[REG_A6XX_RBBM_INT_0_MASK];
	}
	spin_unlock_irqrestore(&hw->lock, flags);

	if (up)
		hw->host->irq(hw->cookie);

	return ret;
}

/**
 * vgpu_reg_deliver_irq - deliver what a change of the mask let through
 * @hw: the GPU
 *
 * Context: the CP thread, no lock held.
 */
void vgpu_reg_deliver_irq(struct vgpu_hw *hw)
{
	unsigned long flags;
	bool up;

	if (!READ_ONCE(hw->irq_kick))
		return;

	spin_lock_irqsave(&hw->lock, flags);
	hw->irq_kick = false;
	up = hw->regs[REG_A6XX_RBBM_INT_0_STATUS] &
	     hw->regs[REG_A6XX_RBBM_INT_0_MASK];
	spin_unlock_irqrestore(&hw->lock, flags);

	if (up)
		hw->host->irq(hw->cookie);
}
