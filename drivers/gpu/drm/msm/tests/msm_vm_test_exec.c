// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a GPU job locks, brings back and keeps: a VM with private BOs, which have
 * its lock, and BOs that can be shared, which have their own.  Bringing back is
 * the fixture's; nothing has pages.
 */

#include <kunit/test.h>
#include <linux/dma-resv.h>
#include <linux/sizes.h>

#include <drm/drm_exec.h>
#include <drm/drm_gpuvm.h>

#include "../vm/msm_vm.h"
#include "../vm/msm_vm_exec.h"
#include "msm_vm_test_client.h"
#include "msm_vm_test_fence.h"

#define BASE		((u64)SZ_4G)
#define NR_PRIVATE	3
#define NR_SHARED	2
#define NR_BOS		(NR_PRIVATE + NR_SHARED)

/* The first BO of each kind */
enum { PRIVATE = 0, SHARED = NR_PRIVATE };

/**
 * struct fixture - a VM and what is mapped in it
 * @test: the test
 * @vm: the VM, of which only the tree is there
 * @exec: the locks of a job
 * @bos: the BOs, the private ones first
 * @vmas: one of each BO
 * @asked: how often a BO was to be brought back
 * @answer: what was said then
 */
struct fixture {
	struct kunit *test;
	struct msm_vm vm;
	struct drm_exec exec;
	struct drm_gem_object bos[NR_BOS];
	struct drm_gpuva vmas[NR_BOS];
	u32 asked;
	int answer;
};

static void vm_free(struct drm_gpuvm *vm)
{
}

static int validate(struct drm_gpuvm_bo *vm_bo, struct drm_exec *exec)
{
	struct fixture *fix = container_of(vm_bo->vm, struct fixture, vm.base);

	KUNIT_EXPECT_PTR_EQ(fix->test, exec, &fix->exec);
	KUNIT_EXPECT_TRUE(fix->test, dma_resv_is_locked(vm_bo->obj->resv));
	fix->asked++;
	if (!fix->answer)
		drm_gpuvm_bo_evict(vm_bo, false);

	return fix->answer;
}

static const struct drm_gpuvm_ops vm_ops = {
	.vm_free = vm_free,
	.vm_bo_validate = validate,
};

static void bo_free(struct drm_gem_object *obj)
{
	drm_gem_object_release(obj);
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

static void map_bo(struct fixture *fix, u32 i)
{
	struct drm_gem_object *obj = &fix->bos[i];
	struct drm_gpuva *va = &fix->vmas[i];
	struct drm_gpuvm_bo *vm_bo;

	drm_gpuva_init(va, BASE + (u64)i * SZ_1M, SZ_64K, obj, 0);
	dma_resv_lock(obj->resv, NULL);
	vm_bo = drm_gpuvm_bo_obtain(&fix->vm.base, obj);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(fix->test, vm_bo);
	if (!IS_ERR_OR_NULL(vm_bo)) {
		drm_gpuvm_bo_extobj_add(vm_bo);
		KUNIT_EXPECT_EQ(fix->test, 0, drm_gpuva_insert(&fix->vm.base, va));
		drm_gpuva_link(va, vm_bo);
		drm_gpuvm_bo_put(vm_bo);
	}
	dma_resv_unlock(obj->resv);
}

static void unmap_bo(struct fixture *fix, u32 i)
{
	dma_resv_lock(fix->bos[i].resv, NULL);
	drm_gpuva_remove(&fix->vmas[i]);
	drm_gpuva_unlink(&fix->vmas[i]);
	dma_resv_unlock(fix->bos[i].resv);
	drm_gem_object_put(&fix->bos[i]);
}

static int setup(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);
	struct drm_device *drm = msm_vm_test_device(test, DRIVER_GEM |
						    DRIVER_GEM_GPUVA);
	struct drm_gem_object *resv = drm_gpuvm_resv_object_alloc(drm);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	KUNIT_ASSERT_NOT_NULL(test, resv);
	fix->test = test;
	drm_gpuvm_init(&fix->vm.base, "test", 0, drm, resv, BASE, SZ_1G, 0, 0,
		       &vm_ops);
	drm_gem_object_put(resv);

	for (u32 i = 0; i < NR_BOS; i++) {
		if (i < SHARED)
			fix->bos[i].resv = drm_gpuvm_resv(&fix->vm.base);
		drm_gem_private_object_init(drm, &fix->bos[i], SZ_64K);
		fix->bos[i].funcs = &bo_funcs;
		map_bo(fix, i);
	}
	test->priv = fix;

	return 0;
}

static void teardown(struct kunit *test)
{
	struct fixture *fix = test->priv;

	if (!fix)
		return;

	for (u32 i = 0; i < NR_BOS; i++)
		unmap_bo(fix, i);
	drm_gpuvm_put(&fix->vm.base);
}

static void evict(struct fixture *fix, u32 i)
{
	dma_resv_lock(fix->bos[i].resv, NULL);
	drm_gpuvm_bo_evict(fix->vmas[i].vm_bo, true);
	dma_resv_unlock(fix->bos[i].resv);
}

static void expect_locked(struct fixture *fix, bool locked)
{
	for (u32 i = 0; i < NR_BOS; i++)
		KUNIT_EXPECT_EQ(fix->test, locked,
				dma_resv_is_locked(fix->bos[i].resv));
}

/* Return: what locking said; the locks are given up again. */
static int lock_once(struct fixture *fix)
{
	int ret = msm_vm_exec_lock(&fix->vm, &fix->exec);

	drm_exec_fini(&fix->exec);
	expect_locked(fix, false);

	return ret;
}

/* However many private BOs there are, they have one lock. */
static void exec_locks_each_once(struct kunit *test)
{
	struct fixture *fix = test->priv;

	KUNIT_EXPECT_EQ(test, 0, msm_vm_exec_lock(&fix->vm, &fix->exec));
	KUNIT_EXPECT_EQ(test, 1 + NR_SHARED, fix->exec.num_objects);
	expect_locked(fix, true);
	drm_exec_fini(&fix->exec);
	expect_locked(fix, false);
	KUNIT_EXPECT_EQ(test, 0, fix->asked);
}

/* Whoever wants the memory waits for the job; no reader and no writer does. */
static void exec_fence_keeps_memory(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct dma_fence *fence = msm_vm_test_fence(test);

	KUNIT_EXPECT_EQ(test, 0, msm_vm_exec_lock(&fix->vm, &fix->exec));
	msm_vm_exec_add_fence(&fix->vm, &fix->exec, fence);
	drm_exec_fini(&fix->exec);

	for (u32 i = 0; i < NR_BOS; i++) {
		struct dma_resv *resv = fix->bos[i].resv;

		KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv,
								DMA_RESV_USAGE_BOOKKEEP));
		KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv,
							       DMA_RESV_USAGE_READ));
	}
	dma_fence_signal(fence);
	dma_fence_put(fence);
	for (u32 i = 0; i < NR_BOS; i++)
		KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(fix->bos[i].resv,
							       DMA_RESV_USAGE_BOOKKEEP));
}

/* Once each, of either kind */
static void exec_brings_back(struct kunit *test)
{
	struct fixture *fix = test->priv;

	evict(fix, PRIVATE + 1);
	evict(fix, SHARED);
	KUNIT_EXPECT_EQ(test, 0, lock_once(fix));
	KUNIT_EXPECT_EQ(test, 2, fix->asked);
	KUNIT_EXPECT_EQ(test, 0, lock_once(fix));
	KUNIT_EXPECT_EQ(test, 2, fix->asked);
}

/* What does not come back is asked for again by the next job. */
static void exec_finds_nothing(struct kunit *test)
{
	struct fixture *fix = test->priv;

	fix->answer = -EBUSY;
	evict(fix, PRIVATE);
	evict(fix, SHARED + 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, lock_once(fix));
	KUNIT_EXPECT_EQ(test, 1, fix->asked);

	fix->answer = 0;
	KUNIT_EXPECT_EQ(test, 0, lock_once(fix));
	KUNIT_EXPECT_EQ(test, 3, fix->asked);
}

static struct kunit_case exec_cases[] = {
	KUNIT_CASE(exec_locks_each_once),
	KUNIT_CASE(exec_fence_keeps_memory),
	KUNIT_CASE(exec_brings_back),
	KUNIT_CASE(exec_finds_nothing),
	{}
};

static struct kunit_suite exec_suite = {
	.name = "msm-vm-exec",
	.init = setup,
	.exit = teardown,
	.test_cases = exec_cases,
};

kunit_test_suite(exec_suite);
