// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel puts on the ring of the virtual Adreno.
 *
 * The promise: the packets and their order are those that a real Adreno 650 is
 * given by its driver, so that the model has to cope with them as they are.
 *
 * Trap: nothing here may sleep.  When the core replays after a recovery it
 * comes with interrupts off.
 */

#include "adreno/adreno_gpu.h"
#include "a6xx.xml.h"
#include "msm_mmu.h"

#include "vgpu_ring.h"

static void vgpu_ring_addr(struct msm_ringbuffer *ring, u64 iova)
{
	OUT_RING(ring, lower_32_bits(iova));
	OUT_RING(ring, upper_32_bits(iova));
}

static void vgpu_ring_event(struct msm_ringbuffer *ring, enum vgt_event_type event)
{
	OUT_PKT7(ring, CP_EVENT_WRITE, 1);
	OUT_RING(ring, CP_EVENT_WRITE_0_EVENT(event));
}

/* Store a 64-bit counter */
static void vgpu_ring_counter(struct msm_ringbuffer *ring, u32 reg, u64 iova)
{
	OUT_PKT7(ring, CP_REG_TO_MEM, 3);
	OUT_RING(ring, CP_REG_TO_MEM_0_REG(reg) | CP_REG_TO_MEM_0_CNT(2) |
		       CP_REG_TO_MEM_0_64B);
	vgpu_ring_addr(ring, iova);
}

static void vgpu_ring_protect(struct msm_ringbuffer *ring, bool protect)
{
	OUT_PKT7(ring, CP_SET_PROTECTED_MODE, 1);
	OUT_RING(ring, protect);
}

static void vgpu_ring_wait_sram(struct msm_ringbuffer *ring)
{
	OUT_PKT7(ring, CP_WAIT_REG_MEM, 6);
	OUT_RING(ring, CP_WAIT_REG_MEM_0_FUNCTION(WRITE_EQ));
	vgpu_ring_addr(ring, REG_A6XX_RBBM_PERFCTR_SRAM_INIT_STATUS);
	OUT_RING(ring, CP_WAIT_REG_MEM_3_REF(1));
	OUT_RING(ring, CP_WAIT_REG_MEM_4_MASK(1));
	OUT_RING(ring, CP_WAIT_REG_MEM_5_DELAY_LOOP_CYCLES(0));
}

/* Point TTBR0 to @ttbr and leave a note of it for whoever debugs */
static void vgpu_ring_table_update(struct msm_ringbuffer *ring,
				   phys_addr_t ttbr, u32 asid)
{
	OUT_PKT7(ring, CP_SMMU_TABLE_UPDATE, 4);
	OUT_RING(ring, CP_SMMU_TABLE_UPDATE_0_TTBR0_LO(lower_32_bits(ttbr)));
	OUT_RING(ring, CP_SMMU_TABLE_UPDATE_1_TTBR0_HI(upper_32_bits(ttbr)) |
		       CP_SMMU_TABLE_UPDATE_1_ASID(asid));
	OUT_RING(ring, CP_SMMU_TABLE_UPDATE_2_CONTEXTIDR(0));
	OUT_RING(ring, CP_SMMU_TABLE_UPDATE_3_CONTEXTBANK(0));

	OUT_PKT7(ring, CP_MEM_WRITE, 4);
	vgpu_ring_addr(ring, rbmemptr(ring, ttbr0));
	OUT_RING(ring, lower_32_bits(ttbr));
	OUT_RING(ring, asid << 16 | upper_32_bits(ttbr));

	vgpu_ring_event(ring, CACHE_INVALIDATE);
}

static void vgpu_ring_switch_context(struct msm_gpu *gpu,
				     struct msm_ringbuffer *ring,
				     struct msm_gem_submit *submit)
{
	/* Counters keep running across contexts for a system profiler */
	bool clear = refcount_read(&gpu->sysprof_active) == 1;
	phys_addr_t ttbr;
	u32 asid;

	if (submit->queue->ctx->seqno == gpu->cur_ctx_seqno)
		return;

	if (msm_iommu_pagetable_params(submit->aspace->mmu, &ttbr, &asid))
		return;

	if (clear) {
		vgpu_ring_protect(ring, false);
		OUT_PKT4(ring, REG_A6XX_RBBM_PERFCTR_SRAM_INIT_CMD, 1);
		OUT_RING(ring, 1);
	}

	vgpu_ring_table_update(ring, ttbr, asid);

	if (clear) {
		vgpu_ring_wait_sram(ring);
		vgpu_ring_protect(ring, true);
	}
}

static void vgpu_ring_cmds(struct msm_gpu *gpu, struct msm_ringbuffer *ring,
			   struct msm_gem_submit *submit)
{
	bool same = gpu->cur_ctx_seqno == submit->queue->ctx->seqno;

	for (int i = 0; i < submit->nr_cmds; i++) {
		u32 type = submit->cmd[i].type;

		if (type == MSM_SUBMIT_CMD_IB_TARGET_BUF)
			continue;
		if (type == MSM_SUBMIT_CMD_CTX_RESTORE_BUF && same)
			continue;

		OUT_PKT7(ring, CP_INDIRECT_BUFFER, 3);
		vgpu_ring_addr(ring, submit->cmd[i].iova);
		OUT_RING(ring, A5XX_CP_INDIRECT_BUFFER_2_IB_SIZE(submit->cmd[i].size));
	}
}

/* Once all before it is in memory: write the fence, then interrupt */
static void vgpu_ring_fence(struct msm_ringbuffer *ring, u32 seqno)
{
	OUT_PKT4(ring, REG_A6XX_CP_SCRATCH_REG(2), 1);
	OUT_RING(ring, seqno);

	OUT_PKT7(ring, CP_EVENT_WRITE, 4);
	OUT_RING(ring, CP_EVENT_WRITE_0_EVENT(CACHE_FLUSH_TS) |
		       CP_EVENT_WRITE_0_IRQ);
	vgpu_ring_addr(ring, rbmemptr(ring, fence));
	OUT_RING(ring, seqno);
}

/**
 * vgpu_ring_put_submit() - write all that one submit makes the CP do
 * @gpu: the GPU
 * @submit: what to run; its seqno is the value of its fence
 *
 * The CP looks at it when the write pointer moves.
 *
 * Context: any; the caller holds gpu->lock.
 */
void vgpu_ring_put_submit(struct msm_gpu *gpu, struct msm_gem_submit *submit)
{
	u32 index = submit->seqno % MSM_GPU_SUBMIT_STATS_COUNT;
	struct msm_ringbuffer *ring = submit->ring;

	vgpu_ring_switch_context(gpu, ring, submit);

	vgpu_ring_counter(ring, REG_A6XX_RBBM_PERFCTR_CP(0),
			  rbmemptr_stats(ring, index, cpcycles_start));
	vgpu_ring_counter(ring, REG_A6XX_CP_ALWAYS_ON_COUNTER,
			  rbmemptr_stats(ring, index, alwayson_start));
	vgpu_ring_event(ring, PC_CCU_INVALIDATE_DEPTH);
	vgpu_ring_event(ring, PC_CCU_INVALIDATE_COLOR);

	vgpu_ring_cmds(gpu, ring, submit);

	vgpu_ring_counter(ring, REG_A6XX_RBBM_PERFCTR_CP(0),
			  rbmemptr_stats(ring, index, cpcycles_end));
	vgpu_ring_counter(ring, REG_A6XX_CP_ALWAYS_ON_COUNTER,
			  rbmemptr_stats(ring, index, alwayson_end));
	vgpu_ring_fence(ring, submit->seqno);
}

/**
 * vgpu_ring_put_init() - write what the CP must be told before anything else
 * @ring: the ring, empty
 */
void vgpu_ring_put_init(struct msm_ringbuffer *ring)
{
	static const u32 init[] = {
		0x0000002f,	/* what of the following is to be looked at */
		0x00000003,	/* two hardware contexts */
		0x20000000,	/* error detection */
		0, 0, 0, 0, 0,	/* no header dump, no workarounds, padding */
	};

	OUT_PKT7(ring, CP_ME_INIT, ARRAY_SIZE(init));
	for (int i = 0; i < ARRAY_SIZE(init); i++)
		OUT_RING(ring, init[i]);
}
