// SPDX-License-Identifier: MIT
/*
 * Syncobjs between binds, jobs and the CPU: fences and points in and out.
 *
 * A gate holds the first link of a chain back, so each wait is seen to be a
 * wait before it is seen to end; the GPU is the witness that what was waited
 * for has happened.
 */
#include <unistd.h>

#include "vm_sync.h"

/* Map all of @bo at the area. */
static int bind_area(struct gpu_vm *vm, const struct gpu_bo *bo,
		     const struct gpu_syncs *syncs)
{
	struct drm_msm_vm_bind_op op = gpu_bind_op_map(vm->area, bo, 0,
						       bo->size);

	return vm_sync_bind(vm, &op, 1, syncs);
}

/*
 * Gate, map, job that reads, unmap, CPU: each waits for the one before through
 * links[i] and tells the next one through links[i + 1].
 */
static void chain(struct gpu_vm *vm, const struct drm_msm_syncobj *links)
{
	struct gpu_gate gate = vm_sync_gate(vm, links[0].handle, links[0].point);
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	struct gpu_bo *a = vm_test_bo(vm, 'A', 4);
	struct drm_msm_vm_bind_op op;
	struct gpu_job job;
	int i;

	syncs.in[0] = links[0];
	syncs.out[0] = links[1];
	msm_igt_assert_ok(bind_area(vm, a, &syncs));
	vm_test_expect(vm, vm->area, ".4");

	gpu_job_begin(&job, vm, 1);
	gpu_job_read(&job, 0, vm->area + 2 * GPU_PAGE);
	syncs.in[0] = links[1];
	syncs.out[0] = links[2];
	msm_igt_assert_ok(vm_sync_submit(&job, &syncs));

	op = gpu_bind_op_unmap(vm->area, a->size);
	syncs.in[0] = links[2];
	syncs.out[0] = links[3];
	msm_igt_assert_ok(vm_sync_bind(vm, &op, 1, &syncs));
	for (i = 0; i < 4; i++)
		vm_sync_busy(vm, links[i].handle, links[i].point);

	vm_sync_open(&gate);
	vm_sync_done(vm, links[3].handle, links[3].point);
	msm_igt_assert_ok(gpu_job_finish(&job));
	msm_igt_assert(job.result[0] == gpu_pages_stamp('A', 2, false),
		       "GPU read %08x\n", job.result[0]);
	vm_test_expect(vm, vm->area, ".4");
}

static void binary(const void *arg)
{
	struct drm_msm_syncobj links[4] = { 0 };
	struct gpu_vm vm;
	int i;

	vm_test_open(&vm);
	for (i = 0; i < 4; i++)
		links[i].handle = vm_sync_new(&vm);
	chain(&vm, links);
	vm_test_close(&vm);
}

static void timeline(const void *arg)
{
	struct drm_msm_syncobj links[4];
	struct gpu_vm vm;
	u32 handle;
	int i;

	vm_test_open(&vm);
	handle = vm_sync_new(&vm);
	for (i = 0; i < 4; i++)
		links[i] = VM_SYNC_AT(handle, 10 + 5 * i);
	chain(&vm, links);
	vm_sync_reached(&vm, handle, 25);
	vm_test_close(&vm);
}

/* A point that is reached does not wait for later ones; one between does. */
static void timeline_between(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	struct gpu_bo *a, *b;
	struct gpu_gate gate;
	struct gpu_vm vm;
	u32 line, done;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	b = vm_test_bo(&vm, 'B', 2);
	line = vm_sync_new(&vm);
	done = vm_sync_new(&vm);
	msm_igt_assert_ok(gpu_syncobj_signal(&vm.dev, line, 3));
	gate = vm_sync_gate(&vm, line, 7);

	syncs.in[0] = VM_SYNC_AT(line, 2);
	syncs.out[0] = VM_SYNC_AT(done, 1);
	msm_igt_assert_ok(bind_area(&vm, a, &syncs));
	vm_sync_done(&vm, done, 1);
	vm_test_expect(&vm, vm.area, "A0-3");

	syncs.in[0].point = 4;
	syncs.out[0].point = 2;
	msm_igt_assert_ok(bind_area(&vm, b, &syncs));
	vm_sync_busy(&vm, done, 2);
	vm_sync_reached(&vm, done, 1);
	vm_test_expect(&vm, vm.area, "A0-3");

	vm_sync_open(&gate);
	vm_sync_done(&vm, done, 2);
	vm_sync_reached(&vm, done, 2);
	vm_test_expect(&vm, vm.area, "B0-1 A2-3");
	vm_test_close(&vm);
}

/* A point has 64 bits: its lower half alone was reached long ago. */
static void timeline_high(const void *arg)
{
	const u64 high = (1ull << 32) + 1;
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	struct gpu_gate gate;
	struct gpu_job job;
	struct gpu_vm vm;
	u32 line, done;

	vm_test_open(&vm);
	line = vm_sync_new(&vm);
	done = vm_sync_new(&vm);
	msm_igt_assert_ok(gpu_syncobj_signal(&vm.dev, line, 1));
	gate = vm_sync_gate(&vm, line, high);

	syncs.in[0] = VM_SYNC_AT(line, high);
	syncs.out[0] = VM_SYNC_AT(done, high);
	msm_igt_assert_ok(vm_sync_bind(&vm, NULL, 0, &syncs));
	gpu_job_begin(&job, &vm, 1);
	gpu_cmd_nop(&job.cmd, 3);
	syncs.out[0].point = high + 1;
	msm_igt_assert_ok(vm_sync_submit(&job, &syncs));
	vm_sync_busy(&vm, done, high);
	vm_sync_busy(&vm, done, high + 1);
	vm_sync_open(&gate);
	vm_sync_done(&vm, done, high + 1);
	vm_sync_reached(&vm, done, high + 1);
	msm_igt_assert_ok(gpu_job_finish(&job));
	vm_test_close(&vm);
}

/*
 * A reset takes place with the ioctl, not with the bind; without the flag the
 * fence stays.
 */
static void reset(const void *arg)
{
	const bool with_job = arg;
	struct gpu_syncs syncs = { .nr_in = 2, .nr_out = 1 };
	struct gpu_gate gate, kept;
	struct gpu_job job;
	struct gpu_vm vm;
	u32 once, stays, done;

	vm_test_open(&vm);
	once = vm_sync_new(&vm);
	stays = vm_sync_new(&vm);
	done = vm_sync_new(&vm);
	gate = vm_sync_gate(&vm, once, 0);
	kept = vm_sync_gate(&vm, stays, 0);

	syncs.in[0] = VM_SYNC_RESET(once);
	syncs.in[1] = VM_SYNC_AT(stays, 0);
	syncs.out[0] = VM_SYNC_AT(done, 0);
	gpu_job_begin(&job, &vm, 1);
	gpu_cmd_nop(&job.cmd, 3);
	if (with_job)
		msm_igt_assert_ok(vm_sync_submit(&job, &syncs));
	else
		msm_igt_assert_ok(vm_sync_bind(&vm, NULL, 0, &syncs));
	vm_sync_none(&vm, once, 0);
	vm_sync_busy(&vm, stays, 0);

	vm_sync_open(&kept);
	vm_sync_done(&vm, stays, 0);
	vm_sync_busy(&vm, done, 0);
	vm_sync_open(&gate);
	vm_sync_done(&vm, done, 0);
	vm_sync_none(&vm, once, 0);
	if (with_job)
		msm_igt_assert_ok(gpu_job_finish(&job));
	vm_test_close(&vm);
}

/* One syncobj as in and as out, binary with and without reset, and timeline */
static const struct both {
	u32 flags;
	u64 in;
	u64 out;
	const char *picture;
} both[] = {
	{ 0, 0, 0, "A0-1" },
	{ MSM_SYNCOBJ_RESET, 0, 0, "B0-1" },
	{ 0, 3, 4, "C0-1" },
	/* the old timeline goes, point 3 of a new one is the bind */
	{ MSM_SYNCOBJ_RESET, 3, 3, "D0-1" },
};

static void in_and_out(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	struct gpu_gate gate;
	struct gpu_vm vm;
	u32 handle;
	size_t i;

	vm_test_open(&vm);
	for (i = 0; i < ARRAY_SIZE(both); i++) {
		const struct both *c = &both[i];

		handle = vm_sync_new(&vm);
		gate = vm_sync_gate(&vm, handle, c->in);
		syncs.in[0] = VM_SYNC_AT(handle, c->in);
		syncs.in[0].flags = c->flags;
		syncs.out[0] = VM_SYNC_AT(handle, c->out);
		msm_igt_assert_ok(bind_area(&vm, vm_test_bo(&vm, 'A' + i, 2),
					    &syncs));
		vm_sync_busy(&vm, handle, c->out);
		vm_sync_open(&gate);
		vm_sync_done(&vm, handle, c->out);
		vm_test_expect(&vm, vm.area, c->picture);
	}
	vm_test_close(&vm);
}

/* Syncobjs of both kinds and both fence fds, all in one request */
static void several(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 2, .nr_out = 4 };
	struct drm_msm_vm_bind_op op;
	struct drm_msm_vm_bind req;
	struct gpu_gate gates[3];
	struct gpu_vm vm;
	struct gpu_bo *a;
	u32 one, line, done, twice;
	int i;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	one = vm_sync_new(&vm);
	line = vm_sync_new(&vm);
	done = vm_sync_new(&vm);
	twice = vm_sync_new(&vm);
	gates[0] = vm_sync_gate(&vm, one, 0);
	gates[1] = vm_sync_gate(&vm, line, 2);
	gates[2] = vm_test_gate();

	syncs.in[0] = VM_SYNC_AT(one, 0);
	syncs.in[1] = VM_SYNC_AT(line, 2);
	syncs.out[0] = VM_SYNC_AT(done, 0);
	syncs.out[1] = VM_SYNC_AT(line, 3);
	syncs.out[2] = VM_SYNC_AT(twice, 1);
	syncs.out[3] = VM_SYNC_AT(twice, 9);
	op = gpu_bind_op_map(vm.area, a, 0, a->size);
	gpu_bind_request(&req, vm.bind_queue, &op, 1);
	gpu_syncs_bind(&syncs, &req);
	req.flags = MSM_VM_BIND_FENCE_FD_IN | MSM_VM_BIND_FENCE_FD_OUT;
	req.fence_fd = gates[2].fence;
	msm_igt_assert_ok(gpu_bind_ioctl(&vm.dev, &req));

	for (i = 0; i < 3; i++) {
		vm_sync_busy(&vm, done, 0);
		vm_sync_open(&gates[i]);
	}
	vm_sync_done(&vm, line, 3);
	msm_igt_assert_ok(gpu_fence_finish(req.fence_fd));
	msm_igt_assert_ok(gpu_syncobj_wait(&vm.dev, done, 0, 0));
	vm_sync_reached(&vm, line, 3);
	vm_sync_reached(&vm, twice, 9);
	vm_test_expect(&vm, vm.area, "A0-3");
	vm_test_close(&vm);
}

/* No operations: the fences of all that the queue was given before */
static void fence_only(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 1 };
	struct gpu_gate gate;
	struct gpu_vm vm;
	struct gpu_bo *a;
	u32 in, out;

	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 4);
	in = vm_sync_new(&vm);
	out = vm_sync_new(&vm);
	gate = vm_sync_gate(&vm, in, 0);
	syncs.in[0] = VM_SYNC_AT(in, 0);
	msm_igt_assert_ok(bind_area(&vm, a, &syncs));

	syncs = (struct gpu_syncs){ .nr_out = 2 };
	syncs.out[0] = VM_SYNC_AT(out, 4);
	syncs.out[1] = VM_SYNC_AT(in, 0);
	msm_igt_assert_ok(vm_sync_bind(&vm, NULL, 0, &syncs));
	vm_sync_busy(&vm, out, 4);
	vm_sync_busy(&vm, in, 0);
	vm_sync_open(&gate);
	vm_sync_done(&vm, out, 4);
	vm_sync_done(&vm, in, 0);
	vm_test_expect(&vm, vm.area, "A0-3");
	vm_test_close(&vm);
}

/* A job of another context waits for a bind of this one. */
static void other_context(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 1 };
	struct gpu_gate gate;
	struct gpu_vm vm, other;
	struct gpu_job job;
	struct gpu_bo *a;
	u32 in, out, there;
	int fd;

	vm_test_open(&vm);
	vm_test_open(&other);
	a = vm_test_bo(&vm, 'A', 4);
	in = vm_sync_new(&vm);
	out = vm_sync_new(&vm);
	gate = vm_sync_gate(&vm, in, 0);
	syncs.in[0] = VM_SYNC_AT(in, 0);
	syncs.out[0] = VM_SYNC_AT(out, 1);
	msm_igt_assert_ok(bind_area(&vm, a, &syncs));

	msm_igt_assert_ok(gpu_syncobj_share(&vm.dev, out, &fd));
	msm_igt_assert_ok(gpu_syncobj_open(&other.dev, fd, &there));
	close(fd);
	gpu_job_begin(&job, &other, 1);
	gpu_cmd_nop(&job.cmd, 3);
	syncs.in[0] = VM_SYNC_AT(there, 1);
	syncs.out[0] = VM_SYNC_AT(there, 2);
	msm_igt_assert_ok(vm_sync_submit(&job, &syncs));
	vm_sync_busy(&vm, out, 2);
	vm_sync_open(&gate);
	vm_sync_done(&vm, out, 2);
	msm_igt_assert_ok(gpu_job_finish(&job));
	vm_test_expect(&vm, vm.area, "A0-3");
	vm_test_close(&other);
	vm_test_close(&vm);
}

/* The fences in a syncobj outlive the file that the bind was made through. */
static void outlive(const void *arg)
{
	struct gpu_syncs syncs = { .nr_in = 1, .nr_out = 2 };
	struct gpu_gate gate;
	struct gpu_vm vm, other;
	u32 in, out, line;
	int fd, line_fd;

	vm_test_open(&vm);
	in = vm_sync_new(&vm);
	out = vm_sync_new(&vm);
	line = vm_sync_new(&vm);
	gate = vm_sync_gate(&vm, in, 0);
	syncs.in[0] = VM_SYNC_RESET(in);
	syncs.out[0] = VM_SYNC_AT(out, 0);
	syncs.out[1] = VM_SYNC_AT(line, 6);
	msm_igt_assert_ok(bind_area(&vm, vm_test_bo(&vm, 'A', 4), &syncs));
	msm_igt_assert_ok(gpu_syncobj_share(&vm.dev, out, &fd));
	msm_igt_assert_ok(gpu_syncobj_share(&vm.dev, line, &line_fd));
	vm_test_close(&vm);

	vm_test_open(&other);
	msm_igt_assert_ok(gpu_syncobj_open(&other.dev, fd, &out));
	msm_igt_assert_ok(gpu_syncobj_open(&other.dev, line_fd, &line));
	close(fd);
	close(line_fd);
	vm_sync_busy(&other, out, 0);
	vm_sync_busy(&other, line, 6);
	vm_sync_open(&gate);
	vm_sync_done(&other, out, 0);
	vm_sync_done(&other, line, 6);
	vm_sync_reached(&other, line, 6);
	vm_test_close(&other);
}

static const struct msm_igt_subtest tests[] = {
	{ "binary", "gate, map, job, unmap, CPU wait for one another", binary },
	{ "timeline", "the same through points of one timeline", timeline },
	{ "timeline-between", "reached points do not wait, others do",
	  timeline_between },
	{ "timeline-high", "points beyond 32 bits", timeline_high },
	{ "reset-bind", "at the ioctl, and only what has the flag", reset },
	{ "reset-submit", "the same for a job", reset, "job" },
	{ "in-and-out", "one syncobj as both ends up with the bind's fence",
	  in_and_out },
	{ "several", "both kinds, and fence fds, in one request", several },
	{ "fence-only", "no operations, only fences", fence_only },
	{ "other-context", "its job waits for a bind here", other_context },
	{ "outlive", "fences outlive the file of their bind", outlive },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_fixture(vm_test_strict);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_run(vm_sync_array_tests, vm_sync_array_count);
	msm_igt_run(vm_sync_refuse_tests, vm_sync_refuse_count);
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
