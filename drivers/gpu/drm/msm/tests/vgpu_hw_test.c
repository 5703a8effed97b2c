// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that the suites of the virtual Adreno's hardware half run on.
 *
 * Everything but the GPU is the kernel's own: io-pgtable builds the tables and
 * calls the GPU's invalidations through its flush operations, as the SMMU
 * driver does.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/sizes.h>

#include <kunit/device.h>
#include <kunit/resource.h>
#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_xml.h"

static void vt_flush_all(void *cookie)
{
	struct vt *vt = cookie;

	if (vt && vt->hw)
		vgpu_hw_tlb_inv_all(vt->hw);
}

static void vt_flush_walk(unsigned long iova, size_t size, size_t granule,
			  void *cookie)
{
	struct vt *vt = cookie;

	if (vt && vt->hw)
		vgpu_hw_tlb_inv_walk(vt->hw, iova, size);
}

/* As in msm, whose unmap ends with a flush of everything. */
static void vt_add_page(struct iommu_iotlb_gather *gather, unsigned long iova,
			size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops vt_flush_ops = {
	.tlb_flush_all = vt_flush_all,
	.tlb_flush_walk = vt_flush_walk,
	.tlb_add_page = vt_add_page,
};

/* Build an empty set of tables. */
int vt_table_init(struct vt_table *table, struct device *dev, u32 ias,
		  bool upper, void *cookie)
{
	table->cfg = (struct io_pgtable_cfg) {
		.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.ias = ias,
		.oas = 48,
		.coherent_walk = true,
		.quirks = upper ? IO_PGTABLE_QUIRK_ARM_TTBR1 : 0,
		.tlb = &vt_flush_ops,
		.iommu_dev = dev,
	};
	table->ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &table->cfg, cookie);

	return table->ops ? 0 : -ENOMEM;
}

/* TCR_EL1 for two sets of tables. */
u64 vt_tcr(const struct vt_table *lower, const struct vt_table *upper)
{
	u64 tcr = (u64)lower->cfg.arm_lpae_s1_cfg.tcr.ips << 32;

	tcr |= lower->cfg.arm_lpae_s1_cfg.tcr.tsz;
	tcr |= (u64)lower->cfg.arm_lpae_s1_cfg.tcr.tg << 14;
	tcr |= (u64)upper->cfg.arm_lpae_s1_cfg.tcr.tsz << 16;
	tcr |= (u64)upper->cfg.arm_lpae_s1_cfg.tcr.tg << 30;

	return tcr;
}

static void vt_free_page(void *page)
{
	free_page((unsigned long)page);
}

/* A zeroed page that lives as long as the test. */
u32 *vt_page(struct kunit *test)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vt_free_page,
							   page));
	return page;
}

static struct vt_table *vt_table_of(struct vt *vt, u64 iova)
{
	return iova & BIT_ULL(48) ? &vt->kernel : &vt->user;
}

static unsigned long vt_extend(u64 iova)
{
	return iova & BIT_ULL(48) ? iova | GENMASK_ULL(63, 49) : iova;
}

void vt_map(struct vt *vt, u64 iova, const void *page, int prot)
{
	struct io_pgtable_ops *ops = vt_table_of(vt, iova)->ops;
	size_t mapped = 0;
	int ret;

	ret = ops->map_pages(ops, vt_extend(iova), virt_to_phys((void *)page),
			     SZ_4K, 1, prot, GFP_KERNEL, &mapped);
	KUNIT_ASSERT_EQ(vt->test, 0, ret);
	KUNIT_ASSERT_EQ(vt->test, SZ_4K, mapped);
}

/* Clears the entry; what the TLB holds is the caller's business. */
void vt_unmap(struct vt *vt, u64 iova)
{
	struct io_pgtable_ops *ops = vt_table_of(vt, iova)->ops;

	KUNIT_ASSERT_EQ(vt->test, SZ_4K,
			ops->unmap_pages(ops, vt_extend(iova), SZ_4K, 1, NULL));
}

static void vt_irq(void *cookie)
{
	struct vt *vt = cookie;
	u32 status = vgpu_hw_read(vt->hw, REG_A6XX_RBBM_INT_0_STATUS);

	vgpu_hw_write(vt->hw, REG_A6XX_RBBM_INT_CLEAR_CMD, status);
	atomic_or(status, &vt->status);
	atomic_inc(&vt->irqs);
}

static void vt_take_fault(void *cookie)
{
	struct vt *vt = cookie;

	vgpu_hw_smmu_fault(vt->hw, &vt->fault);
	atomic_inc(&vt->faults);
	if (vt->resume)
		vgpu_hw_smmu_resume(vt->hw, vt->resume == 1);
}

static const struct vgpu_hw_host vt_host = {
	.irq = vt_irq,
	.fault = vt_take_fault,
};

static void vt_free_tables(void *data)
{
	struct vt *vt = data;

	free_io_pgtable_ops(vt->user.ops);
	free_io_pgtable_ops(vt->kernel.ops);
}

/* Ends before its pages and tables do. */
static void vt_destroy_hw(void *data)
{
	struct vt *vt = data;

	vgpu_hw_destroy(vt->hw);
	vt->hw = NULL;
}

static void vt_map_all(struct vt *vt)
{
	const int rw = IOMMU_READ | IOMMU_WRITE;

	vt->ring = vt_page(vt->test);
	vt->fence = vt_page(vt->test);
	vt->ib = vt_page(vt->test);
	vt->ib2 = vt_page(vt->test);
	vt->data = vt_page(vt->test);
	vt->readonly = vt_page(vt->test);
	vt->priv = vt_page(vt->test);

	vt_map(vt, VT_RING_IOVA, vt->ring, IOMMU_READ | IOMMU_PRIV);
	vt_map(vt, VT_FENCE_IOVA, vt->fence, rw | IOMMU_PRIV);
	vt_map(vt, VT_IB_IOVA, vt->ib, IOMMU_READ);
	vt_map(vt, VT_IB2_IOVA, vt->ib2, IOMMU_READ);
	vt_map(vt, VT_DATA_IOVA, vt->data, rw);
	vt_map(vt, VT_READONLY_IOVA, vt->readonly, IOMMU_READ);
	vt_map(vt, VT_PRIV_IOVA, vt->priv, rw | IOMMU_PRIV);
}

/* Program the GPU as a6xx_hw_init() does, and let it run. */
void vt_start(struct vt *vt)
{
	struct vgpu_hw *hw = vt->hw;

	vt->wptr = 0;
	vt->ib_len = 0;
	vgpu_hw_write(hw, REG_A6XX_CP_APRIV_CNTL,
		      A6XX_CP_APRIV_CNTL_RBFETCH | A6XX_CP_APRIV_CNTL_RBRPWB |
		      A6XX_CP_APRIV_CNTL_RBPRIVLEVEL);
	vgpu_hw_write(hw, REG_A6XX_CP_RB_BASE, lower_32_bits(VT_RING_IOVA));
	vgpu_hw_write(hw, REG_A6XX_CP_RB_BASE + 1, upper_32_bits(VT_RING_IOVA));
	vgpu_hw_write(hw, REG_A6XX_CP_RB_CNTL, ilog2(PAGE_SIZE / 8));
	vgpu_hw_write(hw, REG_A6XX_CP_RB_RPTR_ADDR, lower_32_bits(VT_RPTR_IOVA));
	vgpu_hw_write(hw, REG_A6XX_CP_RB_RPTR_ADDR + 1,
		      upper_32_bits(VT_RPTR_IOVA));
	vgpu_hw_write(hw, REG_A6XX_RBBM_INT_0_MASK,
		      A6XX_RBBM_INT_0_MASK_CP_HW_ERROR |
		      A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS |
		      A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT);
	vgpu_hw_write(hw, REG_A6XX_CP_SQE_CNTL, 1);
}

/* A running machine; goes away with the test. */
struct vt *vt_create(struct kunit *test, const struct vgpu_config *config)
{
	struct vgpu_hw_cb cb = {};
	struct vgpu_config healthy;
	struct vt *vt;

	vgpu_config_init(&healthy);
	vt = kunit_kzalloc(test, sizeof(*vt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vt);
	vt->test = test;
	vt->resume = 1;
	vt->dev = kunit_device_register(test, "vgpu-test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vt->dev);

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vt_free_tables,
							   vt));
	KUNIT_ASSERT_EQ(test, 0, vt_table_init(&vt->user, vt->dev, 48, false, vt));
	KUNIT_ASSERT_EQ(test, 0, vt_table_init(&vt->kernel, vt->dev, 48, true, vt));
	vt_map_all(vt);

	vt->hw = vgpu_hw_create(config ?: &healthy, &vt_host, vt);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vt->hw);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vt_destroy_hw,
							   vt));

	cb.ttbr[0] = vt->user.cfg.arm_lpae_s1_cfg.ttbr;
	cb.ttbr[1] = vt->kernel.cfg.arm_lpae_s1_cfg.ttbr;
	cb.tcr = vt_tcr(&vt->user, &vt->kernel);
	vgpu_hw_smmu_write_cb(vt->hw, &cb);
	vt_start(vt);

	return vt;
}

/* All counters at one moment; valid until the next call. */
const struct vgpu_stats *vt_stats(struct vt *vt)
{
	vgpu_hw_stats(vt->hw, &vt->stats);

	return &vt->stats;
}

/* Bit that makes the number of ones odd. */
static u32 vt_parity(u32 value)
{
	u32 ones = 0;

	for (; value; value &= value - 1)
		ones++;

	return ~ones & 1;
}

u32 vt_pkt4(u32 reg, u32 count)
{
	return 4U << 28 | vt_parity(reg) << 27 | reg << 8 |
	       vt_parity(count) << 7 | count;
}

u32 vt_pkt7(u32 opcode, u32 count)
{
	return 7U << 28 | vt_parity(opcode) << 23 | opcode << 16 |
	       vt_parity(count) << 15 | count;
}

void vt_emit(struct vt *vt, u32 dword)
{
	vt->ring[vt->wptr] = dword;
	vt->wptr = (vt->wptr + 1) % VT_RING_DWORDS;
}

void vt_emit_ib(struct vt *vt, u64 iova, u32 dwords)
{
	vt_emit(vt, vt_pkt7(CP_INDIRECT_BUFFER, 3));
	vt_emit(vt, lower_32_bits(iova));
	vt_emit(vt, upper_32_bits(iova));
	vt_emit(vt, dwords);
}

void vt_kick(struct vt *vt)
{
	vgpu_hw_write(vt->hw, REG_A6XX_CP_RB_WPTR, vt->wptr);
}

/* Ask for a fence after all that was emitted, and ring the doorbell. */
u32 vt_fence(struct vt *vt)
{
	vt_emit(vt, vt_pkt7(CP_EVENT_WRITE, 4));
	vt_emit(vt, CACHE_FLUSH_TS | CP_EVENT_WRITE_0_IRQ);
	vt_emit(vt, lower_32_bits(VT_FENCE_IOVA));
	vt_emit(vt, upper_32_bits(VT_FENCE_IOVA));
	vt_emit(vt, ++vt->seqno);
	vt_kick(vt);

	return vt->seqno;
}

bool vt_wait(struct vt *vt, u32 seqno)
{
	unsigned long end = jiffies + msecs_to_jiffies(VT_TIMEOUT_MS);

	while (READ_ONCE(vt->fence[0]) != seqno) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 200);
	}

	return true;
}

bool vt_wait_status(struct vt *vt, u32 bits)
{
	unsigned long end = jiffies + msecs_to_jiffies(VT_TIMEOUT_MS);

	while ((atomic_read(&vt->status) & bits) != bits) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 200);
	}

	return true;
}

bool vt_wait_reg(struct vt *vt, u32 reg, u32 value)
{
	unsigned long end = jiffies + msecs_to_jiffies(VT_TIMEOUT_MS);

	while (vgpu_hw_read(vt->hw, reg) != value) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 200);
	}

	return true;
}

/* Wait until the GPU has written at least so much. */
bool vt_wait_word(const u32 *word, u32 least)
{
	unsigned long end = jiffies + msecs_to_jiffies(VT_TIMEOUT_MS);

	while (READ_ONCE(*word) < least) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 200);
	}

	return true;
}

void vt_ib_dwords(struct vt *vt, const u32 *dwords, u32 count)
{
	KUNIT_ASSERT_LE(vt->test, vt->ib_len + count, PAGE_SIZE / sizeof(u32));
	memcpy(vt->ib + vt->ib_len, dwords, count * sizeof(u32));
	vt->ib_len += count;
}

/* The last thing that the CP does before it idles: tell how far it has read. */
static bool vt_wait_idle(struct vt *vt)
{
	const u32 *rptr = vt->fence + (VT_RPTR_IOVA - VT_FENCE_IOVA) / sizeof(u32);
	unsigned long end = jiffies + msecs_to_jiffies(VT_TIMEOUT_MS);

	while (READ_ONCE(*rptr) != vt->wptr) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 200);
	}

	return true;
}

/*
 * Run the indirect buffer to its end; the next one starts empty.  The caller
 * may take the tables away then: no access is under way.
 */
void vt_run_ib(struct vt *vt)
{
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	KUNIT_ASSERT_TRUE(vt->test, vt_wait(vt, vt_fence(vt)));
	KUNIT_ASSERT_TRUE(vt->test, vt_wait_idle(vt));
	vt->ib_len = 0;
}

/* Run an indirect buffer at which the CP must stop; then reset. */
void vt_run_bad_ib(struct vt *vt, u32 cause)
{
	u32 causes = A6XX_RBBM_INT_0_MASK_CP_HW_ERROR |
		     A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT;
	u32 before = vt->fence[0];

	atomic_set(&vt->status, 0);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);
	KUNIT_EXPECT_TRUE(vt->test, vt_wait_status(vt, causes));
	KUNIT_EXPECT_EQ(vt->test, cause,
			vgpu_hw_read(vt->hw, REG_A6XX_CP_INTERRUPT_STATUS));
	KUNIT_EXPECT_EQ(vt->test, before, vt->fence[0]);

	vgpu_hw_reset(vt->hw);
	vt_start(vt);
}
