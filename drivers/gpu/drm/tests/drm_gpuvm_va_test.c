// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in the VA space mappings may be, and how they are found.
 *
 * The VA space of most of these tests has the addresses [16, 32), of which the
 * kernel keeps [24, 26).  drm_gpuvm does not care what an address counts, so
 * that 1 is the smallest distance there is.
 */

#include <kunit/test.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

static void gpuvm_va_create_vm(struct gpuvm_fixture *fix)
{
	gpuvm_fixture_create_vm_at(fix, 16, 16, 24, 2);
}

static struct drm_gpuva *gpuvm_va_insert(struct gpuvm_fixture *fix,
					 u64 addr, u64 range)
{
	return gpuvm_fixture_insert(fix, &(struct gpuvm_map) {
		.addr = addr,
		.range = range,
		.obj = fix->bo[0],
	});
}

struct gpuvm_range {
	const char *name;
	u64 addr;
	u64 range;
	bool valid;
};

static const struct gpuvm_range gpuvm_ranges[] = {
	{ "all but the kernel's, below", 16, 8, true },
	{ "all but the kernel's, above", 26, 6, true },
	{ "first address", 16, 1, true },
	{ "last address", 31, 1, true },
	{ "before the first address", 15, 1, false },
	{ "over the first address", 15, 2, false },
	{ "after the last address", 32, 1, false },
	{ "over the last address", 31, 2, false },
	{ "around everything", 15, 18, false },
	{ "the kernel's", 24, 2, false },
	{ "into the kernel's", 16, 9, false },
	{ "out of the kernel's", 25, 7, false },
	{ "inside the kernel's", 25, 1, false },
	{ "around the kernel's", 23, 4, false },
	{ "everything", 16, 16, false },
	{ "up to 2^64", 16, -16ULL, false },
	{ "wraps to before the first address", 20, -10ULL, false },
	{ "wraps to a valid end", 30, -1ULL, false },
	{ "last address of all", U64_MAX, 1, false },
};

KUNIT_ARRAY_PARAM_DESC(gpuvm_range, gpuvm_ranges, name);

/* The same answer wherever a range is given; an invalid one changes nothing. */
static void gpuvm_va_range(struct kunit *test)
{
	const struct gpuvm_range *param = test->param_value;
	const int err = param->valid ? 0 : -EINVAL;
	u64 addr = param->addr, range = param->range;
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_log *log = gpuvm_log_create(fix);
	struct drm_gpuva *va;

	gpuvm_va_create_vm(fix);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_range_valid(fix->vm, addr, range),
			param->valid);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(fix->vm, log, addr, range),
			err);
	KUNIT_EXPECT_EQ(test, log->count, 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(fix->vm, log, addr, range,
					       fix->bo[0], 0), err);
	KUNIT_EXPECT_EQ(test, log->count, param->valid);

	va = gpuvm_fixture_va_alloc(fix);
	KUNIT_ASSERT_NOT_NULL(test, va);
	drm_gpuva_init(va, addr, range, fix->bo[0], 0);
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(fix->vm, va), err);
	if (err) {
		KUNIT_EXPECT_NULL(test, va->vm);
		gpuvm_fixture_va_free(fix, va);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(fix->vm, addr, range),
				    va);
	}
}

static void gpuvm_va_range_ops(struct kunit *test)
{
	const struct gpuvm_range *param = test->param_value;
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuva_ops *map, *unmap;

	gpuvm_va_create_vm(fix);
	map = drm_gpuvm_sm_map_ops_create(fix->vm, param->addr, param->range,
					  fix->bo[0], 0);
	unmap = drm_gpuvm_sm_unmap_ops_create(fix->vm, param->addr,
					      param->range);

	if (!param->valid) {
		KUNIT_EXPECT_EQ(test, PTR_ERR(map), -EINVAL);
		KUNIT_EXPECT_EQ(test, PTR_ERR(unmap), -EINVAL);
		return;
	}

	KUNIT_ASSERT_FALSE(test, IS_ERR(map));
	KUNIT_ASSERT_FALSE(test, IS_ERR(unmap));
	KUNIT_EXPECT_TRUE(test, list_is_singular(&map->list));
	KUNIT_EXPECT_TRUE(test, list_empty(&unmap->list));
	drm_gpuva_ops_free(fix->vm, map);
	drm_gpuva_ops_free(fix->vm, unmap);
}

/* The widest VA space there can be is one address short of 64 bits. */
static void gpuvm_va_widest(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;

	gpuvm_fixture_create_vm_at(fix, 0, U64_MAX, 0, 0);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_range_valid(fix->vm, 0, U64_MAX));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_range_valid(fix->vm, U64_MAX - 1, 1));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(fix->vm, 1, U64_MAX));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_range_valid(fix->vm, U64_MAX, 1));
}

/* A driver that forgot a callback gets an error and not a NULL pointer. */
static void gpuvm_va_no_callbacks(struct kunit *test)
{
	static const struct drm_gpuvm_ops no_map = {
		.vm_free = gpuvm_fixture_vm_free,
		.sm_step_remap = gpuvm_log_step,
		.sm_step_unmap = gpuvm_log_step,
	};
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_log *log = gpuvm_log_create(fix);
	struct drm_gpuvm_ops ops = no_map;
	const u64 addr = GPUVM_FIXTURE_BASE;

	gpuvm_fixture_create_vm(fix, 0, &ops);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(fix->vm, log, addr, 1), 0);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(fix->vm, log, addr, 1,
					       fix->bo[0], 0), -EINVAL);

	ops.sm_step_map = gpuvm_log_step;
	ops.sm_step_remap = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(fix->vm, log, addr, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(fix->vm, log, addr, 1,
					       fix->bo[0], 0), -EINVAL);

	ops.sm_step_remap = gpuvm_log_step;
	ops.sm_step_unmap = NULL;
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_unmap(fix->vm, log, addr, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, drm_gpuvm_sm_map(fix->vm, log, addr, 1,
					       fix->bo[0], 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, log->count, 0);

	/* exit() drops the VA space when this function's ops are gone. */
	fix->vm->ops = &gpuvm_fixture_ops;
}

struct gpuvm_overlap {
	const char *name;
	u64 addr;
	u64 range;
	int err;
};

/* Against a mapping of [18, 21) */
static const struct gpuvm_overlap gpuvm_overlaps[] = {
	{ "identical", 18, 3, -EEXIST },
	{ "left aligned inside", 18, 1, -EEXIST },
	{ "inside", 19, 1, -EEXIST },
	{ "right aligned inside", 20, 1, -EEXIST },
	{ "over the start", 17, 2, -EEXIST },
	{ "over the end", 20, 2, -EEXIST },
	{ "around", 17, 5, -EEXIST },
	{ "neighbour below", 17, 1, 0 },
	{ "neighbour above", 21, 1, 0 },
};

KUNIT_ARRAY_PARAM_DESC(gpuvm_overlap, gpuvm_overlaps, name);

/* Each mapping in the tree, and no other, holds the VA space. */
static void gpuvm_va_insert_overlap(struct kunit *test)
{
	const struct gpuvm_overlap *param = test->param_value;
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuva *old, *va;
	unsigned int refs;

	gpuvm_va_create_vm(fix);
	refs = kref_read(&fix->vm->kref);
	old = gpuvm_va_insert(fix, 18, 3);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), refs + 1);

	va = gpuvm_fixture_va_alloc(fix);
	KUNIT_ASSERT_NOT_NULL(test, va);
	drm_gpuva_init(va, param->addr, param->range, fix->bo[1], 0);
	KUNIT_EXPECT_EQ(test, drm_gpuva_insert(fix->vm, va), param->err);
	if (!param->err) {
		KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), refs + 2);
		drm_gpuva_remove(va);
	}
	KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), refs + 1);
	gpuvm_fixture_va_free(fix, va);

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(fix->vm, 18, 3), old);
	drm_gpuva_remove(old);
	KUNIT_EXPECT_EQ(test, kref_read(&fix->vm->kref), refs);
	gpuvm_fixture_va_free(fix, old);
}

/* Mappings for the lookups: a and b side by side, c for itself. */
struct gpuvm_abc {
	struct drm_gpuva *a;	/* [18, 21) */
	struct drm_gpuva *b;	/* [21, 22) */
	struct drm_gpuva *c;	/* [28, 30) */
};

static struct gpuvm_abc gpuvm_va_abc(struct gpuvm_fixture *fix)
{
	struct gpuvm_abc abc;

	gpuvm_va_create_vm(fix);
	abc.c = gpuvm_va_insert(fix, 28, 2);
	abc.a = gpuvm_va_insert(fix, 18, 3);
	abc.b = gpuvm_va_insert(fix, 21, 1);

	return abc;
}

static void gpuvm_va_find(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_abc abc = gpuvm_va_abc(fix);
	struct drm_gpuvm *vm = fix->vm;

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, 18, 3), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, 21, 1), abc.b);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find(vm, 28, 2), abc.c);
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 18, 2));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 19, 2));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 18, 4));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 17, 4));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 27, 3));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find(vm, 16, 2));
}

static void gpuvm_va_find_first(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_abc abc = gpuvm_va_abc(fix);
	struct drm_gpuvm *vm = fix->vm;

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 16, 16), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 16, 3), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 20, 2), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 21, 11), abc.b);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 22, 10),
			    &vm->kernel_alloc_node);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 26, 3), abc.c);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_first(vm, 29, 1), abc.c);
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_first(vm, 16, 2));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_first(vm, 22, 2));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_first(vm, 30, 2));

	KUNIT_EXPECT_TRUE(test, drm_gpuvm_interval_empty(vm, 16, 2));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, 16, 3));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_interval_empty(vm, 22, 2));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, 22, 3));
	KUNIT_EXPECT_FALSE(test, drm_gpuvm_interval_empty(vm, 19, 1));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_interval_empty(vm, 26, 2));
}

/* "Adjacent": a mapping that does not touch the address is none. */
static void gpuvm_va_find_adjacent(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_abc abc = gpuvm_va_abc(fix);
	struct drm_gpuvm *vm = fix->vm;

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, 21), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, 22), abc.b);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_prev(vm, 30), abc.c);
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_prev(vm, 31));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_prev(vm, 16));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_prev(vm, 0));

	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_next(vm, 18), abc.a);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_next(vm, 21), abc.b);
	KUNIT_EXPECT_PTR_EQ(test, drm_gpuva_find_next(vm, 28), abc.c);
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_next(vm, 22));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_next(vm, 32));

	/* One free address between, on the wrong side of it */
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_prev(vm, 18));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_prev(vm, 28));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_next(vm, 17));
	KUNIT_EXPECT_NULL(test, drm_gpuva_find_next(vm, 27));
}

static unsigned int gpuvm_va_collect(struct gpuvm_fixture *fix,
				     u64 start, u64 end,
				     struct drm_gpuva **found, unsigned int max)
{
	unsigned int count = 0;
	struct drm_gpuva *va;

	drm_gpuvm_for_each_va_range(va, fix->vm, start, end) {
		if (count < max)
			found[count] = va;
		count++;
	}

	return count;
}

static void gpuvm_va_iterate(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_abc abc = gpuvm_va_abc(fix);
	struct drm_gpuva *found[4];

	KUNIT_ASSERT_EQ(test, gpuvm_va_collect(fix, 16, 32, found, 4), 4);
	KUNIT_EXPECT_PTR_EQ(test, found[0], abc.a);
	KUNIT_EXPECT_PTR_EQ(test, found[1], abc.b);
	KUNIT_EXPECT_PTR_EQ(test, found[2], &fix->vm->kernel_alloc_node);
	KUNIT_EXPECT_PTR_EQ(test, found[3], abc.c);

	KUNIT_ASSERT_EQ(test, gpuvm_va_collect(fix, 20, 28, found, 4), 3);
	KUNIT_EXPECT_PTR_EQ(test, found[0], abc.a);
	KUNIT_ASSERT_EQ(test, gpuvm_va_collect(fix, 21, 22, found, 4), 1);
	KUNIT_EXPECT_PTR_EQ(test, found[0], abc.b);
	KUNIT_EXPECT_EQ(test, gpuvm_va_collect(fix, 22, 24, found, 4), 0);
}

static void gpuvm_va_prefetch(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_log *log = gpuvm_log_create(fix);
	struct drm_gpuva_ops *ops;
	struct gpuvm_step step[] = {
		{ .op = DRM_GPUVA_OP_PREFETCH,
		  .va = { .addr = 18, .range = 3, .obj = fix->bo[0] } },
		{ .op = DRM_GPUVA_OP_PREFETCH,
		  .va = { .addr = 21, .range = 1, .obj = fix->bo[0] } },
	};

	gpuvm_va_abc(fix);
	ops = drm_gpuvm_prefetch_ops_create(fix->vm, 20, 4);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ops));
	KUNIT_EXPECT_EQ(test, gpuvm_log_ops(log, ops), 0);
	KUNIT_EXPECT_TRUE(test, gpuvm_log_says(log, step, ARRAY_SIZE(step)));
	drm_gpuva_ops_free(fix->vm, ops);
}

static struct kunit_case gpuvm_va_tests[] = {
	KUNIT_CASE_PARAM(gpuvm_va_range, gpuvm_range_gen_params),
	KUNIT_CASE_PARAM(gpuvm_va_range_ops, gpuvm_range_gen_params),
	KUNIT_CASE(gpuvm_va_widest),
	KUNIT_CASE(gpuvm_va_no_callbacks),
	KUNIT_CASE_PARAM(gpuvm_va_insert_overlap, gpuvm_overlap_gen_params),
	KUNIT_CASE(gpuvm_va_find),
	KUNIT_CASE(gpuvm_va_find_first),
	KUNIT_CASE(gpuvm_va_find_adjacent),
	KUNIT_CASE(gpuvm_va_iterate),
	KUNIT_CASE(gpuvm_va_prefetch),
	{ }
};

static struct kunit_suite gpuvm_va_suite = {
	.name = "drm_gpuvm_va",
	.init = gpuvm_fixture_init,
	.exit = gpuvm_fixture_exit,
	.test_cases = gpuvm_va_tests,
};

kunit_test_suite(gpuvm_va_suite);
