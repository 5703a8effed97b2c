// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs "vm": the address spaces that userspace manages.
 *
 * Each open file with a VM: what is mapped where, which memory its page tables
 * take, what was done to them lately.  The mappings are those of the VMA tree;
 * the log has what has reached the page table, so the two differ while binds
 * wait.  It ends with the last of all edits: who reads it often enough can
 * number them, and knows when some are missing.
 */

#include <linux/dma-resv.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>
#include <uapi/drm/msm_drm.h>

#include "../msm_drv.h"
#include "../msm_gem.h"
#include "msm_vm.h"
#include "msm_vm_debugfs.h"
#include "msm_vma.h"

static void show_vma(struct seq_file *m, const struct drm_gpuva *va)
{
	const struct msm_vma *vma = container_of_const(va, struct msm_vma, base);

	seq_printf(m, "  %012llx-%012llx ", va->va.addr,
		   va->va.addr + va->va.range);
	if (va->gem.obj)
		seq_printf(m, "BO of %zu bytes at offset 0x%llx",
			   va->gem.obj->size, va->gem.offset);
	else
		seq_puts(m, "null");
	seq_puts(m, vma->flags & MSM_VM_BIND_OP_DUMP ? ", dump\n" : "\n");
}

static int show_tree(struct seq_file *m, struct msm_vm *vm)
{
	struct dma_resv *resv = drm_gpuvm_resv(&vm->base);
	struct drm_gpuva *va;
	u32 count = 0;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;

	drm_gpuvm_for_each_va(va, &vm->base) {
		show_vma(m, va);
		count++;
	}
	dma_resv_unlock(resv);
	seq_printf(m, "  mappings: %u\n", count);

	return 0;
}

static int show_log(struct seq_file *m, struct msm_vm *vm)
{
	struct msm_vm_log_counts counts;
	struct msm_vm_log_entry *entries;
	u32 i, count;

	entries = kcalloc(MSM_VM_LOG_SIZE, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;

	count = msm_vm_log_read(&vm->log, entries, &counts);
	seq_printf(m, "  binds: %llu, operations: %llu, edits: %llu\n",
		   counts.binds, counts.requests, counts.total);
	for (i = 0; i < count; i++)
		seq_printf(m, "  log: %s:%u: %012llx-%012llx\n",
			   msm_vm_log_name(entries[i].kind), entries[i].queue,
			   entries[i].iova, entries[i].iova + entries[i].range);
	kfree(entries);

	return 0;
}

static int show_vm(struct seq_file *m, struct msm_vm *vm)
{
	int ret;

	seq_printf(m, "VM of pid %d, %012llx-%012llx, %s\n",
		   pid_nr(vm->aspace->pid), vm->base.mm_start,
		   vm->base.mm_start + vm->base.mm_range,
		   msm_vm_usable(vm) ? "live" : "dead");
	seq_printf(m, "  page tables: %ld, pages set aside: %llu\n",
		   atomic_long_read(&vm->tables.made) + 1,
		   READ_ONCE(vm->tables.pool.count));

	ret = show_tree(m, vm);
	if (ret)
		return ret;

	return show_log(m, vm);
}

/**
 * msm_vm_debugfs_show - show all VMs of a device
 * @m: of a &drm_info_node
 * @arg: not used
 *
 * Return: 0, -ENOMEM, or -EINTR when a signal came.
 */
int msm_vm_debugfs_show(struct seq_file *m, void *arg)
{
	struct drm_info_node *node = m->private;
	struct drm_device *dev = node->minor->dev;
	struct drm_file *file;
	int ret = 0;

	/* A file that is in the list has a context. */
	mutex_lock(&dev->filelist_mutex);
	list_for_each_entry(file, &dev->filelist, lhead) {
		struct msm_vm *vm = NULL;

		if (file->driver_priv)
			vm = msm_vm_of(file->driver_priv);
		if (vm)
			ret = show_vm(m, vm);
		if (ret)
			break;
	}
	mutex_unlock(&dev->filelist_mutex);

	return ret;
}
