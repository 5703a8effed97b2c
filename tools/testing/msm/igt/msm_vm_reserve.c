// SPDX-License-Identifier: MIT
/*
 * What a bind sets aside before it can run: who pays for it, who has to wait.
 *
 * The measure is a range of MAP_NULL so large that its page tables alone exceed
 * what a VM may have set aside before others wait; it takes no memory itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "gpu_account.h"
#include "gpu_fence.h"
#include "vm_test.h"

/* 1536 tables of 2 MiB each, 6 MiB; the limit is 4 MiB */
#define LARGE		(3 * 1024 * 1024 * 1024ull)
#define LARGE_TABLES	1536
#define POLL_MS		10

/* Two VMAs are set aside for each; none is smaller than this */
#define UNMAPS		4000
#define VMA_BYTES	128

static void require_null(struct gpu_vm *vm)
{
	u64 prr = 0;

	msm_igt_assert_ok(gpu_dev_get_param(&vm->dev, MSM_PARAM_HAS_PRR, &prr));
	msm_igt_require(prr, "no PRR\n");
}

/* Return: the out fence of a bind that waits for @gate. */
static int queue_large(struct gpu_vm *vm, const struct gpu_gate *gate)
{
	const struct drm_msm_vm_bind_op op = gpu_bind_op_null(vm->area, LARGE);
	int fence = GPU_NO_FENCE;

	msm_igt_assert_ok(gpu_bind_ops(&vm->dev, vm->bind_queue, &op, 1,
				       gate->fence, &fence));
	return fence;
}

/*
 * struct waiter - a thread in an ioctl
 * @fd: context
 * @req: the bind
 * @ret: what came of it
 */
struct waiter {
	pthread_t thread;
	int fd;
	struct drm_msm_vm_bind req;
	int ret;
};

/* Not through a helper: those try again after a signal. */
static void *wait_in_ioctl(void *arg)
{
	struct waiter *waiter = arg;

	waiter->ret = ioctl(waiter->fd, DRM_IOCTL_MSM_VM_BIND, &waiter->req) ?
		      -errno : 0;
	return NULL;
}

static void waiter_bind(struct waiter *waiter, struct gpu_vm *vm, u32 queue,
			struct drm_msm_vm_bind_op op)
{
	*waiter = (struct waiter){ .fd = vm->dev.fd };
	gpu_bind_request(&waiter->req, queue, &op, 1);
	msm_igt_assert_ok(pthread_create(&waiter->thread, NULL, wait_in_ioctl,
					 waiter));
}

/* A bind that needs a table when too much is set aside already */
static void waiter_start(struct waiter *waiter, struct gpu_vm *vm)
{
	waiter_bind(waiter, vm, vm->bind_queue,
		    gpu_bind_op_null(vm->area + LARGE, GPU_PAGE));
	usleep(GPU_FENCE_STILL_MS * 1000);
	msm_igt_assert(pthread_tryjoin_np(waiter->thread, NULL) == EBUSY,
		       "the bind does not wait: %d\n", waiter->ret);
}

static void on_signal(int number)
{
}

/* A signal that comes before the ioctl is without effect, so send some. */
static void waiter_interrupt(struct waiter *waiter)
{
	struct sigaction action = { .sa_handler = on_signal };
	int left = gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS) / POLL_MS;

	msm_igt_assert_ok(sigaction(SIGUSR1, &action, NULL));
	while (pthread_tryjoin_np(waiter->thread, NULL) && left--) {
		pthread_kill(waiter->thread, SIGUSR1);
		usleep(POLL_MS * 1000);
	}
	msm_igt_assert(left > 0, "the bind does not look at signals\n");
	msm_igt_assert_ret(waiter->ret, -EINTR);
}

/* KiB behind @key in the fdinfo of the context */
static u64 fdinfo_kib(struct gpu_vm *vm, const char *key)
{
	u64 kib = 0;

	msm_igt_assert_ok(gpu_vm_fdinfo(vm, key, &kib));
	return kib;
}

/* Of the large range: LARGE_TABLES, and one table for each GiB */
#define LARGE_KIB	((LARGE_TABLES + 3) * GPU_PAGE / 1024)

/* What waited and was interrupted has set nothing aside, nor given back. */
static void interrupt_leaves_nothing(struct gpu_vm *vm)
{
	struct vm_footprint before;
	struct waiter waiter;
	u64 reserved;

	vm_footprint_get(&before);
	waiter_start(&waiter, vm);
	waiter_interrupt(&waiter);
	vm_footprint_expect(&before);
	reserved = fdinfo_kib(vm, "msm-vm-reserved");
	msm_igt_assert(reserved == LARGE_KIB, "%llu KiB reserved, not %llu\n",
		       reserved, LARGE_KIB);
}

static void throttle(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct waiter waiter;
	struct gpu_vm vm, other;
	int fence;

	vm_test_open(&vm);
	require_null(&vm);
	fence = queue_large(&vm, &gate);
	interrupt_leaves_nothing(&vm);

	waiter_start(&waiter, &vm);
	/* It is the VM that has too much, nobody else. */
	vm_test_open(&other);
	vm_test_close(&other);
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "the first bind did not wait\n");
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(pthread_join(waiter.thread, NULL));
	msm_igt_assert_ok(waiter.ret);
	msm_igt_assert_ok(gpu_fence_finish(fence));
	msm_igt_assert_ok(gpu_bind_ops(&vm.dev, vm.bind_queue, NULL, 0,
				       GPU_NO_FENCE, &fence));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	vm_test_expect(&vm, vm.area + LARGE - GPU_PAGE, "z2 .");
	vm_test_close(&vm);
	gpu_gate_free(&gate);
}

/* Who finds its tables made needs nothing, so it waits for nobody. */
static void throttle_made(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	struct waiter waiter, rebind;
	struct timespec end;
	struct gpu_vm vm;
	u64 there;
	u32 queue;
	int fence;

	vm_test_open(&vm);
	require_null(&vm);
	there = vm.area + 2 * LARGE;
	vm_test_map(&vm, there, vm_test_bo(&vm, 'A', 2));
	msm_igt_assert_ok(gpu_dev_queue_new(&vm.dev, MSM_SUBMITQUEUE_VM_BIND, 0,
					    &queue));
	fence = queue_large(&vm, &gate);
	waiter_start(&waiter, &vm);

	waiter_bind(&rebind, &vm, queue, gpu_bind_op_null(there, GPU_PAGE));
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += gpu_fence_scaled_ms(GPU_FENCE_PATIENCE_MS) / 1000;
	msm_igt_assert_ok(pthread_timedjoin_np(rebind.thread, NULL, &end));
	msm_igt_assert_ok(rebind.ret);
	vm_test_expect(&vm, there, "z A1 .");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(pthread_join(waiter.thread, NULL));
	msm_igt_assert_ok(waiter.ret);
	msm_igt_assert_ok(gpu_fence_finish(fence));
	vm_test_close(&vm);
	gpu_gate_free(&gate);
}

static const struct gpu_account_group root = { "/sys/fs/cgroup" };
static struct gpu_account_group group;

static u64 charged(const char *kind)
{
	u64 bytes = 0;

	msm_igt_assert_ok(gpu_account_group_stat(&group, kind, &bytes));
	return bytes;
}

/* Return: the out fence of a bind of many operations that waits for @gate. */
static int queue_many(struct gpu_vm *vm, const struct gpu_gate *gate)
{
	struct drm_msm_vm_bind_op *ops = calloc(UNMAPS, sizeof(*ops));
	int fence = GPU_NO_FENCE;
	u32 i;

	for (i = 0; i < UNMAPS; i++)
		ops[i] = gpu_bind_op_unmap(vm->area + 2 * i * GPU_PAGE, GPU_PAGE);
	msm_igt_assert_ok(gpu_bind_ops(&vm->dev, vm->bind_queue, ops, UNMAPS,
				       gate->fence, &fence));
	free(ops);
	return fence;
}

/* The kernel may take two seconds to add up what each CPU has charged. */
static void expect_charged(const char *kind, u64 before, u64 bytes)
{
	int ms = gpu_fence_scaled_ms(4000);
	u64 now = charged(kind);

	for (; ms > 0 && now < before + bytes; ms -= 100) {
		usleep(100000);
		now = charged(kind);
	}
	msm_igt_assert(now >= before + bytes,
		       "%s: %llu bytes more, at least %llu expected\n", kind,
		       now - before, bytes);
}

/* Who binds pays, for what is set aside too. */
static void memcg(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	int ret = gpu_account_group_new(&group, "msm-vm-reserve");
	struct gpu_vm vm;
	int many, large;
	u64 before;

	msm_igt_require(ret != -ENOENT, "no memory controller\n");
	msm_igt_assert_ok(ret);
	msm_igt_assert_ok(gpu_account_group_enter(&group));
	vm_test_open(&vm);
	require_null(&vm);
	before = charged("slab");
	many = queue_many(&vm, &gate);
	expect_charged("slab", before, 2 * UNMAPS * VMA_BYTES);
	before = charged("kernel");
	large = queue_large(&vm, &gate);
	expect_charged("kernel", before, LARGE_TABLES * GPU_PAGE);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(many));
	msm_igt_assert_ok(gpu_fence_finish(large));
	vm_test_close(&vm);
	msm_igt_assert_ok(gpu_account_group_enter(&root));
	gpu_account_group_free(&group);
	gpu_gate_free(&gate);
}

/* The root, and one table of each level for the scratch buffer */
#define FIRST_TABLES	4

static void in_fdinfo(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	u64 before, reserved;
	struct gpu_vm vm;
	int fence;

	vm_test_open(&vm);
	require_null(&vm);
	before = fdinfo_kib(&vm, "msm-vm-tables");
	msm_igt_assert(before == FIRST_TABLES * GPU_PAGE / 1024,
		       "%llu KiB of tables in a new VM\n", before);
	fence = queue_large(&vm, &gate);
	reserved = fdinfo_kib(&vm, "msm-vm-reserved");
	msm_igt_assert(reserved == LARGE_KIB, "%llu KiB reserved, not %llu\n",
		       reserved, LARGE_KIB);

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	reserved = fdinfo_kib(&vm, "msm-vm-reserved");
	msm_igt_assert(!reserved, "%llu KiB left\n", reserved);
	msm_igt_assert(fdinfo_kib(&vm, "msm-vm-tables") == before + LARGE_KIB,
		       "%llu KiB of tables\n", fdinfo_kib(&vm, "msm-vm-tables"));
	vm_test_close(&vm);
	gpu_gate_free(&gate);
}

static const struct msm_igt_subtest tests[] = {
	{ "throttle", "a client that piles up reserves waits, others do not",
	  throttle },
	{ "throttle-made", "a bind that needs no table does not wait",
	  throttle_made },
	{ "fdinfo", "page tables, made and set aside, in /proc", in_fdinfo },
	{ "memcg", "VMAs and table pages are charged to the caller", memcg },
};

int main(int argc, char **argv)
{
	vm_test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
