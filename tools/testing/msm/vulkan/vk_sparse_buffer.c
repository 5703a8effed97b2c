// SPDX-License-Identifier: MIT
/*
 * Sparse buffers: bind, unbind, rebind, alias, and what is where nothing is.
 *
 * Each test changes a buffer and its model alike and compares all bytes after
 * each step, see vk_sparse.h.
 */
#include <string.h>

#include "vk_semaphore.h"
#include "vk_sparse.h"
#include "vm_log.h"

static void unbound(struct vk_dev *vk)
{
	struct sparse sparse;

	sparse_open(&sparse, vk, 16, SPARSE_RESIDENCY);
	sparse_expect(&sparse, "never bound");
	sparse_fill(&sparse, 0, 16 * VK_PAGE, 0xdeadbeef);
	sparse_expect(&sparse, "after a write to nothing");
	sparse_close(&sparse);
}

static void bind(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, 8);
	sparse_bind(&sparse, 0, memory, 0, 8);
	sparse_expect(&sparse, "bound");
	sparse_fill(&sparse, 0, 8 * VK_PAGE, 0x01020304);
	sparse_expect(&sparse, "written");
	sparse_close(&sparse);
}

/* Parts of a buffer, parts of memory, and a write across all borders */
static void bind_parts(struct vk_dev *vk)
{
	struct sparse_memory *a, *b;
	struct sparse sparse;

	sparse_open(&sparse, vk, 16, SPARSE_RESIDENCY);
	a = sparse_memory(&sparse, 8);
	b = sparse_memory(&sparse, 4);
	sparse_bind(&sparse, 2, a, 3, 4);
	sparse_expect(&sparse, "part of the first memory");
	sparse_bind(&sparse, 10, b, 1, 2);
	sparse_expect(&sparse, "part of the second memory");
	sparse_fill(&sparse, VK_PAGE + 4, 11 * VK_PAGE, 0x0a0b0c0d);
	sparse_expect(&sparse, "written across bound and unbound pages");
	sparse_close(&sparse);
}

static void unbind(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, 8);
	sparse_bind(&sparse, 0, memory, 0, 8);
	sparse_unbind(&sparse, 3, 2);
	sparse_expect(&sparse, "the middle unbound");
	sparse_fill(&sparse, 0, 8 * VK_PAGE, 0x11111111);
	sparse_expect(&sparse, "written, with a hole");
	sparse_unbind(&sparse, 0, 8);
	sparse_expect(&sparse, "all unbound");
	sparse_fill(&sparse, 0, 8 * VK_PAGE, 0x22222222);
	sparse_expect(&sparse, "written, all unbound");
	sparse_close(&sparse);
}

static void rebind(struct vk_dev *vk)
{
	struct sparse_memory *a, *b;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
	a = sparse_memory(&sparse, 8);
	b = sparse_memory(&sparse, 8);
	sparse_bind(&sparse, 0, a, 0, 8);
	sparse_bind(&sparse, 2, b, 0, 3);
	sparse_expect(&sparse, "part replaced");
	sparse_bind(&sparse, 0, a, 4, 4);
	sparse_expect(&sparse, "other pages of the same memory");
	sparse_fill(&sparse, 0, 8 * VK_PAGE, 0x33333333);
	sparse_expect(&sparse, "written");
	sparse_bind(&sparse, 0, b, 0, 8);
	sparse_expect(&sparse, "all replaced");
	sparse_close(&sparse);
}

/* A buffer without residency: all of it is bound before use */
static void binding_only(struct vk_dev *vk)
{
	struct sparse_memory *a, *b;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
	a = sparse_memory(&sparse, 8);
	b = sparse_memory(&sparse, 8);
	sparse_add(&sparse, 0, a, 4, 4);
	sparse_add(&sparse, 4, b, 0, 4);
	sparse_commit(&sparse);
	sparse_expect(&sparse, "bound");
	sparse_unbind(&sparse, 2, 4);
	sparse_bind(&sparse, 2, b, 4, 4);
	sparse_expect(&sparse, "part unbound and bound again");
	sparse_fill(&sparse, VK_PAGE, 6 * VK_PAGE, 0x44444444);
	sparse_expect(&sparse, "written");
	sparse_close(&sparse);
}

/* The same memory at two offsets: a write through one is read through both */
static void alias(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 16, SPARSE_ALIASED);
	memory = sparse_memory(&sparse, 4);
	sparse_add(&sparse, 1, memory, 0, 4);
	sparse_add(&sparse, 9, memory, 0, 4);
	sparse_commit(&sparse);
	sparse_expect(&sparse, "bound twice");
	sparse_fill(&sparse, 2 * VK_PAGE, VK_PAGE, 0x55555555);
	sparse_expect(&sparse, "written through the first");
	sparse_fill(&sparse, 11 * VK_PAGE, VK_PAGE, 0x66666666);
	sparse_expect(&sparse, "written through the second");
	sparse_unbind(&sparse, 1, 4);
	sparse_fill(&sparse, 0, 16 * VK_PAGE, 0x77777777);
	sparse_expect(&sparse, "the first unbound, written");
	sparse_close(&sparse);
}

/* The kernel must get all in one VM_BIND: turnip splits what it refuses. */
static void commit_as_one(struct sparse *sparse)
{
	static struct vm_log log;
	u64 wanted = sparse->count, binds, operations;

	if (!vm_log_read(&log))
		vk_fail("debugfs does not show the address space (not root?)");
	binds = log.binds;
	operations = log.operations;
	sparse_commit(sparse);
	if (!vm_log_read(&log))
		vk_fail("debugfs shows the address space no more");
	binds = log.binds - binds;
	operations = log.operations - operations;
	if (binds != 1 || operations != wanted)
		vk_fail("%llu binds of one call reach the kernel as %llu with %llu operations",
			(unsigned long long)wanted, (unsigned long long)binds,
			(unsigned long long)operations);
}

/* @count binds in one call, each a page, scattered over memory */
static void many(struct vk_dev *vk, u32 count)
{
	struct sparse_memory *memory;
	struct sparse sparse;
	u32 i;

	sparse_open(&sparse, vk, 2 * count, SPARSE_RESIDENCY);
	memory = sparse_memory(&sparse, count);
	for (i = 0; i < count; i++)
		sparse_add(&sparse, 2 * i, memory, count - 1 - i, 1);
	commit_as_one(&sparse);
	sparse_expect(&sparse, "bound");
	sparse_fill(&sparse, 0, 2 * count * VK_PAGE, 0x88888888);
	sparse_expect(&sparse, "written");
	for (i = 0; i < count; i++)
		sparse_add(&sparse, 2 * i, NULL, 0, 1);
	commit_as_one(&sparse);
	sparse_expect(&sparse, "unbound");
	sparse_close(&sparse);
}

static void binds_1(struct vk_dev *vk)
{
	many(vk, 1);
}

static void binds_2(struct vk_dev *vk)
{
	many(vk, 2);
}

static void binds_256(struct vk_dev *vk)
{
	many(vk, 256);
}

/* The buffer spans twenty page tables. */
static void binds_5000(struct vk_dev *vk)
{
	many(vk, 5000);
}

/* The addresses of a buffer that is gone while bound are used again. */
static void destroy_bound(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	for (int round = 0; round < 4; round++) {
		sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
		memory = sparse_memory(&sparse, 8);
		sparse_expect(&sparse, "new");
		sparse_bind(&sparse, 0, memory, 0, 6);
		sparse_expect(&sparse, "bound");
		sparse_close(&sparse);
	}
}

/* What was freed right after its unbind is not reached any more. */
static void free_after_unbind(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
	for (int round = 0; round < 4; round++) {
		memory = sparse_memory(&sparse, 8);
		sparse_bind(&sparse, 0, memory, 0, 8);
		sparse_expect(&sparse, "bound");
		sparse_unbind(&sparse, 0, 8);
		sparse_free(&sparse, memory);
		/* Likely on the pages that were just freed */
		memory = sparse_memory(&sparse, 8);
		sparse_fill(&sparse, 0, 8 * VK_PAGE, 0x99999999);
		sparse_expect(&sparse, "memory gone");
		sparse_free(&sparse, memory);
	}
	sparse_close(&sparse);
}

/* An unbind of all pages that waits for @edge, in buffer and model */
static void queue_unbind(struct sparse *sparse, const struct vk_edge *edge)
{
	sparse_add(sparse, 0, NULL, 0, sparse->pages);
	vk_edge_bind(sparse->vk, edge, sparse->handle, sparse->binds, false);
	sparse->count = 0;
}

/* The memory that was freed is not reached through the unbound buffer. */
static void expect_gone(struct sparse *sparse, struct sparse_memory *other)
{
	sparse_fill(sparse, 0, sparse->pages * VK_PAGE, 0xaaaaaaaa);
	sparse_expect(sparse, "unbound after its memory was freed");
	sparse_free(sparse, other);
}

/* Memory is freed while its unbind waits for the CPU. */
static void free_queued_unbind(struct vk_dev *vk)
{
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 8, SPARSE_RESIDENCY);
	for (int round = 0; round < 4; round++) {
		VkSemaphore line = vk_timeline(vk, 0);
		const struct vk_edge edge = { line, 1, line, 2 };

		memory = sparse_memory(&sparse, 8);
		sparse_bind(&sparse, 0, memory, 0, 8);
		sparse_expect(&sparse, "bound");
		queue_unbind(&sparse, &edge);
		sparse_free(&sparse, memory);
		memory = sparse_memory(&sparse, 8);
		vk_timeline_expect(vk, line, 0);
		vk_timeline_signal(vk, line, 1);
		vk_timeline_wait(vk, line, 2);
		expect_gone(&sparse, memory);
		vkDestroySemaphore(vk->dev, line, NULL);
	}
	sparse_close(&sparse);
}

/* A fill that waits until the CPU sets @event, then opens @edge */
static void queue_fill(struct sparse *sparse, VkEvent event,
		       const struct vk_edge *edge)
{
	struct vk_dev *vk = sparse->vk;

	vk_begin(vk);
	vkCmdWaitEvents(vk->cmd, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL, 0,
			NULL);
	vkCmdFillBuffer(vk->cmd, sparse->handle, 0, VK_WHOLE_SIZE, 0xbbbbbbbb);
	vk_barrier(vk);
	vk_ok(vkEndCommandBuffer(vk->cmd));
	vk_edge_submit(vk, edge, false);
}

/*
 * Memory is freed while the GPU has a fill of it to run, and the kernel its
 * unbind behind that: a point that nobody has signalled yet turnip waits for
 * itself, one that a submit will signal the kernel.  Vulkan wants clients to
 * wait for the fill; when they do not, the kernel has to keep the pages until
 * the unbind is done, or the fill hits whoever has them next.
 */
static void free_in_use(struct vk_dev *vk)
{
	const VkEventCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
	};
	struct sparse_memory *memory;
	struct sparse sparse;

	sparse_open(&sparse, vk, 64, SPARSE_RESIDENCY);
	for (int round = 0; round < 4; round++) {
		VkSemaphore line = vk_timeline(vk, 0);
		const struct vk_edge filled = { .signal = line, .signal_point = 1 };
		const struct vk_edge unbound = { line, 1, line, 2 };
		VkEvent event;

		vk_ok(vkCreateEvent(vk->dev, &info, NULL, &event));
		memory = sparse_memory(&sparse, 64);
		sparse_bind(&sparse, 0, memory, 0, 64);
		queue_fill(&sparse, event, &filled);
		queue_unbind(&sparse, &unbound);
		sparse_free(&sparse, memory);
		memory = sparse_memory(&sparse, 64);
		vk_timeline_expect(vk, line, 0);
		vk_ok(vkSetEvent(vk->dev, event));
		vk_timeline_wait(vk, line, 2);
		expect_gone(&sparse, memory);
		vkDestroyEvent(vk->dev, event, NULL);
		vkDestroySemaphore(vk->dev, line, NULL);
	}
	sparse_close(&sparse);
}

/* One call that binds some pages and unbinds others, at random */
static void random_call(struct sparse *sparse, struct sparse_memory **memories,
			u32 *state)
{
	u64 at = vk_random(state) % 3;

	while (at < sparse->pages) {
		u64 left = sparse->pages - at;
		u64 pages = 1 + vk_random(state) % 5;
		u32 which = vk_random(state) % 3;
		u64 page;

		if (pages > left)
			pages = left;
		page = vk_random(state) % (32 - pages + 1);
		sparse_add(sparse, at, which < 2 ? memories[which] : NULL,
			   page, pages);
		at += pages + vk_random(state) % 4;
	}
	if (sparse->count)
		sparse_commit(sparse);
}

static void random_binds(struct vk_dev *vk)
{
	struct sparse_memory *memories[2];
	struct sparse sparse;
	u32 state = 6120;

	sparse_open(&sparse, vk, 64, SPARSE_ALIASED);
	memories[0] = sparse_memory(&sparse, 32);
	memories[1] = sparse_memory(&sparse, 32);
	for (int round = 0; round < 12; round++) {
		u64 from = vk_random(&state) % (32 * VK_PAGE) & ~3ull;
		u64 size = 4 + (vk_random(&state) % (31 * VK_PAGE) & ~3ull);

		random_call(&sparse, memories, &state);
		sparse_fill(&sparse, from, size, vk_random(&state));
		sparse_expect(&sparse, "bound and written at random");
	}
	sparse_close(&sparse);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "unbound", unbound },
		{ "bind", bind },
		{ "bind-parts", bind_parts },
		{ "unbind", unbind },
		{ "rebind", rebind },
		{ "binding-only", binding_only },
		{ "alias", alias },
		{ "binds-1", binds_1 },
		{ "binds-2", binds_2 },
		{ "binds-256", binds_256 },
		{ "binds-5000", binds_5000 },
		{ "destroy-bound", destroy_bound },
		{ "free-after-unbind", free_after_unbind },
		{ "free-queued-unbind", free_queued_unbind },
		{ "free-in-use", free_in_use },
		{ "random", random_binds },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
