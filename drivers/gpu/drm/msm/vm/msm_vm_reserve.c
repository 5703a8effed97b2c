// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a bind job must set aside, and the VMAs that it sets aside.
 *
 * Page tables: a job reserves one page for each table that its mappings touch,
 * below the root.  A table that several of them touch counts once, in whatever
 * order they were listed.  Tables that exist already are counted as well, and
 * their pages are given back after the job.
 *
 * VMAs: the worst case of each request, see MSM_VMA_MAX_PER_MAP.
 *
 * Terms: with pages of 4 KiB each level resolves nine bits; a table of the
 * last level spans 2 MiB, the next ones 1 GiB and 512 GiB.  Other page sizes
 * follow from PAGE_SHIFT, as entries are always eight bytes (Arm ARM, D8.2).
 */

#include <linux/export.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <kunit/visibility.h>

#include "msm_vm_reserve.h"
#include "msm_vma.h"

#define BITS_PER_LEVEL	(PAGE_SHIFT - 3)

static struct kmem_cache *vma_cache;

static int span_cmp(const void *a, const void *b)
{
	const struct msm_vm_span *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;

	return 0;
}

/* Tables that span 2^shift bytes and are touched; @spans is sorted. */
static u64 tables_of_level(const struct msm_vm_span *spans, u32 nr,
			   unsigned int shift)
{
	u64 next = 0, count = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		u64 first = max(spans[i].first >> shift, next);
		u64 last = spans[i].last >> shift;

		if (first > last)
			continue;

		count += last - first + 1;
		next = last + 1;
	}

	return count;
}

/**
 * msm_vm_reserve_tables - how many page tables mappings can need
 * @spans: the ranges to map, each inside the address space; will be sorted
 * @nr: number of ranges
 * @ias: input address size of the page table, in bits
 *
 * Return: the number of tables below the root that the ranges touch.
 */
u64 msm_vm_reserve_tables(struct msm_vm_span *spans, u32 nr, unsigned int ias)
{
	unsigned int shift = PAGE_SHIFT + BITS_PER_LEVEL;
	u64 count = 0;

	sort(spans, nr, sizeof(*spans), span_cmp, NULL);

	for (; shift < ias; shift += BITS_PER_LEVEL)
		count += tables_of_level(spans, nr, shift);

	return count;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_reserve_tables);

/**
 * msm_vm_reserve_vmas - set VMAs aside
 * @spare: list to put them on
 * @count: how many
 *
 * May sleep.  The VMAs are charged to the memory cgroup of the caller.
 *
 * Return: 0; or, with what could be had in @spare, -ENOMEM, or -EINTR when the
 * caller is being killed.
 */
int msm_vm_reserve_vmas(struct list_head *spare, u64 count)
{
	for (; count; count--) {
		struct msm_vma *vma;

		vma = kmem_cache_zalloc(vma_cache, GFP_KERNEL | __GFP_NOWARN |
					__GFP_RETRY_MAYFAIL);
		if (!vma)
			return -ENOMEM;

		INIT_LIST_HEAD(&vma->fresh);
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
 */
void msm_vm_reserve_free_vmas(struct list_head *vmas)
{
	struct msm_vma *vma, *next;

	list_for_each_entry_safe(vma, next, vmas, node)
		kmem_cache_free(vma_cache, vma);

	INIT_LIST_HEAD(vmas);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_reserve_free_vmas);

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
