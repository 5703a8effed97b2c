// SPDX-License-Identifier: MIT
/*
 * The control flow of an IGT test program, on the binary interface of libigt.
 *
 * libigt leaves a subtest (passed, failed or skipped) and a failed fixture by
 * siglongjmp() to igt_subtest_jmpbuf.  Both sigsetjmp() calls stand here, in
 * functions that keep no modified local across them.
 */
#include "msm_igt.h"

void msm_igt_start(int *argc, char **argv)
{
	igt_subtest_init_parse_opts(argc, argv, NULL, NULL, NULL, NULL, NULL);
}

void msm_igt_start_with(int *argc, char **argv, const struct option *options,
			const char *help,
			int (*handler)(int opt, int index, void *data))
{
	igt_subtest_init_parse_opts(argc, argv, NULL, options, help, handler,
				    NULL);
}

void msm_igt_fixture(void (*fn)(void))
{
	if (!__igt_fixture() || sigsetjmp(igt_subtest_jmpbuf, 1))
		return;
	fn();
	__igt_fixture_complete();
}

static void (*before_each)(void);

void msm_igt_before_each(void (*fn)(void))
{
	before_each = fn;
}

static void msm_igt_run_one(const struct msm_igt_subtest *test)
{
	igt_describe_f("%s", test->what);
	if (!__igt_run_subtest(test->name, __FILE__, __LINE__) ||
	    sigsetjmp(igt_subtest_jmpbuf, 1))
		return;
	if (before_each)
		before_each();
	test->run(test->arg);
	igt_success();
}

void msm_igt_run(const struct msm_igt_subtest *tests, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		msm_igt_run_one(&tests[i]);
}
