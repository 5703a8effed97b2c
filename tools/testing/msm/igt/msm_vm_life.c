// SPDX-License-Identifier: MIT
/*
 * How contexts begin and end: with work on its way, killed, many times.
 *
 * Ending waits for nothing and drops nothing: what was queued is done when it
 * may be, whoever holds a fence sees that, and then nothing is left.  The
 * witness is a counter of the kernel, or the memory that a job wrote, seen
 * through another context.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "gpu_account.h"
#include "gpu_fence.h"
#include "vm_race.h"
#include "vm_train.h"

/* How long workers may take to clean up; scaled */
#define SETTLE_MS	10000
#define POLL_MS		10

/* For rounds of a client's whole life: MSM_LIFE_ROUNDS=N in the environment */
#define ROUNDS		30
#define WARM_UP_ROUNDS	10
/* What each CPU keeps at hand of memory that it has charged already */
#define CHARGE_NOISE	(64 * 1024)
/* What the rest of the kernel takes now and then */
#define SLAB_NOISE	(512 * 1024)

/* The control group of the clients of a subtest; BOs are charged as shmem. */
static struct gpu_account_group group;

static void new_group(void)
{
	int ret = gpu_account_group_new(&group, "msm-vm-life");

	msm_igt_require(ret != -ENOENT, "no memory controller\n");
	msm_igt_assert_ok(ret);
}

static u64 count_charged(const char *kind)
{
	u64 bytes = 0;

	msm_igt_assert_ok(gpu_account_group_stat(&group, kind, &bytes));
	return bytes;
}

static u64 count_kernel(void)
{
	return count_charged("kernel");
}

static u64 count_bytes(void)
{
	return count_charged("shmem");
}

static u64 count_refs(void)
{
	u64 count = 0;

	msm_igt_assert_ok(gpu_account_refs(&count));
	return count;
}

static u64 count_vmas(void)
{
	u64 count = 0;
	int ret = gpu_account_slab("msm_vma", &count);

	msm_igt_assert(!ret || ret == -ENOENT, "slab counter: %d\n", ret);
	return count;
}

/* Wait until @now gives @before or less. */
static void assert_back(u64 (*now)(void), u64 before, const char *what)
{
	int left = gpu_fence_scaled_ms(SETTLE_MS) / POLL_MS;

	while (now() > before && left--)
		usleep(POLL_MS * 1000);
	msm_igt_assert(now() <= before, "%llu %s, %llu before\n", now(), what,
		       before);
}

/*
 * struct client - a process with a VM of its own and a bind that waits
 * @pid: the process
 * @ready: it writes here: one byte per step, or the number of a fence fd
 * @leave: when the other end is closed, it exits
 */
struct client {
	pid_t pid;
	int ready;
	int leave;
};

/* Only in the child: a negative errno ends it. */
static void must(int ret)
{
	if (ret < 0)
		_exit(2);
}

static void say(int fd, const void *what, size_t size)
{
	if (write(fd, what, size) != (ssize_t)size)
		_exit(3);
}

static struct client client_start(void (*live)(int ready, const void *arg),
				  const void *arg)
{
	int ready[2], leave[2];
	struct client client;
	char nothing;

	msm_igt_assert_ok(pipe(ready));
	msm_igt_assert_ok(pipe(leave));
	client.pid = fork();
	if (!client.pid) {
		close(ready[0]);
		close(leave[1]);
		live(ready[1], arg);
		_exit(read(leave[0], &nothing, 1) ? 4 : 0);
	}
	close(ready[1]);
	close(leave[0]);
	client.ready = ready[0];
	client.leave = leave[1];
	msm_igt_assert(client.pid > 0, "fork: %d\n", client.pid);
	return client;
}

/* Return: the client's status, see wait(). */
static int client_end(struct client *client, bool kill_it)
{
	int status = -1;

	if (kill_it)
		kill(client->pid, SIGKILL);
	close(client->leave);
	msm_igt_assert(waitpid(client->pid, &status, 0) == client->pid,
		       "no child\n");
	close(client->ready);
	return status;
}

/* The client's fd @fd as one of ours */
static int client_take_fd(struct client *client, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, client->pid, 0);
	int ours = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	msm_igt_assert(ours >= 0, "pidfd_getfd: %d\n", -errno);
	close(pidfd);
	return ours;
}

/*
 * A client's end with a bind that waits for a fence: mapping a buffer over
 * another, or unmapping; none of the buffers has a handle any more.
 */
struct blocked {
	bool unmap;
	bool kill;
	int gate;
};

static void live_blocked(int ready, const void *arg)
{
	const struct blocked *blocked = arg;
	struct drm_msm_vm_bind_op op;
	struct gpu_bo a, b;
	struct gpu_vm vm;
	int fence = GPU_NO_FENCE;

	must(gpu_account_group_enter(&group));
	must(gpu_vm_open(&vm));
	must(gpu_bo_new(&vm.dev, 16 * GPU_PAGE, &a));
	must(gpu_bo_new(&vm.dev, 4 * GPU_PAGE, &b));
	must(gpu_vm_map(&vm, vm.area, &a, 0, a.size));
	op = gpu_bind_op_map(vm.area + 4 * GPU_PAGE, &b, 0, b.size);
	if (blocked->unmap)
		op = gpu_bind_op_unmap(vm.area + 4 * GPU_PAGE, b.size);
	must(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1, blocked->gate,
			  &fence));
	gpu_bo_free(&a);
	gpu_bo_free(&b);
	say(ready, &fence, sizeof(fence));
}

static void end_blocked(const void *arg)
{
	struct blocked blocked = *(const struct blocked *)arg;
	struct gpu_gate gate = vm_test_gate();
	u64 refs = count_refs(), vmas = count_vmas();
	struct client client;
	int fence = -1, status;

	new_group();
	blocked.gate = gate.fence;
	client = client_start(live_blocked, &blocked);
	msm_igt_assert(read(client.ready, &fence, sizeof(fence)) ==
		       sizeof(fence), "the client failed\n");
	fence = client_take_fd(&client, fence);
	status = client_end(&client, blocked.kill);
	msm_igt_assert(blocked.kill == WIFSIGNALED(status), "status %x\n",
		       status);

	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "signalled before the bind may run\n");
	/* The fence is one reference, the VM another. */
	msm_igt_assert(count_refs() >= refs + 2, "the VM did not wait\n");
	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	assert_back(count_refs, refs, "references");
	assert_back(count_vmas, vmas, "VMAs");
	assert_back(count_bytes, 0, "bytes of buffers");
	gpu_account_group_free(&group);
	gpu_gate_free(&gate);
}

static const struct blocked kill_map = { .kill = true };
static const struct blocked kill_unmap = { .kill = true, .unmap = true };
static const struct blocked exit_map = { .kill = false };
static const struct blocked exit_unmap = { .kill = false, .unmap = true };

/* The context is closed while its job stands still on the ring. */
static void close_job_running(const void *arg)
{
	u64 refs = count_refs();
	struct vm_train train;
	struct gpu_dev watcher;
	struct gpu_bo far;
	int fence;

	msm_igt_assert_ok(gpu_dev_open(&watcher));
	vm_train_open(&train);
	msm_igt_assert_ok(gpu_bo_share(train.out, &watcher, &far));
	vm_train_wait(&train);
	vm_train_mark(&train, 0);
	vm_train_submit(&train, 0);
	fence = train.jobs[0].fence;
	vm_test_close(&train.vm);
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "signalled while the job stands still\n");

	far.map[VM_TRAIN_FLAG] = 1;
	msm_igt_assert_ok(gpu_fence_finish(fence));
	msm_igt_assert(far.map[VM_TRAIN_OUT] == VM_TRAIN_MARK,
		       "the job left %08x\n", far.map[VM_TRAIN_OUT]);
	gpu_bo_free(&far);
	gpu_dev_close(&watcher);
	assert_back(count_refs, refs, "references");
}

/* Somebody else has the fence and the buffer, so the job has to be done. */
static void close_job_queued(const void *arg)
{
	struct gpu_gate gate = vm_test_gate();
	u64 refs = count_refs();
	struct vm_train train;
	struct gpu_dev watcher;
	struct gpu_bo far;
	int fence;

	msm_igt_assert_ok(gpu_dev_open(&watcher));
	vm_train_open(&train);
	msm_igt_assert_ok(gpu_bo_share(train.out, &watcher, &far));
	vm_train_mark(&train, 0);
	msm_igt_assert_ok(vm_train_try(&train, 0, gate.fence));
	fence = train.jobs[0].fence;
	vm_test_close(&train.vm);
	msm_igt_assert(gpu_fence_busy_after(fence, GPU_FENCE_STILL_MS),
		       "signalled before the job may run\n");

	msm_igt_assert_ok(gpu_gate_open(&gate));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	msm_igt_assert(far.map[VM_TRAIN_OUT] == VM_TRAIN_MARK,
		       "the job left %08x\n", far.map[VM_TRAIN_OUT]);
	gpu_bo_free(&far);
	gpu_dev_close(&watcher);
	assert_back(count_refs, refs, "references");
	gpu_gate_free(&gate);
}

static void assert_readable(int fence)
{
	struct sync_fence_info fences[4] = { 0 };
	struct sync_file_info info = {
		.num_fences = ARRAY_SIZE(fences),
		.sync_fence_info = (unsigned long)fences,
	};

	msm_igt_assert_ok(gpu_ioctl(fence, SYNC_IOC_FILE_INFO, &info));
	msm_igt_assert(info.num_fences == 1 && info.status == 1 &&
		       fences[0].driver_name[0] && fences[0].obj_name[0],
		       "%u fences, status %d, names \"%.8s\" \"%.8s\"\n",
		       info.num_fences, info.status, fences[0].driver_name,
		       fences[0].obj_name);
	close(fence);
}

/* Fences of a bind and of a job, when the VM is gone for good */
static void fence_outlives(const void *arg)
{
	u64 refs = count_refs();
	struct vm_train train;
	int bind = GPU_NO_FENCE, job;

	vm_train_open(&train);
	msm_igt_assert_ok(gpu_bind_ops(&train.vm.dev, train.vm.bind_queue, NULL,
				       0, GPU_NO_FENCE, &bind));
	vm_train_mark(&train, 0);
	vm_train_submit(&train, 0);
	job = train.jobs[0].fence;
	msm_igt_assert_ok(gpu_fence_wait(job, GPU_FENCE_PATIENCE_MS));
	msm_igt_assert_ok(gpu_fence_wait(bind, GPU_FENCE_PATIENCE_MS));
	vm_test_close(&train.vm);
	/* One is the bind's fence itself. */
	assert_back(count_refs, refs + 1, "references");
	assert_readable(bind);
	assert_readable(job);
}

/* A life up to a bind that waits for @arg; a byte tells the parent of each step. */
#define STEPS	8

static void live_round(int ready, const void *arg)
{
	const int *gate = arg;
	struct drm_msm_vm_bind_op op;
	struct gpu_bo bo;
	struct gpu_vm vm;
	int i;

	must(gpu_account_group_enter(&group));
	say(ready, "s", 1);
	must(gpu_vm_open(&vm));
	must(gpu_bo_new(&vm.dev, 32 * GPU_PAGE, &bo));
	for (i = 0; i < STEPS; i++) {
		say(ready, "b", 1);
		must(gpu_vm_map(&vm, vm.area + (u64)i * GPU_VM_AREA_OFFSET,
				&bo, 0, bo.size));
		op = gpu_bind_op_unmap(vm.area + (u64)i * GPU_VM_AREA_OFFSET +
				       i * GPU_PAGE, GPU_PAGE);
		must(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1, GPU_NO_FENCE,
				  NULL));
	}
	must(gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1, *gate, NULL));
	say(ready, "w", 1);
}

static void live_and_die(u32 steps)
{
	struct gpu_gate gate = vm_test_gate();
	struct client client = client_start(live_round, &gate.fence);
	int status;
	char step;

	do {
		msm_igt_assert(read(client.ready, &step, 1) == 1,
			       "the client failed\n");
	} while (steps--);
	status = client_end(&client, true);
	msm_igt_assert(WIFSIGNALED(status), "status %x\n", status);
	gpu_gate_free(&gate);
}

static u64 count_slab(void)
{
	u64 bytes = 0;

	msm_igt_assert_ok(gpu_account_slab_bytes(&bytes));
	return bytes;
}

static void say_remains(const char *when, u64 charged, u64 slab)
{
	u64 pss = 0;

	msm_igt_assert_ok(gpu_account_pss_bytes(&pss));
	msm_igt_info("%s: charged to the group %llu KiB, slab %llu KiB, PSS %llu KiB\n",
		     when, charged / 1024, slab / 1024, pss / 1024);
}

static void rounds(const void *arg)
{
	const char *text = getenv("MSM_LIFE_ROUNDS");
	u32 count = text ? atoi(text) : ROUNDS, i;
	u64 refs = count_refs(), vmas = count_vmas(), kernel, slab;

	new_group();
	for (i = 0; i < WARM_UP_ROUNDS; i++)
		live_and_die(i % (STEPS + 2));
	assert_back(count_refs, refs, "references");
	kernel = count_kernel();
	slab = count_slab();
	say_remains("before", kernel, slab);
	for (i = 0; i < count; i++)
		live_and_die(i % (STEPS + 2));

	assert_back(count_refs, refs, "references");
	assert_back(count_vmas, vmas, "VMAs");
	assert_back(count_bytes, 0, "bytes of buffers");
	assert_back(count_kernel, kernel + CHARGE_NOISE, "bytes of the kernel");
	assert_back(count_slab, slab + SLAB_NOISE, "bytes of slabs");
	say_remains("after", count_kernel(), count_slab());
	gpu_account_group_free(&group);
}

/* What nobody can do right, nobody is offered. */
static void no_unbind(const void *arg)
{
	static const char * const drivers[] = { "msm", "adreno" };
	char path[128];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s",
			 drivers[i]);
		msm_igt_assert(!access(path, F_OK), "%s is missing\n", path);
		strcat(path, "/unbind");
		msm_igt_assert(access(path, F_OK), "%s is there\n", path);
	}
}

static u64 unreclaimable_slab(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	msm_igt_assert(file, "no /proc/meminfo\n");
	while (fgets(line, sizeof(line), file) &&
	       sscanf(line, "SUnreclaim: %llu", &kib) != 1)
		;
	fclose(file);

	return kib * 1024;
}

#define REFUSED_SUBMITS	200

/* A SUBMIT that is refused after its relocs were copied */
static void refused_relocs(const void *arg)
{
	const u32 nr = 40000;
	struct drm_msm_gem_submit_reloc *relocs = calloc(nr, sizeof(*relocs));
	struct drm_msm_gem_submit_cmd cmd = {
		.type = MSM_SUBMIT_CMD_BUF, .submit_idx = 7, .size = 64,
		.nr_relocs = nr, .relocs = (unsigned long)relocs,
	};
	u64 leak = REFUSED_SUBMITS * nr * sizeof(*relocs), before;
	struct gpu_dev dev;
	u32 i;

	msm_igt_assert(relocs, "no memory\n");
	msm_igt_assert_ok(gpu_dev_open(&dev));
	before = unreclaimable_slab();
	for (i = 0; i < REFUSED_SUBMITS; i++) {
		struct drm_msm_gem_submit req = {
			.flags = MSM_PIPE_3D0, .nr_cmds = 1,
			.cmds = (unsigned long)&cmd,
		};

		msm_igt_assert_ret(gpu_ioctl(dev.fd, DRM_IOCTL_MSM_GEM_SUBMIT,
					     &req), -EINVAL);
	}
	msm_igt_assert(unreclaimable_slab() < before + leak / 2,
		       "%llu bytes of slab are gone\n",
		       unreclaimable_slab() - before);
	gpu_dev_close(&dev);
	free(relocs);
}

static const struct msm_igt_subtest tests[] = {
	{ "kill-map-blocked", "killed while a map waits", end_blocked,
	  &kill_map },
	{ "kill-unmap-blocked", "killed while an unmap waits", end_blocked,
	  &kill_unmap },
	{ "exit-map-blocked", "exit while a map waits", end_blocked,
	  &exit_map },
	{ "exit-unmap-blocked", "exit while an unmap waits", end_blocked,
	  &exit_unmap },
	{ "close-job-running", "the job on the ring goes on",
	  close_job_running },
	{ "close-job-queued", "the job behind a fence is done",
	  close_job_queued },
	{ "fence-outlives", "fences are readable when the VM is gone",
	  fence_outlives },
	{ "rounds", "open, bind, be killed, again and again: nothing is left",
	  rounds },
	{ "refused-relocs", "a refused SUBMIT leaves nothing behind",
	  refused_relocs },
	{ "no-unbind", "drivers cannot be unbound through sysfs", no_unbind },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(vm_test_fixture);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_run(vm_race_tests, vm_race_count);
	msm_igt_fixture(vm_test_restore);
	igt_exit();
}
