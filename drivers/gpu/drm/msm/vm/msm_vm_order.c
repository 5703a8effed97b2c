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
#include <linux/list_sort.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched.h>
#include <kunit/visibility.h>

#include "msm_vm_order.h"

/*
 * An interval tree, sorted by the first address.  It also knows the earliest turn
 * of each subtree: most of what overlaps with a job that is about to run comes
 * later, and a client may have queued any number of that.
 */
static struct msm_vm_range *to_range(struct rb_node *node)
{
	return rb_entry(node, struct msm_vm_range, rb);
}

static void widen(struct msm_vm_reach *reach, const struct msm_vm_reach *other)
{
	reach->last = max(reach->last, other->last);
	reach->number = min(reach->number, other->number);
}

static struct msm_vm_reach own_reach(const struct msm_vm_range *range)
{
	return (struct msm_vm_reach) {
		.last = range->last,
		.number = range->turn->number,
	};
}

/* Return: true if @may_stop and nothing has changed. */
static bool update_reach(struct msm_vm_range *range, bool may_stop)
{
	struct msm_vm_reach reach = own_reach(range);

	if (range->rb.rb_left)
		widen(&reach, &to_range(range->rb.rb_left)->subtree);
	if (range->rb.rb_right)
		widen(&reach, &to_range(range->rb.rb_right)->subtree);
	if (may_stop && reach.last == range->subtree.last &&
	    reach.number == range->subtree.number)
		return true;
	range->subtree = reach;

	return false;
}

RB_DECLARE_CALLBACKS(static, tree_callbacks, struct msm_vm_range, rb, subtree,
		     update_reach)

static void tree_insert(struct rb_root *root, struct msm_vm_range *range)
{
	struct rb_node **link = &root->rb_node, *above = NULL;

	range->subtree = own_reach(range);
	while (*link) {
		struct msm_vm_range *other = to_range(*link);

		widen(&other->subtree, &range->subtree);
		above = *link;
		link = range->first < other->first ? &above->rb_left :
						     &above->rb_right;
	}
	rb_link_node(&range->rb, above, link);
	rb_insert_augmented(&range->rb, root, &tree_callbacks);
}

/* May something below @node overlap with @range, and come earlier? */
static bool promising(struct rb_node *node, const struct msm_vm_range *range)
{
	return node && to_range(node)->subtree.last >= range->first &&
	       to_range(node)->subtree.number < range->turn->number;
}

static struct rb_node *leftmost(struct rb_node *node,
				const struct msm_vm_range *range)
{
	if (!promising(node, range))
		return NULL;
	while (promising(node->rb_left, range))
		node = node->rb_left;

	return node;
}

/* The next one by address, without what is not promising. */
static struct rb_node *next_node(struct rb_node *node,
				 const struct msm_vm_range *range)
{
	struct rb_node *below = leftmost(node->rb_right, range);

	if (below)
		return below;
	do {
		below = node;
		node = rb_parent(node);
	} while (node && below == node->rb_right);

	return node;
}

/**
 * msm_vm_order_init - nothing is in flight
 * @order: the order
 */
void msm_vm_order_init(struct msm_vm_order *order)
{
	spin_lock_init(&order->lock);
	order->ranges = RB_ROOT;
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
	u32 *calls = priv;

	/* A job may have millions of ranges, and this is most of its cost. */
	if (++*calls % 256 == 0)
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
 * msm_vm_turn_sort - put the ranges of a job in order
 * @turn: the job's turn, with what has been added to it so far
 *
 * Each range stays as it was added.  May sleep.
 */
void msm_vm_turn_sort(struct msm_vm_turn *turn)
{
	u32 calls = 0;

	if (!is_sorted(turn))
		list_sort(&calls, &turn->ranges, compare_first);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_turn_sort);

/**
 * msm_vm_turn_close - all ranges of a job have been added
 * @turn: the job's turn; its ranges are sorted and disjoint afterwards
 *
 * Ranges that overlap or adjoin become one.  May sleep.
 */
void msm_vm_turn_close(struct msm_vm_turn *turn)
{
	struct msm_vm_range *range, *next, *last = NULL;

	msm_vm_turn_sort(turn);

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
		tree_insert(&order->ranges, range);
		spin_unlock(&order->lock);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_begin);

static struct msm_vm_turn *earlier_turn(struct msm_vm_order *order,
					const struct msm_vm_range *range)
{
	struct rb_node *node = leftmost(order->ranges.rb_node, range);

	for (; node && to_range(node)->first <= range->last;
	     node = next_node(node, range)) {
		const struct msm_vm_range *other = to_range(node);

		if (other->last >= range->first &&
		    other->turn->number < range->turn->number)
			return other->turn;
	}

	return NULL;
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
 * Called by the one thread that lets jobs of the VM run, while none does.
 *
 * Return: an earlier turn that overlaps with @turn and has not ended, or NULL.
 * It stays until the caller lets a job run.
 */
struct msm_vm_turn *msm_vm_order_blocker(struct msm_vm_order *order,
					 struct msm_vm_turn *turn)
{
	struct msm_vm_turn *blocker;

	/* Earlier turns only become fewer: what is free stays free. */
	for (; !list_is_last(turn->free, &turn->ranges); turn->free = turn->free->next) {
		spin_lock(&order->lock);
		blocker = earlier_turn(order, next_to_check(turn));
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
		rb_erase_augmented(&range->rb, &order->ranges,
				   &tree_callbacks);
		spin_unlock(&order->lock);
		cond_resched();
	}
	msm_vm_turn_init(turn);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_order_end);
