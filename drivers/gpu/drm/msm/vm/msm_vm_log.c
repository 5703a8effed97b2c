// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was done to the page table of a VM, lately.
 *
 * Always on, because a fault cannot be had again: who looks at a crash wants to
 * know whether the address was ever mapped, and what took it away.
 *
 * Promises: adding takes no memory and no time to speak of; a reader gets the
 * newest entries in the order in which they were made, and none twice.
 */

#include <linux/export.h>
#include <linux/minmax.h>
#include <kunit/visibility.h>

#include "msm_vm_log.h"

/**
 * msm_vm_log_init - nothing has been done
 * @log: the log
 */
void msm_vm_log_init(struct msm_vm_log *log)
{
	spin_lock_init(&log->lock);
	log->binds = 0;
	log->requests = 0;
	log->total = 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_log_init);

/**
 * msm_vm_log_bind - a bind job was run
 * @log: the log
 * @requests: operations that it had; the edits they led to may be more or fewer
 */
void msm_vm_log_bind(struct msm_vm_log *log, u32 requests)
{
	spin_lock(&log->lock);
	log->binds++;
	log->requests += requests;
	spin_unlock(&log->lock);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_log_bind);

/**
 * msm_vm_log_add - the page table was edited
 * @log: the log
 * @op: how
 * @queue: id of the bind queue, or 0
 */
void msm_vm_log_add(struct msm_vm_log *log, const struct msm_pt_op *op, u32 queue)
{
	spin_lock(&log->lock);
	log->entries[log->total++ % MSM_VM_LOG_SIZE] = (struct msm_vm_log_entry) {
		.iova = op->iova,
		.range = op->range,
		.kind = op->kind,
		.queue = queue,
	};
	spin_unlock(&log->lock);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_log_add);

/**
 * msm_vm_log_read - copy the log
 * @log: the log
 * @entries: room for MSM_VM_LOG_SIZE of them, oldest first afterwards
 * @counts: out: how much was asked for so far, the copied entries included
 *
 * Return: how many there are.
 */
u32 msm_vm_log_read(struct msm_vm_log *log, struct msm_vm_log_entry *entries,
		    struct msm_vm_log_counts *counts)
{
	u64 i, count;

	spin_lock(&log->lock);
	count = min_t(u64, log->total, MSM_VM_LOG_SIZE);
	for (i = 0; i < count; i++)
		entries[i] = log->entries[(log->total - count + i) % MSM_VM_LOG_SIZE];
	*counts = (struct msm_vm_log_counts) {
		.binds = log->binds,
		.requests = log->requests,
		.total = log->total,
	};
	spin_unlock(&log->lock);

	return count;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_log_read);

/**
 * msm_vm_log_name - a word for an edit
 * @kind: the edit
 *
 * Return: the word that is used wherever a log is shown.
 */
const char *msm_vm_log_name(enum msm_pt_kind kind)
{
	switch (kind) {
	case MSM_PT_MAP:
		return "map";
	case MSM_PT_MAP_NULL:
		return "map-null";
	case MSM_PT_UNMAP:
		return "unmap";
	}

	return "?";
}
