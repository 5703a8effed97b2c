// SPDX-License-Identifier: MIT
/*
 * The landscape of the demo: a color for each pixel.
 *
 * Nothing but hashes, interpolation and comparisons of integers.  What looks
 * alike is in runs, because each run of equal pixels becomes a fill.
 *
 * Terms: a ridge is the height of the mountains over x; there are several,
 * later ones in front.  Heights are y coordinates: smaller is higher.
 */
#include <stdlib.h>

#include "demo_scene.h"

#define HORIZON		(SCENE_LAKE_ROW * SCENE_TILE)
#define RIDGES		4
#define PINES		(RIDGES - 1)	/* the ridge that is a forest */

#define RGB(r, g, b)	(0xff000000u | (u32)(b) << 16 | (u32)(g) << 8 | (u32)(r))

static int ridges[RIDGES][SCENE_WIDTH];

static u32 hash(u32 x)
{
	x = (x ^ x >> 16) * 0x7feb352du;
	x = (x ^ x >> 15) * 0x846ca68bu;
	return x ^ x >> 16;
}

/* Smooth, 0 to 255, with a new value each @period */
static int noise(int x, int period, u32 seed)
{
	u32 at = x / period;
	int left = hash(at + seed * 7919) & 255;
	int right = hash(at + 1 + seed * 7919) & 255;
	int t = x % period * 256 / period;

	t = t * t * (768 - 2 * t) >> 16;
	return left + ((right - left) * t >> 8);
}

static int pine(int x)
{
	int column = x / 14;
	int height = 10 + hash(column + 99) % 16;
	int away = abs(x % 14 - 7);

	return HORIZON - 3 - (away < 6 ? height * (6 - away) / 6 : 0);
}

void scene_init(void)
{
	for (int x = 0; x < SCENE_WIDTH; x++) {
		ridges[0][x] = 268 - noise(x, 190, 1) * 150 / 256 -
			noise(x, 61, 2) * 62 / 256 - noise(x, 17, 3) * 16 / 256;
		ridges[1][x] = 296 - noise(x, 150, 4) * 84 / 256 -
			noise(x, 43, 5) * 34 / 256 - noise(x, 11, 6) * 9 / 256;
		ridges[2][x] = 318 - noise(x, 230, 7) * 46 / 256 -
			noise(x, 37, 8) * 12 / 256;
		ridges[PINES][x] = pine(x);
	}
}

static u32 mix(u32 a, u32 b, int part, int whole)
{
	u32 color = 0xff000000u;

	for (int shift = 0; shift < 24; shift += 8) {
		int from = a >> shift & 255, to = b >> shift & 255;

		color |= (u32)(from + (to - from) * part / whole) << shift;
	}
	return color;
}

/**
 * struct stop - a color of a gradient
 * @y: where
 * @color: what
 */
struct stop {
	int y;
	u32 color;
};

static const struct stop gradients[][4] = {
	[SCENE_DUSK] = {
		{ 0, RGB(38, 42, 98) }, { 120, RGB(146, 78, 134) },
		{ 220, RGB(242, 128, 92) }, { HORIZON, RGB(255, 214, 130) },
	},
	[SCENE_NIGHT] = {
		{ 0, RGB(6, 8, 28) }, { 120, RGB(14, 20, 58) },
		{ 220, RGB(28, 40, 92) }, { HORIZON, RGB(58, 74, 128) },
	},
};

/* Steps of four rows: a tile of clear sky is eight fills. */
static u32 gradient(int y, enum scene_time time)
{
	const struct stop *stop = gradients[time];

	y &= ~3;
	while (y >= stop[1].y && stop[1].y < HORIZON)
		stop++;
	return mix(stop[0].color, stop[1].color, y - stop[0].y,
		   stop[1].y - stop[0].y);
}

/**
 * struct light - sun or moon
 * @x: its center
 * @y: same
 * @radius: of the disc
 * @color: of the disc and of the glow around it
 */
struct light {
	int x;
	int y;
	int radius;
	u32 color;
};

static const struct light lights[] = {
	[SCENE_DUSK] = { 218, 168, 44, RGB(255, 238, 170) },
	[SCENE_NIGHT] = { 418, 88, 32, RGB(226, 230, 240) },
};

static bool crater(int x, int y)
{
	static const int spots[][3] = {
		{ -10, -8, 7 }, { 9, 4, 9 }, { -6, 14, 5 }, { 12, -14, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(spots); i++) {
		int dx = x - spots[i][0], dy = y - spots[i][1];

		if (dx * dx + dy * dy <= spots[i][2] * spots[i][2])
			return true;
	}
	return false;
}

/* The color of the light at a pixel, over what is behind it */
static u32 shine(int x, int y, enum scene_time time, u32 behind)
{
	const struct light *light = &lights[time];
	int dx = x - light->x, dy = y - light->y, square = dx * dx + dy * dy;
	int ring;

	if (square <= light->radius * light->radius) {
		if (time == SCENE_NIGHT && crater(dx, dy))
			return mix(light->color, RGB(150, 156, 176), 1, 2);
		return light->color;
	}
	for (ring = 1; ring <= 4; ring++) {
		int radius = light->radius * (4 + ring * (ring + 1) / 2) / 4;

		if (square <= radius * radius)
			return mix(behind, light->color, 5 - ring, 9);
	}
	return behind;
}

static u32 sky(int x, int y, enum scene_time time)
{
	u32 behind = gradient(y, time);
	u32 band = y / 6;
	int cloud;

	if (time == SCENE_NIGHT && y < 250 &&
	    hash((x / 2) * 7919 + (y / 2) * 104729) % 700 == 0)
		return RGB(236, 240, 255);
	behind = shine(x, y, time, behind);
	cloud = noise(x + band * 5, 120, 30 + band / 3) +
		noise(x, 37, 60 + band) / 2;
	if (time == SCENE_DUSK && cloud > 262)
		return mix(behind, RGB(255, 186, 150), 2, 5);
	return behind;
}

/* The ridge in front at a pixel, or -1 for the sky */
static int ridge_at(int x, int y)
{
	for (int i = RIDGES - 1; i >= 0; i--)
		if (y >= ridges[i][x])
			return i;
	return -1;
}

/* Snow on the highest, light and shadow on all but the forest */
static u32 rock(int ridge, int x, int y)
{
	static const u32 colors[RIDGES][2] = {
		{ RGB(112, 92, 138), RGB(92, 76, 122) },
		{ RGB(76, 66, 110), RGB(62, 54, 96) },
		{ RGB(44, 44, 78), RGB(38, 38, 70) },
		{ RGB(16, 22, 36), RGB(16, 22, 36) },
	};
	int depth = y - ridges[ridge][x];
	bool shadow = noise(x + depth / 2 + 400, 46, 20 + ridge) > 128;

	if (!ridge && depth < (212 - ridges[0][x]) / 2 + noise(x, 9, 40) / 16)
		return shadow ? RGB(176, 168, 206) : RGB(236, 226, 240);
	return colors[ridge][shadow];
}

/* A pixel above the horizon */
u32 scene_mountains(int x, int y, enum scene_time time)
{
	int ridge = ridge_at(x, y);

	return ridge < 0 ? sky(x, y, time) : rock(ridge, x, y);
}

/* A pixel of one of the tiles that the meadow repeats */
u32 scene_meadow(int tile, int x, int y, enum scene_time time)
{
	u32 seed = hash(tile * 4096 + (y / 5) * 64 + x / 2);
	u32 color = seed % 3 ? RGB(58, 92, 48) : RGB(74, 116, 54);
	u32 spot = hash(tile * 97 + (y / 3) * 31 + x / 3) % 61;

	if (!spot)
		color = tile & 1 ? RGB(250, 214, 96) : RGB(238, 240, 246);
	if (time == SCENE_DUSK)
		return color;
	return spot ? mix(color, RGB(8, 12, 34), 3, 4) : RGB(206, 255, 140);
}

/* Is there sky in a tile above the horizon? */
bool scene_has_sky(int column, int row)
{
	for (int x = 0; x < SCENE_TILE; x++)
		if (ridge_at(column * SCENE_TILE + x, row * SCENE_TILE) < 0)
			return true;
	return false;
}

/* How far a tile is from sun or moon, in pixels and with ragged edges */
int scene_from_light(int column, int row, enum scene_time time)
{
	int dx = column * SCENE_TILE + SCENE_TILE / 2 - lights[time].x;
	int dy = row * SCENE_TILE + SCENE_TILE / 2 - lights[time].y;
	int far = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
	int near = abs(dx) + abs(dy) - far;

	return far + near * 3 / 8 + hash(row * 64 + column) % 120;
}

/* How far a row of the lake shows what is beside it, in pixels: waves */
int scene_lake_shift(int y)
{
	int near = (y - HORIZON) / 12;

	return (int)(hash(y / 3 + 5) % (2 * near + 1)) / 2 * 4;
}
