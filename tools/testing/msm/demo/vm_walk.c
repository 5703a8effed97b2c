// SPDX-License-Identifier: MIT
/*
 * vm_walk - a walk through VM_BIND for somebody who watches
 *
 * Maps, splits, replaces and unmaps buffers at addresses of its own choice and
 * draws the address space after each step.  The drawing is what the GPU finds:
 * it reads every page, and the stamp it read names the buffer; where it
 * faulted, the kernel's dump must name exactly the address it read.  What the
 * program believes is only compared with the drawing, for the exit status.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpu_pages.h"

#define COLUMNS		16
#define WRITE_OFFSET	0x40

/**
 * struct walk - the address space on show
 * @vm: the context
 * @a: a buffer of 8 pages
 * @b: a buffer of 4 pages
 * @drawn: the last drawing
 * @note: what else a step found out
 */
struct walk {
	struct gpu_vm vm;
	struct gpu_bo a;
	struct gpu_bo b;
	char drawn[COLUMNS + 1];
	char note[64];
};

/**
 * struct step - one line of the show
 * @text: what happens, in plain words
 * @run: do it; Return: 0 or a negative errno
 * @after: the drawing that must come out
 */
struct step {
	const char *text;
	int (*run)(struct walk *walk);
	const char *after;
};

static u64 walk_page(struct walk *walk, int column)
{
	return walk->vm.area + column * GPU_PAGE;
}

static int map_a(struct walk *walk)
{
	return gpu_vm_map(&walk->vm, walk_page(walk, 4), &walk->a, 0,
			  8 * GPU_PAGE);
}

static int write_a(struct walk *walk)
{
	int page, found = 0, ret = 0;
	u32 value;

	for (page = 0; !ret && page < 8; page++)
		ret = gpu_job_write_now(&walk->vm, walk_page(walk, 4 + page) +
					WRITE_OFFSET, 0xc0de0000 + page);
	for (page = 0; page < 8; page++) {
		value = walk->a.map[(page * GPU_PAGE + WRITE_OFFSET) / 4];
		found += value == 0xc0de0000u + page;
	}
	snprintf(walk->note, sizeof(walk->note),
		 "the CPU finds %d of the 8 values in the buffer", found);
	return ret ?: found == 8 ? 0 : -EIO;
}

static int unmap_middle(struct walk *walk)
{
	return gpu_vm_unmap(&walk->vm, walk_page(walk, 7), 2 * GPU_PAGE);
}

static int map_b_over(struct walk *walk)
{
	return gpu_vm_map(&walk->vm, walk_page(walk, 8), &walk->b, 0,
			  4 * GPU_PAGE);
}

static int alias_and_unmap(struct walk *walk)
{
	struct drm_msm_vm_bind_op ops[] = {
		gpu_bind_op_map(walk_page(walk, 13), &walk->a, 0, 3 * GPU_PAGE),
		gpu_bind_op_unmap(walk_page(walk, 4), 2 * GPU_PAGE),
		gpu_bind_op_unmap(walk_page(walk, 11), GPU_PAGE),
	};

	return gpu_vm_bind(&walk->vm, ops, ARRAY_SIZE(ops));
}

static int close_a(struct walk *walk)
{
	gpu_bo_free(&walk->a);
	return 0;
}

static int unmap_all(struct walk *walk)
{
	return gpu_vm_unmap(&walk->vm, walk_page(walk, 0), COLUMNS * GPU_PAGE);
}

static int map_b_again(struct walk *walk)
{
	return gpu_vm_map(&walk->vm, walk_page(walk, 0), &walk->b, 2 * GPU_PAGE,
			  2 * GPU_PAGE);
}

static int touch_unmapped(struct walk *walk)
{
	const u64 iova = walk_page(walk, 9) + 0x10;
	struct gpu_fault fault;
	int ret = gpu_job_fault_now(&walk->vm, iova, true, &fault);

	if (ret)
		return ret;
	snprintf(walk->note, sizeof(walk->note),
		 "at %llx; the kernel caught a %s at %llx", iova, fault.dir,
		 fault.iova);
	return fault.iova == iova ? 0 : -EIO;
}

static const struct step steps[] = {
	{ "map buffer A, 8 pages", map_a, "....AAAAAAAA...." },
	{ "the GPU writes into each page of A", write_a, "....AAAAAAAA...." },
	{ "unmap 2 pages inside A", unmap_middle, "....AAA..AAA...." },
	{ "map buffer B, 4 pages, over a part", map_b_over,
	  "....AAA.BBBB...." },
	{ "one call: map A again, unmap two parts", alias_and_unmap,
	  "......A.BBB..AAA" },
	{ "close A; its mappings keep it alive", close_a,
	  "......A.BBB..AAA" },
	{ "unmap everything", unmap_all, "................" },
	{ "the GPU writes where nothing is", touch_unmapped,
	  "................" },
	{ "and lives on: map half of B", map_b_again, "BB.............." },
};

/* The letter of the buffer whose stamp this is, or 0 */
static char walk_letter(u32 value)
{
	char letter = value >> 24;
	u32 page;

	for (page = 0; page < 8; page++)
		if (value == gpu_pages_stamp(letter, page, false) &&
		    (letter == 'A' || letter == 'B'))
			return letter;
	return 0;
}

/* What the GPU finds: a letter, '.' for an exact fault, '?' anything else */
static char walk_probe(struct walk *walk, u64 iova)
{
	struct gpu_fault fault;
	char letter;
	u32 value;

	gpu_devcore_clear();
	if (gpu_job_read_now(&walk->vm, iova, &value))
		return '?';
	letter = walk_letter(value);
	if (letter)
		return gpu_devcore_take_fault(&fault, 0) == -ENOENT ?
		       letter : '?';
	if (gpu_job_fault_now(&walk->vm, iova, false, &fault))
		return '?';
	return fault.iova == iova && !strcmp(fault.dir, "READ") ? '.' : '?';
}

static void walk_draw(struct walk *walk)
{
	int i;

	for (i = 0; i < COLUMNS; i++)
		walk->drawn[i] = walk_probe(walk, walk_page(walk, i));
}

static bool walk_step(struct walk *walk, const struct step *step)
{
	bool good;
	int ret;

	printf("  %-39s %s  ", step->text, walk->drawn);
	fflush(stdout);
	walk->note[0] = '\0';
	ret = step->run(walk);
	walk_draw(walk);
	good = !ret && !strcmp(walk->drawn, step->after);
	printf("%s\n", walk->drawn);
	if (walk->note[0])
		printf("    %s\n", walk->note);
	if (ret)
		printf("    FAILED: %s\n", strerror(-ret));
	else if (!good)
		printf("    FAILED: %*s %s  was to be seen\n", 47, "",
		       step->after);
	return good;
}

static int walk_open(struct walk *walk)
{
	char text[64];
	int ret;

	ret = gpu_vm_open(&walk->vm);
	ret = ret ?: gpu_dev_version(&walk->vm.dev, text, sizeof(text), NULL);
	ret = ret ?: gpu_pages_bo(&walk->vm.dev, 'A', 8, &walk->a);
	ret = ret ?: gpu_pages_bo(&walk->vm.dev, 'B', 4, &walk->b);
	if (ret)
		return ret;
	printf("VM_BIND, step by step, on %s\n\n"
	       "A and B are buffers; this program chooses their GPU addresses.\n"
	       "A column is one page (4 KiB), from %#llx on, as the GPU sees\n"
	       "it: a letter is the buffer whose mark the GPU read there; a dot\n"
	       "is a page fault that the kernel reported at exactly that page.\n\n"
	       "  %-39s %-16s  %s\n", text, walk->vm.area, "step", "before",
	       "after");
	return 0;
}

int main(int argc, char **argv)
{
	struct walk walk = { 0 };
	int bad = 0;
	size_t i;
	int ret;

	if (argc > 1) {
		printf("usage: %s\n"
		       "Show VM_BIND on the first msm GPU.\n"
		       "Exit status 0 when all is as it should be.\n",
		       argv[0]);
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	ret = walk_open(&walk);
	if (ret) {
		printf("vm_walk: FAILED: no VM_BIND context: %s\n",
		       strerror(-ret));
		return 1;
	}
	walk_draw(&walk);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		bad += !walk_step(&walk, &steps[i]);

	gpu_bo_free(&walk.b);
	gpu_vm_close(&walk.vm);
	if (bad)
		printf("\nvm_walk: FAILED: %d of %zu steps\n", bad,
		       ARRAY_SIZE(steps));
	else
		printf("\nvm_walk: %zu steps, all as they should be\n",
		       ARRAY_SIZE(steps));
	return !!bad;
}
