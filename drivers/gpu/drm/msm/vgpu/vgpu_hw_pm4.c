// SPDX-License-Identifier: GPL-2.0-only
/*
 * PM4 packets of the virtual GPU: one table from opcode to handler.
 *
 * Numbers and fields are those of the register database in the kernel
 * (registers/adreno/adreno_pm4.xml).  The table names each packet that a
 * stream for this GPU may contain.  It promises that a packet is either
 * executed, or known to have no effect on an in-order GPU with coherent
 * memory, or stops the CP: none is skipped because nobody thought of it.
 *
 * Terms: a type 7 header names an opcode, a type 4 header a run of registers;
 * each field is guarded by an odd parity bit.  Dwords of zero between packets
 * are padding.  A ring packet is one that user command streams have no right
 * to.
 *
 * Trap: most handlers are here, those of events, waits and the 2D engine in
 * files of their own.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/export.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_xml.h"

/* Headers, see CP_TYPE4_PKT and CP_TYPE7_PKT in the database's terms. */
#define PKT_TYPE		GENMASK(31, 28)
#define PKT4_COUNT		GENMASK(6, 0)
#define PKT4_COUNT_PARITY	BIT(7)
#define PKT4_REG		GENMASK(25, 8)
#define PKT4_RESERVED		BIT(26)
#define PKT4_REG_PARITY		BIT(27)
#define PKT7_COUNT		GENMASK(13, 0)
#define PKT7_COUNT_PARITY	BIT(15)
#define PKT7_OPCODE		GENMASK(22, 16)
#define PKT7_OPCODE_PARITY	BIT(23)
#define PKT7_RESERVED		(BIT(14) | GENMASK(27, 24))

/* Only the ring may contain it. */
#define PM4_RING		BIT(0)
/* What follows the header does not matter and is not fetched. */
#define PM4_SKIP		BIT(1)

/**
 * struct pm4_op - what the model does at an opcode
 * @name: as in the database
 * @run: executes it, given what follows the header; NULL if there is no model
 * @min: dwords that follow at least
 * @flags: PM4_*
 */
struct pm4_op {
	const char *name;
	int (*run)(struct vgpu_hw *hw, const u32 *dwords, u32 count);
	u32 min;
	u32 flags;
};

/**
 * vgpu_pm4_access - who accesses memory when a packet does
 * @hw: the GPU
 *
 * Context: the CP thread.
 * Return: the CP, with the rights of the stream it executes.
 */
struct vgpu_access vgpu_pm4_access(struct vgpu_hw *hw)
{
	bool ring = hw->cp.level == VGPU_RING;

	return (struct vgpu_access) {
		.engine = VGPU_ENGINE_CP,
		.priv = ring && hw->cp.apriv & A6XX_CP_APRIV_CNTL_RBPRIVLEVEL,
		.user = !ring,
	};
}

static u64 pm4_address(const u32 *dwords)
{
	return (u64)dwords[1] << 32 | dwords[0];
}

static int pm4_malformed(struct vgpu_hw *hw, u32 dword, const char *why)
{
	return vgpu_cp_error(hw, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR, dword, why);
}

static int pm4_read32(struct vgpu_hw *hw, u64 iova, u32 *value)
{
	struct vgpu_access access = vgpu_pm4_access(hw);

	return vgpu_mem_read(hw, &access, iova, value, sizeof(*value));
}

static int pm4_write(struct vgpu_hw *hw, u64 iova, const void *data, size_t size)
{
	struct vgpu_access access = vgpu_pm4_access(hw);

	return vgpu_mem_write(hw, &access, iova, data, size);
}

/* Without effect: the model executes in order and memory is coherent. */
static int pm4_nothing(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	return 0;
}

static int pm4_barrier(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	/* Also towards what the CPU reads and writes. */
	smp_mb();

	return 0;
}

static int pm4_mem_write(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	return pm4_write(hw, pm4_address(dwords), dwords + 2,
			 (count - 2) * sizeof(u32));
}

/* A sum of up to three words, each of them negated or not. */
static int pm4_mem_to_mem(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	size_t size = dwords[0] & CP_MEM_TO_MEM_0_DOUBLE ? 8 : 4;
	struct vgpu_access access = vgpu_pm4_access(hw);
	u32 nr = (count - 3) / 2;
	u64 sum = 0;
	__le64 out;

	if (!(count & 1) || nr > 3)
		return pm4_malformed(hw, dwords[0],
				     "CP_MEM_TO_MEM adds one to three words");

	for (u32 i = 0; i < nr; i++) {
		__le64 in = 0;
		int ret;

		ret = vgpu_mem_read(hw, &access, pm4_address(dwords + 3 + 2 * i),
				    &in, size);
		if (ret)
			return ret;
		if (dwords[0] & CP_MEM_TO_MEM_0_NEG_A << i)
			sum -= le64_to_cpu(in);
		else
			sum += le64_to_cpu(in);
	}

	out = cpu_to_le64(sum);
	return vgpu_mem_write(hw, &access, pm4_address(dwords + 1), &out, size);
}

static int pm4_memcpy(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	struct vgpu_access access = vgpu_pm4_access(hw);
	u64 left = (u64)dwords[0] * sizeof(u32);
	u64 from = pm4_address(dwords + 1);
	u64 to = pm4_address(dwords + 3);

	while (left) {
		u32 size = min_t(u64, left, VGPU_PAGE_SIZE -
				 (from & (VGPU_PAGE_SIZE - 1)));
		int ret;

		ret = vgpu_mem_read(hw, &access, from, hw->cp.bounce, size);
		if (!ret)
			ret = vgpu_mem_write(hw, &access, to, hw->cp.bounce, size);
		if (ret)
			return ret;
		from += size;
		to += size;
		left -= size;
	}

	return 0;
}

/* Go on if one word is not zero and another one is below the reference. */
static int pm4_cond_exec(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 flag, stamp;
	int ret;

	ret = pm4_read32(hw, pm4_address(dwords), &flag);
	if (!ret)
		ret = pm4_read32(hw, pm4_address(dwords + 2), &stamp);
	if (ret)
		return ret;
	if (flag && (s32)stamp < (s32)dwords[4])
		return 0;

	return vgpu_cp_skip(hw, dwords[5]);
}

/* One register, or two as a word of 64 bits. */
static int pm4_one_reg_to_mem(struct vgpu_hw *hw, u32 reg, u64 iova,
			      size_t size, bool accumulate)
{
	struct vgpu_access access = vgpu_pm4_access(hw);
	u64 value = 0, old = 0;
	u32 low;
	int ret;

	if (size == sizeof(u64)) {
		ret = vgpu_reg_cp_read64(hw, reg, &value);
	} else {
		ret = vgpu_reg_cp_read(hw, reg, &low);
		if (!ret)
			value = low;
	}
	if (!ret && accumulate)
		ret = vgpu_mem_read(hw, &access, iova, &old, size);
	if (ret)
		return ret;
	value += old;

	return vgpu_mem_write(hw, &access, iova, &value, size);
}

static int pm4_reg_to_mem(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 reg = FIELD_GET(CP_REG_TO_MEM_0_REG__MASK, dwords[0]);
	u32 left = FIELD_GET(CP_REG_TO_MEM_0_CNT__MASK, dwords[0]);
	bool accumulate = dwords[0] & CP_REG_TO_MEM_0_ACCUMULATE;
	u64 iova = pm4_address(dwords + 1);

	left = max(left, 1U);
	while (left) {
		u32 step = dwords[0] & CP_REG_TO_MEM_0_64B && left > 1 ? 2 : 1;
		int ret;

		ret = pm4_one_reg_to_mem(hw, reg, iova, step * sizeof(u32),
					 accumulate);
		if (ret)
			return ret;
		reg += step;
		iova += step * sizeof(u32);
		left -= step;
	}

	return 0;
}

static int pm4_mem_to_reg(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 reg = FIELD_GET(CP_MEM_TO_REG_0_REG__MASK, dwords[0]);
	u32 nr = max(FIELD_GET(CP_MEM_TO_REG_0_CNT__MASK, dwords[0]), 1U);
	u64 iova = pm4_address(dwords + 1);

	for (u32 i = 0; i < nr; i++) {
		u32 value;
		int ret;

		ret = pm4_read32(hw, iova + i * sizeof(u32), &value);
		if (ret)
			return ret;
		if (dwords[0] & CP_MEM_TO_REG_0_SHIFT_BY_2)
			value <<= 2;
		ret = vgpu_reg_cp_write(hw, reg + i, value);
		if (ret)
			return ret;
	}

	return 0;
}

static int pm4_reg_rmw(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	u32 reg = FIELD_GET(CP_REG_RMW_0_DST_REG__MASK, dwords[0]);
	u32 rotate = FIELD_GET(CP_REG_RMW_0_ROTATE__MASK, dwords[0]);
	u32 src0 = dwords[1], src1 = dwords[2];
	u32 value;
	int ret;

	ret = vgpu_reg_cp_read(hw, reg, &value);
	if (!ret && dwords[0] & CP_REG_RMW_0_SRC0_IS_REG)
		ret = vgpu_reg_cp_read(hw, src0, &src0);
	if (!ret && dwords[0] & CP_REG_RMW_0_SRC1_IS_REG)
		ret = vgpu_reg_cp_read(hw, src1, &src1);
	if (ret)
		return ret;

	value = rol32(value & src0, rotate);
	if (dwords[0] & CP_REG_RMW_0_SRC1_ADD)
		value += src1;
	else
		value |= src1;

	return vgpu_reg_cp_write(hw, reg, value);
}

/* Pairs of a register and its value. */
static int pm4_context_reg_bunch(struct vgpu_hw *hw, const u32 *dwords,
				 u32 count)
{
	if (count & 1)
		return pm4_malformed(hw, dwords[0],
				     "CP_CONTEXT_REG_BUNCH has pairs of dwords");

	for (u32 i = 0; i < count; i += 2) {
		int ret = vgpu_reg_cp_write(hw, dwords[i], dwords[i + 1]);

		if (ret)
			return ret;
	}

	return 0;
}

static int pm4_indirect_buffer(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	return vgpu_cp_start_ib(hw, pm4_address(dwords),
				dwords[2] & A5XX_CP_INDIRECT_BUFFER_2_IB_SIZE__MASK,
				false);
}

static int pm4_chain(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	return vgpu_cp_start_ib(hw, pm4_address(dwords),
				dwords[2] & A5XX_CP_INDIRECT_BUFFER_2_IB_SIZE__MASK,
				true);
}

static int pm4_set_protected_mode(struct vgpu_hw *hw, const u32 *dwords,
				  u32 count)
{
	hw->cp.protected = dwords[0];
	return 0;
}

static int pm4_smmu_table_update(struct vgpu_hw *hw, const u32 *dwords,
				 u32 count)
{
	u64 hi = FIELD_GET(CP_SMMU_TABLE_UPDATE_1_TTBR0_HI__MASK, dwords[1]);
	u32 asid = FIELD_GET(CP_SMMU_TABLE_UPDATE_1_ASID__MASK, dwords[1]);
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw))
		ret = -ECANCELED;
	else
		vgpu_smmu_set_ttbr0(hw, hi << 32 | dwords[0], asid);
	spin_unlock_irqrestore(&hw->lock, flags);

	return ret;
}

static int pm4_where_am_i(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	return pm4_write(hw, pm4_address(dwords),
			 &hw->cp.streams[VGPU_RING].pos, sizeof(u32));
}

/* Groups are for draws, unless they are to be loaded at once. */
static int pm4_set_draw_state(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	for (u32 i = 0; i < count; i += 3)
		if (dwords[i] & CP_SET_DRAW_STATE__0_LOAD_IMMED &&
		    dwords[i] & CP_SET_DRAW_STATE__0_COUNT__MASK)
			return pm4_malformed(hw, dwords[i],
					     "CP_SET_DRAW_STATE loads at once");

	return 0;
}

/* Nothing but "do not skip" has a model. */
static int pm4_skip_ib2(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	if (dwords[0])
		return pm4_malformed(hw, dwords[0],
				     "CP_SKIP_IB2_ENABLE skips");

	return 0;
}

static const struct pm4_op pm4_ops[VGPU_NR_OPCODES] = {
	[CP_NOP] = { "CP_NOP", pm4_nothing, 0, PM4_SKIP },
	[CP_WAIT_MEM_WRITES] = { "CP_WAIT_MEM_WRITES", pm4_barrier },
	[CP_WAIT_FOR_ME] = { "CP_WAIT_FOR_ME", pm4_nothing },
	[CP_WAIT_FOR_IDLE] = { "CP_WAIT_FOR_IDLE", pm4_barrier },
	[CP_WAIT_MEM_GTE] = { "CP_WAIT_MEM_GTE", vgpu_wait_mem_gte, 4 },
	[CP_WAIT_REG_MEM] = { "CP_WAIT_REG_MEM", vgpu_wait_reg_mem, 6 },
	[CP_MEM_WRITE] = { "CP_MEM_WRITE", pm4_mem_write, 3 },
	[CP_MEM_TO_MEM] = { "CP_MEM_TO_MEM", pm4_mem_to_mem, 5 },
	[CP_MEMCPY] = { "CP_MEMCPY", pm4_memcpy, 5 },
	[CP_COND_EXEC] = { "CP_COND_EXEC", pm4_cond_exec, 6 },
	[CP_EVENT_WRITE] = { "CP_EVENT_WRITE", vgpu_event_write, 1 },
	[CP_REG_TO_MEM] = { "CP_REG_TO_MEM", pm4_reg_to_mem, 3 },
	[CP_MEM_TO_REG] = { "CP_MEM_TO_REG", pm4_mem_to_reg, 3 },
	[CP_REG_RMW] = { "CP_REG_RMW", pm4_reg_rmw, 3 },
	[CP_CONTEXT_REG_BUNCH] = { "CP_CONTEXT_REG_BUNCH", pm4_context_reg_bunch, 2 },
	[CP_INDIRECT_BUFFER] = { "CP_INDIRECT_BUFFER", pm4_indirect_buffer, 3 },
	[CP_INDIRECT_BUFFER_PFD] = { "CP_INDIRECT_BUFFER_PFD", pm4_indirect_buffer, 3 },
	[CP_INDIRECT_BUFFER_CHAIN] = { "CP_INDIRECT_BUFFER_CHAIN", pm4_chain, 3 },
	[CP_BLIT] = { "CP_BLIT", vgpu_2d_blit, 1 },
	[CP_WHERE_AM_I] = { "CP_WHERE_AM_I", pm4_where_am_i, 2 },

	/* The kernel's own. */
	[CP_ME_INIT] = { "CP_ME_INIT", pm4_nothing, 1, PM4_RING },
	[CP_SET_SECURE_MODE] = { "CP_SET_SECURE_MODE", pm4_nothing, 1, PM4_RING },
	[CP_SET_PROTECTED_MODE] = { "CP_SET_PROTECTED_MODE", pm4_set_protected_mode, 1, PM4_RING },
	[CP_SMMU_TABLE_UPDATE] = { "CP_SMMU_TABLE_UPDATE", pm4_smmu_table_update, 4, PM4_RING },

	/* They prepare draws and context switches, of which there are none. */
	[CP_SET_DRAW_STATE] = { "CP_SET_DRAW_STATE", pm4_set_draw_state },
	[CP_SET_CTXSWITCH_IB] = { "CP_SET_CTXSWITCH_IB", pm4_nothing },
	[CP_SET_MARKER] = { "CP_SET_MARKER", pm4_nothing },
	[CP_SET_MODE] = { "CP_SET_MODE", pm4_nothing },
	[CP_SET_VISIBILITY_OVERRIDE] = { "CP_SET_VISIBILITY_OVERRIDE", pm4_nothing },
	[CP_SKIP_IB2_ENABLE_GLOBAL] = { "CP_SKIP_IB2_ENABLE_GLOBAL", pm4_skip_ib2, 1 },
	[CP_SKIP_IB2_ENABLE_LOCAL] = { "CP_SKIP_IB2_ENABLE_LOCAL", pm4_skip_ib2, 1 },

	/* Legal on hardware, without a model here: draws, */
	[CP_DRAW_INDX] = { "CP_DRAW_INDX" },
	[CP_DRAW_INDX_OFFSET] = { "CP_DRAW_INDX_OFFSET" },
	[CP_DRAW_INDIRECT] = { "CP_DRAW_INDIRECT" },
	[CP_DRAW_INDX_INDIRECT] = { "CP_DRAW_INDX_INDIRECT" },
	[CP_DRAW_INDIRECT_MULTI] = { "CP_DRAW_INDIRECT_MULTI" },
	[CP_DRAW_AUTO] = { "CP_DRAW_AUTO" },
	[CP_DRAW_PRED_ENABLE_GLOBAL] = { "CP_DRAW_PRED_ENABLE_GLOBAL" },
	[CP_DRAW_PRED_ENABLE_LOCAL] = { "CP_DRAW_PRED_ENABLE_LOCAL" },
	[CP_DRAW_PRED_SET] = { "CP_DRAW_PRED_SET" },
	/* dispatches, */
	[CP_RUN_OPENCL] = { "CP_RUN_OPENCL" },
	[CP_EXEC_CS] = { "CP_EXEC_CS" },
	[CP_EXEC_CS_INDIRECT] = { "CP_EXEC_CS_INDIRECT" },
	[CP_LOAD_STATE6] = { "CP_LOAD_STATE6" },
	[CP_LOAD_STATE6_GEOM] = { "CP_LOAD_STATE6_GEOM" },
	[CP_LOAD_STATE6_FRAG] = { "CP_LOAD_STATE6_FRAG" },
	/* tiles, */
	[CP_SET_BIN_DATA5] = { "CP_SET_BIN_DATA5" },
	[CP_SET_BIN_DATA5_OFFSET] = { "CP_SET_BIN_DATA5_OFFSET" },
	[CP_START_BIN] = { "CP_START_BIN" },
	[CP_END_BIN] = { "CP_END_BIN" },
	[CP_SET_SUBDRAW_SIZE] = { "CP_SET_SUBDRAW_SIZE" },
	/* and what decides and computes between them. */
	[CP_REG_TEST] = { "CP_REG_TEST" },
	[CP_COND_REG_EXEC] = { "CP_COND_REG_EXEC" },
	[CP_COND_WRITE5] = { "CP_COND_WRITE5" },
	[CP_WAIT_TWO_REGS] = { "CP_WAIT_TWO_REGS" },
	[CP_TEST_TWO_MEMS] = { "CP_TEST_TWO_MEMS" },
	[CP_REG_TO_SCRATCH] = { "CP_REG_TO_SCRATCH" },
	[CP_SCRATCH_TO_REG] = { "CP_SCRATCH_TO_REG" },
	[CP_SCRATCH_WRITE] = { "CP_SCRATCH_WRITE" },
	[CP_REG_TO_MEM_OFFSET_REG] = { "CP_REG_TO_MEM_OFFSET_REG" },
	[CP_REG_TO_MEM_OFFSET_MEM] = { "CP_REG_TO_MEM_OFFSET_MEM" },
	[CP_REG_WRITE] = { "CP_REG_WRITE" },
	[CP_SET_PSEUDO_REG] = { "CP_SET_PSEUDO_REG" },
	[CP_CONTEXT_SWITCH_YIELD] = { "CP_CONTEXT_SWITCH_YIELD" },
};

/**
 * vgpu_hw_opcode_name - name a type 7 packet
 * @opcode: which
 *
 * Return: its name in the register database, or NULL if the GPU does not know
 * it.
 */
const char *vgpu_hw_opcode_name(u32 opcode)
{
	return opcode < VGPU_NR_OPCODES ? pm4_ops[opcode].name : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_hw_opcode_name);

/* The parity bit makes the number of ones odd. */
static bool pm4_parity_ok(u32 field, bool parity)
{
	return (hweight32(field) + parity) & 1;
}

/**
 * vgpu_pm4_decode - take a packet header apart
 * @header: the dword
 * @packet: out: its parts
 *
 * Return: whether it is a header at all.
 */
bool vgpu_pm4_decode(u32 header, struct vgpu_packet *packet)
{
	*packet = (struct vgpu_packet) { .type = FIELD_GET(PKT_TYPE, header) };

	if (!header)
		return true;

	if (packet->type == 4) {
		packet->reg = FIELD_GET(PKT4_REG, header);
		packet->count = FIELD_GET(PKT4_COUNT, header);
		return !(header & PKT4_RESERVED) &&
		       pm4_parity_ok(packet->count, header & PKT4_COUNT_PARITY) &&
		       pm4_parity_ok(packet->reg, header & PKT4_REG_PARITY);
	}

	packet->opcode = FIELD_GET(PKT7_OPCODE, header);
	packet->count = FIELD_GET(PKT7_COUNT, header);

	return packet->type == 7 && !(header & PKT7_RESERVED) &&
	       pm4_parity_ok(packet->count, header & PKT7_COUNT_PARITY) &&
	       pm4_parity_ok(packet->opcode, header & PKT7_OPCODE_PARITY);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_pm4_decode);

/**
 * vgpu_pm4_skips_payload - need what follows the header not be fetched?
 * @packet: the header
 *
 * Return: so it is.
 */
bool vgpu_pm4_skips_payload(const struct vgpu_packet *packet)
{
	return !packet->type || (packet->type == 7 &&
				 pm4_ops[packet->opcode].flags & PM4_SKIP);
}

static int pm4_execute4(struct vgpu_hw *hw, const struct vgpu_packet *packet)
{
	for (u32 i = 0; i < packet->count; i++) {
		int ret = vgpu_reg_cp_write(hw, packet->reg + i,
					    hw->cp.payload[i]);

		if (ret)
			return ret;
	}

	return 0;
}

/**
 * vgpu_pm4_execute - execute a packet
 * @hw: the GPU; its CP holds what follows the header
 * @header: the dword, for reports
 * @packet: its parts
 *
 * Context: the CP thread, no lock held; may sleep.
 * Return: 0, -EIO if the CP is halted, -ECANCELED after a reset.
 */
int vgpu_pm4_execute(struct vgpu_hw *hw, u32 header,
		     const struct vgpu_packet *packet)
{
	const struct pm4_op *op;

	if (packet->type == 4)
		return pm4_execute4(hw, packet);

	op = &pm4_ops[packet->opcode];
	if (!op->name)
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_OPCODE_ERROR, header,
				     "unknown opcode");
	if (!op->run)
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_OPCODE_ERROR, header,
				     op->name);
	if (op->flags & PM4_RING && hw->cp.level != VGPU_RING)
		return pm4_malformed(hw, header, "packet of the ring in an IB");
	if (packet->count < op->min)
		return pm4_malformed(hw, header, "packet too short");

	return op->run(hw, hw->cp.payload, packet->count);
}
