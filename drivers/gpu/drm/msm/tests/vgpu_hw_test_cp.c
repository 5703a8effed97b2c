// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the command processor of the virtual Adreno: ring, indirect buffers,
 * streams without an end, and streams that it must refuse.
 *
 * A refused stream is judged by what was done ahead of the bad packet, by the
 * fence that does not come, by the interrupt that does, and by the GPU working
 * again after a reset.
 */
#include <linux/delay.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_internal.h"
#include "../vgpu/vgpu_hw_xml.h"

/* A wait that never ends hangs the ring and nothing else. */
static void cp_endless_wait_resets(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	ktime_t start;

	vt_ib(vt, vt_pkt7(CP_WAIT_MEM_GTE, 4), 0,
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_EXPECT_TRUE(test, vt_wait_reg(vt, REG_A6XX_CP_IB1_BASE + 1,
					    upper_32_bits(VT_IB_IOVA)));
	KUNIT_EXPECT_EQ(test, lower_32_bits(VT_IB_IOVA),
			vgpu_hw_read(vt->hw, REG_A6XX_CP_IB1_BASE));
	KUNIT_EXPECT_NE(test, 0U, vgpu_hw_read(vt->hw, REG_A6XX_RBBM_STATUS));

	start = ktime_get();
	vgpu_hw_reset(vt->hw);
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), start), 1000LL);
	vt_start(vt);
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4), 2);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[1]);
}

/* A chain that leads to itself never ends; a reset stops it all the same. */
static void cp_endless_chain_resets(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 7), 0, VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4));
	vt_ib(vt, vt_pkt7(CP_INDIRECT_BUFFER_CHAIN, 3),
	      VT_LO(VT_IB_IOVA), VT_HI(VT_IB_IOVA), 12);
	vt->data[1] = 1;
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_EXPECT_TRUE(test, vt_wait_word(&vt->data[0], 10));
	vgpu_hw_reset(vt->hw);
	vt->data[0] = 0;
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0U, READ_ONCE(vt->data[0]));

	vt_start(vt);
	vt_run_ib(vt);
}

/* An IB in an IB, and back into the first one. */
static void cp_nests(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	memcpy(vt->ib2, vt->ib, 4 * sizeof(u32));
	vt->ib_len = 0;
	vt_ib(vt, vt_pkt7(CP_INDIRECT_BUFFER, 3),
	      VT_LO(VT_IB2_IOVA), VT_HI(VT_IB2_IOVA), 4);
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 7), 0,
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_ib(vt, vt_pkt7(CP_INDIRECT_BUFFER_PFD, 3),
	      VT_LO(VT_IB2_IOVA), VT_HI(VT_IB2_IOVA), 0);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[1]);
}

/* Many more packets than the ring holds. */
static void cp_ring_wraps(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	const struct vgpu_stats *stats;

	for (u32 i = 0; i < 300; i++) {
		vt_emit(vt, vt_pkt7(CP_NOP, i % 7));
		for (u32 n = 0; n < i % 7; n++)
			vt_emit(vt, 0xdeaddead);
		vt_emit(vt, vt_pkt7(CP_MEM_WRITE, 3));
		vt_emit(vt, lower_32_bits(VT_DATA_IOVA + 4 * i));
		vt_emit(vt, upper_32_bits(VT_DATA_IOVA + 4 * i));
		vt_emit(vt, i + 1);
		KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
		KUNIT_ASSERT_EQ(test, i + 1, vt->data[i]);
	}
	KUNIT_EXPECT_TRUE(test, vt_wait_reg(vt, REG_A6XX_CP_RB_RPTR, vt->wptr));
	KUNIT_EXPECT_EQ(test, 0U, vgpu_hw_read(vt->hw, REG_A6XX_RBBM_STATUS));
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 300ULL, stats->packets[CP_MEM_WRITE]);
	KUNIT_EXPECT_EQ(test, 300ULL, stats->packets[CP_NOP]);
}

/* A ring packet whose second half comes later. */
static void cp_ring_in_parts(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt_emit(vt, vt_pkt7(CP_MEM_WRITE, 3));
	vt_emit(vt, lower_32_bits(VT_DATA_IOVA));
	vt_kick(vt);
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[0]);
	vt_emit(vt, upper_32_bits(VT_DATA_IOVA));
	vt_emit(vt, 4);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	KUNIT_EXPECT_EQ(test, 4U, vt->data[0]);
}

struct bad_stream {
	const char *name;
	u32 cause;
	u32 count;
	u32 dwords[8];
};

#define OPCODE	A6XX_CP_INT_CP_OPCODE_ERROR
#define ILLEGAL	A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR
#define PROTECT	A6XX_CP_INT_CP_REGISTER_PROTECTION_ERROR

/* Headers with their parity worked out by hand. */
static const struct bad_stream bad_streams[] = {
	{ "illegal header", OPCODE, 1, { 0xdeaddead } },
	{ "wrong parity", OPCODE, 1, { 0x70100000 } },
	{ "unknown opcode", OPCODE, 1, { 0x70008000 | 0x7e << 16 | BIT(23) } },
	{ "CP_DRAW_AUTO", OPCODE, 2, { 0x70a40001, 3 } },
	{ "too short", ILLEGAL, 3, { 0x703d0002, 0, 1 } },
	{ "beyond the end", ILLEGAL, 2, { 0x703d8003, 0 } },
	{ "switch of tables", ILLEGAL, 5, { 0x70d30004, 0, 0, 0, 0 } },
	{ "protected mode off", ILLEGAL, 2, { 0x70df0001, 0 } },
	{ "write to CP_RB_WPTR", PROTECT, 2, { 0x48080701, 0 } },
	{ "event that moves data", ILLEGAL, 2, { 0x70460001, 30 } },
	{ "compare that does not exist", ILLEGAL, 7, { 0x70bc8006, 0x17 } },
	{ "compare that writes", ILLEGAL, 7, { 0x70bc8006, 0x110 } },
	{ "draw state at once", ILLEGAL, 4, { 0x70438003, 0x00080001 } },
	{ "skipping IB2s", ILLEGAL, 2, { 0x709d0001, 1 } },
};

KUNIT_ARRAY_PARAM_DESC(bad_stream, bad_streams, name);

/* Ahead of it all is done, behind it nothing; a reset brings the GPU back. */
static void cp_refuses(struct kunit *test)
{
	const struct bad_stream *c = test->param_value;
	struct vt *vt = vt_create(test, NULL);
	const struct vgpu_stats *stats;

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	vt_ib_dwords(vt, c->dwords, c->count);
	if (c->cause != ILLEGAL)
		vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
		      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 2);
	vt_run_bad_ib(vt, c->cause);
	KUNIT_EXPECT_EQ(test, 1U, vt->data[0]);
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->cp_errors);
	KUNIT_EXPECT_NOT_NULL(test, stats->cp_error);

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 3);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 3U, vt->data[0]);
}

/* Three levels are too many. */
static void cp_refuses_deep_nesting(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt->ib2[0] = vt_pkt7(CP_INDIRECT_BUFFER, 3);
	vt->ib2[1] = lower_32_bits(VT_IB_IOVA);
	vt->ib2[2] = upper_32_bits(VT_IB_IOVA);
	vt->ib2[3] = 4;
	vt_ib(vt, vt_pkt7(CP_INDIRECT_BUFFER, 3),
	      VT_LO(VT_IB2_IOVA), VT_HI(VT_IB2_IOVA), 4);
	vt_run_bad_ib(vt, ILLEGAL);
}

/* CP_PROTECT as the driver programs it: a span against writes, one for both. */
static void cp_honours_protection(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	for (int i = 0; i < 4; i++) {
		static const u32 cases[][2] = {
			{ 0x8c10, 0 }, { 0x8c12, PROTECT },
			{ 0x8c22, PROTECT }, { 0xfff0, PROTECT },
		};

		vgpu_hw_write(vt->hw, REG_A6XX_CP_PROTECT_CNTL,
			      A6XX_CP_PROTECT_CNTL_ACCESS_PROT_EN |
			      A6XX_CP_PROTECT_CNTL_LAST_SPAN_INF_RANGE);
		vgpu_hw_write(vt->hw, REG_A6XX_CP_PROTECT_REG(0),
			      0x8c11 | 1 << 18);
		vgpu_hw_write(vt->hw, REG_A6XX_CP_PROTECT_REG(1),
			      0x8c22 | BIT(31));
		vgpu_hw_write(vt->hw, REG_A6XX_CP_PROTECT_REG(47), 0xff00);

		/* Reading is refused by the second span alone. */
		vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3), 0x8c12,
		      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
		vt_ib(vt, vt_pkt4(cases[i][0], 1), 7);
		if (cases[i][1])
			vt_run_bad_ib(vt, cases[i][1]);
		else
			vt_run_ib(vt);
	}
}

static struct kunit_case cp_tests[] = {
	KUNIT_CASE(cp_endless_wait_resets),
	KUNIT_CASE(cp_endless_chain_resets),
	KUNIT_CASE(cp_nests),
	KUNIT_CASE(cp_ring_wraps),
	KUNIT_CASE(cp_ring_in_parts),
	KUNIT_CASE_PARAM(cp_refuses, bad_stream_gen_params),
	KUNIT_CASE(cp_refuses_deep_nesting),
	KUNIT_CASE(cp_honours_protection),
	{}
};

static struct kunit_suite cp_suite = {
	.name = "vgpu-cp",
	.test_cases = cp_tests,
};

kunit_test_suite(cp_suite);
