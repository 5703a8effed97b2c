/* SPDX-License-Identifier: MIT */
#ifndef __VM_RANDOM_H__
#define __VM_RANDOM_H__

#include "vm_test.h"

/* What the command line says, or the defaults */
extern u64 vm_random_seed;
extern u32 vm_random_seconds;

s64 vm_random_now_ms(void);
s64 vm_random_end_ms(void);
void vm_random_fixture(const char *expected_dmesg);
__noreturn void vm_random_main(int argc, char **argv, void (*setup)(void),
			       const struct msm_igt_subtest *tests, size_t count);

#endif /* __VM_RANDOM_H__ */
