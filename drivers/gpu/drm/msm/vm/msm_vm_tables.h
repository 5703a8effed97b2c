/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_TABLES_H__
#define __MSM_VM_TABLES_H__

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "../msm_pgtable.h"

/* Below the root: 3 with pages of 4 and 16 KiB, 2 with 64 KiB, for 48 bits. */
#define MSM_VM_TABLE_LEVELS 3

/**
 * struct msm_vm_tables - which page tables a VM has, and pages for the others
 * @ias: input address size in bits
 * @nr_levels: how many of @slots are in use
 * @slots: for each level, last one first: the tables, by the addresses that
 *	they span; see msm_vm_tables_promise() for the values
 * @pool: a page for each table that is promised and not there yet
 * @made: number of tables below the root that are there
 * @drained: woken when @pool may have become smaller, or @dead is set
 * @gate: held by the one job that promises tables that are not there; from
 *	the check that @pool is small until it is not
 * @dead: nobody needs to wait for @drained any more
 */
struct msm_vm_tables {
	u32 ias;
	u32 nr_levels;
	struct xarray slots[MSM_VM_TABLE_LEVELS];
	struct msm_pgtable_pages pool;
	atomic_long_t made;
	wait_queue_head_t drained;
	struct mutex gate;	/* who promises next */
	bool dead;
};

void msm_vm_tables_init(struct msm_vm_tables *tables, u32 ias);
void msm_vm_tables_fini(struct msm_vm_tables *tables);

bool msm_vm_tables_all_made(struct msm_vm_tables *tables, u64 first, u64 last);
int msm_vm_tables_begin(struct msm_vm_tables *tables);
void msm_vm_tables_end_promises(struct msm_vm_tables *tables);
void msm_vm_tables_kill(struct msm_vm_tables *tables);
int msm_vm_tables_promise(struct msm_vm_tables *tables, u64 first, u64 last);
void msm_vm_tables_release(struct msm_vm_tables *tables, u64 first, u64 last);
void msm_vm_tables_made(struct msm_vm_tables *tables, u64 first, u64 last);
void msm_vm_tables_cleared(struct msm_vm_tables *tables, u64 first, u64 last);
u64 msm_vm_tables_end(u64 iova);
u64 msm_vm_tables_next(struct msm_vm_tables *tables, u64 first, u64 last);

#endif /* __MSM_VM_TABLES_H__ */
