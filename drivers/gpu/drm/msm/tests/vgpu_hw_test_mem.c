// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: how the virtual Adreno reaches memory: permissions, faults, stalls,
 * the PRR page, reset in the middle of anything, and injected faults.
 */
#include <linux/delay.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_xml.h"

#define FSR_KIND	(VGPU_HW_FSR_TF | VGPU_HW_FSR_PF | VGPU_HW_FSR_AFF | \
			 VGPU_HW_FSR_EF | VGPU_HW_FSR_ASF)

static void store(struct vt *vt, u64 iova, u32 value)
{
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(iova), VT_HI(iova), value);
}

static void load(struct vt *vt, u64 to, u64 from)
{
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 5), 0, VT_LO(to), VT_HI(to),
	      VT_LO(from), VT_HI(from));
}

static void expect_fault(struct vt *vt, int nr, u64 iova, u32 fsr, bool write)
{
	KUNIT_EXPECT_EQ(vt->test, nr, atomic_read(&vt->faults));
	KUNIT_EXPECT_EQ(vt->test, iova, vt->fault.iova);
	KUNIT_EXPECT_EQ(vt->test, fsr, vt->fault.fsr & FSR_KIND);
	KUNIT_EXPECT_EQ(vt->test, write,
			!!(vt->fault.fsynr0 & VGPU_HW_FSYNR0_WNR));
	KUNIT_EXPECT_EQ(vt->test, vt->user.cfg.arm_lpae_s1_cfg.ttbr,
			vt->fault.ttbr0);
}

/* Exact address, kind and direction; then the stream goes on. */
static void faults_are_exact(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	store(vt, 0x1deaddeadULL, 1);
	vt_run_ib(vt);
	expect_fault(vt, 1, 0x1deaddeadULL, VGPU_HW_FSR_TF, true);

	vt->data[0] = 7;
	load(vt, VT_DATA_IOVA, VT_NOTHING_IOVA + 0x44);
	vt_run_ib(vt);
	expect_fault(vt, 2, VT_NOTHING_IOVA + 0x44, VGPU_HW_FSR_TF, false);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[0]);

	store(vt, VT_READONLY_IOVA + 8, 1);
	vt_run_ib(vt);
	expect_fault(vt, 3, VT_READONLY_IOVA + 8, VGPU_HW_FSR_PF, true);
	KUNIT_EXPECT_EQ(test, 0U, vt->readonly[2]);

	store(vt, VT_PRIV_IOVA, 1);
	vt_run_ib(vt);
	expect_fault(vt, 4, VT_PRIV_IOVA, VGPU_HW_FSR_PF, true);
	vt->priv[0] = 9;
	load(vt, VT_DATA_IOVA, VT_PRIV_IOVA);
	vt_run_ib(vt);
	expect_fault(vt, 5, VT_PRIV_IOVA, VGPU_HW_FSR_PF, false);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[0]);

	/* The kernel's addresses keep bit 48. */
	store(vt, VT_FENCE_IOVA, 0xbad);
	vt_run_ib(vt);
	expect_fault(vt, 6, VT_FENCE_IOVA, VGPU_HW_FSR_PF, true);

	vt->readonly[1] = 5;
	load(vt, VT_DATA_IOVA, VT_READONLY_IOVA + 4);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 6, atomic_read(&vt->faults));
	KUNIT_EXPECT_EQ(test, 5U, vt->data[0]);
}

/* What the ring may do, an indirect buffer may not, and the other way round. */
static void ring_is_privileged(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt_emit(vt, vt_pkt7(CP_MEM_WRITE, 3));
	vt_emit(vt, lower_32_bits(VT_PRIV_IOVA));
	vt_emit(vt, upper_32_bits(VT_PRIV_IOVA));
	vt_emit(vt, 77);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	KUNIT_EXPECT_EQ(test, 77U, vt->priv[0]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));

	/* Read-only binds the ring as well. */
	vt_emit(vt, vt_pkt7(CP_MEM_WRITE, 3));
	vt_emit(vt, lower_32_bits(VT_READONLY_IOVA));
	vt_emit(vt, upper_32_bits(VT_READONLY_IOVA));
	vt_emit(vt, 77);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	KUNIT_EXPECT_EQ(test, 0U, vt->readonly[0]);
	expect_fault(vt, 1, VT_READONLY_IOVA, VGPU_HW_FSR_PF, true);
}

/* A write across the end of a mapping: half of it arrives. */
static void access_splits_at_pages(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 6),
	      VT_LO(VT_DATA_IOVA + SZ_4K - 8), VT_HI(VT_DATA_IOVA + SZ_4K - 8),
	      1, 2, 3, 4);
	vt_run_ib(vt);
	expect_fault(vt, 1, VT_DATA_IOVA + SZ_4K, VGPU_HW_FSR_TF, true);
	KUNIT_EXPECT_EQ(test, 1U, vt->data[1022]);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[1023]);
}

/* Many faults in one stream: each is reported, and it ends in time. */
static void faults_are_cheap(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vgpu_hw_smmu_set_stall(vt->hw, true);
	for (int i = 0; i < 250; i++)
		store(vt, VT_NOTHING_IOVA, i);
	for (int i = 0; i < 4; i++)
		vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 1250, atomic_read(&vt->faults));
}

/* An address at which the tables promise memory that is not there. */
static void no_memory_is_external(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	struct io_pgtable_ops *ops = vt->user.ops;
	size_t mapped = 0;

	KUNIT_ASSERT_EQ(test, 0,
			ops->map_pages(ops, VT_NOTHING_IOVA, BIT_ULL(46), SZ_4K,
				       1, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL,
				       &mapped));
	store(vt, VT_NOTHING_IOVA, 1);
	vt_run_ib(vt);
	expect_fault(vt, 1, VT_NOTHING_IOVA, VGPU_HW_FSR_EF, true);
}

static bool wait_for_fault(struct vt *vt)
{
	for (int i = 0; i < VT_TIMEOUT_MS && !atomic_read(&vt->faults); i++)
		usleep_range(1000, 1100);

	return atomic_read(&vt->faults);
}

static u32 smmu_stalled(struct vt *vt)
{
	return vgpu_hw_read(vt->hw, REG_A6XX_RBBM_STATUS3) &
	       A6XX_RBBM_STATUS3_SMMU_STALLED_ON_FAULT;
}

/* Stalled, nothing moves; mapped and retried, the write arrives. */
static void stall_and_retry(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *page = vt_page(test), seqno;

	vt->resume = 0;
	vgpu_hw_smmu_set_stall(vt->hw, true);
	store(vt, VT_NOTHING_IOVA, 5);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	seqno = vt_fence(vt);
	KUNIT_ASSERT_TRUE(test, wait_for_fault(vt));
	expect_fault(vt, 1, VT_NOTHING_IOVA, VGPU_HW_FSR_TF, true);
	KUNIT_EXPECT_TRUE(test, vt->fault.fsr & VGPU_HW_FSR_SS);
	KUNIT_EXPECT_TRUE(test, smmu_stalled(vt));
	msleep(20);
	KUNIT_EXPECT_NE(test, seqno, READ_ONCE(vt->fence[0]));

	vt_map(vt, VT_NOTHING_IOVA, page, IOMMU_READ | IOMMU_WRITE);
	vgpu_hw_smmu_resume(vt->hw, false);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, seqno));
	KUNIT_EXPECT_EQ(test, 5U, page[0]);
	KUNIT_EXPECT_FALSE(test, smmu_stalled(vt));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&vt->faults));
}

/* Terminated, the write is lost although its page came meanwhile. */
static void stall_and_terminate(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *page = vt_page(test), seqno;

	vt->resume = 0;
	vgpu_hw_smmu_set_stall(vt->hw, true);
	store(vt, VT_NOTHING_IOVA, 5);
	store(vt, VT_NOTHING_IOVA + 4, 6);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	seqno = vt_fence(vt);
	KUNIT_ASSERT_TRUE(test, wait_for_fault(vt));
	vt_map(vt, VT_NOTHING_IOVA, page, IOMMU_READ | IOMMU_WRITE);
	vgpu_hw_smmu_resume(vt->hw, true);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, seqno));
	KUNIT_EXPECT_EQ(test, 0U, page[0]);
	KUNIT_EXPECT_EQ(test, 6U, page[1]);
}

/* A reset ends a stall; nothing of the old stream happens afterwards. */
static void stall_and_reset(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	vt->resume = 0;
	vgpu_hw_smmu_set_stall(vt->hw, true);
	store(vt, VT_NOTHING_IOVA, 5);
	store(vt, VT_DATA_IOVA, 5);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_ASSERT_TRUE(test, wait_for_fault(vt));

	vgpu_hw_reset(vt->hw);
	KUNIT_EXPECT_FALSE(test, smmu_stalled(vt));
	KUNIT_EXPECT_EQ(test, 0U,
			vgpu_hw_read(vt->hw, REG_A6XX_RBBM_INT_0_STATUS));
	vt_start(vt);
	store(vt, VT_DATA_IOVA + 4, 6);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 6U, vt->data[1]);
}

/* The PRR page reads as zero and keeps nothing; only while it is enabled. */
static void prr_swallows(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *prr = vt_page(test);
	const struct vgpu_stats *stats;

	prr[0] = 0x12345678;
	vt_map(vt, VT_NOTHING_IOVA, prr, IOMMU_READ | IOMMU_WRITE);
	vgpu_hw_smmu_set_prr(vt->hw, virt_to_phys(prr));
	vgpu_hw_smmu_enable_prr(vt->hw, true);

	vt->data[0] = 1;
	load(vt, VT_DATA_IOVA, VT_NOTHING_IOVA);
	store(vt, VT_NOTHING_IOVA + 4, 5);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 0U, prr[1]);
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->prr_reads);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->prr_writes);

	vgpu_hw_smmu_enable_prr(vt->hw, false);
	load(vt, VT_DATA_IOVA, VT_NOTHING_IOVA);
	store(vt, VT_NOTHING_IOVA + 4, 5);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 0x12345678U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 5U, prr[1]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));
}

static void prr_can_be_absent(struct kunit *test)
{
	struct vgpu_config config;
	u32 *prr = vt_page(test);
	struct vt *vt;

	vgpu_config_init(&config);
	config.has_prr = false;
	vt = vt_create(test, &config);
	vgpu_hw_smmu_set_prr(vt->hw, virt_to_phys(prr));
	vgpu_hw_smmu_enable_prr(vt->hw, true);
	vt_map(vt, VT_NOTHING_IOVA, prr, IOMMU_READ | IOMMU_WRITE);
	store(vt, VT_NOTHING_IOVA, 5);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 5U, prr[0]);
}

/* The n-th access faults, whatever the tables say; once. */
static void inject_a_fault(struct kunit *test)
{
	struct vgpu_config config;
	struct vt *vt;

	vgpu_config_init(&config);
	/* One fetch of 16 dwords, then the stores. */
	config.fault_at_access = 3;
	vt = vt_create(test, &config);
	for (int i = 0; i < 4; i++)
		store(vt, VT_DATA_IOVA + 4 * i, i + 1);
	vt_run_ib(vt);
	expect_fault(vt, 1, VT_DATA_IOVA + 4, VGPU_HW_FSR_TF, true);
	KUNIT_EXPECT_EQ(test, 1U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[1]);
	KUNIT_EXPECT_EQ(test, 3U, vt->data[2]);

	/* A new configuration counts anew. */
	vgpu_hw_configure(vt->hw, &config);
	store(vt, VT_DATA_IOVA, 1);
	store(vt, VT_DATA_IOVA, 1);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&vt->faults));
}

/* Hang at the n-th packet: reported, and only a reset helps. */
static void inject_a_hang(struct kunit *test)
{
	struct vgpu_config config;
	struct vt *vt;

	vgpu_config_init(&config);
	config.hang_at_packet = 2;
	vt = vt_create(test, &config);
	store(vt, VT_DATA_IOVA, 1);
	store(vt, VT_DATA_IOVA + 4, 2);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_ASSERT_TRUE(test, vt_wait_status(vt, A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT));
	KUNIT_EXPECT_EQ(test, 0U,
			vgpu_hw_read(vt->hw, REG_A6XX_CP_INTERRUPT_STATUS));
	KUNIT_EXPECT_NE(test, 0U, vgpu_hw_read(vt->hw, REG_A6XX_RBBM_STATUS));
	KUNIT_EXPECT_EQ(test, 1U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[1]);
	KUNIT_EXPECT_EQ(test, 0U, vt->fence[0]);

	vgpu_hw_reset(vt->hw);
	vt_start(vt);
	store(vt, VT_DATA_IOVA + 4, 3);
	vt_run_ib(vt);
	KUNIT_EXPECT_EQ(test, 3U, vt->data[1]);
}

static void inject_a_silent_hang(struct kunit *test)
{
	struct vgpu_config config;
	struct vt *vt;

	vgpu_config_init(&config);
	config.lose_hang_report = true;
	vt = vt_create(test, &config);
	vt_ib(vt, 0xdeaddead);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_EXPECT_TRUE(test, vt_wait_reg(vt, REG_A6XX_CP_INTERRUPT_STATUS,
					    A6XX_CP_INT_CP_OPCODE_ERROR));
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->irqs));
	KUNIT_EXPECT_EQ(test, 0U, vt->fence[0]);
}

/* Told to start, it stands still once, and says so. */
static void inject_a_false_start(struct kunit *test)
{
	struct vgpu_config config;
	struct vt *vt;

	vgpu_config_init(&config);
	config.false_starts = 1;
	vt = vt_create(test, &config);
	KUNIT_EXPECT_EQ(test, 0U, vgpu_hw_read(vt->hw, REG_A6XX_CP_SQE_CNTL));
	vt_fence(vt);
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0U, vt->fence[0]);

	vgpu_hw_reset(vt->hw);
	vt_start(vt);
	KUNIT_EXPECT_EQ(test, 1U, vgpu_hw_read(vt->hw, REG_A6XX_CP_SQE_CNTL));
	KUNIT_EXPECT_TRUE(test, vt_wait(vt, vt_fence(vt)));
}

/* The fence is written, its interrupt does not come; the next one does. */
static void inject_a_lost_interrupt(struct kunit *test)
{
	struct vgpu_config config;
	const struct vgpu_stats *stats;
	struct vt *vt;

	vgpu_config_init(&config);
	config.lose_irq_at = 1;
	vt = vt_create(test, &config);
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->irqs));
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	KUNIT_EXPECT_TRUE(test, vt_wait_status(vt, A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS));
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 2ULL, stats->fence_irqs);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->lost_irqs);
}

static void slow_execution_takes_time(struct kunit *test)
{
	struct vgpu_config config;
	struct vt *vt;
	ktime_t start;

	vgpu_config_init(&config);
	config.packet_ns = 2000000;
	vt = vt_create(test, &config);
	for (int i = 0; i < 10; i++)
		store(vt, VT_DATA_IOVA, i);
	start = ktime_get();
	vt_run_ib(vt);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), start), 20LL);
}

static struct kunit_case mem_tests[] = {
	KUNIT_CASE(faults_are_exact),
	KUNIT_CASE(ring_is_privileged),
	KUNIT_CASE(access_splits_at_pages),
	KUNIT_CASE(faults_are_cheap),
	KUNIT_CASE(no_memory_is_external),
	KUNIT_CASE(stall_and_retry),
	KUNIT_CASE(stall_and_terminate),
	KUNIT_CASE(stall_and_reset),
	KUNIT_CASE(prr_swallows),
	KUNIT_CASE(prr_can_be_absent),
	KUNIT_CASE(inject_a_fault),
	KUNIT_CASE(inject_a_hang),
	KUNIT_CASE(inject_a_silent_hang),
	KUNIT_CASE(inject_a_false_start),
	KUNIT_CASE(inject_a_lost_interrupt),
	KUNIT_CASE(slow_execution_takes_time),
	{}
};

static struct kunit_suite mem_suite = {
	.name = "vgpu-mem",
	.test_cases = mem_tests,
};

kunit_test_suite(mem_suite);
