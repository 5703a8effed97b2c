// SPDX-License-Identifier: MIT
/*
 * What an address range means, written as a picture and checked by the GPU.
 *
 * A picture is a list of words, one after the other up the address space:
 *	A3	one page: page 3 of buffer A
 *	A3-5	three pages: pages 3, 4 and 5 of buffer A
 *	.	one page without a mapping; .4 four of them
 *	z	one page of MAP_NULL; z4 four of them
 *
 * Every page of a lettered buffer carries a stamp, different for each page of
 * each buffer, in its first and last dword and where holes are probed.  The
 * check lets the GPU read first and last of every page that should be there,
 * and touch every page that should not, which must fault at exactly that
 * address, once by a read and once by a write in turn.  A page of MAP_NULL reads
 * zero, also after the GPU has written to it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_pages.h"

/* Pages that one job reads: two results and twelve command dwords each */
#define PAGES_PER_JOB	128
/* Odd place in a hole, so that an address rounded to a page is noticed */
#define HOLE_OFFSET	0x124

/* One word of a picture */
struct run {
	char letter;
	u32 first;
	u32 count;
};

u32 gpu_pages_stamp(char letter, u32 page, bool last)
{
	return (u32)letter << 24 | page << 1 | last;
}

/* Stamp a buffer as @letter. */
void gpu_pages_fill(struct gpu_bo *bo, char letter)
{
	const u32 dwords = GPU_PAGE / sizeof(u32);
	u32 page;

	for (page = 0; page < bo->size / GPU_PAGE; page++) {
		bo->map[page * dwords] = gpu_pages_stamp(letter, page, false);
		bo->map[(page + 1) * dwords - 1] =
			gpu_pages_stamp(letter, page, true);
		bo->map[page * dwords + HOLE_OFFSET / sizeof(u32)] =
			gpu_pages_stamp(letter, page, false);
	}
}

/* A buffer of @pages pages, stamped as @letter. */
int gpu_pages_bo(struct gpu_dev *dev, char letter, u32 pages,
		 struct gpu_bo *bo)
{
	int ret = gpu_bo_new(dev, pages * GPU_PAGE, bo);

	if (!ret)
		gpu_pages_fill(bo, letter);
	return ret;
}

/* Return: the picture behind the word, or NULL at its end. */
static const char *gpu_pages_word(const char *picture, struct run *run)
{
	char *end;

	while (isspace((unsigned char)*picture))
		picture++;
	if (!*picture)
		return NULL;

	*run = (struct run){ .letter = *picture++, .count = 1 };
	if (!isdigit((unsigned char)*picture))
		return picture;
	if (run->letter == '.' || run->letter == 'z') {
		run->count = strtoul(picture, &end, 10);
		return end;
	}
	run->first = strtoul(picture, &end, 10);
	if (*end == '-')
		run->count = strtoul(end + 1, &end, 10) - run->first + 1;
	return end;
}

static bool gpu_pages_read(struct gpu_vm *vm, u64 iova, const struct run *run,
			   char *text)
{
	struct gpu_job job;
	u32 i, want;
	int ret;

	gpu_job_begin(&job, vm, 0);
	for (i = 0; i < 2 * run->count; i++)
		gpu_job_read(&job, i, iova + i / 2 * GPU_PAGE +
			     (i & 1 ? GPU_PAGE - sizeof(u32) : 0));
	ret = gpu_job_submit(&job, GPU_NO_FENCE);
	ret = ret ?: gpu_job_finish(&job);
	if (ret) {
		snprintf(text, GPU_PAGES_TEXT,
			 "job that reads %llx failed: %d", iova, ret);
		return false;
	}
	for (i = 0; i < 2 * run->count; i++) {
		want = gpu_pages_stamp(run->letter, run->first + i / 2, i & 1);
		if (job.result[i] == want)
			continue;
		snprintf(text, GPU_PAGES_TEXT,
			 "%llx: GPU read %08x, not %08x (%c%u, %s dword)",
			 iova + i / 2 * GPU_PAGE, job.result[i], want,
			 run->letter, run->first + i / 2,
			 i & 1 ? "last" : "first");
		return false;
	}
	return true;
}

/* First, last and the dword that is written to in between */
static bool gpu_pages_null(struct gpu_vm *vm, u64 iova, char *text)
{
	const u64 at[] = { iova, iova + GPU_PAGE - sizeof(u32), iova + HOLE_OFFSET };
	u32 seen[3];
	int ret, i;

	ret = gpu_job_write_now(vm, at[2], 0xbadbad);
	for (i = 0; i < 3 && !ret; i++)
		ret = gpu_job_read_now(vm, at[i], &seen[i]);
	if (ret) {
		snprintf(text, GPU_PAGES_TEXT, "job at NULL page %llx failed: %d",
			 iova, ret);
		return false;
	}
	for (i = 0; i < 3; i++) {
		if (!seen[i])
			continue;
		snprintf(text, GPU_PAGES_TEXT, "%llx: GPU read %08x from a NULL page",
			 at[i], seen[i]);
		return false;
	}
	return true;
}

static bool gpu_pages_run(struct gpu_vm *vm, u64 iova, const struct run *run,
			  char *text)
{
	u32 i;

	if (run->letter != 'z')
		return gpu_pages_read(vm, iova, run, text);

	for (i = 0; i < run->count; i++)
		if (!gpu_pages_null(vm, iova + i * GPU_PAGE, text))
			return false;
	return true;
}

static bool gpu_pages_mapped(struct gpu_vm *vm, u64 iova, struct run run,
			     char *text)
{
	struct gpu_fault fault;
	u32 left = run.count;
	int ret;

	gpu_devcore_clear();
	for (; left; left -= run.count) {
		run.count = left < PAGES_PER_JOB ? left : PAGES_PER_JOB;
		if (!gpu_pages_run(vm, iova, &run, text))
			return false;
		run.first += run.count;
		iova += run.count * GPU_PAGE;
	}
	ret = gpu_devcore_take_fault(&fault, 0);
	if (ret == -ENOENT) {
		text[0] = '\0';
		return true;
	}
	if (ret)
		snprintf(text, GPU_PAGES_TEXT, "unexpected dump: %d", ret);
	else
		snprintf(text, GPU_PAGES_TEXT, "unexpected %s fault at %llx",
			 fault.dir, fault.iova);
	return false;
}

static bool gpu_pages_hole(struct gpu_vm *vm, u64 iova, bool write, char *text)
{
	const char *dir = write ? "WRITE" : "READ";
	struct gpu_fault fault;
	int ret;

	iova += HOLE_OFFSET;
	ret = gpu_job_fault_now(vm, iova, write, &fault);
	if (ret == -EEXIST)
		snprintf(text, GPU_PAGES_TEXT,
			 "%s of unmapped %llx was not stopped", dir, iova);
	else if (ret)
		snprintf(text, GPU_PAGES_TEXT,
			 "%s of unmapped %llx left no fault report: %d",
			 dir, iova, ret);
	else if (fault.iova != iova || strcmp(fault.dir, dir) ||
		 strcmp(fault.type, "TRANSLATION"))
		snprintf(text, GPU_PAGES_TEXT,
			 "%s of unmapped %llx reported as %s %s fault at %llx",
			 dir, iova, fault.dir, fault.type, fault.iova);
	else
		return true;
	return false;
}

/**
 * gpu_pages_check - compare a picture with what the GPU sees
 * @iova: of the picture's first page
 * @text: GPU_PAGES_TEXT bytes, the first difference when there is one
 *
 * Return: true when all of it is as drawn.
 */
bool gpu_pages_check(struct gpu_vm *vm, u64 iova, const char *picture,
		     char *text)
{
	struct run run;
	u32 i;

	while ((picture = gpu_pages_word(picture, &run))) {
		if (run.letter != '.' &&
		    !gpu_pages_mapped(vm, iova, run, text))
			return false;
		for (i = 0; run.letter == '.' && i < run.count; i++)
			if (!gpu_pages_hole(vm, iova + i * GPU_PAGE, i & 1,
					    text))
				return false;
		iova += run.count * GPU_PAGE;
	}
	return true;
}
