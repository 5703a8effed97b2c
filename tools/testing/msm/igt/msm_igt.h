/* SPDX-License-Identifier: MIT */
/*
 * What our tests need of Debian's libigt.so.0 (igt-gpu-tools 2.5).
 *
 * The distribution ships the library without headers, so these declarations
 * are ours, written from the binary interface.  A test program is one or more
 * tables of subtests: a function per subtest instead of a block behind a macro,
 * so that no local variable lives across the longjmp by which libigt leaves a
 * subtest.
 */
#ifndef __MSM_IGT_H__
#define __MSM_IGT_H__

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#define __noreturn	__attribute((__noreturn__))
#define __packed	__attribute((__packed__))
#define __printf(a, b)	__attribute((__format__(printf, a, b)))

/**
 * struct msm_igt_subtest - one line of a test program
 * @name: letters, digits, '_' and '-'
 * @what: what a broken driver would get wrong, for --describe
 * @run: the subtest; leaves by returning (pass) or through the checks below
 * @arg: passed to @run, so that one function can serve a table of cases
 */
struct msm_igt_subtest {
	const char *name;
	const char *what;
	void (*run)(const void *arg);
	const void *arg;
};

struct option;

/* Parse the command line; call first.  Only returns on success. */
void msm_igt_start(int *argc, char **argv);
/* The same, with options of the program's own; see getopt_long(). */
void msm_igt_start_with(int *argc, char **argv, const struct option *options,
			const char *help,
			int (*handler)(int opt, int index, void *data));
/* Run @fn unless only listing; a failed check in it fails all that follows. */
void msm_igt_fixture(void (*fn)(void));
/* Run @fn in each subtest that follows, before it. */
void msm_igt_before_each(void (*fn)(void));
void msm_igt_run(const struct msm_igt_subtest *tests, size_t count);

/* libigt.so.0, as exported: control flow, for msm_igt.c */
extern sigjmp_buf igt_subtest_jmpbuf;

int igt_subtest_init_parse_opts(int *argc, char **argv, const char *short_opts,
				const struct option *long_opts,
				const char *help,
				int (*handler)(int opt, int index, void *data),
				void *data);
bool __igt_fixture(void);
void __igt_fixture_complete(void);
bool __igt_run_subtest(const char *name, const char *file, const int line);
void igt_success(void);
__printf(1, 2) void igt_describe_f(const char *fmt, ...);

/* and for the tests */
__noreturn void igt_exit(void);
__printf(3, 4) void igt_log(const char *domain, int level,
			    const char *format, ...);
void igt_emit_ignore_dmesg_regex(const char *regex);
int drm_open_driver_render(int chipset);
int drm_close_driver(int fd);
__noreturn __printf(5, 6)
void __igt_skip_check(const char *file, const int line, const char *func,
		      const char *check, const char *format, ...);
__noreturn __printf(6, 7)
void __igt_fail_assert(const char *domain, const char *file, const int line,
		       const char *func, const char *assertion,
		       const char *format, ...);

#define MSM_IGT_DRIVER_MSM	0x40
#define MSM_IGT_LOG_INFO	1

#define msm_igt_info(...)	igt_log(NULL, MSM_IGT_LOG_INFO, __VA_ARGS__)

/* Fail the subtest unless @cond; the rest says what was seen. */
#define msm_igt_assert(cond, ...)					\
	do {								\
		if (!(cond))						\
			__igt_fail_assert(NULL, __FILE__, __LINE__,	\
					  __func__, #cond, __VA_ARGS__);\
	} while (0)

/* Skip the subtest unless @cond; the rest says what this machine lacks. */
#define msm_igt_require(cond, ...)					\
	do {								\
		if (!(cond))						\
			__igt_skip_check(__FILE__, __LINE__, __func__,	\
					 #cond, __VA_ARGS__);		\
	} while (0)

/* @call must return exactly @want: 0, or a negative errno. */
#define msm_igt_assert_ret(call, want)					\
	do {								\
		int got_ = (call), want_ = (want);			\
									\
		if (got_ != want_)					\
			__igt_fail_assert(NULL, __FILE__, __LINE__,	\
					  __func__, #call,		\
					  "returned %d, expected %d\n",	\
					  got_, want_);			\
	} while (0)

#define msm_igt_assert_ok(call)		msm_igt_assert_ret(call, 0)

#endif /* __MSM_IGT_H__ */
