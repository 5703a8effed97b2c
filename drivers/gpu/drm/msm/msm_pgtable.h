/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_PGTABLE_H__
#define __MSM_PGTABLE_H__

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct msm_mmu;
struct msm_pgtable;
struct page;

/**
 * struct msm_pgtable_pages - zeroed pages set aside to become page tables
 * @lock: guards the rest; taken on the fence signalling path
 * @list: the pages, linked through page->lru
 * @count: how many there are
 */
struct msm_pgtable_pages {
	spinlock_t lock;	/* of @list and @count */
	struct list_head list;
	u64 count;
};

/**
 * msm_pgtable_pages_init - start with nothing set aside
 * @pages: the set
 */
static inline void msm_pgtable_pages_init(struct msm_pgtable_pages *pages)
{
	spin_lock_init(&pages->lock);
	INIT_LIST_HEAD(&pages->list);
	pages->count = 0;
}

int msm_pgtable_pages_fill(struct msm_pgtable_pages *pages, u64 count);
void msm_pgtable_pages_drop(struct msm_pgtable_pages *pages);
void msm_pgtable_pages_release(struct msm_pgtable_pages *pages);

struct msm_pgtable *msm_pgtable_create(struct msm_mmu *parent);
void msm_pgtable_destroy(struct msm_pgtable *pt);
struct msm_mmu *msm_pgtable_mmu(struct msm_pgtable *pt);
unsigned int msm_pgtable_ias(struct msm_pgtable *pt);
struct page *msm_pgtable_prr_page(struct msm_pgtable *pt);

void msm_pgtable_lend(struct msm_pgtable *pt, struct msm_pgtable_pages *pages);
int msm_pgtable_map(struct msm_pgtable *pt, u64 iova, struct page **pages,
		    u64 size, int prot);
bool msm_pgtable_has_null(struct msm_pgtable *pt);
int msm_pgtable_map_null(struct msm_pgtable *pt, u64 iova, u64 size);
void msm_pgtable_unmap(struct msm_pgtable *pt, u64 iova, u64 size);
void msm_pgtable_unmap_sparse(struct msm_pgtable *pt, u64 iova, u64 size);
void msm_pgtable_flush(struct msm_pgtable *pt);

#endif /* __MSM_PGTABLE_H__ */
