/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_ORDER_H__
#define __MSM_VM_ORDER_H__

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct msm_vm_turn;

/**
 * struct msm_vm_order - what the bind jobs in flight of a VM will change
 * @lock: guards @ranges; taken on the fence signalling path
 * @ranges: &struct msm_vm_range of all turns that have not ended
 * @next: number of the next turn; guarded by the VM's reservation lock
 */
struct msm_vm_order {
	spinlock_t lock;	/* of @ranges */
	struct rb_root_cached ranges;
	u64 next;
};

/**
 * struct msm_vm_range - addresses that a job changes
 * @rb: in &msm_vm_order.ranges
 * @first: first address
 * @last: last address, inclusive
 * @subtree_last: for the interval tree
 * @turn: whose they are
 */
struct msm_vm_range {
	struct rb_node rb;
	u64 first;
	u64 last;
	u64 subtree_last;
	struct msm_vm_turn *turn;
};

/**
 * struct msm_vm_turn - the place of a job among those of its VM
 * @number: in the order of the ioctls
 * @ranges: what the job changes; the memory is the job's; disjoint and sorted
 *	once the turn is closed
 * @nr: number of @ranges
 * @free: how many of @ranges no earlier turn overlaps any more
 */
struct msm_vm_turn {
	u64 number;
	struct msm_vm_range *ranges;
	u32 nr;
	u32 free;
};

void msm_vm_order_init(struct msm_vm_order *order);
void msm_vm_turn_add(struct msm_vm_turn *turn, u64 first, u64 last);
void msm_vm_turn_close(struct msm_vm_turn *turn);
void msm_vm_order_begin(struct msm_vm_order *order, struct msm_vm_turn *turn);
struct msm_vm_turn *msm_vm_order_blocker(struct msm_vm_order *order,
					 struct msm_vm_turn *turn);
void msm_vm_order_end(struct msm_vm_order *order, struct msm_vm_turn *turn);

#endif /* __MSM_VM_ORDER_H__ */
