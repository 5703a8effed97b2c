// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that are made or promised: how many pages are set aside, against
 * numbers worked out by hand and against a model that knows each table of a
 * small address space and each job's claim on it.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "../vm/msm_vm_tables.h"

#define BITS	(PAGE_SHIFT - 3)
#define L3	(1ULL << (PAGE_SHIFT + BITS))		/* spanned by a last-level table */
#define L2	(1ULL << (PAGE_SHIFT + 2 * BITS))
#define L1	(1ULL << (PAGE_SHIFT + 3 * BITS))
#define IAS	(PAGE_SHIFT + 4 * BITS)

/* Pages set aside for one range in an empty address space. */
static u64 one(struct kunit *test, u64 iova, u64 range, unsigned int ias)
{
	struct msm_vm_tables tables;
	u64 count;

	msm_vm_tables_init(&tables, ias);
	KUNIT_ASSERT_EQ(test, 0, msm_vm_tables_promise(&tables, iova,
						       iova + range - 1));
	count = tables.pool.count;
	msm_vm_tables_release(&tables, iova, iova + range - 1);
	KUNIT_EXPECT_EQ(test, tables.pool.count, 0);
	msm_vm_tables_fini(&tables);

	return count;
}

static void tables_by_hand(struct kunit *test)
{
	const u64 a = 4 * L1;

	KUNIT_EXPECT_EQ(test, one(test, a, PAGE_SIZE, IAS), 3);
	KUNIT_EXPECT_EQ(test, one(test, a, L3, IAS), 3);
	KUNIT_EXPECT_EQ(test, one(test, a + PAGE_SIZE, L3, IAS), 4);
	KUNIT_EXPECT_EQ(test, one(test, a + L3 - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 4);
	KUNIT_EXPECT_EQ(test, one(test, a + L2 - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 5);
	KUNIT_EXPECT_EQ(test, one(test, a - PAGE_SIZE, 2 * PAGE_SIZE, IAS), 6);
	KUNIT_EXPECT_EQ(test, one(test, a, L2, IAS), L2 / L3 + 2);

	/* One level less has no table that spans L1. */
	KUNIT_EXPECT_EQ(test, one(test, L2, PAGE_SIZE, IAS - BITS), 2);
}

static void promise(struct kunit *test, struct msm_vm_tables *tables, u64 first,
		    u64 size, u64 pool)
{
	KUNIT_EXPECT_EQ(test, 0, msm_vm_tables_promise(tables, first,
						       first + size - 1));
	KUNIT_EXPECT_EQ(test, tables->pool.count, pool);
}

/* What io-pgtable-arm does: a page for each table that it makes. */
static void make(struct msm_vm_tables *tables, u64 first, u64 size, int pages)
{
	while (pages--)
		msm_pgtable_pages_drop(&tables->pool);
	msm_vm_tables_made(tables, first, first + size - 1);
}

static void release(struct kunit *test, struct msm_vm_tables *tables, u64 first,
		    u64 size, u64 pool)
{
	msm_vm_tables_release(tables, first, first + size - 1);
	KUNIT_EXPECT_EQ(test, tables->pool.count, pool);
}

/* A table that exists costs nothing, also when it was made under a promise. */
static void tables_made_cost_nothing(struct kunit *test)
{
	struct msm_vm_tables t;

	msm_vm_tables_init(&t, IAS);
	promise(test, &t, 0, PAGE_SIZE, 3);
	promise(test, &t, L3, PAGE_SIZE, 4);
	make(&t, 0, PAGE_SIZE, 3);
	KUNIT_EXPECT_EQ(test, t.pool.count, 1);
	promise(test, &t, PAGE_SIZE, PAGE_SIZE, 1);
	release(test, &t, 0, PAGE_SIZE, 1);
	release(test, &t, PAGE_SIZE, PAGE_SIZE, 1);
	release(test, &t, L3, PAGE_SIZE, 0);
	promise(test, &t, 0, L3, 0);
	release(test, &t, 0, L3, 0);
	make(&t, 0, PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t.made), 3);
	msm_vm_tables_fini(&t);
}

/* Promised is not made, and all that a range touches counts. */
static void tables_all_made(struct kunit *test)
{
	struct msm_vm_tables t;

	msm_vm_tables_init(&t, IAS);
	KUNIT_EXPECT_FALSE(test, msm_vm_tables_all_made(&t, 0, PAGE_SIZE - 1));
	promise(test, &t, L3, 2 * L3, 4);
	KUNIT_EXPECT_FALSE(test, msm_vm_tables_all_made(&t, L3, 2 * L3 - 1));
	make(&t, L3, 2 * L3, 4);
	KUNIT_EXPECT_TRUE(test, msm_vm_tables_all_made(&t, L3, 3 * L3 - 1));
	KUNIT_EXPECT_FALSE(test, msm_vm_tables_all_made(&t, L3, 3 * L3));
	KUNIT_EXPECT_FALSE(test, msm_vm_tables_all_made(&t, L3 - 1, L3));
	release(test, &t, L3, 2 * L3, 0);
	KUNIT_EXPECT_TRUE(test, msm_vm_tables_all_made(&t, 2 * L3, 2 * L3));
	msm_vm_tables_fini(&t);
}

/* Who pays may fail, who relied on it keeps the page. */
static void tables_outlive_the_payer(struct kunit *test)
{
	struct msm_vm_tables t;

	msm_vm_tables_init(&t, IAS);
	promise(test, &t, 0, PAGE_SIZE, 3);
	promise(test, &t, PAGE_SIZE, PAGE_SIZE, 3);
	release(test, &t, 0, PAGE_SIZE, 3);
	make(&t, PAGE_SIZE, PAGE_SIZE, 3);
	release(test, &t, PAGE_SIZE, PAGE_SIZE, 0);
	msm_vm_tables_fini(&t);
}

/* Whoever died is not waited for. */
static void tables_dead_do_not_throttle(struct kunit *test)
{
	struct msm_vm_tables tables;
	u64 size = 8 * SZ_1K * L3;

	msm_vm_tables_init(&tables, IAS);
	KUNIT_EXPECT_EQ(test, 0, msm_vm_tables_begin(&tables));
	promise(test, &tables, 0, size, size / L3 + size / L2 + 1);
	msm_vm_tables_end_promises(&tables);

	msm_vm_tables_kill(&tables);
	KUNIT_EXPECT_EQ(test, 0, msm_vm_tables_begin(&tables));
	msm_vm_tables_end_promises(&tables);

	release(test, &tables, 0, size, 0);
	msm_vm_tables_fini(&tables);
}

struct waiter {
	struct msm_vm_tables *tables;
	struct completion done;
	int ret;
};

static int wait_for_room(void *data)
{
	struct waiter *waiter = data;

	waiter->ret = msm_vm_tables_begin(waiter->tables);
	if (!waiter->ret)
		msm_vm_tables_end_promises(waiter->tables);
	kthread_complete_and_exit(&waiter->done, 0);
}

#define MUCH	(2 * SZ_1K * L3)	/* more than may be set aside */
#define MUCH_PAGES	(MUCH / L3 + MUCH / L2 + 1)

/* Whoever waits until less is set aside goes on after @end. */
static void wait_ends(struct kunit *test, void (*end)(struct msm_vm_tables *tables))
{
	struct msm_vm_tables tables;
	struct waiter waiter = { .tables = &tables, .ret = -EBUSY };
	struct task_struct *task;
	unsigned long left;

	msm_vm_tables_init(&tables, IAS);
	promise(test, &tables, 0, MUCH, MUCH_PAGES);
	init_completion(&waiter.done);
	task = kthread_run(wait_for_room, &waiter, "msm-vm-tables");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	left = wait_for_completion_timeout(&waiter.done, HZ / 20);
	KUNIT_EXPECT_EQ_MSG(test, left, 0, "it does not wait");

	end(&tables);
	if (!left)
		left = wait_for_completion_timeout(&waiter.done, 10 * HZ);
	KUNIT_EXPECT_NE_MSG(test, left, 0, "nobody wakes it");
	if (!left) {
		WRITE_ONCE(tables.dead, true);
		wake_up_all(&tables.drained);
		wait_for_completion(&waiter.done);
	}
	KUNIT_EXPECT_EQ(test, waiter.ret, 0);

	release(test, &tables, 0, MUCH, 0);
	msm_vm_tables_fini(&tables);
}

static void end_by_release(struct msm_vm_tables *tables)
{
	msm_vm_tables_release(tables, 0, MUCH - 1);
}

static void end_by_made(struct msm_vm_tables *tables)
{
	make(tables, 0, MUCH, MUCH_PAGES);
}

static void tables_wait_ends(struct kunit *test)
{
	wait_ends(test, end_by_release);
	wait_ends(test, end_by_made);
	wait_ends(test, msm_vm_tables_kill);
}

static int wait_with_signal(void *data)
{
	allow_signal(SIGINT);
	send_sig(SIGINT, current, 1);

	return wait_for_room(data);
}

/* It must not be left waiting: what it waits for is on this stack. */
static void expect_interrupted(struct kunit *test, struct msm_vm_tables *tables,
			       void (*let_go)(struct msm_vm_tables *tables))
{
	struct waiter waiter = { .tables = tables, .ret = -EBUSY };
	struct task_struct *task;
	unsigned long left;

	init_completion(&waiter.done);
	task = kthread_run(wait_with_signal, &waiter, "msm-vm-tables");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	left = wait_for_completion_timeout(&waiter.done, 10 * HZ);
	let_go(tables);
	if (!left)
		wait_for_completion(&waiter.done);
	KUNIT_EXPECT_NE_MSG(test, left, 0, "the signal does not wake it");
	KUNIT_EXPECT_EQ(test, waiter.ret, -ERESTARTSYS);
}

static void leave_gate(struct msm_vm_tables *tables)
{
	mutex_unlock(&tables->gate);
}

/* A signal ends the wait for whoever waits for room, and the one for room. */
static void tables_wait_interrupted(struct kunit *test)
{
	struct msm_vm_tables tables;

	msm_vm_tables_init(&tables, IAS);
	KUNIT_ASSERT_TRUE(test, mutex_trylock(&tables.gate));
	expect_interrupted(test, &tables, leave_gate);
	promise(test, &tables, 0, MUCH, MUCH_PAGES);
	expect_interrupted(test, &tables, end_by_release);
	release(test, &tables, 0, MUCH, 0);
	msm_vm_tables_fini(&tables);
}

static void tables_skip_holes(struct kunit *test)
{
	const u64 last = 8 * L2 - 1;
	struct msm_vm_tables t;

	msm_vm_tables_init(&t, IAS);
	KUNIT_EXPECT_GT(test, msm_vm_tables_next(&t, 0, last), last);
	promise(test, &t, 3 * L2 + 5 * PAGE_SIZE, PAGE_SIZE, 3);
	KUNIT_EXPECT_GT(test, msm_vm_tables_next(&t, 0, last), last);
	make(&t, 3 * L2 + 5 * PAGE_SIZE, PAGE_SIZE, 3);
	KUNIT_EXPECT_EQ(test, msm_vm_tables_next(&t, 0, last), 3 * L2);
	KUNIT_EXPECT_EQ(test, msm_vm_tables_next(&t, 3 * L2 + PAGE_SIZE, last),
			3 * L2 + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, msm_vm_tables_end(3 * L2 + PAGE_SIZE), 3 * L2 + L3);
	KUNIT_EXPECT_GT(test, msm_vm_tables_next(&t, 3 * L2 + L3, last), last);
	KUNIT_EXPECT_GT(test, msm_vm_tables_next(&t, 0, 3 * L2 - 1), 3 * L2 - 1);
	msm_vm_tables_fini(&t);
}

/* What was cleared for good as a whole is not looked at again. */
static void tables_skip_cleared(struct kunit *test)
{
	const u64 last = 8 * L2 - 1;
	struct msm_vm_tables t;

	msm_vm_tables_init(&t, IAS);
	promise(test, &t, 3 * L2, 2 * L3, 4);
	make(&t, 3 * L2, 2 * L3, 4);
	msm_vm_tables_cleared(&t, 3 * L2, 3 * L2 + L3 - PAGE_SIZE - 1);
	msm_vm_tables_cleared(&t, 3 * L2 + PAGE_SIZE, 3 * L2 + L3 - 1);
	KUNIT_EXPECT_EQ(test, msm_vm_tables_next(&t, 0, last), 3 * L2);
	msm_vm_tables_cleared(&t, 3 * L2, 3 * L2 + L3 - 1);
	KUNIT_EXPECT_EQ(test, msm_vm_tables_next(&t, 0, last), 3 * L2 + L3);
	msm_vm_tables_cleared(&t, 3 * L2 + L3, 3 * L2 + 2 * L3 - 1);
	KUNIT_EXPECT_GT(test, msm_vm_tables_next(&t, 0, last), last);
	KUNIT_EXPECT_TRUE(test, msm_vm_tables_all_made(&t, 3 * L2,
						       3 * L2 + 2 * L3 - 1));
	msm_vm_tables_fini(&t);
}

#define TOY_TABLES	24
#define TOY_JOBS	6

struct toy_job {
	bool live;
	bool done;
	u64 first;
	u64 last;
};

struct toy {
	struct msm_vm_tables tables;
	struct toy_job jobs[TOY_JOBS];
	bool made[3][TOY_TABLES];
};

static u64 toy_index(u64 iova, int level)
{
	static const u64 span[] = { L3, L2, L1 };

	return iova / span[level];
}

static bool toy_wants(const struct toy_job *job, int level, u64 index)
{
	return job->live && toy_index(job->first, level) <= index &&
	       index <= toy_index(job->last, level);
}

/* Tables that a live job touches and that are not made. */
static u64 toy_missing(struct toy *toy)
{
	u64 count = 0;

	for (int level = 0; level < 3; level++) {
		for (int i = 0; i < TOY_TABLES; i++) {
			bool wanted = false;

			for (int j = 0; j < TOY_JOBS; j++)
				wanted |= toy_wants(&toy->jobs[j], level, i);
			count += wanted && !toy->made[level][i];
		}
	}

	return count;
}

static void toy_make(struct toy *toy, struct toy_job *job)
{
	int pages = 0;

	for (int level = 0; level < 3; level++) {
		for (int i = 0; i < TOY_TABLES; i++) {
			if (!toy_wants(job, level, i) || toy->made[level][i])
				continue;
			toy->made[level][i] = true;
			pages++;
		}
	}

	make(&toy->tables, job->first, job->last - job->first + 1, pages);
	job->done = true;
}

/* Start a job, carry out what it promised, or end it: whatever comes next. */
static void toy_step(struct kunit *test, struct toy *toy, struct rnd_state *rnd)
{
	struct toy_job *job = &toy->jobs[prandom_u32_state(rnd) % TOY_JOBS];
	u64 page = prandom_u32_state(rnd) % ((TOY_TABLES - 6) * L3 / PAGE_SIZE);
	u64 nr = 1 + prandom_u32_state(rnd) % (5 * L3 / PAGE_SIZE);

	if (!job->live) {
		*job = (struct toy_job) {
			.live = true,
			.first = page * PAGE_SIZE,
			.last = (page + nr) * PAGE_SIZE - 1,
		};
		KUNIT_ASSERT_EQ(test, 0,
				msm_vm_tables_promise(&toy->tables, job->first,
						      job->last));
	} else if (!job->done && prandom_u32_state(rnd) % 3) {
		toy_make(toy, job);
	} else {
		msm_vm_tables_release(&toy->tables, job->first, job->last);
		job->live = false;
	}
}

static void tables_random(struct kunit *test)
{
	struct toy *toy = kunit_kzalloc(test, sizeof(*toy), GFP_KERNEL);
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, toy);

	for (int seed = 0; seed < 40; seed++) {
		memset(toy, 0, sizeof(*toy));
		msm_vm_tables_init(&toy->tables, IAS);
		prandom_seed_state(&rnd, seed);
		for (int step = 0; step < 40; step++) {
			toy_step(test, toy, &rnd);
			KUNIT_ASSERT_EQ_MSG(test, toy->tables.pool.count,
					    toy_missing(toy), "seed %d step %d",
					    seed, step);
		}
		for (int j = 0; j < TOY_JOBS; j++) {
			if (toy->jobs[j].live)
				msm_vm_tables_release(&toy->tables,
						      toy->jobs[j].first,
						      toy->jobs[j].last);
		}
		KUNIT_EXPECT_EQ(test, toy->tables.pool.count, 0);
		msm_vm_tables_fini(&toy->tables);
	}
}

static struct kunit_case tables_cases[] = {
	KUNIT_CASE(tables_by_hand),
	KUNIT_CASE(tables_made_cost_nothing),
	KUNIT_CASE(tables_all_made),
	KUNIT_CASE(tables_outlive_the_payer),
	KUNIT_CASE(tables_dead_do_not_throttle),
	KUNIT_CASE(tables_wait_ends),
	KUNIT_CASE(tables_wait_interrupted),
	KUNIT_CASE(tables_skip_holes),
	KUNIT_CASE(tables_skip_cleared),
	KUNIT_CASE(tables_random),
	{}
};

static struct kunit_suite tables_suite = {
	.name = "msm-vm-tables",
	.test_cases = tables_cases,
};

kunit_test_suite(tables_suite);
