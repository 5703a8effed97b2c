// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom a GPU hang hits: the jobs on two rings, of two clients with a VM and of
 * one without, and no GPU to run them.
 */

#include <kunit/test.h>
#include <linux/mutex.h>

#include "../msm_fence.h"
#include "../msm_gem.h"
#include "../msm_gpu.h"
#include "../msm_ringbuffer.h"
#include "../vm/msm_vm.h"
#include "../vm/msm_vm_hang.h"
#include "msm_vm_test_fence.h"

#define NR_RINGS	2
#define NR_CMDS		3

/* Clients; the last has not opted in to VM_BIND. */
enum { GUILTY, INNOCENT, LEGACY, NR_CLIENTS };

/**
 * struct client - a process that submits
 * @vm: its VM
 * @aspace: of @vm
 * @ctx: its context
 * @queue: its submitqueue
 */
struct client {
	struct msm_vm vm;
	struct msm_gem_address_space aspace;
	struct msm_file_private ctx;
	struct msm_gpu_submitqueue queue;
};

/**
 * struct ring - jobs that have been written for the GPU
 * @base: the driver's part
 * @fctx: its fences
 * @completed: number of the last job that the GPU has completed
 */
struct ring {
	struct msm_ringbuffer base;
	struct msm_fence_context fctx;
	u32 completed;
};

/**
 * struct fixture - a GPU with nothing but rings
 * @gpu: the GPU
 * @rings: the rings
 * @clients: the clients
 */
struct fixture {
	struct msm_gpu gpu;
	struct ring rings[NR_RINGS];
	struct client clients[NR_CLIENTS];
};

static void setup_ring(struct fixture *fix, u32 i)
{
	struct ring *ring = &fix->rings[i];

	INIT_LIST_HEAD(&ring->base.submits);
	spin_lock_init(&ring->base.submit_lock);
	ring->fctx.fenceptr = &ring->completed;
	ring->base.fctx = &ring->fctx;
	fix->gpu.rb[i] = &ring->base;
}

static void setup_client(struct client *client)
{
	msm_vm_tables_init(&client->vm.tables, 48);
	client->vm.aspace = &client->aspace;
	client->ctx.vm = &client->vm;
	client->queue.ctx = &client->ctx;
}

static int setup(struct kunit *test)
{
	struct fixture *fix = kunit_kzalloc(test, sizeof(*fix), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fix);
	test->priv = fix;
	fix->gpu.nr_rings = NR_RINGS;
	for (u32 i = 0; i < NR_RINGS; i++)
		setup_ring(fix, i);
	for (u32 i = 0; i < NR_CLIENTS; i++)
		setup_client(&fix->clients[i]);
	fix->clients[LEGACY].ctx.vm = MSM_VM_LEGACY;
	mutex_init(&fix->gpu.lock);

	return 0;
}

static void teardown(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *job;

	if (!fix)
		return;

	for (u32 i = 0; i < NR_RINGS; i++)
		list_for_each_entry(job, &fix->rings[i].base.submits, node)
			dma_fence_put(job->hw_fence);
	for (u32 i = 0; i < NR_CLIENTS; i++)
		msm_vm_tables_fini(&fix->clients[i].vm.tables);
	mutex_destroy(&fix->gpu.lock);
}

/* A job as it is when it goes to a ring */
static struct msm_gem_submit *submit(struct kunit *test, u32 ring, u32 client)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->gpu = &fix->gpu;
	job->queue = &fix->clients[client].queue;
	job->hw_fence = msm_vm_test_fence(test);
	job->seqno = ++fix->rings[ring].fctx.last_fence;
	job->nr_cmds = NR_CMDS;
	list_add_tail(&job->node, &fix->rings[ring].base.submits);

	return job;
}

static void blame(struct msm_gem_submit *job)
{
	mutex_lock(&job->gpu->lock);
	msm_vm_hang_blame(job);
	mutex_unlock(&job->gpu->lock);
}

static void mute(struct msm_gem_submit *job)
{
	mutex_lock(&job->gpu->lock);
	msm_vm_hang_mute(job);
	mutex_unlock(&job->gpu->lock);
}

static void expect_runs(struct kunit *test, const struct msm_gem_submit *job)
{
	KUNIT_EXPECT_EQ(test, NR_CMDS, job->nr_cmds);
	KUNIT_EXPECT_EQ(test, 0, job->hw_fence->error);
}

static void expect_muted(struct kunit *test, const struct msm_gem_submit *job)
{
	KUNIT_EXPECT_EQ(test, 0, job->nr_cmds);
	KUNIT_EXPECT_EQ(test, -ECANCELED, job->hw_fence->error);
}

/* The client's own jobs, on each ring; what is completed, and others, stay. */
static void hang_blames_the_client(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *completed = submit(test, 0, GUILTY);
	struct msm_gem_submit *guilty = submit(test, 0, GUILTY);
	struct msm_gem_submit *innocent = submit(test, 0, INNOCENT);
	struct msm_gem_submit *behind = submit(test, 0, GUILTY);
	struct msm_gem_submit *legacy = submit(test, 1, LEGACY);
	struct msm_gem_submit *beside = submit(test, 1, GUILTY);

	fix->rings[0].completed = completed->seqno;
	blame(guilty);

	KUNIT_EXPECT_EQ(test, -EIO, fix->clients[GUILTY].vm.error);
	KUNIT_EXPECT_EQ(test, 0, fix->clients[INNOCENT].vm.error);
	/* Its commands are yet to be dumped. */
	KUNIT_EXPECT_EQ(test, NR_CMDS, guilty->nr_cmds);
	KUNIT_EXPECT_EQ(test, -EIO, guilty->hw_fence->error);
	expect_muted(test, behind);
	expect_muted(test, beside);
	expect_runs(test, completed);
	expect_runs(test, innocent);
	expect_runs(test, legacy);
}

/* Nothing happens to it, but VMs that died before are still dead. */
static void hang_blames_legacy(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *legacy = submit(test, 0, LEGACY);
	struct msm_gem_submit *innocent = submit(test, 0, INNOCENT);
	struct msm_gem_submit *dead = submit(test, 1, GUILTY);

	fix->clients[GUILTY].vm.error = -ENOMEM;
	blame(legacy);

	expect_runs(test, legacy);
	expect_runs(test, innocent);
	expect_muted(test, dead);
	KUNIT_EXPECT_EQ(test, -ENOMEM, fix->clients[GUILTY].vm.error);
	KUNIT_EXPECT_EQ(test, 0, fix->clients[INNOCENT].vm.error);
}

/* A fence that has signalled carries what it carried. */
static void hang_comes_too_late(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *guilty = submit(test, 0, GUILTY);
	struct msm_gem_submit *behind = submit(test, 0, GUILTY);

	dma_fence_signal(guilty->hw_fence);
	dma_fence_signal(behind->hw_fence);
	blame(guilty);

	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(guilty->hw_fence));
	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(behind->hw_fence));
	KUNIT_EXPECT_EQ(test, -EIO, fix->clients[GUILTY].vm.error);
}

/* A job that finds its VM dead when it comes to the ring */
static void hang_mutes(struct kunit *test)
{
	struct fixture *fix = test->priv;
	struct msm_gem_submit *job = submit(test, 0, GUILTY);
	struct msm_gem_submit *legacy = submit(test, 0, LEGACY);

	mute(job);
	mute(legacy);
	expect_runs(test, job);
	expect_runs(test, legacy);

	fix->clients[GUILTY].vm.error = -EIO;
	mute(job);
	expect_muted(test, job);
}

static struct kunit_case hang_cases[] = {
	KUNIT_CASE(hang_blames_the_client),
	KUNIT_CASE(hang_blames_legacy),
	KUNIT_CASE(hang_comes_too_late),
	KUNIT_CASE(hang_mutes),
	{}
};

static struct kunit_suite hang_suite = {
	.name = "msm-vm-hang",
	.init = setup,
	.exit = teardown,
	.test_cases = hang_cases,
};

kunit_test_suite(hang_suite);
