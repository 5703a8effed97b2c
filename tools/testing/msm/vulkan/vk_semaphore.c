// SPDX-License-Identifier: MIT
/*
 * Semaphores: made, waited for and signalled by the CPU, and as edges between
 * submits and binds.
 *
 * Trap: nothing here waits but vk_timeline_wait(); a submit or bind with the
 * fence is waited for with vk_wait().
 */
#include "vk_semaphore.h"

/* Long enough that a GPU that does not wait is done, see vk_still_waits() */
#define MOMENT_NS	(100ull * 1000 * 1000)

static VkSemaphore semaphore_new(struct vk_dev *vk, VkSemaphoreType type,
				 u64 point)
{
	const VkSemaphoreTypeCreateInfo kind = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = type, .initialValue = point,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &kind,
	};
	VkSemaphore semaphore;

	vk_ok(vkCreateSemaphore(vk->dev, &info, NULL, &semaphore));
	return semaphore;
}

VkSemaphore vk_binary(struct vk_dev *vk)
{
	return semaphore_new(vk, VK_SEMAPHORE_TYPE_BINARY, 0);
}

VkSemaphore vk_timeline(struct vk_dev *vk, u64 point)
{
	return semaphore_new(vk, VK_SEMAPHORE_TYPE_TIMELINE, point);
}

void vk_timeline_signal(struct vk_dev *vk, VkSemaphore line, u64 point)
{
	const VkSemaphoreSignalInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
		.semaphore = line, .value = point,
	};

	vk_ok(vkSignalSemaphore(vk->dev, &info));
}

void vk_timeline_wait(struct vk_dev *vk, VkSemaphore line, u64 point)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1, .pSemaphores = &line, .pValues = &point,
	};

	vk_ok(vkWaitSemaphores(vk->dev, &info, VK_WAIT_NS));
}

/* The CPU must see this point now. */
void vk_timeline_expect(struct vk_dev *vk, VkSemaphore line, u64 point)
{
	u64 value = ~0ull;

	vk_ok(vkGetSemaphoreCounterValue(vk->dev, line, &value));
	if (value != point)
		vk_fail("a timeline is at %llu instead of %llu",
			(unsigned long long)value, (unsigned long long)point);
}

/* The last submit or bind must not be done, whatever time it gets. */
void vk_still_waits(struct vk_dev *vk, const char *what)
{
	VkResult result = vkWaitForFences(vk->dev, 1, &vk->fence, VK_TRUE,
					  MOMENT_NS);

	if (result != VK_TIMEOUT)
		vk_fail("%s does not wait: the fence says %d", what, result);
}

static VkTimelineSemaphoreSubmitInfo points_of(const struct vk_edge *edge)
{
	const VkTimelineSemaphoreSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = !!edge->wait,
		.pWaitSemaphoreValues = &edge->wait_point,
		.signalSemaphoreValueCount = !!edge->signal,
		.pSignalSemaphoreValues = &edge->signal_point,
	};

	return info;
}

/* Submit vk->cmd, which is recorded and ended. */
void vk_edge_submit(struct vk_dev *vk, const struct vk_edge *edge, bool fence)
{
	const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
	const VkTimelineSemaphoreSubmitInfo points = points_of(edge);
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &points,
		.waitSemaphoreCount = !!edge->wait,
		.pWaitSemaphores = &edge->wait, .pWaitDstStageMask = &stage,
		.commandBufferCount = 1, .pCommandBuffers = &vk->cmd,
		.signalSemaphoreCount = !!edge->signal,
		.pSignalSemaphores = &edge->signal,
	};

	vk_ok(vkQueueSubmit(vk->queue, 1, &info,
			    fence ? vk->fence : VK_NULL_HANDLE));
}

/* One bind of one buffer */
void vk_edge_bind(struct vk_dev *vk, const struct vk_edge *edge,
		  VkBuffer buffer, const VkSparseMemoryBind *bind, bool fence)
{
	const VkTimelineSemaphoreSubmitInfo points = points_of(edge);
	const VkSparseBufferMemoryBindInfo where = {
		.buffer = buffer, .bindCount = 1, .pBinds = bind,
	};
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO, .pNext = &points,
		.waitSemaphoreCount = !!edge->wait,
		.pWaitSemaphores = &edge->wait,
		.bufferBindCount = 1, .pBufferBinds = &where,
		.signalSemaphoreCount = !!edge->signal,
		.pSignalSemaphores = &edge->signal,
	};

	vk_ok(vkQueueBindSparse(vk->queue, 1, &info,
				fence ? vk->fence : VK_NULL_HANDLE));
}
