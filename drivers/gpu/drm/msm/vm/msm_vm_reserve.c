// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMAs that a bind job sets aside: the worst case of each request, see
 * MSM_VMA_MAX_PER_MAP.  The page tables are in msm_vm_tables.c.
 *
 * All is charged to the memory cgroup of the caller, and an allocation gives up
 * where it would have to kill: there userspace gets -ENOMEM.
 */

#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include <drm/drm_gpuvm.h>

#include "msm_vm_reserve.h"
#include "msm_vma.h"

#define GFP_RESERVE (GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static struct kmem_cache *vma_cache;

/**
 * msm_vm_reserve_vmas - set VMAs aside
 * @spare: list to put them on
 * @count: how many
 *
 * May sleep.
 *
 * Return: 0; or, with what could be had in @spare, -ENOMEM, or -EINTR when the
 * caller is being killed.
 */
int msm_vm_reserve_vmas(struct list_head *spare, u64 count)
{
	for (; count; count--) {
		struct msm_vma *vma;

		vma = kmem_cache_zalloc(vma_cache, GFP_RESERVE);
		if (!vma)
			return -ENOMEM;

		list_add(&vma->node, spare);
		if (fatal_signal_pending(current))
			return -EINTR;
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_reserve_vmas);

/**
 * msm_vm_reserve_free_vmas - free VMAs that are in no tree
 * @vmas: list of them; empty afterwards
 *
 * May sleep.
 */
void msm_vm_reserve_free_vmas(struct list_head *vmas)
{
	struct msm_vma *vma, *next;

	list_for_each_entry_safe(vma, next, vmas, node) {
		kmem_cache_free(vma_cache, vma);
		cond_resched();
	}

	INIT_LIST_HEAD(vmas);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_reserve_free_vmas);

/**
 * msm_vm_reserve_vm_bo - &drm_gpuvm_ops.vm_bo_alloc
 *
 * May sleep.
 *
 * Return: what connects a BO with a VM, zeroed, for kfree(); or NULL.
 */
struct drm_gpuvm_bo *msm_vm_reserve_vm_bo(void)
{
	return kzalloc(sizeof(struct drm_gpuvm_bo), GFP_RESERVE | __GFP_ACCOUNT);
}

/**
 * msm_vm_reserve_init - make the cache of VMAs, once per module
 *
 * Return: 0 or -ENOMEM.
 */
int msm_vm_reserve_init(void)
{
	vma_cache = KMEM_CACHE(msm_vma, SLAB_ACCOUNT);

	return vma_cache ? 0 : -ENOMEM;
}

/**
 * msm_vm_reserve_exit - drop the cache of VMAs
 */
void msm_vm_reserve_exit(void)
{
	kmem_cache_destroy(vma_cache);
}
