// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page tables a VM has, and the pages set aside for those it will need.
 *
 * A bind job must not allocate when it edits the page table, so a page for each
 * table that its maps miss is set aside before.  Missing is exact: a table that
 * is there, or that another job has promised already, costs nothing, whatever
 * the order of the requests.  What a job promised and did not use goes back
 * when the job ends.
 *
 * A table is a slot: a level and the addresses that it spans.  A slot is
 *
 *   absent     no table, and nobody needs one
 *   promised   no table yet; so many users need it, and one page of the pool is
 *              meant for it
 *   made       the table is there, for as long as the VM lives, since
 *              io-pgtable-arm frees a table only when a block replaces it
 *
 * A last-level slot that is made is *live* until somebody who knows that nothing
 * will be mapped any more, in a dead or closed VM, has cleared all of it.
 *
 * Promises: the pool holds a page for each promised slot, from before the slot
 * is promised until it is made or its last user is gone.  Who finds a slot
 * promised may rely on it, even if the job that paid for it fails or runs later.
 *
 * Terms: with pages of 4 KiB each level resolves nine bits; a table of the last
 * level spans 2 MiB, the next ones 1 GiB and 512 GiB.  Other page sizes follow
 * from PAGE_SHIFT, as entries are always eight bytes (Arm ARM, D8.2).
 *
 * Trap: one job may use a slot many times; each use is counted, and each is
 * released.
 */

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <kunit/visibility.h>

#include "msm_vm_tables.h"

#define BITS_PER_LEVEL	(PAGE_SHIFT - ilog2(sizeof(u64)))

/* A VM whose unused pages exceed this starts no more jobs; 4 MiB. */
#define THROTTLE_PAGES	(SZ_4M >> PAGE_SHIFT)

/* Value of a slot; a promised one has the number of its users instead. */
#define MADE		0

/* Mark of a last-level slot: there may be entries. */
#define LIVE		XA_MARK_0

static u32 level_shift(u32 level)
{
	return PAGE_SHIFT + (level + 1) * BITS_PER_LEVEL;
}

/**
 * msm_vm_tables_init - a page table with nothing but its root
 * @tables: the tables
 * @ias: input address size in bits
 */
void msm_vm_tables_init(struct msm_vm_tables *tables, u32 ias)
{
	u32 i;

	tables->ias = ias;
	tables->nr_levels = 0;
	while (tables->nr_levels < MSM_VM_TABLE_LEVELS &&
	       level_shift(tables->nr_levels) < ias)
		tables->nr_levels++;

	for (i = 0; i < MSM_VM_TABLE_LEVELS; i++)
		xa_init_flags(&tables->slots[i], XA_FLAGS_ACCOUNT);
	msm_pgtable_pages_init(&tables->pool);
	atomic_long_set(&tables->made, 0);
	init_waitqueue_head(&tables->drained);
	mutex_init(&tables->gate);
	tables->dead = false;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_init);

/**
 * msm_vm_tables_fini - forget all tables
 * @tables: the tables; every promise has been released
 */
void msm_vm_tables_fini(struct msm_vm_tables *tables)
{
	u32 i;

	for (i = 0; i < MSM_VM_TABLE_LEVELS; i++)
		xa_destroy(&tables->slots[i]);

	/* A map that failed half way has left some. */
	msm_pgtable_pages_release(&tables->pool);
	mutex_destroy(&tables->gate);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_fini);

static bool is_drained(struct msm_vm_tables *tables)
{
	return READ_ONCE(tables->pool.count) <= THROTTLE_PAGES ||
	       READ_ONCE(tables->dead);
}

/**
 * msm_vm_tables_begin - a job is about to promise what it needs
 * @tables: the tables
 *
 * Not for a job that finds all its tables made: it need not wait for others.
 *
 * Waits until few pages are set aside, so that a client whose jobs wait for
 * something cannot pile up kernel memory: of the jobs that have not run, one at
 * most finds more than 4 MiB set aside by others.  A single job is not limited,
 * except by its memory cgroup.  Called with no lock held.
 *
 * Return: 0, and msm_vm_tables_end_promises() must follow; or -ERESTARTSYS when
 * a signal came.
 */
int msm_vm_tables_begin(struct msm_vm_tables *tables)
{
	int ret;

	if (mutex_lock_interruptible(&tables->gate))
		return -ERESTARTSYS;

	ret = wait_event_interruptible(tables->drained, is_drained(tables));
	if (ret)
		mutex_unlock(&tables->gate);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_begin);

/**
 * msm_vm_tables_end_promises - let the next job promise
 * @tables: the tables
 */
void msm_vm_tables_end_promises(struct msm_vm_tables *tables)
{
	mutex_unlock(&tables->gate);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_end_promises);

/**
 * msm_vm_tables_kill - the VM has died
 * @tables: the tables
 *
 * Nobody waits any more: what a map that failed half way has left would be
 * waited for in vain.
 */
void msm_vm_tables_kill(struct msm_vm_tables *tables)
{
	WRITE_ONCE(tables->dead, true);
	wake_up_all(&tables->drained);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_kill);

/**
 * msm_vm_tables_all_made - does mapping a range take no table at all?
 * @tables: the tables
 * @first: first address of the range
 * @last: last address, inclusive, inside of the address space
 *
 * Once true it stays so: no table is ever freed.
 *
 * Return: true if each table that the range needs is there.
 */
bool msm_vm_tables_all_made(struct msm_vm_tables *tables, u64 first, u64 last)
{
	unsigned long i = first >> level_shift(0);

	/* A table of the last level hangs in one of each other level. */
	for (; i <= last >> level_shift(0); i++) {
		if (xa_load(&tables->slots[0], i) != xa_mk_value(MADE))
			return false;
		cond_resched();
	}

	return true;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_all_made);

/* Return: true if the slot is made or has one more user now. */
static bool use_slot(struct xarray *slots, unsigned long index)
{
	void *entry;

	xa_lock(slots);
	entry = xa_load(slots, index);
	if (entry && xa_to_value(entry) != MADE)
		__xa_store(slots, index, xa_mk_value(xa_to_value(entry) + 1), 0);
	xa_unlock(slots);

	return entry;
}

static int promise_slot(struct msm_vm_tables *tables, struct xarray *slots,
			unsigned long index)
{
	int ret;

	for (;;) {
		if (use_slot(slots, index))
			return 0;

		ret = msm_pgtable_pages_fill(&tables->pool, 1);
		if (ret)
			return ret;

		ret = xa_insert(slots, index, xa_mk_value(1),
				GFP_KERNEL | __GFP_NOWARN |
				__GFP_RETRY_MAYFAIL);
		if (!ret)
			return 0;

		/* Another job was faster, or there is no memory. */
		msm_pgtable_pages_drop(&tables->pool);
		if (ret != -EBUSY)
			return ret;
	}
}

static void release_slot(struct msm_vm_tables *tables, struct xarray *slots,
			 unsigned long index)
{
	bool last = false;
	unsigned long users;

	xa_lock(slots);
	users = xa_to_value(xa_load(slots, index));
	if (users > 1) {
		__xa_store(slots, index, xa_mk_value(users - 1), 0);
	} else if (users == 1) {
		__xa_erase(slots, index);
		last = true;
	}
	xa_unlock(slots);

	if (last)
		msm_pgtable_pages_drop(&tables->pool);
}

/* Release slots [@from, @to) of a level. */
static void release_slots(struct msm_vm_tables *tables, u32 level,
			  unsigned long from, unsigned long to)
{
	for (; from < to; from++) {
		release_slot(tables, &tables->slots[level], from);
		cond_resched();
	}
}

static int promise_level(struct msm_vm_tables *tables, u32 level,
			 u64 first, u64 last)
{
	unsigned long from = first >> level_shift(level);
	unsigned long to = last >> level_shift(level);
	unsigned long i;
	int ret;

	for (i = from; i <= to; i++) {
		/* A slot that is there costs nothing but time. */
		ret = fatal_signal_pending(current) ? -EINTR :
			promise_slot(tables, &tables->slots[level], i);
		if (ret) {
			release_slots(tables, level, from, i);
			return ret;
		}
		cond_resched();
	}

	return 0;
}

static void release_level(struct msm_vm_tables *tables, u32 level,
			  u64 first, u64 last)
{
	release_slots(tables, level, first >> level_shift(level),
		      (last >> level_shift(level)) + 1);
}

/**
 * msm_vm_tables_promise - make sure that a range can be mapped
 * @tables: the tables
 * @first: first address of the range
 * @last: last address, inclusive, inside of the address space
 *
 * May sleep.  The pages are charged to the memory cgroup of the caller.
 *
 * Return: 0; or, with nothing changed, -ENOMEM, or -EINTR when the caller is
 * being killed.
 */
int msm_vm_tables_promise(struct msm_vm_tables *tables, u64 first, u64 last)
{
	u32 level;
	int ret = 0;

	for (level = 0; level < tables->nr_levels && !ret; level++)
		ret = promise_level(tables, level, first, last);

	if (ret) {
		/* The level that failed has cleaned up after itself. */
		for (level--; level--; )
			release_level(tables, level, first, last);
		wake_up_all(&tables->drained);
	}

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_promise);

/**
 * msm_vm_tables_release - a user of a range has ended
 * @tables: the tables
 * @first: as promised
 * @last: as promised
 *
 * Gives back the pages that nobody needs now.  May sleep.
 */
void msm_vm_tables_release(struct msm_vm_tables *tables, u64 first, u64 last)
{
	u32 level;

	for (level = 0; level < tables->nr_levels; level++)
		release_level(tables, level, first, last);

	wake_up_all(&tables->drained);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_release);

static void slot_made(struct msm_vm_tables *tables, struct xarray *slots,
		      unsigned long index)
{
	xa_lock(slots);
	if (xa_to_value(xa_load(slots, index)) != MADE) {
		/* Replaces an entry, so it needs no memory. */
		__xa_store(slots, index, xa_mk_value(MADE), 0);
		__xa_set_mark(slots, index, LIVE);
		atomic_long_inc(&tables->made);
	}
	xa_unlock(slots);
}

/**
 * msm_vm_tables_made - a promised range has been mapped
 * @tables: the tables
 * @first: first address
 * @last: last address, inclusive
 *
 * For the fence signalling path: does not allocate, but may let others have the
 * CPU.
 */
void msm_vm_tables_made(struct msm_vm_tables *tables, u64 first, u64 last)
{
	u32 level;
	unsigned long i;

	for (level = 0; level < tables->nr_levels; level++) {
		for (i = first >> level_shift(level);
		     i <= last >> level_shift(level); i++) {
			slot_made(tables, &tables->slots[level], i);
			cond_resched();
		}
	}

	wake_up_all(&tables->drained);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_made);

/**
 * msm_vm_tables_next - skip what has no entries
 * @tables: the tables
 * @first: address to start from
 * @last: last address of interest, inclusive
 *
 * Return: the first address from @first on that is in a live table, or a value
 * above @last.
 */
u64 msm_vm_tables_next(struct msm_vm_tables *tables, u64 first, u64 last)
{
	u32 shift = level_shift(0);
	unsigned long index = first >> shift;

	if (!xa_find(&tables->slots[0], &index, last >> shift, LIVE))
		return last + 1;

	return max(first, (u64)index << shift);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_next);

/**
 * msm_vm_tables_end - where the last-level table of an address ends
 * @iova: the address
 *
 * Return: the first address behind it.
 */
u64 msm_vm_tables_end(u64 iova)
{
	return ((iova >> level_shift(0)) + 1) << level_shift(0);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_end);

/**
 * msm_vm_tables_cleared - entries are gone for good
 * @tables: the tables, in which nothing is going to be mapped any more
 * @first: first address; in the same last-level table as @last
 * @last: last address, inclusive
 *
 * Does not allocate.
 */
void msm_vm_tables_cleared(struct msm_vm_tables *tables, u64 first, u64 last)
{
	u64 end = msm_vm_tables_end(first);

	if (first + BIT_ULL(level_shift(0)) == end && last == end - 1)
		xa_clear_mark(&tables->slots[0], first >> level_shift(0), LIVE);
}
EXPORT_SYMBOL_IF_KUNIT(msm_vm_tables_cleared);
