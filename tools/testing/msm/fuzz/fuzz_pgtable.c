// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table that the VMA core edits, and what the TLB may hold of it.
 *
 * Each single edit is checked: a map meets only empty entries, an unmap only
 * live ones, and an entry is not made while the TLB may still hold another one
 * for the address.  A page that is freed is in neither.
 */
#include "fuzz_vma.h"

/* Stands for the page that reads zero. */
static char null_frame;
#define NULL_PAGE ((struct page *)&null_frame)

static struct {
	struct page *entry[PAGES];
	struct page *stale[PAGES];	/* in the TLB, no more in the table */
	u32 fail;			/* the map after so many page edits */
} table;

void fuzz_pgtable_init(void)
{
	memset(&table, 0, sizeof(table));
	table.fail = ~0u;
}

/* Let the maps fail after so many entries. */
void fuzz_pgtable_fail(u32 entries)
{
	table.fail = entries;
}

static u32 index_of(u64 iova, u64 size)
{
	shim_check(iova >= BASE && size && iova - BASE + size <= PAGES * PAGE_SIZE,
		   "%llx + %llx", iova, size);
	return (iova - BASE) >> PAGE_SHIFT;
}

static int make(u32 i, struct page *page)
{
	if (!table.fail)
		return -ENOMEM;
	table.fail--;
	shim_check(!table.entry[i], "page %u is mapped", i);
	shim_check(!table.stale[i], "page %u: another one is in the TLB", i);
	table.entry[i] = page;
	return 0;
}

static void clear(u32 i)
{
	table.stale[i] = table.entry[i];
	table.entry[i] = NULL;
}

int msm_pgtable_map(struct msm_pgtable *pt, u64 iova, struct page **pages,
		    u64 size, int prot)
{
	u32 first = index_of(iova, size), i;
	int ret = 0;

	for (i = 0; i < size >> PAGE_SHIFT && !ret; i++)
		ret = make(first + i, pages[i]);
	return ret;
}

int msm_pgtable_map_null(struct msm_pgtable *pt, u64 iova, u64 size)
{
	u32 first = index_of(iova, size), i;
	int ret = 0;

	for (i = 0; i < size >> PAGE_SHIFT && !ret; i++)
		ret = make(first + i, NULL_PAGE);
	return ret;
}

void msm_pgtable_unmap(struct msm_pgtable *pt, u64 iova, u64 size)
{
	u32 first = index_of(iova, size), i;

	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		shim_check(table.entry[first + i], "page %u is not mapped",
			   first + i);
		clear(first + i);
	}
}

void msm_pgtable_unmap_sparse(struct msm_pgtable *pt, u64 iova, u64 size)
{
	u32 first = index_of(iova, size), i;

	for (i = 0; i < size >> PAGE_SHIFT; i++)
		if (table.entry[first + i])
			clear(first + i);
}

u64 msm_vm_run_clear(struct msm_vm *vm, u64 iova, u64 last)
{
	msm_pgtable_unmap_sparse(vm->pt, iova, last - iova + 1);

	return last + 1;
}

void msm_pgtable_flush(struct msm_pgtable *pt)
{
	memset(table.stale, 0, sizeof(table.stale));
}

static int target_map(void *cookie, u64 iova, struct page **pages, u64 size,
		      int prot)
{
	return msm_pgtable_map(cookie, iova, pages, size, prot);
}

static int target_map_null(void *cookie, u64 iova, u64 size)
{
	return msm_pgtable_map_null(cookie, iova, size);
}

static void target_unmap(void *cookie, u64 iova, u64 size)
{
	msm_pgtable_unmap(cookie, iova, size);
}

static void target_unmap_sparse(void *cookie, u64 iova, u64 size)
{
	msm_pgtable_unmap_sparse(cookie, iova, size);
}

static void target_flush(void *cookie)
{
	msm_pgtable_flush(cookie);
}

const struct msm_pt_target fuzz_pgtable_target = {
	.map = target_map,
	.map_null = target_map_null,
	.unmap = target_unmap,
	.unmap_sparse = target_unmap_sparse,
	.flush = target_flush,
};

void fuzz_pgtable_check_flushed(void)
{
	u32 i;

	for (i = 0; i < PAGES; i++)
		shim_check(!table.stale[i], "page %u is still in the TLB", i);
}

static bool is_page_of(const struct page *page, const struct fuzz_bo *bo)
{
	const char *frame = (const char *)page;

	return frame >= bo->frames && frame < bo->frames + BO_PAGES;
}

/* @bo loses its pages now. */
void fuzz_pgtable_check_gone(const struct fuzz_bo *bo)
{
	u32 i;

	for (i = 0; i < PAGES; i++) {
		shim_check(!is_page_of(table.entry[i], bo),
			   "page %u: the BO loses its pages", i);
		shim_check(!is_page_of(table.stale[i], bo),
			   "page %u: the BO loses its pages, TLB", i);
	}
}

/*
 * With nothing in flight the table is what the model says; that of a dead VM
 * may lack entries.
 */
void fuzz_pgtable_compare(const struct fuzz_model *model, bool dead)
{
	u32 i;

	for (i = 0; i < PAGES; i++) {
		const struct fuzz_owner *owner = &model->owner[i];
		struct page *want = NULL;

		if (owner->live)
			want = owner->bo ? owner->bo->pages[owner->offset] :
					   NULL_PAGE;
		if (dead && !table.entry[i])
			continue;
		shim_check(table.entry[i] == want, "page %u: %p, not %p", i,
			   table.entry[i], want);
	}
}
