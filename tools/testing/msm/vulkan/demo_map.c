// SPDX-License-Identifier: MIT
/*
 * A picture of an address space over time.
 *
 * Nothing is drawn but what the kernel's log has.  The addresses at which edits
 * start or end cut the address space into strips, in which each edit changes
 * all or nothing; a strip is as high as the logarithm of its size, and what was
 * never edited is left out.
 *
 * Terms: a box is a time during which a strip does not change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo_map.h"

#define LEFT	150
#define TOP	80
#define WIDTH	1080
#define RIGHT	30
#define GAP	9	/* between strips that do not touch */
#define LABEL	24	/* between addresses */

/* Page table entries of a strip; more for maps of other queues */
#define NOTHING	0
#define IS_NULL	1
#define MAPPED	2

static const struct {
	const char *color;
	const char *text;
} looks[] = {
	[IS_NULL] = { "#dcdcd2", "null: reads as zero" },
	[MAPPED] = { "#4878a8", "bound by turnip for itself: whole buffers" },
	[MAPPED + 1] = { "#e8862c", "bound by vkQueueBindSparse" },
};

/**
 * struct box - a strip that does not change
 * @from: first edit
 * @to: the edit that ended it
 * @state: what its page table entries are
 * @top: y of it and of those above that are alike
 */
struct box {
	u32 from;
	u32 to;
	u32 state;
	u32 top;
};

/**
 * struct map - a picture that is being drawn
 * @out: the file
 * @log: what to draw
 * @cuts: addresses between strips, in order
 * @nr_cuts: of them
 * @boxes: of the strip above and of this one
 * @count: of the boxes of each
 * @y: where the next strip starts
 * @labelled: y of the last address, or 0
 */
struct map {
	FILE *out;
	const struct vm_log *log;
	u64 *cuts;
	u32 nr_cuts;
	struct box *boxes[2];
	u32 count[2];
	u32 y;
	u32 labelled;
};

static int by_address(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

static void cut(struct map *map)
{
	u32 kept = 0;

	for (u32 i = 0; i < map->log->count; i++) {
		map->cuts[2 * i] = map->log->edits[i].start;
		map->cuts[2 * i + 1] = map->log->edits[i].end;
	}
	qsort(map->cuts, 2 * map->log->count, sizeof(u64), by_address);
	for (u32 i = 0; i < 2 * map->log->count; i++)
		if (!kept || map->cuts[kept - 1] != map->cuts[i])
			map->cuts[kept++] = map->cuts[i];
	map->nr_cuts = kept;
}

/* The queue of the first edit is the one that turnip has for itself. */
static u32 state_after(const struct vm_log *log, const struct vm_edit *edit)
{
	if (edit->kind == VM_UNMAP)
		return NOTHING;
	if (edit->kind == VM_NULL)
		return IS_NULL;
	return MAPPED + (edit->queue != log->edits[0].queue);
}

/* Find the boxes of a strip; Return: was it ever null? */
static bool find_boxes(struct map *map, u64 start, u64 end)
{
	struct box *boxes = map->boxes[1];
	u32 state = NOTHING, from = 0, count = 0;
	bool null = false;

	for (u32 i = 0; i <= map->log->count; i++) {
		const struct vm_edit *edit = &map->log->edits[i];
		bool last = i == map->log->count;

		if (!last && (edit->start > start || edit->end < end))
			continue;
		if (state != NOTHING && i > from)
			boxes[count++] = (struct box){ from, i, state, map->y };
		null |= state == IS_NULL;
		state = last ? NOTHING : state_after(map->log, edit);
		from = i;
	}
	map->count[1] = count;
	return null;
}

static double x_of(const struct map *map, u32 edit)
{
	return LEFT + (double)WIDTH * edit / map->log->count;
}

static void draw_box(struct map *map, const struct box *box)
{
	fprintf(map->out,
		"<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"%s\"/>\n",
		x_of(map, box->from), box->top,
		x_of(map, box->to) - x_of(map, box->from), map->y - box->top,
		looks[box->state].color);
}

/* Boxes of the strip above go on in this one, or are drawn. */
static void join_boxes(struct map *map)
{
	struct box *above = map->boxes[0], *here = map->boxes[1];

	for (u32 i = 0, j = 0; i < map->count[0]; i++) {
		while (j < map->count[1] && here[j].from < above[i].from)
			j++;
		if (j < map->count[1] && here[j].from == above[i].from &&
		    here[j].to == above[i].to &&
		    here[j].state == above[i].state)
			here[j].top = above[i].top;
		else
			draw_box(map, &above[i]);
	}
	map->boxes[0] = here;
	map->boxes[1] = above;
	map->count[0] = map->count[1];
}

static void end_boxes(struct map *map)
{
	for (u32 i = 0; i < map->count[0]; i++)
		draw_box(map, &map->boxes[0][i]);
	map->count[0] = 0;
}

static void label(struct map *map, u64 address)
{
	if (map->labelled && map->y < map->labelled + LABEL)
		return;
	fprintf(map->out,
		"<text x=\"%u\" y=\"%u\" text-anchor=\"end\">%#lx</text>\n",
		LEFT - 8, map->y + 9, address);
	map->labelled = map->y;
}

static u32 height_of(u64 size, bool null)
{
	u32 height = null ? 2 : 6;

	while (size > VK_PAGE) {
		size /= 2;
		height++;
	}
	return height;
}

/* Return: did anything ever happen in this strip? */
static bool draw_strip(struct map *map, u64 start, u64 end, bool first)
{
	bool null = find_boxes(map, start, end);

	if (!map->count[1]) {
		end_boxes(map);
		return false;
	}
	if (first || end - start == VK_PAGE)
		label(map, start);
	join_boxes(map);
	map->y += height_of(end - start, null);
	return true;
}

static void draw_strips(struct map *map)
{
	bool before = false;

	for (u32 i = 0; i + 1 < map->nr_cuts; i++) {
		bool drawn = draw_strip(map, map->cuts[i], map->cuts[i + 1],
					!before);

		if (before && !drawn)
			map->y += GAP;
		before = drawn;
	}
	end_boxes(map);
}

static void draw_steps(struct map *map, const struct demo_steps *steps)
{
	for (u32 i = 0; i < steps->count; i++) {
		double x = x_of(map, steps->first[i]);
		bool late = x > LEFT + WIDTH * 0.9;

		fprintf(map->out,
			"<line x1=\"%.1f\" y1=\"%u\" x2=\"%.1f\" y2=\"%u\" stroke=\"#333\" stroke-dasharray=\"2 3\"/>\n",
			x, TOP - 6, x, map->y + 4);
		fprintf(map->out,
			"<text x=\"%.1f\" y=\"%u\"%s>%s</text>\n",
			late ? x - 4 : x + 4, TOP - 8 - 13 * (i % 3),
			late ? " text-anchor=\"end\"" : "", steps->name[i]);
	}
}

static void draw_legend(struct map *map)
{
	u32 x = LEFT;

	map->y += 16;
	for (u32 i = IS_NULL; i < ARRAY_SIZE(looks); i++) {
		fprintf(map->out,
			"<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" fill=\"%s\"/>\n",
			x, map->y, looks[i].color);
		fprintf(map->out, "<text x=\"%u\" y=\"%u\">%s</text>\n",
			x + 18, map->y + 10, looks[i].text);
		x += 40 + 7 * strlen(looks[i].text);
	}
	map->y += 28;
}

/* The height is known last, so what follows the head goes to a buffer first. */
static bool write_file(const char *path, const struct map *map,
		       const char *body)
{
	FILE *file = fopen(path, "w");
	u32 width = LEFT + WIDTH + RIGHT;

	if (!file)
		return false;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" font-family=\"sans-serif\" font-size=\"11\">\n",
		width, map->y, width, map->y);
	fprintf(file, "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n",
		width, map->y);
	fprintf(file,
		"<text x=\"%u\" y=\"22\" font-size=\"15\">GPU addresses over %u edits of the page table, as the kernel logged them</text>\n",
		LEFT, map->log->count);
	fputs(body, file);
	fputs("</svg>\n", file);
	return !fclose(file);
}

/* Return: was it written? */
bool demo_map_write(const char *path, const struct vm_log *log,
		    const struct demo_steps *steps)
{
	struct map map = { .log = log, .y = TOP };
	char *body = NULL;
	size_t size;
	bool good;

	map.cuts = calloc(2 * log->count, sizeof(u64));
	for (int i = 0; i < 2; i++)
		map.boxes[i] = calloc(log->count + 1, sizeof(struct box));
	map.out = open_memstream(&body, &size);
	if (!log->count || !map.cuts || !map.boxes[0] || !map.boxes[1] ||
	    !map.out)
		return false;
	cut(&map);
	draw_strips(&map);
	draw_steps(&map, steps);
	draw_legend(&map);
	good = !fclose(map.out) && write_file(path, &map, body);
	free(body);
	free(map.cuts);
	free(map.boxes[0]);
	free(map.boxes[1]);
	return good;
}
