// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the virtual GPU reads and writes memory.
 *
 * Each access goes page by page through the SMMU, checks what the mapping
 * allows, and touches the page by its physical address.  It promises to
 * allocate nothing, to hold no lock but the GPU's own, and that one for a page
 * at most; so a job can run while the kernel reclaims memory.
 *
 * Terms: privileged accesses may use mappings that are closed to user command
 * streams.  The PRR page swallows writes and reads as zero.
 *
 * Trap: the CPU polls words that the GPU writes.  Aligned words of 4 and 8
 * bytes are therefore accessed whole; anything else is a plain copy.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "vgpu_hw_internal.h"

/*
 * One access that stays within a page.  @to is NULL for a write, @from for a
 * read.
 */
struct mem_op {
	const struct vgpu_access *access;
	u64 iova;
	void *to;
	const void *from;
	u32 size;
};

static void mem_copy(void *to, const void *from, u32 size)
{
	uintptr_t both = (uintptr_t)to | (uintptr_t)from;

	if (size == sizeof(u32) && IS_ALIGNED(both, sizeof(u32)))
		WRITE_ONCE(*(u32 *)to, READ_ONCE(*(const u32 *)from));
	else if (size == sizeof(u64) && IS_ALIGNED(both, sizeof(u64)))
		WRITE_ONCE(*(u64 *)to, READ_ONCE(*(const u64 *)from));
	else
		memcpy(to, from, size);
}

static void mem_touch_page(const struct mem_op *op, phys_addr_t pa)
{
	void *page = kmap_local_page(pfn_to_page(PHYS_PFN(pa)));

	if (op->to)
		mem_copy(op->to, page + offset_in_page(pa), op->size);
	else
		mem_copy(page + offset_in_page(pa), op->from, op->size);

	kunmap_local(page);
}

static bool mem_is_prr(struct vgpu_hw *hw, phys_addr_t pa)
{
	return hw->smmu.prr_enabled &&
	       (pa & ~(phys_addr_t)(VGPU_PAGE_SIZE - 1)) == hw->smmu.prr;
}

static u32 mem_access(struct vgpu_hw *hw, const struct mem_op *op)
{
	enum vgpu_engine engine = op->access->engine;
	struct vgpu_leaf leaf;
	phys_addr_t pa;
	u32 fsr;

	fsr = vgpu_smmu_translate(hw, op->iova, &leaf);
	if (fsr)
		return fsr;
	if (leaf.perm & VGPU_PERM_PRIV && !op->access->priv)
		return VGPU_HW_FSR_PF;
	if (leaf.perm & VGPU_PERM_RDONLY && !op->to)
		return VGPU_HW_FSR_PF;

	pa = leaf.pa + (op->iova - leaf.va);
	if (mem_is_prr(hw, pa)) {
		if (op->to) {
			memset(op->to, 0, op->size);
			hw->stats.prr_reads++;
		} else {
			hw->stats.prr_writes++;
		}
		return 0;
	}

	if (!pfn_valid(PHYS_PFN(pa)))
		return VGPU_HW_FSR_EF;

	mem_touch_page(op, pa);
	if (op->to)
		hw->stats.read_bytes[engine] += op->size;
	else
		hw->stats.write_bytes[engine] += op->size;

	return 0;
}

static bool mem_inject(struct vgpu_hw *hw, const struct vgpu_access *access)
{
	return access->user &&
	       ++hw->inject.accesses == hw->config.fault_at_access;
}

static int mem_page(struct vgpu_hw *hw, const struct mem_op *op)
{
	unsigned long flags;
	u32 fsr;
	int ret;

	do {
		spin_lock_irqsave(&hw->lock, flags);
		if (vgpu_hw_canceled(hw)) {
			spin_unlock_irqrestore(&hw->lock, flags);
			return -ECANCELED;
		}
		if (mem_inject(hw, op->access))
			fsr = VGPU_HW_FSR_TF;
		else
			fsr = mem_access(hw, op);
		spin_unlock_irqrestore(&hw->lock, flags);
		if (!fsr)
			return 0;

		ret = vgpu_smmu_raise_fault(hw, op->iova, !op->to, fsr);
	} while (ret > 0);

	if (!ret && op->to)
		memset(op->to, 0, op->size);

	return ret;
}

static int mem_pages(struct vgpu_hw *hw, struct mem_op *op, size_t size)
{
	while (size) {
		u32 offset, done;
		int ret;

		op->iova &= VGPU_VA_MASK;
		offset = op->iova & (VGPU_PAGE_SIZE - 1);
		done = min_t(size_t, size, VGPU_PAGE_SIZE - offset);
		op->size = done;
		ret = mem_page(hw, op);
		if (ret)
			return ret;

		op->iova += done;
		if (op->to)
			op->to += done;
		else
			op->from += done;
		size -= done;
		cond_resched();
	}

	return 0;
}

/**
 * vgpu_mem_read - read memory
 * @hw: the GPU
 * @access: who reads
 * @iova: where; bits above the 49th are ignored
 * @data: out: what was read, zero where the access was terminated
 * @size: in bytes
 *
 * Context: the CP thread, no lock held; may sleep.
 * Return: 0, or -ECANCELED after a reset.
 */
int vgpu_mem_read(struct vgpu_hw *hw, const struct vgpu_access *access,
		  u64 iova, void *data, size_t size)
{
	struct mem_op op = { .access = access, .iova = iova, .to = data };

	return mem_pages(hw, &op, size);
}

/**
 * vgpu_mem_write - write memory
 * @hw: the GPU
 * @access: who writes
 * @iova: where; bits above the 49th are ignored
 * @data: what
 * @size: in bytes
 *
 * What a terminated access would have written is lost.
 *
 * Context: the CP thread, no lock held; may sleep.
 * Return: 0, or -ECANCELED after a reset.
 */
int vgpu_mem_write(struct vgpu_hw *hw, const struct vgpu_access *access,
		   u64 iova, const void *data, size_t size)
{
	struct mem_op op = { .access = access, .iova = iova, .from = data };

	return mem_pages(hw, &op, size);
}
