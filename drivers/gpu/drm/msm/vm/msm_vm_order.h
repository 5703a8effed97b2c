/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __MSM_VM_ORDER_H__
#define __MSM_VM_ORDER_H__

#include <linux/list.h>
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
	struct rb_root ranges;
	u64 next;
};

/**
 * struct msm_vm_reach - what a search can know of a whole subtree of ranges
 * @last: no range ends behind it
 * @number: no turn is earlier
 */
struct msm_vm_reach {
	u64 last;
	u64 number;
};

/**
 * struct msm_vm_range - addresses that a job changes
 * @rb: in &msm_vm_order.ranges
 * @node: in &msm_vm_turn.ranges
 * @first: first address
 * @last: last address, inclusive
 * @subtree: of it and all below it in the tree
 * @turn: whose they are
 */
struct msm_vm_range {
	struct rb_node rb;
	struct list_head node;
	u64 first;
	u64 last;
	struct msm_vm_reach subtree;
	struct msm_vm_turn *turn;
};

/**
 * struct msm_vm_turn - the place of a job among those of its VM
 * @number: in the order of the ioctls
 * @ranges: &struct msm_vm_range that the job changes; disjoint and sorted once
 *	the turn is closed
 * @free: the last of @ranges, or their head, up to which no earlier turn
 *	overlaps any more
 */
struct msm_vm_turn {
	u64 number;
	struct list_head ranges;
	struct list_head *free;
};

void msm_vm_order_init(struct msm_vm_order *order);
void msm_vm_turn_init(struct msm_vm_turn *turn);
void msm_vm_turn_add(struct msm_vm_turn *turn, struct msm_vm_range *range,
		     u64 first, u64 last);
void msm_vm_turn_sort(struct msm_vm_turn *turn);
void msm_vm_turn_close(struct msm_vm_turn *turn);
void msm_vm_order_begin(struct msm_vm_order *order, struct msm_vm_turn *turn);
struct msm_vm_turn *msm_vm_order_blocker(struct msm_vm_order *order,
					 struct msm_vm_turn *turn);
void msm_vm_order_end(struct msm_vm_order *order, struct msm_vm_turn *turn);

#endif /* __MSM_VM_ORDER_H__ */
