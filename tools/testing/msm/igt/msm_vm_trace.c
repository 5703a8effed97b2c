// SPDX-License-Identifier: MIT
/*
 * What the tracepoints of drm_msm_vm say about a VM, against what was done.
 *
 * Each bind goes through its phases in order, with numbers that can be worked
 * out by hand; one that is refused after it reserved gives all back and is
 * never committed.  When a VM is freed nothing of it may be left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_trace.h"
#include "vm_test.h"

#define MAX_EVENTS	64
#define POLL_MS		10

static struct gpu_trace_event events[MAX_EVENTS];
static u32 nr_events;

static void start(void)
{
	int ret = gpu_trace_start("drm_msm_vm");

	msm_igt_require(ret != -ENOENT, "this kernel cannot trace\n");
	msm_igt_assert_ok(ret);
}

static u32 count_of(const char *name)
{
	u32 i, count = 0;

	msm_igt_assert_ok(gpu_trace_read(events, MAX_EVENTS, &nr_events));
	for (i = 0; i < nr_events; i++)
		count += !strcmp(events[i].name, name);
	return count;
}

/* The end of a job and of a VM come from workers. */
static void wait_for(const char *name, u32 count)
{
	int left = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS) / POLL_MS;

	while (count_of(name) < count && left--)
		usleep(POLL_MS * 1000);
	msm_igt_assert(count_of(name) == count, "%u times %s, not %u\n",
		       count_of(name), name, count);
}

/*
 * Event @i must be @name and say @wanted: "KEY=VALUE ..." in any order, others
 * may stand between.
 */
static void expect(u32 i, const char *name, const char *wanted)
{
	const struct gpu_trace_event *event = &events[i];
	char key[32];
	u64 want, got;
	int used;

	msm_igt_assert(i < nr_events, "no event %u, %s expected\n", i, name);
	msm_igt_assert(!strcmp(event->name, name), "event %u: %s, not %s\n", i,
		       event->name, name);
	while (sscanf(wanted, " %31[^=]=%llu%n", key, &want, &used) == 2) {
		int ret = gpu_trace_value(event, key, &got);

		msm_igt_assert(!ret && got == want, "event %u, %s %s: no %s=%llu\n",
			       i, name, event->text, key, want);
		wanted += used;
	}
}

/* The @count events from @first on are about one VM, or one job. */
static void expect_same(u32 first, u32 count, const char *key)
{
	char one[32] = "", other[32] = "";
	u32 i;

	msm_igt_assert_ok(gpu_trace_word(&events[first], key, one, sizeof(one)));
	for (i = first; i < first + count; i++) {
		msm_igt_assert_ok(gpu_trace_word(&events[i], key, other,
						 sizeof(other)));
		msm_igt_assert(!strcmp(one, other), "event %u: %s is %s, not %s\n",
			       i, key, other, one);
	}
}

/* What the phases of a bind must say, from event @i on */
struct phases {
	const char *reserve;
	const char *lock;
	const char *commit;
	const char *run;
	const char *retire;
};

static void expect_job(u32 i, const struct phases *want)
{
	expect(i, "msm_vm_reserve", want->reserve);
	expect(i + 1, "msm_vm_lock", want->lock);
	expect(i + 2, "msm_vm_commit", want->commit);
	expect(i + 3, "msm_vm_run", want->run);
	expect(i + 4, "msm_vm_retire", want->retire);
	expect_same(i, 5, "job");
}

/* Splits @a twice and replaces two of its pages by @b. */
static void bind_over(struct gpu_vm *vm, struct gpu_bo *b)
{
	const struct drm_msm_vm_bind_op ops[] = {
		gpu_bind_op_unmap(vm->area + GPU_PAGE, GPU_PAGE),
		gpu_bind_op_map(vm->area + 4 * GPU_PAGE, b, 0, b->size),
	};

	msm_igt_assert_ok(gpu_vm_bind(vm, ops, ARRAY_SIZE(ops)));
}

/* Refused because of its fence, when tables were set aside already */
static void bind_refused(struct gpu_vm *vm, struct gpu_bo *b)
{
	const struct drm_msm_vm_bind_op op =
		gpu_bind_op_map(vm->area + 2 * GPU_VM_AREA_OFFSET, b, 0, b->size);

	msm_igt_assert_ret(gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
					vm->dev.fd, NULL), -EINVAL);
}

/* Four-level tables: a new 1 GiB wants one of 2 MiB and one above. */
static const struct phases first = {
	"ops=1 vmas=3 pages=3", "locks=2", "seqno=0 ops=1 edits=1",
	"seqno=0 error=0 flushes=0 tables=3", "gone=0 pages=0",
};

static const struct phases map = {
	"ops=1 vmas=3 pages=2", "locks=2", "seqno=1 ops=1 edits=1",
	"seqno=1 error=0 flushes=0 tables=5", "gone=0 pages=0",
};

static const struct phases over = {
	"ops=2 vmas=5 pages=0", "locks=3", "seqno=2 ops=2 edits=3",
	"seqno=2 error=0 flushes=1 tables=5", "gone=2 pages=0",
};

/* The order of the lines is that of the calls, from the first to the last. */
static void phases(const void *arg)
{
	struct gpu_bo *a, *b;
	struct gpu_vm vm;
	char queue[32];

	start();
	vm_test_open(&vm);
	wait_for("msm_vm_retire", 1);
	a = vm_test_bo(&vm, 'A', 8);
	b = vm_test_bo(&vm, 'B', 2);
	vm_test_map(&vm, vm.area, a);
	wait_for("msm_vm_retire", 2);
	bind_over(&vm, b);
	wait_for("msm_vm_retire", 3);
	bind_refused(&vm, b);
	wait_for("msm_vm_retire", 4);
	snprintf(queue, sizeof(queue), "queue=%u", vm.bind_queue);
	vm_test_close(&vm);
	wait_for("msm_vm_free", 1);

	msm_igt_assert(nr_events == 20, "%u events, not 20\n", nr_events);
	expect_same(0, nr_events, "vm");
	expect(0, "msm_vm_create", "");
	expect_job(1, &first);
	expect_job(6, &map);
	expect(8, "msm_vm_commit", queue);
	expect_job(11, &over);
	expect(16, "msm_vm_reserve", "ops=1 vmas=3 pages=2");
	expect(17, "msm_vm_refuse", "");
	expect(18, "msm_vm_retire", "gone=0 pages=0");
	msm_igt_assert(strstr(events[17].text, "error=-22 reason=fd "),
		       "not refused for its fence: %s\n", events[17].text);
	/* The scratch buffer, three pieces of A, and B */
	expect(19, "msm_vm_free", "mapped=5 vmas=0 vm_bos=0 pages=0 jobs=0");
	gpu_trace_stop();
}

/* A VM that ends with a bind waiting is freed when that has run, not before. */
static void free_last(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct drm_msm_vm_bind_op op;
	struct gpu_bo *a;
	struct gpu_vm vm;
	u32 last;

	start();
	vm_test_open(&vm);
	a = vm_test_bo(&vm, 'A', 8);
	op = gpu_bind_op_map(vm.area, a, 0, a->size);
	wait_for("msm_vm_retire", 1);
	msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1,
				       gate.fence, NULL));
	vm_test_close(&vm);
	wait_for("msm_vm_commit", 2);
	usleep(GPU_FENCE_STILL_MS * 1000);
	msm_igt_assert(!count_of("msm_vm_free"), "freed with a job queued\n");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	wait_for("msm_vm_free", 1);
	last = nr_events - 1;
	/* Those of the scratch buffer: nobody is left to see what it maps. */
	expect(last - 2, "msm_vm_run", "seqno=1 error=0 tables=3");
	expect(last - 1, "msm_vm_retire", "gone=0 pages=0");
	expect(last, "msm_vm_free", "mapped=2 vmas=0 vm_bos=0 pages=0 jobs=0");
	gpu_gate_free(&gate);
	gpu_trace_stop();
}

static const struct msm_igt_subtest tests[] = {
	{ "phases", "an event for each phase, in order, with the right numbers",
	  phases },
	{ "free-last", "a VM goes after its last bind", free_last },
};

int main(int argc, char **argv)
{
	vm_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
