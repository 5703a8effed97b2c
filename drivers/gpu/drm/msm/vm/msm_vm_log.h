/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_LOG_H__
#define __MSM_VM_LOG_H__

#include <linux/spinlock.h>
#include <linux/types.h>

#include "msm_pt_ops.h"

/* A power of two: entries of a log. */
#define MSM_VM_LOG_SIZE 64

/**
 * struct msm_vm_log_entry - one edit of the page table of a VM
 * @iova: first address
 * @range: bytes
 * @kind: what was done
 * @queue: id of the bind queue that asked for it, 0 if none did
 */
struct msm_vm_log_entry {
	u64 iova;
	u64 range;
	enum msm_pt_kind kind;
	u32 queue;
};

/**
 * struct msm_vm_log - the latest edits of the page table of a VM
 * @lock: guards the rest; taken on the fence signalling path
 * @binds: jobs since the VM was made, those that failed included
 * @requests: operations that they had
 * @total: edits since the VM was made; the latest is at @total - 1
 * @entries: a ring, indexed modulo its size
 */
struct msm_vm_log {
	spinlock_t lock;	/* of all that follows */
	u64 binds;
	u64 requests;
	u64 total;
	struct msm_vm_log_entry entries[MSM_VM_LOG_SIZE];
};

void msm_vm_log_init(struct msm_vm_log *log);
/**
 * struct msm_vm_log_counts - what a VM was asked for in all its life
 * @binds: see &struct msm_vm_log
 * @requests: same
 * @total: same
 */
struct msm_vm_log_counts {
	u64 binds;
	u64 requests;
	u64 total;
};

void msm_vm_log_bind(struct msm_vm_log *log, u32 requests);
void msm_vm_log_add(struct msm_vm_log *log, const struct msm_pt_op *op, u32 queue);
u32 msm_vm_log_read(struct msm_vm_log *log, struct msm_vm_log_entry *entries,
		    struct msm_vm_log_counts *counts);
const char *msm_vm_log_name(enum msm_pt_kind kind);

#endif /* __MSM_VM_LOG_H__ */
