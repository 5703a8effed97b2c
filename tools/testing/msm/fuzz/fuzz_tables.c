// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page tables a VM has and which are promised, and the kernel's own
 * xarray, under libFuzzer.
 *
 * Jobs promise the tables of a range, may make them, and release them, in any
 * order; allocations fail.  The oracle is a list of slots with their users,
 * which is compared after each step, and which says how many pages must be set
 * aside.
 *
 * Input: steps of four bytes, see step().
 */
#include "shim.h"

#include "msm/vm/msm_vm_tables.h"

#define IAS		48
#define LEVELS		3
#define JOBS		8
#define SLOTS		512

struct page {
	struct list_head lru;
};

/* A table: users of a promise, or made */
struct slot {
	u32 level;
	u64 index;
	u32 users;
	bool made;
};

struct job {
	bool active;
	u64 first;
	u64 last;
};

static struct msm_vm_tables tables;
static struct slot slots[SLOTS];
static u32 nr_slots;
static struct job jobs[JOBS];
/* A map has failed half way: pages may be left over. */
static bool doubt;

/* As in msm_pgtable.c, with memory that ASan knows */

int msm_pgtable_pages_fill(struct msm_pgtable_pages *pages, u64 count)
{
	for (; count; count--) {
		struct page *page = shim_alloc(sizeof(*page));

		if (!page)
			return -ENOMEM;
		list_add(&page->lru, &pages->list);
		pages->count++;
	}
	return 0;
}

void msm_pgtable_pages_drop(struct msm_pgtable_pages *pages)
{
	struct page *page = list_first_entry_or_null(&pages->list, struct page,
						     lru);

	shim_check(page || doubt, "no page left");
	if (!page)
		return;
	list_del(&page->lru);
	pages->count--;
	kfree(page);
}

void msm_pgtable_pages_release(struct msm_pgtable_pages *pages)
{
	while (pages->count)
		msm_pgtable_pages_drop(pages);
}

static u32 shift_of(u32 level)
{
	return 12 + 9 * (level + 1);
}

static struct slot *find(u32 level, u64 index)
{
	u32 i;

	for (i = 0; i < nr_slots; i++)
		if (slots[i].level == level && slots[i].index == index)
			return &slots[i];
	shim_check(nr_slots < SLOTS, "harness: too many slots");
	slots[nr_slots] = (struct slot) { .level = level, .index = index };
	return &slots[nr_slots++];
}

/* Call @fn for each slot of a job's range; return the sum. */
static u32 each_slot(const struct job *job, u32 (*fn)(struct slot *slot))
{
	u32 level, sum = 0;
	u64 i;

	for (level = 0; level < LEVELS; level++)
		for (i = job->first >> shift_of(level);
		     i <= job->last >> shift_of(level); i++)
			sum += fn(find(level, i));
	return sum;
}

static u32 slot_missing(struct slot *slot)
{
	return !slot->made && !slot->users;
}

static u32 slot_promise(struct slot *slot)
{
	slot->users += !slot->made;
	return 0;
}

static u32 slot_release(struct slot *slot)
{
	slot->users -= slot->users > 0;
	return 0;
}

/* Return: whether it took a page. */
static u32 slot_make(struct slot *slot)
{
	bool fresh = !slot->made;

	slot->made = true;
	slot->users = 0;
	return fresh;
}

static void check_next(void)
{
	u64 from = jobs[0].first, last = jobs[0].last + (64ull << 21), want = last + 1;
	u32 i;

	for (i = 0; i < nr_slots; i++) {
		u64 start = slots[i].index << 21;

		if (slots[i].level || !slots[i].made)
			continue;
		if (start + (1 << 21) > from && start <= last)
			want = min(want, max(start, from));
	}
	shim_check(msm_vm_tables_next(&tables, from, last) == want,
		   "next of %llx is %llx, not %llx", from,
		   msm_vm_tables_next(&tables, from, last), want);
}

static void check(void)
{
	u64 promised = 0, made = 0;
	u32 i;

	for (i = 0; i < nr_slots; i++) {
		void *entry = xa_load(&tables.slots[slots[i].level],
				      slots[i].index);

		shim_check(!entry == (!slots[i].users && !slots[i].made),
			   "level %u, slot %llx: %p", slots[i].level,
			   slots[i].index, entry);
		shim_check(!entry || xa_to_value(entry) ==
			   (slots[i].made ? 0 : slots[i].users),
			   "level %u, slot %llx: %lu users", slots[i].level,
			   slots[i].index, xa_to_value(entry));
		promised += !slots[i].made && slots[i].users;
		made += slots[i].made;
	}
	shim_check(tables.pool.count == promised || doubt,
		   "%llu pages for %llu tables", tables.pool.count, promised);
	shim_check((u64)atomic_long_read(&tables.made) == made, "%ld made",
		   atomic_long_read(&tables.made));
	check_next();
}

/* Nothing has changed when it fails, and it fails only for want of memory. */
static void promise(struct job *job, int fail_after)
{
	int ret;

	shim_failed = false;
	shim_fail_after = fail_after;
	ret = msm_vm_tables_promise(&tables, job->first, job->last);
	shim_fail_after = -1;
	shim_check(ret == (shim_failed ? -ENOMEM : 0), "returned %d", ret);
	job->active = !ret;
	if (!ret)
		each_slot(job, slot_promise);
}

static void release(struct job *job)
{
	msm_vm_tables_release(&tables, job->first, job->last);
	each_slot(job, slot_release);
	job->active = false;
}

/* @leave: pages that a failing map does not come to use */
static void make(const struct job *job, u32 leave)
{
	u32 take = each_slot(job, slot_make);

	if (leave)
		doubt = true;
	for (take -= min(take, leave); take; take--)
		msm_pgtable_pages_drop(&tables.pool);
	msm_vm_tables_made(&tables, job->first, job->last);
}

/*
 * in[0]: job and what happens; in[1] and in[2]: where, near the edges of tables
 * of all levels; in[3]: which allocation fails, how many pages are left.
 */
static void step(const u8 *in)
{
	static const u64 edges[] = { 0, 1ull << 30, 1ull << 39, 5ull << 39 };
	struct job *job = &jobs[in[0] % JOBS];

	if (!job->active) {
		job->first = edges[in[1] & 3] + ((in[1] >> 2 & 7) << 21) +
			     ((in[1] >> 5) << 12);
		if (in[2] & 0x80 && job->first >= 4 << 21)
			job->first -= 4 << 21;
		job->last = job->first + ((u64)(in[2] & 15) << 20) + PAGE_SIZE - 1;
		promise(job, in[3] < 0xc0 ? -1 : in[3] % 16);
	} else if (in[0] & 0x80) {
		make(job, in[3] < 0xfe ? 0 : in[2] % 4);
	} else {
		release(job);
	}
	check();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 i;

	memset(jobs, 0, sizeof(jobs));
	nr_slots = 0;
	doubt = false;
	msm_vm_tables_init(&tables, IAS);
	for (; size >= 4; data += 4, size -= 4)
		step(data);
	for (i = 0; i < JOBS; i++)
		if (jobs[i].active)
			release(&jobs[i]);
	check();
	msm_vm_tables_fini(&tables);
	return 0;
}
