/* SPDX-License-Identifier: MIT */
/*
 * A virtual texture: a sparse buffer seen as a picture of tiles, each a page,
 * and what must be in it.
 *
 * The texture has far more addresses than memory.  Tiles are bound to pages of
 * one memory, drawn by the GPU through the texture, and read back by the GPU.
 * The CPU follows with a model: which page each tile has, and what is in it.
 */
#ifndef __DEMO_TEXTURE_H__
#define __DEMO_TEXTURE_H__

#include "demo_scene.h"

/* Tiles of a side: 8192 x 8192 pixels, 256 MiB */
#define TEXTURE_SIDE	256
#define TEXTURE_TILES	(TEXTURE_SIDE * TEXTURE_SIDE)
#define TEXTURE_BYTES	(TEXTURE_TILES * VK_PAGE)

/* Pages of memory behind it */
#define TEXTURE_PAGES	640

/* Binds of one call: their edits fit into the kernel's log */
#define TEXTURE_BATCH	16

/* Not a page: nothing is bound */
#define TEXTURE_NOTHING	-1

/**
 * struct texture - a virtual texture
 * @vk: the device
 * @handle: the sparse buffer
 * @memory: all pages
 * @shadow: the pixels that must be in @memory
 * @map: the page that each tile has, or TEXTURE_NOTHING
 * @binds: collected by texture_bind()
 * @count: of @binds
 * @frame: what the GPU read
 * @wanted: what it must have read
 * @compared: bytes that were compared so far, and equal
 * @committed: called after each vkQueueBindSparse, with @data
 * @data: for @committed
 */
struct texture {
	struct vk_dev *vk;
	VkBuffer handle;
	struct vk_memory memory;
	u32 *shadow;
	int *map;
	VkSparseMemoryBind binds[TEXTURE_BATCH];
	u32 count;
	struct vk_buffer frame;
	u32 *wanted;
	u64 compared;
	void (*committed)(void *data);
	void *data;
};

void texture_open(struct texture *texture, struct vk_dev *vk);
void texture_close(struct texture *texture);

u32 texture_bound(const struct texture *texture);

void texture_bind(struct texture *texture, u32 tile, int page);
void texture_commit(struct texture *texture);

void texture_fill(struct texture *texture, u32 tile, u32 pixel, u32 count,
		  u32 color);
void texture_draw(struct texture *texture, u32 tile, const u32 *pixels);
void texture_copy(struct texture *texture, u32 to, u32 from, u32 offset,
		  u32 shift, u32 count);
const u32 *texture_read(struct texture *texture, u32 corner);

#endif /* __DEMO_TEXTURE_H__ */
