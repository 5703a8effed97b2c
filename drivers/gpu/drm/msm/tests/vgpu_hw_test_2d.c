// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the 2D engine of the virtual Adreno, programmed the way turnip does
 * for vkCmdFillBuffer and vkCmdCopyBuffer.
 *
 * Each operation is checked against a model made of bytes: what is inside the
 * rectangle has changed as asked, and nothing outside has.
 */
#include <linux/bitfield.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include <kunit/test.h>

#include "vgpu_hw_test.h"
#include "../vgpu/vgpu_hw_xml.h"

#define SRC_IOVA	0x200000000ULL
#define DST_IOVA	0x300000000ULL
#define NR_PAGES	3
#define SIZE		(NR_PAGES * SZ_4K)
#define LINEAR_FILL	(0x07f00080 | FMT6_32_UINT << 8)
#define LINEAR_COPY	0x00f00000

struct surfaces {
	struct vt *vt;
	u8 *src[NR_PAGES];
	u8 *dst[NR_PAGES];
	u8 want[SIZE];
};

static struct surfaces *surfaces_create(struct kunit *test)
{
	struct surfaces *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->vt = vt_create(test, NULL);
	prandom_seed_state(&rnd, 5);
	for (int i = 0; i < NR_PAGES; i++) {
		s->src[i] = (u8 *)vt_page(test);
		s->dst[i] = (u8 *)vt_page(test);
		prandom_bytes_state(&rnd, s->src[i], SZ_4K);
		vt_map(s->vt, SRC_IOVA + i * SZ_4K, s->src[i], IOMMU_READ);
		vt_map(s->vt, DST_IOVA + i * SZ_4K, s->dst[i],
		       IOMMU_READ | IOMMU_WRITE);
	}

	return s;
}

/* Destination surface, and the rectangle in it, last pixel included. */
static void set_dst(struct vt *vt, u32 format, u64 base, u32 pitch, u32 x, u32 y,
		    u32 width, u32 height)
{
	vt_ib(vt, vt_pkt4(REG_A6XX_RB_2D_DST_INFO, 4), format, VT_LO(base),
	      VT_HI(base), pitch / 64);
	vt_ib(vt, vt_pkt4(REG_A6XX_GRAS_2D_DST_TL, 2), x | y << 16,
	      (x + width - 1) | (y + height - 1) << 16);
}

static void set_src(struct vt *vt, u32 format, u64 base, u32 pitch, u32 x, u32 y,
		    u32 width, u32 height)
{
	vt_ib(vt, vt_pkt4(REG_A6XX_SP_PS_2D_SRC_INFO, 5), format | 0x500000,
	      (x + width) | (y + height) << 15, VT_LO(base), VT_HI(base), pitch / 64 << 9);
	vt_ib(vt, vt_pkt4(REG_A6XX_GRAS_2D_SRC_TL_X, 4), x << 8,
	      (x + width - 1) << 8, y << 8, (y + height - 1) << 8);
}

static void blit(struct vt *vt, u32 cntl)
{
	vt_ib(vt, vt_pkt4(REG_A6XX_RB_2D_BLIT_CNTL, 1), cntl);
	vt_ib(vt, vt_pkt7(CP_BLIT, 1), BLIT_OP_SCALE);
	vt_run_ib(vt);
}

static void expect_dst(struct kunit *test, struct surfaces *s)
{
	for (int i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_MEMEQ(test, s->dst[i], s->want + i * SZ_4K, SZ_4K);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->vt->faults));
}

/* What the source has at an offset. */
static u8 src_byte(struct surfaces *s, u32 at)
{
	return s->src[at / SZ_4K][at % SZ_4K];
}

/* One row, as buffers are filled, across a page boundary. */
static void a2d_fills(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);
	u32 *want = (u32 *)s->want;

	set_dst(s->vt, FMT6_32_UINT, DST_IOVA + 64, 0, 3, 0, 1500, 1);
	vt_ib(s->vt, vt_pkt4(REG_A6XX_RB_2D_SRC_SOLID_C0, 4), 0xcafef00d, 1, 2, 3);
	blit(s->vt, LINEAR_FILL);
	for (int i = 0; i < 1500; i++)
		want[16 + 3 + i] = 0xcafef00d;
	expect_dst(test, s);
}

/* Several rows of wide pixels. */
static void a2d_fills_rectangles(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);
	u32 *want = (u32 *)s->want;

	set_dst(s->vt, FMT6_32_32_32_32_UINT, DST_IOVA, 1024, 2, 1, 5, 7);
	vt_ib(s->vt, vt_pkt4(REG_A6XX_RB_2D_SRC_SOLID_C0, 4), 1, 2, 3, 4);
	blit(s->vt, LINEAR_FILL);
	for (u32 row = 1; row < 8; row++)
		for (u32 i = 0; i < 5 * 4; i++)
			want[row * 256 + 8 + i] = i % 4 + 1;
	expect_dst(test, s);
}

struct fill_case {
	const char *name;
	u32 format;
	u32 ifmt;
	u32 channels;
	u32 size;
};

static const struct fill_case fill_cases[] = {
	{ "R8", FMT6_8_UNORM, R2D_UNORM8, 1, 1 },
	{ "R8 raw", FMT6_8_UNORM, R2D_RAW, 1, 1 },
	{ "R8G8", FMT6_8_8_UINT, R2D_INT8, 2, 1 },
	{ "R8G8B8A8", FMT6_8_8_8_8_UNORM, R2D_UNORM8, 4, 1 },
	{ "R16", FMT6_16_UINT, R2D_INT16, 1, 2 },
	{ "R16G16", FMT6_16_16_SINT, R2D_INT16, 2, 2 },
	{ "R16G16B16A16", FMT6_16_16_16_16_FLOAT, R2D_FLOAT16, 4, 2 },
	{ "R32", FMT6_32_FLOAT, R2D_FLOAT32, 1, 4 },
	{ "R32G32", FMT6_32_32_UINT, R2D_INT32, 2, 4 },
	{ "R32G32B32A32", FMT6_32_32_32_32_FLOAT, R2D_FLOAT32, 4, 4 },
};

KUNIT_ARRAY_PARAM_DESC(fill, fill_cases, name);

/* A rectangle of a linear image: one word of the color for each channel. */
static void a2d_fills_images(struct kunit *test)
{
	const struct fill_case *c = test->param_value;
	static const u32 color[4] = { 0xa3a2a1a0, 0xb3b2b1b0, 0xc3c2c1c0, 0xd3d2d1d0 };
	u32 cpp = c->channels * c->size;
	struct surfaces *s = surfaces_create(test);

	set_dst(s->vt, c->format, DST_IOVA, 1024, 3, 2, 11, 8);
	vt_ib(s->vt, vt_pkt4(REG_A6XX_RB_2D_SRC_SOLID_C0, 4),
	      color[0], color[1], color[2], color[3]);
	blit(s->vt, 0x00f00080 | c->ifmt << 24 | c->format << 8);
	for (u32 row = 2; row < 10; row++)
		for (u32 at = 0; at < 11 * cpp; at++)
			s->want[row * 1024 + 3 * cpp + at] =
				color[at % cpp / c->size] >> at % c->size * 8;
	expect_dst(test, s);
}

struct copy_case {
	const char *name;
	u32 format;
	u32 cpp;
};

static const struct copy_case copy_cases[] = {
	{ "1 byte", FMT6_8_UNORM, 1 },
	{ "2 bytes", FMT6_8_8_UNORM, 2 },
	{ "2 bytes, packed", FMT6_5_6_5_UNORM, 2 },
	{ "4 bytes", FMT6_32_UINT, 4 },
	{ "4 bytes, 4 channels", FMT6_8_8_8_8_SNORM, 4 },
	{ "4 bytes, packed", FMT6_10_10_10_2_UNORM, 4 },
	{ "8 bytes", FMT6_16_16_16_16_FLOAT, 8 },
	{ "16 bytes", FMT6_32_32_32_32_UINT, 16 },
};

KUNIT_ARRAY_PARAM_DESC(copy, copy_cases, name);

static void a2d_copies(struct kunit *test)
{
	const struct copy_case *c = test->param_value;
	struct surfaces *s = surfaces_create(test);
	u32 bytes = 5000 / c->cpp * c->cpp;
	u32 from = 128 + 7 * c->cpp, to = 64 + 3 * c->cpp;

	set_src(s->vt, c->format, SRC_IOVA + 128, 0, 7, 0, bytes / c->cpp, 1);
	set_dst(s->vt, c->format, DST_IOVA + 64, 0, 3, 0, bytes / c->cpp, 1);
	blit(s->vt, LINEAR_COPY | c->format << 8);
	for (u32 i = 0; i < bytes; i++)
		s->want[to + i] = src_byte(s, from + i);
	expect_dst(test, s);
}

/* Different pitches and places. */
static void a2d_copies_rectangles(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);

	set_src(s->vt, FMT6_32_UINT, SRC_IOVA, 1024, 5, 2, 20, 9);
	set_dst(s->vt, FMT6_32_UINT, DST_IOVA, 512, 1, 4, 20, 9);
	blit(s->vt, LINEAR_COPY | FMT6_32_UINT << 8);
	for (u32 row = 0; row < 9; row++)
		for (u32 i = 0; i < 80; i++)
			s->want[(row + 4) * 512 + 4 + i] =
				src_byte(s, (row + 2) * 1024 + 20 + i);
	expect_dst(test, s);
}

/* Reordered alike on both sides: the bytes are the same. */
static void a2d_copies_swapped(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);
	u32 info = FMT6_8_8_8_8_UNORM | A6XX_RB_2D_DST_INFO_COLOR_SWAP(WXYZ) |
		   A6XX_RB_2D_DST_INFO_SRGB;

	set_src(s->vt, info, SRC_IOVA, 256, 0, 0, 50, 3);
	set_dst(s->vt, info, DST_IOVA, 512, 0, 0, 50, 3);
	blit(s->vt, LINEAR_COPY | FMT6_8_8_8_8_UNORM << 8);
	for (u32 row = 0; row < 3; row++)
		for (u32 i = 0; i < 200; i++)
			s->want[row * 512 + i] = src_byte(s, row * 256 + i);
	expect_dst(test, s);
}

/* On request, a tiled surface is one of rows. */
static void a2d_takes_tiles_for_rows(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);
	u32 tiled = FMT6_32_UINT | A6XX_RB_2D_DST_INFO_TILE_MODE(TILE6_3) |
		    A6XX_RB_2D_DST_INFO_FLAGS;
	struct vgpu_config config;

	vgpu_config_init(&config);
	config.tiles_as_linear = true;
	vgpu_hw_configure(s->vt->hw, &config);
	set_src(s->vt, FMT6_32_UINT, SRC_IOVA, 256, 0, 0, 50, 3);
	set_dst(s->vt, tiled, DST_IOVA, 512, 0, 0, 50, 3);
	blit(s->vt, LINEAR_COPY | FMT6_32_UINT << 8);
	set_src(s->vt, tiled, DST_IOVA, 512, 0, 0, 50, 3);
	set_dst(s->vt, FMT6_32_UINT, DST_IOVA + SZ_8K, 256, 0, 0, 50, 3);
	blit(s->vt, LINEAR_COPY | FMT6_32_UINT << 8);
	for (u32 row = 0; row < 3; row++) {
		for (u32 i = 0; i < 200; i++) {
			s->want[row * 512 + i] = src_byte(s, row * 256 + i);
			s->want[SZ_8K + row * 256 + i] = s->want[row * 512 + i];
		}
	}
	expect_dst(test, s);
}

/* A hole in the source reads as zero, one in the destination drops writes. */
static void a2d_meets_holes(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);
	u32 *hole = vt_page(test);
	const struct vgpu_stats *stats;

	memset(hole, 0x77, SZ_4K);
	vgpu_hw_smmu_set_prr(s->vt->hw, virt_to_phys(hole));
	vgpu_hw_smmu_enable_prr(s->vt->hw, true);
	vt_unmap(s->vt, SRC_IOVA + SZ_4K);
	vt_map(s->vt, SRC_IOVA + SZ_4K, hole, IOMMU_READ | IOMMU_WRITE);
	vt_unmap(s->vt, DST_IOVA + 2 * SZ_4K);
	vt_map(s->vt, DST_IOVA + 2 * SZ_4K, hole, IOMMU_READ | IOMMU_WRITE);
	vgpu_hw_tlb_inv_all(s->vt->hw);
	memset(s->dst[1], 0xee, SZ_4K);

	set_src(s->vt, FMT6_32_UINT, SRC_IOVA, 0, 0, 0, SIZE / 4, 1);
	set_dst(s->vt, FMT6_32_UINT, DST_IOVA, 0, 0, 0, SIZE / 4, 1);
	blit(s->vt, LINEAR_COPY | FMT6_32_UINT << 8);
	memcpy(s->want, s->src[0], SZ_4K);
	expect_dst(test, s);
	KUNIT_EXPECT_NULL(test, memchr_inv(hole, 0x77, SZ_4K));
	stats = vt_stats(s->vt);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->prr_reads);
	KUNIT_EXPECT_EQ(test, 1ULL, stats->prr_writes);
}

/* The middle page is missing: its bytes are lost or zero, the rest arrives. */
static void a2d_goes_on_after_a_fault(struct kunit *test)
{
	struct surfaces *s = surfaces_create(test);

	vt_unmap(s->vt, SRC_IOVA + SZ_4K);
	vgpu_hw_tlb_inv_all(s->vt->hw);
	memset(s->dst[1], 0xee, SZ_4K);
	set_src(s->vt, FMT6_32_UINT, SRC_IOVA, 0, 0, 0, SIZE / 4, 1);
	set_dst(s->vt, FMT6_32_UINT, DST_IOVA, 0, 0, 0, SIZE / 4, 1);
	blit(s->vt, LINEAR_COPY | FMT6_32_UINT << 8);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&s->vt->faults));
	KUNIT_EXPECT_EQ(test, SRC_IOVA + SZ_4K, s->vt->fault.iova);
	KUNIT_EXPECT_MEMEQ(test, s->dst[0], s->src[0], SZ_4K);
	KUNIT_EXPECT_NULL(test, memchr_inv(s->dst[1], 0, SZ_4K));
	KUNIT_EXPECT_MEMEQ(test, s->dst[2], s->src[2], SZ_4K);
}

struct refused_case {
	const char *name;
	u32 op;
	u32 cntl;
	u32 dst_info;
	u32 src_info;
	u32 src_width;
	u32 dst_width;
};

static const struct refused_case refused_cases[] = {
	{ "other operation", BLIT_OP_COPY, LINEAR_COPY, FMT6_32_UINT,
	  FMT6_32_UINT, 4, 4 },
	{ "format", BLIT_OP_SCALE, LINEAR_COPY, FMT6_ASTC_4x4, FMT6_ASTC_4x4,
	  4, 4 },
	{ "swap", BLIT_OP_SCALE, LINEAR_COPY, FMT6_8_8_8_8_UNORM,
	  FMT6_8_8_8_8_UNORM | 1 << 10, 4, 4 },
	{ "sRGB", BLIT_OP_SCALE, LINEAR_COPY,
	  FMT6_8_8_8_8_UNORM | A6XX_RB_2D_DST_INFO_SRGB, FMT6_8_8_8_8_UNORM,
	  4, 4 },
	{ "samples", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT | 1 << 14,
	  FMT6_32_UINT | 1 << 14, 4, 4 },
	{ "compressed", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT,
	  FMT6_32_UINT | A6XX_SP_PS_2D_SRC_INFO_FLAGS, 4, 4 },
	{ "packed color", BLIT_OP_SCALE, 0x06f00080, FMT6_5_6_5_UNORM, 0, 4, 4 },
	{ "color of another size", BLIT_OP_SCALE, 0x06f00080, FMT6_32_UINT, 0,
	  4, 4 },
	{ "color to sRGB", BLIT_OP_SCALE, 0x10f00080,
	  FMT6_8_8_8_8_UNORM | A6XX_RB_2D_DST_INFO_SRGB, 0, 4, 4 },
	{ "swapped color", BLIT_OP_SCALE, 0x10f00080,
	  FMT6_8_8_8_8_UNORM | 1 << 10, 0, 4, 4 },
	{ "conversion", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT,
	  FMT6_8_UNORM, 4, 4 },
	{ "tiled source", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT,
	  FMT6_32_UINT | 3 << 8, 4, 4 },
	{ "tiled destination", BLIT_OP_SCALE, LINEAR_COPY,
	  FMT6_32_UINT | 3 << 8, FMT6_32_UINT, 4, 4 },
	{ "rotation", BLIT_OP_SCALE, LINEAR_COPY | 1, FMT6_32_UINT,
	  FMT6_32_UINT, 4, 4 },
	{ "some channels", BLIT_OP_SCALE, 0x00300000, FMT6_32_UINT,
	  FMT6_32_UINT, 4, 4 },
	{ "scaling", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT, FMT6_32_UINT,
	  4, 8 },
	{ "empty", BLIT_OP_SCALE, LINEAR_COPY, FMT6_32_UINT, FMT6_32_UINT,
	  0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

static void a2d_refuses(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct surfaces *s = surfaces_create(test);

	set_src(s->vt, c->src_info, SRC_IOVA, 0, 1, 0, c->src_width, 1);
	set_dst(s->vt, c->dst_info, DST_IOVA, 0, 1, 0, c->dst_width, 1);
	vt_ib(s->vt, vt_pkt4(REG_A6XX_RB_2D_BLIT_CNTL, 1), c->cntl);
	vt_ib(s->vt, vt_pkt7(CP_BLIT, 1), c->op);
	vt_run_bad_ib(s->vt, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR);
	expect_dst(test, s);
}

struct reach_case {
	const char *name;
	u32 reg;
	u32 value;
};

/* Of a copy of 4 x 2 pixels from (1, 0), one register gets another value. */
static const struct reach_case reach_cases[] = {
	{ "fraction", REG_A6XX_GRAS_2D_SRC_TL_X, 1 << 8 | 0x80 },
	{ "negative", REG_A6XX_GRAS_2D_SRC_TL_Y, 0x01000000 },
	{ "narrow source", REG_A6XX_SP_PS_2D_SRC_SIZE, 4 | 2 << 15 },
	{ "low source", REG_A6XX_SP_PS_2D_SRC_SIZE, 5 | 1 << 15 },
	{ "source pitch", REG_A6XX_SP_PS_2D_SRC_PITCH, 0 },
	{ "destination pitch", REG_A6XX_RB_2D_DST_PITCH, 0 },
};

KUNIT_ARRAY_PARAM_DESC(reach, reach_cases, name);

static void a2d_refuses_what_it_cannot_reach(struct kunit *test)
{
	const struct reach_case *c = test->param_value;
	struct surfaces *s = surfaces_create(test);

	set_src(s->vt, FMT6_32_UINT, SRC_IOVA, 64, 1, 0, 4, 2);
	set_dst(s->vt, FMT6_32_UINT, DST_IOVA, 64, 0, 0, 4, 2);
	vt_ib(s->vt, vt_pkt4(c->reg, 1), c->value);
	vt_ib(s->vt, vt_pkt4(REG_A6XX_RB_2D_BLIT_CNTL, 1),
	      LINEAR_COPY | FMT6_32_UINT << 8);
	vt_ib(s->vt, vt_pkt7(CP_BLIT, 1), BLIT_OP_SCALE);
	vt_run_bad_ib(s->vt, A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR);
	expect_dst(test, s);
}

static struct kunit_case a2d_tests[] = {
	KUNIT_CASE(a2d_fills),
	KUNIT_CASE(a2d_fills_rectangles),
	KUNIT_CASE_PARAM(a2d_fills_images, fill_gen_params),
	KUNIT_CASE_PARAM(a2d_copies, copy_gen_params),
	KUNIT_CASE(a2d_copies_rectangles),
	KUNIT_CASE(a2d_copies_swapped),
	KUNIT_CASE(a2d_takes_tiles_for_rows),
	KUNIT_CASE(a2d_meets_holes),
	KUNIT_CASE(a2d_goes_on_after_a_fault),
	KUNIT_CASE_PARAM(a2d_refuses, refused_gen_params),
	KUNIT_CASE_PARAM(a2d_refuses_what_it_cannot_reach, reach_gen_params),
	{}
};

static struct kunit_suite a2d_suite = {
	.name = "vgpu-2d",
	.test_cases = a2d_tests,
};

kunit_test_suite(a2d_suite);
