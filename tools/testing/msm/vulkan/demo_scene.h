/* SPDX-License-Identifier: MIT */
/*
 * The landscape of the demo: a color for each pixel, in integer arithmetic, so
 * that it is the same on every machine.
 *
 * Colors are as memory has them: red in the lowest byte, then green, blue and
 * alpha, which is 255 wherever something was drawn.
 */
#ifndef __DEMO_SCENE_H__
#define __DEMO_SCENE_H__

#include "vk_dev.h"

/* Pixels of a side of a tile; a tile of 4-byte pixels is a page. */
#define SCENE_TILE		32
#define SCENE_TILE_PIXELS	(SCENE_TILE * SCENE_TILE)

/* Tiles of the landscape: mountains, a lake and a meadow below them */
#define SCENE_COLUMNS		24
#define SCENE_ROWS		16
#define SCENE_LAKE_ROW		10
#define SCENE_MEADOW_ROW	13

/* How many different tiles the meadow has */
#define SCENE_MEADOW_TILES	4

#define SCENE_WIDTH		(SCENE_COLUMNS * SCENE_TILE)
#define SCENE_HEIGHT		(SCENE_ROWS * SCENE_TILE)

/**
 * enum scene_time - time of day
 * @SCENE_DUSK: the sun sets
 * @SCENE_NIGHT: the moon is up
 */
enum scene_time {
	SCENE_DUSK,
	SCENE_NIGHT,
};

void scene_init(void);
u32 scene_mountains(int x, int y, enum scene_time time);
u32 scene_meadow(int tile, int x, int y, enum scene_time time);
bool scene_has_sky(int column, int row);
int scene_from_light(int column, int row, enum scene_time time);
int scene_lake_shift(int y);

#endif /* __DEMO_SCENE_H__ */
