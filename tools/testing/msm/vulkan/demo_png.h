/* SPDX-License-Identifier: MIT */
/*
 * A picture of several frames, two in a row, as PNG.
 */
#ifndef __DEMO_PNG_H__
#define __DEMO_PNG_H__

#include "demo_scene.h"

#define SHEET_GAP	8
#define SHEET_FRAMES	4
#define SHEET_WIDTH	(2 * SCENE_WIDTH + 3 * SHEET_GAP)
#define SHEET_HEIGHT	(2 * SCENE_HEIGHT + 3 * SHEET_GAP)

/**
 * struct sheet - the picture
 * @pixels: red, green and blue of each, row by row
 */
struct sheet {
	u8 pixels[SHEET_HEIGHT][SHEET_WIDTH][3];
};

struct sheet *sheet_new(void);
void sheet_put(struct sheet *sheet, int number, const u32 *tiles);
u64 sheet_sum(const struct sheet *sheet);
bool sheet_write(const struct sheet *sheet, const char *path);

#endif /* __DEMO_PNG_H__ */
