// SPDX-License-Identifier: MIT
/*
 * Threads that begin and end at the same time: the first ioctls of a context,
 * and the first and last VM of all.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "vm_race.h"
#include "vm_test.h"

/* The first and the last: threads, and how long they go on, not scaled */
#define CROWD		4
#define CROWD_MS	3000
#define MIN_ROUNDS	4
/* How long workers may take to clean up; scaled */
#define SETTLE_MS	10000
#define POLL_MS		10

/*
 * Two threads with a new context, of which each does something else first.
 */
struct racer {
	pthread_barrier_t *start;
	struct gpu_dev *dev;
	int (*act)(struct gpu_dev *dev);
	int ret;
};

static int act_opt_in(struct gpu_dev *dev)
{
	return gpu_dev_opt_in(dev);
}

/* Needs an address that the kernel chooses, so it is no VM_BIND from then on */
static int act_legacy(struct gpu_dev *dev)
{
	struct gpu_bo bo;
	u64 iova;
	int ret;

	ret = gpu_bo_new(dev, GPU_PAGE, &bo);
	if (ret)
		return ret;
	ret = gpu_legacy_iova(&bo, &iova);
	gpu_bo_free(&bo);
	return ret;
}

/* No command, but an address space that the kernel manages */
static int act_submit(struct gpu_dev *dev)
{
	struct drm_msm_gem_submit submit = { .flags = MSM_PIPE_3D0 };

	return gpu_ioctl(dev->fd, DRM_IOCTL_MSM_GEM_SUBMIT, &submit);
}

static int act_bind_queue(struct gpu_dev *dev)
{
	u32 queue;

	return gpu_dev_queue_new(dev, MSM_SUBMITQUEUE_VM_BIND, 0, &queue);
}

/* Where it can be made, it belongs to the VM that there is. */
static int act_no_share(struct gpu_dev *dev)
{
	struct drm_msm_vm_bind_op op;
	u64 start, size;
	struct gpu_bo bo;
	u32 queue;
	int ret;

	dev->bo_flags = MSM_BO_NO_SHARE;
	ret = gpu_bo_new(dev, GPU_PAGE, &bo);
	if (ret)
		return ret;
	ret = gpu_dev_va_range(dev, &start, &size);
	ret = ret ?: gpu_dev_queue_new(dev, MSM_SUBMITQUEUE_VM_BIND, 0, &queue);
	op = gpu_bind_op_map(start, &bo, 0, bo.size);
	ret = ret ?: gpu_bind_ops(dev, queue, &op, 1, GPU_NO_FENCE, NULL);
	gpu_bo_free(&bo);
	return ret ? -EIO : 0;
}

static void *race(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(racer->start);
	racer->ret = racer->act(racer->dev);
	return NULL;
}

/**
 * struct race_case - what races the opt-in
 * @act: it
 * @first: its result when it comes first
 * @second: and when it comes second
 * @claims: coming first it makes the context one without VM_BIND
 */
struct race_case {
	int (*act)(struct gpu_dev *dev);
	int first;
	int second;
	bool claims;
};

static const struct race_case race_twice = { act_opt_in, 0, -EBUSY, true };
static const struct race_case race_legacy = { act_legacy, 0, -EINVAL, true };
static const struct race_case race_submit = { act_submit, 0, 0, true };
static const struct race_case race_queue = { act_bind_queue, -EINVAL, 0, false };
static const struct race_case race_no_share = { act_no_share, -EINVAL, 0, false };

/* One comes first, and both results say so. */
static void expect_order(const struct race_case *c, int opt_in, int act)
{
	bool act_first = act == c->first && opt_in == (c->claims ? -EBUSY : 0);
	bool act_second = act == c->second && !opt_in;

	msm_igt_assert(act_first || act_second, "opt-in %d, other %d\n",
		       opt_in, act);
}

static void first_ioctls(const void *arg)
{
	const struct race_case *c = arg;
	struct racer racers[2];
	pthread_t threads[2];
	pthread_barrier_t start;
	struct gpu_dev dev;
	int i, t;

	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 100; i++) {
		msm_igt_assert_ok(gpu_dev_open(&dev));
		racers[0] = (struct racer){ &start, &dev, act_opt_in, 1 };
		racers[1] = (struct racer){ &start, &dev, c->act, 1 };
		for (t = 0; t < 2; t++)
			msm_igt_assert_ok(pthread_create(&threads[t], NULL,
							 race, &racers[t]));
		for (t = 0; t < 2; t++)
			msm_igt_assert_ok(pthread_join(threads[t], NULL));
		expect_order(c, racers[0].ret, racers[1].ret);
		msm_igt_assert_ret(gpu_dev_opt_in(&dev), -EBUSY);
		gpu_dev_close(&dev);
	}
	pthread_barrier_destroy(&start);
}

/*
 * struct visitor - a thread with a VM for a moment
 * @start: where it waits for the others
 * @ret: what came of it
 * @seen: what the GPU read of a NULL mapping
 */
struct visitor {
	pthread_barrier_t *start;
	pthread_t thread;
	int ret;
	u32 seen;
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;
	struct drm_msm_vm_bind_op op;
	struct gpu_vm vm;

	visitor->seen = ~0u;
	pthread_barrier_wait(visitor->start);
	visitor->ret = gpu_vm_open(&vm);
	if (visitor->ret)
		return NULL;
	op = gpu_bind_op_null(vm.area, GPU_PAGE);
	visitor->ret = gpu_vm_bind(&vm, &op, 1) ?:
		       gpu_job_read_now(&vm, vm.area, &visitor->seen);
	gpu_vm_close(&vm);
	return NULL;
}

static void visit_together(void)
{
	struct visitor visitors[CROWD];
	pthread_barrier_t start;
	u32 i;

	pthread_barrier_init(&start, NULL, CROWD);
	for (i = 0; i < CROWD; i++) {
		visitors[i].start = &start;
		msm_igt_assert_ok(pthread_create(&visitors[i].thread, NULL,
						 visit, &visitors[i]));
	}
	for (i = 0; i < CROWD; i++)
		msm_igt_assert_ok(pthread_join(visitors[i].thread, NULL));
	for (i = 0; i < CROWD; i++)
		msm_igt_assert(!visitors[i].ret && !visitors[i].seen,
			       "thread %u: %d, the GPU read %08x\n", i,
			       visitors[i].ret, visitors[i].seen);
	pthread_barrier_destroy(&start);
}

/* Only of a GPU that is awake: one that sleeps has forgotten. */
static bool prr_is_on(void)
{
	u64 on = 0;

	msm_igt_assert_ok(gpu_knob_stat("prr_enabled", &on));
	return on;
}

/* Wait until no VM is left, so that the next one is the first. */
static void until_none(void)
{
	int left = gpu_fence_scaled_ms(SETTLE_MS) / POLL_MS;

	while (prr_is_on() && left--)
		usleep(POLL_MS * 1000);
	msm_igt_assert(left >= 0, "nobody has a VM, and there is a PRR page\n");
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/*
 * The first VM turns on what all share, TTBR0 and the PRR page, and the last one
 * turns it off.  Every second time all are gone before the next ones come; else
 * these meet those that go.  It takes seconds because VMs go in a worker, after
 * an RCU grace period.
 */
static void first_and_last(const void *arg)
{
	struct gpu_dev dev;
	u64 value = 0, end;
	u32 rounds;

	msm_igt_assert_ok(gpu_dev_open(&dev));
	msm_igt_require(!gpu_knob_get("seed", &value),
			"this GPU is not the virtual one\n");
	msm_igt_assert_ok(gpu_dev_get_param(&dev, MSM_PARAM_HAS_PRR, &value));
	msm_igt_require(value, "no PRR\n");
	msm_igt_assert_ok(gpu_knob_keep_awake(true));
	msm_igt_assert(prr_is_on(), "a context, and no PRR page\n");
	msm_igt_assert_ok(gpu_dev_close_files());

	end = now_ms() + CROWD_MS;
	for (rounds = 0; rounds < MIN_ROUNDS || now_ms() < end; rounds++) {
		if (!(rounds & 1))
			until_none();
		visit_together();
	}
	until_none();
	msm_igt_assert_ok(gpu_knob_keep_awake(false));
	msm_igt_info("%u rounds of %u threads\n", rounds, CROWD);
}

const struct msm_igt_subtest vm_race_tests[] = {
	{ "race-opt-in-twice", "one thread opts in, the other is too late",
	  first_ioctls, &race_twice },
	{ "race-opt-in-legacy", "a context is one kind or the other",
	  first_ioctls, &race_legacy },
	{ "race-opt-in-submit", "the same", first_ioctls, &race_submit },
	{ "race-opt-in-queue", "a queue for binds is one of a VM",
	  first_ioctls, &race_queue },
	{ "race-opt-in-no-share", "a BO is private to the VM that there is",
	  first_ioctls, &race_no_share },
	{ "first-and-last", "what all VMs share comes and goes with them",
	  first_and_last },
};

const size_t vm_race_count = ARRAY_SIZE(vm_race_tests);
