/* SPDX-License-Identifier: MIT */
#ifndef __VM_TEST_H__
#define __VM_TEST_H__

#include "gpu_fence.h"
#include "gpu_pages.h"
#include "msm_igt.h"

/* Every program provokes GPU page faults; each leaves a line in the log. */
#define VM_TEST_DMESG	"[*]{3} gpu fault: |fault_handler: [0-9]+ callbacks"

void vm_test_fixture(void);
void vm_test_strict(void);
void vm_test_restore(void);
__noreturn void vm_test_main(int argc, char **argv,
			     const struct msm_igt_subtest *tests, size_t count);
void vm_test_open(struct gpu_vm *vm);
void vm_test_close(struct gpu_vm *vm);
struct gpu_bo *vm_test_bo(struct gpu_vm *vm, char letter, u32 pages);
void vm_test_map(struct gpu_vm *vm, u64 iova, const struct gpu_bo *bo);
void vm_test_unmap(struct gpu_vm *vm, u64 iova, u32 pages);
struct gpu_gate vm_test_gate(void);
u64 vm_test_bo_count(void);
void vm_test_expect_bo_count(u64 want);
int vm_test_next_fd(void);
void vm_test_no_fds(void);
void vm_test_fds_again(void);

void vm_test_expect_at(struct gpu_vm *vm, u64 iova, const char *picture,
		       const char *func, int line);

/* The GPU must see @picture at @iova, see gpu_pages.c for how to draw one. */
#define vm_test_expect(vm, iova, picture) \
	vm_test_expect_at(vm, iova, picture, __func__, __LINE__)

void vm_test_reason_at(const char *reason, const char *func, int line);

/* The debug log must say @reason about what was refused just now. */
#define vm_test_reason(reason)	vm_test_reason_at(reason, __func__, __LINE__)

/**
 * struct vm_footprint - what this process has that a refusal may not change
 * @fds: open files
 * @next_fd: the number that the next one will have
 * @counts: of its VMs
 */
struct vm_footprint {
	int fds;
	int next_fd;
	struct gpu_vm_counts counts;
};

void vm_footprint_get(struct vm_footprint *footprint);
void vm_footprint_expect(const struct vm_footprint *before);

/**
 * struct vm_canary - a VM in a known state, to see that an error changes none
 * @vm: the VM
 * @a: buffer of 4 pages, at @base
 * @b: buffer of 2 pages, at @base + 6 pages, behind a hole of 2 pages
 * @base: where the picture starts
 * @hole: the first unmapped page
 * @before: once all is set up
 * @bos: of all contexts; a test counts those that it makes itself
 */
struct vm_canary {
	struct gpu_vm vm;
	struct gpu_bo *a;
	struct gpu_bo *b;
	u64 base;
	u64 hole;
	struct vm_footprint before;
	u64 bos;
};

void vm_canary_open(struct vm_canary *canary);
void vm_canary_check(struct vm_canary *canary);
void vm_canary_close(struct vm_canary *canary);

#endif /* __VM_TEST_H__ */
