// SPDX-License-Identifier: MIT
/*
 * vk_bench - what sparse binds and copies cost through turnip
 *
 * Times of one vkQueueBindSparse with few and with many binds, and where they
 * go: turnip, before and after it calls the kernel; the ioctl; the scheduler,
 * from the push of the job until it runs; the page tables, while it runs.
 * What is left is the way of the fence to who waits.  Then how fast the GPU
 * fills and copies.
 *
 * vk_ioctl.c times the ioctl, the scheduler's tracepoints the rest, where the
 * kernel has them: the lab's kernel without checks has not.
 *
 * With --figures it prints lines for the lab's make bench instead of tables, and
 * leaves out what only tracepoints tell.
 *
 * Traps: the job may run before the ioctl returns, so the parts can add up to
 * more than the whole.  An emulated CPU plays the GPU, too: only ratios within
 * a run mean something there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vk_ioctl.h"
#include "vk_test.h"

#define ROUNDS		24
#define MOST		1024
#define COPY_BYTES	(4ull << 20)
#define COPIES		4
#define KIB		1024.0

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/gpu_scheduler/"

/* Parts of a call's time */
enum part {
	PART_ALL,
	PART_TURNIP,
	PART_IOCTL,
	PART_SCHEDULER,
	PART_TABLES,
	NR_PARTS,
};

static const char *const part_names[NR_PARTS] = {
	"call", "turnip", "ioctl", "scheduler", "tables",
};

/* Lines for programs */
static bool figures;

/* Do the scheduler's tracepoints tell its part and that of the page tables? */
static bool traced;

/**
 * struct span - where the time of a call goes
 * @ns: of each part
 */
struct span {
	u64 ns[NR_PARTS];
};

static int by_size(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

static u64 median(u64 *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_size);
	return values[ROUNDS / 2];
}

static void trace_on(void)
{
	traced = !access(EVENTS, F_OK);
	if (!traced)
		return;
	if (!vk_write(TRACING "trace_clock", "mono") ||
	    !vk_write(EVENTS "drm_sched_job/enable", "1") ||
	    !vk_write(EVENTS "drm_run_job/enable", "1") ||
	    !vk_write(EVENTS "drm_sched_process_job/enable", "1"))
		vk_fail("the scheduler's tracepoints cannot be turned on (not root?)");
}

static void trace_off(void)
{
	vk_write(TRACING "events/gpu_scheduler/enable", "0");
}

/* The time of a line of the trace, in ns: "... 12.345678: event: ..." */
static u64 time_of(const char *line, const char *event)
{
	const char *at = strstr(line, event);
	unsigned long long s, us;

	if (!at)
		return 0;
	for (at -= 3; at > line && at[-1] != ' '; at--)
		continue;
	if (sscanf(at, "%llu.%llu", &s, &us) != 2)
		return 0;
	return s * 1000000000ull + us * 1000;
}

/* The bind's job in the trace: pushed, run, done; the first done after it */
static void trace_read(struct span *span)
{
	FILE *file = fopen(TRACING "trace", "r");
	u64 pushed = 0, run = 0, done = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		bool bind = strstr(line, "ring=msm-vm-bind");

		if (bind && strstr(line, ": drm_sched_job: "))
			pushed = time_of(line, "drm_sched_job:");
		else if (bind && strstr(line, ": drm_run_job: "))
			run = time_of(line, "drm_run_job:");
		else if (run && !done)
			done = time_of(line, "drm_sched_process_job:");
	}
	if (file)
		fclose(file);
	if (!pushed || run < pushed || done < run) {
		trace_off();
		vk_fail("the trace has no job of a bind");
	}
	span->ns[PART_SCHEDULER] = run - pushed;
	span->ns[PART_TABLES] = done - run;
}

static struct span bind_once(struct vk_dev *vk, VkBuffer buffer,
			     const VkSparseMemoryBind *binds, u32 count)
{
	struct span span;
	u64 start, called, in_ioctl;

	vk_write(TRACING "trace", "");
	in_ioctl = vk_ioctl_read().ns;
	start = vk_now();
	vk_bind_sparse(vk, buffer, binds, count);
	called = vk_now();
	in_ioctl = vk_ioctl_read().ns - in_ioctl;
	vk_wait(vk);
	span.ns[PART_ALL] = vk_now() - start;
	span.ns[PART_IOCTL] = in_ioctl;
	span.ns[PART_TURNIP] = called - start - in_ioctl;
	span.ns[PART_SCHEDULER] = 0;
	span.ns[PART_TABLES] = 0;
	if (traced)
		trace_read(&span);
	return span;
}

/* Pages at every other address, to other memory each time */
static struct span bench_round(struct vk_dev *vk, VkBuffer buffer,
			       const struct vk_memory *memory, u32 count,
			       u32 round)
{
	static VkSparseMemoryBind binds[MOST];

	for (u32 i = 0; i < count; i++)
		binds[i] = (VkSparseMemoryBind){
			.resourceOffset = 2 * i * VK_PAGE,
			.size = VK_PAGE, .memory = memory->handle,
			.memoryOffset = (i + round) % MOST * VK_PAGE,
		};
	return bind_once(vk, buffer, binds, count);
}

static int shown_parts(void)
{
	return traced ? NR_PARTS : PART_SCHEDULER;
}

static void report_head(void)
{
	printf("vkQueueBindSparse until its fence, binds of a page, medians of %d, ns\n",
	       ROUNDS);
	if (!traced)
		printf("(no tracepoints for scheduler and tables in this kernel, or not root)\n");
	printf("  %5s %12s %12s %9s", "binds", "per call", "per bind", "binds/s");
	for (int part = PART_TURNIP; part < shown_parts(); part++)
		printf(" %9s", part_names[part]);
	printf("\n");
}

static void report_bind(u32 count, const u64 *ns)
{
	if (figures) {
		for (int part = 0; part < PART_SCHEDULER; part++)
			printf("BENCH vk_bind_%u_%s %llu\n", count,
			       part_names[part], (unsigned long long)ns[part]);
		return;
	}
	printf("  %5u %12llu %12llu %9llu", count,
	       (unsigned long long)ns[PART_ALL],
	       (unsigned long long)ns[PART_ALL] / count,
	       1000000000ull * count / ns[PART_ALL]);
	for (int part = PART_TURNIP; part < shown_parts(); part++)
		printf(" %9llu", (unsigned long long)ns[part]);
	printf("\n");
	fflush(stdout);
}

static void bench_bind(struct vk_dev *vk, VkBuffer buffer,
		       const struct vk_memory *memory, u32 count)
{
	u64 values[NR_PARTS][ROUNDS], ns[NR_PARTS];

	for (u32 round = 0; round < ROUNDS; round++) {
		struct span span = bench_round(vk, buffer, memory, count,
					       round);

		for (int part = 0; part < NR_PARTS; part++)
			values[part][round] = span.ns[part];
	}
	for (int part = 0; part < NR_PARTS; part++)
		ns[part] = median(values[part]);
	report_bind(count, ns);
}

static void bench_binds(struct vk_dev *vk)
{
	static const u32 counts[] = { 1, 64, MOST };
	struct vk_memory memory = vk_memory_new(vk, MOST * VK_PAGE);
	VkBuffer buffer = vk_buffer_handle(vk, 2 * MOST * VK_PAGE,
					   VK_BUFFER_CREATE_SPARSE_BINDING_BIT |
					   VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT);

	if (!figures) {
		trace_on();
		report_head();
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		bench_bind(vk, buffer, &memory, counts[i]);
	if (traced)
		trace_off();
	vkDestroyBuffer(vk->dev, buffer, NULL);
	vk_memory_free(vk, &memory);
}

static void report_rate(const char *name, const char *what, u64 bytes, u64 ns)
{
	if (figures)
		printf("BENCH vk_%s_per_kib %.2f\n", name, ns * KIB / bytes);
	else
		printf("  %-28s %8llu MiB/s\n", what,
		       (unsigned long long)(bytes * 1000000000ull / ns >> 20));
}

/* Recorded commands, run and waited for */
static u64 submit_ns(struct vk_dev *vk)
{
	u64 start = vk_now();

	vk_submit(vk);
	return vk_now() - start;
}

/* With the wait for it */
static void report_submit(u64 ns)
{
	if (figures)
		printf("BENCH vk_empty_submit %llu\n", (unsigned long long)ns);
	else
		printf("  %-28s %8llu us\n", "an empty vkQueueSubmit",
		       (unsigned long long)ns / 1000);
}

static void bench_transfers(struct vk_dev *vk)
{
	struct vk_buffer from = vk_buffer_new(vk, COPY_BYTES);
	struct vk_buffer to = vk_buffer_new(vk, COPY_BYTES);
	const VkBufferCopy all = { .size = COPY_BYTES };
	u64 start, ns;

	if (!figures)
		printf("transfers of %llu MiB\n", COPY_BYTES >> 20);
	vk_begin(vk);
	for (int i = 0; i < COPIES; i++)
		vkCmdFillBuffer(vk->cmd, from.handle, 0, VK_WHOLE_SIZE, i);
	report_rate("fill", "vkCmdFillBuffer", COPIES * COPY_BYTES,
		    submit_ns(vk));
	vk_begin(vk);
	for (int i = 0; i < COPIES; i++)
		vkCmdCopyBuffer(vk->cmd, from.handle, to.handle, 1, &all);
	report_rate("copy", "vkCmdCopyBuffer", COPIES * COPY_BYTES,
		    submit_ns(vk));
	start = vk_now();
	for (int i = 0; i < COPIES; i++)
		memcpy(to.memory.map, from.memory.map, COPY_BYTES);
	ns = vk_now() - start;
	report_rate("memcpy", "memcpy by the CPU", COPIES * COPY_BYTES, ns);
	start = vk_now();
	for (int i = 0; i < ROUNDS; i++) {
		vk_begin(vk);
		vk_submit(vk);
	}
	report_submit((vk_now() - start) / ROUNDS);
	vk_buffer_free(vk, &from);
	vk_buffer_free(vk, &to);
}

int main(int argc, char **argv)
{
	struct vk_dev vk = {};

	figures = argc == 2 && !strcmp(argv[1], "--figures");
	if (argc > 1 && !figures) {
		printf("usage: %s [--figures]\n"
		       "Measure sparse binds and transfers of the first Vulkan device.\n",
		       argv[0]);
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	vk_dev_open(&vk);
	bench_binds(&vk);
	bench_transfers(&vk);
	vk_dev_close(&vk);
	return 0;
}
