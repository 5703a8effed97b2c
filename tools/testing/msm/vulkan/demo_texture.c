// SPDX-License-Identifier: MIT
/*
 * A virtual texture: a sparse buffer seen as a picture of tiles.
 *
 * Drawing records into the command buffer of the device, between the caller's
 * vk_begin() and vk_submit().
 *
 * Promise: texture_read() returns what the GPU read, after all of it, and all
 * of the memory, was found equal to the model.  Trap: where nothing is bound a
 * drawing is recorded all the same, and must get lost.
 */
#include <stdlib.h>
#include <string.h>

#include "demo_texture.h"
#include "vk_test.h"

#define FRAME_TILES	(SCENE_COLUMNS * SCENE_ROWS)
#define ROW_BYTES	(SCENE_COLUMNS * VK_PAGE)

static void *allocate(u64 size)
{
	void *at = calloc(1, size);

	if (!at)
		vk_fail("the demo itself has no memory left");
	return at;
}

void texture_open(struct texture *texture, struct vk_dev *vk)
{
	texture->vk = vk;
	texture->handle = vk_buffer_handle(vk, TEXTURE_BYTES,
					   VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
					   VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT |
					   VK_BUFFER_CREATE_SPARSE_ALIASED_BIT);
	texture->memory = vk_memory_new(vk, TEXTURE_PAGES * VK_PAGE);
	texture->shadow = allocate(texture->memory.size);
	memset(texture->memory.map, 0, texture->memory.size);
	texture->frame = vk_buffer_new(vk, FRAME_TILES * VK_PAGE);
	texture->wanted = allocate(FRAME_TILES * VK_PAGE);
	texture->map = allocate(TEXTURE_TILES * sizeof(*texture->map));
	for (u32 tile = 0; tile < TEXTURE_TILES; tile++)
		texture->map[tile] = TEXTURE_NOTHING;
}

void texture_close(struct texture *texture)
{
	vkDestroyBuffer(texture->vk->dev, texture->handle, NULL);
	vk_buffer_free(texture->vk, &texture->frame);
	vk_memory_free(texture->vk, &texture->memory);
	free(texture->shadow);
	free(texture->wanted);
	free(texture->map);
}

/* How many tiles are bound */
u32 texture_bound(const struct texture *texture)
{
	u32 count = 0;

	for (u32 tile = 0; tile < TEXTURE_TILES; tile++)
		count += texture->map[tile] != TEXTURE_NOTHING;
	return count;
}

/* Bind what was collected; the GPU finds it afterwards. */
void texture_commit(struct texture *texture)
{
	if (!texture->count)
		return;
	vk_bind_sparse(texture->vk, texture->handle, texture->binds,
		       texture->count);
	vk_wait(texture->vk);
	texture->count = 0;
	texture->committed(texture->data);
}

/* Collect a bind; @page may be TEXTURE_NOTHING, and one that others have. */
void texture_bind(struct texture *texture, u32 tile, int page)
{
	VkSparseMemoryBind *bind = &texture->binds[texture->count++];
	bool some = page != TEXTURE_NOTHING;

	*bind = (VkSparseMemoryBind){
		.resourceOffset = tile * VK_PAGE, .size = VK_PAGE,
		.memory = some ? texture->memory.handle : VK_NULL_HANDLE,
		.memoryOffset = some ? page * VK_PAGE : 0,
	};
	texture->map[tile] = page;
	if (texture->count == TEXTURE_BATCH)
		texture_commit(texture);
}

/* The pixels that a tile must have, or NULL */
static u32 *shadow_of(const struct texture *texture, u32 tile)
{
	int page = texture->map[tile];

	if (page == TEXTURE_NOTHING)
		return NULL;
	return texture->shadow + page * SCENE_TILE_PIXELS;
}

/* A run of pixels of a tile gets a color. */
void texture_fill(struct texture *texture, u32 tile, u32 pixel, u32 count,
		  u32 color)
{
	u32 *shadow = shadow_of(texture, tile);

	vkCmdFillBuffer(texture->vk->cmd, texture->handle,
			tile * VK_PAGE + pixel * sizeof(color),
			count * sizeof(color), color);
	for (u32 i = pixel; shadow && i < pixel + count; i++)
		shadow[i] = color;
}

/* A fill for each run of equal pixels */
void texture_draw(struct texture *texture, u32 tile, const u32 *pixels)
{
	u32 from = 0;

	for (u32 i = 1; i <= SCENE_TILE_PIXELS; i++) {
		if (i < SCENE_TILE_PIXELS && pixels[i] == pixels[from])
			continue;
		texture_fill(texture, tile, from, i - from, pixels[from]);
		from = i;
	}
}

/*
 * Copy @count pixels: from pixel @shift of tile @from to pixel @offset of tile
 * @to.
 */
void texture_copy(struct texture *texture, u32 to, u32 from, u32 offset,
		  u32 shift, u32 count)
{
	const VkBufferCopy region = {
		.srcOffset = from * VK_PAGE + shift * sizeof(u32),
		.dstOffset = to * VK_PAGE + offset * sizeof(u32),
		.size = count * sizeof(u32),
	};
	const u32 *source = shadow_of(texture, from);
	u32 *target = shadow_of(texture, to);

	vkCmdCopyBuffer(texture->vk->cmd, texture->handle, texture->handle,
			1, &region);
	for (u32 i = 0; target && i < count; i++)
		target[offset + i] = source ? source[shift + i] : 0;
}

/* What the GPU must find in a frame */
static void predict(struct texture *texture, u32 corner)
{
	u32 *wanted = texture->wanted;

	for (u32 row = 0; row < SCENE_ROWS; row++) {
		for (u32 column = 0; column < SCENE_COLUMNS; column++) {
			u32 tile = corner + row * TEXTURE_SIDE + column;
			const u32 *shadow = shadow_of(texture, tile);

			if (shadow)
				memcpy(wanted, shadow, VK_PAGE);
			else
				memset(wanted, 0, VK_PAGE);
			wanted += SCENE_TILE_PIXELS;
		}
	}
}

/*
 * The GPU reads the tiles of a frame, row by row, all pixels of a tile in
 * sequence.
 */
const u32 *texture_read(struct texture *texture, u32 corner)
{
	VkBufferCopy rows[SCENE_ROWS];

	memset(texture->frame.memory.map, 0xee, FRAME_TILES * VK_PAGE);
	for (u32 row = 0; row < SCENE_ROWS; row++)
		rows[row] = (VkBufferCopy){
			.srcOffset = (corner + row * TEXTURE_SIDE) * VK_PAGE,
			.dstOffset = row * ROW_BYTES,
			.size = ROW_BYTES,
		};
	vk_begin(texture->vk);
	vkCmdCopyBuffer(texture->vk->cmd, texture->handle,
			texture->frame.handle, SCENE_ROWS, rows);
	vk_submit(texture->vk);

	predict(texture, corner);
	vk_expect("what the GPU reads", texture->frame.memory.map,
		  (const u8 *)texture->wanted, FRAME_TILES * VK_PAGE);
	vk_expect("the memory", texture->memory.map,
		  (const u8 *)texture->shadow, texture->memory.size);
	texture->compared += FRAME_TILES * VK_PAGE + texture->memory.size;
	return (const u32 *)texture->frame.memory.map;
}
