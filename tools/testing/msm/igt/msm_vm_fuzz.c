// SPDX-License-Identifier: MIT
/*
 * Random ioctls and random command streams, from a seed that is printed.
 *
 * Whether the kernel survived is for KASAN, lockdep and its other checkers to
 * say.  What is asserted here: the kernel's counters are back where they were
 * when the processes are gone, and the GPU still reads the right bytes and
 * faults where nothing is mapped.
 * Options: see vm_random.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_knob.h"
#include "gpu_mem.h"
#include "vm_fuzz.h"
#include "vm_level.h"
#include "vm_random.h"
#include "vm_test.h"

/* Two CPUs: one client more than can run at once */
#define CLIENTS		3
#define LIFE_MS		1500
#define POLL_MS		10
/* There are many hangs by chance; what is called one by mistake does no harm. */
#define HANGCHECK_MS	150
/* But the known-good jobs must not be taken for one. */
#define PATIENT_MS	10000
#define CMD_PAGES	8u
#define MAX_COUNTS	64

#define EXPECTED_DMESG							\
	"gpu fault|CP .*(error|fault)|hangcheck|gpu lockup|offending task|" \
	"completed fence|submitted fence|callbacks suppressed|stale translation"

static struct fuzz_count *counts;

/* What must hold whatever has happened before: a bind, a split, an unmap */
static void check_device(void)
{
	struct gpu_vm vm;

	gpu_devcore_clear();
	vm_test_open(&vm);
	vm_test_map(&vm, vm.area, vm_test_bo(&vm, 'A', 4));
	vm_test_unmap(&vm, vm.area + GPU_PAGE, 1);
	vm_test_expect(&vm, vm.area, "A0 . A2-3 .");
	vm_test_close(&vm);
}

/* One process: how far it came depends on the others, what it tries does not. */
static pid_t start_client(u64 client_seed)
{
	struct fuzz_client client;
	pid_t pid = fork();

	msm_igt_assert(pid >= 0, "fork: %d\n", -errno);
	if (pid)
		return pid;
	/* libigt would have its say. */
	signal(SIGBUS, SIG_DFL);
	fuzz_client_init(&client, client_seed, counts);
	for (;;)
		fuzz_client_step(&client);
}

/* A buffer that was purged or has no page any more gives SIGBUS. */
static void check_end(pid_t pid, int status)
{
	msm_igt_assert(WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL ||
					       WTERMSIG(status) == SIGBUS),
		       "client %d ended with status %x\n", pid, status);
}

static void report(u32 clients)
{
	u64 good = 0, bad = 0;
	u32 i;

	for (i = 0; i < fuzz_call_count; i++) {
		good += counts[i].good;
		bad += counts[i].bad;
		msm_igt_info("%-22s %9llu ok %9llu refused\n", fuzz_calls[i].name,
			     counts[i].good, counts[i].bad);
	}
	msm_igt_info("%llu calls, of which %llu refused, by %u processes; seed %llu\n",
		     good + bad, bad, clients, vm_random_seed);
	/* Else the fuzz would be of nothing but the argument checks. */
	msm_igt_assert(good > bad / 8, "too little succeeds\n");
}

static void run_ioctls(const void *arg)
{
	s64 end = vm_random_end_ms(), born[CLIENTS];
	u32 started = 0, i;
	pid_t pid[CLIENTS];
	int status;

	for (i = 0; i < CLIENTS; i++) {
		born[i] = vm_random_now_ms();
		pid[i] = start_client(vm_random_seed * 1000000 + started++);
	}
	while (vm_random_now_ms() < end) {
		for (i = 0; i < CLIENTS; i++) {
			if (vm_random_now_ms() - born[i] > LIFE_MS + i * LIFE_MS / CLIENTS)
				kill(pid[i], SIGKILL);
			if (waitpid(pid[i], &status, WNOHANG) != pid[i])
				continue;
			check_end(pid[i], status);
			born[i] = vm_random_now_ms();
			pid[i] = start_client(vm_random_seed * 1000000 + started++);
		}
		usleep(POLL_MS * 1000);
	}
	for (i = 0; i < CLIENTS; i++) {
		kill(pid[i], SIGKILL);
		msm_igt_assert(waitpid(pid[i], &status, 0) == pid[i], "no child\n");
		check_end(pid[i], status);
	}
	report(started);
}

/* A VM with something at its window: mapped, NULL, and holes. */
static struct gpu_bo *open_target(struct gpu_vm *vm)
{
	struct gpu_bo *bo;
	u32 i;

	vm_test_open(vm);
	bo = vm_test_bo(vm, 'F', FUZZ_WINDOW);
	vm_test_map(vm, vm->area, bo);
	for (i = 8; i < FUZZ_WINDOW; i += 8)
		vm_test_unmap(vm, vm->area + i * GPU_PAGE, 1);
	return bo;
}

/* Commands in the first pages of @bo, which they may overwrite. */
static int run_stream(struct gpu_vm *vm, struct gpu_bo *bo, struct gpu_rand *rand)
{
	u32 page = gpu_rand_below(rand, CMD_PAGES);
	u32 max = GPU_PAGE / sizeof(u32);
	struct gpu_job job = {
		.vm = vm,
		.cmd_iova = vm->area + page * GPU_PAGE,
	};
	int ret;

	job.cmd.count = fuzz_stream(rand, bo->map + page * max, max, vm->area,
				    gpu_rand_chance(rand, 50));
	ret = gpu_job_submit(&job, GPU_NO_FENCE);
	return ret ?: gpu_job_finish(&job);
}

static void run_streams(const void *arg)
{
	s64 end = vm_random_end_ms();
	u32 count = 0, failed = 0, vms = 1;
	struct gpu_rand rand;
	struct gpu_vm vm;
	struct gpu_bo *bo;
	int ret;

	gpu_rand_seed(&rand, vm_random_seed);
	bo = open_target(&vm);
	for (; vm_random_now_ms() < end; count++) {
		ret = run_stream(&vm, bo, &rand);
		msm_igt_assert(!ret || ret == -EIO || ret == -EPIPE ||
			       ret == -EINVAL, "stream %u: %d\n", count, ret);
		failed += ret != 0;
		/* Its VM is dead, as that of a job that hung must be. */
		if (ret != -EPIPE && ret != -EIO)
			continue;
		vm_test_close(&vm);
		bo = open_target(&vm);
		vms++;
	}
	vm_test_close(&vm);
	msm_igt_info("%u streams, of which %u failed, in %u VMs; seed %llu\n",
		     count, failed, vms, vm_random_seed);
	msm_igt_assert(count > failed, "too little succeeds\n");
}

struct fuzz {
	void (*run)(const void *arg);
};

static const struct fuzz fuzz_ioctls = { run_ioctls };
static const struct fuzz fuzz_streams = { run_streams };

static void survive(const void *arg)
{
	const struct fuzz *fuzz = arg;
	struct vm_level before;

	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(PATIENT_MS, NULL));
	check_device();
	vm_level_get(&before);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(HANGCHECK_MS, NULL));
	fuzz->run(NULL);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(PATIENT_MS, NULL));
	gpu_devcore_clear();
	vm_level_expect(&before);
	check_device();
	vm_level_expect(&before);
	gpu_devcore_clear();
}

static const struct msm_igt_subtest tests[] = {
	{ "ioctls", "random calls by processes that are killed", survive,
	  &fuzz_ioctls },
	{ "streams", "random commands on the GPU", survive, &fuzz_streams },
};

static void setup(void)
{
	vm_random_fixture(EXPECTED_DMESG);
	counts = mmap(NULL, MAX_COUNTS * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	msm_igt_assert(counts != MAP_FAILED && fuzz_call_count <= MAX_COUNTS,
		       "no counters\n");
}

int main(int argc, char **argv)
{
	vm_random_main(argc, argv, setup, tests, ARRAY_SIZE(tests));
}
