// SPDX-License-Identifier: GPL-2.0-only
/*
 * drm_gpuvm's lists of steps, with one allocation after the other failing.
 *
 * The n-th allocation of the task fails through fail_nth, for n = 1, 2, ... up
 * to the first n for which all of them succeed.  However far drm_gpuvm got, the
 * answer is -ENOMEM, the tree is as it was and every op is given back; what
 * op_free() does not see is left to kmemleak.
 *
 * Needs CONFIG_FAILSLAB and 0 in failslab/ignore-gfp-wait of debugfs, skipped
 * otherwise.
 */

#include <kunit/test.h>

#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

/* op_alloc() has no argument to find the fixture with. */
static unsigned int gpuvm_nomem_ops_live;

static struct drm_gpuva_op *gpuvm_nomem_op_alloc(void)
{
	struct drm_gpuva_op *op = kzalloc(sizeof(*op), GFP_KERNEL);

	if (op)
		gpuvm_nomem_ops_live++;

	return op;
}

static void gpuvm_nomem_op_free(struct drm_gpuva_op *op)
{
	gpuvm_nomem_ops_live--;
	kfree(op);
}

static const struct drm_gpuvm_ops gpuvm_nomem_ops = {
	.vm_free = gpuvm_fixture_vm_free,
	.op_alloc = gpuvm_nomem_op_alloc,
	.op_free = gpuvm_nomem_op_free,
};

#ifdef CONFIG_FAILSLAB
static void gpuvm_nomem_arm(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* True if the allocation to fail was not reached. */
static bool gpuvm_nomem_disarm(void)
{
	bool armed = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);

	return armed;
}
#else
static void gpuvm_nomem_arm(unsigned int nth)
{
}

static bool gpuvm_nomem_disarm(void)
{
	return true;
}
#endif

static bool gpuvm_nomem_possible(void)
{
	void *p;

	gpuvm_nomem_arm(1);
	p = kmalloc(8, GFP_KERNEL);
	gpuvm_nomem_disarm();
	kfree(p);

	return !p;
}

static const struct gpuvm_map gpuvm_nomem_old[] = {
	{ .addr = GPUVM_FIXTURE_BASE, .range = 4 * GPUVM_FIXTURE_PAGE },
	{ .addr = GPUVM_FIXTURE_BASE + 4 * GPUVM_FIXTURE_PAGE,
	  .range = GPUVM_FIXTURE_PAGE },
	{ .addr = GPUVM_FIXTURE_BASE + 5 * GPUVM_FIXTURE_PAGE,
	  .range = 4 * GPUVM_FIXTURE_PAGE },
};

/* More than any request here can take */
#define GPUVM_NOMEM_TRIES	64

struct gpuvm_nomem_request {
	const char *name;
	bool unmap;
	unsigned int page;
	unsigned int pages;
	unsigned int allocs;
};

/* A list takes one, a step one, and a remap two or three more. */
static const struct gpuvm_nomem_request gpuvm_nomem_requests[] = {
	{ "map with prev and next", false, 1, 2, 6 },
	{ "map with two remaps and an unmap", false, 3, 3, 9 },
	{ "unmap with prev and next", true, 1, 2, 5 },
	{ "unmap with two remaps and an unmap", true, 3, 3, 8 },
};

KUNIT_ARRAY_PARAM_DESC(gpuvm_nomem, gpuvm_nomem_requests, name);

static struct drm_gpuva_ops *
gpuvm_nomem_create(struct gpuvm_fixture *fix,
		   const struct gpuvm_nomem_request *req)
{
	u64 addr = GPUVM_FIXTURE_BASE + req->page * GPUVM_FIXTURE_PAGE;
	u64 range = req->pages * GPUVM_FIXTURE_PAGE;

	if (req->unmap)
		return drm_gpuvm_sm_unmap_ops_create(fix->vm, addr, range);

	return drm_gpuvm_sm_map_ops_create(fix->vm, addr, range, fix->bo[0], 0);
}

/* One try.  Returns: true if it was one too many, and nothing failed. */
static bool gpuvm_nomem_try(struct gpuvm_fixture *fix,
			    const struct gpuvm_nomem_request *req,
			    unsigned int nth, unsigned int *failed)
{
	struct kunit *test = fix->test;
	struct drm_gpuva_ops *ops;
	bool done;

	gpuvm_nomem_arm(nth);
	ops = gpuvm_nomem_create(fix, req);
	done = gpuvm_nomem_disarm();

	if (IS_ERR(ops)) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(ops), -ENOMEM);
		KUNIT_EXPECT_FALSE(test, done);
		(*failed)++;
	} else {
		drm_gpuva_ops_free(fix->vm, ops);
	}
	KUNIT_EXPECT_EQ(test, gpuvm_nomem_ops_live, 0);
	KUNIT_EXPECT_TRUE(test,
			  gpuvm_fixture_holds(fix, gpuvm_nomem_old,
					      ARRAY_SIZE(gpuvm_nomem_old)));

	return done;
}

static void gpuvm_nomem_each(struct kunit *test)
{
	const struct gpuvm_nomem_request *req = test->param_value;
	struct gpuvm_fixture *fix = test->priv;
	unsigned int i, failed = 0;

	if (!gpuvm_nomem_possible())
		kunit_skip(test, "failslab does not let GFP_KERNEL fail");

	gpuvm_nomem_ops_live = 0;
	gpuvm_fixture_create_vm(fix, 0, &gpuvm_nomem_ops);
	for (i = 0; i < ARRAY_SIZE(gpuvm_nomem_old); i++)
		gpuvm_fixture_insert(fix, &gpuvm_nomem_old[i]);

	/* kmemleak allocates too, and gets over a failure of its own. */
	for (i = 1; i < GPUVM_NOMEM_TRIES; i++)
		if (gpuvm_nomem_try(fix, req, i, &failed))
			break;
	KUNIT_EXPECT_LT(test, i, GPUVM_NOMEM_TRIES);
	KUNIT_EXPECT_EQ(test, failed, req->allocs);
}

static struct kunit_case gpuvm_nomem_tests[] = {
	KUNIT_CASE_PARAM(gpuvm_nomem_each, gpuvm_nomem_gen_params),
	{ }
};

static struct kunit_suite gpuvm_nomem_suite = {
	.name = "drm_gpuvm_nomem",
	.init = gpuvm_fixture_init,
	.exit = gpuvm_fixture_exit,
	.test_cases = gpuvm_nomem_tests,
};

kunit_test_suite(gpuvm_nomem_suite);
