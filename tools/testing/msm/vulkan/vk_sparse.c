// SPDX-License-Identifier: MIT
/*
 * A sparse buffer and what must be in it.
 *
 * Trap: binds of one sparse_commit() must not overlap, Vulkan gives them no
 * order.
 */
#include <stdlib.h>
#include <string.h>

#include "vk_sparse.h"

static void *allocate(u64 size)
{
	void *at = calloc(1, size);

	if (!at)
		vk_fail("the test itself has no memory left");
	return at;
}

static void check_alignment(struct sparse *sparse)
{
	VkMemoryRequirements need;

	vkGetBufferMemoryRequirements(sparse->vk->dev, sparse->handle, &need);
	if (need.alignment != VK_PAGE)
		vk_fail("sparse binds are aligned to %#llx, not to a page",
			(unsigned long long)need.alignment);
	if (need.size != sparse->pages * VK_PAGE)
		vk_fail("a buffer of %llu pages needs %#llx bytes",
			(unsigned long long)sparse->pages,
			(unsigned long long)need.size);
}

/* A sparse buffer without memory */
void sparse_open(struct sparse *sparse, struct vk_dev *vk, u64 pages,
		 VkBufferCreateFlags flags)
{
	u64 size = pages * VK_PAGE;

	*sparse = (struct sparse){ .vk = vk, .pages = pages };
	sparse->handle = vk_buffer_handle(vk, size, flags);
	check_alignment(sparse);
	sparse->map = allocate(pages * sizeof(*sparse->map));
	sparse->binds = allocate(pages * sizeof(*sparse->binds));
	sparse->wanted = allocate(size);
	sparse->copy = vk_buffer_new(vk, size);
}

void sparse_close(struct sparse *sparse)
{
	vkDestroyBuffer(sparse->vk->dev, sparse->handle, NULL);
	for (int i = 0; i < SPARSE_MEMORIES; i++)
		if (sparse->memories[i].shadow)
			sparse_free(sparse, &sparse->memories[i]);
	vk_buffer_free(sparse->vk, &sparse->copy);
	free(sparse->wanted);
	free(sparse->binds);
	free(sparse->map);
}

/* Memory with a pattern of its own */
struct sparse_memory *sparse_memory(struct sparse *sparse, u64 pages)
{
	struct sparse_memory *memory = sparse->memories;
	u64 size = pages * VK_PAGE;
	static u32 seed;

	while (memory->shadow)
		if (++memory == sparse->memories + SPARSE_MEMORIES)
			vk_fail("a test wants more memories than there are");
	memory->memory = vk_memory_new(sparse->vk, size);
	memory->shadow = allocate(size);
	vk_pattern(memory->shadow, size, ++seed);
	memcpy(memory->memory.map, memory->shadow, size);
	return memory;
}

/* It must not be bound any more, or the buffer be gone. */
void sparse_free(struct sparse *sparse, struct sparse_memory *memory)
{
	vk_memory_free(sparse->vk, &memory->memory);
	free(memory->shadow);
	memory->shadow = NULL;
}

/* One bind more for sparse_commit(); without memory it is an unbind. */
void sparse_add(struct sparse *sparse, u64 at, struct sparse_memory *memory,
		u64 page, u64 pages)
{
	VkSparseMemoryBind *bind = &sparse->binds[sparse->count++];

	bind->resourceOffset = at * VK_PAGE;
	bind->size = pages * VK_PAGE;
	bind->memory = memory ? memory->memory.handle : VK_NULL_HANDLE;
	bind->memoryOffset = page * VK_PAGE;
	for (u64 i = 0; i < pages; i++)
		sparse->map[at + i] = (struct sparse_page){ memory, page + i };
}

void sparse_commit(struct sparse *sparse)
{
	vk_bind_sparse(sparse->vk, sparse->handle, sparse->binds,
		       sparse->count);
	vk_wait(sparse->vk);
	sparse->count = 0;
}

void sparse_bind(struct sparse *sparse, u64 at, struct sparse_memory *memory,
		 u64 page, u64 pages)
{
	sparse_add(sparse, at, memory, page, pages);
	sparse_commit(sparse);
}

void sparse_unbind(struct sparse *sparse, u64 at, u64 pages)
{
	sparse_bind(sparse, at, NULL, 0, pages);
}

/* Where the byte at @offset of the buffer must be, or NULL */
static u8 *shadow_of(struct sparse *sparse, u64 offset)
{
	const struct sparse_page *page = &sparse->map[offset / VK_PAGE];

	if (!page->memory)
		return NULL;
	return page->memory->shadow + page->page * VK_PAGE + offset % VK_PAGE;
}

/* Fill by the GPU; @offset and @size are multiples of 4. */
void sparse_fill(struct sparse *sparse, u64 offset, u64 size, u32 value)
{
	vk_begin(sparse->vk);
	vkCmdFillBuffer(sparse->vk->cmd, sparse->handle, offset, size, value);
	vk_submit(sparse->vk);
	for (u64 at = offset; at < offset + size; at += sizeof(value)) {
		u8 *shadow = shadow_of(sparse, at);

		if (shadow)
			memcpy(shadow, &value, sizeof(value));
	}
}

/* The GPU reads all of the buffer, the CPU all of the memories. */
void sparse_expect(struct sparse *sparse, const char *when)
{
	const u64 size = sparse->pages * VK_PAGE;
	const VkBufferCopy all = { .size = size };

	memset(sparse->copy.memory.map, 0xee, size);
	vk_begin(sparse->vk);
	vkCmdCopyBuffer(sparse->vk->cmd, sparse->handle, sparse->copy.handle,
			1, &all);
	vk_submit(sparse->vk);

	for (u64 at = 0; at < size; at += VK_PAGE) {
		const u8 *shadow = shadow_of(sparse, at);

		if (shadow)
			memcpy(sparse->wanted + at, shadow, VK_PAGE);
		else
			memset(sparse->wanted + at, 0, VK_PAGE);
	}
	vk_expect(when, sparse->copy.memory.map, sparse->wanted, size);
	for (int i = 0; i < SPARSE_MEMORIES; i++) {
		const struct sparse_memory *memory = &sparse->memories[i];

		if (memory->shadow)
			vk_expect(when, memory->memory.map, memory->shadow,
				  memory->memory.size);
	}
}
