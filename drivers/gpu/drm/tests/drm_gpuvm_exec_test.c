// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drm_gpuvm locks, fences and validates for a driver, with a real drm_exec.
 *
 * Terms
 *   private	an object that shares the dma_resv of the VA space
 *   external	one that does not, and has to be locked by itself
 *
 * The list of evicted objects has two protections.  Without
 * DRM_GPUVM_RESV_PROTECTED it has a spinlock and takes any object at once; with
 * it, the list belongs to the dma_resv of the VA space, and an external object
 * shows up only when drm_gpuvm_prepare_objects() has found it evicted.
 */

#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>
#include <drm/drm_gem.h>

#include "drm_gpuvm_fixture.h"

#define GPUVM_EXEC_VALIDATED	8

/**
 * struct gpuvm_exec_calls - what vm_bo_validate() saw and shall do, fix->priv
 * @fail_at: the call of vm_bo_validate() that fails, counted from 1; 0: none
 * @stay: validated objects stay evicted
 * @validated: what vm_bo_validate() was called for
 * @count: how often
 */
struct gpuvm_exec_calls {
	unsigned int fail_at;
	bool stay;
	struct drm_gem_object *validated[GPUVM_EXEC_VALIDATED];
	unsigned int count;
};

static int gpuvm_exec_bo_validate(struct drm_gpuvm_bo *vm_bo,
				  struct drm_exec *exec)
{
	struct gpuvm_exec_calls *calls = gpuvm_fixture_of(vm_bo->vm)->priv;

	if (calls->count < ARRAY_SIZE(calls->validated))
		calls->validated[calls->count] = vm_bo->obj;
	calls->count++;

	if (calls->count == calls->fail_at)
		return GPUVM_FIXTURE_ERR;
	if (!calls->stay)
		drm_gpuvm_bo_evict(vm_bo, false);

	return 0;
}

static int gpuvm_exec_init(struct kunit *test)
{
	int ret = gpuvm_fixture_init(test);
	struct gpuvm_fixture *fix = test->priv;

	if (ret)
		return ret;

	fix->priv = kunit_kzalloc(test, sizeof(struct gpuvm_exec_calls),
				  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fix->priv);

	return 0;
}

static const struct drm_gpuvm_ops gpuvm_exec_ops = {
	.vm_free = gpuvm_fixture_vm_free,
	.vm_bo_validate = gpuvm_exec_bo_validate,
};

static bool gpuvm_exec_locked(struct drm_gem_object *obj)
{
	return dma_resv_is_locked(obj->resv);
}

/* The VA space, its external objects and the driver's own, nothing else. */
static void gpuvm_exec_lock(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuvm_bo *external, *private, *unused;
	struct drm_gpuvm_exec exec = { };
	struct drm_gem_object *obj;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_exec_ops);
	exec.vm = fix->vm;
	obj = gpuvm_fixture_create_bo(fix, drm_gpuvm_resv(fix->vm));
	external = gpuvm_fixture_obtain(fix, fix->bo[0]);
	private = gpuvm_fixture_obtain(fix, obj);
	unused = gpuvm_fixture_obtain(fix, fix->bo[1]);

	drm_gpuvm_bo_extobj_add(external);
	drm_gpuvm_bo_extobj_add(external);
	drm_gpuvm_bo_extobj_add(private);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&fix->vm->extobj.list));

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&exec), 0);
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(obj));
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[0]));
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(fix->bo[1]));
	KUNIT_EXPECT_TRUE(test, list_is_singular(&fix->vm->extobj.list));
	drm_gpuvm_exec_unlock(&exec);
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(obj));
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(fix->bo[0]));

	exec.num_fences = 1;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_array(&exec, &fix->bo[2], 1),
			0);
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[0]));
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[2]));
	drm_gpuvm_exec_unlock(&exec);

	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(external));
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->vm->extobj.list));
	gpuvm_fixture_put_vm_bo(private);
	gpuvm_fixture_put_vm_bo(unused);
	drm_gem_object_put(obj);
}

/* What is mapped in the range, and for what it is mapped twice the caller. */
static void gpuvm_exec_lock_range(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuvm_exec exec = { };
	const u64 addr = GPUVM_FIXTURE_BASE, page = GPUVM_FIXTURE_PAGE;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_exec_ops);
	exec.vm = fix->vm;
	gpuvm_fixture_insert_page(fix, fix->bo[0], 0);
	gpuvm_fixture_insert_page(fix, NULL, 1);
	gpuvm_fixture_insert_page(fix, fix->bo[1], 2);
	gpuvm_fixture_insert_page(fix, fix->bo[0], 4);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_range(&exec, addr, 2 * page),
			0);
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[0]));
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(fix->bo[1]));
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(drm_gpuvm_resv_obj(fix->vm)));
	drm_gpuvm_exec_unlock(&exec);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock_range(&exec, addr, 5 * page),
			-EALREADY);
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(fix->bo[0]));
	KUNIT_EXPECT_FALSE(test, gpuvm_exec_locked(fix->bo[1]));

	exec.flags = DRM_EXEC_IGNORE_DUPLICATES;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock_range(&exec, addr, 5 * page),
			0);
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[0]));
	KUNIT_EXPECT_TRUE(test, gpuvm_exec_locked(fix->bo[1]));
	drm_gpuvm_exec_unlock(&exec);
}

static const char *gpuvm_exec_fence_name(struct dma_fence *fence)
{
	return "drm_gpuvm test";
}

static const struct dma_fence_ops gpuvm_exec_fence_ops = {
	.get_driver_name = gpuvm_exec_fence_name,
	.get_timeline_name = gpuvm_exec_fence_name,
};

/* The one fence that is there, or a failure */
static void gpuvm_exec_expect_fence(struct kunit *test, struct dma_resv *resv,
				    struct dma_fence *expect,
				    enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence) {
		KUNIT_EXPECT_PTR_EQ(test, fence, expect);
		KUNIT_EXPECT_EQ(test, dma_resv_iter_usage(&cursor), usage);
		count++;
	}
	KUNIT_EXPECT_EQ(test, count, 1);
}

static void gpuvm_exec_fence(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct gpuvm_fixture *fix = test->priv;
	struct drm_gpuvm_exec exec = { .num_fences = 1 };
	struct drm_gpuvm_bo *external;
	struct dma_fence *fence;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_exec_ops);
	exec.vm = fix->vm;
	external = gpuvm_fixture_obtain(fix, fix->bo[0]);
	drm_gpuvm_bo_extobj_add(external);
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &gpuvm_exec_fence_ops, &lock, 1, 1);

	KUNIT_EXPECT_EQ(test, drm_gpuvm_exec_lock(&exec), 0);
	drm_gpuvm_exec_resv_add_fence(&exec, fence, DMA_RESV_USAGE_BOOKKEEP,
				      DMA_RESV_USAGE_WRITE);
	gpuvm_exec_expect_fence(test, drm_gpuvm_resv(fix->vm), fence,
				DMA_RESV_USAGE_BOOKKEEP);
	gpuvm_exec_expect_fence(test, fix->bo[0]->resv, fence,
				DMA_RESV_USAGE_WRITE);
	drm_gpuvm_exec_unlock(&exec);

	dma_fence_signal(fence);
	dma_fence_put(fence);
	gpuvm_fixture_put_vm_bo(external);
}

static void gpuvm_exec_gem_evict(struct drm_gem_object *obj, bool evict)
{
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_gem_evict(obj, evict);
	dma_resv_unlock(obj->resv);
}

/* Lock everything, validate, and count the calls of vm_bo_validate(). */
static int gpuvm_exec_validate(struct gpuvm_fixture *fix)
{
	struct drm_gpuvm_exec exec = { .vm = fix->vm };
	struct gpuvm_exec_calls *calls = fix->priv;
	int ret;

	calls->count = 0;
	KUNIT_ASSERT_EQ(fix->test, drm_gpuvm_exec_lock(&exec), 0);
	ret = drm_gpuvm_exec_validate(&exec);
	drm_gpuvm_exec_unlock(&exec);

	return ret;
}

static void gpuvm_exec_evict_all(struct gpuvm_fixture *fix,
				 struct drm_gpuvm_bo *vm_bo[3])
{
	unsigned int i;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_exec_ops);
	for (i = 0; i < 3; i++) {
		vm_bo[i] = gpuvm_fixture_obtain(fix, fix->bo[i]);
		drm_gpuvm_bo_extobj_add(vm_bo[i]);
		gpuvm_exec_gem_evict(fix->bo[i], true);
	}
}

static void gpuvm_exec_evict(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_exec_calls *calls = fix->priv;
	struct drm_gpuvm_bo *vm_bo[3];

	gpuvm_exec_evict_all(fix, vm_bo);
	gpuvm_exec_gem_evict(fix->bo[0], true);
	gpuvm_exec_gem_evict(fix->bo[1], false);

	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 2);
	KUNIT_EXPECT_PTR_EQ(test, calls->validated[0], fix->bo[0]);
	KUNIT_EXPECT_PTR_EQ(test, calls->validated[1], fix->bo[2]);

	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 0);

	/* One goes away while evicted. */
	gpuvm_exec_gem_evict(fix->bo[1], true);
	KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(vm_bo[1]));
	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 0);
	gpuvm_fixture_put_vm_bo(vm_bo[0]);
	gpuvm_fixture_put_vm_bo(vm_bo[2]);
}

/* What was not validated is asked for again, in the same order. */
static void gpuvm_exec_validate_fails(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_exec_calls *calls = fix->priv;
	struct drm_gpuvm_bo *vm_bo[3];
	unsigned int i;

	gpuvm_exec_evict_all(fix, vm_bo);
	calls->fail_at = 2;
	calls->stay = true;
	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), GPUVM_FIXTURE_ERR);
	KUNIT_EXPECT_EQ(test, calls->count, 2);

	calls->fail_at = 0;
	calls->stay = false;
	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_PTR_EQ(test, calls->validated[i],
				    fix->bo[i]);
		KUNIT_EXPECT_FALSE(test, vm_bo[i]->evicted);
		KUNIT_EXPECT_TRUE(test, gpuvm_fixture_put_vm_bo(vm_bo[i]));
	}
}

/* The list is the VA space's, and an external object's lock is not that. */
static void gpuvm_exec_evict_resv_protected(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;
	struct gpuvm_exec_calls *calls = fix->priv;
	struct drm_gpuvm_exec exec = { };
	struct drm_gpuvm_bo *external, *private;
	struct drm_gem_object *obj;

	gpuvm_fixture_create_vm(fix, DRM_GPUVM_RESV_PROTECTED, &gpuvm_exec_ops);
	exec.vm = fix->vm;
	obj = gpuvm_fixture_create_bo(fix, drm_gpuvm_resv(fix->vm));
	external = gpuvm_fixture_obtain(fix, fix->bo[0]);
	private = gpuvm_fixture_obtain(fix, obj);
	dma_resv_lock(obj->resv, NULL);
	drm_gpuvm_bo_extobj_add(external);
	dma_resv_unlock(obj->resv);

	gpuvm_exec_gem_evict(fix->bo[0], true);
	KUNIT_EXPECT_TRUE(test, external->evicted);
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->vm->evict.list));
	gpuvm_exec_gem_evict(obj, true);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&fix->vm->evict.list));

	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 2);
	KUNIT_EXPECT_PTR_EQ(test, calls->validated[0], obj);
	KUNIT_EXPECT_PTR_EQ(test, calls->validated[1], fix->bo[0]);
	KUNIT_EXPECT_TRUE(test, list_empty(&fix->vm->evict.list));
	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), 0);
	KUNIT_EXPECT_EQ(test, calls->count, 0);

	KUNIT_ASSERT_EQ(test, drm_gpuvm_exec_lock(&exec), 0);
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put(external));
	KUNIT_EXPECT_TRUE(test, drm_gpuvm_bo_put(private));
	drm_gpuvm_exec_unlock(&exec);
	drm_gem_object_put(obj);
}

static void gpuvm_exec_validate_missing(struct kunit *test)
{
	struct gpuvm_fixture *fix = test->priv;

	gpuvm_fixture_create_vm(fix, 0, &gpuvm_fixture_ops);
	KUNIT_EXPECT_EQ(test, gpuvm_exec_validate(fix), -EOPNOTSUPP);
}

static struct kunit_case gpuvm_exec_tests[] = {
	KUNIT_CASE(gpuvm_exec_lock),
	KUNIT_CASE(gpuvm_exec_lock_range),
	KUNIT_CASE(gpuvm_exec_fence),
	KUNIT_CASE(gpuvm_exec_evict),
	KUNIT_CASE(gpuvm_exec_evict_resv_protected),
	KUNIT_CASE(gpuvm_exec_validate_fails),
	KUNIT_CASE(gpuvm_exec_validate_missing),
	{ }
};

static struct kunit_suite gpuvm_exec_suite = {
	.name = "drm_gpuvm_exec",
	.init = gpuvm_exec_init,
	.exit = gpuvm_fixture_exit,
	.test_cases = gpuvm_exec_tests,
};

kunit_test_suite(gpuvm_exec_suite);
