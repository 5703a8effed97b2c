// SPDX-License-Identifier: MIT
/*
 * Counters of the kernel that must be where they were when clients are gone, and
 * that it had nothing to complain of.
 *
 * Much is given back by workers some time later, so the comparison waits.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "gpu_account.h"
#include "gpu_fence.h"
#include "gpu_knob.h"
#include "msm_igt.h"
#include "vm_level.h"

#define TAINT		"/proc/sys/kernel/tainted"
#define VMS		"/sys/kernel/debug/dri/128/vm"
#define SETTLE_MS	15000
#define POLL_MS		20

static u64 count_vms(void)
{
	FILE *file = fopen(VMS, "r");
	char line[256];
	u64 count = 0;
	int pid;

	msm_igt_assert(file, "no %s: %d\n", VMS, -errno);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "VM of pid %d", &pid) == 1;
	fclose(file);
	return count;
}

static u64 read_taint(void)
{
	FILE *file = fopen(TAINT, "r");
	unsigned long long taint;
	bool known = file && fscanf(file, "%llu", &taint) == 1;

	msm_igt_assert(known, "no %s: %d\n", TAINT, -errno);
	fclose(file);
	return taint;
}

/* What can be had without effort */
static void get_quickly(struct vm_level *level)
{
	*level = (struct vm_level) {
		.vms = count_vms(), .taint = read_taint(),
	};
	msm_igt_assert_ok(gpu_account_refs(&level->refs));
	msm_igt_assert_ok(gpu_knob_bo_count(&level->bos));
}

void vm_level_get(struct vm_level *level)
{
	int ret;

	get_quickly(level);
	ret = gpu_account_slab("msm_vma", &level->vmas);
	msm_igt_assert(!ret || ret == -ENOENT, "slab counter: %d\n", ret);
}

static bool is_back(const struct vm_level *now, const struct vm_level *before)
{
	return now->refs <= before->refs && now->vmas <= before->vmas &&
	       now->vms <= before->vms && now->bos <= before->bos;
}

/* Wait until all counters are at @before or less. */
void vm_level_expect(const struct vm_level *before)
{
	int left = gpu_fence_scaled_ms(SETTLE_MS) / POLL_MS;
	struct vm_level now;

	get_quickly(&now);
	while (!is_back(&now, before) && left--) {
		usleep(POLL_MS * 1000);
		get_quickly(&now);
	}
	vm_level_get(&now);
	msm_igt_assert(now.taint == before->taint,
		       "the kernel complained: taint %llx, before %llx\n",
		       now.taint, before->taint);
	msm_igt_assert(is_back(&now, before),
		       "references %llu, VMAs %llu, VMs %llu, buffers %llu; before %llu, %llu, %llu, %llu\n",
		       now.refs, now.vmas, now.vms, now.bos, before->refs,
		       before->vmas, before->vms, before->bos);
}
