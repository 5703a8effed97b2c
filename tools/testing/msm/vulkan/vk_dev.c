// SPDX-License-Identifier: MIT
/*
 * The Vulkan that the tests need: a device, its queues, memory and buffers.
 *
 * Promise: every call that Vulkan refuses ends the test with the call and the
 * error.  Trap: submits and binds are not waited for until vk_wait(); there is
 * one command buffer, so wait before recording the next.
 */
#include "vk_dev.h"
#include "vk_test.h"

static void create_instance(struct vk_dev *vk)
{
	const VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.apiVersion = VK_API_VERSION_1_3,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &app,
	};
	u32 count = 1;

	vk_ok(vkCreateInstance(&info, NULL, &vk->instance));
	vk_ok(vkEnumeratePhysicalDevices(vk->instance, &count, &vk->gpu));
	if (!count)
		vk_fail("no Vulkan device (TU_DEBUG=startup tells why)");
}

/* The first family does all that turnip can, the second one only binds. */
static void check_families(struct vk_dev *vk)
{
	const VkQueueFlags need = VK_QUEUE_SPARSE_BINDING_BIT |
		VK_QUEUE_TRANSFER_BIT;
	VkQueueFamilyProperties families[2];
	u32 count = ARRAY_SIZE(families);

	vkGetPhysicalDeviceQueueFamilyProperties(vk->gpu, &count, families);
	if (!count || (families[0].queueFlags & need) != need)
		vk_fail("the first queue family lacks transfers or sparse binds");
	if (count < 2 || families[1].queueFlags != VK_QUEUE_SPARSE_BINDING_BIT)
		vk_fail("there is no second queue family that only binds");
}

/* turnip has them on some GPUs only, or when FD_DEV_FEATURES says so. */
bool vk_has_sparse_images(struct vk_dev *vk)
{
	VkPhysicalDeviceFeatures features;

	vkGetPhysicalDeviceFeatures(vk->gpu, &features);
	return features.sparseResidencyImage2D;
}

/* Queries of pipeline statistics */
bool vk_has_statistics(struct vk_dev *vk)
{
	VkPhysicalDeviceFeatures features;

	vkGetPhysicalDeviceFeatures(vk->gpu, &features);
	return features.pipelineStatisticsQuery;
}

static void create_device(struct vk_dev *vk)
{
	const float priority = 1.0f;
	const VkDeviceQueueCreateInfo queues[] = {
		{
			.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
			.queueFamilyIndex = 0,
			.queueCount = 1, .pQueuePriorities = &priority,
		}, {
			.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
			.queueFamilyIndex = 1,
			.queueCount = 1, .pQueuePriorities = &priority,
		},
	};
	VkPhysicalDeviceFeatures features = {
		.sparseBinding = VK_TRUE, .sparseResidencyBuffer = VK_TRUE,
		.sparseResidencyAliased = VK_TRUE,
	};
	const VkPhysicalDeviceVulkan12Features newer = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = VK_TRUE,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &newer,
		.queueCreateInfoCount = ARRAY_SIZE(queues),
		.pQueueCreateInfos = queues, .pEnabledFeatures = &features,
	};

	check_families(vk);
	features.sparseResidencyImage2D = vk_has_sparse_images(vk);
	features.pipelineStatisticsQuery = vk_has_statistics(vk);
	vk_ok(vkCreateDevice(vk->gpu, &info, NULL, &vk->dev));
	vkGetDeviceQueue(vk->dev, 0, 0, &vk->queue);
	vkGetDeviceQueue(vk->dev, 1, 0, &vk->sparse);
}

/* Return: VkMemoryPropertyFlags, 0 when there is no such type */
VkMemoryPropertyFlags vk_memory_flags(struct vk_dev *vk, u32 type)
{
	VkPhysicalDeviceMemoryProperties props;

	vkGetPhysicalDeviceMemoryProperties(vk->gpu, &props);
	return type < props.memoryTypeCount ?
		props.memoryTypes[type].propertyFlags : 0;
}

/* What CPU and GPU read and write without flushes, see vk_memory_flush() */
static void find_memory_type(struct vk_dev *vk)
{
	const VkMemoryPropertyFlags need = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
		VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

	while ((vk_memory_flags(vk, vk->type) & need) != need)
		if (++vk->type == VK_MAX_MEMORY_TYPES)
			vk_fail("no memory type that is visible to the CPU and coherent");
}

static void create_commands(struct vk_dev *vk)
{
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
	};
	VkCommandBufferAllocateInfo cmd = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	const VkFenceCreateInfo fence = {
		.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
	};

	vk_ok(vkCreateCommandPool(vk->dev, &pool, NULL, &vk->pool));
	cmd.commandPool = vk->pool;
	vk_ok(vkAllocateCommandBuffers(vk->dev, &cmd, &vk->cmd));
	vk_ok(vkCreateFence(vk->dev, &fence, NULL, &vk->fence));
}

/* Another device of the same GPU, in place of the one that @vk has */
void vk_dev_again(struct vk_dev *vk)
{
	create_device(vk);
	create_commands(vk);
}

/* The device alone goes. */
void vk_dev_gone(struct vk_dev *vk)
{
	if (!vk->lost)
		vk_ok(vkDeviceWaitIdle(vk->dev));
	vkDestroyFence(vk->dev, vk->fence, NULL);
	vkDestroyCommandPool(vk->dev, vk->pool, NULL);
	vkDestroyDevice(vk->dev, NULL);
}

void vk_dev_open(struct vk_dev *vk)
{
	create_instance(vk);
	vk_dev_again(vk);
	find_memory_type(vk);
}

void vk_dev_close(struct vk_dev *vk)
{
	vk_dev_gone(vk);
	vkDestroyInstance(vk->instance, NULL);
}

struct vk_memory vk_memory_new(struct vk_dev *vk, u64 size)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = size, .memoryTypeIndex = vk->type,
	};
	struct vk_memory memory = { .size = size };
	void *map;

	vk_ok(vkAllocateMemory(vk->dev, &info, NULL, &memory.handle));
	vk_ok(vkMapMemory(vk->dev, memory.handle, 0, size, 0, &map));
	memory.map = map;
	return memory;
}

void vk_memory_free(struct vk_dev *vk, struct vk_memory *memory)
{
	vkFreeMemory(vk->dev, memory->handle, NULL);
	*memory = (struct vk_memory){};
}

static VkMappedMemoryRange all_of(const struct vk_memory *memory)
{
	const VkMappedMemoryRange all = {
		.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
		.memory = memory->handle, .size = VK_WHOLE_SIZE,
	};

	return all;
}

/* What the CPU wrote is for the GPU, in memory of any type. */
void vk_memory_flush(struct vk_dev *vk, const struct vk_memory *memory)
{
	const VkMappedMemoryRange all = all_of(memory);

	vk_ok(vkFlushMappedMemoryRanges(vk->dev, 1, &all));
}

/* What the GPU wrote is for the CPU, in memory of any type. */
void vk_memory_invalidate(struct vk_dev *vk, const struct vk_memory *memory)
{
	const VkMappedMemoryRange all = all_of(memory);

	vk_ok(vkInvalidateMappedMemoryRanges(vk->dev, 1, &all));
}

/* A buffer for transfers without memory */
VkBuffer vk_buffer_handle(struct vk_dev *vk, u64 size, VkBufferCreateFlags flags)
{
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.flags = flags, .size = size,
		.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			VK_BUFFER_USAGE_TRANSFER_DST_BIT,
	};
	VkBuffer buffer;

	vk_ok(vkCreateBuffer(vk->dev, &info, NULL, &buffer));
	return buffer;
}

struct vk_buffer vk_buffer_new(struct vk_dev *vk, u64 size)
{
	struct vk_buffer buffer = { .handle = vk_buffer_handle(vk, size, 0) };
	VkMemoryRequirements need;

	vkGetBufferMemoryRequirements(vk->dev, buffer.handle, &need);
	if (!(need.memoryTypeBits & 1u << vk->type))
		vk_fail("a buffer cannot be in memory that the CPU sees");
	buffer.memory = vk_memory_new(vk, need.size);
	vk_ok(vkBindBufferMemory(vk->dev, buffer.handle,
				 buffer.memory.handle, 0));
	return buffer;
}

void vk_buffer_free(struct vk_dev *vk, struct vk_buffer *buffer)
{
	vkDestroyBuffer(vk->dev, buffer->handle, NULL);
	vk_memory_free(vk, &buffer->memory);
}

/* Start recording vk->cmd. */
void vk_begin(struct vk_dev *vk)
{
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};

	vk_ok(vkBeginCommandBuffer(vk->cmd, &info));
}

/* What is recorded later sees what was recorded before; so does the CPU. */
void vk_cmd_barrier(VkCommandBuffer cmd)
{
	const VkMemoryBarrier barrier = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT |
			VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT,
	};

	vkCmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_TRANSFER_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT |
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier,
			     0, NULL, 0, NULL);
}

void vk_barrier(struct vk_dev *vk)
{
	vk_cmd_barrier(vk->cmd);
}

/* End vk->cmd, run it and wait; Return: how the GPU got on */
VkResult vk_submit_try(struct vk_dev *vk)
{
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1, .pCommandBuffers = &vk->cmd,
	};
	VkResult result;

	vk_barrier(vk);
	vk_ok(vkEndCommandBuffer(vk->cmd));
	result = vkQueueSubmit(vk->queue, 1, &info, vk->fence);
	if (result != VK_SUCCESS)
		return result;
	result = vkWaitForFences(vk->dev, 1, &vk->fence, VK_TRUE, VK_WAIT_NS);
	if (result == VK_SUCCESS)
		vk_ok(vkResetFences(vk->dev, 1, &vk->fence));
	return result;
}

/* End vk->cmd, run it and wait until it is done. */
void vk_submit(struct vk_dev *vk)
{
	vk_ok(vk_submit_try(vk));
}

/* Binds of one buffer in one call; vk_wait() must follow. */
void vk_bind_sparse(struct vk_dev *vk, VkBuffer buffer,
		    const VkSparseMemoryBind *binds, u32 count)
{
	const VkSparseBufferMemoryBindInfo where = {
		.buffer = buffer, .bindCount = count, .pBinds = binds,
	};
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.bufferBindCount = 1, .pBufferBinds = &where,
	};

	vk_ok(vkQueueBindSparse(vk->queue, 1, &info, vk->fence));
}

/* Until the last submit or bind is done. */
void vk_wait(struct vk_dev *vk)
{
	vk_ok(vkWaitForFences(vk->dev, 1, &vk->fence, VK_TRUE,
			      VK_WAIT_NS));
	vk_ok(vkResetFences(vk->dev, 1, &vk->fence));
}
