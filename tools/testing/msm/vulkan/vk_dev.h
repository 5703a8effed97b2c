/* SPDX-License-Identifier: MIT */
/*
 * The Vulkan that the tests need: a device, its queues, memory and buffers.
 *
 * Only libvulkan and its headers.  What a program does wrong is not checked
 * here; what Vulkan refuses ends the test, see vk_test.h.
 */
#ifndef __VK_DEV_H__
#define __VK_DEV_H__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vulkan/vulkan.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Alignment and size of a sparse bind, checked when a sparse buffer is made */
#define VK_PAGE		4096ull

/* An emulated GPU on a loaded host needs its time; a hang shows sooner */
#define VK_WAIT_NS	(60ull * 1000 * 1000 * 1000)

/**
 * struct vk_dev - a device of the GPU and its queues
 * @instance: what it came from
 * @gpu: the physical device
 * @dev: with sparse binding, residency and aliasing, and timeline semaphores
 * @queue: transfers and sparse binds
 * @sparse: a queue of the second family, which only binds
 * @pool: where @cmd comes from
 * @cmd: the one command buffer, recorded anew for each submit
 * @fence: of the last submit or bind
 * @type: memory type: visible to the CPU without flushes
 * @lost: the test has lost it on purpose
 */
struct vk_dev {
	VkInstance instance;
	VkPhysicalDevice gpu;
	VkDevice dev;
	VkQueue queue;
	VkQueue sparse;
	VkCommandPool pool;
	VkCommandBuffer cmd;
	VkFence fence;
	u32 type;
	bool lost;
};

/**
 * struct vk_memory - device memory and its CPU mapping
 * @handle: the VkDeviceMemory
 * @size: in bytes
 * @map: what the CPU sees of it
 */
struct vk_memory {
	VkDeviceMemory handle;
	u64 size;
	u8 *map;
};

/**
 * struct vk_buffer - a buffer with memory of its own
 * @handle: the VkBuffer
 * @memory: bound to it as a whole
 */
struct vk_buffer {
	VkBuffer handle;
	struct vk_memory memory;
};

void vk_dev_open(struct vk_dev *vk);
void vk_dev_close(struct vk_dev *vk);
void vk_dev_again(struct vk_dev *vk);
void vk_dev_gone(struct vk_dev *vk);
bool vk_has_sparse_images(struct vk_dev *vk);
bool vk_has_statistics(struct vk_dev *vk);

struct vk_memory vk_memory_new(struct vk_dev *vk, u64 size);
void vk_memory_free(struct vk_dev *vk, struct vk_memory *memory);
VkMemoryPropertyFlags vk_memory_flags(struct vk_dev *vk, u32 type);
void vk_memory_flush(struct vk_dev *vk, const struct vk_memory *memory);
void vk_memory_invalidate(struct vk_dev *vk, const struct vk_memory *memory);

VkBuffer vk_buffer_handle(struct vk_dev *vk, u64 size, VkBufferCreateFlags flags);
struct vk_buffer vk_buffer_new(struct vk_dev *vk, u64 size);
void vk_buffer_free(struct vk_dev *vk, struct vk_buffer *buffer);

void vk_begin(struct vk_dev *vk);
void vk_barrier(struct vk_dev *vk);
void vk_cmd_barrier(VkCommandBuffer cmd);
VkResult vk_submit_try(struct vk_dev *vk);
void vk_submit(struct vk_dev *vk);
void vk_bind_sparse(struct vk_dev *vk, VkBuffer buffer,
		    const VkSparseMemoryBind *binds, u32 count);
void vk_wait(struct vk_dev *vk);

#endif /* __VK_DEV_H__ */
