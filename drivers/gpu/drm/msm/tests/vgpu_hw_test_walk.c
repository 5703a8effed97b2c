// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the page table walker of the virtual Adreno.
 *
 * Two judges.  The kernel's io-pgtable builds random tables, and both must
 * agree on each address, on permissions and on what is not mapped.  Then
 * tables written by hand show what io-pgtable never writes: the contiguous
 * hint, rights taken away by table descriptors, and malformed descriptors.
 */
#include <linux/prandom.h>
#include <linux/sizes.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_internal.h"

#define NR_RANGES	24
#define NR_ROUNDS	150

struct walk_range {
	u64 iova;
	u64 pa;
	u64 page;
	u64 size;
	int prot;
	bool mapped;
};

struct walk_case {
	const char *name;
	u32 ias;
	bool upper;
};

static const struct walk_case walk_cases[] = {
	{ "48 bits, lower", 48, false },
	{ "48 bits, upper", 48, true },
	{ "42 bits, lower", 42, false },
	{ "39 bits, lower", 39, false },
	{ "39 bits, upper", 39, true },
	{ "36 bits, lower", 36, false },
	{ "33 bits, lower", 33, false },
};

KUNIT_ARRAY_PARAM_DESC(walk, walk_cases, name);

struct walk_fixture {
	struct kunit *test;
	struct vt_table table;
	struct vgpu_hw_cb cb;
	struct rnd_state rnd;
	struct walk_range ranges[NR_RANGES];
	u64 base;
	u64 mask;
};

static void free_ops(void *ops)
{
	free_io_pgtable_ops(ops);
}

static void walk_fixture_init(struct walk_fixture *f, struct kunit *test,
			      const struct walk_case *c)
{
	struct device *dev = kunit_device_register(test, "vgpu-walk");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	f->test = test;
	KUNIT_ASSERT_EQ(test, 0, vt_table_init(&f->table, dev, c->ias, c->upper,
					       NULL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_ops,
							   f->table.ops));
	f->cb.ttbr[c->upper] = f->table.cfg.arm_lpae_s1_cfg.ttbr;
	/* The other half is switched off. */
	f->cb.tcr = (u64)f->table.cfg.arm_lpae_s1_cfg.tcr.ips << 32;
	if (c->upper)
		f->cb.tcr |= f->table.cfg.arm_lpae_s1_cfg.tcr.tsz << 16 |
			     (u32)f->table.cfg.arm_lpae_s1_cfg.tcr.tg << 30 |
			     BIT(7);
	else
		f->cb.tcr |= f->table.cfg.arm_lpae_s1_cfg.tcr.tsz |
			     f->table.cfg.arm_lpae_s1_cfg.tcr.tg << 14 |
			     BIT(23);
	f->mask = GENMASK_ULL(c->ias - 1, 0);
	f->base = c->upper ? ~f->mask : 0;
	prandom_seed_state(&f->rnd, 4711 + c->ias);
}

static u64 rnd64(struct walk_fixture *f)
{
	return (u64)prandom_u32_state(&f->rnd) << 32 | prandom_u32_state(&f->rnd);
}

/* Compare one address with the range that it is in, and with io-pgtable. */
static void check_address(struct walk_fixture *f, u64 iova,
			  const struct walk_range *range)
{
	struct io_pgtable_ops *ops = f->table.ops;
	struct vgpu_leaf leaf = {};
	u64 pa, theirs;
	u32 fsr, perm;

	theirs = ops->iova_to_phys(ops, iova);
	fsr = vgpu_walk(&f->cb, iova & VGPU_VA_MASK, &leaf);
	if (!range || !range->mapped) {
		KUNIT_EXPECT_EQ_MSG(f->test, (u64)VGPU_HW_FSR_TF, fsr,
				    "iova %#llx should fault", iova);
		KUNIT_EXPECT_EQ(f->test, 0ULL, theirs);
		return;
	}

	KUNIT_ASSERT_EQ_MSG(f->test, 0U, fsr, "iova %#llx faults", iova);
	pa = leaf.pa + ((iova & VGPU_VA_MASK) - leaf.va);
	perm = range->prot & IOMMU_WRITE ? 0 : VGPU_PERM_RDONLY;
	if (range->prot & IOMMU_PRIV)
		perm |= VGPU_PERM_PRIV;

	KUNIT_EXPECT_EQ_MSG(f->test, theirs, pa, "iova %#llx", iova);
	KUNIT_EXPECT_EQ(f->test, range->pa + (iova - range->iova), pa);
	KUNIT_EXPECT_EQ(f->test, perm, leaf.perm);
	KUNIT_EXPECT_EQ(f->test, range->page, BIT_ULL(leaf.shift));
}

static const struct walk_range *range_at(struct walk_fixture *f, u64 iova)
{
	for (int i = 0; i < NR_RANGES; i++) {
		const struct walk_range *range = &f->ranges[i];

		if (range->mapped && iova - range->iova < range->size)
			return range;
	}

	return NULL;
}

static void check_range(struct walk_fixture *f, const struct walk_range *range)
{
	u64 last = range->iova + range->size - 1;

	check_address(f, range->iova, range_at(f, range->iova));
	check_address(f, last, range_at(f, last));
	check_address(f, range->iova + (rnd64(f) & (range->size - 1)) / 2,
		      range_at(f, range->iova));
	if ((range->iova & f->mask) != 0)
		check_address(f, range->iova - 1, range_at(f, range->iova - 1));
	if ((last & f->mask) != f->mask)
		check_address(f, last + 1, range_at(f, last + 1));
}

/* A free range of one to eight pages or blocks of one size. */
static bool pick_range(struct walk_fixture *f, struct walk_range *range)
{
	static const u64 pages[] = { SZ_4K, SZ_4K, SZ_2M, SZ_1G };
	static const int prots[] = {
		IOMMU_READ, IOMMU_READ | IOMMU_WRITE, IOMMU_READ | IOMMU_PRIV,
		IOMMU_READ | IOMMU_WRITE | IOMMU_PRIV,
	};
	u64 page = pages[prandom_u32_state(&f->rnd) % ARRAY_SIZE(pages)];
	u64 size = page << prandom_u32_state(&f->rnd) % (page == SZ_1G ? 1 : 4);
	u64 iova = f->base | (rnd64(f) & f->mask & ~(size - 1));

	for (int i = 0; i < NR_RANGES; i++) {
		const struct walk_range *other = &f->ranges[i];

		/* No block where a table was: io-pgtable would free it. */
		if (other->mapped &&
		    !((other->iova ^ iova) >> 30))
			return false;
	}

	*range = (struct walk_range) {
		.iova = iova,
		.pa = rnd64(f) & GENMASK_ULL(46, 0) & ~(size - 1),
		.page = page,
		.size = size,
		.prot = prots[prandom_u32_state(&f->rnd) % ARRAY_SIZE(prots)],
	};

	return range->pa;
}

static void toggle_range(struct walk_fixture *f, struct walk_range *range)
{
	struct io_pgtable_ops *ops = f->table.ops;
	size_t mapped = 0;

	if (range->mapped) {
		KUNIT_ASSERT_EQ(f->test, range->size,
				ops->unmap_pages(ops, range->iova, range->page,
						 range->size / range->page,
						 NULL));
		range->mapped = false;
		return;
	}

	if (!pick_range(f, range))
		return;
	KUNIT_ASSERT_EQ(f->test, 0,
			ops->map_pages(ops, range->iova, range->pa, range->page,
				       range->size / range->page, range->prot,
				       GFP_KERNEL, &mapped));
	KUNIT_ASSERT_EQ(f->test, range->size, mapped);
	range->mapped = true;
}

static void walk_agrees_with_io_pgtable(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct walk_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u32 seen = 0;

	KUNIT_ASSERT_NOT_NULL(test, f);
	walk_fixture_init(f, test, c);

	for (int i = 0; i < NR_ROUNDS; i++) {
		struct walk_range *range =
			&f->ranges[prandom_u32_state(&f->rnd) % NR_RANGES];
		u64 iova = f->base | (rnd64(f) & f->mask);

		toggle_range(f, range);
		if (range->size)
			check_range(f, range);
		check_address(f, iova, range_at(f, iova));
		seen += range->mapped;
	}

	for (int i = 0; i < NR_RANGES; i++)
		if (f->ranges[i].size)
			check_range(f, &f->ranges[i]);
	KUNIT_EXPECT_GT(test, seen, 0U);
}

/* The other half is off, and so is what the tables do not resolve. */
static void walk_outside_faults(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct walk_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct vgpu_leaf leaf;
	u64 other = c->upper ? 0x100000000ULL : 0x1000000010000ULL;

	KUNIT_ASSERT_NOT_NULL(test, f);
	walk_fixture_init(f, test, c);
	KUNIT_EXPECT_EQ(test, (u32)VGPU_HW_FSR_TF,
			vgpu_walk(&f->cb, other, &leaf));
	if (c->ias < 48)
		KUNIT_EXPECT_EQ(test, (u32)VGPU_HW_FSR_TF,
				vgpu_walk(&f->cb, (f->base ^ BIT_ULL(c->ias)) &
					  VGPU_VA_MASK, &leaf));
}

/* Tables by hand: one page per level, for addresses below 4 KiB * 512. */
struct hand {
	u64 *table[4];
	struct vgpu_hw_cb cb;
};

#define HAND_PAGE	0x40000000ULL
#define D_TABLE		3ULL
#define D_PAGE		3ULL
#define D_BLOCK		1ULL
#define D_AF		BIT_ULL(10)
#define D_USER		BIT_ULL(6)
#define D_RO		BIT_ULL(7)
#define D_CONTIG	BIT_ULL(52)
#define D_APT_PRIV	BIT_ULL(61)
#define D_APT_RO	BIT_ULL(62)
#define D_GOOD		(HAND_PAGE | D_PAGE | D_AF | D_USER)

static void hand_init(struct kunit *test, struct hand *hand)
{
	for (int i = 0; i < 4; i++)
		hand->table[i] = (u64 *)vt_page(test);
	for (int i = 0; i < 3; i++)
		hand->table[i][0] = virt_to_phys(hand->table[i + 1]) | D_TABLE;
	hand->table[3][0] = D_GOOD;
	hand->cb = (struct vgpu_hw_cb) {
		.ttbr = { virt_to_phys(hand->table[0]) },
		.tcr = 16 | BIT(23) | 5ULL << 32,
	};
}

static void walk_hand_good(struct kunit *test)
{
	struct vgpu_leaf leaf;
	struct hand hand;

	hand_init(test, &hand);
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0x123, &leaf));
	KUNIT_EXPECT_EQ(test, HAND_PAGE, leaf.pa);
	KUNIT_EXPECT_EQ(test, 0ULL, leaf.va);
	KUNIT_EXPECT_EQ(test, 12, leaf.shift);
	KUNIT_EXPECT_EQ(test, 0, leaf.perm);
}

struct bad_case {
	const char *name;
	int level;
	u64 desc;
	u64 tcr;
	u32 fsr;
};

#define TCR_GOOD	(16 | BIT(23) | 5ULL << 32)

static const struct bad_case bad_cases[] = {
	{ "invalid page", 3, D_GOOD & ~1ULL, TCR_GOOD, VGPU_HW_FSR_TF },
	{ "block at the last level", 3, D_GOOD & ~2ULL, TCR_GOOD, VGPU_HW_FSR_TF },
	{ "block at level 0", 0, D_BLOCK | D_AF, TCR_GOOD, VGPU_HW_FSR_TF },
	{ "invalid table", 1, 2, TCR_GOOD, VGPU_HW_FSR_TF },
	{ "no access flag", 3, D_GOOD & ~D_AF, TCR_GOOD, VGPU_HW_FSR_AFF },
	{ "page beyond IPS", 3, D_GOOD | BIT_ULL(40), TCR_GOOD & ~(5ULL << 32),
	  VGPU_HW_FSR_ASF },
	{ "table beyond IPS", 0, D_TABLE | BIT_ULL(47),
	  TCR_GOOD & ~(5ULL << 32), VGPU_HW_FSR_ASF },
	{ "no memory at the table", 2, D_TABLE | BIT_ULL(47), TCR_GOOD,
	  VGPU_HW_FSR_EF },
	{ "lower half off", 3, D_GOOD, TCR_GOOD | BIT(7), VGPU_HW_FSR_TF },
	{ "T0SZ too small", 3, D_GOOD, TCR_GOOD - 1, VGPU_HW_FSR_TF },
	{ "T0SZ too large", 3, D_GOOD, TCR_GOOD + 24, VGPU_HW_FSR_TF },
	{ "granule of 64 KiB", 3, D_GOOD, TCR_GOOD | BIT(14), VGPU_HW_FSR_TF },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad_cases, name);

static void walk_hand_bad(struct kunit *test)
{
	const struct bad_case *c = test->param_value;
	struct vgpu_leaf leaf;
	struct hand hand;

	hand_init(test, &hand);
	hand.table[c->level][0] = c->desc;
	hand.cb.tcr = c->tcr;
	KUNIT_EXPECT_EQ(test, c->fsr, vgpu_walk(&hand.cb, 0, &leaf));
}

/* Rights can be taken away at each level, and switched off by HPD0. */
static void walk_hierarchical(struct kunit *test)
{
	struct vgpu_leaf leaf;
	struct hand hand;

	hand_init(test, &hand);
	hand.table[0][0] |= D_APT_RO;
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0, &leaf));
	KUNIT_EXPECT_EQ(test, VGPU_PERM_RDONLY, (unsigned long)leaf.perm);
	hand.table[2][0] |= D_APT_PRIV;
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0, &leaf));
	KUNIT_EXPECT_EQ(test, VGPU_PERM_RDONLY | VGPU_PERM_PRIV,
			(unsigned long)leaf.perm);
	hand.cb.tcr |= BIT_ULL(41);
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0, &leaf));
	KUNIT_EXPECT_EQ(test, 0, leaf.perm);
}

/* Sixteen neighbours are one leaf, unless the address shows they cannot be. */
static void walk_contiguous(struct kunit *test)
{
	struct vgpu_leaf leaf;
	struct hand hand;

	hand_init(test, &hand);
	for (u64 i = 0; i < 16; i++)
		hand.table[3][16 + i] = (D_GOOD + i * SZ_4K) | D_CONTIG;
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0x15678, &leaf));
	KUNIT_EXPECT_EQ(test, 16, leaf.shift);
	KUNIT_EXPECT_EQ(test, 0x10000ULL, leaf.va);
	KUNIT_EXPECT_EQ(test, HAND_PAGE, leaf.pa);

	hand.table[3][33] = D_GOOD | D_CONTIG;
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 0x21000, &leaf));
	KUNIT_EXPECT_EQ(test, 12, leaf.shift);
	KUNIT_EXPECT_EQ(test, HAND_PAGE, leaf.pa);

	hand.table[2][16] = SZ_1G | D_BLOCK | D_AF | D_CONTIG;
	KUNIT_ASSERT_EQ(test, 0U, vgpu_walk(&hand.cb, 16ULL * SZ_2M, &leaf));
	KUNIT_EXPECT_EQ(test, 25, leaf.shift);
	KUNIT_EXPECT_EQ(test, VGPU_PERM_PRIV, (unsigned long)leaf.perm);
}

static struct kunit_case walk_tests[] = {
	KUNIT_CASE_PARAM(walk_agrees_with_io_pgtable, walk_gen_params),
	KUNIT_CASE_PARAM(walk_outside_faults, walk_gen_params),
	KUNIT_CASE(walk_hand_good),
	KUNIT_CASE_PARAM(walk_hand_bad, bad_gen_params),
	KUNIT_CASE(walk_hierarchical),
	KUNIT_CASE(walk_contiguous),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "vgpu-walk",
	.test_cases = walk_tests,
};

kunit_test_suite(walk_suite);
