// SPDX-License-Identifier: GPL-2.0-only
/*
 * The adreno back end of the virtual GPU.
 *
 * What it holds: what a6xx_gpu.c is to an Adreno 650, without the parts that
 * the model does not have (GMU, firmware, zap shader, clocks, preemption).
 * Everything that is not specific to a generation is the stock adreno and msm
 * code, including per-process page tables, crash dumps and recovery.
 *
 * What it promises: the buffers in the kernel's address space (ring0, memptrs,
 * shadow) have the flags they have on hardware, and there are no others; only
 * their mapping for the CPU, as that of all buffers, is cached where hardware
 * has it write-combined, because the CPU is what plays the GPU.
 *
 * Traps: submit() also runs with interrupts off, when the core replays after a
 * recovery.  recover() runs with gpu->lock held, which the fault worker takes
 * too, so nothing in it waits for a stalled access to be resumed; the reset of
 * the model cancels it.
 */

#include <linux/debugfs.h>
#include <linux/dma-fence.h>
#include <linux/iopoll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_file.h>

#include "adreno/adreno_gpu.h"
#include "a6xx.xml.h"
#include "msm_gem.h"
#include "msm_gpu_trace.h"
#include "msm_mmu.h"

#include "vgpu_drv.h"
#include "vgpu_gpu.h"
#include "vgpu_hw.h"
#include "vgpu_inject.h"
#include "vgpu_iommu.h"
#include "vgpu_ring.h"
#include "vgpu_stat.h"

#define VGPU_GPU_FREQ_HZ	587000000

/* Start of a process' address space: above 4 GB, so that bugs are visible */
#define VGPU_VA_START		0x100000000ULL

/*
 * Time for the ring to drain at start, with nothing but init packets in it.
 * The command processor is a thread that shares its CPU with who knows what.
 */
#define VGPU_IDLE_POLL_US	20
#define VGPU_IDLE_TIMEOUT_US	(20 * USEC_PER_SEC)

#define VGPU_INT_MASK (A6XX_RBBM_INT_0_MASK_CP_AHB_ERROR | \
		       A6XX_RBBM_INT_0_MASK_CP_HW_ERROR | \
		       A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS | \
		       A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT)

/**
 * struct vgpu_gpu - the GPU
 * @base: its stock part
 * @hw: the model
 * @shadow_bo: where the CP keeps a copy of its read pointer
 * @shadow_iova: its address for the GPU
 * @shadow: its address for the CPU
 */
struct vgpu_gpu {
	struct adreno_gpu base;
	struct vgpu_hw *hw;
	struct drm_gem_object *shadow_bo;
	u64 shadow_iova;
	u32 *shadow;
};

static struct vgpu_gpu *to_vgpu_gpu(struct msm_gpu *gpu)
{
	return container_of(to_adreno_gpu(gpu), struct vgpu_gpu, base);
}

static u32 vgpu_read(struct msm_gpu *gpu, u32 reg)
{
	return vgpu_hw_read(to_vgpu_gpu(gpu)->hw, reg);
}

static u64 vgpu_read64(struct msm_gpu *gpu, u32 reg)
{
	u64 lo = vgpu_read(gpu, reg);

	return lo | (u64)vgpu_read(gpu, reg + 1) << 32;
}

static void vgpu_write(struct msm_gpu *gpu, u32 reg, u32 value)
{
	vgpu_hw_write(to_vgpu_gpu(gpu)->hw, reg, value);
}

static void vgpu_write64(struct msm_gpu *gpu, u32 reg, u64 value)
{
	vgpu_write(gpu, reg, lower_32_bits(value));
	vgpu_write(gpu, reg + 1, upper_32_bits(value));
}

/*
 * Submitting
 */

static void vgpu_gpu_flush(struct msm_gpu *gpu, struct msm_ringbuffer *ring)
{
	unsigned long flags;
	u32 wptr;

	spin_lock_irqsave(&ring->preempt_lock, flags);
	ring->cur = ring->next;
	wptr = get_wptr(ring);
	spin_unlock_irqrestore(&ring->preempt_lock, flags);

	/* The ring's words, written through a WC mapping, before the doorbell */
	mb();

	vgpu_write(gpu, REG_A6XX_CP_RB_WPTR, wptr);
}

static void vgpu_gpu_submit(struct msm_gpu *gpu, struct msm_gem_submit *submit)
{
	vgpu_ring_put_submit(gpu, submit);

	trace_msm_gpu_submit_flush(submit, vgpu_hw_counter());

	vgpu_gpu_flush(gpu, submit->ring);
}

static u32 vgpu_gpu_get_rptr(struct msm_gpu *gpu, struct msm_ringbuffer *ring)
{
	return READ_ONCE(to_vgpu_gpu(gpu)->shadow[ring->id]);
}

/*
 * Starting, stopping
 */

static int vgpu_gpu_wait_idle(struct msm_gpu *gpu, struct msm_ringbuffer *ring)
{
	u32 wptr = get_wptr(ring), rptr;
	int ret;

	ret = read_poll_timeout(vgpu_gpu_get_rptr, rptr, rptr == wptr,
				VGPU_IDLE_POLL_US, VGPU_IDLE_TIMEOUT_US, false,
				gpu, ring);
	if (ret)
		dev_err(&gpu->pdev->dev, "ring did not drain: %x of %x, status %08x\n",
			rptr, wptr, vgpu_read(gpu, REG_A6XX_RBBM_STATUS));

	return ret;
}

static int vgpu_gpu_hw_init(struct msm_gpu *gpu)
{
	struct vgpu_gpu *vgpu = to_vgpu_gpu(gpu);
	struct msm_ringbuffer *ring = gpu->rb[0];
	int ret;

	vgpu_hw_reset(vgpu->hw);

	/* What the kernel put on the ring may touch what an IB must not */
	vgpu_write(gpu, REG_A6XX_CP_APRIV_CNTL,
		   A6XX_CP_APRIV_CNTL_CDWRITE | A6XX_CP_APRIV_CNTL_CDREAD |
		   A6XX_CP_APRIV_CNTL_RBRPWB | A6XX_CP_APRIV_CNTL_RBPRIVLEVEL |
		   A6XX_CP_APRIV_CNTL_RBFETCH);
	vgpu_write(gpu, REG_A6XX_RBBM_INT_0_MASK, VGPU_INT_MASK);

	ret = adreno_hw_init(gpu);
	if (ret)
		return ret;

	/* Nobody else writes the shadow while the CP stands still */
	WRITE_ONCE(vgpu->shadow[ring->id], 0);

	vgpu_write64(gpu, REG_A6XX_CP_RB_BASE, ring->iova);
	vgpu_write(gpu, REG_A6XX_CP_RB_CNTL, MSM_GPU_RB_CNTL_DEFAULT);
	vgpu_write64(gpu, REG_A6XX_CP_RB_RPTR_ADDR,
		     vgpu->shadow_iova + ring->id * sizeof(u32));

	/* The next submit switches the page tables, whosoever it is */
	gpu->cur_ctx_seqno = 0;

	vgpu_write(gpu, REG_A6XX_CP_SQE_CNTL, 1);
	if (!vgpu_read(gpu, REG_A6XX_CP_SQE_CNTL)) {
		dev_err(&gpu->pdev->dev, "the CP does not start\n");
		return -EIO;
	}

	vgpu_ring_put_init(ring);
	vgpu_gpu_flush(gpu, ring);

	return vgpu_gpu_wait_idle(gpu, ring);
}

static int vgpu_gpu_pm_suspend(struct msm_gpu *gpu)
{
	vgpu_hw_reset(to_vgpu_gpu(gpu)->hw);

	return msm_gpu_pm_suspend(gpu);
}

/*
 * As a6xx_recover() does, switch the GPU off and on again, and with it the SMMU,
 * which is in the same power domain.
 */
static void vgpu_gpu_recover(struct msm_gpu *gpu)
{
	struct device *dev = &gpu->pdev->dev;

	adreno_dump_info(gpu);

	for (int i = 0; i < 8; i++)
		dev_info(dev, "CP_SCRATCH_REG%d: %u\n", i,
			 vgpu_read(gpu, REG_A6XX_CP_SCRATCH_REG(i)));

	gpu->funcs->pm_suspend(gpu);
	vgpu_iommu_power_cycle(vgpu_from_gpu_device(dev)->smmu);
	gpu->funcs->pm_resume(gpu);
	if (msm_gpu_hw_init(gpu))
		dev_err(dev, "the GPU does not start again\n");
}

static struct msm_ringbuffer *vgpu_gpu_active_ring(struct msm_gpu *gpu)
{
	return gpu->rb[0];
}

static bool vgpu_gpu_progress(struct msm_gpu *gpu, struct msm_ringbuffer *ring)
{
	struct msm_cp_state state = {
		.ib1_base = vgpu_read64(gpu, REG_A6XX_CP_IB1_BASE),
		.ib2_base = vgpu_read64(gpu, REG_A6XX_CP_IB2_BASE),
		.ib1_rem = vgpu_read(gpu, REG_A6XX_CP_IB1_REM_SIZE),
		.ib2_rem = vgpu_read(gpu, REG_A6XX_CP_IB2_REM_SIZE),
	};
	bool progress = memcmp(&state, &ring->last_cp_state, sizeof(state));

	ring->last_cp_state = state;

	return progress;
}

/*
 * Interrupts and faults
 */

static void vgpu_gpu_hang_irq(struct msm_gpu *gpu)
{
	struct msm_ringbuffer *ring = vgpu_gpu_active_ring(gpu);

	/* It only waits for the fault handler, which resumes it */
	if (vgpu_read(gpu, REG_A6XX_RBBM_STATUS3) &
	    A6XX_RBBM_STATUS3_SMMU_STALLED_ON_FAULT)
		return;

	dev_err(&gpu->pdev->dev,
		"gpu fault ring %d fence %x status %08x rb %04x/%04x ib1 %016llx/%04x ib2 %016llx/%04x\n",
		ring->id, ring->fctx->last_fence,
		vgpu_read(gpu, REG_A6XX_RBBM_STATUS),
		vgpu_read(gpu, REG_A6XX_CP_RB_RPTR),
		vgpu_read(gpu, REG_A6XX_CP_RB_WPTR),
		vgpu_read64(gpu, REG_A6XX_CP_IB1_BASE),
		vgpu_read(gpu, REG_A6XX_CP_IB1_REM_SIZE),
		vgpu_read64(gpu, REG_A6XX_CP_IB2_BASE),
		vgpu_read(gpu, REG_A6XX_CP_IB2_REM_SIZE));

	/* The hang is being dealt with: no second report, no hangcheck */
	del_timer(&gpu->hangcheck_timer);
	vgpu_write(gpu, REG_A6XX_RBBM_INT_0_MASK, 0);

	kthread_queue_work(gpu->worker, &gpu->recover_work);
}

static void vgpu_gpu_cp_error_irq(struct msm_gpu *gpu)
{
	const char *why = vgpu_hw_cp_error(to_vgpu_gpu(gpu)->hw);
	u32 status = vgpu_read(gpu, REG_A6XX_CP_INTERRUPT_STATUS);
	struct device *dev = &gpu->pdev->dev;
	u32 dword;

	vgpu_write(gpu, REG_A6XX_CP_SQE_STAT_ADDR, 1);
	dword = vgpu_read(gpu, REG_A6XX_CP_SQE_STAT_DATA);

	if (status & A6XX_CP_INT_CP_OPCODE_ERROR)
		dev_err_ratelimited(dev, "CP opcode error, header %08x: %s\n",
				    dword, why);

	if (status & A6XX_CP_INT_CP_REGISTER_PROTECTION_ERROR)
		dev_err_ratelimited(dev, "CP register protection error, status %08x\n",
				    vgpu_read(gpu, REG_A6XX_CP_PROTECT_STATUS));

	if (status & A6XX_CP_INT_CP_ILLEGAL_INSTR_ERROR)
		dev_err_ratelimited(dev, "CP illegal instruction error, %08x: %s\n",
				    dword, why);
}

static irqreturn_t vgpu_gpu_irq(struct msm_gpu *gpu)
{
	struct msm_drm_private *priv = gpu->dev->dev_private;
	u32 status = vgpu_read(gpu, REG_A6XX_RBBM_INT_0_STATUS);

	vgpu_write(gpu, REG_A6XX_RBBM_INT_CLEAR_CMD, status);

	if (priv->disable_err_irq)
		status &= A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS;

	if (status & A6XX_RBBM_INT_0_MASK_RBBM_HANG_DETECT)
		vgpu_gpu_hang_irq(gpu);

	if (status & A6XX_RBBM_INT_0_MASK_CP_AHB_ERROR)
		dev_err_ratelimited(&gpu->pdev->dev, "CP AHB error\n");

	if (status & A6XX_RBBM_INT_0_MASK_CP_HW_ERROR)
		vgpu_gpu_cp_error_irq(gpu);

	if (status & A6XX_RBBM_INT_0_MASK_CP_CACHE_FLUSH_TS)
		msm_gpu_retire(gpu);

	return IRQ_HANDLED;
}

static int vgpu_gpu_fault_handler(void *arg, unsigned long iova, int flags,
				  void *data)
{
	struct msm_gpu *gpu = arg;
	u32 scratch[4];

	for (int i = 0; i < ARRAY_SIZE(scratch); i++)
		scratch[i] = vgpu_read(gpu, REG_A6XX_CP_SCRATCH_REG(4 + i));

	/* The model has one block on the bus */
	return adreno_fault_handler(gpu, iova, flags, data, "CP", scratch);
}

/*
 * State for crash dumps and debugfs
 */

#if IS_ENABLED(CONFIG_DRM_MSM_GPU_STATE)
static const u32 vgpu_state_registers[] = {
	REG_A6XX_RBBM_STATUS,
	REG_A6XX_RBBM_STATUS3,
	REG_A6XX_RBBM_INT_0_STATUS,
	REG_A6XX_RBBM_INT_0_MASK,
	REG_A6XX_CP_INTERRUPT_STATUS,
	REG_A6XX_CP_PROTECT_STATUS,
	REG_A6XX_CP_RB_BASE,
	REG_A6XX_CP_RB_BASE + 1,
	REG_A6XX_CP_RB_RPTR,
	REG_A6XX_CP_RB_WPTR,
	REG_A6XX_CP_IB1_BASE,
	REG_A6XX_CP_IB1_BASE + 1,
	REG_A6XX_CP_IB1_REM_SIZE,
	REG_A6XX_CP_IB2_BASE,
	REG_A6XX_CP_IB2_BASE + 1,
	REG_A6XX_CP_IB2_REM_SIZE,
};

static void vgpu_gpu_state_registers(struct msm_gpu *gpu,
				     struct msm_gpu_state *state)
{
	size_t n = ARRAY_SIZE(vgpu_state_registers);

	state->registers = kcalloc(2 * n, sizeof(u32), GFP_KERNEL);
	if (!state->registers)
		return;

	for (int i = 0; i < n; i++) {
		state->registers[2 * i] = vgpu_state_registers[i];
		state->registers[2 * i + 1] = vgpu_read(gpu, vgpu_state_registers[i]);
	}

	state->nr_registers = n;
}

/*
 * Fences wait for recovery, and reclaim waits for fences: lockdep complains here
 * if what a crash dump allocates could enter reclaim.
 */
static void vgpu_gpu_assert_no_reclaim(void)
{
	bool cookie = dma_fence_begin_signalling();

	might_alloc(GFP_KERNEL);
	dma_fence_end_signalling(cookie);
}

static struct msm_gpu_state *vgpu_gpu_state_get(struct msm_gpu *gpu)
{
	struct msm_gpu_state *state;

	vgpu_gpu_assert_no_reclaim();

	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return ERR_PTR(-ENOMEM);

	adreno_gpu_state_get(gpu, state);
	state->rbbm_status = vgpu_read(gpu, REG_A6XX_RBBM_STATUS);
	vgpu_gpu_state_registers(gpu, state);

	return state;
}
#endif

#if IS_ENABLED(CONFIG_DEBUG_FS) || IS_ENABLED(CONFIG_DEV_COREDUMP)
static void vgpu_gpu_debugfs_init(struct msm_gpu *gpu, struct drm_minor *minor)
{
	struct vgpu *vgpu = vgpu_from_gpu_device(&gpu->pdev->dev);
	struct dentry *dir;

	/* All minors share a directory */
	if (minor->type != DRM_MINOR_PRIMARY)
		return;

	dir = debugfs_create_dir("vgpu", minor->debugfs_root);
	vgpu_inject_debugfs(vgpu, gpu->dev, dir);
	vgpu_stat_debugfs(vgpu, gpu->dev, dir);
}
#endif

/*
 * Address spaces, parameters
 */

static struct msm_gem_address_space *
vgpu_gpu_create_address_space(struct msm_gpu *gpu, struct platform_device *pdev)
{
	return adreno_iommu_create_address_space(gpu, pdev, 0);
}

static struct msm_gem_address_space *
vgpu_gpu_create_private_address_space(struct msm_gpu *gpu)
{
	u32 ias = vgpu_from_gpu_device(&gpu->pdev->dev)->config.ias;
	u64 size = min(adreno_private_address_space_size(gpu),
		       BIT_ULL(ias) - VGPU_VA_START);
	struct msm_gem_address_space *aspace;
	struct msm_mmu *mmu;

	mmu = msm_iommu_pagetable_create(gpu->aspace->mmu);
	if (IS_ERR(mmu))
		return ERR_CAST(mmu);

	aspace = msm_gem_address_space_create(mmu, "gpu", VGPU_VA_START, size);
	if (IS_ERR(aspace))
		mmu->funcs->destroy(mmu);

	return aspace;
}

static int vgpu_gpu_get_timestamp(struct msm_gpu *gpu, u64 *value)
{
	*value = vgpu_hw_counter();

	return 0;
}

/*
 * Making and unmaking
 */

static void vgpu_gpu_destroy(struct msm_gpu *gpu)
{
	struct vgpu_gpu *vgpu = to_vgpu_gpu(gpu);

	/* What goes now is what interrupts and faults come to */
	vgpu_hw_quiesce(vgpu->hw);

	if (vgpu->shadow_bo)
		msm_gem_kernel_put(vgpu->shadow_bo, gpu->aspace);

	adreno_gpu_cleanup(&vgpu->base);
	kfree(vgpu);
}

static const struct adreno_gpu_funcs vgpu_gpu_funcs = {
	.base = {
		.get_param = adreno_get_param,
		.set_param = adreno_set_param,
		.hw_init = vgpu_gpu_hw_init,
		.pm_suspend = vgpu_gpu_pm_suspend,
		.pm_resume = msm_gpu_pm_resume,
		.recover = vgpu_gpu_recover,
		.submit = vgpu_gpu_submit,
		.active_ring = vgpu_gpu_active_ring,
		.irq = vgpu_gpu_irq,
		.destroy = vgpu_gpu_destroy,
#if IS_ENABLED(CONFIG_DRM_MSM_GPU_STATE)
		.show = adreno_show,
		.gpu_state_get = vgpu_gpu_state_get,
		.gpu_state_put = adreno_gpu_state_put,
#endif
#if IS_ENABLED(CONFIG_DEBUG_FS) || IS_ENABLED(CONFIG_DEV_COREDUMP)
		.debugfs_init = vgpu_gpu_debugfs_init,
#endif
		.create_address_space = vgpu_gpu_create_address_space,
		.create_private_address_space = vgpu_gpu_create_private_address_space,
		.get_rptr = vgpu_gpu_get_rptr,
		.progress = vgpu_gpu_progress,
	},
	.get_timestamp = vgpu_gpu_get_timestamp,
};

static int vgpu_gpu_create_shadow(struct vgpu_gpu *vgpu)
{
	struct msm_gpu *gpu = &vgpu->base.base;
	void *shadow;

	shadow = msm_gem_kernel_new(gpu->dev, sizeof(u32) * gpu->nr_rings,
				    MSM_BO_WC | MSM_BO_MAP_PRIV, gpu->aspace,
				    &vgpu->shadow_bo, &vgpu->shadow_iova);
	if (IS_ERR(shadow)) {
		vgpu->shadow_bo = NULL;
		return PTR_ERR(shadow);
	}

	vgpu->shadow = shadow;
	msm_gem_object_set_name(vgpu->shadow_bo, "shadow");

	return 0;
}

/* What userspace lays its images out for; the model has no tiled images */
static void vgpu_gpu_set_ubwc(struct adreno_gpu *adreno_gpu)
{
	adreno_gpu->ubwc_config.highest_bank_bit = 16;
	adreno_gpu->ubwc_config.ubwc_swizzle = 6;
	adreno_gpu->ubwc_config.macrotile_mode = 1;
}

static struct msm_gpu *vgpu_gpu_init(struct drm_device *dev)
{
	struct msm_drm_private *priv = dev->dev_private;
	struct platform_device *pdev = priv->gpu_pdev;
	struct vgpu_gpu *vgpu;
	struct msm_gpu *gpu;
	int ret;

	vgpu = kzalloc(sizeof(*vgpu), GFP_KERNEL);
	if (!vgpu)
		return ERR_PTR(-ENOMEM);

	/* The model reads and writes through the kernel's mapping of all memory */
	priv->cached_only = true;

	gpu = &vgpu->base.base;
	gpu->hw_apriv = true;
	gpu->fast_rate = VGPU_GPU_FREQ_HZ;
	vgpu->hw = vgpu_from_gpu_device(&pdev->dev)->hw;

	ret = adreno_gpu_init(dev, pdev, &vgpu->base, &vgpu_gpu_funcs, 1);
	if (!ret)
		ret = vgpu_gpu_create_shadow(vgpu);
	if (ret) {
		vgpu_gpu_destroy(gpu);
		return ERR_PTR(ret);
	}

	msm_mmu_set_fault_handler(gpu->aspace->mmu, gpu, vgpu_gpu_fault_handler);
	vgpu_gpu_set_ubwc(&vgpu->base);

	return gpu;
}

/* An Adreno 650 to everybody who asks, but for the firmware it does not need */
const struct adreno_info vgpu_gpu_info = {
	.chip_ids = ADRENO_CHIP_IDS(0x06050002),
	.family = ADRENO_6XX_GEN3,
	.revn = 650,
	.gmem = SZ_1M + SZ_128K,
	.quirks = ADRENO_QUIRK_HAS_CACHED_COHERENT |
		  ADRENO_QUIRK_HAS_HW_APRIV,
	.init = vgpu_gpu_init,
	.inactive_period = DRM_MSM_INACTIVE_PERIOD,
	.address_space_size = SZ_16G,
};
