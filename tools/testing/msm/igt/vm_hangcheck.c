// SPDX-License-Identifier: MIT
/*
 * Jobs that stand still: no interrupt tells of them, only the hangcheck timer
 * finds them.
 *
 * It has to run whenever such a job may be on the GPU, and must not when the GPU
 * stands still because the driver is about to reset it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_knob.h"
#include "vm_hangcheck.h"
#include "vm_train.h"

#define WAITS_MS	1000

/*
 * An open "hangrd" takes 511 bytes of a hang, and recovery waits for somebody to
 * read them before there are more: 20 for each command of the job, and the start
 * that is there at once.
 */
#define HANGRD		"/sys/kernel/debug/dri/128/hangrd"
#define HANGRD_HEAD	28
#define HANGRD_CMDS	32

/* More than two of the timer's periods, which end with a full second */
#define DUMP_MS		5000

/* Off, and on again */
#define RECOVERY_RESETS	2

static u32 hangcheck_before;

static void begin(void)
{
	gpu_devcore_clear();
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(WAITS_MS, &hangcheck_before));
}

static void end(void)
{
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(hangcheck_before, NULL));
}

static u64 faults(struct gpu_dev *dev)
{
	u64 value = ~0ull;

	msm_igt_assert_ok(gpu_dev_get_param(dev, MSM_PARAM_FAULTS, &value));
	return value;
}

/*
 * A job that faults and then stands still.  Nothing else is on its way that
 * would start the hangcheck timer, which the fault has stopped.
 */
void vm_hangcheck_fault(const void *arg)
{
	struct vm_train train;

	begin();
	vm_train_open(&train);
	gpu_cmd_mem_write(&train.jobs[0].cmd, train.vm.area + 80 * GPU_PAGE, 1);
	vm_train_wait(&train);
	vm_train_submit(&train, 0);
	msm_igt_assert_ret(vm_train_finish(&train, 0), -EIO);
	end();
	vm_train_assert_dead(&train);
	vm_train_close(&train);
}

/* Job 0 waits for ever, in more commands than "hangrd" holds a line of. */
static void submit_waiter(struct vm_train *train)
{
	struct drm_msm_gem_submit_cmd cmds[HANGRD_CMDS];
	struct drm_msm_gem_submit req;

	vm_train_wait(train);
	gpu_job_request(&train->jobs[0], &req, cmds);
	for (u32 i = 1; i < HANGRD_CMDS; i++)
		cmds[i] = cmds[0];
	req.nr_cmds = HANGRD_CMDS;
	msm_igt_assert_ok(gpu_job_ioctl(&train->jobs[0], &req));
}

/* Hold up the recovery that is to come, for DUMP_MS from when it starts. */
static void hold_recovery(int hangrd)
{
	char head[HANGRD_HEAD + 1];
	ssize_t len = 0, ret;

	while (len < (ssize_t)sizeof(head)) {
		ret = read(hangrd, head + len, sizeof(head) - len);
		msm_igt_assert(ret > 0, "hangrd: %zd, %d\n", ret, -errno);
		len += ret;
	}
	usleep(DUMP_MS * 1000);
}

static void submit_all(struct vm_train *train)
{
	for (u32 i = 0; i < VM_TRAIN_JOBS; i++) {
		vm_train_mark(train, i);
		vm_train_submit(train, i);
	}
}

static void finish_all(struct vm_train *train)
{
	for (u32 i = 0; i < VM_TRAIN_JOBS; i++) {
		msm_igt_assert_ok(vm_train_finish(train, i));
		msm_igt_assert(vm_train_marked(train, i), "lost job %u\n", i);
	}
}

/*
 * The timer would run out again before the GPU is reset.  The job that is on it
 * then has hung nothing.
 */
void vm_hangcheck_dump(const void *arg)
{
	struct vm_train guilty, other;
	u64 before, others, resets = 0, now = 0;
	int hangrd;

	begin();
	/* Or there are resets that no hang is to blame for. */
	msm_igt_assert_ok(gpu_knob_keep_awake(true));
	hangrd = open(HANGRD, O_RDONLY | O_CLOEXEC);
	msm_igt_assert(hangrd >= 0, "no " HANGRD ": %d\n", -errno);
	vm_train_open(&guilty);
	vm_train_open(&other);
	before = faults(&guilty.vm.dev);
	others = faults(&other.vm.dev);
	/* The first job starts the GPU, which is a reset, too. */
	msm_igt_assert_ok(gpu_job_write_now(&other.vm, other.vm.area, 0));
	msm_igt_assert_ok(gpu_knob_stat("resets", &resets));
	submit_waiter(&guilty);
	submit_all(&other);
	hold_recovery(hangrd);
	close(hangrd);

	msm_igt_assert_ret(vm_train_finish(&guilty, 0), -EIO);
	finish_all(&other);
	msm_igt_assert_ok(gpu_knob_stat("resets", &now));
	msm_igt_assert(now == resets + RECOVERY_RESETS,
		       "%llu resets for a hang\n", now - resets);
	msm_igt_assert(faults(&guilty.vm.dev) == before + 1, "no hang\n");
	msm_igt_assert(faults(&other.vm.dev) == others,
		       "another context is told that it hung\n");
	end();
	msm_igt_assert_ok(gpu_knob_keep_awake(false));
	vm_train_assert_dead(&guilty);
	vm_train_assert_alive(&other, 0);
	vm_train_close(&other);
	vm_train_close(&guilty);
}

/*
 * A job that hangs the GPU, of which an interrupt tells and the timer is stopped;
 * behind it one that stands still.  All are on the ring by then, so that nothing
 * but the recovery starts the timer again.
 */
void vm_hangcheck_next(const void *arg)
{
	struct vm_train guilty, waiter, other;

	vm_train_open(&guilty);
	vm_train_open(&waiter);
	vm_train_open(&other);
	vm_train_wait(&guilty);
	vm_train_hang(&guilty, 0);
	vm_train_submit(&guilty, 0);
	vm_train_wait(&waiter);
	vm_train_submit(&waiter, 0);
	vm_train_mark(&other, 1);
	vm_train_submit(&other, 1);
	msm_igt_assert(gpu_fence_busy_after(other.jobs[1].fence,
					    GPU_FENCE_STILL_MS),
		       "it overtook\n");
	begin();
	vm_train_go(&guilty);

	msm_igt_assert_ret(vm_train_finish(&guilty, 0), -EIO);
	msm_igt_assert_ret(vm_train_finish(&waiter, 0), -EIO);
	msm_igt_assert_ok(vm_train_finish(&other, 1));
	end();
	vm_train_assert_alive(&other, 0);
	vm_train_close(&other);
	vm_train_close(&waiter);
	vm_train_close(&guilty);
}
