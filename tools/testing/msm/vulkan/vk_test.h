/* SPDX-License-Identifier: MIT */
/*
 * Tests of a Vulkan program: each in a process of its own, one line for each
 * after the line that says how many there are.
 *
 *	1..N
 *	ok NAME
 *	FAIL NAME: why
 */
#ifndef __VK_TEST_H__
#define __VK_TEST_H__

#include "vk_dev.h"

/**
 * struct vk_test - a test of a program
 * @name: what it is called
 * @run: returns when it passed, calls vk_fail() otherwise
 */
struct vk_test {
	const char *name;
	void (*run)(struct vk_dev *vk);
};

int vk_test_main(int argc, char **argv, const struct vk_test *tests,
		 size_t count);

void __attribute__((noreturn, format(printf, 1, 2))) vk_fail(const char *format, ...);
void vk_check(VkResult result, const char *call);
void vk_expect(const char *what, const u8 *found, const u8 *wanted, u64 size);
bool vk_write(const char *path, const char *text);
u32 vk_random(u32 *state);
void vk_pattern(u8 *at, u64 size, u32 seed);

/* The call must give VK_SUCCESS */
#define vk_ok(call)	vk_check(call, #call)

#endif /* __VK_TEST_H__ */
