// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the TLB of the virtual Adreno, alone and under a running GPU, and the
 * configuration that shapes it.
 *
 * The point of that TLB is to be stale when the driver lets it be.  So most
 * cases prove that an entry is still used after the table has changed, and
 * then that exactly the right invalidation ends it.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_internal.h"
#include "../vgpu/vgpu_hw_xml.h"

static void tlb_free(void *tlb)
{
	vgpu_tlb_fini(tlb);
}

static struct vgpu_tlb *tlb_create(struct kunit *test, u32 entries, u32 one_in)
{
	struct vgpu_config config;
	struct vgpu_tlb *tlb;

	vgpu_config_init(&config);
	config.tlb_entries = entries;
	config.tlb_evict_one_in = one_in;
	config.seed = 42;

	tlb = kunit_kzalloc(test, sizeof(*tlb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tlb);
	KUNIT_ASSERT_EQ(test, 0, vgpu_tlb_init(tlb));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, tlb_free, tlb));
	vgpu_tlb_configure(tlb, &config);

	return tlb;
}

static void tlb_put(struct vgpu_tlb *tlb, u64 va, u8 shift)
{
	struct vgpu_leaf leaf = { .va = va, .pa = va ^ SZ_64K, .shift = shift };

	vgpu_tlb_add_leaf(tlb, &leaf);
}

static bool tlb_has(struct vgpu_tlb *tlb, u64 va)
{
	struct vgpu_leaf leaf;

	return vgpu_tlb_find_leaf(tlb, va, &leaf);
}

static void tlb_finds_each_size(struct kunit *test)
{
	static const u8 shifts[] = { 12, 16, 21, 25, 30, 34 };
	struct vgpu_tlb *tlb = tlb_create(test, 64, 0);
	struct vgpu_leaf leaf;

	for (int i = 0; i < ARRAY_SIZE(shifts); i++) {
		u64 va = (u64)(i + 1) << 40;
		u64 last = va + BIT_ULL(shifts[i]) - 1;

		tlb_put(tlb, va, shifts[i]);
		KUNIT_ASSERT_TRUE(test, vgpu_tlb_find_leaf(tlb, last, &leaf));
		KUNIT_EXPECT_EQ(test, va, leaf.va);
		KUNIT_EXPECT_EQ(test, va ^ SZ_64K, leaf.pa);
		KUNIT_EXPECT_EQ(test, shifts[i], leaf.shift);
		KUNIT_EXPECT_FALSE(test, tlb_has(tlb, last + 1));
		KUNIT_EXPECT_FALSE(test, tlb_has(tlb, va - 1));
	}
}

/* Bit 48 is part of the address. */
static void tlb_keeps_halves_apart(struct kunit *test)
{
	struct vgpu_tlb *tlb = tlb_create(test, 64, 0);

	tlb_put(tlb, 0x5000 | VGPU_VA_TTBR1, 12);
	KUNIT_EXPECT_FALSE(test, tlb_has(tlb, 0x5000));
	KUNIT_EXPECT_TRUE(test, tlb_has(tlb, 0x5000 | VGPU_VA_TTBR1));
	vgpu_tlb_drop(tlb, 0, VGPU_VA_TTBR1, true);
	KUNIT_EXPECT_TRUE(test, tlb_has(tlb, 0x5000 | VGPU_VA_TTBR1));
}

static void tlb_drops_what_overlaps(struct kunit *test)
{
	struct vgpu_tlb *tlb = tlb_create(test, 64, 0);

	for (u64 va = 0; va < 8; va++)
		tlb_put(tlb, va * SZ_4K, 12);
	tlb_put(tlb, SZ_2M, 21);
	tlb_put(tlb, 2 * SZ_2M, 21);

	vgpu_tlb_drop(tlb, 3 * SZ_4K, 2 * SZ_4K, false);
	for (u64 va = 0; va < 8; va++)
		KUNIT_EXPECT_EQ(test, va != 3 && va != 4,
				tlb_has(tlb, va * SZ_4K));

	/* One page of a block drops the block, and no other. */
	vgpu_tlb_drop(tlb, SZ_2M + 17 * SZ_4K, SZ_4K, false);
	KUNIT_EXPECT_FALSE(test, tlb_has(tlb, SZ_2M));
	KUNIT_EXPECT_TRUE(test, tlb_has(tlb, 2 * SZ_2M));

	vgpu_tlb_drop(tlb, 0, 0, true);
	KUNIT_EXPECT_TRUE(test, tlb_has(tlb, 0));
	vgpu_tlb_drop_all(tlb);
	KUNIT_EXPECT_FALSE(test, tlb_has(tlb, 0));
	KUNIT_EXPECT_EQ(test, 0U, tlb->used);
	KUNIT_EXPECT_EQ(test, 0ULL, tlb->leaves);
}

/* Table pointers survive an invalidation of the last level only. */
static void tlb_tables_need_the_wide_drop(struct kunit *test)
{
	struct vgpu_tlb *tlb = tlb_create(test, 64, 0);
	struct vgpu_table table = { .pa = 0x7000, .level = 2 }, found;

	vgpu_tlb_add_table(tlb, 5ULL << 30, &table);
	table = (struct vgpu_table) { .pa = 0x8000, .level = 3, .perm = 1 };
	vgpu_tlb_add_table(tlb, 5ULL << 30, &table);

	/* The deepest one wins. */
	KUNIT_ASSERT_TRUE(test, vgpu_tlb_find_table(tlb, (5ULL << 30) + 5, &found));
	KUNIT_EXPECT_EQ(test, 3, found.level);
	KUNIT_EXPECT_EQ(test, 0x8000ULL, found.pa);
	KUNIT_EXPECT_EQ(test, 1, found.perm);
	KUNIT_ASSERT_TRUE(test, vgpu_tlb_find_table(tlb, (5ULL << 30) + SZ_2M,
						    &found));
	KUNIT_EXPECT_EQ(test, 2, found.level);

	vgpu_tlb_drop(tlb, 5ULL << 30, SZ_2M, false);
	KUNIT_EXPECT_TRUE(test, vgpu_tlb_find_table(tlb, 5ULL << 30, &found));
	vgpu_tlb_drop(tlb, (5ULL << 30) + SZ_2M, SZ_2M, true);
	KUNIT_ASSERT_TRUE(test, vgpu_tlb_find_table(tlb, 5ULL << 30, &found));
	KUNIT_EXPECT_EQ(test, 3, found.level);
	vgpu_tlb_drop(tlb, 5ULL << 30, SZ_2M, true);
	KUNIT_EXPECT_FALSE(test, vgpu_tlb_find_table(tlb, 5ULL << 30, &found));
}

#define MANY	256

static u32 tlb_fill(struct vgpu_tlb *tlb, unsigned long *present)
{
	u32 left = 0;

	for (u64 i = 0; i < MANY; i++)
		tlb_put(tlb, i * SZ_4K, 12);
	bitmap_zero(present, MANY);
	for (u64 i = 0; i < MANY; i++) {
		if (!tlb_has(tlb, i * SZ_4K))
			continue;
		__set_bit(i, present);
		left++;
	}

	return left;
}

static void tlb_is_bounded(struct kunit *test)
{
	struct vgpu_tlb *tlb = tlb_create(test, 16, 0);
	DECLARE_BITMAP(present, MANY);

	KUNIT_EXPECT_EQ(test, 16U, tlb_fill(tlb, present));
	KUNIT_EXPECT_EQ(test, 16U, tlb->used);
	KUNIT_EXPECT_EQ(test, (u64)MANY - 16, tlb->evictions);
	/* Not just the last ones: victims are random. */
	KUNIT_EXPECT_FALSE(test, find_first_bit(present, MANY) >= MANY - 16);
}

static void tlb_evicts_early_on_request(struct kunit *test)
{
	struct vgpu_tlb *tlb = tlb_create(test, VGPU_TLB_MAX, 4);
	DECLARE_BITMAP(present, MANY);
	u32 left = tlb_fill(tlb, present);

	KUNIT_EXPECT_LT(test, left, MANY);
	KUNIT_EXPECT_GT(test, left, MANY / 2);
	KUNIT_EXPECT_EQ(test, (u64)MANY - left, tlb->evictions);
}

/* The same seed gives the same victims. */
static void tlb_is_deterministic(struct kunit *test)
{
	struct vgpu_tlb *one = tlb_create(test, 32, 3);
	struct vgpu_tlb *two = tlb_create(test, 32, 3);
	DECLARE_BITMAP(first, MANY);
	DECLARE_BITMAP(second, MANY);

	KUNIT_EXPECT_EQ(test, tlb_fill(one, first), tlb_fill(two, second));
	KUNIT_EXPECT_TRUE(test, bitmap_equal(first, second, MANY));

	two->rnd = (struct rnd_state) { 1, 2, 3, 4 };
	vgpu_tlb_drop_all(two);
	tlb_fill(two, second);
	KUNIT_EXPECT_FALSE(test, bitmap_equal(first, second, MANY));
}

/* ------------------------------------------------------------------------ */

static void gpu_store(struct vt *vt, u64 iova, u32 value)
{
	vt_ib(vt, vt_pkt7(CP_MEM_WRITE, 3), VT_LO(iova), VT_HI(iova), value);
	vt_run_ib(vt);
}

/* Map another page where the GPU has been, without telling it. */
static void gpu_uses_the_old_page(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 *other = vt_page(test);

	gpu_store(vt, VT_DATA_IOVA, 1);
	vt_unmap(vt, VT_DATA_IOVA);
	vt_map(vt, VT_DATA_IOVA, other, IOMMU_READ | IOMMU_WRITE);

	gpu_store(vt, VT_DATA_IOVA + 4, 2);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[1]);
	KUNIT_EXPECT_EQ(test, 0U, other[1]);

	/* An invalidation of its neighbour does not help. */
	vgpu_hw_tlb_inv_page(vt->hw, VT_DATA_IOVA + SZ_4K, SZ_4K);
	gpu_store(vt, VT_DATA_IOVA + 8, 3);
	KUNIT_EXPECT_EQ(test, 3U, vt->data[2]);

	vgpu_hw_tlb_inv_page(vt->hw, VT_DATA_IOVA, SZ_4K);
	gpu_store(vt, VT_DATA_IOVA + 12, 4);
	KUNIT_EXPECT_EQ(test, 0U, vt->data[3]);
	KUNIT_EXPECT_EQ(test, 4U, other[3]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&vt->faults));
}

/* The same for each kind of invalidation; then the page faults. */
static void gpu_faults_once_invalidated(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);

	for (int kind = 0; kind < 3; kind++) {
		vt->data[0] = 0;
		gpu_store(vt, VT_DATA_IOVA, 1);
		vt_unmap(vt, VT_DATA_IOVA);
		gpu_store(vt, VT_DATA_IOVA, 2);
		KUNIT_EXPECT_EQ(test, 2U, vt->data[0]);
		KUNIT_EXPECT_EQ(test, kind, atomic_read(&vt->faults));

		if (kind == 0)
			vgpu_hw_tlb_inv_page(vt->hw, VT_DATA_IOVA, SZ_4K);
		else if (kind == 1)
			vgpu_hw_tlb_inv_walk(vt->hw, VT_DATA_IOVA, SZ_2M);
		else
			vgpu_hw_tlb_inv_all(vt->hw);
		gpu_store(vt, VT_DATA_IOVA, 3);
		KUNIT_EXPECT_EQ(test, 2U, vt->data[0]);
		KUNIT_EXPECT_EQ(test, kind + 1, atomic_read(&vt->faults));
		vt_map(vt, VT_DATA_IOVA, vt->data, IOMMU_READ | IOMMU_WRITE);
	}
}

/* A table replaced behind the walk cache needs more than the page. */
static void gpu_uses_the_old_table(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u64 *root = phys_to_virt(vt->user.cfg.arm_lpae_s1_cfg.ttbr);
	u64 *l1 = phys_to_virt(root[0] & GENMASK_ULL(47, 12));
	u64 *l2 = phys_to_virt(l1[VT_DATA_IOVA >> 30] & GENMASK_ULL(47, 12));
	u64 *slot = &l2[(VT_DATA_IOVA >> 21) & 511];
	u64 *table = (u64 *)vt_page(test);
	u32 *other = vt_page(test);
	u64 old = *slot;

	gpu_store(vt, VT_DATA_IOVA, 1);
	table[0] = virt_to_phys(other) | 3 | BIT(10) | BIT(6);
	WRITE_ONCE(*slot, virt_to_phys(table) | 3);

	vgpu_hw_tlb_inv_page(vt->hw, VT_DATA_IOVA, SZ_4K);
	gpu_store(vt, VT_DATA_IOVA, 2);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[0]);

	vgpu_hw_tlb_inv_walk(vt->hw, VT_DATA_IOVA, SZ_4K);
	gpu_store(vt, VT_DATA_IOVA, 3);
	KUNIT_EXPECT_EQ(test, 2U, vt->data[0]);
	KUNIT_EXPECT_EQ(test, 3U, other[0]);

	WRITE_ONCE(*slot, old);
	vgpu_hw_tlb_inv_all(vt->hw);
}

/*
 * While a stream without end adds to a word, its page goes away again and
 * again.  Once an invalidation has returned, the word stands still.
 */
static void gpu_is_out_when_invalidated(struct kunit *test)
{
	struct vt *vt = vt_create(test, NULL);
	u32 moved = 0;

	vt->data[1] = 1;
	vt_ib(vt, vt_pkt7(CP_MEM_TO_MEM, 7), 0, VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA), VT_HI(VT_DATA_IOVA),
	      VT_LO(VT_DATA_IOVA + 4), VT_HI(VT_DATA_IOVA + 4));
	vt_ib(vt, vt_pkt7(CP_INDIRECT_BUFFER_CHAIN, 3),
	      VT_LO(VT_IB_IOVA), VT_HI(VT_IB_IOVA), 12);
	vt_emit_ib(vt, VT_IB_IOVA, vt->ib_len);
	vt_fence(vt);

	for (int i = 0; i < 200; i++) {
		u32 before = READ_ONCE(vt->data[0]), then;

		usleep_range(20, 200);
		vt_unmap(vt, VT_DATA_IOVA);
		vgpu_hw_tlb_inv_all(vt->hw);
		then = READ_ONCE(vt->data[0]);
		moved += then != before;
		usleep_range(20, 200);
		KUNIT_EXPECT_EQ(test, then, READ_ONCE(vt->data[0]));
		vt_map(vt, VT_DATA_IOVA, vt->data, IOMMU_READ | IOMMU_WRITE);
	}
	vgpu_hw_reset(vt->hw);
	KUNIT_EXPECT_GT(test, moved, 0U);
	KUNIT_EXPECT_GT(test, atomic_read(&vt->faults), 0);
}

static void gpu_strict_mode_tells(struct kunit *test)
{
	const struct vgpu_stats *stats;
	struct vgpu_config config;
	struct vt *vt;

	vgpu_config_init(&config);
	config.tlb_strict = true;
	vt = vt_create(test, &config);

	gpu_store(vt, VT_DATA_IOVA, 1);
	gpu_store(vt, VT_DATA_IOVA, 2);
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 0ULL, stats->stale_hits);
	KUNIT_EXPECT_GT(test, stats->hits, 0ULL);

	vt_unmap(vt, VT_DATA_IOVA);
	gpu_store(vt, VT_DATA_IOVA, 3);
	stats = vt_stats(vt);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->stale_hits);
	KUNIT_EXPECT_EQ(test, 3U, vt->data[0]);
	vt_map(vt, VT_DATA_IOVA, vt->data, IOMMU_READ);
	vgpu_hw_tlb_inv_all(vt->hw);
}

/* ------------------------------------------------------------------------ */

struct config_case {
	const char *name;
	struct vgpu_config config;
	bool good;
};

#define GOOD	.tlb_entries = 16, .ias = 48

static const struct config_case config_cases[] = {
	{ "least", { .tlb_entries = 1, .ias = 33 }, true },
	{ "most", { .tlb_entries = 4096, .ias = 48, .packet_ns = 100000000 }, true },
	{ "no TLB", { .ias = 48 }, false },
	{ "huge TLB", { .tlb_entries = 4097, .ias = 48 }, false },
	{ "small VA", { .tlb_entries = 16, .ias = 32 }, false },
	{ "large VA", { .tlb_entries = 16, .ias = 49 }, false },
	{ "odd watch", { GOOD, .watch_iova = 0x800, .watch_size = 0x1000 }, false },
	{ "part of a page", { GOOD, .watch_size = 0x1001 }, false },
	{ "long watch", { GOOD, .watch_size = 0x41000 }, false },
	{ "kernel watch", { GOOD, .watch_iova = BIT_ULL(48) }, false },
	{ "too slow", { GOOD, .packet_ns = 100000001 }, false },
	{ "faults", { GOOD, .fault_at_access = ~0ULL, .hang_at_packet = 1,
		      .lose_irq_at = 7, .lose_hang_report = true }, true },
};

static void config_is_checked(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(config_cases); i++) {
		const struct config_case *c = &config_cases[i];
		const char *why = vgpu_config_check(&c->config);

		KUNIT_EXPECT_EQ_MSG(test, c->good, !why, "%s: %s", c->name,
				    why ?: "accepted");
	}
}

static void config_default_is_good(struct kunit *test)
{
	struct vgpu_config config;

	memset(&config, 0xff, sizeof(config));
	vgpu_config_init(&config);
	KUNIT_EXPECT_NULL(test, vgpu_config_check(&config));
	KUNIT_EXPECT_EQ(test, 0ULL, config.fault_at_access);
	KUNIT_EXPECT_EQ(test, 0ULL, config.hang_at_packet);
	KUNIT_EXPECT_EQ(test, 0ULL, config.lose_irq_at);
	KUNIT_EXPECT_FALSE(test, config.lose_hang_report);
	KUNIT_EXPECT_TRUE(test, config.has_prr);
}

static void config_bad_is_refused(struct kunit *test)
{
	struct vgpu_config config = {};
	struct vgpu_hw *hw = vgpu_hw_create(&config, NULL, NULL);

	KUNIT_EXPECT_PTR_EQ(test, hw, ERR_PTR(-EINVAL));
}

static struct kunit_case tlb_tests[] = {
	KUNIT_CASE(tlb_finds_each_size),
	KUNIT_CASE(tlb_keeps_halves_apart),
	KUNIT_CASE(tlb_drops_what_overlaps),
	KUNIT_CASE(tlb_tables_need_the_wide_drop),
	KUNIT_CASE(tlb_is_bounded),
	KUNIT_CASE(tlb_evicts_early_on_request),
	KUNIT_CASE(tlb_is_deterministic),
	KUNIT_CASE(gpu_uses_the_old_page),
	KUNIT_CASE(gpu_faults_once_invalidated),
	KUNIT_CASE(gpu_uses_the_old_table),
	KUNIT_CASE(gpu_is_out_when_invalidated),
	KUNIT_CASE(gpu_strict_mode_tells),
	{}
};

static struct kunit_case config_tests[] = {
	KUNIT_CASE(config_is_checked),
	KUNIT_CASE(config_default_is_good),
	KUNIT_CASE(config_bad_is_refused),
	{}
};

static struct kunit_suite tlb_suite = {
	.name = "vgpu-tlb",
	.test_cases = tlb_tests,
};

static struct kunit_suite config_suite = {
	.name = "vgpu-config",
	.test_cases = config_tests,
};

kunit_test_suites(&tlb_suite, &config_suite);
