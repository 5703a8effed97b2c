// SPDX-License-Identifier: MIT
/*
 * A picture of several frames as PNG, by libpng.
 *
 * No time stamp, no text: the same pixels give the same file.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "demo_png.h"

#define PAPER	0x60

struct sheet *sheet_new(void)
{
	struct sheet *sheet = malloc(sizeof(*sheet));

	if (sheet)
		memset(sheet, PAPER, sizeof(*sheet));
	return sheet;
}

/* A frame, given tile by tile; what was never drawn is black. */
void sheet_put(struct sheet *sheet, int number, const u32 *tiles)
{
	int left = SHEET_GAP + number % 2 * (SCENE_WIDTH + SHEET_GAP);
	int top = SHEET_GAP + number / 2 * (SCENE_HEIGHT + SHEET_GAP);

	for (int y = 0; y < SCENE_HEIGHT; y++) {
		for (int x = 0; x < SCENE_WIDTH; x++) {
			int tile = y / SCENE_TILE * SCENE_COLUMNS +
				x / SCENE_TILE;
			u32 color = tiles[tile * SCENE_TILE_PIXELS +
					  y % SCENE_TILE * SCENE_TILE +
					  x % SCENE_TILE];
			u8 *pixel = sheet->pixels[top + y][left + x];

			pixel[0] = color;
			pixel[1] = color >> 8;
			pixel[2] = color >> 16;
		}
	}
}

/* FNV-1a of the pixels */
u64 sheet_sum(const struct sheet *sheet)
{
	const u8 *at = (const u8 *)sheet->pixels;
	u64 sum = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(sheet->pixels); i++)
		sum = (sum ^ at[i]) * 0x100000001b3ull;
	return sum;
}

static bool write_rows(png_structp png, png_infop info, FILE *file,
		       const struct sheet *sheet)
{
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_init_io(png, file);
	png_set_IHDR(png, info, SHEET_WIDTH, SHEET_HEIGHT, 8,
		     PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int y = 0; y < SHEET_HEIGHT; y++)
		png_write_row(png, (png_const_bytep)sheet->pixels[y]);
	png_write_end(png, NULL);
	return true;
}

/* Return: was it written? */
bool sheet_write(const struct sheet *sheet, const char *path)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	FILE *file = fopen(path, "wb");
	bool good = info && file && write_rows(png, info, file, sheet);

	if (file)
		good = !fclose(file) && good;
	png_destroy_write_struct(&png, &info);
	return good;
}
