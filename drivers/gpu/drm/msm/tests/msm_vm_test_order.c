// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for whom among the bind jobs of a VM.
 */

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../vm/msm_vm_order.h"

#define P(n)	((u64)(n) * PAGE_SIZE)

struct job {
	struct msm_vm_turn turn;
	struct msm_vm_range ranges[4];
	u32 nr;
};

static void job_init(struct job *job)
{
	job->nr = 0;
	msm_vm_turn_init(&job->turn);
}

static void job_add(struct job *job, int page, int nr)
{
	msm_vm_turn_add(&job->turn, &job->ranges[job->nr++], P(page),
			P(page + nr) - 1);
}

static void begin(struct msm_vm_order *order, struct job *job, int page, int nr)
{
	job_init(job);
	job_add(job, page, nr);
	msm_vm_turn_close(&job->turn);
	msm_vm_order_begin(order, &job->turn);
}

static void order_overlap_waits(struct kunit *test)
{
	struct msm_vm_order order;
	struct job a, b, c;

	msm_vm_order_init(&order);
	begin(&order, &a, 4, 4);
	begin(&order, &b, 7, 1);
	begin(&order, &c, 7, 4);

	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &a.turn));
	KUNIT_EXPECT_PTR_EQ(test, msm_vm_order_blocker(&order, &b.turn), &a.turn);
	KUNIT_EXPECT_NOT_NULL(test, msm_vm_order_blocker(&order, &c.turn));

	msm_vm_order_end(&order, &a.turn);
	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &b.turn));
	KUNIT_EXPECT_PTR_EQ(test, msm_vm_order_blocker(&order, &c.turn), &b.turn);

	msm_vm_order_end(&order, &b.turn);
	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &c.turn));
	msm_vm_order_end(&order, &c.turn);
	msm_vm_order_end(&order, &c.turn);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&order.ranges));
}

static void order_neighbours_are_free(struct kunit *test)
{
	struct msm_vm_order order;
	struct job a, b, c;

	msm_vm_order_init(&order);
	begin(&order, &a, 4, 4);
	begin(&order, &b, 8, 1);
	begin(&order, &c, 3, 1);

	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &b.turn));
	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &c.turn));
	msm_vm_order_end(&order, &a.turn);
	msm_vm_order_end(&order, &b.turn);
	msm_vm_order_end(&order, &c.turn);
}

static void expect_ranges(struct kunit *test, struct job *job,
			  const int (*pages)[2], u32 nr)
{
	const struct msm_vm_range *range;

	KUNIT_ASSERT_EQ(test, list_count_nodes(&job->turn.ranges), nr);
	list_for_each_entry(range, &job->turn.ranges, node) {
		KUNIT_EXPECT_EQ(test, range->first, P((*pages)[0]));
		KUNIT_EXPECT_EQ(test, range->last, P((*pages)[1]) - 1);
		pages++;
	}
}

static void order_ranges_join(struct kunit *test)
{
	static const int sorted[][2] = {
		{ 1, 2 }, { 2, 5 }, { 3, 4 }, { 6, 7 },
	};
	static const int joined[][2] = { { 1, 5 }, { 6, 7 } };
	static const int inside[][2] = { { 0, 9 } };
	struct job job;

	job_init(&job);
	job_add(&job, 6, 1);
	job_add(&job, 2, 3);
	job_add(&job, 3, 1);
	job_add(&job, 1, 1);
	msm_vm_turn_sort(&job.turn);
	expect_ranges(test, &job, sorted, ARRAY_SIZE(sorted));
	msm_vm_turn_close(&job.turn);
	expect_ranges(test, &job, joined, ARRAY_SIZE(joined));

	job_init(&job);
	job_add(&job, 0, 8);
	job_add(&job, 1, 2);
	job_add(&job, 8, 1);
	msm_vm_turn_close(&job.turn);
	expect_ranges(test, &job, inside, ARRAY_SIZE(inside));

	job_init(&job);
	msm_vm_turn_close(&job.turn);
	KUNIT_EXPECT_TRUE(test, list_empty(&job.turn.ranges));
}

/* A job that names one page over and over has one range to look for. */
static void order_repeats_are_one(struct kunit *test)
{
	const u32 nr = 100000;
	struct msm_vm_range *ranges;
	struct msm_vm_turn turn;

	ranges = kvcalloc(nr, sizeof(*ranges), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ranges);
	msm_vm_turn_init(&turn);
	for (u32 i = 0; i < nr; i++)
		msm_vm_turn_add(&turn, &ranges[i], P(i % 2 ? 3 : 1),
				P(i % 2 ? 4 : 2) - 1);
	msm_vm_turn_close(&turn);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&turn.ranges), 2);
	kvfree(ranges);
}

static void order_nothing_to_change(struct kunit *test)
{
	struct msm_vm_order order;
	struct job a, b;

	msm_vm_order_init(&order);
	begin(&order, &a, 0, 8);
	job_init(&b);
	msm_vm_order_begin(&order, &b.turn);
	KUNIT_EXPECT_NULL(test, msm_vm_order_blocker(&order, &b.turn));
	msm_vm_order_end(&order, &b.turn);
	msm_vm_order_end(&order, &a.turn);
}

#define JOBS	12
#define PAGES	16

static bool overlap(const struct job *a, const struct job *b)
{
	const struct msm_vm_range *left, *right;

	list_for_each_entry(left, &a->turn.ranges, node) {
		list_for_each_entry(right, &b->turn.ranges, node) {
			if (left->first <= right->last && right->first <= left->last)
				return true;
		}
	}

	return false;
}

static bool must_wait(const struct job *jobs, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (overlap(&jobs[i], &jobs[nr]))
			return true;
	}

	return false;
}

/* End jobs in any order that is allowed, until none is left. */
static void order_random(struct kunit *test)
{
	struct job *jobs = kunit_kcalloc(test, JOBS, sizeof(*jobs), GFP_KERNEL);
	struct msm_vm_order order;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, jobs);
	prandom_seed_state(&rnd, 6);

	for (int round = 0; round < 200; round++) {
		msm_vm_order_init(&order);
		for (int i = 0; i < JOBS; i++) {
			job_init(&jobs[i]);
			for (int r = 0; r < ARRAY_SIZE(jobs[i].ranges); r++)
				job_add(&jobs[i], prandom_u32_state(&rnd) % PAGES, 1);
			msm_vm_turn_close(&jobs[i].turn);
			msm_vm_order_begin(&order, &jobs[i].turn);
		}

		for (int left = JOBS; left; ) {
			int i = prandom_u32_state(&rnd) % JOBS;
			bool blocked = msm_vm_order_blocker(&order, &jobs[i].turn);

			KUNIT_ASSERT_EQ(test, blocked, must_wait(jobs, i));
			if (!blocked && !list_empty(&jobs[i].turn.ranges)) {
				msm_vm_order_end(&order, &jobs[i].turn);
				left--;
			}
		}
		KUNIT_ASSERT_TRUE(test, RB_EMPTY_ROOT(&order.ranges));
	}
}

static struct kunit_case order_cases[] = {
	KUNIT_CASE(order_overlap_waits),
	KUNIT_CASE(order_neighbours_are_free),
	KUNIT_CASE(order_ranges_join),
	KUNIT_CASE(order_repeats_are_one),
	KUNIT_CASE(order_nothing_to_change),
	KUNIT_CASE(order_random),
	{}
};

static struct kunit_suite order_suite = {
	.name = "msm-vm-order",
	.test_cases = order_cases,
};

kunit_test_suite(order_suite);
