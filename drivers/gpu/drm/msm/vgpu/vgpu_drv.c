// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices and wiring of the virtual Adreno.
 *
 * What it holds: the one virtual GPU that a load of the module can have, made
 * of the hardware model and of three platform devices:
 *
 *	msm-vgpu-smmu	the SMMU, vgpu_iommu.c
 *	adreno		the GPU: probed, bound and power managed by the stock
 *			adreno driver, with vgpu_gpu.c as its back end
 *	msm		child of the GPU: the stock headless DRM device
 *
 * What it promises: nothing at all exists unless the module was loaded with
 * vgpu=1, and after vgpu_unregister() nothing is left.
 *
 * Trap: the IOMMU core finds the SMMU of a device when the device is added, so
 * the order of creation is fixed: model, SMMU, GPU, DRM; removal is the
 * reverse.
 */

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "adreno/adreno_gpu.h"

#include "vgpu_drv.h"
#include "vgpu_gpu.h"
#include "vgpu_hw.h"
#include "vgpu_iommu.h"

#define VGPU_CHIP_ID	0x06050002

static bool vgpu_wanted;
MODULE_PARM_DESC(vgpu, "Create a virtual Adreno for testing (default: no)");
module_param_named(vgpu, vgpu_wanted, bool, 0444);

static u32 vgpu_ias = VGPU_IAS_MAX;
MODULE_PARM_DESC(vgpu_ias, "Address bits of a virtual Adreno's page tables");
module_param(vgpu_ias, uint, 0444);

static bool vgpu_prr = true;
MODULE_PARM_DESC(vgpu_prr, "Give a virtual Adreno a PRR page (default: yes)");
module_param(vgpu_prr, bool, 0444);

static u32 vgpu_false_starts;
MODULE_PARM_DESC(vgpu_false_starts, "How many times a virtual Adreno does not power up first");
module_param(vgpu_false_starts, uint, 0444);

static struct vgpu *the_vgpu;

/**
 * struct vgpu_platdata - platform data of the GPU's device
 * @adreno: what the adreno driver looks for; must be first
 * @vgpu: what the device is a part of
 */
struct vgpu_platdata {
	struct adreno_platform_config adreno;
	struct vgpu *vgpu;
};

static_assert(offsetof(struct vgpu_platdata, adreno) == 0);

/**
 * vgpu_from_gpu_device() - the virtual Adreno that a GPU device is a part of
 * @gpu: the device that vgpu_gpu_info's init was called for
 *
 * Return: it; it lives longer than the device is bound.
 */
struct vgpu *vgpu_from_gpu_device(struct device *gpu)
{
	struct vgpu_platdata *data = dev_get_platdata(gpu);

	return data->vgpu;
}

/*
 * Wiring: what the model does to its machine
 */

static void vgpu_raise_irq(void *cookie)
{
	struct vgpu *vgpu = cookie;

	generic_handle_irq_safe(vgpu->irq);
}

static void vgpu_raise_fault(void *cookie)
{
	struct vgpu *vgpu = cookie;

	vgpu_iommu_fault(vgpu->smmu);
}

static const struct vgpu_hw_host vgpu_host = {
	.irq = vgpu_raise_irq,
	.fault = vgpu_raise_fault,
};

/*
 * The model reports edges, and one may come while the handler still runs for
 * the one before: the edge flow handler keeps it, also while the line is
 * disabled.
 *
 * The line has no owner: whoever requests it takes a reference on the owner,
 * and a module that holds one on itself cannot be removed.
 */
static int vgpu_irq_create(struct vgpu *vgpu)
{
	int irq = __irq_alloc_descs(-1, 1, 1, NUMA_NO_NODE, NULL, NULL);

	if (irq < 0)
		return irq;

	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_edge_irq);
	irq_modify_status(irq, IRQ_NOREQUEST, IRQ_NOPROBE);
	vgpu->irq = irq;

	return 0;
}

static void vgpu_irq_destroy(struct vgpu *vgpu)
{
	if (vgpu->irq > 0)
		irq_free_desc(vgpu->irq);
}

/*
 * Devices
 */

static int vgpu_hw_setup(struct vgpu *vgpu)
{
	const char *reason;
	struct vgpu_hw *hw;

	mutex_init(&vgpu->config_lock);
	vgpu_config_init(&vgpu->config);
	vgpu->config.ias = vgpu_ias;
	vgpu->config.has_prr = vgpu_prr;
	vgpu->config.false_starts = vgpu_false_starts;

	reason = vgpu_config_check(&vgpu->config);
	if (reason) {
		pr_err("msm: vgpu: %s\n", reason);
		return -EINVAL;
	}

	hw = vgpu_hw_create(&vgpu->config, &vgpu_host, vgpu);
	if (IS_ERR(hw))
		return PTR_ERR(hw);

	vgpu->hw = hw;

	return 0;
}

static int vgpu_smmu_setup(struct vgpu *vgpu)
{
	const struct vgpu_iommu_data data = {
		.hw = vgpu->hw,
		.ias = vgpu->config.ias,
		.has_prr = vgpu->config.has_prr,
	};
	struct platform_device *smmu = vgpu_iommu_create(&data);

	if (IS_ERR(smmu))
		return PTR_ERR(smmu);

	vgpu->smmu = smmu;

	return 0;
}

static int vgpu_gpu_fill(struct vgpu *vgpu, struct platform_device *gpu)
{
	const struct resource irq = DEFINE_RES_IRQ(vgpu->irq);
	const struct vgpu_platdata data = {
		.adreno = {
			.chip_id = VGPU_CHIP_ID,
			.info = &vgpu_gpu_info,
		},
		.vgpu = vgpu,
	};
	int ret;

	ret = platform_device_add_resources(gpu, &irq, 1);
	if (ret)
		return ret;

	ret = platform_device_add_data(gpu, &data, sizeof(data));
	if (ret)
		return ret;

	return vgpu_iommu_claim(vgpu->smmu, &gpu->dev);
}

static int vgpu_gpu_setup(struct vgpu *vgpu)
{
	struct platform_device *gpu;
	int ret;

	gpu = platform_device_alloc("adreno", PLATFORM_DEVID_NONE);
	if (!gpu)
		return -ENOMEM;

	ret = vgpu_gpu_fill(vgpu, gpu);
	if (!ret)
		ret = platform_device_add(gpu);
	if (ret) {
		platform_device_put(gpu);
		return ret;
	}

	vgpu->gpu = gpu;

	return 0;
}

static int vgpu_drm_setup(struct vgpu *vgpu)
{
	const struct platform_device_info info = {
		.parent = &vgpu->gpu->dev,
		.name = "msm",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = ~0,
	};
	struct platform_device *drm = platform_device_register_full(&info);

	if (IS_ERR(drm))
		return PTR_ERR(drm);

	vgpu->drm = drm;

	return 0;
}

static void vgpu_destroy(struct vgpu *vgpu)
{
	platform_device_unregister(vgpu->drm);
	platform_device_unregister(vgpu->gpu);
	platform_device_unregister(vgpu->smmu);
	if (vgpu->hw)
		vgpu_hw_destroy(vgpu->hw);
	vgpu_irq_destroy(vgpu);
	kfree(vgpu);
}

static struct vgpu *vgpu_create(void)
{
	static int (* const steps[])(struct vgpu *vgpu) = {
		vgpu_irq_create,
		vgpu_hw_setup,
		vgpu_smmu_setup,
		vgpu_gpu_setup,
		vgpu_drm_setup,
	};
	struct vgpu *vgpu;
	int ret;

	vgpu = kzalloc(sizeof(*vgpu), GFP_KERNEL);
	if (!vgpu)
		return ERR_PTR(-ENOMEM);

	for (int i = 0; i < ARRAY_SIZE(steps); i++) {
		ret = steps[i](vgpu);
		if (ret) {
			vgpu_destroy(vgpu);
			return ERR_PTR(ret);
		}
	}

	return vgpu;
}

/**
 * vgpu_register() - create the virtual Adreno if the user asked for it
 *
 * To be called when the adreno and msm platform drivers are registered.
 *
 * Return: 0, also if there is none to create, or an error.
 */
int vgpu_register(void)
{
	struct vgpu *vgpu;
	int ret;

	if (!vgpu_wanted)
		return 0;

	ret = vgpu_iommu_driver_register();
	if (ret)
		return ret;

	vgpu = vgpu_create();
	if (IS_ERR(vgpu)) {
		vgpu_iommu_driver_unregister();
		return PTR_ERR(vgpu);
	}

	the_vgpu = vgpu;

	return 0;
}

/**
 * vgpu_unregister() - remove the virtual Adreno if there is one
 *
 * To be called before the adreno and msm platform drivers are unregistered.
 */
void vgpu_unregister(void)
{
	if (!the_vgpu)
		return;

	vgpu_destroy(the_vgpu);
	the_vgpu = NULL;
	vgpu_iommu_driver_unregister();
}
