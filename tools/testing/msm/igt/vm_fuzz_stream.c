// SPDX-License-Identifier: MIT
/*
 * Random command streams: most packets have a header that is right and an
 * opcode that the GPU knows, with payloads of any kind.
 */
#include "vm_fuzz.h"

/* Opcodes of the kernel's register database that do something */
static const u8 opcodes[] = {
	0x10, 0x12, 0x13, 0x14, 0x26, 0x3c, 0x3d, 0x3e, 0x3f, 0x42, 0x44, 0x46,
	0x21, 0x2c, 0x37, 0x57, 0x62, 0x65, 0x73, 0x75, 0x43, 0x63, 0x64, 0x1d,
};

/* First registers of the 2D engine's parts; others are chosen now and then. */
static const u32 blit_regs[] = { 0x8400, 0x8c00, 0x8c17, 0x8c2c, 0xacc0, 0xb4c0 };

static u32 odd_parity(u32 value)
{
	return !__builtin_parity(value);
}

static u32 header7(u32 op, u32 count)
{
	return 7u << 28 | odd_parity(op) << 23 | op << 16 |
	       odd_parity(count) << 15 | count;
}

static u32 header4(u32 reg, u32 count)
{
	return 4u << 28 | odd_parity(reg) << 27 | reg << 8 |
	       odd_parity(count) << 7 | count;
}

static u32 any_reg(struct gpu_rand *rand)
{
	if (gpu_rand_chance(rand, 30))
		return gpu_rand_below(rand, 0x40000);
	return blit_regs[gpu_rand_below(rand, ARRAY_SIZE(blit_regs))] +
	       gpu_rand_below(rand, 12);
}

/* Mostly a place in the window */
static u64 address(struct gpu_rand *rand, u64 window)
{
	u64 offset = gpu_rand_below(rand, FUZZ_WINDOW * GPU_PAGE / 4) * 4ull;

	if (gpu_rand_chance(rand, 5))
		return gpu_rand_next(rand);
	if (gpu_rand_chance(rand, 5))
		offset = -offset;
	return window + offset;
}

static u32 value(struct gpu_rand *rand)
{
	switch (gpu_rand_below(rand, 4)) {
	case 0:
		return 0;
	case 1:
		return gpu_rand_below(rand, 64);
	case 2:
		return 1u << gpu_rand_below(rand, 32);
	default:
		return gpu_rand_next(rand);
	}
}

/* Addresses stand in two dwords, somewhere in the payload. */
static void payload(struct gpu_rand *rand, u32 *dwords, u32 count, u64 window)
{
	u64 iova;
	u32 i;

	for (i = 0; i < count; i++)
		dwords[i] = value(rand);
	for (i = gpu_rand_below(rand, 2); i + 1 < count; i += 2) {
		if (gpu_rand_chance(rand, 30))
			continue;
		iova = address(rand, window);
		dwords[i] = iova;
		dwords[i + 1] = iova >> 32;
	}
}

/**
 * fuzz_stream - random commands
 * @rand: decides
 * @dwords: where to
 * @max: most dwords
 * @window: an address of FUZZ_WINDOW pages
 * @wild: also headers that are none, and registers
 *
 * Return: number of dwords.
 */
u32 fuzz_stream(struct gpu_rand *rand, u32 *dwords, u32 max, u64 window,
		bool wild)
{
	u32 pos = 0, packets = 1 + gpu_rand_below(rand, 24), count;

	while (packets--) {
		count = gpu_rand_below(rand, 9);
		if (pos + count + 1 > max)
			break;
		dwords[pos] = header7(opcodes[gpu_rand_below(rand, ARRAY_SIZE(opcodes))],
				      count);
		if (wild && gpu_rand_chance(rand, 20))
			dwords[pos] = header4(any_reg(rand), count);
		if (wild && gpu_rand_chance(rand, 2))
			dwords[pos] = header7(gpu_rand_below(rand, 0x80), count);
		if (wild && gpu_rand_chance(rand, 1))
			dwords[pos] = gpu_rand_next(rand);
		payload(rand, dwords + pos + 1, count, window);
		pos += count + 1;
	}
	return pos;
}
