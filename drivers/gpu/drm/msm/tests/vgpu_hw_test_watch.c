// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the watcher of page tables.
 *
 * A job of the user waits for a word while the test edits the job's tables, as
 * a bind on a running VM does.  Each invalidation makes the watcher look, so
 * that nothing here depends on time.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_xml.h"

#define WATCH_IOVA	0x180000000ULL
#define NR_WATCHED	4
#define NR_MAPPED	8	/* the watched ones, and neighbours behind them */
#define RW		(IOMMU_READ | IOMMU_WRITE)

static struct vt *watch_create(struct kunit *test, u32 pages)
{
	struct vgpu_config config;

	vgpu_config_init(&config);
	config.watch_iova = WATCH_IOVA;
	config.watch_size = pages * SZ_4K;

	return vt_create(test, &config);
}

static u64 page_iova(u32 page)
{
	return WATCH_IOVA + page * SZ_4K;
}

static void map_pages(struct vt *vt, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		vt_map(vt, page_iova(i), vt_page(vt->test), RW);
}

/* A job that runs until job_end(); returns when it surely runs. */
static u32 job_begin(struct vt *vt)
{
	u32 seqno;

	vt->ib_len = 0;
	vt->data[0] = 0;
	vt->data[1] = 0;
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(VT_DATA_IOVA + 4),
	      VT_HI(VT_DATA_IOVA + 4), 1);
	vt_ib(vt, vt_pkt7(CP_WAIT_MEM_GTE, 4), 0, VT_LO(VT_DATA_IOVA),
	      VT_HI(VT_DATA_IOVA), 1);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	seqno = vt_fence(vt);
	KUNIT_ASSERT_TRUE(vt->test, vt_wait_word(&vt->data[1], 1));

	return seqno;
}

static void job_end(struct vt *vt, u32 seqno)
{
	WRITE_ONCE(vt->data[0], 1);
	KUNIT_ASSERT_TRUE(vt->test, vt_wait(vt, seqno));
}

/* Make it look, and tell how many pages were lost so far. */
static u64 lost(struct vt *vt)
{
	u64 before = vt_stats(vt)->watch_checks;

	vgpu_hw_tlb_inv_all(vt->hw);
	KUNIT_EXPECT_GT(vt->test, vt_stats(vt)->watch_checks, before);

	return vt->stats.watch_lost;
}

static void watch_allows_neighbours(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	u32 seqno;

	map_pages(vt, NR_MAPPED);
	seqno = job_begin(vt);
	for (u32 i = NR_WATCHED; i < NR_MAPPED; i++) {
		vt_unmap(vt, page_iova(i));
		KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	}
	vt_map(vt, page_iova(NR_WATCHED), vt_page(test), RW);
	KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	job_end(vt, seqno);
}

/* Each loss counts once; what came back may be lost again. */
static void watch_counts_losses(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	u32 seqno;

	map_pages(vt, NR_WATCHED);
	seqno = job_begin(vt);
	vt_unmap(vt, page_iova(1));
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	vt_map(vt, page_iova(1), vt_page(test), RW);
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	vt_unmap(vt, page_iova(1));
	vt_unmap(vt, page_iova(3));
	KUNIT_EXPECT_EQ(test, 3ULL, lost(vt));
	job_end(vt, seqno);
}

/* Mapped is not enough: to the same page, with the same rights. */
static void watch_sees_changes(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	u32 *page = vt_page(test), seqno;

	map_pages(vt, 1);
	vt_map(vt, page_iova(1), page, RW);
	seqno = job_begin(vt);
	vt_unmap(vt, page_iova(0));
	vt_map(vt, page_iova(0), vt_page(test), RW);
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	vt_unmap(vt, page_iova(1));
	vt_map(vt, page_iova(1), page, IOMMU_READ);
	KUNIT_EXPECT_EQ(test, 2ULL, lost(vt));
	job_end(vt, seqno);
}

/* Tables of which no job makes use are none of its business. */
static void watch_rests_without_a_job(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	u64 checks;

	map_pages(vt, NR_WATCHED);
	job_end(vt, job_begin(vt));
	vt_emit(vt, vt_pkt7(CP_NOP, 0));
	KUNIT_ASSERT_TRUE(test, vt_wait(vt, vt_fence(vt)));
	checks = vt_stats(vt)->watch_checks;
	KUNIT_EXPECT_GT(test, checks, 0ULL);
	vt_unmap(vt, page_iova(0));
	vgpu_hw_tlb_inv_all(vt->hw);
	vgpu_hw_tlb_inv_walk(vt->hw, WATCH_IOVA, SZ_4K);
	vgpu_hw_tlb_inv_page(vt->hw, WATCH_IOVA, SZ_4K);
	KUNIT_EXPECT_EQ(test, checks, vt_stats(vt)->watch_checks);
	KUNIT_EXPECT_EQ(test, 0ULL, vt->stats.watch_lost);
}

/* The tables of another process, where none of it is mapped. */
static void watch_is_about_one_process(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	struct vgpu_hw_cb cb = {};
	u32 *other = vt_page(test), seqno;

	map_pages(vt, NR_WATCHED);
	seqno = job_begin(vt);
	cb.ttbr[0] = virt_to_phys(other);
	cb.ttbr[1] = vt->kernel.cfg.arm_lpae_s1_cfg.ttbr;
	cb.tcr = vt_tcr(&vt->user, &vt->kernel);
	KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	vgpu_hw_smmu_write_cb(vt->hw, &cb);
	vgpu_hw_tlb_inv_all(vt->hw);
	KUNIT_EXPECT_EQ(test, 0ULL, vt_stats(vt)->watch_lost);
	cb.ttbr[0] = vt->user.cfg.arm_lpae_s1_cfg.ttbr;
	vgpu_hw_smmu_write_cb(vt->hw, &cb);
	KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	job_end(vt, seqno);
}

static void free_block(void *block)
{
	free_pages((unsigned long)block, get_order(SZ_2M));
}

/* A page out of a block: its neighbours never go, if io-pgtable is right. */
static void watch_proves_a_split(struct kunit *test)
{
	struct vt *vt = watch_create(test, VGPU_WATCH_MAX / SZ_4K);
	struct io_pgtable_ops *ops = vt->user.ops;
	size_t mapped = 0;
	void *block;
	u32 seqno;

	block = (void *)__get_free_pages(GFP_KERNEL, get_order(SZ_2M));
	if (!block)
		kunit_skip(test, "no 2 MiB of contiguous memory");
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_block, block));
	KUNIT_ASSERT_EQ(test, 0, ops->map_pages(ops, WATCH_IOVA,
						virt_to_phys(block), SZ_2M, 1,
						RW, GFP_KERNEL, &mapped));
	seqno = job_begin(vt);
	vt_unmap(vt, WATCH_IOVA + SZ_1M);
	KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	/* Inside of what is watched, as the counter-proof. */
	vt_unmap(vt, page_iova(5));
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	job_end(vt, seqno);
}

/* Nothing is counted from before the range was set anew. */
static void watch_starts_anew(struct kunit *test)
{
	struct vt *vt = watch_create(test, NR_WATCHED);
	struct vgpu_config config;
	u32 seqno;

	map_pages(vt, NR_MAPPED);
	seqno = job_begin(vt);
	vgpu_config_init(&config);
	vgpu_hw_configure(vt->hw, &config);
	vt_unmap(vt, page_iova(0));
	vgpu_hw_tlb_inv_all(vt->hw);
	KUNIT_EXPECT_EQ(test, 0ULL, vt_stats(vt)->watch_lost);
	job_end(vt, seqno);

	config.watch_iova = page_iova(1);
	config.watch_size = SZ_4K;
	vgpu_hw_configure(vt->hw, &config);
	seqno = job_begin(vt);
	vt_unmap(vt, page_iova(2));
	KUNIT_EXPECT_EQ(test, 0ULL, lost(vt));
	vt_unmap(vt, page_iova(1));
	KUNIT_EXPECT_EQ(test, 1ULL, lost(vt));
	job_end(vt, seqno);
}

static struct kunit_case watch_tests[] = {
	KUNIT_CASE(watch_allows_neighbours),
	KUNIT_CASE(watch_counts_losses),
	KUNIT_CASE(watch_sees_changes),
	KUNIT_CASE(watch_rests_without_a_job),
	KUNIT_CASE(watch_is_about_one_process),
	KUNIT_CASE(watch_proves_a_split),
	KUNIT_CASE(watch_starts_anew),
	{}
};

static struct kunit_suite watch_suite = {
	.name = "vgpu-watch",
	.test_cases = watch_tests,
};

kunit_test_suite(watch_suite);
