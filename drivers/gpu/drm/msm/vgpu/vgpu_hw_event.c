// SPDX-License-Identifier: GPL-2.0-only
/*
 * CP_EVENT_WRITE of the virtual GPU: fences, flushes and interrupts.
 *
 * An event tells a block of the GPU to finish, flush or invalidate something;
 * then a word may be written to memory and an interrupt raised.  In order, and
 * without caches, only the last two are left.  It promises that the word is
 * visible only after all writes of earlier packets, and the interrupt comes
 * only after the word.
 *
 * Trap: events that move data (BLIT, FLUSH_SO_0 to 3, LRZ_CLEAR) have no effect
 * in the table but a reason to stop the CP, as does anything else that nobody
 * thought of.
 */
#include <linux/bitfield.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_trace.h"
#include "vgpu_hw_xml.h"

static int event_refused(struct vgpu_hw *hw, u32 dword, const char *why)
{
	return vgpu_cp_error(hw, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR, dword, why);
}

static int event_store(struct vgpu_hw *hw, u64 iova, const void *data,
		       size_t size)
{
	struct vgpu_access access = vgpu_pm4_access(hw);

	return vgpu_mem_write(hw, &access, iova, data, size);
}

/* ZPASS_DONE: nothing is ever drawn, so no sample ever passed. */
static int event_sample_count(struct vgpu_hw *hw)
{
	static const u64 none;
	u64 iova;
	u32 control;
	int ret;

	ret = vgpu_reg_cp_read(hw, REG_A6XX_RB_SAMPLE_COUNT_CONTROL, &control);
	if (ret || !(control & A6XX_RB_SAMPLE_COUNT_CONTROL_COPY))
		return ret;
	ret = vgpu_reg_cp_read64(hw, REG_A6XX_RB_SAMPLE_COUNT_ADDR, &iova);
	if (ret)
		return ret;

	return event_store(hw, iova, &none, sizeof(none));
}

/* WRITE_PRIMITIVE_COUNTS: of four streams, what was generated and written. */
static int event_primitive_counts(struct vgpu_hw *hw)
{
	static const u64 none[4][2];
	u64 iova;
	int ret;

	ret = vgpu_reg_cp_read64(hw, REG_A6XX_VPC_SO_STREAM_COUNTS, &iova);
	if (ret)
		return ret;

	return event_store(hw, iova, none, sizeof(none));
}

static const char *event_reason(u32 event)
{
	switch (event) {
	case BLIT:
		return "BLIT: there is no tile memory";
	case LRZ_CLEAR:
		return "LRZ_CLEAR: there is no depth buffer";
	case FLUSH_SO_0:
	case FLUSH_SO_1:
	case FLUSH_SO_2:
	case FLUSH_SO_3:
		return "FLUSH_SO: there is no stream output";
	default:
		return "event without a model";
	}
}

#define EVENT_KNOWN	BIT(31)

/*
 * Events whose other effects a model without caches and pipelines lacks, and
 * the interrupt each raises on request.
 */
static const u32 events[] = {
	[CACHE_FLUSH_TS] = EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS,
	[WT_DONE_TS] = EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_WT_DONE_TS,
	[RB_DONE_TS] = EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_RB_DONE_TS,
	[PC_CCU_RESOLVE_TS] =
		EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_CCU_RESOLVE_TS,
	[PC_CCU_FLUSH_DEPTH_TS] =
		EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_CCU_FLUSH_DEPTH_TS,
	[PC_CCU_FLUSH_COLOR_TS] =
		EVENT_KNOWN | A6XX_RBBM_INT_0_MASK_CP_CCU_FLUSH_COLOR_TS,
	[PC_CCU_INVALIDATE_DEPTH] = EVENT_KNOWN,
	[PC_CCU_INVALIDATE_COLOR] = EVENT_KNOWN,
	[CACHE_INVALIDATE] = EVENT_KNOWN,
	[ZPASS_DONE] = EVENT_KNOWN,
	[LRZ_FLUSH] = EVENT_KNOWN,
	[CONTEXT_DONE] = EVENT_KNOWN,
	[CONTEXT_DONE_2D] = EVENT_KNOWN,
	[START_PRIMITIVE_CTRS] = EVENT_KNOWN,
	[STOP_PRIMITIVE_CTRS] = EVENT_KNOWN,
	[START_FRAGMENT_CTRS] = EVENT_KNOWN,
	[STOP_FRAGMENT_CTRS] = EVENT_KNOWN,
	[START_COMPUTE_CTRS] = EVENT_KNOWN,
	[STOP_COMPUTE_CTRS] = EVENT_KNOWN,
	[LABEL] = EVENT_KNOWN,
	[WRITE_PRIMITIVE_COUNTS] = EVENT_KNOWN,
};

/**
 * vgpu_event_write - execute CP_EVENT_WRITE
 * @hw: the GPU
 * @dwords: the event with its flags; then address and value, or nothing
 * @count: of the dwords, 1 or 4
 *
 * Context: the CP thread, no lock held; may sleep.
 * Return: 0, -EIO if the CP is halted, -ECANCELED after a reset.
 */
int vgpu_event_write(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 event = FIELD_GET(CP_EVENT_WRITE_0_EVENT__MASK, dwords[0]);
	u32 known = event < ARRAY_SIZE(events) ? events[event] : 0;
	u64 stamp = vgpu_hw_counter();
	u64 iova = 0;
	int ret = 0;

	if (!known)
		return event_refused(hw, dwords[0], event_reason(event));
	if (count != 1 && count != 4)
		return event_refused(hw, dwords[0],
				     "CP_EVENT_WRITE has one dword or four");

	if (count == 4)
		iova = (u64)dwords[2] << 32 | dwords[1];

	/* Whoever sees the word sees all that was written before it. */
	smp_mb();
	if (event == ZPASS_DONE)
		ret = event_sample_count(hw);
	else if (event == WRITE_PRIMITIVE_COUNTS)
		ret = event_primitive_counts(hw);
	if (!ret && count == 4 && dwords[0] & CP_EVENT_WRITE_0_TIMESTAMP)
		ret = event_store(hw, iova, &stamp, sizeof(stamp));
	else if (!ret && count == 4)
		ret = event_store(hw, iova, dwords + 3, sizeof(u32));
	if (!ret && dwords[0] & CP_EVENT_WRITE_0_IRQ && known != EVENT_KNOWN) {
		trace_vgpu_fence(iova, count == 4 ? dwords[3] : 0);
		ret = vgpu_reg_raise_irq(hw, known & ~EVENT_KNOWN);
	}

	return ret;
}
