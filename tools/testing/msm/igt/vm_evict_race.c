// SPDX-License-Identifier: MIT
/*
 * Memory pressure against binds and jobs, all at once.
 *
 * One process shrinks, the others map, split, unmap and look, each in a VM of
 * its own.  What they see is checked; that nothing blocks for ever and that no
 * lock is taken in the wrong order is for the kernel to say.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "gpu_mem.h"
#include "vm_evict.h"
#include "vm_test.h"

#define RACE_MS		1500
#define CLIENTS		2
#define BOS		6
#define PAGES		16u
#define SLOTS		4

struct client {
	struct gpu_vm vm;
	struct gpu_bo bo[BOS];
	int mapped[SLOTS];	/* index of a BO, or -1 */
};

static s64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static u64 slot_iova(struct client *c, int slot)
{
	return c->vm.area + slot * 2 * PAGES * GPU_PAGE;
}

static int look(struct client *c, int slot)
{
	u32 page = rand() % PAGES, seen, want;
	int ret;

	if (c->mapped[slot] < 0)
		return 0;
	ret = gpu_job_read_now(&c->vm, slot_iova(c, slot) + page * GPU_PAGE,
			       &seen);
	want = gpu_pages_stamp('A' + c->mapped[slot], page, false);
	return ret ?: seen == want ? 0 : -EILSEQ;
}

/* Map or unmap, with what was there cut in two before. */
static int change(struct client *c, int slot)
{
	struct drm_msm_vm_bind_op ops[2];
	int bo = rand() % (BOS + 1);
	u64 iova = slot_iova(c, slot);

	ops[0] = gpu_bind_op_unmap(iova + rand() % PAGES * GPU_PAGE, GPU_PAGE);
	if (bo < BOS)
		ops[1] = gpu_bind_op_map(iova, &c->bo[bo], 0, PAGES * GPU_PAGE);
	else
		ops[1] = gpu_bind_op_unmap(iova, PAGES * GPU_PAGE);
	c->mapped[slot] = bo < BOS ? bo : -1;
	return gpu_vm_bind(&c->vm, ops, 2);
}

static int client_setup(struct client *c)
{
	int ret = gpu_vm_open(&c->vm), i;

	for (i = 0; !ret && i < BOS; i++) {
		c->vm.dev.bo_flags = i & 1 ? MSM_BO_NO_SHARE : 0;
		ret = gpu_pages_bo(&c->vm.dev, 'A' + i, PAGES, &c->bo[i]);
	}
	for (i = 0; i < SLOTS; i++)
		c->mapped[i] = -1;
	return ret;
}

static int client(s64 end)
{
	struct client c;
	int ret = client_setup(&c);

	while (!ret && now_ms() < end) {
		ret = change(&c, rand() % SLOTS);
		ret = ret ?: look(&c, rand() % SLOTS);
		ret = ret ?: look(&c, rand() % SLOTS);
	}
	return ret;
}

static int shrinker(s64 end)
{
	int ret = 0;

	while (!ret && now_ms() < end) {
		ret = gpu_mem_shrink();
		gpu_mem_swap_out(1);
	}
	return ret;
}

static void race(const void *arg)
{
	s64 end = now_ms() + gpu_fence_scaled_ms(RACE_MS);
	pid_t pid[CLIENTS + 1];
	int status, i;

	msm_igt_require(gpu_mem_setup() != -ENOSPC, "no swap\n");
	for (i = 0; i <= CLIENTS; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		srand(i);
		_exit(-(i < CLIENTS ? client(end) : shrinker(end)));
	}
	for (i = 0; i <= CLIENTS; i++) {
		msm_igt_assert(waitpid(pid[i], &status, 0) == pid[i],
			       "no child %d\n", i);
		msm_igt_assert(WIFEXITED(status) && !WEXITSTATUS(status),
			       "child %d: status %x\n", i, status);
	}
}

const struct msm_igt_subtest vm_evict_race_tests[] = {
	{ "race", "reclaim against binds and jobs", race },
};

const size_t vm_evict_race_count = ARRAY_SIZE(vm_evict_race_tests);
