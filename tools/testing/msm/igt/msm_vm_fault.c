// SPDX-License-Identifier: MIT
/*
 * A job hangs the GPU: its VM is dead, nobody else's is.
 *
 * What is on its way in the dead VM does nothing, but its fences signal, in
 * order and with an error.  Other contexts' jobs are done.  A page fault alone
 * kills nothing.  It does not matter who has exited in the meantime.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_bind.h"
#include "gpu_fence.h"
#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "gpu_mem.h"
#include "vm_hangcheck.h"
#include "vm_long.h"
#include "vm_report.h"
#include "vm_ring.h"
#include "vm_train.h"

#define EXPECTED_DMESG \
	"gpu fault|CP opcode error|hangcheck|offending task|" \
	"completed fence|submitted fence|fault_handler: [0-9]+ callbacks"

/* Hangs are reported by interrupt, and no job that waits is one. */
#define HANGCHECK_MS	20000

static u32 hangcheck_before;

static void setup(void)
{
	vm_test_fixture();
	igt_emit_ignore_dmesg_regex(EXPECTED_DMESG);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(HANGCHECK_MS,
						   &hangcheck_before));
}

static void restore(void)
{
	gpu_devcore_clear();
	gpu_knob_keep_awake(false);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(hangcheck_before, NULL));
	vm_test_restore();
}

static u64 faults(struct gpu_dev *dev)
{
	u64 value = ~0ull;

	msm_igt_assert_ok(gpu_dev_get_param(dev, MSM_PARAM_FAULTS, &value));
	return value;
}

static u32 queue_faults(struct gpu_dev *dev)
{
	u32 value = ~0u;
	struct drm_msm_submitqueue_query req = {
		.data = (unsigned long)&value,
		.param = MSM_SUBMITQUEUE_PARAM_FAULTS,
		.len = sizeof(value),
	};

	msm_igt_assert_ok(gpu_ioctl(dev->fd, DRM_IOCTL_MSM_SUBMITQUEUE_QUERY,
				    &req));
	return value;
}

/*
 * The jobs of two VMs, in turn; the first of @guilty is to hang.  Its VM's are
 * dropped whether on the ring or not yet, the other's are done.
 */
static void hang_queued(const void *arg)
{
	struct vm_train guilty, other;
	u32 i;

	vm_train_open(&guilty);
	vm_train_open(&other);
	vm_train_wait(&guilty);
	vm_train_hang(&guilty, 0);
	vm_train_submit(&guilty, 0);
	for (i = 1; i < VM_TRAIN_JOBS; i++) {
		vm_train_mark(&guilty, i);
		vm_train_submit(&guilty, i);
		vm_train_mark(&other, i);
		vm_train_submit(&other, i);
	}
	vm_train_go(&guilty);

	msm_igt_assert_ret(vm_train_finish(&guilty, 0), -EIO);
	for (i = 1; i < VM_TRAIN_JOBS; i++) {
		msm_igt_assert_ret(vm_train_finish(&guilty, i), -ECANCELED);
		msm_igt_assert_ok(vm_train_finish(&other, i));
	}
	for (i = 1; i < VM_TRAIN_JOBS; i++) {
		msm_igt_assert(!vm_train_marked(&guilty, i),
			       "job %u of the dead VM ran\n", i);
		msm_igt_assert(vm_train_marked(&other, i),
			       "job %u of the other VM did not run\n", i);
	}
	vm_train_assert_dead(&guilty);
	vm_train_assert_alive(&other, 0);
	vm_train_close(&other);
	vm_train_close(&guilty);
}

/* A job that still waits for a fence when its VM dies, long after the rest */
static void hang_before_fence(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train;

	vm_train_open(&train);
	vm_train_wait(&train);
	vm_train_hang(&train, 0);
	vm_train_submit(&train, 0);
	vm_train_mark(&train, 1);
	msm_igt_assert_ok(vm_train_try(&train, 1, gate.fence));
	vm_train_go(&train);
	msm_igt_assert_ret(vm_train_finish(&train, 0), -EIO);
	msm_igt_assert(gpu_fence_busy_after(train.jobs[1].fence,
					    GPU_FENCE_STILL_MS),
		       "signalled before what it waits for\n");
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(vm_train_finish(&train, 1), -ECANCELED);
	msm_igt_assert(!vm_train_marked(&train, 1), "it ran\n");
	vm_train_close(&train);
	gpu_gate_free(&gate);
}

/* What a client does to find out and to clean up still works. */
static void hang_refused(const void *arg)
{
	struct drm_msm_wait_fence wait = { .timeout.tv_sec = 1 << 20 };
	struct vm_train train;
	struct gpu_bo bo;
	u64 value;
	u32 queue;

	vm_train_open(&train);
	vm_train_hang_now(&train);
	vm_train_assert_dead(&train);
	vm_train_assert_dead(&train);

	msm_igt_assert_ok(gpu_dev_get_param(&train.vm.dev, MSM_PARAM_VA_START,
					    &value));
	msm_igt_assert(value == train.vm.va_start, "VA_START %llx\n", value);
	msm_igt_assert_ok(gpu_bo_new(&train.vm.dev, GPU_PAGE, &bo));
	gpu_bo_free(&bo);
	msm_igt_assert_ok(gpu_dev_queue_new(&train.vm.dev,
					    MSM_SUBMITQUEUE_VM_BIND, 0,
					    &queue));
	msm_igt_assert_ok(gpu_dev_queue_close(&train.vm.dev, queue));
	/* Fence 1 of the default queue is that of the hung job. */
	wait.fence = 1;
	msm_igt_assert_ok(gpu_ioctl(train.vm.dev.fd,
				    DRM_IOCTL_MSM_WAIT_FENCE, &wait));
	msm_igt_assert_ret(gpu_dev_opt_in(&train.vm.dev), -EBUSY);
	vm_train_close(&train);
}

static void hang_counted(const void *arg)
{
	struct vm_train guilty, other;
	u64 before, others;

	vm_train_open(&guilty);
	vm_train_open(&other);
	before = faults(&guilty.vm.dev);
	others = faults(&other.vm.dev);
	msm_igt_assert_ret(queue_faults(&guilty.vm.dev), 0);

	vm_train_hang_now(&guilty);
	msm_igt_assert(faults(&guilty.vm.dev) == before + 1,
		       "%llu faults, %llu before the hang\n",
		       faults(&guilty.vm.dev), before);
	msm_igt_assert(faults(&other.vm.dev) == others,
		       "another context is told that it hung\n");
	msm_igt_assert_ret(queue_faults(&guilty.vm.dev), 1);
	msm_igt_assert_ret(queue_faults(&other.vm.dev), 0);
	vm_train_close(&other);
	vm_train_close(&guilty);
}

static void faults_stable(const void *arg)
{
	struct vm_train train;
	u64 before;
	u32 i;

	vm_train_open(&train);
	before = faults(&train.vm.dev);
	for (i = 0; i < VM_TRAIN_JOBS; i++) {
		vm_train_mark(&train, i);
		vm_train_submit(&train, i);
		msm_igt_assert_ok(vm_train_finish(&train, i));
		vm_test_map(&train.vm, train.vm.area + (64 + i) * GPU_PAGE,
			    train.out);
		msm_igt_assert(faults(&train.vm.dev) == before,
			       "FAULTS moved from %llu to %llu\n", before,
			       faults(&train.vm.dev));
	}
	vm_train_close(&train);
}

struct exited {
	struct vm_train *train;
	int in_fence;
	int ret;
};

static void *submit_and_exit(void *arg)
{
	struct exited *exited = arg;

	exited->ret = vm_train_try(exited->train, 0, exited->in_fence);
	return NULL;
}

/* The hang comes after the submitter's end, and all of it is as ever. */
static void hang_after_exit(struct vm_train *train, struct gpu_gate *gate)
{
	u64 before = faults(&train->vm.dev);

	msm_igt_assert_ok(gpu_gate_open(gate));
	/* Waits behind the job that hung, on the ring or before it */
	vm_train_mark(train, 1);
	while (!vm_train_try(train, 1, GPU_NO_FENCE))
		vm_train_finish(train, 1);
	vm_train_assert_dead(train);
	msm_igt_assert(faults(&train->vm.dev) == before + 1,
		       "%llu faults, %llu before the hang\n",
		       faults(&train->vm.dev), before);
}

static void hang_thread_exited(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train, other;
	struct exited exited = { &train, gate.fence, -EINVAL };
	pthread_t thread;

	vm_train_open(&train);
	vm_train_open(&other);
	vm_train_hang(&train, 0);
	msm_igt_assert_ret(pthread_create(&thread, NULL, submit_and_exit,
					  &exited), 0);
	msm_igt_assert_ret(pthread_join(thread, NULL), 0);
	msm_igt_assert_ok(exited.ret);

	hang_after_exit(&train, &gate);
	msm_igt_assert_ret(vm_train_finish(&train, 0), -EIO);
	vm_train_assert_alive(&other, 1);
	vm_train_close(&other);
	vm_train_close(&train);
	gpu_gate_free(&gate);
}

/* This process shares the context with the one that exited. */
static void hang_process_exited(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train, other;
	int status = -1;
	u64 others;
	pid_t pid;

	vm_train_open(&train);
	vm_train_open(&other);
	others = faults(&other.vm.dev);
	vm_train_hang(&train, 0);
	pid = fork();
	if (!pid)
		_exit(vm_train_try(&train, 0, gate.fence) ? 1 : 0);
	msm_igt_assert(pid > 0 && waitpid(pid, &status, 0) == pid && !status,
		       "child %d: status %d\n", pid, status);

	hang_after_exit(&train, &gate);
	msm_igt_assert(faults(&other.vm.dev) == others,
		       "another context is told that it hung\n");
	vm_train_assert_alive(&other, 1);
	vm_train_close(&other);
	vm_train_close(&train);
	gpu_gate_free(&gate);
}

/* Nobody has the context any more when it hangs the GPU. */
static void hang_closed(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train, other;
	int hung;

	vm_train_open(&train);
	vm_train_open(&other);
	vm_train_hang(&train, 0);
	msm_igt_assert_ok(vm_train_try(&train, 0, gate.fence));
	hung = train.jobs[0].fence;
	vm_test_close(&train.vm);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(gpu_fence_finish(hung), -EIO);
	vm_train_assert_alive(&other, 1);
	vm_train_close(&other);
	gpu_gate_free(&gate);
}

/* Binds that wait while their VM dies: not applied, and their fences say so. */
static void hang_bind_queued(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train;
	struct drm_msm_vm_bind_op ops[2];
	int fences[3], i;

	vm_train_open(&train);
	ops[0] = gpu_bind_op_map(train.vm.area + 64 * GPU_PAGE, train.out, 0,
				 GPU_PAGE);
	ops[1] = gpu_bind_op_unmap(train.vm.area + GPU_PAGE, GPU_PAGE);
	for (i = 0; i < 3; i++)
		msm_igt_assert_ok(gpu_bind_ops(&train.vm.dev,
					       train.vm.bind_queue, &ops[i],
					       i < 2, gate.fence, &fences[i]));
	vm_train_hang_now(&train);
	for (i = 0; i < 3; i++)
		msm_igt_assert(gpu_fence_busy_after(fences[i],
						    GPU_FENCE_STILL_MS),
			       "signalled before what it waits for\n");
	msm_igt_assert_ok(gpu_gate_open(&gate));
	for (i = 0; i < 3; i++)
		msm_igt_assert_ret(gpu_fence_finish(fences[i]), -EIO);
	vm_train_assert_dead(&train);
	vm_train_close(&train);
	gpu_gate_free(&gate);
}

/* A bind that is under way when its VM dies is cut off. */
static void hang_bind_running(const void *arg)
{
	struct vm_train train;
	u64 prr = 0;
	int fence;

	vm_train_open(&train);
	msm_igt_assert_ok(gpu_dev_get_param(&train.vm.dev, MSM_PARAM_HAS_PRR,
					    &prr));
	msm_igt_require(prr, "MSM_PARAM_HAS_PRR is 0: an SMMU without PRR\n");
	fence = vm_long_bind(&train.vm);
	vm_train_hang_now(&train);
	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);
	vm_train_assert_dead(&train);
	vm_train_close(&train);
}

/*
 * A dead VM has a mapping that it was to make and did not: reclaim takes the
 * pages all the same, and misses no entry.
 */
static void hang_evict(const void *arg)
{
	int ms = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS);
	struct gpu_gate gate = vm_test_gate();
	struct vm_train train;
	struct drm_msm_vm_bind_op op;
	struct gpu_bo *a;
	u64 before, now;
	int fence, ret;

	ret = gpu_mem_setup();
	msm_igt_require(ret != -ENOSPC, "no swap, nothing can be evicted\n");
	msm_igt_assert_ok(ret);
	vm_train_open(&train);
	a = vm_test_bo(&train.vm, 'A', 64);
	op = gpu_bind_op_map(train.vm.area + 64 * GPU_PAGE, a, 0, a->size);
	msm_igt_assert_ok(gpu_bind_ops(&train.vm.dev, train.vm.bind_queue, &op, 1,
				       gate.fence, &fence));
	vm_train_hang_now(&train);
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ret(gpu_fence_finish(fence), -EIO);

	msm_igt_assert_ok(gpu_mem_resident(&before));
	now = before;
	/* The worker that ends the bind may hold them for a moment. */
	for (; ms > 0 && now + a->size > before; ms -= 10) {
		msm_igt_assert_ok(gpu_mem_shrink());
		msm_igt_assert_ok(gpu_mem_resident(&now));
		usleep(10000);
	}
	msm_igt_assert(ms > 0, "%llu bytes left of %llu\n", now, before);
	vm_train_close(&train);
	gpu_gate_free(&gate);
}

/* Stopped and reported, and the VM goes on. */
static void fault_survived(const void *arg)
{
	struct gpu_fault fault;
	struct vm_train train;
	u64 iova, before;
	int write;

	vm_train_open(&train);
	before = faults(&train.vm.dev);
	for (write = 0; write < 2; write++) {
		iova = train.vm.area + 80 * GPU_PAGE + 0x128;
		msm_igt_assert_ok(gpu_job_fault_now(&train.vm, iova, write,
						    &fault));
		msm_igt_assert(fault.iova == iova, "fault at %llx, not %llx\n",
			       fault.iova, iova);
	}
	msm_igt_assert(faults(&train.vm.dev) == before,
		       "a page fault counts as a hang\n");
	vm_train_assert_alive(&train, 1);
	vm_train_close(&train);
}

/* The dump tells where the job faulted that hung afterwards. */
static void fault_then_hang(const void *arg)
{
	struct gpu_fault fault = { 0 };
	struct vm_train train;
	u64 iova;

	gpu_devcore_clear();
	vm_train_open(&train);
	iova = train.vm.area + 80 * GPU_PAGE + 0x14c;
	gpu_cmd_mem_write(&train.jobs[0].cmd, iova, 1);
	gpu_cmd_drain(&train.jobs[0].cmd);
	vm_train_hang_now(&train);
	msm_igt_assert_ok(gpu_devcore_take_fault(&fault, 2000));
	msm_igt_assert(fault.iova == iova && !strcmp(fault.dir, "WRITE"),
		       "%s fault at %llx, not %llx\n", fault.dir, fault.iova,
		       iova);
	vm_train_assert_dead(&train);
	vm_train_close(&train);
}

static void hang_dump(const void *arg)
{
	struct gpu_fault fault;
	struct vm_train train;

	gpu_devcore_clear();
	vm_train_open(&train);
	vm_train_hang_now(&train);
	/* There is a dump, and it knows of no fault. */
	msm_igt_assert_ret(gpu_devcore_take_fault(&fault, 2000), -ENODATA);
	vm_train_close(&train);
}

static void hang_again(const void *arg)
{
	struct vm_train train, other;
	u32 i;

	vm_train_open(&other);
	for (i = 0; i < VM_TRAIN_JOBS; i++) {
		vm_train_open(&train);
		vm_train_hang_now(&train);
		vm_train_assert_dead(&train);
		vm_train_close(&train);
		vm_train_mark(&other, i);
		vm_train_submit(&other, i);
		msm_igt_assert_ok(vm_train_finish(&other, i));
		msm_igt_assert(vm_train_marked(&other, i), "lost job %u\n", i);
	}
	vm_train_close(&other);
}

/* A context that did not opt in goes on after its hang, as ever. */
static void hang_legacy(const void *arg)
{
	struct gpu_bo cmds, data, *bos[] = { &cmds, &data };
	struct vm_train other;
	struct gpu_dev dev;
	struct gpu_cmd cmd;
	u64 iova, before;

	vm_train_open(&other);
	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &cmds));
	msm_igt_assert_ok(gpu_bo_new(&dev, GPU_PAGE, &data));
	msm_igt_assert_ok(gpu_legacy_iova(&data, &iova));
	before = faults(&dev);

	gpu_legacy_cmd(&cmd, &cmds);
	gpu_cmd_dword(&cmd, 0xdeaddead);
	msm_igt_assert_ok(gpu_legacy_run(&dev, &cmd, bos, 2));
	msm_igt_assert(faults(&dev) == before + 1, "the hang is not counted\n");

	gpu_legacy_cmd(&cmd, &cmds);
	gpu_cmd_mem_write(&cmd, iova, 0x600d0006);
	gpu_cmd_drain(&cmd);
	msm_igt_assert_ok(gpu_legacy_run(&dev, &cmd, bos, 2));
	msm_igt_assert(data.map[0] == 0x600d0006, "GPU left %08x\n",
		       data.map[0]);
	vm_train_assert_alive(&other, 1);

	gpu_bo_free(&data);
	gpu_bo_free(&cmds);
	gpu_dev_close(&dev);
	vm_train_close(&other);
}

/* The reset that ends a hang takes the PRR page from nobody. */
static void hang_null(const void *arg)
{
	struct drm_msm_vm_bind_op op;
	struct vm_train guilty;
	struct gpu_vm vm;
	u64 prr = 0;

	vm_test_open(&vm);
	msm_igt_assert_ok(gpu_dev_get_param(&vm.dev, MSM_PARAM_HAS_PRR, &prr));
	msm_igt_require(prr, "MSM_PARAM_HAS_PRR is 0: an SMMU without PRR\n");
	op = gpu_bind_op_null(vm.area, 2 * GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, &op, 1));

	vm_train_open(&guilty);
	vm_train_hang_now(&guilty);
	vm_test_expect(&vm, vm.area, "z2 .");
	op = gpu_bind_op_null(vm.area + GPU_PAGE, 2 * GPU_PAGE);
	msm_igt_assert_ok(gpu_vm_bind(&vm, &op, 1));
	vm_test_expect(&vm, vm.area, "z3 .");
	vm_train_close(&guilty);
	vm_test_close(&vm);
}

static const struct msm_igt_subtest tests[] = {
	{ "hang-queued", "queued jobs of the VM do nothing, others' are done",
	  hang_queued },
	{ "hang-before-fence", "a job that waits for a fence does nothing",
	  hang_before_fence },
	{ "hang-refused", "SUBMIT and VM_BIND say -EPIPE, nothing else does",
	  hang_refused },
	{ "hang-counted", "FAULTS of the guilty context and queue only",
	  hang_counted },
	{ "faults-stable", "FAULTS does not move without a hang",
	  faults_stable },
	{ "hang-thread-exited", "the submitting thread is gone",
	  hang_thread_exited },
	{ "hang-process-exited", "the submitting process is gone",
	  hang_process_exited },
	{ "hang-closed", "the context is closed", hang_closed },
	{ "hang-bind-queued", "fences of queued binds carry the error",
	  hang_bind_queued },
	{ "hang-bind-running", "nor does a bind that was under way go on",
	  hang_bind_running },
	{ "hang-evict", "what the dead VM did not map can be evicted",
	  hang_evict },
	{ "fault-survived", "a page fault alone kills nothing",
	  fault_survived },
	{ "fault-then-hang", "the dump has the address of the fault",
	  fault_then_hang },
	{ "fault-then-wait", "a job that stands still after a fault is a hang",
	  vm_hangcheck_fault },
	{ "slow-dump", "a hang that only the timer sees, and a slow dump of it",
	  vm_hangcheck_dump },
	{ "hang-then-wait", "a job that stands still after another's hang",
	  vm_hangcheck_next },
	{ "hang-dump", "there is a dump of a hang", hang_dump },
	{ "hang-null", "MAP_NULL of another VM, before and after", hang_null },
	{ "hang-again", "one VM after another", hang_again },
	{ "ring-most", "a submit of 1600 commands runs, one of 1601 does not",
	  vm_ring_most },
	{ "ring-full", "submits that a ring cannot hold together", vm_ring_full },
	{ "ring-replay", "nor when they are replayed", vm_ring_replay },
	{ "hang-legacy", "a context that did not opt in goes on", hang_legacy },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(setup);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_run(vm_report_tests, vm_report_count);
	msm_igt_fixture(restore);
	igt_exit();
}
