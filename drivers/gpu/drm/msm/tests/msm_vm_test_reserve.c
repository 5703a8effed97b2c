// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number of page tables that a job reserves, against numbers worked out by
 * hand and against a count that marks each table of a small address space.
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../vm/msm_vm_reserve.h"

#define BITS	(PAGE_SHIFT - 3)
#define L3	(1ULL << (PAGE_SHIFT + BITS))		/* spanned by a last-level table */
#define L2	(1ULL << (PAGE_SHIFT + 2 * BITS))
#define L1	(1ULL << (PAGE_SHIFT + 3 * BITS))
#define IAS	(PAGE_SHIFT + 4 * BITS)

static u64 one(u64 iova, u64 range, unsigned int ias)
{
	struct msm_vm_span span = { iova, iova + range - 1 };

	return msm_vm_reserve_tables(&span, 1, ias);
}

static void reserve_by_hand(struct kunit *test)
{
	const u64 a = 4 * L1;

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_tables(NULL, 0, IAS), 0);
	KUNIT_EXPECT_EQ(test, one(a, PAGE_SIZE, IAS), 3);
	KUNIT_EXPECT_EQ(test, one(a, L3, IAS), 3);
	KUNIT_EXPECT_EQ(test, one(a + PAGE_SIZE, L3, IAS), 4);
	KUNIT_EXPECT_EQ(test, one(a + L3 - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 4);
	KUNIT_EXPECT_EQ(test, one(a + L2 - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 5);
	KUNIT_EXPECT_EQ(test, one(a - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 6);
	KUNIT_EXPECT_EQ(test, one(a, L2, IAS), L2 / L3 + 2);
	KUNIT_EXPECT_EQ(test, one(a, L1, IAS), L1 / L3 + L1 / L2 + 1);

	/* One level less has no table that spans L1. */
	KUNIT_EXPECT_EQ(test, one(L2, PAGE_SIZE, IAS - BITS), 2);
}

static void reserve_counts_once(struct kunit *test)
{
	struct msm_vm_span spans[] = {
		{ 5 * L3, 5 * L3 + PAGE_SIZE - 1 },
		{ 1 * L3, 2 * L3 - 1 },
		{ 5 * L3 + PAGE_SIZE, 6 * L3 - 1 },	/* same table as [0] */
		{ 1 * L3, 2 * L3 - 1 },			/* same as [1] */
		{ 0, 8 * L3 - 1 },			/* covers all of them */
	};

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_tables(spans, 2, IAS), 2 + 2);
	KUNIT_EXPECT_EQ(test, msm_vm_reserve_tables(spans, 4, IAS), 2 + 2);
	KUNIT_EXPECT_EQ(test, msm_vm_reserve_tables(spans, 5, IAS), 8 + 2);
}

#define TOY_TABLES	64
#define TOY_SPANS	12

static u64 toy_count(const struct msm_vm_span *spans, u32 nr, u64 size)
{
	DECLARE_BITMAP(tables, TOY_TABLES) = {};

	for (u32 i = 0; i < nr; i++) {
		for (u64 t = spans[i].first / size; t <= spans[i].last / size; t++)
			__set_bit(t, tables);
	}

	return bitmap_weight(tables, TOY_TABLES);
}

static void shuffle(struct msm_vm_span *spans, u32 nr, struct rnd_state *rnd)
{
	for (u32 i = nr - 1; i; i--) {
		u32 j = prandom_u32_state(rnd) % (i + 1);

		swap(spans[i], spans[j]);
	}
}

/* Spans of a few pages around the borders of tables, in any order. */
static void reserve_random(struct kunit *test)
{
	struct msm_vm_span spans[TOY_SPANS];
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 0x4d534d);

	for (int round = 0; round < 500; round++) {
		u32 nr = 1 + prandom_u32_state(&rnd) % TOY_SPANS;
		u64 need;

		for (u32 i = 0; i < nr; i++) {
			u64 first = prandom_u32_state(&rnd) % (TOY_TABLES - 8) * L3;
			u64 size = 1 + prandom_u32_state(&rnd) % (6 * L3 / PAGE_SIZE);

			spans[i].first = first;
			spans[i].last = first + size * PAGE_SIZE - 1;
		}

		need = toy_count(spans, nr, L3) + toy_count(spans, nr, L2) +
		       toy_count(spans, nr, L1);
		shuffle(spans, nr, &rnd);
		KUNIT_ASSERT_EQ_MSG(test, msm_vm_reserve_tables(spans, nr, IAS),
				    need, "round %d", round);
	}
}

static void reserve_vmas(struct kunit *test)
{
	LIST_HEAD(spare);

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_vmas(&spare, 0), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&spare));

	KUNIT_EXPECT_EQ(test, msm_vm_reserve_vmas(&spare, 5), 0);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&spare), 5);

	msm_vm_reserve_free_vmas(&spare);
	KUNIT_EXPECT_TRUE(test, list_empty(&spare));
	msm_vm_reserve_free_vmas(&spare);
}

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(reserve_by_hand),
	KUNIT_CASE(reserve_counts_once),
	KUNIT_CASE(reserve_random),
	KUNIT_CASE(reserve_vmas),
	{}
};

static struct kunit_suite reserve_suite = {
	.name = "msm-vm-reserve",
	.test_cases = reserve_cases,
};

kunit_test_suite(reserve_suite);
