// SPDX-License-Identifier: MIT
/*
 * vk_demo - a virtual texture on turnip, for somebody who watches
 *
 * A sparse buffer of 256 MiB is a picture of 8192 x 8192 pixels with less than
 * 3 MiB of memory behind it.  A landscape in it is bound page by page while it
 * is drawn, by fills and copies of the GPU; then pages are aliased, replaced
 * and unbound.  Four frames of it become a PNG, and what the kernel logged
 * about its page table a map in SVG.
 *
 * The program computes what the GPU must find and compares all bytes of each
 * frame; it exits with a status other than zero when one is different, when
 * the picture is not the one that all machines draw, when the GPU met a fault,
 * or when something stays mapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm_log.h"
#include "demo_map.h"
#include "demo_png.h"
#include "demo_texture.h"
#include "vk_test.h"

/* Tiles of the texture at which the landscape and its workshop are */
#define VIEW		(120 * TEXTURE_SIDE + 112)
#define WORKSHOP	(16 * TEXTURE_SIDE + 16)

/* Tiles within this distance of the light, see scene_from_light() */
#define SEEN_FIRST	384
#define SEEN_LAST	400

/* Tiles are looked at in the order of their distance, in steps of this */
#define DISTANCE_STEP	16
#define DISTANCE_END	1024

#define LOST_COLOR	0xffff00ffu

/* sheet_sum() of the picture, the same on every machine */
#define PICTURE		0x1eee932c75b12838ull

/**
 * struct demo - the demo
 * @vk: the device
 * @texture: the virtual texture
 * @log: what the kernel says
 * @steps: what was done, for the map
 * @sheet: the frames
 * @frames: how many there are
 * @pages: pages of the memory in use
 * @before: kernel counts when the step began
 * @gpu_before: counts of the virtual GPU when the demo began, see gpu_counts
 * @mappings_before: what turnip needs for itself
 */
struct demo {
	struct vk_dev vk;
	struct texture texture;
	struct vm_log log;
	struct demo_steps steps;
	struct sheet *sheet;
	int frames;
	int pages;
	struct {
		u64 binds;
		u64 operations;
		u32 edits;
	} before;
	u64 gpu_before[3];
	u64 mappings_before;
};

static const char * const gpu_counts[] = {
	"write_bytes:a2d", "prr_writes", "faults",
};

static u32 view(int column, int row)
{
	return VIEW + row * TEXTURE_SIDE + column;
}

static u32 workshop(int column, int row)
{
	return WORKSHOP + row * TEXTURE_SIDE + column;
}

static void read_log(void *data)
{
	struct demo *demo = data;

	if (!vm_log_read(&demo->log))
		vk_fail("debugfs does not show the address space (not root?)");
}

static void begin_step(struct demo *demo, const char *name)
{
	struct demo_steps *steps = &demo->steps;

	steps->name[steps->count] = name;
	steps->first[steps->count++] = demo->log.count;
	demo->before.binds = demo->log.binds;
	demo->before.operations = demo->log.operations;
	demo->before.edits = demo->log.count;
}

static void end_step(struct demo *demo)
{
	const struct vm_log *log = &demo->log;

	read_log(demo);
	printf("  %-45s %6lu %7lu %7u %7u %7lu\n",
	       demo->steps.name[demo->steps.count - 1],
	       log->binds - demo->before.binds,
	       log->operations - demo->before.operations,
	       log->count - demo->before.edits,
	       texture_bound(&demo->texture), log->tables);
	fflush(stdout);
}

static void take_frame(struct demo *demo)
{
	sheet_put(demo->sheet, demo->frames++,
		  texture_read(&demo->texture, VIEW));
}

static int new_page(struct demo *demo)
{
	if (demo->pages == TEXTURE_PAGES)
		vk_fail("the demo wants more pages than it has");
	return demo->pages++;
}

/* Draw the landscape's tile at @column, @row into a tile of the texture. */
static void draw_tile(struct demo *demo, u32 tile, int column, int row,
		      enum scene_time time)
{
	u32 pixels[SCENE_TILE_PIXELS];

	for (int i = 0; i < SCENE_TILE_PIXELS; i++)
		pixels[i] = scene_mountains(column * SCENE_TILE + i % SCENE_TILE,
					    row * SCENE_TILE + i / SCENE_TILE,
					    time);
	texture_draw(&demo->texture, tile, pixels);
}

/**
 * struct place - a tile of the landscape
 * @column: where
 * @row: same
 */
struct place {
	int column;
	int row;
};

/* The tiles at a distance of the light from @from to @from + DISTANCE_STEP */
static int places_at(struct place *places, int rows, int from,
		     enum scene_time time)
{
	int count = 0;

	for (int i = 0; i < rows * SCENE_COLUMNS; i++) {
		struct place place = { i % SCENE_COLUMNS, i / SCENE_COLUMNS };
		int distance = scene_from_light(place.column, place.row, time);

		if (distance >= from && distance < from + DISTANCE_STEP)
			places[count++] = place;
	}
	return count;
}

/* Bind tiles by their distance from the sun, and draw each. */
static void mountains(struct demo *demo, int from, int to)
{
	struct place places[SCENE_COLUMNS * SCENE_ROWS];

	for (; from < to; from += DISTANCE_STEP) {
		int count = places_at(places, SCENE_LAKE_ROW, from, SCENE_DUSK);

		if (!count)
			continue;
		for (int i = 0; i < count; i++)
			texture_bind(&demo->texture,
				     view(places[i].column, places[i].row),
				     new_page(demo));
		texture_commit(&demo->texture);
		vk_begin(&demo->vk);
		for (int i = 0; i < count; i++)
			draw_tile(demo, view(places[i].column, places[i].row),
				  places[i].column, places[i].row, SCENE_DUSK);
		vk_submit(&demo->vk);
	}
}

/* A fill of each tile of the frame that is not bound must get lost. */
static void write_to_nothing(struct demo *demo)
{
	vk_begin(&demo->vk);
	for (int row = 0; row < SCENE_ROWS; row++)
		for (int column = 0; column < SCENE_COLUMNS; column++)
			if (demo->texture.map[view(column, row)] ==
			    TEXTURE_NOTHING)
				texture_fill(&demo->texture, view(column, row),
					     0, SCENE_TILE_PIXELS, LOST_COLOR);
	vk_submit(&demo->vk);
}

/* A row of a tile of the lake is a row of the mountains, moved a little. */
static void mirror_row(struct demo *demo, int column, int y)
{
	int source = 2 * SCENE_LAKE_ROW * SCENE_TILE - 1 - y;
	int row = source / SCENE_TILE, shift = scene_lake_shift(y);
	u32 to = view(column, y / SCENE_TILE);
	u32 offset = y % SCENE_TILE * SCENE_TILE;
	u32 from = source % SCENE_TILE * SCENE_TILE;
	bool last = column == SCENE_COLUMNS - 1;

	texture_copy(&demo->texture, to, view(column, row), offset,
		     from + shift, SCENE_TILE - shift);
	if (shift)
		texture_copy(&demo->texture, to, view(column + !last, row),
			     offset + SCENE_TILE - shift,
			     last ? from + SCENE_TILE - shift : from, shift);
}

static void lake(struct demo *demo)
{
	vk_begin(&demo->vk);
	for (int y = SCENE_LAKE_ROW * SCENE_TILE;
	     y < SCENE_MEADOW_ROW * SCENE_TILE; y++)
		for (int column = 0; column < SCENE_COLUMNS; column++)
			mirror_row(demo, column, y);
	vk_submit(&demo->vk);
}

static void bind_lake(struct demo *demo)
{
	for (int row = SCENE_LAKE_ROW; row < SCENE_MEADOW_ROW; row++)
		for (int column = 0; column < SCENE_COLUMNS; column++)
			texture_bind(&demo->texture, view(column, row),
				     new_page(demo));
	texture_commit(&demo->texture);
}

/* All tiles of the meadow show the same few pages. */
static void bind_meadow(struct demo *demo)
{
	int first = demo->pages;

	for (int i = 0; i < SCENE_MEADOW_TILES; i++)
		new_page(demo);
	for (int row = SCENE_MEADOW_ROW; row < SCENE_ROWS; row++)
		for (int column = 0; column < SCENE_COLUMNS; column++)
			texture_bind(&demo->texture, view(column, row), first +
				     (column + 2 * row) % SCENE_MEADOW_TILES);
	texture_commit(&demo->texture);
}

/* Drawn once for each page, through the first tiles that show it */
static void meadow(struct demo *demo, enum scene_time time)
{
	u32 pixels[SCENE_TILE_PIXELS];

	vk_begin(&demo->vk);
	for (int tile = 0; tile < SCENE_MEADOW_TILES; tile++) {
		for (int i = 0; i < SCENE_TILE_PIXELS; i++)
			pixels[i] = scene_meadow(tile, i % SCENE_TILE,
						 i / SCENE_TILE, time);
		texture_draw(&demo->texture, view(tile, SCENE_MEADOW_ROW),
			     pixels);
	}
	vk_submit(&demo->vk);
}

/* The tiles with sky in them, at night, in another part of the texture */
static void prepare_night(struct demo *demo)
{
	for (int i = 0; i < SCENE_LAKE_ROW * SCENE_COLUMNS; i++) {
		int column = i % SCENE_COLUMNS, row = i / SCENE_COLUMNS;

		if (scene_has_sky(column, row))
			texture_bind(&demo->texture, workshop(column, row),
				     new_page(demo));
	}
	texture_commit(&demo->texture);
	for (int row = 0; row < SCENE_LAKE_ROW; row++) {
		vk_begin(&demo->vk);
		for (int column = 0; column < SCENE_COLUMNS; column++)
			if (scene_has_sky(column, row))
				draw_tile(demo, workshop(column, row), column,
					  row, SCENE_NIGHT);
		vk_submit(&demo->vk);
	}
}

/* It comes into view by binds alone: no byte is copied. */
static void move_night(struct demo *demo)
{
	struct texture *texture = &demo->texture;

	for (int i = 0; i < SCENE_LAKE_ROW * SCENE_COLUMNS; i++) {
		int column = i % SCENE_COLUMNS, row = i / SCENE_COLUMNS;
		u32 from = workshop(column, row);

		if (!scene_has_sky(column, row))
			continue;
		texture_bind(texture, view(column, row), texture->map[from]);
		texture_bind(texture, from, TEXTURE_NOTHING);
	}
	texture_commit(texture);
}

/* What is far from the moon goes. */
static void unbind_far(struct demo *demo)
{
	struct place places[SCENE_COLUMNS * SCENE_ROWS];

	for (int from = SEEN_LAST; from < DISTANCE_END; from += DISTANCE_STEP) {
		int count = places_at(places, SCENE_ROWS, from, SCENE_NIGHT);

		for (int i = 0; i < count; i++)
			texture_bind(&demo->texture,
				     view(places[i].column, places[i].row),
				     TEXTURE_NOTHING);
	}
	texture_commit(&demo->texture);
}

/* An empty submit: turnip maps what it needs for itself. */
static void warm_up(struct demo *demo)
{
	vk_begin(&demo->vk);
	vk_submit(&demo->vk);
	read_log(demo);
	demo->mappings_before = demo->log.mappings;
}

static void play(struct demo *demo)
{
	warm_up(demo);
	begin_step(demo, "a texture of 256 MiB, nothing bound");
	texture_open(&demo->texture, &demo->vk);
	demo->texture.committed = read_log;
	demo->texture.data = demo;
	end_step(demo);

	begin_step(demo, "pages bound on demand, from the sun outwards");
	mountains(demo, 0, SEEN_FIRST);
	write_to_nothing(demo);
	take_frame(demo);
	end_step(demo);

	begin_step(demo, "the rest; 72 tiles of meadow share 4 pages");
	mountains(demo, SEEN_FIRST, DISTANCE_END);
	bind_lake(demo);
	lake(demo);
	bind_meadow(demo);
	meadow(demo, SCENE_DUSK);
	take_frame(demo);
	end_step(demo);

	begin_step(demo, "night, drawn elsewhere in the texture");
	prepare_night(demo);
	end_step(demo);

	begin_step(demo, "night bound instead of the sky");
	move_night(demo);
	lake(demo);
	meadow(demo, SCENE_NIGHT);
	take_frame(demo);
	end_step(demo);

	begin_step(demo, "what is far from the moon unbound");
	unbind_far(demo);
	write_to_nothing(demo);
	take_frame(demo);
	end_step(demo);

	begin_step(demo, "the texture destroyed");
	texture_close(&demo->texture);
	read_log(demo);
}

static u64 gpu_count(const struct demo *demo, int which)
{
	return vm_log_stat(gpu_counts[which]) - demo->gpu_before[which];
}

static void report(const struct demo *demo)
{
	const struct vm_log *log = &demo->log;

	printf("\n  turnip asked for %lu binds with %lu operations: %lu MiB of memory\n"
	       "  and %lu MiB of nothing mapped, %lu MiB unmapped; %lu pages of page tables;\n"
	       "  %lu mappings left. The GPU filled and copied %lu KiB, dropped %lu writes\n"
	       "  to nothing; faults: %lu\n",
	       log->binds, log->operations,
	       vm_log_bytes(log, VM_MAP) >> 20,
	       vm_log_bytes(log, VM_NULL) >> 20,
	       vm_log_bytes(log, VM_UNMAP) >> 20, log->tables,
	       log->mappings, gpu_count(demo, 0) >> 10,
	       gpu_count(demo, 1), gpu_count(demo, 2));
	printf("  %lu KiB compared with what the CPU computed, equal; picture %016lx\n",
	       demo->texture.compared >> 10, sheet_sum(demo->sheet));
}

static bool write_results(const struct demo *demo, const char *folder)
{
	char path[512];
	bool good;

	snprintf(path, sizeof(path), "%s/demo.png", folder);
	good = sheet_write(demo->sheet, path);
	snprintf(path, sizeof(path), "%s/va-map.svg", folder);
	return demo_map_write(path, &demo->log, &demo->steps) && good;
}

/* What the demo promises; Return: what is wrong, or NULL */
static const char *judge(const struct demo *demo)
{
	if (sheet_sum(demo->sheet) != PICTURE)
		return "the picture is not the one that other machines draw";
	if (gpu_count(demo, 2))
		return "the GPU met faults";
	if (demo->log.mappings != demo->mappings_before)
		return "not as much is mapped as before the texture";
	if (demo->log.missing)
		return "edits were lost";
	return NULL;
}

static int show(const char *folder)
{
	static struct demo demo;
	VkPhysicalDeviceProperties props;
	const char *wrong;

	scene_init();
	for (size_t i = 0; i < ARRAY_SIZE(gpu_counts); i++)
		demo.gpu_before[i] = vm_log_stat(gpu_counts[i]);
	demo.sheet = sheet_new();
	vk_dev_open(&demo.vk);
	vkGetPhysicalDeviceProperties(demo.vk.gpu, &props);
	printf("A virtual texture on %s: %u x %u pixels, a page is a tile of %u x %u\n\n"
	       "  %-45s %6s %7s %7s %7s %7s\n",
	       props.deviceName, TEXTURE_SIDE * SCENE_TILE,
	       TEXTURE_SIDE * SCENE_TILE, SCENE_TILE, SCENE_TILE, "step",
	       "binds", "ops", "edits", "bound", "tables");
	play(&demo);
	report(&demo);
	vk_dev_close(&demo.vk);
	wrong = judge(&demo);
	if (!write_results(&demo, folder))
		wrong = "cannot write the results";
	if (wrong)
		printf("vk_demo: FAILED: %s\n", wrong);
	return !!wrong;
}

int main(int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-') {
		printf("usage: %s FOLDER\n"
		       "Show a virtual texture on the first Vulkan device;\n"
		       "FOLDER gets demo.png and va-map.svg.\n", argv[0]);
		return argc != 2 || strcmp(argv[1], "--help") ? 2 : 0;
	}
	return show(argv[1]);
}
