// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 2D engine of the virtual GPU: fill and copy of linear surfaces, which is
 * what buffers and linear images need.
 *
 * Registers of the RB, GRAS and SP blocks describe the operation, CP_BLIT
 * starts it, and it is over before the next packet.  It promises to touch
 * exactly the bytes of the destination rectangle, row by row and page by page,
 * and to be interrupted by a reset at each of them.  What it has no model of
 * stops the CP, rather than being done in part.
 *
 * Terms: a rectangle is given by its first and last pixel.  A pitch is the
 * distance of two rows in bytes; it may be zero where there is one row.  The
 * internal format says what the words of a fill's color are; the model has
 * those that are as wide as the channels of the destination, and so need no
 * conversion.
 *
 * Trap: source and destination may overlap only as far as hardware allows it,
 * that is, not at all; the model copies a page at a time.
 */
#include <linux/bitfield.h>

#include "vgpu_hw_internal.h"
#include "vgpu_hw_xml.h"

/* Units of 64 bytes, in both pitch registers. */
#define A2D_PITCH_SHIFT		6
#define A2D_SRC_PITCH		GENMASK(23, 9)
/* What a source coordinate has beside whole, positive pixels: a sign and a fraction */
#define A2D_BETWEEN_PIXELS	(~A6XX_GRAS_2D_SRC_TL_X__MASK | BIT(24))
/* All channels written */
#define A2D_ALL_CHANNELS	0xf

/**
 * struct a2d_blit - one operation, taken out of the registers
 * @cntl: RB_2D_BLIT_CNTL
 * @dst_info: format and layout of the destination
 * @src_info: same of the source
 * @color: what to fill with
 * @dst: address of the destination surface
 * @src: address of the source surface
 * @dst_pitch: of @dst
 * @src_pitch: of @src
 * @x: first destination pixel of each row
 * @y: first destination row
 * @src_x: first source pixel of each row
 * @src_y: first source row
 * @width: pixels in a row
 * @height: rows
 * @src_width: pixels in a source row
 * @src_height: source rows
 * @src_size: pixels and rows of the source surface, SP_PS_2D_SRC_SIZE
 * @between_pixels: a source coordinate is negative, or no whole number
 * @tiles_as_linear: see struct vgpu_config
 * @format: of the destination, or NULL
 * @cpp: bytes of a pixel
 */
struct a2d_blit {
	u32 cntl;
	u32 dst_info;
	u32 src_info;
	u32 color[4];
	u64 dst;
	u64 src;
	u32 dst_pitch;
	u32 src_pitch;
	u32 x;
	u32 y;
	u32 src_x;
	u32 src_y;
	u32 width;
	u32 height;
	u32 src_width;
	u32 src_height;
	u32 src_size;
	bool between_pixels;
	bool tiles_as_linear;
	const struct a2d_format *format;
	u32 cpp;
};

/**
 * struct a2d_format - the layout of a range of color formats
 * @first: the range, of enum a6xx_format
 * @last: its end, inclusive
 * @channels: of a pixel, all of the same size and in order; 1 for a pixel whose
 *	channels are packed, of which only copies have a model
 * @bits: of a channel, or of all packed ones
 * @packed: so it is
 */
struct a2d_format {
	u8 first;
	u8 last;
	u8 channels;
	u8 bits;
	bool packed;
};

static const struct a2d_format a2d_formats[] = {
	{ FMT6_8_UNORM, FMT6_8_SINT, 1, 8 },
	{ FMT6_4_4_4_4_UNORM, FMT6_5_6_5_UNORM, 1, 16, true },
	{ FMT6_8_8_UNORM, FMT6_8_8_SINT, 2, 8 },
	{ FMT6_16_UNORM, FMT6_16_SINT, 1, 16 },
	{ FMT6_8_8_8_8_UNORM, FMT6_8_8_8_8_SINT, 4, 8 },
	{ FMT6_9_9_9_E5_FLOAT, FMT6_11_11_10_FLOAT, 1, 32, true },
	{ FMT6_16_16_UNORM, FMT6_16_16_SINT, 2, 16 },
	{ FMT6_32_UNORM, FMT6_32_SINT, 1, 32 },
	{ FMT6_16_16_16_16_UNORM, FMT6_16_16_16_16_SINT, 4, 16 },
	{ FMT6_32_32_UNORM, FMT6_32_32_SINT, 2, 32 },
	{ FMT6_32_32_32_32_UNORM, FMT6_32_32_32_32_SINT, 4, 32 },
};

static const struct a2d_format *a2d_find_format(u32 format)
{
	for (int i = 0; i < ARRAY_SIZE(a2d_formats); i++)
		if (format >= a2d_formats[i].first &&
		    format <= a2d_formats[i].last)
			return &a2d_formats[i];

	return NULL;
}

/* Bits of a word of the color that mean something, 0 if there is no model. */
static u32 a2d_color_bits(u32 cntl)
{
	switch (FIELD_GET(A6XX_RB_2D_BLIT_CNTL_IFMT__MASK, cntl)) {
	case R2D_RAW:		/* what turnip 26.1 clears 8 bit UNORM with */
	case R2D_UNORM8:
	case R2D_INT8:
		return 8;
	case R2D_FLOAT16:
	case R2D_INT16:
		return 16;
	case R2D_FLOAT32:
	case R2D_INT32:
		return 32;
	default:
		return 0;
	}
}

static void a2d_load_dst(struct vgpu_hw *hw, struct a2d_blit *blit)
{
	u32 first = hw->regs[REG_A6XX_GRAS_2D_DST_TL];
	u32 last = hw->regs[REG_A6XX_GRAS_2D_DST_BR];

	blit->dst_info = hw->regs[REG_A6XX_RB_2D_DST_INFO];
	blit->dst = vgpu_reg_get64(hw, REG_A6XX_RB_2D_DST);
	blit->dst_pitch = FIELD_GET(A6XX_RB_2D_DST_PITCH__MASK,
				    hw->regs[REG_A6XX_RB_2D_DST_PITCH]) <<
			  A2D_PITCH_SHIFT;
	blit->x = FIELD_GET(A6XX_GRAS_2D_DST_TL_X__MASK, first);
	blit->y = FIELD_GET(A6XX_GRAS_2D_DST_TL_Y__MASK, first);
	blit->width = FIELD_GET(A6XX_GRAS_2D_DST_BR_X__MASK, last) - blit->x + 1;
	blit->height = FIELD_GET(A6XX_GRAS_2D_DST_BR_Y__MASK, last) - blit->y + 1;
	blit->format = a2d_find_format(FIELD_GET(A6XX_RB_2D_DST_INFO_COLOR_FORMAT__MASK,
						 blit->dst_info));
	if (blit->format)
		blit->cpp = blit->format->channels * blit->format->bits / 8;
}

static u32 a2d_src_coord(struct vgpu_hw *hw, struct a2d_blit *blit, u32 reg)
{
	if (hw->regs[reg] & A2D_BETWEEN_PIXELS)
		blit->between_pixels = true;

	return FIELD_GET(A6XX_GRAS_2D_SRC_TL_X__MASK, hw->regs[reg]);
}

static void a2d_load_src(struct vgpu_hw *hw, struct a2d_blit *blit)
{
	blit->src_info = hw->regs[REG_A6XX_SP_PS_2D_SRC_INFO];
	blit->src = vgpu_reg_get64(hw, REG_A6XX_SP_PS_2D_SRC);
	blit->src_pitch = FIELD_GET(A2D_SRC_PITCH,
				    hw->regs[REG_A6XX_SP_PS_2D_SRC_PITCH]) <<
			  A2D_PITCH_SHIFT;
	blit->between_pixels = false;
	blit->src_size = hw->regs[REG_A6XX_SP_PS_2D_SRC_SIZE];
	blit->src_x = a2d_src_coord(hw, blit, REG_A6XX_GRAS_2D_SRC_TL_X);
	blit->src_y = a2d_src_coord(hw, blit, REG_A6XX_GRAS_2D_SRC_TL_Y);
	blit->src_width = a2d_src_coord(hw, blit, REG_A6XX_GRAS_2D_SRC_BR_X) -
			  blit->src_x + 1;
	blit->src_height = a2d_src_coord(hw, blit, REG_A6XX_GRAS_2D_SRC_BR_Y) -
			   blit->src_y + 1;
}

static int a2d_load(struct vgpu_hw *hw, struct a2d_blit *blit)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&hw->lock, flags);
	if (vgpu_hw_canceled(hw))
		ret = -ECANCELED;
	blit->tiles_as_linear = hw->config.tiles_as_linear;
	blit->cntl = hw->regs[REG_A6XX_RB_2D_BLIT_CNTL];
	a2d_load_dst(hw, blit);
	a2d_load_src(hw, blit);
	for (u32 i = 0; i < ARRAY_SIZE(blit->color); i++)
		blit->color[i] = hw->regs[REG_A6XX_RB_2D_SRC_SOLID_C0 + i];
	spin_unlock_irqrestore(&hw->lock, flags);

	return ret;
}

static const char *a2d_check_fill(const struct a2d_blit *blit)
{
	if (blit->dst_info & A6XX_RB_2D_DST_INFO_COLOR_SWAP__MASK ||
	    blit->format->packed)
		return "CP_BLIT fills with reordered or packed channels";
	if (blit->dst_info & A6XX_RB_2D_DST_INFO_SRGB ||
	    a2d_color_bits(blit->cntl) != blit->format->bits)
		return "CP_BLIT fills with a color of another format";

	return NULL;
}

/* Outside of its source hardware repeats what is at the edge. */
static const char *a2d_check_src_rect(const struct a2d_blit *blit)
{
	u32 width = FIELD_GET(A6XX_SP_PS_2D_SRC_SIZE_WIDTH__MASK, blit->src_size);
	u32 height = FIELD_GET(A6XX_SP_PS_2D_SRC_SIZE_HEIGHT__MASK,
			       blit->src_size);

	if (blit->src_width != blit->width || blit->src_height != blit->height)
		return "CP_BLIT scales";
	if (blit->between_pixels)
		return "CP_BLIT reads from between pixels";
	if (blit->src_x + blit->src_width > width ||
	    blit->src_y + blit->src_height > height)
		return "CP_BLIT reads beyond its source";
	if (blit->height > 1 && !blit->src_pitch)
		return "CP_BLIT reads rows without a pitch";

	return NULL;
}

static const char *a2d_check_copy(const struct a2d_blit *blit)
{
	bool dst_srgb = blit->dst_info & A6XX_RB_2D_DST_INFO_SRGB;
	bool src_srgb = blit->src_info & A6XX_SP_PS_2D_SRC_INFO_SRGB;

	if (FIELD_GET(A6XX_SP_PS_2D_SRC_INFO_COLOR_FORMAT__MASK, blit->src_info) !=
	    FIELD_GET(A6XX_RB_2D_DST_INFO_COLOR_FORMAT__MASK, blit->dst_info) ||
	    FIELD_GET(A6XX_SP_PS_2D_SRC_INFO_COLOR_SWAP__MASK, blit->src_info) !=
	    FIELD_GET(A6XX_RB_2D_DST_INFO_COLOR_SWAP__MASK, blit->dst_info) ||
	    dst_srgb != src_srgb)
		return "CP_BLIT converts formats";
	if (!blit->tiles_as_linear &&
	    blit->src_info & (A6XX_SP_PS_2D_SRC_INFO_TILE_MODE__MASK |
			      A6XX_SP_PS_2D_SRC_INFO_FLAGS))
		return "CP_BLIT reads a tiled or compressed surface";
	if (blit->src_info & A6XX_SP_PS_2D_SRC_INFO_SAMPLES__MASK)
		return "CP_BLIT reads a surface of several samples";

	return a2d_check_src_rect(blit);
}

/* Why the model cannot do it, or NULL. */
static const char *a2d_check(const struct a2d_blit *blit)
{
	if (!blit->format)
		return "CP_BLIT writes a format without a model";
	if (!blit->tiles_as_linear &&
	    blit->dst_info & (A6XX_RB_2D_DST_INFO_TILE_MODE__MASK |
			      A6XX_RB_2D_DST_INFO_FLAGS))
		return "CP_BLIT writes a tiled or compressed surface";
	if (blit->dst_info & A6XX_RB_2D_DST_INFO_SAMPLES__MASK)
		return "CP_BLIT writes a surface of several samples";
	if (blit->cntl & (A6XX_RB_2D_BLIT_CNTL_ROTATE__MASK |
			  A6XX_RB_2D_BLIT_CNTL_D24S8 |
			  A6XX_RB_2D_BLIT_CNTL_SCISSOR))
		return "CP_BLIT rotates, clips or writes depth";
	if (FIELD_GET(A6XX_RB_2D_BLIT_CNTL_MASK__MASK, blit->cntl) !=
	    A2D_ALL_CHANNELS)
		return "CP_BLIT writes some channels only";
	/* The fields have 14 bits: what is empty is zero or wraps. */
	if (blit->width - 1 >= BIT(14) || blit->height - 1 >= BIT(14))
		return "CP_BLIT writes an empty rectangle";
	if (blit->height > 1 && !blit->dst_pitch)
		return "CP_BLIT writes rows without a pitch";
	if (blit->cntl & A6XX_RB_2D_BLIT_CNTL_SOLID_COLOR)
		return a2d_check_fill(blit);

	return a2d_check_copy(blit);
}

/* The bounce page full of pixels; a page holds a whole number of them. */
static void a2d_fill_bounce(struct vgpu_hw *hw, const struct a2d_blit *blit)
{
	u32 size = blit->format->bits / 8;
	u32 at = 0;

	while (at < VGPU_PAGE_SIZE) {
		for (u32 i = 0; i < blit->format->channels; i++) {
			__le32 word = cpu_to_le32(blit->color[i]);

			memcpy(hw->cp.bounce + at, &word, size);
			at += size;
		}
	}
}

/* One row, in pieces that the bounce page holds. */
static int a2d_row(struct vgpu_hw *hw, const struct a2d_blit *blit, u32 row)
{
	const struct vgpu_access access = {
		.engine = VGPU_ENGINE_A2D,
		.user = hw->cp.level != VGPU_RING,
	};
	u64 dst = blit->dst + (u64)(blit->y + row) * blit->dst_pitch +
		  blit->x * blit->cpp;
	u64 src = blit->src + (u64)(blit->src_y + row) * blit->src_pitch +
		  blit->src_x * blit->cpp;
	bool fill = blit->cntl & A6XX_RB_2D_BLIT_CNTL_SOLID_COLOR;
	u32 left = blit->width * blit->cpp;

	while (left) {
		u32 size = min_t(u32, left, VGPU_PAGE_SIZE);
		int ret = 0;

		if (!fill)
			ret = vgpu_mem_read(hw, &access, src, hw->cp.bounce, size);
		if (!ret)
			ret = vgpu_mem_write(hw, &access, dst, hw->cp.bounce, size);
		if (ret)
			return ret;
		src += size;
		dst += size;
		left -= size;
	}

	return 0;
}

/**
 * vgpu_2d_blit - execute CP_BLIT
 * @hw: the GPU
 * @dwords: the operation
 * @count: of the dwords
 *
 * Context: the CP thread, no lock held; may sleep.
 * Return: 0, -EIO if the CP is halted, -ECANCELED after a reset.
 */
int vgpu_2d_blit(struct vgpu_hw *hw, const u32 *dwords, u32 count)
{
	struct a2d_blit blit;
	const char *why;
	int ret;

	ret = a2d_load(hw, &blit);
	if (ret)
		return ret;

	why = a2d_check(&blit);
	if (FIELD_GET(CP_BLIT_0_OP__MASK, dwords[0]) != BLIT_OP_SCALE)
		why = "CP_BLIT with an operation without a model";
	if (why)
		return vgpu_cp_error(hw, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR,
				     dwords[0], why);

	if (blit.cntl & A6XX_RB_2D_BLIT_CNTL_SOLID_COLOR)
		a2d_fill_bounce(hw, &blit);
	for (u32 row = 0; row < blit.height; row++) {
		ret = a2d_row(hw, &blit, row);
		if (ret)
			return ret;
	}

	return 0;
}
