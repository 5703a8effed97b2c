// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table walker of the virtual SMMU.
 *
 * It reads VMSAv8-64 stage 1 tables with a 4 KiB granule the way the Arm
 * Architecture Reference Manual (DDI 0487, chapter D8) describes them, and
 * knows nothing of the code that builds them: two implementations that must
 * agree.
 *
 * It promises to read each descriptor once and whole, so that the CPU may
 * change tables meanwhile, and to touch nothing but the tables.  The caller
 * makes sure that a table is not freed under it, by holding the lock that an
 * invalidation takes.
 *
 * Terms: a descriptor is invalid, or points to the next table, or is a leaf.
 * A leaf at the last level is a page, above it a block.  The contiguous hint
 * says that 16 aligned neighbours form one larger leaf.  Table descriptors
 * hand restrictions down (APTable); they can only take rights away.
 *
 * Traps: hardware update of the access flag and the dirty state is not
 * modelled, because the driver does not ask for it; a leaf without the access
 * flag faults.  Bits 63:49 of an address do not reach the SMMU.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include <kunit/visibility.h>

#include "vgpu_hw_internal.h"

/* TCR_EL1 */
#define WALK_TCR_T0SZ		GENMASK_ULL(5, 0)
#define WALK_TCR_EPD0		BIT_ULL(7)
#define WALK_TCR_TG0		GENMASK_ULL(15, 14)
#define WALK_TCR_TG0_4K		0
#define WALK_TCR_T1SZ		GENMASK_ULL(21, 16)
#define WALK_TCR_EPD1		BIT_ULL(23)
#define WALK_TCR_TG1		GENMASK_ULL(31, 30)
#define WALK_TCR_TG1_4K		2
#define WALK_TCR_IPS		GENMASK_ULL(34, 32)
#define WALK_TCR_HPD0		BIT_ULL(41)
#define WALK_TCR_HPD1		BIT_ULL(42)

#define TXSZ_MIN	16
#define TXSZ_MAX	39

/* Descriptors */
#define DESC_VALID	BIT_ULL(0)
#define DESC_TABLE	BIT_ULL(1)	/* at the last level: a page */
#define DESC_AP_UNPRIV	BIT_ULL(6)
#define DESC_AP_RDONLY	BIT_ULL(7)
#define DESC_AF		BIT_ULL(10)
#define DESC_CONTIG	BIT_ULL(52)
#define DESC_APT_PRIV	BIT_ULL(61)
#define DESC_APT_RDONLY	BIT_ULL(62)
#define DESC_PA_BITS	48

#define WALK_TTBR_BADDR		GENMASK_ULL(47, 1)

#define LEVEL_BITS	9
#define CONTIG_BITS	4
#define FIRST_BLOCK	1		/* blocks at level 1 and below */

static u32 walk_txsz(const struct vgpu_hw_cb *cb, u64 iova)
{
	if (iova & VGPU_VA_TTBR1)
		return FIELD_GET(WALK_TCR_T1SZ, cb->tcr);
	return FIELD_GET(WALK_TCR_T0SZ, cb->tcr);
}

static bool walk_enabled(const struct vgpu_hw_cb *cb, u64 iova)
{
	if (iova & VGPU_VA_TTBR1)
		return !(cb->tcr & WALK_TCR_EPD1) &&
		       FIELD_GET(WALK_TCR_TG1, cb->tcr) == WALK_TCR_TG1_4K;
	return !(cb->tcr & WALK_TCR_EPD0) &&
	       FIELD_GET(WALK_TCR_TG0, cb->tcr) == WALK_TCR_TG0_4K;
}

static bool walk_inherits(const struct vgpu_hw_cb *cb, u64 iova)
{
	return !(cb->tcr & (iova & VGPU_VA_TTBR1 ? WALK_TCR_HPD1 : WALK_TCR_HPD0));
}

/* Output addresses beyond the implemented size are a fault of their own. */
static bool walk_pa_fits(const struct vgpu_hw_cb *cb, u64 pa)
{
	static const u8 bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };

	return !(pa >> bits[FIELD_GET(WALK_TCR_IPS, cb->tcr)]);
}

static bool walk_read(u64 pa, u64 *desc)
{
	u64 *table;

	if (!pfn_valid(PHYS_PFN(pa)))
		return false;

	table = kmap_local_page(pfn_to_page(PHYS_PFN(pa)));
	*desc = le64_to_cpu(READ_ONCE(*(__le64 *)((void *)table +
						  offset_in_page(pa))));
	kunmap_local(table);

	return true;
}

/**
 * vgpu_walk_root - find the root table for an address
 * @cb: context bank
 * @iova: address, %VGPU_VA_BITS wide
 * @table: out: the root table
 *
 * The input address size sets the level at which a walk starts and, unless it
 * is a multiple of what a level resolves, makes the root table smaller than a
 * page (D8.2.1).
 *
 * Return: 0, or the VGPU_HW_FSR_* bit of the fault.
 */
u32 vgpu_walk_root(const struct vgpu_hw_cb *cb, u64 iova,
		   struct vgpu_table *table)
{
	u32 txsz = walk_txsz(cb, iova);
	u64 low = iova & ~VGPU_VA_TTBR1;
	u32 bits, level;
	u64 unused, base;

	if (!walk_enabled(cb, iova) || txsz < TXSZ_MIN || txsz > TXSZ_MAX)
		return VGPU_HW_FSR_TF;

	/* Bits that the tables do not resolve are copies of the top one. */
	bits = 64 - txsz;
	unused = GENMASK_ULL(VGPU_VA_BITS - 2, 0) & ~GENMASK_ULL(bits - 1, 0);
	if ((low & unused) != (iova & VGPU_VA_TTBR1 ? unused : 0))
		return VGPU_HW_FSR_TF;

	level = VGPU_LAST_LEVEL - (bits - VGPU_PAGE_SHIFT - 1) / LEVEL_BITS;
	base = cb->ttbr[!!(iova & VGPU_VA_TTBR1)] & WALK_TTBR_BADDR;
	if (!walk_pa_fits(cb, base))
		return VGPU_HW_FSR_ASF;

	table->level = level;
	table->entries = bits - vgpu_level_shift(level);
	table->perm = 0;
	/* The table is aligned to its size, and to 64 bytes at least. */
	table->pa = base & ~GENMASK_ULL(max(table->entries + 3, 6) - 1, 0);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_walk_root);

static u32 walk_leaf(const struct vgpu_hw_cb *cb, u64 iova, u64 desc,
		     const struct vgpu_table *table, struct vgpu_leaf *leaf)
{
	u32 shift = vgpu_level_shift(table->level);
	u64 pa = desc & GENMASK_ULL(DESC_PA_BITS - 1, shift);

	if (!walk_pa_fits(cb, pa))
		return VGPU_HW_FSR_ASF;
	if (!(desc & DESC_AF))
		return VGPU_HW_FSR_AFF;

	leaf->shift = shift;
	leaf->perm = table->perm;
	if (desc & DESC_AP_RDONLY)
		leaf->perm |= VGPU_PERM_RDONLY;
	if (!(desc & DESC_AP_UNPRIV))
		leaf->perm |= VGPU_PERM_PRIV;

	/*
	 * The hint promises that all 16 say the same.  Where this one alone
	 * shows that they cannot, hardware may do as it likes: ignore the hint.
	 */
	if (desc & DESC_CONTIG) {
		u64 index = GENMASK_ULL(shift + CONTIG_BITS - 1, shift);

		if ((iova & index) == (pa & index)) {
			leaf->shift += CONTIG_BITS;
			pa &= ~index;
		}
	}

	leaf->pa = pa;
	leaf->va = iova & ~GENMASK_ULL(leaf->shift - 1, 0);

	return 0;
}

static u32 walk_next(const struct vgpu_hw_cb *cb, u64 iova, u64 desc,
		     struct vgpu_table *table)
{
	u64 pa = desc & GENMASK_ULL(DESC_PA_BITS - 1, VGPU_PAGE_SHIFT);

	if (!walk_pa_fits(cb, pa))
		return VGPU_HW_FSR_ASF;

	if (walk_inherits(cb, iova)) {
		if (desc & DESC_APT_RDONLY)
			table->perm |= VGPU_PERM_RDONLY;
		if (desc & DESC_APT_PRIV)
			table->perm |= VGPU_PERM_PRIV;
	}

	table->pa = pa;
	table->level++;
	table->entries = LEVEL_BITS;

	return 0;
}

/**
 * vgpu_walk_step - read one descriptor
 * @cb: context bank
 * @iova: address, %VGPU_VA_BITS wide
 * @table: in: the table to look in; out: the next one, if there is one
 * @leaf: out: the translation; shift is 0 if the walk goes on at @table
 *
 * Return: 0, or the VGPU_HW_FSR_* bit of the fault.
 */
u32 vgpu_walk_step(const struct vgpu_hw_cb *cb, u64 iova,
		   struct vgpu_table *table, struct vgpu_leaf *leaf)
{
	u32 shift = vgpu_level_shift(table->level);
	u64 index = (iova >> shift) & GENMASK_ULL(table->entries - 1, 0);
	bool last = table->level == VGPU_LAST_LEVEL;
	u64 desc;

	leaf->shift = 0;
	if (!walk_read(table->pa + index * sizeof(desc), &desc))
		return VGPU_HW_FSR_EF;

	if (!(desc & DESC_VALID))
		return VGPU_HW_FSR_TF;
	if (!last && desc & DESC_TABLE)
		return walk_next(cb, iova, desc, table);
	if (last != !!(desc & DESC_TABLE) || table->level < FIRST_BLOCK)
		return VGPU_HW_FSR_TF;

	return walk_leaf(cb, iova, desc, table, leaf);
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_walk_step);

/**
 * vgpu_walk - translate an address by the tables in memory alone
 * @cb: context bank
 * @iova: address, %VGPU_VA_BITS wide
 * @leaf: out: the translation
 *
 * Return: 0, or the VGPU_HW_FSR_* bit of the fault.
 */
u32 vgpu_walk(const struct vgpu_hw_cb *cb, u64 iova, struct vgpu_leaf *leaf)
{
	struct vgpu_table table;
	u32 fsr;

	fsr = vgpu_walk_root(cb, iova, &table);
	if (fsr)
		return fsr;

	do
		fsr = vgpu_walk_step(cb, iova, &table, leaf);
	while (!fsr && !leaf->shift);

	return fsr;
}
EXPORT_SYMBOL_IF_KUNIT(vgpu_walk);
