// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the virtual Adreno counted, as text.
 *
 * What it holds: the debugfs file "stats", one "name value" per line.  The
 * model counts from its creation; a write to the file, of whatever, makes the
 * counts of that moment the new zero.
 *
 * What it promises: all lines of one read are from one moment.
 */

#include <linux/debugfs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_device.h>
#include <drm/drm_managed.h>

#include "vgpu_drv.h"
#include "vgpu_hw.h"
#include "vgpu_stat.h"

/**
 * struct vgpu_stat - the file
 * @vgpu: whose counts it shows
 * @lock: protects the fields below
 * @zero: what to subtract
 * @now: room for one reading; too large for the stack
 */
struct vgpu_stat {
	struct vgpu *vgpu;
	struct mutex lock; /* @zero, @now */
	struct vgpu_stats zero;
	struct vgpu_stats now;
};

/**
 * struct vgpu_stat_count - one plain counter in struct vgpu_stats
 * @name: for the reader
 * @offset: in the struct, in bytes
 */
struct vgpu_stat_count {
	const char *name;
	size_t offset;
};

#define VGPU_COUNT(field) \
	{ .name = #field, .offset = offsetof(struct vgpu_stats, field) }

static const struct vgpu_stat_count vgpu_stat_counts[] = {
	VGPU_COUNT(walks),
	VGPU_COUNT(hits),
	VGPU_COUNT(stale_hits),
	VGPU_COUNT(evictions),
	VGPU_COUNT(inv_all),
	VGPU_COUNT(inv_walk),
	VGPU_COUNT(inv_page),
	VGPU_COUNT(ttbr_updates),
	VGPU_COUNT(faults),
	VGPU_COUNT(prr_reads),
	VGPU_COUNT(prr_writes),
	VGPU_COUNT(watch_checks),
	VGPU_COUNT(watch_lost),
	VGPU_COUNT(packets4),
	VGPU_COUNT(fence_irqs),
	VGPU_COUNT(lost_irqs),
	VGPU_COUNT(cp_errors),
	VGPU_COUNT(resets),
};

static const char * const vgpu_stat_engines[VGPU_NR_ENGINES] = {
	[VGPU_ENGINE_FETCH] = "fetch",
	[VGPU_ENGINE_CP] = "cp",
	[VGPU_ENGINE_A2D] = "a2d",
};

static u64 vgpu_stat_count(const struct vgpu_stats *stats, size_t offset)
{
	return *(const u64 *)((const void *)stats + offset);
}

static void vgpu_stat_show_packets(struct seq_file *m, struct vgpu_stat *stat)
{
	for (u32 op = 0; op < VGPU_NR_OPCODES; op++) {
		u64 n = stat->now.packets[op] - stat->zero.packets[op];
		const char *name = vgpu_hw_opcode_name(op);

		if (n)
			seq_printf(m, "packets:%s %llu\n", name ?: "unknown", n);
	}
}

static void vgpu_stat_show_engines(struct seq_file *m, struct vgpu_stat *stat)
{
	for (int i = 0; i < VGPU_NR_ENGINES; i++) {
		seq_printf(m, "read_bytes:%s %llu\n", vgpu_stat_engines[i],
			   stat->now.read_bytes[i] - stat->zero.read_bytes[i]);
		seq_printf(m, "write_bytes:%s %llu\n", vgpu_stat_engines[i],
			   stat->now.write_bytes[i] - stat->zero.write_bytes[i]);
	}
}

static int vgpu_stat_show(struct seq_file *m, void *unused)
{
	struct vgpu_stat *stat = m->private;

	guard(mutex)(&stat->lock);

	vgpu_hw_stats(stat->vgpu->hw, &stat->now);

	for (int i = 0; i < ARRAY_SIZE(vgpu_stat_counts); i++) {
		size_t offset = vgpu_stat_counts[i].offset;

		seq_printf(m, "%s %llu\n", vgpu_stat_counts[i].name,
			   vgpu_stat_count(&stat->now, offset) -
			   vgpu_stat_count(&stat->zero, offset));
	}

	vgpu_stat_show_packets(m, stat);
	vgpu_stat_show_engines(m, stat);

	seq_printf(m, "prr_enabled %d\n", stat->now.prr_enabled);

	/* Not a count either, and kept across a reset: the last reason for a stop */
	if (stat->now.cp_error)
		seq_printf(m, "cp_error %#010x: %s\n",
			   stat->now.cp_error_dword, stat->now.cp_error);

	return 0;
}

static int vgpu_stat_open(struct inode *inode, struct file *file)
{
	return single_open(file, vgpu_stat_show, inode->i_private);
}

static ssize_t vgpu_stat_write(struct file *file, const char __user *buf,
			       size_t len, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	struct vgpu_stat *stat = m->private;

	guard(mutex)(&stat->lock);

	vgpu_hw_stats(stat->vgpu->hw, &stat->zero);

	return len;
}

static const struct file_operations vgpu_stat_fops = {
	.owner = THIS_MODULE,
	.open = vgpu_stat_open,
	.read = seq_read,
	.write = vgpu_stat_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * vgpu_stat_debugfs() - make the file
 * @vgpu: the GPU
 * @drm: its DRM device, which owns the memory behind the file
 * @dir: where to put it
 */
void vgpu_stat_debugfs(struct vgpu *vgpu, struct drm_device *drm,
		       struct dentry *dir)
{
	struct vgpu_stat *stat = drmm_kzalloc(drm, sizeof(*stat), GFP_KERNEL);

	if (!stat || drmm_mutex_init(drm, &stat->lock))
		return;

	stat->vgpu = vgpu;
	debugfs_create_file("stats", 0600, dir, stat, &vgpu_stat_fops);
}
