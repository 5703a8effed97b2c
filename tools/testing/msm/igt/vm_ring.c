// SPDX-License-Identifier: MIT
/*
 * Submits of very many commands: what a ring holds, and what it does not.
 *
 * All commands of a submit are one and the same, which adds one to a counter in
 * memory: each that is lost, or run twice, is missed in the end.  The driver
 * counts words of the ring, of which there are 8192.
 */
#include <errno.h>

#include "gpu_fence.h"
#include "vm_ring.h"
#include "vm_train.h"

/* What one submit may have: 192 words, and 5 for each command */
#define MOST_CMDS	1600

/* A submit that has most of a ring for itself */
#define MANY_CMDS	1000

/* More than the ring holds at once, of any size */
#define SUBMITS		12

/* A writer that finds the ring full gives up after a second, and writes. */
#define HELD_MS		2500

/* Dwords of the buffer, behind the commands */
enum { COUNTER = 256, ONE };

/**
 * struct ring_client - a client that counts
 * @vm: its VM
 * @bo: the commands and what they count
 * @cmd: the commands
 * @fences: of the submits under way
 */
struct ring_client {
	struct gpu_vm vm;
	struct gpu_bo *bo;
	struct gpu_cmd cmd;
	int fences[SUBMITS];
};

static u64 iova_of(struct ring_client *client, u32 dword)
{
	return client->vm.area + dword * sizeof(u32);
}

static void client_open(struct ring_client *client)
{
	struct gpu_cmd *cmd = &client->cmd;

	vm_test_open(&client->vm);
	client->bo = vm_test_bo(&client->vm, 'R', 1);
	vm_test_map(&client->vm, client->vm.area, client->bo);
	client->bo->map[COUNTER] = 0;
	client->bo->map[ONE] = 1;
	*cmd = (struct gpu_cmd){ .base = client->bo->map, .max = COUNTER };
	gpu_cmd_add(cmd, iova_of(client, COUNTER), iova_of(client, ONE));
	gpu_cmd_drain(cmd);
}

/* Return: what SUBMIT says. */
static int try_submit(struct ring_client *client, u32 nr_cmds, int *fence)
{
	struct drm_msm_gem_submit_cmd cmds[MOST_CMDS + 1] = {};
	struct drm_msm_gem_submit req = {
		.flags = MSM_PIPE_3D0 | MSM_SUBMIT_FENCE_FD_OUT,
		.nr_cmds = nr_cmds,
		.cmds = (unsigned long)cmds,
	};
	int ret;

	for (u32 i = 0; i < nr_cmds; i++)
		cmds[i] = (struct drm_msm_gem_submit_cmd){
			.type = MSM_SUBMIT_CMD_BUF,
			.size = client->cmd.count * sizeof(u32),
			.iova = client->vm.area,
		};
	ret = gpu_ioctl(client->vm.dev.fd, DRM_IOCTL_MSM_GEM_SUBMIT, &req);
	*fence = req.fence_fd;
	return ret;
}

static void submit_all(struct ring_client *client)
{
	for (u32 i = 0; i < SUBMITS; i++)
		msm_igt_assert_ok(try_submit(client, MANY_CMDS,
					     &client->fences[i]));
}

static void assert_count(struct ring_client *client, u32 count)
{
	msm_igt_assert(client->bo->map[COUNTER] == count,
		       "%u commands ran instead of %u\n",
		       client->bo->map[COUNTER], count);
}

static void finish_all(struct ring_client *client)
{
	for (u32 i = 0; i < SUBMITS; i++)
		msm_igt_assert_ok(gpu_fence_finish(client->fences[i]));
	assert_count(client, SUBMITS * MANY_CMDS);
}

/* As many as a ring holds, and one more */
void vm_ring_most(const void *arg)
{
	struct ring_client client;
	int fence;

	client_open(&client);
	msm_igt_assert_ok(try_submit(&client, MOST_CMDS, &fence));
	msm_igt_assert_ok(gpu_fence_finish(fence));
	assert_count(&client, MOST_CMDS);

	msm_igt_assert_ret(try_submit(&client, MOST_CMDS + 1, &fence), -EINVAL);
	vm_test_reason("no ring holds 1601 commands");
	assert_count(&client, MOST_CMDS);
	vm_test_close(&client.vm);
}

/* Those that the ring has no room for wait, without the GPU's lock. */
void vm_ring_full(const void *arg)
{
	struct ring_client client;
	struct vm_train first;

	vm_train_open(&first);
	client_open(&client);
	vm_train_wait(&first);
	vm_train_mark(&first, 0);
	vm_train_submit(&first, 0);
	submit_all(&client);
	msm_igt_assert(gpu_fence_busy_after(client.fences[0],
					    HELD_MS),
		       "nothing holds the ring\n");
	vm_train_go(&first);
	msm_igt_assert_ok(vm_train_finish(&first, 0));
	finish_all(&client);
	vm_test_close(&client.vm);
	vm_train_close(&first);
}

/* What was on the ring when somebody else hung the GPU is written again. */
void vm_ring_replay(const void *arg)
{
	struct ring_client client;
	struct vm_train guilty;

	vm_train_open(&guilty);
	client_open(&client);
	vm_train_wait(&guilty);
	vm_train_hang(&guilty, 0);
	vm_train_submit(&guilty, 0);
	submit_all(&client);
	vm_train_go(&guilty);
	msm_igt_assert_ret(vm_train_finish(&guilty, 0), -EIO);
	finish_all(&client);
	vm_test_close(&client.vm);
	vm_train_close(&guilty);
}
