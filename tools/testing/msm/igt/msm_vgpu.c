// SPDX-License-Identifier: MIT
/*
 * The virtual Adreno's faults on demand: each must be seen, and be survived.
 *
 * These are tests of the tests.  A suite on this GPU is worth something only
 * if a driver with a bug fails it, so the first subtest makes the driver forget
 * its TLB invalidations and looks for the harm; and if the driver copes with
 * what real hardware does wrong now and then.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <drm/msm_drm.h>

#include "gpu_devcore.h"
#include "gpu_fence.h"
#include "gpu_job.h"
#include "gpu_knob.h"
#include "gpu_legacy.h"
#include "msm_igt.h"

/* An address that the kernel does not choose by itself so early */
#define FAR_IOVA	0x300000000ull
#define ILLEGAL_HEADER	0xdeaddead
#define HANGCHECK_MS	1500
#define DUMPS		20
#define TICKS_PER_US	19.2
/* Off, and on again */
#define RECOVERY_RESETS	2

#define EXPECTED_DMESG \
	"gpu fault|CP opcode error|hangcheck|offending task|" \
	"does not start again|the CP does not start|" \
	"completed fence|submitted fence|stale translation"

static const char * const knobs[] = {
	"forget_inv", "tlb_strict", "fault_at_access", "hang_at_packet",
	"lose_irq_at", "lose_hang_report", "false_starts", "watch_size",
};

/**
 * struct bench - a context with a command buffer and two targets
 * @dev: the context
 * @cmd_bo: for commands
 * @a: a target
 * @b: another
 */
struct bench {
	struct gpu_dev dev;
	struct gpu_bo cmd_bo, a, b;
};

static struct bench bench;
static u32 hangcheck_before;

static void quiet(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		msm_igt_assert_ok(gpu_knob_set(knobs[i], 0));
}

static void setup(void)
{
	u64 value;

	igt_emit_ignore_dmesg_regex(EXPECTED_DMESG);
	msm_igt_assert_ok(gpu_dev_open(&bench.dev));
	msm_igt_require(!gpu_knob_get("seed", &value),
			"this GPU is not the virtual one\n");
	quiet();
	msm_igt_assert_ok(gpu_knob_keep_awake(true));
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(HANGCHECK_MS,
						   &hangcheck_before));
	msm_igt_assert_ok(gpu_bo_new(&bench.dev, GPU_PAGE, &bench.cmd_bo));
	msm_igt_assert_ok(gpu_bo_new(&bench.dev, GPU_PAGE, &bench.a));
	msm_igt_assert_ok(gpu_bo_new(&bench.dev, GPU_PAGE, &bench.b));
}

static void restore(void)
{
	u32 i;

	if (bench.dev.fd <= 0)
		return;
	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		gpu_knob_set(knobs[i], 0);
	gpu_devcore_clear();
	gpu_dev_set_hangcheck_ms(hangcheck_before, NULL);
	gpu_knob_keep_awake(false);
	gpu_dev_close(&bench.dev);
}

static u64 stat_now(const char *name)
{
	u64 value = 0;

	msm_igt_assert_ok(gpu_knob_stat(name, &value));
	return value;
}

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static int place(struct gpu_bo *bo, u64 iova)
{
	return gpu_bo_info(bo, MSM_INFO_SET_IOVA, &iova);
}

static int run(struct gpu_cmd *cmd)
{
	struct gpu_bo *const bos[] = { &bench.cmd_bo, &bench.a, &bench.b };

	return gpu_legacy_run(&bench.dev, cmd, bos, ARRAY_SIZE(bos));
}

static int write_far(u32 value)
{
	struct gpu_cmd cmd;

	gpu_legacy_cmd(&cmd, &bench.cmd_bo);
	gpu_cmd_mem_write(&cmd, FAR_IOVA, value);
	gpu_cmd_drain(&cmd);
	return run(&cmd);
}

/* A job after whatever happened must do its work. */
static void assert_works(u32 value)
{
	u64 iova;
	struct gpu_cmd cmd;

	msm_igt_assert_ok(gpu_legacy_iova(&bench.a, &iova));
	gpu_legacy_cmd(&cmd, &bench.cmd_bo);
	gpu_cmd_mem_write(&cmd, iova, value);
	gpu_cmd_drain(&cmd);
	msm_igt_assert_ok(run(&cmd));
	msm_igt_assert(bench.a.map[0] == value,
		       "a job after it wrote %#x, expected %#x\n",
		       bench.a.map[0], value);
}

/*
 * Let @a and then @b be at the same address, and write there each time.  No
 * page is freed in between, so that a forgotten invalidation harms only us.
 */
static void replace_and_write(u32 first, u32 second)
{
	bench.a.map[0] = 0;
	bench.b.map[0] = 0;

	/* What is named in a submit gets an address if it has none */
	msm_igt_assert_ok(place(&bench.b, 0));
	msm_igt_assert_ok(place(&bench.a, 0));
	msm_igt_assert_ok(place(&bench.a, FAR_IOVA));
	msm_igt_assert_ok(write_far(first));
	msm_igt_assert(bench.a.map[0] == first, "the first write is lost\n");

	msm_igt_assert_ok(place(&bench.a, 0));
	msm_igt_assert_ok(place(&bench.b, 0));
	msm_igt_assert_ok(place(&bench.b, FAR_IOVA));
	msm_igt_assert_ok(write_far(second));

	msm_igt_assert_ok(place(&bench.b, 0));
	msm_igt_assert_ok(place(&bench.a, 0));
}

static void invalidation(const void *arg)
{
	u64 stale;

	msm_igt_assert_ok(gpu_knob_set("tlb_strict", 1));
	stale = stat_now("stale_hits");
	replace_and_write(1, 2);
	msm_igt_assert(bench.b.map[0] == 2 && bench.a.map[0] == 1,
		       "a %u b %u, expected 1 and 2\n", bench.a.map[0],
		       bench.b.map[0]);
	msm_igt_assert(stat_now("stale_hits") == stale,
		       "the TLB served what was unmapped\n");
}

static void invalidation_forgotten(const void *arg)
{
	u64 stale;

	msm_igt_assert_ok(gpu_knob_set("tlb_strict", 1));
	stale = stat_now("stale_hits");
	msm_igt_assert_ok(gpu_knob_set("forget_inv", GPU_KNOB_FORGET_ALL));
	replace_and_write(3, 4);
	msm_igt_assert_ok(gpu_knob_set("forget_inv", 0));
	msm_igt_assert(bench.b.map[0] == 0 && bench.a.map[0] == 4,
		       "a %u b %u: nobody would notice the bug\n",
		       bench.a.map[0], bench.b.map[0]);
	msm_igt_assert(stat_now("stale_hits") > stale,
		       "strict mode did not notice the bug\n");
	quiet();
	invalidation(NULL);
}

/* Run something illegal; return how long its fence took. */
static u64 hang_ms(void)
{
	u64 start = now_ms();
	struct gpu_cmd cmd;
	u64 errors = stat_now("cp_errors");

	gpu_legacy_cmd(&cmd, &bench.cmd_bo);
	gpu_cmd_dword(&cmd, ILLEGAL_HEADER);
	/* The fence of a job that hung may or may not carry an error */
	run(&cmd);
	msm_igt_assert(stat_now("cp_errors") == errors + 1,
		       "the CP did not stop\n");
	return now_ms() - start;
}

static void hang_reported(const void *arg)
{
	u64 ms = hang_ms();

	msm_igt_assert(ms < 2 * HANGCHECK_MS,
		       "recovery took %llu ms: not prompt\n", ms);
	assert_works(0x11);
}

static void hang_report_lost(const void *arg)
{
	u64 ms;

	msm_igt_assert_ok(gpu_knob_set("lose_hang_report", 1));
	ms = hang_ms();
	msm_igt_assert(ms >= HANGCHECK_MS,
		       "recovered after %llu ms: the report was not lost\n",
		       ms);
	quiet();
	assert_works(0x12);
}

/* The CP does not start again after the hang; the next job resets once more. */
static void restart_fails(const void *arg)
{
	u64 resets;

	assert_works(0x15);
	resets = stat_now("resets");
	msm_igt_assert_ok(gpu_knob_set("false_starts", 1));
	hang_ms();
	assert_works(0x16);
	msm_igt_assert(stat_now("resets") == resets + RECOVERY_RESETS + 1,
		       "it started at once\n");
	quiet();
}

/* Until it is killed, or we are gone */
static pid_t start_reader(void)
{
	pid_t pid = fork();

	msm_igt_assert(pid >= 0, "fork: %d\n", -errno);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		gpu_devcore_read_end();
}

/* A dump that somebody still reads after it was cleared, and a hang */
static void dump_again(const void *arg)
{
	pid_t reader = start_reader();
	u32 i;

	gpu_devcore_clear();
	for (i = 0; i < DUMPS; i++) {
		hang_ms();
		msm_igt_assert(!gpu_devcore_count() || gpu_devcore_linked(),
			       "%u: no link to the dump\n", i);
		gpu_devcore_clear();
	}
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
}

static void interrupt_lost(const void *arg)
{
	u64 lost = stat_now("lost_irqs");

	msm_igt_assert_ok(gpu_knob_set("lose_irq_at", 1));
	assert_works(0x13);
	msm_igt_assert(stat_now("lost_irqs") == lost + 1,
		       "no interrupt was lost\n");
	quiet();
	assert_works(0x14);
}

static void hang_at_packet(const void *arg)
{
	struct gpu_cmd cmd;
	u64 resets = stat_now("resets");

	msm_igt_assert_ok(gpu_knob_set("hang_at_packet", 2));
	gpu_legacy_cmd(&cmd, &bench.cmd_bo);
	gpu_cmd_nop(&cmd, 0);
	gpu_cmd_nop(&cmd, 0);
	run(&cmd);
	msm_igt_assert(stat_now("resets") > resets, "nobody reset the GPU\n");
	quiet();
	assert_works(0x15);
}

static void fault_at_access(const void *arg)
{
	u64 faults = stat_now("faults");
	struct gpu_cmd cmd;
	u64 iova;

	msm_igt_assert_ok(gpu_legacy_iova(&bench.a, &iova));
	msm_igt_assert_ok(gpu_knob_set("fault_at_access", 1));
	gpu_legacy_cmd(&cmd, &bench.cmd_bo);
	gpu_cmd_mem_write(&cmd, iova, 0x16);
	gpu_cmd_drain(&cmd);
	run(&cmd);
	msm_igt_assert(stat_now("faults") == faults + 1, "no fault\n");
	quiet();
	assert_works(0x17);
}

static void bad_values(const void *arg)
{
	u64 entries, value;

	msm_igt_assert_ok(gpu_knob_get("tlb_entries", &entries));
	msm_igt_assert_ret(gpu_knob_set("tlb_entries", 0), -EINVAL);
	msm_igt_assert_ret(gpu_knob_set("tlb_entries", 1ull << 32), -EINVAL);
	msm_igt_assert_ret(gpu_knob_set("tlb_strict", 2), -EINVAL);
	msm_igt_assert_ok(gpu_knob_get("tlb_entries", &value));
	msm_igt_assert(value == entries, "a refused value was kept\n");
}

static void stats_reset(const void *arg)
{
	assert_works(0x18);
	msm_igt_assert(stat_now("fence_irqs"), "nothing was counted\n");
	msm_igt_assert_ok(gpu_knob_set("stats", 0));
	msm_igt_assert(!stat_now("fence_irqs"), "the counts were kept\n");
}

static u64 now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void timestamp(const void *arg)
{
	u64 before, after, began, us = 100000;

	began = now_us();
	msm_igt_assert_ok(gpu_dev_get_param(&bench.dev, MSM_PARAM_TIMESTAMP,
					    &before));
	usleep(us);
	msm_igt_assert_ok(gpu_dev_get_param(&bench.dev, MSM_PARAM_TIMESTAMP,
					    &after));
	msm_igt_assert(after - before >= us * TICKS_PER_US,
		       "%llu ticks in at least %llu us\n", after - before, us);
	us = now_us() - began;
	msm_igt_assert(after - before <= (us + 1) * TICKS_PER_US,
		       "%llu ticks in at most %llu us\n", after - before, us);
}

/* Pages of the watched range, and mapped neighbours on both sides */
#define WATCHED		4
#define AROUND		16
#define PATIENT_MS	30000

/* A job that runs until its second result is written */
static int begin_waiting_job(struct gpu_job *job, struct gpu_vm *vm)
{
	int ret;

	gpu_job_begin(job, vm, 0);
	job->result[0] = 0;
	job->result[1] = 0;
	gpu_cmd_mem_write(&job->cmd, job->result_iova, 1);
	gpu_cmd_wait_mem_gte(&job->cmd, job->result_iova + sizeof(u32), 1);
	ret = gpu_job_submit(job, GPU_NO_FENCE);
	while (!ret && !__atomic_load_n(job->result, __ATOMIC_ACQUIRE))
		usleep(1000);
	return ret;
}

static int end_waiting_job(struct gpu_job *job)
{
	__atomic_store_n(job->result + 1, 1, __ATOMIC_RELEASE);
	return gpu_job_finish(job);
}

/*
 * Bind and unbind beside pages that a running job may use: the watcher, which
 * walks the tables at each invalidation, never finds one of them missing.
 * Unbind one of them, and it does.
 */
static void watch(const void *arg)
{
	u64 checks = stat_now("watch_checks"), lost = stat_now("watch_lost");
	struct gpu_vm vm;
	struct gpu_job job;
	struct gpu_bo bo;
	u64 from;
	u32 i;

	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(PATIENT_MS, NULL));
	msm_igt_assert_ok(gpu_vm_open(&vm));
	msm_igt_assert_ok(gpu_bo_new(&vm.dev, AROUND * GPU_PAGE, &bo));
	msm_igt_assert_ok(gpu_vm_map(&vm, vm.area, &bo, 0, AROUND * GPU_PAGE));
	from = vm.area + (AROUND - WATCHED) / 2 * GPU_PAGE;
	msm_igt_assert_ok(gpu_knob_set("watch_iova", from));
	msm_igt_assert_ok(gpu_knob_set("watch_size", WATCHED * GPU_PAGE));
	msm_igt_assert_ok(begin_waiting_job(&job, &vm));

	for (i = 0; i < AROUND; i++) {
		u64 iova = vm.area + i * GPU_PAGE;

		if (iova >= from && iova < from + WATCHED * GPU_PAGE)
			continue;
		msm_igt_assert_ok(gpu_vm_unmap(&vm, iova, GPU_PAGE));
		if (i & 1)
			msm_igt_assert_ok(gpu_vm_map(&vm, iova, &bo, 0, GPU_PAGE));
	}
	checks = stat_now("watch_checks") - checks;
	msm_igt_assert(checks >= AROUND - WATCHED,
		       "the watcher looked %llu times\n", checks);
	msm_igt_assert(stat_now("watch_lost") == lost, "a neighbour was lost\n");

	msm_igt_assert_ok(gpu_vm_unmap(&vm, from + GPU_PAGE, 2 * GPU_PAGE));
	msm_igt_assert(stat_now("watch_lost") == lost + 2,
		       "the watcher missed what went away\n");

	msm_igt_assert_ok(end_waiting_job(&job));
	msm_igt_assert_ok(gpu_knob_set("watch_size", 0));
	gpu_bo_free(&bo);
	gpu_vm_close(&vm);
	msm_igt_assert_ok(gpu_dev_set_hangcheck_ms(HANGCHECK_MS, NULL));
}

/* Flags of the buffer called @name, as the driver has them */
static u32 flags_of(const char *name)
{
	FILE *file = fopen("/sys/kernel/debug/dri/128/gem", "r");
	char line[256];
	u32 flags = 0;

	msm_igt_assert(file, "no list of buffers\n");
	while (!flags && fgets(line, sizeof(line), file))
		if (strstr(line, name))
			flags = strtoul(line, NULL, 16);
	fclose(file);
	return flags;
}

/*
 * The GPU is a thread behind the CPU's caches: what user space asks to be
 * write-combined is cached, or one of them would not see the other's writes on
 * machines that are strict about it.
 */
static void cached(const void *arg)
{
	static const char name[] = "probe-of-flags";
	struct drm_msm_gem_info req = {
		.handle = bench.a.handle,
		.info = MSM_INFO_SET_NAME,
		.value = (uintptr_t)name,
		.len = sizeof(name) - 1,
	};
	u32 flags;

	msm_igt_assert_ok(gpu_ioctl(bench.dev.fd, DRM_IOCTL_MSM_GEM_INFO, &req));
	flags = flags_of(name);
	msm_igt_assert(flags & MSM_BO_CACHED && !(flags & MSM_BO_WC),
		       "the buffer has the flags %08x\n", flags);
}

/* The page behind sparse holes comes with the first context */
static void prr_page(const void *arg)
{
	u64 deadline = now_ms() + PATIENT_MS;

	msm_igt_assert(stat_now("prr_enabled"), "there is no PRR page\n");

	/* ... and goes with the last one, which its last job may keep a while */
	restore();
	while (stat_now("prr_enabled") && now_ms() < deadline)
		usleep(1000);
	msm_igt_assert(!stat_now("prr_enabled"), "the PRR page stayed\n");

	setup();
	msm_igt_assert(stat_now("prr_enabled"), "the PRR page is not back\n");
}

/* By which user space decides what to do: those of an Adreno 650 */
static void identity(const void *arg)
{
	static const struct {
		u32 param;
		u64 want;
	} params[] = {
		{ MSM_PARAM_GPU_ID, 650 },
		{ MSM_PARAM_CHIP_ID, 0x06050002 },
		{ MSM_PARAM_GMEM_SIZE, 0x120000 },
		{ MSM_PARAM_GMEM_BASE, 0 },
		{ MSM_PARAM_PRIORITIES, 3 },
		{ MSM_PARAM_HAS_PRR, 1 },
	};
	u64 value;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		value = ~0ull;
		msm_igt_assert_ok(gpu_dev_get_param(&bench.dev, params[i].param,
						    &value));
		msm_igt_assert(value == params[i].want,
			       "parameter %x is %#llx, not %#llx\n",
			       params[i].param, value, params[i].want);
	}
}

static const struct msm_igt_subtest tests[] = {
	{ "identity", "It is an Adreno 650", identity },
	{ "invalidation", "What is unmapped is out of the TLB", invalidation },
	{ "invalidation-forgotten", "A lost invalidation is seen as wrong data",
	  invalidation_forgotten },
	{ "hang-reported", "The hang interrupt recovers at once",
	  hang_reported },
	{ "hang-report-lost", "Without it the hangcheck recovers",
	  hang_report_lost },
	{ "restart-fails", "A job after a reset in vain resets again",
	  restart_fails },
	{ "dump-again", "The dump of the next hang, while one reads the last",
	  dump_again },
	{ "interrupt-lost", "A lost fence interrupt delays, not more",
	  interrupt_lost },
	{ "hang-at-packet", "A hang where we want it", hang_at_packet },
	{ "fault-at-access", "A fault where we want it", fault_at_access },
	{ "bad-values", "Refused values change nothing", bad_values },
	{ "stats-reset", "Counters start over", stats_reset },
	{ "watch", "Binds leave what a job uses alone, at every moment", watch },
	{ "cached", "Write-combined buffers are cached", cached },
	{ "prr-page", "The PRR page comes and goes with contexts", prr_page },
	{ "timestamp", "The counter runs at 19.2 MHz or faster", timestamp },
};

int main(int argc, char **argv)
{
	msm_igt_start(&argc, argv);
	msm_igt_fixture(setup);
	msm_igt_run(tests, ARRAY_SIZE(tests));
	msm_igt_fixture(restore);
	igt_exit();
}
