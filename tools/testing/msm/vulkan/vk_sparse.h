/* SPDX-License-Identifier: MIT */
/*
 * A sparse buffer and what must be in it.
 *
 * The model is an array with the source of each page: a page of a memory, or
 * nothing.  Memories have a shadow: the bytes that must be in them.  Binds and
 * fills change buffer and model alike; sparse_expect() compares all bytes that
 * the GPU reads through the buffer, and all that the CPU sees of the memories.
 */
#ifndef __VK_SPARSE_H__
#define __VK_SPARSE_H__

#include "vk_test.h"

/* A buffer that reads zero and drops writes where no memory is bound */
#define SPARSE_RESIDENCY	(VK_BUFFER_CREATE_SPARSE_BINDING_BIT | \
				 VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT)
/* The same, and a page of memory may be in it more than once */
#define SPARSE_ALIASED		(SPARSE_RESIDENCY | \
				 VK_BUFFER_CREATE_SPARSE_ALIASED_BIT)

#define SPARSE_MEMORIES		4

/**
 * struct sparse_memory - memory that pages of a buffer come from
 * @memory: the memory
 * @shadow: the bytes that must be in it
 */
struct sparse_memory {
	struct vk_memory memory;
	u8 *shadow;
};

/**
 * struct sparse_page - where a page of the buffer is
 * @memory: NULL: nowhere
 * @page: page in @memory
 */
struct sparse_page {
	struct sparse_memory *memory;
	u64 page;
};

/**
 * struct sparse - a sparse buffer
 * @vk: the device
 * @handle: the VkBuffer
 * @pages: how many it has
 * @map: the source of each
 * @memories: all that were made for it
 * @binds: collected by sparse_add() for the next sparse_commit()
 * @count: of @binds
 * @copy: what the GPU read, for the CPU to see
 * @wanted: what it must have read
 */
struct sparse {
	struct vk_dev *vk;
	VkBuffer handle;
	u64 pages;
	struct sparse_page *map;
	struct sparse_memory memories[SPARSE_MEMORIES];
	VkSparseMemoryBind *binds;
	u32 count;
	struct vk_buffer copy;
	u8 *wanted;
};

void sparse_open(struct sparse *sparse, struct vk_dev *vk, u64 pages,
		 VkBufferCreateFlags flags);
void sparse_close(struct sparse *sparse);

struct sparse_memory *sparse_memory(struct sparse *sparse, u64 pages);
void sparse_free(struct sparse *sparse, struct sparse_memory *memory);

void sparse_add(struct sparse *sparse, u64 at, struct sparse_memory *memory,
		u64 page, u64 pages);
void sparse_commit(struct sparse *sparse);
void sparse_bind(struct sparse *sparse, u64 at, struct sparse_memory *memory,
		 u64 page, u64 pages);
void sparse_unbind(struct sparse *sparse, u64 at, u64 pages);

void sparse_fill(struct sparse *sparse, u64 offset, u64 size, u32 value);
void sparse_expect(struct sparse *sparse, const char *when);

#endif /* __VK_SPARSE_H__ */
