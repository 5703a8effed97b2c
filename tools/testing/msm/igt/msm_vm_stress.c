// SPDX-License-Identifier: MIT
/*
 * Everything at once: processes with several threads that share a VM, each
 * with queues of its own; memory pressure; clients that are killed with work on
 * its way; clients that hang the GPU; and allocations that fail at random.
 *
 * The workers look at their memory through the GPU all the time, so an entry
 * that is missing, stale, or of somebody else is seen.  What others do to
 * themselves must not touch them.
 * Options: see vm_random.c.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_knob.h"
#include "gpu_mem.h"
#include "vm_level.h"
#include "vm_stress.h"
#include "vm_random.h"

#define ILLEGAL_HEADER	0xdeaddead
#define PAUSE_MS	150
#define VICTIM_MS	100
/* Of the allocations of a worker */
#define FAIL_ONE_IN	100

#define EXPECTED_DMESG							\
	"gpu fault|CP .*(error|fault)|hangcheck|gpu lockup|offending task|" \
	"completed fence|submitted fence|callbacks suppressed|FAULT_INJECTION|" \
	"failed to allocate sgt|could not get pages|VM_FAULT_OOM leaked"

enum { ROLE_WORK, ROLE_WORK_TOO, ROLE_SHRINK, ROLE_HANG, ROLE_VICTIM, ROLES };

/* In children: what goes wrong is printed, and ends the process. */
static void must(const char *what, int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "%s: %d\n", what, ret);
	_exit(1);
}

/* Workers */

struct thread {
	struct stress_worker worker;
	pthread_t thread;
	s64 end;
	bool good;
};

static void *work(void *arg)
{
	struct thread *t = arg;

	if (t->worker.faulty)
		must("make-it-fail", gpu_knob_fail_randomly(true));
	t->good = true;
	while (t->good && vm_random_now_ms() < t->end)
		t->good = stress_worker_step(&t->worker);
	if (t->worker.faulty)
		gpu_knob_fail_randomly(false);
	return NULL;
}

static int workers(u64 process_seed, s64 end, bool faulty)
{
	struct thread threads[STRESS_THREADS];
	u64 binds = 0, looks = 0, refused = 0;
	bool good = true;
	struct gpu_vm vm;
	u32 i;

	must("open", gpu_vm_open(&vm));
	for (i = 0; i < STRESS_THREADS; i++) {
		must("worker", stress_worker_open(&threads[i].worker, &vm, i,
						  process_seed));
		threads[i].worker.faulty = faulty;
		threads[i].end = end;
	}
	for (i = 0; i < STRESS_THREADS; i++)
		must("thread", pthread_create(&threads[i].thread, NULL, work,
					      &threads[i]));
	for (i = 0; i < STRESS_THREADS; i++) {
		pthread_join(threads[i].thread, NULL);
		binds += threads[i].worker.binds;
		looks += threads[i].worker.looks;
		refused += threads[i].worker.refused;
		if (threads[i].good)
			continue;
		good = false;
		fprintf(stderr, "%s\n", threads[i].worker.text);
	}
	fprintf(stderr, "%llu binds, %llu pages read, %llu refused for want of memory\n",
		binds, looks, refused);
	/* Else nothing was tested. */
	return good && binds && looks && (refused || !faulty) ? 0 : 1;
}

/* The others */

static int shrink(s64 end)
{
	while (vm_random_now_ms() < end) {
		must("shrink", gpu_mem_shrink());
		gpu_mem_swap_out(1);
	}
	return 0;
}

static int hang(s64 end)
{
	struct gpu_job job;
	struct gpu_vm vm;

	while (vm_random_now_ms() < end) {
		must("open", gpu_vm_open(&vm));
		gpu_job_begin(&job, &vm, 0);
		gpu_cmd_dword(&job.cmd, ILLEGAL_HEADER);
		must("hang", gpu_job_submit(&job, GPU_NO_FENCE));
		must("a job that hung", gpu_job_finish(&job) != -EIO);
		must("a dead VM", gpu_vm_unmap(&vm, vm.area, GPU_PAGE) != -EPIPE);
		gpu_vm_close(&vm);
		gpu_devcore_clear();
		usleep(PAUSE_MS * 1000);
	}
	return 0;
}

/* Binds and jobs of which some wait for a fence that the death signals */
static void live(u64 victim_seed)
{
	struct drm_msm_vm_bind_op op;
	struct stress_worker worker;
	struct gpu_gate gate;
	struct gpu_vm vm;

	must("open", gpu_vm_open(&vm));
	must("worker", stress_worker_open(&worker, &vm, 0, victim_seed));
	must("gate", gpu_gate_new(&gate));
	for (;;) {
		if (!stress_worker_step(&worker))
			must(worker.text, 1);
		op = gpu_bind_op_map(vm.area + GPU_VM_AREA_OFFSET, &worker.bo[0],
				     0, GPU_PAGE);
		must("blocked bind",
		     gpu_bind_ops(&vm.dev, vm.bind_queue, &op, 1, gate.fence, NULL));
	}
}

static int victims(u64 process_seed, s64 end)
{
	struct gpu_rand rand;
	int status;
	pid_t pid;

	gpu_rand_seed(&rand, process_seed);
	while (vm_random_now_ms() < end) {
		pid = fork();
		if (!pid)
			live(gpu_rand_next(&rand));
		usleep((VICTIM_MS + gpu_rand_below(&rand, 4 * VICTIM_MS)) * 1000);
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			must("a victim ended by itself", status);
		gpu_rand_next(&rand);
	}
	return 0;
}

static int play(u32 role, s64 end, bool faulty)
{
	switch (role) {
	case ROLE_SHRINK:
		return shrink(end);
	case ROLE_HANG:
		return hang(end);
	case ROLE_VICTIM:
		return victims(vm_random_seed * 1000 + role, end);
	default:
		return workers(vm_random_seed * 1000 + role, end, faulty);
	}
}

static void all(bool faulty)
{
	static const char * const names[] = {
		"worker", "other worker", "shrinker", "hanging client", "victims",
	};
	s64 end = vm_random_end_ms();
	pid_t pid[ROLES];
	u32 role, bad = 0;
	int status;

	for (role = 0; role < ROLES; role++) {
		pid[role] = fork();
		msm_igt_assert(pid[role] >= 0, "fork: %d\n", -errno);
		if (!pid[role])
			_exit(play(role, end, faulty));
	}
	for (role = 0; role < ROLES; role++) {
		msm_igt_assert(waitpid(pid[role], &status, 0) == pid[role],
			       "no child\n");
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			msm_igt_info("%s: status %x\n", names[role], status);
			bad++;
		}
	}
	msm_igt_assert(!bad, "%u processes failed; seed %llu\n", bad, vm_random_seed);
}

static void stress(const void *arg)
{
	const bool *faulty = arg;
	struct vm_level before;
	struct gpu_vm vm;

	msm_igt_require(gpu_mem_setup() != -ENOSPC, "no swap\n");
	if (*faulty) {
		msm_igt_require(gpu_knob_can_fail(), "no fault injection\n");
		msm_igt_assert_ok(gpu_knob_fail_one_in(FAIL_ONE_IN));
	}
	vm_level_get(&before);
	all(*faulty);
	if (*faulty)
		msm_igt_assert_ok(gpu_knob_fail_one_in(0));
	gpu_devcore_clear();
	vm_level_expect(&before);

	vm_test_open(&vm);
	vm_test_map(&vm, vm.area, vm_test_bo(&vm, 'A', 2));
	vm_test_expect(&vm, vm.area, "A0-1 .");
	vm_test_close(&vm);
	vm_level_expect(&before);
}

static const bool no_faults, faults = true;

static const struct msm_igt_subtest tests[] = {
	{ "mix", "binds, jobs, reclaim, kills and hangs at once", stress,
	  &no_faults },
	{ "faults", "the same, and allocations of the workers fail", stress,
	  &faults },
};

static void setup(void)
{
	vm_random_fixture(EXPECTED_DMESG);
}

int main(int argc, char **argv)
{
	vm_random_seconds = 8;
	vm_random_main(argc, argv, setup, tests, ARRAY_SIZE(tests));
}
