// SPDX-License-Identifier: MIT
/*
 * VM_BIND works: what was mapped is there, what was unmapped is not, fences
 * order binds and jobs, and contexts do not disturb one another.
 *
 * The witness is always the GPU, see gpu_pages.c.  The GPU looks before and
 * after a change at the same address, so a translation kept too long is seen.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gpu_fence.h"
#include "gpu_legacy.h"
#include "vm_fence.h"
#include "vm_test.h"

#define MIB	(1024 * 1024ull)

static void basic(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u32 seen;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_expect(&vm, vm.area, ".4");
	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area - GPU_PAGE, ". A0-3 .");

	msm_igt_assert_ok(gpu_job_write_now(&vm, vm.area + 2 * GPU_PAGE + 0x40,
					    0x600d0001));
	seen = a->map[(2 * GPU_PAGE + 0x40) / 4];
	msm_igt_assert(seen == 0x600d0001, "CPU read %08x\n", seen);
	a->map[0x80 / 4] = 0x600d0002;
	msm_igt_assert_ok(gpu_job_read_now(&vm, vm.area + 0x80, &seen));
	msm_igt_assert(seen == 0x600d0002, "GPU read %08x\n", seen);

	vm_test_unmap(&vm, vm.area, 4);
	vm_test_expect(&vm, vm.area, ".4");
	vm_test_close(&vm);
}

static void array(const void *arg)
{
	struct drm_msm_vm_bind_op ops[3];
	struct gpu_vm vm;
	struct gpu_bo *bo[3];
	u64 iova[3];
	int i;

	vm_test_open(&vm);
	for (i = 0; i < 3; i++) {
		bo[i] = vm_test_bo(&vm, 'A' + i, 2);
		iova[i] = vm.area + (2 - i) * 3 * GPU_PAGE;
		ops[i] = gpu_bind_op_map(iova[i], bo[i], 0, bo[i]->size);
	}
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, 3));
	vm_test_expect(&vm, vm.area, "C0-1 . B0-1 . A0-1 .");

	for (i = 0; i < 3; i++)
		ops[i] = gpu_bind_op_unmap(iova[i] + GPU_PAGE, GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, 3));
	vm_test_expect(&vm, vm.area, "C0 .2 B0 .2 A0 .2");
	vm_test_close(&vm);
}

static void offset(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 6);
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area, a, 2 * GPU_PAGE,
				     3 * GPU_PAGE));
	vm_test_expect(&vm, vm.area, "A2-4 .");
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area + 3 * GPU_PAGE, a,
				     5 * GPU_PAGE, GPU_PAGE));
	vm_test_expect(&vm, vm.area, "A2-5 .");
	vm_test_close(&vm);
}

/*
 * Changes of existing mappings.  @letter 0 ends a list and '.' unmaps; pages
 * count from the area's start.
 */
struct change {
	char letter;
	s32 at;
	u32 pages;
	u32 from;
	u32 flags;
};

#define CHANGES		3

struct change_case {
	struct change setup[CHANGES];
	const char *before;
	struct change change[CHANGES];
	s32 after_at;
	const char *after;
};

#define EIGHT		.setup = { { 'A', 0, 8, 0 } }, .before = "A0-7"
#define TWICE_FOUR	.setup = { { 'A', 0, 4, 0 }, { 'C', 4, 4, 0 } }, \
			.before = "A0-3 C0-3"

static const struct change_case unmap_head = {
	EIGHT, .change = { { '.', 0, 3, 0 } }, 0, ".3 A3-7 ."
};

static const struct change_case unmap_tail = {
	EIGHT, .change = { { '.', 5, 3, 0 } }, 0, "A0-4 .3"
};

static const struct change_case unmap_middle = {
	EIGHT, .change = { { '.', 3, 2, 0 } }, 0, "A0-2 .2 A5-7"
};

static const struct change_case unmap_superset = {
	EIGHT, .change = { { '.', -2, 12, 0 } }, -1, ".10"
};

static const struct change_case unmap_two = {
	TWICE_FOUR, .change = { { '.', 2, 4, 0 } }, 0, "A0-1 .4 C2-3"
};

static const struct change_case unmap_holes = {
	EIGHT, .change = { { '.', 1, 1, 0 }, { '.', 3, 1, 0 }, { '.', 0, 5, 0 } },
	0, ".5 A5-7"
};

static const struct change_case unmap_nothing = {
	EIGHT, .change = { { '.', 8, 4, 0 } }, 0, "A0-7 .2"
};

static const struct change_case map_over_same = {
	EIGHT, .change = { { 'B', 0, 8, 0 } }, 0, "B0-7 ."
};

static const struct change_case map_over_smaller = {
	EIGHT, .change = { { 'B', 3, 2, 0 } }, 0, "A0-2 B0-1 A5-7"
};

static const struct change_case map_over_head = {
	EIGHT, .change = { { 'B', -1, 3, 0 } }, -1, "B0-2 A2-7"
};

static const struct change_case map_over_tail = {
	EIGHT, .change = { { 'B', 6, 3, 0 } }, 0, "A0-5 B0-2 ."
};

static const struct change_case map_over_larger = {
	EIGHT, .change = { { 'B', -2, 12, 0 } }, -2, "B0-11"
};

static const struct change_case map_over_two = {
	TWICE_FOUR, .change = { { 'B', 2, 4, 0 } }, 0, "A0-1 B0-3 C2-3"
};

static const struct change_case map_over_self = {
	EIGHT, .change = { { 'A', 4, 2, 0 } }, 0, "A0-3 A0-1 A6-7"
};

static const struct change_case map_again = {
	EIGHT, .change = { { 'A', 0, 8, 0 } }, 0, "A0-7 ."
};

static const struct change_case map_then_unmap_part = {
	EIGHT, .change = { { 'B', 2, 5, 0 }, { '.', 4, 1, 0 } },
	0, "A0-1 B0-1 . B3-4 A7"
};

static const struct change_case unmap_then_map_part = {
	EIGHT, .change = { { '.', 0, 8, 0 }, { 'B', 3, 2, 1 }, { 'C', 4, 2, 2 } },
	0, ".3 B1 C2-3 .2"
};

static const struct change_case map_again_dump = {
	EIGHT, .change = { { 'A', 0, 8, 0, MSM_VM_BIND_OP_DUMP } }, 0, "A0-7 ."
};

static u32 change_ops(struct gpu_vm *vm, struct gpu_bo *const *bos,
		      const struct change *list, struct drm_msm_vm_bind_op *ops)
{
	u64 iova, range;
	u32 i;

	for (i = 0; i < CHANGES && list[i].letter; i++) {
		iova = vm->area + list[i].at * (s64)GPU_PAGE;
		range = list[i].pages * GPU_PAGE;
		if (list[i].letter == '.')
			ops[i] = gpu_bind_op_unmap(iova, range);
		else
			ops[i] = gpu_bind_op_map(iova,
						 bos[list[i].letter - 'A'],
						 list[i].from * GPU_PAGE,
						 range);
		ops[i].flags = list[i].flags;
	}
	return i;
}

/* Once step by step, with the GPU looking in between; once in one ioctl. */
static void change_run(const struct change_case *c, bool at_once)
{
	struct drm_msm_vm_bind_op ops[2 * CHANGES];
	struct gpu_bo *bos[3];
	struct gpu_vm vm;
	u32 count, setup, i;

	vm_test_open(&vm);
	for (i = 0; i < 3; i++)
		bos[i] = vm_test_bo(&vm, 'A' + i, 12);
	setup = change_ops(&vm, bos, c->setup, ops);
	count = setup + change_ops(&vm, bos, c->change, ops + setup);

	if (at_once) {
		msm_igt_assert_ok(gpu_vm_bind(&vm, ops, count));
	} else {
		msm_igt_assert_ok(gpu_vm_bind(&vm, ops, setup));
		vm_test_expect(&vm, vm.area, c->before);
		for (i = setup; i < count; i++)
			msm_igt_assert_ok(gpu_vm_bind(&vm, &ops[i], 1));
	}
	vm_test_expect(&vm, vm.area + c->after_at * (s64)GPU_PAGE, c->after);

	vm_test_close(&vm);
}

/* The entries of what is there already are not written again. */
static void map_again_edits(const void *arg)
{
	struct gpu_vm_counts before, after;
	struct gpu_vm vm;
	struct gpu_bo *a;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	msm_igt_assert_ok(gpu_vm_count(&before));
	vm_test_map(&vm, vm.area, a);
	msm_igt_assert_ok(gpu_vm_count(&after));
	msm_igt_assert_ret(after.edits - before.edits, 0);
	vm_test_unmap(&vm, vm.area, 4);
	msm_igt_assert_ok(gpu_vm_count(&after));
	msm_igt_assert_ret(after.edits - before.edits, 1);
	vm_test_close(&vm);
}

static void change(const void *arg)
{
	change_run(arg, false);
	change_run(arg, true);
}

static void alias(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 second, third;
	u32 seen;

	vm_test_open(&vm);
	second = vm.area + 16 * GPU_PAGE;
	third = vm.area + 4 * MIB;
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	vm_test_map(&vm, second, a);
	msm_igt_assert_ok(gpu_vm_map(&vm, third, a, 2 * GPU_PAGE, GPU_PAGE));

	msm_igt_assert_ok(gpu_job_write_now(&vm, second + 2 * GPU_PAGE + 0x20,
					    0x600d0003));
	msm_igt_assert_ok(gpu_job_read_now(&vm, third + 0x20, &seen));
	msm_igt_assert(seen == 0x600d0003, "GPU read %08x\n", seen);

	vm_test_unmap(&vm, second, 4);
	vm_test_expect(&vm, vm.area, "A0-3");
	vm_test_expect(&vm, second, ".4");
	vm_test_expect(&vm, third, "A2 .");
	vm_test_close(&vm);
}

/*
 * Buffers of four pages, each across another boundary between two tables of
 * one level.
 */
static void many_bos(const void *arg)
{
	const u64 step = *(const u64 *)arg;
	struct gpu_vm vm;
	u64 first, end, iova;
	int count, i;

	vm_test_open(&vm);
	first = (vm.area + step - 1) / step * step;
	end = vm.va_start + vm.va_size;
	for (count = 0; count < 6; count++) {
		iova = first + count * step - 2 * GPU_PAGE;
		if (iova + 5 * GPU_PAGE > end)
			break;
		vm_test_map(&vm, iova, vm_test_bo(&vm, 'A' + count, 4));
	}
	msm_igt_require(count, "the VM ends at %llx, before such a boundary\n",
			end);

	for (i = 0; i < count; i++) {
		char picture[3][24];

		snprintf(picture[0], 24, ". %c0-3 .", 'A' + i);
		snprintf(picture[1], 24, ". %c0-1 .3", 'A' + i);
		snprintf(picture[2], 24, ".3 %c2-3 .", 'A' + i);
		iova = first + i * step;
		vm_test_expect(&vm, iova - 3 * GPU_PAGE, picture[0]);
		vm_test_unmap(&vm, i & 1 ? iova : iova - 2 * GPU_PAGE, 2);
		vm_test_expect(&vm, iova - 3 * GPU_PAGE,
			       picture[i & 1 ? 1 : 2]);
	}
	vm_test_close(&vm);
}

static const u64 step_2m = 2 * MIB;
static const u64 step_1g = 1024 * MIB;
static const u64 step_512g = 512 * 1024 * MIB;

/* A hole in a range that a page table could hold as 2 MiB blocks */
static void block(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 1026);
	vm_test_map(&vm, vm.area, a);
	vm_test_expect(&vm, vm.area, "A0-1025 .");
	vm_test_unmap(&vm, vm.area + 100 * GPU_PAGE, 1);
	vm_test_unmap(&vm, vm.area + 511 * GPU_PAGE, 2);
	vm_test_expect(&vm, vm.area, "A0-99 . A101-510 .2 A513-1025 .");
	vm_test_unmap(&vm, vm.area, 1026);
	vm_test_expect(&vm, vm.area + 99 * GPU_PAGE, ".3");
	vm_test_expect(&vm, vm.area + 1024 * GPU_PAGE, ".2");
	vm_test_close(&vm);
}

/*
 * Larger than what the driver edits in one go, 64 MiB.  Getting so much memory
 * takes a few seconds under emulation.
 */
static void chunks(const void *arg)
{
	static const u32 pages[] = { 0, 1, 16383, 16384, 16385 };
	u32 seen, i;
	struct gpu_vm vm;
	struct gpu_bo a;

	vm_test_open(&vm);
	msm_igt_assert_ok(gpu_bo_new(&vm.dev, 64 * MIB + 2 * GPU_PAGE, &a));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		a.map[pages[i] * (GPU_PAGE / 4)] = 0x600d0100 + i;
	vm_test_map(&vm, vm.area, &a);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		msm_igt_assert_ok(gpu_job_read_now(&vm, vm.area + pages[i] *
						   (u64)GPU_PAGE, &seen));
		msm_igt_assert(seen == 0x600d0100 + i, "page %u: GPU read %08x\n",
			       pages[i], seen);
	}
	vm_test_unmap(&vm, vm.area, a.size / GPU_PAGE);
	vm_test_expect(&vm, vm.area + 64 * MIB - GPU_PAGE, ".3");
	gpu_bo_free(&a);
	vm_test_close(&vm);
}

/* The GPU may read it, and its writes fault and leave it as it is. */
static void read_only(const void *arg)
{
	struct gpu_fault fault;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 iova;

	vm_test_open(&vm);
	vm.dev.bo_flags = MSM_BO_GPU_READONLY;
	a = vm_test_bo(&vm, 'A', 2);
	vm_test_map(&vm, vm.area, a);
	iova = vm.area + GPU_PAGE;
	gpu_devcore_clear();
	msm_igt_assert_ok(gpu_job_write_now(&vm, iova, 0x600d0006));
	msm_igt_assert_ok(gpu_devcore_take_fault(&fault, 2000));
	msm_igt_assert(fault.iova == iova && !strcmp(fault.dir, "WRITE"),
		       "write of %llx: %s fault at %llx\n", iova, fault.dir,
		       fault.iova);
	vm_test_expect(&vm, vm.area, "A0-1 .");
	vm_test_close(&vm);
}

/* Take the memory that a buffer freed too early would have given back. */
static void reuse_memory(struct gpu_vm *vm, u32 pages)
{
	int i;

	for (i = 0; i < 16; i++)
		vm_test_bo(vm, 'Z', pages);
}

static void close_while_mapped(const void *arg)
{
	struct gpu_vm vm;
	struct gpu_bo *a;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 8);
	vm_test_map(&vm, vm.area, a);
	gpu_bo_free(a);
	reuse_memory(&vm, 8);
	vm_test_expect(&vm, vm.area, "A0-7");
	vm_test_unmap(&vm, vm.area, 8);
	vm_test_expect(&vm, vm.area, ".8");
	vm_test_close(&vm);
}

/* The client's usual end of a buffer, and the next one at its address */
static void unmap_close_map(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct gpu_vm vm;
	struct gpu_bo *a, *b;
	int i;

	vm_test_open(&vm);
	for (i = 0; i < 50; i++) {
		a = vm_test_bo(&vm, 'A', 8);
		b = vm_test_bo(&vm, 'B', 8);
		vm_test_map(&vm, vm.area, a);
		op = gpu_bind_op_unmap(vm.area, a->size);
		msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1,
					       GPU_NO_FENCE, NULL));
		gpu_bo_free(a);
		vm_test_map(&vm, vm.area, b);
		vm_test_expect(&vm, vm.area, "B0-7");
		gpu_bo_free(b);
	}
	vm_test_unmap(&vm, vm.area, 8);
	vm_test_expect(&vm, vm.area, ".8");
	vm_test_close(&vm);
}

static void isolation(const void *arg)
{
	struct gpu_vm one, two;
	struct gpu_bo *a, *b;

	vm_test_open(&one);
	vm_test_open(&two);
	a = vm_test_bo(&one, 'A', 4);
	b = vm_test_bo(&two, 'B', 4);
	vm_test_map(&one, one.area, a);
	vm_test_expect(&two, one.area, ".4");
	vm_test_map(&two, one.area, b);
	vm_test_expect(&one, one.area, "A0-3");
	vm_test_expect(&two, one.area, "B0-3");
	vm_test_unmap(&one, one.area, 2);
	vm_test_expect(&one, one.area, ".2 A2-3");
	vm_test_expect(&two, one.area, "B0-3");
	vm_test_close(&one);
	vm_test_expect(&two, one.area, "B0-3");
	vm_test_close(&two);
}

/* Access to an unmapped place is stopped, reported exactly, and survived. */
static void fault_after_unmap(const void *arg)
{
	static const u32 offsets[] = { 0, 4, 0x7f8, 0xffc };
	struct gpu_fault fault;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 iova;
	size_t i;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);
	for (i = 0; i < 4; i++)
		msm_igt_assert_ok(gpu_job_write_now(&vm, vm.area + GPU_PAGE +
						    offsets[i], 0x600d0004));
	vm_test_unmap(&vm, vm.area + GPU_PAGE, 1);
	for (i = 0; i < 4; i++) {
		iova = vm.area + GPU_PAGE + offsets[i];
		msm_igt_assert_ok(gpu_job_fault_now(&vm, iova, true, &fault));
		msm_igt_assert(fault.iova == iova && !strcmp(fault.dir, "WRITE"),
			       "write of %llx: %s fault at %llx\n", iova,
			       fault.dir, fault.iova);
		msm_igt_assert(a->map[(GPU_PAGE + offsets[i]) / 4] == 0x600d0004,
			       "a write without a mapping reached memory\n");
	}
	vm_test_expect(&vm, vm.area, "A0 . A2-3");
	vm_test_close(&vm);
}

static void legacy_context(const void *arg)
{
	struct gpu_bo cmds, data, *bos[] = { &cmds, &data };
	struct gpu_dev dev;
	struct gpu_cmd cmd;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u64 iova, own;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	vm_test_map(&vm, vm.area, a);

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &cmds));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &data));
	msm_igt_assert_ok(gpu_legacy_iova(&data, &iova));
	msm_igt_assert_ok(gpu_legacy_iova(&data, &own));
	msm_igt_assert(iova && own == iova, "%llx, then %llx\n", iova, own);

	gpu_legacy_cmd(&cmd, &cmds);
	gpu_cmd_mem_write(&cmd, iova + 8, 0x600d0005);
	gpu_cmd_drain(&cmd);
	gpu_cmd_memcpy(&cmd, iova + 16, iova + 8, 1);
	gpu_cmd_drain(&cmd);
	msm_igt_assert_ok(gpu_legacy_run(&dev, &cmd, bos, 2));
	msm_igt_assert(data.map[2] == 0x600d0005 && data.map[4] == 0x600d0005,
		       "GPU left %08x %08x\n", data.map[2], data.map[4]);
	vm_test_expect(&vm, vm.area, "A0-3");

	gpu_bo_free(&data);
	gpu_bo_free(&cmds);
	gpu_dev_close(&dev);
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "basic", "map, GPU and CPU see each other's writes, unmap", basic },
	{ "array", "several operations in one ioctl, not in address order",
	  array },
	{ "offset", "a part of a buffer that does not start at 0", offset },
	{ "unmap-head", "the rest stays", change, &unmap_head },
	{ "unmap-tail", "the rest stays", change, &unmap_tail },
	{ "unmap-middle", "both sides stay", change, &unmap_middle },
	{ "unmap-superset", "more than is mapped", change, &unmap_superset },
	{ "unmap-two", "parts of two neighbours", change, &unmap_two },
	{ "unmap-holes", "a range that has holes already", change,
	  &unmap_holes },
	{ "unmap-nothing", "no mapping there: no effect", change,
	  &unmap_nothing },
	{ "map-over-same", "replaces all of a mapping", change,
	  &map_over_same },
	{ "map-over-smaller", "replaces the middle", change,
	  &map_over_smaller },
	{ "map-over-head", "replaces the head", change, &map_over_head },
	{ "map-over-tail", "replaces the tail", change, &map_over_tail },
	{ "map-over-larger", "swallows a mapping", change, &map_over_larger },
	{ "map-over-two", "replaces parts of two", change, &map_over_two },
	{ "map-over-self", "other pages of the same buffer", change,
	  &map_over_self },
	{ "map-again", "the same once more", change, &map_again },
	{ "map-again-edits", "and no entry is touched", map_again_edits },
	{ "map-again-dump", "the same, now for dumps", change,
	  &map_again_dump },
	{ "map-then-unmap-part", "operations apply in list order", change,
	  &map_then_unmap_part },
	{ "unmap-then-map-part", "operations apply in list order", change,
	  &unmap_then_map_part },
	{ "alias", "one buffer at several addresses", alias },
	{ "many-bos-2m", "across boundaries of last-level tables", many_bos,
	  &step_2m },
	{ "many-bos-1g", "across boundaries one level up", many_bos, &step_1g },
	{ "many-bos-512g", "across boundaries of the top level", many_bos,
	  &step_512g },
	{ "block", "holes in what could be 2 MiB blocks", block },
	{ "chunks", "a buffer larger than what is edited in one go", chunks },
	{ "read-only", "the GPU reads and does not write", read_only },
	{ "close-while-mapped", "a mapping alone keeps the pages",
	  close_while_mapped },
	{ "unmap-close-map", "buffer closed right behind its queued unmap",
	  unmap_close_map },
	{ "isolation", "two contexts, same addresses", isolation },
	{ "fault-after-unmap", "stopped, reported exactly, survived",
	  fault_after_unmap },
	{ "legacy-context", "a context that did not opt in works as ever",
	  legacy_context },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_fixture(vm_test_strict);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_run(vm_fence_tests, vm_fence_count);
	msm_igt_run(vm_implicit_tests, vm_implicit_count);
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
