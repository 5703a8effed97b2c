// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bind jobs of a VM must wait for which.
 *
 * The VMA tree changes in the order of the ioctls.  The page table follows it
 * in jobs of several queues, which may overtake each other, but not where they
 * touch the same addresses: an entry must not outlive its VMA.  So each job
 * takes a turn, with the ranges that it changes, and a job waits for every
 * earlier turn that overlaps with its own.
 *
 * Promises: a turn waits for earlier turns only, so there is no circle.  Asking
 * for a blocker allocates nothing; the scheduler asks again until there is
 * none.  The ranges of one turn are disjoint, so that a job that names the same
 * addresses over and over does not search through itself.
 *
 * Terms: a turn *begins* when its job is queued and *ends* when the page table
 * and the TLB have followed.
 */

#include <linux/export.h>
#include <linux/interval_tree_generic.h>
#include <linux/list_sort.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <kunit/visibility.h>

#include "msm_vm_order.h"

#define FIRST(range) ((range)->first)
#define LAST(range) ((range)->last)

INTERVAL_TREE_DEFINE(struct msm_vm_range, rb, u64, subtree_last, FIRST, LAST,
		     static __maybe_unused, range_tree)

/**
 * msm_vm_order_init - nothing is in flight
 * @order: the order
 */
void msm_vm_order_init(struct msm_vm_order *order)
{
	spin_lock_init(&order->lock);
	order->ranges = RB_ROOT_CACHED;
	order->next = 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_init);

/**
 * msm_vm_turn_init - nothing will change
 * @turn: the turn
 */
void msm_vm_turn_init(struct msm_vm_turn *turn)
{
	INIT_LIST_HEAD(&turn->ranges);
	turn->free = &turn->ranges;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_turn_init);

/**
 * msm_vm_turn_add - a job will change a range
 * @turn: the job's turn, not begun
 * @range: memory for it, which must stay until msm_vm_order_end()
 * @first: first address
 * @last: last address, inclusive
 *
 * May overlap with what was added before, until msm_vm_turn_close().
 */
void msm_vm_turn_add(struct msm_vm_turn *turn, struct msm_vm_range *range,
		     u64 first, u64 last)
{
	range->first = first;
	range->last = last;
	range->turn = turn;
	list_add_tail(&range->node, &turn->ranges);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_turn_add);

static int compare_first(void *priv, const struct list_head *a,
			 const struct list_head *b)
{
	/* A job may have millions of ranges. */
	cond_resched();

	return list_entry(a, struct msm_vm_range, node)->first >
	       list_entry(b, struct msm_vm_range, node)->first;
}

static bool is_sorted(const struct msm_vm_turn *turn)
{
	const struct msm_vm_range *range;
	u64 before = 0;

	list_for_each_entry(range, &turn->ranges, node) {
		if (range->first < before)
			return false;
		before = range->first;
	}

	return true;
}

/**
 * msm_vm_turn_close - all ranges of a job have been added
 * @turn: the job's turn; its ranges are sorted and disjoint afterwards
 *
 * Ranges that overlap or adjoin become one.  May sleep.
 */
void msm_vm_turn_close(struct msm_vm_turn *turn)
{
	struct msm_vm_range *range, *next, *last = NULL;

	if (!is_sorted(turn))
		list_sort(NULL, &turn->ranges, compare_first);

	list_for_each_entry_safe(range, next, &turn->ranges, node) {
		if (last && range->first <= last->last + 1) {
			last->last = max(last->last, range->last);
			list_del(&range->node);
		} else {
			last = range;
		}
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_turn_close);

/**
 * msm_vm_order_begin - a job is about to be queued
 * @order: the order of the VM
 * @turn: the job's turn, closed; must stay until msm_vm_order_end()
 *
 * Called with the VM's reservation lock held, under which jobs are queued.
 */
void msm_vm_order_begin(struct msm_vm_order *order, struct msm_vm_turn *turn)
{
	struct msm_vm_range *range;

	turn->number = order->next++;

	list_for_each_entry(range, &turn->ranges, node) {
		spin_lock(&order->lock);
		range_tree_insert(range, &order->ranges);
		spin_unlock(&order->lock);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_begin);

static struct msm_vm_turn *earlier_turn(struct msm_vm_order *order,
					const struct msm_vm_turn *turn,
					const struct msm_vm_range *range)
{
	struct msm_vm_range *other;

	other = range_tree_iter_first(&order->ranges, range->first, range->last);
	while (other && other->turn->number >= turn->number)
		other = range_tree_iter_next(other, range->first, range->last);

	return other ? other->turn : NULL;
}

static const struct msm_vm_range *next_to_check(const struct msm_vm_turn *turn)
{
	return list_entry(turn->free->next, struct msm_vm_range, node);
}

/**
 * msm_vm_order_blocker - must a job wait?
 * @order: the order of the VM
 * @turn: the job's turn, begun
 *
 * Called by the one thread that runs the jobs of the VM and ends their turns.
 *
 * Return: an earlier turn that overlaps with @turn and has not ended, or NULL.
 * It stays until the caller lets a job end.
 */
struct msm_vm_turn *msm_vm_order_blocker(struct msm_vm_order *order,
					 struct msm_vm_turn *turn)
{
	struct msm_vm_turn *blocker;

	/* Earlier turns only become fewer: what is free stays free. */
	for (; !list_is_last(turn->free, &turn->ranges); turn->free = turn->free->next) {
		spin_lock(&order->lock);
		blocker = earlier_turn(order, turn, next_to_check(turn));
		spin_unlock(&order->lock);
		if (blocker)
			return blocker;
		cond_resched();
	}

	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_blocker);

/**
 * msm_vm_order_end - a job has changed the page table
 * @order: the order of the VM
 * @turn: the job's turn; nothing happens if it has ended already
 */
void msm_vm_order_end(struct msm_vm_order *order, struct msm_vm_turn *turn)
{
	struct msm_vm_range *range, *next;

	list_for_each_entry_safe(range, next, &turn->ranges, node) {
		spin_lock(&order->lock);
		range_tree_remove(range, &order->ranges);
		spin_unlock(&order->lock);
		cond_resched();
	}
	msm_vm_turn_init(turn);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_end);
