// SPDX-License-Identifier: MIT
/*
 * Who waits for whom: semaphores between binds, copies and the CPU.
 *
 * Each test would see other bytes, or a wait that ends, if the order were not
 * kept: what must come later is submitted, and seen not to have happened,
 * before what it waits for.
 *
 * Terms: a gate is a timeline semaphore that the CPU opens.
 */
#include <string.h>

#include "vk_semaphore.h"

#define OLD	0x0b0b0b0b
#define NEW	0x0a0a0a0a
#define ROUNDS	16

static void expect_word(const char *when, const struct vk_memory *memory,
			u64 offset, u32 wanted)
{
	vk_expect(when, memory->map + offset, (const u8 *)&wanted,
		  sizeof(wanted));
}

static void record_fill(struct vk_dev *vk, VkBuffer buffer, u64 size, u32 value)
{
	vk_begin(vk);
	vkCmdFillBuffer(vk->cmd, buffer, 0, size, value);
	vk_barrier(vk);
	vk_ok(vkEndCommandBuffer(vk->cmd));
}

/* A fill waits for the CPU, and the CPU for the fill. */
static void host_gate(struct vk_dev *vk)
{
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);
	VkSemaphore gate = vk_timeline(vk, 0), done = vk_timeline(vk, 0);
	const struct vk_edge edge = { gate, 5, done, 7 };

	memset(buffer.memory.map, OLD & 0xff, VK_PAGE);
	record_fill(vk, buffer.handle, VK_PAGE, NEW);
	vk_edge_submit(vk, &edge, true);
	vk_still_waits(vk, "a fill");
	expect_word("before the gate opens", &buffer.memory, 0, OLD);
	vk_timeline_expect(vk, done, 0);
	vk_timeline_signal(vk, gate, 4);
	vk_still_waits(vk, "a fill behind a lower point");
	vk_timeline_signal(vk, gate, 5);
	vk_timeline_wait(vk, done, 7);
	expect_word("after the gate opened", &buffer.memory, 0, NEW);
	vk_wait(vk);
	vk_timeline_expect(vk, done, 7);
	vkDestroySemaphore(vk->dev, gate, NULL);
	vkDestroySemaphore(vk->dev, done, NULL);
	vk_buffer_free(vk, &buffer);
}

/**
 * struct rebind - a sparse page that changes from one memory to another
 * @buffer: a page of it
 * @old: bound first
 * @fresh: bound by a call that waits
 */
struct rebind {
	VkBuffer buffer;
	struct vk_memory old;
	struct vk_memory fresh;
};

static VkSparseMemoryBind bind_of(const struct vk_memory *memory)
{
	const VkSparseMemoryBind bind = {
		.size = VK_PAGE, .memory = memory->handle,
	};

	return bind;
}

static void rebind_open(struct vk_dev *vk, struct rebind *rebind)
{
	VkSparseMemoryBind first;

	rebind->buffer = vk_buffer_handle(vk, VK_PAGE,
					  VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
					  VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT);
	rebind->old = vk_memory_new(vk, VK_PAGE);
	rebind->fresh = vk_memory_new(vk, VK_PAGE);
	memset(rebind->old.map, OLD & 0xff, VK_PAGE);
	memset(rebind->fresh.map, OLD & 0xff, VK_PAGE);
	first = bind_of(&rebind->old);
	vk_bind_sparse(vk, rebind->buffer, &first, 1);
	vk_wait(vk);
}

static void rebind_close(struct vk_dev *vk, struct rebind *rebind)
{
	vkDestroyBuffer(vk->dev, rebind->buffer, NULL);
	vk_memory_free(vk, &rebind->old);
	vk_memory_free(vk, &rebind->fresh);
}

/* A fill waits for a bind, again and again: each reaches what was bound last. */
static void bind_then_fill(struct vk_dev *vk)
{
	VkSemaphore bound = vk_binary(vk);
	const struct vk_edge first = { .signal = bound };
	const struct vk_edge second = { .wait = bound };
	struct vk_memory *now, *before;
	struct rebind rebind;
	VkSparseMemoryBind bind;

	rebind_open(vk, &rebind);
	now = &rebind.fresh;
	before = &rebind.old;
	for (u32 round = 0; round < ROUNDS; round++) {
		bind = bind_of(now);
		record_fill(vk, rebind.buffer, VK_PAGE, NEW + round);
		vk_edge_bind(vk, &first, rebind.buffer, &bind, false);
		vk_edge_submit(vk, &second, true);
		vk_wait(vk);
		expect_word("the memory bound now", now, 0, NEW + round);
		expect_word("the memory bound before", before, 0,
			    round ? NEW + round - 1 : OLD);
		now = before;
		before = now == &rebind.old ? &rebind.fresh : &rebind.old;
	}
	rebind_close(vk, &rebind);
	vkDestroySemaphore(vk->dev, bound, NULL);
}

/* The bind waits for the CPU, so the fill waits, too. */
static void gated_bind_then_fill(struct vk_dev *vk)
{
	VkSemaphore line = vk_timeline(vk, 0);
	const struct vk_edge first = { line, 1, line, 2 };
	const struct vk_edge second = { line, 2, line, 3 };
	struct rebind rebind;
	VkSparseMemoryBind bind;

	rebind_open(vk, &rebind);
	bind = bind_of(&rebind.fresh);
	record_fill(vk, rebind.buffer, VK_PAGE, NEW);
	vk_edge_bind(vk, &first, rebind.buffer, &bind, false);
	vk_edge_submit(vk, &second, true);
	vk_still_waits(vk, "a fill behind a bind");
	vk_timeline_expect(vk, line, 0);
	expect_word("before the bind", &rebind.old, 0, OLD);
	vk_timeline_signal(vk, line, 1);
	vk_wait(vk);
	vk_timeline_expect(vk, line, 3);
	expect_word("the memory bound before", &rebind.old, 0, OLD);
	expect_word("the memory bound now", &rebind.fresh, 0, NEW);
	rebind_close(vk, &rebind);
	vkDestroySemaphore(vk->dev, line, NULL);
}

/* A bind waits for a fill: it goes to the memory that was bound before. */
static void fill_then_bind(struct vk_dev *vk)
{
	VkSemaphore line = vk_timeline(vk, 0);
	const struct vk_edge first = { line, 1, line, 2 };
	const struct vk_edge second = { line, 2, line, 3 };
	struct rebind rebind;
	VkSparseMemoryBind bind;

	rebind_open(vk, &rebind);
	bind = bind_of(&rebind.fresh);
	record_fill(vk, rebind.buffer, VK_PAGE, NEW);
	vk_edge_submit(vk, &first, false);
	vk_edge_bind(vk, &second, rebind.buffer, &bind, true);
	vk_still_waits(vk, "a bind behind a fill");
	vk_timeline_signal(vk, line, 1);
	vk_wait(vk);
	vk_timeline_expect(vk, line, 3);
	expect_word("the memory bound before", &rebind.old, 0, NEW);
	expect_word("the memory bound now", &rebind.fresh, 0, OLD);
	rebind_close(vk, &rebind);
	vkDestroySemaphore(vk->dev, line, NULL);
}

/* A command buffer stops at an event until the CPU sets it. */
static void host_event(struct vk_dev *vk)
{
	const VkEventCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
	};
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);
	const struct vk_edge none = {};
	VkEvent event;

	vk_ok(vkCreateEvent(vk->dev, &info, NULL, &event));
	memset(buffer.memory.map, OLD & 0xff, VK_PAGE);
	vk_begin(vk);
	vkCmdFillBuffer(vk->cmd, buffer.handle, 0, 64, NEW);
	vkCmdWaitEvents(vk->cmd, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
			VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL,
			0, NULL);
	vkCmdFillBuffer(vk->cmd, buffer.handle, 64, 64, NEW);
	vk_barrier(vk);
	vk_ok(vkEndCommandBuffer(vk->cmd));
	vk_edge_submit(vk, &none, true);
	vk_still_waits(vk, "a fill behind an event");
	expect_word("before the event", &buffer.memory, 64, OLD);
	vk_ok(vkSetEvent(vk->dev, event));
	vk_wait(vk);
	expect_word("the fill before the event", &buffer.memory, 0, NEW);
	expect_word("the fill after the event", &buffer.memory, 64, NEW);
	vkDestroyEvent(vk->dev, event, NULL);
	vk_buffer_free(vk, &buffer);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "host-gate", host_gate },
		{ "bind-then-fill", bind_then_fill },
		{ "gated-bind-then-fill", gated_bind_then_fill },
		{ "fill-then-bind", fill_then_bind },
		{ "host-event", host_event },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
