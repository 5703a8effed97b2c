// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual SMMU behind the kernel's IOMMU API.
 *
 * What it holds: one context bank with one client, the virtual GPU.  The
 * client's paging domain is the upper half (TTBR1) of a split address space
 * and belongs to the kernel; the lower half (TTBR0) is switched by the GPU
 * itself, as on the hardware, and msm_iommu.c makes a table per process for it.
 * This file is therefore what arm-smmu plus its Qualcomm part are to a real
 * Adreno: it owns the registers of the context bank and fills in the private
 * interface of adreno-smmu-priv.h, and nothing above it can tell the
 * difference.
 *
 * What it promises: the TLB holds nothing when the SMMU comes back from runtime
 * suspend, which is what lets msm_iommu.c skip invalidations while it is
 * suspended.
 *
 * Terms: "context bank" and the names of registers are the SMMUv2
 * architecture's.
 *
 * Trap: the iommu_ops have no owner.  The IOMMU core takes a reference on the
 * owner for each client, and here the owner and the client are one module,
 * which could then never be removed.  The reference is not needed: the module's
 * exit removes the client first, see vgpu_drv.c.  The core insists on an owner
 * only for ops that lie in a module, so each SMMU has a copy of its own.
 */

#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "vgpu_domain.h"
#include "vgpu_hw.h"
#include "vgpu_iommu.h"

#define VGPU_IOMMU_NAME		"msm-vgpu-smmu"

/*
 * Identity domain
 *
 * It makes the DMA API direct for the GPU's device.  The GPU itself never runs
 * while it is attached, so the context bank is shut rather than bypassed: the
 * model does not reach physical memory without a table.
 */

static int vgpu_identity_attach(struct iommu_domain *base, struct device *dev)
{
	struct vgpu_smmu *smmu = dev_iommu_priv_get(dev);

	vgpu_smmu_disable_cb(smmu);

	return 0;
}

static const struct iommu_domain_ops vgpu_identity_ops = {
	.attach_dev = vgpu_identity_attach,
};

static struct iommu_domain vgpu_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &vgpu_identity_ops,
};

/*
 * The device
 */

static bool vgpu_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static struct iommu_device *vgpu_iommu_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct vgpu_smmu *smmu;
	struct device *smmu_dev;

	smmu_dev = bus_find_device_by_fwnode(&platform_bus_type,
					     fwspec->iommu_fwnode);
	if (!smmu_dev)
		return ERR_PTR(-ENODEV);

	smmu = dev_get_drvdata(smmu_dev);
	put_device(smmu_dev);

	dev_iommu_priv_set(dev, smmu);
	smmu->client = dev;

	/* The SMMU is powered as long as its client is */
	if (!device_link_add(dev, smmu->dev,
			     DL_FLAG_PM_RUNTIME | DL_FLAG_AUTOREMOVE_SUPPLIER))
		return ERR_PTR(-ENOMEM);

	return &smmu->iommu;
}

static void vgpu_iommu_release_device(struct device *dev)
{
	struct vgpu_smmu *smmu = dev_iommu_priv_get(dev);

	smmu->client = NULL;
}

static int vgpu_iommu_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static const struct iommu_ops vgpu_iommu_ops = {
	.capable = vgpu_iommu_capable,
	.domain_alloc_paging = vgpu_domain_alloc_paging,
	.probe_device = vgpu_iommu_probe_device,
	.release_device = vgpu_iommu_release_device,
	.device_group = generic_device_group,
	.def_domain_type = vgpu_iommu_def_domain_type,
	.default_domain_ops = &vgpu_domain_ops,
	.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
	.identity_domain = &vgpu_identity_domain,
	.release_domain = &vgpu_identity_domain,
};

/**
 * vgpu_iommu_fault() - pass a fault of the context bank on to its handler
 * @pdev: the SMMU
 *
 * Called on the command processor's thread, on the fence signalling path.  The
 * handler, or the work it queues, resumes a stalled access; without a handler
 * the access is terminated here.
 */
void vgpu_iommu_fault(struct platform_device *pdev)
{
	struct vgpu_smmu *smmu = platform_get_drvdata(pdev);
	struct iommu_domain *domain;
	struct vgpu_hw_fault fault;
	int flags;

	vgpu_hw_smmu_fault(smmu->hw, &fault);
	flags = fault.fsynr0 & VGPU_HW_FSYNR0_WNR ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	/* The GPU is quiet before its domain goes, so this cannot be late */
	spin_lock(&smmu->lock);
	domain = smmu->domain;
	spin_unlock(&smmu->lock);

	if (domain &&
	    !report_iommu_fault(domain, smmu->client, fault.iova, flags))
		return;

	dev_err_ratelimited(smmu->dev,
			    "unhandled fault: iova=%#llx fsr=%#x fsynr0=%#x\n",
			    fault.iova, fault.fsr, fault.fsynr0);
	vgpu_hw_smmu_resume(smmu->hw, true);
}

/**
 * vgpu_iommu_forget_inv() - where to say what invalidations get lost
 * @pdev: the SMMU
 *
 * For tests of the tests: a driver that forgets must be noticed.
 *
 * Return: a word of VGPU_FORGET_*, lives as long as the device.
 */
u32 *vgpu_iommu_forget_inv(struct platform_device *pdev)
{
	struct vgpu_smmu *smmu = platform_get_drvdata(pdev);

	return &smmu->forget_inv;
}

/**
 * vgpu_iommu_claim() - put a device behind the SMMU
 * @pdev: the SMMU
 * @client: a device that was not added to its bus yet
 *
 * Context: takes a mutex of the IOMMU core.
 * Return: 0 or -ENOMEM.
 */
int vgpu_iommu_claim(struct platform_device *pdev, struct device *client)
{
	int ret;

	mutex_lock(&iommu_probe_device_lock);
	ret = iommu_fwspec_init(client, dev_fwnode(&pdev->dev));
	mutex_unlock(&iommu_probe_device_lock);

	return ret;
}

static int vgpu_iommu_probe(struct platform_device *pdev)
{
	const struct vgpu_iommu_data *data = dev_get_platdata(&pdev->dev);
	struct device *dev = &pdev->dev;
	struct vgpu_smmu *smmu;
	int ret;

	smmu = devm_kzalloc(dev, sizeof(*smmu), GFP_KERNEL);
	if (!smmu)
		return -ENOMEM;

	smmu->dev = dev;
	smmu->hw = data->hw;
	smmu->ias = data->ias;
	smmu->has_prr = data->has_prr;
	smmu->ops = vgpu_iommu_ops;
	spin_lock_init(&smmu->lock);
	vgpu_smmu_disable_cb(smmu);
	platform_set_drvdata(pdev, smmu);

	ret = iommu_device_sysfs_add(&smmu->iommu, dev, NULL, VGPU_IOMMU_NAME);
	if (ret)
		return ret;

	ret = iommu_device_register(&smmu->iommu, &smmu->ops, dev);
	if (ret) {
		iommu_device_sysfs_remove(&smmu->iommu);
		return ret;
	}

	pm_runtime_enable(dev);

	return 0;
}

static void vgpu_iommu_remove(struct platform_device *pdev)
{
	struct vgpu_smmu *smmu = platform_get_drvdata(pdev);

	pm_runtime_disable(&pdev->dev);
	iommu_device_unregister(&smmu->iommu);
	iommu_device_sysfs_remove(&smmu->iommu);
}

/* Registers and TLB do not survive suspend */
static int vgpu_iommu_runtime_suspend(struct device *dev)
{
	struct vgpu_smmu *smmu = dev_get_drvdata(dev);

	vgpu_smmu_lose_power(smmu);

	return 0;
}

static int vgpu_iommu_runtime_resume(struct device *dev)
{
	struct vgpu_smmu *smmu = dev_get_drvdata(dev);

	vgpu_smmu_restore_cb(smmu);

	return 0;
}

/**
 * vgpu_iommu_power_cycle() - switch the SMMU off and on again while it is in use
 * @pdev: the SMMU
 *
 * The GPU must be reset before, so that none of its accesses comes in between.
 */
void vgpu_iommu_power_cycle(struct platform_device *pdev)
{
	vgpu_iommu_runtime_suspend(&pdev->dev);
	vgpu_iommu_runtime_resume(&pdev->dev);
}

static DEFINE_RUNTIME_DEV_PM_OPS(vgpu_iommu_pm_ops, vgpu_iommu_runtime_suspend,
				 vgpu_iommu_runtime_resume, NULL);

static struct platform_driver vgpu_iommu_driver = {
	.probe = vgpu_iommu_probe,
	.remove_new = vgpu_iommu_remove,
	.driver = {
		.name = VGPU_IOMMU_NAME,
		.pm = pm_ptr(&vgpu_iommu_pm_ops),
		.suppress_bind_attrs = true,
	},
};

/* A firmware node is what ties a client to its IOMMU; this one says little */
static const struct property_entry vgpu_iommu_properties[] = {
	PROPERTY_ENTRY_U32("num-context-banks", 1),
	{ }
};

/**
 * vgpu_iommu_create() - make the platform device of the SMMU
 * @data: what it is like
 *
 * Return: the bound device, to be unregistered after its client, or an ERR_PTR.
 */
struct platform_device *vgpu_iommu_create(const struct vgpu_iommu_data *data)
{
	const struct platform_device_info info = {
		.name = VGPU_IOMMU_NAME,
		.id = PLATFORM_DEVID_NONE,
		.data = data,
		.size_data = sizeof(*data),
		.properties = vgpu_iommu_properties,
	};
	struct platform_device *pdev;

	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		return pdev;

	if (!device_is_bound(&pdev->dev)) {
		platform_device_unregister(pdev);
		return ERR_PTR(-ENODEV);
	}

	return pdev;
}

int vgpu_iommu_driver_register(void)
{
	return platform_driver_register(&vgpu_iommu_driver);
}

void vgpu_iommu_driver_unregister(void)
{
	platform_driver_unregister(&vgpu_iommu_driver);
}
