/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fence that the test signals.
 */
#ifndef __MSM_VM_TEST_FENCE_H__
#define __MSM_VM_TEST_FENCE_H__

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static inline const char *msm_vm_test_fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops msm_vm_test_fence_ops = {
	.get_driver_name = msm_vm_test_fence_name,
	.get_timeline_name = msm_vm_test_fence_name,
};

static DEFINE_SPINLOCK(msm_vm_test_fence_lock);

/* The caller has the one reference.  Asserts that memory can be had. */
static inline struct dma_fence *msm_vm_test_fence(struct kunit *test)
{
	/* Freed by dma_fence_free(), which is kfree_rcu(). */
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &msm_vm_test_fence_ops, &msm_vm_test_fence_lock,
		       dma_fence_context_alloc(1), 1);

	return fence;
}

#endif /* __MSM_VM_TEST_FENCE_H__ */
