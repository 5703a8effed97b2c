// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of a user-managed VM: the glue between drm/msm and io-pgtable.
 *
 * A page table here is edited only with pages that somebody set aside before
 * (&struct msm_pgtable_pages), because the edits happen while fences wait for
 * them: nothing in this file allocates between msm_pgtable_lend() of a set and
 * of NULL.
 *
 * Promises: msm_pgtable_unmap() never fails on a range that is mapped; a map
 * that fails leaves behind only what an unmap_sparse of its range removes.
 * No table page is freed before msm_pgtable_destroy(): entries are leaves of
 * the smallest size only, and io-pgtable-arm frees a table only when a block
 * replaces it.
 *
 * Traps: io-pgtable-arm warns when a map meets a live entry and when an unmap
 * meets a dead one, so the caller must know what is mapped;
 * msm_pgtable_unmap_sparse() is for a table whose contents are in doubt.  One
 * editor at a time, the functions do not lock.
 */

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io-pgtable.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "msm_drv.h"
#include "msm_mmu.h"
#include "msm_pgtable.h"

struct msm_pgtable {
	struct msm_mmu *mmu;
	struct io_pgtable_ops *ops;
	struct msm_iommu_table_source source;
	struct msm_pgtable_pages *lent;
	unsigned int ias;
};

/**
 * msm_pgtable_pages_fill - set pages aside
 * @pages: the set, initialized
 * @count: how many more to put in
 *
 * The pages are charged to the memory cgroup of the caller.  May sleep.
 *
 * Return: 0; or, with what could be had in the set, -ENOMEM, or -EINTR when the
 * caller is being killed.  The owner releases the set as a whole.
 */
int msm_pgtable_pages_fill(struct msm_pgtable_pages *pages, u64 count)
{
	struct page *page;

	for (; count; count--) {
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
				  __GFP_RETRY_MAYFAIL);
		if (!page)
			return -ENOMEM;
		if (fatal_signal_pending(current)) {
			__free_page(page);
			return -EINTR;
		}

		spin_lock(&pages->lock);
		list_add(&page->lru, &pages->list);
		pages->count++;
		spin_unlock(&pages->lock);
	}

	return 0;
}

static struct page *pages_take(struct msm_pgtable_pages *pages)
{
	struct page *page;

	spin_lock(&pages->lock);
	page = list_first_entry_or_null(&pages->list, struct page, lru);
	if (page) {
		list_del(&page->lru);
		pages->count--;
	}
	spin_unlock(&pages->lock);

	return page;
}

/**
 * msm_pgtable_pages_drop - give one page back
 * @pages: the set; nothing happens if it is empty
 */
void msm_pgtable_pages_drop(struct msm_pgtable_pages *pages)
{
	struct page *page = pages_take(pages);

	if (page)
		__free_page(page);
}
EXPORT_SYMBOL_IF_KUNIT(msm_pgtable_pages_drop);

/**
 * msm_pgtable_pages_release - give all pages back
 * @pages: the set; empty afterwards, so that a second call does nothing
 */
void msm_pgtable_pages_release(struct msm_pgtable_pages *pages)
{
	struct page *page;

	while ((page = pages_take(pages)))
		__free_page(page);
}

/* The root table is made before anything was lent: that one may allocate. */
static void *table_alloc(void *cookie, size_t size, gfp_t gfp)
{
	struct msm_pgtable *pt = cookie;
	struct page *page;

	if (!pt->ops)
		return alloc_pages_exact(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);

	if (WARN_ON_ONCE(size != PAGE_SIZE || !pt->lent))
		return NULL;

	page = pages_take(pt->lent);
	if (WARN_ON_ONCE(!page))
		return NULL;

	return page_address(page);
}

static void table_free(void *cookie, void *table, size_t size)
{
	free_pages_exact(table, size);
}

/**
 * msm_pgtable_create - an empty page table in the format of the GPU's SMMU
 * @parent: the MMU of the GPU's kernel-managed address space
 *
 * Return: the page table, or an ERR_PTR: -ENODEV when the SMMU has no
 * per-process page tables or its granule is not the kernel's page, -ENOMEM.
 */
struct msm_pgtable *msm_pgtable_create(struct msm_mmu *parent)
{
	struct msm_pgtable *pt;
	struct msm_mmu *mmu;

	pt = kzalloc(sizeof(*pt), GFP_KERNEL_ACCOUNT);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->source.alloc = table_alloc;
	pt->source.free = table_free;
	pt->source.cookie = pt;

	mmu = msm_iommu_pagetable_create_from(parent, &pt->source);
	if (IS_ERR(mmu)) {
		kfree(pt);
		return ERR_CAST(mmu);
	}

	pt->mmu = mmu;
	pt->ops = msm_iommu_pagetable_ops(mmu, &pt->ias);

	return pt;
}

/**
 * msm_pgtable_destroy - free the page table and all tables below it
 * @pt: the page table; no GPU job may use it any more
 *
 * Entries that are still live are dropped with their table.
 */
void msm_pgtable_destroy(struct msm_pgtable *pt)
{
	msm_pgtable_flush(pt);
	pt->mmu->funcs->destroy(pt->mmu);
	kfree(pt);
}

/**
 * msm_pgtable_mmu - the page table as the submit path sees it
 * @pt: the page table
 *
 * Return: an MMU that has a TTBR0; only msm_iommu_pagetable_params() may be
 * called on it.
 */
struct msm_mmu *msm_pgtable_mmu(struct msm_pgtable *pt)
{
	return pt->mmu;
}

/**
 * msm_pgtable_ias - input address size
 * @pt: the page table
 *
 * Return: the number of address bits that the table translates.
 */
unsigned int msm_pgtable_ias(struct msm_pgtable *pt)
{
	return pt->ias;
}

/**
 * msm_pgtable_prr_page - the page that reads as zero and drops writes
 * @pt: the page table
 *
 * The SMMU makes it so for the GPU; other readers find a page of zeros.
 *
 * Return: the page, which lives as long as @pt, or NULL if the SMMU has none.
 */
struct page *msm_pgtable_prr_page(struct msm_pgtable *pt)
{
	return msm_iommu_pagetable_prr_page(pt->mmu);
}

/**
 * msm_pgtable_lend - say where table pages come from
 * @pt: the page table
 * @pages: the set that the following maps may use up, or NULL to end that
 */
void msm_pgtable_lend(struct msm_pgtable *pt, struct msm_pgtable_pages *pages)
{
	pt->lent = pages;
}

static bool in_line(struct page **pages, s64 n)
{
	return pages[n] == nth_page(pages[0], n);
}

/*
 * Bytes from pages[0] on that are physically contiguous, @size at most.  Two
 * pages at a time: this loop is a fifth of what a MAP in one piece costs.
 */
static u64 contiguous(struct page **pages, u64 size)
{
	s64 n = 0, last = (size >> PAGE_SHIFT) - 1;

	while (n < last - 1 && in_line(pages, n + 1) && in_line(pages, n + 2))
		n += 2;
	if (n < last && in_line(pages, n + 1))
		n++;

	return (n + 1) << PAGE_SHIFT;
}

static int map_run(struct msm_pgtable *pt, u64 iova, phys_addr_t phys,
		   u64 size, int prot)
{
	while (size) {
		size_t mapped = 0;
		int ret;

		ret = pt->ops->map_pages(pt->ops, iova, phys, PAGE_SIZE,
					 size >> PAGE_SHIFT, prot, GFP_NOWAIT,
					 &mapped);
		if (ret)
			return ret;

		iova += mapped;
		phys += mapped;
		size -= mapped;
	}

	return 0;
}

/**
 * msm_pgtable_map - make entries
 * @pt: the page table
 * @iova: first address, page aligned; nothing may be mapped in the range
 * @pages: backing pages of the range
 * @size: bytes, page aligned
 * @prot: IOMMU_* permissions
 *
 * Takes table pages from what was lent; does not sleep.
 *
 * Return: 0, or an error with a part of the range mapped: -ENOMEM if too little
 * was lent or a table cannot be mapped for DMA, -ERANGE for a page beyond the
 * SMMU's output size.
 */
int msm_pgtable_map(struct msm_pgtable *pt, u64 iova, struct page **pages,
		    u64 size, int prot)
{
	while (size) {
		u64 run = contiguous(pages, size);
		int ret;

		ret = map_run(pt, iova, page_to_phys(*pages), run, prot);
		if (ret)
			return ret;

		iova += run;
		size -= run;
		pages += run >> PAGE_SHIFT;
	}

	return 0;
}

/**
 * msm_pgtable_has_null - is there a page for addresses without memory?
 * @pt: the page table
 *
 * Return: whether msm_pgtable_map_null() works.
 */
bool msm_pgtable_has_null(struct msm_pgtable *pt)
{
	return msm_pgtable_prr_page(pt);
}

/**
 * msm_pgtable_map_null - make entries that read zero and drop writes
 * @pt: the page table, which msm_pgtable_has_null()
 * @iova: first address, page aligned; nothing may be mapped in the range
 * @size: bytes, page aligned
 *
 * Otherwise as msm_pgtable_map().
 *
 * Return: as msm_pgtable_map().
 */
int msm_pgtable_map_null(struct msm_pgtable *pt, u64 iova, u64 size)
{
	phys_addr_t phys = page_to_phys(msm_pgtable_prr_page(pt));

	while (size) {
		size_t mapped = 0;
		int ret;

		ret = pt->ops->map_repeat(pt->ops, iova, phys, PAGE_SIZE,
					  size >> PAGE_SHIFT,
					  IOMMU_READ | IOMMU_WRITE, GFP_NOWAIT,
					  &mapped);
		if (ret)
			return ret;

		iova += mapped;
		size -= mapped;
	}

	return 0;
}

/**
 * msm_pgtable_unmap - clear entries
 * @pt: the page table
 * @iova: first address, page aligned; every page of the range is mapped
 * @size: bytes, page aligned
 *
 * The entries are gone from memory on return, but the GPU may use old copies
 * until msm_pgtable_flush().
 */
void msm_pgtable_unmap(struct msm_pgtable *pt, u64 iova, u64 size)
{
	while (size) {
		size_t unmapped;

		unmapped = pt->ops->unmap_pages(pt->ops, iova, PAGE_SIZE,
						size >> PAGE_SHIFT, NULL);
		if (!unmapped) {
			/* A bug, and io-pgtable has said so; but go on: */
			msm_pgtable_unmap_sparse(pt, iova, size);
			return;
		}

		iova += unmapped;
		size -= unmapped;
	}
}

/**
 * msm_pgtable_unmap_sparse - clear the entries that there are
 * @pt: the page table
 * @iova: first address, page aligned
 * @size: bytes, page aligned
 *
 * Looks at each page of the range, so it is slow: for a table in doubt only.
 */
void msm_pgtable_unmap_sparse(struct msm_pgtable *pt, u64 iova, u64 size)
{
	u64 end = iova + size;

	for (; iova < end; iova += PAGE_SIZE) {
		if (pt->ops->iova_to_phys(pt->ops, iova))
			pt->ops->unmap_pages(pt->ops, iova, PAGE_SIZE, 1, NULL);
	}
}

/**
 * msm_pgtable_flush - drop what the GPU's TLB holds
 * @pt: the page table
 *
 * After it the GPU uses only what is in the table now.
 */
void msm_pgtable_flush(struct msm_pgtable *pt)
{
	msm_iommu_pagetable_flush(pt->mmu);
}
