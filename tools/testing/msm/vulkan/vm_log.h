/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says about the address space of this process: debugfs "vm".
 *
 * The kernel keeps the last page-table edits only; read often enough, they add
 * up to all edits of the address space's life, and the reader notices when
 * some are missing.
 */
#ifndef __VM_LOG_H__
#define __VM_LOG_H__

#include "vk_dev.h"

#define VM_LOG_EDITS	8192

/**
 * enum vm_edit_kind - what was done to page table entries
 * @VM_UNMAP: cleared
 * @VM_MAP: set to memory
 * @VM_NULL: set to what reads as zero
 */
enum vm_edit_kind {
	VM_UNMAP,
	VM_MAP,
	VM_NULL,
};

/**
 * struct vm_edit - one edit
 * @kind: which
 * @queue: bind queue that asked for it, 0 if none did
 * @start: first address
 * @end: behind the last
 */
struct vm_edit {
	enum vm_edit_kind kind;
	u32 queue;
	u64 start;
	u64 end;
};

/**
 * struct vm_log - all that the kernel said so far
 * @edits: in order, from the first one on
 * @count: of @edits
 * @missing: edits that were gone before they were read, or had no room here
 * @binds: VM_BIND ioctls
 * @operations: of them
 * @tables: pages of page tables
 * @mappings: in the VMA tree
 */
struct vm_log {
	struct vm_edit edits[VM_LOG_EDITS];
	u32 count;
	u64 missing;
	u64 binds;
	u64 operations;
	u64 tables;
	u64 mappings;
};

bool vm_log_read(struct vm_log *log);
u64 vm_log_bytes(const struct vm_log *log, enum vm_edit_kind kind);
u64 vm_log_vms(void);
u64 vm_log_stat(const char *name);

#endif /* __VM_LOG_H__ */
