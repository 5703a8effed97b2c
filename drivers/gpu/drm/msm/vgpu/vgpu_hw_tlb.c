// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TLB of the virtual SMMU: translations and pointers to tables.
 *
 * It keeps an entry until it is told to drop it or needs the room, and it
 * looks at memory never.  That is its purpose: a driver that forgets an
 * invalidation, or asks for one too early or too small, sees its GPU use the
 * old page.
 *
 * It promises to hold at most so many entries as configured, to pick victims
 * by a seeded sequence, and that after vgpu_tlb_drop() nothing that overlaps
 * the range is left.
 *
 * Terms: a leaf is a translation of one page, block or contiguous group.  A
 * table is a pointer to the next table, valid for all addresses that the
 * descriptor resolves; dropping leaves only ("last level") keeps tables, so a
 * table page that is freed needs the wider kind of invalidation.
 *
 * Trap: entries of different sizes may overlap if the tables were changed
 * without invalidation.  The smallest one wins, as hardware may choose.
 */
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"

#define TLB_BUCKET_BITS		11
#define TLB_BUCKETS		BIT(TLB_BUCKET_BITS)

/**
 * vgpu_tlb_init - set memory aside for the largest TLB
 * @tlb: zeroed
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int vgpu_tlb_init(struct vgpu_tlb *tlb)
{
	tlb->entries = kvcalloc(VGPU_TLB_MAX, sizeof(*tlb->entries), GFP_KERNEL);
	tlb->buckets = kvcalloc(TLB_BUCKETS, sizeof(*tlb->buckets), GFP_KERNEL);
	if (tlb->entries && tlb->buckets)
		return 0;

	vgpu_tlb_fini(tlb);
	return -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_init);

/**
 * vgpu_tlb_fini - give the memory back
 * @tlb: initialized
 */
void vgpu_tlb_fini(struct vgpu_tlb *tlb)
{
	kvfree(tlb->buckets);
	kvfree(tlb->entries);
	tlb->buckets = NULL;
	tlb->entries = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_fini);

/**
 * vgpu_tlb_configure - drop everything and restart the sequence of victims
 * @tlb: the TLB
 * @config: size, eviction and seed
 */
void vgpu_tlb_configure(struct vgpu_tlb *tlb, const struct vgpu_config *config)
{
	vgpu_tlb_drop_all(tlb);
	tlb->limit = config->tlb_entries;
	tlb->evict_one_in = config->tlb_evict_one_in;
	prandom_seed_state(&tlb->rnd, config->seed);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_configure);

static struct hlist_head *tlb_bucket(struct vgpu_tlb *tlb, u64 va, u32 shift,
				     bool is_table)
{
	u64 key = va | (u64)shift << 1 | is_table;

	return &tlb->buckets[hash_64(key, TLB_BUCKET_BITS)];
}

static struct vgpu_tlb_entry *tlb_find(struct vgpu_tlb *tlb, u64 iova,
				       u32 shift, bool is_table)
{
	u64 va = iova & ~GENMASK_ULL(shift - 1, 0);
	struct vgpu_tlb_entry *entry;

	hlist_for_each_entry(entry, tlb_bucket(tlb, va, shift, is_table), node)
		if (entry->va == va && entry->shift == shift &&
		    entry->is_table == is_table)
			return entry;

	return NULL;
}

static void tlb_count(struct vgpu_tlb *tlb, const struct vgpu_tlb_entry *entry,
		      int step)
{
	u64 *kinds = entry->is_table ? &tlb->tables : &tlb->leaves;
	u32 *nr = &tlb->nr[entry->is_table][entry->shift];

	*nr += step;
	if (*nr)
		*kinds |= BIT_ULL(entry->shift);
	else
		*kinds &= ~BIT_ULL(entry->shift);
}

static void tlb_link(struct vgpu_tlb *tlb, struct vgpu_tlb_entry *entry)
{
	hlist_add_head(&entry->node, tlb_bucket(tlb, entry->va, entry->shift,
						entry->is_table));
}

/* Entries in use stay dense: the last one moves into the hole. */
static void tlb_remove(struct vgpu_tlb *tlb, struct vgpu_tlb_entry *entry)
{
	struct vgpu_tlb_entry *last = &tlb->entries[--tlb->used];

	tlb_count(tlb, entry, -1);
	hlist_del(&entry->node);
	if (entry == last)
		return;

	hlist_del(&last->node);
	*entry = *last;
	tlb_link(tlb, entry);
}

static void tlb_evict(struct vgpu_tlb *tlb)
{
	u32 victim = prandom_u32_state(&tlb->rnd) % tlb->used;

	tlb_remove(tlb, &tlb->entries[victim]);
	tlb->evictions++;
}

static void tlb_add(struct vgpu_tlb *tlb, const struct vgpu_tlb_entry *new)
{
	struct vgpu_tlb_entry *entry;

	entry = tlb_find(tlb, new->va, new->shift, new->is_table);
	if (entry)
		tlb_remove(tlb, entry);

	if (tlb->used >= tlb->limit)
		tlb_evict(tlb);
	else if (tlb->used && tlb->evict_one_in &&
		 !(prandom_u32_state(&tlb->rnd) % tlb->evict_one_in))
		tlb_evict(tlb);

	entry = &tlb->entries[tlb->used++];
	*entry = *new;
	tlb_link(tlb, entry);
	tlb_count(tlb, entry, 1);
}

/**
 * vgpu_tlb_find_leaf - look a translation up
 * @tlb: the TLB
 * @iova: address
 * @leaf: out: the translation
 *
 * Return: whether there is one.
 */
bool vgpu_tlb_find_leaf(struct vgpu_tlb *tlb, u64 iova, struct vgpu_leaf *leaf)
{
	u64 kinds = tlb->leaves;

	while (kinds) {
		struct vgpu_tlb_entry *entry;
		u32 shift = __ffs64(kinds);

		kinds &= kinds - 1;
		entry = tlb_find(tlb, iova, shift, false);
		if (!entry)
			continue;

		leaf->va = entry->va;
		leaf->pa = entry->pa;
		leaf->shift = entry->shift;
		leaf->perm = entry->perm;
		return true;
	}

	return false;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_find_leaf);

/**
 * vgpu_tlb_find_table - look the deepest known table up
 * @tlb: the TLB
 * @iova: address
 * @table: out: where a walk can start
 *
 * Return: whether there is one.
 */
bool vgpu_tlb_find_table(struct vgpu_tlb *tlb, u64 iova,
			 struct vgpu_table *table)
{
	u64 kinds = tlb->tables;

	while (kinds) {
		struct vgpu_tlb_entry *entry;
		u32 shift = __ffs64(kinds);

		kinds &= kinds - 1;
		entry = tlb_find(tlb, iova, shift, true);
		if (!entry)
			continue;

		table->pa = entry->pa;
		table->perm = entry->perm;
		table->entries = 9;
		table->level = VGPU_LAST_LEVEL + 1 -
			       (shift - VGPU_PAGE_SHIFT) / 9;
		return true;
	}

	return false;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_find_table);

/**
 * vgpu_tlb_add_leaf - remember a translation
 * @tlb: the TLB
 * @leaf: the translation
 */
void vgpu_tlb_add_leaf(struct vgpu_tlb *tlb, const struct vgpu_leaf *leaf)
{
	struct vgpu_tlb_entry entry = {
		.va = leaf->va,
		.pa = leaf->pa,
		.shift = leaf->shift,
		.perm = leaf->perm,
	};

	tlb_add(tlb, &entry);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_add_leaf);

/**
 * vgpu_tlb_add_table - remember a table that a walk has come to
 * @tlb: the TLB
 * @iova: address that was walked
 * @table: a table below the root
 */
void vgpu_tlb_add_table(struct vgpu_tlb *tlb, u64 iova,
			const struct vgpu_table *table)
{
	u32 shift = vgpu_level_shift(table->level - 1);
	struct vgpu_tlb_entry entry = {
		.va = iova & ~GENMASK_ULL(shift - 1, 0),
		.pa = table->pa,
		.shift = shift,
		.perm = table->perm,
		.is_table = true,
	};

	tlb_add(tlb, &entry);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_add_table);

/**
 * vgpu_tlb_drop - drop what overlaps a range
 * @tlb: the TLB
 * @iova: first address
 * @size: of the range in bytes
 * @tables: table pointers as well as translations
 */
void vgpu_tlb_drop(struct vgpu_tlb *tlb, u64 iova, u64 size, bool tables)
{
	u32 i = tlb->used;

	if (!size)
		return;

	/* Backwards, because removal fills the hole from the end. */
	while (i--) {
		struct vgpu_tlb_entry *entry = &tlb->entries[i];
		u64 last = entry->va + GENMASK_ULL(entry->shift - 1, 0);

		if (entry->is_table && !tables)
			continue;
		if (last >= iova && entry->va <= iova + (size - 1))
			tlb_remove(tlb, entry);
	}
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_drop);

/**
 * vgpu_tlb_drop_all - drop everything
 * @tlb: the TLB
 */
void vgpu_tlb_drop_all(struct vgpu_tlb *tlb)
{
	while (tlb->used)
		tlb_remove(tlb, &tlb->entries[tlb->used - 1]);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_tlb_drop_all);
