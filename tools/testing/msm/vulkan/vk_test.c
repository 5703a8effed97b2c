// SPDX-License-Identifier: MIT
/*
 * Tests of a Vulkan program: each in a process of its own, one line for each.
 *
 * A test has a device of its own, so that a lost device or a crash of the
 * driver is the failure of one test.  A test that neither passes nor fails
 * (killed, or gone too early) fails.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "vk_test.h"

#define PASSED	0
#define FAILED	98	/* and has said why */

/* Seconds; rounds-200 takes 100 under emulation, 200 when others use the CPUs */
#define LIMIT	500

static const char *running = "?";

/* End the running test. */
void vk_fail(const char *format, ...)
{
	va_list args;

	printf("FAIL %s: ", running);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(FAILED);
}

static const char *result_name(VkResult result)
{
	switch (result) {
	case VK_NOT_READY:
		return "VK_NOT_READY";
	case VK_TIMEOUT:
		return "VK_TIMEOUT";
	case VK_ERROR_OUT_OF_HOST_MEMORY:
		return "VK_ERROR_OUT_OF_HOST_MEMORY";
	case VK_ERROR_OUT_OF_DEVICE_MEMORY:
		return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
	case VK_ERROR_DEVICE_LOST:
		return "VK_ERROR_DEVICE_LOST";
	case VK_ERROR_FEATURE_NOT_PRESENT:
		return "VK_ERROR_FEATURE_NOT_PRESENT";
	case VK_ERROR_INCOMPATIBLE_DRIVER:
		return "VK_ERROR_INCOMPATIBLE_DRIVER";
	default:
		return "another error";
	}
}

void vk_check(VkResult result, const char *call)
{
	if (result != VK_SUCCESS)
		vk_fail("%.*s gives %s (%d)", (int)strcspn(call, "("), call,
			result_name(result), result);
}

/* Compare all bytes; a difference ends the test with its place. */
void vk_expect(const char *what, const u8 *found, const u8 *wanted, u64 size)
{
	u64 at;

	if (!memcmp(found, wanted, size))
		return;
	for (at = 0; found[at] == wanted[at]; at++)
		continue;
	vk_fail("%s: byte %#llx of %#llx is %#x instead of %#x", what,
		(unsigned long long)at, (unsigned long long)size,
		found[at], wanted[at]);
}

/* All of a small file of the kernel */
bool vk_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool good;

	if (!file)
		return false;
	good = fputs(text, file) >= 0;
	return !fclose(file) && good;
}

/* xorshift: the same numbers on every machine */
u32 vk_random(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Bytes without a period that a wrong address could hit; never zero. */
void vk_pattern(u8 *at, u64 size, u32 seed)
{
	u32 state = seed * 2654435761u + 1;

	for (u64 i = 0; i < size; i++)
		at[i] = vk_random(&state) % 255 + 1;
}

static int run_one(const struct vk_test *test)
{
	struct vk_dev vk = {};

	alarm(LIMIT);
	vk_dev_open(&vk);
	test->run(&vk);
	vk_dev_close(&vk);
	return PASSED;
}

/* Return: did it pass? */
static bool judge(const struct vk_test *test)
{
	int status = FAILED;
	pid_t pid;

	running = test->name;
	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(run_one(test));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		printf("FAIL %s: cannot start a process\n", running);
	else if (WIFSIGNALED(status))
		printf("FAIL %s: %s\n", running, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == PASSED)
		printf("ok %s\n", running);
	else if (WEXITSTATUS(status) != FAILED)
		printf("FAIL %s: exit status %d\n", running,
		       WEXITSTATUS(status));
	fflush(stdout);
	return pid > 0 && status == PASSED;
}

static bool chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 1;
}

/* Run the tests that the arguments name, or all; Return: exit status. */
int vk_test_main(int argc, char **argv, const struct vk_test *tests,
		 size_t count)
{
	size_t ran = 0, passed = 0;

	if (argc > 1 && argv[1][0] == '-') {
		printf("usage: %s [TEST...]\ntests:\n", argv[0]);
		for (size_t i = 0; i < count; i++)
			printf("  %s\n", tests[i].name);
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	for (size_t i = 0; i < count; i++)
		ran += chosen(tests[i].name, argc, argv);
	if (!ran)
		fprintf(stderr, "%s: no test of that name\n", argv[0]);
	printf("1..%zu\n", ran);
	for (size_t i = 0; i < count; i++)
		if (chosen(tests[i].name, argc, argv))
			passed += judge(&tests[i]);
	return ran && passed == ran ? 0 : 1;
}
