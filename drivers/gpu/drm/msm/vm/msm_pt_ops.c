// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-table edits as a list of values.
 *
 * Changing the VMA tree stages edits here; the scheduler job applies them
 * later, in the same order.  The list allocates nothing: an op is memory of
 * the VMA or of the request that it stands for.
 *
 * Promises: ops are applied in list order; an unmap is always carried out,
 * also after a map has failed or when the VM is dead, so that no entry
 * outlives its VMA; on return the TLB holds nothing that was cleared.
 *
 * Trap: the architecture wants break-before-make.  A map that lands where
 * this list has cleared something is preceded by a flush; otherwise one flush
 * at the end does for the whole list.
 */

#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <kunit/visibility.h>

#include "msm_pt_ops.h"

/**
 * msm_pt_ops_init - an empty list
 * @ops: the list
 */
void msm_pt_ops_init(struct msm_pt_ops *ops)
{
	INIT_LIST_HEAD(&ops->list);
	ops->first = &ops->list;
	ops->flushes = 0;
}
EXPORT_SYMBOL_IF_KUNIT(msm_pt_ops_init);

/* An unmap that goes on where the one @before ended needs no op of its own. */
static bool coalesce(struct msm_pt_ops *ops, struct list_head *before,
		     const struct msm_pt_op *op)
{
	struct msm_pt_op *last;

	if (op->kind != MSM_PT_UNMAP || before == &ops->list)
		return false;

	last = list_entry(before, struct msm_pt_op, node);
	if (last->kind != MSM_PT_UNMAP || last->iova + last->range != op->iova)
		return false;

	last->range += op->range;

	return true;
}

/**
 * msm_pt_ops_stage - add an edit at the end
 * @ops: the list
 * @op: the edit; must stay where it is until the list was applied
 */
void msm_pt_ops_stage(struct msm_pt_ops *ops, struct msm_pt_op *op)
{
	if (!coalesce(ops, ops->list.prev, op))
		list_add_tail(&op->node, &ops->list);
}
EXPORT_SYMBOL_IF_KUNIT(msm_pt_ops_stage);

/**
 * msm_pt_ops_stage_first - add an unmap that need not wait for what is there
 * @ops: the list
 * @op: the unmap, in no range that an op of @ops maps; must stay where it is
 *	until the list was applied
 *
 * With all of them in front, one flush does for the maps behind, however many
 * land where something was cleared.
 */
void msm_pt_ops_stage_first(struct msm_pt_ops *ops, struct msm_pt_op *op)
{
	if (coalesce(ops, ops->first, op))
		return;

	list_add(&op->node, ops->first);
	ops->first = &op->node;
}
EXPORT_SYMBOL_IF_KUNIT(msm_pt_ops_stage_first);

/* Hull of what was cleared since the last flush; empty when first >= end. */
struct cleared {
	u64 first;
	u64 end;
};

static const struct cleared nothing_cleared = { .first = U64_MAX };

static void cleared_add(struct cleared *c, const struct msm_pt_op *op)
{
	c->first = min(c->first, op->iova);
	c->end = max(c->end, op->iova + op->range);
}

static bool cleared_hits(const struct cleared *c, const struct msm_pt_op *op)
{
	return op->iova < c->end && c->first < op->iova + op->range;
}

static void flush(struct msm_pt_ops *ops, struct cleared *c,
		  const struct msm_pt_target *target, void *cookie)
{
	target->flush(cookie);
	*c = nothing_cleared;
	ops->flushes++;
}

static int apply_map(const struct msm_pt_op *op,
		     const struct msm_pt_target *target, void *cookie)
{
	if (op->kind == MSM_PT_MAP_NULL)
		return target->map_null(cookie, op->iova, op->range);

	return target->map(cookie, op->iova, op->pages, op->range, op->prot);
}

/**
 * msm_pt_ops_apply - carry the edits out
 * @ops: the list
 * @target: how to edit
 * @cookie: handed to @target
 * @err: zero, or why the table is already in doubt, which skips all maps
 *
 * Runs on the fence signalling path.
 *
 * Return: @err, or the error of the first map that failed.  With an error the
 * maps from there on were skipped and the unmaps were made one by one.
 */
int msm_pt_ops_apply(struct msm_pt_ops *ops, const struct msm_pt_target *target,
		     void *cookie, int err)
{
	struct cleared cleared = nothing_cleared;
	struct msm_pt_op *op;

	list_for_each_entry(op, &ops->list, node) {
		if (op->kind == MSM_PT_UNMAP) {
			if (err)
				target->unmap_sparse(cookie, op->iova, op->range);
			else
				target->unmap(cookie, op->iova, op->range);
			cleared_add(&cleared, op);
		} else if (!err) {
			if (cleared_hits(&cleared, op))
				flush(ops, &cleared, target, cookie);
			err = apply_map(op, target, cookie);
		}
	}

	if (cleared.first < cleared.end)
		flush(ops, &cleared, target, cookie);

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(msm_pt_ops_apply);
