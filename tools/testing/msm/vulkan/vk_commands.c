// SPDX-License-Identifier: MIT
/*
 * Command buffers: many, long, nested, of several threads; both queue
 * families; and what a command buffer can find out without a shader.
 *
 * Every test compares the bytes that the commands must leave behind.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vk_semaphore.h"

#define THREADS	4
#define ROUNDS	12

/* What a query of pipeline statistics counts */
#define STATISTICS \
	(VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_VERTICES_BIT | \
	 VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT | \
	 VK_QUERY_PIPELINE_STATISTIC_CLIPPING_PRIMITIVES_BIT | \
	 VK_QUERY_PIPELINE_STATISTIC_FRAGMENT_SHADER_INVOCATIONS_BIT | \
	 VK_QUERY_PIPELINE_STATISTIC_COMPUTE_SHADER_INVOCATIONS_BIT)
#define NR_STATISTICS	5

static void expect_words(const char *when, const struct vk_buffer *buffer,
			 const u32 *wanted, u32 count)
{
	vk_expect(when, buffer->memory.map, (const u8 *)wanted,
		  count * sizeof(*wanted));
}

/* Command buffers of a level from a pool of their own */
static VkCommandPool pool_new(struct vk_dev *vk, VkCommandBufferLevel level,
			      VkCommandBuffer *cmds, u32 count)
{
	const VkCommandPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	VkCommandBufferAllocateInfo buffers = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = level, .commandBufferCount = count,
	};

	vk_ok(vkCreateCommandPool(vk->dev, &info, NULL, &buffers.commandPool));
	vk_ok(vkAllocateCommandBuffers(vk->dev, &buffers, cmds));
	return buffers.commandPool;
}

/**
 * struct locks - what one thread at a time may do
 * @queue: Vulkan wants that of a queue
 * @memory: allocate, which recording may, too.  turnip 26.1 keeps the fence of
 *	the map whose ioctl returned last and has the next submit wait for that
 *	alone.  Of two threads in the ioctl the one that queued its map first may
 *	return last: then a submit can begin before the other's map is done,
 *	whatever the kernel does.
 */
struct locks {
	pthread_mutex_t queue;
	pthread_mutex_t memory;
};

/**
 * struct worker - a thread that records, submits and waits on its own
 * @vk: the device that all share
 * @locks: same
 * @id: which thread
 * @thread: its handle
 */
struct worker {
	struct vk_dev *vk;
	struct locks *locks;
	u32 id;
	pthread_t thread;
};

/* Fill by words and copy what was filled. */
static void work_round(struct worker *worker, VkCommandBuffer cmd,
		       VkFence fence, const struct vk_buffer *buffer, u32 round)
{
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1, .pCommandBuffers = &cmd,
	};
	const VkBufferCopy half = { .dstOffset = 64, .size = 64 };
	u32 wanted[32];

	for (u32 i = 0; i < 16; i++)
		wanted[i] = worker->id << 24 | round << 8 | i;
	memcpy(wanted + 16, wanted, 64);
	pthread_mutex_lock(&worker->locks->memory);
	vk_ok(vkBeginCommandBuffer(cmd, &begin));
	for (u32 i = 0; i < 16; i++)
		vkCmdFillBuffer(cmd, buffer->handle, 4 * i, 4, wanted[i]);
	vk_cmd_barrier(cmd);
	vkCmdCopyBuffer(cmd, buffer->handle, buffer->handle, 1, &half);
	vk_cmd_barrier(cmd);
	vk_ok(vkEndCommandBuffer(cmd));
	pthread_mutex_unlock(&worker->locks->memory);
	pthread_mutex_lock(&worker->locks->queue);
	vk_ok(vkQueueSubmit(worker->vk->queue, 1, &info, fence));
	pthread_mutex_unlock(&worker->locks->queue);
	vk_ok(vkWaitForFences(worker->vk->dev, 1, &fence, VK_TRUE, VK_WAIT_NS));
	vk_ok(vkResetFences(worker->vk->dev, 1, &fence));
	expect_words("a thread's buffer", buffer, wanted, ARRAY_SIZE(wanted));
}

static void *work(void *data)
{
	const VkFenceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
	};
	struct worker *worker = data;
	struct vk_dev *vk = worker->vk;
	VkCommandBuffer cmd;
	VkCommandPool pool;
	VkFence fence;

	pthread_mutex_lock(&worker->locks->memory);
	pool = pool_new(vk, VK_COMMAND_BUFFER_LEVEL_PRIMARY, &cmd, 1);
	vk_ok(vkCreateFence(vk->dev, &info, NULL, &fence));
	for (u32 round = 0; round < ROUNDS; round++) {
		struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);

		pthread_mutex_unlock(&worker->locks->memory);
		work_round(worker, cmd, fence, &buffer, round);
		pthread_mutex_lock(&worker->locks->memory);
		vk_buffer_free(vk, &buffer);
	}
	vkDestroyFence(vk->dev, fence, NULL);
	vkDestroyCommandPool(vk->dev, pool, NULL);
	pthread_mutex_unlock(&worker->locks->memory);
	return NULL;
}

/* Threads with pools of their own, memory coming and going meanwhile */
static void threads(struct vk_dev *vk)
{
	struct locks locks = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
	};
	struct worker workers[THREADS];

	for (u32 i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ vk, &locks, i + 1, 0 };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			vk_fail("cannot start a thread");
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

/* Work that is recorded apart, and executed twice by one command buffer */
static void secondary(struct vk_dev *vk)
{
	const VkCommandBufferInheritanceInfo inherit = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
		.pInheritanceInfo = &inherit,
	};
	const VkBufferCopy up = { .srcOffset = 0, .dstOffset = 8, .size = 8 };
	const u32 wanted[] = { 7, 2, 7, 2, 1, 2, 1, 2 };
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);
	VkCommandBuffer cmds[2];
	VkCommandPool pool;

	pool = pool_new(vk, VK_COMMAND_BUFFER_LEVEL_SECONDARY, cmds, 2);
	vk_ok(vkBeginCommandBuffer(cmds[0], &begin));
	vkCmdFillBuffer(cmds[0], buffer.handle, 4, 4, 2);
	vk_cmd_barrier(cmds[0]);
	vk_ok(vkEndCommandBuffer(cmds[0]));
	vk_ok(vkBeginCommandBuffer(cmds[1], &begin));
	vkCmdCopyBuffer(cmds[1], buffer.handle, buffer.handle, 1, &up);
	vk_cmd_barrier(cmds[1]);
	vk_ok(vkEndCommandBuffer(cmds[1]));

	vk_begin(vk);
	vkCmdFillBuffer(vk->cmd, buffer.handle, 0, 4, 1);
	vkCmdExecuteCommands(vk->cmd, 2, cmds);
	vkCmdCopyBuffer(vk->cmd, buffer.handle, buffer.handle, 1,
			&(VkBufferCopy){ 0, 16, 16 });
	vk_barrier(vk);
	vkCmdFillBuffer(vk->cmd, buffer.handle, 0, 4, 7);
	vk_barrier(vk);
	vkCmdExecuteCommands(vk->cmd, 2, cmds);
	vk_submit(vk);
	expect_words("after both", &buffer, wanted, ARRAY_SIZE(wanted));
	vkDestroyCommandPool(vk->dev, pool, NULL);
	vk_buffer_free(vk, &buffer);
}

/* More commands than one indirect buffer of turnip's holds */
static void commands_3000(struct vk_dev *vk)
{
	enum { COUNT = 3000 };
	struct vk_buffer buffer = vk_buffer_new(vk, COUNT * sizeof(u32));
	u32 *wanted = malloc(COUNT * sizeof(*wanted));

	vk_begin(vk);
	for (u32 i = 0; i < COUNT; i++) {
		wanted[i] = i * 2654435761u;
		vkCmdFillBuffer(vk->cmd, buffer.handle, 4 * i, 4, wanted[i]);
	}
	vk_submit(vk);
	expect_words("after 3000 fills", &buffer, wanted, COUNT);
	free(wanted);
	vk_buffer_free(vk, &buffer);
}

static VkQueryPool queries_new(struct vk_dev *vk, VkQueryType type, u32 count)
{
	const VkQueryPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
		.queryType = type, .queryCount = count,
		.pipelineStatistics = STATISTICS,
	};
	VkQueryPool pool;

	vk_ok(vkCreateQueryPool(vk->dev, &info, NULL, &pool));
	return pool;
}

/*
 * What the CPU and what the GPU finds in queries of @words numbers each must
 * be the same.
 */
static void read_queries(struct vk_dev *vk, VkQueryPool pool, u32 count,
			 u32 words, u64 *values)
{
	const VkQueryResultFlags flags = VK_QUERY_RESULT_64_BIT |
		VK_QUERY_RESULT_WAIT_BIT;
	const u64 stride = words * sizeof(*values), size = count * stride;
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);

	memset(buffer.memory.map, 0xee, size);
	vk_begin(vk);
	vkCmdCopyQueryPoolResults(vk->cmd, pool, 0, count, buffer.handle, 0,
				  stride, flags);
	vk_submit(vk);
	vk_ok(vkGetQueryPoolResults(vk->dev, pool, 0, count, size, values,
				    stride, flags));
	vk_expect("queries, copied by the GPU", buffer.memory.map,
		  (const u8 *)values, size);
	vk_buffer_free(vk, &buffer);
}

/* Nothing is drawn, so nothing is seen; but that must be said. */
static void occlusion(struct vk_dev *vk)
{
	VkQueryPool pool = queries_new(vk, VK_QUERY_TYPE_OCCLUSION, 2);
	u64 values[2] = { 1, 1 };
	VkResult result;

	vk_begin(vk);
	vkCmdResetQueryPool(vk->cmd, pool, 0, 2);
	vk_submit(vk);
	result = vkGetQueryPoolResults(vk->dev, pool, 0, 2, sizeof(values),
				       values, sizeof(u64),
				       VK_QUERY_RESULT_64_BIT);
	if (result != VK_NOT_READY)
		vk_fail("queries that were reset give %d", result);
	vk_begin(vk);
	for (u32 i = 0; i < 2; i++) {
		vkCmdBeginQuery(vk->cmd, pool, i, 0);
		vkCmdEndQuery(vk->cmd, pool, i);
	}
	vk_submit(vk);
	read_queries(vk, pool, 2, 1, values);
	if (values[0] || values[1])
		vk_fail("%llu and %llu samples were seen",
			(unsigned long long)values[0],
			(unsigned long long)values[1]);
	vkDestroyQueryPool(vk->dev, pool, NULL);
}

/* Nothing is drawn and no shader runs, whatever is copied meanwhile. */
static void pipeline_statistics(struct vk_dev *vk)
{
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);
	u64 values[2 * NR_STATISTICS];
	VkQueryPool pool;

	if (!vk_has_statistics(vk))
		vk_fail("the device has no pipeline statistics");
	memset(values, 0xee, sizeof(values));
	pool = queries_new(vk, VK_QUERY_TYPE_PIPELINE_STATISTICS, 2);
	vk_begin(vk);
	vkCmdResetQueryPool(vk->cmd, pool, 0, 2);
	for (u32 i = 0; i < 2; i++) {
		vkCmdBeginQuery(vk->cmd, pool, i, 0);
		vkCmdFillBuffer(vk->cmd, buffer.handle, 0, VK_WHOLE_SIZE, i);
		vkCmdEndQuery(vk->cmd, pool, i);
	}
	vk_submit(vk);
	read_queries(vk, pool, 2, NR_STATISTICS, values);
	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i])
			vk_fail("number %u of the statistics is %llu", i,
				(unsigned long long)values[i]);
	vkDestroyQueryPool(vk->dev, pool, NULL);
	vk_buffer_free(vk, &buffer);
}

/* The GPU's clock goes on while it works. */
static void timestamps(struct vk_dev *vk)
{
	enum { COUNT = 3 };
	struct vk_buffer buffer = vk_buffer_new(vk, 256 * VK_PAGE);
	VkQueryPool pool = queries_new(vk, VK_QUERY_TYPE_TIMESTAMP, COUNT);
	u64 values[COUNT];

	vk_begin(vk);
	vkCmdResetQueryPool(vk->cmd, pool, 0, COUNT);
	for (u32 i = 0; i < COUNT; i++) {
		vkCmdWriteTimestamp(vk->cmd, VK_PIPELINE_STAGE_TRANSFER_BIT,
				    pool, i);
		vkCmdFillBuffer(vk->cmd, buffer.handle, 0, VK_WHOLE_SIZE, i);
		vk_barrier(vk);
	}
	vk_submit(vk);
	read_queries(vk, pool, COUNT, 1, values);
	for (u32 i = 1; i < COUNT; i++)
		if (values[i] <= values[i - 1])
			vk_fail("after a fill of 1 MiB the clock goes from %llu to %llu",
				(unsigned long long)values[i - 1],
				(unsigned long long)values[i]);
	vkDestroyQueryPool(vk->dev, pool, NULL);
	vk_buffer_free(vk, &buffer);
}

/* An event that the GPU sets, seen by the CPU and waited for by the GPU */
static void gpu_event(struct vk_dev *vk)
{
	const VkEventCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
	};
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
	struct vk_buffer buffer = vk_buffer_new(vk, VK_PAGE);
	const u32 wanted = 9;
	VkEvent event;

	vk_ok(vkCreateEvent(vk->dev, &info, NULL, &event));
	vk_begin(vk);
	vkCmdSetEvent(vk->cmd, event, stage);
	vkCmdWaitEvents(vk->cmd, 1, &event, stage, stage, 0, NULL, 0, NULL, 0,
			NULL);
	vkCmdFillBuffer(vk->cmd, buffer.handle, 0, 4, wanted);
	vk_submit(vk);
	expect_words("behind the event", &buffer, &wanted, 1);
	if (vkGetEventStatus(vk->dev, event) != VK_EVENT_SET)
		vk_fail("the CPU does not see the event that the GPU set");
	vk_begin(vk);
	vkCmdResetEvent(vk->cmd, event, stage);
	vk_submit(vk);
	if (vkGetEventStatus(vk->dev, event) != VK_EVENT_RESET)
		vk_fail("the CPU still sees the event that the GPU reset");
	vkDestroyEvent(vk->dev, event, NULL);
	vk_buffer_free(vk, &buffer);
}

/* One bind on @binder's queue, and the fill that waits for it on @vk's */
static void bind_family_round(struct vk_dev *vk, struct vk_dev *binder,
			      VkBuffer sparse, const struct vk_memory *memory,
			      u32 round)
{
	const VkSparseMemoryBind bind = {
		.resourceOffset = (round & 2) / 2 * VK_PAGE,
		.size = VK_PAGE, .memory = memory->handle,
	};
	VkSemaphore line = vk_timeline(vk, 0);
	const struct vk_edge first = { line, 1, line, 2 };
	const struct vk_edge second = { line, 2, line, 3 };
	const u32 wanted = 100 + round, before = ~wanted;

	memcpy(memory->map, &before, sizeof(before));
	vk_begin(vk);
	vkCmdFillBuffer(vk->cmd, sparse, bind.resourceOffset, 4, wanted);
	vk_barrier(vk);
	vk_ok(vkEndCommandBuffer(vk->cmd));
	vk_edge_bind(binder, &first, sparse, &bind, false);
	vk_edge_submit(vk, &second, true);
	vk_still_waits(vk, "a fill behind a bind of the other family");
	vk_expect("the memory before its bind", memory->map,
		  (const u8 *)&before, sizeof(before));
	vk_timeline_signal(vk, line, 1);
	vk_wait(vk);
	vk_timeline_expect(vk, line, 3);
	vk_expect("the memory just bound", memory->map, (const u8 *)&wanted,
		  sizeof(wanted));
	vkDestroySemaphore(vk->dev, line, NULL);
}

/*
 * Binds on the queue that only binds, each held back by the CPU; a fill on the
 * other queue waits for each, at both offsets and for both memories.
 */
static void bind_family(struct vk_dev *vk)
{
	VkBuffer sparse = vk_buffer_handle(vk, 2 * VK_PAGE,
					   VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
					   VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT);
	struct vk_memory memories[2];
	struct vk_dev binder = *vk;

	binder.queue = vk->sparse;
	for (int i = 0; i < 2; i++)
		memories[i] = vk_memory_new(vk, VK_PAGE);
	for (u32 round = 0; round < 8; round++)
		bind_family_round(vk, &binder, sparse, &memories[round & 1],
				  round);
	vkDestroyBuffer(vk->dev, sparse, NULL);
	for (int i = 0; i < 2; i++)
		vk_memory_free(vk, &memories[i]);
}

/* A call without binds only passes semaphores on, on either family. */
static void bind_nothing(struct vk_dev *vk)
{
	VkSemaphore line = vk_timeline(vk, 0);
	const u64 points[] = { 1, 2, 3 };
	const VkQueue queues[] = { vk->sparse, vk->queue };

	for (u32 i = 0; i < ARRAY_SIZE(queues); i++) {
		const VkTimelineSemaphoreSubmitInfo values = {
			.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
			.waitSemaphoreValueCount = 1,
			.pWaitSemaphoreValues = &points[i],
			.signalSemaphoreValueCount = 1,
			.pSignalSemaphoreValues = &points[i + 1],
		};
		const VkBindSparseInfo info = {
			.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
			.pNext = &values,
			.waitSemaphoreCount = 1, .pWaitSemaphores = &line,
			.signalSemaphoreCount = 1, .pSignalSemaphores = &line,
		};

		vk_ok(vkQueueBindSparse(queues[i], 1, &info,
					i ? vk->fence : VK_NULL_HANDLE));
	}
	vk_timeline_expect(vk, line, 0);
	vk_timeline_signal(vk, line, 1);
	vk_wait(vk);
	vk_timeline_expect(vk, line, 3);
	vkDestroySemaphore(vk->dev, line, NULL);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "threads", threads },
		{ "secondary", secondary },
		{ "commands-3000", commands_3000 },
		{ "occlusion", occlusion },
		{ "statistics", pipeline_statistics },
		{ "timestamps", timestamps },
		{ "gpu-event", gpu_event },
		{ "bind-family", bind_family },
		{ "bind-nothing", bind_nothing },
	};

	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
