// SPDX-License-Identifier: MIT
/*
 * The arrays in which syncobjs are listed: strides, lengths, and what is not
 * looked at.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm_sync.h"

/*
 * Arrays of other strides.  With 8 bytes an entry has no point, and where one
 * would be stands the next entry; behind 16 bytes is something unknown.
 */
static void strides(const void *arg)
{
	static const u32 sizes[] = { 8, 16, 24, 4096 };
	struct drm_msm_vm_bind req;
	struct gpu_gate gates[2];
	u8 *in, *out;
	struct gpu_vm vm;
	u32 s, i, handle;
	u64 point;

	vm_test_open(&vm);
	in = malloc(2 * 4096);
	out = malloc(2 * 4096);
	msm_igt_assert(in && out, "no memory\n");
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct drm_msm_syncobj entry[4] = { 0 };
		const u32 size = sizes[s];

		memset(in, 0x5a, 2 * 4096);
		memset(out, 0x5a, 2 * 4096);
		for (i = 0; i < 4; i++) {
			handle = vm_sync_new(&vm);
			point = size > 8 ? 5 + i : 0;
			entry[i] = VM_SYNC_AT(handle, point);
			memcpy((i < 2 ? in : out) + i % 2 * size, &entry[i],
			       size > 8 ? 16 : 8);
			if (i < 2)
				gates[i] = vm_sync_gate(&vm, handle, point);
		}
		gpu_bind_request(&req, vm.bind_queue, NULL, 0);
		req.in_syncobjs = (unsigned long)in;
		req.out_syncobjs = (unsigned long)out;
		req.nr_in_syncobjs = 2;
		req.nr_out_syncobjs = 2;
		req.syncobj_stride = size;
		msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));
		for (i = 0; i < 2; i++) {
			vm_sync_busy(&vm, entry[2 + i].handle, entry[2 + i].point);
			vm_sync_open(&gates[i]);
		}
		vm_sync_done(&vm, entry[2].handle, entry[2].point);
		vm_sync_done(&vm, entry[3].handle, entry[3].point);
	}
	free(in);
	free(out);
	vm_test_close(&vm);
}

/* An array is looked at only when it has an address and a length. */
static void ignored(const void *arg)
{
	struct drm_msm_vm_bind req;
	struct gpu_vm vm;

	vm_test_open(&vm);
	gpu_bind_request(&req, vm.bind_queue, NULL, 0);
	req.nr_in_syncobjs = ~0u;
	req.nr_out_syncobjs = ~0u;
	req.syncobj_stride = ~0u;
	msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));

	gpu_bind_request(&req, vm.bind_queue, NULL, 0);
	req.in_syncobjs = -GPU_PAGE;
	req.out_syncobjs = -GPU_PAGE;
	msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));
	vm_test_close(&vm);
}

#define MANY		4000u
/* More are refused, see msm_syncobj.c. */
#define MAX_POINTS	1024u

/* MANY times the same to reset, MAX_POINTS points, MANY times one to replace */
static void many(const void *arg)
{
	struct drm_msm_syncobj *entries, *outs;
	struct drm_msm_vm_bind req;
	struct gpu_gate gate;
	struct gpu_vm vm;
	u32 in, line, one, i;

	vm_test_open(&vm);
	in = vm_sync_new(&vm);
	line = vm_sync_new(&vm);
	one = vm_sync_new(&vm);
	gate = vm_sync_gate(&vm, in, 0);
	entries = calloc(2 * MANY + MAX_POINTS, sizeof(*entries));
	msm_igt_assert(entries, "no memory\n");
	outs = entries + MANY;
	for (i = 0; i < MANY; i++) {
		entries[i] = VM_SYNC_RESET(in);
		outs[i] = VM_SYNC_AT(one, 0);
	}
	for (i = 0; i < MAX_POINTS; i++)
		outs[MANY + i] = VM_SYNC_AT(line, i + 1);
	gpu_bind_request(&req, vm.bind_queue, NULL, 0);
	req.in_syncobjs = (unsigned long)entries;
	req.nr_in_syncobjs = MANY;
	req.out_syncobjs = (unsigned long)outs;
	req.nr_out_syncobjs = MANY + MAX_POINTS;
	req.syncobj_stride = sizeof(*entries);
	msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));
	free(entries);
	vm_sync_none(&vm, in, 0);
	vm_sync_busy(&vm, line, 1);
	vm_sync_open(&gate);
	vm_sync_done(&vm, line, MAX_POINTS);
	vm_sync_done(&vm, one, 0);
	vm_sync_reached(&vm, line, MAX_POINTS);
	vm_test_close(&vm);
}

/* One point more than an ioctl takes, all of them the same */
static void too_many(const void *arg)
{
	struct drm_msm_syncobj *outs;
	struct drm_msm_vm_bind req;
	struct gpu_vm vm;
	u32 line, i;

	vm_test_open(&vm);
	line = vm_sync_new(&vm);
	outs = calloc(MAX_POINTS + 1, sizeof(*outs));
	msm_igt_assert(outs, "no memory\n");
	for (i = 0; i <= MAX_POINTS; i++)
		outs[i] = VM_SYNC_AT(line, 1);
	gpu_bind_request(&req, vm.bind_queue, NULL, 0);
	req.out_syncobjs = (unsigned long)outs;
	req.nr_out_syncobjs = MAX_POINTS + 1;
	req.syncobj_stride = sizeof(*outs);
	msm_igt_assert_ret(gpu_bind_ioctl(&vm.dev, &req), -EINVAL);
	vm_test_reason("out-syncobj 1024 refused: too many points");
	vm_sync_none(&vm, line, 1);
	outs[MAX_POINTS].point = 0;
	msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));
	vm_sync_done(&vm, line, 0);
	free(outs);
	vm_test_close(&vm);
}

/*
 * Entries of one byte, which is the handle.  The fences of FENCES binds are in
 * turn in the list, and each is compared with all: minutes of work.
 */
#define ENTRIES	(500u << 10)
#define FENCES	250u

static void endless_child(u32 first, struct gpu_vm *vm)
{
	struct drm_msm_vm_bind req;
	u8 *entries = malloc(ENTRIES);
	u32 i;

	if (!entries)
		_exit(1);
	for (i = 0; i < ENTRIES; i++)
		entries[i] = first + i % FENCES;
	gpu_bind_request(&req, vm->bind_queue, NULL, 0);
	req.in_syncobjs = (unsigned long)entries;
	req.nr_in_syncobjs = ENTRIES;
	req.syncobj_stride = 1;
	gpu_bind_ioctl(&vm->dev, &req);
	_exit(0);
}

/* Put the fences of as many blocked binds into syncobjs; Return: the first. */
static u32 fences(struct gpu_vm *vm, const struct gpu_gate *gate)
{
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	u32 blocked = vm_sync_new(vm);
	u32 i;

	msm_igt_assert_ok(gpu_syncobj_put_fence(&vm->dev, blocked, 0,
						gate->fence));
	syncs.in[0] = VM_SYNC_AT(blocked, 0);
	for (i = 0; i < FENCES; i++) {
		syncs.out[0] = VM_SYNC_AT(vm_sync_new(vm), 0);
		msm_igt_assert_ok(vm_sync_bind(vm, NULL, 0, &syncs));
		msm_igt_assert(syncs.out[0].handle == blocked + 1 + i,
			       "handles are not in sequence\n");
	}
	msm_igt_assert(blocked + FENCES < 256, "handle %u\n", blocked);
	return blocked + 1;
}

/* Return: @child is gone within @ms. */
static bool gone(pid_t child, int ms, int *status)
{
	const struct timespec step = { .tv_nsec = 10000000 };

	for (; ms > 0; ms -= 10) {
		if (waitpid(child, status, WNOHANG) == child)
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

/* A task that is killed in the middle of a long array dies soon. */
static void killed(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct gpu_vm vm;
	int status = 0;
	pid_t child;
	u32 first;

	vm_test_open(&vm);
	first = fences(&vm, &gate);
	child = fork();
	if (!child)
		endless_child(first, &vm);
	msm_igt_assert(child > 0, "no fork\n");
	msm_igt_require(!gone(child, 500, &status), "the CPU is too fast\n");
	kill(child, SIGKILL);
	msm_igt_assert(gone(child, gpu_fence_scaled_ms(2000), &status),
		       "alive long after SIGKILL\n");
	msm_igt_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		       "exit status %x\n", status);
	vm_sync_open(&gate);
	msm_igt_assert_ok(gpu_vm_bind(&vm, NULL, 0));
	vm_test_close(&vm);
}

const struct msm_igt_subtest vm_sync_array_tests[] = {
	{ "strides", "short and long entries", strides },
	{ "ignored", "arrays without address or length", ignored },
	{ "many", "thousands of entries", many },
	{ "too-many", "points are limited, fences are not", too_many },
	{ "killed", "SIGKILL ends a long array", killed },
};

const size_t vm_sync_array_count = ARRAY_SIZE(vm_sync_array_tests);
