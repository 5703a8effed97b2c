// SPDX-License-Identifier: MIT
/*
 * The frame of a program whose subtests run for some time on random numbers.
 *
 *	--seed N	what the random numbers start from, 1 by default
 *	--seconds N	how long each subtest runs, vm_random_seconds by default
 *
 * The reason of each refusal would be all that the kernel log has, so the
 * reasons are off meanwhile.
 */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "gpu_reason.h"
#include "vm_random.h"

u64 vm_random_seed = 1;
u32 vm_random_seconds = 15;

s64 vm_random_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* When a subtest that begins now is to end */
s64 vm_random_end_ms(void)
{
	return vm_random_now_ms() + vm_random_seconds * 1000ll;
}

void vm_random_fixture(const char *expected_dmesg)
{
	vm_test_fixture();
	msm_igt_assert_ok(gpu_reason_stop());
	igt_emit_ignore_dmesg_regex(expected_dmesg);
}

static void restore(void)
{
	msm_igt_assert_ok(gpu_reason_start());
	vm_test_restore();
}

static int option(int opt, int index, void *data)
{
	if (opt == 's')
		vm_random_seed = strtoull(optarg, NULL, 0);
	else
		vm_random_seconds = strtoul(optarg, NULL, 0);
	return 0;
}

__noreturn void vm_random_main(int argc, char **argv, void (*setup)(void),
			       const struct msm_igt_subtest *tests, size_t count)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ 0 }
	};

	msm_igt_start_with(&argc, argv, options,
			   "  --seed N     what the random numbers start from\n"
			   "  --seconds N  how long each subtest runs\n", option);
	msm_igt_fixture(setup);
	msm_igt_run(tests, count);
	msm_igt_fixture(restore);
	igt_exit();
}
