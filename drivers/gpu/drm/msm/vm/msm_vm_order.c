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
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sort.h>
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
 * msm_vm_turn_add - a job will change a range
 * @turn: the job's turn, not begun; @turn->ranges has room for one more
 * @first: first address
 * @last: last address, inclusive
 *
 * May overlap with what was added before, until msm_vm_turn_close().
 */
void msm_vm_turn_add(struct msm_vm_turn *turn, u64 first, u64 last)
{
	struct msm_vm_range *range = &turn->ranges[turn->nr++];

	range->first = first;
	range->last = last;
	range->turn = turn;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_turn_add);

static int compare_first(const void *a, const void *b)
{
	const struct msm_vm_range *left = a, *right = b;

	if (left->first == right->first)
		return 0;

	return left->first < right->first ? -1 : 1;
}

static bool is_sorted(const struct msm_vm_turn *turn)
{
	u32 i;

	for (i = 1; i < turn->nr; i++) {
		if (turn->ranges[i - 1].first > turn->ranges[i].first)
			return false;
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
	struct msm_vm_range *last = turn->ranges;
	u32 i;

	if (!turn->nr)
		return;
	if (!is_sorted(turn))
		sort(turn->ranges, turn->nr, sizeof(*turn->ranges),
		     compare_first, NULL);

	for (i = 1; i < turn->nr; i++) {
		const struct msm_vm_range *next = &turn->ranges[i];

		if (next->first <= last->last + 1)
			last->last = max(last->last, next->last);
		else
			*++last = *next;
		cond_resched();
	}
	turn->nr = last - turn->ranges + 1;
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
	u32 i;

	turn->number = order->next++;

	for (i = 0; i < turn->nr; i++) {
		spin_lock(&order->lock);
		range_tree_insert(&turn->ranges[i], &order->ranges);
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
	struct msm_vm_turn *blocker = NULL;

	/* Earlier turns only become fewer: what is free stays free. */
	for (; turn->free < turn->nr; turn->free++) {
		spin_lock(&order->lock);
		blocker = earlier_turn(order, turn, &turn->ranges[turn->free]);
		spin_unlock(&order->lock);
		if (blocker)
			break;
		cond_resched();
	}

	return blocker;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_blocker);

/**
 * msm_vm_order_end - a job has changed the page table
 * @order: the order of the VM
 * @turn: the job's turn; nothing happens if it has ended already
 */
void msm_vm_order_end(struct msm_vm_order *order, struct msm_vm_turn *turn)
{
	for (; turn->nr; turn->nr--) {
		spin_lock(&order->lock);
		range_tree_remove(&turn->ranges[turn->nr - 1], &order->ranges);
		spin_unlock(&order->lock);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_end);
