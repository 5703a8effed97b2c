// SPDX-License-Identifier: MIT
/*
 * Several bind queues of one VM: what overlaps keeps the order of the ioctls,
 * what does not overtakes.
 *
 * A gate holds the first bind back until the test opens it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "msm_igt.h"
#include "vm_test.h"

#define QUEUES	6
#define PAGES	8

/* More clients than binds run at once, and what each of them asks for */
#define HOGS		17
#define HOG_OPS		96
#define HOG_BYTES	(1024ull * GPU_PAGE * 256)

static struct gpu_gate closed_gate(void)
{
	struct gpu_gate gate;
	int ret = gpu_gate_new(&gate);

	msm_igt_require(ret != -ENOENT, "no sw_sync: CONFIG_SW_SYNC, debugfs\n");
	msm_igt_assert_ok(ret);
	return gate;
}

static u32 new_queue(struct gpu_vm *vm)
{
	u32 id = 0;

	msm_igt_assert_ok(gpu_dev_queue_new(&vm->dev, MSM_SUBMITQUEUE_VM_BIND, 0,
					    &id));
	return id;
}

static int queue_ops(struct gpu_vm *vm, u32 queue,
		     const struct drm_msm_vm_bind_op *ops, u32 count,
		     int in_fence)
{
	int fence = GPU_NO_FENCE;

	msm_igt_assert_ok(gpu_bind_ops(&vm->dev, queue, ops, count, in_fence,
				       &fence));
	return fence;
}

static int queue_op(struct gpu_vm *vm, u32 queue, struct drm_msm_vm_bind_op op,
		    int in_fence)
{
	return queue_ops(vm, queue, &op, 1, in_fence);
}

static struct drm_msm_vm_bind_op map_op(struct gpu_vm *vm, int page,
					const struct gpu_bo *bo, int first, int nr)
{
	return gpu_bind_op_map(vm->area + (u64)page * GPU_PAGE, bo,
			       (u64)first * GPU_PAGE, (u64)nr * GPU_PAGE);
}

static struct drm_msm_vm_bind_op unmap_op(struct gpu_vm *vm, int page, int nr)
{
	return gpu_bind_op_unmap(vm->area + (u64)page * GPU_PAGE,
				 (u64)nr * GPU_PAGE);
}

static void assert_busy(int fence)
{
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "signalled although an earlier bind is held back\n");
}

static void open_gate(struct gpu_gate *gate)
{
	msm_igt_assert_ok(gpu_gate_open(gate));
}

static void disjoint_overtakes(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	int slow, fast;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 4);
	slow = queue_op(&vm, vm.bind_queue, map_op(&vm, 0, a, 0, 4), gate.fence);
	fast = queue_op(&vm, new_queue(&vm), map_op(&vm, 4, b, 0, 4),
			GPU_NO_FENCE);
	msm_igt_assert_ok(gpu_fence_finish(fast));
	assert_busy(slow);
	vm_test_expect(&vm, vm.area, ".4 B0-3");

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(slow));
	vm_test_expect(&vm, vm.area, "A0-3 B0-3");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* An unmap that overtook its map would leave entries without a mapping. */
static void unmap_behind_map(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int map, unmap;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	map = queue_op(&vm, vm.bind_queue, map_op(&vm, 0, a, 0, 4), gate.fence);
	unmap = queue_op(&vm, new_queue(&vm), unmap_op(&vm, 1, 2), GPU_NO_FENCE);
	assert_busy(unmap);

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(map));
	msm_igt_assert_ok(gpu_fence_finish(unmap));
	vm_test_expect(&vm, vm.area, "A0 .2 A3");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

static void map_behind_unmap(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	int unmap, map;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 1);
	vm_test_map(&vm, vm.area, a);
	unmap = queue_op(&vm, vm.bind_queue, unmap_op(&vm, 0, 4), gate.fence);
	map = queue_op(&vm, new_queue(&vm), map_op(&vm, 3, b, 0, 1), GPU_NO_FENCE);
	assert_busy(map);
	vm_test_expect(&vm, vm.area, "A0-3");

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(unmap));
	msm_igt_assert_ok(gpu_fence_finish(map));
	vm_test_expect(&vm, vm.area, ".3 B0");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* Only the last operation of an array overlaps. */
static void one_of_many_overlaps(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct drm_msm_vm_bind_op ops[3];
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	int first, second;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 1);
	b = vm_test_bo(&vm, 'B', 4);
	first = queue_op(&vm, vm.bind_queue, map_op(&vm, 6, a, 0, 1), gate.fence);
	ops[0] = map_op(&vm, 0, b, 0, 1);
	ops[1] = map_op(&vm, 2, b, 1, 1);
	ops[2] = map_op(&vm, 6, b, 2, 1);
	second = queue_ops(&vm, new_queue(&vm), ops, 3, GPU_NO_FENCE);
	assert_busy(second);
	vm_test_expect(&vm, vm.area, ".8");

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(first));
	msm_igt_assert_ok(gpu_fence_finish(second));
	vm_test_expect(&vm, vm.area, "B0 . B1 .3 B2 .");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* Each waits for the one before it, none for the one before that. */
static void chain(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_bo *a, *b, *c;
	int fence[4], i;
	struct gpu_vm vm;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 4);
	c = vm_test_bo(&vm, 'C', 4);
	fence[0] = queue_op(&vm, vm.bind_queue, map_op(&vm, 0, a, 0, 3), gate.fence);
	fence[1] = queue_op(&vm, new_queue(&vm), map_op(&vm, 2, b, 0, 3),
			    GPU_NO_FENCE);
	fence[2] = queue_op(&vm, new_queue(&vm), map_op(&vm, 4, c, 0, 3),
			    GPU_NO_FENCE);
	fence[3] = queue_op(&vm, new_queue(&vm), map_op(&vm, 7, a, 3, 1),
			    GPU_NO_FENCE);
	msm_igt_assert_ok(gpu_fence_finish(fence[3]));
	assert_busy(fence[1]);
	assert_busy(fence[2]);

	open_gate(&gate);
	for (i = 0; i < 3; i++)
		msm_igt_assert_ok(gpu_fence_finish(fence[i]));
	vm_test_expect(&vm, vm.area, "A0-1 B0-1 C0-2 A3");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* A bind without operations touches no address, so it waits for none. */
static void nothing_to_wait_for(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_vm vm;
	struct gpu_bo *a;
	int map, none;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	map = queue_op(&vm, vm.bind_queue, map_op(&vm, 0, a, 0, 4), gate.fence);
	none = queue_ops(&vm, new_queue(&vm), NULL, 0, GPU_NO_FENCE);
	msm_igt_assert_ok(gpu_fence_finish(none));
	assert_busy(map);

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(map));
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* A queue that was closed still holds up those behind it. */
static void closed_queue_counts(const void *arg)
{
	struct gpu_gate gate = closed_gate();
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	int first, second;
	u32 queue;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 4);
	queue = new_queue(&vm);
	first = queue_op(&vm, queue, map_op(&vm, 0, a, 0, 4), gate.fence);
	msm_igt_assert_ok(gpu_dev_queue_close(&vm.dev, queue));
	second = queue_op(&vm, vm.bind_queue, map_op(&vm, 3, b, 0, 4),
			  GPU_NO_FENCE);
	assert_busy(second);

	open_gate(&gate);
	msm_igt_assert_ok(gpu_fence_finish(first));
	msm_igt_assert_ok(gpu_fence_finish(second));
	vm_test_expect(&vm, vm.area, "A0-2 B0-3 .");
	gpu_gate_free(&gate);
	vm_test_close(&vm);
}

/* A model of the area: who owns each page, drawn as vm_test_expect() wants it */
struct owner {
	char letter;
	int page;
};

static void draw(const struct owner *owners, char *text, size_t size)
{
	size_t len = 0;
	int i;

	for (i = 0; i < PAGES; i++) {
		if (owners[i].letter)
			len += snprintf(text + len, size - len, "%c%d ",
					owners[i].letter, owners[i].page);
		else
			len += snprintf(text + len, size - len, ". ");
	}
	text[len - 1] = 0;
}

static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/*
 * Each queue has a gate, and the gates open last to first: the result must be
 * that of the ioctls one after the other.
 */
static void random_round(struct gpu_vm *vm, const u32 *queues, u32 *seed)
{
	struct gpu_gate gates[QUEUES];
	struct owner owners[PAGES] = {};
	int fences[4 * QUEUES], i, p;
	struct gpu_bo *bo[2];
	char picture[64];

	bo[0] = vm_test_bo(vm, 'A', PAGES);
	bo[1] = vm_test_bo(vm, 'B', PAGES);
	for (i = 0; i < QUEUES; i++)
		gates[i] = closed_gate();

	for (i = 0; i < 4 * QUEUES; i++) {
		int page = next_random(seed) % PAGES;
		int nr = 1 + next_random(seed) % (PAGES - page);
		int kind = next_random(seed) % 3;

		fences[i] = queue_op(vm, queues[i % QUEUES],
				     kind == 2 ? unmap_op(vm, page, nr) :
				     map_op(vm, page, bo[kind], 0, nr),
				     gates[i % QUEUES].fence);
		for (p = 0; p < nr; p++)
			owners[page + p] = (struct owner) {
				kind == 2 ? 0 : "AB"[kind], p
			};
	}

	for (i = QUEUES; i--; )
		open_gate(&gates[i]);
	for (i = 0; i < 4 * QUEUES; i++)
		msm_igt_assert_ok(gpu_fence_finish(fences[i]));

	draw(owners, picture, sizeof(picture));
	vm_test_expect(vm, vm->area, picture);
	vm_test_unmap(vm, vm->area, PAGES);
	for (i = 0; i < QUEUES; i++)
		gpu_gate_free(&gates[i]);
}

static void random_order(const void *arg)
{
	u32 queues[QUEUES], seed = 20261121;
	struct gpu_vm vm;
	int i;

	vm_test_open(&vm);
	for (i = 0; i < QUEUES; i++)
		queues[i] = new_queue(&vm);
	for (i = 0; i < 10; i++)
		random_round(&vm, queues, &seed);
	vm_test_close(&vm);
}

/* The same addresses over and over, by another page each time */
static int hog(struct gpu_vm *vm, int in_fence)
{
	struct drm_msm_vm_bind_op ops[HOG_OPS];

	for (u32 i = 0; i < HOG_OPS; i++)
		ops[i] = gpu_bind_op_null(vm->area + i % 2 * GPU_PAGE, HOG_BYTES);
	return queue_ops(vm, vm->bind_queue, ops, HOG_OPS, in_fence);
}

/* The same in one operation, of which the page tables must fit the guest */
static int hog_at_once(struct gpu_vm *vm, int in_fence)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_null(vm->area, 8 * HOG_BYTES);

	return queue_ops(vm, vm->bind_queue, &op, 1, in_fence);
}

/* What takes long is done in turns: who asks for little has it first. */
static void long_binds_of_others(const void *arg)
{
	int (*const hog)(struct gpu_vm *vm, int in_fence) = arg;
	struct gpu_gate gate = closed_gate();
	struct gpu_vm vm, hogs[HOGS];
	int fences[HOGS];
	struct gpu_bo *a;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'a', 1);
	for (u32 i = 0; i < HOGS; i++) {
		vm_test_open(&hogs[i]);
		fences[i] = hog(&hogs[i], gate.fence);
	}
	open_gate(&gate);
	vm_test_map(&vm, vm.area, a);
	for (u32 i = 0; i < HOGS; i++) {
		msm_igt_assert(gpu_fence_busy_after(fences[i], 0),
			       "one page had to wait for hog %u\n", i);
		close(fences[i]);
		vm_test_close(&hogs[i]);
	}
	vm_test_expect(&vm, vm.area, "a");
	vm_test_close(&vm);
	gpu_gate_free(&gate);
}

/* Parts of a job come in its order, with nothing left out between them. */
static void long_bind(const void *arg)
{
	struct drm_msm_vm_bind_op ops[7];
	struct gpu_bo *a, *b;
	struct gpu_vm vm;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'a', 2);
	b = vm_test_bo(&vm, 'b', 2);
	ops[0] = gpu_bind_op_null(vm.area, HOG_BYTES);
	ops[1] = map_op(&vm, 1, a, 0, 2);
	ops[2] = gpu_bind_op_null(vm.area + HOG_BYTES, HOG_BYTES);
	ops[3] = unmap_op(&vm, 2, 2);
	ops[4] = gpu_bind_op_null(vm.area + 2 * HOG_BYTES, HOG_BYTES);
	ops[5] = map_op(&vm, 3, b, 0, 2);
	ops[6] = gpu_bind_op_unmap(vm.area + HOG_BYTES, HOG_BYTES);
	msm_igt_assert_ok(gpu_vm_bind(&vm, ops, ARRAY_SIZE(ops)));
	vm_test_expect(&vm, vm.area, "z a0 . b0-1 z");
	vm_test_expect(&vm, vm.area + 2 * HOG_BYTES - GPU_PAGE, ".z2");
	vm_test_close(&vm);
}

/* One operation that is done in parts is one edit all the same. */
static void long_map(const void *arg)
{
	struct gpu_vm_counts before, after;
	struct drm_msm_vm_bind_op op;
	struct gpu_vm vm;
	u64 end;

	vm_test_open(&vm);
	end = vm.area + 2 * HOG_BYTES + GPU_PAGE;
	msm_igt_assert_ok(gpu_vm_count(&before));
	op = gpu_bind_op_null(vm.area, end - vm.area);
	msm_igt_assert_ok(gpu_vm_bind(&vm, &op, 1));
	msm_igt_assert_ok(gpu_vm_count(&after));
	msm_igt_assert(after.edits == before.edits + 1,
		       "%llu edits, %llu before\n", after.edits, before.edits);
	vm_test_expect(&vm, vm.area + HOG_BYTES - GPU_PAGE, "z2");
	vm_test_expect(&vm, end - 2 * GPU_PAGE, "z2 .");

	msm_igt_assert_ok(gpu_vm_unmap(&vm, vm.area, end - vm.area));
	vm_test_expect(&vm, vm.area + HOG_BYTES - GPU_PAGE, ".2");
	vm_test_expect(&vm, end - 2 * GPU_PAGE, ".2");
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "disjoint-overtakes", "queues wait for each other without need",
	  disjoint_overtakes },
	{ "unmap-behind-map", "an unmap overtakes the map that it removes",
	  unmap_behind_map },
	{ "map-behind-unmap", "a map meets live entries", map_behind_unmap },
	{ "one-of-many-overlaps", "only some operations are looked at",
	  one_of_many_overlaps },
	{ "chain", "only the first of the earlier binds is waited for", chain },
	{ "nothing-to-wait-for", "a bind without operations waits",
	  nothing_to_wait_for },
	{ "closed-queue-counts", "binds of a closed queue are forgotten",
	  closed_queue_counts },
	{ "random", "tree and page table differ after many queues",
	  random_order },
	{ "long-bind", "is done in parts, in its order", long_bind },
	{ "long-map", "is one operation, done in parts", long_map },
	{ "long-binds-of-others", "take turns with ours", long_binds_of_others,
	  hog },
	{ "long-maps-of-others", "and so do their single operations",
	  long_binds_of_others, hog_at_once },
};

int main(int argc, char **argv)
{
	vm_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
