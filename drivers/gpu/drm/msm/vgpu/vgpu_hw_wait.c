// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets of the virtual GPU that wait for a word to change.
 *
 * The host, or what another stream wrote before, satisfies them.  They sleep
 * between two looks and hold no lock meanwhile; a reset ends them at the next
 * look.
 *
 * Traps: CP_WAIT_MEM_GTE compares as signed, CP_WAIT_REG_MEM as unsigned unless
 * told otherwise.  A wait that is never satisfied is no error of the CP; the
 * driver's hang check decides.
 */
#include <linux/bitfield.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_xml.h"

/* Waits re-evaluate after 10 us, 20 us and so on, up to a millisecond. */
#define POLL_FIRST_US		10
#define POLL_LAST_US		1000

static u64 wait_address(const u32 *dwords)
{
	return (u64)dwords[1] << 32 | dwords[0];
}

static bool wait_compare(u32 function, u32 value, u32 ref)
{
	s64 diff = (s64)value - ref;

	if (function & CP_WAIT_REG_MEM_0_SIGNED_COMPARE)
		diff = (s64)(s32)value - (s32)ref;

	switch (function & CP_WAIT_REG_MEM_0_FUNCTION__MASK) {
	case WRITE_LT:
		return diff < 0;
	case WRITE_LE:
		return diff <= 0;
	case WRITE_EQ:
		return !diff;
	case WRITE_NE:
		return diff;
	case WRITE_GE:
		return diff >= 0;
	case WRITE_GT:
		return diff > 0;
	default:	/* WRITE_ALWAYS */
		return true;
	}
}

/**
 * struct wait_for - a condition that a packet waits for
 * @function: how to compare, as in CP_WAIT_REG_MEM
 * @is_reg: @where is a register, else an address
 * @where: what to look at
 * @mask: bits of it that matter
 * @ref: what to compare with
 */
struct wait_for {
	u32 function;
	bool is_reg;
	u64 where;
	u32 mask;
	u32 ref;
};

/* Look, and sleep between two looks, longer each time. */
static int wait_until(struct vgpu_hw *hw, const struct wait_for *wait)
{
	const struct vgpu_access access = vgpu_pm4_access(hw);

	for (u32 us = POLL_FIRST_US; ; us = min(2 * us, POLL_LAST_US)) {
		u32 value;
		int ret;

		if (wait->is_reg)
			ret = vgpu_reg_cp_read(hw, wait->where, &value);
		else
			ret = vgpu_mem_read(hw, &access, wait->where, &value,
					    sizeof(value));
		if (ret)
			return ret;
		if (wait_compare(wait->function, value & wait->mask, wait->ref))
			break;
		ret = vgpu_cp_sleep(hw, us);
		if (ret)
			return ret;
	}
	/* What was written before the word is visible to the next packets. */
	smp_mb();

	return 0;
}

static int wait_refused(struct vgpu_hw *hw, u32 dword, const char *why)
{
	return vgpu_cp_error(hw, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR, dword, why);
}

/**
 * vgpu_wait_mem_gte - execute CP_WAIT_MEM_GTE
 * @hw: the GPU
 * @dwords: what to wait for
 * @count: of the dwords
 *
 * Context: the CP thread, no lock held; sleeps.
 * Return: 0, -EIO if the CP is halted, -ECANCELED after a reset.
 */
int vgpu_wait_mem_gte(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	const struct wait_for wait = {
		.function = WRITE_GE | CP_WAIT_REG_MEM_0_SIGNED_COMPARE,
		.where = wait_address(dwords + 1),
		.mask = ~0,
		.ref = dwords[3],
	};

	return wait_until(hw, &wait);
}

/**
 * vgpu_wait_reg_mem - execute CP_WAIT_REG_MEM
 * @hw: the GPU
 * @dwords: what to wait for
 * @count: of the dwords
 *
 * Context: the CP thread, no lock held; sleeps.
 * Return: 0, -EIO if the CP is halted, -ECANCELED after a reset.
 */
int vgpu_wait_reg_mem(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 poll = FIELD_GET(CP_WAIT_REG_MEM_0_POLL__MASK, dwords[0]);
	bool is_reg = poll == POLL_REGISTER;
	const struct wait_for wait = {
		.function = dwords[0],
		.is_reg = is_reg,
		.where = is_reg ? dwords[1] : wait_address(dwords + 1),
		.mask = dwords[4],
		.ref = dwords[3],
	};

	if (!is_reg && poll != POLL_MEMORY)
		return wait_refused(hw, dwords[0],
				    "CP_WAIT_REG_MEM polls a register or memory");
	if ((dwords[0] & CP_WAIT_REG_MEM_0_FUNCTION__MASK) > WRITE_GT ||
	    dwords[0] & CP_WAIT_REG_MEM_0_WRITE_MEMORY)
		return wait_refused(hw, dwords[0],
				    "CP_WAIT_REG_MEM without a model");

	return wait_until(hw, &wait);
}
