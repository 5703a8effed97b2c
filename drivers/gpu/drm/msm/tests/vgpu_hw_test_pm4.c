// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the packets of the virtual Adreno.
 *
 * Each is judged by what it does to memory through a page table that
 * io-pgtable built.
 */
#include <linux/delay.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_internal.h"
#include "../vgpu/vgpu_hw_xml.h"

static void check_flipped(struct kunit *test, u32 header, int bit)
{
	struct vgpu_packet packet;

	KUNIT_EXPECT_FALSE_MSG(test, vgpu_pm4_decode(header ^ BIT(bit), &packet),
			       "%#x with bit %d flipped", header, bit);
}

/* All opcodes, a few lengths; any one bit wrong is noticed. */
static void pm4_decodes_type7(struct kunit *test)
{
	static const u32 counts[] = { 0, 1, 2, 3, 4, 5, 0x7f, 0x2aaa, 0x3fff };
	struct vgpu_packet packet;

	for (u32 op = 0; op < 128; op++) {
		for (int i = 0; i < ARRAY_SIZE(counts); i++) {
			u32 header = vt_pkt7(op, counts[i]);

			KUNIT_ASSERT_TRUE(test, vgpu_pm4_decode(header, &packet));
			KUNIT_EXPECT_EQ(test, 7U, packet.type);
			KUNIT_EXPECT_EQ(test, op, packet.opcode);
			KUNIT_EXPECT_EQ(test, counts[i], packet.count);
			for (int bit = 0; bit < 32; bit++)
				check_flipped(test, header, bit);
		}
	}
}

static void pm4_decodes_type4(struct kunit *test)
{
	static const u32 regs[] = { 0, 1, 0x885, 0x8c17, 0xb4c0, 0x3ffff };
	struct vgpu_packet packet;

	for (int i = 0; i < ARRAY_SIZE(regs); i++) {
		for (u32 count = 0; count < 128; count++) {
			u32 header = vt_pkt4(regs[i], count);

			KUNIT_ASSERT_TRUE(test, vgpu_pm4_decode(header, &packet));
			KUNIT_EXPECT_EQ(test, 4U, packet.type);
			KUNIT_EXPECT_EQ(test, regs[i], packet.reg);
			KUNIT_EXPECT_EQ(test, count, packet.count);
			KUNIT_EXPECT_FALSE(test, vgpu_pm4_decode(header ^ BIT(7),
								 &packet));
			KUNIT_EXPECT_FALSE(test, vgpu_pm4_decode(header ^ BIT(27),
								 &packet));
		}
	}
}

/* Headers found in Debian's IGT binaries. */
static void pm4_decodes_igt(struct kunit *test)
{
	static const struct { u32 header, op, count; } known[] = {
		{ 0x70108000, CP_NOP, 0 },
		{ 0x70108003, CP_NOP, 3 },
		{ 0x70928000, CP_WAIT_MEM_WRITES, 0 },
		{ 0x70138000, CP_WAIT_FOR_ME, 0 },
		{ 0x70940004, CP_WAIT_MEM_GTE, 4 },
		{ 0x70268000, CP_WAIT_FOR_IDLE, 0 },
		{ 0x703d8003, CP_MEM_WRITE, 3 },
		{ 0x70738005, CP_MEM_TO_MEM, 5 },
		{ 0x70758005, CP_MEMCPY, 5 },
	};
	struct vgpu_packet packet;

	for (int i = 0; i < ARRAY_SIZE(known); i++) {
		KUNIT_ASSERT_TRUE(test, vgpu_pm4_decode(known[i].header, &packet));
		KUNIT_EXPECT_EQ(test, known[i].op, packet.opcode);
		KUNIT_EXPECT_EQ(test, known[i].count, packet.count);
	}
	KUNIT_EXPECT_FALSE(test, vgpu_pm4_decode(0xdeaddead, &packet));
	KUNIT_EXPECT_FALSE(test, vgpu_pm4_decode(0xc0021000, &packet));
	KUNIT_EXPECT_TRUE(test, vgpu_pm4_decode(0, &packet));
	KUNIT_EXPECT_EQ(test, 0U, packet.count);
}

static void pm4_stores_and_copies(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *data = vt->data;

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 5),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 10, 20, 30);
	vt_ib(vt, vt_pkt7(CP_WAIT_MEM_WRITES, 0), vt_pkt7(CP_NOP, 2), 1, 2, 0, 0);
	/* 10 + 30 - 20, as 32 bits. */
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 9), CP_MEM_TO_MEM_0_NEG_C,
	      VT_LO(VT_DATA_IOVA + 16), VT_HI(VT_DATA_IOVA + 16),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA + 8), VT_HI(VT_DATA_IOVA + 8),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4));
	/* 0 - { 10, 20 }, as 64 bits. */
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 5),
	      CP_MEM_TO_MEM_0_DOUBLE | CP_MEM_TO_MEM_0_NEG_A,
	      VT_LO(VT_DATA_IOVA + 24), VT_HI(VT_DATA_IOVA + 24),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_ib(vt, vt_pkt7(CP_MEMCPY, 5), 3, VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA + 64), VT_HI(VT_DATA_IOVA + 64));
	vt_run_ib(vt);

	KUNIT_EXPECT_EQ(test, 10U, data[0]);
	KUNIT_EXPECT_EQ(test, 20U, data[1]);
	KUNIT_EXPECT_EQ(test, 30U, data[2]);
	KUNIT_EXPECT_EQ(test, 20U, data[4]);
	KUNIT_EXPECT_EQ(test, (u32)-10, data[6]);
	KUNIT_EXPECT_EQ(test, (u32)-21, data[7]);
	KUNIT_EXPECT_EQ(test, 0, memcmp(data, data + 16, 12));
	KUNIT_EXPECT_EQ(test, 0U, data[19]);
}

/* A copy of several pages that are anywhere in memory. */
static void pm4_copies_across_pages(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *from[3], *to[3];

	for (int i = 0; i < 3; i++) {
		from[i] = vt_page(test);
		to[i] = vt_page(test);
		memset(from[i], 0x10 + i, SZ_4K);
		vt_map(vt, 0x200000000ULL + i * SZ_4K, from[i], IOMMU_READ);
		vt_map(vt, 0x300000000ULL + i * SZ_4K, to[i],
		       IOMMU_READ | IOMMU_WRITE);
	}
	/* Two pages worth, at different offsets. */
	vt_ib(vt, vt_pkt7(CP_MEMCPY, 5), 2048,
	      VT_LO(0x200000800ULL), VT_HI(0x200000800ULL),
	      VT_LO(0x300000400ULL), VT_HI(0x300000400ULL));
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 0U, to[0][255]);
	KUNIT_EXPECT_EQ(test, 0x10101010U, to[0][256]);
	KUNIT_EXPECT_EQ(test, 0x10101010U, to[0][767]);
	KUNIT_EXPECT_EQ(test, 0x11111111U, to[0][768]);
	KUNIT_EXPECT_EQ(test, 0x12121212U, to[2][255]);
	KUNIT_EXPECT_EQ(test, 0U, to[2][256]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));
}

static void pm4_waits_for_memory(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 seqno;

	vt->data[0] = -5;
	vt_ib(vt, vt_pkt7(CP_WAIT_MEM_GTE, 4), 0,
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4), 2);
	vt_ib(vt, vt_pkt7(CP_WAIT_REG_MEM, 6),
	      CP_WAIT_REG_MEM_0_FUNCTION(WRITE_EQ) |
	      CP_WAIT_REG_MEM_0_POLL(POLL_MEMORY),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 0x30, 0xf0, 0);
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
	      VT_LO(VT_DATA_IOVA + 8), VT_HI(VT_DATA_IOVA + 8), 3);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	seqno = vt_fence(vt);

	msleep(20);
	KUNIT_EXPECT_EQ(test, 0U, READ_ONCE(vt->data[1]));
	WRITE_ONCE(vt->data[0], 1);
	KUNIT_EXPECT_TRUE(test, vt_wait_word(&vt->data[1], 2));
	KUNIT_EXPECT_EQ(test, 0U, READ_ONCE(vt->data[2]));
	WRITE_ONCE(vt->data[0], 0x1234);
	KUNIT_EXPECT_TRUE(test, vt_wait(vt, seqno));
	KUNIT_EXPECT_EQ(test, 3U, vt->data[2]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));
}

struct compare_case {
	u32 function;
	u32 no;
	u32 yes;
	u32 ref;
};

/* Waits while the word holds @no, and goes on when it holds @yes. */
static void pm4_compare(struct vt *vt, const struct compare_case *c)
{
	u64 before = vt_stats(vt)->packets[CP_WAIT_REG_MEM];
	u32 seqno;

	vt->data[0] = c->no;
	vt->data[1] = 0;
	vt_ib(vt, vt_pkt7(CP_WAIT_REG_MEM, 6),
	      c->function | CP_WAIT_REG_MEM_0_POLL(POLL_MEMORY),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), c->ref, ~0, 0);
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4), 1);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	seqno = vt_fence(vt);
	while (vt_stats(vt)->packets[CP_WAIT_REG_MEM] == before)
		usleep_range(50, 200);
	/* Time for a few looks. */
	usleep_range(2000, 3000);
	KUNIT_EXPECT_EQ_MSG(vt->test, 0U, READ_ONCE(vt->data[1]),
			    "function %u did not wait", c->function);

	WRITE_ONCE(vt->data[0], c->yes);
	KUNIT_ASSERT_TRUE_MSG(vt->test, vt_wait(vt, seqno),
			      "function %u waits for ever", c->function);
	vt->ib_len = 0;
}

static void pm4_compares(struct kunit *test)
{
	static const struct compare_case cases[] = {
		{ WRITE_LT, 2, 1, 2 },
		{ WRITE_LT, 0x80000000, 1, 0x80000000 },
		{ WRITE_LT | CP_WAIT_REG_MEM_0_SIGNED_COMPARE, 1, 0x80000000, 1 },
		{ WRITE_LE, 3, 2, 2 },
		{ WRITE_EQ, 6, 7, 7 },
		{ WRITE_NE, 8, 7, 8 },
		{ WRITE_GE, 1, 2, 2 },
		{ WRITE_GT, 2, 0x80000000, 2 },
		{ WRITE_GT | CP_WAIT_REG_MEM_0_SIGNED_COMPARE, -1, 2, -1 },
	};
	struct vt *vt = vt_create(test, NULL);

	for (int i = 0; i < ARRAY_SIZE(cases); i++)
		pm4_compare(vt, &cases[i]);

	vt_ib(vt, vt_pkt7(CP_WAIT_REG_MEM, 6),
	      WRITE_ALWAYS | CP_WAIT_REG_MEM_0_POLL(POLL_MEMORY),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1, 0, 0);
	vt_run_ib(vt);
}

static void pm4_condition_skips(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt->data[1] = 1;
	/* Not taken: the flag is 0.  Taken: flag 1, 1 < 4.  Not: 1 < 1. */
	for (u32 i = 0; i < 3; i++) {
		u64 flag = VT_DATA_IOVA + (i ? 4 : 0);

		vt_ib(vt, vt_pkt7(CP_COND_EXEC, 6), VT_LO(flag), VT_HI(flag),
		      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4), i == 2 ? 1 : 4, 4);
		vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
		      VT_LO(VT_DATA_IOVA + 8 + 4 * i), VT_HI(VT_DATA_IOVA + 8 + 4 * i), 9);
	}
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[2]);
	KUNIT_EXPECT_EQ(test, 9U, vt->data[3]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[4]);
}

static void pm4_registers(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u64 before = vgpu_hw_counter(), stamp;

	vt_ib(vt, vt_pkt4(0x8c2c, 2), 0x11223344, 5);
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3), CP_REG_TO_MEM_0_REG(0x8c2c) |
	      CP_REG_TO_MEM_0_CNT(2), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3),
	      CP_REG_TO_MEM_0_REG(REG_A6XX_CP_ALWAYS_ON_COUNTER) |
	      CP_REG_TO_MEM_0_CNT(2) | CP_REG_TO_MEM_0_64B,
	      VT_LO(VT_DATA_IOVA + 8), VT_HI(VT_DATA_IOVA + 8));
	/* 5 & 4, rotated by 8, plus 1. */
	vt_ib(vt, vt_pkt7(CP_REG_RMW, 3), 0x8c2d | CP_REG_RMW_0_ROTATE(8) |
	      CP_REG_RMW_0_SRC1_ADD, 4, 1);
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3), CP_REG_TO_MEM_0_REG(0x8c2d) |
	      CP_REG_TO_MEM_0_ACCUMULATE,
	      VT_LO(VT_DATA_IOVA + 16), VT_HI(VT_DATA_IOVA + 16));
	vt_ib(vt, vt_pkt7(CP_MEM_TO_REG, 3), CP_MEM_TO_REG_0_REG(0x8c2e),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_ib(vt, vt_pkt7(CP_CONTEXT_REG_BUNCH, 4), 0x8c2f, 7, 0x8401, 8);
	vt->data[4] = 1000;
	vt_run_ib(vt);

	KUNIT_EXPECT_EQ(test, 0x11223344U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 5U, vt->data[1]);
	stamp = (u64)vt->data[3] << 32 | vt->data[2];
	KUNIT_EXPECT_GE(test, stamp, before);
	KUNIT_EXPECT_LE(test, stamp, vgpu_hw_counter());
	KUNIT_EXPECT_EQ(test, 1000U + 0x401, vt->data[4]);
	KUNIT_EXPECT_EQ(test, 0x11223344U, vgpu_hw_read(vt->hw, 0x8c2e));
	KUNIT_EXPECT_EQ(test, 7U, vgpu_hw_read(vt->hw, 0x8c2f));
	KUNIT_EXPECT_EQ(test, 8U, vgpu_hw_read(vt->hw, 0x8401));

	vt_ib(vt, vt_pkt7(CP_CONTEXT_REG_BUNCH, 3), 0x8c2f, 9, 0x8401);
	vt_run_bad_ib(vt, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR);
	KUNIT_EXPECT_STREQ(test, "CP_CONTEXT_REG_BUNCH has pairs of dwords",
			   vgpu_hw_cp_error(vt->hw));
}

/* The upper half of a counter, alone, is that of now and not what was stored. */
static void pm4_upper_half(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vgpu_hw_write(vt->hw, REG_A6XX_CP_ALWAYS_ON_COUNTER + 1, 0xdeadbeef);
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3),
	      CP_REG_TO_MEM_0_REG(REG_A6XX_CP_ALWAYS_ON_COUNTER) |
	      CP_REG_TO_MEM_0_CNT(2), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_run_ib(vt);
	KUNIT_EXPECT_LE(test, vt->data[1], upper_32_bits(vgpu_hw_counter()));
}

/* Ticks of 19.2 MHz in so many nanoseconds. */
static u64 ticks(u64 ns)
{
	return ns * 12 / 625;
}

/*
 * The host's clock and the GPU's are the same, 19.2 MHz.  Times are taken on
 * both sides of each reading: a sleep alone says little on a loaded machine.
 */
static void pm4_counter_rate(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u64 first, second, ns[4];

	ns[0] = ktime_get_boottime_ns();
	first = vgpu_hw_read(vt->hw, REG_A6XX_CP_ALWAYS_ON_COUNTER);
	ns[1] = ktime_get_boottime_ns();
	first |= (u64)vgpu_hw_read(vt->hw, REG_A6XX_CP_ALWAYS_ON_COUNTER + 1) << 32;
	msleep(50);
	ns[2] = ktime_get_boottime_ns();
	second = vgpu_hw_counter();
	ns[3] = ktime_get_boottime_ns();
	KUNIT_EXPECT_GE(test, second - first + 1, ticks(ns[2] - ns[1]));
	KUNIT_EXPECT_LE(test, second - first, ticks(ns[3] - ns[0]) + 1);
}

static void pm4_events(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt->data[4] = 1;
	vt->data[5] = 1;
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 1), PC_CCU_INVALIDATE_COLOR);
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 4), RB_DONE_TS,
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 4),
	      CACHE_FLUSH_TS | CP_EVENT_WRITE_0_TIMESTAMP,
	      VT_LO(VT_DATA_IOVA + 8), VT_HI(VT_DATA_IOVA + 8), 0);
	vt_ib(vt, vt_pkt4(REG_A6XX_RB_SAMPLE_COUNT_CONTROL, 1),
	      A6XX_RB_SAMPLE_COUNT_CONTROL_COPY);
	vt_ib(vt, vt_pkt4(REG_A6XX_RB_SAMPLE_COUNT_ADDR, 2),
	      VT_LO(VT_DATA_IOVA + 16), VT_HI(VT_DATA_IOVA + 16));
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 1), ZPASS_DONE);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 1U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[1]);
	KUNIT_EXPECT_NE(test, 0U, vt->data[2]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[4]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[5]);
}

/* Without draws no stream got anything: 64 bytes of zeros, and no more. */
static void pm4_counts_primitives(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	memset(vt->data, 0xff, 68);
	vt_ib(vt, vt_pkt4(REG_A6XX_VPC_SO_STREAM_COUNTS, 2),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 1), WRITE_PRIMITIVE_COUNTS);
	vt_run_ib(vt);
	KUNIT_EXPECT_NULL(test, memchr_inv(vt->data, 0, 64));
	KUNIT_EXPECT_EQ(test, ~0U, vt->data[16]);
}

static void pm4_refuses_events(struct kunit *test)
{
	static const u32 moving[] = { BLIT, LRZ_CLEAR, FLUSH_SO_0, FLUSH_SO_3 };
	struct vt *vt = vt_create(test, NULL);

	for (int i = 0; i < ARRAY_SIZE(moving); i++) {
		vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 1), moving[i]);
		vt_run_bad_ib(vt, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR);
		KUNIT_EXPECT_NOT_NULL(test, strstr(vgpu_hw_cp_error(vt->hw),
						   "there is no"));
	}
}

/* The tables of another process, and what the TLB held of the first. */
static void pm4_switches_tables(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	struct vt_table other;
	u32 *page = vt_page(test);
	size_t mapped;
	u64 ttbr;

	KUNIT_ASSERT_EQ(test, 0, vt_table_init(&other, vt->dev, 48, false, vt));
	mapped = 0;
	other.ops->map_pages(other.ops, VT_DATA_IOVA, virt_to_phys(page), SZ_4K,
			     1, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL, &mapped);
	mapped = 0;
	other.ops->map_pages(other.ops, VT_IB_IOVA, virt_to_phys(vt->ib), SZ_4K,
			     1, IOMMU_READ, GFP_KERNEL, &mapped);
	ttbr = other.cfg.arm_lpae_s1_cfg.ttbr;

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 1);
	vt_run_ib(vt);
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA), 2);
	vt_emit(vt, vt_pkt7(CP_SMMU_TABLE_UPDATE, 4));
	vt_emit(vt, lower_32_bits(ttbr));
	vt_emit(vt, upper_32_bits(ttbr) | 5 << 16);
	vt_emit(vt, 0);
	vt_emit(vt, 0);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 1U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 2U, page[0]);

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3),
	      VT_LO(VT_NOTHING_IOVA), VT_HI(VT_NOTHING_IOVA), 2);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, ttbr, vt->fault.ttbr0);
	KUNIT_EXPECT_EQ(test, 5U, vt->fault.contextidr);
	free_io_pgtable_ops(other.ops);
}

/* Each opcode that has a name is counted and executed under that name. */
static void pm4_names(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, "CP_MEM_WRITE", vgpu_hw_opcode_name(0x3d));
	KUNIT_EXPECT_STREQ(test, "CP_BLIT", vgpu_hw_opcode_name(0x2c));
	KUNIT_EXPECT_NULL(test, vgpu_hw_opcode_name(0x7e));
	KUNIT_EXPECT_NULL(test, vgpu_hw_opcode_name(128));
}

/* What has no model stops the CP under its name. */
static void pm4_refuses_by_name(struct kunit *test)
{
	static const struct { u32 op; const char *why; } cases[] = {
		{ CP_DRAW_INDX_OFFSET, "CP_DRAW_INDX_OFFSET" },
		{ CP_EXEC_CS, "CP_EXEC_CS" },
		{ CP_SET_BIN_DATA5, "CP_SET_BIN_DATA5" },
		{ CP_COND_REG_EXEC, "CP_COND_REG_EXEC" },
		{ 0x7e, "unknown opcode" },
	};
	struct vt *vt = vt_create(test, NULL);

	KUNIT_EXPECT_NULL(test, vgpu_hw_cp_error(vt->hw));
	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		vt_ib(vt, vt_pkt7(cases[i].op, 1), 0);
		vt_run_bad_ib(vt, A6XX_CP_INT_CP_OPCODE_ERROR);
		KUNIT_EXPECT_STREQ(test, cases[i].why, vgpu_hw_cp_error(vt->hw));
	}
}

/* What turnip begins each command buffer with, and how it reads the clock. */
static void pm4_runs_a_preamble(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u64 before = vgpu_hw_counter(), stamp;

	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 1), CACHE_INVALIDATE);
	vt_ib(vt, vt_pkt4(0xbb08, 1), 0x000fffff, vt_pkt7(CP_WAIT_FOR_IDLE, 0));
	vt_ib(vt, vt_pkt4(0x8e07, 1), 0x18000000);
	vt_ib(vt, vt_pkt7(CP_SET_DRAW_STATE, 3), 0x00040000, 0, 0);
	for (int i = 0; i < 3; i++)
		vt_ib(vt, vt_pkt7(CP_SET_CTXSWITCH_IB, 3), VT_LO(VT_IB2_IOVA),
		      VT_HI(VT_IB2_IOVA), 1 << 20 | 8);
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3), 0x40080980,
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA));
	/* Statistics that nothing ever counts: 11 pairs of zero. */
	memset(vt->data + 4, 0xff, 88);
	vt_ib(vt, vt_pkt7(CP_REG_TO_MEM, 3),
	      CP_REG_TO_MEM_0_REG(0x540) | CP_REG_TO_MEM_0_CNT(22) |
	      CP_REG_TO_MEM_0_64B,
	      VT_LO(VT_DATA_IOVA + 16), VT_HI(VT_DATA_IOVA + 16));
	vt_ib(vt, vt_pkt7(CP_EVENT_WRITE, 4), PC_CCU_FLUSH_COLOR_TS,
	      VT_LO(VT_DATA_IOVA + 256), VT_HI(VT_DATA_IOVA + 256), 77);
	vt_run_ib(vt);

	KUNIT_EXPECT_EQ(test, 0x18000000U, vgpu_hw_read(vt->hw, 0x8e07));
	stamp = (u64)vt->data[1] << 32 | vt->data[0];
	KUNIT_EXPECT_GE(test, stamp, before);
	KUNIT_EXPECT_LE(test, stamp, vgpu_hw_counter());
	KUNIT_EXPECT_NULL(test, memchr_inv(vt->data + 4, 0, 88));
	KUNIT_EXPECT_EQ(test, 77U, vt->data[64]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));
}

static struct kunit_case pm4_tests[] = {
	KUNIT_CASE(pm4_decodes_type7),
	KUNIT_CASE(pm4_decodes_type4),
	KUNIT_CASE(pm4_decodes_igt),
	KUNIT_CASE(pm4_stores_and_copies),
	KUNIT_CASE(pm4_copies_across_pages),
	KUNIT_CASE(pm4_waits_for_memory),
	KUNIT_CASE(pm4_compares),
	KUNIT_CASE(pm4_condition_skips),
	KUNIT_CASE(pm4_registers),
	KUNIT_CASE(pm4_counter_rate),
	KUNIT_CASE(pm4_events),
	KUNIT_CASE(pm4_upper_half),
	KUNIT_CASE(pm4_counts_primitives),
	KUNIT_CASE(pm4_refuses_events),
	KUNIT_CASE(pm4_switches_tables),
	KUNIT_CASE(pm4_names),
	KUNIT_CASE(pm4_refuses_by_name),
	KUNIT_CASE(pm4_runs_a_preamble),
	{}
};

static struct kunit_suite pm4_suite = {
	.name = "vgpu-pm4",
	.test_cases = pm4_tests,
};

kunit_test_suite(pm4_suite);
