// SPDX-License-Identifier: MIT
/*
 * Images whose memory is bound by the page, and others: a round trip of all
 * pixels through each.
 *
 * turnip offers sparse 2D images for the GPU that the virtual one plays when
 * FD_DEV_FEATURES says that its compressed formats are all compatible.  The
 * virtual GPU has no model of tiled surfaces; with its knob tiles_as_linear it
 * takes them for linear ones, which is right as long as only the GPU looks at
 * them and all memory is bound.
 *
 * Trap: so this proves binds of images, and no layout of pixels but that of
 * linear images, for which the knob is off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vk_knob.h"
#include "vk_test.h"

#define SIDE	512
#define BYTES	(SIDE * SIDE * 4ull)
#define MOST	512

/* A linear image: rows that do not fill what rows are aligned to */
#define ODD_WIDTH	123
#define ODD_HEIGHT	37
#define ODD_ROW		(ODD_WIDTH * 4)
#define UNTOUCHED	0xee

/**
 * struct image - a picture with its memory
 * @handle: the VkImage
 * @memory: bound to it
 */
struct image {
	VkImage handle;
	struct vk_memory memory;
};

static void set_knob(const char *value)
{
	if (!vk_knob("tiles_as_linear", value))
		vk_fail("cannot set the knob tiles_as_linear");
}

static void image_open_as(struct vk_dev *vk, struct image *image,
			  const VkImageCreateInfo *info)
{
	VkMemoryRequirements need;

	vk_ok(vkCreateImage(vk->dev, info, NULL, &image->handle));
	vkGetImageMemoryRequirements(vk->dev, image->handle, &need);
	if (!(need.memoryTypeBits & 1u << vk->type))
		vk_fail("an image cannot be in memory that the CPU sees");
	image->memory = vk_memory_new(vk, need.size);
}

static const VkImageCreateInfo square = {
	.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
	.imageType = VK_IMAGE_TYPE_2D, .format = VK_FORMAT_R8G8B8A8_UNORM,
	.extent = { SIDE, SIDE, 1 }, .arrayLayers = 1,
	.samples = VK_SAMPLE_COUNT_1_BIT, .tiling = VK_IMAGE_TILING_OPTIMAL,
	.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT |
		VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
};

static void image_open(struct vk_dev *vk, struct image *image,
		       VkImageCreateFlags flags, u32 levels)
{
	VkImageCreateInfo info = square;

	info.flags = flags;
	info.mipLevels = levels;
	image_open_as(vk, image, &info);
}

static void image_close(struct vk_dev *vk, struct image *image)
{
	vkDestroyImage(vk->dev, image->handle, NULL);
	vk_memory_free(vk, &image->memory);
}

static void to_general(struct vk_dev *vk, VkImage image, u32 levels)
{
	const VkImageMemoryBarrier layout = {
		.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
		.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
		.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED,
		.newLayout = VK_IMAGE_LAYOUT_GENERAL, .image = image,
		.subresourceRange = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.levelCount = levels, .layerCount = 1,
		},
	};

	vkCmdPipelineBarrier(vk->cmd, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT,
			     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL,
			     0, NULL, 1, &layout);
}

static VkBufferImageCopy region_of(u32 level, u64 offset)
{
	const VkBufferImageCopy region = {
		.bufferOffset = offset,
		.imageSubresource = {
			.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
			.mipLevel = level, .layerCount = 1,
		},
		.imageExtent = { SIDE >> level, SIDE >> level, 1 },
	};

	return region;
}

/* Pixels go into all levels of the image, and must come out the same. */
static void round_trip(struct vk_dev *vk, const struct image *image,
		       u32 levels, u32 seed)
{
	struct vk_buffer in = vk_buffer_new(vk, 2 * BYTES);
	struct vk_buffer out = vk_buffer_new(vk, 2 * BYTES);
	VkBufferImageCopy regions[8];
	u64 size = 0;

	for (u32 level = 0; level < levels; level++) {
		regions[level] = region_of(level, size);
		size += BYTES >> 2 * level;
	}
	vk_pattern(in.memory.map, size, seed);
	memset(out.memory.map, 0, size);
	vk_begin(vk);
	to_general(vk, image->handle, levels);
	vkCmdCopyBufferToImage(vk->cmd, in.handle, image->handle,
			       VK_IMAGE_LAYOUT_GENERAL, levels, regions);
	vk_barrier(vk);
	vkCmdCopyImageToBuffer(vk->cmd, image->handle, VK_IMAGE_LAYOUT_GENERAL,
			       out.handle, levels, regions);
	vk_submit(vk);
	vk_expect("pixels that went through the image", out.memory.map,
		  in.memory.map, size);
	vk_buffer_free(vk, &in);
	vk_buffer_free(vk, &out);
}

/* A picture whose memory is bound as a whole, with pixels in it */
static void plain_open(struct vk_dev *vk, struct image *image, u32 seed)
{
	image_open(vk, image, 0, 1);
	memset(image->memory.map, 0, image->memory.size);
	vk_ok(vkBindImageMemory(vk->dev, image->handle, image->memory.handle,
				0));
	round_trip(vk, image, 1, seed);
}

static void plain(struct vk_dev *vk)
{
	struct image image;

	plain_open(vk, &image, 1);
	image_close(vk, &image);
}

/* Binds of an image as if it were a buffer */
static void bind_opaque(struct vk_dev *vk, VkImage image,
			const VkSparseMemoryBind *binds, u32 count)
{
	const VkSparseImageOpaqueMemoryBindInfo where = {
		.image = image, .bindCount = count, .pBinds = binds,
	};
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.imageOpaqueBindCount = 1, .pImageOpaqueBinds = &where,
	};

	vk_ok(vkQueueBindSparse(vk->queue, 1, &info, vk->fence));
	vk_wait(vk);
}

/* Bind all memory in reverse order, in pieces. */
static void bind_reverse(struct vk_dev *vk, const struct image *image, u64 piece)
{
	VkSparseMemoryBind binds[MOST];
	u32 count = image->memory.size / piece;

	if (count < 2 || count > MOST || image->memory.size % piece)
		vk_fail("an image of %llu bytes, aligned to %llu",
			(unsigned long long)image->memory.size,
			(unsigned long long)piece);
	for (u32 i = 0; i < count; i++)
		binds[i] = (VkSparseMemoryBind){
			.resourceOffset = i * piece,
			.size = piece, .memory = image->memory.handle,
			.memoryOffset = (count - 1 - i) * piece,
		};
	bind_opaque(vk, image->handle, binds, count);
}

/*
 * The same pixels as in a picture that is bound as a whole: each piece of its
 * memory must be where it was bound, as the CPU sees it.
 */
static void binding(struct vk_dev *vk)
{
	VkMemoryRequirements need;
	struct image image, whole;

	plain_open(vk, &whole, 2);
	image_open(vk, &image, VK_IMAGE_CREATE_SPARSE_BINDING_BIT, 1);
	vkGetImageMemoryRequirements(vk->dev, image.handle, &need);
	if (image.memory.size < whole.memory.size)
		vk_fail("a sparse image is smaller than another one");
	memset(image.memory.map, 0, image.memory.size);
	bind_reverse(vk, &image, need.alignment);
	round_trip(vk, &image, 1, 2);
	for (u64 at = 0; at < whole.memory.size; at += need.alignment) {
		const u64 left = whole.memory.size - at;

		vk_expect("a piece of the memory", image.memory.map +
			  image.memory.size - need.alignment - at,
			  whole.memory.map + at,
			  left < need.alignment ? left : need.alignment);
	}
	image_close(vk, &image);
	image_close(vk, &whole);
}

static VkSparseImageMemoryRequirements blocks_of(struct vk_dev *vk,
						 VkImage image)
{
	VkSparseImageMemoryRequirements need;
	u32 count = 1;

	vkGetImageSparseMemoryRequirements(vk->dev, image, &count, &need);
	if (!count || !need.formatProperties.imageGranularity.width)
		vk_fail("a sparse image without blocks");
	return need;
}

/* Bind the blocks of a level one by one; Return: the next free memory */
static u64 bind_level(struct vk_dev *vk, const struct image *image, u32 level,
		      const VkExtent3D *block, u64 offset, u64 size)
{
	VkSparseImageMemoryBind binds[MOST];
	const VkSparseImageMemoryBindInfo where = {
		.image = image->handle, .pBinds = binds,
	};
	VkSparseImageMemoryBindInfo list = where;
	const VkBindSparseInfo info = {
		.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
		.imageBindCount = 1, .pImageBinds = &list,
	};
	VkSparseImageMemoryBind bind = {
		.subresource = { VK_IMAGE_ASPECT_COLOR_BIT, level, 0 },
		.extent = *block, .memory = image->memory.handle,
	};
	int side = SIDE >> level;

	for (int y = 0; y < side; y += block->height) {
		for (int x = 0; x < side; x += block->width) {
			bind.offset.x = x;
			bind.offset.y = y;
			bind.memoryOffset = offset;
			binds[list.bindCount++] = bind;
			offset += size;
		}
	}
	vk_ok(vkQueueBindSparse(vk->queue, 1, &info, vk->fence));
	vk_wait(vk);
	return offset;
}

/* Each block of each level bound on its own, and what is smaller as a tail */
static void residency(struct vk_dev *vk)
{
	enum { LEVELS = 4 };
	VkSparseImageMemoryRequirements need;
	VkMemoryRequirements all;
	struct image image;
	u64 offset = 0;

	image_open(vk, &image, VK_IMAGE_CREATE_SPARSE_BINDING_BIT |
		   VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT, LEVELS);
	need = blocks_of(vk, image.handle);
	vkGetImageMemoryRequirements(vk->dev, image.handle, &all);
	for (u32 level = 0; level < need.imageMipTailFirstLod && level < LEVELS;
	     level++)
		offset = bind_level(vk, &image, level,
				    &need.formatProperties.imageGranularity,
				    offset, all.alignment);
	if (need.imageMipTailSize) {
		const VkSparseMemoryBind tail = {
			.resourceOffset = need.imageMipTailOffset,
			.size = need.imageMipTailSize,
			.memory = image.memory.handle, .memoryOffset = offset,
		};

		bind_opaque(vk, image.handle, &tail, 1);
	}
	round_trip(vk, &image, LEVELS, 3);
	image_close(vk, &image);
}

/* A linear image, its memory UNTOUCHED */
static void linear_open(struct vk_dev *vk, struct image *image)
{
	VkImageCreateInfo info = square;

	info.format = VK_FORMAT_R8G8B8A8_UINT;
	info.mipLevels = 1;
	info.tiling = VK_IMAGE_TILING_LINEAR;
	info.extent = (VkExtent3D){ ODD_WIDTH, ODD_HEIGHT, 1 };
	image_open_as(vk, image, &info);
	memset(image->memory.map, UNTOUCHED, image->memory.size);
	vk_ok(vkBindImageMemory(vk->dev, image->handle, image->memory.handle,
				0));
}

/* The rows where Vulkan says, and around them what was there */
static void linear_expect(struct vk_dev *vk, const char *when,
			  const struct image *image, const u8 *pixels)
{
	const VkImageSubresource all = {
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
	};
	u8 *wanted = malloc(image->memory.size);
	VkSubresourceLayout at;

	vkGetImageSubresourceLayout(vk->dev, image->handle, &all, &at);
	if (!wanted || at.rowPitch < ODD_ROW || at.offset + at.rowPitch *
	    (ODD_HEIGHT - 1) + ODD_ROW > image->memory.size)
		vk_fail("rows at %llu, %llu apart, in %llu bytes",
			(unsigned long long)at.offset,
			(unsigned long long)at.rowPitch,
			(unsigned long long)image->memory.size);
	memset(wanted, UNTOUCHED, image->memory.size);
	for (int y = 0; y < ODD_HEIGHT; y++)
		memcpy(wanted + at.offset + y * at.rowPitch,
		       pixels + y * ODD_ROW, ODD_ROW);
	vk_expect(when, image->memory.map, wanted, image->memory.size);
	free(wanted);
}

/* From a buffer to one image, to another, and to another buffer */
static void linear_copy(struct vk_dev *vk, const struct image *images,
			const struct vk_buffer *in, const struct vk_buffer *out)
{
	const VkImageSubresourceLayers layer = {
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .layerCount = 1,
	};
	const VkExtent3D extent = { ODD_WIDTH, ODD_HEIGHT, 1 };
	const VkBufferImageCopy region = {
		.imageSubresource = layer, .imageExtent = extent,
	};
	const VkImageCopy all = {
		.srcSubresource = layer, .dstSubresource = layer,
		.extent = extent,
	};

	vk_begin(vk);
	for (int i = 0; i < 2; i++)
		to_general(vk, images[i].handle, 1);
	vkCmdCopyBufferToImage(vk->cmd, in->handle, images[0].handle,
			       VK_IMAGE_LAYOUT_GENERAL, 1, &region);
	vk_barrier(vk);
	vkCmdCopyImage(vk->cmd, images[0].handle, VK_IMAGE_LAYOUT_GENERAL,
		       images[1].handle, VK_IMAGE_LAYOUT_GENERAL, 1, &all);
	vk_barrier(vk);
	vkCmdCopyImageToBuffer(vk->cmd, images[1].handle,
			       VK_IMAGE_LAYOUT_GENERAL, out->handle, 1, &region);
	vk_submit(vk);
}

static void linear_clear(struct vk_dev *vk, const struct image *image)
{
	const VkClearColorValue color = { .uint32 = { 17, 34, 51, 255 } };
	const VkImageSubresourceRange all = {
		.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
		.levelCount = 1, .layerCount = 1,
	};

	vk_begin(vk);
	vkCmdClearColorImage(vk->cmd, image->handle, VK_IMAGE_LAYOUT_GENERAL,
			     &color, 1, &all);
	vk_submit(vk);
}

/* Linear images of an odd width: what is where the CPU can tell */
static void linear(struct vk_dev *vk)
{
	struct vk_buffer in = vk_buffer_new(vk, ODD_ROW * ODD_HEIGHT);
	struct vk_buffer out = vk_buffer_new(vk, ODD_ROW * ODD_HEIGHT);
	u8 cleared[ODD_ROW * ODD_HEIGHT];
	struct image images[2];

	set_knob("0");
	for (int i = 0; i < 2; i++)
		linear_open(vk, &images[i]);
	vk_pattern(in.memory.map, sizeof(cleared), 4);
	linear_copy(vk, images, &in, &out);
	linear_expect(vk, "copied from a buffer", &images[0], in.memory.map);
	linear_expect(vk, "copied from an image", &images[1], in.memory.map);
	vk_expect("copied to a buffer", out.memory.map, in.memory.map,
		  sizeof(cleared));
	for (size_t i = 0; i < sizeof(cleared); i++)
		cleared[i] = i % 4 < 3 ? 17 * (i % 4 + 1) : 255;
	linear_clear(vk, &images[0]);
	linear_expect(vk, "cleared", &images[0], cleared);
	linear_expect(vk, "not cleared", &images[1], in.memory.map);
	for (int i = 0; i < 2; i++)
		image_close(vk, &images[i]);
	vk_buffer_free(vk, &in);
	vk_buffer_free(vk, &out);
}

/* Run with the knob set. */
static void with_knob(struct vk_dev *vk, void (*run)(struct vk_dev *vk))
{
	if (!vk_has_sparse_images(vk))
		vk_fail("no sparse 2D images in spite of FD_DEV_FEATURES");
	set_knob("1");
	run(vk);
	set_knob("0");
}

static void image_plain(struct vk_dev *vk)
{
	with_knob(vk, plain);
}

static void image_binding(struct vk_dev *vk)
{
	with_knob(vk, binding);
}

static void image_residency(struct vk_dev *vk)
{
	with_knob(vk, residency);
}

int main(int argc, char **argv)
{
	static const struct vk_test tests[] = {
		{ "linear", linear },
		{ "plain", image_plain },
		{ "sparse-binding", image_binding },
		{ "sparse-residency", image_residency },
	};

	setenv("FD_DEV_FEATURES", "ubwc_all_formats_compatible=1", 1);
	return vk_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
